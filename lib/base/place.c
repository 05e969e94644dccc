/* Folders opened one part of the path after the other. */
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/system.h"

enum { NAME_SIZE = 256 };

/* A folder `name` in the folder `at`, made on request; -1 with errno. */
static int step(int at, const char *name, bool make)
{
    struct stat status;
    int next = system_open_folder(at, name);
    if (next < 0 && errno == ENOENT && make && (mkdirat(at, name, 0777) == 0 || errno == EEXIST))
        next = system_open_folder(at, name);
    int number = errno;
    if (next < 0 && fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
        number = ELOOP;
    errno = number;
    return next;
}

int place_folder(const char *path, size_t length, bool make)
{
    int fd = system_open_folder(AT_FDCWD, *path == '/' ? "/" : ".");
    for (size_t at = 0, size; fd >= 0; at += size) {
        char name[NAME_SIZE];
        at += strspn(path + at, "/");
        size = strcspn(path + at, "/");
        if (at >= length)
            break;
        int next = -1;
        if (size >= sizeof name) {
            errno = ENAMETOOLONG;
        } else {
            memcpy(name, path + at, size);
            name[size] = '\0';
            next = step(fd, name, make);
        }
        int number = errno;
        close(fd);
        errno = number;
        fd = next;
    }
    return fd;
}

int place_open(struct place *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    p->name = slash ? slash + 1 : path;
    p->folder = place_folder(path, (size_t)(p->name - path), false);
    if (p->folder >= 0 && !*p->name) {
        errno = EISDIR;
        return -1;
    }
    return p->folder < 0 ? -1 : 0;
}

void place_close(struct place *p)
{
    if (p->folder >= 0)
        close(p->folder);
    p->folder = -1;
}

const char *place_why(int number)
{
    return number == ELOOP ? "a symbolic link is on the way, and none is followed within a results "
                             "folder"
                           : err_system(number);
}

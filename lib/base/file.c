/* Files that are read, folders, and paths; writing is in output.c. */
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/place.h"

/* ---- reading ----------------------------------------------------------------------------------*/

int file_read_open(int fd, const char *path, size_t limit, char **bytes, size_t *count,
                   struct err *e)
{
    struct stat status;
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    size_t hint = regular ? (size_t)status.st_size : 4096; /* it may grow; pipes have none */
    assert(limit < SIZE_MAX / 4);
    size_t capacity = (hint < limit ? hint : limit) + 2, length = 0;
    char *data = memory_alloc(capacity, 1, e);
    int rc = data != NULL ? 0 : ERR_MEMORY;
    for (ssize_t got = 1; rc == 0 && got != 0;) {
        got = read(fd, data + length, capacity - 1 - length);
        if (got < 0 && errno != EINTR)
            rc = err_set(e, ERR_IO, path, "cannot be read: %s", err_system(errno));
        length += got > 0 ? (size_t)got : 0;
        if (length > limit)
            rc = err_set(e, ERR_FORMAT, path, "is larger than the %zu bytes that are allowed",
                         limit);
        else if (rc == 0 && length + 1 == capacity)
            rc = memory_grow(data, capacity *= 2, e);
    }
    if (rc != 0) {
        memory_free(data);
        return rc;
    }
    data[length] = '\0';
    *bytes = data;
    *count = length;
    return 0;
}

static int read_path(const char *path, bool regular, size_t limit, char **bytes, size_t *count,
                     struct err *e)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | (regular ? O_NONBLOCK : 0));
    if (fd < 0)
        return err_set(e, ERR_IO, path, "cannot be opened: %s", err_system(errno));
    int rc = regular && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
                 ? err_set(e, ERR_IO, path, "is no file that can be read")
                 : file_read_open(fd, path, limit, bytes, count, e);
    close(fd);
    return rc;
}

int file_read(const char *path, size_t limit, char **bytes, size_t *count, struct err *e)
{
    return read_path(path, true, limit, bytes, count, e);
}

int file_read_stream(const char *path, size_t limit, char **bytes, size_t *count, struct err *e)
{
    return read_path(path, false, limit, bytes, count, e);
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool file_is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int file_size(const char *path, size_t *bytes, struct err *e)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return err_set(e, ERR_IO, path, "cannot be opened: %s", err_system(errno));
    *bytes = (size_t)status.st_size;
    return 0;
}

/* ---- folders ----------------------------------------------------------------------------------*/

int file_check_folder(const char *path, const char *expected, struct err *e)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return err_set(e, ERR_IO, path, "there is no such folder; %s was expected", expected);
    if (!S_ISDIR(status.st_mode))
        return err_set(e, ERR_IO, path, "is a file; %s was expected", expected);
    return access(path, R_OK | X_OK) == 0 ? 0 : err_set(e, ERR_IO, path, "%s", err_system(errno));
}

int file_make_folder(const char *path, struct err *e)
{
    int fd = place_folder(path, strlen(path), true);
    int number = errno;
    if (fd < 0 && number == ENOTDIR && file_exists(path))
        return file_check_folder(path, "a folder", e);
    if (fd < 0)
        return err_set(e, ERR_IO, path, "the folder cannot be made: %s", place_why(number));
    close(fd);
    return 0;
}

int file_remove(const char *path, struct err *e)
{
    struct place p;
    struct stat status;
    bool gone = false;
    if (place_open(&p, path) == 0) {
        bool folder = fstatat(p.folder, p.name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                      S_ISDIR(status.st_mode);
        gone = unlinkat(p.folder, p.name, folder ? AT_REMOVEDIR : 0) == 0;
    }
    int number = errno;
    place_close(&p);
    if (gone || number == ENOENT)
        return 0;
    return err_set(e, ERR_IO, path, "cannot be deleted: %s", place_why(number));
}

bool file_link(const char *from, const char *path)
{
    struct place a, b = {.folder = -1};
    bool linked = place_open(&a, from) == 0 && place_open(&b, path) == 0 &&
                  linkat(a.folder, a.name, b.folder, b.name, 0) == 0;
    place_close(&a);
    place_close(&b);
    return linked;
}

int file_real(char out[FILE_PATH_MAX], const char *path, struct err *e)
{
    size_t length = strlen(path), at = strspn(path, "/"), known = 0;
    bool linked = false;
    if (length >= FILE_PATH_MAX)
        return err_set(e, ERR_IO, path, "the path is too long");
    memcpy(out, path, length + 1);
    for (size_t next; at < length; at = next + strspn(path + next, "/")) {
        struct stat status;
        next = at + strcspn(path + at, "/");
        out[next] = '\0';
        bool there = lstat(out, &status) == 0, link = there && S_ISLNK(status.st_mode);
        if (link && stat(out, &status) != 0)
            return err_set(e, ERR_IO, path, "%s is a symbolic link to nothing that is there", out);
        linked |= link;
        out[next] = path[next];
        if (!there)
            break;
        known = next;
    }
    if (!linked)
        return 0;
    char *real;
    out[known] = '\0';
    if (!(real = realpath(out, NULL)))
        return err_set(e, ERR_IO, path, "%s", err_system(errno));
    int wanted = snprintf(out, FILE_PATH_MAX, "%s%s", real, path + known);
    free(real);
    return wanted < FILE_PATH_MAX ? 0 : err_set(e, ERR_IO, path, "the path is too long");
}

int file_join(char *out, size_t size, const char *folder, const char *name, struct err *e)
{
    size_t length = strlen(folder);
    const char *slash = length == 0 || folder[length - 1] == '/' ? "" : "/";
    int wanted = snprintf(out, size, "%s%s%s", folder, slash, name);
    if (wanted < 0 || (size_t)wanted >= size)
        return err_set(e, ERR_IO, *folder ? folder : name, "the path with \"%s\" is too long", name);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int file_list(const char *folder, char ***names, size_t *count, struct err *e)
{
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL)
        return err_set(e, ERR_IO, folder, "the folder cannot be read: %s", err_system(errno));
    int rc = 0;
    size_t n = 0;
    char **list = NULL;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(open_folder);
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        rc = memory_grow(list, n + 1, e);
        if (rc == 0 && (list[n] = memory_text(entry->d_name, e)) == NULL)
            rc = ERR_MEMORY;
        if (rc != 0)
            goto out;
        n++;
    }
    if (errno != 0) {
        rc = err_set(e, ERR_IO, folder, "the folder cannot be read: %s", err_system(errno));
        goto out;
    }
    if (n > 0)
        qsort(list, n, sizeof *list, compare_names);
    *names = list;
    *count = n;
    list = NULL;
out:
    file_free_names(list, n);
    closedir(open_folder);
    return rc;
}

void file_free_names(char **names, size_t count)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        memory_free(names[i]);
    memory_free(names);
}

/* ---- locks ------------------------------------------------------------------------------------
 * A lock belongs to an open file description (flock), so the kernel drops it when the last process
 * that has the description ends, however it ends. */

/* Whether the place still names the file that fd has open: its last owner may have deleted it, and
 * a lock on a deleted file keeps nobody out. */
static bool still_named(int fd, const struct place *p)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && fstatat(p->folder, p->name, &named, 0) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* The lock file, opened; a pipe under its name is not waited for. */
static int open_lock(const struct place *p)
{
    return openat(p->folder, p->name,
                  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
}

/* 0 with the lock held or not, or an errno. */
static int lock_at(struct file_lock *lock, const struct place *p, int operation)
{
    for (;;) {
        int fd = open_lock(p);
        if (fd < 0)
            return errno;
        if (flock(fd, operation) != 0) {
            int number = errno;
            close(fd);
            return number == EWOULDBLOCK ? 0 : number;
        }
        if (still_named(fd, p)) {
            lock->fd = fd;
            return 0;
        }
        close(fd);
    }
}

static int lock_with(struct file_lock *lock, const char *path, int operation, struct err *e)
{
    struct place p;
    lock->fd = -1;
    int number = place_open(&p, path) == 0 ? lock_at(lock, &p, operation) : errno;
    place_close(&p);
    if (number == EINTR)
        return err_set(e, ERR_INTERRUPTED, path, "interrupted while waiting for the lock");
    return number ? err_set(e, ERR_IO, path, "cannot be locked: %s", place_why(number)) : 0;
}

int file_lock(struct file_lock *lock, const char *path, struct err *e)
{
    return lock_with(lock, path, LOCK_EX, e);
}

int file_try_lock(struct file_lock *lock, const char *path, bool *held, struct err *e)
{
    int code = lock_with(lock, path, LOCK_EX | LOCK_NB, e);
    *held = lock->fd >= 0;
    return code;
}

void file_unlock(struct file_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}

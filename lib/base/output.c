/* Files are written here and nowhere else: in the folder's own descriptor, under a name that only
 * O_EXCL can give, flushed to the disk, renamed, the folder flushed.
 *
 * Invariant: a temporary file is locked by the process that writes it, so an unlocked one is nobody's
 * and can be removed. */
#include "base/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 18, COMPARE_BYTES = 1 << 14, TRIES_MAX = 10000, ALL_RIGHTS = 0777 };
static const char prefix[] = ".tmp-urpe-";

/* ---- temporary files --------------------------------------------------------------------------*/
/* Removes a file that no process writes any more. */
static void sweep_one(int folder, const char *name)
{
    struct stat status;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

static void sweep(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *name; names && (name = readdir(names));)
        if (strncmp(name->d_name, prefix, sizeof prefix - 1) == 0)
            sweep_one(folder, name->d_name);
    if (names)
        closedir(names);
    else if (fd >= 0)
        close(fd);
}

/* Whether fd is this process's now, and still has a name: a sweep may have come between. */
static bool claim(int fd)
{
    struct stat status;
    return (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
           fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/* A new file in the folder; -1 with errno. */
static int temporary_open(int folder, char name[OUTPUT_TEMPORARY])
{
    for (int n = 0; n < TRIES_MAX; n++) {
        snprintf(name, OUTPUT_TEMPORARY, "%s%ld-%d", prefix, (long)getpid(), n);
        int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd >= 0 && claim(fd))
            return fd;
        if (fd >= 0)
            close(fd);
        else if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* ---- one output -------------------------------------------------------------------------------*/
static int failed(const struct output *o, int number, struct err *e)
{
    return err_set(e, ERR_IO, o->path, "cannot be written: %s", place_why(number));
}

/* A rename would replace a device by a file, and a link by what it does not mean. */
static int check_target(struct output *o, struct err *e)
{
    struct stat status;
    if (fstatat(o->place.folder, o->place.name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : failed(o, errno, e);
    if (S_ISREG(status.st_mode))
        return fchmod(o->fd, status.st_mode & ALL_RIGHTS) == 0 ? 0 : failed(o, errno, e);
    return S_ISLNK(status.st_mode)
               ? failed(o, ELOOP, e)
               : err_set(e, ERR_IO, o->path, "cannot be replaced: not a plain file");
}

int output_open(struct output *o, const char *folder, const char *name, struct err *e)
{
    *o = (struct output){.fd = -1, .place.folder = -1};
    int code = file_join(o->path, sizeof o->path, folder, name, e);
    if (code)
        return code;
    if (place_open(&o->place, o->path) != 0)
        return failed(o, errno, e);
    sweep(o->place.folder);
    o->fd = temporary_open(o->place.folder, o->temporary);
    return o->fd < 0 ? failed(o, errno, e) : check_target(o, e);
}

static int write_all(struct output *o, const char *bytes, size_t count, struct err *e)
{
    while (count > 0) {
        ssize_t written = write(o->fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed(o, errno, e);
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

static int write_buffer(struct output *o, struct err *e)
{
    int code = text_check(&o->buffer, e);
    if (!code)
        code = write_all(o, o->buffer.data, o->buffer.length, e);
    text_clear(&o->buffer);
    return code;
}

/* Writes bytes behind what the buffer held so far. */
static int output_write(struct output *o, const void *bytes, size_t count, struct err *e)
{
    int code = write_buffer(o, e);
    return code ? code : write_all(o, bytes, count, e);
}

int output_flush(struct output *o, struct err *e)
{
    return o->buffer.length < FLUSH_BYTES && !o->buffer.failed ? 0 : write_buffer(o, e);
}

/* Whether two open files hold the same bytes from their start; false when one cannot be read. */
static bool same_bytes(int a, int b)
{
    char left[COMPARE_BYTES], right[COMPARE_BYTES];
    for (off_t at = 0;;) {
        ssize_t n = pread(a, left, sizeof left, at), m = pread(b, right, sizeof right, at);
        if (n < 0 || n != m || memcmp(left, right, (size_t)n) != 0)
            return false;
        if (n == 0)
            return true;
        at += n;
    }
}

static bool unchanged(const struct output *o)
{
    int old = openat(o->place.folder, o->place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (old < 0)
        return false;
    bool same = same_bytes(old, o->fd);
    close(old);
    return same;
}

/* Makes the rename survive a power failure, where the file system can: some refuse fsync on a folder,
 * and the rename stands all the same. */
static int sync_folder(const struct output *o, struct err *e)
{
    int fd = openat(o->place.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP);
    int number = errno;
    if (fd >= 0)
        close(fd);
    return good ? 0
                : err_set(e, ERR_IO, o->path, "written, but its folder could not be synchronised: %s",
                          err_system(number));
}

int output_commit(struct output *o, struct err *e)
{
    int code = write_buffer(o, e);
    if (code)
        return code;
    if (unchanged(o))
        return 0; /* output_close removes the copy */
    if (fsync(o->fd) != 0 ||
        renameat(o->place.folder, o->temporary, o->place.folder, o->place.name) != 0)
        return failed(o, errno, e);
    o->temporary[0] = '\0';
    return sync_folder(o, e);
}

void output_close(struct output *o)
{
    if (o->fd >= 0) {
        if (o->temporary[0])
            unlinkat(o->place.folder, o->temporary, 0);
        close(o->fd);
    }
    place_close(&o->place);
    text_close(&o->buffer);
    o->fd = -1;
}

/* ---- whole files ------------------------------------------------------------------------------*/
int file_write_like(const char *path, const char *like, const void *bytes, size_t count,
                    struct err *e)
{
    struct output o;
    struct stat status;
    int code = output_open(&o, "", path, e);
    if (!code && like &&
        (stat(like, &status) != 0 || fchmod(o.fd, status.st_mode & ALL_RIGHTS) != 0))
        code = failed(&o, errno, e);
    if (!code)
        code = output_write(&o, bytes, count, e);
    if (!code)
        code = output_commit(&o, e);
    output_close(&o);
    return code;
}

int file_write(const char *path, const void *bytes, size_t count, struct err *e)
{
    return file_write_like(path, NULL, bytes, count, e);
}

int file_check_write(const char *path, struct err *e)
{
    struct output o;
    int code = output_open(&o, "", path, e);
    output_close(&o);
    return code;
}

int file_write_text(const char *folder, const char *name, const struct text *t, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = text_check(t, e);
    if (!code)
        code = file_join(path, sizeof path, folder, name, e);
    return code ? code : file_write(path, t->data, t->length, e);
}

/* Files and folders.  Invariant: no function leaves a half-written file under the name it was
 * given, and none leaves its temporary file behind when it fails. */
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* ---- writing ----------------------------------------------------------------------------------*/

/* The part of path before its last '/', "." or "/" where there is none. */
static int folder_of(const char *path, char *folder, size_t size, struct err *e)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (length + 2 > size)
        return err_set(e, ERR_IO, path, "the path is too long");
    memcpy(folder, path, length);
    strcpy(folder + length, length == 0 ? "." : "");
    return 0;
}

/* Where the bytes of `path` really live: behind symbolic links.  What is there must be a plain
 * file, for a rename would replace a device by a file. */
static int resolve_target(const char *path, char real_path[PATH_MAX], struct err *e)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno != ENOENT)
            return err_set(e, ERR_IO, path, "cannot be written: %s", err_system(errno));
        if (strlen(path) >= PATH_MAX)
            return err_set(e, ERR_IO, path, "the path is too long");
        strcpy(real_path, path);
        return 0;
    }
    if (realpath(path, real_path) == NULL || stat(real_path, &status) != 0)
        return err_set(e, ERR_IO, path, "cannot be written: %s", err_system(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(e, ERR_IO, path, "cannot be replaced: not a plain file");
    return 0;
}

/* Creates a file in `folder` that nobody else has; O_EXCL decides, the number is only a guess. */
static int temporary_open(const char *folder, char *name, size_t size)
{
    for (int n = 0; n < 10000; n++) {
        int length = snprintf(name, size, "%s/.tmp-%ld-%d", folder, (long)getpid(), n);
        if (length < 0 || (size_t)length >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

int file_sync_folder(const char *path, struct err *e)
{
    char folder[PATH_MAX];
    int rc = folder_of(path, folder, sizeof folder, e);
    if (rc != 0)
        return rc;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems refuse fsync on a folder; the rename stands all the same. */
    bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP);
    int number = errno;
    if (fd >= 0)
        close(fd);
    return good ? 0
                : err_set(e, ERR_IO, path, "written, but its folder could not be synchronised: %s",
                          err_system(number));
}

int file_write(const char *path, const void *bytes, size_t count, struct err *e)
{
    char target[PATH_MAX], folder[PATH_MAX], temporary[PATH_MAX];
    int rc = resolve_target(path, target, e);
    if (rc == 0)
        rc = folder_of(target, folder, sizeof folder, e);
    if (rc != 0)
        return rc;

    int fd = temporary_open(folder, temporary, sizeof temporary);
    if (fd < 0)
        return err_set(e, ERR_IO, path, "cannot be written: %s", err_system(errno));
    bool good = write_all(fd, bytes, count) == 0 && fsync(fd) == 0;
    int number = errno;
    if (close(fd) != 0 && good) {
        good = false;
        number = errno;
    }
    if (good && rename(temporary, target) != 0) {
        good = false;
        number = errno;
    }
    if (!good) {
        unlink(temporary);
        return err_set(e, ERR_IO, path, "cannot be written: %s", err_system(number));
    }
    return file_sync_folder(target, e);
}

int file_write_text(const char *folder, const char *name, const struct text *t, struct err *e)
{
    char path[PATH_MAX];
    int rc = text_check(t, e);
    if (rc == 0)
        rc = file_join(path, sizeof path, folder, name, e);
    return rc ? rc : file_write(path, t->data, t->length, e);
}

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

int file_read(const char *path, size_t limit, char **bytes, size_t *count, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_IO, path, "cannot be opened: %s", err_system(errno));
    int rc = file_read_open(fd, path, limit, bytes, count, e);
    close(fd);
    return rc;
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

static int make_one_folder(const char *path, struct err *e)
{
    struct stat status;
    if (mkdir(path, 0777) == 0)
        return 0;
    int number = errno;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return 0;
        number = ENOTDIR;
    }
    return err_set(e, ERR_IO, path, "the folder cannot be made: %s", err_system(number));
}

int file_make_folder(const char *path, struct err *e)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part)
        return err_set(e, ERR_IO, path, "the path is too long");
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        int rc = make_one_folder(part, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int file_remove(const char *path, struct err *e)
{
    if (remove(path) == 0 || errno == ENOENT)
        return 0;
    return err_set(e, ERR_IO, path, "cannot be deleted: %s", err_system(errno));
}

int file_join(char *out, size_t size, const char *folder, const char *name, struct err *e)
{
    size_t length = strlen(folder);
    const char *slash = length == 0 || folder[length - 1] == '/' ? "" : "/";
    int wanted = snprintf(out, size, "%s%s%s", folder, slash, name);
    if (wanted < 0 || (size_t)wanted >= size)
        return err_set(e, ERR_IO, folder, "the path with \"%s\" is too long", name);
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

/* Whether `path` still names the file that fd has open: its last owner may have deleted it, and
 * a lock on a deleted file keeps nobody out. */
static bool still_named(int fd, const char *path)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static int lock_with(struct file_lock *lock, const char *path, int operation, bool *held,
                     struct err *e)
{
    *held = false;
    lock->fd = -1;
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return err_set(e, ERR_IO, path, "cannot be opened for locking: %s", err_system(errno));
        if (flock(fd, operation) != 0) {
            int number = errno;
            close(fd);
            if (number == EWOULDBLOCK)
                return 0;
            if (number == EINTR)
                return err_set(e, ERR_INTERRUPTED, path, "interrupted while waiting for the lock");
            return err_set(e, ERR_IO, path, "cannot be locked: %s", err_system(number));
        }
        if (still_named(fd, path)) {
            lock->fd = fd;
            *held = true;
            return 0;
        }
        close(fd);
    }
}

int file_lock(struct file_lock *lock, const char *path, struct err *e)
{
    bool held;
    return lock_with(lock, path, LOCK_EX, &held, e);
}

int file_try_lock(struct file_lock *lock, const char *path, bool *held, struct err *e)
{
    return lock_with(lock, path, LOCK_EX | LOCK_NB, held, e);
}

void file_unlock(struct file_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}

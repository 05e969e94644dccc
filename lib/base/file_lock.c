/* Locks on files.  Invariant: a lock belongs to an open file description (flock), so the kernel
 * drops it when the last process that has the description ends, however it ends. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

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

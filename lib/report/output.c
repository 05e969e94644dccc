/* Piecewise atomic files.  Invariant: the file under its final name is the old one or the whole new
 * one, and memory does not grow with the file. */
#include "report/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { FLUSH_BYTES = 1 << 18, COMPARE_BYTES = 1 << 14 };

int output_open(struct output *o, const char *folder, const char *name, struct err *e)
{
    *o = (struct output){.fd = -1};
    char hidden[256];
    /* One name only, so that what a killed process left is overwritten, not piled up. */
    int length = snprintf(hidden, sizeof hidden, ".%s.new", name);
    if (length < 0 || (size_t)length >= sizeof hidden)
        return err_set(e, ERR_IO, name, "the name is too long");
    int code = file_join(o->path, sizeof o->path, folder, name, e);
    if (!code)
        code = file_join(o->temporary, sizeof o->temporary, folder, hidden, e);
    if (code)
        return code;
    o->fd = open(o->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (o->fd < 0)
        return err_set(e, ERR_IO, o->temporary, "%s", err_system(errno));
    return 0;
}

static int write_buffer(struct output *o, struct err *e)
{
    int code = text_check(&o->buffer, e);
    if (code)
        return code;
    for (size_t done = 0; done < o->buffer.length;) {
        ssize_t count = write(o->fd, o->buffer.data + done, o->buffer.length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return err_set(e, ERR_IO, o->path, "%s", err_system(errno));
        done += (size_t)count;
    }
    text_clear(&o->buffer);
    return 0;
}

int output_flush(struct output *o, struct err *e)
{
    if (o->buffer.length < FLUSH_BYTES && !o->buffer.failed)
        return 0;
    return write_buffer(o, e);
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
    int old = open(o->path, O_RDONLY | O_CLOEXEC);
    if (old < 0)
        return false;
    bool same = same_bytes(old, o->fd);
    close(old);
    return same;
}

int output_commit(struct output *o, struct err *e)
{
    int code = write_buffer(o, e);
    if (code)
        return code;
    if (unchanged(o))
        return 0; /* output_close removes the copy */
    if (fsync(o->fd) != 0 || rename(o->temporary, o->path) != 0)
        return err_set(e, ERR_IO, o->path, "%s", err_system(errno));
    o->temporary[0] = '\0';
    return file_sync_folder(o->path, e);
}

void output_close(struct output *o)
{
    if (o->fd >= 0) {
        close(o->fd);
        if (o->temporary[0])
            unlink(o->temporary);
    }
    text_close(&o->buffer);
    o->fd = -1;
}

/* Files.  Invariant: a file written here is either the old one or the whole new one, whatever
 * happens in between (temporary name, fsync, rename, fsync of the folder). */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* A path that a user names may lead through symbolic links, and is resolved once, by file_real.  What
 * the program writes, makes, locks or deletes below it may not: a results folder may come from a
 * stranger, and a link in it must not reach outside.  So none of these follows a link in any part
 * of its path; ERR_IO says that there is one. */
enum { FILE_PATH_MAX = 4096 };
/* `path` without symbolic links where it has some, else as it is; what is not there yet stays as it
 * is.  ERR_IO: too long, or a link to nothing. */
int file_real(char out[FILE_PATH_MAX], const char *path, struct err *e);

/* Replaces `path` atomically, with the rights that the old file has, by default those of a new one.
 * ERR_IO, and the old file untouched, when that is not possible or when `path` is a link, a device,
 * a pipe or a folder.  A process under a file size limit must ignore SIGXFSZ to see the error. */
int file_write(const char *path, const void *bytes, size_t count, struct err *e);
/* The same for folder/name and a text; ERR_MEMORY where an append to it has failed. */
int file_write_text(const char *folder, const char *name, const struct text *t, struct err *e);
/* The same with the rights of the file `like`, of which it is a copy. */
int file_write_like(const char *path, const char *like, const void *bytes, size_t count,
                    struct err *e);
/* Makes `path`, where nothing is yet, another name of the file `from`; false: that cannot be done, and
 * nothing has changed. */
bool file_link(const char *from, const char *path);
/* Whether file_write can: asked before the work whose fruit is to be written.  ERR_IO. */
int file_check_write(const char *path, struct err *e);
/* Reads a whole file of at most `limit` bytes; *bytes is NUL-terminated and freed by the caller
 * with memory_free.  A missing file is ERR_IO, and so is a pipe, which could be waited for without
 * end. */
int file_read(const char *path, size_t limit, char **bytes, size_t *count, struct err *e);
/* The same for what a user names, which may be a pipe. */
int file_read_stream(const char *path, size_t limit, char **bytes, size_t *count, struct err *e);
/* The rest of an open file or pipe; `path` is its name in messages. */
int file_read_open(int fd, const char *path, size_t limit, char **bytes, size_t *count,
                   struct err *e);
bool file_exists(const char *path);
/* Whether it is a file with content of its own: no folder, device or pipe. */
bool file_is_regular(const char *path);
/* Its size in bytes; ERR_IO when there is no such file. */
int file_size(const char *path, size_t *bytes, struct err *e);
/* What a user names as a folder to read from, `expected` in words ("a results folder"): ERR_IO where
 * there is nothing, a file, or one that may not be read. */
int file_check_folder(const char *path, const char *expected, struct err *e);
/* Makes a folder and its parents. */
int file_make_folder(const char *path, struct err *e);
/* Deletes a file or an empty folder; a missing one is no error. */
int file_remove(const char *path, struct err *e);
/* Joins with '/'; fails when the result does not fit. */
int file_join(char *out, size_t size, const char *folder, const char *name, struct err *e);
/* Names in a folder, sorted bytewise, without "." and ".."; *names and each name are freed with
 * file_free_names. */
int file_list(const char *folder, char ***names, size_t *count, struct err *e);
void file_free_names(char **names, size_t count);

/* An advisory lock on `path` (created when absent) that the kernel drops when its owner dies.
 * It belongs to the open file: a child forked while it is held keeps it alive, so fork first.
 * file_lock waits; a signal whose handler lacks SA_RESTART ends the wait with ERR_INTERRUPTED.
 * file_try_lock sets *held to false at once when another process has it. */
struct file_lock {
    int fd; /* -1: not held */
};
int file_lock(struct file_lock *lock, const char *path, struct err *e);
int file_try_lock(struct file_lock *lock, const char *path, bool *held, struct err *e);
void file_unlock(struct file_lock *lock);

/* SHA-256 as 64 hexadecimal digits and a NUL. */
enum { HASH_TEXT = 65 };
void hash_text(char out[HASH_TEXT], const void *bytes, size_t count);
void hash_bytes(unsigned char out[32], const void *bytes, size_t count);

#endif

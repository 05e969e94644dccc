/* Files that a spec names (option.h, `file`): a value is the SHA-256 of the content and the path,
 * in one text, so that a configuration stays plain data and a file that changes is noticed:
 *
 *   "<64 hexadecimal digits> <path>"      "" names no file
 *
 * Invariant: whoever reads a file through its value gets the bytes of that hash, or an error. */
#ifndef BASE_NAMED_FILE_H
#define BASE_NAMED_FILE_H
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* Of any file; what reads one may allow fewer. */
enum { NAMED_FILE_BYTES_MAX = 1 << 26 };

/* The value for `name`, taken relative to the folder of the file `beside`.  Reads the file:
 * ERR_USAGE when it is missing, no regular file, larger than NAMED_FILE_BYTES_MAX, or a copy (see
 * named_file_append_place) that was changed, or when the value does not fit in `size`.  "" stays "". */
int named_file_resolve(char *out, size_t size, const char *beside, const char *name, struct err *e);
/* The path within a value; "" of "". */
const char *named_file_path(const char *value);
/* Bytes that the file has now, without reading it; ERR_IO when it is gone. */
int named_file_size(const char *value, size_t *count, struct err *e);
/* The content, NUL-terminated, which the caller frees with memory_free.  ERR_IO when it is no
 * longer what it was when the value was made. */
int named_file_read(const char *value, char **bytes, size_t *count, struct err *e);
/* Appends the hash alone: what a cell's id is made of. */
void named_file_append_hash(struct text *t, const char *value);
/* Appends where named_file_copy puts it, relative to its folder: the first 16 digits of the hash,
 * '/', the file's own name. */
void named_file_append_place(struct text *t, const char *value);
/* Copies the file, with its rights, to that place below `folder`, unless it is there whole.  Where the
 * same place below `beside` has it whole, that file gets a second name instead, as far as the file
 * system can; NULL: there is none. */
int named_file_copy(const char *value, const char *folder, const char *beside, struct err *e);

#endif

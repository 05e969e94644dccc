/* Compression, by zlib. */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* Appends what a gzip file holds, at most `limit` bytes.  ERR_FORMAT at `path`: it is none, is cut short, or
 * holds more. */
int gzip_expand(struct text *out, const char *path, const void *bytes, size_t count, size_t limit,
                struct err *e);
/* Appends the bytes as a gzip file (RFC 1952) without name or date, so equal bytes give equal files.
 * ERR_MEMORY. */
int gzip_append(struct text *out, const void *bytes, size_t count, struct err *e);

#endif

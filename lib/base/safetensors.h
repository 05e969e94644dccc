/* The safetensors format: 8 bytes little-endian header length, a JSON header, then the data.
 * Source: the format description of the safetensors project.  Little-endian machines only. */
#ifndef BASE_SAFETENSORS_H
#define BASE_SAFETENSORS_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum safetensors_type { SAFETENSORS_F32, SAFETENSORS_F64, SAFETENSORS_I32, SAFETENSORS_I64,
                        SAFETENSORS_U8, SAFETENSORS_BOOL };
enum { SAFETENSORS_RANK_MAX = 8, SAFETENSORS_NAME_MAX = 256, SAFETENSORS_COUNT_MAX = 100000 };

struct safetensor {
    char name[SAFETENSORS_NAME_MAX];
    enum safetensors_type type;
    int rank;
    int64_t shape[SAFETENSORS_RANK_MAX];
    size_t count;     /* elements */
    const void *data; /* into `bytes`, 8-byte aligned, when read; the caller's when written */
};

struct safetensors {
    struct safetensor *item; /* in file order */
    int count;
    char *bytes; /* the file, or its tensors moved to aligned places; owned */
};

/* Writes atomically, with `metadata` (key, value, key, value, ..., NULL; may be NULL).  Tensors
 * with elements of 8 bytes come first, so that every tensor is aligned in the file.  ERR_USAGE when
 * two have one name. */
int safetensors_write(const char *path, const struct safetensor *item, int count,
                      const char *const *metadata, struct err *e);
/* Reads and validates everything: header length, JSON, names, types, shapes, offsets (in range, no
 * gap, no overlap, matching shape x type).  ERR_FORMAT says what is wrong. */
int safetensors_read(const char *path, size_t limit, struct safetensors *out, struct err *e);
/* The same from memory; takes ownership of bytes (from memory_alloc) even on failure. */
int safetensors_parse(const char *where, char *bytes, size_t size, struct safetensors *out,
                      struct err *e);
const struct safetensor *safetensors_find(const struct safetensors *s, const char *name);
/* Element i of a tensor; of whole types as a whole number (an F32 or F64 is cut), or as a number. */
int64_t safetensors_whole(const struct safetensor *t, size_t i);
double safetensors_number(const struct safetensor *t, size_t i);
enum { SAFETENSORS_PLACE = 96 };
/* Its name and indices, "y[3,0,2]", as people index it from 0. */
const char *safetensors_place(char out[SAFETENSORS_PLACE], const struct safetensor *t, size_t i);
void safetensors_close(struct safetensors *s);
const char *safetensors_type_name(enum safetensors_type type);
size_t safetensors_type_size(enum safetensors_type type); /* bytes of an element */

#endif

/* The only place that calls malloc.  Every size is count x size, checked for overflow before memory
 * is asked for.  In a build with -DMEMORY_DEBUG each block and each piece of an arena carries guard
 * bytes that are verified (assert) when it is given back, freed blocks and the free part of an
 * arena are poisoned with 0xFF bytes (a NaN), and the Nth request can be made to fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* *out = a * b (or a + b); false, with *out untouched, when that does not fit in size_t. */
bool memory_multiply(size_t a, size_t b, size_t *out);
bool memory_add(size_t a, size_t b, size_t *out);

/* A block of count x size bytes, 64-byte aligned, zeroed.  NULL with e filled (ERR_MEMORY) when it
 * cannot be had; count 0 gives a valid pointer.  The caller frees with memory_free. */
void *memory_alloc(size_t count, size_t size, struct err *e);

/* Grows or shrinks a block from memory_alloc; bytes gained are zeroed.  On failure the old block
 * is untouched.  block NULL allocates. */
void *memory_resize(void *block, size_t count, size_t size, struct err *e);

/* Makes room for `count` elements in the array at the pointer `array` (an lvalue; NULL: no element
 * yet), by doubling, so that adding one at a time takes linear time; what is gained is zeroed.
 * ERR_MEMORY with the array untouched. */
#define memory_grow(array, count, e) memory_grow_at(&(array), count, sizeof *(array), e)
int memory_grow_at(void *pointer, size_t count, size_t size, struct err *e);

/* Copies text; the caller frees with memory_free. */
char *memory_text(const char *text, struct err *e);

void memory_free(void *block); /* NULL is fine */

#ifdef MEMORY_DEBUG
/* The nth request from now fails (1: the next one); 0 switches that off.  A piece of an arena is a
 * request like any other. */
void memory_fail_at(long nth);
long memory_requests(void); /* requests since the program started */
long memory_live(void);     /* blocks not yet freed */
#endif

/* ---- arenas ------------------------------------------------------------------------------------
 * A chain of chunks from which pieces are carved and which is released as a whole:
 *
 *   | piece | piece | piece | free ......... |      used <= capacity in each chunk
 *
 * A measuring arena hands out NULL and only counts, so that the code that carves a structure is
 * also the code that prices it. */
struct arena_chunk;
struct arena {
    struct arena_chunk *first, *current;
    size_t used;    /* bytes handed out since open or reset, padding included */
    size_t peak;    /* largest `used` ever */
    size_t chunk;   /* size of a further chunk */
    bool measuring; /* count only */
    bool failed;    /* a request has, since open or reset */
};

struct arena_mark {
    struct arena_chunk *chunk;
    size_t chunk_used, used;
};

/* An arena whose first chunk has `bytes` bytes (0: none until the first request). */
int arena_open(struct arena *a, size_t bytes, struct err *e);
void arena_open_measure(struct arena *a);
/* count x size bytes, 64-byte aligned, zeroed.  NULL with e filled on failure; NULL with e
 * untouched from a measuring arena. */
void *arena_alloc(struct arena *a, size_t count, size_t size, struct err *e);
/* ERR_MEMORY where any request has failed, so that one question serves a structure of many arrays. */
static inline int arena_check(const struct arena *a)
{
    return a->failed ? ERR_MEMORY : 0;
}
char *arena_text(struct arena *a, const char *text, struct err *e);
struct arena_mark arena_mark(const struct arena *a);
void arena_release(struct arena *a, struct arena_mark mark); /* keeps chunks for reuse */
void arena_reset(struct arena *a);                           /* release of everything */
void arena_close(struct arena *a);                           /* gives the memory back */

#endif

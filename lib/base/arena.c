/* Arenas.  Invariants: chunks behind `current` are empty (kept for reuse); a measuring arena goes
 * through the same sums as a real one, so an arena opened with the measured peak never needs a
 * second chunk.  With -DMEMORY_DEBUG each piece is followed by a guard, all guards of a chunk are
 * linked backwards, they are verified when the piece is released, and free bytes are poisoned. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/memory_guard.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t capacity, used;
    size_t touched; /* bytes from here on are still the zeros that calloc gave */
    size_t guard;   /* offset of the last guard's record plus 1; 0: none */
};

enum { CHUNK_HEADER = 64, CHUNK_MIN = 1 << 16 };
_Static_assert(sizeof(struct arena_chunk) <= CHUNK_HEADER, "the header must not reach the data");

static char *chunk_data(struct arena_chunk *chunk)
{
    return (char *)chunk + CHUNK_HEADER;
}

#ifdef MEMORY_DEBUG
/* | data, `size` bytes | guard bytes up to a multiple of 64 | record | guard bytes | */
struct guard {
    size_t previous, start, size; /* previous: as arena_chunk.guard; start and size of the piece */
};

static void guard_add(struct arena_chunk *chunk, size_t start, size_t size, size_t taken)
{
    char *data = chunk_data(chunk);
    memory_guard_write(data + start + size, taken - size);
    struct guard record = {.previous = chunk->guard, .start = start, .size = size};
    memcpy(data + start + taken - MEMORY_GUARD, &record, sizeof record);
    chunk->guard = start + taken - MEMORY_GUARD + 1;
}

/* Verifies and forgets the pieces that lie at `used` or behind it. */
static void guards_check(struct arena_chunk *chunk, size_t used)
{
    char *data = chunk_data(chunk);
    while (chunk->guard > used) {
        struct guard record;
        size_t at = chunk->guard - 1, end = at + sizeof record;
        memcpy(&record, data + at, sizeof record);
        bool sane = record.previous <= record.start && record.start <= at &&
                    record.size <= at - record.start;
        assert(sane && "the guard behind a piece of an arena was written");
        size_t behind = record.start + record.size;
        assert(memory_guard_intact(data + behind, at - behind) &&
               memory_guard_intact(data + end, MEMORY_GUARD - sizeof record) &&
               "bytes behind a piece of an arena were written");
        chunk->guard = record.previous;
    }
    if (chunk->used > used)
        memset(data + used, MEMORY_POISON_BYTE, chunk->used - used);
}
#endif

static void chunk_shrink(struct arena_chunk *chunk, size_t used)
{
#ifdef MEMORY_DEBUG
    guards_check(chunk, used);
#endif
    chunk->used = used;
}

static struct arena_chunk *chunk_new(size_t capacity, struct err *e)
{
    size_t bytes;
    if (!memory_add(capacity, CHUNK_HEADER, &bytes)) {
        err_set(e, ERR_MEMORY, NULL, "%zu bytes are more than a program can address", capacity);
        return NULL;
    }
    struct arena_chunk *chunk = memory_alloc(bytes, 1, e);
    if (chunk == NULL)
        return NULL;
    chunk->capacity = capacity;
#ifdef MEMORY_DEBUG
    memset(chunk_data(chunk), MEMORY_POISON_BYTE, capacity);
    chunk->touched = capacity;
#endif
    return chunk;
}

/* A chunk with `bytes` free bytes becomes current. */
static int chunk_find(struct arena *a, size_t bytes, struct err *e)
{
    if (a->current == NULL)
        a->current = a->first;
    while (a->current != NULL) {
        if (a->current->capacity - a->current->used >= bytes)
            return 0;
        if (a->current->next == NULL)
            break;
        a->current = a->current->next;
    }
    struct arena_chunk *chunk = chunk_new(bytes > a->chunk ? bytes : a->chunk, e);
    if (chunk == NULL)
        return ERR_MEMORY;
    if (a->current == NULL)
        a->first = chunk;
    else
        a->current->next = chunk;
    a->current = chunk;
    return 0;
}

/* Takes the next `taken` bytes of the chunk and clears what earlier pieces wrote there, and no
 * more: pages that nobody has used stay out of memory. */
static char *chunk_take(struct arena_chunk *chunk, size_t taken)
{
    size_t start = chunk->used;
    char *piece = chunk_data(chunk) + start;
    chunk->used += taken;
    if (start < chunk->touched)
        memset(piece, 0, chunk->touched < chunk->used ? chunk->touched - start : taken);
    if (chunk->touched < chunk->used)
        chunk->touched = chunk->used;
    return piece;
}

/* Bytes that a piece of count x size takes, padding and guard included; 64 for an empty one, so
 * that it too has an address of its own. */
static int piece_size(size_t count, size_t size, size_t *bytes, size_t *taken, struct err *e)
{
    if (!memory_multiply(count, size, bytes) ||
        !memory_round_up(*bytes > 0 ? *bytes : 1, taken) ||
        !memory_add(*taken, MEMORY_GUARD, taken))
        return err_set(e, ERR_MEMORY, NULL, "%zu x %zu bytes is more than a program can address",
                       count, size);
    return 0;
}

int arena_open(struct arena *a, size_t bytes, struct err *e)
{
    *a = (struct arena){.chunk = CHUNK_MIN};
    if (bytes == 0)
        return 0;
    size_t capacity;
    if (!memory_round_up(bytes, &capacity))
        return err_set(e, ERR_MEMORY, NULL, "%zu bytes are more than a program can address", bytes);
    a->first = a->current = chunk_new(capacity, e);
    return a->first != NULL ? 0 : ERR_MEMORY;
}

void arena_open_measure(struct arena *a)
{
    *a = (struct arena){.measuring = true};
}

void *arena_alloc(struct arena *a, size_t count, size_t size, struct err *e)
{
    size_t bytes = 0, taken = 0, used;
    if (piece_size(count, size, &bytes, &taken, e) != 0)
        return NULL;
    if (!memory_add(a->used, taken, &used)) {
        err_set(e, ERR_MEMORY, NULL, "an arena would grow beyond what a program can address");
        return NULL;
    }
    char *piece = NULL;
    if (!a->measuring) {
#ifdef MEMORY_DEBUG
        if (memory_request_fails()) {
            err_set(e, ERR_MEMORY, NULL, "out of memory: %zu bytes could not be had", bytes);
            return NULL;
        }
#endif
        if (chunk_find(a, taken, e) != 0)
            return NULL;
        piece = chunk_take(a->current, taken);
#ifdef MEMORY_DEBUG
        guard_add(a->current, a->current->used - taken, bytes, taken);
#endif
    }
    a->used = used;
    if (a->peak < used)
        a->peak = used;
    return piece;
}

char *arena_text(struct arena *a, const char *text, struct err *e)
{
    size_t bytes = strlen(text) + 1;
    char *copy = arena_alloc(a, bytes, 1, e);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){.chunk = a->current,
                               .chunk_used = a->current != NULL ? a->current->used : 0,
                               .used = a->used};
}

void arena_release(struct arena *a, struct arena_mark mark)
{
    assert(mark.used <= a->used && "a mark is released after the arena shrank below it");
    a->used = mark.used;
    a->current = mark.chunk != NULL ? mark.chunk : a->first;
    if (a->current == NULL)
        return;
    chunk_shrink(a->current, mark.chunk != NULL ? mark.chunk_used : 0);
    for (struct arena_chunk *chunk = a->current->next; chunk != NULL; chunk = chunk->next)
        chunk_shrink(chunk, 0);
}

void arena_reset(struct arena *a)
{
    arena_release(a, (struct arena_mark){0});
}

void arena_close(struct arena *a)
{
    arena_reset(a);
    while (a->first != NULL) {
        struct arena_chunk *next = a->first->next;
        memory_free(a->first);
        a->first = next;
    }
    *a = (struct arena){0};
}

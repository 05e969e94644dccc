/* The allocator, and arenas on top of it.  Invariant: a block is 64-byte aligned, zeroed, and its
 * struct block lies directly before it.
 *
 *   raw ... | struct block | guard | data, `size` bytes | guard |
 *                                   ^ multiple of 64
 *
 * The guards exist only with -DMEMORY_DEBUG. */
#include "base/memory.h"

#include <assert.h>
#ifdef MEMORY_DEBUG
#include <stdatomic.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/system.h"

/* ---- guards ------------------------------------------------------------------------------------*/

enum {
    MEMORY_ALIGN = 64,
    MEMORY_GUARD_BYTE = 0xA5,
    MEMORY_POISON_BYTE = 0xFF, /* a NaN as float and as double, -1 as an integer */
#ifdef MEMORY_DEBUG
    MEMORY_GUARD = 64 /* bytes of each guard */
#else
    MEMORY_GUARD = 0
#endif
};

#ifdef MEMORY_DEBUG
/* Guards see writes; the address sanitizer, told about them, sees reads too. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define MEMORY_ASAN
#endif
#ifdef MEMORY_ASAN
#include <sanitizer/asan_interface.h>
#define guard_hide(at, count) ASAN_POISON_MEMORY_REGION(at, count)
#define guard_show(at, count) ASAN_UNPOISON_MEMORY_REGION(at, count)
#else
#define guard_hide(at, count) ((void)(at), (void)(count))
#define guard_show(at, count) ((void)(at), (void)(count))
#endif

static void guard_write(void *at, size_t count)
{
    memset(at, MEMORY_GUARD_BYTE, count);
}

static bool guard_intact(const void *at, size_t count)
{
    const unsigned char *byte = at;
    for (size_t i = 0; i < count; i++)
        if (byte[i] != MEMORY_GUARD_BYTE)
            return false;
    return true;
}

/* The one exception to "no globals": the counters of a debug build. */
static atomic_long requests, live, failing;

/* Counts a request; true when it is the one that was asked to fail. */
static bool request_fails(void)
{
    atomic_fetch_add(&requests, 1);
    long left = atomic_load(&failing);
    while (left > 0)
        if (atomic_compare_exchange_weak(&failing, &left, left - 1))
            return left == 1;
    return false;
}

void memory_fail_at(long nth)
{
    atomic_store(&failing, nth);
}

long memory_requests(void)
{
    return atomic_load(&requests);
}

long memory_live(void)
{
    return atomic_load(&live);
}
#endif

/* ---- blocks -----------------------------------------------------------------------------------*/

struct block {
    void *raw; /* what calloc returned */
    size_t size;
};

/* Bytes from which a block asks for large pages: so many that what rounding up to one adds is little. */
enum { LARGE = 4 << 20 };

bool memory_multiply(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool memory_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* *out = the next multiple of MEMORY_ALIGN; false on overflow. */
static bool round_up(size_t size, size_t *out)
{
    if (!memory_add(size, MEMORY_ALIGN - 1, out))
        return false;
    *out -= *out % MEMORY_ALIGN;
    return true;
}

static struct block *header_of(void *data)
{
    return (struct block *)(void *)((char *)data - MEMORY_GUARD - sizeof(struct block));
}

/* calloc, so that the pages of a large block are only touched when they are used. */
static void *block_new(size_t size)
{
#ifdef MEMORY_DEBUG
    if (request_fails())
        return NULL;
#endif
    size_t total;
    if (!memory_add(size, sizeof(struct block) + 2 * MEMORY_GUARD + MEMORY_ALIGN - 1, &total))
        return NULL;
    char *raw = calloc(1, total);
    if (raw == NULL)
        return NULL;
    if (total >= LARGE)
        system_large_pages(raw, total);
    char *data = raw + sizeof(struct block) + MEMORY_GUARD;
    data += (MEMORY_ALIGN - (uintptr_t)data % MEMORY_ALIGN) % MEMORY_ALIGN;
    *header_of(data) = (struct block){.raw = raw, .size = size};
#ifdef MEMORY_DEBUG
    guard_write(data - MEMORY_GUARD, MEMORY_GUARD);
    guard_write(data + size, MEMORY_GUARD);
    guard_hide(data - MEMORY_GUARD, MEMORY_GUARD);
    guard_hide(data + size, MEMORY_GUARD);
    atomic_fetch_add(&live, 1);
#endif
    return data;
}

/* Bytes of count x size, or false with e filled. */
static bool block_size(size_t count, size_t size, size_t *out, struct err *e)
{
    if (memory_multiply(count, size, out))
        return true;
    err_set(e, ERR_MEMORY, NULL, "%zu x %zu bytes is more than a program can address", count, size);
    return false;
}

void *memory_alloc(size_t count, size_t size, struct err *e)
{
    size_t bytes;
    if (!block_size(count, size, &bytes, e))
        return NULL;
    void *data = block_new(bytes);
    if (data == NULL)
        err_set(e, ERR_MEMORY, NULL, "out of memory: %zu bytes could not be had", bytes);
    return data;
}

void *memory_resize(void *block, size_t count, size_t size, struct err *e)
{
    if (block == NULL)
        return memory_alloc(count, size, e);
    void *data = memory_alloc(count, size, e);
    if (data == NULL)
        return NULL;
    size_t old = header_of(block)->size, bytes = header_of(data)->size;
    memcpy(data, block, old < bytes ? old : bytes);
    memory_free(block);
    return data;
}

/* A pointer to any type is copied as bytes; the block itself knows how many elements it holds. */
int memory_grow_at(void *pointer, size_t count, size_t size, struct err *e)
{
    enum { FIRST = 16 };
    void *block;
    memcpy(&block, pointer, sizeof block);
    size_t room = block ? header_of(block)->size / size : 0, wanted = room ? 2 * room : FIRST;
    if (count <= room)
        return 0;
    block = memory_resize(block, count > wanted ? count : wanted, size, e);
    if (block == NULL)
        return ERR_MEMORY;
    memcpy(pointer, &block, sizeof block);
    return 0;
}

char *memory_text(const char *text, struct err *e)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memory_alloc(bytes, 1, e);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

void memory_free(void *block)
{
    if (block == NULL)
        return;
    struct block *header = header_of(block);
    void *raw = header->raw;
#ifdef MEMORY_DEBUG
    guard_show((char *)block - MEMORY_GUARD, MEMORY_GUARD);
    guard_show((char *)block + header->size, MEMORY_GUARD);
    assert(guard_intact((char *)block - MEMORY_GUARD, MEMORY_GUARD) &&
           "bytes before a block written");
    assert(guard_intact((char *)block + header->size, MEMORY_GUARD) &&
           "bytes behind a block written");
    memset(block, MEMORY_POISON_BYTE, header->size);
    atomic_fetch_sub(&live, 1);
#endif
    free(raw);
}

/* ---- arenas -----------------------------------------------------------------------------------
 * Chunks behind `current` are empty (kept for reuse); a measuring arena goes through the same sums
 * as a real one, so an arena opened with the measured peak never needs a second chunk.  With
 * -DMEMORY_DEBUG each piece is followed by a guard, all guards of a chunk are linked backwards, they
 * are verified when the piece is released, and free bytes are poisoned. */
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
    guard_write(data + start + size, taken - size);
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
        assert(guard_intact(data + behind, at - behind) &&
               guard_intact(data + end, MEMORY_GUARD - sizeof record) &&
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
        !round_up(*bytes > 0 ? *bytes : 1, taken) ||
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
    if (!round_up(bytes, &capacity))
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
    bool failed = a->failed;
    a->failed = true; /* until the end is reached */
    if (piece_size(count, size, &bytes, &taken, e) != 0)
        return NULL;
    if (!memory_add(a->used, taken, &used)) {
        err_set(e, ERR_MEMORY, NULL, "an arena would grow beyond what a program can address");
        return NULL;
    }
    char *piece = NULL;
    if (!a->measuring) {
#ifdef MEMORY_DEBUG
        if (request_fails()) {
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
    a->failed = failed;
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
    a->failed = false;
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

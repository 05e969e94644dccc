/* The allocator.  Invariant: a block is 64-byte aligned, zeroed, and its struct block lies directly
 * before it.
 *
 *   raw ... | struct block | guard | data, `size` bytes | guard |
 *                                   ^ multiple of 64
 *
 * The guards exist only with -DMEMORY_DEBUG. */
#include "base/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory_guard.h"

struct block {
    void *raw; /* what calloc returned */
    size_t size;
};

#ifdef MEMORY_DEBUG
#include <stdatomic.h>

/* The one exception to "no globals": the counters of a debug build. */
static atomic_long requests, live, failing;

bool memory_request_fails(void)
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

static struct block *header_of(void *data)
{
    return (struct block *)(void *)((char *)data - MEMORY_GUARD - sizeof(struct block));
}

/* calloc, so that the pages of a large block are only touched when they are used. */
static void *block_new(size_t size)
{
#ifdef MEMORY_DEBUG
    if (memory_request_fails())
        return NULL;
#endif
    size_t total;
    if (!memory_add(size, sizeof(struct block) + 2 * MEMORY_GUARD + MEMORY_ALIGN - 1, &total))
        return NULL;
    char *raw = calloc(1, total);
    if (raw == NULL)
        return NULL;
    char *data = raw + sizeof(struct block) + MEMORY_GUARD;
    data += (MEMORY_ALIGN - (uintptr_t)data % MEMORY_ALIGN) % MEMORY_ALIGN;
    *header_of(data) = (struct block){.raw = raw, .size = size};
#ifdef MEMORY_DEBUG
    memory_guard_write(data - MEMORY_GUARD, MEMORY_GUARD);
    memory_guard_write(data + size, MEMORY_GUARD);
    memory_guard_hide(data - MEMORY_GUARD, MEMORY_GUARD);
    memory_guard_hide(data + size, MEMORY_GUARD);
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
    memory_guard_show((char *)block - MEMORY_GUARD, MEMORY_GUARD);
    memory_guard_show((char *)block + header->size, MEMORY_GUARD);
    assert(memory_guard_intact((char *)block - MEMORY_GUARD, MEMORY_GUARD) &&
           "bytes before a block written");
    assert(memory_guard_intact((char *)block + header->size, MEMORY_GUARD) &&
           "bytes behind a block written");
    memset(block, MEMORY_POISON_BYTE, header->size);
    atomic_fetch_sub(&live, 1);
#endif
    free(raw);
}

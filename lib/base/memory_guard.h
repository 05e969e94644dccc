/* What memory.c and arena.c share and nobody else includes: the pattern of guard bytes, and the
 * gate through which every request for memory passes in a debug build. */
#ifndef BASE_MEMORY_GUARD_H
#define BASE_MEMORY_GUARD_H
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

/* *out = the next multiple of MEMORY_ALIGN; false on overflow. */
static inline bool memory_round_up(size_t size, size_t *out)
{
    if (size > (size_t)-1 - (MEMORY_ALIGN - 1))
        return false;
    *out = (size + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    return true;
}

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
#define memory_guard_hide(at, count) ASAN_POISON_MEMORY_REGION(at, count)
#define memory_guard_show(at, count) ASAN_UNPOISON_MEMORY_REGION(at, count)
#else
#define memory_guard_hide(at, count) ((void)(at), (void)(count))
#define memory_guard_show(at, count) ((void)(at), (void)(count))
#endif

/* Counts a request; true when it is the one that was asked to fail. */
bool memory_request_fails(void);

static inline void memory_guard_write(void *at, size_t count)
{
    memset(at, MEMORY_GUARD_BYTE, count);
}

static inline bool memory_guard_intact(const void *at, size_t count)
{
    const unsigned char *byte = at;
    for (size_t i = 0; i < count; i++)
        if (byte[i] != MEMORY_GUARD_BYTE)
            return false;
    return true;
}
#endif

#endif

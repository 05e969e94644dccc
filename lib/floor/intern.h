/* Dense ids for keys of a fixed number of 64-bit words.
 * Invariant: two keys have one id exactly when all their words are equal.  The hash only says where
 * to look; every hit is compared in full. */
#ifndef FLOOR_INTERN_H
#define FLOOR_INTERN_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct intern {
    size_t width;    /* words in a key */
    int32_t count;   /* ids given so far: 0 .. count-1 */
    size_t slots;    /* a power of two */
    int32_t *slot;   /* (slots) id + 1, or 0 */
    uint64_t *key;   /* (count,width) by id, and room */
};

/* Zero-initialise t or open it; released with intern_close either way. */
int intern_open(struct intern *t, size_t width, struct err *e);
/* *id of key (width), a new one if the key is new.  ERR_MEMORY. */
int intern_id(struct intern *t, const uint64_t *key, int32_t *id, struct err *e);
void intern_close(struct intern *t);

/* A bijection of 64-bit words that looks random.  Source: Steele, Lea, Flood 2014 (SplitMix64),
 * with Stafford's constants. */
static inline uint64_t intern_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif

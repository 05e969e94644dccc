/* PCG64: state <- state * M + increment (mod 2^128), output XSL-RR of the new state:
 *
 *   rotate_right(high ^ low, state >> 122)
 *
 * M = 0x2360ed051fc65da44385df649fccf645.  Source: O'Neill, PCG: A Family of Simple Fast
 * Space-Efficient Statistically Good Algorithms for Random Number Generation, HMC-CS-2014-0905,
 * sections 6.3.3 and 4.3.1 (jump-ahead, after Brown 1994). */
#include "base/random.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

_Static_assert(ULONG_MAX == UINT64_MAX, "GSL hands numbers on as unsigned long");

struct wide {
    uint64_t high, low;
};

static const struct wide multiplier = {0x2360ed051fc65da4u, 0x4385df649fccf645u};

/* The 128-bit product of two 64-bit numbers.  RANDOM_PORTABLE is for the test of the second
 * form. */
static struct wide multiply_64(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__) && !defined(RANDOM_PORTABLE)
    __extension__ typedef unsigned __int128 uint128;
    uint128 product = (uint128)a * b;
    return (struct wide){(uint64_t)(product >> 64), (uint64_t)product};
#else
    uint64_t a_high = a >> 32, a_low = a & 0xffffffffu;
    uint64_t b_high = b >> 32, b_low = b & 0xffffffffu;
    uint64_t low = a_low * b_low;
    uint64_t cross = a_high * b_low + (low >> 32);
    uint64_t middle = a_low * b_high + (cross & 0xffffffffu);
    return (struct wide){a_high * b_high + (cross >> 32) + (middle >> 32),
                         (middle << 32) | (low & 0xffffffffu)};
#endif
}

static struct wide wide_add(struct wide a, struct wide b)
{
    uint64_t low = a.low + b.low;
    return (struct wide){a.high + b.high + (low < a.low), low};
}

static struct wide wide_multiply(struct wide a, struct wide b)
{
    struct wide product = multiply_64(a.low, b.low);
    product.high += a.high * b.low + a.low * b.high;
    return product;
}

static struct wide increment_of(const struct pcg64 *g)
{
    return (struct wide){g->increment_high, g->increment_low};
}

static void pcg64_step(struct pcg64 *g)
{
    struct wide state = {g->state_high, g->state_low};
    state = wide_add(wide_multiply(state, multiplier), increment_of(g));
    g->state_high = state.high;
    g->state_low = state.low;
}

void pcg64_seed(struct pcg64 *g, uint64_t state_high, uint64_t state_low, uint64_t sequence_high,
                uint64_t sequence_low)
{
    g->increment_high = sequence_high << 1 | sequence_low >> 63;
    g->increment_low = sequence_low << 1 | 1;
    g->state_high = g->state_low = 0;
    pcg64_step(g);
    struct wide state = wide_add((struct wide){g->state_high, g->state_low},
                                 (struct wide){state_high, state_low});
    g->state_high = state.high;
    g->state_low = state.low;
    pcg64_step(g);
}

uint64_t pcg64_next(struct pcg64 *g)
{
    pcg64_step(g);
    uint64_t folded = g->state_high ^ g->state_low;
    unsigned turn = (unsigned)(g->state_high >> 58);
    return folded >> turn | folded << (-turn & 63);
}

/* After k steps the state is M^k s + (M^k - 1)/(M - 1) * increment; both factors are built from
 * those of the powers of two in k. */
void pcg64_advance(struct pcg64 *g, uint64_t steps)
{
    struct wide factor = {0, 1}, sum = {0, 0}, one = {0, 1};
    struct wide power = multiplier, addend = increment_of(g);
    for (; steps > 0; steps >>= 1) {
        if (steps & 1) {
            factor = wide_multiply(factor, power);
            sum = wide_add(wide_multiply(sum, power), addend);
        }
        addend = wide_multiply(wide_add(power, one), addend);
        power = wide_multiply(power, power);
    }
    struct wide state = {g->state_high, g->state_low};
    state = wide_add(wide_multiply(state, factor), sum);
    g->state_high = state.high;
    g->state_low = state.low;
}

/* ---- the same as a generator of GSL -----------------------------------------------------------*/

static void type_set(void *state, unsigned long seed)
{
    pcg64_seed(state, 0, seed, 0, 0);
}

static unsigned long type_get(void *state)
{
    return pcg64_next(state);
}

static double type_get_double(void *state)
{
    return (double)(pcg64_next(state) >> 11) * 0x1p-53;
}

static const gsl_rng_type type = {
    .name = "pcg64",
    .max = ULONG_MAX,
    .min = 0,
    .size = sizeof(struct pcg64),
    .set = type_set,
    .get = type_get,
    .get_double = type_get_double,
};

const gsl_rng_type *const random_pcg64 = &type;

/* ---- named streams ----------------------------------------------------------------------------*/

static uint64_t read_big_endian(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* The name of a stream is "seed\0purpose\0index" in decimal; its SHA-256 gives the initial state
 * (first half) and the sequence (second half). */
void stream_open(struct stream *s, uint64_t seed, const char *purpose, uint64_t index)
{
    char name[128];
    unsigned char digest[32];
    int length = snprintf(name, sizeof name, "%" PRIu64 "%c%s%c%" PRIu64, seed, 0, purpose, 0,
                          index);
    assert(length > 0 && (size_t)length < sizeof name && "the purpose is too long");
    hash_bytes(digest, name, (size_t)length);
    pcg64_seed(&s->state, read_big_endian(digest), read_big_endian(digest + 8),
               read_big_endian(digest + 16), read_big_endian(digest + 24));
    stream_rng(s);
}

gsl_rng *stream_rng(struct stream *s)
{
    s->rng.type = random_pcg64;
    s->rng.state = &s->state;
    return &s->rng;
}

double stream_uniform24(struct stream *s)
{
    return (double)(pcg64_next(&s->state) >> 40) * 0x1p-24;
}

/* The high half of x * bound; the few x that would make some results likelier are drawn again.
 * Source: Lemire 2019, Fast Random Integer Generation in an Interval, algorithm 5. */
uint64_t stream_below(struct stream *s, uint64_t bound)
{
    assert(bound > 0);
    struct wide product = multiply_64(pcg64_next(&s->state), bound);
    if (product.low < bound) {
        uint64_t threshold = -bound % bound;
        while (product.low < threshold)
            product = multiply_64(pcg64_next(&s->state), bound);
    }
    return product.high;
}

/* PCG64 (XSL-RR 128/64, O'Neill 2014) as a gsl_rng_type, and named streams.
 * Invariant: a stream depends on (seed, purpose, index) alone, so that two cells that share a seed
 * share data, order and initial weights whatever else differs. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H
#include <gsl/gsl_rng.h>
#include <stdint.h>

struct pcg64 {
    uint64_t state_high, state_low, increment_high, increment_low; /* increment is odd */
};

/* The reference seeding: state = 0, step, add initial state, step; increment = 2 * sequence + 1. */
void pcg64_seed(struct pcg64 *g, uint64_t state_high, uint64_t state_low, uint64_t sequence_high,
                uint64_t sequence_low);
uint64_t pcg64_next(struct pcg64 *g);
/* As if pcg64_next had been called `steps` times; O(64). */
void pcg64_advance(struct pcg64 *g, uint64_t steps);

/* For GSL: max 2^64 - 1, get_double has 53 bits.  gsl_rng_set seeds sequence 0. */
extern const gsl_rng_type *const random_pcg64;

/* A stream is a gsl_rng without an allocation; stream_rng gives what GSL's functions take. */
struct stream {
    struct pcg64 state;
    gsl_rng rng;
};
/* purpose: "data", "evaluation", "init.shared", ...; index: sample, tensor, cell ... */
void stream_open(struct stream *s, uint64_t seed, const char *purpose, uint64_t index);
/* Must be called after a struct stream was copied or moved. */
gsl_rng *stream_rng(struct stream *s);
/* Uniform on [0,1) with 24 bits: exact in float, so float and double programs see the same data. */
double stream_uniform24(struct stream *s);
/* Uniform on 0..bound-1, unbiased. */
uint64_t stream_below(struct stream *s, uint64_t bound);

#endif

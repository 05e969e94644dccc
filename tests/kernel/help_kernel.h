/* Shared by the kernel tests: buffers between sentinels, random numbers, comparisons that prove
 * they can fail, and a loop over the variants that this machine can execute. */
#ifndef TESTS_KERNEL_HELP_KERNEL_H
#define TESTS_KERNEL_HELP_KERNEL_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/kernel.h"

/* `count` elements between two runs of sentinels, all NaN until written; buffer_close fails the
 * test when a sentinel has changed.  `shift` moves the start off the alignment of vectors. */
struct buffer {
    real *x;
    size_t count, shift;
    real *block;
};
struct buffer buffer_open(size_t count);
/* Uniform on [-size, size), from a stream that `seed` names. */
struct buffer buffer_random(size_t count, uint64_t seed, double size);
struct buffer buffer_copy(const struct buffer *b);
void buffer_fill(struct buffer *b, real value);
void buffer_close(struct buffer *b);

/* |got - want| <= tolerance max(1, max |want|), element by element; NaN only where want is NaN. */
bool is_close(size_t count, const real *got, const real *want, double tolerance);
/* Fails the test unless is_close, and unless is_close notices one element moved by 3 tolerances. */
void check_close(const char *what, size_t count, const real *got, const real *want,
                 double tolerance);

/* Names of the variants that this machine can execute; NULL ends the list. */
const char *const *variants(void);

/* The sizes at which vector code goes wrong: 1, primes, and both sides of every vector width. */
extern const int awkward_sizes[];
enum { AWKWARD_SIZES = 14 };

#endif

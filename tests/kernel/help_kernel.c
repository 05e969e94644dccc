#include "kernel/help_kernel.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { GUARD = 64 };
static const real sentinel = (real)-12345.75;

const int awkward_sizes[AWKWARD_SIZES] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 67};

struct buffer buffer_open(size_t count)
{
    struct err e = {0};
    struct buffer b = {.count = count, .shift = count % 5};
    b.block = memory_alloc(count + 2 * GUARD, sizeof(real), &e);
    assert_non_null(b.block);
    b.x = b.block + GUARD - b.shift;
    for (size_t k = 0; k < count + 2 * GUARD; k++)
        b.block[k] = sentinel;
    buffer_fill(&b, (real)NAN);
    return b;
}

struct buffer buffer_random(size_t count, uint64_t seed, double size)
{
    struct buffer b = buffer_open(count);
    struct stream s;
    stream_open(&s, seed, "test", count);
    for (size_t k = 0; k < count; k++)
        b.x[k] = (real)(size * (2 * stream_uniform24(&s) - 1));
    return b;
}

struct buffer buffer_copy(const struct buffer *b)
{
    struct buffer copy = buffer_open(b->count);
    memcpy(copy.x, b->x, b->count * sizeof(real));
    return copy;
}

void buffer_fill(struct buffer *b, real value)
{
    for (size_t k = 0; k < b->count; k++)
        b->x[k] = value;
}

void buffer_close(struct buffer *b)
{
    size_t start = GUARD - b->shift;
    for (size_t k = 0; k < b->count + 2 * GUARD; k++)
        if ((k < start || k >= start + b->count) &&
            memcmp(&b->block[k], &sentinel, sizeof sentinel) != 0)
            fail_msg("element %td of a buffer of %zu was overwritten",
                     (ptrdiff_t)k - (ptrdiff_t)start, b->count);
    memory_free(b->block);
}

static double largest(size_t count, const real *x)
{
    double top = 1;
    for (size_t k = 0; k < count; k++)
        top = fabs((double)x[k]) > top ? fabs((double)x[k]) : top;
    return top;
}

bool is_close(size_t count, const real *got, const real *want, double tolerance)
{
    double allowed = tolerance * largest(count, want);
    for (size_t k = 0; k < count; k++) {
        if (isnan(want[k]) && isnan(got[k]))
            continue;
        if (!(fabs((double)got[k] - (double)want[k]) <= allowed))
            return false;
    }
    return true;
}

static void report(const char *what, size_t count, const real *got, const real *want,
                   double tolerance)
{
    double worst = 0, allowed = tolerance * largest(count, want);
    size_t at = 0;
    for (size_t k = 0; k < count; k++) {
        double d = fabs((double)got[k] - (double)want[k]);
        if (!(d <= worst) && !(isnan(want[k]) && isnan(got[k]))) {
            worst = d;
            at = k;
        }
    }
    fail_msg("%s (%s): element %zu of %zu is %.9g, expected %.9g within %.3g", what, kernel_name(),
             at, count, (double)got[at], (double)want[at], allowed);
}

void check_close(const char *what, size_t count, const real *got, const real *want,
                 double tolerance)
{
    if (!is_close(count, got, want, tolerance))
        report(what, count, got, want, tolerance);
    if (count == 0)
        return;
    struct err e = {0};
    real *moved = memory_alloc(count, sizeof(real), &e);
    assert_non_null(moved);
    memcpy(moved, got, count * sizeof(real));
    size_t at = count / 2;
    moved[at] += (real)(3 * tolerance * largest(count, want));
    if (!isnan(want[at]) && is_close(count, moved, want, tolerance))
        fail_msg("%s: a perturbed element went unseen", what);
    memory_free(moved);
}

const char *const *variants(void)
{
    static const char *const all[] = {"portable", "avx2", "avx512", "neon"};
    static const char *usable[5];
    int count = 0;
    struct err e = {0};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        if (kernel_force(all[k], &e) == 0)
            usable[count++] = all[k];
    usable[count] = NULL;
    return usable;
}

/* affine: y_i = W_i x_i + b_i, a random affine map for each position.
 *
 * Entries of W_i are N(0, 3/(4d)) and of b_i N(0, 1/16), so that on identical inputs the variance
 * over positions, (1 - 1/n) (|x|^2 3/(4d) + 1/16), is 5/16 (1 - 1/n) on average over x.
 * Invariant: W_i and b_i are functions of (seed, i, d) alone, so a longer sequence has the same
 * maps at its first positions. */
#include <gsl/gsl_randist.h>
#include <math.h>

#include "base/random.h"
#include "target/common.h"

enum { AFFINE_SEED };
static const struct option options[] = {
    TARGET_SEED_OPTION,
    {.key = NULL},
};

/* The state is map (n,d,d+1): row k of position i is [W_i(k,:), b_i(k)]. */
static int affine_open(const struct target_config *c, const struct space_config *s, int n,
                       struct arena *arena, void **state, struct err *e)
{
    int d = (int)s->channels;
    size_t row = (size_t)d + 1, size = (size_t)d * row;
    double *map = arena_alloc(arena, (size_t)n, size * sizeof *map, e);
    *state = map;
    if (!map)
        return arena->measuring ? 0 : ERR_MEMORY;
    double weight = sqrt(0.75 / d), bias = 0.25;
    for (int i = 0; i < n; i++) {
        struct stream random;
        stream_open(&random, (uint64_t)c->kind.number[AFFINE_SEED], "target", (uint64_t)i);
        for (size_t k = 0; k < size; k++)
            map[(size_t)i * size + k] =
                gsl_ran_gaussian(stream_rng(&random), k % row == (size_t)d ? bias : weight);
    }
    return 0;
}

static int affine_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    const double *row = t->state;
    for (int i = 0; i < t->n; i++, x += d, y += d)
        for (int k = 0; k < d; k++, row += d + 1) {
            double sum = row[d];
            for (int m = 0; m < d; m++)
                sum += row[m] * x[m];
            y[k] = sum;
        }
    return 0;
}

const struct target target_affine = {
    .name = "affine",
    .formula = "y_i = W_i x_i + b_i, W_i ~ N(0, 3/(4d)), b_i ~ N(0, 1/16), fixed",
    .summary = "a random affine map for each position",
    .options = options,
    .needs = TARGET_NEEDS_AXES,
    .open = affine_open,
    .evaluate = affine_evaluate,
};

/* random_field: a smooth random function of the token and of where it stands, by random Fourier
 * features (Rahimi and Recht 2007):
 *
 *   y_i[c] = sqrt(2/F) sum_k a_k[c] cos(w_k . (x_i, i/n) + p_k),
 *   a_k ~ N(0,1), w_k ~ N(0, scale^2), p_k uniform on [0, 2 pi):
 *
 * about a Gaussian process with covariance exp(-scale^2 |z - z'|^2 / 2).
 * Invariant: feature k is a function of (seed, k, d) alone: the field is the same at every n. */
#include <gsl/gsl_randist.h>
#include <math.h>

#include "base/random.h"
#include "target/common.h"

enum { FIELD_FEATURES, FIELD_SCALE, FIELD_SEED };
static const struct option options[] = {
    {.key = "features", .type = OPTION_INT, .min = 1, .max = 4096, .fallback = "64",
     .help = "F, random Fourier features"},
    {.key = "scale", .type = OPTION_REAL, .min = 0.01, .max = 100, .fallback = "2",
     .help = "standard deviation of the frequencies; larger is rougher"},
    TARGET_SEED_OPTION,
    {.key = NULL},
};

/* feature (features, 2d+2): [w_k (d+1), p_k, sqrt(2/F) a_k (d)]. */
struct field {
    int features;
    double *feature;
};

static int field_open(const struct target_config *c, const struct space_config *s, int n,
                      struct arena *arena, void **state, struct err *e)
{
    int d = (int)s->channels, count = (int)c->kind.number[FIELD_FEATURES];
    size_t row = 2 * (size_t)d + 2;
    struct field *f = arena_alloc(arena, 1, sizeof *f, e);
    double *feature = arena_alloc(arena, (size_t)count, row * sizeof *feature, e);
    *state = f;
    if (!f || !feature)
        return arena->measuring ? 0 : ERR_MEMORY;
    *f = (struct field){count, feature};
    for (int k = 0; k < count; k++, feature += row) {
        struct stream random;
        stream_open(&random, (uint64_t)c->kind.number[FIELD_SEED], "target", (uint64_t)k);
        gsl_rng *rng = stream_rng(&random);
        for (int m = 0; m <= d; m++)
            feature[m] = gsl_ran_gaussian(rng, c->kind.number[FIELD_SCALE]);
        feature[d + 1] = gsl_ran_flat(rng, 0, 6.283185307179586476925286766559);
        for (int m = 0; m < d; m++)
            feature[d + 2 + m] = gsl_ran_gaussian(rng, sqrt(2.0 / count));
    }
    return 0;
}

static int field_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    const struct field *f = t->state;
    for (int i = 0; i < t->n; i++, x += d, y += d) {
        const double *feature = f->feature;
        for (int m = 0; m < d; m++)
            y[m] = 0;
        for (int k = 0; k < f->features; k++, feature += 2 * d + 2) {
            double angle = feature[d] * (i + 1) / t->n + feature[d + 1];
            for (int m = 0; m < d; m++)
                angle += feature[m] * x[m];
            double wave = cos(angle);
            for (int m = 0; m < d; m++)
                y[m] += feature[d + 2 + m] * wave;
        }
    }
    return 0;
}

const struct target target_random_field = {
    .name = "random_field",
    .formula = "y_i = sqrt(2/F) sum_k a_k cos(w_k . (x_i, i/n) + p_k), w_k ~ N(0, scale^2)",
    .summary = "a smooth random function of the token and of its position",
    .citation = "Rahimi and Recht 2007, random Fourier features",
    .options = options,
    .needs = TARGET_NEEDS_AXES,
    .open = field_open,
    .evaluate = field_evaluate,
};

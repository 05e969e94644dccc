/* Targets that act on each position by itself, without random parts: position, gain, piecewise,
 * and the control identity.  Invariant: y_i depends on x_i, i and n alone. */
#include <math.h>

#include "target/target.h"

static const double TWO_PI = 6.283185307179586476925286766559;

static int position_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = (double)(i + 1) / t->n;
    return 0;
}

static int gain_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++) {
        double gain = sin(TWO_PI * (i + 1) / t->n);
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = gain * x[(size_t)i * d + k];
    }
    return 0;
}

static int piecewise_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++) {
            double v = x[(size_t)i * d + k];
            y[(size_t)i * d + k] = i < t->n / 2 ? fabs(2 * v - 1) : v;
        }
    return 0;
}

static int identity_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (size_t k = 0; k < (size_t)t->n * d; k++)
        y[k] = x[k];
    return 0;
}

const struct target target_position = {
    .name = "position",
    .formula = "y_i = i/n",
    .summary = "the position itself, the same in every channel",
    .citation = "Luo et al. 2022, arXiv 2205.13401",
    .needs = TARGET_NEEDS_AXES,
    .evaluate = position_evaluate,
};

const struct target target_gain = {
    .name = "gain",
    .formula = "y_i = sin(2 pi i/n) x_i",
    .summary = "each token times a number that depends on its position",
    .needs = TARGET_NEEDS_AXES,
    .evaluate = gain_evaluate,
};

const struct target target_piecewise = {
    .name = "piecewise",
    .formula = "y_i = |2 x_i - 1| for i <= n/2, else x_i",
    .summary = "one piecewise linear function on the first half, another on the second",
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = piecewise_evaluate,
};

const struct target target_identity = {
    .name = "identity",
    .formula = "y_i = x_i",
    .summary = "control without floor: the input",
    .evaluate = identity_evaluate,
};

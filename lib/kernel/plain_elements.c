/* Plain twins of the element-wise kernels: one loop each, written as the formula reads.  They are
 * what the fast variants are tested against, so they stay free of tricks. */
#include <math.h>

#include "kernel/kernel.h"

static const double inverse_sqrt2 = 0.70710678118654752440;
static const double inverse_sqrt_2pi = 0.39894228040143267794;

/* Phi(x), through erfc so that the negative tail keeps its digits. */
static real normal_cdf(real x)
{
    return (real)0.5 * REAL_MATH(erfc)(-x * (real)inverse_sqrt2);
}

static real normal_density(real x)
{
    return (real)inverse_sqrt_2pi * REAL_MATH(exp)((real)-0.5 * x * x);
}

void activation_forward_plain(enum activation kind, int rows, int d, real *x, const real *bias,
                              real *y)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t j = 0; j < (size_t)d; j++) {
            size_t k = r * (size_t)d + j;
            x[k] += bias[j];
            if (kind == ACTIVATION_RELU)
                y[k] = x[k] < 0 ? 0 : x[k]; /* NaN compares false and stays */
            else
                y[k] = x[k] * normal_cdf(x[k]);
        }
}

void activation_backward_plain(enum activation kind, int rows, int d, const real *x,
                               const real *dy, real *dx, real *dbias)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t j = 0; j < (size_t)d; j++) {
            size_t k = r * (size_t)d + j;
            real slope;
            if (kind == ACTIVATION_RELU)
                slope = x[k] > 0 ? 1 : x[k] <= 0 ? 0 : x[k];
            else
                slope = normal_cdf(x[k]) + x[k] * normal_density(x[k]);
            dx[k] = dy[k] * slope;
            dbias[j] += dx[k];
        }
}

void adam_update_plain(size_t count, const struct adam_step *step, const real *gradient, real *p,
                       real *m, real *v)
{
    for (size_t k = 0; k < count; k++) {
        real g = gradient[k] * step->clip + step->l2 * p[k];
        m[k] = step->beta1 * m[k] + (1 - step->beta1) * g;
        v[k] = step->beta2 * v[k] + (1 - step->beta2) * g * g;
        real direction = (m[k] / step->correction1) /
                         (REAL_MATH(sqrt)(v[k] / step->correction2) + step->epsilon);
        p[k] -= step->rate * direction + step->rate * step->decay * p[k];
    }
}

/* Continuous targets that move tokens about: shift, reverse, even, sort.
 * Invariant: every output number is an input number, or 0. */
#include <gsl/gsl_sort.h>
#include <string.h>

#include "target/common.h"

/* Token j of x, or zeros where there is none, becomes token i of y. */
static void put(int n, int d, const double *x, int64_t j, double *y, int i)
{
    if (j >= 0 && j < n)
        memcpy(y + (size_t)i * d, x + (size_t)j * d, (size_t)d * sizeof *y);
    else
        memset(y + (size_t)i * d, 0, (size_t)d * sizeof *y);
}

static int shift_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int64_t k = (int64_t)t->config->kind.number[TARGET_SHIFT_K];
    for (int i = 0; i < t->n; i++)
        put(t->n, d, x, i - k, y, i);
    return 0;
}

static int reverse_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        put(t->n, d, x, t->n - 1 - i, y, i);
    return 0;
}

static int even_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        put(t->n, d, x, 2 * (int64_t)i + 1, y, i);
    return 0;
}

static int sort_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    memcpy(y, x, (size_t)t->n * (size_t)d * sizeof *y);
    for (int k = 0; k < d; k++)
        gsl_sort(y + k, (size_t)d, (size_t)t->n);
    return 0;
}

const struct target target_shift = {
    .name = "shift",
    .formula = "y_i = x_{i-k}, 0 outside",
    .summary = "tokens moved k places",
    .options = target_shift_options,
    .needs = TARGET_NEEDS_ORDER,
    .check = target_check_shift,
    .evaluate = shift_evaluate,
};

const struct target target_reverse = {
    .name = "reverse",
    .formula = "y_i = x_{n+1-i}",
    .summary = "tokens in the opposite order",
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = reverse_evaluate,
};

const struct target target_even = {
    .name = "even",
    .formula = "y_i = x_{2i} for i <= n/2, else 0",
    .summary = "every second token, then zeros",
    .citation = "Luo et al. 2022, arXiv 2205.13401 (even-token prediction)",
    .needs = TARGET_NEEDS_ORDER,
    .check = target_check_even,
    .evaluate = even_evaluate,
};

const struct target target_sort = {
    .name = "sort",
    .formula = "y_i = the i-th smallest of x_1..x_n, per channel",
    .summary = "tokens in ascending order, each channel by itself",
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = sort_evaluate,
};

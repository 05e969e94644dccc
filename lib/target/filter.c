/* Causal linear filters: filter and difference.
 *
 * The memories rho follow Wang, Li and Li, "Inverse approximation theory for nonlinear recurrent
 * neural networks" (their code: Curse-of-memory), with a time step of 1 and not normalised; `peaks`
 * has two Gaussian peaks, at lags 0 and 9.
 * Invariant: y_i = sum_{j<=i} rho(i-j) x_j with one rho for every position and channel. */
#include <gsl/gsl_sf_airy.h>
#include <math.h>

#include "target/target.h"

static double rho_exponential(double t)
{
    return exp(-t);
}

static double rho_polynomial(double t)
{
    return pow(1 + 0.1 * t, -1.1);
}

/* gsl_sf_airy_Ai_e reports underflow as an error; beyond t = 100 the value is below 1e-260. */
static double rho_airy(double t)
{
    gsl_sf_result r;
    return t < 100 && gsl_sf_airy_Ai_e(t - 6, GSL_PREC_DOUBLE, &r) == 0 ? r.val : 0;
}

static double rho_peaks(double t)
{
    return exp(-t * t) + exp(-(t - 9) * (t - 9));
}

static double rho_sine(double t)
{
    return sin(t);
}

enum { FILTER_RHO };
static const char *const rho_names[] = {"exponential", "polynomial", "airy", "peaks", "sine", NULL};
static double (*const rho_functions[])(double t) = {rho_exponential, rho_polynomial, rho_airy,
                                                    rho_peaks, rho_sine};
static const struct option filter_options[] = {
    {.key = "rho", .type = OPTION_CHOICE, .fallback = "exponential", .names = rho_names,
     .help = "exp(-t), (1+t/10)^-1.1, Ai(t-6), exp(-t^2)+exp(-(t-9)^2), or sin(t)"},
    {.key = NULL},
};

static int filter_open(const struct target_config *c, const struct space_config *s, int n,
                       struct arena *arena, void **state, struct err *e)
{
    double *rho = arena_alloc(arena, (size_t)n, sizeof *rho, e);
    *state = rho;
    if (!rho)
        return arena->measuring ? 0 : ERR_MEMORY;
    for (int t = 0; t < n; t++)
        rho[t] = rho_functions[(int)c->kind.number[FILTER_RHO]](t);
    return 0;
}

static int filter_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    const double *rho = t->state;
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++) {
            double sum = 0;
            for (int j = 0; j <= i; j++)
                sum += rho[i - j] * x[(size_t)j * d + k];
            y[(size_t)i * d + k] = sum;
        }
    return 0;
}

/* All pairs. */
static double filter_work(const struct target_config *c, const struct space_config *s)
{
    return 0.5 * (double)s->length * (double)s->length * (double)s->channels;
}

static int difference_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (size_t k = 0; k < (size_t)t->n * d; k++)
        y[k] = x[k] - (k < (size_t)d ? 0 : x[k - d]);
    return 0;
}

const struct target target_filter = {
    .name = "filter",
    .formula = "y_i = sum_{j<=i} rho(i-j) x_j",
    .summary = "a causal linear filter with a given memory",
    .citation = "Wang, Li and Li 2024, arXiv 2305.19190",
    .options = filter_options,
    .needs = TARGET_NEEDS_ORDER,
    .work = filter_work,
    .open = filter_open,
    .evaluate = filter_evaluate,
};

const struct target target_difference = {
    .name = "difference",
    .formula = "y_i = x_i - x_{i-1}, x_0 = 0",
    .summary = "each token less the one before it",
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = difference_evaluate,
};

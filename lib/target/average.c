/* Sums and averages over stretches of the sequence: prefix_sum, and the controls mean, prefix_mean,
 * local_mean and moving_max.  Invariant: the controls are the same at every position of an input
 * whose tokens are all equal, so rows of attention that sum to 1 put no floor under them. */
#include <math.h>

#include "target/target.h"

enum { AVERAGE_WINDOW };
#define WINDOW_OPTION(text)                                                                  \
    {.key = "window", .type = OPTION_INT, .min = 1, .max = 65536, .fallback = "5",           \
     .unit = "tokens", .help = text}

static const struct option local_mean_options[] = {
    WINDOW_OPTION("w, tokens averaged; the extra one of an even w lies on the right"),
    {.key = NULL},
};
static const struct option moving_max_options[] = {
    WINDOW_OPTION("w, tokens looked at: this one and those before it"),
    {.key = NULL},
};

/* y_i = sum_{j<=i} x_j */
static void prefix_sums(int n, int d, const double *x, double *y)
{
    for (int k = 0; k < d; k++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            y[(size_t)i * d + k] = sum += x[(size_t)i * d + k];
    }
}

static int prefix_sum_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    prefix_sums(t->n, d, x, y);
    for (size_t k = 0; k < (size_t)t->n * d; k++)
        y[k] /= sqrt(t->n);
    return 0;
}

static int mean_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int k = 0; k < d; k++) {
        double sum = 0;
        for (int i = 0; i < t->n; i++)
            sum += x[(size_t)i * d + k];
        for (int i = 0; i < t->n; i++)
            y[(size_t)i * d + k] = sum / t->n;
    }
    return 0;
}

static int prefix_mean_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    prefix_sums(t->n, d, x, y);
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] /= i + 1;
    return 0;
}

/* Summed afresh at each position: differences of prefix sums would leave rounding errors that
 * depend on the position. */
static int local_mean_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int window = (int)t->config->kind.number[AVERAGE_WINDOW];
    for (int i = 0; i < t->n; i++) {
        int first = i - (window - 1) / 2, last = i + window / 2;
        first = first < 0 ? 0 : first;
        last = last > t->n - 1 ? t->n - 1 : last;
        for (int k = 0; k < d; k++) {
            double sum = 0;
            for (int j = first; j <= last; j++)
                sum += x[(size_t)j * d + k];
            y[(size_t)i * d + k] = sum / (last - first + 1);
        }
    }
    return 0;
}

static int moving_max_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int window = (int)t->config->kind.number[AVERAGE_WINDOW];
    for (int i = 0; i < t->n; i++) {
        int first = i - window + 1 < 0 ? 0 : i - window + 1;
        for (int k = 0; k < d; k++) {
            double max = x[(size_t)first * d + k];
            for (int j = first + 1; j <= i; j++)
                max = fmax(max, x[(size_t)j * d + k]);
            y[(size_t)i * d + k] = max;
        }
    }
    return 0;
}

const struct target target_prefix_sum = {
    .name = "prefix_sum",
    .formula = "y_i = sum_{j<=i} x_j / sqrt(n)",
    .summary = "running sum",
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = prefix_sum_evaluate,
};

const struct target target_mean = {
    .name = "mean",
    .formula = "y_i = sum_j x_j / n",
    .summary = "control without floor: the average of all tokens, at every position",
    .evaluate = mean_evaluate,
};

const struct target target_prefix_mean = {
    .name = "prefix_mean",
    .formula = "y_i = sum_{j<=i} x_j / i",
    .summary = "control: running average; no floor where mask or encoding tells left from right",
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = prefix_mean_evaluate,
};

const struct target target_local_mean = {
    .name = "local_mean",
    .formula = "y_i = mean of x_j over i - floor((w-1)/2) <= j <= i + floor(w/2), 1 <= j <= n",
    .summary = "control: average over a window; no floor where the encoding knows distances",
    .options = local_mean_options,
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = local_mean_evaluate,
};

const struct target target_moving_max = {
    .name = "moving_max",
    .formula = "y_i = max of x_j over i - w < j <= i, j >= 1, per channel",
    .summary = "control: largest of the last w tokens; no floor where mask or encoding tells left "
               "from right",
    .options = moving_max_options,
    .needs = TARGET_NEEDS_ORDER,
    .evaluate = moving_max_evaluate,
};

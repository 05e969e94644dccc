/* Spread and intervals.  Invariant: what one number cannot tell (spread) is NaN, never 0. */
#include "report/stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stddef.h>

/* Half the width of the interval of a mean. */
static double half_width(double sd, int n)
{
    return gsl_cdf_tdist_Pinv(0.975, n - 1.0) * sd / sqrt(n);
}

static void use_logarithms(struct interval *out, const double *value)
{
    double mean = 0, square = 0;
    for (int k = 0; k < out->n; k++)
        mean += log(value[k]) / out->n;
    for (int k = 0; k < out->n; k++)
        square += pow(log(value[k]) - mean, 2) / (out->n - 1);
    double half = half_width(sqrt(square), out->n);
    out->spread = SPREAD_LOG;
    out->centre = exp(mean);
    out->low = exp(mean - half);
    out->high = exp(mean + half);
}

struct interval stats_interval(const double *value, int n, bool error)
{
    struct interval out = {.n = n, .mean = NAN, .centre = NAN, .sd = NAN, .least = NAN,
                           .greatest = NAN, .low = NAN, .high = NAN};
    if (n == 0)
        return out;
    out.mean = out.centre = gsl_stats_mean(value, 1, (size_t)n);
    gsl_stats_minmax(&out.least, &out.greatest, value, 1, (size_t)n);
    if (n == 1)
        return out;
    out.sd = gsl_stats_sd_m(value, 1, (size_t)n, out.mean);
    out.spread = SPREAD_RANGE;
    out.low = out.least;
    out.high = out.greatest;
    if (n < STATS_INTERVAL_MIN || (error && out.least <= 0))
        return out;
    if (error) {
        use_logarithms(&out, value);
        return out;
    }
    double half = half_width(out.sd, n);
    out.spread = SPREAD_T;
    out.low = out.mean - half;
    out.high = out.mean + half;
    return out;
}

struct interval stats_complement(struct interval i)
{
    struct interval out = i;
    out.mean = 1 - i.mean;
    out.centre = 1 - i.centre;
    out.least = 1 - i.greatest;
    out.greatest = 1 - i.least;
    out.low = 1 - i.high;
    out.high = 1 - i.low;
    return out;
}

void stats_wilson(double share, double n, double *low, double *high)
{
    double z = gsl_cdf_ugaussian_Pinv(0.975), scale = 1 / (1 + z * z / n);
    *low = *high = NAN;
    if (!(n > 0) || isnan(share))
        return;
    double middle = scale * (share + z * z / (2 * n));
    double half = scale * z * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *low = fmax(middle - half, 0); /* rounding */
    *high = fmin(middle + half, 1);
}

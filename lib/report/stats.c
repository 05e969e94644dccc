/* Student-t and Wilson intervals.  Invariant: what one number cannot tell (spread) is NaN, never
 * 0. */
#include "report/stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stddef.h>

struct interval stats_interval(const double *value, int n)
{
    struct interval out = {.n = n, .mean = NAN, .sd = NAN, .low = NAN, .high = NAN};
    if (n == 0)
        return out;
    out.mean = gsl_stats_mean(value, 1, (size_t)n);
    if (n == 1)
        return out;
    out.sd = gsl_stats_sd_m(value, 1, (size_t)n, out.mean);
    double half = gsl_cdf_tdist_Pinv(0.975, n - 1.0) * out.sd / sqrt(n);
    out.low = out.mean - half;
    out.high = out.mean + half;
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

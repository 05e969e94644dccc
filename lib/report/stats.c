/* Student-t intervals.  Invariant: what one number cannot tell (spread) is NaN, never 0. */
#include "report/stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stddef.h>

struct interval stats_interval(const double *value, int n) {
    struct interval out = {.n = n, .mean = NAN, .sd = NAN, .low = NAN, .high = NAN};
    if (n == 0) return out;
    out.mean = gsl_stats_mean(value, 1, (size_t)n);
    if (n == 1) return out;
    out.sd = gsl_stats_sd_m(value, 1, (size_t)n, out.mean);
    double half = gsl_cdf_tdist_Pinv(0.975, n - 1.0) * out.sd / sqrt(n);
    out.low = out.mean - half;
    out.high = out.mean + half;
    return out;
}

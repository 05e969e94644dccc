/* Mean, deviation and spread of a few numbers (one per seed); Wilson interval of a share. */
#ifndef REPORT_STATS_H
#define REPORT_STATS_H
#include <stdbool.h>

enum { STATS_INTERVAL_MIN = 4 }; /* numbers; of fewer an interval says more about t than about them */

/* What low and high are. */
enum spread {
    SPREAD_NONE,  /* NaN: there is one number, or none */
    SPREAD_RANGE, /* the least and the greatest number */
    SPREAD_T,     /* 95 % of the mean: mean -+ t(0.975, n-1) sd / sqrt(n) */
    SPREAD_LOG    /* the same of logarithms, taken back: about the geometric mean, never below 0 */
};

struct interval {
    int n;
    double mean;   /* NaN when n = 0 */
    double centre; /* of low and high: the geometric mean of SPREAD_LOG, else the mean */
    double sd;     /* over n - 1 degrees of freedom; NaN when n < 2 */
    double least, greatest, low, high;
    enum spread spread;
};
/* value (n): finite numbers.  error: they are sizes of errors, whose interval is SPREAD_LOG; where one
 * of them is not positive, it is SPREAD_RANGE. */
struct interval stats_interval(const double *value, int n, bool error);
/* Of 1 - value. */
struct interval stats_complement(struct interval i);

/* 95 % interval of a share (0 to 1) seen in n independent trials; NaN when n = 0.
 * Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference". */
void stats_wilson(double share, double n, double *low, double *high);

#endif

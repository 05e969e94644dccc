/* Mean, deviation and Student-t interval of a few numbers (one per seed); Wilson interval of a
 * share. */
#ifndef REPORT_STATS_H
#define REPORT_STATS_H

struct interval {
    int n;
    double mean;      /* NaN when n = 0 */
    double sd;        /* over n - 1 degrees of freedom; NaN when n < 2, as are the next two */
    double low, high; /* 95 %: mean -+ t(0.975, n-1) sd / sqrt(n) */
};
/* value (n): finite numbers. */
struct interval stats_interval(const double *value, int n);

/* 95 % interval of a share (0 to 1) seen in n independent trials; NaN when n = 0.
 * Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference". */
void stats_wilson(double share, double n, double *low, double *high);

#endif

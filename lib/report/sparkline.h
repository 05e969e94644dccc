/* A curve in a few characters of a terminal. */
#ifndef REPORT_SPARKLINE_H
#define REPORT_SPARKLINE_H
#include "report/summary.h"

enum { SPARKLINE_POINTS = 8 };

struct sparkline {
    double value[SPARKLINE_POINTS]; /* positive, at equal distances from first to last step */
    bool there;
};

/* error_rel while the group's first seed trained; not there where it has no curve. */
int sparkline_read(struct sparkline *s, const struct summary_group *g, struct err *e);
/* Appends a block per point, on a logarithmic scale from low to high. */
void sparkline_append(struct text *out, const struct sparkline *s, double low, double high);

#endif

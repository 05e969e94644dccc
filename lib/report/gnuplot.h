/* The one place that starts gnuplot. */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* Runs `gnuplot -c script output`, with a further argument "png" where that is wanted, and waits.
 * *drawn is false, with one line in `why`, when gnuplot is not there or fails. */
int gnuplot_run(const char *script, const char *output, bool png, bool *drawn, char *why,
                size_t why_size, struct err *e);
/* Appends a single-quoted string, in which gnuplot interprets nothing. */
void gnuplot_string(struct text *out, const char *s);
/* The same, broken at blanks into lines of at most `room` bytes; returns how many lines. */
int gnuplot_lines(struct text *out, const char *s, int room);

#endif

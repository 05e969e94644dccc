/* The one place that starts gnuplot, and the one way in which text reaches a script.
 *
 * Invariant: gnuplot is given no name of a file (a name that begins with | or < would be run as a
 * command, and ~ is expanded): it reads the script from an open file and writes the picture to
 * another.  All text in a script comes from gnuplot_string, all else in it are our own words and
 * numbers. */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H
#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

/* Draws a script with the head of figure_append_head (figure.h), and appends the picture, SVG or
 * PNG, to `image`.  *absent: there is no gnuplot, and nothing else happened.  ERR_IO when gnuplot
 * fails, with what it said, or when the picture is not whole. */
int gnuplot_draw(const struct text *script, bool png, struct text *image, bool *absent,
                 struct err *e);
/* Appends the first `count` bytes of s as a single-quoted string of printable UTF-8, in which gnuplot
 * interprets nothing.  (Labels of tics are formats all the same: only numbers are used there.) */
void gnuplot_string(struct text *out, const char *s, size_t count);

#endif

/* What table and figures show a line for: a group of cells that differ in the seed alone, at one
 * evaluated length, with its subsets side by side. */
#ifndef REPORT_LINES_H
#define REPORT_LINES_H
#include "report/label.h"
#include "report/summary.h"

struct report_line { /* NULL: no such subset; patterned: the first one that there is */
    const struct summary_group *all, *generic, *patterned, *lookahead;
};

struct report_lines {
    struct summary summary;
    struct report_line *line; /* (count), in the order of the rows */
    int count;
    bool lengths;             /* more than one */
    bool ahead;               /* some look-ahead has a floor */
    bool tokens;              /* some target is about tokens */
    bool bytes;               /* all are about the bytes of a text */
    bool shares;              /* some error is a share of wrong answers, which has a sampling error */
    const char *patterned;    /* the one patterned subset of all lines, NULL when they differ */
    bool further[PATTERN_MAX]; /* of pattern_table: some line has this subset besides */
};
/* only: rows of this spec; NULL: all.  r must outlive it. */
int report_lines_open(struct report_lines *l, const struct results *r, const struct spec *only,
                      struct err *e);
void report_lines_close(struct report_lines *l);
/* One of the line's groups, for what they have in common. */
const struct summary_group *report_line_any(const struct report_line *line);

/* The error, its floors, whatever the depth and of the cell's, and what explicit weights leave: relative; bits per byte for texts; 1 -
 * accuracy and 1 - ceiling for other tokens; absolute where the target does not vary.  Intervals are
 * over seeds. */
struct line_figures {
    struct interval error, floor, depth_floor, witness;
    /* Of 1 - accuracy: the sampling error alone, what it could be over other evaluation sets given
     * the networks (Wilson, 95 %); NaN for other errors. */
    double sampling_low, sampling_high;
};
int line_figures_of(const struct summary_group *g, struct line_figures *f, struct err *e);
/* The same error in one row; NaN where there is none. */
double line_error_of(const struct result_row *row);
/* What that error is, in words: "error_rel". */
const char *report_lines_measure(const struct report_lines *l);

#endif

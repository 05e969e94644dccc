/* What table and figures show a line for: a group of cells that differ in the seed alone, at one
 * evaluated length, with its subsets side by side. */
#ifndef REPORT_LINES_H
#define REPORT_LINES_H
#include "report/summary.h"

struct report_line { /* NULL: no such subset; patterned: the first one that there is */
    const struct summary_group *all, *generic, *patterned;
    const struct summary_group *shared[SHARED_KINDS]; /* of shared_table */
    /* The kind of input that the line's verdict is about: of the worst verdict, and of those that share
     * it the one with the largest floor, then error. */
    const struct summary_group *worst;
    bool unanimous; /* all kinds have that verdict */
};

struct report_lines {
    struct summary summary;
    struct report_line *line; /* (count), in the order of the rows */
    int count;
    bool lengths;             /* more than one */
    bool shared[SHARED_KINDS]; /* some line has a floor on inputs of this kind, or an error beside a depth floor */
    bool shares;              /* some error is a share of wrong answers, which has a sampling error */
    unsigned measures;        /* those of the lines, a bit each (lines.c) */
    const char *patterned;    /* the one patterned subset of all lines, NULL when they differ */
    bool further[PATTERN_MAX]; /* of pattern_table: some line has this subset besides */
};
/* only: rows of this spec; NULL: all.  r must outlive it. */
int report_lines_open(struct report_lines *l, const struct results *r, const struct spec *only,
                      struct err *e);
void report_lines_close(struct report_lines *l);
/* One of the line's groups, for what they have in common. */
const struct summary_group *report_line_any(const struct report_line *line);

/* What an error is: relative; bits per byte for texts; 1 - accuracy for other tokens; absolute where
 * the target does not vary. */
struct measure {
    const char *name; /* for people: "error_rel" */
    const char *mark; /* behind a figure, where lines differ in this */
    const char *error, *floor, *depth, *witness; /* columns; NULL: none */
    bool bytes; /* of texts alone; the floor is in nats, the error in bits */
    bool share; /* the columns hold shares of right answers */
};
/* The error, its floors, whatever the depth and of the cell's, and what explicit weights leave, of one
 * measure; spreads are over seeds. */
struct line_figures {
    const struct measure *measure; /* NULL: there are no figures */
    struct interval error, floor, depth_floor, witness;
    /* Of 1 - accuracy: the sampling error alone, what it could be over other evaluation sets given
     * the networks (Wilson, 95 %); NaN for other errors. */
    double sampling_low, sampling_high;
};
int line_figures_of(const struct summary_group *g, struct line_figures *f, struct err *e);
/* The same error in one row; NaN where there is none. */
double line_error_of(const struct result_row *row);
/* What the errors of all lines are, in words: "error_rel"; "error" where lines differ. */
const char *report_lines_measure(const struct report_lines *l);
/* Appends the words, and which mark stands for which where lines differ. */
void report_lines_append_measure(struct text *out, const struct report_lines *l);
/* The mark of a line's figures; "" where all lines have one measure. */
const char *report_lines_mark(const struct report_lines *l, const struct line_figures *f);
/* Appends a figure over seeds: "0.012..0.019", the range of fewer than four; "0.015 x/ 1.2", the
 * geometric mean and the factor to both ends of its interval; "0.015+-0.003", the mean and half of it;
 * the centre alone where the ends would be written alike, or without spread.  Without unicode the
 * signs are ASCII's. */
void report_append_interval(struct text *out, const struct interval *i, bool spread, bool unicode);
/* What that is, behind "; ": for a title. */
void report_append_spread(struct text *out, const struct summary *s, bool spread, bool unicode);

#endif

/* What is said of the verdicts of a group's seeds, and of a line's kinds of input: the same on the
 * terminal and on the page. */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H
#include "report/summary.h"

/* A verdict, or how a cell ended, as it is shown. */
struct verdict_style {
    const char *name;
    const char *mark;   /* on the page */
    const char *colour; /* on the terminal, PAINT_*; NULL: none */
    bool plain;         /* the page has a colour of its own for it; else it is mixed */
    bool end;           /* how a cell ended, whatever the inputs */
    int badness;        /* the greater, the worse */
    bool missed;        /* training did not find it: behind it stands what the class can */
};
/* By a name; one without marks for a name that is none. */
const struct verdict_style *verdict_style(const char *name);

/* What is named of a group, and of how many of its seeds it holds.  Where seeds differ that is the
 * first of: failed, diverged, not-of-class, by-rounding, impossible, reached, and so on as in verdict.c. */
const struct verdict_style *verdict_of_group(const struct summary_group *g, int *seeds);
/* How bad the worst of them is. */
int verdict_badness(const struct summary_group *g);
/* Which of several kinds of input a line is about: that of the greatest badness, then floor (the greater of
 * any depth's and the cell's), then error, then the last; -1: there is none. */
struct severity {
    int badness;
    double floor, error;
};
bool severity_exceeds(struct severity b, struct severity a); /* b comes behind a */
/* Whether the same is said of both. */
bool verdict_same(const struct summary_group *a, const struct summary_group *b);
/* "reached", "reached in 2 of 3", "not-reached (possible)". */
void verdict_append(struct text *out, const struct summary_group *g);

#endif

/* Why a cell is impossible, or too shallow: a group of merged pairs, explained (report/why.h). */
#ifndef RUN_EXPLAIN_H
#define RUN_EXPLAIN_H
#include "report/why.h"
#include "run/evaluate.h"

enum { EXPLAIN_SAMPLES = 4 }; /* the most that are shown */

struct explanation {
    struct why why;
    struct arena arena;
    struct floor_rounds rounds;
};
/* The subset that a line of the table would name: of the worst verdict, and of those that share it the one
 * with the largest floor (report/lines.h).  name not NULL: that of this name.  sample >= 0, from 0: where
 * that one does not hold it, the worst of the same set that does, if one does.  -1: there is none. */
int explain_subset(const struct evaluation *ev, const char *name, int sample);
/* Whether it is impossible or too shallow. */
bool explain_has(const struct evaluation *ev, int subset);
/* The group of the subset's pairs that adds most to its floor, of equals the one that has most pairs in one
 * sample; with sample >= 0 of those in that one, counted from 0.  Where the subset is not impossible, and
 * networks of the cell's depth have a larger floor, groups are theirs.  Strings of c must outlive it.
 * ERR_USAGE: there is no such sample, or it is too long to show; ERR_MEMORY. */
int explain_open(struct explanation *x, const struct cell *c, const struct evaluation *ev, int subset,
                 int sample, struct err *e);
void explain_close(struct explanation *x);

#endif

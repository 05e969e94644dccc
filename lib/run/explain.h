/* Why a cell is impossible: its largest group of merged pairs, explained (report/why.h). */
#ifndef RUN_EXPLAIN_H
#define RUN_EXPLAIN_H
#include "report/why.h"
#include "run/evaluate.h"

enum { EXPLAIN_ROWS = 512, EXPLAIN_SAMPLES = 4 }; /* the most that is shown */

struct explanation {
    struct why why;
    struct arena arena;
    struct floor_rounds rounds;
};
/* The group that has most pairs in one sample, the first such; with sample >= 0 of that one, counted
 * from 0 in the evaluation set.  Where no sample has two pairs of a group, the largest group over
 * several samples.  Strings of c must outlive it.  ERR_USAGE: there is no such sample, or it is too
 * long to show; ERR_MEMORY. */
int explain_open(struct explanation *x, const struct cell *c, const struct evaluation *ev,
                 int sample, struct err *e);
void explain_close(struct explanation *x);

#endif

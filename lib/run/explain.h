/* Why a cell is impossible, or too shallow: its largest group of merged pairs, explained (report/why.h). */
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
/* The group that has most pairs in one sample, of those whose targets differ if there are some, the first
 * such; with sample >= 0 of that one, counted from 0 in the evaluation set.  Where no sample has two pairs
 * of a group, the largest group over several samples.  Where nothing of ev is impossible and something is
 * too shallow, groups are those of networks of the cell's depth.  Strings of c must outlive it.  ERR_USAGE:
 * there is no such sample, or it is too long to show; ERR_MEMORY. */
int explain_open(struct explanation *x, const struct cell *c, const struct evaluation *ev,
                 int sample, struct err *e);
void explain_close(struct explanation *x);
/* Whether some subset of ev's own samples has this verdict. */
bool explain_has(const struct evaluation *ev, const char *verdict);

#endif

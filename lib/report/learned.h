/* Learned B (added to the logits) and C (multiplied into the attention) of a cell: its table.csv.
 *
 * Invariant: layers, heads and relations are numbers that the cell's model has; a file that says
 * anything else is refused as a whole. */
#ifndef REPORT_LEARNED_H
#define REPORT_LEARNED_H
#include "report/summary.h"

enum { LEARNED_NAME = 48 };
struct learned_head {
    char name[LEARNED_NAME]; /* "layer 1, head 0", or "head 0" where all layers share it */
    int64_t layer;           /* -1: all layers share it */
    int relations;
    const double *value;     /* (relations); NaN: not there */
};

struct learned {
    struct learned_head *head; /* (heads), as in the file: by layer, then by head */
    int heads;
    double *value;             /* of all */
};
/* Column "b" or "c" of the group's first seed.  heads is 0 where the cell has no file, or has no
 * such table.  ERR_FORMAT for a file that is not what run writes. */
int learned_open(struct learned *t, const struct summary_group *g, const char *column,
                 struct err *e);
void learned_close(struct learned *t);
#endif

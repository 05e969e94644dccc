/* The constructions behind witness_open; private to witness*.c.  Each returns 0 when it has built
 * the target in c, CONSTRUCT_UNKNOWN when it cannot, or an error code; after anything but 0 c is of
 * no further use. */
#ifndef THEORY_WITNESS_BUILD_H
#define THEORY_WITNESS_BUILD_H
#include "theory/gates.h"
#include "theory/probe.h"

struct witness_task {
    struct probe *probe;
    struct construct *c;
    int x;        /* first register of the input's d channels, or of the symbols' codes */
    double beta;  /* sharpness of selections; 0: exact */
    double eps;   /* how different neighbours must be for witness_build_neighbours; 0: not used */
};

/* How far a score must lead for the others to vanish: their exponentials underflow. */
double witness_margin(const struct witness_task *t, int table);
/* An array in c's arena; NULL with c->code set. */
void *witness_array(struct construct *c, size_t count, size_t size);

/* Continuous targets; t->x is embedded, outputs are the construction's own. */
typedef int (*witness_construction)(struct witness_task *t);
int witness_build_affine(struct witness_task *t);
int witness_build_linear(struct witness_task *t);
int witness_build_normalised(struct witness_task *t);
int witness_build_selection(struct witness_task *t);
int witness_build_pieces(struct witness_task *t);
int witness_build_window(struct witness_task *t);
int witness_build_neighbours(struct witness_task *t); /* right but for inputs of small measure */

/* Token targets. */
int witness_build_places(struct witness_task *t);
int witness_build_offset(struct witness_task *t);
int witness_build_pick(struct witness_task *t);
int witness_build_runs(struct witness_task *t); /* right but on constant sequences */

/* What the selections of both kinds share: registers `to` .. to+count-1 receive from .. of the
 * source's position; source[i] -1 leaves them at some position's values and sets `off` (a register,
 * 1 there and 0 elsewhere; -1: every position has a source).  Two layers of gates come first. */
int witness_select(struct witness_task *t, const int *source, int from, int count, int to,
                   int *off);

#endif

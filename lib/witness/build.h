/* The constructions behind witness_open; private to this folder.  Each returns 0 when it has built
 * the target in c, CONSTRUCT_UNKNOWN when it cannot, or an error code; after anything but 0 c is of
 * no further use. */
#ifndef WITNESS_BUILD_H
#define WITNESS_BUILD_H
#include "witness/gates.h"
#include "witness/probe.h"

struct witness_task {
    struct probe *probe;
    struct construct *c;
    int x;        /* first register of the input's d channels, or of the symbols' codes */
    double beta;  /* sharpness of selections; 0: exact */
    double eps;   /* how different neighbours must be for witness_build_neighbours; 0: not used */
};

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

#endif

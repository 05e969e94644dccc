/* Floors of an evaluation set with all images under its orbit, which are made a few samples at a time
 * and not kept.
 *
 * Invariant: samples that share no token share no group, so samples that are chained by common tokens
 * are merged together and apart from all others, with the result of merging the whole set. */
#ifndef RUN_ORBITS_H
#define RUN_ORBITS_H
#include "floor/floor.h"
#include "train/train.h"

/* Of a subset. */
struct orbit_floors {
    int pattern;                   /* in: index into pattern_table; -1: all samples */
    double rows;                   /* out, as all that follows */
    double deviation;              /* root mean square of the target about its mean in each channel */
    struct floor_errors error[2];  /* whatever the depth; of exactly the cell's */
    struct floor_labels label[2];
};

/* base: the set of that length without images, of a task that has an orbit and no layouts of its
 * samples' own.  Memory is that of the images of the most samples that are chained.  ERR_MEMORY, or
 * what the target reports. */
int orbit_floors(const struct task *t, int length, const struct samples *base,
                 struct orbit_floors *out, int subsets, struct err *e);

#endif

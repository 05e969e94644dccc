/* The worst case: the largest error over the inputs, not only over the samples.
 *
 * The theorem is about the supremum over the domain [0,1]^(n x d), so it is searched for: gradient
 * ascent on |y - f| at the input's worst output element, projected to the domain, from many inputs.
 *
 *   start 0, 4, ...   the samples with the largest errors, then generic inputs
 *   start 1, 5, ...   corners, all tokens equal:    kept equal throughout
 *   start 2, 6, ...   generic inputs
 *   start 3, 7, ...   the worst identical samples, then random tokens:    kept equal throughout
 *
 * Invariant: a point is kept only if its error was measured there and is larger than before, so
 * what the search does not know (the target's slope is taken by differences) can only make it
 * slower, never wrong.  The result depends on the task alone, not on threads. */
#ifndef RUN_ADVERSARY_H
#define RUN_ADVERSARY_H
#include "run/evaluate.h"

/* Sets error_worst and floor_worst in figures (evaluation_subsets), as evaluation_measure has just
 * filled them, of the subsets `all` and `identical` (from the starts whose tokens are kept equal).
 * error_worst is no less than error_sup; floor_worst is the sup floor of the points found, merged
 * as one set, and no less than floor_sup, so error_worst >= floor_worst up to rounding.
 *
 * Both stay NaN without evaluate.adversary.starts, for token targets, where every sample has a
 * layout of its own, beyond the training length, and where the network's error is no number.
 * The task's stop is looked at before each step: ERR_INTERRUPTED, figures unchanged.
 * ERR_MEMORY, or what the target reports. */
int adversary_search(const struct evaluation *ev, struct network *x, struct record *figures, struct err *e);

#endif

/* That a class can: random networks of it that tell all groups of an evaluation set apart.
 *
 * A network whose outputs differ wherever groups differ is a proof: one more layer, with no attention and
 * a feed-forward network wide enough, takes its states to any targets that are equal within groups, and
 * so the error on these samples to 0.  (What tells outputs apart tells apart what that layer sees: the
 * head is affine, and behind the same norm.)  So where the floor is 0 the class can. */
#ifndef RUN_PROVE_H
#define RUN_PROVE_H
#include "run/evaluate.h"

/* Tries evaluate.networks of them, in double, each a layer deeper than the one before, until the
 * subsets without a floor are told apart, those of a set of their own, and all lengths together, by networks of
 * their own.  What comes of it is in evaluation_floors' `proof`.  Nothing
 * is tried where no floor is 0, or where it would take more work than the training and over 1e11 FLOP.
 * folder, which is there (NULL: nothing is written): for each set LENGTH-SUBSET.safetensors, with `first`
 * (samples+1), `x` (rows,channels) or (rows) of symbols, `group` (rows), and for each subset which rows are
 * in it; and LENGTH-SUBSET-K-H.safetensors, the weights of the K-th network with its H-th head, from 1.
 * ERR_INTERRUPTED after the task's stop; ERR_IO. */
int prove_possible(struct evaluation *ev, struct pool *pool, const char *folder, struct err *e);
/* Explicit weights first, which is less work, at the training length: figures (evaluation_subsets), empty
 * where nothing is measured; then prove_possible. */
int prove_class(struct evaluation *ev, struct pool *pool, const char *folder, struct record *witness,
                struct err *e);
/* The rows of a predictor, which come last, so that errors by position are its own: what the class can
 * is shown first, by prove_class, and the figures of explicit weights stand in the rows beside.
 * figures (evaluation_subsets).  Errors as of those. */
int prove_and_measure(struct evaluation *ev, struct predictor p, struct pool *pool, struct record *figures,
                      struct err *e);
/* Operations of the first network, which is nearly always enough, and memory of the largest, without
 * the samples, on each of so many sets: out (count), and on all of them together; zeros where none is
 * tried. */
int prove_price(const struct task *t, int count, const struct pass_set *set, struct pass_price *out,
                struct pass_price *together, struct err *e);

#endif

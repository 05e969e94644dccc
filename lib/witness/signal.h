/* Numbers that attention gives to positions whatever the input.  Where queries and keys are the same at
 * every position, a head's weights A depend on the positions alone, and so do
 *
 *     A 1, A^2 1, ..., A^depth 1      the k-th after k layers
 *
 * Rows that sum to 1 give ones.  Those of a sink under a causal mask give i / (i + 1), and an empty
 * first row gives 0, 1, 1, .. and then 0, 0, 1/2, 2/3, ..
 * Invariant: read off the model's own forward pass; nothing of a normaliser is written again here. */
#ifndef WITNESS_SIGNAL_H
#define WITNESS_SIGNAL_H
#include "witness/rest.h"

struct signal_head {
    int head;
    const double *b; /* (relations) logits, by rest's table; NULL: those at rest */
    const bool *seen; /* (relations) some pair that is seen has it */
    double scale;    /* of what the head gives */
    double level;    /* of q.k, added to every logit; not 0 only where rest.scores */
};

/* power (depth,n), for m's heads and width.  All parameters are 0 besides, or at rest. */
int signal_powers(const struct model_config *m, const struct layout *trained,
                  const struct rest *rest, const struct signal_head *from, int depth,
                  double *power, struct err *e);
int signal_powers_double(const struct model_config *m, const struct layout *trained,
                         const struct rest *rest, const struct signal_head *from, int depth,
                         double *power, struct err *e);

#endif

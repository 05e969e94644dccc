/* The two sufficient conditions of Luo et al. 2022, Theorem 3, tested on real attention layers:
 *   attentive       some parameters give back plain softmax attention
 *   position-aware  some parameters give A_U(X) 1 = v, the same v for every X, all entries distinct
 * Both by construction (parameters written down) and by a search over random parameters.  They are
 * sufficient only: a "no" proves nothing about what the encoding can express. */
#ifndef WITNESS_CONDITIONS_H
#define WITNESS_CONDITIONS_H
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum condition_answer { CONDITION_NO, CONDITION_LIMIT, CONDITION_YES };
enum { CONDITION_TEXT = 160, CONDITION_SUMS = 8 };

struct conditions {
    enum condition_answer attentive;
    char attentive_why[CONDITION_TEXT];
    double distance;        /* of the construction: largest |A_ij - softmax(scale q.k)_ij| */
    double distance_search; /* the smallest that random parameters of the encoding gave */
    bool position_aware;
    char position_why[CONDITION_TEXT];
    double step;         /* smallest difference of two row sums of what is position-aware; else 0 */
    double sums[CONDITION_SUMS]; /* the first of those row sums, of the parameters with most distinct */
    double deviation;    /* largest |row sum - 1| that the search found */
    int distinct;        /* distinct row sums of the construction, or, where rows of the normaliser
                            need not sum to 1, of the search; of n, the least of all inputs */
    int distinct_search; /* likewise of the best of the search's parameters */
    double step_search;  /* the search's best step that is the same for every input; 0: none */
};

/* Whether some parameters of m's normaliser, under its mask and without any encoding, give plain
 * softmax attention: numbers in its own tensors and one added to all logits.  Limit: as they grow.
 * *distance as above, of the best. */
int conditions_rows(const struct model_config *m, const struct layout *trained, uint64_t seed,
                    enum condition_answer *attentive, double *distance, struct err *e);
int conditions_rows_double(const struct model_config *m, const struct layout *trained,
                           uint64_t seed, enum condition_answer *attentive, double *distance,
                           struct err *e);

/* The weaker of the encoding's answer in `found` and the normaliser's. */
void conditions_weaken(const struct model_config *m, enum condition_answer attentive, double distance,
                       struct conditions *found);

/* Tests layers of the configuration on its trained layout, which must have each relation at most
 * once in a row, as sequences and grids do.  `attentive` is the encoding's, under softmax.  In the arithmetic of one precision,
 * whatever m says.  What model_check refuses: ERR_USAGE. */
int conditions_test(const struct model_config *m, const struct layout *trained, uint64_t seed,
                    struct conditions *out, struct err *e);
int conditions_test_double(const struct model_config *m, const struct layout *trained,
                           uint64_t seed, struct conditions *out, struct err *e);
const char *condition_name(enum condition_answer answer); /* "no", "limit", "yes" */

#endif

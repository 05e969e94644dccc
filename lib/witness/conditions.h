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
enum { CONDITION_TEXT = 160 };

struct conditions {
    enum condition_answer attentive;
    char attentive_why[CONDITION_TEXT];
    double distance;        /* of the construction: largest |A_ij - softmax(scale q.k)_ij| */
    double distance_search; /* the smallest that random parameters of the encoding gave */
    bool position_aware;
    char position_why[CONDITION_TEXT];
    double step;         /* smallest difference of two row sums of the construction; 0 without C */
    double deviation;    /* largest |row sum - 1| that the search found */
    int distinct;        /* distinct row sums of the construction, of n; the least of all inputs */
    int distinct_search; /* likewise of the best of the search's parameters */
};

/* Tests layers of the configuration on its trained layout, which must have each relation at most
 * once in a row, as sequences and grids do; width at least 3.  In the arithmetic of one precision,
 * whatever m says.  What model_check refuses: ERR_USAGE. */
int conditions_test(const struct model_config *m, const struct layout *trained, uint64_t seed,
                    struct conditions *out, struct err *e);
int conditions_test_double(const struct model_config *m, const struct layout *trained,
                           uint64_t seed, struct conditions *out, struct err *e);
const char *condition_name(enum condition_answer answer); /* "no", "limit", "yes" */

#endif

/* Rows of which more is known of the weights than that they are shares (enum floor_weights).  l_c is the
 * sum of the weights under which a row sees things c; two rows are alike where l_c l'_d = l'_c l_d for
 * all c and d, since their averages, sum_c l_c v_c / sum_c l_c, are then equal for every v.
 * Exact: integers are compared. */
#ifndef FLOOR_WEIGHTS_H
#define FLOOR_WEIGHTS_H
#include "floor/classes.h"

struct weight_term {
    int64_t thing; /* value and colour */
    int32_t factor;
};
struct weights {
    struct weight_term *left, *right; /* (longest) */
    int64_t *sum;                     /* (2 longest) zero */
    uint64_t *power;                  /* (longest) of one number, modulo a prime */
};

int weights_open(struct weights *w, int longest, struct arena *a, struct err *e);

/* What a row sees: colour (row->count), classes of t. */
struct weights_row {
    const struct class_row *row;
    const int32_t *colour;
};

/* FLOOR_PRODUCTS, l_c linear forms in free factors: whether they are all multiples of one. */
bool weights_product(struct weights *w, const struct classes *t, struct weights_row a);

/* FLOOR_POWERS, l_c polynomials in t: whether two rows are alike. */
bool weights_powers_match(struct weights *w, const struct classes *t, struct weights_row a,
                          struct weights_row b);
/* Equal for rows that are: sum_c l_c value_c / sum_c l_c at one t, modulo a prime.  (A common factor
 * that is 0 there gives another hash; such rows would stay apart, which only lowers floors.)
 * value (classes): a number for each class' value. */
uint64_t weights_powers_hash(const struct weights *w, const struct classes *t, struct weights_row a,
                             const uint32_t *value);

#endif

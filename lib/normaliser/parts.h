/* Private to lib/normaliser: what several normalisers share. */
#ifndef NORMALISER_PARTS_H
#define NORMALISER_PARTS_H
#include "kernel/kernel.h"
#include "normaliser/normaliser.h"

/* s (count) = softmax(factor s), in place, stable for logits of any size. */
void softmax_row(int count, real factor, real *s);
/* da becomes a (da - sum_k a da): the Jacobian of softmax. */
void softmax_row_backward(int count, const real *a, real *da);
double row_sum(int count, const real *x);
double row_dot(int count, const real *x, const real *y);
real row_top(int count, const real *x);

/* Room for a logit beside the keys of a row: from *lse, the keys' log sum exp, to that of all.  Returns
 * the keys' share of the row; a row that sees no key has none. */
real share_beside(real logit, real *lse);

/* facts of the common cases. */
void normaliser_facts_softmax(const struct kind_config *c, const struct normaliser_shape *s,
                              struct normaliser_facts *out); /* ratio, constant sums, exponential */
void normaliser_facts_average(const struct kind_config *c, const struct normaliser_shape *s,
                              struct normaliser_facts *out); /* ratio, constant sums */
void normaliser_facts_number(const struct kind_config *c, const struct normaliser_shape *s,
                             struct normaliser_facts *out); /* numbers */

#endif

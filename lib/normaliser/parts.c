/* What several normalisers share (parts.h). */
#include "normaliser/parts.h"

#include <math.h>

double row_dot(int count, const real *x, const real *y)
{
    double sum = 0;
    for (int j = 0; j < count; j++)
        sum += (double)x[j] * (double)y[j];
    return sum;
}

real row_top(int count, const real *x)
{
    real top = x[0];
    for (int j = 1; j < count; j++)
        top = x[j] > top ? x[j] : top;
    return top;
}

void softmax_row(int count, real factor, real *s)
{
    for (int j = 0; j < count; j++)
        s[j] *= factor;
    real lse;
    kernel()->softmax_forward(1, count, count, NULL, s, &lse);
}

void softmax_row_backward(int count, const real *a, real *da)
{
    kernel()->softmax_backward(1, count, count, a, da, NULL, da);
}

real share_beside(real logit, real *lse)
{
    real above = logit - *lse;
    real e = REAL_MATH(exp)(above > 0 ? -above : above); /* of the smaller over the larger */
    *lse = (above > 0 ? logit : *lse) + REAL_MATH(log1p)(e);
    return above > 0 ? e / (1 + e) : 1 / (1 + e);
}

void normaliser_facts_softmax(const struct kind_config *c, const struct normaliser_shape *s,
                              struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_RATIO, true, true};
}

void normaliser_facts_average(const struct kind_config *c, const struct normaliser_shape *s,
                              struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_RATIO, true, false};
}

void normaliser_facts_number(const struct kind_config *c, const struct normaliser_shape *s,
                             struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_NUMBER, false, false};
}

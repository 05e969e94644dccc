/* average-hard: all weight on the keys of the largest logit, in equal parts.  Logits within `tie` of
 * the largest count as equal to it: those of equal keys may differ by rounding.
 * The gradient by the logits is 0 wherever there is one.  Training takes softmax's Jacobian at the
 * same logits in its place, an estimator and no gradient (straight-through).
 * Source: Merrill and Sabharwal 2022, section 2 (saturated attention). */
#include "normaliser/parts.h"

enum { TIE };
static const struct option options[] = {
    {.key = "tie", .type = OPTION_REAL, .min = 0, .max = 1, .fallback = "1.0e-5",
     .help = "logits closer than this to the largest are equal to it"},
    {.key = NULL},
};

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    real least = row_top(r->seen, s) - (real)c->config->number[TIE];
    int tied = 0;
    for (int j = 0; j < r->seen; j++)
        tied += s[j] >= least;
    for (int j = 0; j < r->seen; j++)
        s[j] = s[j] >= least ? (real)1 / (real)tied : 0;
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    real *p = r->scratch;
    for (int j = 0; j < r->seen; j++)
        p[j] = s[j];
    softmax_row(r->seen, 1, p);
    softmax_row_backward(r->seen, p, da);
}

const struct normaliser normaliser_average_hard = {
    .name = "average-hard",
    .formula = "a_ij = 1/t for the t keys of the largest logit, else 0",
    .summary = "hard attention, ties shared; trained with softmax's gradient, an estimator",
    .citation = "Merrill and Sabharwal 2022, section 2",
    .options = options,
    .facts = normaliser_facts_average,
    .row = row,
    .row_backward = row_backward,
};

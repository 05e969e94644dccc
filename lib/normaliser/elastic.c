/* elastic: softmax less a share of 1/m_i, cut at 0:  a_ij = max(p_ij + tau_h / m_i, 0), p = softmax(s),
 * m_i the keys seen (the published code is causal and divides by the row's index, the same there).
 * Backward, with e = 1[p + tau/m > 0]:  ds = J(p; e g),  dtau_h = sum_i (1/m_i) sum_j e g.
 * Source: Lazy Attention 2026 (arXiv 2601.00919); Fzkuji/flash-lazy-attention. */
#include "normaliser/parts.h"

enum { TAU };
static const struct option options[] = {
    {.key = "tau", .type = OPTION_REAL, .min = -100, .max = 100, .fallback = "-1",
     .help = "start of the learned shift of a head"},
    {.key = NULL},
};

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_RATIO, false, false};
}

static int tensors(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out)
{
    out[0] = (struct tensor){.name = "tau", .rank = 1, .shape = {s->heads}, .init = TENSOR_CONSTANT,
                             .mean = c->number[TAU]};
    return 1;
}

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    real shift = c->parameter[0][r->head] / (real)r->seen;
    softmax_row(r->seen, 1, s);
    for (int j = 0; j < r->seen; j++)
        s[j] = s[j] + shift > 0 ? s[j] + shift : 0;
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    real *p = r->scratch;
    double kept = 0;
    for (int j = 0; j < r->seen; j++) {
        p[j] = s[j];
        da[j] = a[j] > 0 ? da[j] : 0;
        kept += (double)da[j];
    }
    softmax_row(r->seen, 1, p);
    softmax_row_backward(r->seen, p, da);
    c->gradient[0][r->head] += (real)(kept / r->seen);
}

const struct normaliser normaliser_elastic = {
    .name = "elastic",
    .formula = "a_ij = max(softmax(s)_ij + tau_h / m_i, 0)",
    .summary = "softmax less a share of 1/m, cut at 0",
    .citation = "Lazy Attention 2026",
    .options = options,
    .facts = facts,
    .tensors = tensors,
    .row = row,
    .row_backward = row_backward,
};

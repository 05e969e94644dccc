/* ssmax: softmax whose temperature follows the number of keys seen, so that attention does not fade
 * with length:
 *     a_i = softmax(t_i s_i),  t_i = scale_h log m_i (+ bias_h),  m_i keys seen
 * With ds~ = J(a; g):  ds = t_i ds~,  dt_i = sum_j ds~ s_ij.  All of the logit is scaled, B included.
 * Source: Nakanishi 2025, Scalable-Softmax Is Superior for Attention (arXiv 2501.19399). */
#include <math.h>

#include "normaliser/parts.h"

enum { SCALE, BIAS };
static const struct option options[] = {
    {.key = "scale", .type = OPTION_REAL, .min = -100, .max = 100, .fallback = "0.43",
     .help = "start of the learned factor on log m"},
    {.key = "bias", .type = OPTION_BOOL, .fallback = "false",
     .help = "adds a learned number to the temperature, 0 at the start"},
    {.key = NULL},
};

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_NUMBER, true, false};
}

static int tensors(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out)
{
    out[0] = (struct tensor){.name = "scale", .rank = 1, .shape = {s->heads},
                             .init = TENSOR_CONSTANT, .mean = c->number[SCALE]};
    out[1] = (struct tensor){.name = "bias", .rank = 1, .shape = {s->heads},
                             .init = TENSOR_CONSTANT};
    return c->number[BIAS] != 0 ? 2 : 1;
}

static double temperature(const struct normaliser_context *c, const struct normaliser_row *r)
{
    double t = (double)c->parameter[0][r->head] * log(r->seen);
    return c->config->number[BIAS] != 0 ? t + (double)c->parameter[1][r->head] : t;
}

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    softmax_row(r->seen, (real)temperature(c, r), s);
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    softmax_row_backward(r->seen, a, da);
    double dt = row_dot(r->seen, da, s);
    real t = (real)temperature(c, r);
    for (int j = 0; j < r->seen; j++)
        da[j] *= t;
    c->gradient[0][r->head] += (real)(dt * log(r->seen));
    if (c->config->number[BIAS] != 0)
        c->gradient[1][r->head] += (real)dt;
}

const struct normaliser normaliser_ssmax = {
    .name = "ssmax",
    .formula = "a_i = softmax(scale_h log(m_i) s_i)",
    .summary = "softmax that sharpens with the number of keys",
    .citation = "Nakanishi 2025",
    .options = options,
    .facts = facts,
    .tensors = tensors,
    .row = row,
    .row_backward = row_backward,
};

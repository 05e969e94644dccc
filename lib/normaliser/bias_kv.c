/* bias-kv: a learned key b_h and value w_h stand beside the keys of every row, visible to all.
 *     c_i = scale q_i.b_h,  p_i = exp(c_i) / (Z_i + exp(c_i)),  o_i = sum_j a_ij v_j + p_i w_h
 * with a_ij = exp(s_ij) / (Z_i + exp(c_i)).  Neither is projected, nothing is added to c_i, and C does
 * not reach it.  No rotation reaches b_h either: under RoPE c_i depends on the position i.
 * With t_i = do_i . o_i (all of o):
 *     dc_i = p_i (do_i.w - t_i),  dw += p_i do_i,  db += scale dc_i q_i,  dq_i += scale dc_i b.
 * Source: torch.nn.MultiheadAttention, add_bias_kv, in torch/nn/functional.py. */
#include <math.h>
#include <stdio.h>

#include "normaliser/parts.h"

enum { KEY, VALUE };

static int tensors(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out)
{
    /* Xavier's normal start for a tensor [1,1,width]: both fans are the width. */
    double deviation = 1 / sqrt((double)s->heads * s->head_width);
    static const char *const name[] = {"key", "value"};
    for (int k = 0; k < 2; k++) {
        out[k] = (struct tensor){.rank = 2, .shape = {s->heads, s->head_width},
                                 .init = TENSOR_NORMAL, .deviation = deviation};
        snprintf(out[k].name, sizeof out[k].name, "%s", name[k]);
    }
    return 2;
}

static const real *vector(const struct normaliser_context *c, int tensor, int head)
{
    return c->parameter[tensor] + (ptrdiff_t)head * c->shape->head_width;
}

static void beside(const struct normaliser_context *c, const struct normaliser_beside *b)
{
    int d = c->shape->head_width;
    const real *key = vector(c, KEY, b->head), *value = vector(c, VALUE, b->head);
    for (int i = 0; i < b->rows; i++) {
        real logit = (real)(b->scale * row_dot(d, b->q + (ptrdiff_t)i * b->stride, key));
        real share = share_beside(logit, &b->lse[i]), p = REAL_MATH(exp)(logit - b->lse[i]);
        real *o = b->o + (ptrdiff_t)i * b->output_stride;
        for (int k = 0; k < d; k++)
            o[k] = o[k] * share + p * value[k];
    }
}

static void beside_backward(const struct normaliser_context *c, const struct normaliser_beside *b)
{
    int d = c->shape->head_width;
    const real *key = vector(c, KEY, b->head), *value = vector(c, VALUE, b->head);
    real *dkey = c->gradient[KEY] + (ptrdiff_t)b->head * d;
    real *dvalue = c->gradient[VALUE] + (ptrdiff_t)b->head * d;
    for (int i = 0; i < b->rows; i++) {
        const real *q = b->q + (ptrdiff_t)i * b->stride;
        const real *dout = b->dout + (ptrdiff_t)i * b->output_stride;
        real *dq = b->dq + (ptrdiff_t)i * b->stride;
        double p = exp(b->scale * row_dot(d, q, key) - (double)b->lse[i]);
        double t = row_dot(d, dout, b->o + (ptrdiff_t)i * b->output_stride);
        real dlogit = (real)(b->scale * p * (row_dot(d, dout, value) - t));
        for (int k = 0; k < d; k++) {
            dvalue[k] += (real)p * dout[k];
            dkey[k] += dlogit * q[k];
            dq[k] += dlogit * key[k];
        }
    }
}

const struct normaliser normaliser_bias_kv = {
    .name = "bias-kv",
    .formula = "softmax with a learned key b_h and value w_h beside the keys of every row",
    .summary = "a learned null key and value per head",
    .citation = "PyTorch, MultiheadAttention(add_bias_kv)",
    .of_query = true,
    .facts = normaliser_facts_number,
    .tensors = tensors,
    .beside = beside,
    .beside_backward = beside_backward,
};

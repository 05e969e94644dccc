/* tupe: positions attend to positions through projections of their own, untied from content:
 *     s_ij = q_i.k_j / sqrt(2 d_h) + (p_i U_Q).(p_j U_K) / sqrt(2 d_h)  (+ t5 bias),  p = LN(P)
 * Source: Ke et al. 2021, section 3.1 (without its treatment of [CLS]).  P [n,d], the norm, U_Q and
 * U_K are shared by all layers.
 *
 *   what is added to s_ij, n = 4:   00 01 02 03     a number of its own for each pair (i,j),
 *                                   10 11 12 13     of rank d_h in each head
 *                                   20 21 22 23
 *                                   30 31 32 33 */
#include <math.h>
#include <string.h>

#include "encoding/parts.h"
#include "kernel/kernel.h"

enum { T5 };
enum { BUCKETS = 32, MAX_DISTANCE = 128 };
static const struct option options[] = {
    {.key = "t5", .type = OPTION_BOOL, .fallback = "false",
     .help = "adds T5's bias as well (32 buckets, distances up to 128)"},
    {.key = NULL},
};
enum { POSITION, GAIN, NORM_BIAS, QUERY, KEY, BIAS };
static const real EPSILON = (real)1e-5; /* PyTorch's LayerNorm */

static bool has_t5(const struct encoding_context *c)
{
    return c->config->number[T5] != 0;
}

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->shift_invariant = false;
    out->scale = 1 / sqrt(2.0 * s->head_width);
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    int width = s->width;
    out[POSITION] = encoding_normal("position", ENCODING_MODEL, s->trained->n, width, 0.02);
    out[GAIN] = encoding_normal("norm.weight", ENCODING_MODEL, width, 0, 0);
    out[GAIN].tensor.mean = 1;
    out[NORM_BIAS] = encoding_normal("norm.bias", ENCODING_MODEL, width, 0, 0);
    out[QUERY] = encoding_normal("query.weight", ENCODING_MODEL, width, width, 0.02);
    out[KEY] = encoding_normal("key.weight", ENCODING_MODEL, width, width, 0.02);
    out[QUERY].tensor.decay = out[KEY].tensor.decay = true;
    if (c->number[T5] == 0)
        return 5;
    out[BIAS] = encoding_normal("bias", ENCODING_MODEL, s->heads, BUCKETS, 1 / sqrt(width));
    out[BIAS].tensor.table = true;
    return 6;
}

/* ---- state: (n, 2, width) p_i U_Q and p_i U_K; p (n, width); mean and 1/deviation (n) of LN ---*/
static size_t state_size(const struct encoding_context *c)
{
    return (size_t)c->layout->n * (3 * (size_t)c->shape->width + 2);
}

/* Where p begins. */
static size_t normed_at(const struct encoding_context *c)
{
    return 2 * (size_t)c->layout->n * (size_t)c->shape->width;
}

static void prepare(const struct encoding_context *c, real *state)
{
    int n = c->layout->n, width = c->shape->width;
    real *p = state + normed_at(c), *mean = p + (size_t)n * (size_t)width;
    kernel()->layernorm_forward(n, width, EPSILON, c->parameter[POSITION], c->parameter[GAIN],
                                c->parameter[NORM_BIAS], p, mean, mean + n);
    int ld = 2 * width;
    gemm(false, true, n, width, width, 1, p, width, c->parameter[QUERY], width, 0, state, ld);
    gemm(false, true, n, width, width, 1, p, width, c->parameter[KEY], width, 0, state + width, ld);
}

static void prepare_backward(const struct encoding_context *c)
{
    int n = c->layout->n, width = c->shape->width;
    const real *p = c->state + normed_at(c), *mean = p + (size_t)n * (size_t)width;
    real *dp = c->dstate + normed_at(c); /* no hook writes there */
    const real *dquery = c->dstate, *dkey = c->dstate + width;
    int ld = 2 * width;
    gemm(false, false, n, width, width, 1, dquery, ld, c->parameter[QUERY], width, 0, dp, width);
    gemm(false, false, n, width, width, 1, dkey, ld, c->parameter[KEY], width, 1, dp, width);
    gemm(true, false, width, width, n, 1, dquery, ld, p, width, 1, c->gradient[QUERY], width);
    gemm(true, false, width, width, n, 1, dkey, ld, p, width, 1, c->gradient[KEY], width);
    kernel()->layernorm_backward(n, width, c->parameter[POSITION], c->parameter[GAIN], mean,
                                 mean + n, dp, c->gradient[POSITION], c->gradient[GAIN],
                                 c->gradient[NORM_BIAS]);
}

/* ---- blocks ------------------------------------------------------------------------------------
 * scratch: T5's bias, or its gradient, for the offsets -(first+rows-1) .. n-1-first of a block. */
static size_t scratch(const struct encoding_context *c, int rows)
{
    return has_t5(c) ? (size_t)(c->layout->n + rows) : 0;
}

static size_t bias_row(const struct encoding_context *c, const struct encoding_block *b, int at)
{
    int offset = at - (b->first + b->rows - 1);
    int bucket = encoding_bucket(offset, c->shape->past, BUCKETS, MAX_DISTANCE);
    return (size_t)(b->head * BUCKETS + bucket);
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    int n = c->layout->n, d = c->shape->head_width, ld = 2 * c->shape->width;
    const real *query = c->state + b->head * d, *key = query + c->shape->width;
    gemm(false, true, b->rows, n, d, (real)b->scale, query + (size_t)b->first * (size_t)ld, ld, key,
         ld, 1, s, b->ld);
    if (!has_t5(c))
        return;
    for (int at = 0; at < n + b->rows - 1; at++)
        b->scratch[at] = c->parameter[BIAS][bias_row(c, b, at)];
    for (int r = 0; r < b->rows; r++)
        kernel()->add_forward((size_t)n, b->scratch + b->rows - 1 - r,
                              s + (size_t)r * (size_t)b->ld);
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    int n = c->layout->n, d = c->shape->head_width, ld = 2 * c->shape->width;
    size_t query = (size_t)(b->head * d), key = query + (size_t)c->shape->width;
    size_t at = (size_t)b->first * (size_t)ld + query;
    gemm(false, false, b->rows, d, n, (real)b->scale, ds, b->ld, c->state + key, ld, 1,
         c->dstate + at, ld);
    gemm(true, false, n, d, b->rows, (real)b->scale, ds, b->ld, c->state + at, ld, 1,
         c->dstate + key, ld);
    if (!has_t5(c))
        return;
    memset(b->scratch, 0, (size_t)(n + b->rows) * sizeof(real));
    for (int r = 0; r < b->rows; r++)
        kernel()->add_forward((size_t)n, ds + (size_t)r * (size_t)b->ld,
                              b->scratch + b->rows - 1 - r);
    for (int t = 0; t < n + b->rows - 1; t++)
        c->gradient[BIAS][bias_row(c, b, t)] += b->scratch[t];
}

const struct encoding encoding_tupe = {
    .name = "tupe",
    .formula = "s = q_i.k_j / sqrt(2 d_h) + (p_i U_Q).(p_j U_K) / sqrt(2 d_h) (+ t5), p = LN(P)",
    .summary = "positions attend to positions, untied from content",
    .citation = "Ke et al. 2021, section 3.1",
    .relation_text = "pair (i,j)",
    .longer = "undefined: refused",
    .options = options,
    .fixed_length = true,
    .axes_min = 1, .axes_max = 1,
    .facts = facts,
    .tensors = tensors,
    .relation = encoding_relation_pair,
    .state_size = state_size,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
};

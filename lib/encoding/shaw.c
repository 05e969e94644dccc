/* shaw: vectors of the clipped offset r(i,j) = clip(j-i,-k,k) + k are added to keys and values:
 *     s_ij = q_i.(k_j + aK[r]) / sqrt(d_h),     o_i = sum_j p_ij (v_j + aV[r]),   p = A or A * C
 * Source: Shaw et al. 2018, eqs. 3 and 4; formula read in tensor2tensor, common_attention.py.  Both
 * tables are per layer and shared by the heads.
 *
 *   r, k = 2, n = 4:   2 3 4 4     The value term acts after the softmax, so with it identical
 *                      1 2 3 4     tokens need not give identical outputs.
 *                      0 1 2 3
 *                      0 0 1 2 */
#include <string.h>

#include "encoding/parts.h"
#include "kernel/kernel.h"

enum { CLIP, VALUE };
static const struct option options[] = {
    {.key = "k", .type = OPTION_INT, .min = 1, .max = 65536, .fallback = "16", .unit = "tokens",
     .help = "offsets beyond k share a vector"},
    {.key = "value", .type = OPTION_BOOL, .fallback = "true",
     .help = "whether values get vectors too (then the floors of right-stochastic attention fall)"},
    {.key = NULL},
};

static int clip_of(const struct encoding_context *c)
{
    return (int)c->config->number[CLIP];
}

static bool has_value(const struct kind_config *c)
{
    return c->number[VALUE] != 0;
}

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->right_stochastic = !has_value(c);
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    int rows = 2 * (int)c->number[CLIP] + 1;
    out[0] = encoding_normal("key", ENCODING_LAYER, rows, s->head_width, 0.02);
    out[1] = encoding_normal("value", ENCODING_LAYER, rows, s->head_width, 0.02);
    out[0].tensor.table = out[1].tensor.table = true;
    return has_value(c) ? 2 : 1;
}

static int64_t relation(const struct encoding_context *c, int i, int j)
{
    return encoding_clip(j - i, -clip_of(c), clip_of(c));
}

/* (rows, 2k+1): q_i.aK[r], or sums of a block's entries over equal r. */
static size_t scratch(const struct encoding_context *c, int rows)
{
    return (size_t)rows * (size_t)(2 * clip_of(c) + 1);
}

/* row (visible) += scale * class[r(i,j)]. */
static void spread(int i, int visible, int k, real scale, const real *class, real *row)
{
    int left = encoding_clip(i - k, 0, visible), right = encoding_clip(i + k + 1, 0, visible);
    for (int j = 0; j < left; j++)
        row[j] += scale * class[0];
    for (int j = left; j < right; j++)
        row[j] += scale * class[j - i + k];
    for (int j = right; j < visible; j++)
        row[j] += scale * class[2 * k];
}

/* class (2k+1) = scale * sums of row over equal r(i,j). */
static void gather(int i, int visible, int k, real scale, const real *row, real *class)
{
    memset(class, 0, (size_t)(2 * k + 1) * sizeof *class);
    int left = encoding_clip(i - k, 0, visible), right = encoding_clip(i + k + 1, 0, visible);
    for (int j = 0; j < left; j++)
        class[0] += scale * row[j];
    for (int j = left; j < right; j++)
        class[j - i + k] += scale * row[j];
    for (int j = right; j < visible; j++)
        class[2 * k] += scale * row[j];
}

static void gather_block(const struct encoding_context *c, const struct encoding_block *b,
                         real scale, const real *s)
{
    int k = clip_of(c), classes = 2 * k + 1;
    for (int r = 0; r < b->rows; r++)
        gather(b->first + r, encoding_visible(c, b->first + r), k, scale,
               s + (size_t)r * (size_t)b->ld, b->scratch + (size_t)r * (size_t)classes);
}

static void spread_block(const struct encoding_context *c, const struct encoding_block *b,
                         real scale, real *s)
{
    int k = clip_of(c), classes = 2 * k + 1;
    for (int r = 0; r < b->rows; r++)
        spread(b->first + r, encoding_visible(c, b->first + r), k, scale,
               b->scratch + (size_t)r * (size_t)classes, s + (size_t)r * (size_t)b->ld);
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    int d = c->shape->head_width, classes = 2 * clip_of(c) + 1;
    const real *q = b->q + (size_t)b->first * (size_t)b->stride;
    gemm(false, true, b->rows, classes, d, 1, q, b->stride, c->parameter[0], d, 0, b->scratch,
         classes);
    spread_block(c, b, (real)b->scale, s);
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    int d = c->shape->head_width, classes = 2 * clip_of(c) + 1;
    size_t at = (size_t)b->first * (size_t)b->stride;
    gather_block(c, b, (real)b->scale, ds);
    gemm(false, false, b->rows, d, classes, 1, b->scratch, classes, c->parameter[0], d, 1,
         b->dq + at, b->stride);
    gemm(true, false, classes, d, b->rows, 1, b->scratch, classes, b->q + at, b->stride, 1,
         c->gradient[0], d);
}

static void value(const struct encoding_context *c, const struct encoding_block *b, const real *p,
                  real *o, int ostride)
{
    if (!has_value(c->config))
        return;
    int d = c->shape->head_width, classes = 2 * clip_of(c) + 1;
    gather_block(c, b, 1, p);
    gemm(false, false, b->rows, d, classes, 1, b->scratch, classes, c->parameter[1], d, 1, o,
         ostride);
}

static void value_backward(const struct encoding_context *c, const struct encoding_block *b,
                           const real *p, const real *dout, int ostride, real *dp)
{
    if (!has_value(c->config))
        return;
    int d = c->shape->head_width, classes = 2 * clip_of(c) + 1;
    gather_block(c, b, 1, p);
    gemm(true, false, classes, d, b->rows, 1, b->scratch, classes, dout, ostride, 1,
         c->gradient[1], d);
    gemm(false, true, b->rows, classes, d, 1, dout, ostride, c->parameter[1], d, 0, b->scratch,
         classes);
    spread_block(c, b, 1, dp);
}

const struct encoding encoding_shaw = {
    .name = "shaw",
    .formula = "s = q_i.(k_j + aK[r]) / sqrt(d_h), o_i = sum_j a_ij (v_j + aV[r]), "
               "r = clip(j-i,-k,k) + k",
    .summary = "vectors of the clipped offset added to keys and, by option, to values",
    .citation = "Shaw et al. 2018, eqs. 3 and 4",
    .relation_text = "clipped offset; with value: no single-colour clause",
    .longer = "any length: clips the offset",
    .options = options,
    .axes_min = 1, .axes_max = 1,
    .facts = facts,
    .tensors = tensors,
    .relation = relation,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
    .value = value,
    .value_backward = value_backward,
};

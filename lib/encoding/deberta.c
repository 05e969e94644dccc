/* deberta: content to position and position to content, over clipped offsets:
 *     s_ij = [Qc_i.Kc_j + Qc_i.Kr_{t(i,j)} + Kc_j.Qr_{t(j,i)}] / sqrt(3 d_h)
 *     t(i,j) = clamp(i-j+k, 0, 2k-1),  Kr = P W_k + b_k,  Qr = P W_q + b_q
 * Source: He et al. 2021, eqs. 3 and 4.  The released code gathers Qr at t(i,j) too: option
 * `gather: released`.  P [2k,d] is shared by the layers, the projections are per layer.
 *
 *   t(i,j), k = 2, n = 4:   2 1 0 0     t(j,i):   2 3 3 3
 *                           3 2 1 0               1 2 3 3
 *                           3 3 2 1               0 1 2 3
 *                           3 3 3 2               0 0 1 2 */
#include <math.h>
#include <string.h>

#include "encoding/parts.h"
#include "kernel/kernel.h"

enum { CLIP, GATHER };
enum { GATHER_PAPER, GATHER_RELEASED };
static const char *const gather_names[] = {"paper", "released", NULL};
static const struct option options[] = {
    {.key = "k", .type = OPTION_INT, .min = 1, .max = 65536, .fallback = "16", .unit = "tokens",
     .help = "offsets beyond k share a vector; the table has 2k"},
    {.key = "gather", .type = OPTION_CHOICE, .fallback = "paper", .names = gather_names,
     .help = "where position to content looks: t(j,i) as in the paper, or t(i,j) as released"},
    {.key = NULL},
};
enum { POSITION, KEY, KEY_BIAS, QUERY, QUERY_BIAS };

static int rows_of(const struct encoding_context *c)
{
    return 2 * (int)c->config->number[CLIP];
}

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->scale = 1 / sqrt(3.0 * s->head_width);
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    int width = s->width;
    out[POSITION] =
        encoding_normal("position", ENCODING_MODEL, 2 * (int)c->number[CLIP], width, 0.02);
    out[POSITION].tensor.table = true;
    out[KEY] = encoding_normal("key.weight", ENCODING_LAYER, width, width, 0.02);
    out[KEY_BIAS] = encoding_normal("key.bias", ENCODING_LAYER, width, 0, 0);
    out[QUERY] = encoding_normal("query.weight", ENCODING_LAYER, width, width, 0.02);
    out[QUERY_BIAS] = encoding_normal("query.bias", ENCODING_LAYER, width, 0, 0);
    out[KEY].tensor.decay = out[QUERY].tensor.decay = true;
    return 5;
}

static int row_of(int rows, int i, int j)
{
    return encoding_clip(i - j + rows / 2, 0, rows - 1);
}

/* The row of Qr that Kc_j meets. */
static int query_row_of(const struct encoding_context *c, int rows, int i, int j)
{
    bool released = (int)c->config->number[GATHER] == GATHER_RELEASED;
    return released ? row_of(rows, i, j) : row_of(rows, j, i);
}

static int64_t relation(const struct encoding_context *c, int i, int j)
{
    int rows = rows_of(c);
    return (int64_t)row_of(rows, i, j) * rows + query_row_of(c, rows, i, j);
}

/* state (2, 2k, width): Kr, Qr. */
static size_t state_size(const struct encoding_context *c)
{
    return 2 * (size_t)rows_of(c) * (size_t)c->shape->width;
}

static void prepare(const struct encoding_context *c, real *state)
{
    int rows = rows_of(c), width = c->shape->width;
    for (int part = 0; part < 2; part++) {
        const real *weight = c->parameter[part ? QUERY : KEY];
        const real *bias = c->parameter[part ? QUERY_BIAS : KEY_BIAS];
        real *out = state + (size_t)part * (size_t)rows * (size_t)width;
        gemm(false, true, rows, width, width, 1, c->parameter[POSITION], width, weight, width, 0,
             out, width);
        kernel()->bias_forward(rows, width, out, bias, out);
    }
}

static void prepare_backward(const struct encoding_context *c)
{
    int rows = rows_of(c), width = c->shape->width;
    for (int part = 0; part < 2; part++) {
        int weight = part ? QUERY : KEY, bias = part ? QUERY_BIAS : KEY_BIAS;
        const real *dout = c->dstate + (size_t)part * (size_t)rows * (size_t)width;
        gemm(false, false, rows, width, width, 1, dout, width, c->parameter[weight], width, 1,
             c->gradient[POSITION], width);
        gemm(true, false, width, width, rows, 1, dout, width, c->parameter[POSITION], width, 1,
             c->gradient[weight], width);
        kernel()->bias_backward(rows, width, dout, width, c->gradient[bias]);
    }
}

/* (rows, 2k): q_i.Kr_t; then (n, 2k): k_j.Qr_t; or their gradients. */
static size_t scratch(const struct encoding_context *c, int rows)
{
    return (size_t)(rows + c->layout->n) * (size_t)rows_of(c);
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    int n = c->layout->n, d = c->shape->head_width, width = c->shape->width, rows = rows_of(c);
    const real *kr = c->state + b->head * d, *qr = kr + (size_t)rows * (size_t)width;
    const real *q = b->q + (size_t)b->first * (size_t)b->stride;
    real *content = b->scratch, *position = content + (size_t)b->rows * (size_t)rows;
    gemm(false, true, b->rows, rows, d, (real)b->scale, q, b->stride, kr, width, 0, content, rows);
    gemm(false, true, n, rows, d, (real)b->scale, b->k, b->stride, qr, width, 0, position, rows);
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        real *row = s + (size_t)r * (size_t)b->ld;
        for (int j = 0; j < encoding_visible(c, i); j++)
            row[j] += content[r * rows + row_of(rows, i, j)] +
                      position[(size_t)j * (size_t)rows + (size_t)query_row_of(c, rows, i, j)];
    }
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    int n = c->layout->n, d = c->shape->head_width, width = c->shape->width, rows = rows_of(c);
    size_t kr = (size_t)(b->head * d), qr = kr + (size_t)rows * (size_t)width;
    size_t at = (size_t)b->first * (size_t)b->stride;
    real *content = b->scratch, *position = content + (size_t)b->rows * (size_t)rows;
    memset(content, 0, (size_t)(b->rows + n) * (size_t)rows * sizeof(real));
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        for (int j = 0; j < encoding_visible(c, i); j++) {
            real g = (real)b->scale * ds[(size_t)r * (size_t)b->ld + (size_t)j];
            content[r * rows + row_of(rows, i, j)] += g;
            position[(size_t)j * (size_t)rows + (size_t)query_row_of(c, rows, i, j)] += g;
        }
    }
    gemm(false, false, b->rows, d, rows, 1, content, rows, c->state + kr, width, 1, b->dq + at,
         b->stride);
    gemm(true, false, rows, d, b->rows, 1, content, rows, b->q + at, b->stride, 1, c->dstate + kr,
         width);
    gemm(false, false, n, d, rows, 1, position, rows, c->state + qr, width, 1, b->dk, b->stride);
    gemm(true, false, rows, d, n, 1, position, rows, b->k, b->stride, 1, c->dstate + qr, width);
}

const struct encoding encoding_deberta = {
    .name = "deberta",
    .formula = "s = [Qc_i.Kc_j + Qc_i.Kr_t(i,j) + Kc_j.Qr_t(j,i)] / sqrt(3 d_h), "
               "t(i,j) = clamp(i-j+k,0,2k-1)",
    .summary = "content to position and position to content",
    .citation = "He et al. 2021, eqs. 3 and 4",
    .relation_text = "offset clipped to -k..k (gather: released: to -(k-1)..k)",
    .longer = "any length: clips the offset",
    .options = options,
    .axes_min = 1, .axes_max = 1,
    .facts = facts,
    .tensors = tensors,
    .relation = relation,
    .state_size = state_size,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
};

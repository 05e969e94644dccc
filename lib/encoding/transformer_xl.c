/* transformer-xl: the offset enters through projected sinusoids, with two learned queries u, v:
 *     s_ij = [(q_i + u).k_j + (q_i + v).(W R_{i-j})] / sqrt(d_h)
 *     R_t = [sin(t f_0) .. sin(t f_{d/2-1}), cos(t f_0) .. cos(t f_{d/2-1})], f_k = 10000^(-2k/d)
 * Source: Dai et al. 2019, section 3.3; formula read in the authors' pytorch/mem_transformer.py.
 * Without a causal mask R is also taken at negative t.
 *
 *   t = i - j, n = 4:   0 -1 -2 -3
 *                       1  0 -1 -2
 *                       2  1  0 -1
 *                       3  2  1  0 */
#include <math.h>
#include <string.h>

#include "encoding/parts.h"
#include "kernel/kernel.h"

enum { U, V, WEIGHT };

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    if (s->width % 2 == 0)
        return 0;
    return err_set(e, ERR_USAGE, "model.width",
                   "transformer-xl has width/2 sines and cosines and needs an even width, not %d",
                   s->width);
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[U] = encoding_normal("u", ENCODING_MODEL, s->heads, s->head_width, 0.02);
    out[V] = encoding_normal("v", ENCODING_MODEL, s->heads, s->head_width, 0.02);
    out[WEIGHT] = encoding_normal("r.weight", ENCODING_LAYER, s->width, s->width, 0.02);
    out[WEIGHT].tensor.decay = true;
    return 3;
}

/* ---- state: W R, then R, each (n, sides, width): row m, side 0 for t = m and 1 for t = -m -----*/
static int sides(const struct encoding_context *c)
{
    return c->shape->past ? 1 : 2;
}

static size_t state_size(const struct encoding_context *c)
{
    return 2 * (size_t)c->layout->n * (size_t)sides(c) * (size_t)c->shape->width;
}

static void prepare(const struct encoding_context *c, real *state)
{
    int width = c->shape->width, rows = c->layout->n * sides(c);
    real *sinusoid = state + (size_t)rows * (size_t)width;
    for (int row = 0; row < rows; row++) {
        int m = row / sides(c), t = row % sides(c) ? -m : m;
        for (int k = 0; k < width / 2; k++) {
            double angle = t * encoding_frequency(10000, k, width);
            sinusoid[(size_t)row * (size_t)width + (size_t)k] = (real)sin(angle);
            sinusoid[(size_t)row * (size_t)width + (size_t)(width / 2 + k)] = (real)cos(angle);
        }
    }
    gemm(false, true, rows, width, width, 1, sinusoid, width, c->parameter[WEIGHT], width, 0, state,
         width);
}

static void prepare_backward(const struct encoding_context *c)
{
    int width = c->shape->width, rows = c->layout->n * sides(c);
    const real *sinusoid = c->state + (size_t)rows * (size_t)width;
    gemm(true, false, width, width, rows, 1, c->dstate, width, sinusoid, width, 1,
         c->gradient[WEIGHT], width);
}

/* ---- a block's scratch -------------------------------------------------------------------------
 * The (q_i + v).(W R_t) of a block are products with the rows of W R that it can reach: `past`, at
 * t = m for m = 0 .. first+rows-1, and `future`, at t = -m for m = 0 .. n-first-1. */
struct parts {
    real *query;        /* (rows, d_h): q_i + v */
    real *key;          /* (n): u.k_j, or its gradient */
    real *past;         /* (rows, past_width), or gradients */
    real *future;       /* (rows, future_width), or gradients */
    int past_width, future_width;
};

static size_t scratch(const struct encoding_context *c, int rows)
{
    size_t n = (size_t)c->layout->n, r = (size_t)rows;
    return r * (size_t)c->shape->head_width + n + r * (n + r);
}

static struct parts parts_of(const struct encoding_context *c, const struct encoding_block *b)
{
    struct parts p = {.query = b->scratch,
                      .past_width = b->first + b->rows,
                      .future_width = c->layout->n - b->first};
    p.key = p.query + b->rows * c->shape->head_width;
    p.past = p.key + c->layout->n;
    p.future = p.past + (size_t)b->rows * (size_t)p.past_width;
    return p;
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    struct parts p = parts_of(c, b);
    int n = c->layout->n, d = c->shape->head_width, ld = sides(c) * c->shape->width;
    const real *u = c->parameter[U] + b->head * d, *v = c->parameter[V] + b->head * d;
    const real *past = c->state + b->head * d, *future = past + c->shape->width;
    for (int r = 0; r < b->rows; r++)
        for (int t = 0; t < d; t++)
            p.query[r * d + t] =
                b->q[(size_t)(b->first + r) * (size_t)b->stride + (size_t)t] + v[t];
    gemm(false, true, n, 1, d, 1, b->k, b->stride, u, d, 0, p.key, 1);
    gemm(false, true, b->rows, p.past_width, d, 1, p.query, d, past, ld, 0, p.past, p.past_width);
    if (!c->shape->past)
        gemm(false, true, b->rows, p.future_width, d, 1, p.query, d, future, ld, 0, p.future,
             p.future_width);
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        real *row = s + (size_t)r * (size_t)b->ld, scale = (real)b->scale;
        const real *before = p.past + (size_t)r * (size_t)p.past_width;
        const real *after = p.future + (size_t)r * (size_t)p.future_width;
        for (int j = 0; j <= i; j++)
            row[j] += scale * (p.key[j] + before[i - j]);
        for (int j = i + 1; j < encoding_visible(c, i); j++)
            row[j] += scale * (p.key[j] + after[j - i]);
    }
}

/* Sorts scale * ds into gradients of past, future and key. */
static void scatter(const struct encoding_context *c, const struct encoding_block *b,
                    const struct parts *p, const real *ds)
{
    memset(p->key, 0, (size_t)c->layout->n * sizeof(real));
    memset(p->past, 0, (size_t)b->rows * (size_t)p->past_width * sizeof(real));
    if (!c->shape->past)
        memset(p->future, 0, (size_t)b->rows * (size_t)p->future_width * sizeof(real));
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        const real *row = ds + (size_t)r * (size_t)b->ld;
        real scale = (real)b->scale;
        real *before = p->past + (size_t)r * (size_t)p->past_width;
        real *after = p->future + (size_t)r * (size_t)p->future_width;
        for (int j = 0; j < encoding_visible(c, i); j++)
            p->key[j] += scale * row[j];
        for (int j = 0; j <= i; j++)
            before[i - j] = scale * row[j];
        for (int j = i + 1; j < encoding_visible(c, i); j++)
            after[j - i] = scale * row[j];
    }
}

/* One side's gradients to q, v and W R.  dproduct (rows, columns) is spoilt. */
static void side_backward(const struct encoding_context *c, const struct encoding_block *b,
                          const real *query, real *dproduct, int columns, size_t side)
{
    int d = c->shape->head_width, ld = sides(c) * c->shape->width;
    size_t at = side * (size_t)c->shape->width + (size_t)(b->head * d);
    real *dq = b->dq + (size_t)b->first * (size_t)b->stride;
    real *dv = c->gradient[V] + b->head * d;
    gemm(false, false, b->rows, d, columns, 1, dproduct, columns, c->state + at, ld, 1, dq,
         b->stride);
    gemm(true, false, columns, d, b->rows, 1, dproduct, columns, query, d, 1, c->dstate + at, ld);
    for (int r = 1; r < b->rows; r++) /* v is in every row */
        kernel()->add_forward((size_t)columns, dproduct + (size_t)r * (size_t)columns, dproduct);
    gemm(false, false, 1, d, columns, 1, dproduct, columns, c->state + at, ld, 1, dv, d);
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    struct parts p = parts_of(c, b);
    int n = c->layout->n, d = c->shape->head_width;
    scatter(c, b, &p, ds);
    side_backward(c, b, p.query, p.past, p.past_width, 0);
    if (!c->shape->past)
        side_backward(c, b, p.query, p.future, p.future_width, 1);
    gemm(false, false, 1, d, n, 1, p.key, n, b->k, b->stride, 1, c->gradient[U] + b->head * d, d);
    gemm(false, false, n, d, 1, 1, p.key, 1, c->parameter[U] + b->head * d, d, 1, b->dk, b->stride);
}

const struct encoding encoding_transformer_xl = {
    .name = "transformer-xl",
    .formula = "s = [(q_i+u).k_j + (q_i+v).(W R_{i-j})] / sqrt(d_h), R = [sin, cos]",
    .summary = "projected sinusoids of the offset, with learned queries u and v",
    .citation = "Dai et al. 2019, section 3.3",
    .relation_text = "offset",
    .longer = "any length",
    .axes_min = 1, .axes_max = 1,
    .check = check,
    .facts = encoding_facts_plain,
    .tensors = tensors,
    .relation = encoding_relation_offset,
    .state_size = state_size,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
};

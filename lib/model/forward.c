/* The forward pass, from a batch to hidden states, and the head. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

#define EPSILON ((real)1e-5) /* of LayerNorm, as in PyTorch */

static const real *at(const struct model *m, const real *p, int tensor)
{
    return p + m->tensors.item[tensor].offset;
}

/* y = beta y + x W', W (out,in) the tensor of that number. */
static void linear(const struct model *m, const real *p, const struct workspace *w, int tensor,
                   int rows, int in, int out, const real *x, real beta, real *y)
{
    size_t at = m->tensors.item[tensor].offset;
    if (linear_is_turned(in, out))
        gemm(false, false, rows, out, in, 1, x, in, w->state->turned + w->state->turned_at[tensor],
             out, beta, y, out);
    else
        gemm(false, true, rows, out, in, 1, x, in, p + at, in, beta, y, out);
}

/* y = LayerNorm(x) (rows,width). */
static void norm_forward(const struct model *m, const real *p, int gain, int bias, int rows,
                         const real *x, real *y, real *mean, real *rstd)
{
    kernel()->layernorm_forward(rows, m->width, EPSILON, x, at(m, p, gain), at(m, p, bias), y,
                                mean, rstd);
}

/* x in the rows inside, `all`. */
static void embed(const struct model *m, const real *p, const struct model_state *s,
                  const struct batch *b, const struct batch *all, struct workspace *w, real *x)
{
    size_t width = (size_t)m->width;
    real *start = m->embed_norm >= 0 ? w->embedded : x;
    const real *weight = at(m, p, m->embed);
    if (b->token) {
        for (int r = 0; r < b->rows; r++)
            memcpy(start + (size_t)r * width, weight + (size_t)b->token[r] * width,
                   width * sizeof(real));
    } else {
        linear(m, p, w, m->embed, b->rows, m->io.channels, m->width, b->x, 0, start);
        kernel()->bias_forward(b->rows, m->width, start, at(m, p, m->embed_bias), start);
    }
    prefix_spread(b, all, m->width, m->before ? at(m, p, m->prefix) : NULL, start);
    for (const struct layer_kind *kind = m->kind; kind < m->kind + m->kinds; kind++)
        for (int k = 0; k < b->samples && kind->input; k++) {
            struct encoding_context c =
                model_context(m, p, s, kind->first, all->layout[k], NULL, NULL);
            kind->encoding->input(&c, start + (size_t)all->first[k] * width);
        }
    if (m->embed_norm >= 0)
        norm_forward(m, p, m->embed_norm, m->embed_norm_bias, all->rows, start, x,
                     w->embed_mean, w->embed_rstd);
}

/* Rows from `at` on, of arrays of so many columns. */
struct rows {
    size_t at;
    int count;
};
#define FROM(array, columns) ((array) + rows.at * (size_t)(columns))

/* x to q, k, v. */
static void before_attention(const struct model *m, const real *p, const struct workspace *w, int k,
                             struct rows rows)
{
    const struct model_layer *l = &m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int width = m->width;
    real *qkv = FROM(c->qkv, 3 * width);
    if (m->config.norm == MODEL_NORM_PRE)
        norm_forward(m, p, l->norm1, l->norm1_bias, rows.count, FROM(c->x, width),
                     FROM(c->a_in, width), FROM(c->mean1, 1), FROM(c->rstd1, 1));
    linear(m, p, w, l->q, rows.count, width, 3 * width, FROM(c->a_in, width), 0, qkv);
    kernel()->bias_forward(rows.count, 3 * width, qkv, at(m, p, l->q_bias), qkv);
}

/* From what the heads give to the next block's x. */
static void after_attention(const struct model *m, const real *p, const struct workspace *w, int k,
                            struct rows rows, real *next)
{
    const struct model_layer *l = &m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int width = m->width, ffn = (int)m->config.ffn, norm = m->config.norm, n = rows.count;
    real *s1 = FROM(c->s1, width), *mid = FROM(c->mid, width), *f_in = FROM(c->f_in, width);
    kernel()->bias_forward(n, width, FROM(c->x, width), at(m, p, l->o_bias), s1);
    linear(m, p, w, l->o, n, width, width, FROM(c->o, width), 1, s1);
    if (norm == MODEL_NORM_POST)
        norm_forward(m, p, l->norm1, l->norm1_bias, n, s1, mid, FROM(c->mean1, 1),
                     FROM(c->rstd1, 1));

    if (norm == MODEL_NORM_PRE)
        norm_forward(m, p, l->norm2, l->norm2_bias, n, mid, f_in, FROM(c->mean2, 1),
                     FROM(c->rstd2, 1));
    linear(m, p, w, l->in, n, width, ffn, f_in, 0, FROM(c->h, ffn));
    kernel()->activation_forward(m->config.activation, n, ffn, FROM(c->h, ffn),
                                 at(m, p, l->in_bias), FROM(c->act, ffn));
    real *sum = norm == MODEL_NORM_POST ? FROM(c->s2, width) : FROM(next, width);
    kernel()->bias_forward(n, width, mid, at(m, p, l->out_bias), sum);
    linear(m, p, w, l->out, n, ffn, width, FROM(c->act, ffn), 1, sum);
    if (norm == MODEL_NORM_POST)
        norm_forward(m, p, l->norm2, l->norm2_bias, n, sum, FROM(next, width), FROM(c->mean2, 1),
                     FROM(c->rstd2, 1));
}

static void block_forward(const struct model *m, const real *p, const struct model_state *s,
                          const struct batch *b, struct workspace *w, int k, real *next)
{
    struct rows rows;
    int most = linear_rows();
    for (int at = 0; at < b->rows; at += rows.count) {
        rows = (struct rows){(size_t)at, b->rows - at < most ? b->rows - at : most};
        before_attention(m, p, w, k, rows);
    }
    attention_layer_forward(m, p, s, b, w, k);
    for (int at = 0; at < b->rows; at += rows.count) {
        rows = (struct rows){(size_t)at, b->rows - at < most ? b->rows - at : most};
        after_attention(m, p, w, k, rows, next);
    }
}

static void finish(const struct model *m, const real *p, struct workspace *w, int rows)
{
    int width = m->width;
    if (m->norm >= 0)
        norm_forward(m, p, m->norm, m->norm_bias, rows, w->last, w->normed, w->norm_mean,
                     w->norm_rstd);
    if (m->dense < 0)
        return;
    linear(m, p, w, m->dense, rows, width, width, m->norm >= 0 ? w->normed : w->last, 0,
           w->dense_h);
    kernel()->activation_forward(ACTIVATION_GELU, rows, width, w->dense_h, at(m, p, m->dense_bias),
                                 w->dense_act);
    norm_forward(m, p, m->head_norm, m->head_norm_bias, rows, w->dense_act, w->dense_out,
                 w->dense_mean, w->dense_rstd);
}

/* The mean of each sample's rows, in its first one. */
static void pool(const struct model *m, const struct batch *b, real *hidden)
{
    size_t width = (size_t)m->width;
    for (int k = 0; k < b->samples; k++) {
        int first = b->first[k], n = b->first[k + 1] - first;
        real *mean = hidden + (size_t)first * width;
        for (int r = 1; r < n; r++)
            kernel()->add_forward(width, mean + (size_t)r * width, mean);
        for (size_t c = 0; c < width; c++)
            mean[c] /= (real)n;
    }
}

void model_forward(const struct model *m, const real *p, const struct model_state *s,
                   const struct batch *b, struct workspace *w)
{
    int layers = (int)m->config.layers;
    struct batch all = prefix_batch(m, s, b, w);
    w->rows = all.rows;
    w->state = s;
    embed(m, p, s, b, &all, w, w->cache[0].x);
    for (int k = 0; k < layers; k++) {
        /* Without a backward pass all blocks share one cache: `last` is then the way on. */
        bool shared = !w->backward && k + 1 < layers;
        real *next = k + 1 < layers && w->backward ? w->cache[k + 1].x : w->last;
        block_forward(m, p, s, &all, w, k, next);
        if (shared)
            memcpy(w->cache[k + 1].x, w->last,
                   (size_t)all.rows * (size_t)m->width * sizeof(real));
    }
    prefix_gather(b, &all, m->width, NULL, w->last);
    finish(m, p, w, b->rows);
    if (m->config.pool == MODEL_POOL_MEAN)
        pool(m, b, w->hidden);
    if (w->backward)
        memset(w->dhidden, 0, (size_t)b->rows * (size_t)m->width * sizeof(real));
}

void model_output(const struct model *m, const real *p, struct workspace *w, int first, int rows,
                  real *out)
{
    int width = m->width, columns = model_outputs(m);
    linear(m, p, w, m->head, rows, width, columns, w->hidden + (size_t)first * (size_t)width, 0, out);
    kernel()->bias_forward(rows, columns, out, at(m, p, m->head_bias), out);
}

/* The forward pass, from a batch to hidden states, and the head. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

#define EPSILON ((real)1e-5) /* of LayerNorm, as in PyTorch */

static const real *at(const struct model *m, const real *p, int tensor)
{
    return p + m->tensors.item[tensor].offset;
}

/* y = beta y + x W^T, W (out,in). */
static void linear(int rows, int in, int out, const real *x, const real *weight, real beta, real *y)
{
    gemm(false, true, rows, out, in, 1, x, in, weight, in, beta, y, out);
}

/* y = LayerNorm(x) (rows,width). */
static void norm_forward(const struct model *m, const real *p, int gain, int bias, int rows,
                         const real *x, real *y, real *mean, real *rstd)
{
    kernel()->layernorm_forward(rows, m->shape.width, EPSILON, x, at(m, p, gain), at(m, p, bias), y,
                                mean, rstd);
}

static void embed(const struct model *m, const real *p, const struct model_state *s,
                  const struct batch *b, struct workspace *w, real *x)
{
    size_t width = (size_t)m->shape.width;
    real *start = m->embed_norm >= 0 ? w->embedded : x;
    const real *weight = at(m, p, m->embed);
    if (b->token) {
        for (int r = 0; r < b->rows; r++)
            memcpy(start + (size_t)r * width, weight + (size_t)b->token[r] * width,
                   width * sizeof(real));
    } else {
        linear(b->rows, m->io.channels, m->shape.width, b->x, weight, 0, start);
        kernel()->bias_forward(b->rows, m->shape.width, start, at(m, p, m->embed_bias), start);
    }
    for (int k = 0; k < b->samples && m->encoding->input; k++) {
        struct encoding_context c = model_context(m, p, s, 0, b->layout[k], NULL, NULL);
        m->encoding->input(&c, start + (size_t)b->first[k] * width);
    }
    if (m->embed_norm >= 0)
        norm_forward(m, p, m->embed_norm, m->embed_norm_bias, b->rows, start, x,
                     w->embed_mean, w->embed_rstd);
}

static void block_forward(const struct model *m, const real *p, const struct model_state *s,
                          const struct batch *b, struct workspace *w, int k, real *next)
{
    const struct model_layer *l = &m->layer[k];
    struct block_cache *c = &w->cache[k];
    int rows = b->rows, width = m->shape.width, ffn = (int)m->config.ffn, norm = m->config.norm;

    if (norm == MODEL_NORM_PRE)
        norm_forward(m, p, l->norm1, l->norm1_bias, rows, c->x, c->a_in, c->mean1, c->rstd1);
    linear(rows, width, 3 * width, c->a_in, at(m, p, l->q), 0, c->qkv); /* q, k, v in one */
    kernel()->bias_forward(rows, 3 * width, c->qkv, at(m, p, l->q_bias), c->qkv);
    attention_layer_forward(m, p, s, b, w, k);
    kernel()->bias_forward(rows, width, c->x, at(m, p, l->o_bias), c->s1);
    linear(rows, width, width, c->o, at(m, p, l->o), 1, c->s1);
    if (norm == MODEL_NORM_POST)
        norm_forward(m, p, l->norm1, l->norm1_bias, rows, c->s1, c->mid, c->mean1, c->rstd1);

    if (norm == MODEL_NORM_PRE)
        norm_forward(m, p, l->norm2, l->norm2_bias, rows, c->mid, c->f_in, c->mean2, c->rstd2);
    linear(rows, width, ffn, c->f_in, at(m, p, l->in), 0, c->h);
    kernel()->activation_forward(m->config.activation, rows, ffn, c->h, at(m, p, l->in_bias),
                                 c->act);
    real *sum = norm == MODEL_NORM_POST ? c->s2 : next;
    kernel()->bias_forward(rows, width, c->mid, at(m, p, l->out_bias), sum);
    linear(rows, ffn, width, c->act, at(m, p, l->out), 1, sum);
    if (norm == MODEL_NORM_POST)
        norm_forward(m, p, l->norm2, l->norm2_bias, rows, c->s2, next, c->mean2, c->rstd2);
}

static void finish(const struct model *m, const real *p, struct workspace *w, int rows)
{
    int width = m->shape.width;
    if (m->norm >= 0)
        norm_forward(m, p, m->norm, m->norm_bias, rows, w->last, w->normed, w->norm_mean,
                     w->norm_rstd);
    if (m->dense < 0)
        return;
    linear(rows, width, width, m->norm >= 0 ? w->normed : w->last, at(m, p, m->dense), 0,
           w->dense_h);
    kernel()->activation_forward(ACTIVATION_GELU, rows, width, w->dense_h, at(m, p, m->dense_bias),
                                 w->dense_act);
    norm_forward(m, p, m->head_norm, m->head_norm_bias, rows, w->dense_act, w->dense_out,
                 w->dense_mean, w->dense_rstd);
}

void model_forward(const struct model *m, const real *p, const struct model_state *s,
                   const struct batch *b, struct workspace *w)
{
    int layers = (int)m->config.layers;
    w->rows = b->rows;
    embed(m, p, s, b, w, w->cache[0].x);
    for (int k = 0; k < layers; k++) {
        /* Without a backward pass all blocks share one cache: `last` is then the way on. */
        bool shared = !w->backward && k + 1 < layers;
        real *next = k + 1 < layers && w->backward ? w->cache[k + 1].x : w->last;
        block_forward(m, p, s, b, w, k, next);
        if (shared)
            memcpy(w->cache[k + 1].x, w->last,
                   (size_t)b->rows * (size_t)m->shape.width * sizeof(real));
    }
    finish(m, p, w, b->rows);
    if (w->backward)
        memset(w->dhidden, 0, (size_t)b->rows * (size_t)m->shape.width * sizeof(real));
}

static int outputs(const struct model *m)
{
    return m->io.channels > 0 ? m->io.channels : m->io.labels;
}

void model_output(const struct model *m, const real *p, struct workspace *w, int first, int rows,
                  real *out)
{
    int width = m->shape.width, columns = outputs(m);
    linear(rows, width, columns, w->hidden + (size_t)first * (size_t)width, at(m, p, m->head), 0,
           out);
    kernel()->bias_forward(rows, columns, out, at(m, p, m->head_bias), out);
}

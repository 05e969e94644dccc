/* The backward pass.  Invariant: `dstream` holds the gradient of the residual stream and walks from
 * the last block to the first; gradients of parameters only ever accumulate. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

/* Where a model's parameters and gradients are. */
struct blocks {
    const struct model *m;
    const real *p;
    real *g;
};

static const real *at(const struct blocks *b, int tensor)
{
    return b->p + b->m->tensors.item[tensor].offset;
}

static real *grad(const struct blocks *b, int tensor)
{
    return b->g + b->m->tensors.item[tensor].offset;
}

/* Of y = x W^T + bias: dW += dy^T x, dbias += column sums of dy, dx = beta dx + dy W (dx NULL: not
 * wanted). */
static void linear_backward(const struct blocks *b, int weight, int bias, int rows, int in, int out,
                            const real *x, const real *dy, real beta, real *dx)
{
    gemm(true, false, out, in, rows, 1, dy, out, x, in, 1, grad(b, weight), in);
    kernel()->bias_backward(rows, out, dy, out, grad(b, bias));
    if (dx)
        gemm(false, false, rows, in, out, 1, dy, out, at(b, weight), in, beta, dx, in);
}

/* dx = gradient through y = LayerNorm(x); overwrites dx. */
static void norm_backward(const struct blocks *b, int gain, int bias, int rows, const real *x,
                          const real *mean, const real *rstd, const real *dy, real *dx)
{
    int width = b->m->width;
    memset(dx, 0, (size_t)rows * (size_t)width * sizeof(real));
    kernel()->layernorm_backward(rows, width, x, at(b, gain), mean, rstd, dy, dx, grad(b, gain),
                                 grad(b, bias));
}

void model_output_backward(const struct model *m, const real *p, struct workspace *w, int first,
                           int rows, const real *dout, real *gradient)
{
    struct blocks b = {m, p, gradient};
    int width = m->width, columns = model_outputs(m);
    size_t from = (size_t)first * (size_t)width;
    linear_backward(&b, m->head, m->head_bias, rows, width, columns, w->hidden + from, dout, 1,
                    w->dhidden + from);
}

/* From dhidden to dstream, the gradient of the last block's output. */
static void finish_backward(const struct blocks *b, const struct batch *batch, struct workspace *w)
{
    const struct model *m = b->m;
    int rows = batch->rows, width = m->width;
    real *d = w->dhidden;
    if (m->dense >= 0) {
        norm_backward(b, m->head_norm, m->head_norm_bias, rows, w->dense_act, w->dense_mean,
                      w->dense_rstd, d, w->dtmp);
        kernel()->activation_backward(rows, width, w->dense_h, w->dtmp, w->dtmp,
                                      grad(b, m->dense_bias));
        gemm(true, false, width, width, rows, 1, w->dtmp, width,
             m->norm >= 0 ? w->normed : w->last, width, 1, grad(b, m->dense), width);
        gemm(false, false, rows, width, width, 1, w->dtmp, width, at(b, m->dense), width, 0, d,
             width);
    }
    if (m->norm >= 0)
        norm_backward(b, m->norm, m->norm_bias, rows, w->last, w->norm_mean, w->norm_rstd, d,
                      w->dstream);
    else
        memcpy(w->dstream, d, (size_t)rows * (size_t)width * sizeof(real));
}

/* dstream: of the feed-forward half's output -> of `mid`. */
static void ffn_backward(const struct blocks *b, struct workspace *w, int k)
{
    const struct model *m = b->m;
    const struct model_layer *l = &m->layer[k];
    struct block_cache *c = &w->cache[k];
    int rows = w->rows, width = m->width, ffn = (int)m->config.ffn, norm = m->config.norm;
    real *d = w->dstream;
    if (norm == MODEL_NORM_POST) {
        norm_backward(b, l->norm2, l->norm2_bias, rows, c->s2, c->mean2, c->rstd2, d, w->dtmp);
        memcpy(d, w->dtmp, (size_t)rows * (size_t)width * sizeof(real));
    }
    linear_backward(b, l->out, l->out_bias, rows, ffn, width, c->act, d, 0, w->dwide);
    kernel()->activation_backward(rows, ffn, c->h, w->dwide, w->dwide, grad(b, l->in_bias));
    gemm(true, false, ffn, width, rows, 1, w->dwide, ffn, c->f_in, width, 1, grad(b, l->in), width);
    bool pre = norm == MODEL_NORM_PRE;
    gemm(false, false, rows, width, ffn, 1, w->dwide, ffn, at(b, l->in), width, pre ? 0 : 1,
         pre ? w->dtmp : d, width);
    if (pre)
        kernel()->layernorm_backward(rows, width, c->mid, at(b, l->norm2), c->mean2, c->rstd2,
                                     w->dtmp, d, grad(b, l->norm2), grad(b, l->norm2_bias));
}

/* dstream: of `mid` -> of x. */
static void attention_half_backward(const struct blocks *b, const struct model_state *s,
                                    const struct batch *batch, struct workspace *w, int k,
                                    real *dstate)
{
    const struct model *m = b->m;
    const struct model_layer *l = &m->layer[k];
    struct block_cache *c = &w->cache[k];
    int rows = w->rows, width = m->width, norm = m->config.norm;
    real *d = w->dstream;
    if (norm == MODEL_NORM_POST) {
        norm_backward(b, l->norm1, l->norm1_bias, rows, c->s1, c->mean1, c->rstd1, d, w->dtmp);
        memcpy(d, w->dtmp, (size_t)rows * (size_t)width * sizeof(real));
    }
    linear_backward(b, l->o, l->o_bias, rows, width, width, c->o, d, 0, w->do_);
    attention_layer_backward(m, b->p, s, batch, w, k, b->g, dstate);
    bool pre = norm == MODEL_NORM_PRE;
    linear_backward(b, l->q, l->q_bias, rows, width, 3 * width, c->a_in, w->dqkv, pre ? 0 : 1,
                    pre ? w->dtmp : d);
    attention_content_backward(m, b->p, s, batch, w, k, b->g, pre ? w->dtmp : d);
    if (pre)
        kernel()->layernorm_backward(rows, width, c->x, at(b, l->norm1), c->mean1, c->rstd1,
                                     w->dtmp, d, grad(b, l->norm1), grad(b, l->norm1_bias));
}

static void embed_backward(const struct blocks *b, const struct model_state *s,
                           const struct batch *batch, const struct batch *all, struct workspace *w,
                           real *dx)
{
    const struct model *m = b->m;
    int width = m->width;
    real *d = w->dstream;
    if (m->embed_norm >= 0) {
        norm_backward(b, m->embed_norm, m->embed_norm_bias, w->rows, w->embedded, w->embed_mean,
                      w->embed_rstd, d, w->dtmp);
        d = w->dtmp;
    }
    for (const struct layer_kind *kind = m->kind; kind < m->kind + m->kinds; kind++)
        for (int k = 0; k < batch->samples && kind->input && kind->encoding->input_backward; k++) {
            struct encoding_context c =
                model_context(m, b->p, s, kind->first, all->layout[k], b->g, NULL);
            kind->encoding->input_backward(&c, d + (size_t)all->first[k] * (size_t)width);
        }
    prefix_gather(batch, all, width, m->before ? grad(b, m->prefix) : NULL, d);
    if (batch->token) {
        real *table = grad(b, m->embed);
        for (int r = 0; r < batch->rows; r++)
            kernel()->add_forward((size_t)width, d + (size_t)r * (size_t)width,
                                  table + (size_t)batch->token[r] * (size_t)width);
        return;
    }
    linear_backward(b, m->embed, m->embed_bias, batch->rows, m->io.channels, width, batch->x, d, 0,
                    dx);
}

void model_backward(const struct model *m, const real *p, const struct model_state *s,
                    const struct batch *batch, struct workspace *w, real *gradient, real *dstate,
                    real *dx)
{
    struct blocks b = {m, p, gradient};
    struct batch all = prefix_batch(m, s, batch, w);
    finish_backward(&b, batch, w);
    prefix_spread(batch, &all, m->width, NULL, w->dstream);
    for (int k = (int)m->config.layers - 1; k >= 0; k--) {
        ffn_backward(&b, w, k);
        attention_half_backward(&b, s, &all, w, k, dstate);
    }
    embed_backward(&b, s, batch, &all, w, dx);
}

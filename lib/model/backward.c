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

/* dx += gradient through the norm of x, which has no bias where it is RMSNorm. */
static void norm_add_backward(const struct blocks *b, int gain, int bias, int rows, const real *x,
                              const real *mean, const real *rstd, const real *dy, real *dx)
{
    kernel()->layernorm_backward(rows, b->m->width, x, at(b, gain), mean, rstd, dy, dx,
                                 grad(b, gain), bias < 0 ? NULL : grad(b, bias));
}

/* The same; overwrites dx. */
static void norm_backward(const struct blocks *b, int gain, int bias, int rows, const real *x,
                          const real *mean, const real *rstd, const real *dy, real *dx)
{
    int width = b->m->width;
    memset(dx, 0, (size_t)rows * (size_t)width * sizeof(real));
    norm_add_backward(b, gain, bias, rows, x, mean, rstd, dy, dx);
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

/* The gradient of a sample's mean, in its first row, goes to all of its rows. */
static void pool_backward(const struct model *m, const struct batch *batch, real *d)
{
    size_t width = (size_t)m->width;
    for (int k = 0; k < batch->samples; k++) {
        int first = batch->first[k], n = batch->first[k + 1] - first;
        real *mean = d + (size_t)first * width;
        for (size_t c = 0; c < width; c++)
            mean[c] /= (real)n;
        for (int r = 1; r < n; r++)
            kernel()->add_forward(width, mean, mean + (size_t)r * width);
    }
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

/* Of a part's sum, its norms and what they were applied to; returns where the gradient of the part's
 * last linear layer is: dstream, or dtmp behind a norm of its own. */
static const real *end_part_backward(const struct blocks *b, struct workspace *w, bool attention,
                                     int k)
{
    const struct model_layer *l = &b->m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int rows = w->rows, norm = b->m->config.norm;
    bool branch = norm == MODEL_NORM_BRANCH;
    int own = attention ? l->norm1 : l->norm2, own_bias = attention ? l->norm1_bias : l->norm2_bias;
    real *d = w->dstream;
    if (norm == MODEL_NORM_POST) {
        norm_backward(b, own, own_bias, rows, attention ? c->s1 : c->s2,
                      attention ? c->mean1 : c->mean2, attention ? c->rstd1 : c->rstd2, d, w->dtmp);
        memcpy(d, w->dtmp, (size_t)rows * (size_t)b->m->width * sizeof(real));
    }
    if (!model_norm_after(&b->m->config))
        return d;
    int after = attention ? l->after1 : l->after2;
    int after_bias = attention ? l->after1_bias : l->after2_bias;
    norm_backward(b, branch ? own : after, branch ? own_bias : after_bias, rows,
                  attention ? c->b1 : c->b2, attention ? c->after_mean1 : c->after_mean2,
                  attention ? c->after_rstd1 : c->after_rstd2, d, w->dtmp);
    return w->dtmp;
}

/* Whether layer k convolves there, and if so from dy, of what it gave, dx, of x. */
static bool mix_backward(const struct blocks *b, const struct batch *batch, int k,
                         enum convolved_place place, int part, const real *x, const real *dy, real *dx)
{
    if (!convolution_at(&b->m->layer[k].kind->config.convolution, place))
        return false;
    struct convolved c = convolved_of(b->m, k, place, part, batch, b->p, b->g);
    convolved_backward(&c, x, dy, dx);
    return true;
}

/* dwide: of the hidden layer -> of its linear layers' outputs, in dwide and dup. */
static void hidden_layer_backward(const struct blocks *b, const struct batch *batch, struct workspace *w,
                                  int k)
{
    const struct model_layer *l = &b->m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int rows = w->rows, ffn = (int)b->m->config.ffn;
    size_t count = (size_t)rows * (size_t)ffn;
    bool mixed = convolution_at(&l->kind->config.convolution, CONVOLVED_HIDDEN);
    for (size_t i = 0; b->m->config.gated && i < count; i++) {
        w->dup[i] = w->dwide[i] * c->act[i];
        w->dwide[i] *= c->up[i];
    }
    kernel()->activation_backward(rows, ffn, c->h, w->dwide, w->dwide,
                                  mixed ? w->unread : grad(b, l->in_bias));
    if (!mixed)
        return;
    mix_backward(b, batch, k, CONVOLVED_HIDDEN, 0, c->h_plain, w->dwide, w->dhidden_plain);
    memcpy(w->dwide, w->dhidden_plain, count * sizeof(real));
    kernel()->bias_backward(rows, ffn, w->dwide, ffn, grad(b, l->in_bias));
    if (!b->m->config.gated)
        return;
    mix_backward(b, batch, k, CONVOLVED_HIDDEN, 1, c->up_plain, w->dup, w->dhidden_plain);
    memcpy(w->dup, w->dhidden_plain, count * sizeof(real));
}

/* A part's input and the norm before it, if any, from dtmp, its gradient behind a convolution; where
 * there is neither the gradient is in dstream already. */
static void begin_part_backward(const struct blocks *b, const struct batch *batch,
                                struct workspace *w, bool attention, int k)
{
    const struct model_layer *l = &b->m->layer[k];
    const struct block_cache *c = &w->cache[k];
    size_t count = (size_t)w->rows * (size_t)b->m->width;
    bool mixed = mix_backward(b, batch, k, attention ? CONVOLVED_INPUT : CONVOLVED_FFN, 0,
                              attention ? c->a_in : c->f_in, w->dtmp, w->dmixed);
    const real *d = mixed ? w->dmixed : w->dtmp;
    if (model_norm_before(&b->m->config))
        norm_add_backward(b, attention ? l->norm1 : l->norm2,
                          attention ? l->norm1_bias : l->norm2_bias, w->rows,
                          attention ? c->x : c->mid, attention ? c->mean1 : c->mean2,
                          attention ? c->rstd1 : c->rstd2, d, w->dstream);
    else if (mixed)
        kernel()->add_forward(count, d, w->dstream);
}

/* dstream: of the feed-forward half's output -> of `mid`. */
static void ffn_backward(const struct blocks *b, const struct batch *batch, struct workspace *w,
                         int k)
{
    const struct model *m = b->m;
    const struct model_layer *l = &m->layer[k];
    struct block_cache *c = &w->cache[k];
    int rows = w->rows, width = m->width, ffn = (int)m->config.ffn;
    real *d = w->dstream;
    const real *dout = end_part_backward(b, w, false, k);
    linear_backward(b, l->out, l->out_bias, rows, ffn, width, c->product, dout, 0, w->dwide);
    hidden_layer_backward(b, batch, w, k);
    bool mixed = convolution_at(&l->kind->config.convolution, CONVOLVED_FFN);
    bool apart = mixed || model_norm_before(&m->config);
    const real *f_in = mixed ? c->f_mixed : c->f_in;
    gemm(true, false, ffn, width, rows, 1, w->dwide, ffn, f_in, width, 1, grad(b, l->in), width);
    gemm(false, false, rows, width, ffn, 1, w->dwide, ffn, at(b, l->in), width, apart ? 0 : 1,
         apart ? w->dtmp : d, width);
    if (m->config.gated)
        linear_backward(b, l->up, l->up_bias, rows, width, ffn, f_in, w->dup, 1,
                        apart ? w->dtmp : d);
    begin_part_backward(b, batch, w, false, k);
}

/* do_: of gated outputs -> of outputs; dgate: of what the gate's sigmoid is of. */
static void gate_heads_backward(const struct blocks *b, struct workspace *w, int k)
{
    const struct block_cache *c = &w->cache[k];
    size_t count = (size_t)w->rows * (size_t)b->m->width;
    for (size_t i = 0; i < count && b->m->config.output_gate; i++) {
        w->dgate[i] = w->do_[i] * c->o[i] * c->gate[i] * (1 - c->gate[i]);
        w->do_[i] *= c->gate[i];
    }
}

/* dqkv: of values as attention took them -> of the layer's own; dfirst collects the first layer's. */
static void mix_values_backward(const struct model *m, struct workspace *w, int k)
{
    size_t width = (size_t)m->width;
    int values = m->config.values;
    for (size_t r = 0; r < (size_t)w->rows && values != MODEL_VALUES_OWN; r++) {
        real *dv = w->dqkv + (3 * r + 2) * width, *first = w->dfirst + r * width;
        for (size_t c = 0; c < width; c++) {
            real d = values == MODEL_VALUES_MEAN ? (real)0.5 * dv[c] : dv[c];
            first[c] = k ? first[c] + d : first[c];
            dv[c] = !k ? dv[c] + first[c] : values == MODEL_VALUES_MEAN ? d : 0;
        }
    }
}

/* From the layout of heads to (rows,qkv_width): a head's gradient is the sum over its group. */
static void gather_heads(const struct model *m, int rows, const real *dqkv, real *narrow)
{
    int width = m->width, d = m->head_width, group = m->heads / m->kv_heads;
    for (int r = 0; r < rows; r++, narrow += m->qkv_width, dqkv += 3 * width) {
        memcpy(narrow, dqkv, (size_t)width * sizeof *narrow);
        memset(narrow + width, 0, (size_t)(m->qkv_width - width) * sizeof *narrow);
        for (int h = 0; h < 2 * m->heads; h++)
            for (int c = 0; c < d; c++)
                narrow[width + h / group * d + c] += dqkv[width + h * d + c];
    }
}

/* dstream: of `mid` -> of x. */
static void attention_half_backward(const struct blocks *b, const struct model_state *s,
                                    const struct batch *batch, struct workspace *w, int k,
                                    real *dstate)
{
    const struct model *m = b->m;
    const struct model_layer *l = &m->layer[k];
    struct block_cache *c = &w->cache[k];
    int rows = w->rows, width = m->width;
    real *d = w->dstream;
    const real *dout = end_part_backward(b, w, true, k), *dqkv = w->dqkv;
    linear_backward(b, l->o, l->o_bias, rows, width, width, c->gated, dout, 0, w->do_);
    gate_heads_backward(b, w, k);
    attention_layer_backward(m, b->p, s, batch, w, k, b->g, dstate);
    mix_values_backward(m, w, k);
    if (m->kv_heads < m->heads) {
        gather_heads(m, rows, w->dqkv, w->narrow);
        dqkv = w->narrow;
    }
    if (mix_backward(b, batch, k, CONVOLVED_QKV, 0, c->projected, dqkv, w->dprojected))
        dqkv = w->dprojected;
    bool mixed = convolution_at(&l->kind->config.convolution, CONVOLVED_INPUT);
    bool apart = mixed || model_norm_before(&m->config);
    linear_backward(b, l->q, l->q_bias, rows, width, m->qkv_width, mixed ? c->a_mixed : c->a_in, dqkv,
                    apart ? 0 : 1, apart ? w->dtmp : d);
    if (l->gate >= 0)
        linear_backward(b, l->gate, l->gate_bias, rows, width, width, attention_input(m, w, k),
                        w->dgate, 1, apart ? w->dtmp : d);
    attention_content_backward(m, b->p, s, batch, w, k, b->g, apart ? w->dtmp : d);
    begin_part_backward(b, batch, w, true, k);
}

static void embed_backward(const struct blocks *b, const struct model_state *s,
                           const struct batch *batch, const struct batch *all, struct workspace *w,
                           real *dstate, real *dx)
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
                model_context(m, b->p, s, kind->first, all->layout[k], b->g, dstate);
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
    if (m->config.pool == MODEL_POOL_MEAN)
        pool_backward(m, batch, w->dhidden);
    finish_backward(&b, batch, w);
    prefix_spread(batch, &all, m->width, NULL, w->dstream);
    if (m->config.values != MODEL_VALUES_OWN)
        memset(w->dfirst, 0, (size_t)all.rows * (size_t)m->width * sizeof(real));
    for (int k = (int)m->config.layers - 1; k >= 0; k--) {
        ffn_backward(&b, &all, w, k);
        attention_half_backward(&b, s, &all, w, k, dstate);
    }
    embed_backward(&b, s, batch, &all, w, dstate, dx);
}

/* The forward pass, from a batch to hidden states, and the head. */
#include <math.h>
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

/* y = LayerNorm(x), or RMSNorm(x) where there is no bias (rows,width). */
static void norm_forward(const struct model *m, const real *p, int gain, int bias, int rows,
                         const real *x, real *y, real *mean, real *rstd)
{
    kernel()->layernorm_forward(rows, m->width, EPSILON, x, at(m, p, gain),
                                bias < 0 ? NULL : at(m, p, bias), y, mean, rstd);
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

/* q, k, v (rows,qkv_width) to the layout of heads (rows,3 width): each head of k and of v for all
 * queries of its group. */
static void repeat_heads(const struct model *m, int rows, const real *narrow, real *qkv)
{
    int width = m->width, d = m->head_width, group = m->heads / m->kv_heads;
    for (int r = 0; r < rows; r++, narrow += m->qkv_width, qkv += 3 * width) {
        memcpy(qkv, narrow, (size_t)width * sizeof *qkv);
        for (int h = 0; h < 2 * m->heads; h++)
            memcpy(qkv + width + h * d, narrow + width + h / group * d, (size_t)d * sizeof *qkv);
    }
}

/* The rows of x, convolved into y where layer k does so at this place; returns which of the two goes
 * on. */
static const real *mix(const struct model *m, const real *p, const struct batch *b, int k,
                       enum convolved_place place, int part, const real *x, real *y)
{
    if (!convolution_at(&m->layer[k].kind->config.convolution, place))
        return x;
    struct convolved c = convolved_of(m, k, place, part, b, p, NULL);
    convolved_forward(&c, x, y);
    return y;
}

/* x to q, k, v. */
static void before_attention(const struct model *m, const real *p, const struct batch *b,
                             const struct workspace *w, int k)
{
    const struct model_layer *l = &m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int width = m->width, rows = b->rows;
    bool grouped = m->kv_heads < m->heads;
    bool mixed = convolution_at(&l->kind->config.convolution, CONVOLVED_QKV);
    real *end = grouped ? w->narrow : c->qkv, *qkv = mixed ? c->projected : end;
    if (model_norm_before(&m->config))
        norm_forward(m, p, l->norm1, l->norm1_bias, rows, c->x, c->a_in, c->mean1, c->rstd1);
    const real *a_in = mix(m, p, b, k, CONVOLVED_INPUT, 0, c->a_in, c->a_mixed);
    linear(m, p, w, l->q, rows, width, m->qkv_width, a_in, 0, qkv);
    kernel()->bias_forward(rows, m->qkv_width, qkv, at(m, p, l->q_bias), qkv);
    mix(m, p, b, k, CONVOLVED_QKV, 0, c->projected, end);
    if (grouped)
        repeat_heads(m, rows, end, c->qkv);
}

/* The first layer's values are kept, and mixed into those of the others (Zhou et al. 2024,
 * Zcchill/Value-Residual-Learning). */
static void mix_values(const struct model *m, const struct workspace *w, int k, int rows)
{
    size_t width = (size_t)m->width;
    for (size_t r = 0; r < (size_t)rows && m->config.values != MODEL_VALUES_OWN; r++) {
        real *v = w->cache[k].qkv + (3 * r + 2) * width, *first = w->first_values + r * width;
        if (k == 0)
            memcpy(first, v, width * sizeof *v);
        else if (m->config.values == MODEL_VALUES_FIRST)
            memcpy(v, first, width * sizeof *v);
        for (size_t c = 0; c < width && k && m->config.values == MODEL_VALUES_MEAN; c++)
            v[c] = (real)0.5 * (v[c] + first[c]);
    }
}

/* What heads give, times sigmoid(gate x) where there is a gate (Qiu et al. 2025,
 * qiuzh20/gated_attention). */
static void gate_heads(const struct model *m, const real *p, const struct workspace *w, int k,
                       int n)
{
    const struct model_layer *l = &m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int width = m->width;
    if (l->gate < 0)
        return;
    real *gate = c->gate, *gated = c->gated, *o = c->o;
    linear(m, p, w, l->gate, n, width, width, attention_input(m, w, k), 0, gate);
    kernel()->bias_forward(n, width, gate, at(m, p, l->gate_bias), gate);
    for (size_t i = 0; i < (size_t)n * (size_t)width; i++) {
        gate[i] = 1 / (1 + REAL_MATH(exp)(-gate[i]));
        gated[i] = o[i] * gate[i];
    }
}

/* A part of a block: its last linear layer, the norms behind it, and where their inputs are kept. */
struct part {
    int weight, bias, norm, norm_bias, after, after_bias;
    real *branch, *sum, *mean, *rstd, *after_mean, *after_rstd;
};

static struct part part_of(const struct model *m, int weight, int bias, int norm, int norm_bias,
                           int after, int after_bias)
{
    bool branch = m->config.norm == MODEL_NORM_BRANCH;
    return (struct part){.weight = weight, .bias = bias, .norm = norm, .norm_bias = norm_bias,
                         .after = branch ? norm : after,
                         .after_bias = branch ? norm_bias : after_bias};
}

/* y = x + what the part adds from its last hidden layer (n,in), with the norms behind it. */
static void end_part(const struct model *m, const real *p, const struct workspace *w,
                     const struct part *t, int n, int in, const real *hidden, const real *x, real *y)
{
    int width = m->width;
    real *sum = m->config.norm == MODEL_NORM_POST ? t->sum : y;
    if (!model_norm_after(&m->config)) {
        kernel()->bias_forward(n, width, x, at(m, p, t->bias), sum);
        linear(m, p, w, t->weight, n, in, width, hidden, 1, sum);
    } else {
        linear(m, p, w, t->weight, n, in, width, hidden, 0, t->branch);
        kernel()->bias_forward(n, width, t->branch, at(m, p, t->bias), t->branch);
        norm_forward(m, p, t->after, t->after_bias, n, t->branch, sum, t->after_mean,
                     t->after_rstd);
        kernel()->add_forward((size_t)n * (size_t)width, x, sum);
    }
    if (m->config.norm == MODEL_NORM_POST)
        norm_forward(m, p, t->norm, t->norm_bias, n, sum, y, t->mean, t->rstd);
}

/* act(in x), times up x where the network is gated; leaves it in the cache's product. */
static void hidden_layer(const struct model *m, const real *p, const struct batch *b,
                         const struct workspace *w, int k)
{
    const struct model_layer *l = &m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int width = m->width, ffn = (int)m->config.ffn, n = b->rows;
    bool mixed = convolution_at(&l->kind->config.convolution, CONVOLVED_HIDDEN);
    real *h = mixed ? c->h_plain : c->h;
    const real *f_in = mix(m, p, b, k, CONVOLVED_FFN, 0, c->f_in, c->f_mixed);
    linear(m, p, w, l->in, n, width, ffn, f_in, 0, h);
    if (mixed) {
        kernel()->bias_forward(n, ffn, h, at(m, p, l->in_bias), h);
        mix(m, p, b, k, CONVOLVED_HIDDEN, 0, c->h_plain, c->h);
    }
    kernel()->activation_forward(m->config.activation, n, ffn, c->h,
                                 mixed ? w->zeros : at(m, p, l->in_bias), c->act);
    if (!m->config.gated)
        return;
    real *plain = mixed ? c->up_plain : c->up;
    linear(m, p, w, l->up, n, width, ffn, f_in, 0, plain);
    kernel()->bias_forward(n, ffn, plain, at(m, p, l->up_bias), plain);
    mix(m, p, b, k, CONVOLVED_HIDDEN, 1, c->up_plain, c->up);
    for (size_t i = 0; i < (size_t)n * (size_t)ffn; i++)
        c->product[i] = c->act[i] * c->up[i];
}

/* From what the heads give to the next block's x. */
static void after_attention(const struct model *m, const real *p, const struct batch *b,
                            const struct workspace *w, int k, real *next)
{
    const struct model_layer *l = &m->layer[k];
    const struct block_cache *c = &w->cache[k];
    int width = m->width, ffn = (int)m->config.ffn, n = b->rows;
    struct part attention = part_of(m, l->o, l->o_bias, l->norm1, l->norm1_bias, l->after1,
                                    l->after1_bias);
    struct part network = part_of(m, l->out, l->out_bias, l->norm2, l->norm2_bias, l->after2,
                                  l->after2_bias);
    attention.sum = c->s1, attention.branch = c->b1, attention.mean = c->mean1;
    attention.rstd = c->rstd1;
    attention.after_mean = c->after_mean1, attention.after_rstd = c->after_rstd1;
    network.sum = c->s2, network.branch = c->b2, network.mean = c->mean2;
    network.rstd = c->rstd2;
    network.after_mean = c->after_mean2, network.after_rstd = c->after_rstd2;
    gate_heads(m, p, w, k, n);
    end_part(m, p, w, &attention, n, width, c->gated, c->x, c->mid);
    if (model_norm_before(&m->config))
        norm_forward(m, p, l->norm2, l->norm2_bias, n, c->mid, c->f_in, c->mean2, c->rstd2);
    hidden_layer(m, p, b, w, k);
    end_part(m, p, w, &network, n, ffn, c->product, c->mid, next);
}

static void block_forward(const struct model *m, const real *p, const struct model_state *s,
                          const struct batch *b, struct workspace *w, int k, real *next)
{
    before_attention(m, p, b, w, k);
    mix_values(m, w, k, b->rows);
    attention_layer_forward(m, p, s, b, w, k);
    after_attention(m, p, b, w, k, next);
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

/* Attention over the batch: the fused kernel where the encoding is a function of the relation, and
 * blocks of whole query rows with the encoding's hooks otherwise.
 *
 *   s = scale q k^T + hook          a = softmax(s)         p = a * C
 *   o = p v + hook
 * Backward recomputes s and a from lse:
 *   dp = do v^T + hook   dv += p^T do   dC += dp * a   da = dp * C   ds = a (da - sum_j a da)
 *   ds -> hook           dq += scale ds k              dk += scale ds^T q
 * Invariant: nothing of size n x n is held; the block's scratch is R x n. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

/* One sample and head. */
struct head {
    const struct model *m;
    const struct encoding_context *c;
    struct workspace *w;
    int n, index, width;      /* width: d_h */
    const real *q, *k, *v, *bias, *table;
    real *dq, *dk, *dv, *dbias, *dtable;
    const real *dout;
    real *o, *lse;
};

bool attention_is_fused(const struct model *m)
{
    const struct encoding *enc = m->encoding;
    return !enc->value && (m->facts.relation_bias || !enc->logits);
}

static struct attention_shape fused_shape(const struct model *m, const struct layout *l)
{
    return (struct attention_shape){.n = l->n,
                                    .head_width = m->shape.head_width,
                                    .low = -l->n,
                                    .high = m->shape.causal ? 0 : l->n,
                                    .scale = (real)m->facts.scale,
                                    .stride = 3 * m->shape.width,
                                    .output_stride = m->shape.width,
                                    .relations = l->relations,
                                    .origin = l->origin,
                                    .relation = l->relation};
}

static struct encoding_block block_of(const struct head *h, int first, int rows)
{
    return (struct encoding_block){.head = h->index,
                                   .first = first,
                                   .rows = rows,
                                   .q = h->q,
                                   .k = h->k,
                                   .dq = h->dq,
                                   .dk = h->dk,
                                   .stride = 3 * h->m->shape.width,
                                   .scale = h->m->facts.scale,
                                   .ld = h->n,
                                   .scratch = h->w->hook};
}

/* Row counts under the mask, or NULL. */
static const int *visible(const struct head *h, int first, int rows)
{
    if (!h->m->shape.causal)
        return NULL;
    for (int r = 0; r < rows; r++)
        h->w->count[r] = first + r + 1;
    return h->w->count;
}

/* s (rows,n) = scale q k^T + what the encoding adds. */
static void block_logits(const struct head *h, const struct encoding_block *b, real *s)
{
    gemm(false, true, b->rows, h->n, h->width, (real)b->scale,
         h->q + (size_t)b->first * (size_t)b->stride, b->stride, h->k, b->stride, 0, s, h->n);
    if (h->bias)
        for (int r = 0; r < b->rows; r++)
            for (int j = 0; j < h->n; j++)
                s[r * h->n + j] += h->bias[layout_relation(h->c->layout, b->first + r, j)];
    else if (h->m->encoding->logits)
        h->m->encoding->logits(h->c, b, s);
}

/* p = a * C, out of place; p may be a. */
static void multiply_c(const struct head *h, int first, int rows, const real *a, real *p)
{
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < h->n; j++)
            p[r * h->n + j] =
                a[r * h->n + j] * h->table[layout_relation(h->c->layout, first + r, j)];
}

static void head_forward(const struct head *h, int rows_max)
{
    int stride = 3 * h->m->shape.width, ld = h->m->shape.width;
    real *s = h->w->s;
    for (int first = 0; first < h->n; first += rows_max) {
        int rows = h->n - first < rows_max ? h->n - first : rows_max;
        struct encoding_block b = block_of(h, first, rows);
        block_logits(h, &b, s);
        softmax_forward(rows, h->n, h->n, visible(h, first, rows), s, h->lse + first);
        if (h->table)
            multiply_c(h, first, rows, s, s);
        real *o = h->o + (size_t)first * (size_t)ld;
        gemm(false, false, rows, h->width, h->n, 1, s, h->n, h->v, stride, 0, o, ld);
        if (h->m->encoding->value)
            h->m->encoding->value(h->c, &b, s, o, ld);
    }
}

/* dtable += dp * a, then dp becomes da = dp * C. */
static void c_backward(const struct head *h, int first, int rows, const real *a, real *dp)
{
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < h->n; j++) {
            int relation = layout_relation(h->c->layout, first + r, j);
            h->dtable[relation] += dp[r * h->n + j] * a[r * h->n + j];
            dp[r * h->n + j] *= h->table[relation];
        }
}

static void logits_backward(const struct head *h, const struct encoding_block *b, real *ds)
{
    if (h->dbias) {
        for (int r = 0; r < b->rows; r++)
            for (int j = 0; j < h->n; j++)
                h->dbias[layout_relation(h->c->layout, b->first + r, j)] += ds[r * h->n + j];
    } else if (h->m->encoding->logits_backward) {
        h->m->encoding->logits_backward(h->c, b, ds);
    }
}

static void head_backward(const struct head *h, int rows_max)
{
    int stride = 3 * h->m->shape.width, ld = h->m->shape.width, n = h->n, d = h->width;
    real *a = h->w->s, *dp = h->w->dp;
    for (int first = 0; first < n; first += rows_max) {
        int rows = n - first < rows_max ? n - first : rows_max;
        size_t at = (size_t)first * (size_t)stride;
        const real *dout = h->dout + (size_t)first * (size_t)ld;
        struct encoding_block b = block_of(h, first, rows);
        const int *count = visible(h, first, rows);
        block_logits(h, &b, a);
        softmax_recompute(rows, n, n, count, a, h->lse + first);

        const real *p = a;
        if (h->table) {
            multiply_c(h, first, rows, a, h->w->p);
            p = h->w->p;
        }
        gemm(false, true, rows, n, d, 1, dout, ld, h->v, stride, 0, dp, n);
        if (h->m->encoding->value_backward)
            h->m->encoding->value_backward(h->c, &b, p, dout, ld, dp);
        gemm(true, false, n, d, rows, 1, p, n, dout, ld, 1, h->dv, stride);
        if (h->table)
            c_backward(h, first, rows, a, dp);
        softmax_backward(rows, n, n, a, dp, NULL, dp);
        logits_backward(h, &b, dp);
        gemm(false, false, rows, d, n, (real)b.scale, dp, n, h->k, stride, 1, h->dq + at, stride);
        gemm(true, false, n, d, rows, (real)b.scale, dp, n, h->q + at, stride, 1, h->dk, stride);
    }
}

/* Points h at sample `sample`, head `index`. */
static struct head head_of(const struct model *m, const struct encoding_context *c,
                           const struct model_state *s, const struct batch *b, struct workspace *w,
                           int layer, int sample, int index)
{
    struct block_cache *cache = &w->cache[layer];
    size_t first = (size_t)b->first[sample], width = (size_t)m->shape.width;
    size_t column = (size_t)index * (size_t)m->shape.head_width;
    size_t relations = (size_t)s->longest.relations;
    const real *qkv = cache->qkv + first * 3 * width + column;
    return (struct head){
        .m = m, .c = c, .w = w, .n = c->layout->n, .index = index, .width = m->shape.head_width,
        .q = qkv, .k = qkv + width, .v = qkv + 2 * width,
        .bias = m->facts.relation_bias ? c->state + (size_t)index * relations : NULL,
        .table = state_c(m, s, s->block, layer, index),
        .o = cache->o + first * width + column,
        .lse = cache->lse + (size_t)index * (size_t)w->rows_max + first};
}

void attention_layer_forward(const struct model *m, const real *p, const struct model_state *s,
                             const struct batch *b, struct workspace *w, int layer)
{
    bool fused = attention_is_fused(m);
    int width = m->shape.width, rows_max = attention_block_rows(s->longest.n);
    for (int k = 0; k < b->samples; k++) {
        struct encoding_context c = model_context(m, p, s, layer, b->layout[k], NULL, NULL);
        struct attention_shape shape = fused_shape(m, b->layout[k]);
        real *q = w->cache[layer].qkv + (size_t)b->first[k] * 3 * (size_t)width;
        if (m->encoding->query_key)
            m->encoding->query_key(&c, q, q + width, 3 * width);
        for (int i = 0; i < m->shape.heads; i++) {
            struct head h = head_of(m, &c, s, b, w, layer, k, i);
            if (fused)
                attention_forward(&shape, h.q, h.k, h.v, h.bias, h.table, h.o, h.lse, w->fused);
            else
                head_forward(&h, rows_max);
        }
    }
}

void attention_layer_backward(const struct model *m, const real *p, const struct model_state *s,
                              const struct batch *b, struct workspace *w, int layer,
                              real *gradient, real *dstate)
{
    bool fused = attention_is_fused(m);
    int width = m->shape.width, rows_max = attention_block_rows(s->longest.n);
    if (!fused)
        memset(w->dqkv, 0, (size_t)b->rows * 3 * (size_t)width * sizeof(real));
    for (int k = 0; k < b->samples; k++) {
        struct encoding_context c =
            model_context(m, p, s, layer, b->layout[k], gradient, dstate);
        struct attention_shape shape = fused_shape(m, b->layout[k]);
        size_t first = (size_t)b->first[k];
        real *dq = w->dqkv + first * 3 * (size_t)width;
        for (int i = 0; i < m->shape.heads; i++) {
            struct head h = head_of(m, &c, s, b, w, layer, k, i);
            size_t column = (size_t)i * (size_t)m->shape.head_width;
            h.dq = dq + column;
            h.dk = h.dq + width;
            h.dv = h.dk + width;
            h.dout = w->do_ + first * (size_t)width + column;
            h.dbias = h.bias ? c.dstate + (h.bias - c.state) : NULL;
            h.dtable = state_c(m, s, dstate, layer, i);
            if (fused)
                attention_backward(&shape, h.q, h.k, h.v, h.bias, h.table, h.o, h.lse, h.dout,
                                   h.dq, h.dk, h.dv, h.dbias, h.dtable, w->fused);
            else
                head_backward(&h, rows_max);
        }
        if (m->encoding->query_key_backward)
            m->encoding->query_key_backward(&c, dq, dq + width, 3 * width);
    }
}

void model_row_sums(const struct model *m, const real *p, const struct model_state *s,
                    const struct batch *b, struct workspace *w, double *sums)
{
    int layer = (int)m->config.layers - 1;
    struct encoding_context c = model_context(m, p, s, layer, b->layout[0], NULL, NULL);
    int n = c.layout->n, rows_max = attention_block_rows(s->longest.n);
    for (int i = 0; i < m->shape.heads; i++) {
        struct head h = head_of(m, &c, s, b, w, layer, 0, i);
        for (int first = 0; first < n; first += rows_max) {
            int rows = n - first < rows_max ? n - first : rows_max;
            struct encoding_block block = block_of(&h, first, rows);
            block_logits(&h, &block, w->s);
            softmax_forward(rows, n, n, visible(&h, first, rows), w->s, w->block_lse);
            if (h.table)
                multiply_c(&h, first, rows, w->s, w->s);
            for (int r = 0; r < rows; r++) {
                double sum = 0;
                for (int j = 0; j < n; j++)
                    sum += (double)w->s[r * n + j];
                sums[i * n + first + r] = sum;
            }
        }
    }
}

/* Attention over the batch: the fused kernel where encoding and normaliser are of its kind, and
 * blocks of whole query rows with their hooks otherwise (heads.c).
 *
 *   s = scale q k^T + hook          a = weights of s       p = a * C
 *   o = p v + hook
 * Invariant: nothing of size n x n is held. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

bool attention_is_fused(const struct layer_kind *k)
{
    const struct encoding *enc = k->encoding;
    bool hook = enc->logits && !k->facts.relation_bias && !k->facts.silent;
    return !enc->value && logits_cap(&k->config.logits) == 0 && !hook &&
           normaliser_is_fused(k->normaliser) && !mask_of(&k->config.mask)->pair && !k->c_pairs;
}

static struct normaliser_context normaliser_context(const struct model *m, const real *p, int layer,
                                                    int n, real *gradient)
{
    const struct layer_kind *kind = m->layer[layer].kind;
    struct normaliser_context c = {.config = &kind->config.normaliser,
                                   .shape = &kind->normaliser_shape,
                                   .layer = layer,
                                   .n = n};
    for (int k = 0; k < kind->normaliser_tensors; k++) {
        size_t at = m->tensors.item[m->layer[layer].normaliser[k]].offset;
        c.parameter[k] = p + at;
        c.gradient[k] = gradient ? gradient + at : NULL;
    }
    return c;
}

/* What all samples of the layer share; enter_sample before anything else. */
static struct sample_attention open_layer(const struct model *m, const real *p,
                                          const struct model_state *s, struct workspace *w,
                                          int layer, real *gradient, real *dstate)
{
    const struct layer_kind *kind = m->layer[layer].kind;
    struct sample_attention a = {.m = m, .kind = kind, .w = w, .reach = &s->reach[kind - m->kind],
                                 .c_row = kind->c_pairs ? s->longest.n : 0,
                                 .width = m->head_width, .stride = 3 * m->width,
                                 .output_stride = m->width};
    a.encoding = model_context(m, p, s, layer, NULL, gradient, dstate);
    a.encoding.layout = NULL;
    a.normaliser = normaliser_context(m, p, layer, 0, gradient);
    return a;
}

static struct attention_shape fused_shape(const struct sample_attention *a)
{
    const struct layer_kind *kind = a->kind;
    const struct layout *l = a->encoding.layout;
    bool rows = kind->normaliser->rows;
    return (struct attention_shape){
        .n = l->n,
        .head_width = a->width,
        .low = a->reach->low,
        .high = a->reach->high,
        .hidden = a->reach->hidden,
        .form = (enum attention_form)normaliser_form(&kind->config.normaliser),
        .offset = rows ? a->w->offset : NULL,
        .factor = rows ? a->w->factor : NULL,
        .scale = (real)kind->facts.scale,
        .stride = a->stride,
        .output_stride = a->output_stride,
        .relations = l->relations,
        .origin = l->origin,
        .relation = l->relation};
}

/* Whether the sample is laid out as the one before it. */
static bool enter_sample(struct sample_attention *a, const struct layout *l)
{
    struct workspace *w = a->w;
    const struct normaliser *normaliser = a->kind->normaliser;
    if (a->encoding.layout == l)
        return true;
    a->encoding.layout = l;
    a->n = a->normaliser.n = l->n;
    for (int i = 0; i < l->n && normaliser->rows; i++)
        w->seen[i] = mask_seen(a->reach, l, i);
    if (normaliser->rows)
        normaliser->rows(&a->normaliser, w->seen, w->offset, w->factor);
    a->shape = fused_shape(a);
    return false;
}

/* *h: head `index` of the sample whose first row is `first`; dstate NULL in a forward pass. */
static void head_of(const struct sample_attention *a, const struct model_state *s, int layer,
                    size_t first, int index, real *dstate, struct head *h)
{
    const struct model *m = a->m;
    struct workspace *w = a->w;
    struct block_cache *cache = &w->cache[layer];
    size_t width = (size_t)m->width, column = (size_t)index * (size_t)a->width;
    size_t relations = (size_t)s->longest.relations;
    memset(h, 0, sizeof *h);
    h->index = index;
    h->q = cache->qkv + first * 3 * width + column;
    h->k = h->q + width;
    h->v = h->k + width;
    if (a->kind->facts.relation_bias)
        h->bias = a->encoding.state + (size_t)index * relations;
    h->table = state_c(m, s, s->block, layer, index);
    h->o = cache->o + first * width + column;
    h->lse = cache->lse + (size_t)index * (size_t)w->rows_max + first;
    if (a->kind->encoding->content) {
        size_t at = first * (size_t)a->kind->encoding->content_size(&a->encoding);
        h->content = w->content + at;
        h->dcontent = dstate ? w->dcontent + at : NULL;
    }
    if (normaliser_products(&a->kind->config.normaliser) == PRODUCTS_PLAIN) {
        h->plain_q = cache->plain + first * 2 * width + column;
        h->plain_k = h->plain_q + width;
        h->dplain_q = dstate ? w->dplain + first * 2 * width + column : NULL;
        h->dplain_k = dstate ? h->dplain_q + width : NULL;
    }
    if (!dstate)
        return;
    h->dq = w->dqkv + first * 3 * width + column;
    h->dk = h->dq + width;
    h->dv = h->dk + width;
    h->dout = w->do_ + first * width + column;
    h->dbias = h->bias ? a->encoding.dstate + (h->bias - a->encoding.state) : NULL;
    h->dtable = state_c(m, s, dstate, layer, index);
}

struct normaliser_beside beside_of(const struct sample_attention *a, const struct head *h, int first,
                                   int rows)
{
    ptrdiff_t in = (ptrdiff_t)first * a->stride, out = (ptrdiff_t)first * a->output_stride;
    return (struct normaliser_beside){.head = h->index, .rows = rows, .q = h->q + in,
                                      .stride = a->stride, .scale = a->kind->facts.scale,
                                      .lse = h->lse + first, .o = h->o + out,
                                      .output_stride = a->output_stride,
                                      .dout = h->dout ? h->dout + out : NULL,
                                      .dq = h->dq ? h->dq + in : NULL};
}

static void head_forward(const struct sample_attention *a, const struct head *h, int group)
{
    const struct normaliser *normaliser = a->kind->normaliser;
    if (attention_is_fused(a->kind)) {
        kernel()->attention_forward(&a->shape, h->q, h->k, h->v, h->bias, h->table, h->o, h->lse,
                                    a->w->fused);
    } else {
        heads_forward(a, h, group);
    }
    for (int g = 0; g < group && normaliser->beside; g++) {
        struct normaliser_beside b = beside_of(a, &h[g], 0, a->n);
        normaliser->beside(&a->normaliser, &b);
    }
}

static void head_backward(const struct sample_attention *a, const struct head *h, int group)
{
    const struct normaliser *normaliser = a->kind->normaliser;
    if (attention_is_fused(a->kind)) {
        kernel()->attention_backward(&a->shape, h->q, h->k, h->v, h->bias, h->table, h->o, h->lse,
                                     h->dout, h->dq, h->dk, h->dv, h->dbias, h->dtable,
                                     a->w->fused);
    } else {
        heads_backward(a, h, group);
    }
    for (int g = 0; g < group && normaliser->beside_backward; g++) {
        struct normaliser_beside b = beside_of(a, &h[g], 0, a->n);
        normaliser->beside_backward(&a->normaliser, &b);
    }
}

/* Calls `run` for each head, or group of heads, of each sample: of one head for all samples before the
 * next, since the fused kernel's tables are then packed and summed once. */
static void each_head(struct sample_attention *a, const struct model_state *s,
                      const struct batch *b, int layer, real *dstate,
                      void (*run)(const struct sample_attention *a, const struct head *h, int group))
{
    int group = normaliser_group(&a->kind->config.normaliser, &a->kind->normaliser_shape);
    for (int i = 0; i < a->m->heads; i += group) {
        for (int k = 0; k < b->samples; k++) {
            a->shape.follows = enter_sample(a, b->layout[k]) && k > 0;
            a->shape.continues = k + 1 < b->samples && b->layout[k + 1] == b->layout[k];
            for (int g = 0; g < group; g++)
                head_of(a, s, layer, (size_t)b->first[k], i + g, dstate, &a->w->head[g]);
            run(a, a->w->head, group);
        }
    }
}

/* ---- what logits need of each position's content -----------------------------------------------*/
static void find_content(struct sample_attention *a, const struct batch *b, int layer)
{
    const struct encoding *encoding = a->kind->encoding;
    const real *x = attention_input(a->m, a->w, layer);
    for (int k = 0; k < b->samples && encoding->content; k++) {
        size_t first = (size_t)b->first[k];
        enter_sample(a, b->layout[k]);
        encoding->content(&a->encoding, x + first * (size_t)a->m->width,
                          a->w->content + first * (size_t)encoding->content_size(&a->encoding));
    }
}

void attention_content_backward(const struct model *m, const real *p, const struct model_state *s,
                                const struct batch *b, struct workspace *w, int layer,
                                real *gradient, real *dx)
{
    struct sample_attention a = open_layer(m, p, s, w, layer, gradient, NULL);
    const struct encoding *encoding = a.kind->encoding;
    for (int k = 0; k < b->samples && encoding->content; k++) {
        enter_sample(&a, b->layout[k]);
        size_t at = (size_t)b->first[k] * (size_t)encoding->content_size(&a.encoding);
        size_t row = (size_t)b->first[k] * (size_t)m->width;
        encoding->content_backward(&a.encoding, attention_input(a.m, a.w, layer) + row, w->content + at,
                                   w->dcontent + at, dx + row);
    }
}

/* ---- maps of q and k --------------------------------------------------------------------------*/
static struct logits_row logits_row(const struct sample_attention *a, const real *p, int layer,
                                    real *gradient)
{
    const struct model *m = a->m;
    struct logits_row r = {.config = &a->kind->config.logits, .heads = m->heads,
                           .head_width = a->width, .scale = a->kind->facts.scale};
    for (int k = 0; k < LOGITS_TENSORS_MAX; k++)
        if (m->layer[layer].logits[k] >= 0) {
            size_t at = m->tensors.item[m->layer[layer].logits[k]].offset;
            r.parameter[k] = p + at;
            r.gradient[k] = gradient ? gradient + at : NULL;
        }
    return r;
}

static void map_vectors(const struct sample_attention *a, const real *p, const struct batch *b,
                        int layer)
{
    struct block_cache *cache = &a->w->cache[layer];
    struct logits_row r = logits_row(a, p, layer, NULL);
    int width = a->m->width;
    for (int i = 0; i < b->rows && logits_map_vectors(r.config); i++) {
        real *q = cache->qkv + (ptrdiff_t)i * a->stride;
        memcpy(cache->raw + (ptrdiff_t)i * 2 * width, q, 2 * (size_t)width * sizeof *q);
        logits_map(&r, q, q + width);
    }
}

static void map_vectors_backward(const struct sample_attention *a, const real *p,
                                 const struct batch *b, int layer, real *gradient)
{
    const struct block_cache *cache = &a->w->cache[layer];
    struct logits_row r = logits_row(a, p, layer, gradient);
    int width = a->m->width;
    for (int i = 0; i < b->rows && logits_map_vectors(r.config); i++) {
        const real *q = cache->raw + (ptrdiff_t)i * 2 * width;
        real *dq = a->w->dqkv + (ptrdiff_t)i * a->stride;
        logits_map_backward(&r, q, q + width, dq, dq + width);
    }
}

/* ---- features of q and k ----------------------------------------------------------------------*/
/* q and k, neighbours in qkv, become their features, which are kept as well: rotations come next. */
static void map_features(const struct sample_attention *a, const struct batch *b, int layer)
{
    const struct normaliser *normaliser = a->kind->normaliser;
    struct block_cache *cache = &a->w->cache[layer];
    int pair = 2 * a->m->width;
    for (int i = 0; i < b->rows && normaliser->feature; i++) {
        real *row = cache->qkv + (ptrdiff_t)i * a->stride;
        normaliser->feature(&a->kind->config.normaliser, pair, row);
        memcpy(cache->plain + (ptrdiff_t)i * pair, row, (size_t)pair * sizeof *row);
    }
}

/* Gradients of features, dqkv and dplain, to those of q and k, in dqkv. */
static void map_features_backward(const struct sample_attention *a, const struct batch *b, int layer)
{
    const struct normaliser *normaliser = a->kind->normaliser;
    const struct block_cache *cache = &a->w->cache[layer];
    int pair = 2 * a->m->width;
    for (int i = 0; i < b->rows && normaliser->feature; i++) {
        real *dx = a->w->dqkv + (ptrdiff_t)i * a->stride;
        for (int k = 0; k < pair; k++)
            dx[k] += a->w->dplain[(ptrdiff_t)i * pair + k];
        normaliser->feature_backward(&a->kind->config.normaliser, pair,
                                     cache->plain + (ptrdiff_t)i * pair, dx);
    }
}

/* ---- maps of what heads give ------------------------------------------------------------------*/
/* backward: do of mapped outputs becomes that of what heads gave, which o is again. */
static void map_outputs(const struct sample_attention *a, const struct batch *b, int layer, bool backward)
{
    const struct normaliser *normaliser = a->kind->normaliser;
    const struct kind_config *config = &a->kind->config.normaliser;
    struct block_cache *cache = &a->w->cache[layer];
    size_t count = (size_t)b->rows * (size_t)a->m->width;
    size_t step = (size_t)(normaliser_group(config, &a->kind->normaliser_shape) * a->width);
    if (!normaliser_has_output(config))
        return;
    memcpy(backward ? cache->o : cache->given, backward ? cache->given : cache->o,
           count * sizeof *cache->o);
    for (size_t at = 0; at < count; at += step)
        if (backward)
            normaliser->output_backward(&a->normaliser, cache->given + at, a->w->do_ + at);
        else
            normaliser->output(&a->normaliser, cache->o + at);
}

void attention_layer_forward(const struct model *m, const real *p, const struct model_state *s,
                             const struct batch *b, struct workspace *w, int layer)
{
    struct sample_attention a = open_layer(m, p, s, w, layer, NULL, NULL);
    const struct encoding *encoding = a.kind->encoding;
    find_content(&a, b, layer);
    map_vectors(&a, p, b, layer);
    map_features(&a, b, layer);
    for (int k = 0; k < b->samples && encoding->query_key; k++) {
        real *q = w->cache[layer].qkv + (size_t)b->first[k] * (size_t)a.stride;
        enter_sample(&a, b->layout[k]);
        encoding->query_key(&a.encoding, q, q + m->width, a.stride);
    }
    each_head(&a, s, b, layer, NULL, head_forward);
    map_outputs(&a, b, layer, false);
}

void attention_layer_backward(const struct model *m, const real *p, const struct model_state *s,
                              const struct batch *b, struct workspace *w, int layer,
                              real *gradient, real *dstate)
{
    struct sample_attention a = open_layer(m, p, s, w, layer, gradient, dstate);
    const struct encoding *encoding = a.kind->encoding;
    if (!attention_is_fused(a.kind))
        memset(w->dqkv, 0, (size_t)b->rows * 3 * (size_t)m->width * sizeof(real));
    find_content(&a, b, layer);
    if (encoding->content)
        memset(w->dcontent, 0, (size_t)b->rows * (size_t)encoding->content_size(&a.encoding) *
                                   sizeof(real));
    if (a.kind->normaliser->feature)
        memset(w->dplain, 0, (size_t)b->rows * 2 * (size_t)m->width * sizeof(real));
    map_outputs(&a, b, layer, true);
    each_head(&a, s, b, layer, dstate, head_backward);
    for (int k = 0; k < b->samples && encoding->query_key_backward; k++) {
        real *dq = w->dqkv + (size_t)b->first[k] * (size_t)a.stride;
        enter_sample(&a, b->layout[k]);
        encoding->query_key_backward(&a.encoding, dq, dq + m->width, a.stride);
    }
    map_features_backward(&a, b, layer);
    map_vectors_backward(&a, p, b, layer, gradient);
}

void model_row_sums(const struct model *m, const real *p, const struct model_state *s,
                    const struct batch *b, struct workspace *w, double *sums)
{
    model_attention(m, p, s, b, w, (int)m->config.layers - 1, NULL, sums);
}

void model_attention(const struct model *m, const real *p, const struct model_state *s,
                     const struct batch *b, struct workspace *w, int layer, double *weights,
                     double *sums)
{
    const struct layer_kind *kind = m->layer[layer].kind;
    int group = normaliser_group(&kind->config.normaliser, &kind->normaliser_shape);
    struct batch all = prefix_batch(m, s, b, w);
    struct sample_attention a = open_layer(m, p, s, w, layer, NULL, NULL);
    enter_sample(&a, all.layout[0]);
    for (int i = 0; i < m->heads; i += group) {
        for (int g = 0; g < group; g++)
            head_of(&a, s, layer, 0, i + g, NULL, &w->head[g]);
        heads_weights(&a, w->head, group,
                      weights ? weights + (size_t)i * (size_t)a.n * (size_t)a.n : NULL,
                      sums + (ptrdiff_t)i * a.n);
    }
}

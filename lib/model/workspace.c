/* Carving one microbatch's activations out of an arena, or pricing them (measuring arena). */
#include "model/workspace.h"

#include "kernel/kernel.h"

struct carver {
    struct arena *arena;
    struct err *e;
    size_t rows, width, ffn;
    bool failed;
};

static real *carve(struct carver *c, size_t rows, size_t columns)
{
    size_t count;
    real *p = NULL;
    if (memory_multiply(rows, columns, &count))
        p = arena_alloc(c->arena, count, sizeof(real), c->e);
    else
        err_set(c->e, ERR_MEMORY, "", "activations of %zu x %zu do not fit in memory", rows,
                columns);
    if (!p && !c->arena->measuring)
        c->failed = true;
    return p;
}

/* Whether any layer maps q and k. */
static bool has_maps(const struct model *m)
{
    int k = 0;
    while (k < m->kinds && !logits_map_vectors(&m->kind[k].config.logits))
        k++;
    return k < m->kinds;
}

/* Whether any layer makes features of q and k. */
static bool has_features(const struct model *m)
{
    int k = 0;
    while (k < m->kinds && !m->kind[k].normaliser->feature)
        k++;
    return k < m->kinds;
}

/* Whether any layer's normaliser maps what heads give. */
static bool has_outputs(const struct model *m)
{
    int k = 0;
    while (k < m->kinds && !normaliser_has_output(&m->kind[k].config.normaliser))
        k++;
    return k < m->kinds;
}

/* Whether some layer has a convolution there. */
static bool mixes(const struct model *m, enum convolved_place place)
{
    bool any = false;
    for (int k = 0; k < m->kinds; k++)
        any = any || convolution_at(&m->kind[k].config.convolution, place);
    return any;
}

static void carve_block(struct carver *c, const struct model *m, struct block_cache *b)
{
    int norm = m->config.norm;
    size_t heads = (size_t)m->heads;
    b->x = carve(c, c->rows, c->width);
    bool before = model_norm_before(&m->config), after = model_norm_after(&m->config);
    b->a_in = before ? carve(c, c->rows, c->width) : b->x;
    if (mixes(m, CONVOLVED_INPUT))
        b->a_mixed = carve(c, c->rows, c->width);
    if (mixes(m, CONVOLVED_QKV))
        b->projected = carve(c, c->rows, (size_t)m->qkv_width);
    if (mixes(m, CONVOLVED_FFN))
        b->f_mixed = carve(c, c->rows, c->width);
    b->qkv = carve(c, c->rows, 3 * c->width);
    b->lse = carve(c, c->rows, heads);
    b->raw = has_maps(m) ? carve(c, c->rows, 2 * c->width) : NULL;
    b->plain = has_features(m) ? carve(c, c->rows, 2 * c->width) : NULL;
    b->o = carve(c, c->rows, c->width);
    b->given = has_outputs(m) ? carve(c, c->rows, c->width) : NULL;
    b->gated = b->o;
    if (m->config.output_gate) {
        b->gate = carve(c, c->rows, c->width);
        b->gated = carve(c, c->rows, c->width);
    }
    b->mid = carve(c, c->rows, c->width);
    b->s1 = norm == MODEL_NORM_POST ? carve(c, c->rows, c->width) : b->mid;
    b->f_in = before ? carve(c, c->rows, c->width) : b->mid;
    b->h = carve(c, c->rows, c->ffn);
    b->act = carve(c, c->rows, c->ffn);
    b->product = b->act;
    if (m->config.gated) {
        b->up = carve(c, c->rows, c->ffn);
        b->product = carve(c, c->rows, c->ffn);
    }
    if (mixes(m, CONVOLVED_HIDDEN)) {
        b->h_plain = carve(c, c->rows, c->ffn);
        b->up_plain = m->config.gated ? carve(c, c->rows, c->ffn) : NULL;
    }
    b->s2 = norm == MODEL_NORM_POST ? carve(c, c->rows, c->width) : NULL;
    if (norm != MODEL_NORM_NONE) {
        b->mean1 = carve(c, c->rows, 1);
        b->rstd1 = carve(c, c->rows, 1);
        b->mean2 = carve(c, c->rows, 1);
        b->rstd2 = carve(c, c->rows, 1);
    }
    if (after) {
        b->b1 = carve(c, c->rows, c->width);
        b->b2 = carve(c, c->rows, c->width);
        b->after_mean1 = before ? carve(c, c->rows, 1) : b->mean1;
        b->after_rstd1 = before ? carve(c, c->rows, 1) : b->rstd1;
        b->after_mean2 = before ? carve(c, c->rows, 1) : b->mean2;
        b->after_rstd2 = before ? carve(c, c->rows, 1) : b->rstd2;
    }
}

static void carve_ends(struct carver *c, const struct model *m, struct workspace *w)
{
    w->last = carve(c, c->rows, c->width);
    if (m->embed_norm >= 0) {
        w->embedded = carve(c, c->rows, c->width);
        w->embed_mean = carve(c, c->rows, 1);
        w->embed_rstd = carve(c, c->rows, 1);
    }
    w->hidden = w->last;
    if (m->config.values != MODEL_VALUES_OWN)
        w->first_values = carve(c, c->rows, c->width);
    if (m->kv_heads < m->heads)
        w->narrow = carve(c, c->rows, (size_t)m->qkv_width);
    if (mixes(m, CONVOLVED_HIDDEN)) {
        w->zeros = carve(c, c->ffn, 1);
        w->unread = carve(c, c->ffn, 1);
    }
    if (m->norm >= 0) {
        w->normed = carve(c, c->rows, c->width);
        w->norm_mean = carve(c, c->rows, 1);
        w->norm_rstd = carve(c, c->rows, 1);
        w->hidden = w->normed;
    }
    if (m->dense >= 0) {
        w->dense_h = carve(c, c->rows, c->width);
        w->dense_act = carve(c, c->rows, c->width);
        w->dense_out = carve(c, c->rows, c->width);
        w->dense_mean = carve(c, c->rows, 1);
        w->dense_rstd = carve(c, c->rows, 1);
        w->hidden = w->dense_out;
    }
}

static void carve_backward(struct carver *c, const struct model *m, struct workspace *w)
{
    w->dhidden = carve(c, c->rows, c->width);
    w->dstream = carve(c, c->rows, c->width);
    w->dtmp = carve(c, c->rows, c->width);
    w->do_ = carve(c, c->rows, c->width);
    w->dqkv = carve(c, c->rows, 3 * c->width);
    w->dwide = carve(c, c->rows, c->ffn);
    if (mixes(m, CONVOLVED_INPUT) || mixes(m, CONVOLVED_FFN))
        w->dmixed = carve(c, c->rows, c->width);
    if (mixes(m, CONVOLVED_QKV))
        w->dprojected = carve(c, c->rows, (size_t)m->qkv_width);
    if (mixes(m, CONVOLVED_HIDDEN))
        w->dhidden_plain = carve(c, c->rows, c->ffn);
    if (m->config.values != MODEL_VALUES_OWN)
        w->dfirst = carve(c, c->rows, c->width);
    if (m->config.output_gate)
        w->dgate = carve(c, c->rows, c->width);
    if (m->config.gated)
        w->dup = carve(c, c->rows, c->ffn);
}

/* What attention needs of one layer at most. */
struct room {
    size_t fused, group, hook, content; /* hook: of one head; content: of a row */
    bool blocks, rows, row, rest, mix, products;
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void add_room(struct room *room, const struct layer_kind *k, const struct model *m,
                     const struct model_state *s, int rows)
{
    struct attention_shape shape = {.n = s->longest.n, .head_width = m->head_width,
                                    .relations = s->longest.relations,
                                    .origin = s->longest.origin, .relation = s->longest.relation,
                                    .stride = 3 * m->width, .output_stride = m->width};
    struct encoding_context context = {.config = &k->config.encoding, .shape = &k->shape,
                                       .layout = &s->longest, .fold = s->fold};
    bool fused = attention_is_fused(k);
    size_t group = (size_t)normaliser_group(&k->config.normaliser, &k->normaliser_shape);
    room->group = larger(room->group, group);
    room->fused = fused ? larger(room->fused, attention_scratch(&shape)) : room->fused;
    room->hook = k->encoding->scratch ? larger(room->hook, k->encoding->scratch(&context, rows))
                                      : room->hook;
    if (k->encoding->content_size)
        room->content = larger(room->content, (size_t)k->encoding->content_size(&context));
    room->blocks = room->blocks || !fused;
    room->rows = room->rows || k->normaliser->rows;
    room->row = room->row || k->normaliser->row;
    room->rest = room->rest || k->normaliser->rest;
    room->products = room->products || k->normaliser->products;
    room->mix = room->mix || k->normaliser->mix;
}

/* Scratch of one head: the fused kernel's, or the blocks of the general path. */
static void carve_attention(struct carver *c, const struct model *m, const struct model_state *s,
                            struct workspace *w)
{
    int n = s->longest.n, rows = attention_block_rows(n);
    struct room room = {0};
    for (int k = 0; k < m->kinds; k++)
        add_room(&room, &m->kind[k], m, s, rows);
    size_t block = room.group * (size_t)rows;
    w->block_rows = rows;
    if (room.fused)
        w->fused = carve(c, room.fused, 1);
    w->s = carve(c, block, (size_t)n);
    w->dot = carve(c, (size_t)rows, 1);
    w->count = arena_alloc(c->arena, (size_t)rows, sizeof *w->count, c->e);
    w->head = arena_alloc(c->arena, room.group, sizeof *w->head, c->e);
    if (w->backward && room.blocks) {
        w->a = carve(c, block, (size_t)n);
        w->dp = carve(c, block, (size_t)n);
        w->p = carve(c, (size_t)rows, (size_t)n);
    }
    if (room.rows) {
        w->offset = carve(c, (size_t)n, 1);
        w->factor = carve(c, (size_t)n, 1);
        w->seen = arena_alloc(c->arena, (size_t)n, sizeof *w->seen, c->e);
    }
    if (room.row)
        w->row = carve(c, room.products ? 10 : 6, (size_t)n);
    if (room.products)
        w->product = carve(c, block, (size_t)n);
    if (has_features(m)) {
        w->plain = carve(c, block, (size_t)n);
        w->dplain = w->backward ? carve(c, c->rows, 2 * c->width) : NULL;
    }
    if (room.rest)
        w->left = carve(c, (size_t)rows, 1);
    if (room.mix)
        w->mix = carve(c, 2 * room.group + 1, room.group);
    if (room.content) {
        w->content = carve(c, c->rows, room.content);
        w->dcontent = w->backward ? carve(c, c->rows, room.content) : NULL;
    }
    w->hook_size = room.hook;
    if (room.hook)
        w->hook = carve(c, room.hook, room.group);
}

int workspace_open(struct workspace **out, const struct model *m, const struct model_state *s,
                   int rows, bool backward, struct arena *arena, struct err *e)
{
    struct workspace local = {0}; /* stands in while measuring */
    struct block_cache cache = {0};
    size_t layers = (size_t)m->config.layers;
    struct workspace *w = arena_alloc(arena, 1, sizeof *w, e);
    size_t samples = m->before ? (size_t)(rows / s->n) : 0;
    struct carver c = {.arena = arena, .e = e, .rows = (size_t)rows + samples * (size_t)m->before,
                       .width = (size_t)m->width, .ffn = (size_t)m->config.ffn};
    if (!w && !arena->measuring)
        return ERR_MEMORY;
    if (!w)
        w = &local;
    w->rows_max = (int)c.rows;
    w->samples_max = (int)samples;
    if (samples) {
        w->first = arena_alloc(arena, samples + 1, sizeof *w->first, e);
        w->line = arena_alloc(arena, samples, sizeof *w->line, e);
        w->layout = arena_alloc(arena, samples, sizeof *w->layout, e);
        if (!arena->measuring && (!w->first || !w->line || !w->layout))
            return ERR_MEMORY;
    }
    w->backward = backward;
    w->cache = arena_alloc(arena, layers, sizeof *w->cache, e);
    if (!w->cache && !arena->measuring)
        return ERR_MEMORY;
    for (size_t k = 0; k < layers; k++) {
        if (k == 0 || backward)
            carve_block(&c, m, &cache);
        if (w->cache)
            w->cache[k] = cache;
    }
    carve_ends(&c, m, w);
    if (backward)
        carve_backward(&c, m, w);
    carve_attention(&c, m, s, w);
    if (c.failed)
        return ERR_MEMORY;
    *out = w == &local ? NULL : w;
    return 0;
}

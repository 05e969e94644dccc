/* What a layer of a model can tell of what it sees (model.h): the relation class of the encoding and
 * the row of C's table, the common refinement of the two, never one chosen of them.  (|offset|
 * alone, with ALiBi and a bucketed C, would merge the mirror pairs of palindromes, which C tells
 * apart.) */
#include <stdlib.h>
#include <string.h>

#include "model/workspace.h"

/* What one layout's pairs are looked up with. */
struct lookup {
    struct encoding_context context, c; /* of the encoding, and of C where that is no table */
    int32_t *c_row;                     /* (relations) row of C's table, or NULL */
};

static const struct model_class *class_of(const struct floor_class *c)
{
    return (const struct model_class *)c;
}

static int open_lookup(const struct floor_class *c, const struct layout *l, struct arena *a,
                       void **state, struct err *e)
{
    const struct model_class *m = class_of(c);
    struct lookup *x = arena_alloc(a, 1, sizeof *x, e);
    int32_t *fold = arena_alloc(a, (size_t)l->relations, sizeof *fold, e);
    int32_t *c_row = arena_alloc(a, (size_t)l->relations, sizeof *c_row, e);
    if (!x || !fold || !c_row)
        return ERR_MEMORY;
    l->fold(m->shape.trained, l, fold);
    x->context = (struct encoding_context){
        .config = &m->config.encoding, .shape = &m->shape, .layout = l, .fold = fold};
    const struct urpe *urpe = urpe_of(&m->config.c);
    if (m->config.attention == MODEL_URPE && urpe->map) {
        urpe->map(&m->shape, l, c_row);
        x->c_row = c_row;
    } else if (m->config.attention == MODEL_URPE) {
        x->c = x->context;
        x->c.config = &m->config.c;
    }
    *state = x;
    /* Graphs, where each sample has a layout of its own, do without: relations are few there. */
    int code = l->axes ? encoding_open(&x->context, a, e) : 0;
    return code || !l->axes || !x->c.config ? code : urpe_open(&x->c, a, e);
}

static uint64_t relation_of_c(const struct lookup *x, const struct layout *l, int i, int j)
{
    if (x->c.config)
        return (uint64_t)urpe_of(x->c.config)->relation(&x->c, i, j);
    return x->c_row ? (uint64_t)x->c_row[layout_relation(l, i, j)] : 0;
}

/* A normaliser that knows the sample's length, or divides by it, has it in every key: lengths are then
 * told apart, and at one length numbers over it are as good as the numbers.
 *
 * The classes of encoding and C mean the same at all lengths.  Let parameters be given, and let (i,j) of
 * one sample and (k,l) of another have one key and the states of i and k, and of j and l, be equal: then
 * so are their logits, q.k and what the encoding adds, which the class determines, and their factors of
 * C.  A row's weights are a function of the logits of what it sees (and of the length, where the key has
 * it), in no order, so rows that see equally many of each (colour, key) get equal results, whatever the
 * samples' lengths: with a causal mask, for one, equal prefixes.
 *
 * Where logits depend on more of the sample than on i and j (CoPE), the encoding gives every pair
 * (i,j) a class of its own.  M then lists what is seen in its order, and two rows merge only if
 * they stand at one place and see the same colours in the same order: all that a row of attention
 * is a function of is then equal.  So such rows may merge across samples, as equal prefixes do. */
static bool see(const struct floor_class *c, const struct layout *l, const void *state, int i,
                int j, floor_key key)
{
    const struct lookup *x = state;
    if (!mask_sees(&class_of(c)->config.mask, l, i, j))
        return false;
    bool powers = c->weights == FLOOR_POWERS;
    key[0] = powers ? (uint64_t)l->distance[layout_relation(l, i, j)]
                    : (uint64_t)encoding_relation(&x->context, i, j);
    key[1] = relation_of_c(x, l, i, j);
    key[2] = class_of(c)->length ? (uint64_t)l->n : 0;
    return true;
}

/* An absolute encoding's mark, or the position (also where q_i tells it, see of_query).  Positions of different layouts are the same thing
 * on a line only. */
static void mark_position(const struct floor_class *c, const struct layout *l, int i, floor_key key)
{
    const struct model_class *m = class_of(c);
    const struct encoding *entry = encoding_of(&m->config.encoding);
    struct encoding_context context = {
        .config = &m->config.encoding, .shape = &m->shape, .layout = l};
    int place = l->axes == 1 ? layout_coordinate(l, i, 0) : i;
    key[0] = entry->mark ? (uint64_t)entry->mark(&context, i) : (uint64_t)place;
    key[1] = entry->mark || l->axes == 1 ? 0 : (uint64_t)(uintptr_t)l;
    key[2] = 0;
}

/* What stands before the sample is like nothing else. */
static void mark_front(const struct floor_class *c, const struct layout *l, int i, floor_key key)
{
    const struct model_config *m = &class_of(c)->config;
    key[0] = key[1] = 0;
    key[2] = i < model_before(m) ? (uint64_t)i + 1 : 0;
}

static void mark(const struct floor_class *c, const struct layout *l, int i, floor_key key)
{
    floor_key front;
    mark_front(c, l, i, front);
    mark_position(c, l, i, key);
    key[2] = front[2];
}

/* Whether logits are q.k, or a function of it, and a bias of the relation. */
static bool additive(const struct encoding *enc, const struct encoding_facts *facts)
{
    return facts->relation_bias || !(enc->logits || enc->query_key);
}

void model_class_of(const struct model_config *c, const struct layout *trained,
                    struct model_class *out)
{
    struct encoding_facts facts;
    struct normaliser_facts rows;
    const struct urpe *urpe = c->attention == MODEL_URPE ? urpe_of(&c->c) : NULL;
    *out = (struct model_class){.config = *c, .shape = model_shape(c, trained)};
    struct normaliser_shape heads = model_normaliser_shape(c, &out->shape);
    encoding_of(&c->encoding)->facts(&c->encoding, &out->shape, &facts);
    normaliser_of(&c->normaliser)->facts(&c->normaliser, &heads, &rows);
    out->length = rows.measure == VIEW_PER_LENGTH || rows.measure == VIEW_NUMBER_AND_LENGTH;
    bool placed = facts.absolute ||
                  (normaliser_of(&c->normaliser)->of_query && encoding_of(&c->encoding)->query_key);
    bool sums = rows.constant_sums && facts.right_stochastic;
    bool products = sums && rows.exponential && additive(encoding_of(&c->encoding), &facts);
    out->floor = (struct floor_class){
        .view = rows.order == VIEW_ORDERED       ? FLOOR_ORDERED
                : rows.measure == VIEW_RATIO ? FLOOR_NORMALISED
                                             : FLOOR_COUNTED,
        .weights = !products                                     ? FLOOR_ANY
                   : facts.powers && layout_is_line(trained) ? FLOOR_POWERS
                                                             : FLOOR_PRODUCTS,
        /* Beside what other normalisers leave on a row's own value, C may stand or not. */
        .stochastic = sums && (c->attention == MODEL_RPE || rows.exponential),
        .relative = facts.shift_invariant && !placed && !mask_of(&c->mask)->pair &&
                    !(urpe && urpe->of_pairs && urpe->of_pairs(&c->c, &out->shape)),
        .open = open_lookup,
        .see = see,
        .mark = placed             ? mark
                : model_before(c) ? mark_front
                                  : NULL};
}

/* ---- convolutions -----------------------------------------------------------------------------
 * A layer with a convolution is two steps: every position sees its own and those that the convolution
 * reaches back to, in their order, and then attention's view.  One before attention and one behind it
 * are the same step: a partition that is stable under it stays so. */
struct convolution_class {
    struct floor_class floor;
    int size;
};

static bool see_before(const struct floor_class *c, const struct layout *l, const void *state, int i,
                       int j, floor_key key)
{
    key[0] = (uint64_t)(i - j);
    key[1] = key[2] = 0;
    return j <= i && i - j < ((const struct convolution_class *)c)->size;
}

static void convolution_class_of(const struct model_config *c, struct convolution_class *out)
{
    *out = (struct convolution_class){
        .floor = {.view = FLOOR_ORDERED, .relative = true, .see = see_before},
        .size = convolution_size(&c->convolution)};
}

/* ---- merging ----------------------------------------------------------------------------------
 * What stands before a sample's positions are further pairs of it, with marks of their own: they are
 * part of what others see and of no figure. */
struct fronted {
    struct floor_set set;
    const struct model_config *config;
    int before;
    struct arena arena;
};

/* A line's first positions keep the relations of the whole line, so that they mean the same in all. */
static int front_layout(const struct model_config *c, const struct layout *l, struct arena *a,
                        struct layout *out, struct err *e)
{
    struct layout whole = *l;
    if (layout_is_line(l))
        whole.n = l->origin + 1;
    int code = prefix_layout(c, &whole, a, out, e);
    *out = layout_shorter(out, l->n + model_before(c));
    return code;
}

static int fill_fronted(struct fronted *f, const struct floor_set *s, struct err *e)
{
    size_t rows = (size_t)(s->first[s->count] + s->count * f->before);
    int *first = arena_alloc(&f->arena, (size_t)s->count + 1, sizeof *first, e);
    struct layout *line = arena_alloc(&f->arena, (size_t)s->count, sizeof *line, e);
    const struct layout **layout = arena_alloc(&f->arena, (size_t)s->count, sizeof *layout, e);
    double *x = arena_alloc(&f->arena, rows * (size_t)s->channels, sizeof *x, e);
    int32_t *token = arena_alloc(&f->arena, rows, sizeof *token, e);
    int code = first && line && layout && x && token ? 0 : ERR_MEMORY;
    for (int k = 0; k < s->count && !code; k++) {
        int n = s->first[k + 1] - s->first[k], own = first[k] + f->before;
        size_t d = (size_t)s->channels;
        int same = k - 1;
        first[k + 1] = own + n;
        while (same >= 0 && (s->layout[same]->n != n || s->layout[same]->origin != s->layout[k]->origin))
            same--;
        layout[k] = same < 0 ? &line[k] : layout[same];
        code = same < 0 ? front_layout(f->config, s->layout[k], &f->arena, &line[k], e) : 0;
        if (s->token)
            memcpy(token + own, s->token + s->first[k], (size_t)n * sizeof *token);
        else
            memcpy(x + (size_t)own * d, s->x + (size_t)s->first[k] * d, (size_t)n * d * sizeof *x);
    }
    f->set = (struct floor_set){.count = s->count, .first = first, .layout = layout,
                                .channels = s->channels, .x = s->token ? NULL : x,
                                .token = s->token ? token : NULL};
    return code;
}

/* The classes of the steps that the layers of a model's kinds make, and of which each of its own is. */
enum { LAYER_STEPS = CONVOLVED_PLACES + 1 };
struct merge_plan {
    const struct floor_class *every[2 * PLAN_KINDS_MAX];
    int steps, deep, before;
    int *of; /* (deep) */
    const struct model_config *config;
};

/* attention, convolution: indices into p->every. */
static void append_layer(struct merge_plan *p, const struct kind_config *c, int attention,
                         int convolution)
{
    for (int place = 0; place < CONVOLVED_PLACES; place++) {
        if (place == CONVOLVED_FFN)
            p->of[p->deep++] = attention;
        if (convolution_at(c, (enum convolved_place)place))
            p->of[p->deep++] = convolution;
    }
}

static int merge_set(const struct merge_plan *p, const struct floor_set *s, struct model_groups *g,
                     struct err *e)
{
    return g->deep ? floor_merge_depth(p->every, p->steps, p->of, p->deep, s, g->deep,
                                       &g->deep_groups, g->any, &g->any_groups, e)
                   : floor_merge_classes(p->every, p->steps, s, g->any, &g->any_groups, e);
}

/* The part of a partition that has no marks; id (groups of all) is zero. */
static int number_own(const struct floor_set *s, int before, const int32_t *all, int32_t *id,
                      int32_t *group)
{
    int groups = 0;
    for (int k = 0; k < s->count; k++)
        for (int row = s->first[k]; row < s->first[k + 1]; row++) {
            int32_t *known = &id[all[row + (k + 1) * before]];
            if (!*known)
                *known = ++groups;
            group[row] = *known - 1;
        }
    return groups;
}

/* Groups of what stands before the samples, after those of the rows, to which id gives numbers. */
static void number_front(const struct fronted *f, const int32_t *all, int32_t *id, int groups,
                         int32_t *front)
{
    for (int k = 0; k < f->set.count; k++)
        for (int i = 0; i < f->before; i++) {
            int32_t *known = &id[all[f->set.first[k] + i]];
            if (!*known)
                *known = ++groups;
            front[k * f->before + i] = *known - 1;
        }
}

static int merge_fronted(const struct merge_plan *p, const struct floor_set *s,
                         struct model_groups *g, struct err *e)
{
    struct fronted f = {.config = p->config, .before = p->before};
    struct model_groups all = {0};
    int code = arena_open(&f.arena, 0, e);
    code = code ? code : fill_fronted(&f, s, e);
    size_t rows = code ? 0 : (size_t)f.set.first[s->count];
    int32_t *id = code ? NULL : arena_alloc(&f.arena, 2 * rows, sizeof *id, e);
    all.any = code ? NULL : arena_alloc(&f.arena, rows, sizeof *all.any, e);
    if (!code && g->deep)
        all.deep = arena_alloc(&f.arena, rows, sizeof *all.deep, e);
    if (!code && (!all.any || (g->deep && !all.deep) || !id))
        code = ERR_MEMORY;
    code = code ? code : merge_set(p, &f.set, &all, e);
    if (!code)
        g->any_groups = number_own(s, p->before, all.any, id, g->any);
    if (!code && g->deep)
        g->deep_groups = number_own(s, p->before, all.deep, id + rows, g->deep);
    if (!code && g->front)
        number_front(&f, all.any, id, g->any_groups, g->front);
    if (!code && g->deep && g->deep_front)
        number_front(&f, all.deep, id + rows, g->deep_groups, g->deep_front);
    arena_close(&f.arena);
    return code;
}

/* Classes of all kinds, with tables sized by `trained`, which has what stands before it. */
static int merge_kinds(const struct model_config *c, const struct layout *trained,
                       const struct floor_set *s, struct model_groups *g, struct err *e)
{
    struct merge_plan p = {.before = model_before(c), .config = c};
    int kinds = model_kinds(c), attention[PLAN_KINDS_MAX], convolution[PLAN_KINDS_MAX];
    struct convolution_class mixed[PLAN_KINDS_MAX];
    struct model_class *class = memory_alloc((size_t)kinds, sizeof *class, e);
    struct model_config *one = memory_alloc(1, sizeof *one, e);
    p.of = memory_alloc((size_t)c->layers, LAYER_STEPS * sizeof *p.of, e);
    int code = class && one && p.of ? 0 : ERR_MEMORY;
    for (int k = 0; k < kinds && !code; k++) {
        model_kind_config(c, k, one);
        model_class_of(one, trained, &class[k]);
        attention[k] = p.steps;
        p.every[p.steps++] = &class[k].floor;
        convolution_class_of(one, &mixed[k]);
        convolution[k] = p.steps;
        if (convolution_any(&one->convolution))
            p.every[p.steps++] = &mixed[k].floor;
    }
    for (int k = 0; k < c->layers && !code; k++) {
        int kind = model_kind_of(c, k);
        model_kind_config(c, kind, one);
        append_layer(&p, &one->convolution, attention[kind], convolution[kind]);
    }
    if (!code)
        code = p.before ? merge_fronted(&p, s, g, e) : merge_set(&p, s, g, e);
    memory_free(class);
    memory_free(one);
    memory_free(p.of);
    return code;
}

/* ---- means of hidden states -------------------------------------------------------------------
 * A mean over a sample's rows is a function of the share of each group among them, and two samples
 * of equal shares have equal means in every network. */
struct shares {
    int sample, runs;
    int32_t *run; /* (runs,2): group, and how often beside the others */
};

static int compare_ids(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int compare_shares(const void *a, const void *b)
{
    const struct shares *x = a, *y = b;
    if (x->runs != y->runs)
        return x->runs < y->runs ? -1 : 1;
    for (int k = 0; k < 2 * x->runs; k++)
        if (x->run[k] != y->run[k])
            return x->run[k] < y->run[k] ? -1 : 1;
    return 0;
}

static int32_t common_divisor(int32_t a, int32_t b)
{
    while (b) {
        int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* sorted (n) group ids, ascending; run has room for n pairs. */
static void take_shares(struct shares *out, const int32_t *sorted, int n, int32_t *run)
{
    int32_t common = 0;
    out->run = run;
    for (int i = 0; i < n; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1]) {
            run[2 * out->runs] = sorted[i];
            run[2 * out->runs++ + 1] = 0;
        }
        run[2 * out->runs - 1]++;
    }
    for (int k = 0; k < out->runs; k++)
        common = common_divisor(run[2 * k + 1], common);
    for (int k = 0; k < out->runs; k++)
        run[2 * k + 1] /= common;
}

/* The first row of each sample becomes its mean; ids are those of first appearance again. */
static int merge_means(const struct floor_set *s, int32_t *group, int *groups, struct err *e)
{
    struct arena arena;
    size_t rows = (size_t)s->first[s->count], count = (size_t)s->count;
    int code = arena_open(&arena, 0, e);
    if (code)
        return code;
    int32_t *sorted = arena_alloc(&arena, rows, sizeof *sorted, e);
    int32_t *run = arena_alloc(&arena, rows, 2 * sizeof *run, e);
    int32_t *known = arena_alloc(&arena, (size_t)*groups + count, sizeof *known, e);
    struct shares *shares = arena_alloc(&arena, count, sizeof *shares, e);
    code = arena_check(&arena);
    for (int k = 0; k < s->count && !code; k++) {
        int first = s->first[k], n = s->first[k + 1] - first;
        memcpy(sorted + first, group + first, (size_t)n * sizeof *sorted);
        qsort(sorted + first, (size_t)n, sizeof *sorted, compare_ids);
        shares[k].sample = k;
        take_shares(&shares[k], sorted + first, n, run + 2 * (size_t)first);
    }
    if (!code)
        qsort(shares, count, sizeof *shares, compare_shares);
    for (int k = 0, id = *groups; k < s->count && !code; k++) {
        id += k && compare_shares(&shares[k - 1], &shares[k]);
        group[s->first[shares[k].sample]] = id;
    }
    *groups = 0;
    for (size_t r = 0; r < rows && !code; r++) {
        int32_t *id = &known[group[r]];
        *id = *id ? *id : ++*groups;
        group[r] = *id - 1;
    }
    arena_close(&arena);
    return code;
}

int model_merge_depth(const struct model_config *c, const struct layout *trained,
                      const struct floor_set *s, struct model_groups *g, struct err *e)
{
    struct arena arena;
    struct layout first;
    int code = arena_open(&arena, 0, e);
    code = code ? code : prefix_layout(c, trained, &arena, &first, e);
    code = code ? code : merge_kinds(c, &first, s, g, e);
    if (!code && c->pool == MODEL_POOL_MEAN)
        code = merge_means(s, g->any, &g->any_groups, e);
    if (!code && c->pool == MODEL_POOL_MEAN && g->deep)
        code = merge_means(s, g->deep, &g->deep_groups, e);
    arena_close(&arena);
    return code;
}

int model_merge(const struct model_config *c, const struct layout *trained,
                const struct floor_set *s, int32_t *group, int *groups, struct err *e)
{
    struct model_groups g = {.any = group};
    int code = model_merge_depth(c, trained, s, &g, e);
    *groups = g.any_groups;
    return code;
}

/* Learned vectors in front of the sequence: kept in all layers, seen by whoever the mask lets see
 * them, and part of no output.
 *
 *   rows outside   | x_1 .. x_n | x_1 .. x_m |              of a batch of two samples
 *   rows inside    | p_1 x_1 .. x_n | p_1 x_1 .. x_m |      of a model with one token before them
 *
 * Invariant: what comes in and what goes out is in rows outside; all between is in rows inside. */
#include <assert.h>
#include <string.h>

#include "model/workspace.h"

static const struct option none_options[] = {{.key = NULL}};
static const struct option options[] = {
    [PREFIX_OPTION_TOKENS] = {.key = "tokens", .type = OPTION_INT, .min = 1, .max = 1024,
                              .fallback = "1", .unit = "tokens",
                              .help = "how many vectors stand in front"},
    [PREFIX_OPTION_STD] = {.key = "std", .type = OPTION_REAL, .min = 0, .max = 1000,
                           .fallback = "0.02", .help = "standard deviation of their start"},
    {.key = NULL}};

struct prefix {
    const char *name;
    const struct option *options;
    int (*check)(const struct model_config *c, const struct layout *l, struct err *e);
    /* Layout l with `before` more positions in front. */
    int (*layout)(const struct layout *l, int before, struct arena *a, struct layout *out,
                  struct err *e);
    bool line; /* the positions' own relations are those from `before` on, else the first */
    bool shorter; /* first positions of its layouts are layouts too */
};

int model_before(const struct model_config *c)
{
    return c->prefix.kind ? (int)c->prefix.number[PREFIX_OPTION_TOKENS] : 0;
}

/* ---- bos: on the line before position 1 -------------------------------------------------------*/
static int bos_check(const struct model_config *c, const struct layout *l, struct err *e)
{
    if (layout_is_line(l))
        return 0;
    if (layout_is_scattered(l))
        return err_set(e, ERR_USAGE, "model.prefix", "nothing stands in front of random positions; expected "
                       "'none'");
    return err_set(e, ERR_USAGE, "model.prefix",
                   "bos stands on the line before position 1, which this space has not; expected "
                   "'none', or space: sequence");
}

static int bos_layout(const struct layout *l, int before, struct arena *a, struct layout *out,
                      struct err *e)
{
    return layout_line(l->n + before, a, out, e);
}

/* ---- registers: nowhere, with relations of their own; what they see is said in mask.h ------------
 *   K = 2, n = 2 on a line     r0 r1 1  2     relations 0 .. R-1 are the layout's own (R = 3), then
 *                        r0:   7  8  5  5       R+k:        a position sees register k
 *                        r1:   9 10  6  6       R+K+k:      register k sees a position
 *                        1:    3  4  1  2       R+2K+kK+m:  register k sees register m
 *                        2:    3  4  0  1
 * Of size 0, so that what goes by distance adds nothing to them. */
static int register_relation(const struct layout *l, int before, int i, int j)
{
    int own = l->relations, k = before;
    if (i < k && j < k)
        return own + 2 * k + i * k + j;
    return i < k ? own + k + i : j < k ? own + j : layout_relation(l, i - k, j - k);
}

/* On lines of other lengths offsets are clipped as theirs are; relations of registers stay. */
static void register_fold(const struct layout *trained, const struct layout *here, int32_t *map)
{
    int clip = (trained->relations - here->relations) / 2; /* of 2n-1 + 2K + KK, n and K in origin */
    int own = 2 * here->origin - 1, own_trained = own + 2 * clip;
    for (int r = 0; r < here->relations; r++) {
        int to = r + clip;
        to = to < 0 ? 0 : to >= own_trained ? own_trained - 1 : to;
        map[r] = trained->relations == here->relations ? r : r < own ? to : r - own + own_trained;
    }
}

static int registers_check(const struct model_config *c, const struct layout *l, struct err *e)
{
    struct model_config one;
    if (layout_is_scattered(l))
        return err_set(e, ERR_USAGE, "model.prefix", "nothing stands in front of random positions; expected "
                       "'none'");
    if (!l->axes)
        return err_set(e, ERR_USAGE, "model.prefix", "registers stand in front of the positions of a "
                       "sequence or a grid; expected 'none' on this space");
    if (model_convolves(c))
        return err_set(e, ERR_USAGE, "model.convolution", "it goes along the line, where registers have "
                       "no place; expected 'none', or prefix: bos");
    for (int k = 0; k < model_kinds(c); k++) {
        model_kind_config(c, k, &one);
        if (encoding_of(&one.encoding)->axes_min > 0)
            return err_set(e, ERR_USAGE, "model.encoding", "%s goes by places, and registers have none; "
                           "expected one that goes by relations, such as none, toeplitz, alibi",
                           encoding_of(&one.encoding)->name);
        if (mask_of(&one.mask)->pair || mask_check(&one.mask, l, e) || !mask_sees(&one.mask, l, 0, 0))
            return err_set(e, ERR_USAGE, "model.mask", "%s goes by places, which registers have not, or hides "
                           "the query's own; expected none, causal, window or dilated",
                           mask_of(&one.mask)->name);
        if (one.attention == MODEL_URPE && urpe_of(&one.c)->axes_min > 0)
            return err_set(e, ERR_USAGE, "model.c", "%s goes by places, and registers have none; "
                           "expected toeplitz", urpe_of(&one.c)->name);
    }
    return 0;
}

static int registers_layout(const struct layout *l, int before, struct arena *a, struct layout *out,
                            struct err *e)
{
    int n = l->n + before, relations = l->relations + 2 * before + before * before;
    size_t pairs = (size_t)n * (size_t)n;
    int32_t *relation = arena_alloc(a, pairs, sizeof *relation, e);
    double *distance = arena_alloc(a, (size_t)relations, sizeof *distance, e);
    struct layout *own = arena_alloc(a, 1, sizeof *own, e);
    if ((!relation || !distance || !own) && !a->measuring)
        return ERR_MEMORY;
    if (own)
        *own = *l;
    for (size_t k = 0; k < pairs && relation; k++)
        relation[k] = register_relation(l, before, (int)(k / (size_t)n), (int)(k % (size_t)n));
    for (int r = 0; r < relations && distance; r++)
        distance[r] = r < l->relations ? l->distance[r] : 0;
    *out = (struct layout){.n = n, .relations = relations, .relation = relation, .origin = l->n,
                           .distance = distance, .before = before, .own = own,
                           .fold = register_fold};
    return 0;
}

/* ---- the table --------------------------------------------------------------------------------*/
static const struct prefix prefix_none = {"none", none_options, NULL, NULL, false, true};
static const struct prefix prefix_bos = {"bos", options, bos_check, bos_layout, true,
                                         true};
static const struct prefix prefix_registers = {"registers", options, registers_check,
                                               registers_layout, false, false};
static const struct prefix *const prefix_table[] = {&prefix_none, &prefix_bos, &prefix_registers, NULL};
KIND_TABLE(prefix_kinds, "prefix", prefix_table);

int model_own_relations(const struct model_config *c)
{
    return prefix_table[c->prefix.kind]->line ? model_before(c) : 0;
}

bool prefix_takes_lengths(const struct model_config *c)
{
    return prefix_table[c->prefix.kind]->shorter;
}

int prefix_check(const struct model_config *c, const struct layout *l, struct err *e)
{
    const struct prefix *entry = prefix_table[c->prefix.kind];
    return entry->check ? entry->check(c, l, e) : 0;
}

int prefix_layout(const struct model_config *c, const struct layout *l, struct arena *arena,
                  struct layout *out, struct err *e)
{
    const struct prefix *entry = prefix_table[c->prefix.kind];
    *out = *l;
    return entry->layout ? entry->layout(l, model_before(c), arena, out, e) : 0;
}

/* ---- batches ----------------------------------------------------------------------------------*/
struct batch prefix_batch(const struct model *m, const struct model_state *s, const struct batch *b,
                          struct workspace *w)
{
    struct batch out = *b;
    if (!m->before)
        return out;
    assert(b->samples <= w->samples_max);
    for (int k = 0; k < b->samples; k++) {
        int n = b->first[k + 1] - b->first[k] + m->before;
        bool again = k && w->layout[k - 1]->n == n;
        w->first[k + 1] = w->first[k] + n;
        assert(n == s->longest.n || prefix_takes_lengths(&m->config));
        w->line[k] = layout_shorter(&s->longest, n);
        w->layout[k] = again ? w->layout[k - 1] : &w->line[k];
    }
    out.first = w->first;
    out.layout = w->layout;
    out.rows = w->first[b->samples];
    return out;
}

/* From the last sample to the first, since rows only move back. */
void prefix_spread(const struct batch *outside, const struct batch *inside, int width,
                   const real *front, real *x)
{
    size_t row = (size_t)width * sizeof *x;
    for (int k = outside->samples - 1; k >= 0 && outside->first != inside->first; k--) {
        int n = outside->first[k + 1] - outside->first[k];
        int before = inside->first[k + 1] - inside->first[k] - n;
        real *to = x + (size_t)inside->first[k] * (size_t)width;
        memmove(to + (size_t)before * (size_t)width,
                x + (size_t)outside->first[k] * (size_t)width, (size_t)n * row);
        if (front)
            memcpy(to, front, (size_t)before * row);
        else
            memset(to, 0, (size_t)before * row);
    }
}

void prefix_gather(const struct batch *outside, const struct batch *inside, int width, real *dfront,
                   real *x)
{
    size_t row = (size_t)width * sizeof *x;
    for (int k = 0; k < outside->samples && outside->first != inside->first; k++) {
        int n = outside->first[k + 1] - outside->first[k];
        int before = inside->first[k + 1] - inside->first[k] - n;
        const real *from = x + (size_t)inside->first[k] * (size_t)width;
        for (int i = 0; i < before * width && dfront; i++)
            dfront[i] += from[i];
        memmove(x + (size_t)outside->first[k] * (size_t)width,
                from + (size_t)before * (size_t)width, (size_t)n * row);
    }
}

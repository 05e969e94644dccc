/* Encoding states and C over relations: what depends on parameters and layout, not on samples.
 *
 *   block:  | state 0 | ... | state S-1 | C 0 (H,relations), or (H,n,n) | ... | C T-1 |
 *   S: one for layers that share all tensors of their encoding, else one per layer; T likewise for C,
 *   none in rpe.
 * A microbatch's dstate has the same layout. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

struct encoding_context model_context(const struct model *m, const real *p,
                                      const struct model_state *s, int layer,
                                      const struct layout *l, real *gradient, real *dstate)
{
    const struct model_layer *of = &m->layer[layer];
    const struct layer_kind *kind = of->kind;
    struct encoding_context c = {.config = &kind->config.encoding,
                                 .shape = &kind->shape,
                                 .layout = l ? l : &s->longest,
                                 .fold = s->fold,
                                 .layer = layer,
                                 .code = s->code ? s->code[kind - m->kind] : NULL};
    for (int k = 0; k < kind->encoding_tensors; k++) {
        size_t at = m->tensors.item[of->encoding[k]].offset;
        c.parameter[k] = p + at;
        c.gradient[k] = gradient ? gradient + at : NULL;
    }
    c.state = s->block ? s->block + s->state_at[of->state] : NULL;
    c.dstate = dstate ? dstate + s->state_at[of->state] : NULL;
    return c;
}

/* Numbers of C in a head. */
static size_t c_size(const struct layer_kind *kind, const struct model_state *s)
{
    return kind->c_pairs ? (size_t)s->longest.n * (size_t)s->longest.n : (size_t)s->longest.relations;
}

real *state_c(const struct model *m, const struct model_state *s, real *block, int layer, int head)
{
    if (m->layer[layer].table < 0 || !block)
        return NULL;
    return block + s->state_at[m->states + m->layer[layer].table] +
           (size_t)head * c_size(m->layer[layer].kind, s);
}

const real *model_c(const struct model *m, const struct model_state *s, int layer, int head)
{
    return m->layer[layer].kind->c_pairs ? NULL : state_c(m, s, s->block, layer, head);
}

/* What hooks of C work on; gradient and dstate NULL in a forward pass. */
static struct encoding_context context_of_c(const struct model *m, const real *p,
                                            const struct model_state *s, int layer, real *gradient,
                                            real *dstate)
{
    const struct model_layer *of = &m->layer[layer];
    const struct layer_kind *kind = of->kind;
    struct encoding_context c = {.config = &kind->config.c, .shape = &kind->shape,
                                 .layout = &s->longest, .fold = s->fold, .layer = layer,
                                 .code = s->c_code[kind - m->kind]};
    for (int k = 0; k < kind->c_tensors; k++) {
        size_t at = m->tensors.item[of->c[k]].offset;
        c.parameter[k] = p + at;
        c.gradient[k] = gradient ? gradient + at : NULL;
    }
    c.state = state_c(m, s, s->block, layer, 0);
    c.dstate = state_c(m, s, dstate, layer, 0);
    return c;
}

static size_t state_size(const struct layer_kind *kind, const struct model_state *s)
{
    struct encoding_context c = {.config = &kind->config.encoding, .shape = &kind->shape,
                                 .layout = &s->longest, .fold = s->fold};
    return kind->encoding->state_size ? kind->encoding->state_size(&c) : 0;
}

static int32_t *rows_of_c(const struct model *m, const struct model_state *s, int layer)
{
    return s->c_row + (m->layer[layer].kind - m->kind) * (ptrdiff_t)s->longest.relations;
}

static void place_one(struct model_state *s, int number, size_t size)
{
    if (s->state_at)
        s->state_at[number] = s->elements;
    s->elements += size;
}

/* Sizes and places of all that the block holds.  Here and below, the first layer with a state's
 * number makes it. */
static void place(struct model_state *s, const struct model *m)
{
    int states = 0, tables = 0;
    for (int k = 0; k < m->config.layers; k++)
        if (m->layer[k].state == states)
            place_one(s, states++, state_size(m->layer[k].kind, s));
    for (int k = 0; k < m->config.layers; k++)
        if (m->layer[k].table == tables)
            place_one(s, states + tables++, (size_t)m->heads * c_size(m->layer[k].kind, s));
}

static int open_kinds(struct model_state *s, const struct model *m, const struct layout *own,
                      struct arena *arena, struct err *e)
{
    struct layout longest = s->longest;
    struct arena measured = {0}; /* while measuring, no array of a longer line is there to look at */
    bool absent = arena->measuring && m->before;
    int code = absent ? arena_open(&measured, 0, e) : 0;
    if (absent && !code)
        code = prefix_layout(&m->config, own, &measured, &longest, e);
    for (int k = 0; k < m->kinds && !code; k++) {
        const struct kind_config *mask = &m->kind[k].config.mask;
        struct mask_reach reach;
        code = mask_reach_open(&reach, mask_of(mask), mask, &longest, arena, e);
        if (s->reach)
            s->reach[k] = reach;
        struct encoding_context c = {.config = &m->kind[k].config.encoding,
                                     .shape = &m->kind[k].shape, .layout = &longest};
        code = code ? code : encoding_open(&c, arena, e);
        if (s->code)
            s->code[k] = c.code;
        c.config = &m->kind[k].config.c;
        if (m->kind[k].config.attention == MODEL_URPE)
            code = code ? code : urpe_open(&c, arena, e);
        if (s->c_code)
            s->c_code[k] = c.code;
    }
    if (absent)
        arena_close(&measured);
    return code;
}

/* ---- transposed weights -----------------------------------------------------------------------*/
struct linear {
    int tensor, in, out;
};

/* The model's linear layers by number, in the order of their tensors; false: no more.  A layer that the
 * model lacks has tensor -1. */
static bool linear_of(const struct model *m, int number, struct linear *x)
{
    int layers = (int)m->config.layers, width = m->width, ffn = (int)m->config.ffn;
    enum { EACH = 6 };
    if (number < EACH * layers) {
        const struct model_layer *l = &m->layer[number / EACH];
        const struct linear of[EACH] = {{l->q, width, m->qkv_width}, /* q, k, v in one */
                                        {l->o, width, width}, {l->in, width, ffn},
                                        {l->up, width, ffn}, {l->out, ffn, width},
                                        {l->gate, width, width}};
        *x = of[number % EACH];
        return true;
    }
    const struct linear ends[] = {{m->io.channels > 0 ? m->embed : -1, m->io.channels, width},
                                  {m->dense, width, width}, {m->head, width, model_outputs(m)}};
    number -= EACH * layers;
    if (number < 3)
        *x = ends[number];
    return number < 3;
}

/* Room for all that might be turned, whether this program does or not: then a price holds for both. */
static size_t place_turned(const struct model *m, size_t *at)
{
    struct linear x;
    size_t size = 0;
    for (int k = 0; linear_of(m, k, &x); k++)
        if (x.tensor >= 0 && linear_is_small(x.in, x.out)) {
            if (at)
                at[x.tensor] = size;
            size += (size_t)x.in * (size_t)x.out;
        }
    return size;
}

static void turn_weights(const struct model *m, const real *p, const struct model_state *s)
{
    struct linear x;
    for (int k = 0; linear_of(m, k, &x); k++)
        if (x.tensor >= 0 && linear_is_turned(x.in, x.out))
            gemm_turn(x.out, x.in, p + m->tensors.item[x.tensor].offset,
                      s->turned + s->turned_at[x.tensor]);
}

/* ---- the state --------------------------------------------------------------------------------*/
int model_state_open(struct model_state *s, const struct model *m, const struct layout *longest,
                     struct arena *arena, struct err *e)
{
    *s = (struct model_state){.n = longest->n};
    if (prefix_layout(&m->config, longest, arena, &s->longest, e))
        return ERR_MEMORY;
    size_t relations = (size_t)s->longest.relations, kinds = (size_t)m->kinds;
    s->fold = arena_alloc(arena, relations, sizeof *s->fold, e);
    s->c_row = arena_alloc(arena, kinds * relations, sizeof *s->c_row, e);
    s->state_at = arena_alloc(arena, (size_t)(m->states + m->tables), sizeof *s->state_at, e);
    s->reach = arena_alloc(arena, kinds, sizeof *s->reach, e);
    s->code = arena_alloc(arena, kinds, sizeof *s->code, e);
    s->c_code = arena_alloc(arena, kinds, sizeof *s->c_code, e);
    place(s, m);
    s->block = arena_alloc(arena, s->elements, sizeof *s->block, e);
    s->turned_at = arena_alloc(arena, (size_t)m->tensors.count, sizeof *s->turned_at, e);
    s->turned = arena_alloc(arena, place_turned(m, s->turned_at), sizeof *s->turned, e);
    int code = open_kinds(s, m, longest, arena, e);
    if (arena->measuring || code)
        return code;
    if (!s->fold || !s->c_row || !s->state_at || !s->reach || !s->code || !s->c_code || !s->block ||
        !s->turned_at || !s->turned)
        return ERR_MEMORY;
    s->longest.fold(&m->trained, &s->longest, s->fold);
    for (int k = 0; k < m->kinds; k++) {
        const struct urpe *c = urpe_of(&m->kind[k].config.c);
        if (m->kind[k].config.attention == MODEL_URPE && c->map)
            c->map(&m->kind[k].shape, &s->longest, s->c_row + (size_t)k * relations);
    }
    return 0;
}

/* C of layer k over relations, from its table or what it is else made of. */
static void expand_c(const struct model *m, const real *p, struct model_state *s, int k)
{
    const struct urpe *urpe = urpe_of(&m->layer[k].kind->config.c);
    struct encoding_context context = context_of_c(m, p, s, k, NULL, NULL);
    if (urpe->prepare) {
        urpe->prepare(&context, state_c(m, s, s->block, k, 0));
        return;
    }
    const struct tensor *table = &m->tensors.item[m->layer[k].c[0]];
    const int32_t *row_of = rows_of_c(m, s, k);
    for (int h = 0; h < m->heads; h++) {
        const real *row = p + table->offset + (size_t)h * (size_t)table->shape[1];
        real *c = state_c(m, s, s->block, k, h);
        for (int r = 0; r < s->longest.relations; r++)
            c[r] = row[row_of[r]];
    }
}

void model_prepare(const struct model *m, const real *p, struct model_state *s)
{
    int states = 0, tables = 0;
    turn_weights(m, p, s);
    for (int k = 0; k < m->config.layers; k++) {
        const struct encoding *encoding = m->layer[k].kind->encoding;
        if (m->layer[k].state == states) {
            struct encoding_context c = model_context(m, p, s, k, NULL, NULL, NULL);
            if (encoding->prepare)
                encoding->prepare(&c, s->block + s->state_at[states]);
            states++;
        }
        if (m->layer[k].table == tables) {
            expand_c(m, p, s, k);
            tables++;
        }
    }
}

static void expand_c_backward(const struct model *m, const real *p, const struct model_state *s, int k,
                              real *dstate, real *gradient)
{
    const struct urpe *urpe = urpe_of(&m->layer[k].kind->config.c);
    struct encoding_context context = context_of_c(m, p, s, k, gradient, dstate);
    if (urpe->prepare) {
        urpe->prepare_backward(&context);
        return;
    }
    const struct tensor *table = &m->tensors.item[m->layer[k].c[0]];
    const int32_t *row_of = rows_of_c(m, s, k);
    for (int h = 0; h < m->heads; h++) {
        real *row = gradient + table->offset + (size_t)h * (size_t)table->shape[1];
        const real *dc = state_c(m, s, dstate, k, h);
        for (int r = 0; r < s->longest.relations; r++)
            row[row_of[r]] += dc[r];
    }
}

void model_prepare_backward(const struct model *m, const real *p, const struct model_state *s,
                            real *dstate, real *gradient)
{
    int states = 0, tables = 0;
    for (int k = 0; k < m->config.layers; k++) {
        const struct encoding *encoding = m->layer[k].kind->encoding;
        if (m->layer[k].state == states) {
            struct encoding_context c = model_context(m, p, s, k, NULL, gradient, dstate);
            if (encoding->prepare_backward)
                encoding->prepare_backward(&c);
            states++;
        }
        if (m->layer[k].table == tables) {
            expand_c_backward(m, p, s, k, dstate, gradient);
            tables++;
        }
    }
}

/* Encoding states and C over relations: what depends on parameters and layout, not on samples.
 *
 *   block:  | state 0 | ... | state S-1 | C 0 (H,relations) | ... | C T-1 |
 *   S = 1, or one per layer when a tensor of the encoding is per layer; T likewise for C, 0 in rpe.
 * A microbatch's dstate has the same layout. */
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

static size_t tables_offset(const struct model *m, const struct model_state *s)
{
    return (size_t)m->states * s->state_size;
}

struct encoding_context model_context(const struct model *m, const real *p,
                                      const struct model_state *s, int layer,
                                      const struct layout *l, real *gradient, real *dstate)
{
    struct encoding_context c = {.config = &m->config.encoding,
                                 .shape = &m->shape,
                                 .layout = l ? l : &s->longest,
                                 .fold = s->fold,
                                 .layer = layer};
    size_t offset = m->states > 1 ? (size_t)layer * s->state_size : 0;
    for (int k = 0; k < m->encoding_tensors; k++) {
        size_t at = m->tensors.item[m->layer[layer].encoding[k]].offset;
        c.parameter[k] = p + at;
        c.gradient[k] = gradient ? gradient + at : NULL;
    }
    c.state = s->block ? s->block + offset : NULL;
    c.dstate = dstate ? dstate + offset : NULL;
    return c;
}

real *state_c(const struct model *m, const struct model_state *s, real *block, int layer, int head)
{
    if (!m->tables || !block)
        return NULL;
    size_t relations = (size_t)s->longest.relations;
    size_t table = m->tables > 1 ? (size_t)layer : 0;
    return block + tables_offset(m, s) +
           (table * (size_t)m->shape.heads + (size_t)head) * relations;
}

const real *model_c(const struct model *m, const struct model_state *s, int layer, int head)
{
    return state_c(m, s, s->block, layer, head);
}

int model_state_open(struct model_state *s, const struct model *m, const struct layout *longest,
                     struct arena *arena, struct err *e)
{
    *s = (struct model_state){.longest = *longest};
    size_t relations = (size_t)longest->relations;
    s->fold = arena_alloc(arena, relations, sizeof *s->fold, e);
    s->c_row = arena_alloc(arena, relations, sizeof *s->c_row, e);
    if (m->encoding->state_size) {
        struct encoding_context c = {.config = &m->config.encoding, .shape = &m->shape,
                                     .layout = &s->longest, .fold = s->fold};
        s->state_size = m->encoding->state_size(&c);
    }
    s->elements = (size_t)m->states * s->state_size +
                  (size_t)m->tables * (size_t)m->shape.heads * relations;
    s->block = arena_alloc(arena, s->elements, sizeof *s->block, e);
    s->turned = arena_alloc(arena, m->tensors.elements, sizeof *s->turned, e);
    int code = mask_reach_open(&s->reach, mask_of(&m->config.mask), &m->config.mask, longest,
                               arena, e);
    if (arena->measuring || code)
        return code;
    if (!s->fold || !s->c_row || !s->block || !s->turned)
        return ERR_MEMORY;
    s->longest.fold(&m->trained, &s->longest, s->fold);
    if (m->tables)
        urpe_of(&m->config.c)->map(&m->shape, &s->longest, s->c_row);
    return 0;
}

static void turn(const struct model *m, const real *p, struct model_state *s, int tensor, int in,
                 int out)
{
    size_t at = tensor < 0 ? 0 : m->tensors.item[tensor].offset;
    if (tensor >= 0 && linear_is_turned(in, out))
        gemm_turn(out, in, p + at, s->turned + at);
}

static void turn_weights(const struct model *m, const real *p, struct model_state *s)
{
    int width = m->shape.width, ffn = (int)m->config.ffn;
    for (int k = 0; k < (int)m->config.layers; k++) {
        const struct model_layer *l = &m->layer[k];
        turn(m, p, s, l->q, width, 3 * width); /* q, k, v in one */
        turn(m, p, s, l->o, width, width);
        turn(m, p, s, l->in, width, ffn);
        turn(m, p, s, l->out, ffn, width);
    }
    if (m->io.channels > 0)
        turn(m, p, s, m->embed, m->io.channels, width);
    turn(m, p, s, m->dense, width, width);
    turn(m, p, s, m->head, width, model_outputs(m));
}

void model_prepare(const struct model *m, const real *p, struct model_state *s)
{
    turn_weights(m, p, s);
    for (int k = 0; k < m->states && m->encoding->prepare; k++) {
        struct encoding_context c = model_context(m, p, s, k, NULL, NULL, NULL);
        m->encoding->prepare(&c, s->block + (size_t)k * s->state_size);
    }
    for (int t = 0; t < m->tables; t++) {
        const struct tensor *table = &m->tensors.item[m->layer[t].c];
        for (int h = 0; h < m->shape.heads; h++) {
            const real *row = p + table->offset + (size_t)h * (size_t)table->shape[1];
            real *c = state_c(m, s, s->block, t, h);
            for (int r = 0; r < s->longest.relations; r++)
                c[r] = row[s->c_row[r]];
        }
    }
}

void model_prepare_backward(const struct model *m, const real *p, const struct model_state *s,
                            real *dstate, real *gradient)
{
    for (int k = 0; k < m->states && m->encoding->prepare_backward; k++) {
        struct encoding_context c = model_context(m, p, s, k, NULL, gradient, dstate);
        m->encoding->prepare_backward(&c);
    }
    for (int t = 0; t < m->tables; t++) {
        const struct tensor *table = &m->tensors.item[m->layer[t].c];
        for (int h = 0; h < m->shape.heads; h++) {
            real *row = gradient + table->offset + (size_t)h * (size_t)table->shape[1];
            const real *dc = state_c(m, s, dstate, t, h);
            for (int r = 0; r < s->longest.relations; r++)
                row[s->c_row[r]] += dc[r];
        }
    }
}

/* Sizes and weights of a construction (construct.h). */
#include <string.h>

#include "kernel/kernel.h"
#include "theory/construct.h"
#include "theory/construct_entry.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

void construct_sizes(const struct construct *c, int *heads, int *head_width)
{
    *heads = larger(c->tables, 1);
    *head_width = larger(larger(c->slots_max, 1), (c->registers + *heads - 1) / *heads);
}

void construct_config(const struct construct *c, struct model_config *out)
{
    *out = *c->model;
    out->layers = larger(c->layers, 1);
    out->heads = c->shape.heads;
    out->width = c->shape.width;
    out->ffn = larger(c->units_max, 1);
    out->norm = MODEL_NORM_NONE;
    out->activation = ACTIVATION_RELU;
    out->head = MODEL_HEAD_LINEAR;
    out->tie = out->embed_norm = false;
}

/* ---- writing ----------------------------------------------------------------------------------*/

struct writer {
    const struct construct *c;
    const struct model *m;
    real *p;
};

/* Adds to an element of a tensor: its weight (rows,columns), or its bias where the column is
 * CONSTRUCT_ONE. */
static void put(const struct writer *w, int weight, int bias, int row, int column, double value)
{
    const struct tensor *t = &w->m->tensors.item[column == CONSTRUCT_ONE ? bias : weight];
    size_t at = (size_t)row;
    if (column != CONSTRUCT_ONE)
        at = at * (size_t)t->shape[1] + (size_t)column;
    w->p[t->offset + at] += (real)value;
}

static void put_entry(const struct writer *w, const struct construct_entry *x)
{
    const struct model *m = w->m;
    const struct model_layer *l = &m->layer[larger(x->layer, 0)];
    int slot = w->c->table[x->table].head * m->shape.head_width + x->at;
    switch (x->part) {
    case CONSTRUCT_EMBED:
        if (m->io.channels > 0)
            put(w, m->embed, m->embed_bias, x->at, x->reg, x->value);
        else
            put(w, m->embed, -1, x->reg, x->at, x->value);
        break;
    case CONSTRUCT_PLACE: put(w, m->layer[0].encoding[0], -1, x->at, x->reg, x->value); break;
    case CONSTRUCT_QUERY: put(w, l->q, l->q_bias, slot, x->reg, x->value); break;
    case CONSTRUCT_KEY: put(w, l->k, l->k_bias, slot, x->reg, x->value); break;
    case CONSTRUCT_VALUE: put(w, l->v, l->v_bias, slot, x->reg, x->value); break;
    case CONSTRUCT_OUT: put(w, l->o, -1, x->reg, slot, x->value); break;
    case CONSTRUCT_IN: put(w, l->in, l->in_bias, x->at, x->reg, x->value); break;
    case CONSTRUCT_UNIT_OUT: put(w, l->out, -1, x->reg, x->at, x->value); break;
    case CONSTRUCT_HEAD: put(w, m->head, m->head_bias, x->at, x->reg, x->value); break;
    }
}

/* Values by relation into a table (heads,rows), for the relations that some pair has. */
static void put_table(const struct writer *w, int tensor, int head, const int32_t *row,
                      const double *value)
{
    const struct tensor *t = &w->m->tensors.item[tensor];
    real *out = w->p + t->offset + (size_t)head * (size_t)t->shape[1];
    for (int r = 0; r < w->c->layout->relations; r++)
        if (w->c->seen[r])
            out[row[r]] = (real)value[r];
}

static void put_tables(const struct writer *w, const struct model_layer *l)
{
    const struct construct *c = w->c;
    for (int t = 0; t < c->tables; t++) {
        const struct construct_table *x = &c->table[t];
        if (x->b)
            put_table(w, l->encoding[0], x->head, c->rest.row, x->b);
        if (x->c)
            put_table(w, l->c, x->head, c->c_row, x->c);
    }
}

void construct_write(const struct construct *c, const struct model *m, real *p)
{
    struct writer w = {c, m, p};
    memset(p, 0, m->tensors.elements * sizeof *p);
    for (int k = 0; k < m->config.layers; k++) {
        const struct model_layer *l = &m->layer[k];
        if (l->c >= 0) {
            const struct tensor *t = &m->tensors.item[l->c];
            for (size_t i = 0; i < t->count; i++)
                p[t->offset + i] = 1;
        }
        put_tables(&w, l);
    }
    for (size_t k = 0; k < c->entries; k++)
        put_entry(&w, &c->entry[k]);
}

/* The builder (construct.h): registers, tables, layers, and the weights that they become. */
#include "witness/construct.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* Values that one row of C's table must hold for several relations agree when they differ by no
 * more than rounding. */
#define SAME 1e-12

/* One number of a construction, by its place. */
enum construct_part {
    CONSTRUCT_EMBED,    /* at: register; reg: input channel or symbol */
    CONSTRUCT_PLACE,    /* at: position; reg: register */
    CONSTRUCT_QUERY,    /* at: channel of the table's head; reg: register */
    CONSTRUCT_KEY,      /* likewise */
    CONSTRUCT_VALUE,    /* likewise */
    CONSTRUCT_OUT,      /* likewise */
    CONSTRUCT_IN,       /* at: unit; reg: register */
    CONSTRUCT_UNIT_OUT, /* likewise */
    CONSTRUCT_HEAD      /* at: output; reg: register */
};

struct construct_entry {
    enum construct_part part;
    int layer, table, at, reg;
    double value; /* added to what is there */
};

bool construct_sees(const struct construct *c, int i, int j)
{
    return mask_sees(&c->model->mask, c->layout, i, j);
}

double construct_row_sum(const struct construct *c, int i, const double *kernel, double factor)
{
    double sum = 0;
    for (int j = 0; j < c->layout->n; j++)
        if (construct_sees(c, i, j))
            sum += kernel[layout_relation(c->layout, i, j)] * factor;
    return sum;
}

bool construct_same(const struct construct *c, const double *x, double *value)
{
    bool first = true;
    *value = 0;
    for (int i = 0; i < c->layout->n; i++) {
        if (c->blind[i])
            continue;
        if (!first && fabs(x[i] - *value) > SAME * fmax(fabs(x[i]), fabs(*value)))
            return false;
        if (first)
            *value = x[i];
        first = false;
    }
    return true;
}

static void fail(struct construct *c, int code)
{
    if (!c->code)
        c->code = code;
}

/* ---- opening ----------------------------------------------------------------------------------*/

static double bias_range(const struct construct *c, const double *bias)
{
    double low = INFINITY, high = -INFINITY;
    for (int r = 0; r < c->layout->relations; r++)
        if (c->seen[r]) {
            low = fmin(low, bias[r]);
            high = fmax(high, bias[r]);
        }
    return high - low;
}

static const double *rest_bias(const struct construct *c, int head)
{
    return c->rest.bias + (size_t)head * (size_t)c->layout->relations;
}

/* Heads by the range of their bias at rest. */
static void order_heads(struct construct *c)
{
    for (int h = 0; h < c->shape.heads; h++) {
        int at = h;
        double range = bias_range(c, rest_bias(c, h));
        for (; at > 0 && bias_range(c, rest_bias(c, c->order[at - 1])) > range; at--)
            c->order[at] = c->order[at - 1];
        c->order[at] = h;
    }
}

static void find_seen(struct construct *c)
{
    c->whole = true;
    for (int i = 0; i < c->layout->n; i++) {
        c->blind[i] = true;
        for (int j = 0; j < c->layout->n; j++)
            if (construct_sees(c, i, j)) {
                c->seen[layout_relation(c->layout, i, j)] = true;
                c->blind[i] = false;
            } else {
                c->whole = false;
            }
    }
}

static int open_tables(struct construct *c, struct err *e)
{
    size_t relations = (size_t)c->layout->relations;
    c->seen = arena_alloc(&c->arena, relations, sizeof *c->seen, e);
    c->blind = arena_alloc(&c->arena, (size_t)c->layout->n, sizeof *c->blind, e);
    c->order = arena_alloc(&c->arena, (size_t)c->shape.heads, sizeof *c->order, e);
    int *step = arena_alloc(&c->arena, relations, sizeof *step, e);
    if (!c->seen || !c->blind || !c->order || !step)
        return ERR_MEMORY;
    for (size_t r = 0; r < relations && c->layout->axes; r++)
        step[r] = mask_step(c->layout, (int)r);
    c->step = c->layout->axes ? step : NULL;
    find_seen(c);
    int code = (c->model->precision == MODEL_DOUBLE ? rest_open_double : rest_open)(
        &c->rest, c->model, &c->shape, c->seen, &c->arena, e);
    if (!code)
        order_heads(c);
    return code;
}

int construct_open(struct construct *c, const struct model_config *m, const struct model_io *io,
                   const struct layout *trained, int heads, int head_width, struct err *e)
{
    struct model_config config = *m;
    *c = (struct construct){.model = m, .io = *io, .layout = trained};
    config.heads = heads;
    config.width = (int64_t)heads * head_width;
    config.tie = config.embed_norm = false;
    config.head = MODEL_HEAD_LINEAR;
    int code = model_check(&config, io, trained, trained, e);
    if (code)
        return code;
    c->shape = model_shape(&config, trained);
    c->softmax = normaliser_is_softmax(&m->normaliser);
    code = arena_open(&c->arena, 0, e);
    return code ? code : open_tables(c, e);
}

void construct_close(struct construct *c)
{
    arena_close(&c->arena);
    memory_free(c->entry);
    *c = (struct construct){0};
}

/* ---- entries ----------------------------------------------------------------------------------*/

static void add_entry(struct construct *c, struct construct_entry entry)
{
    if (entry.value == 0 || c->code)
        return;
    if (memory_grow(c->entry, c->entries + 1, &c->err)) {
        fail(c, ERR_MEMORY);
        return;
    }
    entry.layer = c->layers - 1;
    c->entry[c->entries++] = entry;
}

int construct_registers(struct construct *c, int count)
{
    c->registers += count;
    return c->registers - count;
}

void construct_embed(struct construct *c, int input, int reg, double weight)
{
    add_entry(c, (struct construct_entry){CONSTRUCT_EMBED, 0, 0, reg, input, weight});
}

void construct_place(struct construct *c, int position, int reg, double value)
{
    add_entry(c, (struct construct_entry){CONSTRUCT_PLACE, 0, 0, position, reg, value});
}

void construct_output(struct construct *c, int output, int reg, double weight)
{
    add_entry(c, (struct construct_entry){CONSTRUCT_HEAD, 0, 0, output, reg, weight});
}

/* ---- tables -----------------------------------------------------------------------------------*/

/* C by relation that makes of softmax(bias) the kernel, up to the row's factor; unseen relations of
 * a row of C's table take the value of its seen ones, so one pass over rows checks them all. */
static bool make_c(const struct construct *c, const double *bias, const double *kernel,
                   double *out)
{
    for (int r = 0; r < c->layout->relations; r++)
        out[r] = c->seen[r] ? kernel[r] * exp(-bias[r]) : 0;
    const int32_t *row = c->rest.c_row;
    for (int r = 0; row && r < c->layout->relations; r++)
        for (int s = 0; s < r && c->seen[r]; s++)
            if (c->seen[s] && row[s] == row[r] &&
                fabs(out[s] - out[r]) > SAME * fmax(fabs(out[s]), fabs(out[r])))
                return false;
    return true;
}

int construct_next_head(const struct construct *c)
{
    return c->order[c->tables % c->shape.heads];
}

/* Whether what C should be (relations; NULL: 1) is *factor times C at rest: then no C is needed. */
static bool like_rest(const struct construct *c, int head, const double *wanted, double *factor)
{
    const double *rest = c->rest.c ? c->rest.c + (size_t)head * (size_t)c->layout->relations : NULL;
    bool first = true;
    for (int r = 0; r < c->layout->relations; r++) {
        double have = rest ? rest[r] : 1, want = wanted ? wanted[r] : 1;
        if (!c->seen[r] || (have == 0 && want == 0))
            continue;
        if (have == 0 || (!first && fabs(want - *factor * have) > SAME * fabs(*factor * have)))
            return false;
        *factor = first ? want / have : *factor;
        first = false;
    }
    return true;
}

bool construct_level(const struct construct *c, double *factor)
{
    *factor = 1;
    return like_rest(c, construct_next_head(c), NULL, factor);
}

bool construct_can_bias(const struct construct *c, const double *b)
{
    if (!c->rest.row)
        return false;
    for (int r = 0; r < c->layout->relations; r++)
        for (int s = 0; s < r && c->seen[r]; s++)
            if (c->seen[s] && c->rest.row[s] == c->rest.row[r] && b[s] != b[r])
                return false;
    return true;
}

/* 1 / sum_j e^bias; weight (relations) is overwritten. */
static void row_factors(const struct construct *c, const double *bias, double *weight, double *row)
{
    for (int r = 0; r < c->layout->relations; r++)
        weight[r] = exp(bias[r]);
    for (int i = 0; i < c->layout->n; i++) {
        double sum = 0;
        for (int j = 0; j < c->layout->n; j++)
            if (construct_sees(c, i, j))
                sum += weight[layout_relation(c->layout, i, j)];
        row[i] = c->blind[i] ? 0 : 1 / sum;
    }
}

static const double *copy(struct construct *c, const double *x, size_t count)
{
    double *out = arena_alloc(&c->arena, count, sizeof *out, &c->err);
    if (!out) {
        fail(c, ERR_MEMORY);
        return NULL;
    }
    memcpy(out, x, count * sizeof *out);
    return out;
}

static int add_table(struct construct *c, const double *b, const double *kernel, int *table)
{
    size_t relations = (size_t)c->layout->relations;
    struct construct_table *t = &c->table[c->tables];
    assert(!b || !kernel);
    if (c->tables == CONSTRUCT_TABLES_MAX || (b && !construct_can_bias(c, b)))
        return CONSTRUCT_UNKNOWN;
    int head = construct_next_head(c);
    const double *bias = b ? b : construct_rest(c);
    double *wanted = arena_alloc(&c->arena, relations, sizeof *wanted, &c->err);
    *t = (struct construct_table){.head = head, .scale = 1, .range = bias_range(c, bias)};
    t->row = arena_alloc(&c->arena, (size_t)c->layout->n, sizeof *t->row, &c->err);
    if (!wanted || !t->row)
        return c->err.code;
    if (c->softmax)
        row_factors(c, bias, wanted, t->row);
    if (b)
        t->b = copy(c, b, relations);
    if (kernel && !make_c(c, bias, kernel, wanted))
        return CONSTRUCT_UNKNOWN;
    if (!like_rest(c, head, kernel ? wanted : NULL, &t->scale)) {
        if (!c->rest.c_row || !kernel)
            return CONSTRUCT_UNKNOWN;
        t->scale = 1;
        t->c = copy(c, wanted, relations);
    }
    *table = c->tables++;
    return c->code;
}

int construct_table(struct construct *c, const double *b, const double *kernel, int *table)
{
    return c->softmax ? add_table(c, b, kernel, table) : CONSTRUCT_UNKNOWN;
}

int construct_weights(struct construct *c, const double *b, int *table)
{
    return add_table(c, b, NULL, table);
}

const double *construct_rest(const struct construct *c)
{
    return rest_bias(c, construct_next_head(c));
}

void construct_drop(struct construct *c)
{
    c->tables--;
}

/* ---- layers -----------------------------------------------------------------------------------*/

void construct_layer(struct construct *c)
{
    c->layers++;
    c->units = 0;
    for (int t = 0; t < c->tables; t++)
        c->table[t].values = c->table[t].scores = 0;
}

static void use_slot(struct construct *c, int slot)
{
    if (slot + 1 > c->slots_max)
        c->slots_max = slot + 1;
}

void construct_value(struct construct *c, int table, int from, int to, double weight)
{
    struct construct_table *t = &c->table[table];
    int slot = t->values++;
    use_slot(c, slot);
    add_entry(c, (struct construct_entry){CONSTRUCT_VALUE, 0, table, slot, from, 1});
    add_entry(c, (struct construct_entry){CONSTRUCT_OUT, 0, table, slot, to, weight * t->scale});
}

void construct_score(struct construct *c, int table, int query, int key, double weight)
{
    int slot = c->table[table].scores++;
    use_slot(c, slot);
    add_entry(c, (struct construct_entry){CONSTRUCT_QUERY, 0, table, slot, query,
                                          weight / c->rest.scale});
    add_entry(c, (struct construct_entry){CONSTRUCT_KEY, 0, table, slot, key, 1});
}

int construct_unit(struct construct *c)
{
    int unit = c->units++;
    if (c->units > c->units_max)
        c->units_max = c->units;
    return unit;
}

void construct_unit_in(struct construct *c, int unit, int from, double weight)
{
    add_entry(c, (struct construct_entry){CONSTRUCT_IN, 0, 0, unit, from, weight});
}

void construct_unit_out(struct construct *c, int unit, int to, double weight)
{
    add_entry(c, (struct construct_entry){CONSTRUCT_UNIT_OUT, 0, 0, unit, to, weight});
}

/* ---- sizes ------------------------------------------------------------------------------------*/
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
    out->norm_kind = MODEL_NORM_LAYER;
    out->kv_heads = 0;
    out->gated = out->output_gate = false;
    out->values = MODEL_VALUES_OWN;
    out->tie = out->embed_norm = false;
}

/* ---- writing ----------------------------------------------------------------------------------*/
struct writer {
    const struct construct *c;
    const struct model *m;
    void *p;
};

/* Element `at` of the block becomes value, or what it is plus value. */
static void set(const struct writer *w, size_t at, bool add, double value)
{
    float *narrow = w->p;
    double *wide = w->p;
    if (w->m->config.precision == MODEL_DOUBLE)
        wide[at] = add ? wide[at] + value : value;
    else
        narrow[at] = add ? narrow[at] + (float)value : (float)value;
}

/* Adds to an element of a tensor: its weight (rows,columns), or its bias where the column is
 * CONSTRUCT_ONE. */
static void put(const struct writer *w, int weight, int bias, int row, int column, double value)
{
    const struct tensor *t = &w->m->tensors.item[column == CONSTRUCT_ONE ? bias : weight];
    size_t at = (size_t)row;
    if (column != CONSTRUCT_ONE)
        at = at * (size_t)t->shape[1] + (size_t)column;
    set(w, t->offset + at, true, value);
}

static void put_entry(const struct writer *w, const struct construct_entry *x)
{
    const struct model *m = w->m;
    const struct model_layer *l = &m->layer[larger(x->layer, 0)];
    int slot = w->c->table[x->table].head * m->head_width + x->at;
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
    size_t first = t->offset + (size_t)head * (size_t)t->shape[1];
    for (int r = 0; r < w->c->layout->relations; r++)
        if (w->c->seen[r])
            set(w, first + (size_t)row[r], false, value[r]);
}

static void put_rest(const struct writer *w, const int *tensor, int count, double value)
{
    for (int k = 0; k < count; k++) {
        const struct tensor *t = &w->m->tensors.item[tensor[k]];
        for (size_t i = 0; i < t->count; i++)
            set(w, t->offset + i, false, isnan(value) ? t->mean : value);
    }
}

static void put_tables(const struct writer *w, const struct model_layer *l)
{
    const struct construct *c = w->c;
    for (int t = 0; t < c->tables; t++) {
        const struct construct_table *x = &c->table[t];
        if (x->b)
            put_table(w, l->encoding[0], x->head, c->rest.row, x->b);
        if (x->c)
            put_table(w, l->c[0], x->head, c->rest.c_row, x->c);
    }
}

void construct_write(const struct construct *c, const struct model *m, void *p)
{
    struct writer w = {c, m, p};
    for (size_t k = 0; k < m->tensors.elements; k++)
        set(&w, k, false, 0);
    for (int k = 0; k < m->config.layers; k++) {
        const struct model_layer *l = &m->layer[k];
        put_rest(&w, l->encoding, l->kind->encoding_tensors, c->rest.at);
        put_rest(&w, l->c, l->kind->c_tensors, c->rest.c_at);
        put_tables(&w, l);
    }
    for (size_t k = 0; k < c->entries; k++)
        put_entry(&w, &c->entry[k]);
}

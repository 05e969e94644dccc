/* The builder (construct.h): registers, tables, layers.  Writing is in construct_write.c. */
#include "theory/construct.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "theory/construct_entry.h"

/* Values that one row of C's table must hold for several relations agree when they differ by no
 * more than rounding. */
#define SAME 1e-12

int construct_visible(const struct construct *c, int i)
{
    return c->shape.causal ? i + 1 : c->layout->n;
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

static void find_steps(struct construct *c)
{
    const struct layout *l = c->layout;
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n; j++)
            c->step[layout_relation(l, i, j)] = j - i;
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n; j++)
            if (c->step[layout_relation(l, i, j)] != j - i) {
                c->step = NULL;
                return;
            }
}

static int open_tables(struct construct *c, struct err *e)
{
    size_t relations = (size_t)c->layout->relations;
    c->seen = arena_alloc(&c->arena, relations, sizeof *c->seen, e);
    c->order = arena_alloc(&c->arena, (size_t)c->shape.heads, sizeof *c->order, e);
    c->step = arena_alloc(&c->arena, relations, sizeof *c->step, e);
    int32_t *fold = arena_alloc(&c->arena, relations, sizeof *fold, e);
    if (!c->seen || !c->order || !c->step || !fold)
        return ERR_MEMORY;
    find_steps(c);
    for (int i = 0; i < c->layout->n; i++)
        for (int j = 0; j < construct_visible(c, i); j++)
            c->seen[layout_relation(c->layout, i, j)] = true;
    if (c->model->attention == MODEL_URPE) {
        c->c_row = arena_alloc(&c->arena, relations, sizeof *c->c_row, e);
        if (!c->c_row)
            return ERR_MEMORY;
        c->layout->fold(c->layout, c->layout, fold);
        urpe_of(&c->model->c)->map(&c->shape, c->layout, fold, c->c_row);
    }
    int code = rest_open(&c->rest, &c->model->encoding, &c->shape, &c->arena, e);
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
    c->shape = (struct encoding_shape){.width = heads * head_width, .heads = heads,
                                       .head_width = head_width,
                                       .causal = m->mask == MODEL_MASK_CAUSAL,
                                       .trained = trained};
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
    for (int r = 0; c->c_row && r < c->layout->relations; r++)
        for (int s = 0; s < r && c->seen[r]; s++)
            if (c->seen[s] && c->c_row[s] == c->c_row[r] &&
                fabs(out[s] - out[r]) > SAME * fmax(fabs(out[s]), fabs(out[r])))
                return false;
    return true;
}

/* Whether C is the same wherever it is seen: then no C is needed, only a factor. */
static bool constant_c(const struct construct *c, const double *table, double *value)
{
    bool first = true;
    for (int r = 0; r < c->layout->relations; r++) {
        if (!c->seen[r])
            continue;
        if (!first && fabs(table[r] - *value) > SAME * fabs(*value))
            return false;
        if (first)
            *value = table[r];
        first = false;
    }
    return true;
}

/* B asked for: whether the encoding's table has a row for each different value. */
static bool can_bias(const struct construct *c, const double *b)
{
    if (!c->rest.row)
        return false;
    for (int r = 0; r < c->layout->relations; r++)
        for (int s = 0; s < r && c->seen[r]; s++)
            if (c->seen[s] && c->rest.row[s] == c->rest.row[r] && b[s] != b[r])
                return false;
    return true;
}

/* 1 / sum_j e^bias, and the largest logit taken out first. */
static void row_factors(const struct construct *c, const double *bias, double *row)
{
    for (int i = 0; i < c->layout->n; i++) {
        double sum = 0;
        for (int j = 0; j < construct_visible(c, i); j++)
            sum += exp(bias[layout_relation(c->layout, i, j)]);
        row[i] = 1 / sum;
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

int construct_table(struct construct *c, const double *b, const double *kernel, int *table)
{
    size_t relations = (size_t)c->layout->relations;
    struct construct_table *t = &c->table[c->tables];
    assert(!b || !kernel);
    if (c->tables == CONSTRUCT_TABLES_MAX || (b && !can_bias(c, b)))
        return CONSTRUCT_UNKNOWN;
    int head = c->order[c->tables % c->shape.heads];
    const double *bias = b ? b : construct_rest(c);
    double *wanted = arena_alloc(&c->arena, relations, sizeof *wanted, &c->err);
    *t = (struct construct_table){.head = head, .scale = 1, .range = bias_range(c, bias)};
    t->row = arena_alloc(&c->arena, (size_t)c->layout->n, sizeof *t->row, &c->err);
    if (!wanted || !t->row)
        return c->err.code;
    row_factors(c, bias, t->row);
    if (b)
        t->b = copy(c, b, relations);
    if (kernel) {
        if (!make_c(c, bias, kernel, wanted))
            return CONSTRUCT_UNKNOWN;
        if (!constant_c(c, wanted, &t->scale)) {
            if (!c->c_row)
                return CONSTRUCT_UNKNOWN;
            t->scale = 1;
            t->c = copy(c, wanted, relations);
        }
    }
    *table = c->tables++;
    return c->code;
}

const double *construct_rest(const struct construct *c)
{
    return rest_bias(c, c->order[c->tables % c->shape.heads]);
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

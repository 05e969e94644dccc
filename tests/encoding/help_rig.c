/* The bench of help_rig.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"

enum { GUARDS = 8 };
static const real GUARD = (real)12345.5;

static void *take(struct arena *a, size_t count, size_t size)
{
    struct err e = {0};
    void *p = arena_alloc(a, count, size, &e);
    assert_non_null(p);
    return p;
}

static real *take_reals(struct arena *a, size_t count)
{
    real *p = take(a, count + GUARDS, sizeof *p);
    for (int i = 0; i < GUARDS; i++)
        p[count + (size_t)i] = GUARD;
    return p;
}

static void assert_guarded(const real *p, size_t count)
{
    for (int i = 0; i < GUARDS; i++)
        assert_true(p[count + (size_t)i] == GUARD);
}

double rig_uniform(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) / 4503599627370496.0 - 1;
}

static real *take_random(struct arena *a, size_t count, uint64_t *seed)
{
    real *p = take_reals(a, count);
    for (size_t i = 0; i < count; i++)
        p[i] = (real)rig_uniform(seed);
    return p;
}

/* ---- layouts ----------------------------------------------------------------------------------*/
/* Of a space with two options of its own, or none. */
static struct layout layout_of(struct arena *a, const char *space, int n, double first, double second)
{
    struct space_config c = {.length = n, .channels = 1};
    struct layout l;
    assert_true(option_set_kind(&space_kinds, space, &c.kind));
    c.kind.number[0] = first;
    c.kind.number[1] = second;
    assert_int_equal(space_finish(&c, NULL), 0);
    assert_int_equal(space_of(&c)->layout(&c, n, a, &l, NULL), 0);
    return l;
}

struct layout rig_sequence(struct arena *a, int n)
{
    return layout_of(a, "sequence", n, 0, 0);
}

struct layout rig_grid(struct arena *a, int height, int width)
{
    return layout_of(a, "grid", height * width, height, width);
}

/* Relations beyond the trained ones share the last row. */
static void fold_graph(const struct layout *trained, const struct layout *here, int32_t *map)
{
    for (int r = 0; r < here->relations; r++)
        map[r] = r < trained->relations ? r : trained->relations - 1;
}

struct layout rig_graph(struct arena *a, int n)
{
    int32_t *relation = take(a, (size_t)(n * n), sizeof *relation);
    int32_t *degree = take(a, (size_t)n, sizeof *degree);
    double *distance = take(a, (size_t)n, sizeof *distance);
    for (int i = 0; i < n; i++)
        degree[i] = i == n - 1 ? 0 : (i > 0) + (i < n - 2);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            relation[i * n + j] = i == j ? 0 : i == n - 1 || j == n - 1 ? n - 1 : abs(i - j);
    for (int r = 0; r < n; r++)
        distance[r] = r == n - 1 && n > 1 ? -1 : r;
    return (struct layout){.n = n, .relations = n, .relation = relation, .distance = distance,
                           .degree = degree, .fold = fold_graph};
}

/* ---- configuration ----------------------------------------------------------------------------*/
static double parse(const struct option *row, const char *text)
{
    if (row->type == OPTION_BOOL)
        return strcmp(text, "true") == 0;
    if (row->type == OPTION_CHOICE) {
        for (int i = 0; row->names[i]; i++)
            if (strcmp(row->names[i], text) == 0)
                return i;
        fail_msg("%s has no choice %s", row->key, text);
    }
    return strtod(text, NULL);
}

void rig_configure(const struct encoding *entry, const char *options, struct kind_config *out)
{
    *out = (struct kind_config){0};
    char copy[256] = "", *rest = copy;
    strncat(copy, options ? options : "", sizeof copy - 1);
    option_kind_defaults(entry->options, out);
    for (char *item; (item = strtok_r(rest, ",", &rest));) {
        char *value = strchr(item, '=');
        assert_non_null(value);
        *value++ = '\0';
        int row = 0;
        while (entry->options && entry->options[row].key && strcmp(entry->options[row].key, item))
            row++;
        assert_true(entry->options && entry->options[row].key);
        out->number[row] = parse(&entry->options[row], value);
    }
}

double rig_option(const struct rig *g, const char *key)
{
    for (int i = 0; g->entry->options[i].key; i++)
        if (strcmp(g->entry->options[i].key, key) == 0)
            return g->config.number[i];
    fail_msg("%s has no option %s", g->entry->name, key);
    return 0;
}

const real *rig_parameter(const struct rig *g, const char *name)
{
    for (int i = 0; i < g->tensors; i++)
        if (strcmp(g->tensor[i].tensor.name, name) == 0)
            return g->parameter[i];
    fail_msg("%s has no tensor %s", g->entry->name, name);
    return NULL;
}

const struct encoding *rig_entry(const char *name)
{
    for (int i = 0; encoding_table[i]; i++)
        if (strcmp(encoding_table[i]->name, name) == 0)
            return encoding_table[i];
    fail_msg("no encoding %s", name);
    return NULL;
}

/* ---- opening ----------------------------------------------------------------------------------*/
static bool accepted(const struct rig *g)
{
    const struct encoding *entry = g->entry;
    struct err e = {0};
    return g->trained.axes >= entry->axes_min && g->trained.axes <= entry->axes_max &&
           (g->shape.past || !entry->past_only) &&
           (g->layout.n <= g->trained.n || !entry->fixed_length) &&
           (!entry->check || entry->check(&g->config, &g->shape, &e) == 0);
}

/* FIRE's threshold l is put among the positions, so that both of its branches are taken; it and c,
 * whose size alone counts, are negative in models with an even number of heads. */
static double start_of(const struct rig *g, const struct tensor *t)
{
    double sign = g->shape.heads % 2 ? 1 : -1;
    return strcmp(t->name, "l") == 0 ? sign * 2.4 : strcmp(t->name, "c") == 0 ? sign : t->mean;
}

/* As initialised, and then moved by up to .3, so that no term is 0 by chance of the start. */
static void open_parameters(struct rig *g, uint64_t *seed)
{
    g->tensors = g->entry->tensors ? g->entry->tensors(&g->config, &g->shape, g->tensor) : 0;
    assert_in_range(g->tensors, 0, ENCODING_TENSORS_MAX);
    for (int t = 0; t < g->tensors; t++) {
        const struct tensor *tensor = &g->tensor[t].tensor;
        g->count[t] = 1;
        for (int i = 0; i < tensor->rank; i++)
            g->count[t] *= (size_t)tensor->shape[i];
        g->parameter[t] = take_random(g->arena, g->count[t], seed);
        g->gradient[t] = take_reals(g->arena, g->count[t]);
        double mean = start_of(g, tensor);
        for (size_t i = 0; i < g->count[t]; i++)
            g->parameter[t][i] =
                (real)(mean + tensor->deviation * rig_uniform(seed) +
                       0.3 * (double)g->parameter[t][i]);
    }
}

static size_t scratch_of(const struct rig *g)
{
    struct encoding_context c = rig_context(g);
    return g->entry->scratch ? g->entry->scratch(&c, g->rows) : 0;
}

bool rig_open(struct rig *g, struct arena *a, const struct encoding *entry, const char *options,
              const struct layout *trained, const struct layout *layout, struct rig_shape shape,
              uint64_t seed)
{
    *g = (struct rig){.arena = a, .entry = entry, .trained = *trained, .layout = *layout};
    g->shape = (struct encoding_shape){.width = shape.heads * shape.head_width,
                                       .heads = shape.heads,
                                       .head_width = shape.head_width,
                                       .past = shape.causal,
                                       .trained = &g->trained};
    rig_configure(entry, options, &g->config);
    if (!accepted(g))
        return false;
    g->rows = shape.rows;
    g->stride = g->shape.width + 3;
    g->fold = take(a, (size_t)layout->relations, sizeof *g->fold);
    layout->fold(trained, layout, g->fold);
    entry->facts(&g->config, &g->shape, &g->facts);
    open_parameters(g, &seed);
    struct encoding_context c = rig_context(g);
    struct err e = {0};
    assert_int_equal(entry->open ? entry->open(&c, a, &g->code, &e) : 0, 0);
    c = rig_context(g);
    g->state_size = entry->state_size ? entry->state_size(&c) : 0;
    g->state = take_reals(a, g->state_size);
    g->dstate = take_reals(a, g->state_size);
    g->scratch_size = scratch_of(g);
    g->scratch = take_reals(a, g->scratch_size);
    g->content_size = entry->content_size ? (size_t)entry->content_size(&c) * (size_t)layout->n : 0;
    g->content = take_reals(a, g->content_size);
    g->dcontent = take_reals(a, g->content_size);
    g->dx = take_reals(a, (size_t)layout->n * (size_t)g->shape.width);
    size_t n = (size_t)layout->n, square = n * n * (size_t)shape.heads;
    size_t strided = n * (size_t)g->stride, flat = n * (size_t)g->shape.width;
    real **strided_blocks[] = {&g->q, &g->k, &g->turned_q, &g->turned_k, &g->dq, &g->dk};
    for (int i = 0; i < 6; i++)
        *strided_blocks[i] = take_random(a, strided, &seed);
    real **flat_blocks[] = {&g->x, &g->o, &g->y, &g->go, &g->gy};
    for (int i = 0; i < 5; i++)
        *flat_blocks[i] = take_random(a, flat, &seed);
    real **square_blocks[] = {&g->p, &g->s, &g->gs, &g->dp};
    for (int i = 0; i < 4; i++)
        *square_blocks[i] = take_random(a, square, &seed);
    for (size_t i = 0; i < square; i++)
        if (!rig_visible(g, (int)(i / n % n), (int)(i % n)))
            g->p[i] = g->gs[i] = 0;
    return true;
}

bool rig_visible(const struct rig *g, int i, int j)
{
    return !g->shape.past || j <= i;
}

struct encoding_context rig_context(const struct rig *g)
{
    struct encoding_context c = {.config = &g->config, .shape = &g->shape, .layout = &g->layout,
                                 .fold = g->fold, .state = g->state, .code = g->code};
    for (int t = 0; t < g->tensors; t++)
        c.parameter[t] = g->parameter[t];
    return c;
}

static struct encoding_context backward_context(struct rig *g)
{
    struct encoding_context c = rig_context(g);
    for (int t = 0; t < g->tensors; t++)
        c.gradient[t] = g->gradient[t];
    c.dstate = g->dstate;
    return c;
}

int64_t rig_relation(const struct rig *g, int i, int j)
{
    struct encoding_context c = rig_context(g);
    if (g->entry->relation)
        return g->entry->relation(&c, i, j);
    return g->fold[layout_relation(&g->layout, i, j)];
}

/* ---- forward ----------------------------------------------------------------------------------*/
static struct encoding_block block_of(struct rig *g, int head, int first)
{
    int rows = g->layout.n - first < g->rows ? g->layout.n - first : g->rows;
    int at = head * g->shape.head_width;
    return (struct encoding_block){.head = head,
                                   .first = first,
                                   .rows = rows,
                                   .q = g->turned_q + at,
                                   .k = g->turned_k + at,
                                   .stride = g->stride,
                                   .scale = g->facts.scale,
                                   .ld = g->layout.n,
                                   .content = g->content,
                                   .dcontent = g->dcontent,
                                   .scratch = g->scratch};
}

static void block_logits(struct rig *g, const struct encoding_context *c,
                         const struct encoding_block *b)
{
    int n = g->layout.n;
    real *s = g->s + ((size_t)b->head * (size_t)n + (size_t)b->first) * (size_t)n;
    for (int r = 0; r < b->rows; r++)
        for (int j = 0; j < n; j++) {
            const real *q = b->q + (b->first + r) * b->stride, *k = b->k + j * b->stride;
            double sum = 0;
            for (int t = 0; t < g->shape.head_width; t++)
                sum += (double)q[t] * (double)k[t];
            int relation = layout_relation(&g->layout, b->first + r, j);
            s[r * n + j] = (real)(b->scale * sum);
            if (g->facts.relation_bias)
                s[r * n + j] += g->state[b->head * g->layout.relations + relation];
        }
    for (size_t i = 0; i < g->scratch_size; i++)
        g->scratch[i] = (real)NAN;
    if (g->entry->logits && !g->facts.relation_bias)
        g->entry->logits(c, b, s);
}

static double dot(const real *a, const real *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] != 0 ? (double)a[i] * (double)b[i] : 0;
    return sum;
}

double rig_forward(struct rig *g)
{
    struct encoding_context c = rig_context(g);
    size_t n = (size_t)g->layout.n, width = (size_t)g->shape.width;
    for (size_t i = 0; i < g->state_size && !g->prepared; i++)
        g->state[i] = (real)NAN;
    if (g->entry->prepare && !g->prepared)
        g->entry->prepare(&c, g->state);
    memcpy(g->y, g->x, n * width * sizeof(real));
    if (g->entry->input)
        g->entry->input(&c, g->y);
    memcpy(g->turned_q, g->q, n * (size_t)g->stride * sizeof(real));
    memcpy(g->turned_k, g->k, n * (size_t)g->stride * sizeof(real));
    if (g->entry->query_key)
        g->entry->query_key(&c, g->turned_q, g->turned_k, g->stride);
    if (g->entry->content)
        g->entry->content(&c, g->x, g->content);
    memset(g->o, 0, n * width * sizeof(real));
    for (int h = 0; h < g->shape.heads; h++)
        for (int first = 0; first < (int)n; first += g->rows) {
            struct encoding_block b = block_of(g, h, first);
            size_t row = (size_t)h * n + (size_t)first;
            block_logits(g, &c, &b);
            if (g->entry->value)
                g->entry->value(&c, &b, g->p + row * n,
                                g->o + (size_t)first * width + h * g->shape.head_width, (int)width);
        }
    assert_guarded(g->state, g->state_size);
    assert_guarded(g->scratch, g->scratch_size);
    assert_guarded(g->content, g->content_size);
    return dot(g->gs, g->s, n * n * (size_t)g->shape.heads) + dot(g->go, g->o, n * width) +
           dot(g->gy, g->y, n * width);
}

/* ---- backward ---------------------------------------------------------------------------------*/
/* Gradients of scale * q.k, from what logits_backward left in ds. */
static void product_backward(struct rig *g, const struct encoding_block *b, const real *ds)
{
    for (int r = 0; r < b->rows; r++)
        for (int j = 0; j < g->layout.n; j++)
            for (int t = 0; t < g->shape.head_width; t++) {
                int query = (b->first + r) * b->stride + t, key = j * b->stride + t;
                real d = (real)(b->scale * (double)ds[r * g->layout.n + j]);
                b->dq[query] += d * b->k[key];
                b->dk[key] += d * b->q[query];
            }
}

static void block_backward(struct rig *g, const struct encoding_context *c, int h, int first)
{
    struct encoding_block b = block_of(g, h, first);
    int n = g->layout.n, width = g->shape.width;
    size_t at = ((size_t)h * (size_t)n + (size_t)first) * (size_t)n;
    real *ds = take_reals(g->arena, (size_t)(b.rows * n));
    memcpy(ds, g->gs + at, (size_t)(b.rows * n) * sizeof *ds);
    b.dq = g->dq + h * g->shape.head_width;
    b.dk = g->dk + h * g->shape.head_width;
    block_logits(g, c, &b);
    if (g->entry->value_backward)
        g->entry->value_backward(c, &b, g->p + at, g->go + first * width + h * g->shape.head_width,
                                 width, g->dp + at);
    if (g->facts.relation_bias)
        for (int r = 0; r < b.rows; r++)
            for (int j = 0; j < n; j++)
                g->dstate[h * g->layout.relations + layout_relation(&g->layout, first + r, j)] +=
                    ds[r * n + j];
    else if (g->entry->logits_backward)
        g->entry->logits_backward(c, &b, ds);
    product_backward(g, &b, ds);
    assert_guarded(ds, (size_t)(b.rows * n));
}

static void add(real *x, size_t count, real value)
{
    for (size_t i = 0; i < count; i++)
        x[i] += value;
}

/* Everything that hooks accumulate into starts at 1/2, which is taken off again; hooks that
 * overwrite would show. */
void rig_backward(struct rig *g)
{
    const real start = (real)0.5;
    struct encoding_context c = backward_context(g);
    size_t n = (size_t)g->layout.n, square = n * n * (size_t)g->shape.heads;
    size_t strided = n * (size_t)g->stride;
    memset(g->dstate, 0, g->state_size * sizeof(real));
    memset(g->dq, 0, strided * sizeof(real));
    memset(g->dk, 0, strided * sizeof(real));
    memset(g->dp, 0, square * sizeof(real));
    memset(g->dcontent, 0, g->content_size * sizeof(real));
    for (size_t i = 0; i < n * (size_t)g->shape.width; i++)
        g->dx[i] = g->gy[i]; /* content adds to what y has */
    for (int t = 0; t < g->tensors; t++) {
        memset(g->gradient[t], 0, g->count[t] * sizeof(real));
        add(g->gradient[t], g->count[t], start);
    }
    add(g->dq, strided, start);
    add(g->dk, strided, start);
    add(g->dp, square, start);
    for (int h = 0; h < g->shape.heads; h++)
        for (int first = 0; first < g->layout.n; first += g->rows)
            block_backward(g, &c, h, first);
    add(g->dq, strided, -start);
    add(g->dk, strided, -start);
    add(g->dp, square, -start);
    if (g->entry->query_key_backward)
        g->entry->query_key_backward(&c, g->dq, g->dk, g->stride);
    if (g->entry->input_backward)
        g->entry->input_backward(&c, g->gy);
    assert_guarded(g->dstate, g->state_size);
    assert_guarded(g->dcontent, g->content_size);
    if (g->entry->content_backward)
        g->entry->content_backward(&c, g->x, g->content, g->dcontent, g->dx);
    if (g->entry->prepare_backward)
        g->entry->prepare_backward(&c);
    for (int t = 0; t < g->tensors; t++) {
        add(g->gradient[t], g->count[t], -start);
        assert_guarded(g->gradient[t], g->count[t]);
    }
    assert_guarded(g->scratch, g->scratch_size);
    assert_guarded(g->dstate, g->state_size);
}

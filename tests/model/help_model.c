#include "model/help_model.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "kernel/kernel.h"

struct rig_config rig_default(const char *encoding, const char *c, int mask)
{
    return (struct rig_config){.encoding = encoding, .c = c, .norm = MODEL_NORM_PRE,
                               .activation = ACTIVATION_GELU, .mask = mask, .share = true,
                               .layers = 2, .heads = 2, .width = 12, .ffn = 7, .n = 5,
                               .samples = 2, .channels = 3};
}

static void set_option(struct kind_config *kind, const struct option *row,
                       const struct rig_option *o)
{
    int k = 0;
    while (row && row[k].key && strcmp(row[k].key, o->key) != 0)
        k++;
    assert_true(row && row[k].key);
    kind->number[k] = o->value;
}

/* Sizes that are small beside a rig's, where the configuration says none. */
static void set_mask(struct kind_config *mask, const struct rig_config *c)
{
    *mask = (struct kind_config){.kind = c->mask};
    const struct option *row = mask_of(mask)->options;
    option_kind_defaults(row, mask);
    for (int k = 0; row && row[k].key; k++)
        if (row[k].type == OPTION_INT && mask->number[k] > 2)
            mask->number[k] = 2;
    for (int k = 0; k < 2 && c->seen[k].key; k++)
        set_option(mask, row, &c->seen[k]);
}

static void fill_config(struct rig *r)
{
    const struct rig_config *c = &r->config;
    struct model_config *m = &r->model_config;
    option_defaults(model_options, m);
    assert_true(option_set_kind(&encoding_kinds, c->encoding, &m->encoding));
    for (int k = 0; k < 2 && c->option[k].key; k++)
        set_option(&m->encoding, encoding_of(&m->encoding)->options, &c->option[k]);
    if (c->normaliser)
        assert_true(option_set_kind(&normaliser_kinds, c->normaliser, &m->normaliser));
    for (int k = 0; k < 2 && c->weights[k].key; k++)
        set_option(&m->normaliser, normaliser_of(&m->normaliser)->options, &c->weights[k]);
    m->attention = c->c ? MODEL_URPE : MODEL_RPE;
    if (c->c)
        assert_true(option_set_kind(&urpe_kinds, c->c, &m->c));
    m->norm = c->norm;
    m->activation = c->activation;
    set_mask(&m->mask, c);
    m->head = c->head;
    m->share = c->share;
    m->tie = c->tie;
    m->embed_norm = c->embed_norm;
    m->layers = c->layers;
    m->heads = c->heads;
    m->width = c->width;
    m->ffn = c->ffn;
    if (c->change)
        c->change(m);
}

static real *reals(struct rig *r, size_t count)
{
    struct err e = {0};
    real *p = arena_alloc(&r->arena, count, sizeof(real), &e);
    assert_non_null(p);
    return p;
}

/* One for all, or one of its own. */
static const struct layout *sample_layout(struct rig *r, struct stream *random)
{
    struct err e = {0};
    const struct space *space = space_of(&r->space);
    struct layout *own;
    if (space_is_one(&r->space))
        return &r->layout;
    own = arena_alloc(&r->arena, 1, sizeof *own, &e);
    assert_non_null(own);
    int n = space_resizes(&r->space) ? space->size(&r->space, r->layout.n, random) : r->layout.n;
    *own = layout_shorter(&r->layout, n);
    if (space_draws(&r->space))
        assert_int_equal(space->draw(&r->space, NULL, n, random, &r->arena, own, &e), 0);
    return own;
}

static void fill_batch(struct rig *r, uint64_t seed)
{
    struct err e = {0};
    const struct rig_config *c = &r->config;
    int *first = arena_alloc(&r->arena, (size_t)c->samples + 1, sizeof *first, &e);
    const struct layout **layout =
        arena_alloc(&r->arena, (size_t)c->samples, sizeof *layout, &e);
    struct stream s;
    assert_true(first && layout);
    stream_open(&s, seed, "rig", 0);
    for (int k = 0; k < c->samples; k++) {
        layout[k] = sample_layout(r, &s);
        first[k + 1] = first[k] + layout[k]->n;
    }
    r->rows = first[c->samples];
    for (int i = 0; i < r->rows * c->channels; i++)
        r->x[i] = (real)stream_uniform24(&s);
    for (int i = 0; i < r->rows && c->channels == 0; i++)
        r->token[i] = (int32_t)stream_below(&s, (uint64_t)c->symbols);
    for (int i = 0; i < r->rows * r->outputs; i++)
        r->cotangent[i] = (real)(stream_uniform24(&s) - 0.5);
    r->batch = (struct batch){.samples = c->samples, .rows = r->rows, .first = first,
                              .layout = layout, .x = c->channels ? r->x : NULL,
                              .token = c->channels ? NULL : r->token};
}

bool rig_open(struct rig *r, const struct rig_config *c, uint64_t seed)
{
    struct err e = {0};
    struct space_config *space = &r->space;
    *r = (struct rig){.config = *c};
    assert_int_equal(kernel_open(&e), 0);
    assert_int_equal(arena_open(&r->arena, 0, &e), 0);
    option_defaults(space_options, space);
    if (c->space)
        assert_true(option_set_kind(&space_kinds, c->space, &space->kind));
    space->length = c->n;
    if (c->shortest)
        space->kind.number[0] = c->shortest;
    if (c->places)
        space->kind.number[1] = c->places;
    assert_int_equal(space_finish(space, &e), 0);
    assert_int_equal(
        space_of(space)->layout(space, (int)space->length, &r->arena, &r->layout, &e), 0);
    fill_config(r);
    struct model_io io = {.channels = c->channels, .symbols = c->symbols,
                          .labels = c->numbers > 0 ? 0 : c->labels,
                          .outputs = c->numbers > 0 ? c->numbers : 0};
    if (c->channels && !c->numbers)
        io.labels = 0;
    if (model_check(&r->model_config, &io, &r->layout, &r->layout, &e)) {
        arena_close(&r->arena);
        return false;
    }
    assert_int_equal(model_open(&r->model, &r->model_config, &io, &r->layout, &e), 0);
    assert_int_equal(model_state_open(&r->state, &r->model, &r->layout, &r->arena, &e), 0);
    r->rows = c->samples * r->layout.n;
    r->outputs = model_io_outputs(&io);
    assert_int_equal(workspace_open(&r->w, &r->model, &r->state, r->rows, true, &r->arena, &e), 0);
    r->p = reals(r, r->model.tensors.elements);
    r->g = reals(r, r->model.tensors.elements);
    r->dstate = reals(r, r->state.elements);
    r->x = reals(r, (size_t)(r->rows * c->channels));
    r->dx = reals(r, (size_t)(r->rows * c->channels));
    r->y = reals(r, (size_t)(r->rows * r->outputs));
    r->cotangent = reals(r, (size_t)(r->rows * r->outputs));
    r->token = arena_alloc(&r->arena, (size_t)r->rows, sizeof *r->token, &e);
    fill_batch(r, seed);
    model_initialise(&r->model, seed, r->p);
    return true;
}

void rig_close(struct rig *r)
{
    model_close(&r->model);
    arena_close(&r->arena);
}

void rig_perturb(struct rig *r, uint64_t seed, double deviation)
{
    for (int k = 0; k < r->model.tensors.count; k++) {
        const struct tensor *t = &r->model.tensors.item[k];
        struct stream s;
        stream_open(&s, seed, t->name, 1);
        for (size_t i = 0; i < t->count; i++)
            r->p[t->offset + i] += (real)gsl_ran_gaussian_ziggurat(stream_rng(&s), deviation);
    }
}

void rig_forward(struct rig *r)
{
    model_prepare(&r->model, r->p, &r->state);
    model_forward(&r->model, r->p, &r->state, &r->batch, r->w);
    model_output(&r->model, r->p, r->w, 0, r->rows, r->y);
}

double rig_loss(struct rig *r)
{
    double sum = 0;
    rig_forward(r);
    for (int i = 0; i < r->rows * r->outputs; i++)
        sum += (double)r->y[i] * (double)r->cotangent[i];
    return sum;
}

void rig_backward(struct rig *r)
{
    memset(r->g, 0, r->model.tensors.elements * sizeof(real));
    memset(r->dstate, 0, r->state.elements * sizeof(real));
    model_output_backward(&r->model, r->p, r->w, 0, r->rows, r->cotangent, r->g);
    model_backward(&r->model, r->p, &r->state, &r->batch, r->w, r->g, r->dstate,
                   r->config.channels ? r->dx : NULL);
    model_prepare_backward(&r->model, r->p, &r->state, r->dstate, r->g);
}

/* ---- random networks --------------------------------------------------------------------------*/
/* Far from the initial values: tables of deviation 1, matrices that keep the size of what goes
 * through them, vectors of deviation 0.3.  A constant beyond the length (FIRE's L) is drawn from
 * where it matters. */
void help_random_parameters(const struct model *m, struct stream *s, real *p)
{
    model_initialise(m, pcg64_next(&s->state), p);
    for (int k = 0; k < m->tensors.count; k++) {
        const struct tensor *t = &m->tensors.item[k];
        double deviation = t->table ? 1 : t->rank > 1 ? 1 / sqrt(t->shape[1]) : 0.3;
        for (size_t i = 0; i < t->count; i++) {
            if (t->init == TENSOR_CONSTANT && t->mean > m->trained.n)
                p[t->offset + i] = (real)(stream_uniform24(s) * m->trained.n);
            p[t->offset + i] += (real)gsl_ran_gaussian_ziggurat(stream_rng(s), deviation);
        }
    }
}

static void run_pass(const struct model_config *config, const struct layout *trained,
                     const struct floor_set *set, const struct layout *longest, struct stream *s,
                     double *y)
{
    struct model_io io = {.channels = set->channels};
    struct model m;
    struct model_state state;
    struct workspace *w;
    struct arena a;
    int rows = set->first[set->count], count = rows * set->channels;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(model_open(&m, config, &io, trained, NULL), 0);
    assert_int_equal(model_state_open(&state, &m, longest, &a, NULL), 0);
    assert_int_equal(workspace_open(&w, &m, &state, set->count * longest->n, false, &a, NULL), 0);
    real *p = arena_alloc(&a, m.tensors.elements, sizeof *p, NULL);
    real *x = arena_alloc(&a, (size_t)count, sizeof *x, NULL);
    real *out = arena_alloc(&a, (size_t)count, sizeof *out, NULL);
    assert_true(p && x && out);
    help_random_parameters(&m, s, p);
    for (int k = 0; k < count; k++)
        x[k] = (real)set->x[k];
    struct batch b = {.samples = set->count, .rows = rows, .first = set->first,
                      .layout = set->layout, .x = x};
    model_prepare(&m, p, &state);
    model_forward(&m, p, &state, &b, w);
    model_output(&m, p, w, 0, rows, out);
    for (int k = 0; k < count; k++)
        y[k] = (double)out[k];
    model_close(&m);
    arena_close(&a);
}

void help_random_network(const struct model_config *config, const struct layout *trained,
                         const struct floor_set *set, const struct layout *longest,
                         struct stream *s, double *y)
{
    struct stream begin = *s;
    for (int from = 0, to; from < set->count; from = to) {
        int first[HELP_SAMPLES_MAX + 1] = {0}, row = set->first[from], n = set->layout[from]->n;
        for (to = from; to < set->count && set->layout[to]->n == n; to++)
            first[to + 1 - from] = set->first[to + 1] - row;
        struct floor_set part = {.count = to - from, .first = first, .layout = set->layout + from,
                                 .channels = set->channels, .x = set->x + row * set->channels};
        *s = begin;
        run_pass(config, trained, &part, n == longest->n ? longest : set->layout[from], s,
                 y + row * set->channels);
    }
}

/* ---- pairs of rows in random networks ---------------------------------------------------------*/
enum { NETWORKS = 5 };

void help_count_pairs(const char *purpose, uint64_t seed, const struct model_config *m,
                      struct help_set *set, const int32_t *group, struct help_pairs *out)
{
    enum { D = HELP_NETWORK_CHANNELS };
    static double y[NETWORKS][HELP_NETWORK_ROWS * D];
    struct floor_set view = help_set_view(set);
    struct stream s;
    double scale[NETWORKS] = {0};
    int rows = view.first[view.count];
    assert_true(rows <= HELP_NETWORK_ROWS);
    stream_open(&s, seed, purpose, 0);
    for (int k = 0; k < NETWORKS; k++) {
        struct model_config one = *m;
        one.layers = 2 + k;
        one.norm = k % 3;
        help_random_network(&one, set->layout[0], &view, set->layout[0], &s, y[k]);
        for (int i = 0; i < rows * D; i++)
            scale[k] = fmax(scale[k], fabs(y[k][i]));
    }
    for (int p = 0; p < rows; p++)
        for (int q = p + 1; q < rows; q++) {
            double largest = 0;
            for (int k = 0; k < NETWORKS * D; k++)
                largest = fmax(largest, fabs(y[k / D][p * D + k % D] - y[k / D][q * D + k % D]) /
                                            scale[k / D]);
            out->merged += group[p] == group[q];
            out->broken += group[p] == group[q] && !(largest <= HELP_EQUAL);
            out->apart += group[p] != group[q];
            out->unseen += group[p] != group[q] && !(largest > HELP_EQUAL);
        }
}

void help_lines_only(void (*change)(struct model_config *m))
{
    static const char *const spaces[] = {"grid", "graph"};
    for (int k = 0; k < 2; k++) {
        struct rig r;
        struct rig_config c = rig_default("toeplitz", NULL, 0);
        c.change = change;
        c.space = spaces[k];
        assert_false(rig_open(&r, &c, 1));
    }
}


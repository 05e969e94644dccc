/* Pictures of encodings (picture.h). */
#include "encoding/picture.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#include "base/random.h"

enum { N = ENCODING_PICTURE_N, HEADS = 2, HEAD_WIDTH = 8, WIDTH = HEADS * HEAD_WIDTH };

struct drawing {
    struct arena *arena;
    const struct encoding *entry;
    struct layout layout;
    struct encoding_shape shape;
    struct encoding_facts facts;
    struct encoding_context context;
    real *state;
    struct err *e;
};

static int open_layout(struct drawing *d, bool graph)
{
    struct space_config c = {.length = N, .channels = 1};
    option_set_kind(&space_kinds, graph ? "graph" : "sequence", &c.kind);
    return space_of(&c)->layout(&c, N, d->arena, &d->layout, d->e);
}

/* As training starts: what the descriptor draws, then what the encoding puts in its place. */
static int open_parameters(struct drawing *d)
{
    struct encoding_tensor tensor[ENCODING_TENSORS_MAX];
    const struct kind_config *config = d->context.config;
    int count = d->entry->tensors ? d->entry->tensors(config, &d->shape, tensor) : 0;
    for (int t = 0; t < count; t++) {
        const struct tensor *one = &tensor[t].tensor;
        size_t elements = 1;
        struct stream random;
        for (int k = 0; k < one->rank; k++)
            elements *= (size_t)one->shape[k];
        real *value = arena_alloc(d->arena, elements, sizeof *value, d->e);
        if (!value)
            return ERR_MEMORY;
        stream_open(&random, 0, one->name, 0);
        for (size_t k = 0; k < elements; k++) {
            double draw = one->init == TENSOR_NORMAL ? gsl_ran_gaussian_ziggurat(stream_rng(&random), 1)
                          : one->init == TENSOR_UNIFORM ? 2 * stream_uniform24(&random) - 1 : 0;
            value[k] = (real)(one->mean + one->deviation * draw);
        }
        if (d->entry->initial)
            d->entry->initial(config, &d->shape, t, value);
        d->context.parameter[t] = value;
    }
    return 0;
}

static int open_state(struct drawing *d)
{
    int32_t *fold = arena_alloc(d->arena, (size_t)d->layout.relations, sizeof *fold, d->e);
    if (!fold)
        return ERR_MEMORY;
    d->layout.fold(&d->layout, &d->layout, fold);
    d->context.fold = fold;
    int code = open_parameters(d);
    if (!code)
        code = encoding_open(&d->context, d->arena, d->e);
    if (code)
        return code;
    size_t count = d->entry->state_size ? d->entry->state_size(&d->context) : 0;
    d->state = arena_alloc(d->arena, count + 1, sizeof *d->state, d->e);
    if (!d->state)
        return ERR_MEMORY;
    if (d->entry->prepare)
        d->entry->prepare(&d->context, d->state);
    d->context.state = d->state;
    return 0;
}

/* The order of the hooks is encoding.h's. */
static int draw_logits(struct drawing *d, struct encoding_picture *out)
{
    real x[N * WIDTH], q[N * WIDTH], k[N * WIDTH], s[N * N], *scratch;
    const struct encoding_context *c = &d->context;
    size_t room = d->entry->scratch ? d->entry->scratch(c, N) : 0;
    size_t numbers = d->entry->content_size ? N * (size_t)d->entry->content_size(c) : 0;
    scratch = arena_alloc(d->arena, room + 1, sizeof *scratch, d->e);
    real *content = arena_alloc(d->arena, numbers + 1, sizeof *content, d->e);
    if (!scratch || !content)
        return ERR_MEMORY;
    for (int t = 0; t < N * WIDTH; t++)
        x[t] = 1;
    if (d->entry->input)
        d->entry->input(c, x);
    for (int t = 0; t < N * WIDTH; t++)
        q[t] = k[t] = x[t];
    if (d->entry->query_key)
        d->entry->query_key(c, q, k, WIDTH);
    if (d->entry->content)
        d->entry->content(c, x, content);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int t = 0; t < HEAD_WIDTH; t++)
                sum += (double)q[i * WIDTH + t] * (double)k[j * WIDTH + t];
            s[i * N + j] = (real)(d->facts.scale * sum);
            if (d->facts.relation_bias)
                s[i * N + j] += d->state[layout_relation(&d->layout, i, j)];
        }
    struct encoding_block b = {.rows = N, .q = q, .k = k, .stride = WIDTH, .ld = N,
                               .content = content, .scale = d->facts.scale, .scratch = scratch};
    if (d->entry->logits && !d->facts.relation_bias)
        d->entry->logits(c, &b, s);
    double plain = HEAD_WIDTH * d->facts.scale;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            out->logit[i][j] = d->shape.past && j > i ? (double)NAN : (double)s[i * N + j] - plain;
    return 0;
}

/* Absolute encodings tell pairs apart by the marks of both ends. */
static bool are_alike(const struct drawing *d, int i, int j, int a, int b)
{
    const struct encoding_context *c = &d->context;
    if (d->facts.absolute && !d->entry->mark)
        return i == a && j == b;
    if (d->facts.absolute && (d->entry->mark(c, i) != d->entry->mark(c, a) ||
                              d->entry->mark(c, j) != d->entry->mark(c, b)))
        return false;
    return encoding_relation(c, i, j) == encoding_relation(c, a, b);
}

static void draw_alike(const struct drawing *d, struct encoding_picture *out)
{
    int count = 0;
    for (int p = 0; p < N * N; p++) {
        int i = p / N, j = p % N, *mine = &out->alike[i][j];
        *mine = -1;
        if (d->shape.past && j > i)
            continue;
        for (int o = 0; o < p && *mine < 0; o++)
            if (out->alike[o / N][o % N] >= 0 && are_alike(d, i, j, o / N, o % N))
                *mine = out->alike[o / N][o % N];
        if (*mine < 0)
            *mine = count++;
    }
}

int encoding_picture(const struct kind_config *c, struct encoding_picture *out, struct err *e)
{
    struct arena arena;
    struct drawing d = {.arena = &arena, .entry = encoding_of(c), .e = e};
    *out = (struct encoding_picture){.graph = d.entry->axes_max == 0};
    int code = arena_open(&arena, 0, e);
    if (code)
        return code;
    code = open_layout(&d, out->graph);
    d.shape = (struct encoding_shape){.width = WIDTH, .heads = HEADS, .head_width = HEAD_WIDTH,
                                      .past = d.entry->past_only, .trained = &d.layout};
    d.context = (struct encoding_context){.config = c, .shape = &d.shape, .layout = &d.layout};
    if (!code)
        code = encoding_check(c, &d.shape, &d.layout, e);
    if (!code) {
        d.entry->facts(c, &d.shape, &d.facts);
        code = open_state(&d);
    }
    if (!code)
        code = draw_logits(&d, out);
    if (!code)
        draw_alike(&d, out);
    arena_close(&arena);
    return code;
}

/* See help_witness.h. */
#include "witness/help_witness.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

static bool fill(struct help_witness *h)
{
    const struct help_case *c = &h->of;
    struct err e = {0};
    option_defaults(space_options, &h->space);
    option_defaults(model_options, &h->model);
    option_defaults(target_options, &h->target);
    h->space.length = c->n;
    h->space.channels = c->channels;
    if (c->grid) {
        int height = (int)sqrt(c->n);
        while (c->n % height)
            height--;
        assert_true(option_set_kind(&space_kinds, "grid", &h->space.kind));
        h->space.kind.number[0] = height;
        h->space.kind.number[1] = c->n / height;
    }
    assert_int_equal(space_finish(&h->space, &e), 0);
    h->target.kind = help_kind(&target_kinds, c->target);
    h->target.vocab = c->vocab;
    const struct option *own = target_of(&h->target)->options;
    for (int k = 0; own && own[k].key; k++) /* a random field of few is as hard, and takes no time */
        if (strcmp(own[k].key, "features") == 0)
            h->target.kind.number[k] = 4;
    h->model.encoding = c->own ? *c->own : help_kind(&encoding_kinds, c->encoding);
    h->model.attention = c->c ? MODEL_URPE : MODEL_RPE;
    h->model.c = c->own_c ? *c->own_c : help_kind(&urpe_kinds, c->c ? c->c : "toeplitz");
    h->model.mask = c->masked ? *c->masked : help_kind(&mask_kinds, c->mask ? c->mask : "none");
    h->model.normaliser =
        c->rows ? *c->rows : help_kind(&normaliser_kinds, c->normaliser ? c->normaliser : "softmax");
    h->model.precision = sizeof(real) == sizeof(double) ? MODEL_DOUBLE : MODEL_FLOAT;
    h->model.witness_beta = c->beta;
    h->model.witness_eps = c->eps;
    if (target_check(&h->target, &h->space, &e))
        return false;
    assert_int_equal(space_of(&h->space)->layout(&h->space, c->n, &h->arena, &h->layout, &e),
                     0);
    struct encoding_shape shape = {.width = 8, .heads = 2, .head_width = 4,
                                   .past = mask_past(&h->model.mask),
                                   .trained = &h->layout};
    return !mask_check(&h->model.mask, &h->layout, &e) &&
           !encoding_check(&h->model.encoding, &shape, &h->layout, &e) &&
           (!c->c || !urpe_check(&h->model.c, &shape, &e));
}

bool help_witness_open(struct help_witness *h, const struct help_case *c)
{
    struct err e = {0};
    *h = (struct help_witness){.of = *c};
    assert_int_equal(kernel_open(&e), 0);
    assert_int_equal(arena_open(&h->arena, 0, &e), 0);
    if (!fill(h)) {
        arena_close(&h->arena);
        return false;
    }
    const struct target *t = target_of(&h->target);
    if (t->open)
        assert_int_equal(t->open(&h->target, &h->space, c->n, &h->arena, &h->target_state, &e), 0);
    assert_int_equal(witness_open(&h->w, &h->target, &h->space, &h->model, &h->layout, &e), 0);
    if (!h->w)
        return true;
    struct model_io io = {.channels = c->channels};
    if (t->tokens)
        io = (struct model_io){.symbols = target_symbols(&h->target),
                               .labels = target_labels(&h->target, c->n)};
    assert_int_equal(model_open(&h->built, &h->w->config, &io, &h->layout, &e), 0);
    assert_int_equal(model_state_open(&h->state, &h->built, &h->layout, &h->arena, &e), 0);
    assert_int_equal(workspace_open(&h->work, &h->built, &h->state, c->n, false, &h->arena, &e),
                     0);
    h->p = arena_alloc(&h->arena, h->built.tensors.elements, sizeof *h->p, &e);
    assert_non_null(h->p);
    witness_write(h->w, &h->built, h->p);
    return true;
}

void help_witness_close(struct help_witness *h)
{
    if (h->w)
        model_close(&h->built);
    witness_close(h->w);
    arena_close(&h->arena);
}

static void run(struct help_witness *h, const real *x, const int32_t *token, real *y)
{
    const struct layout *layout = &h->layout;
    struct batch batch = {.samples = 1, .rows = h->of.n, .first = (int[]){0, h->of.n},
                          .layout = &layout, .x = x, .token = token};
    model_prepare(&h->built, h->p, &h->state);
    model_forward(&h->built, h->p, &h->state, &batch, h->work);
    model_output(&h->built, h->p, h->work, 0, h->of.n, y);
}

double help_witness_error(struct help_witness *h, int samples, bool identical, uint64_t seed)
{
    int d = h->of.channels, count = h->of.n * d;
    double *x = memory_alloc((size_t)count, sizeof *x, NULL), worst = 0;
    double *want = memory_alloc((size_t)count, sizeof *want, NULL);
    real *in = memory_alloc((size_t)count, sizeof *in, NULL);
    real *out = memory_alloc((size_t)count, sizeof *out, NULL);
    struct stream random;
    stream_open(&random, seed, "test", 0);
    for (int s = 0; s < samples; s++) {
        for (int k = 0; k < count; k++) {
            x[k] = identical && k >= d ? x[k % d] : stream_uniform24(&random);
            in[k] = (real)x[k];
        }
        struct target_sample t = target_sample(h->target_state, &h->target, &h->layout);
        assert_int_equal(target_of(&h->target)->evaluate(&t, d, x, want, NULL), 0);
        run(h, in, NULL, out);
        for (int k = 0; k < count; k++) {
            double off = fabs((double)out[k] - want[k]);
            worst = off > worst || isnan(off) ? off : worst;
        }
    }
    memory_free(x);
    memory_free(want);
    memory_free(in);
    memory_free(out);
    return worst;
}

int help_witness_hits(struct help_witness *h, const int32_t *token)
{
    int n = h->of.n, labels = h->built.io.labels, hits = 0;
    int32_t *want = memory_alloc((size_t)n, sizeof *want, NULL);
    real *out = memory_alloc((size_t)n * (size_t)labels, sizeof *out, NULL);
    struct target_sample t = target_sample(h->target_state, &h->target, &h->layout);
    assert_int_equal(target_of(&h->target)->label(&t, token, want, NULL), 0);
    run(h, NULL, token, out);
    for (int i = 0; i < n; i++) {
        int best = 0;
        for (int v = 1; v < labels; v++)
            best = out[(size_t)i * (size_t)labels + (size_t)v] >
                           out[(size_t)i * (size_t)labels + (size_t)best] ? v : best;
        hits += best == want[i];
    }
    memory_free(want);
    memory_free(out);
    return hits;
}

double help_witness_accuracy(struct help_witness *h, int samples, uint64_t seed)
{
    int n = h->of.n, hits = 0;
    int32_t *token = memory_alloc((size_t)n, sizeof *token, NULL);
    struct stream random;
    stream_open(&random, seed, "test", 1);
    for (int s = 0; s < samples; s++) {
        for (int i = 0; i < n; i++)
            token[i] = (int32_t)stream_below(&random, (uint64_t)h->of.vocab);
        hits += help_witness_hits(h, token);
    }
    memory_free(token);
    return (double)hits / ((double)samples * n);
}

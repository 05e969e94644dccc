#include "model/help_parity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Relative to the largest magnitude of the tensor compared.  The fixtures are drawn so that
 * PyTorch's own float arithmetic stays within 2e-6 of its double, some 32 epsilon; ten times that
 * leaves room for sums in another order and for exp(s - lse) instead of a division (the farthest
 * is at 1e-5).  In double 32 epsilon are 7e-15.  A wrong term shows at 1e-3 and more. */
static const double tolerance = sizeof(real) == sizeof(float) ? 2e-5 : 1e-10;

enum { FILE_LIMIT = 1 << 20 };

/* ---- reading fixtures -------------------------------------------------------------------------*/
void parity_open(const char *file, struct safetensors *f)
{
    char path[128];
    struct err e = {0};
    snprintf(path, sizeof path, "tests/model/parity/%s.safetensors", file);
    if (safetensors_read(path, FILE_LIMIT, f, &e))
        fail_msg("%s: %s", e.where, e.msg);
}

static const struct safetensor *find(const struct safetensors *f, const char *prefix,
                                     const char *name)
{
    char full[160];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const struct safetensor *t = safetensors_find(f, full);
    if (!t)
        fail_msg("the fixture has no %s", full);
    return t;
}

int parity_integer(const struct safetensors *f, const char *name, int at)
{
    const struct safetensor *t = find(f, "", name);
    assert_true(t->type == SAFETENSORS_I32 && (size_t)at < t->count);
    return ((const int32_t *)t->data)[at];
}

int parity_cases(const struct safetensors *f)
{
    return (int)find(f, "", "case.mask")->count;
}

struct rig_config parity_sizes(const struct safetensors *f, int k)
{
    struct rig_config c = {.layers = parity_integer(f, "config", 0), .heads = parity_integer(f, "config", 1),
                           .width = parity_integer(f, "config", 2), .ffn = parity_integer(f, "config", 3),
                           .n = parity_integer(f, "config", 4), .samples = parity_integer(f, "config", 5),
                           .channels = parity_integer(f, "config", 6), .share = parity_integer(f, "config", 7)};
    if (parity_integer(f, "case.attention", k) == MODEL_URPE)
        c.c = parity_integer(f, "config", 8) ? "bucketed" : "toeplitz";
    c.norm = parity_integer(f, "case.norm", k);
    c.activation = parity_integer(f, "case.activation", k);
    c.embed_norm = safetensors_find(f, "weight/embed_norm.weight") != NULL;
    c.shortest = safetensors_find(f, "lengths") ? 1 : 0;
    c.places = safetensors_find(f, "line") ? parity_integer(f, "line", 0) : 0;
    c.symbols = c.channels ? 0 : parity_integer(f, "symbols", 0);
    c.labels = c.channels ? 0 : parity_integer(f, "symbols", 1);
    return c;
}

static void load(const struct safetensor *t, size_t count, real *out)
{
    if (t->type != SAFETENSORS_F32 || t->count != count)
        fail_msg("%s has %zu elements, the model %zu", t->name, t->count, count);
    for (size_t i = 0; i < count; i++)
        out[i] = (real)((const float *)t->data)[i];
}

/* The fixture's graph for all samples. */
static void set_graph(struct rig *r, const struct safetensor *steps)
{
    struct err e = {0};
    size_t pairs = steps->count;
    const struct layout **each = arena_alloc(&r->arena, (size_t)r->config.samples, sizeof *each, &e);
    struct layout *own = arena_alloc(&r->arena, 1, sizeof *own, &e);
    int32_t *relation = arena_alloc(&r->arena, pairs, sizeof *relation, &e);
    assert_true(each && own && relation && pairs == (size_t)(r->layout.n * r->layout.n));
    *own = r->layout;
    own->steps = steps->data;
    own->relation = relation;
    for (size_t k = 0; k < pairs; k++)
        relation[k] = own->steps[k] < 0 ? own->relations - 1 : own->steps[k];
    for (int k = 0; k < r->config.samples; k++)
        each[k] = own;
    r->batch.layout = each;
}

/* Samples of lengths of their own, at places of their own where the fixture says them. */
static void set_samples(struct rig *r, const struct safetensors *f)
{
    int samples = r->config.samples, *first = arena_alloc(&r->arena, (size_t)samples + 1, sizeof *first, NULL);
    const struct layout **each = arena_alloc(&r->arena, (size_t)samples, sizeof *each, NULL);
    struct layout *own = arena_alloc(&r->arena, (size_t)samples, sizeof *own, NULL);
    const struct safetensor *places = safetensors_find(f, "places");
    assert_true(first && each && own);
    for (int k = 0; k < samples; k++) {
        int n = parity_integer(f, "lengths", k);
        first[k + 1] = first[k] + n;
        each[k] = &own[k];
        own[k] = layout_shorter(&r->layout, n);
        if (places)
            assert_int_equal(layout_scattered(n, (const int32_t *)places->data + first[k], r->config.places,
                                              &r->arena, &own[k], NULL), 0);
    }
    assert_true(first[samples] <= samples * r->layout.n);
    r->rows = r->batch.rows = first[samples];
    r->batch.first = first;
    r->batch.layout = each;
}

void parity_rig(struct rig *r, const struct safetensors *f, const struct rig_config *c)
{
    const struct safetensor *steps = safetensors_find(f, "steps");
    assert_true(rig_open(r, c, 1));
    if (steps)
        set_graph(r, steps);
    if (c->shortest)
        set_samples(r, f);
    for (int t = 0; t < r->model.tensors.count; t++) {
        const struct tensor *own = &r->model.tensors.item[t];
        const struct safetensor *given = find(f, "weight/", own->name);
        assert_int_equal(given->rank, own->rank);
        for (int d = 0; d < own->rank; d++)
            assert_int_equal(given->shape[d], own->shape[d]);
        load(given, own->count, r->p + own->offset);
    }
    for (int i = 0; i < r->rows && !c->channels; i++)
        r->token[i] = parity_integer(f, "tokens", i);
    if (c->channels)
        load(find(f, "", "x"), (size_t)(r->rows * c->channels), r->x);
    load(find(f, "", "cotangent"), (size_t)(r->rows * r->outputs), r->cotangent);
}

/* ---- comparing --------------------------------------------------------------------------------*/
/* Case k of a stacked tensor. */
static const double *slice(const struct safetensor *t, int cases, int k)
{
    assert_true(t->type == SAFETENSORS_F64 && t->shape[0] == cases);
    return (const double *)t->data + t->count / (size_t)cases * (size_t)k;
}

static double largest(const double *a, size_t count)
{
    double max = 0;
    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs(a[i]));
    return max;
}

/* The largest difference relative to the largest wanted value; NaN is infinitely far. */
static double distance(const real *have, const double *want, size_t count, double scale)
{
    double max = 0;
    for (size_t i = 0; i < count; i++) {
        double d = fabs((double)have[i] - want[i]);
        max = d <= max ? max : isnan(d) ? INFINITY : d;
    }
    return max / scale;
}

double parity_distance(const struct rig *r, const struct safetensors *f, int k)
{
    size_t count = (size_t)(r->rows * r->outputs);
    const double *want = slice(find(f, "", "y"), parity_cases(f), k);
    return distance(r->y, want, count, largest(want, count));
}

/* Of the worst tensor, whose name is left in *worst. */
static double gradient_distance(const struct rig *r, const struct safetensors *f, int k,
                                const char **worst)
{
    int cases = parity_cases(f);
    size_t inputs = (size_t)(r->rows * r->config.channels);
    const double *dx = inputs ? slice(find(f, "", "dx"), cases, k) : NULL;
    double max = inputs ? distance(r->dx, dx, inputs, largest(dx, inputs)) : 0, all = 0;
    *worst = "x";
    for (int t = 0; t < r->model.tensors.count; t++) {
        const struct tensor *own = &r->model.tensors.item[t];
        all = fmax(all, largest(slice(find(f, "gradient/", own->name), cases, k), own->count));
    }
    for (int t = 0; t < r->model.tensors.count; t++) {
        const struct tensor *own = &r->model.tensors.item[t];
        const double *want = slice(find(f, "gradient/", own->name), cases, k);
        double scale = largest(want, own->count);
        /* What is zero in exact arithmetic (a key's bias where no position term meets the query)
         * is rounding on both sides: it must be nothing beside the other gradients. */
        if (scale < 1e-12 * all)
            scale = all;
        double d = distance(r->g + own->offset, want, own->count, scale);
        if (d > max) {
            max = d;
            *worst = own->name;
        }
    }
    return max;
}

void parity_check(const char *file, const struct safetensors *f, int k,
                       const struct rig_config *c)
{
    struct rig r;
    const char *worst;
    parity_rig(&r, f, c);
    rig_forward(&r);
    double d = parity_distance(&r, f, k);
    if (!(d <= tolerance))
        fail_msg("%s, case %d: outputs are %g apart", file, k, d);
    rig_backward(&r);
    d = gradient_distance(&r, f, k, &worst);
    if (!(d <= tolerance))
        fail_msg("%s, case %d: gradients are %g apart, in %s", file, k, d, worst);
    rig_close(&r);
}

void parity_check_wrong(const char *file, const struct safetensors *f, int k,
                                const struct rig_config *c)
{
    struct rig r;
    const char *worst;
    parity_rig(&r, f, c);
    for (int t = 0; t < r.model.tensors.count; t++) {
        const struct tensor *own = &r.model.tensors.item[t];
        const double *g = slice(find(f, "gradient/", own->name), parity_cases(f), k);
        size_t at = 0;
        for (size_t i = 1; i < own->count; i++)
            at = fabs(g[i]) > fabs(g[at]) ? i : at;
        if (fabs(g[at]) < 1e-12)
            continue; /* does not matter, whatever its value */
        real *value = &r.p[own->offset + at], old = *value;
        *value = old + (real)0.01;
        rig_forward(&r);
        rig_backward(&r);
        double y = parity_distance(&r, f, k), other = gradient_distance(&r, f, k, &worst);
        if (y <= tolerance && other <= tolerance)
            fail_msg("%s, case %d: a wrong %s[%zu] is not seen", file, k, own->name, at);
        *value = old;
    }
    rig_close(&r);
}


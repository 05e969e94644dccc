/* Opening the search for the worst case: memory, what the target depends on, and where to start. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/search.h"
#include "space/space.h"

enum { START_SAMPLE, START_CORNER, START_GENERIC, START_CONSTANT, START_KINDS };
enum { PROBES = 4 }; /* of what a target depends on */

double search_worst(const double *y, const double *f, size_t count, int *entry)
{
    double worst = -1;
    for (size_t k = 0; k < count; k++) {
        double off = fabs(y[k] - f[k]);
        if (off > worst || isnan(off)) {
            worst = off;
            *entry = (int)k;
        }
        if (isnan(off))
            break;
    }
    return worst;
}

void search_set(const struct search *q, bool tied, double *x, size_t v, double value)
{
    if (!tied)
        x[v] = value;
    for (size_t k = v; tied && k < q->cells; k += (size_t)q->d)
        x[k] = value;
}

/* ---- opening ----------------------------------------------------------------------------------*/

static int open_samples(struct search *q, struct samples *s, struct err *e)
{
    size_t count = (size_t)q->starts;
    s->count = q->starts;
    s->rows = q->starts * q->n;
    s->channels = q->d;
    s->first = arena_alloc(&q->arena, count + 1, sizeof *s->first, e);
    s->layout = arena_alloc(&q->arena, count, sizeof *s->layout, e);
    s->x = arena_alloc(&q->arena, count * q->cells, sizeof *s->x, e);
    s->y = arena_alloc(&q->arena, count * q->cells, sizeof *s->y, e);
    if (!s->first || !s->layout || !s->x || !s->y)
        return ERR_MEMORY;
    for (int k = 0; k < q->starts; k++) {
        s->layout[k] = q->layout;
        s->first[k + 1] = (k + 1) * q->n;
    }
    return 0;
}

static int open_arrays(struct search *q, struct err *e)
{
    size_t all, n = (size_t)q->n;
    if (!memory_multiply((size_t)q->starts, q->cells, &all) || (size_t)q->starts * n > INT32_MAX)
        return err_set(e, ERR_MEMORY, "evaluate.adversary.starts",
                       "%d starts of %d positions are too many", q->starts, q->n);
    q->start = arena_alloc(&q->arena, (size_t)q->starts, sizeof *q->start, e);
    q->output = arena_alloc(&q->arena, all, sizeof *q->output, e);
    q->cotangent = arena_alloc(&q->arena, all, sizeof *q->cotangent, e);
    q->dx = arena_alloc(&q->arena, all, sizeof *q->dx, e);
    q->slope = arena_alloc(&q->arena, all, sizeof *q->slope, e);
    q->x = arena_alloc(&q->arena, q->cells, sizeof *q->x, e);
    q->up = arena_alloc(&q->arena, q->cells, sizeof *q->up, e);
    q->down = arena_alloc(&q->arena, q->cells, sizeof *q->down, e);
    q->depends = arena_alloc(&q->arena, n, n, e);
    q->rank = arena_alloc(&q->arena, (size_t)q->ev->set.count, sizeof *q->rank, e);
    if (!q->start || !q->output || !q->cotangent || !q->dx || !q->slope || !q->x || !q->up ||
        !q->down || !q->depends || !q->rank)
        return ERR_MEMORY;
    int code = open_samples(q, &q->best, e);
    return code ? code : open_samples(q, &q->trial, e);
}

static int open_parts(struct search *q, struct err *e)
{
    const struct task *t = q->ev->task;
    int code = arena_open(&q->arena, 0, e);
    q->config = &t->target;
    q->target = target_of(&t->target);
    q->layout = q->ev->set.layout[0];
    q->n = q->layout->n;
    q->d = q->ev->set.channels;
    q->cells = (size_t)q->n * (size_t)q->d;
    q->starts = (int)t->evaluate.adversary_starts;
    if (!code)
        code = open_arrays(q, e);
    if (!code && q->target->open)
        code = q->target->open(q->config, &t->space, q->n, &q->arena, &q->state, e);
    return code;
}

static void draw_inputs(struct stream *random, double *x, size_t count)
{
    for (size_t k = 0; k < count; k++)
        x[k] = stream_uniform24(random);
}

/* One token at a time is drawn anew: where f changes, it depends on that token. */
static int probe_target(struct search *q, struct err *e)
{
    size_t d = (size_t)q->d;
    struct stream random;
    stream_open(&random, q->ev->task->seed, "adversary.probe", 0);
    for (int probe = 0; probe < PROBES; probe++) {
        draw_inputs(&random, q->x, q->cells);
        int code = search_target(q, q->x, q->up, e);
        for (int j = 0; j < q->n && !code; j++) {
            draw_inputs(&random, q->x + (size_t)j * d, d);
            code = search_target(q, q->x, q->down, e);
            for (int i = 0; i < q->n; i++)
                if (memcmp(q->up + (size_t)i * d, q->down + (size_t)i * d, d * sizeof *q->up))
                    q->depends[(size_t)i * (size_t)q->n + (size_t)j] = 1;
            memcpy(q->up, q->down, q->cells * sizeof *q->up);
        }
        if (code)
            return code;
    }
    return 0;
}

/* ---- starts -----------------------------------------------------------------------------------*/

static int by_error(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->error != y->error)
        return x->error > y->error ? -1 : 1;
    return x->sample < y->sample ? -1 : 1;
}

static void rank_samples(struct search *q)
{
    const struct samples *set = &q->ev->set;
    for (int b = 0, entry; b < set->count; b++) {
        size_t at = (size_t)set->first[b] * (size_t)q->d;
        double error = search_worst(q->ev->output + at, set->y + at, q->cells, &entry);
        q->rank[b] = (struct ranked){error, b};
    }
    qsort(q->rank, (size_t)set->count, sizeof *q->rank, by_error);
}

/* The sample of this rank, or of this rank among the identical ones; NULL: there are fewer. */
static const double *ranked_sample(const struct search *q, int rank, bool identical)
{
    const struct samples *set = &q->ev->set;
    for (int k = 0; k < set->count; k++) {
        int b = q->rank[k].sample;
        if (identical && set->pattern[b] != PATTERN_IDENTICAL)
            continue;
        if (rank-- == 0)
            return set->x + (size_t)set->first[b] * (size_t)q->d;
    }
    return NULL;
}

static void draw_corner(struct start *s, int rank, double *token, int d)
{
    for (int c = 0; c < d; c++)
        token[c] = rank < 2 ? rank : (double)stream_below(&s->random, 2);
}

static void draw_start(struct search *q, int k)
{
    struct start *s = &q->start[k];
    int kind = k % START_KINDS, rank = k / START_KINDS;
    double *x = q->trial.x + (size_t)k * q->cells;
    *s = (struct start){.tied = kind == START_CORNER || kind == START_CONSTANT, .moved = true,
                        .by_sign = true, .error = -1, .move = SEARCH_MOVE};
    stream_open(&s->random, q->ev->task->seed, "adversary", (uint64_t)k);
    const double *from = NULL;
    if (kind == START_SAMPLE || kind == START_CONSTANT)
        from = ranked_sample(q, rank, kind == START_CONSTANT);
    if (from)
        memcpy(x, from, q->cells * sizeof *x);
    else if (kind == START_CORNER)
        draw_corner(s, rank, x, q->d);
    else
        draw_inputs(&s->random, x, q->cells);
    for (int c = 0; s->tied && c < q->d; c++)
        search_set(q, true, x, (size_t)c, x[c]);
}

int search_open(struct search *q, struct err *e)
{
    int code = open_parts(q, e);
    if (!code)
        code = probe_target(q, e);
    if (code)
        return code;
    rank_samples(q);
    for (int k = 0; k < q->starts; k++)
        draw_start(q, k);
    return 0;
}

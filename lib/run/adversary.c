/* The search for the worst case (adversary.h).
 *
 * A start's variables are the channels of all its tokens, or of the one token that they all are.
 * It moves along its slope, by sign or in proportion; a failure of both halves the move.  Once
 * moves are small, single variables are set at random, which also leaves places without slope.
 *
 * Invariant: a start's point in `best` is inside the domain, its y the target there, and its error
 * was measured there. */
#include "run/adversary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "floor/floor.h"
#include "space/space.h"
#include "target/target.h"

enum { START_SAMPLE, START_CORNER, START_GENERIC, START_CONSTANT, START_KINDS };
enum { PROBES = 4 }; /* of what a target depends on */
/* Variables whose difference is taken at once; random moves before the slope is tried again. */
enum { BLOCK = 64, RANDOM_MOVES = 8 };
#define DIFFERENCE 1e-4
/* Of the fastest variable, at first and when the slope is given up. */
#define SEARCH_MOVE 0.25
#define SEARCH_MOVE_LEAST (1.0 / 4096)

struct start {
    struct stream random;
    bool tied;     /* all tokens are equal and stay so */
    bool moved;    /* since its slope was taken */
    bool by_sign;  /* the next move */
    int failures;  /* since the last success */
    int entry;     /* the worst output element of the sample */
    double sign;   /* of y - f there */
    double error;  /* |y - f| there */
    double move;   /* of the fastest variable */
};

struct ranked {
    double error;
    int sample;
};

struct search {
    const struct evaluation *ev;
    const struct samples *set; /* of ev */
    const struct task *task;
    struct network *network;
    const struct target *target;
    void *state; /* the target's */
    struct layout *layout;
    int n, d, starts;
    size_t cells; /* n x d */
    struct start *start;
    struct samples best, trial; /* a sample per start; y is the target */
    double *output, *cotangent, *dx, *slope; /* (starts,n,d) */
    double *x, *up, *down;                   /* (n,d) scratch */
    unsigned char *depends;                  /* (n,n) whether f at i may depend on token j */
    struct ranked *rank;                     /* (samples) worst first */
    struct arena arena;
};

/* y (n,d) of the target at x (n,d). */
static int target_at(const struct search *q, const double *x, double *y, struct err *e)
{
    struct target_sample t = target_sample(q->state, &q->task->target, q->layout);
    return q->target->evaluate(&t, q->d, x, y, e);
}

/* The largest of `count` |y[k] - f[k]|, or the first that is no number; *entry says which. */
static double worst_of(const double *y, const double *f, size_t count, int *entry)
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

/* Sets variable v of x (n,d): of one token, or of all alike. */
static void set_variable(const struct search *q, bool tied, double *x, size_t v, double value)
{
    if (!tied)
        x[v] = value;
    for (size_t k = v; tied && k < q->cells; k += (size_t)q->d)
        x[k] = value;
}

/* ---- opening ----------------------------------------------------------------------------------*/

static int open_samples(struct search *q, struct samples *s, struct err *e)
{
    int code = arena_open(&s->arena, 0, e);
    if (!code)
        code = samples_reserve(s, q->starts, q->n, &(struct model_io){.channels = q->d}, false, e);
    for (int k = 0; k < q->starts && !code; k++)
        samples_add(s, q->layout, PATTERN_GENERIC);
    return code;
}

static int open_arrays(struct search *q, struct err *e)
{
    size_t all = (size_t)q->starts * q->cells, n = (size_t)q->n;
    q->start = arena_alloc(&q->arena, (size_t)q->starts, sizeof *q->start, e);
    q->output = arena_alloc(&q->arena, all, sizeof *q->output, e);
    q->cotangent = arena_alloc(&q->arena, all, sizeof *q->cotangent, e);
    q->dx = arena_alloc(&q->arena, all, sizeof *q->dx, e);
    q->slope = arena_alloc(&q->arena, all, sizeof *q->slope, e);
    q->x = arena_alloc(&q->arena, q->cells, sizeof *q->x, e);
    q->up = arena_alloc(&q->arena, q->cells, sizeof *q->up, e);
    q->down = arena_alloc(&q->arena, q->cells, sizeof *q->down, e);
    q->depends = arena_alloc(&q->arena, n, n, e);
    q->rank = arena_alloc(&q->arena, (size_t)q->set->count, sizeof *q->rank, e);
    return arena_check(&q->arena);
}

static int open_parts(struct search *q, struct err *e)
{
    const struct task *t = q->task;
    int code = arena_open(&q->arena, 0, e);
    q->target = target_of(&t->target);
    q->layout = q->set->layout[0];
    q->n = q->layout->n;
    q->d = q->set->channels;
    q->cells = (size_t)q->n * (size_t)q->d;
    q->starts = (int)t->evaluate.adversary_starts;
    if (!code)
        code = open_samples(q, &q->best, e);
    if (!code)
        code = open_samples(q, &q->trial, e);
    if (!code)
        code = open_arrays(q, e);
    if (!code && q->target->open)
        code = q->target->open(&t->target, &t->space, q->n, &q->arena, &q->state, e);
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
    stream_open(&random, q->task->seed, "adversary.probe", 0);
    for (int probe = 0; probe < PROBES; probe++) {
        draw_inputs(&random, q->x, q->cells);
        int code = target_at(q, q->x, q->up, e);
        for (int j = 0; j < q->n && !code; j++) {
            draw_inputs(&random, q->x + (size_t)j * d, d);
            code = target_at(q, q->x, q->down, e);
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
    const struct samples *set = q->set;
    for (int b = 0, entry; b < set->count; b++) {
        size_t at = (size_t)set->first[b] * (size_t)q->d;
        double error = worst_of(evaluation_outputs(q->ev) + at, set->y + at, q->cells, &entry);
        q->rank[b] = (struct ranked){error, b};
    }
    qsort(q->rank, (size_t)set->count, sizeof *q->rank, by_error);
}

/* The sample of this rank, or of this rank among the identical ones; NULL: there are fewer. */
static const double *ranked_sample(const struct search *q, int rank, bool identical)
{
    const struct samples *set = q->set;
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
    stream_open(&s->random, q->task->seed, "adversary", (uint64_t)k);
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
        set_variable(q, true, x, (size_t)c, x[c]);
}

static int open_search(struct search *q, struct err *e)
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

/* ---- errors -----------------------------------------------------------------------------------*/

static double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static int measure(struct search *q, struct samples *s, struct err *e)
{
    for (int k = 0; k < q->starts; k++) {
        size_t at = (size_t)k * q->cells;
        int code = target_at(q, s->x + at, s->y + at, e);
        if (code)
            return code;
    }
    return q->network->api->outputs(q->network->trainer, s, q->output, NULL, NULL, e);
}

/* Takes the trial point of start k where it is worse than the best. */
static bool take_if_worse(struct search *q, int k)
{
    struct start *s = &q->start[k];
    size_t at = (size_t)k * q->cells, bytes = q->cells * sizeof(double);
    int entry = 0;
    double error = worst_of(q->output + at, q->trial.y + at, q->cells, &entry);
    if (!(error > s->error) && !(isnan(error) && !isnan(s->error)))
        return false;
    memcpy(q->best.x + at, q->trial.x + at, bytes);
    memcpy(q->best.y + at, q->trial.y + at, bytes);
    s->error = error;
    s->entry = entry;
    s->sign = q->output[at + (size_t)entry] < q->trial.y[at + (size_t)entry] ? -1 : 1;
    return true;
}

/* The trial points are the starts' first points. */
static int measure_starts(struct search *q, struct err *e)
{
    int code = measure(q, &q->trial, e);
    for (int k = 0; k < q->starts && !code; k++)
        take_if_worse(q, k);
    return code;
}

/* ---- slopes -----------------------------------------------------------------------------------*/

/* Slope of the target at the start's worst entry along variable v, by a difference inside the
 * domain. */
static int target_slope(struct search *q, int k, size_t v, double *slope, struct err *e)
{
    const struct start *s = &q->start[k];
    const double *x = q->best.x + (size_t)k * q->cells;
    double high = fmin(x[v] + DIFFERENCE, 1), low = fmax(x[v] - DIFFERENCE, 0);
    memcpy(q->x, x, q->cells * sizeof *x);
    set_variable(q, s->tied, q->x, v, high);
    int code = target_at(q, q->x, q->up, e);
    set_variable(q, s->tied, q->x, v, low);
    if (!code)
        code = target_at(q, q->x, q->down, e);
    *slope = (q->up[s->entry] - q->down[s->entry]) / (high - low);
    return code;
}

/* How many tokens the target depends on at the start's worst entry. */
static int count_dependent(const struct search *q, const struct start *s)
{
    const unsigned char *depends = q->depends + (size_t)(s->entry / q->d) * (size_t)q->n;
    int count = 0;
    for (int j = 0; j < q->n; j++)
        count += depends[j];
    return count;
}

/* Slope of |y - f| along each variable, 0 where it leads out of the domain.  Differences are dear,
 * so they are taken for the tokens that f depends on, and of these for some BLOCK variables: the
 * others hold still for once, as do all but the worst entry's own token by chance. */
static int take_slope(struct search *q, int k, struct err *e)
{
    struct start *s = &q->start[k];
    size_t at = (size_t)k * q->cells, d = (size_t)q->d, variables = s->tied ? d : q->cells;
    double *g = q->slope + at;
    const double *x = q->best.x + at;
    int own = s->entry / q->d, dependent = s->tied ? 1 : count_dependent(q, s);
    const unsigned char *depends = q->depends + (size_t)own * (size_t)q->n;
    bool taken = true, still = false;
    memset(g, 0, q->cells * sizeof *g);
    for (size_t v = 0; v < q->cells; v++)
        g[s->tied ? v % d : v] += q->dx[at + v];
    for (size_t v = 0; v < variables; v++) {
        int token = (int)(v / d);
        double slope = 0;
        if (!s->tied && v % d == 0) {
            double chance = stream_uniform24(&s->random) * dependent * q->d;
            taken = depends[token] && (token == own || chance < BLOCK);
            still = depends[token] && !taken;
        }
        int code = taken ? target_slope(q, k, v, &slope, e) : 0;
        if (code)
            return code;
        g[v] = still ? 0 : g[v] - s->sign * slope;
        if ((x[v] <= 0 && g[v] < 0) || (x[v] >= 1 && g[v] > 0) || !isfinite(g[v]))
            g[v] = 0;
    }
    return 0;
}

static int take_slopes(struct search *q, struct err *e)
{
    bool any = false;
    memset(q->cotangent, 0, (size_t)q->starts * q->cells * sizeof *q->cotangent);
    for (int k = 0; k < q->starts; k++) {
        const struct start *s = &q->start[k];
        any = any || s->moved;
        q->cotangent[(size_t)k * q->cells + (size_t)s->entry] = s->sign;
    }
    if (!any)
        return 0;
    int code = q->network->api->input_gradient(q->network->trainer, &q->best, q->cotangent,
                                               q->dx, e);
    for (int k = 0; k < q->starts && !code; k++) {
        if (q->start[k].moved)
            code = take_slope(q, k, e);
        q->start[k].moved = false;
    }
    return code;
}

/* ---- moves ------------------------------------------------------------------------------------*/

/* Into the domain, and to 24 bits: exact in float, so that network and target see one input. */
static double project(double value)
{
    value = fmin(fmax(value, 0), 1);
    return ldexp(rint(ldexp(value, 24)), -24);
}

/* One variable to either end of its range or anywhere. */
static void move_at_random(const struct search *q, struct start *s, double *x)
{
    size_t variables = s->tied ? (size_t)q->d : q->cells;
    size_t v = (size_t)stream_below(&s->random, variables);
    uint64_t way = stream_below(&s->random, 3);
    set_variable(q, s->tied, x, v, way < 2 ? (double)way : stream_uniform24(&s->random));
}

static void propose(struct search *q, int k)
{
    struct start *s = &q->start[k];
    size_t at = (size_t)k * q->cells, variables = s->tied ? (size_t)q->d : q->cells;
    const double *g = q->slope + at, *from = q->best.x + at;
    double *x = q->trial.x + at, most = 0;
    memcpy(x, from, q->cells * sizeof *x);
    for (size_t v = 0; v < variables; v++)
        most = fmax(most, fabs(g[v]));
    if (most == 0)
        s->move = 0;
    if (s->move < SEARCH_MOVE_LEAST) {
        move_at_random(q, s, x);
        return;
    }
    for (size_t v = 0; v < variables; v++) {
        double way = s->by_sign ? (g[v] > 0) - (g[v] < 0) : g[v] / most;
        set_variable(q, s->tied, x, v, project(from[v] + s->move * way));
    }
}

static void judge(struct search *q, int k)
{
    struct start *s = &q->start[k];
    bool random = s->move < SEARCH_MOVE_LEAST;
    if (take_if_worse(q, k)) {
        s->moved = true;
        s->failures = 0;
        s->move = random ? SEARCH_MOVE : fmin(2 * s->move, 1);
        return;
    }
    s->failures++;
    if (random && s->failures % RANDOM_MOVES == 0) {
        s->moved = true;
        s->move = SEARCH_MOVE;
    } else if (!random) {
        s->by_sign = !s->by_sign;
        s->move *= s->by_sign ? 0.5 : 1;
    }
}

static int ascend(struct search *q, struct err *e)
{
    for (int64_t step = 0; step < q->task->evaluate.adversary_steps; step++) {
        if (task_stopped(q->task))
            return err_set(e, ERR_INTERRUPTED, NULL, "interrupted at step %lld",
                           (long long)step);
        int code = take_slopes(q, e);
        for (int k = 0; k < q->starts && !code; k++)
            propose(q, k);
        if (!code)
            code = measure(q, &q->trial, e);
        if (code)
            return code;
        for (int k = 0; k < q->starts; k++)
            judge(q, k);
    }
    return 0;
}

/* ---- results ----------------------------------------------------------------------------------*/

/* Figures of one subset, from all starts or from the tied ones. */
static int summarize(struct search *q, const int32_t *group, int groups, unsigned char *mask,
                     bool tied, struct record *out, struct err *e)
{
    struct floor_errors floor;
    double error = out->error_sup;
    for (int k = 0; k < q->starts; k++) {
        bool in = !tied || q->start[k].tied;
        memset(mask + (size_t)k * (size_t)q->n, in, (size_t)q->n);
        if (in)
            error = larger(q->start[k].error, error);
    }
    int code = floor_continuous(group, groups, q->best.rows, q->d, q->best.y, mask, &floor, e);
    out->error_worst = error;
    out->floor_worst = fmax(floor.sup, out->floor_sup); /* the other one if no start was in */
    return code;
}

static int results(struct search *q, struct record *figures, struct err *e)
{
    int groups;
    size_t rows = (size_t)q->best.rows;
    int32_t *group = arena_alloc(&q->arena, rows, sizeof *group, e);
    unsigned char *mask = arena_alloc(&q->arena, rows, 1, e);
    if (!group || !mask)
        return ERR_MEMORY;
    int code = evaluation_merge(q->task, &q->best, group, &groups, e);
    for (int k = 0; k < evaluation_subsets(q->ev) && !code; k++) {
        bool tied = evaluation_pattern(q->ev, k) == PATTERN_IDENTICAL;
        if (k == 0 || tied)
            code = summarize(q, group, groups, mask, tied, &figures[k], e);
    }
    return code;
}

static bool searched(const struct search *q, const struct record *figures)
{
    const struct task *t = q->task;
    return t->evaluate.adversary_starts > 0 && q->set->channels > 0 && q->set->outputs > 0 && space_is_one(&t->space) &&
           evaluation_length(q->ev) == t->space.length && !isnan(figures[0].error_sup);
}

int adversary_search(const struct evaluation *ev, struct network *x, struct record *figures, struct err *e)
{
    struct search q = {.ev = ev, .set = evaluation_samples(ev), .task = evaluation_task(ev),
                       .network = x};
    if (!searched(&q, figures))
        return 0;
    int code = open_search(&q, e);
    if (!code)
        code = measure_starts(&q, e);
    if (!code)
        code = ascend(&q, e);
    if (!code)
        code = results(&q, figures, e);
    samples_close(&q.best);
    samples_close(&q.trial);
    if (q.state && q.target->close)
        q.target->close(q.state);
    arena_close(&q.arena);
    return code ? err_context(e, "search for the worst case") : 0;
}

/* The search for the worst case (adversary.h).
 *
 * A start's variables are the channels of all its tokens, or of the one token that they all are.
 * It moves along its slope, by sign or in proportion; a failure of both halves the move.  Once
 * moves are small, single variables are set at random, which also leaves places without slope. */
#include "run/adversary.h"

#include <math.h>
#include <string.h>

#include "run/search.h"
#include "space/space.h"

/* Variables whose difference is taken at once; random moves before the slope is tried again. */
enum { BLOCK = 64, RANDOM_MOVES = 8 };
#define DIFFERENCE 1e-4

/* ---- errors -----------------------------------------------------------------------------------*/

static double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static int measure(struct search *q, struct samples *s, struct err *e)
{
    for (int k = 0; k < q->starts; k++) {
        size_t at = (size_t)k * q->cells;
        int code = search_target(q, s->x + at, s->y + at, e);
        if (code)
            return code;
    }
    return q->api->outputs(q->trainer, s, q->output, NULL, NULL, e);
}

/* Takes the trial point of start k where it is worse than the best. */
static bool take_if_worse(struct search *q, int k)
{
    struct start *s = &q->start[k];
    size_t at = (size_t)k * q->cells, bytes = q->cells * sizeof(double);
    int entry = 0;
    double error = search_worst(q->output + at, q->trial.y + at, q->cells, &entry);
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
    search_set(q, s->tied, q->x, v, high);
    int code = search_target(q, q->x, q->up, e);
    search_set(q, s->tied, q->x, v, low);
    if (!code)
        code = search_target(q, q->x, q->down, e);
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
    int code = q->api->input_gradient(q->trainer, &q->best, q->cotangent, q->dx, e);
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
    search_set(q, s->tied, x, v, way < 2 ? (double)way : stream_uniform24(&s->random));
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
        search_set(q, s->tied, x, v, project(from[v] + s->move * way));
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
    for (int64_t step = 0; step < q->ev->task->evaluate.adversary_steps; step++) {
        if (q->stop && *q->stop)
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
    int code = evaluation_merge(q->ev->task, &q->best, group, &groups, e);
    for (int k = 0; k < q->ev->subsets && !code; k++) {
        bool tied = q->ev->subset[k].pattern == PATTERN_IDENTICAL;
        if (k == 0 || tied)
            code = summarize(q, group, groups, mask, tied, &figures[k], e);
    }
    return code;
}

static bool searched(const struct evaluation *ev, const struct record *figures)
{
    const struct task *t = ev->task;
    return t->evaluate.adversary_starts > 0 && ev->set.channels > 0 &&
           !space_of(&t->space)->draw && ev->length == t->space.length &&
           !isnan(figures[0].error_sup);
}

int adversary_search(struct evaluation *ev, const struct trainer_api *api, struct trainer *t,
                     const volatile int *stop, struct record *figures, struct err *e)
{
    struct search q = {.ev = ev, .api = api, .trainer = t, .stop = stop};
    if (!searched(ev, figures))
        return 0;
    int code = search_open(&q, e);
    if (!code)
        code = measure_starts(&q, e);
    if (!code)
        code = ascend(&q, e);
    if (!code)
        code = results(&q, figures, e);
    arena_close(&q.arena);
    return code ? err_context(e, "search for the worst case") : 0;
}

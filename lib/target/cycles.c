/* cycles: how many simple cycles of one length go through a node; distances alone do not say it.
 * Invariant: a cycle is found once, from its smallest node and in one direction, and counts at each
 * of its nodes. */
#include <math.h>

#include "target/target.h"

enum { CYCLES_LENGTH };
/* Steps of the search in one sample: a second or two. */
enum { CYCLES_LENGTH_MAX = 8, CYCLES_STEPS_MAX = 1 << 28 };
static const struct option options[] = {
    {.key = "length", .type = OPTION_INT, .min = 3, .max = CYCLES_LENGTH_MAX, .fallback = "5",
     .unit = "edges", .help = "edges of the cycles that are counted"},
    {.key = NULL},
};

/* Paths of as many edges as the cycle has, but for the last, in a graph of so many neighbours. */
static double cycles_work(const struct target_config *c, const struct space_config *s)
{
    double length = c->kind.number[CYCLES_LENGTH], n = (double)space_positions(s);
    return n / length * pow(space_of(s)->neighbours(s), length - 1);
}

static int cycles_check(const struct target_config *c, const struct space_config *s, struct err *e)
{
    double work = cycles_work(c, s);
    if (work <= CYCLES_STEPS_MAX)
        return 0;
    return err_set(e, ERR_USAGE, "target.length",
                   "about %.0e paths of a graph would be tried; expected at most %.0e: shorter "
                   "cycles, or fewer nodes or neighbours", work, (double)CYCLES_STEPS_MAX);
}

struct counting {
    const struct layout *l;
    int *start, *next; /* neighbours of i: next[start[i]] .. next[start[i+1]-1] */
    int path[CYCLES_LENGTH_MAX + 1], length, d;
    long steps; /* left */
    double *y;
};

static void count_cycle(const struct counting *c)
{
    for (int k = 0; k < c->length; k++)
        for (int channel = 0; channel < c->d; channel++)
            c->y[(size_t)c->path[k] * (size_t)c->d + (size_t)channel]++;
}

static bool on_path(const struct counting *c, int used, int node)
{
    for (int k = 1; k < used; k++)
        if (c->path[k] == node)
            return true;
    return false;
}

/* Counts the cycles that begin with path[0] .. path[used-1], of nodes beyond path[0]. */
static void extend(struct counting *c, int used)
{
    int root = c->path[0], at = c->path[used - 1], left = c->length - used;
    const int32_t *home = c->l->steps + (size_t)root * (size_t)c->l->n;
    if (left == 0) {
        if (home[at] == 1 && c->path[1] < at)
            count_cycle(c);
        return;
    }
    for (int k = c->start[at]; k < c->start[at + 1] && c->steps > 0; k++) {
        int node = c->next[k];
        c->steps--;
        if (node <= root || home[node] > left || on_path(c, used, node))
            continue;
        c->path[used] = node;
        extend(c, used + 1);
    }
}

static int cycles_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    size_t n = (size_t)t->n, edges = 0;
    for (size_t i = 0; i < n; i++)
        edges += (size_t)t->layout->degree[i];
    struct counting c = {.l = t->layout, .length = (int)t->config->kind.number[CYCLES_LENGTH], .d = d, .y = y,
                         .steps = CYCLES_STEPS_MAX, .start = memory_alloc(n + 1, sizeof(int), e),
                         .next = memory_alloc(edges, sizeof(int), e)};
    int code = c.start && c.next ? 0 : ERR_MEMORY;
    for (size_t i = 0, at = 0; i < n && !code; c.start[++i] = (int)at)
        for (size_t j = 0; j < n; j++)
            if (t->layout->steps[i * n + j] == 1)
                c.next[at++] = (int)j;
    for (size_t k = 0; k < n * (size_t)d; k++)
        y[k] = 0;
    for (int i = 0; i < t->n && !code; i++) {
        c.path[0] = i;
        extend(&c, 1);
    }
    memory_free(c.start);
    memory_free(c.next);
    if (!code && c.steps <= 0)
        code = err_set(e, ERR_EVALUATION, NULL,
                       "more than %d paths were tried; expected a graph of fewer nodes or "
                       "neighbours, or shorter cycles", CYCLES_STEPS_MAX);
    return code;
}

const struct target target_cycles = {
    .name = "cycles",
    .formula = "y_i = number of simple cycles of `length` edges through i",
    .summary = "cycles through the node; a floor even with C where distances do not tell them",
    .options = options,
    .needs = TARGET_NEEDS_GRAPH,
    .check = cycles_check,
    .work = cycles_work,
    .evaluate = cycles_evaluate,
};

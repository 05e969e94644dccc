/* cycles: how many simple cycles of one length go through a node; distances alone do not say it.
 * Invariant: a cycle is found once in each direction, so counts are halved. */
#include "target/table.h"

enum { CYCLES_LENGTH };
static const struct option options[] = {
    {.key = "length", .type = OPTION_INT, .min = 3, .max = 8, .fallback = "5", .unit = "edges",
     .help = "edges of the cycles that are counted"},
    {.key = NULL},
};

/* Paths of `left` more edges from node `at` to path[0] that avoid path[1] .. path[used-1]. */
static int paths(const struct layout *l, int *path, int used, int left)
{
    const int32_t *steps = l->steps + (size_t)path[used - 1] * (size_t)l->n;
    const int32_t *home = l->steps + (size_t)path[0] * (size_t)l->n;
    int count = 0;
    if (left == 1)
        return steps[path[0]] == 1;
    for (int j = 0; j < l->n; j++) {
        bool seen = steps[j] != 1 || home[j] > left - 1;
        for (int k = 0; k < used && !seen; k++)
            seen = path[k] == j;
        if (seen)
            continue;
        path[used] = j;
        count += paths(l, path, used + 1, left - 1);
    }
    return count;
}

static int cycles_evaluate(const void *state, const struct target_config *c,
                           const struct layout *l, int d, const double *x, double *y,
                           struct err *e)
{
    (void)state, (void)x, (void)e;
    int length = (int)c->kind.number[CYCLES_LENGTH], path[8];
    for (int i = 0; i < l->n; i++) {
        path[0] = i;
        int count = paths(l, path, 1, length) / 2;
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = count;
    }
    return 0;
}

const struct target target_cycles = {
    .name = "cycles",
    .formula = "y_i = number of simple cycles of `length` edges through i",
    .summary = "cycles through the node; a floor even with C where distances do not tell them",
    .options = options,
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = cycles_evaluate,
};

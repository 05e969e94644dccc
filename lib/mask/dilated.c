/* dilated: a query sees `size` keys, its own and every `step`-th before it.
 *
 *   step 2, size 2, n = 4:   x - - -
 *                            - x - -
 *                            x - x -
 *                            - x - x
 * Source: Beltagy et al. 2020, section 3.1. */
#include "mask/mask.h"

enum { STEP, SIZE };
static const struct option options[] = {
    {.key = "step", .type = OPTION_INT, .min = 1, .max = 1 << 20, .fallback = "2", .unit = "tokens",
     .help = "between two keys that are seen"},
    {.key = "size", .type = OPTION_INT, .min = 1, .max = 1 << 20, .fallback = "64", .unit = "keys",
     .help = "how many keys are seen, the query's own counted"},
    {.key = NULL},
};

static bool past(const struct kind_config *c)
{
    return true;
}

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    int back = -mask_step(l, relation), step = (int)c->number[STEP];
    return back >= 0 && back % step == 0 && back / step < c->number[SIZE];
}

const struct mask mask_dilated = {
    .name = "dilated",
    .formula = "j = i - step t, 0 <= t < size",
    .summary = "a query sees every step-th key before it",
    .citation = "Beltagy et al. 2020, section 3.1",
    .options = options,
    .axes_min = 1,
    .axes_max = 1,
    .by_distance = true,
    .past = past,
    .sees = sees,
};

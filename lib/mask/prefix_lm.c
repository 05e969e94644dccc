/* prefix-lm: all see the first `prefix` keys, and besides those up to their own.
 *
 *   prefix 2, n = 4:   x x - -
 *                      x x - -
 *                      x x x -
 *                      x x x x
 * Source: Raffel et al. 2020, section 3.2.1 (causal with prefix). */
#include "mask/mask.h"

enum { PREFIX };
static const struct option options[] = {
    {.key = "prefix", .type = OPTION_INT, .min = 1, .max = 1 << 20, .fallback = "1",
     .unit = "tokens", .help = "at the start, which every query sees"},
    {.key = NULL},
};

static bool pair(const struct kind_config *c, const struct layout *l, int i, int j)
{
    return j <= i || j < c->number[PREFIX];
}

const struct mask mask_prefix_lm = {
    .name = "prefix-lm",
    .formula = "j <= max(i, prefix)",
    .summary = "all queries see the first keys, and those up to their own",
    .citation = "Raffel et al. 2020, section 3.2.1",
    .options = options,
    .axes_min = 1,
    .axes_max = 1,
    .pair = pair,
};

/* blocks: positions are cut into blocks of `size`, and a query sees the keys of its own block, with
 * causal: true those up to it.
 *
 *   size 2, n = 4:   x - - -      causal: false   x x - -
 *                    x x - -                      x x - -
 *                    - - x -                      - - x x
 *                    - - x x                      - - x x
 * Which block a key is in depends on places, not on the offset.
 * Source: chunked attention of Llama 4, meta-llama/llama-models models/llama4/model.py. */
#include "mask/mask.h"

enum { SIZE, CAUSAL };
static const struct option options[] = {
    {.key = "size", .type = OPTION_INT, .min = 1, .max = 1 << 20, .fallback = "64",
     .unit = "tokens", .help = "of a block"},
    {.key = "causal", .type = OPTION_BOOL, .fallback = "true",
     .help = "hides the keys behind the query"},
    {.key = NULL},
};

static bool past(const struct kind_config *c)
{
    return c->number[CAUSAL] != 0;
}

static bool pair(const struct kind_config *c, const struct layout *l, int i, int j)
{
    int size = (int)c->number[SIZE];
    return i / size == j / size && (j <= i || !past(c));
}

const struct mask mask_blocks = {
    .name = "blocks",
    .formula = "floor(i / size) = floor(j / size), j <= i",
    .summary = "a query sees the keys of its own block",
    .citation = "Llama 4, model.py (chunked attention)",
    .options = options,
    .axes_min = 1,
    .axes_max = 1,
    .past = past,
    .pair = pair,
};

/* strided: a query sees the last `length` keys, and every length-th before them.
 *
 *   length 2, n = 5:   x - - - -
 *                      x x - - -
 *                      x x x - -
 *                      - x x x -
 *                      x - x x x
 * Source: Child et al. 2019, section 4.3 (both parts of the strided pattern in one head). */
#include "mask/mask.h"

enum { LENGTH };
static const struct option options[] = {
    {.key = "length", .type = OPTION_INT, .min = 1, .max = 1 << 20, .fallback = "16",
     .unit = "tokens", .help = "of the near part, and between two far keys"},
    {.key = NULL},
};

static bool past(const struct kind_config *c)
{
    return true;
}

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    int back = -mask_step(l, relation), length = (int)c->number[LENGTH];
    return back >= 0 && (back < length || back % length == 0);
}

const struct mask mask_strided = {
    .name = "strided",
    .formula = "i - j < length or (i - j) mod length = 0, j <= i",
    .summary = "a query sees the last keys, and every length-th before",
    .citation = "Child et al. 2019, section 4.3",
    .options = options,
    .axes_min = 1,
    .axes_max = 1,
    .past = past,
    .sees = sees,
};

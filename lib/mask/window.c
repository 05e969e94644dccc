/* window: a query sees `past` keys up to and with its own, and `future` keys behind it.
 *
 *   past 2, n = 4:   x - - -
 *                    x x - -
 *                    - x x -
 *                    - - x x
 * Source: Beltagy et al. 2020, section 3.1; that the size counts the query itself, as in Gemma
 * (google-deepmind/gemma gm/nn/_modules.py) and gpt-oss (openai/gpt-oss model.py). */
#include "mask/mask.h"

enum { PAST, FUTURE };
static const struct option options[] = {
    {.key = "past", .type = OPTION_INT, .min = 1, .max = 1 << 20, .fallback = "128", .unit = "keys",
     .help = "keys up to the query, its own counted"},
    {.key = "future", .type = OPTION_INT, .min = 0, .max = 1 << 20, .fallback = "0", .unit = "keys",
     .help = "keys behind the query"},
    {.key = NULL},
};

static bool past(const struct kind_config *c)
{
    return c->number[FUTURE] == 0;
}

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    int step = mask_step(l, relation);
    return step > -c->number[PAST] && step <= c->number[FUTURE];
}

const struct mask mask_window = {
    .name = "window",
    .formula = "i - past < j <= i + future",
    .summary = "a query sees the keys near it",
    .citation = "Beltagy et al. 2020, section 3.1",
    .options = options,
    .axes_min = 1,
    .axes_max = 1,
    .by_distance = true,
    .past = past,
    .sees = sees,
};

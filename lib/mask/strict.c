/* strict: a query sees the keys before it, not its own.  The first query sees nothing: its output is 0.
 * Source: as in linear recurrences that read their state before they write it. */
#include "mask/mask.h"

static bool past(const struct kind_config *c)
{
    return true;
}

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    return mask_step(l, relation) < 0;
}

const struct mask mask_strict = {
    .name = "strict",
    .formula = "j < i",
    .summary = "a query sees the keys before it, not its own; the first sees none",
    .citation = "-",
    .axes_min = 1,
    .axes_max = 2,
    .past = past,
    .sees = sees,
};

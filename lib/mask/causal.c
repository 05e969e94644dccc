/* causal: a query sees its own key and those before it.
 * Source: Vaswani et al. 2017, section 3.2.3.  On a grid positions are in row-major order. */
#include "mask/mask.h"

static bool past(const struct kind_config *c)
{
    return true;
}

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    return mask_step(l, relation) <= 0;
}

const struct mask mask_causal = {
    .name = "causal",
    .formula = "j <= i",
    .summary = "a query sees keys j <= i only",
    .citation = "Vaswani et al. 2017, section 3.2.3",
    .axes_min = 1,
    .axes_max = 2,
    .past = past,
    .sees = sees,
};

/* none: every query sees every key, its own and what stands before and behind it. */
#include "mask/mask.h"

const struct mask mask_none = {
    .name = "none",
    .formula = "all j",
    .summary = "every query sees every key",
    .citation = "-",
    .axes_min = 0,
    .axes_max = 2,
};

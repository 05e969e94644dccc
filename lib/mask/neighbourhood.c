/* neighbourhood: on a grid a query sees the cells at most dy rows and dx columns from its own.
 * Source: Ramachandran et al. 2019, section 3.1; Hassani et al. 2023 has the same but at the borders,
 * where its windows are moved inwards. */
#include <stdlib.h>

#include "mask/mask.h"

enum { DY, DX };
static const struct option options[] = {
    {.key = "dy", .type = OPTION_INT, .min = 0, .max = 1 << 20, .fallback = "1", .unit = "rows",
     .help = "rows above and below the query's"},
    {.key = "dx", .type = OPTION_INT, .min = 0, .max = 1 << 20, .fallback = "1",
     .unit = "columns", .help = "columns beside the query's"},
    {.key = NULL},
};

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    return abs(l->offset[relation * 2]) <= c->number[DY] &&
           abs(l->offset[relation * 2 + 1]) <= c->number[DX];
}

const struct mask mask_neighbourhood = {
    .name = "neighbourhood",
    .formula = "|row_j - row_i| <= dy and |column_j - column_i| <= dx",
    .summary = "on a grid a query sees the cells around it",
    .citation = "Ramachandran et al. 2019, section 3.1",
    .options = options,
    .axes_min = 2,
    .axes_max = 2,
    .sees = sees,
};

/* hops: on a graph a query sees the nodes at most `hops` edges away, itself with it.  hops: 1 is
 * message passing with self-loops.
 * Source: Velickovic et al. 2018, section 2.1 (hops: 1). */
#include "mask/mask.h"

enum { HOPS };
static const struct option options[] = {
    {.key = "hops", .type = OPTION_INT, .min = 0, .max = 1 << 20, .fallback = "1",
     .unit = "edges", .help = "length of the longest path to a node that is seen"},
    {.key = NULL},
};

static bool sees(const struct kind_config *c, const struct layout *l, int relation)
{
    return l->distance[relation] >= 0 && l->distance[relation] <= c->number[HOPS];
}

const struct mask mask_hops = {
    .name = "hops",
    .formula = "path from i to j of at most `hops` edges",
    .summary = "on a graph a query sees the nodes near it",
    .citation = "Velickovic et al. 2018, section 2.1",
    .options = options,
    .axes_min = 0,
    .axes_max = 0,
    .sees = sees,
};

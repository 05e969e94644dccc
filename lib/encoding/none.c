/* none: B = 0.  Attention sees a multiset; with no mask the network commutes with permutations.
 *
 *   B_ij, n = 4:   0 0 0 0
 *                  0 0 0 0
 *                  0 0 0 0
 *                  0 0 0 0 */
#include "encoding/parts.h"

const struct encoding encoding_none = {
    .name = "none",
    .formula = "B = 0",
    .summary = "no positional encoding",
    .citation = "-",
    .relation_text = "one for all pairs",
    .longer = "any length",
    .axes_min = 0, .axes_max = 2,
    .scattered = true,
    .facts = encoding_facts_plain,
    .relation = encoding_relation_one,
};

/* toeplitz: B_ij = b[h, relation(i,j)], one free number per head and offset.
 * Source: Luo et al. 2022, section 2; formula read in the URPE code,
 * transformer_sentence_encoder.py.  On a grid the relation is (dy,dx), as in Swin (Liu et al. 2021,
 * eq. 4); on a graph it is the distance, as in Graphormer (Ying et al. 2021, eq. 6).
 *
 *   relation, n = 4:   3 4 5 6
 *                      2 3 4 5
 *                      1 2 3 4
 *                      0 1 2 3 */
#include "encoding/parts.h"

enum { STD };

static const struct option options[] = {
    [STD] = {.key = "std", .type = OPTION_REAL, .min = 0, .max = 1000, .fallback = "0.02",
             .help = "standard deviation of the table's start", .quiet = true},
    {.key = NULL},
};

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[0] = encoding_normal("bias", ENCODING_TABLE, s->heads, s->trained->relations,
                             c->number[STD]);
    out[0].tensor.table = true;
    return 1;
}

static void prepare(const struct encoding_context *c, real *state)
{
    encoding_fill_table(c, c->parameter[0], state);
}

static void prepare_backward(const struct encoding_context *c)
{
    encoding_fill_table_backward(c, c->gradient[0]);
}

const struct encoding encoding_toeplitz = {
    .name = "toeplitz",
    .formula = "B = b[h, j-i], b [H,2n-1] ~ N(0, std^2)",
    .options = options,
    .summary = "a free number for each head and offset",
    .citation = "Luo et al. 2022, section 2",
    .relation_text = "offset, clipped to the trained table",
    .longer = "clips the offset to the trained table",
    .axes_min = 0, .axes_max = 2,
    .scattered = true,
    .facts = encoding_facts_bias,
    .tensors = tensors,
    .state_size = encoding_state_bias,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
};

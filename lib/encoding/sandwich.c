/* sandwich: the inner product of two sinusoidal positions, as a fixed bias.
 *     B_ij = (sum_{k=1}^{D/2} cos((j-i) / 10000^(2k/D)) - D/2) / (8h/H),  h = 1..H
 * Source: Chi et al. 2023 (Sandwich); formula read in NeMo,
 * sandwich_relative_position_embedding.py.
 *
 *   -10^4 B_ij, D = 4, h/H = 1/8, n = 4:   0.0 0.5 2.0 4.5
 *                                          0.5 0.0 0.5 2.0
 *                                          2.0 0.5 0.0 0.5
 *                                          4.5 2.0 0.5 0.0 */
#include <math.h>

#include "encoding/parts.h"

enum { DIMENSION };
static const struct option options[] = {
    {.key = "dimension", .type = OPTION_INT, .min = 0, .max = 65536, .fallback = "0",
     .help = "D, channels of the sinusoids (even); 0: the head width"},
    {.key = NULL},
};

static int dimension(const struct kind_config *c, const struct encoding_shape *s)
{
    return c->number[DIMENSION] > 0 ? (int)c->number[DIMENSION] : s->head_width;
}

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    int d = dimension(c, s);
    if (d % 2 == 0)
        return 0;
    return err_set(e, ERR_USAGE, "model.encoding.dimension",
                   "sandwich adds D/2 cosines and needs an even D, not %d; set "
                   "model.encoding.dimension, or choose an even head width",
                   d);
}

static void prepare(const struct encoding_context *c, real *state)
{
    int relations = c->layout->relations, heads = c->shape->heads;
    int d = dimension(c->config, c->shape);
    for (int r = 0; r < relations; r++) {
        double x = c->layout->distance[r], sum = 0;
        for (int k = 1; k <= d / 2; k++) {
            double half = sin(x * encoding_frequency(10000, k, d) / 2);
            sum -= 2 * half * half; /* cos - 1 without cancellation */
        }
        for (int h = 0; h < heads; h++)
            state[(size_t)h * (size_t)relations + (size_t)r] =
                (real)(sum * heads / (8.0 * (h + 1)));
    }
}

const struct encoding encoding_sandwich = {
    .name = "sandwich",
    .formula = "B = (sum_{k=1}^{D/2} cos((j-i) / 10000^(2k/D)) - D/2) / (8h/H)",
    .summary = "inner products of sinusoidal positions as a fixed bias",
    .citation = "Chi et al. 2023 (Sandwich)",
    .relation_text = "distance",
    .longer = "any length",
    .options = options,
    .axes_min = 1, .axes_max = 1,
    .scattered = true,
    .check = check,
    .facts = encoding_facts_bias,
    .relation = encoding_relation_distance,
    .state_size = encoding_state_bias,
    .prepare = prepare,
};

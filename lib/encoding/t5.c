/* t5: B_ij = table[h, bucket(j-i)]; near offsets have a bucket each, far ones share logarithmically
 * growing buckets, and beyond max_distance there is one.
 * Source: Raffel et al. 2020, section 2.1; formula read in HF transformers, modeling_t5.py.
 *
 *   bucket, n = 4, 32 buckets:   0 17 18 19       causal:   0 - - -
 *                                1  0 17 18                 1 0 - -
 *                                2  1  0 17                 2 1 0 -
 *                                3  2  1  0                 3 2 1 0 */
#include <math.h>

#include "encoding/parts.h"

enum { BUCKETS, MAX_DISTANCE };
static const struct option options[] = {
    {.key = "buckets", .type = OPTION_INT, .min = 4, .max = 4096, .fallback = "32",
     .help = "rows of the table; without a causal mask half of them for each side"},
    {.key = "max_distance", .type = OPTION_INT, .min = 2, .max = 1048576, .fallback = "128",
     .unit = "tokens", .help = "distance from which on all offsets share the last bucket"},
    {.key = NULL},
};

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    double exact = floor(s->past ? c->number[BUCKETS] / 2 : floor(c->number[BUCKETS] / 2) / 2);
    if (c->number[MAX_DISTANCE] > exact)
        return 0;
    return err_set(e, ERR_USAGE, "model.encoding.max_distance",
                   "with %.0f buckets the first %.0f distances have a bucket each; max_distance "
                   "must be larger than that",
                   c->number[BUCKETS], exact);
}

static int bucket(const struct encoding_context *c, int r)
{
    return encoding_bucket(c->layout->offset[r], c->shape->past, (int)c->config->number[BUCKETS],
                           (int)c->config->number[MAX_DISTANCE]);
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[0] = encoding_normal("bias", ENCODING_TABLE, s->heads, (int)c->number[BUCKETS],
                             1 / sqrt(s->width));
    out[0].tensor.table = true;
    return 1;
}

static int64_t relation(const struct encoding_context *c, int i, int j)
{
    return bucket(c, layout_relation(c->layout, i, j));
}

static void prepare(const struct encoding_context *c, real *state)
{
    size_t relations = (size_t)c->layout->relations, rows = (size_t)c->config->number[BUCKETS];
    for (size_t r = 0; r < relations; r++) {
        size_t row = (size_t)bucket(c, (int)r);
        for (size_t h = 0; h < (size_t)c->shape->heads; h++)
            state[h * relations + r] = c->parameter[0][h * rows + row];
    }
}

static void prepare_backward(const struct encoding_context *c)
{
    size_t relations = (size_t)c->layout->relations, rows = (size_t)c->config->number[BUCKETS];
    for (size_t r = 0; r < relations; r++) {
        size_t row = (size_t)bucket(c, (int)r);
        for (size_t h = 0; h < (size_t)c->shape->heads; h++)
            c->gradient[0][h * rows + row] += c->dstate[h * relations + r];
    }
}

const struct encoding encoding_t5 = {
    .name = "t5",
    .formula = "B = table[h, bucket(j-i)], table [H,32] ~ N(0,d^-1/2)",
    .summary = "a number for each head and bucket of offsets",
    .citation = "Raffel et al. 2020, section 2.1",
    .relation_text = "bucket of the offset",
    .longer = "any length: far offsets share a bucket",
    .options = options,
    .axes_min = 1, .axes_max = 1,
    .scattered = true,
    .check = check,
    .facts = encoding_facts_bias,
    .tensors = tensors,
    .relation = relation,
    .state_size = encoding_state_bias,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
};

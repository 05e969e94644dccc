/* xpos: rope whose pairs also grow in q and shrink in k with the position, so that q_i.k_j decays
 * with the distance i - j >= 0:
 *     q_i pair k times zeta_k^(i/scale_base), k_j pair k times zeta_k^(-j/scale_base),
 *     zeta_k = (2k + .4 d_h) / (1.4 d_h),  scale_base = 512.  Causal only.
 * Source: Sun et al. 2023, algorithm 1; formula read in torchscale,
 * xpos_relative_position.py.
 *
 *   exponent of zeta_k^(1/512) in s_ij, n = 4:   0 - - -
 *                                                1 0 - -
 *                                                2 1 0 -
 *                                                3 2 1 0 */
#include <math.h>

#include "encoding/parts.h"

enum { BASE, SCALE_BASE };
static const struct option options[] = {
    {.key = "base", .type = OPTION_REAL, .min = 1, .max = 1e12, .fallback = "10000",
     .help = "base of the frequencies"},
    {.key = "scale_base", .type = OPTION_REAL, .min = 1, .max = 1e9, .fallback = "512",
     .unit = "tokens", .help = "distance over which a pair decays by its zeta"},
    {.key = NULL},
};

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    if (s->head_width % 2 == 0)
        return 0;
    return err_set(e, ERR_USAGE, "model.heads",
                   "xpos turns pairs of channels and needs an even head width, not %d; change "
                   "model.width or model.heads",
                   s->head_width);
}

enum side { QUERY, KEY };
static struct rotation rotation(const struct encoding_context *c, enum side side)
{
    int pairs = c->shape->head_width / 2;
    return (struct rotation){
        .pairs = pairs, .axes = 1, .row = 4 * pairs, .at = side == KEY ? 2 * pairs : 0};
}

/* state (n, 2, 2, pairs): cosines and sines for q, then for k, with the growth multiplied in. */
static size_t state_size(const struct encoding_context *c)
{
    return (size_t)c->layout->n * (size_t)rotation(c, QUERY).row;
}

static void prepare(const struct encoding_context *c, real *state)
{
    struct rotation r = rotation(c, QUERY);
    double base = c->config->number[BASE], width = c->shape->head_width;
    for (int p = 0; p < c->layout->n; p++) {
        real *row = state + (size_t)p * (size_t)r.row;
        encoding_rotation_row(&r, base, p, row);
        encoding_rotation_row(&r, base, p, row + 2 * r.pairs);
        for (int k = 0; k < r.pairs; k++) {
            double zeta = (2 * k + 0.4 * width) / (1.4 * width);
            double growth = pow(zeta, p / c->config->number[SCALE_BASE]);
            for (int part = 0; part < 2; part++) {
                real *query = row + part * r.pairs + k, *key = query + 2 * r.pairs;
                *query = (real)((double)*query * growth);
                *key = (real)((double)*key / growth);
            }
        }
    }
}

static void query_key(const struct encoding_context *c, real *q, real *k, int stride)
{
    struct rotation query = rotation(c, QUERY), key = rotation(c, KEY);
    encoding_rotate(c, &query, 1, q, stride);
    encoding_rotate(c, &key, 1, k, stride);
}

static void query_key_backward(const struct encoding_context *c, real *dq, real *dk, int stride)
{
    struct rotation query = rotation(c, QUERY), key = rotation(c, KEY);
    encoding_rotate(c, &query, -1, dq, stride);
    encoding_rotate(c, &key, -1, dk, stride);
}

const struct encoding encoding_xpos = {
    .name = "xpos",
    .formula = "rope with q_i x zeta_k^(i/512), k_j x zeta_k^(-j/512), "
               "zeta_k = (2k+.4 d_h)/(1.4 d_h)",
    .summary = "rotary positions that decay with the distance",
    .citation = "Sun et al. 2023, algorithm 1",
    .relation_text = "offset",
    .longer = "any length",
    .options = options,
    .past_only = true,
    .axes_min = 1, .axes_max = 1,
    .check = check,
    .facts = encoding_facts_plain,
    .relation = encoding_relation_offset,
    .state_size = state_size,
    .prepare = prepare,
    .query_key = query_key,
    .query_key_backward = query_key_backward,
};

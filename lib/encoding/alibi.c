/* alibi: B_ij = -m_h |j-i|, with slopes m_h that fall geometrically over the heads.
 * Source: Press et al. 2022, section 3; formula, also for head counts that are no power of two,
 * read in the authors' fairseq/models/transformer.py.  H = 2^a: m_h = 2^(-8h/H), h = 1..H; else
 * the slopes of P = 2^floor(log2 H) heads, then the first H-P of 2^(-4(2t-1)/P), t = 1,2,...
 *
 *   -B_ij / m_h, n = 4:   0 1 2 3     On a grid or graph |j-i| is the layout's distance;
 *                         1 0 1 2     unreachable counts as 1 + the largest trained distance.
 *                         2 1 0 1
 *                         3 2 1 0 */
#include <math.h>

#include "encoding/parts.h"

enum { SLOPES };
enum { SLOPES_FIXED, SLOPES_LEARNED };
static const char *const slopes_names[] = {"fixed", "learned", NULL};
static const struct option options[] = {
    {.key = "slopes", .type = OPTION_CHOICE, .fallback = "fixed", .names = slopes_names,
     .help = "learned: the slopes are parameters that start at the fixed values"},
    {.key = NULL},
};

static bool learned(const struct kind_config *c)
{
    return (int)c->number[SLOPES] == SLOPES_LEARNED;
}

static double fixed_slope(int head, int heads)
{
    int power = 1;
    while (power <= heads / 2)
        power *= 2;
    if (head < power)
        return pow(2, -8.0 * (head + 1) / power);
    return pow(2, -4.0 * (2 * (head - power) + 1) / power);
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    if (!learned(c))
        return 0;
    out[0] = (struct encoding_tensor){
        .scope = ENCODING_TABLE,
        .tensor = {.name = "slope", .rank = 1, .shape = {s->heads}, .init = TENSOR_CONSTANT}};
    return 1;
}

static void initial(const struct kind_config *c, const struct encoding_shape *s, int tensor,
                    real *value)
{
    for (int h = 0; h < s->heads; h++)
        value[h] = (real)fixed_slope(h, s->heads);
}

/* Weights are powers of e^-slope, so floors compare polynomials in it. */
static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_bias(c, s, out);
    out->powers = true;
}

static void prepare(const struct encoding_context *c, real *state)
{
    int relations = c->layout->relations, heads = c->shape->heads;
    for (int h = 0; h < heads; h++) {
        double slope = learned(c->config) ? (double)c->parameter[0][h] : fixed_slope(h, heads);
        for (int r = 0; r < relations; r++)
            state[(size_t)h * (size_t)relations + (size_t)r] =
                (real)(-slope * encoding_distance(c, r));
    }
}

static void prepare_backward(const struct encoding_context *c)
{
    if (!learned(c->config))
        return;
    int relations = c->layout->relations;
    for (int h = 0; h < c->shape->heads; h++) {
        double sum = 0;
        for (int r = 0; r < relations; r++)
            sum -= encoding_distance(c, r) *
                   (double)c->dstate[(size_t)h * (size_t)relations + (size_t)r];
        c->gradient[0][h] += (real)sum;
    }
}

const struct encoding encoding_alibi = {
    .name = "alibi",
    .formula = "B = -m_h |j-i|, m_h = 2^(-8h/H)",
    .summary = "a linear distance penalty, steeper in some heads",
    .citation = "Press et al. 2022, section 3",
    .relation_text = "distance",
    .longer = "any length",
    .options = options,
    .axes_min = 0, .axes_max = 2,
    .scattered = true,
    .facts = facts,
    .tensors = tensors,
    .initial = initial,
    .relation = encoding_relation_distance,
    .state_size = encoding_state_bias,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
};

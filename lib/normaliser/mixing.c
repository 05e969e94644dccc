/* Normalisers that mix heads: talking-heads and differential.
 *
 * talking-heads: logits of all heads are mixed before the softmax and weights after it, by learned
 * matrices A and W (H,H) of the layer, identities at the start:
 *     l^k = sum_h A_kh scale q^h.k^h (+ B^k),  a^k = softmax(l^k),  p^m = sum_k W_mk a^k
 * Source: Shazeer et al. 2020, Talking-Heads Attention.
 *
 * differential: neighbouring heads 2h, 2h+1 are a pair, whose weights are the difference of their
 * softmaxes, for the values of both:
 *     p = a^2h - lambda a^2h+1,
 *     lambda = exp(l_q1.l_k1) - exp(l_q2.l_k2) + lambda_0,  lambda_0 = 0.8 - 0.6 exp(-0.3 layer)
 * with vectors l of the layer, N(0, 0.1^2) at the start.  norm: the published model's RMSNorm on what each
 * pair gives, o of both heads together, with one gain for all pairs, ones at the start,
 *     o := (1 - lambda_0) gain o / sqrt(mean o^2 + 1e-5)
 * which cannot tell apart what the weights do not.  Behind it C, if any, is no factor of o any more.
 * Source: Ye et al. 2024, Differential Transformer, eq. 1-2; microsoft/unilm Diff-Transformer. */
#include <math.h>
#include <string.h>

#include "normaliser/parts.h"

/* ---- talking heads ----------------------------------------------------------------------------*/
enum { TALK_LOGITS, TALK_WEIGHTS };

static int talking_group(const struct kind_config *c, const struct normaliser_shape *s)
{
    return s->heads;
}

static int talking_tensors(const struct kind_config *c, const struct normaliser_shape *s,
                           struct tensor *out)
{
    for (int k = 0; k < 2; k++)
        out[k] = (struct tensor){.rank = 2, .shape = {s->heads, s->heads}, .init = TENSOR_CONSTANT};
    strcpy(out[TALK_LOGITS].name, "mix_logits");
    strcpy(out[TALK_WEIGHTS].name, "mix_weights");
    return 2;
}

static void talking_initial(const struct normaliser_shape *s, int tensor, int layer, real *value)
{
    for (int h = 0; h < s->heads; h++)
        value[h * s->heads + h] = 1;
}

static int tensor_of(bool before)
{
    return before ? TALK_LOGITS : TALK_WEIGHTS;
}

static bool talking_mix(const struct normaliser_context *c, int first_head, bool before,
                        real *matrix)
{
    size_t count = (size_t)c->shape->heads * (size_t)c->shape->heads;
    memcpy(matrix, c->parameter[tensor_of(before)], count * sizeof *matrix);
    return true;
}

static void talking_mix_backward(const struct normaliser_context *c, int first_head, bool before,
                                 const real *dmatrix)
{
    int count = c->shape->heads * c->shape->heads;
    for (int k = 0; k < count; k++)
        c->gradient[tensor_of(before)][k] += dmatrix[k];
}

/* Row sums are those of W, the same for every query. */
const struct normaliser normaliser_talking_heads = {
    .name = "talking-heads",
    .formula = "p^m = sum_k W_mk softmax(sum_h A_kh s^h)",
    .summary = "heads mix their logits and their weights",
    .citation = "Shazeer et al. 2020",
    .facts = normaliser_facts_softmax,
    .tensors = talking_tensors,
    .initial = talking_initial,
    .group = talking_group,
    .mix = talking_mix,
    .mix_backward = talking_mix_backward,
};

/* ---- differential -----------------------------------------------------------------------------*/
enum { Q1, K1, Q2, K2, VECTORS, GAIN = VECTORS };
enum { NORM };
static const double norm_epsilon = 1e-5;
static const struct option pair_options[] = {
    {.key = "norm", .type = OPTION_BOOL, .fallback = "false", .quiet = true,
     .help = "RMSNorm on what each pair of heads gives, as published"},
    {.key = NULL},
};

static bool pair_has_norm(const struct kind_config *c)
{
    return c->number[NORM] != 0;
}

static int pair_group(const struct kind_config *c, const struct normaliser_shape *s)
{
    return 2;
}

static int pair_check(const struct kind_config *c, const struct normaliser_shape *s, struct err *e)
{
    if (s->heads % 2)
        return err_set(e, ERR_USAGE, "model.heads",
                       "differential attention pairs its heads; expected an even number, not %d",
                       s->heads);
    return 0;
}

static int pair_tensors(const struct kind_config *c, const struct normaliser_shape *s,
                        struct tensor *out)
{
    static const char *const name[VECTORS] = {"lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"};
    for (int k = 0; k < VECTORS; k++) {
        out[k] = (struct tensor){.rank = 1, .shape = {s->head_width}, .init = TENSOR_NORMAL,
                                 .deviation = 0.1};
        strcpy(out[k].name, name[k]);
    }
    out[GAIN] = (struct tensor){.name = "gain", .rank = 1, .shape = {2 * s->head_width},
                                .init = TENSOR_CONSTANT, .mean = 1};
    return pair_has_norm(c) ? VECTORS + 1 : VECTORS;
}

static double product(const struct normaliser_context *c, int a, int b)
{
    return exp(row_dot(c->shape->head_width, c->parameter[a], c->parameter[b]));
}

static bool pair_mix(const struct normaliser_context *c, int first_head, bool before, real *matrix)
{
    if (before)
        return false;
    double lambda = product(c, Q1, K1) - product(c, Q2, K2) + 0.8 - 0.6 * exp(-0.3 * c->layer);
    for (int m = 0; m < 2; m++) {
        matrix[2 * m] = 1;
        matrix[2 * m + 1] = (real)-lambda;
    }
    return true;
}

static void add_product(const struct normaliser_context *c, int a, int b, double factor)
{
    factor *= product(c, a, b);
    for (int k = 0; k < c->shape->head_width; k++) {
        c->gradient[a][k] += (real)factor * c->parameter[b][k];
        c->gradient[b][k] += (real)factor * c->parameter[a][k];
    }
}

static void pair_mix_backward(const struct normaliser_context *c, int first_head, bool before,
                              const real *dmatrix)
{
    double dlambda = -(double)dmatrix[1] - (double)dmatrix[3];
    add_product(c, Q1, K1, dlambda);
    add_product(c, Q2, K2, -dlambda);
}

/* 1 - lambda_0 */
static double pair_share(const struct normaliser_context *c)
{
    return 0.2 + 0.6 * exp(-0.3 * c->layer);
}

static void pair_output(const struct normaliser_context *c, real *o)
{
    rms_vector(2 * c->shape->head_width, norm_epsilon, pair_share(c), c->parameter[GAIN], o);
}

static void pair_output_backward(const struct normaliser_context *c, const real *o, real *dout)
{
    rms_vector_backward(2 * c->shape->head_width, norm_epsilon, pair_share(c), c->parameter[GAIN], o,
                        dout, c->gradient[GAIN]);
}

const struct normaliser normaliser_differential = {
    .name = "differential",
    .formula = "p = softmax(s^2h) - lambda softmax(s^2h+1), for a pair of heads",
    .summary = "the difference of two softmaxes: rows sum to 1 - lambda",
    .citation = "Ye et al. 2024, eq. 1",
    .options = pair_options,
    .check = pair_check,
    .facts = normaliser_facts_softmax,
    .tensors = pair_tensors,
    .group = pair_group,
    .mix = pair_mix,
    .mix_backward = pair_mix_backward,
    .has_output = pair_has_norm,
    .output = pair_output,
    .output_backward = pair_output_backward,
};

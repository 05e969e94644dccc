/* sink and softmax-one: a key of logit sigma, without a value, stands beside the keys of every row.
 *     a_ij = exp(s_ij) / (Z_i + exp(sigma_h)),  Z_i = sum_k exp(s_ik);  softmax-one: sigma = 0
 * No mask hides it, and nothing is added to sigma.  With L_i = log(Z_i + exp(sigma)) the weights are
 * exp(s_ij - L_i), so the keys' backward pass is softmax's with this L_i, and
 *     dsigma_h = -sum_i exp(sigma_h - L_i) do_i . o_i.
 * Source: sink, openai/gpt-oss gpt_oss/torch/model.py, sdpa; softmax-one, Miller 2023, and
 * StreamingLLM (Xiao et al. 2024), section 3.3, where it is a key and a value of zeros. */
#include <math.h>

#include "normaliser/parts.h"

enum { MEAN, STD };
static const struct option options[] = {
    {.key = "mean", .type = OPTION_REAL, .min = -100, .max = 100, .fallback = "0",
     .help = "mean of the sink logits' start"},
    {.key = "std", .type = OPTION_REAL, .min = 0, .max = 100, .fallback = "0.02",
     .help = "standard deviation of the sink logits' start"},
    {.key = NULL},
};

static int tensors(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out)
{
    out[0] = (struct tensor){.name = "sink", .rank = 1, .shape = {s->heads}, .init = TENSOR_NORMAL,
                             .mean = c->number[MEAN], .deviation = c->number[STD]};
    return 1;
}

static void make_room(real sigma, const struct normaliser_context *c,
                      const struct normaliser_beside *b)
{
    for (int i = 0; i < b->rows; i++) {
        real share = share_beside(sigma, &b->lse[i]);
        for (int k = 0; k < c->shape->head_width; k++)
            b->o[(ptrdiff_t)i * b->output_stride + k] *= share;
    }
}

static void beside(const struct normaliser_context *c, const struct normaliser_beside *b)
{
    make_room(c->parameter[0][b->head], c, b);
}

static void beside_backward(const struct normaliser_context *c, const struct normaliser_beside *b)
{
    real sigma = c->parameter[0][b->head];
    double sum = 0;
    for (int i = 0; i < b->rows; i++) {
        ptrdiff_t at = (ptrdiff_t)i * b->output_stride;
        sum += (double)REAL_MATH(exp)(sigma - b->lse[i]) *
               row_dot(c->shape->head_width, b->dout + at, b->o + at);
    }
    c->gradient[0][b->head] -= (real)sum;
}

static void beside_one(const struct normaliser_context *c, const struct normaliser_beside *b)
{
    make_room(0, c, b);
}

const struct normaliser normaliser_sink = {
    .name = "sink",
    .formula = "a_ij = e^s_ij / (e^sigma_h + sum_k e^s_ik)",
    .summary = "a learned logit per head in the denominator",
    .citation = "openai/gpt-oss, model.py; OpenAI 2025, section 2",
    .options = options,
    .facts = normaliser_facts_number,
    .tensors = tensors,
    .beside = beside,
    .beside_backward = beside_backward,
};

const struct normaliser normaliser_softmax_one = {
    .name = "softmax-one",
    .formula = "a_ij = e^s_ij / (1 + sum_k e^s_ik)",
    .summary = "softmax off by one: rows sum to less than 1",
    .citation = "Miller 2023, Attention Is Off By One",
    .facts = normaliser_facts_number,
    .beside = beside_one,
};

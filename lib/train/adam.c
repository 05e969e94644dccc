/* Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019): the same moments, the decay
 * inside the gradient or apart from it. */
#include <math.h>

#include "kernel/kernel.h"
#include "train/optimizer.h"

enum { BETA1, BETA2, EPSILON, WEIGHT_DECAY };

#define MOMENT_ROWS                                                                                \
    {.key = "beta1", .type = OPTION_REAL, .min = 0, .max = 0.9999, .fallback = "0.9",              \
     .help = "decay of the mean of gradients"},                                                    \
    {.key = "beta2", .type = OPTION_REAL, .min = 0, .max = 0.99999, .fallback = "0.999",           \
     .help = "decay of the mean of squared gradients"},                                            \
    {.key = "epsilon", .type = OPTION_REAL, .min = 1e-30, .max = 1, .fallback = "1e-8",            \
     .help = "added to the root of the second moment"}

static const struct option adam_options[] = {
    MOMENT_ROWS,
    {.key = "weight_decay", .type = OPTION_REAL, .min = 0, .max = 1, .fallback = "0",
     .help = "L2 penalty, added to the gradient of matrices"},
    {.key = NULL}};

static const struct option adamw_options[] = {
    MOMENT_ROWS,
    {.key = "weight_decay", .type = OPTION_REAL, .min = 0, .max = 1, .fallback = "0.01",
     .help = "shrinkage of matrices by rate x this, apart from the gradient"},
    {.key = NULL}};

static void update(const struct kind_config *c, int64_t step, double rate, double clip, double l2,
                   double decay, const struct optimizer_piece *piece)
{
    struct adam_step s = {.rate = (real)rate,
                          .beta1 = (real)c->number[BETA1],
                          .beta2 = (real)c->number[BETA2],
                          .epsilon = (real)c->number[EPSILON],
                          .correction1 = (real)(1 - pow(c->number[BETA1], (double)step)),
                          .correction2 = (real)(1 - pow(c->number[BETA2], (double)step)),
                          .decay = (real)decay,
                          .l2 = (real)l2,
                          .clip = (real)clip};
    kernel()->adam_update(piece->count, &s, piece->gradient, piece->p, piece->m, piece->v);
}

static void adam(const struct kind_config *c, int64_t step, double rate, double clip,
                 const struct optimizer_piece *piece)
{
    update(c, step, rate, clip, piece->decay ? c->number[WEIGHT_DECAY] : 0, 0, piece);
}

static void adamw(const struct kind_config *c, int64_t step, double rate, double clip,
                  const struct optimizer_piece *piece)
{
    update(c, step, rate, clip, 0, piece->decay ? c->number[WEIGHT_DECAY] : 0, piece);
}

const struct optimizer optimizer_adam = {
    .name = "adam", .summary = "adaptive moments; weight decay as L2",
    .citation = "Kingma and Ba 2015, arXiv 1412.6980", .options = adam_options, .update = adam};
const struct optimizer optimizer_adamw = {
    .name = "adamw", .summary = "adaptive moments; decoupled weight decay",
    .citation = "Loshchilov and Hutter 2019, arXiv 1711.05101", .options = adamw_options,
    .update = adamw};

/* The rows of sections `train` and `evaluate`.  Invariant: the order
 * of the names of a choice is the order of its enum. */
#include <stddef.h>

#include "train/train.h"

/* ---- train ------------------------------------------------------------------------------------*/

static const char *const decay_names[] = {
    [TRAIN_DECAY_NONE] = "none", [TRAIN_DECAY_LINEAR] = "linear", [TRAIN_DECAY_COSINE] = "cosine",
    NULL};

/* Left out of a cell's id where there is no curriculum, so that ids made before it stay. */
static bool trains_by_length(const void *owner)
{
    const struct train_config *c = owner;
    return c->lengths.count > 0 || c->length_shares.count > 0;
}

/* Likewise. */
static bool rates_c(const void *owner)
{
    return ((const struct train_config *)owner)->c_lr > 0;
}

static const char *const polish_names[] = {
    [TRAIN_POLISH_NONE] = "none", [TRAIN_POLISH_BFGS] = "bfgs", NULL};

/* Left out of a cell's id where nothing is polished, so that ids made before it stay. */
static bool polishes(const void *owner)
{
    return ((const struct train_config *)owner)->polish != TRAIN_POLISH_NONE;
}

#define TRAIN(name) offsetof(struct train_config, name)

const struct option train_options[] = {
    {.key = "steps", .type = OPTION_INT, .offset = TRAIN(steps), .min = 0, .max = 1e9,
     .fallback = "2000", .unit = "steps", .help = "0: evaluate and export the initial weights"},
    {.key = "batch", .type = OPTION_INT, .offset = TRAIN(batch), .min = 1, .max = 65536,
     .fallback = "32", .unit = "samples", .help = "samples of a step"},
    {.key = "optimizer", .type = OPTION_KIND, .offset = TRAIN(optimizer), .fallback = "adam",
     .kinds = &optimizer_kinds, .unit = "", .help = "rule that updates the weights"},
    {.key = "lr", .type = OPTION_REAL, .offset = TRAIN(lr), .min = 0, .max = 1,
     .fallback = "0.003", .unit = "", .help = "peak learning rate"},
    {.key = "table_lr", .type = OPTION_REAL, .offset = TRAIN(table_lr), .min = 0, .max = 10000,
     .fallback = "1", .unit = "", .help = "factor on lr for the B and C tables"},
    {.key = "c_lr", .type = OPTION_REAL, .offset = TRAIN(c_lr), .min = 0, .max = 10000,
     .fallback = "0", .unit = "", .applies = rates_c,
     .help = "factor on lr for C alone; 0: table_lr's"},
    {.key = "warmup", .type = OPTION_INT, .offset = TRAIN(warmup), .min = 0, .max = 1e9,
     .fallback = "100", .unit = "steps", .help = "linear rise of the rate; may exceed steps"},
    {.key = "decay", .type = OPTION_CHOICE, .offset = TRAIN(decay), .fallback = "linear",
     .names = decay_names, .unit = "", .help = "fall of the rate from warmup to the last step"},
    {.key = "clip", .type = OPTION_REAL, .offset = TRAIN(clip), .min = 0, .max = 1e9,
     .fallback = "0", .unit = "", .help = "largest global gradient norm; 0: no clipping"},
    {.key = "lengths", .type = OPTION_INT_LIST, .offset = TRAIN(lengths), .min = 1, .max = 65536,
     .fallback = "", .unit = "tokens", .applies = trains_by_length,
     .help = "curriculum: lengths trained in turn, tokens a step held constant; longer than "
             "space.length: left out; the last one counts as space.length; empty: that alone"},
    {.key = "length_shares", .type = OPTION_INT_LIST, .offset = TRAIN(length_shares), .min = 1,
     .max = 1e9, .fallback = "", .unit = "", .applies = trains_by_length,
     .help = "parts of the steps for each of train.lengths, in any unit; empty: equal parts"},
    {.key = "polish.method", .type = OPTION_CHOICE, .offset = TRAIN(polish), .fallback = "none",
     .names = polish_names, .unit = "", .applies = polishes,
     .help = "after the last step: bfgs, descent on a fixed set (small models)"},
    {.key = "polish.steps", .type = OPTION_INT, .offset = TRAIN(polish_steps), .min = 1,
     .max = 1e6, .fallback = "200", .unit = "steps", .applies = polishes,
     .help = "of the descent, at most"},
    {.key = "polish.samples", .type = OPTION_INT, .offset = TRAIN(polish_samples), .min = 1,
     .max = 1e6, .fallback = "512", .unit = "samples", .applies = polishes,
     .help = "of the fixed set; rounded up to whole batches"},
    {.key = NULL}};

/* ---- evaluate ---------------------------------------------------------------------------------*/

/* Left out of a cell's id where nothing is searched, so that ids made before it stay. */
static bool searches(const void *owner)
{
    const struct evaluate_config *c = owner;
    return c->adversary_starts > 0;
}

static const char *const witness_names[] = {"auto", "always", "never", NULL};

#define EVALUATE(name) offsetof(struct evaluate_config, name)

const struct option evaluate_options[] = {
    {.key = "samples", .type = OPTION_INT, .offset = EVALUATE(samples), .min = 1, .max = 1e7,
     .fallback = "2048", .unit = "samples", .help = "size of the evaluation set, before orbits"},
    {.key = "orbit", .type = OPTION_CHOICE, .offset = EVALUATE(orbit), .fallback = "none",
     .names = orbit_names, .unit = "", .help = "images of each sample that the set also holds"},
    {.key = "every", .type = OPTION_INT, .offset = EVALUATE(every), .min = 1, .max = 1e9,
     .fallback = "200", .unit = "steps", .help = "steps between points of the training curve"},
    {.key = "lengths", .type = OPTION_INT_LIST, .offset = EVALUATE(lengths), .min = 1,
     .max = 65536, .fallback = "", .unit = "tokens",
     .help = "lengths evaluated besides space.length, which always is"},
    {.key = "tolerance", .type = OPTION_REAL, .offset = EVALUATE(tolerance), .min = 0, .max = 1,
     .fallback = "0.1", .unit = "", .help = "on error_rel, or on 1 - accuracy for token targets"},
    {.key = "witness", .type = OPTION_CHOICE, .offset = EVALUATE(witness), .fallback = "auto",
     .names = witness_names, .unit = "",
     .help = "build and measure explicit weights, where some are known; auto: unless that takes "
             "more work than the training and over 1e11 FLOP"},
    {.key = "adversary.starts", .type = OPTION_INT, .offset = EVALUATE(adversary_starts), .min = 0,
     .max = 100000, .fallback = "0", .unit = "inputs", .applies = searches,
     .help = "inputs from which the largest error is searched for; 0: no search"},
    {.key = "adversary.steps", .type = OPTION_INT, .offset = EVALUATE(adversary_steps), .min = 0,
     .max = 1e9, .fallback = "200", .unit = "steps", .applies = searches,
     .help = "steps of the search from each start"},
    {.key = NULL}};

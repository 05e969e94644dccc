/* The rows of sections `train` and `evaluate`.  Invariant: the order
 * of the names of a choice is the order of its enum. */
#include <stddef.h>

#include "train/train.h"

/* ---- train ------------------------------------------------------------------------------------*/

static const char *const decay_names[] = {
    [TRAIN_DECAY_NONE] = "none", [TRAIN_DECAY_LINEAR] = "linear", [TRAIN_DECAY_COSINE] = "cosine",
    NULL};

static const char *const polish_names[] = {
    [TRAIN_POLISH_NONE] = "none", [TRAIN_POLISH_BFGS] = "bfgs", NULL};

#define TRAIN(name) offsetof(struct train_config, name)

const struct option train_options[] = {
    {.key = "steps", .type = OPTION_INT, .offset = TRAIN(steps), .min = 0, .max = 1e9,
     .fallback = "2000", .unit = "steps", .help = "0: evaluate and export the initial weights"},
    {.key = "batch", .type = OPTION_INT, .offset = TRAIN(batch), .min = 1, .max = 65536,
     .fallback = "32", .unit = "samples", .help = "samples of a step"},
    {.key = "optimizer", .type = OPTION_KIND, .offset = TRAIN(optimizer), .fallback = "adam",
     .kinds = &optimizer_kinds, .help = "rule that updates the weights"},
    {.key = "lr", .type = OPTION_REAL, .offset = TRAIN(lr), .min = 0, .max = 1, .fallback = "0.003",
     .help = "peak learning rate"},
    {.key = "table_lr", .type = OPTION_REAL, .offset = TRAIN(table_lr), .min = 0, .max = 10000,
     .fallback = "1", .help = "factor on lr for the B and C tables"},
    {.key = "c_lr", .type = OPTION_REAL, .offset = TRAIN(c_lr), .min = 0, .max = 10000,
     .fallback = "0", .quiet = true, .help = "factor on lr for C alone; 0: table_lr's"},
    {.key = "warmup", .type = OPTION_INT, .offset = TRAIN(warmup), .min = 0, .max = 1e9,
     .fallback = "100", .unit = "steps", .help = "linear rise of the rate; may exceed steps"},
    {.key = "decay", .type = OPTION_CHOICE, .offset = TRAIN(decay), .fallback = "linear",
     .names = decay_names, .help = "fall of the rate from warmup to the last step"},
    {.key = "clip", .type = OPTION_REAL, .offset = TRAIN(clip), .min = 0, .max = 1e9,
     .fallback = "0", .help = "largest global gradient norm; 0: no clipping"},
    {.key = "lengths", .type = OPTION_INT_LIST, .offset = TRAIN(lengths), .min = 1, .max = 65536,
     .fallback = "", .unit = "tokens", .quiet = true,
     .help = "curriculum: lengths trained in turn, tokens a step held constant; longer than "
             "space.length: left out; the last one counts as space.length; empty: that alone"},
    {.key = "lengths.mixed", .type = OPTION_INT_LIST, .offset = TRAIN(mixed), .min = 1, .max = 65536,
     .fallback = "", .unit = "tokens", .quiet = true,
     .help = "instead: each sample of a step has one of these lengths, drawn uniformly; empty: space.length"},
    {.key = "length_shares", .type = OPTION_INT_LIST, .offset = TRAIN(length_shares), .min = 1,
     .max = 1e9, .fallback = "", .needs = "lengths",
     .help = "parts of the steps for each of train.lengths, in any unit; empty: equal parts"},
    {.key = "polish.method", .type = OPTION_CHOICE, .offset = TRAIN(polish), .fallback = "none",
     .names = polish_names, .quiet = true,
     .help = "after the last step: bfgs, descent on a fixed set (small models)"},
    {.key = "polish.steps", .type = OPTION_INT, .offset = TRAIN(polish_steps), .min = 1,
     .max = 1e6, .fallback = "200", .unit = "steps", .needs = "polish.method",
     .help = "of the descent, at most"},
    {.key = "polish.samples", .type = OPTION_INT, .offset = TRAIN(polish_samples), .min = 1,
     .max = 1e6, .fallback = "512", .unit = "samples", .needs = "polish.method",
     .help = "of the fixed set; rounded up to whole batches"},
    {.key = NULL}};

/* ---- evaluate ---------------------------------------------------------------------------------*/

static const char *const witness_names[] = {"auto", "always", "never", NULL};

#define EVALUATE(name) offsetof(struct evaluate_config, name)

const struct option evaluate_options[] = {
    {.key = "samples", .type = OPTION_INT, .offset = EVALUATE(samples), .min = 1, .max = 1e7,
     .fallback = "2048", .unit = "samples", .help = "size of the evaluation set, before orbits"},
    {.key = "orbit", .type = OPTION_CHOICE, .offset = EVALUATE(orbit), .fallback = "none",
     .names = orbit_names, .help = "images of each sample that the set also holds"},
    {.key = "every", .type = OPTION_INT, .offset = EVALUATE(every), .min = 1, .max = 1e9,
     .fallback = "200", .unit = "steps", .help = "steps between points of the training curve"},
    {.key = "lengths", .type = OPTION_INT_LIST, .offset = EVALUATE(lengths), .min = 1,
     .max = 65536, .fallback = "", .unit = "tokens",
     .help = "lengths evaluated besides space.length, which always is"},
    {.key = "tolerance", .type = OPTION_REAL, .offset = EVALUATE(tolerance), .min = 0, .max = 1,
     .fallback = "0.1", .help = "on error_rel, or on 1 - accuracy for token targets"},
    {.key = "witness", .type = OPTION_CHOICE, .offset = EVALUATE(witness), .fallback = "auto",
     .names = witness_names,
     .help = "build and measure explicit weights, where some are known; auto: unless that takes "
             "more work than the training and over 1e11 FLOP"},
    {.key = "networks", .type = OPTION_INT, .offset = EVALUATE(networks), .min = 0, .max = 1000,
     .fallback = "6", .quiet = true,
     .help = "random networks of the class, at most, to show that it can where the floor is 0; none "
             "where they take more work than the training and over 1e11 FLOP"},
    {.key = "images", .type = OPTION_INT, .offset = EVALUATE(images), .min = 0, .max = 100000,
     .fallback = "16", .unit = "samples", .quiet = true,
     .help = "samples of a set that share what one position can know: of subsets lookahead, where "
             "masks hide what follows, and beyond, where the layers do not reach; 0: none"},
    {.key = "adversary.starts", .type = OPTION_INT, .offset = EVALUATE(adversary_starts), .min = 0,
     .max = 100000, .fallback = "0", .unit = "inputs", .quiet = true,
     .help = "inputs from which the largest error is searched for; 0: no search"},
    {.key = "adversary.steps", .type = OPTION_INT, .offset = EVALUATE(adversary_steps), .min = 0,
     .max = 1e9, .fallback = "200", .unit = "steps", .needs = "adversary.starts",
     .help = "steps of the search from each start"},
    {.key = NULL}};

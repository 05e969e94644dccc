/* The table of optimisers. */
#include "train/optimizer.h"

#include "train/train.h"

const struct optimizer *const optimizer_table[] = {&optimizer_adam, &optimizer_adamw, NULL};

static const char *optimizer_name(int kind)
{
    return optimizer_table[kind]->name;
}

static const struct option *optimizer_options(int kind)
{
    return optimizer_table[kind]->options;
}

const struct kind_table optimizer_kinds = {
    .what = "optimizer",
    .count = (int)(sizeof optimizer_table / sizeof optimizer_table[0]) - 1,
    .name = optimizer_name,
    .options = optimizer_options};

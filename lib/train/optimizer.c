/* The table of optimisers. */
#include "train/optimizer.h"

#include "train/train.h"

const struct optimizer *const optimizer_table[] = {&optimizer_adam, &optimizer_adamw, NULL};

KIND_TABLE(optimizer_kinds, "optimizer", optimizer_table);

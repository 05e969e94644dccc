/* Optimisers: one file each, one line in optimizer_table. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H
#include "base/option.h"
#include "base/real.h"

/* One run of neighbouring parameters of a like kind. */
struct optimizer_piece {
    size_t count;
    const real *gradient;
    real *p, *m, *v;
    bool decay;
};

struct optimizer {
    const char *name, *summary, *citation;
    const struct option *options;
    /* Updates p, m, v.  step: number of this update, from 1; rate: learning rate of the piece;
     * clip: factor on the gradient. */
    void (*update)(const struct kind_config *c, int64_t step, double rate, double clip,
                   const struct optimizer_piece *piece);
};
extern const struct optimizer optimizer_adam, optimizer_adamw;
extern const struct optimizer *const optimizer_table[]; /* NULL-terminated */

#endif

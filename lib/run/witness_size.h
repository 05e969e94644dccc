/* What measuring a task's witness takes, known before anything is trained. */
#ifndef RUN_WITNESS_SIZE_H
#define RUN_WITNESS_SIZE_H
#include "train/train.h"

enum { WITNESS_SIZES = 64 };
struct witness_size {
    double finding;              /* bytes, about, while it is looked for */
    double weights, activations; /* bytes, about, of its network; 0: no witness is known */
    double pass;                 /* FLOP of a forward pass over one sample */
};
/* Finding a witness takes some hundredths of a second, so tasks of like space, target and model
 * share a size.  Zero-initialise; the tasks must outlive it. */
struct witness_sizes {
    struct {
        const struct task *of;
        struct witness_size size;
    } item[WITNESS_SIZES];
    int count;
    struct witness_size largest; /* stands for what comes when all items are taken */
};
/* Zeros where the task asks for no witness.  Done in a process of its own, for a target may be a
 * user's expression that hangs, and BLAS may not have run before workers are forked: what goes
 * wrong there counts as no witness, and is said when the cell is executed. */
struct witness_size witness_size(struct witness_sizes *sizes, const struct task *t);

#endif

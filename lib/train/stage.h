/* Private to lib/train: stages, the lengths of a curriculum one after the other.  Without one there
 * is a single stage.
 *
 * Invariant: which stage a step belongs to, and which samples it draws, follow from the
 * configuration alone, so a resumed run enters the same stage. */
#ifndef TRAIN_STAGE_H
#define TRAIN_STAGE_H
#include "train/train.h"

struct stage {
    int n, batch;
    int microbatches;      /* that its batch is cut into */
    int64_t first_step;    /* steps done before it */
    uint64_t first_sample; /* samples drawn before it */
};

/* Fills in which length, batch and samples belong to which steps, of a training at n positions;
 * returns the number of stages. */
int stages_plan(const struct train_config *c, int n, struct stage stage[OPTION_INTS_MAX]);

#endif

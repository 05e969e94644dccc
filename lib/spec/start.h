/* The witness of a task: cells whose training starts from it (model.init: witness) have its sizes.
 *
 * Invariant: what a witness is follows from target, space and model alone, and not from the sizes
 * that the model had, so a cell that has taken them over has the same witness. */
#ifndef SPEC_START_H
#define SPEC_START_H
#include "base/memory.h"
#include "witness/witness.h"
#include "train/train.h"

struct start {
    struct witness *witness; /* NULL: none is known */
    struct arena arena;
    struct layout layout;
};
/* The task must have passed check_task.  Close it whatever is returned. */
int start_open(struct start *s, const struct task *t, struct err *e);
void start_close(struct start *s);

/* Gives a task with model.init: witness its witness's sizes; others stay.  ERR_USAGE at model.init
 * where no witness is known. */
int start_resize(struct task *t, struct err *e);

#endif

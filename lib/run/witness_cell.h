/* A cell's witness, evaluated by the same code as a trained network. */
#ifndef RUN_WITNESS_CELL_H
#define RUN_WITNESS_CELL_H
#include <stdbool.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/text.h"
#include "run/evaluate.h"

struct witness_cell {
    bool known;
    /* The cell that the witness is, with an id of its own: model.init: witness, the witness's sizes,
     * no training. */
    struct cell own;
    int subsets;
    struct record figures[PATTERN_MAX + 1]; /* at the training length; [0] is all */
};

/* Builds and measures.  rows receives lines in the form of results.csv, of c's id and the witness's
 * sizes, one per subset (none where no witness is known).  cells: the folder in which spec.yaml,
 * weights.safetensors and row.csv go into one that is called by the witness's own id, so that
 * `predict` runs it, and nothing takes it for the trained cell; made when needed; NULL: nowhere. */
int witness_cell(const struct cell *c, const struct spec *s, struct pool *pool,
                 const char *cells, struct witness_cell *out, struct text *rows, struct err *e);

/* Overwrites the parameters of a trainer that was opened for a task with model.init: witness. */
int witness_start(const struct task *t, const struct trainer_api *api, struct trainer *trainer,
                  struct err *e);

/* Figures of a task's witness on ev, an evaluation of the task at its training length: what a
 * trained network's figures stand beside.  Returns them in figures (evaluation_subsets), or leaves
 * figures alone.  *status: known, none or left-out, as evaluate.witness asks.  ERR_INTERRUPTED
 * once *stop is not zero (NULL: never). */
int witness_measure(const struct task *t, struct pool *pool, struct evaluation *ev,
                    volatile const int *stop, struct record *figures, const char **status,
                    struct err *e);


#endif

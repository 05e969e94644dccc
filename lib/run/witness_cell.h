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
    struct record figures[SUBSETS_MAX]; /* at the training length; [0] is all */
};

/* Builds and measures.  rows receives lines in the form of results.csv, of c's id and the witness's
 * sizes, one per subset (none where no witness is known).  cells: the folder in which spec.yaml,
 * weights.safetensors and row.csv go into one that is called by the witness's own id, so that
 * `predict` runs it, and nothing takes it for the trained cell; made when needed; NULL: nowhere. */
int witness_cell(const struct cell *c, const struct spec *s, struct pool *pool,
                 const char *cells, struct witness_cell *out, struct text *rows, struct err *e);

/* Overwrites the parameters of a network that was opened for a task with model.init: witness. */
int witness_start(const struct task *t, struct network *x, struct err *e);

/* Errors of the witness of ev's task on ev, at the training length: what a trained network's figures
 * stand beside.  Overwrites figures (evaluation_subsets): empty where nothing is measured, and
 * `witness` as evaluate.witness asks.  ERR_INTERRUPTED after the task's stop. */
int witness_measure(struct pool *pool, struct evaluation *ev, struct record *figures, struct err *e);
/* Operations and memory of that, without the samples; zeros where nothing is measured.  Finds the
 * witness, unless looking for it takes longer than so many seconds: *whole is false, and that is all of it. */
int witness_cell_price(const struct task *t, int64_t samples, double seconds, struct pass_price *out, bool *whole,
                       struct err *e);

#endif

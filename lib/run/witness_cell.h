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
    struct cell own; /* the cell with the witness's sizes and no training; its id is the cell's */
    int subsets;
    struct subset_figures figures[PATTERN_MAX + 1]; /* at the training length; [0] is all */
};

/* Builds and measures.  rows receives lines in the form of results.csv, of the cell's id and the
 * witness's sizes, one per subset (none where no witness is known).  folder: where spec.yaml,
 * weights.safetensors and row.csv go, so that `predict` runs the witness; made when needed; NULL:
 * nowhere. */
int witness_cell(const struct cell *c, const struct spec *s, struct pool *pool,
                 const char *folder, struct witness_cell *out, struct text *rows, struct err *e);

/* Figures of a task's witness on ev, an evaluation of the task at its training length: what a
 * trained network's figures stand beside.  Returns them in figures (evaluation_subsets), or leaves
 * figures alone.  *status: as in struct subset_figures, as evaluate.witness asks. */
int witness_measure(const struct task *t, struct pool *pool, struct evaluation *ev,
                    struct subset_figures *figures, const char **status, struct err *e);

#endif

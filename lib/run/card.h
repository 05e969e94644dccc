/* What a card (report/card.h) is made of: the battery for one class, its conditions, its price. */
#ifndef RUN_CARD_H
#define RUN_CARD_H
#include "base/err.h"
#include "report/card.h"
#include "run/certify.h"

/* What card_rows goes by. */
struct card_work {
    const struct spec *spec;
    const char *predictions;  /* folder as card_samples made it, with predictions; NULL: none */
    volatile const int *stop; /* NULL: never */
    int jobs, threads;          /* these and files: as in certify_options */
    FILE *progress, *messages;
};
/* Appends the rows of all cells, as certify_cells; where predictions have a file TARGET-CELL/
 * predictions.safetensors, as score_cell has it, the rows of its lengths are score_cell's.  ERR_INTERRUPTED
 * once *stop is not zero.  Before any call of BLAS. */
int card_rows(const struct card_work *w, struct text *rows, struct certify_counts *counts,
              struct card_scores *scores, struct err *e);

/* Writes the samples of all cells into folder/TARGET-CELL, as samples_write. */
int card_samples(const struct spec *s, const char *folder, int64_t train, struct err *e);

/* The two conditions for the class of cell c on a short sequence, in double; *why: NULL, or why they are
 * not tested.  After kernel_open and kernel_reserve. */
int card_conditions(const struct cell *c, struct conditions *out, const char **why, struct err *e);

/* Times steps of the class (path, set: as spec_open_class) and of toeplitz with softmax under its mask.
 * In a process of its own, before any call of BLAS.  A class that cannot be trained so is not an error:
 * out->measured is false. */
int card_price(const char *path, const char *const *set, int sets, struct card_cost *out, struct err *e);

#endif

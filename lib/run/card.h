/* What a card (report/card.h) is made of: the battery for one class, its conditions, its price. */
#ifndef RUN_CARD_H
#define RUN_CARD_H
#include "base/err.h"
#include "base/pool.h"
#include "report/card.h"

/* Appends the rows of all cells of s, as certify_cell; `each` is told before each cell
 * (NULL: nobody).  ERR_INTERRUPTED once *stop is not zero. */
int card_rows(const struct spec *s, struct pool *pool, volatile const int *stop,
              void (*each)(void *context, int cell), void *context, struct text *rows, struct err *e);

/* The two conditions for the class of cell c on a short sequence, in double; *why: NULL, or why they are
 * not tested.  After kernel_open and kernel_reserve. */
int card_conditions(const struct cell *c, struct conditions *out, const char **why, struct err *e);

/* Times steps of the class (path, set: as spec_open_class) and of toeplitz with softmax under its mask.
 * In a process of its own, before any call of BLAS.  A class that cannot be trained so is not an error:
 * out->measured is false. */
int card_price(const char *path, const char *const *set, int sets, struct card_cost *out, struct err *e);

#endif

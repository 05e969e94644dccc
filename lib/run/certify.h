/* What is certified of a cell, as rows of results: nothing is trained. */
#ifndef RUN_CERTIFY_H
#define RUN_CERTIFY_H
#include "base/err.h"
#include "base/pool.h"
#include "base/text.h"
#include "spec/spec.h"

struct certify_options {
    const char *certificate;  /* folder for certificates of the rows; NULL: none */
    const char *networks;     /* folder for networks that are tried, one for each cell (run/prove.h); NULL: none */
    volatile const int *stop; /* ERR_INTERRUPTED once it is not zero; NULL: never */
};
/* Appends the rows of cell c of s, of each length and subset: floors, and what the class can, by explicit
 * weights (at the training length, as evaluate.witness asks) or by random networks. */
int certify_cell(const struct spec *s, const struct cell *c, struct pool *pool,
                 const struct certify_options *o, struct text *rows, struct err *e);

#endif

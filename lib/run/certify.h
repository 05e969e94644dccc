/* What is certified of cells, as rows of results: nothing is trained. */
#ifndef RUN_CERTIFY_H
#define RUN_CERTIFY_H
#include <stdio.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/text.h"
#include "run/memo.h"
#include "spec/spec.h"

struct certify_options {
    const char *certificate;  /* folder for certificates of the rows; NULL: none */
    const char *networks;     /* folder for networks that are tried, one for each cell (run/prove.h); NULL: none */
    int jobs, threads;        /* workers, and threads of each; 0: choose */
    const unsigned char *left_out; /* (cells) not 0: nothing is asked of that cell; NULL: of all */
    FILE *messages;           /* a line for each cell that fails; NULL: none */
    FILE *progress;           /* one line, redrawn, and only when it is a terminal; NULL: none */
    volatile const int *stop; /* ERR_INTERRUPTED once it is not zero; NULL: never */
};
struct certify_counts {
    int failed;        /* cells, whose row says so */
    struct err memory; /* of one that had too little, else empty */
};
/* rows (cells), empty or closed: of each cell its rows, of each length and subset: floors, and what the
 * class can, by explicit weights (at the training length, as evaluate.witness asks) or by random networks.
 * The same bytes for any jobs and threads.  Cells are worked on in processes of their own, before any call
 * of BLAS; one that fails costs its own rows, a full disk or the like ends it all.  The caller closes rows
 * also after an error. */
int certify_cells(const struct spec *s, const struct certify_options *o, struct text *rows,
                  struct certify_counts *counts, struct err *e);
/* Appends the rows of cell c of s; of the options certificate, networks and stop count.  memo: what cells before had
 * in common with it (memo.h); NULL: none. */
int certify_cell(const struct spec *s, const struct cell *c, struct pool *pool, struct memo *memo,
                 const struct certify_options *o, struct text *rows, struct err *e);

#endif

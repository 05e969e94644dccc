/* Certificates of floors: text files with all that a floor's claim needs, which urpe-probe-check
 * judges without this program.  The format: cmd/urpe-probe-check/README.md.
 *
 * Invariant: a certificate is a function of the cell, the length and the subset, so whoever writes it
 * again writes the same bytes. */
#ifndef RUN_CERTIFICATE_H
#define RUN_CERTIFICATE_H
#include "base/err.h"
#include "run/evaluate.h"
#include "spec/spec.h"

/* A row's certificate is CELL/LENGTH-SUBSET and this: plain, or compressed where it is large. */
#define CERTIFICATE_PLAIN ".txt"
#define CERTIFICATE_PACKED ".txt.gz"

/* Writes the certificate of each subset of ev, an evaluation of cell c of s, below the folder, which
 * is made if need be.  ERR_IO, ERR_MEMORY. */
int certificates_write(const char *folder, const struct spec *s, const struct cell *c,
                       const struct evaluation *ev, struct err *e);
/* The same at every evaluated length of the cell; or what evaluation_open reports. */
int certificates_write_cell(const char *folder, const struct spec *s, const struct cell *c,
                            struct err *e);

#endif

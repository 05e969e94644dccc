/* Verdicts as a table: targets x encodings, alone and with C. */
#ifndef REPORT_MATRIX_H
#define REPORT_MATRIX_H
#include "report/summary.h"

/* Appends an HTML table about the groups of one experiment that have this subset.  The kind with
 * more values (targets or encodings) and whatever else varies make the rows.  *cells: how many
 * groups it shows; with none nothing is appended. */
int matrix_append(struct text *out, const struct summary_group *group, int groups, int subset,
                  int *cells, struct err *e);

#endif

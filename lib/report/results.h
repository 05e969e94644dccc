/* What the files of this layer share about rows and cells. */
#ifndef REPORT_RESULTS_H
#define REPORT_RESULTS_H
#include "base/csv.h"
#include "report/report.h"

/* The row's cell where it is one of spec s, of its name and of one of its cells; else NULL. */
const struct cell *row_cell_in(const struct result_row *row, const struct spec *s);

/* Whether the header is that of results.csv, or of an older one, which has fewer columns: new ones
 * only ever come at the end. */
bool row_header_fits(const struct csv *c);
/* A line of results.csv: field (columns); NULL is empty, as are columns behind these. */
void results_append_fields(struct text *out, const char *const *field, int columns);
/* Place of a subset in the order all, generic, other patterns; -1 for a name that is none. */
int subset_rank(const char *subset);

/* Reads row.csv in a cell's folder, as it must have been written: the rows are all there, and sorted
 * by length, then subset; *failed says that the cell has.  ERR_FORMAT otherwise, where there is no
 * such file, too. */
int cell_rows_read(const char *folder, const struct cell *cell, struct csv *c, bool *failed,
                   struct err *e);

/* Adds "FILE: why" to r->skipped. */
int results_skip(struct results *r, const char *path, const char *why, struct err *e);

#endif

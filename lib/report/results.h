/* What the files of this layer share about rows and cells. */
#ifndef REPORT_RESULTS_H
#define REPORT_RESULTS_H
#include "base/csv.h"
#include "report/report.h"

/* Cells of one spec, found by id. */
struct cell_index {
    const struct cell **by_id; /* (count), sorted by id */
    int count;
};
int cell_index_open(struct cell_index *index, const struct spec *s, struct err *e);
void cell_index_close(struct cell_index *index);
const struct cell *cell_index_find(const struct cell_index *index, const char *id); /* or NULL */

/* The row's cell where it is one of spec s, of its name and of one of its cells; else NULL. */
const struct cell *row_cell_in(const struct result_row *row, const struct spec *s,
                               const struct cell_index *index);

/* Whether the header is that of results.csv, or of an older one, which has fewer columns: new ones
 * only ever come at the end. */
bool row_header_fits(const struct csv *c);
/* What is wrong with a row.csv of this cell, or NULL: then the rows are all there and sorted by
 * length, then subset.  whole: the file ends with a line end. */
const char *cell_rows_check(struct csv *c, const struct cell *cell, bool whole);
/* A line of results.csv: field (columns); NULL is empty, as are columns behind these. */
void results_append_fields(struct text *out, const char *const *field, int columns);

/* Place of a subset in the order all, generic, other patterns; -1 for a name that is none. */
int subset_rank(const char *subset);

/* Adds "FILE: why" to r->skipped. */
int results_skip(struct results *r, const char *path, const char *why, struct err *e);

#endif

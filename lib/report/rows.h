/* What the files of this layer share about rows: their key columns, and cells by id. */
#ifndef REPORT_ROWS_H
#define REPORT_ROWS_H
#include "base/csv.h"
#include "report/report.h"

/* Places of the columns that every row is found by, in column_table. */
struct row_keys {
    int experiment, cell, length, subset, spec_hash;
};
struct row_keys row_keys_of_table(void);

/* Cells of one spec, found by id. */
struct cell_index {
    const struct cell **by_id; /* (count), sorted by id */
    int count;
};
int cell_index_open(struct cell_index *index, const struct spec *s, struct err *e);
void cell_index_close(struct cell_index *index);
const struct cell *cell_index_find(const struct cell_index *index, const char *id); /* or NULL */

/* Whether a row is one of spec s: of its name and of one of its cells. */
const struct cell *row_cell_in(const struct result_row *row, const struct spec *s,
                               const struct cell_index *index);

/* Whether the header is that of results.csv, or of an older one, which has fewer columns: new ones
 * only ever come at the end. */
bool row_header_fits(const struct csv *c);
/* What is wrong with a row.csv of this cell, or NULL: then the rows are all there and sorted by
 * length, then subset.  whole: the file ends with a line end. */
const char *cell_rows_check(struct csv *c, const struct cell *cell, bool whole);

/* A line of results.csv: the names, or a row's fields (NULL is empty). */
void results_append_header(struct text *out);
void results_append_fields(struct text *out, const char *const *field);

/* Place of a subset in the order all, generic, other patterns; -1 for a name that is none. */
int subset_rank(const char *subset);

/* Whether s is the dotted key, or its kind: "model.encoding", "model.encoding.kind". */
bool is_key(const char *s, const char *key);
/* Fills r->axes from r->spec, sorted by name. */
int axes_open(struct results *r, struct err *e);
/* "key=value key=value ..." of a cell, seed last; nothing where there are no axes.  Skips `seed`
 * unless `seeds`. */
void axes_append(struct text *out, const struct axes *axes, const struct cell *c, bool seeds);

/* Adds "FILE: why" to r->skipped. */
int results_skip(struct results *r, const char *path, const char *why, struct err *e);

#endif

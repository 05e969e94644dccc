/* Making a table narrower without making it ambiguous. */
#ifndef REPORT_FIT_H
#define REPORT_FIT_H
#include "base/memory.h"
#include "report/listing.h"

/* Empties those of the first `columns` columns that say the same in every row, so that they take no
 * room, and appends "NAME VALUE, NAME VALUE" to `said`.  A table of one row keeps all. */
void fit_drop_constants(struct listing *l, int columns, struct text *said);

/* Shortens names of columns, and texts of the first `columns` columns, until the listing fits in
 * `width` columns or nothing is left to shorten.  Texts of a column that differ stay different, as
 * do names.  What a short form ("tran~") stands for is appended to `legend`, a line per column.
 * column: the listing's own columns, whose names may be replaced by texts in `arena`. */
int fit_abbreviate(struct listing *l, struct listing_column *column, int columns, int width,
                   struct arena *arena, struct text *legend, struct err *e);

#endif

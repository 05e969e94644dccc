/* Lines of results.csv. */
#include "run/evaluate.h"

void row_clear(struct record *r) { columns_clear(column_table, r); }

void row_append_header(struct text *t) { columns_append_header(t, column_table); }

void row_append(struct text *t, const struct cell *c, const struct record *r)
{
    columns_append(t, column_table, r, c, trainer_api_of(c->task.model.precision)->digits);
}

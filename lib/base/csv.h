/* RFC 4180 tables.  Reading keeps fields as text; what the fields mean is the caller's. */
#ifndef BASE_CSV_H
#define BASE_CSV_H
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* Appends one field, quoted where it must be, after a comma unless it is the first of its line. */
void csv_field(struct text *t, const char *value);
void csv_field_double(struct text *t, double value, int digits); /* NaN: an empty field */
void csv_field_int(struct text *t, long long value);
void csv_end_row(struct text *t);

struct csv {
    char ***row; /* row[0] is the header; row[r][c] */
    int rows, columns;
    char *bytes; /* owned */
};
/* Parses text (copied).  Every row must have as many fields as the header; ERR_FORMAT otherwise,
 * with the line. */
int csv_parse(const char *where, const char *bytes, size_t count, struct csv *out, struct err *e);
int csv_read(const char *path, struct csv *out, struct err *e);
int csv_column(const struct csv *c, const char *name); /* -1 when absent */
void csv_close(struct csv *c);

#endif

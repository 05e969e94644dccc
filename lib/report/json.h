/* JSON values as text; enough for flat tables. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H
#include "base/text.h"

/* A quoted string; control characters, quotes and backslashes escaped (RFC 8259). */
void json_string(struct text *t, const char *value);
/* A number that reads back exactly; null for NaN and infinities, which JSON does not have. */
void json_number(struct text *t, double value);
/* A field of a table: null when empty, a number when `number` says so and it reads as one, else a
 * string. */
void json_field(struct text *t, const char *value, bool number);

#endif

/* JSON values as text.  Invariant: whatever bytes come in, the value is well-formed JSON, provided
 * that the input is UTF-8. */
#include "report/json.h"

#include <math.h>

void json_string(struct text *t, const char *value)
{
    text_append(t, "\"");
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p == '"' || *p == '\\')
            text_append_format(t, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            text_append_format(t, "\\u%04x", *p);
        else
            text_append_bytes(t, p, 1);
    }
    text_append(t, "\"");
}

void json_number(struct text *t, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append(t, isfinite(value) ? text_from_double_short(number, value) : "null");
}

void json_field(struct text *t, const char *value, bool number)
{
    double parsed;
    if (!value || !*value)
        text_append(t, "null");
    else if (number && text_to_double(value, &parsed))
        json_number(t, parsed);
    else
        json_string(t, value);
}

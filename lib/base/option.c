/* Defaults of option rows.  Invariant: a row's fallback is text that its own type accepts, so
 * nothing here can fail (a test checks that of every row). */
#include "base/option.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

static double number_of(const struct option *row)
{
    double value = 0;
    if (row->type == OPTION_BOOL)
        return strcmp(row->fallback, "true") == 0;
    if (row->type == OPTION_CHOICE) {
        int k = 0;
        while (row->names[k] && strcmp(row->names[k], row->fallback))
            k++;
        assert(row->names[k]);
        return k;
    }
    bool fine = text_to_double(row->fallback, &value);
    assert(fine);
    (void)fine;
    return value;
}

void option_kind_defaults(const struct option *rows, struct kind_config *kind)
{
    int texts = 0;
    for (int k = 0; rows && rows[k].key; k++) {
        if (rows[k].type == OPTION_TEXT)
            strncpy(kind->text[texts++].text, rows[k].fallback ? rows[k].fallback : "",
                    OPTION_TEXT_MAX - 1);
        else if (rows[k].fallback)
            kind->number[k] = number_of(&rows[k]);
    }
}

bool option_set_kind(const struct kind_table *kinds, const char *name, struct kind_config *out)
{
    for (int k = 0; k < kinds->count; k++)
        if (strcmp(kinds->name(k), name) == 0) {
            *out = (struct kind_config){.kind = k};
            option_kind_defaults(kinds->options(k), out);
            return true;
        }
    return false;
}

void option_defaults(const struct option *rows, void *owner)
{
    for (const struct option *row = rows; row->key; row++) {
        char *field = (char *)owner + row->offset;
        if (!row->fallback)
            continue;
        switch (row->type) {
        case OPTION_INT: *(int64_t *)(void *)field = (int64_t)number_of(row); break;
        case OPTION_REAL: *(double *)(void *)field = number_of(row); break;
        case OPTION_BOOL: *(bool *)field = number_of(row) != 0; break;
        case OPTION_CHOICE: *(int *)(void *)field = (int)number_of(row); break;
        case OPTION_TEXT:
            strncpy(((struct option_text *)(void *)field)->text, row->fallback,
                    OPTION_TEXT_MAX - 1);
            break;
        case OPTION_INT_LIST: memset(field, 0, sizeof(struct option_ints)); break;
        case OPTION_KIND:
            option_set_kind(row->kinds, row->fallback, (struct kind_config *)(void *)field);
            break;
        }
    }
}

/* Values of option rows: their defaults, and where they lie in structs.  Invariant: a row's fallback
 * is text that its own type accepts, so nothing here can fail (a test checks that of every row). */
#include "base/option.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

/* ---- defaults ---------------------------------------------------------------------------------*/

const char *option_name(const struct option *row, int k)
{
    if (row->type != OPTION_KIND)
        return row->names[k];
    return k < row->kinds->count ? row->kinds->name(k) : NULL;
}

static int choice_of(const struct option *row, const char *name)
{
    int k = 0;
    while (strcmp(option_name(row, k), name) != 0)
        k++;
    return k;
}

bool option_default(const struct option *row, struct option_value *out)
{
    *out = (struct option_value){.text = row->fallback};
    if (!row->fallback)
        return false;
    switch (row->type) {
    case OPTION_INT:
    case OPTION_REAL:
        return text_to_double(row->fallback, &out->number);
    case OPTION_BOOL:
        out->number = strcmp(row->fallback, "true") == 0;
        break;
    case OPTION_CHOICE:
    case OPTION_KIND:
        out->number = choice_of(row, row->fallback);
        break;
    case OPTION_INT_LIST: /* empty */
    case OPTION_PLAN:
    case OPTION_TEXT:
        break;
    }
    return true;
}

bool option_is_default(const struct option *row, const struct option_value *v)
{
    struct option_value standard;
    if (!option_default(row, &standard))
        return false;
    if (row->type == OPTION_TEXT)
        return strcmp(v->text, standard.text) == 0;
    return row->type == OPTION_INT_LIST ? v->ints.count == 0 : v->number == standard.number;
}

/* ---- storing ----------------------------------------------------------------------------------*/

/* Bytes behind the text are zero, so that equal configurations are equal byte by byte. */
static void set_text(struct option_text *out, const char *text)
{
    strncpy(out->text, text, sizeof out->text - 1);
    out->text[sizeof out->text - 1] = 0;
}

void option_store(const struct option *row, const struct option_value *v, void *owner)
{
    void *field = (char *)owner + row->offset;
    switch (row->type) {
    case OPTION_INT: *(int64_t *)field = (int64_t)v->number; break;
    case OPTION_REAL: *(double *)field = v->number; break;
    case OPTION_BOOL: *(bool *)field = v->number != 0; break;
    case OPTION_CHOICE: *(int *)field = (int)v->number; break;
    case OPTION_TEXT: set_text(field, v->text); break;
    case OPTION_INT_LIST: *(struct option_ints *)field = v->ints; break;
    case OPTION_PLAN: break; /* its reader's business */
    case OPTION_KIND: ((struct kind_config *)field)->kind = (int)v->number; break;
    }
}

void option_load(const struct option *row, const void *owner, struct option_value *v)
{
    const void *field = (const char *)owner + row->offset;
    *v = (struct option_value){0};
    switch (row->type) {
    case OPTION_INT: v->number = (double)*(const int64_t *)field; break;
    case OPTION_REAL: v->number = *(const double *)field; break;
    case OPTION_BOOL: v->number = *(const bool *)field; break;
    case OPTION_CHOICE: v->number = *(const int *)field; break;
    case OPTION_TEXT: v->text = ((const struct option_text *)field)->text; break;
    case OPTION_INT_LIST: v->ints = *(const struct option_ints *)field; break;
    case OPTION_PLAN:
        v->number = *(const int *)field;
        v->plan = field;
        break;
    case OPTION_KIND: v->number = ((const struct kind_config *)field)->kind; break;
    }
}

/* How many rows of text stand before one. */
static int texts_before(const struct option *rows, const struct option *row)
{
    int count = 0;
    for (; rows < row; rows++)
        count += rows->type == OPTION_TEXT;
    assert(count < KIND_TEXTS_MAX);
    return count;
}

void option_store_own(const struct option *rows, const struct option *row,
                      const struct option_value *v, struct kind_config *c)
{
    assert(row - rows < KIND_OPTIONS_MAX);
    if (row->type == OPTION_TEXT)
        set_text(&c->text[texts_before(rows, row)], v->text);
    else
        c->number[row - rows] = v->number;
}

void option_load_own(const struct option *rows, const struct option *row,
                     const struct kind_config *c, struct option_value *v)
{
    *v = (struct option_value){0};
    if (row->type == OPTION_TEXT)
        v->text = c->text[texts_before(rows, row)].text;
    else
        v->number = c->number[row - rows];
}

/* ---- whole structs ----------------------------------------------------------------------------*/

void option_kind_defaults(const struct option *rows, struct kind_config *kind)
{
    struct option_value v;
    for (const struct option *row = rows; row && row->key; row++)
        if (option_default(row, &v))
            option_store_own(rows, row, &v, kind);
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
    struct option_value v;
    for (const struct option *row = rows; row->key; row++) {
        if (row->type == OPTION_KIND && row->fallback)
            option_set_kind(row->kinds, row->fallback,
                            (struct kind_config *)(void *)((char *)owner + row->offset));
        else if (option_default(row, &v))
            option_store(row, &v, owner);
    }
}

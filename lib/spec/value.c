/* Reading, storing and printing values.  Invariant: what value_write prints, value_read accepts,
 * and gives the same value. */
#include "spec/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/named_file.h"

/* ---- what is expected -------------------------------------------------------------------------*/

static int choice_count(const struct option *o)
{
    int count = 0;
    if (o->type == OPTION_KIND)
        return o->kinds->count;
    while (o->names[count])
        count++;
    return count;
}

static const char *choice_name(const struct option *o, int k)
{
    return o->type == OPTION_KIND ? o->kinds->name(k) : o->names[k];
}

static void expected_range(const struct option *o, const char *what, char *out, size_t size)
{
    char low[TEXT_NUMBER_MAX], high[TEXT_NUMBER_MAX];
    text_from_double_short(low, o->min);
    text_from_double_short(high, o->max);
    bool unit = o->unit && *o->unit;
    snprintf(out, size, "%s from %s to %s%s%s", what, low, high, unit ? " " : "",
             unit ? o->unit : "");
}

static void expected_names(const struct option *o, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "one of");
    for (int k = 0; k < choice_count(o) && used < size; k++)
        used += (size_t)snprintf(out + used, size - used, "%s %s", k ? "," : "",
                                 choice_name(o, k));
}

void value_expected(const struct option *o, char *out, size_t size)
{
    switch (o->type) {
    case OPTION_INT:
        expected_range(o, "a whole number", out, size);
        break;
    case OPTION_REAL:
        expected_range(o, "a number", out, size);
        break;
    case OPTION_BOOL:
        snprintf(out, size, "true or false");
        break;
    case OPTION_TEXT:
        snprintf(out, size, "text of at most %d bytes", OPTION_TEXT_MAX - 1);
        break;
    case OPTION_INT_LIST:
        expected_range(o, "a list of whole numbers", out, size);
        break;
    case OPTION_CHOICE:
    case OPTION_KIND:
        expected_names(o, out, size);
        break;
    }
}

/* ---- reading ----------------------------------------------------------------------------------*/

enum { AXIS_SHOWN = 160 };

/* Where several values go: the axis that was meant by a list for a key that takes one value. */
static void show_axis(const char *key, const struct node *list, char out[AXIS_SHOWN])
{
    char values[64] = "";
    struct text t = {.data = values, .capacity = sizeof values, .fixed = true};
    node_write(&t, list);
    snprintf(out, AXIS_SHOWN, "; for several values: grid: {%.64s: %s}", key,
             t.failed ? "[...]" : values);
}

static int refuse(const struct option *o, const char *key, const struct node *n, const char *what,
                  struct err *e)
{
    char expected[560], shown[NODE_SHOWN], axis[AXIS_SHOWN] = "";
    value_expected(o, expected, sizeof expected);
    if (n->type == NODE_LIST && n->count && o->type != OPTION_INT_LIST)
        show_axis(key, n, axis);
    return node_error(n, e, "%s: %s %s; expected %s%s", key, node_show(n, shown), what, expected,
                      axis);
}

/* A whole number may be written as 2e3, as long as it is whole. */
static int read_int(const struct option *o, const char *key, const struct node *n, int64_t *out,
                    struct err *e)
{
    double number;
    if (n->type != NODE_SCALAR || !n->plain || !text_to_double(n->text, &number))
        return refuse(o, key, n, "is not a whole number", e);
    if (isnan(number) || (isfinite(number) && number != floor(number)))
        return refuse(o, key, n, "is not a whole number", e);
    if (!(number >= o->min && number <= o->max))
        return refuse(o, key, n, "is out of range", e);
    if (!text_to_int64(n->text, out))
        *out = (int64_t)number;
    return 0;
}

static int read_real(const struct option *o, const char *key, const struct node *n, double *out,
                     struct err *e)
{
    if (n->type != NODE_SCALAR || !n->plain || !text_to_double(n->text, out))
        return refuse(o, key, n, "is not a number", e);
    if (!isfinite(*out))
        return refuse(o, key, n, "is not a finite number", e);
    if (*out < o->min || *out > o->max)
        return refuse(o, key, n, "is out of range", e);
    *out += 0.0; /* -0 and 0 are one value and must not have two texts */
    return 0;
}

static int read_choice(const struct option *o, const char *key, const struct node *n, int *out,
                       struct err *e)
{
    int count = choice_count(o);
    if (n->type != NODE_SCALAR || node_is_null(n))
        return refuse(o, key, n, "is not a name", e);
    for (*out = 0; *out < count; ++*out)
        if (!strcmp(choice_name(o, *out), n->text))
            return 0;
    const char *near = NULL;
    for (int k = 0; k < count && !near; k++) {
        const char *one = choice_name(o, k), *best = text_nearest(n->text, &one, 1);
        near = best;
    }
    char what[160];
    snprintf(what, sizeof what, "is unknown%s%.64s%s", near ? "; did you mean " : "",
             near ? near : "", near ? "?" : "");
    return refuse(o, key, n, what, e);
}

static int read_text(const struct option *o, const char *key, const struct node *n,
                     const char **out, struct err *e)
{
    if (n->type != NODE_SCALAR || node_is_null(n))
        return refuse(o, key, n, "is not text", e);
    if (strlen(n->text) >= OPTION_TEXT_MAX)
        return refuse(o, key, n, "is too long", e);
    *out = n->text;
    return 0;
}

static int read_ints(const struct option *o, const char *key, const struct node *n,
                     struct option_ints *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (n->type == NODE_SCALAR) {
        out->count = 1;
        return read_int(o, key, n, &out->value[0], e);
    }
    if (n->type != NODE_LIST)
        return refuse(o, key, n, "is not a list of whole numbers", e);
    if (n->count > OPTION_INTS_MAX)
        return node_error(n, e, "%s: a list of %d numbers is too long; expected at most %d", key,
                          n->count, OPTION_INTS_MAX);
    for (int k = 0; k < n->count; k++) {
        int code = read_int(o, key, n->item[k], &out->value[k], e);
        if (code)
            return code;
    }
    out->count = n->count;
    return 0;
}

int value_read(const struct option *o, const char *key, const struct node *n,
               const struct node *absent, struct value *v, struct err *e)
{
    struct node standard = {.type = NODE_SCALAR, .plain = true, .source = "", .text = o->fallback};
    memset(v, 0, sizeof *v);
    if (!n && !o->fallback) {
        char expected[560];
        value_expected(o, expected, sizeof expected);
        return node_error(absent, e, "%s: is missing; expected %s", key, expected);
    }
    if (!n && o->type == OPTION_INT_LIST && !*o->fallback)
        return 0;
    if (!n && o->type == OPTION_TEXT) {
        v->text = o->fallback;
        return 0;
    }
    n = n ? n : &standard;
    if (node_is_null(n))
        return refuse(o, key, n, "is no value", e);
    switch (o->type) {
    case OPTION_INT:
        return read_int(o, key, n, &v->integer, e);
    case OPTION_REAL:
        return read_real(o, key, n, &v->real, e);
    case OPTION_BOOL:
        return node_is_bool(n, &v->truth) ? 0 : refuse(o, key, n, "is not true or false", e);
    case OPTION_TEXT:
        return read_text(o, key, n, &v->text, e);
    case OPTION_INT_LIST:
        return read_ints(o, key, n, &v->ints, e);
    case OPTION_CHOICE:
    case OPTION_KIND:
        return read_choice(o, key, n, &v->choice, e);
    }
    return 0;
}

/* ---- storing ----------------------------------------------------------------------------------*/

static void copy_text(struct option_text *out, const char *text)
{
    memset(out, 0, sizeof *out);
    snprintf(out->text, sizeof out->text, "%s", text);
}

void value_store(const struct option *o, const struct value *v, void *owner)
{
    void *field = (char *)owner + o->offset;
    switch (o->type) {
    case OPTION_INT:
        *(int64_t *)field = v->integer;
        break;
    case OPTION_REAL:
        *(double *)field = v->real;
        break;
    case OPTION_BOOL:
        *(bool *)field = v->truth;
        break;
    case OPTION_CHOICE:
        *(int *)field = v->choice;
        break;
    case OPTION_TEXT:
        copy_text(field, v->text);
        break;
    case OPTION_INT_LIST:
        *(struct option_ints *)field = v->ints;
        break;
    case OPTION_KIND:
        ((struct kind_config *)field)->kind = v->choice;
        break;
    }
}

void value_load(const struct option *o, const void *owner, struct value *v)
{
    const void *field = (const char *)owner + o->offset;
    memset(v, 0, sizeof *v);
    switch (o->type) {
    case OPTION_INT:
        v->integer = *(const int64_t *)field;
        break;
    case OPTION_REAL:
        v->real = *(const double *)field;
        break;
    case OPTION_BOOL:
        v->truth = *(const bool *)field;
        break;
    case OPTION_CHOICE:
        v->choice = *(const int *)field;
        break;
    case OPTION_TEXT:
        v->text = ((const struct option_text *)field)->text;
        break;
    case OPTION_INT_LIST:
        v->ints = *(const struct option_ints *)field;
        break;
    case OPTION_KIND:
        v->choice = ((const struct kind_config *)field)->kind;
        break;
    }
}

void value_store_own(const struct option *o, const struct value *v, struct kind_config *c,
                     int index, int text)
{
    if (o->type == OPTION_TEXT)
        copy_text(&c->text[text], v->text);
    else
        c->number[index] = o->type == OPTION_INT    ? (double)v->integer
                           : o->type == OPTION_REAL ? v->real
                           : o->type == OPTION_BOOL ? v->truth
                                                    : v->choice;
}

void value_load_own(const struct option *o, const struct kind_config *c, int index, int text,
                    struct value *v)
{
    memset(v, 0, sizeof *v);
    v->integer = o->type == OPTION_INT ? (int64_t)c->number[index] : 0;
    v->real = o->type == OPTION_REAL ? c->number[index] : 0;
    v->truth = o->type == OPTION_BOOL && c->number[index] != 0;
    v->choice = o->type == OPTION_CHOICE ? (int)c->number[index] : 0;
    v->text = o->type == OPTION_TEXT ? c->text[text].text : NULL;
}

/* ---- printing ---------------------------------------------------------------------------------*/

static void write_ints(const struct option_ints *ints, struct text *t)
{
    text_append(t, "[");
    for (int k = 0; k < ints->count; k++)
        text_append_format(t, "%s%lld", k ? ", " : "", (long long)ints->value[k]);
    text_append(t, "]");
}

/* A file is its content in hashes, and lies beside the resolved spec elsewhere. */
static void write_text(const struct option *o, const char *text, bool exact, struct text *t)
{
    struct text place = {0};
    if (!o->file || !*text) {
        node_write_text(t, text);
        return;
    }
    if (exact) {
        named_file_append_hash(t, text);
        return;
    }
    named_file_append_place(&place, text);
    if (!place.failed)
        node_write_text(t, place.data);
    t->failed = t->failed || place.failed;
    text_close(&place);
}

void value_write(const struct option *o, const struct value *v, bool exact, struct text *t)
{
    char number[TEXT_NUMBER_MAX];
    switch (o->type) {
    case OPTION_INT:
        text_append_format(t, "%lld", (long long)v->integer);
        break;
    case OPTION_REAL:
        text_append(t, exact ? text_from_double(number, v->real, 17)
                             : text_from_double_short(number, v->real));
        break;
    case OPTION_BOOL:
        text_append(t, v->truth ? "true" : "false");
        break;
    case OPTION_TEXT:
        write_text(o, v->text, exact, t);
        break;
    case OPTION_INT_LIST:
        write_ints(&v->ints, t);
        break;
    case OPTION_CHOICE:
    case OPTION_KIND:
        text_append(t, choice_name(o, v->choice));
        break;
    }
}

/* Reading, storing and printing values.  Invariant: what value_write prints, value_read accepts,
 * and gives the same value. */
#include "spec/value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/named_file.h"
#include "spec/plan.h"

/* ---- what is expected -------------------------------------------------------------------------*/

static void expected_range(const struct option *o, const char *what, char *out, size_t size)
{
    char low[TEXT_NUMBER_MAX], high[TEXT_NUMBER_MAX];
    text_from_double_short(low, o->min);
    text_from_double_short(high, o->max);
    snprintf(out, size, "%s from %s to %s%s%s", what, low, high, o->unit ? " " : "",
             o->unit ? o->unit : "");
}

static void expected_names(const struct option *o, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "one of");
    for (int k = 0; option_name(o, k) && used < size; k++)
        used += (size_t)snprintf(out + used, size - used, "%s %s", k ? "," : "",
                                 option_name(o, k));
}

/* What the row accepts: "a number from 0 to 1". */
static void expected(const struct option *o, char *out, size_t size)
{
    switch (o->type) {
    case OPTION_INT: expected_range(o, "a whole number", out, size); break;
    case OPTION_REAL: expected_range(o, "a number", out, size); break;
    case OPTION_BOOL: snprintf(out, size, "true or false"); break;
    case OPTION_TEXT:
        if (o->map) {
            snprintf(out, size, "a map of names");
            break;
        }
        snprintf(out, size, "text of at most %d bytes", OPTION_TEXT_MAX - 1);
        break;
    case OPTION_INT_LIST: expected_range(o, "a list of whole numbers", out, size); break;
    case OPTION_PLAN:
        snprintf(out, size, "none, or a list of maps, one for each layer of a turn");
        break;
    case OPTION_CHOICE:
    case OPTION_KIND: expected_names(o, out, size); break;
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
    char due[560], shown[NODE_SHOWN], axis[AXIS_SHOWN] = "";
    expected(o, due, sizeof due);
    if (n->type == NODE_LIST && n->count && o->type != OPTION_INT_LIST)
        show_axis(key, n, axis);
    return node_error(n, e, "%s: %s %s; expected %s%s", key, node_show(n, shown), what, due, axis);
}

static bool is_number(const struct node *n, double *out)
{
    return n->type == NODE_SCALAR && n->plain && text_to_double(n->text, out);
}

/* A whole number may be written as 2e3, as long as it is whole. */
static int read_int(const struct option *o, const char *key, const struct node *n, double *out,
                    struct err *e)
{
    if (!is_number(n, out) || isnan(*out) || (isfinite(*out) && *out != floor(*out)))
        return refuse(o, key, n, "is not a whole number", e);
    if (!(*out >= o->min && *out <= o->max))
        return refuse(o, key, n, "is out of range", e);
    return 0;
}

static int read_real(const struct option *o, const char *key, const struct node *n, double *out,
                     struct err *e)
{
    if (!is_number(n, out))
        return refuse(o, key, n, "is not a number", e);
    if (!isfinite(*out))
        return refuse(o, key, n, "is not a finite number", e);
    if (*out < o->min || *out > o->max)
        return refuse(o, key, n, "is out of range", e);
    *out += 0.0; /* -0 and 0 are one value and must not have two texts */
    return 0;
}

/* Whether a name is meant: RoPE is rope, prefix_lm is prefix-lm. */
static bool is_meant(const char *given, const char *name)
{
    for (; *given && *name; given++, name++) {
        char a = *given == '_' ? '-' : (char)tolower((unsigned char)*given);
        if (a != (*name == '_' ? '-' : *name))
            return false;
    }
    return *given == *name;
}

/* What papers and other programs call a kind. */
static const struct {
    const char *alias, *name;
} aliases[] = {{"rotary", "rope"},          {"nope", "none"},
               {"no-position", "none"},     {"absolute", "learned"},
               {"kerple", "kerple-log"},    {"xl", "transformer-xl"},
               {"transformerxl", "transformer-xl"}, {"sin", "sinusoidal"},
               {"sliding-window", "window"}, {"swa", "window"},
               {"local", "window"},         {"chunked", "blocks"},
               {"full", "none"},            {"bidirectional", "none"},
               {"softmax1", "softmax-one"}, {"off-by-one", "softmax-one"},
               {"attention-sink", "sink"},  {"prefixlm", "prefix-lm"}};

static const char *named(const struct option *o, const char *given)
{
    for (size_t k = 0; o->type == OPTION_KIND && k < sizeof aliases / sizeof *aliases; k++)
        if (is_meant(given, aliases[k].alias))
            return aliases[k].name;
    return given;
}

static int read_choice(const struct option *o, const char *key, const struct node *n, double *out,
                       struct err *e)
{
    const char *name, *near = NULL;
    char what[160];
    if (n->type != NODE_SCALAR || node_is_null(n))
        return refuse(o, key, n, "is not a name", e);
    for (int k = 0; (name = option_name(o, k)); k++) {
        *out = k;
        if (is_meant(n->text, name) || is_meant(named(o, n->text), name))
            return 0;
        const char *like = text_nearest(n->text, &name, 1);
        if (like && (!near || text_distance(n->text, like) < text_distance(n->text, near)))
            near = like;
    }
    snprintf(what, sizeof what, "is unknown%s%.64s%s", near ? "; did you mean " : "",
             near ? near : "", near ? "?" : "");
    return refuse(o, key, n, what, e);
}

static int read_text(const struct option *o, const char *key, const struct node *n,
                     const char **out, struct err *e)
{
    if (o->map && n->type == NODE_MAP) { /* before files_resolve has written it out */
        *out = "{}";
        return 0;
    }
    if (n->type != NODE_SCALAR || node_is_null(n) || (o->map && n->text[0] != '{'))
        return refuse(o, key, n, o->map ? "is not a map" : "is not text", e);
    if (strlen(n->text) >= OPTION_TEXT_MAX)
        return refuse(o, key, n, "is too long", e);
    *out = n->text;
    return 0;
}

static int read_plan(const char *key, const struct node *n, struct option_value *v, struct err *e)
{
    int maps;
    if (n->type == NODE_SCALAR && !strcmp(n->text, "none"))
        return 0;
    int code = plan_read(key, n, &maps, e);
    v->number = maps;
    v->given = n;
    return code;
}

static int read_ints(const struct option *o, const char *key, const struct node *n,
                     struct option_ints *out, struct err *e)
{
    bool list = n->type == NODE_LIST;
    double number;
    if (n->type == NODE_MAP)
        return refuse(o, key, n, "is not a list of whole numbers", e);
    out->count = list ? n->count : 1;
    if (out->count > OPTION_INTS_MAX)
        return node_error(n, e, "%s: a list of %d numbers is too long; expected at most %d", key,
                          n->count, OPTION_INTS_MAX);
    for (int k = 0; k < out->count; k++) {
        int code = read_int(o, key, list ? n->item[k] : n, &number, e);
        if (code)
            return code;
        out->value[k] = (int64_t)number;
    }
    return 0;
}

int value_read(const struct option *o, const char *key, const struct node *n,
               const struct node *absent, struct option_value *v, struct err *e)
{
    char due[560];
    if (!n && option_default(o, v))
        return 0;
    if (!n) {
        expected(o, due, sizeof due);
        return node_error(absent, e, "%s: is missing; expected %s", key, due);
    }
    *v = (struct option_value){0};
    if (node_is_null(n))
        return refuse(o, key, n, "is no value", e);
    switch (o->type) {
    case OPTION_INT: return read_int(o, key, n, &v->number, e);
    case OPTION_REAL: return read_real(o, key, n, &v->number, e);
    case OPTION_TEXT: return read_text(o, key, n, &v->text, e);
    case OPTION_INT_LIST: return read_ints(o, key, n, &v->ints, e);
    case OPTION_PLAN: return read_plan(key, n, v, e);
    case OPTION_CHOICE:
    case OPTION_KIND: return read_choice(o, key, n, &v->number, e);
    case OPTION_BOOL: break;
    }
    bool truth;
    if (!node_is_bool(n, &truth))
        return refuse(o, key, n, "is not true or false", e);
    v->number = truth;
    return 0;
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
static void write_text(const struct option *o, const char *text, enum value_form form,
                       struct text *t)
{
    struct text place = {0};
    if (o->map) {
        text_append(t, text);
        return;
    }
    if (!o->file || !*text) {
        node_write_text(t, text);
        return;
    }
    if (form == VALUE_EXACT) {
        named_file_append_hash(t, text);
        return;
    }
    if (form == VALUE_HERE) {
        node_write_text(t, named_file_path(text));
        return;
    }
    named_file_append_place(&place, text);
    if (!place.failed)
        node_write_text(t, place.data);
    t->failed = t->failed || place.failed;
    text_close(&place);
}

static void write_plan(const struct option_value *v, enum value_form form, struct text *t)
{
    if (v->given)
        node_write(t, v->given);
    else if (v->number)
        plan_write(v->plan, form, t);
    else
        text_append(t, "none");
}

void value_write(const struct option *o, const struct option_value *v, enum value_form form,
                 struct text *t)
{
    char number[TEXT_NUMBER_MAX];
    switch (o->type) {
    case OPTION_INT: text_append_format(t, "%lld", (long long)v->number); break;
    case OPTION_REAL:
        if (form == VALUE_EXACT)
            text_append(t, text_from_double(number, v->number, 17));
        else
            node_write_number(t, v->number);
        break;
    case OPTION_BOOL: text_append(t, v->number != 0 ? "true" : "false"); break;
    case OPTION_TEXT: write_text(o, v->text, form, t); break;
    case OPTION_INT_LIST: write_ints(&v->ints, t); break;
    case OPTION_PLAN: write_plan(v, form, t); break;
    case OPTION_CHOICE:
    case OPTION_KIND: text_append(t, option_name(o, (int)v->number)); break;
    }
}

/* Axes and labels (label.h).
 *
 * A folder can hold several specs of one name: the same file with another --set, or edited.  What
 * one of them varies, and what differs between their bases, are axes of all of them, so that no two
 * groups of cells are shown as one. */
#include "report/label.h"

#include <string.h>

enum { VALUE_SIZE = 512 };

bool is_key(const char *s, const char *key)
{
    return key_covers(key, s) && (!s[strlen(key)] || strcmp(s + strlen(key), ".kind") == 0);
}

/* ---- axes -------------------------------------------------------------------------------------*/
struct seen { /* a key of some base, and its value there */
    const char *key, *value;
    bool differs;
};

struct merge {
    struct arena *arena;
    const char **axis;
    struct seen *seen;
    int axes, keys;
    struct err *e;
};

static int add_axis(struct merge *m, const char *key)
{
    for (int k = 0; k < m->axes; k++)
        if (is_key(key, m->axis[k]))
            return 0;
    if (memory_grow(m->axis, (size_t)m->axes + 1, m->e))
        return ERR_MEMORY;
    m->axis[m->axes++] = key;
    return 0;
}

static int see(void *context, const char *key, const char *value)
{
    struct merge *m = context;
    for (int k = 0; k < m->keys; k++)
        if (strcmp(m->seen[k].key, key) == 0) {
            m->seen[k].differs |= strcmp(m->seen[k].value, value) != 0;
            return 0;
        }
    if (memory_grow(m->seen, (size_t)m->keys + 1, m->e))
        return ERR_MEMORY;
    struct seen *next = &m->seen[m->keys++];
    *next = (struct seen){arena_text(m->arena, key, m->e), arena_text(m->arena, value, m->e), false};
    return next->key && next->value ? 0 : ERR_MEMORY;
}

/* The axes of specs [first, end), which have one name. */
static int merge_axes(struct results *r, int first, int end, struct merge *m)
{
    int code = 0;
    m->axes = m->keys = 0;
    for (int k = first; k < end; k++)
        for (int a = 0; !code && a < spec_axes(r->spec[k]); a++)
            code = add_axis(m, spec_axis(r->spec[k], a));
    for (int k = first; !code && end > first + 1 && k < end; k++)
        code = spec_base(r->spec[k], see, m, m->e);
    for (int k = 0; !code && k < m->keys; k++)
        if (m->seen[k].differs)
            code = add_axis(m, m->seen[k].key);
    const char **kept = code ? NULL : arena_alloc(&r->arena, (size_t)m->axes + 1, sizeof *kept, m->e);
    if (!kept)
        return code ? code : ERR_MEMORY;
    if (m->axes)
        memcpy(kept, m->axis, (size_t)m->axes * sizeof *kept);
    for (int k = first; k < end; k++)
        r->axes[k] = (struct axes){kept, m->axes};
    return 0;
}

int axes_open(struct results *r, struct err *e)
{
    struct merge m = {.arena = &r->arena, .e = e};
    int code = 0;
    r->axes = arena_alloc(&r->arena, (size_t)r->specs + 1, sizeof *r->axes, e);
    if (!r->axes)
        return ERR_MEMORY;
    for (int first = 0, end; !code && first < r->specs; first = end) {
        for (end = first + 1; end < r->specs; end++)
            if (strcmp(spec_name(r->spec[first]), spec_name(r->spec[end])) != 0)
                break;
        code = merge_axes(r, first, end, &m);
    }
    memory_free(m.axis);
    memory_free(m.seen);
    return code;
}

/* The spec's place in r; -1: it is not there. */
static int spec_index(const struct results *r, const struct spec *s)
{
    int k = r->specs - 1;
    while (k >= 0 && (strcmp(spec_name(r->spec[k]), spec_name(s)) != 0 ||
                      strcmp(spec_hash(r->spec[k]), spec_hash(s)) != 0))
        k--;
    return k;
}

static int compare_values(const char *a, const char *b)
{
    double x, y;
    if (text_to_double(a, &x) && text_to_double(b, &y) && (x < y || y < x))
        return x < y ? -1 : 1;
    return strcmp(a, b);
}

static int compare_bases(const struct spec *a, const struct spec *b, const struct axes *axes)
{
    char left[VALUE_SIZE], right[VALUE_SIZE];
    int order = strcmp(spec_name(a), spec_name(b));
    for (int k = 0; !order && k < axes->count; k++) {
        if (!spec_value(spec_cell(a, 0), axes->key[k], left, sizeof left))
            left[0] = '\0';
        if (!spec_value(spec_cell(b, 0), axes->key[k], right, sizeof right))
            right[0] = '\0';
        order = compare_values(left, right);
    }
    return order ? order : strcmp(spec_hash(a), spec_hash(b));
}

/* By insertion: there are few, and qsort would not hand the axes on. */
void axes_sort(struct results *r)
{
    for (int k = 1; k < r->specs; k++) {
        struct spec *s = r->spec[k];
        int at = k;
        for (; at > 0 && compare_bases(r->spec[at - 1], s, &r->axes[k]) > 0; at--)
            r->spec[at] = r->spec[at - 1];
        r->spec[at] = s;
    }
}

static void append_value(struct text *out, const char *value)
{
    if (*value && !strpbrk(value, " \t\n\"'\\")) {
        text_append(out, value);
        return;
    }
    text_append(out, "\"");
    for (; *value; value++)
        text_append_format(out, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    text_append(out, "\"");
}

void axes_append(struct text *out, const struct axes *axes, const struct cell *c,
                 const struct cell *but)
{
    char value[VALUE_SIZE], other[VALUE_SIZE];
    for (int k = 0; k < axes->count; k++) {
        const char *axis = axes->key[k];
        if (is_key(axis, "seed") || !spec_value(c, axis, value, sizeof value) ||
            (but && spec_value(but, axis, other, sizeof other)))
            continue;
        bool first = out->length == 0 || out->data[out->length - 1] == ' ';
        text_append_format(out, "%s%s=", first ? "" : " ", axis);
        append_value(out, value);
    }
    text_append(out, ""); /* so that there is a text, if an empty one */
}

static bool is_own_axis(const struct spec *s, const char *key)
{
    for (int k = 0; k < spec_axes(s); k++)
        if (strcmp(spec_axis(s, k), key) == 0)
            return true;
    return false;
}

/* "seed 7", "seeds 0..4", "seeds 0,2,5" */
static void append_seeds(struct text *out, const struct spec *s)
{
    const struct cell *first = spec_cell(s, 0), *last = first;
    int count = 0;
    struct text list = {0};
    while (count < spec_cells(s) && strcmp(spec_cell(s, count)->group, first->group) == 0) {
        last = spec_cell(s, count);
        text_append_format(&list, "%s%llu", count++ ? "," : "", (unsigned long long)last->task.seed);
    }
    bool run = count > 2 && last->task.seed - first->task.seed == (uint64_t)(count - 1);
    text_append(out, count > 1 ? "seeds " : "seed ");
    if (run)
        text_append_format(out, "%llu..%llu", (unsigned long long)first->task.seed,
                           (unsigned long long)last->task.seed);
    else
        text_append(out, list.data ? list.data : "");
    out->failed |= list.failed;
    text_close(&list);
}

/* "model.encoding=t5, train.steps=5" of what the spec says once, but its seeds. */
static void append_base(struct text *out, const struct spec *s, const struct axes *axes)
{
    char value[VALUE_SIZE];
    for (int k = 0; k < axes->count; k++) {
        if (is_own_axis(s, axes->key[k]) || is_key(axes->key[k], "seed") ||
            !spec_value(spec_cell(s, 0), axes->key[k], value, sizeof value))
            continue;
        size_t length = strlen(axes->key[k]), end = strlen(".kind");
        bool kind = length > end && strcmp(axes->key[k] + length - end, ".kind") == 0;
        text_append_format(out, "%s%.*s=", out->length > 0 ? ", " : "",
                           (int)(kind ? length - end : length), axes->key[k]);
        append_value(out, value);
    }
    text_append(out, ""); /* so that there is a text, if an empty one */
}

/* Its seeds if `other` is the same but for these, else its hash. */
static void append_difference(struct text *out, const struct spec *s, const struct spec *other)
{
    struct text own = {0}, seeds = {0};
    append_seeds(&own, s);
    append_seeds(&seeds, other);
    if (!own.failed && !seeds.failed && strcmp(own.data, seeds.data) != 0 &&
        strcmp(spec_cell(s, 0)->group, spec_cell(other, 0)->group) == 0)
        text_append(out, own.data);
    else
        text_append_format(out, "spec %.12s", spec_hash(s));
    out->failed |= own.failed || seeds.failed;
    text_close(&own);
    text_close(&seeds);
}

void axes_append_spec(struct text *out, const struct results *r, const struct spec *s)
{
    struct text own = {0}, other = {0}, more = {0};
    int index = spec_index(r, s);
    if (index >= 0)
        append_base(&own, s, &r->axes[index]);
    for (int k = 0; k < r->specs && index >= 0; k++) {
        if (k == index || strcmp(spec_name(r->spec[k]), spec_name(s)) != 0)
            continue;
        text_clear(&other);
        append_base(&other, r->spec[k], &r->axes[k]);
        bool twin = !own.failed && !other.failed && strcmp(own.data, other.data) == 0;
        if (!twin || (more.data && strncmp(more.data, "spec ", 5) == 0))
            continue;
        text_clear(&more);
        append_difference(&more, s, r->spec[k]);
    }
    text_append(out, own.data ? own.data : "");
    if (more.data)
        text_append_format(out, "%s%s", own.length > 0 ? ", " : "", more.data);
    out->failed |= own.failed || other.failed || more.failed;
    text_close(&own);
    text_close(&other);
    text_close(&more);
}

/* ---- labels -----------------------------------------------------------------------------------*/
bool axis_is_named(const char *axis)
{
    static const char *const named[] = {"seed",         "target",           "model.encoding",
                                        "model.attention", "space.length", "evaluate.lengths"};
    for (size_t k = 0; k < sizeof named / sizeof *named; k++)
        if (is_key(axis, named[k]))
            return true;
    return false;
}

/* 0 and none: a label lists what a line has. */
static bool axis_goes_unsaid(const char *value)
{
    return strcmp(value, "0") == 0 || strcmp(value, "none") == 0;
}

/* " name=value" of an axis that no name says. */
static void append_option(struct text *out, const struct summary_group *g, const char *axis,
                          const char *name)
{
    char value[VALUE_SIZE];
    if (!axis_is_named(axis) && spec_value(g->cell, axis, value, sizeof value) &&
        !axis_goes_unsaid(value))
        text_append_format(out, " %s=%s", name, value);
}

static bool is_left_out(const char *key, const char *const *except)
{
    for (; except && *except; except++)
        if (key_covers(*except, key))
            return true;
    return false;
}

void label_append_kind(struct text *out, const struct summary_group *g, const char *key,
                       const char *const *except)
{
    char value[VALUE_SIZE];
    if (spec_value(g->cell, key, value, sizeof value))
        text_append(out, value);
    for (int k = 0; k < g->axes->count; k++) {
        const char *axis = g->axes->key[k];
        if (key_covers(key, axis) && !is_key(axis, key) && !is_left_out(axis, except))
            append_option(out, g, axis, strrchr(axis, '.') + 1);
    }
}

void label_append(struct text *out, const struct summary_group *g, const char *const *except)
{
    static const char *const kind[] = {"target", "model.encoding", "model.attention"};
    enum { KINDS = sizeof kind / sizeof *kind };
    size_t start = out->length;
    for (int k = 0; k < KINDS; k++) {
        if (is_left_out(kind[k], except))
            continue;
        text_append(out, out->length > start ? " " : "");
        label_append_kind(out, g, kind[k], except);
    }
    for (int k = 0; k < g->axes->count; k++) {
        const char *axis = g->axes->key[k], *dot = strchr(axis, '.');
        bool said = is_left_out(axis, except);
        for (int m = 0; m < KINDS; m++)
            said |= key_covers(kind[m], axis);
        if (!said)
            append_option(out, g, axis, dot ? dot + 1 : axis);
    }
}

void label_append_line(struct text *out, const struct summary_group *g, bool lengths)
{
    char number[TEXT_NUMBER_MAX];
    label_append(out, g, NULL);
    if (lengths)
        text_append_format(out, " n=%s", length_text(number, g->length));
}

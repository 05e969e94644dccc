/* What tells the cells of one experiment apart (report.h).
 *
 * A folder can hold several specs of one name: the same file with another --set, or edited.  What
 * one of them varies, and what differs between their bases, are axes of all of them, so that no two
 * groups of cells are shown as one. */
#include <string.h>

#include "report/rows.h"

struct seen { /* a key of some base, and its value there */
    const char *key, *value;
    bool differs;
};

struct merge {
    struct arena *arena;
    const char **axis;
    int axes, axis_capacity;
    struct seen *seen;
    int keys, key_capacity;
    struct err *e;
};

static int add_axis(struct merge *m, const char *key)
{
    for (int k = 0; k < m->axes; k++)
        if (is_key(key, m->axis[k]))
            return 0;
    if (m->axes == m->axis_capacity) {
        int capacity = 2 * m->axis_capacity + 8;
        const char **grown = memory_resize(m->axis, (size_t)capacity, sizeof *grown, m->e);
        if (!grown)
            return ERR_MEMORY;
        m->axis = grown;
        m->axis_capacity = capacity;
    }
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
    if (m->keys == m->key_capacity) {
        int capacity = 2 * m->key_capacity + 64;
        struct seen *grown = memory_resize(m->seen, (size_t)capacity, sizeof *grown, m->e);
        if (!grown)
            return ERR_MEMORY;
        m->seen = grown;
        m->key_capacity = capacity;
    }
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

void axes_append(struct text *out, const struct axes *axes, const struct cell *c, bool seeds)
{
    char value[256];
    size_t start = out->length;
    for (int k = 0; k < axes->count; k++) {
        const char *axis = axes->key[k];
        bool seed = strcmp(axis, "seeds") == 0 || strcmp(axis, "seed") == 0;
        if (seed || !spec_value(c, axis, value, sizeof value))
            continue;
        text_append_format(out, "%s%s=%s", out->length > start ? " " : "", axis, value);
    }
    if (seeds)
        text_append_format(out, "%sseed=%llu", out->length > start ? " " : "",
                           (unsigned long long)c->task.seed);
}

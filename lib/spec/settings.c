/* What a cell says beyond the columns of results.csv: its settings that are no defaults, or that
 * vary. */
#include <string.h>

#include "spec/resolve.h"
#include "spec/spec.h"

/* Evaluated lengths are rows of their own. */
static bool has_column(const char *key)
{
    if (strcmp(key, "evaluate.lengths") == 0)
        return true;
    for (const struct column *c = column_table; c->name; c++)
        if (c->key && strcmp(c->key, key) == 0)
            return true;
    return false;
}

struct settings {
    struct text *out;
    size_t start;
    const char *const *axis; /* (axes) */
    int axes;
};

static bool varies(const struct settings *s, const char *key)
{
    for (int k = 0; k < s->axes; k++) {
        const char *rest = key + strlen(s->axis[k]);
        if (key_covers(s->axis[k], key) && (!*rest || !strcmp(rest, ".kind")))
            return true;
    }
    return false;
}

static int append_leaf(void *context, const struct leaf *leaf)
{
    const struct settings *s = context;
    bool said = varies(s, leaf->key) || !option_is_default(leaf->row, &leaf->value);
    if (has_column(leaf->key) || leaf->row->cosmetic || !said)
        return 0;
    text_append_format(s->out, "%s%s=", s->out->length > s->start ? "; " : "", leaf->key);
    value_write(leaf->row, &leaf->value, false, s->out);
    return 0;
}

void spec_cell_settings(const struct cell *c, const char *const *axis, int axes, struct text *out)
{
    struct settings s = {.out = out, .start = out->length, .axis = axis, .axes = axes};
    task_leaves(&c->task, append_leaf, &s);
}

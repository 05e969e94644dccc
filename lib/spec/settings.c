/* What a cell says beyond the columns of results.csv: its settings that are no defaults. */
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
};

static int append_leaf(void *context, const struct leaf *leaf)
{
    const struct settings *s = context;
    if (has_column(leaf->key) || leaf->row->cosmetic || option_is_default(leaf->row, &leaf->value))
        return 0;
    text_append_format(s->out, "%s%s=", s->out->length > s->start ? "; " : "", leaf->key);
    value_write(leaf->row, &leaf->value, false, s->out);
    return 0;
}

void spec_cell_settings(const struct cell *c, struct text *out)
{
    struct settings s = {.out = out, .start = out->length};
    task_leaves(&c->task, append_leaf, &s);
}

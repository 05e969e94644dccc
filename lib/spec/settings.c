/* What a cell says beyond the columns of results.csv: its settings that are no defaults. */
#include <string.h>

#include "spec/resolve.h"
#include "spec/spec.h"

struct settings {
    struct text *out, value, fallback;
    size_t start;
};

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

static bool is_default(struct settings *s, const struct leaf *leaf)
{
    struct value v;
    struct err ignored = {0};
    text_clear(&s->fallback);
    if (!leaf->row->fallback || value_read(leaf->row, leaf->key, NULL, NULL, &v, &ignored))
        return false;
    value_write(leaf->row, &v, false, &s->fallback);
    s->out->failed |= s->fallback.failed;
    return s->fallback.data && strcmp(s->fallback.data, s->value.data) == 0;
}

static int append_leaf(void *context, const struct leaf *leaf)
{
    struct settings *s = context;
    if (has_column(leaf->key) || leaf->row->cosmetic)
        return 0;
    text_clear(&s->value);
    value_write(leaf->row, &leaf->value, false, &s->value);
    s->out->failed |= s->value.failed;
    if (s->out->failed || is_default(s, leaf))
        return 0;
    text_append_format(s->out, "%s%s=%s", s->out->length > s->start ? "; " : "", leaf->key,
                       s->value.data);
    return 0;
}

void spec_cell_settings(const struct cell *c, struct text *out)
{
    struct settings s = {.out = out, .start = out->length};
    for (int id = 0; id < SECTION_COUNT; id++)
        section_leaves((enum section_id)id,
                       (const char *)&c->task + section_table[id].offset, append_leaf, &s);
    text_close(&s.value);
    text_close(&s.fallback);
}

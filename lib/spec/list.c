/* The keys as others see them: one by one, the value of one in a cell, and what a cell sets beyond
 * the columns of results.csv. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/named_file.h"
#include "spec/plan.h"
#include "spec/resolve.h"

#define TOP(name, standard, kind, text)                                                            \
    {{.key = name, .type = OPTION_TEXT, .fallback = standard, .cosmetic = true,                    \
      .help = text}, kind}

/* Rows that no section has; they describe what document.c and claims.c read. */
static const struct {
    struct option option;
    const char *type; /* NULL: the option's */
} top[] = {
    TOP("name", "the file's name", NULL, "names the results' folder"),
    {{.key = "seeds", .type = OPTION_INT_LIST, .min = 0, .max = 9007199254740992.0,
      .fallback = "1",
      .help = "how many (3: seeds 0, 1, 2), or a list of distinct numbers"}, NULL},
    TOP("grid", "none", "map of lists",
        "Cartesian product: a list of values for each dotted key, model.width: [32, 64]"),
    TOP("cases", "none", "list of maps",
        "dotted keys that change together, a map for each case; times the grid"),
    TOP("except", "none", "list of maps",
        "combinations of grid and cases that are left out: keys, each with a value or a list of any of which"),
    TOP("claims", "none", "list of maps", "what must hold; one that fails makes the exit status 1"),
    TOP("claims.where", "all rows", "map",
        "rows that the claim is about: a value, or a list of any of which, for keys and columns"),
    TOP("claims.pair", "none", "map",
        "{KEY: [A, B]}: expect is about figures of A minus those of B, cell by cell of one seed"),
    TOP("claims.expect", NULL, "map",
        "of columns: a value, a comparison such as \"<= 0.02\", or a list of them"),
    TOP("claims.on", "run", "run | bound | witness", "the command that judges the claim"),
    TOP("figures", "all", "list of names", "those that have data, of `urpe-probe list figures`"),
};
enum { TOP_COUNT = sizeof top / sizeof top[0] };

struct listing {
    struct spec_key *item;
    int count;
};

static int add_key(struct listing *l, const char *key, const struct option *row, const char *type,
                   const char *kind, struct err *e)
{
    if (memory_grow(l->item, (size_t)l->count + 1, e))
        return ERR_MEMORY;
    struct spec_key *one = &l->item[l->count++];
    *one = (struct spec_key){.option = row, .type = type, .kind = kind};
    snprintf(one->key, sizeof one->key, "%s", key);
    return 0;
}

static int add_kinds(struct listing *l, const char *above, const struct kind_table *kinds,
                     struct err *e)
{
    int code = 0;
    for (int kind = 0; kind < kinds->count; kind++) {
        const struct option *row = kinds->options(kind);
        for (; row && row->key && code == 0; row++) {
            char key[KEY_TEXT];
            snprintf(key, sizeof key, "%.48s.%.46s", above, row->key);
            code = add_key(l, key, row, NULL, kinds->name(kind), e);
        }
    }
    return code;
}

int spec_keys(struct spec_key **out, int *count, struct err *e)
{
    struct listing l = {0};
    char key[KEY_TEXT];
    int code = 0;
    for (int k = 0; k < TOP_COUNT && code == 0; k++)
        code = add_key(&l, top[k].option.key, &top[k].option, top[k].type, NULL, e);
    for (int id = 0; id < SECTION_COUNT; id++)
        for (const struct option *row = section_table[id].options; row->key && code == 0; row++) {
            section_key((enum section_id)id, row, key);
            code = add_key(&l, key, row, NULL, NULL, e);
            if (row->type == OPTION_KIND && code == 0)
                code = add_kinds(&l, key, row->kinds, e);
        }
    if (code)
        memory_free(l.item);
    *out = code ? NULL : l.item;
    *count = l.count;
    return code;
}

/* ---- values -----------------------------------------------------------------------------------*/

/* More than the longest value, a list of OPTION_INTS_MAX numbers of 20 digits. */
enum { VALUE_MAX = 24 * OPTION_INTS_MAX };

struct request {
    const char *key;
    struct text text;
};

static const char *shown_text(const struct leaf *leaf)
{
    const char *text = leaf->row->file ? named_file_path(leaf->value.text) : leaf->value.text;
    const char *slash = leaf->row->file ? strrchr(text, '/') : NULL;
    return slash ? slash + 1 : text;
}

/* 1 when this is the leaf asked for: "X" and "X.kind" name the same one. */
static int match_leaf(void *context, const struct leaf *leaf)
{
    struct request *r = context;
    size_t length = strlen(r->key);
    if (strncmp(leaf->key, r->key, length) != 0)
        return 0;
    if (leaf->key[length] && strcmp(leaf->key + length, ".kind") != 0)
        return 0;
    if (leaf->row->type == OPTION_PLAN)
        plan_show(leaf->value.plan, &r->text);
    else if (leaf->row->type == OPTION_TEXT)
        text_append(&r->text, shown_text(leaf));
    else
        value_write(leaf->row, &leaf->value, VALUE_STORED, &r->text);
    return 1;
}

/* Allocates nothing: that a key has no value must not be a matter of memory. */
bool spec_value(const struct cell *c, const char *key, char *out, size_t size)
{
    char value[VALUE_MAX] = "";
    struct request r = {.key = key,
                        .text = {.data = value, .capacity = sizeof value, .fixed = true}};
    bool found = false;
    if (!strcmp(key, "seed") || !strcmp(key, "seeds")) {
        snprintf(out, size, !strcmp(key, "seed") ? "%llu" : "[%llu]",
                 (unsigned long long)c->task.seed);
        return true;
    }
    for (int id = 0; id < SECTION_COUNT && !found; id++)
        if (key_covers(section_table[id].name, key))
            found = section_leaves((enum section_id)id, &c->task, match_leaf, &r) == 1;
    assert(!r.text.failed);
    if (found)
        snprintf(out, size, "%s", value);
    return found;
}

/* ---- settings ---------------------------------------------------------------------------------*/

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
    if (!said || leaf->row->cosmetic || has_column(leaf->key)) /* dear last */
        return 0;
    text_append_format(s->out, "%s%s=", s->out->length > s->start ? "; " : "", leaf->key);
    if (leaf->row->type == OPTION_PLAN)
        plan_show(leaf->value.plan, s->out);
    else
        value_write(leaf->row, &leaf->value, VALUE_STORED, s->out);
    return 0;
}

void spec_cell_settings(const struct cell *c, const char *const *axis, int axes, struct text *out)
{
    struct settings s = {.out = out, .start = out->length, .axis = axis, .axes = axes};
    task_leaves(&c->task, append_leaf, &s);
}

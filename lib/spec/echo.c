/* Resolved specs as YAML.  Invariant: what is written here reads back to the same cells, with the
 * same ids, and to the same text.
 *
 * A spec's base is written with --set already applied, and so is every value of the cases and of
 * the grid; options of a kind that the grid or the cases may change are written only where given,
 * since another kind would refuse them. */
#include <stdio.h>
#include <string.h>

#include "spec/document.h"
#include "spec/resolve.h"

/* ---- values as a tree -------------------------------------------------------------------------*/

struct entry {
    char key[KEY_TEXT + 8]; /* a leaf, a kind as "X.kind" */
    size_t value;           /* where its text begins in `values` */
};
struct entries { /* neighbours in one section or group stand side by side */
    struct entry *item;
    int count;
    struct text values;
    struct err *e;
};

static int add_entry(struct entries *list, const char *key, const struct option *row,
                     const struct option_value *v)
{
    if (memory_grow(list->item, (size_t)list->count + 1, list->e))
        return ERR_MEMORY;
    struct entry *one = &list->item[list->count++];
    snprintf(one->key, sizeof one->key, "%s", key);
    one->value = list->values.length;
    value_write(row, v, false, &list->values);
    text_append_bytes(&list->values, "", 1);
    return text_check(&list->values, list->e);
}

static void close_entries(struct entries *list)
{
    memory_free(list->item);
    text_close(&list->values);
}

/* The end of the run of entries whose keys begin like entry k's, up to the dot at `length`. */
static int run_end(const struct entries *list, int k, int end, size_t length)
{
    int other = k + 1;
    while (other < end && !strncmp(list->item[other].key, list->item[k].key, length) &&
           list->item[other].key[length] == '.')
        other++;
    return other;
}

/* Entries [k, end) as one flow value, their keys read from byte `from` on.  Recursion is as deep as
 * keys have dots. */
static void write_flow(const struct entries *list, int k, int end, size_t from, struct text *out)
{
    const char *first = list->item[k].key;
    if (end == k + 1 && (!first[from - 1] || !strcmp(first + from, "kind"))) {
        text_append(out, list->values.data + list->item[k].value);
        return;
    }
    text_append(out, "{");
    for (int next; k < end; k = next) {
        const char *key = list->item[k].key + from;
        size_t length = strcspn(key, ".");
        next = run_end(list, k, end, from + length);
        text_append_format(out, "%.*s: ", (int)length, key);
        write_flow(list, k, next, from + length + 1, out);
        text_append(out, next < end ? ", " : "");
    }
    text_append(out, "}");
}

/* All entries as sections: a block map of flow values each. */
static void write_sections(const struct entries *list, struct text *out)
{
    for (int k = 0, end; k < list->count; k = end) {
        size_t section = strcspn(list->item[k].key, ".");
        end = run_end(list, k, list->count, section);
        text_append_format(out, "%.*s:\n", (int)section, list->item[k].key);
        for (int next; k < end; k = next) {
            const char *key = list->item[k].key + section + 1;
            size_t length = strcspn(key, ".");
            next = run_end(list, k, end, section + 1 + length);
            text_append_format(out, "  %.*s: ", (int)length, key);
            write_flow(list, k, next, section + 1 + length + 1, out);
            text_append(out, "\n");
        }
    }
}

/* ---- a cell -----------------------------------------------------------------------------------*/

static int add_leaf(void *context, const struct leaf *leaf)
{
    return leaf->unsaid ? 0 : add_entry(context, leaf->key, leaf->row, &leaf->value);
}

int spec_cell_text(const struct cell *c, const char *name, struct text *out, struct err *e)
{
    struct entries list = {.e = e};
    int code = task_leaves(&c->task, add_leaf, &list);
    if (code == 0) {
        text_append(out, "name: ");
        node_write_text(out, name);
        text_append_format(out, "\nseeds: [%llu]\n", (unsigned long long)c->task.seed);
        write_sections(&list, out);
        code = text_check(out, e);
    }
    close_entries(&list);
    return code;
}

/* ---- a spec's base ----------------------------------------------------------------------------*/

/* Whether the kind in a slot can differ between cells. */
static bool kind_changes(const struct spec *s, int slot)
{
    for (int k = 0; k < s->layers.count; k++) {
        bool base = k >= s->base.first && k < s->base.first + s->base.count;
        bool set = k >= s->set_layer.first && k < s->set_layer.first + s->set_layer.count;
        if (!base && !set && s->layers.item[k].slot == slot)
            return true;
    }
    return false;
}

/* The row that reads a slot: of the kind in `state`, else of any kind that has it. */
static const struct option *row_of(const struct spec *s, const struct node *const *state, int slot,
                                   bool *present)
{
    const struct slot *own = &s->keys.slot[slot];
    struct option_value kind;
    struct err ignored = {0};
    *present = true;
    if (own->type != SLOT_OWN)
        return own->row;
    const struct option *row = NULL;
    if (value_read(own->row, own->key, state[own->kind_slot], &s->start, &kind, &ignored) == 0)
        row = kind_row(own->row->kinds, (int)kind.number, own->own);
    *present = row != NULL;
    return row ? row : kind_row_any(own->row->kinds, own->own);
}

/* Whether a row without a value of its own matters to the base, as far as one can tell. */
static bool applies(const struct spec *s, const struct node *const *state, int slot)
{
    const struct slot *here = &s->keys.slot[slot];
    struct task task = {0};
    struct err ignored = {0};
    char *owner = (char *)&task + section_table[here->section].offset;
    if (!here->row->applies && !here->row->needs)
        return true;
    return section_resolve(&s->keys, here->section, state, &s->start, owner, &ignored) == 0 &&
           row_applies(section_table[here->section].options, here->row, owner);
}

static int add_slot_entry(struct entries *list, const struct spec *s, int slot,
                          const struct option *row, const struct node *n)
{
    const struct slot *here = &s->keys.slot[slot];
    char key[KEY_TEXT + 8];
    struct option_value v;
    snprintf(key, sizeof key, "%s%s", here->key, here->type == SLOT_KIND ? ".kind" : "");
    int code = value_read(row, here->key, n, &s->start, &v, list->e);
    return code ? code : add_entry(list, key, row, &v);
}

/* What the base gives a value; quiet: keys that are left out of a resolved spec at their default
 * too. */
static int base_entries(const struct spec *s, const struct node *const *state, bool quiet,
                        struct entries *list)
{
    int code = 0;
    for (int k = 0; k < s->keys.count && code == 0; k++) {
        const struct slot *slot = &s->keys.slot[k];
        bool present;
        const struct option *row = row_of(s, state, k, &present);
        bool shown = state[k] != NULL;
        if (!shown && slot->type == SLOT_OWN)
            shown = present && row->fallback && !kind_changes(s, slot->kind_slot) &&
                    applies(s, state, slot->kind_slot);
        else if (!shown)
            shown = row->fallback && (quiet || !row->quiet) && applies(s, state, k);
        if (shown)
            code = add_slot_entry(list, s, k, row, state[k]);
    }
    return code;
}

/* ---- grid and cases ---------------------------------------------------------------------------*/

/* `key: value` for what a layer assigns, --set applied: appends the value. */
static int write_layer(const struct spec *s, const struct node *const *base, const char *key,
                       struct layer layer, struct text *out, struct err *e)
{
    struct entries list = {.e = e};
    int code = 0;
    const struct node **state = memory_alloc((size_t)s->keys.count, sizeof *state, e);
    bool *touched = memory_alloc((size_t)s->keys.count, sizeof *touched, e);
    if (!state || !touched)
        code = ERR_MEMORY;
    if (code == 0) {
        memcpy(state, base, (size_t)s->keys.count * sizeof *state);
        layer_apply(&s->layers, layer, state);
        layer_apply(&s->layers, s->set_layer, state);
        for (int k = layer.first; k < layer.first + layer.count; k++)
            touched[s->layers.item[k].slot] = true;
    }
    for (int k = 0; k < s->keys.count && code == 0; k++) {
        bool present;
        if (touched[k] && state[k])
            code = add_slot_entry(&list, s, k, row_of(s, state, k, &present), state[k]);
    }
    if (code == 0 && list.count == 0)
        text_append(out, "{}");
    else if (code == 0)
        write_flow(&list, 0, list.count, strlen(key) + 1, out);
    close_entries(&list);
    memory_free(touched);
    memory_free(state);
    return code;
}

/* Values that --set has made equal are written once: twice they would be refused. */
static int write_axis(const struct spec *s, const struct node *const *base,
                      const struct axis *axis, struct text *out, struct err *e)
{
    struct text seen = {0}, one = {0}; /* "\nVALUE\nVALUE\n"; "\nVALUE\n" */
    bool compare = s->set_layer.count && axis->count <= REPEATED_MAX;
    int code = 0;
    text_append_format(out, "  %s: [", axis->key->text);
    text_append(&seen, "\n");
    for (int v = 0; v < axis->count && code == 0; v++) {
        text_clear(&one);
        text_append(&one, "\n");
        code = write_layer(s, base, axis->key->text, axis->value[v], &one, e);
        text_append(&one, "\n");
        code = code ? code : text_check(&one, e);
        if (code || (compare && strstr(seen.data, one.data)))
            continue;
        text_append_bytes(out, ", ", v ? 2 : 0);
        text_append_bytes(out, one.data + 1, one.length - 2);
        text_append(&seen, compare ? one.data + 1 : "");
        code = text_check(&seen, e);
    }
    text_append(out, "]\n");
    text_close(&one);
    text_close(&seen);
    return code;
}

static int write_grid(const struct spec *s, const struct node *const *base, struct text *out,
                      struct err *e)
{
    int code = 0;
    text_append(out, s->axes ? "grid:\n" : "");
    for (int a = 0; a < s->axes && code == 0; a++)
        code = write_axis(s, base, &s->axis[a], out, e);
    return code;
}

static int write_cases(const struct spec *s, const struct node *const *base, struct text *out,
                       struct err *e)
{
    int code = 0;
    if (s->cases == 1 && s->set_of[0].count == 0)
        return 0;
    text_append(out, "cases:\n");
    for (int c = 0; c < s->cases; c++) {
        text_append(out, "  - {");
        for (int k = 0; k < s->set_of[c].count && code == 0; k++) {
            const struct case_key *one = &s->case_key[s->set_of[c].first + k];
            text_append_format(out, "%s%s: ", k ? ", " : "", one->key->text);
            code = write_layer(s, base, one->key->text, one->layer, out, e);
        }
        text_append(out, "}\n");
    }
    return code;
}

/* ---- the whole --------------------------------------------------------------------------------*/

static void write_seeds(const struct spec *s, struct text *out)
{
    bool counted = true;
    for (int k = 0; k < s->seeds; k++)
        counted = counted && s->seed[k] == k;
    if (counted) {
        text_append_format(out, "seeds: %d\n", s->seeds);
        return;
    }
    for (int k = 0; k < s->seeds; k++)
        text_append_format(out, "%s%lld", k ? ", " : "seeds: [", (long long)s->seed[k]);
    text_append(out, "]\n");
}

/* A list of the document, item by item. */
static void write_list(const struct spec *s, const char *key, struct text *out)
{
    const struct node *n = document_find(s, key);
    if (!n || n->count == 0)
        return;
    text_append_format(out, "%s:\n", key);
    for (int k = 0; k < n->count; k++) {
        text_append(out, "  - ");
        node_write(out, n->item[k]);
        text_append(out, "\n");
    }
}

static int write_spec(const struct spec *s, const struct node *const *base, struct text *out,
                      struct err *e)
{
    struct entries list = {.e = e};
    int code = base_entries(s, base, false, &list);
    text_append(out, "name: ");
    node_write_text(out, s->name);
    text_append(out, "\n");
    write_seeds(s, out);
    if (code == 0)
        write_sections(&list, out);
    close_entries(&list);
    if (code == 0)
        code = write_cases(s, base, out, e);
    if (code == 0)
        code = write_grid(s, base, out, e);
    write_list(s, "claims", out);
    write_list(s, "figures", out);
    return code ? code : text_check(out, e);
}

/* What the base says, --set applied; memory_free. */
static const struct node **base_state(const struct spec *s, struct err *e)
{
    const struct node **base = memory_alloc((size_t)s->keys.count, sizeof *base, e);
    if (!base)
        return NULL;
    layer_apply(&s->layers, s->base, base);
    layer_apply(&s->layers, s->set_layer, base);
    return base;
}

int spec_base(const struct spec *s, int (*each)(void *context, const char *key, const char *value),
              void *context, struct err *e)
{
    struct entries list = {.e = e};
    const struct node **base = base_state(s, e);
    int code = base ? base_entries(s, base, true, &list) : ERR_MEMORY;
    for (int k = 0; k < list.count && code == 0; k++)
        code = each(context, list.item[k].key, list.values.data + list.item[k].value);
    close_entries(&list);
    memory_free(base);
    return code;
}

int spec_text(const struct spec *s, struct text *out, struct err *e)
{
    const struct node **base = base_state(s, e);
    if (!base)
        return ERR_MEMORY;
    int code = write_spec(s, base, out, e);
    memory_free(base);
    return code;
}

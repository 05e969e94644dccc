/* Resolved specs as YAML.  Invariant: what is written here reads back to the same cells, with the
 * same ids, and to the same text.
 *
 * A spec's base is written with --set already applied, and so is every value of the cases and of
 * the grid; options of a kind that the grid or the cases may change are written only where given,
 * since another kind would refuse them. */
#include <stdio.h>
#include <string.h>

#include "spec/document.h"
#include "spec/preset.h"
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
    enum value_form form;
    bool preset; /* a cell that has one says all keys of its model, since another value than the default
                  * might come from there */
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
    value_write(row, v, list->form, &list->values);
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
    const struct entries *list = context;
    bool said = list->preset && key_covers("model", leaf->key);
    return leaf->unsaid && !said ? 0 : add_entry(context, leaf->key, leaf->row, &leaf->value);
}

int spec_cell_text(const struct cell *c, const char *name, struct text *out, struct err *e)
{
    struct entries list = {.form = VALUE_STORED, .preset = c->task.model.preset != 0, .e = e};
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

struct echo {
    const struct spec *spec;
    const struct node *base[SLOTS_MAX], *state[SLOTS_MAX]; /* the latter of the layer at hand */
    struct entries list;
    struct text *out;
    struct err *e;
};

/* The row that reads a slot: of the kind in `state`, or NULL where that has none. */
static const struct option *row_of(const struct spec *s, const struct node *const *state, int slot)
{
    const struct slot *own = &s->keys.slot[slot];
    struct option_value kind;
    struct err ignored = {0};
    if (own->type != SLOT_OWN)
        return own->row;
    if (value_read(s->keys.slot[own->kind_slot].row, own->key, state[own->kind_slot], &s->start,
                   &kind, &ignored))
        return NULL;
    return kind_row(own->kinds, (int)kind.number, own->row->key);
}

static int add_slot_entry(struct echo *x, const struct node *const *state, int slot)
{
    const struct slot *here = &x->spec->keys.slot[slot];
    const struct option *row = row_of(x->spec, state, slot);
    char key[KEY_TEXT + 8];
    struct option_value v;
    row = row ? row : here->row;
    snprintf(key, sizeof key, "%s%s", here->key, here->type == SLOT_KIND ? ".kind" : "");
    int code = value_read(row, here->key, state[slot], &x->spec->start, &v, x->e);
    return code ? code : add_entry(&x->list, key, row, &v);
}

/* Whether a slot that the base gives no value shows its default.  owner: the section, as far as the
 * base alone says what it is, or NULL; quiet: shown even where a resolved spec leaves it out. */
static bool shows_default(const struct echo *x, int slot, const void *owner, bool quiet)
{
    const struct spec *s = x->spec;
    const struct slot *here = &s->keys.slot[slot];
    const struct slot *outer = here->type == SLOT_OWN ? &s->keys.slot[here->kind_slot] : here;
    const struct option *row = row_of(s, x->base, slot);
    if (!row || !row->fallback || (row->quiet && !quiet))
        return false;
    if (outer != here && outer->varies)
        return false; /* another kind would refuse it */
    if (preset_gives(s, slot) || preset_gives(s, outer == here ? slot : here->kind_slot))
        return false; /* the preset's value, not this */
    return owner ? row_applies(section_table[here->section].options, outer->row, owner)
                 : !outer->row->applies && !outer->row->needs;
}

/* Whether a value that the base gives was meant for what --set has replaced, and nothing brings back:
 * a length, where the space is a graph now.  Read again, it would be refused. */
static bool is_idle(const struct echo *x, int slot, const void *owner)
{
    const struct spec *s = x->spec;
    const struct slot *here = &s->keys.slot[slot];
    if (!s->set_layer.count || !owner || here->type != SLOT_ROW || !here->row->applies ||
        here->row->applies(owner))
        return false;
    for (int k = s->keys.first[here->section]; k < s->keys.first[here->section + 1]; k++)
        if (s->keys.slot[k].type == SLOT_KIND && s->keys.slot[k].varies)
            return false;
    return true;
}

/* What the base gives a value.  quiet: also keys that a resolved spec leaves out at their default. */
static int base_entries(struct echo *x, bool quiet)
{
    const struct keys *keys = &x->spec->keys;
    int code = 0;
    for (int id = 0; id < SECTION_COUNT && code == 0; id++) {
        struct task task = {0};
        struct err ignored = {0};
        char *owner = (char *)&task + section_table[id].offset;
        if (section_resolve(keys, (enum section_id)id, x->base, &x->spec->start, owner, &ignored))
            owner = NULL;
        for (int k = keys->first[id]; k < keys->first[id + 1] && code == 0; k++)
            if (x->base[k] ? !is_idle(x, k, owner) : shows_default(x, k, owner, quiet))
                code = add_slot_entry(x, x->base, k);
    }
    return code;
}

/* ---- grid and cases ---------------------------------------------------------------------------*/

/* What a layer assigns below `key`, --set applied. */
static int write_layer(struct echo *x, const char *key, struct layer layer, struct text *out)
{
    const struct spec *s = x->spec;
    bool touched[SLOTS_MAX] = {false};
    int code = 0;
    memcpy(x->state, x->base, sizeof x->state);
    layer_apply(&s->layers, layer, x->state);
    layer_apply(&s->layers, s->set_layer, x->state);
    for (int k = layer.first; k < layer.first + layer.count; k++)
        touched[s->layers.item[k].slot] = true;
    x->list.count = 0;
    text_clear(&x->list.values);
    for (int k = 0; k < s->keys.count && code == 0; k++)
        if (touched[k] && x->state[k])
            code = add_slot_entry(x, x->state, k);
    if (code == 0 && x->list.count == 0)
        text_append(out, "{}");
    else if (code == 0)
        write_flow(&x->list, 0, x->list.count, strlen(key) + 1, out);
    return code;
}

/* Values that --set has made equal are written once: twice they would be refused. */
static int write_axis(struct echo *x, const struct axis *axis)
{
    struct text seen = {0}, one = {0}; /* "\nVALUE\nVALUE\n"; "\nVALUE\n" */
    bool compare = x->spec->set_layer.count && axis->count <= REPEATED_MAX;
    int code = 0;
    text_append_format(x->out, "  %s: [", axis->key->text);
    text_append(&seen, "\n");
    for (int v = 0; v < axis->count && code == 0; v++) {
        text_clear(&one);
        text_append(&one, "\n");
        code = write_layer(x, axis->key->text, axis->value[v], &one);
        text_append(&one, "\n");
        code = code ? code : text_check(&one, x->e);
        if (code || (compare && strstr(seen.data, one.data)))
            continue;
        text_append_bytes(x->out, ", ", v ? 2 : 0);
        text_append_bytes(x->out, one.data + 1, one.length - 2);
        text_append(&seen, compare ? one.data + 1 : "");
        code = text_check(&seen, x->e);
    }
    text_append(x->out, "]\n");
    text_close(&one);
    text_close(&seen);
    return code;
}

static int write_grid(struct echo *x)
{
    int code = 0;
    text_append(x->out, x->spec->axes ? "grid:\n" : "");
    for (int a = 0; a < x->spec->axes && code == 0; a++)
        code = write_axis(x, &x->spec->axis[a]);
    return code;
}

static int write_cases(struct echo *x)
{
    const struct spec *s = x->spec;
    int code = 0;
    if (s->cases == 1 && s->set_of[0].keys == 0)
        return 0;
    text_append(x->out, "cases:\n");
    for (int c = 0; c < s->cases; c++) {
        text_append(x->out, "  - {");
        for (int k = 0; k < s->set_of[c].keys && code == 0; k++) {
            const struct case_key *one = &s->set_of[c].key[k];
            text_append_format(x->out, "%s%s: ", k ? ", " : "", one->key->text);
            code = write_layer(x, one->key->text, one->layer, x->out);
        }
        text_append(x->out, "}\n");
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

static int write_spec(struct echo *x)
{
    int code = base_entries(x, false);
    text_append(x->out, "name: ");
    node_write_text(x->out, x->spec->name);
    text_append(x->out, "\n");
    write_seeds(x->spec, x->out);
    if (code == 0)
        write_sections(&x->list, x->out);
    if (code == 0)
        code = write_cases(x);
    if (code == 0)
        code = write_grid(x);
    write_list(x->spec, "except", x->out);
    write_list(x->spec, "claims", x->out);
    write_list(x->spec, "figures", x->out);
    return code ? code : text_check(x->out, x->e);
}

static struct echo *open_echo(const struct spec *s, enum value_form form, struct text *out,
                              struct err *e)
{
    struct echo *x = memory_alloc(1, sizeof *x, e);
    if (!x)
        return NULL;
    *x = (struct echo){.spec = s, .list = {.form = form, .e = e}, .out = out, .e = e};
    layer_apply(&s->layers, s->base, x->base);
    layer_apply(&s->layers, s->set_layer, x->base);
    return x;
}

static void close_echo(struct echo *x)
{
    if (x)
        close_entries(&x->list);
    memory_free(x);
}

int spec_base(const struct spec *s, int (*each)(void *context, const char *key, const char *value),
              void *context, struct err *e)
{
    struct echo *x = open_echo(s, VALUE_STORED, NULL, e);
    int code = x ? base_entries(x, true) : ERR_MEMORY;
    for (int k = 0; code == 0 && k < x->list.count; k++)
        code = each(context, x->list.item[k].key, x->list.values.data + x->list.item[k].value);
    close_echo(x);
    return code;
}

static int echo(const struct spec *s, enum value_form form, struct text *out, struct err *e)
{
    struct echo *x = open_echo(s, form, out, e);
    int code = x ? write_spec(x) : ERR_MEMORY;
    close_echo(x);
    return code;
}

int spec_text(const struct spec *s, struct text *out, struct err *e)
{
    return echo(s, VALUE_STORED, out, e);
}

int spec_text_here(const struct spec *s, struct text *out, struct err *e)
{
    return echo(s, VALUE_HERE, out, e);
}

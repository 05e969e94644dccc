/* --set KEY=VALUE, as edits of the document before anything in it is checked.
 *
 * Invariant: after a --set nothing in the document speaks of KEY or of a key below it, except the
 * --set itself (in s->set, or as an axis of the grid), the cases that it chose, and the sections,
 * whose values document_read gives up for those in s->set. */
#include <stdio.h>
#include <string.h>

#include "spec/document.h"

/* ---- grid and cases ---------------------------------------------------------------------------*/

static struct node *part_of(struct spec *s, const char *key, enum node_type type)
{
    int found = node_find(s->root, key);
    return found >= 0 && s->root->item[found]->type == type ? s->root->item[found] : NULL;
}

/* Removes KEY and what lies below it from a map of dotted keys, or all but KEY itself. */
static void remove_covered(struct node *map, const char *key, bool but_itself)
{
    for (int k = map->count - 1; k >= 0; k--)
        if (key_covers(key, map->key[k]->text) &&
            !(but_itself && !strcmp(key, map->key[k]->text)))
            node_remove(map, k);
}

/* Flattens what a case says of KEY and below; false when it says nothing or nothing sensible. */
static bool case_layer(struct layers *l, const struct node *one, const char *key,
                       struct layer *out)
{
    struct err ignored = {0};
    bool given = false, fine = true;
    out->first = l->count;
    for (int k = 0; one->type == NODE_MAP && k < one->count; k++)
        if (key_covers(key, one->key[k]->text)) {
            given = true;
            fine = fine && layer_assign(l, one->key[k]->text, one->key[k], one->item[k],
                                        &ignored) == 0;
        }
    out->count = l->count - out->first;
    return given && fine;
}

struct choice { /* the values that a --set gives KEY: one, or the items of a list */
    const char *key;
    struct node *const *value;
    int count;
    bool *found; /* (count) in some case */
};

/* Whether a case gives KEY one of the chosen values; marks which. */
static bool case_chosen(struct layers *l, const struct node *one, const struct choice *c)
{
    struct layer given, wanted;
    bool chosen = false;
    int mark = l->count;
    if (case_layer(l, one, c->key, &given))
        for (int v = 0; v < c->count; v++) {
            struct err ignored = {0};
            wanted.first = l->count;
            if (layer_assign(l, c->key, c->value[v], c->value[v], &ignored) == 0) {
                wanted.count = l->count - wanted.first;
                if (layer_same(l, given, wanted))
                    chosen = c->found[v] = true;
            }
            l->count = wanted.first;
        }
    l->count = mark;
    return chosen;
}

static bool gives(const struct node *one, const char *key)
{
    for (int k = 0; one->type == NODE_MAP && k < one->count; k++)
        if (key_covers(key, one->key[k]->text))
            return true;
    return false;
}

/* Cases that give KEY keep only those with a chosen value, or lose KEY unless every chosen value is
 * in some case.  *kept tells which of the two happened. */
static int edit_cases(struct spec *s, const struct choice *c, bool *kept, struct err *e)
{
    struct node *cases = part_of(s, "cases", NODE_LIST);
    *kept = false;
    if (!cases || cases->count == 0)
        return 0;
    struct layers pool = {.keys = &s->keys};
    bool *chosen = memory_alloc((size_t)cases->count, sizeof *chosen, e);
    if (!chosen)
        return ERR_MEMORY;
    for (int k = 0; k < cases->count; k++)
        chosen[k] = case_chosen(&pool, cases->item[k], c);
    *kept = true;
    for (int v = 0; v < c->count; v++)
        *kept = *kept && c->found[v];
    for (int k = cases->count - 1; k >= 0; k--) {
        if (*kept && !chosen[k] && gives(cases->item[k], c->key))
            node_remove(cases, k);
        else if (!*kept && cases->item[k]->type == NODE_MAP)
            remove_covered(cases->item[k], c->key, false);
    }
    memory_free(chosen);
    layers_close(&pool);
    return 0;
}

/* Puts an axis in the grid, in the place of one on the same key. */
static int put_axis(struct spec *s, const char *key, struct node *list, struct err *e)
{
    struct node *grid = part_of(s, "grid", NODE_MAP);
    if (!grid) {
        grid = node_new(NODE_MAP, list, &s->arena, e);
        if (!grid || node_put(s->root, "grid", grid, &s->arena, e))
            return ERR_MEMORY;
    }
    return node_put(grid, key, list, &s->arena, e);
}

/* ---- one --set --------------------------------------------------------------------------------*/

/* A list for a key that takes one value; for one that takes a list, a list of lists, and for a plan,
 * a list of maps, anything else. */
static bool makes_axis(const struct spec *s, int slot, enum key_type type,
                       const struct node *value)
{
    enum option_type due = type == KEY_SLOT ? s->keys.slot[slot].row->type : OPTION_TEXT;
    bool maps = true;
    if (value->type != NODE_LIST)
        return false;
    for (int k = 0; k < value->count; k++)
        maps = maps && value->item[k]->type == NODE_MAP;
    if (due == OPTION_PLAN)
        return !maps;
    return due != OPTION_INT_LIST || (value->count > 0 && value->item[0]->type == NODE_LIST);
}

int set_key(struct spec *s, const char *key, struct node *value, struct err *e)
{
    int slot;
    enum key_type type = keys_find(&s->keys, key, &slot);
    if (type == KEY_UNKNOWN)
        return keys_unknown(&s->keys, value, key, true, e);
    bool axis = makes_axis(s, slot, type, value), kept = false;
    bool found[CHOICES_MAX] = {false};
    struct choice choice = {.key = key, .value = axis ? value->item : &value,
                            .count = axis ? value->count : 1, .found = found};
    if (choice.count == 0 || choice.count > CHOICES_MAX)
        return node_error(value, e, "%s: a list of %d values; expected 1 to %d", key,
                          choice.count, CHOICES_MAX);
    bool whole;
    struct node *map = s->root;
    int place = strchr(key, '.') ? node_walk(&map, key, &whole) : -1;
    if (place >= 0 && whole)
        node_remove(map, place);
    remove_covered(s->set, key, false);
    int code = edit_cases(s, &choice, &kept, e);
    if (code)
        return code;
    struct node *grid = part_of(s, "grid", NODE_MAP);
    if (grid)
        remove_covered(grid, key, axis && !kept);
    if (!axis)
        return node_put(s->set, key, value, &s->arena, e);
    return kept ? 0 : put_axis(s, key, value, e);
}

void set_name(const char *text, char out[KEY_TEXT])
{
    size_t length = strcspn(text, "=");
    out[0] = '\0';
    if (length < KEY_TEXT)
        snprintf(out, KEY_TEXT, "%.*s", (int)length, text);
}

static int set_one(struct spec *s, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    char key[KEY_TEXT], source[KEY_TEXT + 8];
    set_name(text, key);
    snprintf(source, sizeof source, "--set %s", key);
    struct node at = {.type = NODE_SCALAR, .line = 1, .column = 1, .text = ""};
    at.source = arena_text(&s->arena, source, e);
    if (!at.source)
        return ERR_MEMORY;
    if (!equals || !*key)
        return node_error(&at, e, "'%.80s' is no assignment; expected KEY=VALUE", text);
    struct node *value = NULL;
    int code = node_parse(&value, at.source, equals + 1, strlen(equals + 1), &s->arena, e);
    if (code)
        return code;
    if (!value)
        return node_error(&at, e, "%s: is empty; expected KEY=VALUE", key);
    if (key_is_top(key))
        return node_put(s->root, key, value, &s->arena, e);
    return set_key(s, key, value, e);
}

int set_open(struct spec *s, struct err *e)
{
    s->set = node_new(NODE_MAP, &s->start, &s->arena, e);
    return s->set ? 0 : ERR_MEMORY;
}

int set_edit(struct spec *s, const char *const *set, int sets, struct err *e)
{
    int code = 0;
    for (int k = 0; k < sets && code == 0; k++)
        code = set_one(s, set[k], e);
    return code;
}

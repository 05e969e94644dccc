/* Flattening nodes into assignments.  Recursion follows known keys only, so it is as deep as the
 * option tables are, whatever the input. */
#include "spec/layer.h"

#include <stdio.h>
#include <string.h>

#include "spec/value.h"

static int add(struct layers *l, int slot, const struct node *value, struct err *e)
{
    if (memory_grow(l->item, (size_t)l->count + 1, e))
        return ERR_MEMORY;
    l->item[l->count++] = (struct assignment){.slot = slot, .value = value};
    return 0;
}

/* Clears a kind with its options or, slot -1, whatever lies below a group. */
static int clear(struct layers *l, const char *key, int slot, struct err *e)
{
    int code = 0;
    for (int s = 0; s < l->keys->count && code == 0; s++)
        if (slot >= 0 ? l->keys->slot[s].kind_slot == slot
                      : key_covers(key, l->keys->slot[s].key))
            code = add(l, s, NULL, e);
    return code;
}

static int assign_children(struct layers *l, const char *key, const struct node *map,
                           struct err *e)
{
    int code = 0;
    for (int c = 0; c < map->count && code == 0; c++) {
        char child[2 * KEY_TEXT];
        snprintf(child, sizeof child, "%.*s.%.*s", KEY_TEXT - 1, key, KEY_TEXT - 1,
                 map->key[c]->text);
        if (strchr(map->key[c]->text, '.'))
            return node_error(map->key[c], e,
                              "%s: a dotted key within a section; expected nested maps (dotted "
                              "keys belong to grid, cases and --set)", child);
        code = layer_assign(l, child, map->key[c], map->item[c], e);
    }
    return code;
}

static bool is_section(const char *key)
{
    return !strchr(key, '.');
}

/* A kind, by name or as a map, or, slot -1, a group.  A section keeps what is not said anew, unless
 * its kind is. */
static int assign_whole(struct layers *l, const char *key, int slot, const struct node *value,
                        struct err *e)
{
    char shown[NODE_SHOWN];
    bool map = value->type == NODE_MAP, kind = map && slot >= 0 && node_find(value, "kind") >= 0;
    if (!map && slot < 0)
        return node_error(value, e, "%s: %s where its keys are due; expected a map", key,
                          node_show(value, shown));
    struct option_value v;
    int code = 0;
    if (kind) /* before its options, which another kind need not have */
        code = value_read(l->keys->slot[slot].row, key, value->item[node_find(value, "kind")], NULL,
                          &v, e);
    if (!code && (!map || kind || !is_section(key)))
        code = clear(l, key, slot, e);
    if (code)
        return code;
    return map ? assign_children(l, key, value, e) : add(l, slot, value, e);
}

/* A row that has others below it: what is said of it leaves none of them, and the other way about. */
static bool is_above(const struct keys *keys, const char *key)
{
    int s = 0;
    while (s < keys->count && (!strcmp(keys->slot[s].key, key) || !key_covers(key, keys->slot[s].key)))
        s++;
    return s < keys->count;
}

int layer_assign(struct layers *l, const char *key, const struct node *at,
                 const struct node *value, struct err *e)
{
    int slot;
    enum key_type type = keys_find(l->keys, key, &slot);
    if (type == KEY_UNKNOWN)
        return keys_unknown(l->keys, at, key, false, e);
    if (is_section(key) && node_is_null(value))
        return 0; /* a section whose keys are all left out */
    if (type == KEY_GROUP || (type == KEY_SLOT && l->keys->slot[slot].type == SLOT_KIND))
        return assign_whole(l, key, slot, value, e);
    if (!is_above(l->keys, key))
        return add(l, slot, value, e);
    int code = clear(l, key, -1, e);
    return code ? code : value->type == NODE_MAP ? assign_children(l, key, value, e) : add(l, slot, value, e);
}

/* ---- checking ---------------------------------------------------------------------------------*/

static int check_own(const struct slot *s, const struct node *n, struct err *e)
{
    struct err first = {0};
    struct option_value v;
    for (int kind = 0; kind < s->kinds->count; kind++) {
        const struct option *row = kind_row(s->kinds, kind, s->row->key);
        if (row && value_read(row, s->key, n, NULL, &v, &first) == 0)
            return 0;
    }
    return err_pass(e, &first);
}

int layer_check(const struct layers *l, struct layer layer, struct err *e)
{
    int code = 0;
    for (int k = layer.first; k < layer.first + layer.count && code == 0; k++) {
        const struct slot *s = &l->keys->slot[l->item[k].slot];
        const struct node *n = l->item[k].value;
        struct option_value v;
        if (n)
            code = s->type == SLOT_OWN ? check_own(s, n, e)
                                       : value_read(s->row, s->key, n, NULL, &v, e);
    }
    return code;
}

/* ---- applying ---------------------------------------------------------------------------------*/

void layer_apply(const struct layers *l, struct layer layer, const struct node **state)
{
    for (int k = layer.first; k < layer.first + layer.count; k++)
        state[l->item[k].slot] = l->item[k].value;
}

const struct node *layer_final(const struct layers *l, struct layer layer, int slot)
{
    for (int k = layer.first + layer.count - 1; k >= layer.first; k--)
        if (l->item[k].slot == slot)
            return l->item[k].value;
    return NULL;
}

static bool covers(const struct layers *l, struct layer a, struct layer b)
{
    for (int k = b.first; k < b.first + b.count; k++) {
        const struct node *x = layer_final(l, a, l->item[k].slot);
        const struct node *y = layer_final(l, b, l->item[k].slot);
        if ((x == NULL) != (y == NULL) || (x && !node_same(x, y)))
            return false;
    }
    return true;
}

bool layer_same(const struct layers *l, struct layer a, struct layer b)
{
    return covers(l, a, b) && covers(l, b, a);
}

int layer_flatten(const struct keys *k, struct assignment *a, struct arena *arena, struct err *e)
{
    if (!k->slot[a->slot].row->map || a->value->type != NODE_MAP)
        return 0;
    struct text flow = {0};
    struct node *n = arena_alloc(arena, 1, sizeof *n, e);
    node_write(&flow, a->value);
    int code = text_check(&flow, e);
    char *text = code ? NULL : arena_text(arena, flow.data, e);
    bool long_text = flow.length >= OPTION_TEXT_MAX;
    text_close(&flow);
    if (long_text && !code)
        return node_error(a->value, e, "%s: is too long; expected at most %d bytes",
                          k->slot[a->slot].key, OPTION_TEXT_MAX - 1);
    if (!n || !text)
        return ERR_MEMORY;
    *n = *a->value;
    n->type = NODE_SCALAR;
    n->text = text;
    a->value = n;
    return 0;
}

void layers_close(struct layers *l)
{
    memory_free(l->item);
    l->item = NULL;
    l->count = 0;
}

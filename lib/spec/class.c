/* One class of models, laid over a spec that says all else (spec_open_class).
 *
 * Invariant: what the class says is edited into the document as --set are, before them. */
#include <stdio.h>
#include <string.h>

#include "spec/document.h"

static const char model[] = "model";

static struct node *child(struct node *map, const char *key, enum node_type type)
{
    int found = node_find(map, key);
    return found >= 0 && map->item[found]->type == type ? map->item[found] : NULL;
}

static bool settled(const char *key, const char *const *set, int sets)
{
    char name[KEY_TEXT];
    for (int k = 0; k < sets; k++) {
        set_name(set[k], name);
        if (*name && key_covers(name, key))
            return true;
    }
    return false;
}

/* A grid, or one of the cases. */
static int check_varied(const struct node *map, const char *const *set, int sets, struct err *e)
{
    for (int k = 0; map && map->type == NODE_MAP && k < map->count; k++) {
        const char *key = map->key[k]->text;
        if (key_covers(model, key) && !settled(key, set, sets))
            return node_error(map->key[k], e, "%s: varies, and a card is of one class; expected "
                              "--set %s=VALUE to choose", key, key);
    }
    return 0;
}

static int check_one(struct node *root, const char *const *set, int sets, struct err *e)
{
    struct node *cases = child(root, "cases", NODE_LIST);
    int code = check_varied(child(root, "grid", NODE_MAP), set, sets, e);
    for (int k = 0; cases && !code && k < cases->count; k++)
        code = check_varied(cases->item[k], set, sets, e);
    return code;
}

static int lay_over(struct spec *s, struct node *root, const char *name, struct err *e)
{
    struct node *own = child(root, model, NODE_MAP);
    struct node at = {.source = name, .line = 1, .column = 1, .text = ""};
    char key[KEY_TEXT];
    int code = 0;
    if (!own)
        return node_error(&at, e, "model: is missing; expected the class that the card is of, such as "
                          "model: {encoding: t5}");
    for (int k = 0; k < own->count && !code; k++) {
        int length = snprintf(key, sizeof key, "%s.%s", model, own->key[k]->text);
        if (length >= (int)sizeof key)
            return node_error(own->key[k], e, "%.64s...: unknown key", key);
        code = set_key(s, key, own->item[k], e);
    }
    return code;
}

int class_edit(struct spec *s, const char *const *set, int sets, struct err *e)
{
    struct node *root = NULL;
    char *bytes = NULL;
    const char *name;
    size_t count = 0;
    int code = spec_read_file(s->class_path, &name, &bytes, &count, e);
    if (code)
        return code;
    char *kept = arena_text(&s->arena, name, e);
    code = kept ? node_parse(&root, kept, bytes, count, &s->arena, e) : ERR_MEMORY;
    memory_free(bytes);
    if (code)
        return code;
    if (!root || root->type != NODE_MAP)
        root = node_new(NODE_MAP, &s->start, &s->arena, e);
    if (!root)
        return ERR_MEMORY;
    code = check_one(root, set, sets, e);
    return code ? code : lay_over(s, root, kept, e);
}

static void drop(struct node *map)
{
    for (int k = map ? map->count - 1 : -1; k >= 0; k--)
        if (key_covers(model, map->key[k]->text))
            node_remove(map, k);
}

void class_settle(struct spec *s)
{
    struct node *cases = child(s->root, "cases", NODE_LIST);
    if (node_find(s->set, "model.preset") < 0 && node_find(s->set, "model.plan") < 0)
        return;
    drop(child(s->root, "grid", NODE_MAP));
    for (int k = 0; cases && k < cases->count; k++)
        if (cases->item[k]->type == NODE_MAP)
            drop(cases->item[k]);
}

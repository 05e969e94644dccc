/* Reading the edited document: name, seeds, sections, cases, grid, figures.  Invariant: when this
 * succeeds, every key is known, every value suits its row, and no two parts of the grid and the
 * cases speak of the same thing; what is left can only go wrong in whole cells. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/document.h"

const struct node *document_find(const struct spec *s, const char *key)
{
    int found = node_find(s->root, key);
    return found < 0 || node_is_null(s->root->item[found]) ? NULL : s->root->item[found];
}

const struct node *document_given(const struct spec *s, int k)
{
    if (k < s->case_keys)
        return s->case_key[k].key;
    return k < s->case_keys + s->axes ? s->axis[k - s->case_keys].key : NULL;
}

/* ---- name and figures -------------------------------------------------------------------------*/

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > SPEC_NAME_MAX || !isalnum((unsigned char)text[0]))
        return false;
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
           length;
}

/* The file's name without folder and ending, a dash for each blank.  Where that
 * is no name one must be given, since specs of one name share their results; standard input has a
 * name for all. */
static int name_from_source(struct spec *s, struct err *e)
{
    char shown[SPEC_NAME_MAX + 1];
    const char *slash = strrchr(s->source, '/'), *stem = slash ? slash + 1 : s->source;
    const char *dot = strrchr(stem, '.');
    size_t length = dot ? (size_t)(dot - stem) : strlen(stem);
    bool standard = s->source[0] == '<';
    snprintf(s->name, sizeof s->name, "%.*s", standard ? SPEC_NAME_MAX : (int)length,
             standard ? "experiment" : stem);
    for (char *c = s->name; *c; c++)
        *c = *c == ' ' ? '-' : *c;
    if (length <= SPEC_NAME_MAX && is_name(s->name))
        return 0;
    snprintf(shown, sizeof shown, "%.*s", (int)length, stem);
    return node_error(&s->start, e, "name: is missing, and the file's own, '%s', is none; expected "
                      "name: then a letter or digit, then up to %d letters, digits or . _ -",
                      shown, SPEC_NAME_MAX - 1);
}

static int read_name(struct spec *s, struct err *e)
{
    const struct node *n = document_find(s, "name");
    char shown[NODE_SHOWN];
    if (!n)
        return name_from_source(s, e);
    if (n->type != NODE_SCALAR || !is_name(n->text))
        return node_error(n, e, "name: %s is no name; expected a letter or digit, then up to %d "
                          "letters, digits or . _ -", node_show(n, shown), SPEC_NAME_MAX - 1);
    snprintf(s->name, sizeof s->name, "%s", n->text);
    return 0;
}

static int read_figures(struct spec *s, struct err *e)
{
    const struct node *n = document_find(s, "figures");
    char shown[NODE_SHOWN];
    if (!n)
        return 0;
    if (n->type != NODE_LIST || n->count > FIGURES_MAX)
        return node_error(n, e, "figures: %s; expected a list of at most %d names",
                          n->type == NODE_LIST ? "too many" : node_show(n, shown), FIGURES_MAX);
    s->figure = arena_alloc(&s->arena, (size_t)n->count, sizeof *s->figure, e);
    if (!s->figure)
        return ERR_MEMORY;
    for (int k = 0; k < n->count; k++) {
        const struct node *item = n->item[k];
        if (item->type != NODE_SCALAR || !is_name(item->text))
            return node_error(item, e, "figures: %s is no name; expected letters, digits, . _ -",
                              node_show(item, shown));
        s->figure[k] = item->text;
    }
    s->figures = n->count;
    return 0;
}

/* ---- seeds ------------------------------------------------------------------------------------*/

static const double SEED_MAX = 9007199254740992.0; /* 2^53: exact in every program that reads CSV */

static bool read_whole(const struct node *n, double low, double high, int64_t *out)
{
    double number;
    if (n->type != NODE_SCALAR || !n->plain)
        return false;
    if (text_to_int64(n->text, out)) /* beyond 2^53 too */
        return *out >= (int64_t)low && *out <= (int64_t)high;
    if (!text_to_double(n->text, &number) || !(number >= low && number <= high))
        return false;
    *out = (int64_t)number;
    return number == (double)*out;
}

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int check_distinct(struct spec *s, const struct node *n, struct err *e)
{
    int64_t *sorted = memory_alloc((size_t)s->seeds, sizeof *sorted, e);
    int code = 0;
    if (!sorted)
        return ERR_MEMORY;
    memcpy(sorted, s->seed, (size_t)s->seeds * sizeof *sorted);
    qsort(sorted, (size_t)s->seeds, sizeof *sorted, compare_seeds);
    for (int k = 1; k < s->seeds && code == 0; k++)
        if (sorted[k] == sorted[k - 1])
            code = node_error(n, e, "seeds: %lld is given twice; expected distinct numbers",
                              (long long)sorted[k]);
    memory_free(sorted);
    return code;
}

static int read_seeds(struct spec *s, struct err *e)
{
    const struct node *n = document_find(s, "seeds");
    char shown[NODE_SHOWN];
    bool list = n && n->type == NODE_LIST;
    int64_t count = list ? n->count : 1;
    if (list && (count == 0 || count > SPEC_CELLS_MAX))
        return node_error(n, e, "seeds: a list of %d; expected 1 to %d numbers", n->count,
                          SPEC_CELLS_MAX);
    if (n && !list && !read_whole(n, 1, SPEC_CELLS_MAX, &count))
        return node_error(n, e, "seeds: %s; expected how many (1 to %d), or a list of numbers",
                          node_show(n, shown), SPEC_CELLS_MAX);
    s->seed = arena_alloc(&s->arena, (size_t)count, sizeof *s->seed, e);
    if (!s->seed)
        return ERR_MEMORY;
    for (; s->seeds < count; s->seeds++) {
        s->seed[s->seeds] = s->seeds;
        if (list && !read_whole(n->item[s->seeds], 0, SEED_MAX, &s->seed[s->seeds]))
            return node_error(n->item[s->seeds], e, "seeds: %s is no seed; expected a whole number "
                              "from 0 to 2^53", node_show(n->item[s->seeds], shown));
    }
    return list ? check_distinct(s, n, e) : 0;
}

/* ---- the sections -----------------------------------------------------------------------------*/

static int check_top(const struct spec *s, const struct node *key, const struct node *value,
                     struct err *e)
{
    char shown[NODE_SHOWN];
    int slot;
    bool dotted = strchr(key->text, '.');
    if (key_is_top(key->text) || (!dotted && keys_find(&s->keys, key->text, &slot) != KEY_UNKNOWN))
        return 0;
    if (dotted && value->type == NODE_LIST)
        return node_error(key, e, "%s: unknown key; expected it indented below `grid:`, where a list is "
                          "an axis", node_show(key, shown));
    if (dotted)
        return node_error(key, e, "%s: unknown key; expected nested maps (dotted keys belong to "
                          "grid, cases and --set)", node_show(key, shown));
    return keys_unknown(&s->keys, key, key->text, true, e);
}

/* What a map from keys to values assigns: the sections of the document, or --set. */
static int assign_map(struct spec *s, const struct node *map, struct layer *out, struct err *e)
{
    int code = 0;
    out->first = s->layers.count;
    for (int k = 0; k < map->count && code == 0; k++)
        if (!key_is_top(map->key[k]->text))
            code = layer_assign(&s->layers, map->key[k]->text, map->key[k], map->item[k], e);
    out->count = s->layers.count - out->first;
    return code;
}

/* A value that --set replaces is given up unseen. */
static void give_up(struct layers *l, struct layer base, struct layer set)
{
    for (int k = base.first; k < base.first + base.count; k++)
        for (int other = set.first; other < set.first + set.count; other++)
            if (l->item[k].slot == l->item[other].slot)
                l->item[k].value = NULL;
}

static int read_sections(struct spec *s, struct err *e)
{
    int code = 0;
    for (int k = 0; k < s->root->count && code == 0; k++)
        code = check_top(s, s->root->key[k], s->root->item[k], e);
    if (code == 0)
        code = assign_map(s, s->root, &s->base, e);
    if (code == 0)
        code = assign_map(s, s->set, &s->set_layer, e);
    if (code)
        return code;
    give_up(&s->layers, s->base, s->set_layer);
    code = layer_check(&s->layers, s->base, e);
    return code ? code : layer_check(&s->layers, s->set_layer, e);
}

/* ---- cases ------------------------------------------------------------------------------------*/

/* Appends one checked layer of the cases or the grid to the pool. */
static int read_layer(struct spec *s, const struct node *key, const struct node *value,
                      struct layer *out, struct err *e)
{
    out->first = s->layers.count;
    int code = layer_assign(&s->layers, key->text, key, value, e);
    out->count = s->layers.count - out->first;
    for (int k = out->first; k < s->layers.count; k++)
        s->keys.slot[s->layers.item[k].slot].varies = true;
    return code ? code : layer_check(&s->layers, *out, e);
}

static int read_case(struct spec *s, const struct node *n, struct case_set *c, struct err *e)
{
    char shown[NODE_SHOWN];
    if (n->type != NODE_MAP)
        return node_error(n, e, "cases: %s; expected a map of dotted keys", node_show(n, shown));
    c->layer.first = s->layers.count;
    c->key = &s->case_key[s->case_keys];
    for (; c->keys < n->count; c->keys++) {
        const struct node *key = n->key[c->keys];
        struct case_key *one = &s->case_key[s->case_keys++];
        one->key = key;
        int code = read_layer(s, key, n->item[c->keys], &one->layer, e);
        if (code)
            return code;
        for (int other = 0; other < c->keys; other++)
            if (keys_overlap(key->text, n->key[other]->text))
                return node_error(key, e, "%s: is given by %s in line %d already; expected one of "
                                  "the two", key->text, n->key[other]->text, n->key[other]->line);
    }
    c->layer.count = s->layers.count - c->layer.first;
    return 0;
}

static int read_cases(struct spec *s, struct err *e)
{
    static const struct node none = {.type = NODE_LIST};
    const struct node *n = document_find(s, "cases");
    char shown[NODE_SHOWN];
    size_t keys = 0;
    int code = 0;
    n = n ? n : &none;
    if (n->type != NODE_LIST)
        return node_error(n, e, "cases: %s; expected a list of maps", node_show(n, shown));
    if (n->count > SPEC_CELLS_MAX)
        return node_error(n, e, "cases: %d are too many; expected at most %d", n->count,
                          SPEC_CELLS_MAX);
    for (int k = 0; k < n->count; k++)
        keys += (size_t)n->item[k]->count;
    s->cases = n->count ? n->count : 1;
    s->set_of = arena_alloc(&s->arena, (size_t)s->cases, sizeof *s->set_of, e);
    s->case_key = arena_alloc(&s->arena, keys, sizeof *s->case_key, e);
    if (!s->set_of || !s->case_key)
        return ERR_MEMORY;
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_case(s, n->item[k], &s->set_of[k], e);
    return code;
}

/* ---- grid -------------------------------------------------------------------------------------*/

static int check_overlap(const struct spec *s, const struct node *key, struct err *e)
{
    const struct node *other;
    for (int k = 0; (other = document_given(s, k)); k++)
        if (keys_overlap(key->text, other->text))
            return k < s->case_keys
                       ? node_error(key, e, "%s: is in grid and in cases (%s, line %d); expected it "
                                    "in one of them", key->text, other->text, other->line)
                       : node_error(key, e, "%s: overlaps the axis on %s; expected one axis for the "
                                    "two", key->text, other->text);
    return 0;
}

/* Equal cells run once, so a value given twice would go unnoticed. */
static int check_repeated(const struct spec *s, const struct axis *axis, const struct node *list,
                          struct err *e)
{
    struct text t = {0};
    int code = 0;
    for (int v = 1; axis->count <= REPEATED_MAX && v < axis->count && code == 0; v++)
        for (int w = 0; w < v && code == 0; w++)
            if (layer_same(&s->layers, axis->value[v], axis->value[w])) {
                node_write(&t, list->item[v]);
                code = text_check(&t, e);
                if (!code)
                    code = node_error(list->item[v], e, "%s: %.64s is given twice; expected "
                                      "distinct values", axis->key->text, t.data);
            }
    text_close(&t);
    return code;
}

static int read_axis(struct spec *s, const struct node *key, const struct node *list,
                     struct err *e)
{
    char shown[NODE_SHOWN];
    int slot, code = 0;
    if (keys_find(&s->keys, key->text, &slot) == KEY_UNKNOWN)
        return keys_unknown(&s->keys, key, key->text, false, e);
    if (list->type != NODE_LIST)
        return node_error(list, e, "%s: %s as an axis; expected a list of values", key->text,
                          node_show(list, shown));
    if (list->count == 0)
        return node_error(list, e, "%s: an empty axis; expected at least one value", key->text);
    if (list->count > SPEC_CELLS_MAX)
        return node_error(list, e, "%s: %d values are too many; expected at most %d", key->text,
                          list->count, SPEC_CELLS_MAX);
    code = check_overlap(s, key, e);
    if (code)
        return code;
    struct axis *axis = &s->axis[s->axes++];
    *axis = (struct axis){.key = key, .count = list->count};
    axis->value = arena_alloc(&s->arena, (size_t)list->count, sizeof *axis->value, e);
    if (!axis->value)
        return ERR_MEMORY;
    for (int v = 0; v < list->count && code == 0; v++)
        code = read_layer(s, key, list->item[v], &axis->value[v], e);
    return code ? code : check_repeated(s, axis, list, e);
}

static int read_grid(struct spec *s, struct err *e)
{
    const struct node *n = document_find(s, "grid");
    char shown[NODE_SHOWN];
    int code = 0;
    if (!n)
        return 0;
    if (n->type != NODE_MAP)
        return node_error(n, e, "grid: %s; expected a map from dotted keys to lists of values",
                          node_show(n, shown));
    if (n->count > AXES_MAX)
        return node_error(n, e, "grid: %d axes are too many; expected at most %d", n->count,
                          AXES_MAX);
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_axis(s, n->key[k], n->item[k], e);
    return code;
}

/* ---- what varies ------------------------------------------------------------------------------*/

/* How the cases or the grid call a slot, or its own name where they speak of what contains it. */
static const char *name_of_slot(const struct spec *s, int slot)
{
    const char *name = s->keys.slot[slot].key;
    const struct node *key;
    int found;
    for (int k = 0; (key = document_given(s, k)); k++)
        if (key_covers(name, key->text) &&
            keys_find(&s->keys, key->text, &found) != KEY_GROUP && found == slot)
            return key->text;
    return name;
}

static bool slot_varies(const struct spec *s, const struct layer *layer, int count, int slot)
{
    const struct node *first = layer_final(&s->layers, layer[0], slot);
    for (int k = 1; k < count; k++) {
        const struct node *other = layer_final(&s->layers, layer[k], slot);
        if ((first == NULL) != (other == NULL) || (first && !node_same(first, other)))
            return true;
    }
    return false;
}

/* Adds the slots that differ among the layers, in the order in which they turn up. */
static void add_varying(struct spec *s, const struct layer *layer, int count, bool *seen)
{
    for (int k = 0; k < count; k++)
        for (int a = layer[k].first; a < layer[k].first + layer[k].count; a++) {
            int slot = s->layers.item[a].slot;
            if (!seen[slot] && slot_varies(s, layer, count, slot))
                s->vary[s->varies++] = name_of_slot(s, slot);
            seen[slot] = true;
        }
}

static int list_varying(struct spec *s, struct err *e)
{
    size_t slots = (size_t)s->keys.count;
    s->vary = arena_alloc(&s->arena, slots + 1, sizeof *s->vary, e);
    bool *seen = arena_alloc(&s->arena, slots, sizeof *seen, e);
    struct layer *cases = arena_alloc(&s->arena, (size_t)s->cases, sizeof *cases, e);
    if (!s->vary || !seen || !cases)
        return ERR_MEMORY;
    for (int c = 0; c < s->cases; c++)
        cases[c] = s->set_of[c].layer;
    add_varying(s, cases, s->cases, seen);
    for (int a = 0; a < s->axes; a++)
        add_varying(s, s->axis[a].value, s->axis[a].count, seen);
    if (s->seeds > 1)
        s->vary[s->varies++] = "seed";
    return 0;
}

int document_read(struct spec *s, struct err *e)
{
    int code = read_sections(s, e);
    if (code == 0)
        code = read_name(s, e);
    if (code == 0)
        code = read_seeds(s, e);
    if (code == 0)
        code = read_cases(s, e);
    if (code == 0)
        code = read_grid(s, e);
    if (code == 0)
        code = read_figures(s, e);
    if (code == 0)
        code = files_resolve(s, e);
    return code ? code : list_varying(s, e);
}

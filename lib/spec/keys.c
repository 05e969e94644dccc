/* Sections, slots, and finding a key by its dotted name. */
#include "spec/keys.h"

#include <stdio.h>
#include <string.h>

#define SECTION(id, field, rows)                                                                   \
    [id] = {.name = #field, .options = rows, .offset = offsetof(struct task, field),               \
            .size = sizeof ((struct task *)0)->field}

const struct section section_table[SECTION_COUNT] = {
    SECTION(SECTION_SPACE, space, space_options), SECTION(SECTION_TARGET, target, target_options),
    SECTION(SECTION_MODEL, model, model_options), SECTION(SECTION_TRAIN, train, train_options),
    SECTION(SECTION_EVALUATE, evaluate, evaluate_options)};

const char *const keys_top[] = {"name", "seeds", "grid", "cases", "claims", "figures", NULL};
enum { TOP_COUNT = sizeof keys_top / sizeof keys_top[0] - 1 };

/* ---- rows of kinds ----------------------------------------------------------------------------*/

const struct option *kind_row(const struct kind_table *kinds, int kind, const char *name)
{
    const struct option *row = kinds->options(kind);
    while (row && row->key && strcmp(row->key, name) != 0)
        row++;
    return row && row->key ? row : NULL;
}

const struct option *kind_row_any(const struct kind_table *kinds, const char *name)
{
    const struct option *row = NULL;
    for (int kind = 0; kind < kinds->count && !row; kind++)
        row = kind_row(kinds, kind, name);
    return row;
}

void kind_owners(const struct kind_table *kinds, const char *name, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (int kind = 0; kind < kinds->count && used < size; kind++)
        if (kind_row(kinds, kind, name))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     kinds->name(kind));
}

/* ---- slots ------------------------------------------------------------------------------------*/

static int add_slot(struct keys *k, const struct slot *s, struct err *e)
{
    if (memory_grow(k->slot, (size_t)k->count + 1, e))
        return ERR_MEMORY;
    k->slot[k->count++] = *s;
    return 0;
}

static bool has_slot(const struct keys *k, int from, const char *own)
{
    for (int s = from; s < k->count; s++)
        if (k->slot[s].own && !strcmp(k->slot[s].own, own))
            return true;
    return false;
}

static int add_own_slots(struct keys *k, int kind_slot, struct err *e)
{
    const struct kind_table *kinds = k->slot[kind_slot].row->kinds;
    for (int kind = 0; kind < kinds->count; kind++) {
        const struct option *row = kinds->options(kind);
        for (; row && row->key; row++) {
            if (has_slot(k, kind_slot, row->key))
                continue;
            const struct slot *of = &k->slot[kind_slot];
            struct slot s = {.type = SLOT_OWN, .section = of->section, .row = of->row,
                             .own = row->key, .kind_slot = kind_slot};
            snprintf(s.key, sizeof s.key, "%.48s.%.46s", of->key, row->key);
            if (add_slot(k, &s, e))
                return ERR_MEMORY;
        }
    }
    return 0;
}

static int add_row(struct keys *k, enum section_id section, const struct option *row,
                   struct err *e)
{
    struct slot s = {.type = row->type == OPTION_KIND ? SLOT_KIND : SLOT_ROW,
                     .section = section, .row = row};
    bool whole = s.type == SLOT_KIND && !strcmp(row->key, "kind");
    snprintf(s.key, sizeof s.key, "%.16s%s%.46s", section_table[section].name,
             whole ? "" : ".", whole ? "" : row->key);
    int code = add_slot(k, &s, e);
    return code || s.type != SLOT_KIND ? code : add_own_slots(k, k->count - 1, e);
}

int keys_open(struct keys *k, struct err *e)
{
    int code = 0;
    *k = (struct keys){0};
    for (int section = 0; section < SECTION_COUNT && code == 0; section++) {
        const struct option *row = section_table[section].options;
        k->first[section] = k->count;
        for (; row->key && code == 0; row++)
            code = add_row(k, (enum section_id)section, row, e);
    }
    k->first[SECTION_COUNT] = k->count;
    if (code)
        keys_close(k);
    return code;
}

void keys_close(struct keys *k)
{
    memory_free(k->slot);
    *k = (struct keys){0};
}

/* ---- finding ----------------------------------------------------------------------------------*/

bool key_covers(const char *above, const char *key)
{
    size_t length = strlen(above);
    return !strncmp(above, key, length) && (key[length] == 0 || key[length] == '.');
}

enum key_type keys_find(const struct keys *k, const char *key, int *slot)
{
    bool group = false;
    size_t length = strlen(key);
    *slot = -1;
    for (int s = 0; s < k->count; s++) {
        const struct slot *here = &k->slot[s];
        if (!strcmp(here->key, key)) {
            *slot = s;
            return KEY_SLOT;
        }
        size_t head = strlen(here->key);
        if (here->type == SLOT_KIND && length == head + 5 && !strncmp(key, here->key, head) &&
            !strcmp(key + head, ".kind")) {
            *slot = s;
            return KEY_KIND;
        }
        group = group || key_covers(key, here->key);
    }
    return group ? KEY_GROUP : KEY_UNKNOWN;
}

/* The part of s's key that stands directly below `parent` (its first `length` bytes), or false. */
static bool child_name(const struct slot *s, const char *parent, size_t length, char *out)
{
    if (strncmp(s->key, parent, length) != 0)
        return false;
    const char *rest = s->key + length;
    if (s->type == SLOT_KIND && *rest == 0)
        rest = ".kind";
    if (length && *rest != '.')
        return false;
    rest += length ? 1 : 0;
    snprintf(out, KEY_TEXT, "%.*s", (int)strcspn(rest, "."), rest);
    return true;
}

/* Names that stand beside `key`, each once, into name (k->count); returns how many. */
static int beside(const struct keys *k, size_t parent, const char *key, char (*name)[KEY_TEXT])
{
    int count = 0;
    for (int s = 0; s < k->count; s++)
        if (child_name(&k->slot[s], key, parent, name[count]) &&
            (count == 0 || strcmp(name[count], name[count - 1]) != 0))
            count++;
    return count;
}

/* A full key that ends like this one, wherever it stands: model.lr means train.lr. */
static const char *elsewhere(const struct keys *k, const char *last)
{
    for (int s = 0; s < k->count; s++) {
        const char *dot = strrchr(k->slot[s].key, '.');
        if (dot && !strcmp(dot + 1, last))
            return k->slot[s].key;
    }
    return NULL;
}

/* The key that was meant: beside this one; where nothing is, by its full name; by its last part.
 * top: beside sections stand keys_top. */
static void suggest(const struct keys *k, const char *key, bool top, char (*name)[KEY_TEXT],
                    const char **names, char *out, size_t size)
{
    const char *dot = strrchr(key, '.'), *last = dot ? dot + 1 : key;
    int count = beside(k, dot ? (size_t)(dot - key) : 0, key, name);
    for (int t = 0; top && !dot && keys_top[t]; t++)
        snprintf(name[count++], KEY_TEXT, "%s", keys_top[t]);
    for (int c = 0; c < count; c++)
        names[c] = name[c];
    const char *near = text_nearest(last, names, count);
    if (near) {
        snprintf(out, size, "did you mean %.*s%s?", (int)(last - key), key, near);
        return;
    }
    size_t used = (size_t)snprintf(out, size, "expected one of ");
    for (int c = 0; c < count && used < size; c++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", c ? ", " : "", name[c]);
    for (int s = 0; s < k->count; s++)
        names[s] = k->slot[s].key;
    const char *far = count ? NULL : text_nearest(key, names, k->count);
    far = far ? far : elsewhere(k, last);
    if (far)
        snprintf(out, size, "did you mean %s?", far);
    else if (count == 0)
        snprintf(out, size, "`urpe-probe list keys` shows all");
}

static int unknown(const struct keys *k, const struct node *at, const char *given, bool top,
                   struct err *e)
{
    char key[KEY_TEXT], advice[480];
    snprintf(key, sizeof key, "%s", given);
    node_clean(key);
    char (*name)[KEY_TEXT] = memory_alloc((size_t)k->count + TOP_COUNT + 1, sizeof *name, e);
    const char **names = memory_alloc((size_t)k->count + TOP_COUNT + 1, sizeof *names, e);
    int code = ERR_MEMORY;
    if (name && names) {
        suggest(k, key, top, name, names, advice, sizeof advice);
        code = node_error(at, e, "%s: unknown key; %s", key, advice);
    }
    memory_free(names);
    memory_free(name);
    return code;
}

int keys_unknown(const struct keys *k, const struct node *at, const char *key, struct err *e)
{
    return unknown(k, at, key, false, e);
}

int keys_unknown_at_top(const struct keys *k, const struct node *at, const char *key,
                        struct err *e)
{
    return unknown(k, at, key, true, e);
}

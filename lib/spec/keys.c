/* Sections, slots, and finding a key by its dotted name. */
#include "spec/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SECTION(id, field, rows)                                                                   \
    [id] = {.name = #field, .options = rows, .offset = offsetof(struct task, field),               \
            .size = sizeof ((struct task *)0)->field}

const struct section section_table[SECTION_COUNT] = {
    SECTION(SECTION_SPACE, space, space_options), SECTION(SECTION_TARGET, target, target_options),
    SECTION(SECTION_MODEL, model, model_options), SECTION(SECTION_TRAIN, train, train_options),
    SECTION(SECTION_EVALUATE, evaluate, evaluate_options)};

/* The keys at the top that are no section; the first two stand before the sections. */
static const char *const top[] = {"name", "seeds", "grid", "cases", "except", "claims", "figures"};
enum { TOP_COUNT = sizeof top / sizeof top[0], TOP_BEFORE = 2, NAMES_MAX = 512 };

bool key_is_top(const char *key)
{
    int t = 0;
    while (t < TOP_COUNT && strcmp(top[t], key) != 0)
        t++;
    return t < TOP_COUNT;
}

void key_join(char out[KEY_TEXT], const char *a, const char *b, const char *c)
{
    const char *const part[] = {a, b, c};
    size_t used = 0;
    for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
        size_t length = strnlen(part[k], KEY_TEXT - 1 - used);
        memcpy(out + used, part[k], length);
        used += length;
    }
    out[used] = '\0';
}

void section_key(enum section_id id, const struct option *row, char out[KEY_TEXT])
{
    bool whole = row->type == OPTION_KIND && !strcmp(row->key, "kind");
    key_join(out, section_table[id].name, whole ? "" : ".", whole ? "" : row->key);
}

/* ---- rows of kinds ----------------------------------------------------------------------------*/

const struct option *kind_row(const struct kind_table *kinds, int kind, const char *name)
{
    const struct option *row = kinds->options(kind);
    while (row && row->key && strcmp(row->key, name) != 0)
        row++;
    return row && row->key ? row : NULL;
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

/* ---- slots and names --------------------------------------------------------------------------*/

static int find_name(const struct keys *k, const char *text, size_t length)
{
    int n = 0;
    while (n < k->names && (strncmp(k->name[n].text, text, length) || k->name[n].text[length]))
        n++;
    return n < k->names ? n : -1;
}

static int add_name(struct keys *k, const char *text, size_t length, enum key_type type, int slot,
                    struct err *e)
{
    struct key_name name = {.type = type, .slot = slot};
    if (memory_grow(k->name, (size_t)k->names + 1, e))
        return ERR_MEMORY;
    memcpy(name.text, text, length);
    k->name[k->names++] = name;
    return 0;
}

/* A slot and its names, after those of the groups that it is the first to lie in. */
static int add_slot(struct keys *k, const struct slot *s, struct err *e)
{
    char kind[KEY_TEXT + 8];
    int code = memory_grow(k->slot, (size_t)k->count + 1, e);
    for (const char *dot = strchr(s->key, '.'); dot && !code; dot = strchr(dot + 1, '.'))
        if (find_name(k, s->key, (size_t)(dot - s->key)) < 0)
            code = add_name(k, s->key, (size_t)(dot - s->key), KEY_GROUP, -1, e);
    if (!code)
        code = add_name(k, s->key, strlen(s->key), KEY_SLOT, k->count, e);
    int length = snprintf(kind, sizeof kind, "%s.kind", s->key);
    if (!code && s->type == SLOT_KIND)
        code = add_name(k, kind, (size_t)length, KEY_KIND, k->count, e);
    if (!code)
        k->slot[k->count++] = *s;
    return code;
}

static int add_own_slots(struct keys *k, int kind_slot, struct err *e)
{
    const struct slot of = k->slot[kind_slot];
    for (int kind = 0; kind < of.kinds->count; kind++) {
        const struct option *row = of.kinds->options(kind);
        for (; row && row->key; row++) {
            struct slot s = {.type = SLOT_OWN, .section = of.section, .row = row,
                             .kinds = of.kinds, .kind_slot = kind_slot};
            int length = snprintf(s.key, sizeof s.key, "%.48s.%.46s", of.key, row->key);
            if (find_name(k, s.key, (size_t)length) < 0 && add_slot(k, &s, e))
                return ERR_MEMORY;
        }
    }
    return 0;
}

static int add_row(struct keys *k, enum section_id section, const struct option *row,
                   struct err *e)
{
    bool kind = row->type == OPTION_KIND;
    struct slot s = {.type = kind ? SLOT_KIND : SLOT_ROW, .section = section, .row = row,
                     .kinds = row->kinds, .kind_slot = kind ? k->count : -1};
    section_key(section, row, s.key);
    int code = add_slot(k, &s, e);
    return code || !kind ? code : add_own_slots(k, s.kind_slot, e);
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
    assert(k->count <= SLOTS_MAX && k->names + TOP_COUNT <= NAMES_MAX);
    if (code)
        keys_close(k);
    return code;
}

void keys_close(struct keys *k)
{
    memory_free(k->slot);
    memory_free(k->name);
    *k = (struct keys){0};
}

/* ---- finding ----------------------------------------------------------------------------------*/

bool key_covers(const char *above, const char *key)
{
    size_t length = strlen(above);
    return !strncmp(above, key, length) && (key[length] == 0 || key[length] == '.');
}

bool keys_overlap(const char *a, const char *b)
{
    return key_covers(a, b) || key_covers(b, a);
}

enum key_type keys_find(const struct keys *k, const char *key, int *slot)
{
    int name = find_name(k, key, strlen(key));
    *slot = name < 0 ? -1 : k->name[name].slot;
    return name < 0 ? KEY_UNKNOWN : k->name[name].type;
}

/* The last parts of the keys that stand beside one whose parent is its first `parent` bytes. */
static int beside(const struct keys *k, const char *key, size_t parent, bool at_top,
                  const char **out)
{
    int count = 0, t = 0, tops = at_top && parent == 0 ? TOP_COUNT : 0;
    while (t < tops && t < TOP_BEFORE)
        out[count++] = top[t++];
    for (int n = 0; n < k->names; n++)
        if (!strncmp(k->name[n].text, key, parent) && !strchr(k->name[n].text + parent, '.'))
            out[count++] = k->name[n].text + parent;
    while (t < tops)
        out[count++] = top[t++];
    return count;
}

/* model.window: window is no key, but what model.mask may be. */
static bool says_kind(const struct keys *k, const char *key, const char *last, char *out, size_t size)
{
    const char *name;
    for (int s = 0; s < k->count; s++) {
        const struct slot *slot = &k->slot[s];
        if (slot->type != SLOT_KIND || strncmp(slot->key, key, (size_t)(last - key)) != 0)
            continue;
        for (int n = 0; (name = option_name(slot->row, n)); n++)
            if (!strcmp(name, last)) {
                snprintf(out, size, "did you mean %s: %s?", slot->key, name);
                return true;
            }
    }
    return false;
}

/* The key that was meant: beside this one; what a kind beside it is called; where nothing is, by its full name; by its last part, for
 * model.lr means train.lr. */
static void suggest(const struct keys *k, const char *key, bool at_top, char *out, size_t size)
{
    const char *dot = strrchr(key, '.'), *last = dot ? dot + 1 : key, *far = NULL;
    const char *name[NAMES_MAX];
    int count = beside(k, key, (size_t)(last - key), at_top, name);
    const char *near = text_nearest(last, name, count);
    for (int n = 0; count == 0 && n < k->names; n++)
        name[n] = k->name[n].text;
    if (count == 0)
        far = text_nearest(key, name, k->names);
    if (!near && !far && says_kind(k, key, last, out, size))
        return;
    for (int s = 0; !far && s < k->count; s++) {
        dot = strrchr(k->slot[s].key, '.');
        far = dot && !strcmp(dot + 1, last) ? k->slot[s].key : NULL;
    }
    size_t used = (size_t)snprintf(out, size, "%s", count ? "" : "`urpe-probe list keys` shows all");
    for (int c = 0; c < count && used < size; c++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", c ? ", " : "expected one of ",
                                 name[c]);
    if (near)
        snprintf(out, size, "did you mean %.*s%s?", (int)(last - key), key, near);
    else if (far)
        snprintf(out, size, "did you mean %s?", far);
}

int keys_unknown(const struct keys *k, const struct node *at, const char *given, bool at_top,
                 struct err *e)
{
    char key[KEY_TEXT], advice[480];
    snprintf(key, sizeof key, "%s", given);
    suggest(k, key, at_top, advice, sizeof advice);
    return node_error(at, e, "%s: unknown key; %s", key, advice);
}

/* Plans of layers.  Invariant: what plan_write writes reads back to the same plan and to the same
 * text, whatever was inherited when it was read first: of the layers' keys it gives those in which
 * kinds differ, and all of them in every map. */
#include "spec/plan.h"

#include <stdio.h>
#include <string.h>

#include "spec/layer.h"
#include "spec/resolve.h"

/* ---- reading ----------------------------------------------------------------------------------*/
static const struct node *child(const struct node *map, const char *key)
{
    int at = map->type == NODE_MAP ? node_find(map, key) : -1;
    return at < 0 ? NULL : map->item[at];
}

static const struct node *list_of(const struct node *plan)
{
    const struct node *layers = child(plan, "layers");
    return layers ? layers : plan;
}

static int read_name(const char *key, const struct node *plan, struct err *e)
{
    const struct node *name = child(plan, "name");
    for (int k = 0; plan->type == NODE_MAP && k < plan->count; k++)
        if (strcmp(plan->key[k]->text, "name") && strcmp(plan->key[k]->text, "layers"))
            return node_error(plan->key[k], e, "%s: unknown key %.32s; expected name or layers", key,
                              plan->key[k]->text);
    if (name && (name->type != NODE_SCALAR || !name->text[0] || node_is_null(name) ||
                 strlen(name->text) >= PLAN_NAME_MAX))
        return node_error(name, e, "%s.name: expected a name of at most %d bytes", key,
                          PLAN_NAME_MAX - 1);
    return 0;
}

int plan_read(const char *key, const struct node *n, int *maps, struct err *e)
{
    char shown[NODE_SHOWN];
    const struct node *list = list_of(n);
    int code = read_name(key, n, e);
    *maps = list->count;
    if (code)
        return code;
    if (list->type != NODE_LIST || !list->count)
        return node_error(list, e,
                          "%s: %s is no plan; expected a list of maps, one for each layer of a "
                          "turn, such as [{mask: window, layers: 5}, {}]",
                          key, node_show(list, shown));
    for (int k = 0; k < list->count; k++)
        if (list->item[k]->type != NODE_MAP)
            return node_error(list->item[k], e, "%s: %s where a layer is due; expected a map such "
                              "as {mask: window}", key, node_show(list->item[k], shown));
    return 0;
}

/* ---- resolving --------------------------------------------------------------------------------*/
struct reader {
    const struct keys *keys;
    int slot; /* the plan's */
    enum section_id section;
    const struct node *const *state;
    const struct node *absent;
    struct err *e;
};

static const struct option *row_of_slot(const struct keys *k, int slot)
{
    const struct slot *s = &k->slot[slot];
    return s->type == SLOT_OWN ? k->slot[s->kind_slot].row : s->row;
}

static int refuse_key(const struct reader *r, int slot, const struct node *map)
{
    char names[160] = "";
    size_t used = 0;
    for (const struct option *row = section_table[r->section].options; row->key; row++)
        if (row->layered && used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     row->key);
    return node_error(map, r->e, "%s: %s is the same in all layers; expected one of %s, or layers",
                      r->keys->slot[r->slot].key, r->keys->slot[slot].key, names);
}

/* One map of a plan: its configuration, and how many layers in a row have it. */
static int read_layer(const struct reader *r, const struct node *map, struct model_config *out,
                      int64_t *layers)
{
    const struct node *state[SLOTS_MAX];
    struct layers pool = {.keys = r->keys};
    struct arena arena; /* of texts until they are copied */
    const char *section = section_table[r->section].name;
    int code = arena_open(&arena, 0, r->e), length = -1;
    code = code ? code : layer_assign(&pool, section, map, map, r->e);
    memcpy(state, r->state, (size_t)r->keys->count * sizeof *state);
    state[r->slot] = NULL;
    for (int k = 0; k < pool.count && !code; k++) {
        int slot = pool.item[k].slot;
        const struct option *row = row_of_slot(r->keys, slot);
        if (pool.item[k].value)
            code = layer_flatten(r->keys, &pool.item[k], &arena, r->e);
        state[slot] = pool.item[k].value;
        if (!strcmp(row->key, "layers"))
            length = slot;
        else if (!row->layered && !code)
            code = refuse_key(r, slot, map);
    }
    layers_close(&pool);
    if (!code)
        code = section_resolve(r->keys, r->section, state, r->absent, out, r->e);
    arena_close(&arena);
    *layers = length >= 0 ? out->layers : 1;
    return code;
}

static int read_layers(const struct reader *r, const struct node *list, struct model_plan *out)
{
    struct model_config *one = memory_alloc(1, sizeof *one, r->e);
    int code = one ? 0 : ERR_MEMORY;
    for (int k = 0; k < list->count && !code; k++) {
        int64_t layers;
        code = read_layer(r, list->item[k], one, &layers);
        for (int64_t l = 0; l < layers && !code; l++)
            if (!plan_append(out, &one->layer))
                code = node_error(list->item[k], r->e,
                                  "%s: too long; expected at most %d layers a turn, of at most %d "
                                  "kinds", r->keys->slot[r->slot].key, PLAN_TURN_MAX,
                                  PLAN_KINDS_MAX);
    }
    memory_free(one);
    return code;
}

int plan_resolve(const struct keys *k, int slot, const struct node *const *state,
                 const struct node *absent, struct model_config *c, struct err *e)
{
    struct reader r = {.keys = k, .slot = slot, .section = k->slot[slot].section, .state = state,
                       .absent = absent, .e = e};
    const struct node *name = child(state[slot], "name");
    int code = read_layers(&r, list_of(state[slot]), &c->plan);
    if (code)
        return code;
    if (name)
        memcpy(c->plan.name, name->text, strlen(name->text));
    plan_settle(c);
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------*/
/* Value of one row of a kind of layers, "" where it has no meaning. */
static void write_row(const struct option *row, const struct model_config *c, enum value_form form,
                      struct text *t)
{
    struct option_value v;
    if (!row_applies(model_options, row, c))
        return;
    option_load(row, c, &v);
    const struct kind_config *kind = (const void *)((const char *)c + row->offset);
    const struct option *own = row->type == OPTION_KIND ? row->kinds->options(kind->kind) : NULL;
    text_append(t, own && own->key ? "{kind: " : "");
    value_write(row, &v, form, t);
    for (const struct option *o = own; o && o->key; o++) {
        option_load_own(own, o, kind, &v);
        if (o->quiet && option_is_default(o, &v))
            continue;
        text_append_format(t, ", %s: ", o->key);
        value_write(o, &v, form, t);
    }
    text_append(t, own && own->key ? "}" : "");
}

/* Whether kinds a and b say the same in a row; c: scratch. */
static bool same_row(const struct option *row, const struct model_plan *p, int a, int b)
{
    struct model_config c = {.layer = p->kind[a]};
    struct text one = {0}, other = {0};
    write_row(row, &c, VALUE_EXACT, &one);
    c.layer = p->kind[b];
    write_row(row, &c, VALUE_EXACT, &other);
    bool same = one.length == other.length && (!one.length || !memcmp(one.data, other.data, one.length));
    text_close(&one);
    text_close(&other);
    return same;
}

static bool differs(const struct option *row, const struct model_plan *p)
{
    bool same = true;
    for (int k = 1; k < p->kinds && row->layered && same; k++)
        same = same_row(row, p, 0, k);
    return !same;
}

static int run_from(const struct model_plan *p, int first)
{
    int end = first;
    while (end < p->turn && p->of[end] == p->of[first])
        end++;
    return end - first;
}

static void write_map(const struct model_plan *p, int kind, int run, enum value_form form,
                      struct text *t)
{
    struct model_config c = {.layer = p->kind[kind]};
    const char *comma = "";
    text_append(t, "{");
    for (const struct option *row = model_options; row->key; row++)
        if (differs(row, p) && row_applies(model_options, row, &c)) {
            text_append_format(t, "%s%s: ", comma, row->key);
            write_row(row, &c, form, t);
            comma = ", ";
        }
    if (run > 1)
        text_append_format(t, "%slayers: %d", comma, run);
    text_append(t, "}");
}

void plan_write(const struct model_plan *p, enum value_form form, struct text *t)
{
    bool named = p->name[0] && form != VALUE_EXACT;
    if (named) {
        text_append(t, "{name: ");
        node_write_text(t, p->name);
        text_append(t, ", layers: ");
    }
    text_append(t, "[");
    for (int k = 0, run; k < p->turn; k += run) {
        run = run_from(p, k);
        text_append(t, k ? ", " : "");
        write_map(p, p->of[k], run, form, t);
    }
    text_append(t, named ? "]}" : "]");
}

/* ---- names ------------------------------------------------------------------------------------*/
/* An option of kind's entry in which kinds of layers with that entry differ. */
static void show_options(const struct option *row, const struct model_plan *p, int kind,
                         struct text *t)
{
    struct model_config c = {.layer = p->kind[kind]}, d = c;
    const struct kind_config *mine = (const void *)((const char *)&c + row->offset);
    const struct kind_config *other = (const void *)((const char *)&d + row->offset);
    const struct option *own = row->kinds->options(mine->kind);
    for (const struct option *o = own; o && o->key; o++) {
        bool shown = false;
        for (int k = 0; k < p->kinds && !shown; k++) {
            struct option_value a, b;
            d.layer = p->kind[k];
            option_load_own(own, o, mine, &a);
            option_load_own(own, o, other, &b);
            if (other->kind != mine->kind || o->type == OPTION_TEXT || a.number == b.number)
                continue;
            text_append_format(t, " %s ", o->key);
            value_write(o, &a, VALUE_STORED, t);
            shown = true;
        }
    }
}

static void show_kind(const struct model_plan *p, int kind, struct text *t)
{
    struct model_config c = {.layer = p->kind[kind]};
    const char *space = "";
    for (const struct option *row = model_options; row->key; row++) {
        struct option_value v;
        if (!differs(row, p) || !row_applies(model_options, row, &c))
            continue;
        option_load(row, &c, &v);
        text_append(t, space);
        if (row->type != OPTION_KIND && row->type != OPTION_CHOICE)
            text_append_format(t, "%s ", row->key);
        value_write(row, &v, VALUE_STORED, t);
        if (row->type == OPTION_KIND)
            show_options(row, p, kind, t);
        space = " ";
    }
}

void plan_show(const struct model_plan *p, struct text *t)
{
    if (p->name[0] || !p->turn) {
        text_append(t, p->turn ? p->name : "none");
        return;
    }
    for (int k = 0, run; k < p->turn; k += run) {
        run = run_from(p, k);
        text_append(t, k ? "/" : "");
        show_kind(p, p->of[k], t);
        if (run > 1)
            text_append_format(t, " x%d", run);
    }
}

/* Opening and closing specs, and what others ask of an open one. */
#include "spec/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spec/document.h"

/* ---- opening ----------------------------------------------------------------------------------*/

static int read_root(struct spec *s, const char *bytes, size_t count, struct err *e)
{
    char shown[NODE_SHOWN];
    int code = node_parse(&s->root, s->source, bytes, count, &s->arena, e);
    if (code)
        return code;
    if (!s->root)
        return node_error(&s->start, e, "the spec is empty; expected at least target: NAME");
    if (s->root->type != NODE_MAP)
        return node_error(s->root, e, "%s at the top; expected a map such as target: gain",
                          node_show(s->root, shown));
    return 0;
}

static int hash_spec(struct spec *s, struct err *e)
{
    struct text t = {0};
    int code = spec_text(s, &t, e);
    if (code == 0)
        hash_text(s->hash, t.data, t.length);
    text_close(&t);
    return code;
}

static int read_all(struct spec *s, const char *bytes, size_t count, const char *const *set,
                    int sets, struct err *e)
{
    int code = read_root(s, bytes, count, e);
    if (code == 0)
        code = set_open(s, e);
    if (code == 0 && s->class_path)
        code = class_edit(s, set, sets, e);
    if (code == 0)
        code = set_edit(s, set, sets, e);
    if (code == 0 && s->beside)
        class_settle(s);
    if (code == 0)
        code = document_read(s, e);
    if (code == 0)
        code = claims_read(s, e);
    if (code == 0)
        code = exceptions_read(s, e);
    if (code == 0)
        code = expand(s, e);
    return code ? code : hash_spec(s, e);
}

/* class_path, beside: as in struct spec. */
static int parse(struct spec **out, const char *where, const char *bytes, size_t count,
                 const char *class_path, const char *beside, const char *const *set, int sets,
                 struct err *e)
{
    *out = NULL;
    struct spec *s = memory_alloc(1, sizeof *s, e);
    if (!s)
        return ERR_MEMORY;
    int code = arena_open(&s->arena, 0, e);
    if (code == 0)
        code = keys_open(&s->keys, e);
    s->layers.keys = &s->keys;
    s->source = code == 0 ? arena_text(&s->arena, where, e) : NULL;
    s->class_path = class_path;
    s->beside = beside;
    if (code == 0 && !s->source)
        code = ERR_MEMORY;
    s->start = (struct node){.source = s->source, .line = 1, .column = 1, .text = ""};
    if (code == 0)
        code = read_all(s, bytes, count, set, sets, e);
    s->class_path = s->beside = NULL; /* the caller's */
    if (code) {
        spec_close(s);
        return code;
    }
    *out = s;
    return 0;
}

int spec_parse(struct spec **out, const char *where, const char *bytes, size_t count,
               const char *const *set, int sets, struct err *e)
{
    return parse(out, where, bytes, count, NULL, NULL, set, sets, e);
}

int spec_read_file(const char *path, const char **name, char **bytes, size_t *count, struct err *e)
{
    bool standard = !strcmp(path, "-");
    struct err cause = {0};
    *name = path = standard ? "<stdin>" : path;
    int code = standard ? file_read_open(STDIN_FILENO, path, NODE_BYTES_MAX, bytes, count, &cause)
                        : file_read_stream(path, NODE_BYTES_MAX, bytes, count, &cause);
    if (code == ERR_FORMAT) { /* too large: the spec is wrong, not the disk */
        struct node at = {.source = path, .line = 1, .column = 1};
        return node_error(&at, e, "too large for a spec; expected at most %d bytes",
                          NODE_BYTES_MAX);
    }
    return code ? err_pass(e, &cause) : 0;
}

int spec_open(struct spec **out, const char *path, const char *const *set, int sets,
              struct err *e)
{
    char *bytes = NULL;
    size_t count = 0;
    *out = NULL;
    int code = spec_read_file(path, &path, &bytes, &count, e);
    if (code)
        return code;
    code = spec_parse(out, path, bytes, count, set, sets, e);
    memory_free(bytes);
    return code;
}

int spec_open_kept(struct spec **out, const char *path, struct err *e)
{
    char *bytes = NULL;
    size_t count;
    *out = NULL;
    int code = file_read(path, NODE_BYTES_MAX, &bytes, &count, e);
    code = code ? code : spec_parse(out, path, bytes, count, NULL, 0, e);
    memory_free(bytes);
    return code;
}

int spec_open_class(struct spec **out, const char *battery, const char *path,
                    const char *const *set, int sets, struct err *e)
{
    char *bytes = NULL;
    size_t count = 0;
    *out = NULL;
    int code = spec_read_file(battery, &battery, &bytes, &count, e);
    if (code)
        return code;
    code = spec_parse_class(out, battery, bytes, count, path, set, sets, e);
    memory_free(bytes);
    return code;
}

int spec_parse_class(struct spec **out, const char *where, const char *bytes, size_t count,
                     const char *path, const char *const *set, int sets, struct err *e)
{
    const char *beside = path && strcmp(path, "-") ? path : "";
    return parse(out, where, bytes, count, path, beside, set, sets, e);
}

void spec_close(struct spec *s)
{
    if (!s)
        return;
    for (int b = 0; b < s->blocks; b++) {
        memory_free(s->block[b].packed);
        memory_free(s->block[b].slot);
    }
    text_close(&s->differences);
    layers_close(&s->layers);
    keys_close(&s->keys);
    arena_close(&s->arena);
    memory_free(s);
}

/* ---- asking -----------------------------------------------------------------------------------*/

const char *spec_name(const struct spec *s)
{
    return s->name;
}

const char *spec_hash(const struct spec *s)
{
    return s->hash;
}

int spec_cells(const struct spec *s)
{
    return s->cells;
}

static struct packed_cell *packed_cell(const struct spec *s, int index)
{
    return &s->block[index / CELL_BLOCK].packed[index % CELL_BLOCK];
}

const struct cell *spec_cell(const struct spec *s, int index)
{
    struct packed_cell *p = packed_cell(s, index);
    if (p->whole)
        return p->whole;
    union cell_slot *slot = s->slots->free;
    if (slot)
        s->slots->free = slot->next;
    else {
        int k = s->slots->used++;
        slot = &s->block[k / CELL_BLOCK].slot[k % CELL_BLOCK];
    }
    struct cell *c = &slot->cell;
    memcpy(c, packed_cell(s, 0)->whole, sizeof *c);
    for (int k = 0; k < p->differences; k++) {
        struct cell_difference d;
        memcpy(&d, s->differences.data + p->first + (size_t)k * sizeof d, sizeof d);
        memcpy((char *)c + d.at * sizeof d.word, &d.word, sizeof d.word);
    }
    return p->whole = c;
}

void spec_drop_cell(const struct spec *s, int index)
{
    struct packed_cell *p = packed_cell(s, index);
    union cell_slot *slot = (union cell_slot *)p->whole;
    if (!slot || index == 0)
        return;
    slot->next = s->slots->free;
    s->slots->free = slot;
    p->whole = NULL;
}

int *spec_place(const struct spec *s, const char *id)
{
    size_t at = (size_t)strtoull(id, NULL, 16) & (s->room - 1);
    for (int found; (found = s->by_id[at]); at = (at + 1) & (s->room - 1))
        if (!strcmp(packed_cell(s, found - 1)->id, id))
            break;
    return &s->by_id[at];
}

const struct cell *spec_find(const struct spec *s, const char *id)
{
    int found = *spec_place(s, id);
    return found ? spec_cell(s, found - 1) : NULL;
}

int spec_claims(const struct spec *s)
{
    return s->claims;
}

const struct claim *spec_claim(const struct spec *s, int index)
{
    return &s->claim[index];
}

int spec_axes(const struct spec *s)
{
    return s->varies;
}

const char *spec_axis(const struct spec *s, int index)
{
    return s->vary[index];
}

int spec_figures(const struct spec *s)
{
    return s->figures;
}

const char *spec_figure(const struct spec *s, int index)
{
    return s->figure[index];
}

/* ---- places -----------------------------------------------------------------------------------*/

static const struct node *place_of(const struct spec *s, const char *key)
{
    const struct node *found = NULL, *given;
    struct node *map = s->root;
    bool whole;
    for (int k = 0; !found && k < s->set->count; k++)
        if (keys_overlap(s->set->key[k]->text, key))
            found = s->set->item[k];
    for (int k = 0; !found && (given = document_given(s, k)); k++)
        if (keys_overlap(given->text, key))
            found = given;
    int at = found ? -1 : node_walk(&map, key, &whole); /* the deepest node on the way */
    if (at >= 0)
        found = whole || map->item[at]->type != NODE_MAP ? map->item[at] : map->key[at];
    return found ? found : &s->start;
}

void spec_where(const struct spec *s, const char *key, char *out, size_t size)
{
    node_place(place_of(s, key), out, size);
}

/* The node that decides key in one cell, or NULL where that is a default. */
static const struct node *in_state(const struct spec *s, const struct node *const *state,
                                   const char *key)
{
    int slot;
    if (!state || keys_find(&s->keys, key, &slot) == KEY_UNKNOWN)
        return NULL;
    if (slot >= 0)
        return state[slot];
    for (int k = 0; k < s->keys.count; k++)
        if (state[k] && key_covers(key, s->keys.slot[k].key))
            return state[k];
    return NULL;
}

int cell_error(const struct spec *s, const struct node *const *state, const struct err *cause,
               const char *section, struct err *e)
{
    int slot;
    if (cause->code != ERR_USAGE)
        return err_pass(e, cause);
    bool known = cause->where[0] && keys_find(&s->keys, cause->where, &slot) != KEY_UNKNOWN;
    const char *key = known ? cause->where : section;
    const struct node *at = in_state(s, state, key);
    return node_error(at ? at : place_of(s, key), e, "%s: %s", key, cause->msg);
}

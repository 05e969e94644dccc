/* Cells: cases x grid x seeds but for those of `except`, each resolved, checked as a whole, and named by its hash.
 *
 * Invariant: a cell's id is the hash of SPEC_NUMERICS_VERSION, its seed and every leaf that applies
 * and is not cosmetic, as "key=value" lines in the order of the tables, reals with 17 digits.
 *
 * A hundred thousand cells must expand in about a second, so a section is resolved and printed only
 * when one of its slots differs from the cell before. */
#include <stdio.h>
#include <string.h>

#include "spec/check.h"
#include "spec/document.h"
#include "spec/preset.h"
#include "spec/resolve.h"
#include "spec/start.h"

struct expander {
    struct spec *spec;
    const struct node *state[SLOTS_MAX], *before[SLOTS_MAX]; /* this cell's and the last one's */
    bool any;                                                /* `before` holds something */
    int length, space; /* slots of space.length and space.kind */
    bool length_meant; /* this cell's length was said by who knew its space, or later */
    bool left_out;     /* this combination, by `except` */
    size_t most;       /* cells that there can be */
    struct cell cell;
    struct text printed[SECTION_COUNT]; /* each section's leaves that count */
    struct checker checker;
    struct text whole;
    struct err *e;
};

/* ---- text and hashes --------------------------------------------------------------------------*/

static int print_leaf(void *context, const struct leaf *leaf)
{
    struct text *t = context;
    if (leaf->row->cosmetic || leaf->unsaid)
        return 0;
    size_t name = strlen(leaf->key) - (leaf->row->was_choice ? strlen(".kind") : 0);
    text_append_format(t, "%.*s=", (int)name, leaf->key);
    value_write(leaf->row, &leaf->value, VALUE_EXACT, t);
    text_append(t, "\n");
    return 0;
}

static int print_section(struct text *t, enum section_id id, const struct task *task)
{
    text_clear(t);
    return section_leaves(id, task, print_leaf, t);
}

/* The hash of the sections' texts after a first line; seed NULL: without it.  t: room for them. */
static int hash_cell(const struct text printed[SECTION_COUNT], struct text *t,
                     const uint64_t *seed, char out[SPEC_ID], struct err *e)
{
    char digits[HASH_TEXT];
    text_clear(t);
    text_append_format(t, "urpe-probe %d\n", SPEC_NUMERICS_VERSION);
    if (seed)
        text_append_format(t, "seed=%llu\n", (unsigned long long)*seed);
    for (int id = 0; id < SECTION_COUNT; id++) {
        text_append_bytes(t, printed[id].data, printed[id].length);
        t->failed = t->failed || printed[id].failed;
    }
    int code = text_check(t, e);
    if (code)
        return code;
    hash_text(digits, t->data, t->length);
    /* 1028506406119003 and 42801063682654e3 are numbers to who reads a CSV: a letter comes first. */
    out[0] = 'c';
    memcpy(out + 1, digits, SPEC_ID - 2);
    out[SPEC_ID - 1] = 0;
    return 0;
}

static void close_printed(struct text printed[SECTION_COUNT])
{
    for (int id = 0; id < SECTION_COUNT; id++)
        text_close(&printed[id]);
}

int spec_cell_identify(struct cell *c, struct err *e)
{
    struct text printed[SECTION_COUNT] = {0}, whole = {0};
    int code = 0;
    for (int id = 0; id < SECTION_COUNT && code == 0; id++)
        code = print_section(&printed[id], (enum section_id)id, &c->task);
    if (code == 0)
        code = hash_cell(printed, &whole, NULL, c->group, e);
    if (code == 0)
        code = hash_cell(printed, &whole, &c->task.seed, c->id, e);
    close_printed(printed);
    text_close(&whole);
    return code;
}

/* ---- one combination --------------------------------------------------------------------------*/

static bool section_changed(const struct expander *x, enum section_id id)
{
    const struct keys *k = &x->spec->keys;
    size_t first = (size_t)k->first[id], count = (size_t)k->first[id + 1] - first;
    return !x->any || memcmp(x->state + first, x->before + first, count * sizeof x->state[0]);
}

static int resolve_one(struct expander *x, enum section_id id)
{
    const struct spec *s = x->spec;
    struct task *task = &x->cell.task;
    void *owner = (char *)task + section_table[id].offset;
    struct err cause = {0};
    int written = node_find(s->root, section_table[id].name);
    const struct node *absent = written < 0 ? &s->start : s->root->key[written];
    int code = section_resolve(&s->keys, id, x->state, absent, owner, x->e);
    if (code)
        return code;
    if (id == SECTION_SPACE)
        code = space_finish(&task->space, &cause);
    if (id == SECTION_TARGET)
        code = target_finish(&task->target, &cause);
    if (id == SECTION_EVALUATE)
        code = lengths_complete(&task->evaluate, space_positions(&task->space), &cause);
    return code ? cell_error(s, x->state, &cause, section_table[id].name, x->e)
                : print_section(&x->printed[id], id, task);
}

/* A length for sequences may stand where another layer puts a grid in their place; one that was
 * written for the grid would be ignored. */
static int check_length(const struct expander *x)
{
    const struct node *length = x->state[x->length];
    const struct space *space = space_of(&x->cell.task.space);
    if (!length || !space->positions || !x->length_meant)
        return 0;
    return node_error(length, x->e, "space.length: space '%s' has a size of its own; expected %s",
                      space->name, space->sized_by);
}

/* Checks what the spec says, gives a cell that starts from a witness its sizes, checks those. */
static int check_cell(struct expander *x)
{
    struct task *task = &x->cell.task;
    struct err cause = {0};
    int code = check_task(&x->checker, task, &cause);
    if (code == 0)
        code = check_code(&x->checker, task, &cause);
    if (code == 0 && task->model.init == MODEL_INIT_WITNESS) {
        code = start_resize(task, &cause);
        if (code == 0)
            code = check_task(&x->checker, task, &cause);
        if (code == 0)
            code = print_section(&x->printed[SECTION_MODEL], SECTION_MODEL, task);
    }
    if (code == 0)
        code = check_polish(&x->checker, task, &cause);
    return code ? cell_error(x->spec, x->state, &cause, "target", x->e) : 0;
}

/* The evaluated lengths depend on the space; nothing else looks beyond its section. */
static int resolve(struct expander *x)
{
    bool changed = false, space = section_changed(x, SECTION_SPACE);
    int code = 0;
    for (int id = 0; id < SECTION_COUNT && code == 0; id++) {
        if (!section_changed(x, (enum section_id)id) && !(id == SECTION_EVALUATE && space))
            continue;
        code = resolve_one(x, (enum section_id)id);
        changed = true;
    }
    if (code == 0 && changed)
        x->left_out = exceptions_meet(x->spec, &x->cell);
    if (code == 0 && space && !x->left_out)
        code = check_length(x);
    if (code == 0 && changed && !x->left_out)
        code = check_cell(x);
    memcpy(x->before, x->state, (size_t)x->spec->keys.count * sizeof x->state[0]);
    x->any = true;
    return code;
}

_Static_assert(sizeof(struct cell) % sizeof(uint64_t) == 0 &&
                   sizeof(struct cell) / sizeof(uint64_t) <= UINT16_MAX,
               "a cell is so many words");

/* Notes the words in which the cell differs from the first. */
static int note_differences(struct spec *s, const struct cell *c, struct packed_cell *p,
                            struct err *e)
{
    const char *first = (const char *)s->block[0].packed[0].whole, *here = (const char *)c;
    p->first = s->differences.length;
    for (size_t at = 0; at < sizeof *c; at += sizeof(uint64_t)) {
        struct cell_difference d = {.at = (uint16_t)(at / sizeof d.word)};
        if (!memcmp(first + at, here + at, sizeof d.word))
            continue;
        memcpy(&d.word, here + at, sizeof d.word);
        text_append_bytes(&s->differences, &d, sizeof d);
        p->differences++;
    }
    return text_check(&s->differences, e);
}

static int keep_cell(struct expander *x)
{
    struct spec *s = x->spec;
    if (s->cells == s->blocks * CELL_BLOCK) {
        size_t left = x->most - (size_t)s->cells, count = left < CELL_BLOCK ? left : CELL_BLOCK;
        struct cell_block *b = &s->block[s->blocks++];
        b->packed = memory_alloc(count, sizeof *b->packed, x->e);
        b->slot = memory_alloc(count, sizeof *b->slot, x->e);
        if (!b->packed || !b->slot)
            return ERR_MEMORY;
    }
    x->cell.index = s->cells;
    *spec_place(s, x->cell.id) = s->cells + 1;
    struct packed_cell *p = &s->block[s->blocks - 1].packed[s->cells % CELL_BLOCK];
    memcpy(p->id, x->cell.id, SPEC_ID);
    if (s->cells++)
        return note_differences(s, &x->cell, p, x->e);
    s->block[0].slot[s->slots->used++].cell = x->cell;
    p->whole = &s->block[0].slot[0].cell;
    return 0;
}

static int add_seeds(struct expander *x)
{
    int code = hash_cell(x->printed, &x->whole, NULL, x->cell.group, x->e);
    for (int k = 0; k < x->spec->seeds && code == 0; k++) {
        uint64_t seed = (uint64_t)x->spec->seed[k];
        x->cell.task.seed = seed;
        code = hash_cell(x->printed, &x->whole, &seed, x->cell.id, x->e);
        if (code == 0 && !*spec_place(x->spec, x->cell.id))
            code = keep_cell(x);
    }
    return code;
}

static void apply(struct expander *x, struct layer layer)
{
    const struct layers *l = &x->spec->layers;
    if (layer_final(l, layer, x->space))
        x->length_meant = false;
    if (layer_final(l, layer, x->length))
        x->length_meant = true;
    layer_apply(l, layer, x->state);
}

static int add_combination(struct expander *x, int which, const int *value)
{
    struct spec *s = x->spec;
    memset(x->state, 0, (size_t)s->keys.count * sizeof x->state[0]);
    x->length_meant = false;
    apply(x, s->base);
    apply(x, s->set_of[which].layer);
    for (int a = 0; a < s->axes; a++)
        apply(x, s->axis[a].value[value[a]]);
    apply(x, s->set_layer);
    int code = preset_apply(s, x->state, x->e);
    code = code ? code : resolve(x);
    return code || x->left_out ? code : add_seeds(x);
}

/* ---- all of them ------------------------------------------------------------------------------*/

static int count_cells(const struct spec *s, size_t *total, struct err *e)
{
    struct err cause = {.code = ERR_USAGE};
    *total = (size_t)s->cases * (size_t)s->seeds;
    bool fits = *total <= SPEC_CELLS_MAX;
    for (int a = 0; a < s->axes && fits; a++) {
        *total *= (size_t)s->axis[a].count;
        fits = *total <= SPEC_CELLS_MAX;
    }
    if (fits)
        return 0;
    snprintf(cause.msg, sizeof cause.msg,
             "more cells (cases x grid x seeds) than can be; expected at most %d", SPEC_CELLS_MAX);
    return cell_error(s, NULL, &cause, s->axes ? "grid" : s->cases > 1 ? "cases" : "seeds", e);
}

/* Advances the odometer, the last axis fastest; false after the last combination. */
static bool next_value(const struct spec *s, int *value)
{
    for (int a = s->axes - 1; a >= 0; a--) {
        if (++value[a] < s->axis[a].count)
            return true;
        value[a] = 0;
    }
    return false;
}

static int expand_all(struct expander *x)
{
    const struct spec *s = x->spec;
    int value[AXES_MAX] = {0}, code = 0;
    for (int c = 0; c < s->cases && code == 0; c++)
        do {
            code = add_combination(x, c, value);
        } while (code == 0 && next_value(s, value));
    if (code == 0 && s->cells == 0)
        code = node_error(document_find(s, "except"), x->e, "except: leaves no cell; expected some "
                          "combination of grid and cases that it does not meet");
    return code;
}

int expand(struct spec *s, struct err *e)
{
    size_t total;
    int code = count_cells(s, &total, e);
    if (code)
        return code;
    struct expander *x = memory_alloc(1, sizeof *x, e);
    if (!x)
        return ERR_MEMORY;
    x->spec = s;
    x->most = total;
    x->e = e;
    keys_find(&s->keys, "space.length", &x->length);
    keys_find(&s->keys, "space.kind", &x->space);
    for (s->room = 2; s->room < 2 * total;)
        s->room *= 2;
    s->by_id = arena_alloc(&s->arena, s->room, sizeof *s->by_id, e);
    s->block = arena_alloc(&s->arena, total / CELL_BLOCK + 1, sizeof *s->block, e);
    s->slots = arena_alloc(&s->arena, 1, sizeof *s->slots, e);
    code = s->by_id && s->block && s->slots ? checker_open(&x->checker, e) : ERR_MEMORY;
    if (code == 0) {
        code = expand_all(x);
        checker_close(&x->checker);
    }
    close_printed(x->printed);
    text_close(&x->whole);
    memory_free(x);
    return code;
}

/* The table behind a card (card.h).
 *
 * Invariant: a cell of the class and one of a built-in encoding share a number where their targets, inputs
 * and settings are called alike, and what settings are called is said by the battery. */
#include "report/card.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/label.h"
#include "report/lines.h"
#include "report/listing.h"
#include "report/verdict.h"

enum { VALUE_SIZE = 512 };
#define SAME_FLOOR 1e-3 /* relative: shipped ones have four digits */

/* Colours of Okabe and Ito (2008), which are also told by lightness and sign. */
const struct card_answer card_answers[] = {
    {"impossible", "\u2717", "x", PAINT_IMPOSSIBLE, "#d55e00", "#ffffff", "no network of the class can", true,
     "impossible"},
    {"too-shallow", "\u25bd", "v", PAINT_IMPOSSIBLE, "#e69f00", "#1a1a1a", "none of so many layers can", true,
     "impossible"},
    {"by-rounding", "\u2717", "x", PAINT_MIXED, "#d55e00", "#ffffff", "impossible but for rounding", true,
     "impossible"},
    {"failed", "!", "!", PAINT_BAD, "#999999", "#1a1a1a", "the cell failed", false,
     "not-reached"},
    {"diverged", "!", "!", PAINT_BAD, "#999999", "#1a1a1a", "training diverged", false,
     "not-reached"},
    {"not-of-class", "!", "!", PAINT_BAD, "#999999", "#1a1a1a", "predictions of a model that is not of the class",
     false, "not-reached"},
    {"not-reached", "\u00b7", ".", NULL, "#f0e442", "#1a1a1a", "not learned", false,
     "not-reached"},
    {"bounded", "~", "~", NULL, "#f7f2b0", "#1a1a1a", "a floor within the tolerance", false,
     "not-reached"},
    {"open", "?", "?", NULL, "#e5e5e5", "#1a1a1a", "no floor, and nothing is shown", false,
     "not-reached"},
    {"possible", "\u2713", "+", NULL, "#a6d3ee", "#1a1a1a", "some network of the class can", false,
     "reached"},
    {"known weights", "\u25cf", "*", PAINT_GOOD, "#0072b2", "#ffffff", "explicit weights do it", false,
     "reached"},
    {"reached", "\u2605", "@", PAINT_GOOD, "#009e73", "#ffffff", "the error is within the tolerance", false,
     "reached"},
    {0}};

static int answer_called(const char *name)
{
    for (int k = 0; card_answers[k].name; k++)
        if (strcmp(card_answers[k].name, name) == 0)
            return k;
    return -1;
}

/* ---- names ------------------------------------------------------------------------------------*/
/* The number of a name, which is added where it is new; -1: no memory. */
static int number_of(struct card_table *t, struct card_names *n, const char *name, struct err *e)
{
    for (int k = 0; k < n->count; k++)
        if (strcmp(n->name[k], name) == 0)
            return k;
    if (memory_grow(n->name, (size_t)n->count + 1, e))
        return -1;
    n->name[n->count] = arena_text(&t->arena, name, e);
    return n->name[n->count] ? n->count++ : -1;
}

/* What the battery's settings are told by, and how its first cell has it. */
struct settings {
    const char **key;         /* (count) */
    char (*first)[VALUE_SIZE];
    int count;
};

static int settings_open(struct settings *s, const struct spec *plain, struct err *e)
{
    *s = (struct settings){0};
    for (int k = 0; k < spec_axes(plain); k++) {
        const char *key = spec_axis(plain, k);
        if (!key_covers("model", key) || key_covers("model.encoding", key))
            continue;
        if (memory_grow(s->key, (size_t)s->count + 1, e) || memory_grow(s->first, (size_t)s->count + 1, e))
            return ERR_MEMORY;
        if (!spec_value(spec_cell(plain, 0), key, s->first[s->count], VALUE_SIZE))
            s->first[s->count][0] = '\0';
        s->key[s->count++] = key;
    }
    return 0;
}

static void settings_close(struct settings *s)
{
    memory_free(s->key);
    memory_free(s->first);
}

/* The values that differ from the first cell's; "alone" where none does. */
static void append_setting(struct text *out, const struct settings *s, const struct cell *c)
{
    char value[VALUE_SIZE];
    size_t start = out->length;
    for (int k = 0; k < s->count; k++) {
        if (!spec_value(c, s->key[k], value, sizeof value))
            value[0] = '\0';
        if (strcmp(value, s->first[k]) != 0)
            text_append_format(out, "%s%s", out->length > start ? " " : "", *value ? value : "none");
    }
    if (out->length == start)
        text_append(out, "alone");
}

/* ---- reading ----------------------------------------------------------------------------------*/
struct place {
    int encoding, setting, target, subset, length;
    struct card_value value;
};

struct reader {
    struct card_table *table;
    const struct settings *settings;
    const struct cell *own; /* some cell of the class */
    struct place *place;    /* (places) */
    int places;
    struct err *e;
};

/* The answer about a group: of its seeds the worst, or what the class can. */
static int answer_of(const struct summary_group *g, const struct line_figures *f)
{
    int seeds;
    const char *name = verdict_of_group(g, &seeds)->name;
    int answer = answer_called(name);
    double tolerance = g->cell->task.evaluate.tolerance;
    bool known = f->measure && strcmp(summary_text(g, "witness"), "known") == 0 &&
                 f->witness.centre <= tolerance;
    return answer == answer_called("possible") && known ? answer_called("known weights") : answer;
}

/* The target, and what of it or its space varies: "shift k=2". */
static const char *const not_of_target[] = {"model", "space.inputs", "target.vocab", "train", "evaluate",
                                            NULL};

static int numbers_of(struct reader *r, const struct summary_group *g, bool own, struct place *p)
{
    struct card_table *t = r->table;
    struct text encoding = {0}, setting = {0}, target = {0};
    char length[TEXT_NUMBER_MAX];
    int kind = g->cell->task.target.kind.kind, before = t->target.count;
    label_append_kind(&encoding, g, "model.encoding", NULL);
    append_setting(&setting, r->settings, g->cell);
    label_append(&target, g, not_of_target);
    bool whole = !encoding.failed && !setting.failed && !target.failed;
    p->encoding = own ? 0 : whole ? number_of(t, &t->encoding, encoding.data, r->e) : -1;
    p->setting = whole ? number_of(t, &t->setting, setting.data, r->e) : -1;
    p->target = whole ? number_of(t, &t->target, target.data, r->e) : -1;
    p->subset = number_of(t, &t->subset, summary_text(g, "subset"), r->e);
    p->length = number_of(t, &t->length, length_text(length, g->length), r->e);
    if (p->target == before && !memory_grow(t->family_of, (size_t)before + 1, r->e))
        t->family_of[before] = number_of(t, &t->family, target_family(kind), r->e);
    if (g->length == g->cell->task.space.length && g->length == space_positions(&g->cell->task.space))
        t->own_length = p->length;
    text_close(&encoding);
    text_close(&setting);
    text_close(&target);
    return p->encoding < 0 || p->setting < 0 || p->target < 0 || p->subset < 0 || p->length < 0
               ? err_set(r->e, ERR_MEMORY, NULL, "out of memory") : 0;
}

/* The class itself among the built-in ones. */
static bool is_own(const struct reader *r, const struct cell *c)
{
    const struct model_config *a = &r->own->task.model, *b = &c->task.model;
    return !a->plan.turn && !b->plan.turn && !memcmp(&a->encoding, &b->encoding, sizeof a->encoding);
}

static int read_group(struct reader *r, const struct summary_group *g, bool own)
{
    struct line_figures f;
    struct place p = {0};
    if (!own && is_own(r, g->cell))
        return 0;
    int code = line_figures_of(g, &f, r->e);
    if (!code)
        code = numbers_of(r, g, own, &p);
    if (code || memory_grow(r->place, (size_t)r->places + 1, r->e))
        return code ? code : ERR_MEMORY;
    p.value = (struct card_value){(signed char)answer_of(g, &f), f.floor.centre, f.error.centre};
    if (strcmp(summary_text(g, "verdict"), "too-shallow") == 0)
        p.value.floor = f.depth_floor.centre;
    r->place[r->places++] = p;
    return 0;
}

static int read_results(struct reader *r, const struct results *from, bool own)
{
    struct summary s;
    int code = summary_open(&s, from, NULL, r->e);
    for (int k = 0; k < s.groups && !code; k++)
        code = read_group(r, &s.group[k], own);
    summary_close(&s);
    return code;
}

/* ---- the table --------------------------------------------------------------------------------*/
static size_t index_of(const struct card_table *t, int encoding, int setting, int target, int subset,
                       int length)
{
    size_t at = (size_t)encoding;
    at = at * (size_t)t->setting.count + (size_t)setting;
    at = at * (size_t)t->target.count + (size_t)target;
    at = at * (size_t)t->subset.count + (size_t)subset;
    return at * (size_t)t->length.count + (size_t)length;
}

const struct card_value *card_at(const struct card_table *t, int encoding, int setting, int target,
                                 int subset, int length)
{
    return &t->value[index_of(t, encoding, setting, target, subset, length)];
}

static int fill(struct card_table *t, const struct reader *r, struct err *e)
{
    size_t count = index_of(t, t->encoding.count, 0, 0, 0, 0);
    t->value = arena_alloc(&t->arena, count, sizeof *t->value, e);
    t->order = arena_alloc(&t->arena, (size_t)t->encoding.count, sizeof *t->order, e);
    if (!t->value || !t->order)
        return ERR_MEMORY;
    for (size_t k = 0; k < count; k++)
        t->value[k] = (struct card_value){-1, NAN, NAN};
    for (int k = 0; k < r->places; k++) {
        const struct place *p = &r->place[k];
        struct card_value *v = &t->value[index_of(t, p->encoding, p->setting, p->target, p->subset, p->length)];
        if (v->answer >= 0 && !p->encoding)
            return err_set(e, ERR_USAGE, "battery", "two cells of the class are both called %s, %s; expected "
                           "targets and settings that differ in names or options",
                           t->target.name[p->target], t->setting.name[p->setting]);
        *v = p->value;
    }
    return 0;
}

bool card_has(const struct card_table *t, int encoding, int setting)
{
    size_t first = index_of(t, encoding, setting, 0, 0, 0), end = index_of(t, encoding, setting + 1, 0, 0, 0);
    for (size_t k = first; k < end; k++)
        if (t->value[k].answer >= 0)
            return true;
    return false;
}

int card_setting(const struct card_table *t)
{
    int setting = 0;
    while (setting + 1 < t->setting.count && !card_has(t, 0, setting))
        setting++;
    return setting;
}

/* A cell of one length, and of one kind of input where there are several. */
static bool is_counted(const struct card_table *t, int subset, int length)
{
    return strcmp(t->length.name[length], "all") != 0 &&
           (t->subset.count == 1 || strcmp(t->subset.name[subset], "all") != 0);
}

/* Whether some built-in encoding has the cell. */
static bool is_beside(const struct card_table *t, int setting, int target, int subset, int length)
{
    for (int k = 1; k < t->encoding.count; k++)
        if (card_at(t, k, setting, target, subset, length)->answer >= 0)
            return true;
    return false;
}

struct card_count card_count(const struct card_table *t, int encoding, int setting, int family, bool beside)
{
    struct card_count c = {0};
    for (int x = 0; x < t->target.count; x++)
        for (int s = 0; s < t->subset.count && (family < 0 || t->family_of[x] == family); s++)
            for (int l = 0; l < t->length.count; l++) {
                const struct card_value *v = card_at(t, encoding, setting, x, s, l);
                if (v->answer < 0 || !is_counted(t, s, l) || (beside && !is_beside(t, setting, x, s, l)))
                    continue;
                c.all++;
                c.out += card_answers[(int)v->answer].out;
            }
    return c;
}

enum card_order card_compare(const struct card_table *t, int setting, int a, int b)
{
    bool any = false, below = false, above = false;
    size_t first = index_of(t, a, setting, 0, 0, 0), end = index_of(t, a, setting + 1, 0, 0, 0);
    size_t other = index_of(t, b, setting, 0, 0, 0);
    for (size_t k = first; k < end; k++, other++) {
        double x = t->value[k].floor, y = t->value[other].floor, same = SAME_FLOOR * fmax(x, y);
        if (isnan(x) || isnan(y))
            continue;
        any = true;
        below |= x < y - same;
        above |= x > y + same;
    }
    return !any ? CARD_NONE : below && above ? CARD_MIXED : below ? CARD_LOWER : above ? CARD_HIGHER
                                                                                      : CARD_ALIKE;
}

/* By insertion: there are few. */
static void sort_others(struct card_table *t)
{
    int setting = card_setting(t);
    for (int k = 1; k < t->encoding.count; k++) {
        int at = k - 1, out = card_count(t, k, setting, -1, true).out;
        for (; at > 0 && card_count(t, t->order[at - 1], setting, -1, true).out < out; at--)
            t->order[at] = t->order[at - 1];
        t->order[at] = k;
    }
}

int card_open(struct card *c, const struct spec *plain, struct err *e)
{
    struct card_table *t = &c->table;
    struct settings settings;
    *t = (struct card_table){0};
    struct reader r = {.table = t, .settings = &settings, .own = result_cell(c->own, &c->own->row[0]),
                       .e = e};
    int code = settings_open(&settings, plain, e);
    if (!code)
        code = arena_open(&t->arena, 0, e);
    if (!code && number_of(t, &t->encoding, "this class", e) < 0)
        code = ERR_MEMORY;
    if (!code)
        code = read_results(&r, c->own, true);
    if (!code && c->others)
        code = read_results(&r, c->others, false);
    if (!code)
        code = fill(t, &r, e);
    if (!code)
        sort_others(t);
    memory_free(r.place);
    settings_close(&settings);
    return code;
}

void card_close(struct card *c)
{
    struct card_table *t = &c->table;
    struct card_names *names[] = {&t->encoding, &t->setting, &t->target, &t->family, &t->subset, &t->length};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        memory_free(names[k]->name);
    memory_free(t->family_of);
    arena_close(&t->arena);
    *t = (struct card_table){0};
}

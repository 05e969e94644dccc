/* Colour refinement from the definition (rounds.h). */
#include "floor/rounds.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 64 };

/* What a pair sees once: a colour, and what the pair seen is to it. */
struct glance {
    int32_t colour;
    int row; /* that is seen */
    floor_key key;
};

struct view {
    struct glance *item; /* (count) in order of positions; sorted, where order does not matter */
    int count;
};

struct work {
    const struct floor_class *class;
    const struct floor_set *set;
    struct arena *arena;
    int rows;
    struct view *view; /* (rows) */
    uint64_t *first;   /* (rows,words) token and mark */
    size_t words;
};

/* ---- first colours ----------------------------------------------------------------------------*/
static void read_token(const struct work *w, int sample, int row, uint64_t *key)
{
    const struct floor_set *s = w->set;
    size_t tokens = w->words - FLOOR_KEY;
    memset(key, 0, w->words * sizeof *key);
    for (size_t k = 0; k < tokens; k++) {
        double x = s->token ? s->token[row] : s->x[(size_t)row * tokens + k];
        x = x == 0 ? 0 : x; /* 0 and -0 are one */
        memcpy(&key[k], &x, sizeof x);
    }
    if (w->class->mark)
        w->class->mark(w->class, s->layout[sample], row - s->first[sample], key + tokens);
}

static void colour_tokens(const struct work *w, int32_t *colour)
{
    int32_t colours = 0;
    for (int r = 0; r < w->rows; r++) {
        int same = 0;
        while (memcmp(w->first + (size_t)same * w->words, w->first + (size_t)r * w->words,
                      w->words * sizeof *w->first) != 0)
            same++;
        colour[r] = same < r ? colour[same] : colours++;
    }
}

/* ---- views ------------------------------------------------------------------------------------*/
static int open_views(struct work *w, int sample, struct err *e)
{
    const struct layout *l = w->set->layout[sample];
    int first = w->set->first[sample];
    void *state = NULL;
    int code = w->class->open ? w->class->open(w->class, l, w->arena, &state, e) : 0;
    for (int i = 0; i < l->n && !code; i++) {
        struct view *v = &w->view[first + i];
        v->item = arena_alloc(w->arena, (size_t)l->n, sizeof *v->item, e);
        code = v->item ? 0 : ERR_MEMORY;
        for (int j = 0; j < l->n && !code; j++) {
            struct glance *g = &v->item[v->count];
            g->row = first + j;
            v->count += w->class->see(w->class, l, state, i, j, g->key);
        }
    }
    return code;
}

static int compare_glances(const void *a, const void *b)
{
    const struct glance *x = a, *y = b;
    if (x->colour != y->colour)
        return x->colour < y->colour ? -1 : 1;
    return memcmp(x->key, y->key, sizeof x->key);
}

static void colour_views(const struct work *w, const int32_t *colour)
{
    for (int r = 0; r < w->rows; r++) {
        struct view *v = &w->view[r];
        for (int k = 0; k < v->count; k++)
            v->item[k].colour = colour[v->item[k].row];
        if (w->class->view != FLOOR_ORDERED)
            qsort(v->item, (size_t)v->count, sizeof *v->item, compare_glances);
    }
}

/* The colour of all that is seen; -1: there are several, or none. */
static int32_t one_colour(const struct view *v)
{
    for (int k = 1; k < v->count; k++)
        if (v->item[k].colour != v->item[0].colour)
            return -1;
    return v->count ? v->item[0].colour : -1;
}

/* How often item k of a sorted view comes. */
static int run_length(const struct view *v, int k)
{
    int end = k;
    while (end < v->count && compare_glances(&v->item[k], &v->item[end]) == 0)
        end++;
    return end - k;
}

static bool same_items(const struct view *a, const struct view *b)
{
    bool same = a->count == b->count;
    for (int k = 0; k < a->count && same; k++)
        same = compare_glances(&a->item[k], &b->item[k]) == 0;
    return same;
}

/* Whether counts of a and b are as |a| to |b|, item by item. */
static bool same_shares(const struct view *a, const struct view *b)
{
    int i = 0, j = 0;
    while (i < a->count && j < b->count) {
        long left = run_length(a, i), right = run_length(b, j);
        if (compare_glances(&a->item[i], &b->item[j]) != 0 || left * b->count != right * a->count)
            return false;
        i += (int)left, j += (int)right;
    }
    return i == a->count && j == b->count;
}

static enum floor_rule rule_of(const struct work *w, const struct view *a, const struct view *b)
{
    if (w->class->stochastic && one_colour(a) >= 0 && one_colour(a) == one_colour(b))
        return FLOOR_ONE;
    if (same_items(a, b))
        return FLOOR_EQUAL;
    bool ratio = w->class->view == FLOOR_NORMALISED;
    return ratio && same_shares(a, b) ? FLOOR_MULTIPLE : FLOOR_ALONE;
}

/* ---- rounds -----------------------------------------------------------------------------------*/
/* Next colours and rules; returns how many colours there are. */
static int refine(const struct work *w, const int32_t *colour, int32_t *next, enum floor_rule *rule)
{
    int colours = 0;
    colour_views(w, colour);
    for (int r = 0; r < w->rows; r++) {
        next[r] = -1;
        rule[r] = FLOOR_ALONE;
        for (int head = 0; head < r && next[r] < 0; head++) {
            enum floor_rule why = colour[head] == colour[r]
                                      ? rule_of(w, &w->view[head], &w->view[r])
                                      : FLOOR_ALONE;
            if (why == FLOOR_ALONE)
                continue;
            next[r] = next[head];
            rule[r] = why;
            if (rule[head] == FLOOR_ALONE)
                rule[head] = why;
        }
        if (next[r] < 0)
            next[r] = colours++;
    }
    return colours;
}

static int open_work(struct work *w, struct err *e)
{
    const struct floor_set *s = w->set;
    w->rows = s->first[s->count];
    w->words = (s->token ? 1 : (size_t)s->channels) + FLOOR_KEY;
    w->view = arena_alloc(w->arena, (size_t)w->rows, sizeof *w->view, e);
    w->first = arena_alloc(w->arena, (size_t)w->rows, w->words * sizeof *w->first, e);
    int code = w->view && w->first ? 0 : ERR_MEMORY;
    for (int k = 0; k < s->count && !code; k++) {
        for (int r = s->first[k]; r < s->first[k + 1]; r++)
            read_token(w, k, r, w->first + (size_t)r * w->words);
        code = open_views(w, k, e);
    }
    return code;
}

static int count_seen(const struct work *w, struct floor_rounds *out, struct err *e)
{
    out->seen = arena_alloc(w->arena, (size_t)w->rows, sizeof *out->seen, e);
    out->sees = arena_alloc(w->arena, (size_t)w->rows * (size_t)out->colours, sizeof *out->sees, e);
    if (!out->seen || !out->sees)
        return ERR_MEMORY;
    for (int r = 0; r < w->rows; r++) {
        out->seen[r] = w->view[r].count;
        for (int k = 0; k < w->view[r].count; k++)
            out->sees[(size_t)r * (size_t)out->colours + (size_t)w->view[r].item[k].colour]++;
    }
    return 0;
}

int floor_rounds(const struct floor_class *c, const struct floor_set *s, struct arena *a,
                 struct floor_rounds *out, struct err *e)
{
    struct work w = {.class = c, .set = s, .arena = a};
    *out = (struct floor_rounds){0};
    int code = open_work(&w, e), before, rows = w.rows;
    if (code)
        return code;
    out->rows = rows;
    out->colour = arena_alloc(a, (size_t)rows * (ROUNDS_MAX + 1), sizeof *out->colour, e);
    out->rule = arena_alloc(a, (size_t)rows, sizeof *out->rule, e);
    if (!out->colour || !out->rule)
        return ERR_MEMORY;
    colour_tokens(&w, out->colour);
    for (int r = 0; r < rows; r++)
        out->colours = out->colour[r] >= out->colours ? out->colour[r] + 1 : out->colours;
    do {
        if (out->rounds == ROUNDS_MAX)
            return err_set(e, ERR_MEMORY, NULL, "more than %d rounds", ROUNDS_MAX);
        before = out->colours;
        const int32_t *now = out->colour + (size_t)out->rounds++ * (size_t)rows;
        out->colours = refine(&w, now, out->colour + (size_t)out->rounds * (size_t)rows, out->rule);
    } while (out->colours > before);
    return count_seen(&w, out, e);
}

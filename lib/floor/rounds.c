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

struct monomial;
struct work {
    const struct floor_class *class;
    const struct floor_set *set;
    struct arena *arena;
    int rows;
    struct view *view; /* (rows) */
    int *head;         /* (rows) the first row of each colour of a round */
    uint64_t *first;   /* (rows,words) token and mark */
    size_t words;
    struct monomial *left, *right; /* (longest,longest); NULL: weights have no factors in common */
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

static bool same_thing(const struct glance *a, const struct glance *b)
{
    return a->colour == b->colour && a->key[1] == b->key[1];
}

/* Whether all that is seen is one thing. */
static bool one_thing(const struct view *v)
{
    for (int k = 1; k < v->count; k++)
        if (!same_thing(&v->item[k], &v->item[0]))
            return false;
    return v->count > 0;
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

/* A product of two weights: of factors in one order or the other, or of powers, whose exponents add up. */
struct monomial {
    floor_key factor[2];
};

static int compare_monomials(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct monomial));
}

static struct monomial multiply(enum floor_weights weights, const struct glance *a,
                                const struct glance *b)
{
    floor_key x = {a->key[0], 0, a->key[2]}, y = {b->key[0], 0, b->key[2]};
    bool turn = memcmp(x, y, sizeof x) > 0;
    struct monomial m = {.factor = {{0}}};
    if (weights == FLOOR_POWERS) {
        m.factor[0][0] = a->key[0] + b->key[0];
        return m;
    }
    memcpy(m.factor[turn], x, sizeof x);
    memcpy(m.factor[!turn], y, sizeof y);
    return m;
}

/* The terms of l_t l'_s: of a where it sees thing t, times b where it sees thing s; sorted.  Returns
 * how many. */
static int list_terms(const struct work *w, const struct view *a, const struct glance *t,
                      const struct view *b, const struct glance *s, struct monomial *out)
{
    int terms = 0;
    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count; j++)
            if (same_thing(&a->item[i], t) && same_thing(&b->item[j], s))
                out[terms++] = multiply(w->class->weights, &a->item[i], &b->item[j]);
    qsort(out, (size_t)terms, sizeof *out, compare_monomials);
    return terms;
}

/* Whether l_t l'_s = l_s l'_t, s being the first thing of a, for all things t of both. */
static bool same_ratios(const struct work *w, const struct view *a, const struct view *b)
{
    bool same = a->count && b->count;
    for (int k = 0; k < a->count + b->count && same; k++) {
        const struct glance *t = k < a->count ? &a->item[k] : &b->item[k - a->count];
        const struct glance *s = &a->item[0];
        int left = list_terms(w, a, t, b, s, w->left), right = list_terms(w, a, s, b, t, w->right);
        same = left == right && left &&
               memcmp(w->left, w->right, (size_t)left * sizeof *w->left) == 0;
    }
    return same;
}

static enum floor_rule rule_of(const struct work *w, const struct view *a, const struct view *b)
{
    if (same_items(a, b))
        return FLOOR_EQUAL;
    if (w->class->stochastic && one_thing(a) && one_thing(b) && same_thing(a->item, b->item))
        return FLOOR_ONE;
    bool ratio = w->class->view == FLOOR_NORMALISED;
    if (ratio && same_shares(a, b))
        return FLOOR_MULTIPLE;
    return w->left && same_ratios(w, a, b) ? FLOOR_FACTOR : FLOOR_ALONE;
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
        for (int k = 0; k < colours && next[r] < 0; k++) {
            int head = w->head[k];
            enum floor_rule why = colour[head] == colour[r]
                                      ? rule_of(w, &w->view[head], &w->view[r])
                                      : FLOOR_ALONE;
            if (why == FLOOR_ALONE)
                continue;
            next[r] = k;
            rule[r] = why;
            if (rule[head] == FLOOR_ALONE)
                rule[head] = why;
        }
        if (next[r] < 0) {
            w->head[colours] = r;
            next[r] = colours++;
        }
    }
    return colours;
}

static int open_terms(struct work *w, struct err *e)
{
    size_t longest = 0, terms;
    if (w->class->weights == FLOOR_ANY)
        return 0;
    for (int k = 0; k < w->set->count; k++)
        longest = (size_t)w->set->layout[k]->n > longest ? (size_t)w->set->layout[k]->n : longest;
    if (!memory_multiply(longest, longest, &terms))
        return err_set(e, ERR_MEMORY, NULL, "samples of %zu positions are too long", longest);
    w->left = arena_alloc(w->arena, terms, sizeof *w->left, e);
    w->right = arena_alloc(w->arena, terms, sizeof *w->right, e);
    return w->left && w->right ? 0 : ERR_MEMORY;
}

static int open_work(struct work *w, struct err *e)
{
    const struct floor_set *s = w->set;
    w->rows = s->first[s->count];
    w->words = (s->token ? 1 : (size_t)s->channels) + FLOOR_KEY;
    w->view = arena_alloc(w->arena, (size_t)w->rows, sizeof *w->view, e);
    w->first = arena_alloc(w->arena, (size_t)w->rows, w->words * sizeof *w->first, e);
    w->head = arena_alloc(w->arena, (size_t)w->rows, sizeof *w->head, e);
    int code = w->view && w->first && w->head ? 0 : ERR_MEMORY;
    code = code ? code : open_terms(w, e);
    for (int k = 0; k < s->count && !code; k++) {
        for (int r = s->first[k]; r < s->first[k + 1]; r++)
            read_token(w, k, r, w->first + (size_t)r * w->words);
        code = open_views(w, k, e);
    }
    return code;
}

static int compare_rows(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

static int list_seen(const struct work *w, struct floor_rounds *out, struct err *e)
{
    size_t seen = 0;
    for (int r = 0; r < w->rows; r++)
        seen += (size_t)w->view[r].count;
    out->seen_first = arena_alloc(w->arena, (size_t)w->rows + 1, sizeof *out->seen_first, e);
    out->seen_row = arena_alloc(w->arena, seen, sizeof *out->seen_row, e);
    if (!out->seen_first || !out->seen_row)
        return ERR_MEMORY;
    for (int r = 0; r < w->rows; r++) {
        int32_t *row = out->seen_row + out->seen_first[r];
        for (int k = 0; k < w->view[r].count; k++)
            row[k] = w->view[r].item[k].row;
        qsort(row, (size_t)w->view[r].count, sizeof *row, compare_rows);
        out->seen_first[r + 1] = out->seen_first[r] + w->view[r].count;
    }
    return 0;
}

int floor_rounds(const struct floor_class *c, const struct floor_set *s, int most, struct arena *a,
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
    } while (out->colours > before && out->rounds != most);
    return list_seen(&w, out, e);
}

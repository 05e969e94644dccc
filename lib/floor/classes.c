/* Relation classes (classes.h). */
#include "floor/classes.h"

enum { HIDDEN = -1, UNKNOWN = -2 };

static int32_t *class_at(const struct layout_classes *l, int i, int j)
{
    return &l->class[l->relative ? (size_t)layout_relation(l->layout, i, j)
                                 : (size_t)i * (size_t)l->layout->n + (size_t)j];
}

static int fill_pair(struct classes *t, const struct layout_classes *l, const struct floor_class *c,
                     const void *state, int i, int j, struct err *e)
{
    floor_key key = {0};
    int32_t *class = class_at(l, i, j);
    if (*class != UNKNOWN)
        return 0;
    *class = HIDDEN;
    return c->see(c, l->layout, state, i, j, key) ? intern_id(&t->ids, key, class, e) : 0;
}

/* Sets low, high, holes and uniform from the classes. */
static void find_reach(struct layout_classes *l)
{
    int n = l->layout->n;
    size_t seen = 0, within = 0;
    int32_t class = HIDDEN;
    l->high = -1;
    l->uniform = true;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int32_t here = *class_at(l, i, j);
            if (here < 0)
                continue;
            l->low = !seen || j - i < l->low ? j - i : l->low;
            l->high = !seen || j - i > l->high ? j - i : l->high;
            l->uniform = l->uniform && (!seen || here == class);
            class = here;
            seen++;
        }
    for (int i = 0; i < n; i++)
        within += (size_t)classes_row(l, i, NULL).count;
    l->holes = seen < within;
    l->uniform = l->uniform && !l->holes;
}

static int layout_open(struct classes *t, const struct floor_class *c, struct layout_classes *out,
                       struct arena *a, struct err *e)
{
    const struct layout *l = out->layout;
    size_t n = (size_t)l->n, count = (size_t)l->relations;
    struct arena_mark mark;
    void *state = NULL;
    out->relative = c->relative;
    if (!c->relative && !memory_multiply(n, n, &count))
        return err_set(e, ERR_MEMORY, NULL, "%d x %d pairs do not fit in memory", l->n, l->n);
    out->class = arena_alloc(a, count, sizeof *out->class, e);
    if (!out->class)
        return ERR_MEMORY;
    for (size_t k = 0; k < count; k++)
        out->class[k] = UNKNOWN;
    mark = arena_mark(a);
    int code = c->open ? c->open(c, l, a, &state, e) : 0;
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n && !code; j++)
            code = fill_pair(t, out, c, state, i, j, e);
    arena_release(a, mark);
    if (!code)
        find_reach(out);
    return code;
}

/* Numbers the distinct layouts in the order in which they come. */
static int list_layouts(struct classes *t, const struct floor_set *s, struct err *e)
{
    struct intern seen;
    int code = intern_open(&seen, 1, e);
    for (int k = 0; k < s->count && !code; k++) {
        uint64_t key = (uint64_t)(uintptr_t)s->layout[k];
        code = intern_id(&seen, &key, &t->of_sample[k], e);
        if (!code)
            t->item[t->of_sample[k]].layout = s->layout[k];
    }
    t->layouts = seen.count;
    intern_close(&seen);
    return code;
}

/* out (classes): numbers of the words of each class' key that are not masked. */
static int number_parts(struct classes *t, const floor_key mask, int32_t **out, struct arena *a,
                        struct err *e)
{
    struct intern seen = {0};
    floor_key part;
    *out = arena_alloc(a, (size_t)t->ids.count, sizeof **out, e);
    int code = *out ? intern_open(&seen, FLOOR_KEY, e) : ERR_MEMORY;
    for (int32_t k = 0; k < t->ids.count && !code; k++) {
        for (size_t w = 0; w < FLOOR_KEY; w++)
            part[w] = t->ids.key[(size_t)k * FLOOR_KEY + w] & mask[w];
        code = intern_id(&seen, part, &(*out)[k], e);
    }
    intern_close(&seen);
    return code;
}

static int open_parts(struct classes *t, bool powers, struct arena *a, struct err *e)
{
    static const floor_key value = {0, UINT64_MAX, 0}, factor = {UINT64_MAX, 0, UINT64_MAX};
    int code = number_parts(t, value, &t->value, a, e);
    code = code ? code : number_parts(t, factor, &t->factor, a, e);
    if (code || !powers)
        return code;
    t->exponent = arena_alloc(a, (size_t)t->ids.count, sizeof *t->exponent, e);
    for (int32_t k = 0; k < t->ids.count && t->exponent; k++)
        t->exponent[k] = (int32_t)t->ids.key[(size_t)k * FLOOR_KEY];
    return t->exponent ? 0 : ERR_MEMORY;
}

/* count (classes) is zero, before and after. */
static bool sees_once(const struct classes *t, const struct class_row *row, int32_t *count)
{
    bool any = false, once = false;
    for (int j = 0; j < row->count; j++)
        if (row->class[j] >= 0)
            count[t->factor[row->class[j]]]++;
    for (int j = 0; j < row->count; j++)
        if (row->class[j] >= 0) {
            any = true;
            once = once || count[t->factor[row->class[j]]] == 1;
        }
    for (int j = 0; j < row->count; j++)
        if (row->class[j] >= 0)
            count[t->factor[row->class[j]]] = 0;
    return once || !any;
}

static int find_lone(struct classes *t, struct arena *a, struct err *e)
{
    struct arena_mark mark = arena_mark(a);
    size_t longest = 0;
    for (int k = 0; k < t->layouts; k++)
        longest = (size_t)t->item[k].layout->n > longest ? (size_t)t->item[k].layout->n : longest;
    int32_t *count = arena_alloc(a, (size_t)t->ids.count, sizeof *count, e);
    int32_t *scratch = arena_alloc(a, longest, sizeof *scratch, e);
    for (int k = 0; k < t->layouts && count && scratch; k++) {
        struct layout_classes *l = &t->item[k];
        l->lone = true;
        for (int i = 0; i < l->layout->n && l->lone; i++) {
            struct class_row row = classes_row(l, i, scratch);
            l->lone = sees_once(t, &row, count);
        }
    }
    arena_release(a, mark);
    return count && scratch ? 0 : ERR_MEMORY;
}

int classes_open(struct classes *t, const struct floor_class *c, const struct floor_set *s,
                 struct arena *a, struct err *e)
{
    *t = (struct classes){0};
    t->item = arena_alloc(a, (size_t)s->count, sizeof *t->item, e);
    t->of_sample = arena_alloc(a, (size_t)s->count, sizeof *t->of_sample, e);
    if (intern_open(&t->ids, FLOOR_KEY, e) || !t->item || !t->of_sample)
        return ERR_MEMORY;
    int code = list_layouts(t, s, e);
    for (int k = 0; k < t->layouts && !code; k++)
        code = layout_open(t, c, &t->item[k], a, e);
    if (!code)
        code = open_parts(t, c->weights == FLOOR_POWERS, a, e);
    if (!code && c->weights == FLOOR_PRODUCTS)
        code = find_lone(t, a, e);
    return code;
}

int classes_weigh(struct classes *t, const uint32_t *weight, struct arena *a, struct err *e)
{
    for (int k = 0; k < t->layouts; k++) {
        struct layout_classes *l = &t->item[k];
        if (!l->relative || l->layout->relation || l->holes)
            continue;
        l->weight = arena_alloc(a, (size_t)l->layout->relations, sizeof *l->weight, e);
        if (!l->weight)
            return ERR_MEMORY;
        for (int r = 0; r < l->layout->relations; r++)
            l->weight[r] = l->class[r] < 0 ? 0 : weight[l->class[r]];
    }
    return 0;
}

struct class_row classes_row(const struct layout_classes *l, int i, int32_t *scratch)
{
    const struct layout *layout = l->layout;
    int first = i + l->low > 0 ? i + l->low : 0;
    int end = i + l->high < layout->n ? i + l->high + 1 : layout->n;
    struct class_row row = {.first = first, .count = end > first ? end - first : 0};
    if (!row.count || !scratch)
        return row;
    if (!l->relative || !layout->relation) {
        row.class = class_at(l, i, first);
        return row;
    }
    for (int k = 0; k < row.count; k++)
        scratch[k] = *class_at(l, i, first + k);
    row.class = scratch;
    return row;
}

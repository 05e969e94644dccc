/* Relation classes (classes.h). */
#include "theory/classes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { KEY_WORDS = 3 };

/* What the classes of one layout are computed from. */
struct source {
    const struct floor_class *model;
    struct encoding_facts facts;
    struct encoding_context context;
    int32_t *c_row; /* (relations) row of C's table, or NULL */
};

/* Ids of a sequence's relations count from its own length, so an encoding's class may mean another
 * thing at another length: origin keeps them apart.
 *
 * Where logits depend on more of the sample than on i and j (CoPE), the encoding gives every pair
 * (i,j) a class of its own.  M then lists what is visible in its order, and two rows merge only if
 * they stand at one place and see the same colours in the same order: all that a row of attention
 * is a function of is then equal.  So such rows may merge across samples, as equal prefixes do. */
static int pair_class(struct classes *t, const struct source *s, int i, int j, int32_t *class,
                      struct err *e)
{
    const struct layout *l = s->context.layout;
    uint64_t key[KEY_WORDS] = {(uint64_t)encoding_relation(&s->context, i, j),
                               s->c_row ? (uint64_t)s->c_row[layout_relation(l, i, j)] : 0,
                               (uint64_t)l->origin};
    return intern_id(&t->ids, key, class, e);
}

/* On a line the first row and the first column hold every offset. */
static int by_offset(struct classes *t, struct layout_classes *out, const struct source *s,
                     struct err *e)
{
    int n = out->layout->n, code = 0;
    for (int i = 0; i < n && !code; i++)
        code = pair_class(t, s, i, 0, &out->of_relation[layout_relation(out->layout, i, 0)], e);
    for (int j = 1; j < n && !code && !s->model->causal; j++)
        code = pair_class(t, s, 0, j, &out->of_relation[layout_relation(out->layout, 0, j)], e);
    return code;
}

static int by_pair(struct classes *t, struct layout_classes *out, const struct source *s,
                   struct err *e)
{
    const struct layout *l = out->layout;
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < (s->model->causal ? i + 1 : l->n); j++) {
            int32_t *at = out->of_relation ? &out->of_relation[layout_relation(l, i, j)]
                                           : &out->of_pair[(size_t)i * (size_t)l->n + (size_t)j];
            int code = *at < 0 ? pair_class(t, s, i, j, at, e) : 0;
            if (code)
                return code;
        }
    return 0;
}

static bool all_alike(const int32_t *class, size_t count)
{
    int32_t seen = -1;
    for (size_t k = 0; k < count; k++) {
        if (class[k] >= 0 && seen >= 0 && class[k] != seen)
            return false;
        if (class[k] >= 0)
            seen = class[k];
    }
    return true;
}

static int fill_classes(struct classes *t, struct layout_classes *out, const struct source *s,
                        struct err *e)
{
    const struct layout *l = out->layout;
    bool relative = s->facts.shift_invariant;
    size_t n = (size_t)l->n, count = (size_t)l->relations;
    if (!relative && !memory_multiply(n, n, &count))
        return err_set(e, ERR_MEMORY, NULL, "%d x %d pairs do not fit in memory", l->n, l->n);
    int32_t *class = memory_alloc(count, sizeof *class, e);
    if (!class)
        return ERR_MEMORY;
    memset(class, 0xff, count * sizeof *class);
    *(relative ? &out->of_relation : &out->of_pair) = class;
    int code = relative && !l->relation ? by_offset(t, out, s, e) : by_pair(t, out, s, e);
    out->uniform = !code && all_alike(class, count);
    return code;
}

static int layout_open(struct classes *t, const struct floor_class *c, struct layout_classes *out,
                       struct err *e)
{
    const struct layout *l = out->layout;
    int code = ERR_MEMORY;
    struct source s = {.model = c};
    encoding_of(&c->encoding)->facts(&c->encoding, &c->shape, &s.facts);
    int32_t *fold = memory_alloc((size_t)l->relations, sizeof *fold, e);
    if (!fold)
        goto out;
    l->fold(c->shape.trained, l, fold);
    if (c->urpe) {
        s.c_row = memory_alloc((size_t)l->relations, sizeof *s.c_row, e);
        if (!s.c_row)
            goto out;
        urpe_of(&c->c)->map(&c->shape, l, fold, s.c_row);
    }
    s.context = (struct encoding_context){
        .config = &c->encoding, .shape = &c->shape, .layout = l, .fold = fold};
    code = fill_classes(t, out, &s, e);
out:
    memory_free(fold);
    memory_free(s.c_row);
    return code;
}

static int compare_samples(const void *a, const void *b)
{
    const struct layout_classes *x = a, *y = b;
    uintptr_t p = (uintptr_t)x->layout, q = (uintptr_t)y->layout;
    return (p > q) - (p < q);
}

/* Leaves the distinct layouts in t->item, sorted by address. */
static void list_layouts(struct classes *t, const struct floor_set *s)
{
    for (int k = 0; k < s->count; k++)
        if (!t->layouts || t->item[t->layouts - 1].layout != s->layout[k])
            t->item[t->layouts++].layout = s->layout[k];
    qsort(t->item, (size_t)t->layouts, sizeof *t->item, compare_samples);
    int kept = 0;
    for (int k = 0; k < t->layouts; k++)
        if (!kept || t->item[kept - 1].layout != t->item[k].layout)
            t->item[kept++].layout = t->item[k].layout;
    t->layouts = kept;
}

int classes_open(struct classes *t, const struct floor_class *c, const struct floor_set *s,
                 struct err *e)
{
    *t = (struct classes){0};
    int code = intern_open(&t->ids, KEY_WORDS, e);
    t->item = memory_alloc((size_t)s->count, sizeof *t->item, e);
    t->of_sample = memory_alloc((size_t)s->count, sizeof *t->of_sample, e);
    if (code || !t->item || !t->of_sample)
        return ERR_MEMORY;
    list_layouts(t, s);
    for (int k = 0; k < t->layouts && !code; k++)
        code = layout_open(t, c, &t->item[k], e);
    for (int k = 0; k < s->count && !code; k++) {
        struct layout_classes wanted = {.layout = s->layout[k]};
        const struct layout_classes *found =
            bsearch(&wanted, t->item, (size_t)t->layouts, sizeof wanted, compare_samples);
        t->of_sample[k] = (int)(found - t->item);
    }
    return code;
}

void classes_close(struct classes *t)
{
    for (int k = 0; k < t->layouts; k++) {
        memory_free(t->item[k].of_relation);
        memory_free(t->item[k].of_pair);
    }
    memory_free(t->item);
    memory_free(t->of_sample);
    intern_close(&t->ids);
    *t = (struct classes){0};
}

const int32_t *classes_row(const struct layout_classes *l, int i, int visible, int32_t *scratch)
{
    const struct layout *layout = l->layout;
    if (l->of_pair)
        return l->of_pair + (size_t)i * (size_t)layout->n;
    if (!layout->relation)
        return l->of_relation + (layout->origin - i);
    for (int j = 0; j < visible; j++)
        scratch[j] = l->of_relation[layout_relation(layout, i, j)];
    return scratch;
}

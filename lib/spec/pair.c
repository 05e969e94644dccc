/* Pairing.  Invariant: two items are a pair when their texts are the same: the values of the keys
 * that both sides have, and the tags. */
#include "spec/pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spec/keys.h"

enum { VALUE_TEXT = 512 };

/* An item of one side, by what it must share with one of the other. */
struct partner {
    char *text;
    int side, place;
};

struct pairing {
    const struct pair *pair;
    const char *const *axis;
    int axes;
    struct arena arena; /* of all that follows */
    bool *shared;       /* (axes) both sides have it */
    struct partner *partner;
    int partners;
};

/* 0 or 1; -1: the cell has neither value. */
static int side_of(const struct pair *p, const struct cell *c)
{
    char value[VALUE_TEXT];
    if (!spec_value(c, p->key, value, sizeof value))
        return -1;
    return !strcmp(value, p->value[0]) ? 0 : !strcmp(value, p->value[1]) ? 1 : -1;
}

static void find_shared(struct pairing *x, const struct pair_item *item)
{
    char value[VALUE_TEXT];
    for (int a = 0; a < x->axes; a++) {
        bool has[2] = {false, false};
        if (key_covers(x->pair->key, x->axis[a]) || !strcmp(x->axis[a], "seed"))
            continue;
        for (int k = 0; k < x->partners && !(has[0] && has[1]); k++) {
            const struct partner *p = &x->partner[k];
            has[p->side] |= spec_value(item[p->place].cell, x->axis[a], value, sizeof value);
        }
        x->shared[a] = has[0] && has[1];
    }
}

static int write_texts(struct pairing *x, const struct pair_item *item, struct err *e)
{
    char value[VALUE_TEXT];
    struct text t = {0};
    int code = 0;
    for (int k = 0; k < x->partners && code == 0; k++) {
        const struct pair_item *one = &item[x->partner[k].place];
        text_clear(&t);
        text_append_format(&t, "%lld %lld %lld", one->tag[0], one->tag[1], one->tag[2]);
        for (int a = 0; a < x->axes; a++)
            if (x->shared[a])
                text_append_format(&t, "\n%s", spec_value(one->cell, x->axis[a], value, sizeof value)
                                                   ? value : "");
        code = text_check(&t, e);
        x->partner[k].text = code ? NULL : arena_text(&x->arena, t.data, e);
        if (code == 0 && !x->partner[k].text)
            code = ERR_MEMORY;
    }
    text_close(&t);
    return code;
}

static int compare_partners(const void *a, const void *b)
{
    const struct partner *left = a, *right = b;
    int order = strcmp(left->text, right->text);
    if (!order)
        order = left->side - right->side;
    return order ? order : left->place - right->place;
}

/* The pairs of each run of equal texts, in which side 0 comes first. */
static int list_matches(const struct pairing *x, struct pair_match **out, int *matches,
                        struct err *e)
{
    int code = 0;
    for (int first = 0, end; first < x->partners; first = end) {
        int middle = first;
        for (end = first; end < x->partners; end++) {
            if (strcmp(x->partner[first].text, x->partner[end].text) != 0)
                break;
            middle += x->partner[end].side == 0;
        }
        for (int a = first; a < middle; a++)
            for (int b = middle; !code && b < end; b++) {
                code = memory_grow(*out, (size_t)*matches + 1, e);
                if (code == 0)
                    (*out)[(*matches)++] =
                        (struct pair_match){{x->partner[a].place, x->partner[b].place}};
            }
    }
    return code;
}

static int find(struct pairing *x, const struct pair_item *item, int items, struct err *e)
{
    x->partner = arena_alloc(&x->arena, (size_t)items, sizeof *x->partner, e);
    x->shared = arena_alloc(&x->arena, (size_t)x->axes, sizeof *x->shared, e);
    if (!x->partner || !x->shared)
        return ERR_MEMORY;
    for (int k = 0; k < items; k++) {
        int side = side_of(x->pair, item[k].cell);
        if (side >= 0)
            x->partner[x->partners++] = (struct partner){.side = side, .place = k};
    }
    find_shared(x, item);
    int code = write_texts(x, item, e);
    if (code == 0)
        qsort(x->partner, (size_t)x->partners, sizeof *x->partner, compare_partners);
    return code;
}

int pair_find(const struct pair *p, const char *const *axis, int axes,
              const struct pair_item *item, int items, struct pair_match **out, int *matches,
              struct err *e)
{
    struct pairing x = {.pair = p, .axis = axis, .axes = axes};
    *out = NULL;
    *matches = 0;
    int code = arena_open(&x.arena, 0, e);
    if (code == 0)
        code = find(&x, item, items, e);
    if (code == 0)
        code = list_matches(&x, out, matches, e);
    arena_close(&x.arena);
    return code;
}

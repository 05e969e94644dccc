/* The table of masks and what holds for all of them.
 * Invariant: a new mask is one file that defines `const struct mask mask_<name>`, and one line of
 * ENTRIES; nothing else in the program knows a name. */
#include "mask/mask.h"

#define ENTRIES(ENTRY)                                                                             \
    ENTRY(none)                                                                                    \
    ENTRY(causal)

#define DECLARE(name) extern const struct mask mask_##name;
#define ADDRESS(name) &mask_##name,

ENTRIES(DECLARE)
const struct mask *const mask_table[] = {ENTRIES(ADDRESS) NULL};

KIND_TABLE(mask_kinds, "mask", mask_table);

const struct mask *mask_of(const struct kind_config *c)
{
    return mask_table[c->kind];
}

int mask_check(const struct kind_config *c, const struct layout *l, struct err *e)
{
    const struct mask *entry = mask_of(c);
    if (l->axes < entry->axes_min)
        return err_set(e, ERR_USAGE, "model.mask",
                       "a %s mask needs positions in an order, which this space leaves out; "
                       "expected none",
                       entry->name);
    if (l->axes > entry->axes_max)
        return err_set(e, ERR_USAGE, "model.mask",
                       "a %s mask is not defined on %d coordinate axes; expected none",
                       entry->name, l->axes);
    return entry->check ? entry->check(c, l, e) : 0;
}

static bool shows(const struct mask *m, const struct kind_config *c, const struct layout *l,
                  int relation)
{
    return !m->sees || m->sees(c, l, relation);
}

bool mask_sees(const struct kind_config *c, const struct layout *l, int i, int j)
{
    return shows(mask_of(c), c, l, layout_relation(l, i, j));
}

/* Positions are in row-major order. */
int mask_step(const struct layout *l, int relation)
{
    int step = 0;
    for (int axis = 0; axis < l->axes; axis++)
        step = step * layout_extent(l, axis) + l->offset[relation * l->axes + axis];
    return step;
}

/* On a layout without axes no relation has a step, and low .. high is everything. */
int mask_reach_open(struct mask_reach *r, const struct mask *m, const struct kind_config *c,
                    const struct layout *l, struct arena *a, struct err *e)
{
    *r = (struct mask_reach){.low = l->axes ? l->n : -l->n, .high = l->axes ? -l->n : l->n};
    bool holes = false;
    for (int k = 0; k < l->relations && l->axes; k++) {
        int step = mask_step(l, k);
        if (shows(m, c, l, k)) {
            r->low = step < r->low ? step : r->low;
            r->high = step > r->high ? step : r->high;
        }
    }
    for (int k = 0; k < l->relations; k++) {
        int step = l->axes ? mask_step(l, k) : 0;
        holes = holes || (r->low <= step && step <= r->high && !shows(m, c, l, k));
    }
    if (!holes)
        return 0;
    uint8_t *hidden = arena_alloc(a, (size_t)l->relations, sizeof *hidden, e);
    for (int k = 0; k < l->relations && hidden; k++)
        hidden[k] = !shows(m, c, l, k);
    r->hidden = hidden;
    return hidden || a->measuring ? 0 : ERR_MEMORY;
}

int mask_seen(const struct mask_reach *r, const struct layout *l, int i)
{
    int first = i + r->low > 0 ? i + r->low : 0, seen = 0;
    int end = i + r->high < l->n ? i + r->high + 1 : l->n;
    for (int j = first; j < end; j++)
        seen += !r->hidden || !r->hidden[layout_relation(l, i, j)];
    return seen;
}

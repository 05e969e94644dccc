/* The table of masks and what holds for all of them.
 * Invariant: a new mask is one file that defines `const struct mask mask_<name>`, and one line of
 * ENTRIES; nothing else in the program knows a name. */
#include "mask/mask.h"

#include <stdio.h>

#define ENTRIES(ENTRY)                                                                             \
    ENTRY(none)                                                                                    \
    ENTRY(causal)                                                                                  \
    ENTRY(strict)                                                                                  \
    ENTRY(window)                                                                                  \
    ENTRY(dilated)                                                                                 \
    ENTRY(strided)                                                                                 \
    ENTRY(blocks)                                                                                  \
    ENTRY(prefix_lm)                                                                               \
    ENTRY(neighbourhood)                                                                           \
    ENTRY(hops)

#define DECLARE(name) extern const struct mask mask_##name;
#define ADDRESS(name) &mask_##name,

ENTRIES(DECLARE)
const struct mask *const mask_table[] = {ENTRIES(ADDRESS) NULL};

KIND_TABLE(mask_kinds, "mask", mask_table);

const struct mask *mask_of(const struct kind_config *c)
{
    return mask_table[c->kind];
}

/* Names of the masks that are defined on so many axes. */
static void suitable(int axes, char *out, size_t size)
{
    size_t used = 0;
    for (int k = 0; mask_table[k] && used < size; k++)
        if (axes >= mask_table[k]->axes_min && axes <= mask_table[k]->axes_max)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     mask_table[k]->name);
}

int mask_check(const struct kind_config *c, const struct layout *given, struct err *e)
{
    const struct mask *entry = mask_of(c);
    const struct layout *l = given->own ? given->own : given;
    char others[160];
    if (entry->by_distance && layout_is_scattered(l))
        return err_set(e, ERR_USAGE, "model.mask", "a %s mask goes by distance, and random positions are no "
                       "neighbours; expected none, causal, strict or blocks", entry->name);
    if (l->axes >= entry->axes_min && l->axes <= entry->axes_max)
        return entry->check ? entry->check(c, l, e) : 0;
    suitable(l->axes, others, sizeof others);
    if (!l->axes && entry->axes_min > 0)
        return err_set(e, ERR_USAGE, "model.mask",
                       "a %s mask needs positions in an order, which this space leaves out; "
                       "expected one of %s",
                       entry->name, others);
    return err_set(e, ERR_USAGE, "model.mask",
                   "a %s mask is not defined on a space of %d coordinate axes; expected one of %s",
                   entry->name, l->axes, others);
}

bool mask_past(const struct kind_config *c)
{
    const struct mask *entry = mask_of(c);
    return entry->past && entry->past(c);
}

static bool shows(const struct mask *m, const struct kind_config *c, const struct layout *l,
                  int relation)
{
    return !m->sees || m->sees(c, l, relation);
}

/* Whether it hides nothing of any layout. */
static bool shows_all(const struct mask *m)
{
    return !m->sees && !m->pair;
}

/* A register is among the two. */
static bool register_sees(const struct mask *m, const struct kind_config *c, int before, int i, int j)
{
    bool past = m->past && m->past(c);
    return j < before ? j <= i || !past : shows_all(m);
}

bool mask_sees(const struct kind_config *c, const struct layout *l, int i, int j)
{
    const struct mask *entry = mask_of(c);
    if (l->own && (i < l->before || j < l->before))
        return register_sees(entry, c, l->before, i, j);
    if (l->own)
        return mask_sees(c, l->own, i - l->before, j - l->before);
    if (entry->pair)
        return entry->pair(c, l, i, j);
    return shows(entry, c, l, layout_relation(l, i, j));
}

/* Positions are in row-major order. */
int mask_step(const struct layout *l, int relation)
{
    int step = 0;
    for (int axis = 0; axis < l->axes; axis++)
        step = step * layout_extent(l, axis) + l->offset[relation * l->axes + axis];
    return step;
}

/* Positions see registers at any step before them, and relations of registers are their own. */
static int reach_behind(struct mask_reach *r, const struct mask *m, const struct kind_config *c,
                        const struct layout *l, struct arena *a, struct err *e)
{
    int before = l->before, own = l->own->relations;
    bool past = m->past && m->past(c);
    *r = (struct mask_reach){.low = -l->n, .high = past ? 0 : l->n};
    if (shows_all(m))
        return 0;
    uint8_t *hidden = arena_alloc(a, (size_t)l->relations, sizeof *hidden, e);
    for (int k = 0; k < own && hidden; k++)
        hidden[k] = !shows(m, c, l->own, k);
    for (int i = 0; i < before && hidden; i++) {
        for (int j = 0; j < before; j++)
            hidden[layout_relation(l, i, j)] = !register_sees(m, c, before, i, j);
        hidden[layout_relation(l, i, before)] = 1; /* all positions are alike to a register */
    }
    r->hidden = hidden;
    return hidden || a->measuring ? 0 : ERR_MEMORY;
}

/* On a layout without axes no relation has a step, and low .. high is everything. */
int mask_reach_open(struct mask_reach *r, const struct mask *m, const struct kind_config *c,
                    const struct layout *l, struct arena *a, struct err *e)
{
    bool holes = false;
    if (l->own)
        return reach_behind(r, m, c, l, a, e);
    *r = (struct mask_reach){.low = l->axes ? l->n : -l->n, .high = l->axes ? -l->n : l->n};
    if (m->pair) {
        *r = (struct mask_reach){.low = -l->n, .high = m->past && m->past(c) ? 0 : l->n, .pair = m,
                                 .config = c};
        return 0;
    }
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

bool mask_shows(const struct mask_reach *r, const struct layout *l, int i, int j)
{
    return j - i >= r->low && j - i <= r->high &&
           !(r->hidden && r->hidden[layout_relation(l, i, j)]) &&
           (!r->pair || r->pair->pair(r->config, l, i, j));
}

int mask_seen(const struct mask_reach *r, const struct layout *l, int i)
{
    int first = i + r->low > 0 ? i + r->low : 0, seen = 0;
    int end = i + r->high < l->n ? i + r->high + 1 : l->n;
    if (!r->hidden && !r->pair)
        return end > first ? end - first : 0;
    for (int j = first; j < end; j++)
        seen += mask_shows(r, l, i, j);
    return seen;
}

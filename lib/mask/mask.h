/* Masks: which keys a query sees.  One file each, one line in ENTRIES of mask.c.
 *
 *   none, n = 4:   x x x x      causal:   x - - -      x: the query of the row sees the key of the
 *                  x x x x                x x - -         column
 *                  x x x x                x x x -
 *                  x x x x                x x x x
 *
 * Registers stand in front of the positions and have no place, so that no mask hides them: every position
 * sees them all.  They see each other, of those behind them only where the mask shows what follows, and the
 * positions only under a mask that hides nothing: else what it hides would come round through them.
 *
 *   causal, 2 registers, n = 3:   r0   x - - - -      none:   x x x x x
 *                                 r1   x x - - -              x x x x x
 *                                      x x x - -              x x x x x
 *                                      x x x x -              x x x x x
 *                                      x x x x x              x x x x x
 *
 * Invariant: what a query sees follows from the layout alone, whatever the tokens, and nothing of size
 * n x n says it: a mask is a set of relations, which the fused kernel serves, or a predicate on
 * pairs where it knows places (blocks). */
#ifndef MASK_MASK_H
#define MASK_MASK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/option.h"
#include "space/space.h"

struct mask {
    const char *name, *formula, *summary, *citation;
    const struct option *options; /* ended by a NULL key; NULL: none */
    int axes_min, axes_max;       /* layouts it is defined on, by layout.axes (0: graphs) */
    bool by_distance; /* what it sees depends on how far, so that positions are to be neighbours */
    /* Whether it hides every key behind the query, j > i.  NULL: it does not. */
    bool (*past)(const struct kind_config *c);
    /* Options that it refuses; ERR_USAGE.  NULL: none. */
    int (*check)(const struct kind_config *c, const struct layout *l, struct err *e);
    /* Whether pairs of this relation of the layout are seen.  NULL: all are. */
    bool (*sees)(const struct kind_config *c, const struct layout *l, int relation);
    /* Instead, where the relation does not say it: whether query i sees key j. */
    bool (*pair)(const struct kind_config *c, const struct layout *l, int i, int j);
};

extern const struct mask *const mask_table[]; /* NULL-terminated */
extern const struct kind_table mask_kinds;
const struct mask *mask_of(const struct kind_config *c);
/* Whether the mask is defined on the layout; ERR_USAGE with what to do instead, e->where is
 * "model.mask". */
int mask_check(const struct kind_config *c, const struct layout *l, struct err *e);
bool mask_past(const struct kind_config *c);
bool mask_sees(const struct kind_config *c, const struct layout *l, int i, int j);
/* j - i of a relation; the layout has axes. */
int mask_step(const struct layout *l, int relation);

/* The same for all pairs of a layout at once: query i sees key j where low <= j - i <= high, the
 * relation is not hidden and the predicate holds.  It is that of shorter layouts that share the
 * relations too. */
struct mask_reach {
    int low, high;
    const uint8_t *hidden; /* (relations) not 0: hidden; NULL: within low .. high none is */
    const struct mask *pair; /* NULL: there is no predicate */
    const struct kind_config *config; /* of the predicate; the caller's */
};
/* Of mask m, of which c holds the options; hidden is in arena a, which may be a measuring one. */
int mask_reach_open(struct mask_reach *r, const struct mask *m, const struct kind_config *c,
                    const struct layout *l, struct arena *a, struct err *e);
bool mask_shows(const struct mask_reach *r, const struct layout *l, int i, int j);
/* How many of a layout's keys query i sees. */
int mask_seen(const struct mask_reach *r, const struct layout *l, int i);

#endif

/* Pairs: two values of one key, compared between cells that differ in nothing else.
 *
 *   pair {model.attention: [rpe, urpe]}     alibi rpe, seed 0  ---  alibi urpe c=toeplitz, seed 0
 *                                                           `-----  alibi urpe c=bucketed, seed 0
 *
 * Cells of one seed see the same data and start from the same shared weights, so what the seed does
 * to both cancels in the difference. */
#ifndef SPEC_PAIR_H
#define SPEC_PAIR_H
#include "base/err.h"

enum { PAIR_TEXT = 128 };

struct pair {
    char key[PAIR_TEXT];      /* a dotted key, without ".kind" */
    char value[2][PAIR_TEXT]; /* as spec_value says them */
};

struct cell;
struct pair_item {
    const struct cell *cell;
    long long tag[3]; /* what else must be the same: a seed, a length, a subset */
};
struct pair_match {
    int side[2]; /* places of the items that have value[0] and value[1] */
};
/* Finds the items of value[0] and value[1] that agree in all of axis (axes), the keys that vary, but
 * the pair's own.  A key that none of one side's items has depends on the pair's, as model.c does on
 * model.attention, and does not tell apart.  memory_free *out, also after a failure.  ERR_MEMORY. */
int pair_find(const struct pair *p, const char *const *axis, int axes,
              const struct pair_item *item, int items, struct pair_match **out, int *matches,
              struct err *e);

#endif

/* How often a pair (relation class, colour) is seen by a row of attention: M_i of the theory, and
 * whether another row's is a positive multiple of it.  Exact: only integers are compared. */
#ifndef THEORY_TALLY_H
#define THEORY_TALLY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tally {
    size_t slots;         /* a power of two */
    uint64_t *key;        /* (slots) class and colour, or TALLY_EMPTY */
    int32_t *count, *seen; /* (slots) in the row that was set, in the one compared with it */
    size_t *used;         /* (keys) slots in use */
    int keys, visible;    /* distinct keys, and the sum of their counts */
};

/* For rows of up to `longest` entries; released with tally_close, also after a failure. */
int tally_open(struct tally *t, int longest, struct err *e);
void tally_close(struct tally *t);
/* class, colour (visible): the row that others are compared with. */
void tally_set(struct tally *t, const int32_t *class, const int32_t *colour, int visible);
/* Whether this row's M is a positive multiple of the one that was set. */
bool tally_matches(struct tally *t, const int32_t *class, const int32_t *colour, int visible);

#endif

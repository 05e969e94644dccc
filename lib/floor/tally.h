/* How often a pair (relation class, colour) is seen by a row: M_i of the theory, and whether
 * another row's is the same, or a positive multiple of it.  Exact: only integers are compared. */
#ifndef FLOOR_TALLY_H
#define FLOOR_TALLY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct tally {
    size_t slots;          /* a power of two */
    uint64_t *key;         /* (slots) class and colour, or TALLY_EMPTY */
    int32_t *count, *seen; /* (slots) in the row that was set, in the one compared with it */
    size_t *used;          /* (keys) slots in use */
    int keys, total;       /* distinct keys, and the sum of their counts */
};

/* For rows of up to `longest` entries, in arena a. */
int tally_open(struct tally *t, int longest, struct arena *a, struct err *e);
/* class, colour (count): the row that others are compared with.  What is of a negative class is not
 * seen. */
void tally_set(struct tally *t, const int32_t *class, const int32_t *colour, int count);
/* Whether this row's M is the one that was set, or with multiples a positive multiple of it. */
bool tally_matches(struct tally *t, const int32_t *class, const int32_t *colour, int count,
                   bool multiples);

#endif

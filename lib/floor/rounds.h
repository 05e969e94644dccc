/* Colour refinement round by round, for people: a small set, every round kept, and by which rule each
 * pair stays with its group.  Written from the definition (merge.c says it), without hashes or
 * shortcuts, so that the two check each other.
 * Invariant: colours of a round are numbered from 0 in the order of first appearance. */
#ifndef FLOOR_ROUNDS_H
#define FLOOR_ROUNDS_H
#include "floor/floor.h"

/* Why a pair goes with the first one of its group. */
enum floor_rule {
    FLOOR_ALONE,    /* it does not: the group is this pair */
    FLOOR_EQUAL,    /* both see the same, as often and in the same relations */
    FLOOR_MULTIPLE, /* in the same proportions */
    FLOOR_FACTOR,   /* whatever the bias, the weights of each colour are in the same proportions */
    FLOOR_ONE       /* not equal; all that either sees is of one colour, the same one */
};

struct floor_rounds {
    int rows, rounds;      /* the last round splits nothing, or is as far as was asked for */
    int32_t *colour;       /* (rounds+1,rows) round 0: by token and mark */
    int colours;           /* in the last round */
    enum floor_rule *rule; /* (rows) in the last round; that of a group's first pair is its second's */
    int *seen_first;       /* (rows+1) in seen_row */
    int32_t *seen_row;     /* the pairs that each sees, ascending; their colours count in the round before */
};

/* At most so many rounds; 0: until one splits nothing.  Time about rounds x the sum of n^2 log n over the
 * samples.  All in arena a.  ERR_MEMORY. */
int floor_rounds(const struct floor_class *c, const struct floor_set *s, int most, struct arena *a,
                 struct floor_rounds *out, struct err *e);

#endif

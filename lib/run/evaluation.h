/* Private to the evaluation: its parts.
 *
 * Invariant: a subset is a mask over rows (NULL: all rows), and every figure of it, error or floor,
 * runs over that mask in row order, in double. */
#ifndef RUN_EVALUATION_H
#define RUN_EVALUATION_H
#include <stdbool.h>

#include "base/memory.h"
#include "run/evaluate.h"
#include "floor/floor.h"

struct subset {
    int pattern;                /* index into pattern_table; -1: all */
    const unsigned char *mask;  /* (rows), NULL for all */
    int rows;                   /* in the mask */
    double denominator;         /* rms of the target about its per-channel mean; continuous only */
    struct floor_errors floor;  /* continuous only */
    struct floor_labels labels; /* tokens only */
};

struct evaluation {
    const struct task *task;
    int length, rows;
    struct samples set;
    struct arena arena; /* everything below */
    int groups;
    int32_t *group; /* (rows) */
    int subsets;
    struct subset subset[PATTERN_MAX + 1];

    /* continuous */
    double *output;                     /* (rows,channels) */
    int positions;
    int *position_rows;                 /* (positions) rows at each position */
    double *error_square, *floor_square; /* (positions) means over rows and channels */

    /* tokens */
    int labels;
    unsigned char *informative; /* (rows) */
    int32_t *slot;              /* (groups) row of `sum`; -1: the group is one row */
    double *sum;                /* (slots,labels) logits summed over a group */
    size_t slots;
    int32_t *decision;          /* (groups) the label chosen; -1: no logit was a number */
    double *nats;               /* (rows) cross-entropy */
};

static inline bool subset_has(const struct subset *s, int row)
{
    return !s->mask || s->mask[row];
}
/* Nothing to be relative to: error_rms and floor_rms are compared with the tolerance. */
static inline bool subset_constant(const struct subset *s)
{
    return s->denominator < EVALUATION_DENOMINATOR_MIN;
}
static inline int sample_position(const struct evaluation *ev, int sample, int row)
{
    return row - ev->set.first[sample];
}
/* What the tolerance is compared with: 1 - accuracy_ceiling, floor_rel, or floor_rms of a constant
 * target. */
double evaluation_floor_measure(const struct evaluation *ev, const struct subset *s);
/* Merges the rows of a set of inputs for the task's class of models: group (rows) as in floor_merge.
 * ERR_MEMORY, or what the space reports. */
int evaluation_merge(const struct task *t, const struct samples *s, int32_t *group, int *groups,
                     struct err *e);

#endif

/* What an evaluation holds, for evaluate.c, which opens it, and measure.c.
 * Invariant: a subset is a mask over rows (NULL: all rows), and every figure of it, error or floor,
 * runs over that mask in row order, in double. */
#ifndef RUN_EVALUATION_H
#define RUN_EVALUATION_H
#include "floor/floor.h"
#include "run/evaluate.h"
#include "run/memo.h"
#include "run/steep.h"

/* Below this rms about its mean a target counts as constant, and relative figures are left out. */
#define DENOMINATOR_MIN 1e-12
struct floors {
    struct floor_errors error; /* continuous only */
    struct floor_labels label; /* tokens only */
};

struct subset {
    const char *name;
    int pattern;                /* index into pattern_table; -1: none of them */
    const unsigned char *mask;  /* (rows), NULL for all */
    int rows;                   /* in the mask */
    double denominator;         /* rms of the target about its per-channel mean; continuous only */
    struct floors any, deep;    /* whatever the depth; of exactly the cell's, never lower */
    bool possible;              /* shown to be */
};

/* A logit over the rows of a group. */
struct merged_logit {
    double sum, least, greatest;
};

struct evaluation {
    const struct task *task;
    struct task *plain;       /* its own, of a set without images; NULL: it has none */
    struct memo_entry *memo;  /* of its set; NULL: none */
    struct evaluation *further; /* of the subsets behind these, each of a set of its own; NULL: none */
    int64_t length; /* or LENGTH_ALL */
    int rows;
    struct samples set;
    struct arena arena; /* everything below */
    int groups;
    int32_t *group; /* (rows) */
    int *pass_first;    /* (samples+1) of the samples that are passed at once, from 0 */
    int passed;         /* rows before those */
    int subsets;
    struct subset subset[SUBSETS_MAX];

    /* continuous */
    struct steep *steep;                /* NULL: no input is near */
    double *output;                     /* (rows,channels) */
    int positions;
    int *position_rows;                 /* (positions) rows at each position */
    double *error_square, *floor_square; /* (positions) means over rows and channels */

    /* tokens */
    int labels;
    unsigned char *informative; /* (rows) */
    int32_t *slot;              /* (groups) row of `merged`; -1: the group is one row */
    struct merged_logit *merged; /* (slots,labels) */
    size_t slots;
    int32_t *grouped;           /* (groups) the label of the mean logits; -1: none was a number */
    int32_t *decision;          /* (rows) the label chosen, likewise */
    double *nats;               /* (rows) cross-entropy */
};

/* The evaluation that a subset is of, where it has number *subset. */
static inline const struct evaluation *home_of(const struct evaluation *ev, int *subset)
{
    while (*subset >= ev->subsets) {
        *subset -= ev->subsets;
        ev = ev->further;
    }
    return ev;
}

/* Whether a row is in any figure. */
static inline bool counts(const struct evaluation *ev, int row)
{
    return !ev->set.counts || ev->set.counts[row];
}

static inline bool subset_has(const struct subset *s, int row)
{
    return !s->mask || s->mask[row];
}

/* Nothing to be relative to: error_rms and floor_rms are compared with the tolerance. */
static inline bool subset_constant(const struct subset *s)
{
    return s->denominator < DENOMINATOR_MIN;
}

static inline int sample_position(const struct evaluation *ev, int sample, int row)
{
    return row - ev->set.first[sample];
}

/* Whether a floor is above the tolerance: 1 - accuracy_ceiling, floor_rel, or floor_rms of a
 * constant target. */
static inline bool excludes(const struct evaluation *ev, const struct subset *s, const struct floors *f)
{
    double measure = !ev->set.outputs    ? 1 - f->label.accuracy_ceiling
                     : subset_constant(s) ? f->error.rms
                                          : f->error.rms / s->denominator;
    return measure > ev->task->evaluate.tolerance;
}

static inline bool has_floor(const struct evaluation *ev, const struct subset *s)
{
    return ev->set.outputs ? s->any.error.rms > 0 : s->any.label.accuracy_ceiling < 1;
}

#endif

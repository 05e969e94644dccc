/* Private to the search for the worst case: its parts.
 *
 * Invariant: a start's point in `best` is inside the domain, its y the target there, and its error
 * was measured there. */
#ifndef RUN_SEARCH_H
#define RUN_SEARCH_H
#include <stdbool.h>

#include "run/evaluation.h"
#include "target/target.h"

/* Of the fastest variable, at first and when the slope is given up. */
#define SEARCH_MOVE 0.25
#define SEARCH_MOVE_LEAST (1.0 / 4096)

struct start {
    struct stream random;
    bool tied;     /* all tokens are equal and stay so */
    bool moved;    /* since its slope was taken */
    bool by_sign;  /* the next move */
    int failures;  /* since the last success */
    int entry;     /* the worst output element of the sample */
    double sign;   /* of y - f there */
    double error;  /* |y - f| there */
    double move;   /* of the fastest variable */
};

struct ranked {
    double error;
    int sample;
};

struct search {
    const struct evaluation *ev;
    const struct trainer_api *api;
    struct trainer *trainer;
    const volatile int *stop;
    const struct target_config *config;
    const struct target *target;
    void *state; /* the target's */
    struct layout *layout;
    int n, d, starts;
    size_t cells; /* n x d */
    struct start *start;
    struct samples best, trial; /* a sample per start; y is the target */
    double *output, *cotangent, *dx, *slope; /* (starts,n,d) */
    double *x, *up, *down;                   /* (n,d) scratch */
    unsigned char *depends;                  /* (n,n) whether f at i may depend on token j */
    struct ranked *rank;                     /* (samples) worst first */
    struct arena arena;
};

/* Memory, the target's state, what it depends on, and the starts as trial points. */
int search_open(struct search *q, struct err *e);

/* y (n,d) of the target at x (n,d). */
static inline int search_target(const struct search *q, const double *x, double *y, struct err *e)
{
    return q->target->evaluate(q->state, q->config, q->layout, q->d, x, y, e);
}
/* The largest of `count` |y[k] - f[k]|, or the first that is no number; *entry says which. */
double search_worst(const double *y, const double *f, size_t count, int *entry);
/* Sets variable v of x (n,d): of one token, or of all alike. */
void search_set(const struct search *q, bool tied, double *x, size_t v, double value);

#endif

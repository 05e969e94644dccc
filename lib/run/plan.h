/* What a run has to do: which cells, in which order, and how many at once.
 *
 * Invariant: making a plan writes nothing. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "run/price.h"
#include "run/run.h"

enum plan_state { PLAN_WAITING, PLAN_RUNNING, PLAN_HELD, PLAN_ENDED };

struct plan_cell {
    int cell; /* of the spec */
    enum plan_state state;
    size_t bytes;        /* memory that a worker needs, about */
    enum price_part part; /* that takes the most of it */
    double work;         /* FLOPs of all its steps */
};

struct plan {
    struct plan_cell *cell; /* unfinished ones, most work first, then in the spec's order */
    int cells;
    int shard_cells, finished; /* all of this shard; those that were finished already */
    double work;               /* sum over cell */
    int jobs, cores;
    size_t memory;             /* free; 0: unknown */
    bool jobs_lowered;         /* for want of memory */
};

/* ERR_USAGE at the spec's key when one cell alone needs more memory than there is. */
int plan_open(struct plan *p, const struct spec *s, const struct run_options *o, struct err *e);
void plan_close(struct plan *p);
/* Threads of worker slot 0 .. jobs-1: cores that jobs leave over go to the first slots. */
int plan_threads(const struct plan *p, const struct run_options *o, int slot);
/* A cell in the words of the axes along which the spec's cells differ. */
enum { PLAN_LABEL = 256 };
void plan_label(const struct spec *s, const struct cell *c, char out[PLAN_LABEL]);
/* "cell ID (its words) failed: WHERE: why". */
enum { PLAN_FAILURE = sizeof(struct err) + PLAN_LABEL + 64 };
void plan_failure(const struct spec *s, const struct cell *c, const struct err *why, char out[PLAN_FAILURE]);

#endif

/* What a run has to do: which cells, in which order, and how many at once.
 *
 * Invariant: making a plan writes nothing. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "run/run.h"

enum plan_state { PLAN_WAITING, PLAN_RUNNING, PLAN_HELD, PLAN_ENDED };

/* Parts of a cell's memory: training and the passes over its length, the samples evaluated there,
 * everything at other lengths, the search for the worst case.  The witness, which comes and goes
 * before the last two, is not looked for here: that takes too long, and its work bounds its size. */
enum plan_part { PLAN_TRAINING, PLAN_SAMPLES, PLAN_LENGTHS, PLAN_SEARCH, PLAN_PARTS };

struct plan_cell {
    const struct cell *cell;
    enum plan_state state;
    size_t bytes;        /* memory that a worker needs, about */
    enum plan_part part; /* that takes the most of it */
    double work;         /* FLOPs of all its steps */
};

struct plan_price {
    size_t parameters;
    double flops;             /* of a training step */
    double bytes;             /* memory in all, about */
    double bytes_of[PLAN_PARTS];
    enum plan_part part;      /* that takes the most */
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

/* What a task costs; trains and draws nothing. */
int plan_price(const struct task *t, struct plan_price *out, struct err *e);
/* ERR_USAGE at the spec's key when one cell alone needs more memory than there is. */
int plan_open(struct plan *p, const struct spec *s, const struct run_options *o, struct err *e);
void plan_close(struct plan *p);
/* Threads of worker slot 0 .. jobs-1: cores that jobs leave over go to the first slots. */
int plan_threads(const struct plan *p, const struct run_options *o, int slot);
/* A cell in the words of the axes along which the spec's cells differ. */
enum { PLAN_LABEL = 256 };
void plan_label(const struct spec *s, const struct cell *c, char out[PLAN_LABEL]);

#endif

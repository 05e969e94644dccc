/* Private to a cell's execution: what its parts (cell.c, cell_results.c) share. */
#ifndef RUN_CELL_WORK_H
#define RUN_CELL_WORK_H
#include <stdbool.h>

#include "base/pool.h"
#include "base/text.h"
#include "run/evaluate.h"
#include "run/history.h"
#include "run/run.h"

enum { CELL_PATH_SIZE = 4096, CELL_STAMP_SIZE = 512, CELL_CPU_SIZE = 128 };

struct cell_work {
    const struct cell_run *run;
    const struct task *task;
    const struct trainer_api *api;
    struct pool *pool;
    struct trainer *trainer;
    struct evaluation *evaluation; /* at the training length */
    struct history history;
    bool diverged;
    bool polishing; /* has begun: the checkpoint is final, and the parameters are not its */
    double error; /* of the last point of the curve */
    double started, saved, told; /* machine_seconds */
    size_t bytes, parameters;    /* price */
    char cpu[CELL_CPU_SIZE], stamp[CELL_STAMP_SIZE], checkpoint[CELL_PATH_SIZE];
};

static inline double cell_seconds(const struct cell_work *w)
{
    return w->history.seconds + machine_seconds() - w->started;
}

static inline bool cell_stopped(const struct cell_work *w)
{
    return w->run->stop && *w->run->stop;
}

/* Writes one of the cell's files; takes over t. */
int cell_write_text(const struct cell_work *w, const char *name, struct text *t, struct err *e);
int cell_write_spec(const struct cell_work *w, struct err *e);
/* Appends the lines of row.csv for every evaluated length: the witness's figures, the network's,
 * the floors.  ERR_INTERRUPTED after a stop. */
int cell_measure(struct cell_work *w, struct text *rows, struct err *e);
/* Writes everything that a finished cell leaves, row.csv last, and removes the checkpoint. */
int cell_write_results(struct cell_work *w, struct text *rows, struct err *e);

#endif

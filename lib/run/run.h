/* Running a spec: cells in worker processes, floors and errors of each, results on disk.
 *
 * Invariant: a cell's folder is written by the holder of its lock alone, each file atomically, and
 * row.csv last, so a cell either has all its results or counts as unfinished. */
#ifndef RUN_RUN_H
#define RUN_RUN_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "spec/spec.h"

struct run_options {
    const char *folder;       /* results folder */
    int jobs, threads;        /* 0: choose */
    int shard, shards;        /* this is shard `shard` of `shards`, from 0; 0,1: everything */
    bool force;               /* train again what is finished */
    bool fail_fast;           /* stop at the first failed cell */
    double checkpoint_seconds; /* between checkpoints of a cell */
    FILE *progress;           /* NULL: none; a line is redrawn when it is a terminal */
    volatile const int *stop; /* becomes a signal number when the caller was asked to stop */
};

struct run_counts {
    int cells, done_before, trained, diverged, failed, elsewhere; /* elsewhere: held by other runs */
};

/* Trains what is unfinished and rebuilds the folder's CSV files.  ERR_INTERRUPTED after a stop, with
 * every checkpoint written.  A failed cell is counted, not an error. */
int run_spec(const struct spec *s, const struct run_options *o, struct run_counts *counts,
             struct err *e);

/* ---- one cell ---------------------------------------------------------------------------------*/
struct cell_progress { /* what a worker tells its coordinator */
    int64_t step, steps;
    double error_rel, loss;
};
struct cell_run {
    const struct cell *cell;
    const char *folder;        /* the cell's own */
    const char *experiment;    /* for messages */
    int threads;
    double checkpoint_seconds;
    volatile const int *stop;
    void (*progress)(void *context, const struct cell_progress *p);
    void *context;
};
/* Trains (or resumes), evaluates, writes spec.yaml, curve.csv, position.csv, table.csv,
 * weights.safetensors and row.csv.  Runs in the calling process. */
int cell_execute(const struct cell_run *r, struct err *e);

/* Floors of one cell without training: the rows that `bound` prints. */
struct evaluation;
/* ---- evaluation of a cell at one length: figures per subset -------------------------------------*/
struct subset_figures {
    int pattern;               /* index into pattern_table; -1: all */
    double error_rms, error_rel, error_sup, error_worst, accuracy, accuracy_informative,
        cross_entropy;
    double floor_rms, floor_rel, floor_sup, floor_worst, accuracy_ceiling, cross_entropy_floor;
    double gap_rel;
    const char *verdict;       /* "impossible", "reached", "not-reached"; "open" from bound */
};

#endif

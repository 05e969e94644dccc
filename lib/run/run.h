/* Running a spec: cells in worker processes, floors and errors of each, results on disk.
 *
 * Invariant: a cell's folder is written by the holder of its lock alone, each file atomically, and
 * row.csv last, so a cell either has all its results or counts as unfinished. */
#ifndef RUN_RUN_H
#define RUN_RUN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "spec/spec.h"

enum { RUN_PATH = 4096 };

struct run_options {
    const char *folder;       /* results folder */
    int jobs, threads;        /* 0: choose */
    int shard, shards;        /* this is shard `shard` of `shards`, from 0; 0,1: everything */
    bool force;               /* train again what is finished */
    bool fail_fast;           /* stop at the first failed cell */
    double checkpoint_seconds; /* between checkpoints of a cell; 0: after every step */
    FILE *progress;           /* NULL: none; one line, redrawn, and only when it is a terminal */
    FILE *messages;           /* NULL: none; a line for each failed cell, refused checkpoint ... */
    bool quiet;               /* of these only failures */
    volatile const int *stop; /* becomes a signal number when the caller was asked to stop; NULL:
                                 never.  Read by workers too, so it must be set by a handler that
                                 they inherit */
};

struct run_counts {
    int cells;       /* of this shard */
    int done_before; /* finished when the run began */
    int trained;     /* by this run, diverged ones included */
    int resumed;     /* of these, from a checkpoint of an earlier run */
    int diverged, failed;
    int elsewhere;   /* finished by another run in the same folder meanwhile */
};

/* Trains what is unfinished and rebuilds the folder's CSV files.  ERR_INTERRUPTED after a stop,
 * with every checkpoint written; ERR_USAGE, with the place in the spec and before anything is
 * written, when a cell needs more memory than there is.  A failed cell is counted, not an error; a
 * full disk or the like is.  *counts is filled in every case. */
int run_spec(const struct spec *s, const struct run_options *o, struct run_counts *counts,
             struct err *e);

/* ---- one cell ---------------------------------------------------------------------------------*/
struct cell_progress { /* what a worker tells its coordinator */
    int64_t step, steps;
    double error_rel, loss; /* NaN until known */
};
struct cell_run {
    const struct cell *cell;
    const char *folder;        /* the cell's own; exists, and the caller holds its lock */
    const char *experiment;    /* for spec.yaml */
    int threads;
    double checkpoint_seconds;
    volatile const int *stop;  /* NULL: never */
    void (*progress)(void *context, const struct cell_progress *p); /* NULL: nobody listens */
    void (*note)(void *context, const char *text); /* one line for people; NULL likewise */
    void *context;
};
/* Trains (or resumes), evaluates, writes spec.yaml, curve.csv, position.csv, table.csv,
 * weights.safetensors and, last, row.csv, and removes the checkpoint.  Runs in the calling process.
 * *diverged tells whether training met NaN or Inf.  ERR_INTERRUPTED after a stop, with the
 * checkpoint written. */
int cell_execute(const struct cell_run *r, bool *diverged, struct err *e);
/* Opens the spec of the one cell whose folder this is.  ERR_IO: it is no folder; ERR_USAGE: no such one. */
int cell_open(struct spec **spec, const char *folder, struct err *e);
/* The rows that the folder's weights have now, whoever wrote them, as lines of results.csv: figures
 * as `run` makes them, steps and what training measures empty. */
int cell_evaluate(const struct spec *s, const char *folder, int threads, volatile const int *stop,
                  struct text *rows, struct err *e);
/* RESULTS/cells/ID. */
int cell_folder(const char *results, const struct cell *c, char out[RUN_PATH], struct err *e);
/* As file_try_lock, of the lock that whoever writes into the folder holds. */
int cell_try_lock(const char *folder, struct file_lock *lock, bool *held, struct err *e);
/* Writes the cell's resolved spec, spec.yaml, and the files that it names. */
int cell_write_spec(const struct cell *c, const char *folder, const char *experiment,
                    struct err *e);
/* Whether folder holds the results of a cell: row.csv of this cell, not `failed`. */
bool cell_finished(const struct cell *c, const char *folder);
/* Writes a row.csv that says `failed`, for a cell whose worker could not. */
int cell_write_failed(const struct cell *c, const char *folder, struct err *e);
/* Removes row.csv and checkpoint, so that the cell is trained from the start. */
int cell_forget(const char *folder, struct err *e);

/* ---- the machine ------------------------------------------------------------------------------*/
/* Bytes that could be allocated now without swapping, as far as the system and the process's
 * limits tell; 0: unknown. */
size_t machine_memory(void);
/* Seconds of a clock that never runs backwards. */
double machine_seconds(void);

#endif

/* A process of its own for a piece of work: to train a cell, to certify some.
 *
 * Invariant: a worker ends with its coordinator.  What it has to say goes through a pipe in messages of
 * one size, each written whole; the pipe's end is the end of the worker.  One that trains holds the lock
 * of its cell's folder for as long as it may write there. */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H
#include <stdbool.h>

#include "base/child.h"
#include "base/text.h"
#include "run/run.h"

enum worker_outcome {
    WORKER_TRAINED,
    WORKER_DIVERGED,
    WORKER_HELD,     /* another process has the cell */
    WORKER_FINISHED, /* another process has finished it */
    WORKER_FAILED,   /* err says why: the cell's own fault, a full disk, no memory, a stop */
    WORKER_DIED      /* by a signal, or without a word; err says which */
};

struct worker {
    struct child child; /* pid 0: no worker */
    int cell;    /* the caller's number for it */
    struct text bytes; /* that it has sent; the caller takes and closes them */
    struct cell_progress progress;
    bool heard;      /* progress is set */
    int64_t resumed; /* step of the first progress */
    bool told;       /* it has sent its outcome */
    enum worker_outcome outcome;
    struct err err;  /* of WORKER_FAILED and WORKER_DIED */
};

/* What a worker does, in its process: link is what it may speak through, *outcome what became of it,
 * WORKER_TRAINED where it leaves that alone; an error is WORKER_FAILED. */
struct worker_link {
    int fd;
};
typedef int worker_function(void *context, struct worker_link *link, enum worker_outcome *outcome,
                            struct err *e);
void worker_tell_progress(struct worker_link *link, const struct cell_progress *p);
void worker_tell_bytes(struct worker_link *link, const char *bytes, size_t count);

/* Forks.  w->cell is the caller's. */
int worker_start(struct worker *w, worker_function *work, void *context, struct err *e);
/* Takes what the pipe holds; `note` gets lines for people.  True when the worker has ended: then
 * outcome and err are set, its process is reaped and w->child.pid is 0. */
bool worker_read(struct worker *w, void (*note)(void *context, const char *text), void *context);

/* To train a cell; context: a worker_task. */
struct worker_task {
    struct cell_run run; /* but progress, note and context */
    bool force;
};
worker_function worker_train;

#endif

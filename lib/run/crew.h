/* Workers in slots: a coordinator starts pieces of work in those that are free, listens to all, and
 * asks them to stop when it is asked to.
 *
 * Invariant: a coordinator calls no BLAS before its last worker has started. */
#ifndef RUN_CREW_H
#define RUN_CREW_H
#include <stdbool.h>

#include "run/worker.h"

struct crew {
    struct worker *worker; /* (jobs) */
    struct pollfd *poll;   /* (jobs) */
    int jobs;
    bool stopping, told; /* start no more; workers have been asked to stop */
};

/* What the work is.  A function that returns an error ends it: no more is started, those at work are
 * asked to stop. */
struct crew_duty {
    void *context;
    volatile const int *stop;  /* not zero: start no more, ask those at work to stop; NULL: never */
    bool (*left)(void *context); /* whether a piece of work has not ended */
    /* Starts one in w, or leaves it alone where there is none to start now. */
    int (*start)(void *context, struct worker *w, struct err *e);
    void (*note)(void *context, const char *text);                 /* a line for people */
    int (*heard)(void *context, struct worker *w, struct err *e);  /* after each message; NULL: nobody */
    int (*ended)(void *context, struct worker *w, struct err *e);
    int (*between)(void *context, struct err *e); /* now and then; NULL: nothing */
};

int crew_open(struct crew *c, int jobs, struct err *e);
void crew_close(struct crew *c);
/* Until nothing is left, or everything has stopped.  The first error. */
int crew_work(struct crew *c, const struct crew_duty *d, struct err *e);

#endif

/* Both ends of a worker: the child that executes a cell, and the coordinator's view of it. */
#include "run/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"

enum message_kind { MESSAGE_PROGRESS, MESSAGE_NOTE, MESSAGE_END };

struct message {
    enum message_kind kind;
    enum worker_outcome outcome;
    struct cell_progress progress;
    struct err err;
    char text[1024];
};

/* ---- the child --------------------------------------------------------------------------------*/

/* A coordinator that no longer reads is dead.  That shows here a moment before the system's SIGTERM
 * comes, or instead of it; either way the checkpoint is written. */
static void tell(int fd, const struct message *m)
{
    if (!child_send(fd, m, sizeof *m))
        raise(SIGTERM);
}

/* context: the descriptor. */
static void send_progress(void *context, const struct cell_progress *p)
{
    struct message m = {.kind = MESSAGE_PROGRESS, .progress = *p};
    tell(*(int *)context, &m);
}

static void send_note(void *context, const char *text)
{
    struct message m = {.kind = MESSAGE_NOTE};
    snprintf(m.text, sizeof m.text, "%s", text);
    tell(*(int *)context, &m);
}

/* A signal may come twice, to the process group and from the coordinator; the second one must not
 * kill a worker that is writing its checkpoint. */
static void keep_handler(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || !(action.sa_flags & (int)SA_RESETHAND))
        return;
    action.sa_flags &= ~(int)SA_RESETHAND;
    sigaction(number, &action, NULL);
}

static int execute(const struct worker_task *t, int *fd, enum worker_outcome *outcome,
                   struct err *e)
{
    struct file_lock lock = {.fd = -1};
    bool held = false, diverged = false;
    int code = cell_try_lock(t->run.folder, &lock, &held, e);
    if (code)
        return code;
    if (!held || (!t->force && cell_finished(t->run.cell, t->run.folder))) {
        *outcome = held ? WORKER_FINISHED : WORKER_HELD;
        return 0; /* the lock goes with the process */
    }
    if (t->force)
        code = cell_forget(t->run.folder, e);
    struct cell_run run = t->run;
    run.progress = send_progress;
    run.note = send_note;
    run.context = fd;
    if (!code)
        code = cell_execute(&run, &diverged, e);
    *outcome = diverged ? WORKER_DIVERGED : WORKER_TRAINED;
    return code;
}

static void work(void *context, int fd)
{
    struct message end = {.kind = MESSAGE_END};
    signal(SIGALRM, SIG_DFL); /* of a handler that gives so much time to end, and no more */
    keep_handler(SIGINT);
    keep_handler(SIGTERM);
    keep_handler(SIGHUP);
    if (execute(context, &fd, &end.outcome, &end.err))
        end.outcome = WORKER_FAILED;
    tell(fd, &end);
}

/* ---- the coordinator --------------------------------------------------------------------------*/

int worker_start(struct worker *w, struct worker_task *t, struct err *e)
{
    *w = (struct worker){.cell = w->cell};
    /* SIGTERM when the coordinator dies, so that the checkpoint is written. */
    if (child_start(&w->child, SIGTERM, work, t, e))
        return err_context(e, "a worker, of which --jobs says how many");
    return 0;
}

static void take(struct worker *w, const struct message *m,
                 void (*note)(void *context, const char *text), void *context)
{
    switch (m->kind) {
    case MESSAGE_PROGRESS:
        if (!w->heard)
            w->resumed = m->progress.step;
        w->heard = true;
        w->progress = m->progress;
        break;
    case MESSAGE_NOTE:
        note(context, m->text);
        break;
    case MESSAGE_END:
        w->told = true;
        w->outcome = m->outcome;
        w->err = m->err;
        break;
    }
}

static void reap(struct worker *w)
{
    int status = child_end(&w->child);
    if (w->told)
        return;
    w->outcome = WORKER_DIED;
    if (!WIFSIGNALED(status)) {
        err_set(&w->err, ERR_NUMERIC, NULL, "the worker ended with status %d and said nothing",
                WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        return;
    }
    int number = WTERMSIG(status);
    if (number == SIGALRM) { /* asked to stop, it could not in time */
        err_set(&w->err, ERR_INTERRUPTED, NULL, "interrupted");
        return;
    }
    err_set(&w->err, ERR_NUMERIC, NULL, "the worker was killed by signal %d (%s)%s", number,
            strsignal(number),
            number == SIGKILL ? "; the system does that when memory runs out" : "");
}

bool worker_read(struct worker *w, void (*note)(void *context, const char *text), void *context)
{
    struct message m;
    if (child_receive(w->child.fd, &m, sizeof m)) {
        take(w, &m, note, context);
        return false;
    }
    reap(w);
    return true;
}

/* Both ends of a worker: the child that works, and the coordinator's view of it. */
#include "run/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"

enum message_kind { MESSAGE_PROGRESS, MESSAGE_NOTE, MESSAGE_BYTES, MESSAGE_END };

struct message {
    enum message_kind kind;
    enum worker_outcome outcome;
    struct cell_progress progress;
    struct err err;
    size_t count; /* of text, where that is bytes */
    char text[4096];
};

/* ---- the child --------------------------------------------------------------------------------*/

/* A coordinator that no longer reads is dead.  That shows here a moment before the system's SIGTERM
 * comes, or instead of it; either way the checkpoint is written. */
static void tell(const struct worker_link *link, const struct message *m)
{
    if (!child_send(link->fd, m, sizeof *m))
        raise(SIGTERM);
}

void worker_tell_progress(struct worker_link *link, const struct cell_progress *p)
{
    struct message m = {.kind = MESSAGE_PROGRESS, .progress = *p};
    tell(link, &m);
}

void worker_tell_bytes(struct worker_link *link, const char *bytes, size_t count)
{
    struct message m = {.kind = MESSAGE_BYTES};
    for (; count > 0; bytes += m.count, count -= m.count) {
        m.count = count < sizeof m.text ? count : sizeof m.text;
        memcpy(m.text, bytes, m.count);
        tell(link, &m);
    }
}

/* context: the link. */
static void send_progress(void *context, const struct cell_progress *p)
{
    worker_tell_progress(context, p);
}

static void send_note(void *context, const char *text)
{
    struct message m = {.kind = MESSAGE_NOTE};
    snprintf(m.text, sizeof m.text, "%s", text);
    tell(context, &m);
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

int worker_train(void *context, struct worker_link *link, enum worker_outcome *outcome, struct err *e)
{
    const struct worker_task *t = context;
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
    run.context = link;
    if (!code)
        code = cell_execute(&run, &diverged, e);
    *outcome = diverged ? WORKER_DIVERGED : WORKER_TRAINED;
    return code;
}

struct duty {
    worker_function *work;
    void *context;
};

static void work(void *context, int fd)
{
    const struct duty *d = context;
    struct worker_link link = {fd};
    struct message end = {.kind = MESSAGE_END, .outcome = WORKER_TRAINED};
    signal(SIGALRM, SIG_DFL); /* of a handler that gives so much time to end, and no more */
    keep_handler(SIGINT);
    keep_handler(SIGTERM);
    keep_handler(SIGHUP);
    if (d->work(d->context, &link, &end.outcome, &end.err))
        end.outcome = WORKER_FAILED;
    tell(&link, &end);
}

/* ---- the coordinator --------------------------------------------------------------------------*/

int worker_start(struct worker *w, worker_function *function, void *context, struct err *e)
{
    struct duty duty = {function, context};
    *w = (struct worker){.cell = w->cell};
    /* SIGTERM when the coordinator dies, so that the checkpoint is written. */
    if (child_start(&w->child, SIGTERM, work, &duty, e))
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
    case MESSAGE_BYTES:
        text_append_bytes(&w->bytes, m->text, m->count);
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

/* Both ends of a worker: the child that executes a cell, and the coordinator's view of it. */
#include "run/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/system.h"

enum message_kind { MESSAGE_PROGRESS, MESSAGE_NOTE, MESSAGE_END };

struct message {
    enum message_kind kind;
    enum worker_outcome outcome;
    struct cell_progress progress;
    struct err err;
    char text[1024];
};
/* So that the kernel takes a message whole or not at all. */
_Static_assert(sizeof(struct message) <= PIPE_BUF, "a message must fit in a pipe");

/* ---- the child --------------------------------------------------------------------------------*/

struct child {
    const struct worker_task *task;
    int fd;
};

/* A coordinator that no longer reads is dead.  That shows here a moment before the system's SIGTERM
 * comes (follow), or instead of it; either way the checkpoint is written. */
static void send(const struct child *c, const struct message *m)
{
    ssize_t sent;
    do
        sent = write(c->fd, m, sizeof *m);
    while (sent < 0 && errno == EINTR);
    if (sent != (ssize_t)sizeof *m)
        raise(SIGTERM);
}

static void send_progress(void *context, const struct cell_progress *p)
{
    struct message m = {.kind = MESSAGE_PROGRESS, .progress = *p};
    send(context, &m);
}

static void send_note(void *context, const char *text)
{
    struct message m = {.kind = MESSAGE_NOTE};
    snprintf(m.text, sizeof m.text, "%s", text);
    send(context, &m);
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

/* SIGTERM when the coordinator dies; elsewhere than on Linux the broken pipe tells. */
static void follow(pid_t coordinator)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, SIG_DFL); /* of a handler that gives so much time to end, and no more */
    keep_handler(SIGINT);
    keep_handler(SIGTERM);
    keep_handler(SIGHUP);
    system_follow(coordinator, SIGTERM);
}

static int execute(struct child *c, enum worker_outcome *outcome, struct err *e)
{
    const struct worker_task *t = c->task;
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
    run.context = c;
    if (!code)
        code = cell_execute(&run, &diverged, e);
    *outcome = diverged ? WORKER_DIVERGED : WORKER_TRAINED;
    return code;
}

static void child_main(struct child *c, pid_t coordinator)
{
    struct message end = {.kind = MESSAGE_END};
    follow(coordinator);
    if (execute(c, &end.outcome, &end.err))
        end.outcome = WORKER_FAILED;
    send(c, &end);
    _exit(0);
}

/* ---- the coordinator --------------------------------------------------------------------------*/

int worker_start(struct worker *w, const struct worker_task *t, struct err *e)
{
    int pipes[2];
    pid_t coordinator = getpid();
    if (pipe(pipes) != 0)
        return err_set(e, ERR_IO, NULL, "a pipe to a worker: %s", err_system(errno));
    pid_t pid = fork();
    if (pid < 0) {
        int code = err_set(e, ERR_MEMORY, NULL, "starting a worker: %s; try fewer --jobs",
                           err_system(errno));
        close(pipes[0]);
        close(pipes[1]);
        return code;
    }
    if (pid == 0) {
        struct child c = {.task = t, .fd = pipes[1]};
        close(pipes[0]);
        for (int k = 0; k < t->other_count; k++)
            if (t->others[k].pid)
                close(t->others[k].fd);
        child_main(&c, coordinator);
    }
    close(pipes[1]);
    *w = (struct worker){.pid = pid, .fd = pipes[0], .cell = w->cell};
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
    int status = 0;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(w->fd);
    w->pid = 0;
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
    ssize_t got = read(w->fd, &m, sizeof m);
    if (got == (ssize_t)sizeof m) {
        take(w, &m, note, context);
        return false;
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    reap(w); /* the pipe's end */
    return true;
}

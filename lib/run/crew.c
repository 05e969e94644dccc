/* Workers in slots (crew.h). */
#include "run/crew.h"

#include <poll.h>
#include <signal.h>

#include "base/memory.h"

enum { WAIT_MS = 200 };

int crew_open(struct crew *c, int jobs, struct err *e)
{
    *c = (struct crew){.jobs = jobs};
    c->worker = memory_alloc((size_t)jobs, sizeof *c->worker, e);
    c->poll = memory_alloc((size_t)jobs, sizeof *c->poll, e);
    return c->worker && c->poll ? 0 : ERR_MEMORY;
}

void crew_close(struct crew *c)
{
    for (int k = 0; k < c->jobs && c->worker; k++)
        text_close(&c->worker[k].bytes);
    memory_free(c->worker);
    memory_free(c->poll);
    *c = (struct crew){0};
}

static bool is_at_work(const struct crew *c)
{
    for (int k = 0; k < c->jobs; k++)
        if (c->worker[k].child.pid)
            return true;
    return false;
}

static int start_all(struct crew *c, const struct crew_duty *d, struct err *e)
{
    for (int k = 0; k < c->jobs && !c->stopping; k++) {
        if (c->worker[k].child.pid)
            continue;
        int code = d->start(d->context, &c->worker[k], e);
        if (code || !c->worker[k].child.pid)
            return code;
    }
    return 0;
}

/* Workers share the caller's process group, but a signal may have been meant for the coordinator
 * alone. */
static void ask_to_stop(struct crew *c)
{
    for (int k = 0; k < c->jobs && !c->told; k++)
        if (c->worker[k].child.pid)
            kill(c->worker[k].child.pid, SIGTERM);
    c->told = true;
}

static void wait_for_some(struct crew *c)
{
    for (int k = 0; k < c->jobs; k++)
        c->poll[k] = (struct pollfd){.fd = c->worker[k].child.pid ? c->worker[k].child.fd : -1,
                                     .events = POLLIN};
    if (poll(c->poll, (nfds_t)c->jobs, WAIT_MS) < 0)
        for (int k = 0; k < c->jobs; k++)
            c->poll[k].revents = 0; /* a signal; the caller looks at its flag */
}

static int read_all(struct crew *c, const struct crew_duty *d, struct err *e)
{
    int code = 0;
    for (int k = 0; k < c->jobs; k++) {
        struct worker *w = &c->worker[k];
        if (!w->child.pid || !(c->poll[k].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        bool ended = worker_read(w, d->note, d->context);
        int failed = ended ? d->ended(d->context, w, e) : d->heard ? d->heard(d->context, w, e) : 0;
        code = code ? code : failed;
    }
    return code;
}

int crew_work(struct crew *c, const struct crew_duty *d, struct err *e)
{
    int code = 0;
    while (is_at_work(c) || (!c->stopping && d->left(d->context))) {
        c->stopping |= d->stop && *d->stop;
        int failed = c->stopping ? 0 : start_all(c, d, e);
        wait_for_some(c);
        if (!failed)
            failed = read_all(c, d, e);
        if (!failed && d->between)
            failed = d->between(d->context, e);
        if (failed) {
            code = code ? code : failed;
            c->stopping = true;
        }
        if (c->stopping)
            ask_to_stop(c);
    }
    return code;
}

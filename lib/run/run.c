/* The coordinator: hands cells to workers, listens to them, and keeps the folder's tables fresh.
 *
 *   plan -> specs/<hash>.yaml -> [ start | wait | read | rebuild ]* -> rebuild
 *
 * Invariant: the coordinator itself calls no BLAS and writes into a cell's folder only when its
 * worker is gone and the lock is its own, so that two runs, or a killed one and its successor, can
 * share a folder. */
#include "run/run.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/report.h"
#include "run/plan.h"
#include "run/progress.h"
#include "run/worker.h"

enum { WAIT_MS = 200 };
#define REBUILD_SECONDS 5.0
#define HELD_SECONDS 0.5

struct run {
    const struct spec *spec;
    const struct run_options *o;
    struct run_counts *counts;
    struct plan plan;
    struct worker *worker; /* (jobs) of plan.cell[worker.cell] */
    struct pollfd *poll;   /* (jobs) */
    int next;              /* plan cells before it are not waiting */
    struct progress progress;
    double started, rebuilt; /* machine_seconds */
    double asked;            /* likewise: when held cells were last looked at */
    double work_done, work_here;    /* ended; of that, done by this run's workers */
    bool dirty;            /* cells ended since the last rebuild */
    bool stopping, told;   /* start no more; workers have been asked to stop */
    struct err memory;     /* a worker had too little: the run goes on, and says so at the end */
};

/* ---- messages ---------------------------------------------------------------------------------*/

static void say_always(struct run *r, const char *text)
{
    progress_clear(&r->progress);
    if (r->o->messages)
        text_say(r->o->messages, "%s: %s", spec_name(r->spec), text);
}

static void say(void *context, const char *text)
{
    struct run *r = context;
    if (!r->o->quiet)
        say_always(r, text);
}

static void say_failed(struct run *r, const struct cell *c, const struct err *why)
{
    char name[PLAN_LABEL], text[sizeof why->msg + sizeof why->where + PLAN_LABEL + 64];
    plan_label(r->spec, c, name);
    bool named = strncmp(name, "cell ", 5) != 0; /* where nothing varies the id is the label */
    snprintf(text, sizeof text, "cell %s%s%s%s failed: %s%s%s", c->id, named ? " (" : "",
             named ? name : "", named ? ")" : "", why->where, why->where[0] ? ": " : "", why->msg);
    say_always(r, text);
}

/* ---- folders ----------------------------------------------------------------------------------*/

static int write_spec(const struct run *r, struct err *e)
{
    char folder[RUN_PATH], name[80];
    struct text t = {0};
    snprintf(name, sizeof name, "%s.yaml", spec_hash(r->spec));
    int code = file_join(folder, sizeof folder, r->o->folder, "specs", e);
    if (!code)
        code = file_make_folder(folder, e);
    if (!code)
        code = spec_copy_files(r->spec, folder, e);
    if (!code)
        code = spec_text(r->spec, &t, e);
    if (!code)
        code = file_write_text(folder, name, &t, e);
    text_close(&t);
    return code;
}

static int rebuild(struct run *r, struct err *e)
{
    int code = report_rebuild(r->o->folder, e);
    r->rebuilt = machine_seconds();
    r->dirty = false;
    return code;
}

/* ---- ends of cells ----------------------------------------------------------------------------*/

static const struct cell *cell_of(const struct run *r, const struct plan_cell *c)
{
    return spec_cell(r->spec, c->cell);
}

/* A cell whose worker stopped early waits again. */
static void put_back(struct run *r, struct plan_cell *c)
{
    int index = (int)(c - r->plan.cell);
    c->state = PLAN_WAITING;
    if (index < r->next)
        r->next = index;
}

static void end_cell(struct run *r, struct plan_cell *c, bool here)
{
    c->state = PLAN_ENDED;
    r->work_done += c->work;
    if (here)
        r->work_here += c->work;
    r->dirty = true;
    spec_drop_cell(r->spec, c->cell);
}

/* A row that says `failed`, unless another run has taken the cell up meanwhile. */
static int write_failed(struct run *r, const struct cell *c, struct err *e)
{
    char folder[RUN_PATH];
    struct file_lock lock = {.fd = -1};
    bool held = false;
    int code = cell_folder(r->o->folder, c, folder, e);
    if (!code)
        code = cell_try_lock(folder, &lock, &held, e);
    if (!code && held && !cell_finished(c, folder))
        code = cell_write_failed(c, folder, e);
    file_unlock(&lock);
    return code;
}

/* A worker that could not finish its cell.  What would hit every cell alike ends the run. */
static int take_failure(struct run *r, struct plan_cell *c, const struct err *why, struct err *e)
{
    if (why->code == ERR_INTERRUPTED) { /* alone, or with all of us: the flag will tell */
        put_back(r, c);
        return 0;
    }
    if (why->code == ERR_IO || why->code == ERR_USAGE) {
        put_back(r, c);
        return err_pass(e, why);
    }
    if (why->code == ERR_MEMORY)
        err_pass(&r->memory, why);
    say_failed(r, cell_of(r, c), why);
    r->counts->failed++;
    if (r->o->fail_fast)
        r->stopping = true;
    end_cell(r, c, true);
    return write_failed(r, cell_of(r, c), e);
}

static int take_end(struct run *r, struct worker *w, struct plan_cell *c, struct err *e)
{
    switch (w->outcome) {
    case WORKER_DIVERGED:
        r->counts->diverged++;
        /* fall through */
    case WORKER_TRAINED:
        r->counts->trained++;
        r->counts->resumed += w->heard && w->resumed > 0;
        end_cell(r, c, true);
        return 0;
    case WORKER_FINISHED:
        r->counts->elsewhere++;
        end_cell(r, c, false);
        return 0;
    case WORKER_HELD:
        c->state = PLAN_HELD;
        return 0;
    case WORKER_DIED:
        if (r->told) { /* it was asked to stop and had no handler for that */
            put_back(r, c);
            return 0;
        }
        break;
    case WORKER_FAILED:
        break;
    }
    return take_failure(r, c, &w->err, e);
}

/* ---- starting ---------------------------------------------------------------------------------*/

static int start(struct run *r, int slot, int index, struct err *e)
{
    struct plan_cell *c = &r->plan.cell[index];
    struct worker *w = &r->worker[slot];
    char folder[RUN_PATH];
    int code = cell_folder(r->o->folder, cell_of(r, c), folder, e);
    if (!code)
        code = file_make_folder(folder, e);
    if (code)
        return code;
    struct worker_task task = {.run = {.cell = cell_of(r, c),
                                       .folder = folder,
                                       .experiment = spec_name(r->spec),
                                       .threads = plan_threads(&r->plan, r->o, slot),
                                       .checkpoint_seconds = r->o->checkpoint_seconds,
                                       .stop = r->o->stop},
                               .force = r->o->force};
    w->cell = index;
    code = worker_start(w, &task, e);
    if (!code)
        c->state = PLAN_RUNNING;
    return code;
}

/* The next cell that waits; one that another run has finished meanwhile is not started. */
static int next_waiting(struct run *r, struct err *e)
{
    for (; r->next < r->plan.cells; r->next++) {
        struct plan_cell *c = &r->plan.cell[r->next];
        char folder[RUN_PATH];
        if (c->state != PLAN_WAITING)
            continue;
        if (cell_folder(r->o->folder, cell_of(r, c), folder, e))
            return -1;
        if (r->o->force || !cell_finished(cell_of(r, c), folder))
            return r->next;
        r->counts->elsewhere++;
        end_cell(r, c, false);
    }
    return -1;
}

static int start_all(struct run *r, struct err *e)
{
    for (int slot = 0; slot < r->plan.jobs && !r->stopping; slot++) {
        if (r->worker[slot].child.pid)
            continue;
        int index = next_waiting(r, e);
        if (index < 0)
            return e->code;
        int code = start(r, slot, index, e);
        if (code)
            return code;
    }
    return 0;
}

/* Looks again at cells that another run held: finished, or free because their holder died. */
static int ask_held(struct run *r, struct err *e)
{
    double now = machine_seconds();
    if (now - r->asked < HELD_SECONDS)
        return 0;
    r->asked = now;
    for (int k = 0; k < r->plan.cells; k++) {
        struct plan_cell *c = &r->plan.cell[k];
        struct file_lock lock = {.fd = -1};
        char folder[RUN_PATH];
        bool free_now = false;
        if (c->state != PLAN_HELD)
            continue;
        int code = cell_folder(r->o->folder, cell_of(r, c), folder, e);
        if (!code)
            code = cell_try_lock(folder, &lock, &free_now, e);
        file_unlock(&lock);
        if (code)
            return code;
        if (!free_now)
            continue;
        put_back(r, c); /* next_waiting sees whether it is finished */
    }
    return 0;
}

/* ---- the loop ---------------------------------------------------------------------------------*/

static int running(const struct run *r)
{
    int count = 0;
    for (int k = 0; k < r->plan.jobs; k++)
        count += r->worker[k].child.pid != 0;
    return count;
}

static bool all_ended(const struct run *r)
{
    for (int k = 0; k < r->plan.cells; k++)
        if (r->plan.cell[k].state != PLAN_ENDED)
            return false;
    return true;
}

/* Workers share the caller's process group, but a signal may have been meant for the coordinator
 * alone. */
static void ask_to_stop(struct run *r)
{
    if (r->told)
        return;
    r->told = true;
    for (int k = 0; k < r->plan.jobs; k++)
        if (r->worker[k].child.pid)
            kill(r->worker[k].child.pid, SIGTERM);
}

static void wait_for_workers(struct run *r)
{
    for (int k = 0; k < r->plan.jobs; k++)
        r->poll[k] = (struct pollfd){.fd = r->worker[k].child.pid ? r->worker[k].child.fd : -1,
                                     .events = POLLIN};
    if (poll(r->poll, (nfds_t)r->plan.jobs, WAIT_MS) < 0)
        for (int k = 0; k < r->plan.jobs; k++)
            r->poll[k].revents = 0; /* a signal; the caller looks at its flag */
}

static int read_workers(struct run *r, struct err *e)
{
    int code = 0;
    for (int k = 0; k < r->plan.jobs; k++) {
        struct worker *w = &r->worker[k];
        if (!w->child.pid || !(r->poll[k].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        if (!worker_read(w, say, r))
            continue;
        int failed = take_end(r, w, &r->plan.cell[w->cell], e);
        code = code ? code : failed;
    }
    return code;
}

/* Of a running cell's work: what this run has done, and what is left. */
static void cell_work(const struct run *r, int slot, double *here, double *left)
{
    const struct worker *w = &r->worker[slot];
    double work = r->plan.cell[w->cell].work;
    double steps = w->progress.steps > 0 ? (double)w->progress.steps : 1;
    *here = w->heard ? work * (double)(w->progress.step - w->resumed) / steps : 0;
    *left = w->heard ? work * (1 - (double)w->progress.step / steps) : work;
}

static double seconds_left(const struct run *r)
{
    double done = r->work_here, left = r->plan.work - r->work_done;
    for (int k = 0; k < r->plan.jobs; k++) {
        double here, remaining;
        if (!r->worker[k].child.pid)
            continue;
        cell_work(r, k, &here, &remaining);
        done += here;
        left -= r->plan.cell[r->worker[k].cell].work - remaining;
    }
    return done > 0 ? (machine_seconds() - r->started) * left / done : NAN;
}

static void draw(struct run *r)
{
    const struct run_counts *c = r->counts;
    int done = c->done_before + c->trained + c->failed + c->elsewhere;
    char name[PLAN_LABEL];
    for (int k = 0; k < r->plan.jobs; k++) {
        const struct worker *w = &r->worker[k];
        if (!w->child.pid || !w->heard)
            continue;
        plan_label(r->spec, cell_of(r, &r->plan.cell[w->cell]), name);
        progress_draw(&r->progress, done, c->cells, name, &w->progress, seconds_left(r));
        return;
    }
}

static int tidy(struct run *r, struct err *e)
{
    struct err own = {0};
    if (!r->dirty || machine_seconds() - r->rebuilt < REBUILD_SECONDS)
        return 0;
    int code = rebuild(r, &own);
    /* A signal while it waited for the lock: the flag will be seen, a last rebuild follows. */
    return code == ERR_INTERRUPTED ? 0 : err_pass(e, &own);
}

/* Until every cell has ended, or everything has stopped. */
static int loop(struct run *r, struct err *e)
{
    int code = 0;
    while (running(r) || (!r->stopping && !all_ended(r))) {
        if (r->o->stop && *r->o->stop)
            r->stopping = true;
        int failed = r->stopping ? 0 : start_all(r, e);
        wait_for_workers(r);
        if (!failed)
            failed = read_workers(r, e);
        if (!failed && !r->stopping)
            failed = ask_held(r, e);
        if (!failed)
            failed = tidy(r, e);
        if (failed && !code) {
            code = failed;
            r->stopping = true;
        }
        if (r->stopping)
            ask_to_stop(r);
        draw(r);
    }
    progress_clear(&r->progress);
    return code;
}

static int open_slots(struct run *r, struct err *e)
{
    size_t jobs = (size_t)r->plan.jobs;
    r->worker = memory_alloc(jobs, sizeof *r->worker, e);
    r->poll = memory_alloc(jobs, sizeof *r->poll, e);
    return r->worker && r->poll ? 0 : ERR_MEMORY;
}

static int run_plan(struct run *r, struct err *e)
{
    char text[128];
    int code = file_make_folder(r->o->folder, e);
    if (!code)
        code = write_spec(r, e);
    if (!code)
        code = open_slots(r, e);
    if (code)
        return code;
    if (r->plan.jobs_lowered) {
        snprintf(text, sizeof text, "%d workers at once, for more do not fit in memory",
                 r->plan.jobs);
        say(r, text);
    }
    r->started = r->rebuilt = machine_seconds();
    code = loop(r, e);
    int built = rebuild(r, code ? &(struct err){0} : e);
    if (code || built)
        return code ? code : built;
    if (r->o->stop && *r->o->stop && !all_ended(r))
        return err_set(e, ERR_INTERRUPTED, NULL, "interrupted; a run %sgoes on from the last "
                       "checkpoints", r->o->force ? "without force " : "");
    return err_pass(e, &r->memory);
}

int run_spec(const struct spec *s, const struct run_options *o, struct run_counts *counts,
             struct err *e)
{
    struct err own = {0};
    struct run r = {.spec = s, .o = o, .counts = counts};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    *counts = (struct run_counts){0};
    int code = plan_open(&r.plan, s, o, &own);
    counts->cells = r.plan.shard_cells;
    counts->done_before = r.plan.finished;
    if (!code) {
        progress_open(&r.progress, o->progress);
        /* A file too large is an error to report, not a death; workers inherit that. */
        sigaction(SIGXFSZ, &ignore, &before);
        code = run_plan(&r, &own);
        sigaction(SIGXFSZ, &before, NULL);
    }
    memory_free(r.worker);
    memory_free(r.poll);
    plan_close(&r.plan);
    return err_pass(e, &own);
}

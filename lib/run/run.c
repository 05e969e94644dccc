/* The coordinator: hands cells to workers, listens to them, and keeps the folder's tables fresh.
 *
 *   plan -> specs/<hash>.yaml -> [ start | wait | read | rebuild ]* -> rebuild
 *
 * Invariant: the coordinator writes into a cell's folder only when its worker is gone and the lock is
 * its own, so that two runs, or a killed one and its successor, can share a folder. */
#include "run/run.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/report.h"
#include "run/crew.h"
#include "run/plan.h"
#include "run/progress.h"

#define REBUILD_SECONDS 5.0 /* between two rebuilds at least, and */
#define REBUILD_SHARE 50.0  /* so many times what one takes: a rebuild reads all cells, however many */
#define HELD_SECONDS 0.5

struct run {
    const struct spec *spec;
    const struct run_options *o;
    struct run_counts *counts;
    struct plan plan;
    struct crew crew;      /* each worker of plan.cell[worker.cell] */
    int next;              /* plan cells before it are not waiting */
    struct progress progress;
    double started, rebuilt; /* machine_seconds */
    double rebuild_seconds;  /* that the last one took */
    double asked;            /* likewise: when held cells were last looked at */
    double work_done, work_here;    /* ended; of that, done by this run's workers */
    bool dirty;            /* cells ended since the last rebuild */
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
    char text[PLAN_FAILURE];
    plan_failure(r->spec, c, why, text);
    say_always(r, text);
}

/* ---- folders ----------------------------------------------------------------------------------*/

/* What cannot be written in the end is said before anything is trained. */
static int check_tables(const char *folder, struct err *e)
{
    char path[RUN_PATH];
    int code = 0;
    for (int k = 0; k < FILE_COUNT && !code; k++) {
        code = file_join(path, sizeof path, folder, column_files[k].name, e);
        code = code ? code : file_check_write(path, e);
    }
    return code;
}

static int write_spec(const struct run *r, struct err *e)
{
    char folder[RUN_PATH], name[80];
    struct text t = {0};
    snprintf(name, sizeof name, "%s.yaml", spec_hash(r->spec));
    int code = file_join(folder, sizeof folder, r->o->folder, "specs", e);
    if (!code)
        code = file_make_folder(folder, e);
    if (!code)
        code = check_tables(r->o->folder, e);
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
    double start = machine_seconds();
    int code = report_rebuild(r->o->folder, e);
    r->rebuilt = machine_seconds();
    r->rebuild_seconds = r->rebuilt - start;
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
        r->crew.stopping = true;
    end_cell(r, c, true);
    return write_failed(r, cell_of(r, c), e);
}

static int take_end(void *context, struct worker *w, struct err *e)
{
    struct run *r = context;
    struct plan_cell *c = &r->plan.cell[w->cell];
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
        if (r->crew.told) { /* it was asked to stop and had no handler for that */
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

static int start(struct run *r, struct worker *w, int index, struct err *e)
{
    struct plan_cell *c = &r->plan.cell[index];
    char folder[RUN_PATH];
    int code = cell_folder(r->o->folder, cell_of(r, c), folder, e);
    if (!code)
        code = file_make_folder(folder, e);
    if (code)
        return code;
    struct worker_task task = {.run = {.cell = cell_of(r, c),
                                       .folder = folder,
                                       .experiment = spec_name(r->spec),
                                       .threads = plan_threads(&r->plan, r->o, (int)(w - r->crew.worker)),
                                       .checkpoint_seconds = r->o->checkpoint_seconds,
                                       .stop = r->o->stop},
                               .force = r->o->force};
    w->cell = index;
    code = worker_start(w, worker_train, &task, e);
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

static int start_next(void *context, struct worker *w, struct err *e)
{
    struct run *r = context;
    int index = next_waiting(r, e);
    return index < 0 ? e->code : start(r, w, index, e);
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

static bool is_left(void *context)
{
    const struct run *r = context;
    for (int k = 0; k < r->plan.cells; k++)
        if (r->plan.cell[k].state != PLAN_ENDED)
            return true;
    return false;
}

/* Of a running cell's work: what this run has done, and what is left. */
static void cell_work(const struct run *r, int slot, double *here, double *left)
{
    const struct worker *w = &r->crew.worker[slot];
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
        if (!r->crew.worker[k].child.pid)
            continue;
        cell_work(r, k, &here, &remaining);
        done += here;
        left -= r->plan.cell[r->crew.worker[k].cell].work - remaining;
    }
    return done > 0 ? (machine_seconds() - r->started) * left / done : NAN;
}

static void draw(struct run *r)
{
    const struct run_counts *c = r->counts;
    int done = c->done_before + c->trained + c->failed + c->elsewhere;
    char name[PLAN_LABEL];
    for (int k = 0; k < r->plan.jobs; k++) {
        const struct worker *w = &r->crew.worker[k];
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
    if (!r->dirty || machine_seconds() - r->rebuilt < fmax(REBUILD_SECONDS, REBUILD_SHARE * r->rebuild_seconds))
        return 0;
    int code = rebuild(r, &own);
    /* A signal while it waited for the lock: the flag will be seen, a last rebuild follows. */
    return code == ERR_INTERRUPTED ? 0 : err_pass(e, &own);
}

static int look_after(void *context, struct err *e)
{
    struct run *r = context;
    int code = r->crew.stopping ? 0 : ask_held(r, e);
    if (!code)
        code = tidy(r, e);
    draw(r);
    return code;
}

static int work_off(struct run *r, struct err *e)
{
    const struct crew_duty duty = {.context = r, .stop = r->o->stop, .left = is_left, .start = start_next,
                                   .note = say, .ended = take_end, .between = look_after};
    int code = crew_work(&r->crew, &duty, e);
    progress_clear(&r->progress);
    return code;
}

static int run_plan(struct run *r, struct err *e)
{
    char text[128];
    int code = file_make_folder(r->o->folder, e);
    if (!code)
        code = write_spec(r, e);
    if (!code)
        code = crew_open(&r->crew, r->plan.jobs, e);
    if (code)
        return code;
    if (r->plan.jobs_lowered) {
        snprintf(text, sizeof text, "%d workers at once, for more do not fit in memory",
                 r->plan.jobs);
        say(r, text);
    }
    r->started = r->rebuilt = machine_seconds();
    code = work_off(r, e);
    int built = rebuild(r, code ? &(struct err){0} : e);
    if (code || built)
        return code ? code : built;
    if (r->o->stop && *r->o->stop && is_left(r))
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
    crew_close(&r.crew);
    plan_close(&r.plan);
    return err_pass(e, &own);
}

/* One cell from its task to its files.
 *
 *   open -> resume -> [ curve point? checkpoint? step ]* -> evaluate -> write files, row.csv last
 *
 * Invariant: what is written depends on the task and the machine type alone, timing aside.  Points
 * of the curve are taken before a step is made and are skipped when the checkpoint already has
 * them, so stopping anywhere and going on gives the same bytes. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "kernel/kernel.h"
#include "run/cell_work.h"
#include "run/witness_cell.h"

/* Room in a checkpoint beside what trainer_price and the history count: headers. */
#define CHECKPOINT_SLACK ((size_t)1 << 20)
#define PROGRESS_SECONDS 0.2

/* ---- small parts ------------------------------------------------------------------------------*/

static void note(const struct cell_work *w, const char *text)
{
    if (w->run->note)
        w->run->note(w->run->context, text);
}

static void tell(struct cell_work *w)
{
    if (!w->run->progress)
        return;
    struct cell_progress p = {.step = w->api->step_number(w->trainer),
                              .steps = w->task->train.steps,
                              .error_rel = w->error,
                              .loss = w->history.loss};
    w->run->progress(w->run->context, &p);
    w->told = machine_seconds();
}

/* ---- opening and resuming ---------------------------------------------------------------------*/

/* The witness's sizes replace the spec's, so they are said. */
static int start_from_witness(struct cell_work *w, struct err *e)
{
    char text[160];
    const struct model_config *m = &w->task->model;
    snprintf(text, sizeof text, "starts from the witness: layers %lld, heads %lld, width %lld, "
             "ffn %lld", (long long)m->layers, (long long)m->heads, (long long)m->width,
             (long long)m->ffn);
    note(w, text);
    return witness_start(w->task, w->api, w->trainer, e);
}

static int open_trainer(struct cell_work *w, struct err *e)
{
    if (w->trainer)
        w->api->close(w->trainer);
    w->trainer = NULL;
    history_close(&w->history);
    int code = w->api->open(&w->trainer, w->task, w->pool, e);
    if (!code)
        w->api->watch(w->trainer, w->run->stop);
    if (!code && w->task->model.init == MODEL_INIT_WITNESS)
        code = start_from_witness(w, e);
    return code;
}

static int open_work(struct cell_work *w, struct err *e)
{
    int code = w->api->kernel_open(e);
    if (code)
        return code;
    kernel_cpu_name(w->cpu, sizeof w->cpu);
    snprintf(w->stamp, sizeof w->stamp,
             "cell %s; version %s; numerics %d; kernel %s; blas %s; cpu %s", w->run->cell->id,
             URPE_VERSION, SPEC_NUMERICS_VERSION, w->api->kernel_name(), w->api->blas_name(),
             w->cpu);
    code = file_join(w->checkpoint, sizeof w->checkpoint, w->run->folder, "checkpoint", e);
    if (!code)
        code = w->api->price(w->task, &w->bytes, &w->parameters, &(double){0}, e);
    if (!code)
        code = pool_open(&w->pool, w->run->threads, e);
    if (!code)
        code = open_trainer(w, e);
    if (!code)
        code = evaluation_open(&w->evaluation, w->task, (int)w->task->space.length, e);
    return code;
}

static void close_work(struct cell_work *w)
{
    evaluation_close(w->evaluation);
    history_close(&w->history);
    if (w->trainer)
        w->api->close(w->trainer);
    pool_close(w->pool);
}

/* What is larger is no checkpoint of this cell.  Points: one at step 0, each `every`, one at the end. */
static size_t checkpoint_limit(const struct cell_work *w)
{
    const struct task *t = w->task;
    size_t points = (size_t)(t->train.steps / t->evaluate.every) + 2;
    return w->bytes + points * sizeof *w->history.point + CHECKPOINT_SLACK;
}

/* Takes up a checkpoint; one that cannot be trusted is named, and the cell starts again. */
static int resume(struct cell_work *w, struct err *e)
{
    struct err why = {0};
    if (!file_exists(w->checkpoint))
        return 0;
    int code = checkpoint_read(w->checkpoint, checkpoint_limit(w), w->api, w->trainer, w->stamp,
                               &w->history, &why);
    if (!code) {
        if (w->history.points)
            w->error = w->history.point[w->history.points - 1].error_rel;
        return 0;
    }
    if (code == ERR_MEMORY)
        return err_pass(e, &why);
    char text[sizeof why.msg + CELL_PATH_SIZE + 64];
    snprintf(text, sizeof text, "%s: %s; the cell starts again", w->checkpoint, why.msg);
    note(w, text);
    return open_trainer(w, e);
}

/* What an earlier holder of the lock was writing when it was killed. */
static int sweep(const struct cell_work *w, struct err *e)
{
    char **names, path[CELL_PATH_SIZE];
    size_t count;
    int code = file_list(w->run->folder, &names, &count, e);
    if (code)
        return code;
    for (size_t k = 0; k < count && !code; k++) {
        if (strncmp(names[k], ".tmp-", 5))
            continue;
        code = file_join(path, sizeof path, w->run->folder, names[k], e);
        if (!code)
            code = file_remove(path, e);
    }
    file_free_names(names, count);
    return code;
}

/* ---- training ---------------------------------------------------------------------------------*/

static int save(struct cell_work *w, struct err *e)
{
    int code = checkpoint_write(w->checkpoint, w->api, w->trainer, w->stamp, &w->history,
                                cell_seconds(w), e);
    w->saved = machine_seconds();
    return code;
}

/* e says where the cell was interrupted, in training or after it; it says so still unless the
 * checkpoint cannot be written. */
static int save_interrupted(struct cell_work *w, struct err *e)
{
    struct err why = {0};
    if (!w->polishing && save(w, &why))
        *e = why;
    return e->code;
}

static int add_point(struct cell_work *w, int64_t step, struct err *e)
{
    if (history_has(&w->history, step))
        return 0;
    int code = evaluation_error(w->evaluation, w->api, w->trainer, &w->error, e);
    if (!code)
        code = history_add(&w->history, step, w->error, e);
    tell(w);
    return code;
}

static int make_step(struct cell_work *w, struct err *e)
{
    struct train_report report;
    double before = machine_seconds();
    int code = w->api->step(w->trainer, &report, e);
    if (code)
        return code;
    w->history.train_seconds += machine_seconds() - before;
    w->history.loss = report.loss;
    w->history.rate = report.rate;
    w->history.gradient_norm = report.gradient_norm;
    w->diverged = report.diverged;
    if (machine_seconds() - w->told >= PROGRESS_SECONDS)
        tell(w);
    return 0;
}

static int train(struct cell_work *w, struct err *e)
{
    int64_t steps = w->task->train.steps, every = w->task->evaluate.every;
    w->saved = machine_seconds();
    for (;;) {
        int64_t step = w->api->step_number(w->trainer);
        int code = 0;
        if (step % every == 0 || step >= steps || w->diverged)
            code = add_point(w, step, e);
        if (code)
            return code;
        if (step >= steps && isinf(w->error)) /* no further step is there to tell */
            w->diverged = true;
        if (cell_stopped(w))
            return err_set(e, ERR_INTERRUPTED, w->run->folder, "interrupted at step %lld",
                           (long long)step);
        if (step >= steps || w->diverged)
            return 0;
        code = make_step(w, e);
        if (!code && !w->diverged && machine_seconds() - w->saved >= w->run->checkpoint_seconds)
            code = save(w, e);
        if (code)
            return code;
    }
}

/* What a stop interrupts is done again from the checkpoint after the last step. */
static int polish(struct cell_work *w, struct err *e)
{
    struct polish_report r;
    if (w->task->train.polish == TRAIN_POLISH_NONE || w->diverged)
        return 0;
    int code = save(w, e);
    w->polishing = true;
    tell(w);
    if (!code)
        code = w->api->polish(w->trainer, w->run->stop, &r, e);
    if (!code && r.stopped)
        code = err_set(e, ERR_INTERRUPTED, w->run->folder, "interrupted while polishing");
    if (!code)
        w->history.loss = r.loss;
    return code;
}

int cell_execute(const struct cell_run *r, bool *diverged, struct err *e)
{
    struct err own = {0};
    struct text rows = {0};
    struct cell_work w = {.run = r,
                     .task = &r->cell->task,
                     .api = trainer_api_of(r->cell->task.model.precision),
                     .error = NAN,
                     .started = machine_seconds()};
    history_open(&w.history);
    int code = open_work(&w, &own);
    if (!code)
        code = sweep(&w, &own);
    if (!code)
        code = cell_write_spec(&w, &own);
    if (!code)
        code = resume(&w, &own);
    if (!code)
        code = train(&w, &own);
    if (!code)
        code = polish(&w, &own);
    if (!code)
        code = cell_measure(&w, &rows, &own);
    if (code == ERR_INTERRUPTED)
        code = save_interrupted(&w, &own);
    if (!code)
        code = cell_write_results(&w, &rows, &own);
    *diverged = w.diverged;
    text_close(&rows);
    close_work(&w);
    return err_pass(e, &own);
}

/* One cell from its task to its files.
 *
 *   open -> resume -> [ curve point? checkpoint? step ]* -> evaluate -> write files, row.csv last
 *
 * Invariant: what is written depends on the task and the machine type alone, timing aside.  Points
 * of the curve are taken before a step is made and are skipped when the checkpoint already has
 * them, so stopping anywhere and going on gives the same bytes. */
#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "kernel/kernel.h"
#include "run/adversary.h"
#include "run/evaluate.h"
#include "run/history.h"
#include "run/run.h"
#include "spec/start.h"

enum { PATH_SIZE = 4096, STAMP_SIZE = 512, CPU_SIZE = 128 };
/* Room in a checkpoint beside what trainer_price counts: history and headers. */
#define CHECKPOINT_SLACK ((size_t)64 << 20)
#define PROGRESS_SECONDS 0.2

struct work {
    const struct cell_run *run;
    const struct task *task;
    const struct trainer_api *api;
    struct pool *pool;
    struct trainer *trainer;
    struct evaluation *evaluation; /* at the training length */
    struct history history;
    bool diverged;
    bool polishing; /* has begun: the checkpoint is final, and the parameters are not its */
    double error; /* of the last point of the curve */
    double started, saved, told; /* machine_seconds */
    size_t bytes, parameters;    /* price */
    char cpu[CPU_SIZE], stamp[STAMP_SIZE], checkpoint[PATH_SIZE];
};

/* ---- small parts ------------------------------------------------------------------------------*/

static bool stopped(const struct work *w)
{
    return w->run->stop && *w->run->stop;
}

static void note(const struct work *w, const char *text)
{
    if (w->run->note)
        w->run->note(w->run->context, text);
}

static void tell(struct work *w)
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

static double seconds_spent(const struct work *w)
{
    return w->history.seconds + machine_seconds() - w->started;
}

/* Writes one of the cell's files; takes over t. */
static int write_text(const struct work *w, const char *name, struct text *t, struct err *e)
{
    char path[PATH_SIZE];
    int code = text_check(t, e);
    if (!code)
        code = file_join(path, sizeof path, w->run->folder, name, e);
    if (!code)
        code = file_write(path, t->data, t->length, e);
    text_close(t);
    return code;
}

/* ---- opening and resuming ---------------------------------------------------------------------*/

/* The witness's sizes replace the spec's, so they are said. */
static int start_from_witness(struct work *w, struct err *e)
{
    char text[160];
    const struct model_config *m = &w->task->model;
    snprintf(text, sizeof text, "starts from the witness: layers %lld, heads %lld, width %lld, "
             "ffn %lld", (long long)m->layers, (long long)m->heads, (long long)m->width,
             (long long)m->ffn);
    note(w, text);
    return start_write(w->task, w->api, w->trainer, e);
}

static int open_trainer(struct work *w, struct err *e)
{
    if (w->trainer)
        w->api->close(w->trainer);
    w->trainer = NULL;
    history_close(&w->history);
    int code = w->api->open(&w->trainer, w->task, w->pool, e);
    if (!code && w->task->model.init == MODEL_INIT_WITNESS)
        code = start_from_witness(w, e);
    return code;
}

static int open_work(struct work *w, struct err *e)
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

static void close_work(struct work *w)
{
    evaluation_close(w->evaluation);
    history_close(&w->history);
    if (w->trainer)
        w->api->close(w->trainer);
    pool_close(w->pool);
}

/* Takes up a checkpoint; one that cannot be trusted is named, and the cell starts again. */
static int resume(struct work *w, struct err *e)
{
    struct err why = {0};
    if (!file_exists(w->checkpoint))
        return 0;
    int code = checkpoint_read(w->checkpoint, w->bytes + CHECKPOINT_SLACK, w->api, w->trainer,
                               w->stamp, &w->history, &why);
    if (!code) {
        if (w->history.points)
            w->error = w->history.point[w->history.points - 1].error;
        return 0;
    }
    if (code == ERR_MEMORY)
        return err_set(e, code, why.where, "%s", why.msg);
    char text[sizeof why.msg + PATH_SIZE + 64];
    snprintf(text, sizeof text, "%s: %s; the cell starts again", w->checkpoint, why.msg);
    note(w, text);
    return open_trainer(w, e);
}

/* What an earlier holder of the lock was writing when it was killed. */
static int sweep(const struct work *w, struct err *e)
{
    char **names, path[PATH_SIZE];
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

static int save(struct work *w, struct err *e)
{
    int code = checkpoint_write(w->checkpoint, w->api, w->trainer, w->stamp, &w->history,
                                seconds_spent(w), e);
    w->saved = machine_seconds();
    return code;
}

/* e says where the cell was interrupted, in training or after it; it says so still unless the
 * checkpoint cannot be written. */
static int save_interrupted(struct work *w, struct err *e)
{
    struct err why = {0};
    if (!w->polishing && save(w, &why))
        *e = why;
    return e->code;
}

static int add_point(struct work *w, int64_t step, struct err *e)
{
    if (history_has(&w->history, step))
        return 0;
    int code = evaluation_error(w->evaluation, w->api, w->trainer, &w->error, e);
    if (!code)
        code = history_add(&w->history, step, w->error, e);
    tell(w);
    return code;
}

static int make_step(struct work *w, struct err *e)
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

static int train(struct work *w, struct err *e)
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
        if (stopped(w))
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
static int polish(struct work *w, struct err *e)
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

/* ---- results ----------------------------------------------------------------------------------*/

static double tokens_per_second(const struct work *w)
{
    double tokens = (double)w->api->step_number(w->trainer) * (double)w->task->train.batch *
                    (double)w->task->space.length;
    return w->history.train_seconds > 0 ? tokens / w->history.train_seconds : NAN;
}

/* The rows of one evaluated length. */
static int append_rows(struct work *w, struct evaluation *ev, struct text *t, struct err *e)
{
    struct subset_figures figures[PATTERN_MAX + 1];
    int code = evaluation_measure(ev, w->api, w->trainer, figures, e);
    if (!code)
        code = adversary_search(ev, w->api, w->trainer, w->run->stop, figures, e);
    if (code)
        return code;
    struct row_facts facts = {
        .status = w->diverged ? "diverged" : "ok",
        .steps = w->api->step_number(w->trainer),
        .parameters = w->parameters,
        .train_loss = w->history.loss,
        .seconds = seconds_spent(w),
        .tokens_per_second = tokens_per_second(w),
        .peak_mib = machine_peak_mib(),
        .cpu = w->cpu,
        .blas = w->api->blas_name(),
        .threads = pool_threads(w->pool),
    };
    for (int k = 0; k < evaluation_subsets(ev); k++)
        row_append(t, w->run->cell, evaluation_length(ev), evaluation_subset_name(ev, k),
                   &figures[k], &facts);
    return 0;
}

static int append_length(struct work *w, int length, struct text *t, struct err *e)
{
    struct evaluation *ev;
    if (length == evaluation_length(w->evaluation))
        return append_rows(w, w->evaluation, t, e);
    int code = evaluation_open(&ev, w->task, length, e);
    if (code)
        return code;
    code = append_rows(w, ev, t, e);
    evaluation_close(ev);
    return code;
}

static int measure(struct work *w, struct text *rows, struct err *e)
{
    int length[EVALUATION_LENGTHS_MAX], lengths = evaluation_lengths(w->task, length);
    row_append_header(rows);
    for (int k = 0; k < lengths; k++) {
        int code = append_length(w, length[k], rows, e);
        if (code)
            return code;
    }
    return 0;
}

static void position_csv(const struct work *w, struct text *t)
{
    text_append(t, "position,error_rms,floor_rms\n");
    for (int i = 0; i < evaluation_positions(w->evaluation); i++) {
        double error, floor;
        evaluation_position(w->evaluation, i, &error, &floor);
        csv_field_int(t, i + 1);
        csv_field_double(t, error, w->api->digits);
        csv_field_double(t, floor, w->api->digits);
        csv_end_row(t);
    }
}

struct table_text {
    struct text text;
    int digits;
};

/* An empty layer: the table is shared by all. */
static void append_table(void *context, int layer, int head, int relation, double b, double c)
{
    struct table_text *t = context;
    if (layer < 0)
        csv_field(&t->text, "");
    else
        csv_field_int(&t->text, layer);
    csv_field_int(&t->text, head);
    csv_field_int(&t->text, relation);
    csv_field_double(&t->text, b, t->digits);
    csv_field_double(&t->text, c, t->digits);
    csv_end_row(&t->text);
}

static int write_spec(const struct work *w, struct err *e)
{
    struct text t = {0};
    int code = spec_cell_copy_files(w->run->cell, w->run->folder, e);
    if (!code)
        code = spec_cell_text(w->run->cell, w->run->experiment, &t, e);
    if (!code)
        return write_text(w, "spec.yaml", &t, e);
    text_close(&t);
    return code;
}

static int write_results(struct work *w, struct text *rows, struct err *e)
{
    char weights[PATH_SIZE];
    struct text curve = {0}, position = {0};
    struct table_text table = {.digits = w->api->digits};
    history_csv(&w->history, w->api->digits, &curve);
    position_csv(w, &position);
    text_append(&table.text, "layer,head,relation,b,c\n");
    int code = w->api->tables(w->trainer, append_table, &table, e);
    if (!code)
        code = file_join(weights, sizeof weights, w->run->folder, "weights.safetensors", e);
    if (!code)
        code = w->api->export_weights(w->trainer, weights, e);
    if (!code)
        code = write_text(w, "curve.csv", &curve, e);
    if (!code)
        code = write_text(w, "position.csv", &position, e);
    if (!code)
        code = write_text(w, "table.csv", &table.text, e);
    if (!code)
        code = write_text(w, "row.csv", rows, e);
    if (!code)
        code = file_remove(w->checkpoint, e);
    text_close(&curve);
    text_close(&position);
    text_close(&table.text);
    return code;
}

int cell_execute(const struct cell_run *r, bool *diverged, struct err *e)
{
    struct err own = {0};
    struct text rows = {0};
    struct work w = {.run = r,
                     .task = &r->cell->task,
                     .api = trainer_api_of(r->cell->task.model.precision),
                     .error = NAN,
                     .started = machine_seconds()};
    history_open(&w.history);
    int code = open_work(&w, &own);
    if (!code)
        code = sweep(&w, &own);
    if (!code)
        code = write_spec(&w, &own);
    if (!code)
        code = resume(&w, &own);
    if (!code)
        code = train(&w, &own);
    if (!code)
        code = polish(&w, &own);
    if (!code)
        code = measure(&w, &rows, &own);
    if (code == ERR_INTERRUPTED)
        code = save_interrupted(&w, &own);
    if (!code)
        code = write_results(&w, &rows, &own);
    *diverged = w.diverged;
    text_close(&rows);
    close_work(&w);
    return code ? err_set(e, code, own.where, "%s", own.msg) : 0;
}

/* ---- folders of cells -------------------------------------------------------------------------*/

/* Every row must be of this cell and not `failed`. */
static bool rows_finished(const struct csv *c, const char *id)
{
    int cell = csv_column(c, "cell"), status = csv_column(c, "status");
    if (cell < 0 || status < 0 || c->columns != column_count() || c->rows < 2)
        return false;
    for (int r = 1; r < c->rows; r++)
        if (strcmp(c->row[r][cell], id) || !strcmp(c->row[r][status], "failed"))
            return false;
    return true;
}

bool cell_finished(const struct cell *c, const char *folder)
{
    char path[PATH_SIZE];
    struct csv csv;
    if (file_join(path, sizeof path, folder, "row.csv", NULL) || !file_exists(path))
        return false;
    if (csv_read(path, &csv, NULL))
        return false;
    bool finished = rows_finished(&csv, c->id);
    csv_close(&csv);
    return finished;
}

int cell_write_failed(const struct cell *c, const char *folder, struct err *e)
{
    struct text t = {0};
    char path[PATH_SIZE];
    struct row_facts facts = {.status = "failed", .steps = -1, .train_loss = NAN, .seconds = NAN,
                              .tokens_per_second = NAN, .peak_mib = NAN};
    row_append_header(&t);
    row_append(&t, c, (int)c->task.space.length, "all", NULL, &facts);
    int code = text_check(&t, e);
    if (!code)
        code = file_join(path, sizeof path, folder, "row.csv", e);
    if (!code)
        code = file_write(path, t.data, t.length, e);
    text_close(&t);
    return code;
}

int cell_forget(const char *folder, struct err *e)
{
    static const char *const name[] = {"row.csv", "checkpoint"};
    for (int k = 0; k < 2; k++) {
        char path[PATH_SIZE];
        int code = file_join(path, sizeof path, folder, name[k], e);
        if (!code)
            code = file_remove(path, e);
        if (code)
            return code;
    }
    return 0;
}

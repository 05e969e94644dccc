/* One cell from its task to its files.
 *
 *   open -> resume -> [ curve point? checkpoint? step ]* -> evaluate -> write files, row.csv last
 *
 * Invariant: what is written depends on the task and the machine type alone, timing aside.  Points
 * of the curve are taken before a step is made and are skipped when the checkpoint already has
 * them, so stopping anywhere and going on gives the same bytes. */
#include "run/run.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/system.h"
#include "kernel/kernel.h"
#include "run/adversary.h"
#include "run/history.h"
#include "run/prove.h"
#include "run/witness_cell.h"

/* Room in a checkpoint beside parameters, moments and history: headers. */
#define CHECKPOINT_SLACK ((size_t)1 << 20)
#define SAVE_SECONDS 0.1
#define PROGRESS_SECONDS 0.2

struct work {
    const struct cell_run *run;
    const struct task *task;
    struct pool *pool;
    struct network network;
    struct evaluation *evaluation; /* at the training length */
    struct history history;
    bool imported; /* weights are those of the folder, and nothing is trained */
    const char *experiment, *spec_hash; /* of rows; NULL: left to who collects them */
    bool diverged;
    bool polishing; /* has begun: the checkpoint is final, and the parameters are not its */
    double error; /* of the last point of the curve */
    double started, saved, told; /* machine_seconds */
    char cpu[128], stamp[512], checkpoint[FILE_PATH_MAX];
};

/* ---- small parts ------------------------------------------------------------------------------*/

static double seconds(const struct work *w)
{
    return w->history.seconds + machine_seconds() - w->started;
}

static int64_t step_number(const struct work *w)
{
    return w->network.api->step_number(w->network.trainer);
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
    struct cell_progress p = {.step = step_number(w),
                              .steps = w->task->train.steps,
                              .error_rel = w->error,
                              .loss = w->history.loss};
    w->run->progress(w->run->context, &p);
    w->told = machine_seconds();
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
    return witness_start(w->task, &w->network, e);
}

static int open_network(struct work *w, struct err *e)
{
    network_close(&w->network);
    history_close(&w->history);
    int code = network_open(&w->network, w->task, w->pool, e);
    if (!code && w->task->model.init == MODEL_INIT_WITNESS)
        code = start_from_witness(w, e);
    return code;
}

static void write_stamp(struct work *w)
{
    const struct trainer_api *api = w->network.api;
    system_cpu_name(w->cpu, sizeof w->cpu);
    snprintf(w->stamp, sizeof w->stamp,
             "cell %s; version %s; numerics %d; kernel %s; blas %s; cpu %s", w->run->cell->id,
             URPE_VERSION, SPEC_NUMERICS_VERSION, api->kernel_name(), api->blas_name(), w->cpu);
}

static int open_work(struct work *w, struct err *e)
{
    int code = file_join(w->checkpoint, sizeof w->checkpoint, w->run->folder, "checkpoint", e);
    if (!code)
        code = pool_open(&w->pool, w->run->threads, e);
    if (!code)
        code = open_network(w, e);
    if (!code)
        write_stamp(w);
    return code;
}

/* It may be interrupted, and what was trained before is then saved: so it is taken up first. */
static int open_evaluation(struct work *w, struct err *e)
{
    return evaluation_open(&w->evaluation, w->task, (int)w->task->space.length, e);
}

static void close_work(struct work *w)
{
    evaluation_close(w->evaluation);
    history_close(&w->history);
    network_close(&w->network);
    pool_close(w->pool);
}

/* What is larger is no checkpoint of this cell.  Points: at step 0, each `every`, at the end. */
static size_t checkpoint_limit(const struct work *w)
{
    const struct task *t = w->task;
    size_t points = (size_t)(t->train.steps / t->evaluate.every) + 2;
    return 3 * network_size(&w->network) * sizeof(double) + points * sizeof *w->history.point +
           CHECKPOINT_SLACK;
}

/* Takes up a checkpoint; one that cannot be trusted is named, and the cell starts again. */
static int resume(struct work *w, struct err *e)
{
    struct err why = {0};
    if (!file_exists(w->checkpoint))
        return 0;
    int code = checkpoint_read(w->checkpoint, checkpoint_limit(w), &w->network, w->stamp,
                               &w->history, &why);
    if (!code) {
        if (w->history.points)
            w->error = w->history.point[w->history.points - 1].error_rel;
        tell(w); /* whoever listens learns that it goes on from there */
        return 0;
    }
    if (code == ERR_MEMORY)
        return err_pass(e, &why);
    char text[sizeof why.msg + FILE_PATH_MAX + 64];
    snprintf(text, sizeof text, "%s: %s; the cell starts again", w->checkpoint, why.msg);
    note(w, text);
    return open_network(w, e);
}

/* ---- training ---------------------------------------------------------------------------------*/

static int save(struct work *w, struct err *e)
{
    int code = checkpoint_write(w->checkpoint, &w->network, w->stamp, &w->history, seconds(w), e);
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
    int code = evaluation_error(w->evaluation, network_predictor(&w->network), &w->error, e);
    if (!code)
        code = history_add(&w->history, step, w->error, e);
    tell(w);
    return code;
}

static int make_step(struct work *w, struct err *e)
{
    struct train_report report;
    double before = machine_seconds();
    int code = w->network.api->step(w->network.trainer, &report, e);
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

/* What follows cannot be interrupted everywhere, so it begins with a checkpoint that is worth it. */
static int train(struct work *w, struct err *e)
{
    int64_t steps = w->task->train.steps, every = w->task->evaluate.every;
    w->saved = machine_seconds();
    for (;;) {
        int64_t step = step_number(w);
        int code = 0;
        if (step % every == 0 || step >= steps || w->diverged)
            code = add_point(w, step, e);
        if (code)
            return code;
        if (step >= steps && isinf(w->error)) /* no further step is there to tell */
            w->diverged = true;
        if (step >= steps || w->diverged)
            return machine_seconds() - w->saved < SAVE_SECONDS ? 0 : save(w, e);
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
        code = w->network.api->polish(w->network.trainer, &r, e);
    if (!code)
        w->history.loss = r.loss;
    return code;
}

/* ---- figures ----------------------------------------------------------------------------------*/

static double tokens_per_second(const struct work *w)
{
    double tokens = (double)step_number(w) * (double)w->task->train.batch *
                    (double)w->task->space.length;
    return w->history.train_seconds > 0 ? tokens / w->history.train_seconds : NAN;
}

static int measure(struct work *w, struct evaluation *ev, struct record *figures, struct err *e)
{
    int code = prove_and_measure(ev, network_predictor(&w->network), w->pool, figures, e);
    return code ? code : adversary_search(ev, &w->network, figures, e);
}

static void set_facts(const struct work *w, struct record *r)
{
    r->experiment = w->experiment;
    r->spec_hash = w->spec_hash;
    if (w->imported) {
        r->status = "ok";
        r->params = (int64_t)network_size(&w->network);
        return;
    }
    r->status = w->diverged ? "diverged" : "ok";
    r->steps = step_number(w);
    r->params = (int64_t)network_size(&w->network);
    r->train_loss = w->history.loss;
    r->seconds = seconds(w);
    r->tokens_per_second = tokens_per_second(w);
    r->peak_mib = system_peak_mib();
    r->cpu = w->cpu;
    r->blas = w->network.api->blas_name();
    r->threads = pool_threads(w->pool);
}

/* The rows of one evaluated length. */
static int append_rows(struct work *w, struct evaluation *ev, struct text *t, struct err *e)
{
    struct record figures[SUBSETS_MAX];
    int code = measure(w, ev, figures, e);
    for (int k = 0; !code && k < evaluation_subsets(ev); k++) {
        set_facts(w, &figures[k]);
        row_append(t, w->run->cell, &figures[k]);
    }
    return code;
}

/* Evaluation number k of the cell. */
static int append_number(struct work *w, int k, struct text *t, struct err *e)
{
    const struct option_ints *lengths = &w->task->evaluate.lengths;
    struct evaluation *ev;
    if (k < lengths->count && lengths->value[k] == evaluation_length(w->evaluation))
        return append_rows(w, w->evaluation, t, e);
    int code = evaluation_open_number(&ev, w->task, k, e);
    if (code)
        return code;
    code = append_rows(w, ev, t, e);
    evaluation_close(ev);
    return code;
}

/* The lines of row.csv for every evaluated length. */
static int evaluate(struct work *w, struct text *rows, struct err *e)
{
    int code = 0, count = evaluation_count(w->task);
    row_append_header(rows);
    for (int k = 0; k < count && !code; k++)
        code = append_number(w, k, rows, e);
    return code;
}

/* ---- files ------------------------------------------------------------------------------------*/

static void position_csv(const struct work *w, struct text *t)
{
    const struct column *own = column_files[FILE_POSITIONS].own;
    columns_append_header(t, own);
    for (int i = 0; i < evaluation_positions(w->evaluation); i++) {
        struct position_record r = {.position = i + 1};
        evaluation_position(w->evaluation, i, &r.error_rms, &r.floor_rms);
        columns_append(t, own, &r, NULL, w->network.api->digits);
    }
}

struct table_text {
    struct text text;
    int digits, origin; /* the relation of i = j; -1: offsets are no single numbers */
};

/* An empty layer: the table is shared by all. */
static void append_table(void *context, int layer, int head, int relation, double b, double c)
{
    struct table_text *t = context;
    const struct table_record r = {.layer = layer < 0 ? COLUMN_EMPTY : layer,
                                   .head = head,
                                   .relation = relation,
                                   .b = b,
                                   .c = c,
                                   .offset = t->origin < 0 ? COLUMN_EMPTY : relation - t->origin};
    columns_append(&t->text, column_files[FILE_TABLES].own, &r, NULL, t->digits);
}

static int write_results(struct work *w, struct text *rows, struct err *e)
{
    const struct network *x = &w->network;
    const char *folder = w->run->folder;
    struct text curve = {0}, position = {0};
    bool line = space_of(&w->task->space)->axes == 1;
    struct table_text table = {.digits = x->api->digits,
                               .origin = line ? (int)w->task->space.length - 1 : -1};
    history_csv(&w->history, x->api->digits, &curve);
    position_csv(w, &position);
    columns_append_header(&table.text, column_files[FILE_TABLES].own);
    int code = x->api->tables(x->trainer, append_table, &table, e);
    if (!code)
        code = network_export(x, folder, e);
    if (!code)
        code = file_write_text(folder, "curve.csv", &curve, e);
    if (!code)
        code = file_write_text(folder, "position.csv", &position, e);
    if (!code)
        code = file_write_text(folder, "table.csv", &table.text, e);
    if (!code)
        code = file_write_text(folder, "row.csv", rows, e);
    if (!code)
        code = file_remove(w->checkpoint, e);
    text_close(&curve);
    text_close(&position);
    text_close(&table.text);
    return code;
}

int cell_evaluate(const struct spec *s, const char *folder, int threads, volatile const int *stop,
                  struct text *rows, struct err *e)
{
    struct err own = {0};
    const struct cell_run r = {.cell = spec_cell(s, 0), .folder = folder, .threads = threads};
    struct task task = r.cell->task;
    struct work w = {.run = &r, .task = &task, .imported = true,
                     .experiment = spec_name(s), .spec_hash = spec_hash(s),
                     .started = machine_seconds()};
    task.stop = stop;
    history_open(&w.history);
    int code = open_work(&w, &own);
    if (!code)
        code = network_import(&w.network, folder, &own);
    if (!code)
        code = open_evaluation(&w, &own);
    if (!code)
        code = evaluate(&w, rows, &own);
    close_work(&w);
    return err_pass(e, &own);
}

int cell_execute(const struct cell_run *r, bool *diverged, struct err *e)
{
    struct err own = {0};
    struct text rows = {0};
    struct task task = r->cell->task;
    struct work w = {.run = r, .task = &task, .error = NAN, .started = machine_seconds()};
    task.stop = r->stop;
    history_open(&w.history);
    int code = open_work(&w, &own);
    if (!code)
        code = cell_write_spec(r->cell, r->folder, r->experiment, &own);
    if (!code)
        code = resume(&w, &own);
    if (!code)
        code = open_evaluation(&w, &own);
    if (!code)
        code = train(&w, &own);
    if (!code)
        code = polish(&w, &own);
    if (!code)
        code = evaluate(&w, &rows, &own);
    if (code == ERR_INTERRUPTED)
        code = save_interrupted(&w, &own);
    if (!code)
        code = write_results(&w, &rows, &own);
    *diverged = w.diverged;
    text_close(&rows);
    close_work(&w);
    return err_pass(e, &own);
}

/* What a cell leaves: its figures, rows and files (cell_work.h). */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "run/adversary.h"
#include "run/cell_work.h"
#include "run/witness_cell.h"

int cell_write_text(const struct cell_work *w, const char *name, struct text *t, struct err *e)
{
    int code = file_write_text(w->run->folder, name, t, e);
    text_close(t);
    return code;
}

static double tokens_per_second(const struct cell_work *w)
{
    double tokens = (double)w->api->step_number(w->trainer) * (double)w->task->train.batch *
                    (double)w->task->space.length;
    return w->history.train_seconds > 0 ? tokens / w->history.train_seconds : NAN;
}

/* Figures of the network and, at the training length, of the witness.  The network comes last, so
 * that errors by position are its own. */
static int measure(struct cell_work *w, struct evaluation *ev, struct record *figures,
                   struct err *e)
{
    struct record witness[PATTERN_MAX + 1];
    const char *status = NULL;
    int code = 0;
    if (ev == w->evaluation)
        code = witness_measure(w->task, w->pool, ev, w->run->stop, witness, &status, e);
    if (!code)
        code = evaluation_measure(ev, w->api, w->trainer, figures, e);
    for (int k = 0; status && !code && k < evaluation_subsets(ev); k++) {
        figures[k].witness = status;
        if (strcmp(status, "known") != 0)
            continue;
        figures[k].witness_rms = witness[k].error_rms;
        figures[k].witness_rel = witness[k].error_rel;
        figures[k].witness_sup = witness[k].error_sup;
        figures[k].witness_accuracy = witness[k].accuracy;
    }
    return code;
}

static void set_facts(const struct cell_work *w, struct record *r)
{
    r->status = w->diverged ? "diverged" : "ok";
    r->steps = w->api->step_number(w->trainer);
    r->params = (int64_t)w->parameters;
    r->train_loss = w->history.loss;
    r->seconds = cell_seconds(w);
    r->tokens_per_second = tokens_per_second(w);
    r->peak_mib = machine_peak_mib();
    r->cpu = w->cpu;
    r->blas = w->api->blas_name();
    r->threads = pool_threads(w->pool);
}

/* The rows of one evaluated length. */
static int append_rows(struct cell_work *w, struct evaluation *ev, struct text *t, struct err *e)
{
    struct record figures[PATTERN_MAX + 1];
    int code = measure(w, ev, figures, e);
    if (!code)
        code = adversary_search(ev, w->api, w->trainer, w->run->stop, figures, e);
    if (code)
        return code;
    for (int k = 0; k < evaluation_subsets(ev); k++) {
        set_facts(w, &figures[k]);
        row_append(t, w->run->cell, &figures[k]);
    }
    return 0;
}

static int append_length(struct cell_work *w, int length, struct text *t, struct err *e)
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

int cell_measure(struct cell_work *w, struct text *rows, struct err *e)
{
    const struct option_ints *lengths = &w->task->evaluate.lengths;
    int code = 0;
    row_append_header(rows);
    for (int k = 0; k < lengths->count && !code; k++)
        code = cell_stopped(w) ? err_set(e, ERR_INTERRUPTED, w->run->folder,
                                         "interrupted before length %d", (int)lengths->value[k])
                               : append_length(w, (int)lengths->value[k], rows, e);
    return code;
}

static void position_csv(const struct cell_work *w, struct text *t)
{
    const struct column *own = column_files[FILE_POSITIONS].own;
    columns_append_header(t, own);
    for (int i = 0; i < evaluation_positions(w->evaluation); i++) {
        struct position_record r = {.position = i + 1};
        evaluation_position(w->evaluation, i, &r.error_rms, &r.floor_rms);
        columns_append(t, own, &r, NULL, w->api->digits);
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

int cell_write_spec(const struct cell_work *w, struct err *e)
{
    struct text t = {0};
    int code = spec_cell_copy_files(w->run->cell, w->run->folder, e);
    if (!code)
        code = spec_cell_text(w->run->cell, w->run->experiment, &t, e);
    if (!code)
        return cell_write_text(w, "spec.yaml", &t, e);
    text_close(&t);
    return code;
}

int cell_write_results(struct cell_work *w, struct text *rows, struct err *e)
{
    char weights[CELL_PATH_SIZE];
    struct text curve = {0}, position = {0};
    bool line = space_of(&w->task->space)->axes == 1;
    struct table_text table = {.digits = w->api->digits,
                               .origin = line ? (int)w->task->space.length - 1 : -1};
    history_csv(&w->history, w->api->digits, &curve);
    position_csv(w, &position);
    columns_append_header(&table.text, column_files[FILE_TABLES].own);
    int code = w->api->tables(w->trainer, append_table, &table, e);
    if (!code)
        code = file_join(weights, sizeof weights, w->run->folder, "weights.safetensors", e);
    if (!code)
        code = w->api->export_weights(w->trainer, weights, e);
    if (!code)
        code = cell_write_text(w, "curve.csv", &curve, e);
    if (!code)
        code = cell_write_text(w, "position.csv", &position, e);
    if (!code)
        code = cell_write_text(w, "table.csv", &table.text, e);
    if (!code)
        code = cell_write_text(w, "row.csv", rows, e);
    if (!code)
        code = file_remove(w->checkpoint, e);
    text_close(&curve);
    text_close(&position);
    text_close(&table.text);
    return code;
}

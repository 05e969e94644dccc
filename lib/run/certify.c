/* Certified rows (certify.h). */
#include "run/certify.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/system.h"
#include "kernel/kernel.h"
#include "run/certificate.h"
#include "run/crew.h"
#include "run/evaluate.h"
#include "run/plan.h"
#include "run/progress.h"
#include "run/prove.h"

enum { ROWS_KEPT = 1 << 21 }; /* of images under an orbit: some 200 MB */

struct work {
    const struct spec *spec;
    const struct cell *cell;
    struct pool *pool;
    const struct certify_options *options;
    int64_t parameters;
};

static int append_rows(const struct work *w, struct evaluation *ev, struct text *rows, struct err *e)
{
    struct record witness[SUBSETS_MAX];
    char own[FILE_PATH_MAX], *folder = w->options->networks ? own : NULL;
    bool whole = evaluation_is_whole(ev);
    int code = folder ? file_join(own, sizeof own, w->options->networks, w->cell->id, e) : 0;
    if (!code && folder)
        code = file_make_folder(folder, e);
    if (!code && whole)
        code = prove_class(ev, w->pool, folder, witness, e);
    for (int k = 0; !code && k < evaluation_subsets(ev); k++) {
        struct record r;
        evaluation_floors(ev, k, &r);
        if (whole)
            evaluation_set_witness(&r, &witness[k]);
        r.experiment = spec_name(w->spec);
        r.spec_hash = spec_hash(w->spec);
        r.params = w->parameters;
        row_append(rows, w->cell, &r);
    }
    return code;
}

/* ---- a cell -----------------------------------------------------------------------------------*/
int certify_cell(const struct spec *s, const struct cell *c, struct pool *pool, struct memo *memo,
                 const struct certify_options *o, struct text *rows, struct err *e)
{
    struct train_price price;
    struct task task = c->task;
    task.stop = o->stop;
    int code = trainer_api_of(task.model.precision)->price(&task, &price, e);
    const struct work w = {s, c, pool, o, code ? 0 : (int64_t)price.parameters};
    for (int k = 0; !code && k < evaluation_count(&task); k++) {
        struct evaluation *ev = NULL;
        if (o->certificate)
            code = evaluation_open_number(&ev, &task, k, e);
        else
            code = evaluation_open_floors(&ev, &task, k, ROWS_KEPT, memo, e);
        if (!code)
            code = append_rows(&w, ev, rows, e);
        if (!code && o->certificate)
            code = certificates_write(o->certificate, s, c, ev, e);
        evaluation_close(ev);
    }
    return code;
}

/* ---- workers ----------------------------------------------------------------------------------*/
enum { PIECE_MOST = 32, PIECES_EACH = 4 }; /* cells that a worker takes; pieces for each worker, at least */
enum state { WAITING, TAKEN, ENDED };

/* Cells at .. end-1 of a worker, one after another; those before have ended. */
struct piece {
    int at, end;
};

struct crowd {
    const struct spec *spec;
    const struct certify_options *options;
    struct text *rows;
    struct certify_counts *counts;
    struct crew crew;
    struct piece *piece;   /* (jobs) */
    unsigned char *state;  /* (cells) */
    int next, ended;       /* cells: none before it waits; in the end */
    int left_out, threads;
    struct progress progress;
    double started; /* machine_seconds */
};

struct share {
    const struct crowd *crowd;
    struct piece piece;
};

static int work_off(void *context, struct worker_link *link, enum worker_outcome *outcome, struct err *e)
{
    const struct share *share = context;
    const struct crowd *w = share->crowd;
    struct cell_progress progress = {.steps = share->piece.end - share->piece.at};
    struct pool *pool = NULL;
    struct memo *memo = NULL;
    struct text rows = {0};
    int code = pool_open(&pool, w->threads, e);
    if (!code)
        code = memo_open(&memo, e);
    for (int k = share->piece.at; k < share->piece.end && !code; k++) {
        text_clear(&rows);
        code = certify_cell(w->spec, spec_cell(w->spec, k), pool, memo, w->options, &rows, e);
        if (!code)
            code = text_check(&rows, e);
        progress.step++;
        if (!code) {
            worker_tell_bytes(link, rows.data, rows.length);
            worker_tell_progress(link, &progress);
        }
    }
    *outcome = WORKER_TRAINED;
    text_close(&rows);
    memo_close(memo);
    pool_close(pool);
    return code;
}

static void say_nothing(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static void end_cell(struct crowd *w, int cell)
{
    w->state[cell] = ENDED;
    w->ended++;
    spec_drop_cell(w->spec, cell);
}

static void put_back(struct crowd *w, const struct piece *p)
{
    for (int k = p->at; k < p->end; k++)
        w->state[k] = WAITING;
    w->next = p->at < w->next ? p->at : w->next;
}

static bool same_class(const struct crowd *w, int a, int b)
{
    const struct model_config *one = &spec_cell(w->spec, a)->task.model;
    bool same = memcmp(one, &spec_cell(w->spec, b)->task.model, sizeof *one) == 0;
    spec_drop_cell(w->spec, b);
    return same;
}

/* Whole classes, whose cells have much in common (memo.h), or a part of one; less and less, so that all workers
 * end at about the same time. */
static int start_next(void *context, struct worker *worker, struct err *e)
{
    struct crowd *w = context;
    int cells = spec_cells(w->spec), most = (cells - w->ended) / (w->crew.jobs * PIECES_EACH);
    while (w->next < cells && w->state[w->next] != WAITING)
        w->next++;
    struct share share = {w, {w->next, w->next}};
    struct piece *p = &share.piece;
    int class = p->at; /* its first cell */
    for (most = most < PIECE_MOST ? most : PIECE_MOST; p->end < cells && w->state[p->end] == WAITING; p->end++) {
        if (p->end > p->at && !same_class(w, class, p->end))
            class = p->end;
        if (p->end > p->at && p->end - p->at >= most) {
            p->end = class > p->at ? class : p->end;
            break;
        }
    }
    if (p->at == p->end)
        return 0;
    int code = worker_start(worker, work_off, &share, e);
    for (int k = p->at; k < p->end && !code; k++)
        w->state[k] = TAKEN;
    w->piece[worker - w->crew.worker] = *p;
    return code;
}

/* A cell's rows come before the progress that ends it. */
static int take_rows(void *context, struct worker *worker, struct err *e)
{
    struct crowd *w = context;
    struct piece *p = &w->piece[worker - w->crew.worker];
    if (!worker->heard)
        return 0;
    worker->heard = false;
    w->rows[p->at] = worker->bytes;
    worker->bytes = (struct text){0};
    end_cell(w, p->at);
    return text_check(&w->rows[p->at++], e);
}

static int draw(void *context, struct err *e)
{
    struct crowd *w = context;
    int cells = spec_cells(w->spec), left = cells - w->ended;
    double each = (machine_seconds() - w->started) / (w->ended - w->left_out);
    (void)e;
    progress_draw_cells(&w->progress, w->ended, cells, w->ended > w->left_out ? each * left : NAN);
    return 0;
}

static void take_failure(struct crowd *w, int cell, const struct err *why)
{
    const struct cell *c = spec_cell(w->spec, cell);
    char text[PLAN_FAILURE];
    plan_failure(w->spec, c, why, text);
    progress_clear(&w->progress);
    if (w->options->messages)
        text_say(w->options->messages, "%s: %s", spec_name(w->spec), text);
    if (why->code == ERR_MEMORY)
        err_pass(&w->counts->memory, why);
    row_append_failed(&w->rows[cell], c);
    w->counts->failed++;
    end_cell(w, cell);
}

static int take_end(void *context, struct worker *worker, struct err *e)
{
    struct crowd *w = context;
    struct piece *p = &w->piece[worker - w->crew.worker];
    const struct err *why = &worker->err;
    text_close(&worker->bytes); /* of a cell that has not ended */
    if (p->at == p->end)
        return 0;
    bool stopped = why->code == ERR_INTERRUPTED || (worker->outcome == WORKER_DIED && w->crew.told);
    bool fatal = why->code == ERR_IO || why->code == ERR_USAGE;
    if (!stopped && !fatal)
        take_failure(w, p->at++, why);
    put_back(w, p);
    return fatal ? err_pass(e, why) : 0;
}

static bool is_left(void *context)
{
    const struct crowd *w = context;
    return w->ended < spec_cells(w->spec);
}

static int open_crowd(struct crowd *w, struct err *e)
{
    int cells = spec_cells(w->spec), cores = system_cores(), jobs = w->options->jobs ? w->options->jobs : cores;
    jobs = jobs < cells ? jobs : cells;
    w->threads = w->options->threads ? w->options->threads : cores > jobs ? cores / jobs : 1;
    w->state = memory_alloc((size_t)cells, sizeof *w->state, e);
    w->piece = memory_alloc((size_t)jobs, sizeof *w->piece, e);
    int code = w->state && w->piece ? crew_open(&w->crew, jobs, e) : ERR_MEMORY;
    if (!code)
        code = kernel_room(w->threads, e);
    if (!code)
        kernel_share();
    for (int k = 0; k < cells && w->options->left_out && !code; k++)
        if (w->options->left_out[k])
            end_cell(w, k);
    w->left_out = w->ended;
    w->started = machine_seconds();
    progress_open(&w->progress, w->options->progress);
    return code;
}

int certify_cells(const struct spec *s, const struct certify_options *o, struct text *rows,
                  struct certify_counts *counts, struct err *e)
{
    struct crowd w = {.spec = s, .options = o, .rows = rows, .counts = counts};
    *counts = (struct certify_counts){0};
    const struct crew_duty duty = {.context = &w, .stop = o->stop, .left = is_left, .start = start_next,
                                   .note = say_nothing, .heard = take_rows, .ended = take_end,
                                   .between = draw};
    int code = open_crowd(&w, e);
    if (!code)
        code = crew_work(&w.crew, &duty, e);
    progress_clear(&w.progress);
    if (!code && is_left(&w))
        code = err_set(e, ERR_INTERRUPTED, NULL, "interrupted");
    crew_close(&w.crew);
    memory_free(w.piece);
    memory_free(w.state);
    return code;
}

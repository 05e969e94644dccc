/* A cell's witness (witness_cell.h). */
#include "run/witness_cell.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "run/adversary.h"
#include "spec/start.h"

enum { PATH_SIZE = 4096 };
/* FLOP that a witness may take beside a trained network without being asked for: seconds. */
#define WORK_UNASKED 1e11

/* A witness as a network that can be evaluated. */
struct network {
    const struct trainer_api *api;
    struct start start;
    struct trainer *trainer; /* NULL: not written yet, or no witness known */
};

/* The task that the witness is: its sizes, no step of training, the training length alone. */
static void own_task(const struct task *t, const struct witness *w, struct task *out)
{
    *out = *t;
    out->model = w->config;
    out->model.init = MODEL_INIT_WITNESS;
    out->train.steps = 0;
    out->train.batch = 1;
    out->evaluate.lengths = (struct option_ints){.count = 1, .value = {space_positions(&t->space)}};
}

/* own: filled in where a witness is known; must outlive the network. */
static int network_open(struct network *x, const struct task *t, struct task *own, struct err *e)
{
    *x = (struct network){.api = trainer_api_of(t->model.precision)};
    int code = x->api->kernel_open(e);
    if (!code)
        code = start_open(&x->start, t, e);
    if (code || !x->start.witness)
        return code;
    own_task(t, x->start.witness, own);
    return 0;
}

static int network_write(struct network *x, struct pool *pool, const struct task *own,
                         struct err *e)
{
    int code = x->api->open(&x->trainer, own, pool, e);
    if (!code)
        witness_write(x->start.witness, x->api->model(x->trainer), x->api->block(x->trainer));
    return code;
}

static void network_close(struct network *x)
{
    if (x->trainer)
        x->api->close(x->trainer);
    start_close(&x->start);
}

/* By the work of a step, of 3 passes over each sample of its batch. */
static int is_too_much(const struct network *x, const struct task *t, const struct task *own,
                       const struct evaluation *ev, bool *out, struct err *e)
{
    double training, measuring;
    size_t parameters, bytes;
    int code = x->api->price(t, &bytes, &parameters, &training, e);
    if (!code)
        code = x->api->price(own, &bytes, &parameters, &measuring, e);
    if (code)
        return code;
    training *= (double)t->train.steps;
    measuring *= evaluation_samples(ev)->count / 3.0;
    *out = measuring > training && measuring > WORK_UNASKED;
    return 0;
}

static bool same_sizes(const struct model_config *a, const struct model_config *b)
{
    return a->layers == b->layers && a->heads == b->heads && a->width == b->width &&
           a->ffn == b->ffn;
}

int witness_start(const struct task *t, const struct trainer_api *api, struct trainer *trainer,
                  struct err *e)
{
    struct start s;
    int code = start_open(&s, t, e);
    if (!code && (!s.witness || !same_sizes(&s.witness->config, &t->model)))
        code = err_set(e, ERR_USAGE, "model.init", "the witness has not the cell's sizes");
    if (!code)
        witness_write(s.witness, api->model(trainer), api->block(trainer));
    start_close(&s);
    return code;
}

int witness_measure(const struct task *t, struct pool *pool, struct evaluation *ev,
                    volatile const int *stop, struct record *figures, const char **status,
                    struct err *e)
{
    struct network x;
    struct task own;
    bool left_out = false;
    *status = NULL;
    if (t->evaluate.witness == EVALUATE_WITNESS_NEVER)
        return 0;
    int code = network_open(&x, t, &own, e);
    if (!code && x.start.witness && t->evaluate.witness == EVALUATE_WITNESS_AUTO)
        code = is_too_much(&x, t, &own, ev, &left_out, e);
    if (!code)
        *status = !x.start.witness ? "none" : left_out ? "left-out" : "known";
    if (!code && x.start.witness && !left_out)
        code = network_write(&x, pool, &own, e);
    if (!code && x.trainer) {
        x.api->watch(x.trainer, stop);
        code = evaluation_measure(ev, x.api, x.trainer, figures, e);
    }
    network_close(&x);
    return code;
}

/* ---- a cell of its own ------------------------------------------------------------------------*/

struct work {
    const struct spec *spec;
    struct network network;
    struct evaluation *evaluation;
};

static int measure(struct work *w, struct witness_cell *out, struct err *e)
{
    const struct task *own = &out->own.task;
    const struct network *x = &w->network;
    int code = evaluation_open(&w->evaluation, own, (int)own->space.length, e);
    if (!code)
        code = evaluation_measure(w->evaluation, x->api, x->trainer, out->figures, e);
    if (!code)
        code = adversary_search(w->evaluation, x->api, x->trainer, NULL, out->figures, e);
    if (!code)
        out->subsets = evaluation_subsets(w->evaluation);
    return code;
}

/* asked: the cell of the spec whose witness it is; NULL: as the witness's own cell. */
static void append_rows(const struct work *w, struct witness_cell *out, const struct cell *asked,
                        struct text *rows)
{
    struct cell named = out->own;
    if (asked)
        memcpy(named.id, asked->id, sizeof named.id);
    for (int k = 0; k < out->subsets; k++) {
        struct record *r = &out->figures[k];
        r->experiment = asked ? spec_name(w->spec) : NULL;
        r->spec_hash = asked ? spec_hash(w->spec) : NULL;
        r->status = "ok";
        r->steps = 0;
        r->params = (int64_t)w->network.api->parameters(w->network.trainer);
        row_append(rows, &named, r);
    }
}

static int write_folder(const struct work *w, struct witness_cell *out, const char *cells,
                        struct err *e)
{
    char folder[PATH_SIZE], weights[PATH_SIZE];
    struct text spec = {0}, rows = {0};
    row_append_header(&rows);
    append_rows(w, out, NULL, &rows);
    int code = file_join(folder, sizeof folder, cells, out->own.id, e);
    if (!code)
        code = file_make_folder(folder, e);
    if (!code)
        code = spec_cell_text(&out->own, spec_name(w->spec), &spec, e);
    if (!code)
        code = file_write_text(folder, "spec.yaml", &spec, e);
    if (!code)
        code = file_join(weights, sizeof weights, folder, "weights.safetensors", e);
    if (!code)
        code = w->network.api->export_weights(w->network.trainer, weights, e);
    if (!code)
        code = file_write_text(folder, "row.csv", &rows, e);
    text_close(&spec);
    text_close(&rows);
    return code;
}

int witness_cell(const struct cell *c, const struct spec *s, struct pool *pool,
                 const char *cells, struct witness_cell *out, struct text *rows, struct err *e)
{
    struct work w = {.spec = s};
    *out = (struct witness_cell){.own = *c};
    int code = network_open(&w.network, &c->task, &out->own.task, e);
    out->known = !code && w.network.start.witness;
    if (out->known) {
        code = spec_cell_identify(&out->own, e);
        if (!code)
            code = network_write(&w.network, pool, &out->own.task, e);
        if (!code)
            code = measure(&w, out, e);
        if (!code)
            append_rows(&w, out, c, rows);
        if (!code && cells)
            code = write_folder(&w, out, cells, e);
    }
    evaluation_close(w.evaluation);
    network_close(&w.network);
    return code;
}

/* A cell's witness (witness_cell.h). */
#include "run/witness_cell.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "kernel/kernel.h"
#include "run/adversary.h"
#include "run/price.h"
#include "run/run.h"
#include "spec/start.h"

/* FLOP that a witness may take beside a trained network without being asked for: seconds. */
#define WORK_UNASKED 1e11

/* A witness as a network that can be evaluated. */
struct found {
    struct start start;     /* start.witness NULL: none is known */
    struct task own;        /* that the witness is: its sizes, no step of training, one length */
    struct network network; /* once built */
};

static int find(struct found *x, const struct task *t, struct err *e)
{
    *x = (struct found){.own = *t};
    int code = trainer_api_of(t->model.precision)->kernel_open(e);
    if (!code)
        code = kernel_reserve(1, e);
    if (!code)
        code = start_open(&x->start, t, e);
    if (code || !x->start.witness)
        return code;
    x->own.model = x->start.witness->config;
    x->own.model.init = MODEL_INIT_WITNESS;
    x->own.train.steps = 0;
    x->own.train.batch = 1;
    x->own.evaluate.lengths.count = 1;
    x->own.evaluate.lengths.value[0] = space_positions(&t->space);
    return 0;
}

static void write_weights(const struct start *s, struct network *x)
{
    witness_write(s->witness, x->api->model(x->trainer), x->api->parameters(x->trainer));
}

static int build(struct found *x, struct pool *pool, struct err *e)
{
    int code = network_open(&x->network, &x->own, pool, e);
    if (!code)
        write_weights(&x->start, &x->network);
    return code;
}

static void close_found(struct found *x)
{
    network_close(&x->network);
    start_close(&x->start);
}

static bool same_sizes(const struct model_config *a, const struct model_config *b)
{
    return a->layers == b->layers && a->heads == b->heads && a->width == b->width &&
           a->ffn == b->ffn;
}

int witness_start(const struct task *t, struct network *x, struct err *e)
{
    struct start s;
    int code = start_open(&s, t, e);
    if (!code && (!s.witness || !same_sizes(&s.witness->config, &t->model)))
        code = err_set(e, ERR_USAGE, "model.init", "the witness has not the cell's sizes");
    if (!code)
        write_weights(&s, x);
    start_close(&s);
    return code;
}

/* ---- beside a trained network -----------------------------------------------------------------*/

/* What a task asks for, and what comes of it. */
struct asked {
    struct found found;
    const char *status;     /* "known", "none", "left-out"; NULL: it asks for nothing */
    bool measured;          /* it is known and not left out */
    bool unsought;          /* looking for it takes too long for who asks */
    struct pass_price search, cost; /* of looking for it, where that was done; of measuring it */
};

/* More work than the training, and not little. */
static bool too_much(const struct task *t, const struct train_price *training, double flops)
{
    return t->evaluate.witness != EVALUATE_WITNESS_ALWAYS && flops > WORK_UNASKED &&
           flops > training->step_flops * (double)t->train.steps;
}

/* seconds: where it takes longer to look for one, that is left out. */
static int find_asked(struct asked *x, const struct task *t, int64_t samples, double seconds, struct err *e)
{
    const struct trainer_api *api = trainer_api_of(t->model.precision);
    struct train_price training;
    double bytes, steps;
    *x = (struct asked){.status = NULL};
    witness_price(&t->target, &t->space, &bytes, &steps);
    if (t->evaluate.witness == EVALUATE_WITNESS_NEVER)
        return 0;
    int code = api->price(t, &training, e);
    x->status = "left-out";
    if (code || too_much(t, &training, STEP_FLOPS * steps))
        return code;
    x->search = (struct pass_price){.bytes = (size_t)bytes, .flops = STEP_FLOPS * steps};
    x->unsought = 1e-9 * steps > seconds;
    if (x->unsought)
        return 0;
    code = find(&x->found, t, e);
    x->status = "none";
    if (code || !x->found.start.witness)
        return code;
    const struct pass_set set = {(int)t->space.length, samples, false};
    code = api->price_passes(&x->found.own, 1, &set, &x->cost, e);
    x->measured = !code && !too_much(t, &training, x->cost.flops);
    x->status = x->measured ? "known" : "left-out";
    return code;
}

int witness_measure(struct pool *pool, struct evaluation *ev, struct record *figures, struct err *e)
{
    struct asked x;
    for (int k = 0; k < evaluation_subsets(ev); k++)
        row_clear(&figures[k]);
    int code = find_asked(&x, evaluation_task(ev), evaluation_samples(ev)->count, INFINITY, e);
    if (!code && x.measured)
        code = build(&x.found, pool, e);
    if (!code && x.measured)
        code = evaluation_measure(ev, network_predictor(&x.found.network), figures, e);
    for (int k = 0; k < evaluation_subsets(ev); k++)
        figures[k].witness = x.status;
    close_found(&x.found);
    return code;
}

/* No step is made, so moments and gradients are asked for and never touched: they cost nothing. */
int witness_cell_price(const struct task *t, int64_t samples, double seconds, struct pass_price *out, bool *whole,
                       struct err *e)
{
    struct asked x;
    struct train_price own;
    size_t real_size = t->model.precision == MODEL_DOUBLE ? sizeof(double) : sizeof(float);
    *out = (struct pass_price){0};
    int code = find_asked(&x, t, samples, seconds, e);
    *whole = !x.unsought;
    if (!code && x.measured)
        code = trainer_api_of(t->model.precision)->price(&x.found.own, &own, e);
    if (!code && x.measured)
        *out = (struct pass_price){.bytes = own.parameters * real_size + x.cost.bytes,
                                   .flops = x.cost.flops};
    out->bytes += x.search.bytes;
    out->flops += x.search.flops;
    close_found(&x.found);
    return code;
}

/* ---- a cell of its own ------------------------------------------------------------------------*/

static int measure(struct found *x, struct witness_cell *out, struct err *e)
{
    struct evaluation *ev = NULL;
    int code = evaluation_open(&ev, &x->own, (int)x->own.space.length, e);
    if (!code)
        code = evaluation_measure(ev, network_predictor(&x->network), out->figures, e);
    if (!code)
        code = adversary_search(ev, &x->network, out->figures, e);
    if (!code)
        out->subsets = evaluation_subsets(ev);
    evaluation_close(ev);
    return code;
}

/* Of cell c: the witness's own, or the one whose witness it is, of spec s. */
static void append_rows(struct witness_cell *out, const struct cell *c, const struct spec *s,
                        struct text *rows)
{
    struct cell named = out->own;
    memcpy(named.id, c->id, sizeof named.id);
    for (int k = 0; k < out->subsets; k++) {
        struct record *r = &out->figures[k];
        r->experiment = s ? spec_name(s) : NULL;
        r->spec_hash = s ? spec_hash(s) : NULL;
        row_append(rows, &named, r);
    }
}

static int write_folder(struct found *x, struct witness_cell *out, const char *cells,
                        const struct spec *s, struct err *e)
{
    char folder[FILE_PATH_MAX];
    struct text rows = {0};
    row_append_header(&rows);
    append_rows(out, &out->own, NULL, &rows);
    int code = file_join(folder, sizeof folder, cells, out->own.id, e);
    if (!code)
        code = file_make_folder(folder, e);
    if (!code)
        code = cell_write_spec(&out->own, folder, spec_name(s), e);
    if (!code)
        code = network_export(&x->network, folder, e);
    if (!code)
        code = file_write_text(folder, "row.csv", &rows, e);
    text_close(&rows);
    return code;
}

int witness_cell(const struct cell *c, const struct spec *s, struct pool *pool,
                 const char *cells, struct witness_cell *out, struct text *rows, struct err *e)
{
    struct found x;
    int code = find(&x, &c->task, e);
    *out = (struct witness_cell){.own = *c, .known = !code && x.start.witness};
    if (!out->known)
        goto out;
    out->own.task = x.own;
    code = spec_cell_identify(&out->own, e);
    if (!code)
        code = build(&x, pool, e);
    if (!code)
        code = measure(&x, out, e);
    for (int k = 0; !code && k < out->subsets; k++) {
        out->figures[k].status = "ok";
        out->figures[k].steps = 0;
        out->figures[k].params = (int64_t)network_size(&x.network);
    }
    if (!code)
        append_rows(out, c, s, rows);
    if (!code && cells)
        code = write_folder(&x, out, cells, s, e);
out:
    close_found(&x);
    return code;
}

/* Opening a trainer and taking a step. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "train/trainer.h"

static double rate_factor(const struct train_config *c, const struct tensor *x)
{
    if (x->c && c->c_lr > 0)
        return c->c_lr;
    return x->table ? c->table_lr : 1;
}

/* Cuts the parameter block into runs of like tensors, none longer than TRAINER_PIECE. */
static int cut_pieces(struct trainer *t, struct piece *out)
{
    const struct tensor_list *list = &t->model.tensors;
    int count = 0;
    for (int k = 0; k < list->count; k++) {
        const struct tensor *x = &list->item[k];
        double factor = rate_factor(&t->task.train, x);
        for (size_t done = 0; done < x->count;) {
            struct piece *last = count ? &out[count - 1] : NULL;
            if (!last || last->decay != x->decay || last->factor != factor ||
                last->count == TRAINER_PIECE) {
                last = &out[count++];
                *last = (struct piece){.offset = x->offset + done, .decay = x->decay,
                                       .factor = factor};
            }
            size_t room = TRAINER_PIECE - last->count, left = x->count - done;
            size_t take = room < left ? room : left;
            last->count += take;
            done += take;
        }
    }
    return count;
}

int trainer_carve(struct trainer *t, struct arena *a, struct err *e)
{
    size_t elements = t->model.tensors.elements;
    size_t pieces = (size_t)t->model.tensors.count + elements / TRAINER_PIECE + 1;
    t->p = arena_alloc(a, elements, sizeof *t->p, e);
    t->m = arena_alloc(a, elements, sizeof *t->m, e);
    t->v = arena_alloc(a, elements, sizeof *t->v, e);
    t->piece = arena_alloc(a, pieces, sizeof *t->piece, e);
    return arena_check(a);
}

int trainer_open_shape(struct trainer *t, const struct task *task, struct err *e)
{
    struct model_io io = task_io(task);
    t->task = *task;
    t->at = -1;
    int code = arena_open(&t->tables, 0, e);
    if (!code)
        code = space_of(&task->space)->layout(&task->space, (int)task->space.length,
                                              &t->tables, &t->trained, e);
    if (!code)
        t->stages = stages_plan(&t->task.train, t->trained.n, t->stage);
    return code ? code : model_open(&t->model, &task->model, &io, &t->trained, e);
}

int trainer_open(struct trainer **out, const struct task *task, struct pool *pool, struct err *e)
{
    struct trainer *t = memory_alloc(1, sizeof *t, e);
    *out = NULL;
    if (!t)
        return ERR_MEMORY;
    t->pool = pool;
    int code = trainer_open_shape(t, task, e);
    if (!code)
        code = arena_open(&t->run, 0, e);
    if (!code)
        code = trainer_carve(t, &t->run, e);
    if (!code)
        code = arena_open(&t->batch.arena, 0, e);
    if (!code)
        code = trainer_enter_stage(t, e);
    if (code) {
        trainer_close(t);
        return code;
    }
    t->pieces = cut_pieces(t, t->piece);
    model_initialise(&t->model, task->seed, t->p);
    *out = t;
    return 0;
}

void trainer_close(struct trainer *t)
{
    if (!t)
        return;
    for (struct pass *p = t->sets, *next; p; p = next) {
        next = p->next;
        arena_close(&p->arena);
        memory_free(p);
    }
    sampler_close(t->sampler);
    samples_close(&t->batch);
    arena_close(&t->pass.arena);
    arena_close(&t->run);
    arena_close(&t->tables);
    model_close(&t->model);
    memory_free(t);
}

/* ---- stages -----------------------------------------------------------------------------------*/
int trainer_layout(struct trainer *t, int n, struct layout *out, struct err *e)
{
    *out = t->trained;
    if (n == t->trained.n)
        return 0;
    return space_of(&t->task.space)->layout(&t->task.space, n, &t->tables, out, e);
}

/* One for each thread; priced, where there is no pool, as for many threads. */
static int workspaces(const struct trainer *t, int microbatches)
{
    int threads = t->pool ? pool_threads(t->pool) : microbatches;
    return threads < microbatches ? threads : microbatches;
}

struct pass trainer_stage_pass(const struct trainer *t, const struct stage *s)
{
    return (struct pass){.model = &t->model, .samples = s->batch, .microbatches = s->microbatches,
                         .workspaces = workspaces(t, s->microbatches), .backward = true};
}

int trainer_enter_stage(struct trainer *t, struct err *e)
{
    int at = t->stages - 1;
    struct layout l;
    while (at > 0 && t->step < t->stage[at].first_step)
        at--;
    if (at == t->at)
        return 0;
    const struct stage *s = &t->stage[at];
    t->at = -1;
    sampler_close(t->sampler);
    t->sampler = NULL;
    arena_close(&t->pass.arena);
    t->pass = trainer_stage_pass(t, s);
    int code = trainer_layout(t, s->n, &l, e);
    if (!code)
        code = pass_open(&t->pass, &l, e);
    if (!code)
        code = sampler_open(&t->sampler, &t->task, s->n, e);
    if (!code)
        t->at = at;
    return code;
}

/* ---- a step -----------------------------------------------------------------------------------*/
/* How many of the next `most` rows count, or do not, as the first of them. */
static int like_rows(const unsigned char *counts, int first, int most)
{
    int count = 1;
    if (!counts)
        return most;
    while (count < most && counts[first + count] == counts[first])
        count++;
    return count;
}

/* Of rows that all count or all do not; out becomes its own gradient. */
static double rows_loss(const struct trainer *t, const struct microbatch *micro, int first, int rows,
                        real *out)
{
    const struct model_io *io = &t->model.io;
    size_t columns = (size_t)model_io_outputs(io), values = (size_t)rows * columns;
    if (micro->counts && !micro->counts[first]) {
        memset(out, 0, values * sizeof *out);
        return 0;
    }
    if (io->labels)
        return kernel()->crossentropy(rows, io->labels, (real)t->scale, out, micro->label + first);
    return kernel()->squared_error(values, out, micro->target + (size_t)first * columns,
                                   (real)t->scale, out);
}

/* Loss of a microbatch's rows, and the head's backward pass, chunk by chunk: logits over all labels
 * never exist for all rows at once. */
static double head_loss(struct trainer *t, struct microbatch *micro)
{
    const struct model_io *io = &t->model.io;
    double loss = 0;
    for (int first = 0; first < micro->batch.rows; first += micro->chunk) {
        int left = micro->batch.rows - first, rows = left < micro->chunk ? left : micro->chunk;
        model_output(&t->model, t->p, micro->w, first, rows, micro->out);
        for (int at = 0, count; at < rows; at += count) {
            count = like_rows(micro->counts, first + at, rows - at);
            loss += rows_loss(t, micro, first + at, count,
                              micro->out + (size_t)at * (size_t)model_io_outputs(io));
        }
        model_output_backward(&t->model, t->p, micro->w, first, rows, micro->out,
                              micro->gradient);
    }
    return loss;
}

static void run_microbatch(void *context, int k, int thread)
{
    struct trainer *t = context;
    struct microbatch *micro = &t->pass.micro[k];
    const struct model_state *state = &t->pass.state;
    int from = pass_first(&t->pass, t->batch.count, k);
    int to = pass_first(&t->pass, t->batch.count, k + 1);
    memset(micro->gradient, 0, t->model.tensors.elements * sizeof(real));
    memset(micro->dstate, 0, state->elements * sizeof(real));
    if (t->pass.workspaces < t->pass.microbatches)
        micro->w = t->pass.w[thread];
    pass_fill(&t->pass, k, &t->batch, from, to - from);
    model_forward(&t->model, t->p, state, &micro->batch, micro->w);
    micro->loss = head_loss(t, micro);
    model_backward(&t->model, t->p, state, &micro->batch, micro->w, micro->gradient, micro->dstate,
                   NULL);
}

/* Sums the gradients of one piece into microbatch 0's, in their order. */
static void reduce_piece(void *context, int k, int thread)
{
    struct trainer *t = context;
    struct piece *piece = &t->piece[k];
    struct microbatch *micro = t->pass.micro;
    for (int m = 1; m < t->pass.microbatches; m++)
        kernel()->add_forward(piece->count, micro[m].gradient + piece->offset,
                              micro[0].gradient + piece->offset);
    piece->squares = kernel()->sum_squares(piece->count, micro[0].gradient + piece->offset);
}

static void update_piece(void *context, int k, int thread)
{
    struct trainer *t = context;
    const struct piece *piece = &t->piece[k];
    const struct kind_config *c = &t->task.train.optimizer;
    struct optimizer_piece part = {.count = piece->count,
                                   .gradient = t->pass.micro[0].gradient + piece->offset,
                                   .p = t->p + piece->offset,
                                   .m = t->m + piece->offset,
                                   .v = t->v + piece->offset,
                                   .decay = piece->decay};
    optimizer_table[c->kind]->update(c, t->step + 1, t->rate * piece->factor, t->clip, &part);
}

static void gather_dstate(struct trainer *t)
{
    struct pass *p = &t->pass;
    for (int k = 1; k < p->microbatches; k++)
        kernel()->add_forward(p->state.elements, p->micro[k].dstate, p->micro[0].dstate);
    model_prepare_backward(&t->model, t->p, &p->state, p->micro[0].dstate, p->micro[0].gradient);
}

/* At least one, so that a batch without any has loss 0. */
static int counting_rows(const struct samples *s)
{
    int rows = s->counts ? 0 : s->rows, first = s->first[0];
    for (int r = first; s->counts && r < first + s->rows; r++)
        rows += s->counts[r];
    return rows ? rows : 1;
}

double trainer_batch_gradient(struct trainer *t)
{
    int outputs = t->batch.outputs > 0 ? t->batch.outputs : 1;
    double loss = 0;
    t->scale = 1 / ((double)counting_rows(&t->batch) * outputs);
    model_prepare(&t->model, t->p, &t->pass.state);
    pool_run(t->pool, t->pass.microbatches, run_microbatch, t);
    gather_dstate(t);
    pool_run(t->pool, t->pieces, reduce_piece, t);
    for (int k = 0; k < t->pass.microbatches; k++)
        loss += t->pass.micro[k].loss;
    return loss * t->scale;
}

int trainer_step(struct trainer *t, struct train_report *r, struct err *e)
{
    const struct train_config *c = &t->task.train;
    int code = trainer_enter_stage(t, e);
    if (code)
        return code;
    const struct stage *stage = &t->stage[t->at];
    uint64_t done = (uint64_t)(t->step - stage->first_step) * (uint64_t)stage->batch;
    code = sampler_draw(t->sampler, stage->first_sample + done, stage->batch, &t->batch, e);
    if (code)
        return code;
    double loss = trainer_batch_gradient(t), squares = 0;
    for (int k = 0; k < t->pieces; k++)
        squares += t->piece[k].squares;
    double norm = sqrt(squares);
    t->rate = schedule_rate(c, t->step + 1);
    t->clip = c->clip > 0 && norm > c->clip ? c->clip / norm : 1;
    *r = (struct train_report){.loss = loss, .gradient_norm = norm, .rate = t->rate};
    r->diverged = !isfinite(loss) || !isfinite(norm);
    if (r->diverged)
        return 0;
    pool_run(t->pool, t->pieces, update_piece, t);
    t->step++;
    return 0;
}

/* ---- plain facts ------------------------------------------------------------------------------*/
const struct model *trainer_model(const struct trainer *t)
{
    return &t->model;
}

void *trainer_parameters(struct trainer *t)
{
    return t->p;
}

int64_t trainer_step_number(const struct trainer *t)
{
    return t->step;
}


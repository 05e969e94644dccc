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

/* Parameters and moments; with a measuring arena, their price. */
static int carve(struct trainer *t, struct arena *a, struct err *e)
{
    size_t elements = t->model.tensors.elements;
    size_t pieces = (size_t)t->model.tensors.count + elements / TRAINER_PIECE + 1;
    t->p = arena_alloc(a, elements, sizeof *t->p, e);
    t->m = arena_alloc(a, elements, sizeof *t->m, e);
    t->v = arena_alloc(a, elements, sizeof *t->v, e);
    t->piece = arena_alloc(a, pieces, sizeof *t->piece, e);
    bool failed = !t->p || !t->m || !t->v || !t->piece;
    return failed && !a->measuring ? ERR_MEMORY : 0;
}

int trainer_open_shape(struct trainer *t, const struct task *task, struct err *e)
{
    t->task = *task;
    t->io = task_io(task);
    int code = arena_open(&t->tables, 0, e);
    if (!code)
        code = space_of(&task->space)->layout(&task->space, (int)task->space.length,
                                              &t->tables, &t->trained, e);
    stages_plan(t);
    return code ? code : model_open(&t->model, &task->model, &t->io, &t->trained, e);
}

int trainer_open(struct trainer **out, const struct task *task, struct pool *pool, struct err *e)
{
    struct trainer *t = memory_alloc(1, sizeof *t, e);
    struct arena measure;
    *out = NULL;
    if (!t)
        return ERR_MEMORY;
    t->pool = pool;
    arena_open_measure(&measure);
    int code = trainer_open_shape(t, task, e);
    if (!code)
        code = carve(t, &measure, e);
    if (!code)
        code = arena_open(&t->run, measure.peak, e);
    if (!code)
        code = carve(t, &t->run, e);
    if (!code)
        code = arena_open(&t->batch.arena, 0, e);
    if (!code)
        code = stage_enter(t, e);
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
    for (struct evaluator *v = t->evaluators, *next; v; v = next) {
        next = v->next;
        arena_close(&v->arena);
        memory_free(v);
    }
    sampler_close(t->sampler);
    samples_close(&t->batch);
    arena_close(&t->pass);
    arena_close(&t->run);
    arena_close(&t->tables);
    model_close(&t->model);
    memory_free(t);
}

int trainer_price(const struct task *task, size_t *bytes, size_t *parameters, double *flops_step,
                  struct err *e)
{
    struct trainer *t = memory_alloc(1, sizeof *t, e);
    struct arena measure;
    if (!t)
        return ERR_MEMORY;
    arena_open_measure(&measure);
    int code = trainer_open_shape(t, task, e);
    size_t pass = 0, drawing = 0;
    if (!code)
        code = carve(t, &measure, e);
    if (!code)
        code = samples_price(task, &drawing, e);
    if (!code)
        code = stages_price(t, &pass, e);
    if (!code) {
        *bytes = measure.peak + pass + drawing + polish_price(t);
        *parameters = t->model.tensors.elements;
        *flops_step = 3 * (double)task->train.batch * model_flops(&t->model, t->trained.n);
    }
    trainer_close(t);
    return code;
}

/* ---- a step -----------------------------------------------------------------------------------*/
/* Loss of the lane's rows, and the head's backward pass, chunk by chunk: logits over all labels
 * never exist for all rows at once. */
static double lane_loss(struct trainer *t, struct lane *lane)
{
    double loss = 0;
    for (int first = 0; first < lane->batch.rows; first += lane->chunk) {
        int left = lane->batch.rows - first, rows = left < lane->chunk ? left : lane->chunk;
        model_output(&t->model, t->p, lane->w, first, rows, lane->out);
        if (t->io.channels > 0) {
            size_t channels = (size_t)t->io.channels;
            loss += kernel()->squared_error((size_t)rows * channels, lane->out,
                                            lane->target + (size_t)first * channels, (real)t->scale,
                                            lane->out);
        } else {
            loss += kernel()->crossentropy(rows, t->io.labels, (real)t->scale, lane->out,
                                           lane->label + first);
        }
        model_output_backward(&t->model, t->p, lane->w, first, rows, lane->out, lane->gradient);
    }
    return loss;
}

static void run_lane(void *context, int k)
{
    struct trainer *t = context;
    struct lane *lane = &t->lane[k];
    int from = lane_first(t->batch.count, t->lanes, k);
    int to = lane_first(t->batch.count, t->lanes, k + 1);
    memset(lane->gradient, 0, t->model.tensors.elements * sizeof(real));
    memset(lane->dstate, 0, t->state.elements * sizeof(real));
    lane_fill(lane, t, &t->batch, from, to - from);
    model_forward(&t->model, t->p, &t->state, &lane->batch, lane->w);
    lane->loss = lane_loss(t, lane);
    model_backward(&t->model, t->p, &t->state, &lane->batch, lane->w, lane->gradient,
                   lane->dstate, NULL);
}

/* Sums the lanes' gradients of one piece into lane 0's, in lane order. */
static void reduce_piece(void *context, int k)
{
    struct trainer *t = context;
    struct piece *piece = &t->piece[k];
    for (int lane = 1; lane < t->lanes; lane++)
        kernel()->add_forward(piece->count, t->lane[lane].gradient + piece->offset,
                              t->lane[0].gradient + piece->offset);
    piece->squares = kernel()->sum_squares(piece->count, t->lane[0].gradient + piece->offset);
}

static void update_piece(void *context, int k)
{
    struct trainer *t = context;
    const struct piece *piece = &t->piece[k];
    const struct kind_config *c = &t->task.train.optimizer;
    struct optimizer_piece part = {.count = piece->count,
                                   .gradient = t->lane[0].gradient + piece->offset,
                                   .p = t->p + piece->offset,
                                   .m = t->m + piece->offset,
                                   .v = t->v + piece->offset,
                                   .decay = piece->decay};
    optimizer_table[c->kind]->update(c, t->step + 1, t->rate * piece->factor, t->clip, &part);
}

static void gather_dstate(struct trainer *t)
{
    memcpy(t->dstate, t->lane[0].dstate, t->state.elements * sizeof(real));
    for (int k = 1; k < t->lanes; k++)
        kernel()->add_forward(t->state.elements, t->lane[k].dstate, t->dstate);
    model_prepare_backward(&t->model, t->p, &t->state, t->dstate, t->lane[0].gradient);
}

double batch_gradient(struct trainer *t)
{
    int channels = t->io.channels > 0 ? t->io.channels : 1;
    double loss = 0;
    t->scale = 1 / ((double)t->batch.rows * channels);
    model_prepare(&t->model, t->p, &t->state);
    pool_run(t->pool, t->lanes, run_lane, t);
    gather_dstate(t);
    pool_run(t->pool, t->pieces, reduce_piece, t);
    for (int k = 0; k < t->lanes; k++)
        loss += t->lane[k].loss;
    return loss * t->scale;
}

int trainer_step(struct trainer *t, struct train_report *r, struct err *e)
{
    const struct train_config *c = &t->task.train;
    int code = stage_enter(t, e);
    if (code)
        return code;
    const struct stage *stage = &t->stage[t->at];
    uint64_t done = (uint64_t)(t->step - stage->first_step) * (uint64_t)stage->batch;
    code = sampler_draw(t->sampler, stage->first_sample + done, stage->batch, &t->batch, e);
    if (code)
        return code;
    double loss = batch_gradient(t), squares = 0;
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

const struct model *trainer_model(const struct trainer *t)
{
    return &t->model;
}

real *trainer_parameters(struct trainer *t)
{
    return t->p;
}

int64_t trainer_step_number(const struct trainer *t)
{
    return t->step;
}

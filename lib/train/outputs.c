/* Outputs for a set of samples, and gradients with respect to its inputs: passes over fixed groups
 * of samples, in waves of lanes. */
#include <assert.h>
#include <string.h>

#include "kernel/kernel.h"
#include "train/trainer.h"

/* What one wave works on. */
struct wave {
    struct trainer *t;
    struct evaluator *v;
    const struct samples *s;
    int first;       /* sample */
    int chunk_first; /* row within each lane, tokens only */
    double *y;
    const double *cotangent; /* (rows,channels), input gradients only */
    double *dx;              /* likewise */
};

static int longest(const struct samples *s)
{
    int n = 1;
    for (int k = 0; k < s->count; k++)
        n = s->layout[k]->n > n ? s->layout[k]->n : n;
    return n;
}

static int carve_evaluator(struct trainer *t, struct evaluator *v, const struct layout *l,
                           struct arena *a, struct err *e)
{
    int code = model_state_open(&v->state, &t->model, l, a, e);
    for (int k = 0; k < v->lanes && !code; k++)
        code = lane_open(&v->lane[k], t, &v->state, v->samples, v->n, v->backward, a, e);
    return code;
}

static void set_size(struct evaluator *v, int n, bool backward, int lanes)
{
    *v = (struct evaluator){.n = n, .backward = backward, .lanes = lanes,
                            .samples = TRAIN_PASS_ROWS / n > 1 ? TRAIN_PASS_ROWS / n : 1};
}

/* Lanes that get no sample are carved and never touched. */
static int lanes_touched(const struct evaluator *v, int64_t samples)
{
    int64_t lanes = (samples + v->samples - 1) / v->samples;
    return lanes < v->lanes ? (int)lanes : v->lanes;
}

int trainer_price_pass(const struct task *task, int length, int64_t samples, bool backward,
                       size_t *bytes, struct err *e)
{
    struct trainer *t = memory_alloc(1, sizeof *t, e);
    struct evaluator v;
    struct arena measure;
    struct layout l;
    *bytes = 0;
    if (!t)
        return ERR_MEMORY;
    arena_open_measure(&measure);
    int code = trainer_open_shape(t, task, e);
    if (!code)
        code = trainer_layout(t, length, &l, e);
    if (!code) {
        set_size(&v, l.n, backward, stages_lanes(t));
        v.lanes = lanes_touched(&v, samples);
        code = carve_evaluator(t, &v, &l, &measure, e);
        *bytes = measure.peak;
    }
    trainer_close(t);
    return code;
}

/* The evaluator for the layouts of s, with or without a backward pass, made when first needed. */
static int evaluator_of(struct trainer *t, const struct samples *s, bool backward,
                        struct evaluator **out, struct err *e)
{
    int n = longest(s), at = 0;
    *out = NULL;
    for (struct evaluator *v = t->evaluators; v; v = v->next)
        if (v->n == n && v->backward == backward) {
            *out = v;
            break;
        }
    while (s->layout[at]->n != n)
        at++;
    if (*out) { /* what it was made from may be gone; sizes follow from n alone */
        assert((*out)->state.longest.relations == s->layout[at]->relations);
        (*out)->state.longest = *s->layout[at];
        return 0;
    }
    struct evaluator *v = memory_alloc(1, sizeof *v, e);
    struct arena measure;
    if (!v)
        return ERR_MEMORY;
    set_size(v, n, backward, t->lanes);
    arena_open_measure(&measure);
    int code = carve_evaluator(t, v, s->layout[at], &measure, e);
    if (!code)
        code = arena_open(&v->arena, measure.peak, e);
    if (!code)
        code = carve_evaluator(t, v, s->layout[at], &v->arena, e);
    if (code) {
        arena_close(&v->arena);
        memory_free(v);
        return code;
    }
    v->next = t->evaluators;
    t->evaluators = v;
    *out = v;
    return 0;
}

/* Forward pass of lane k's samples.  Returns the first of them, or -1 where none are left. */
static int forward_lane(const struct wave *wave, int k)
{
    struct trainer *t = wave->t;
    struct lane *lane = &wave->v->lane[k];
    int first = wave->first + k * wave->v->samples, left = wave->s->count - first;
    int count = left < wave->v->samples ? left : wave->v->samples;
    lane->batch.rows = 0;
    if (count <= 0)
        return -1;
    lane_fill(lane, t, wave->s, first, count);
    model_forward(&t->model, t->p, &wave->v->state, &lane->batch, lane->w);
    return first;
}

static void run_lane(void *context, int k)
{
    struct wave *wave = context;
    struct trainer *t = wave->t;
    struct lane *lane = &wave->v->lane[k];
    int first = forward_lane(wave, k);
    if (first < 0 || t->io.channels == 0)
        return;
    size_t channels = (size_t)t->io.channels, rows = (size_t)lane->batch.rows;
    double *y = wave->y + (size_t)wave->s->first[first] * channels;
    model_output(&t->model, t->p, lane->w, 0, lane->batch.rows, lane->out);
    for (size_t i = 0; i < rows * channels; i++)
        y[i] = (double)lane->out[i];
}

/* The lane's copy of the targets is not wanted here, so dx goes there; gradients of parameters are
 * computed on the way and dropped. */
static void run_lane_backward(void *context, int k)
{
    struct wave *wave = context;
    struct trainer *t = wave->t;
    struct lane *lane = &wave->v->lane[k];
    int first = forward_lane(wave, k), rows = lane->batch.rows;
    if (first < 0)
        return;
    size_t count = (size_t)rows * (size_t)t->io.channels;
    size_t from = (size_t)wave->s->first[first] * (size_t)t->io.channels;
    memset(lane->gradient, 0, t->model.tensors.elements * sizeof(real));
    memset(lane->dstate, 0, wave->v->state.elements * sizeof(real));
    for (size_t i = 0; i < count; i++)
        lane->out[i] = (real)wave->cotangent[from + i];
    model_output_backward(&t->model, t->p, lane->w, 0, rows, lane->out, lane->gradient);
    model_backward(&t->model, t->p, &wave->v->state, &lane->batch, lane->w, lane->gradient,
                   lane->dstate, lane->target);
    for (size_t i = 0; i < count; i++)
        wave->dx[from + i] = (double)lane->target[i];
}

static int chunk_rows(const struct wave *wave, const struct lane *lane)
{
    int left = lane->batch.rows - wave->chunk_first;
    return left < lane->chunk ? left : lane->chunk;
}

static void run_logits(void *context, int k)
{
    struct wave *wave = context;
    struct lane *lane = &wave->v->lane[k];
    int rows = chunk_rows(wave, lane);
    if (rows <= 0)
        return;
    model_output(&wave->t->model, wave->t->p, lane->w, wave->chunk_first, rows, lane->out);
    size_t count = (size_t)rows * (size_t)wave->t->io.labels;
    for (size_t i = 0; i < count; i++)
        lane->logits[i] = (double)lane->out[i];
}

/* Of any lane: where samples differ in size, the first need not have the most. */
static int most_rows(const struct evaluator *v)
{
    int most = 0;
    for (int k = 0; k < v->lanes; k++)
        most = v->lane[k].batch.rows > most ? v->lane[k].batch.rows : most;
    return most;
}

void trainer_watch(struct trainer *t, volatile const int *stop)
{
    t->stop = stop;
}

/* The next wave may begin. */
static int check_stop(const struct wave *wave, struct err *e)
{
    const struct trainer *t = wave->t;
    if (!t->stop || !*t->stop)
        return 0;
    return err_set(e, ERR_INTERRUPTED, "", "interrupted at sample %d of %d", wave->first,
                   wave->s->count);
}

/* Logits of a finished wave, chunk by chunk; `each` is called in a fixed order by this thread. */
static void hand_out_logits(struct wave *wave, trainer_logits each, void *context)
{
    struct evaluator *v = wave->v;
    int rows_max = most_rows(v);
    for (wave->chunk_first = 0; wave->chunk_first < rows_max;
         wave->chunk_first += v->lane[0].chunk) {
        pool_run(wave->t->pool, v->lanes, run_logits, wave);
        for (int k = 0; k < v->lanes; k++) {
            int rows = chunk_rows(wave, &v->lane[k]);
            if (rows > 0)
                each(context, wave->s->first[wave->first + k * v->samples] + wave->chunk_first,
                     rows, wave->t->io.labels, v->lane[k].logits);
        }
    }
}

int trainer_outputs(struct trainer *t, const struct samples *s, double *y, trainer_logits each,
                    void *context, struct err *e)
{
    struct wave wave = {.t = t, .s = s, .y = y};
    int code = evaluator_of(t, s, false, &wave.v, e);
    if (code)
        return code;
    model_prepare(&t->model, t->p, &wave.v->state);
    for (wave.first = 0; wave.first < s->count; wave.first += wave.v->lanes * wave.v->samples) {
        code = check_stop(&wave, e);
        if (code)
            return code;
        pool_run(t->pool, wave.v->lanes, run_lane, &wave);
        if (t->io.channels == 0)
            hand_out_logits(&wave, each, context);
    }
    return 0;
}

int trainer_input_gradient(struct trainer *t, const struct samples *s, const double *cotangent,
                           double *dx, struct err *e)
{
    struct wave wave = {.t = t, .s = s, .cotangent = cotangent, .dx = dx};
    assert(t->io.channels > 0);
    int code = evaluator_of(t, s, true, &wave.v, e);
    if (code)
        return code;
    model_prepare(&t->model, t->p, &wave.v->state);
    for (wave.first = 0; wave.first < s->count; wave.first += wave.v->lanes * wave.v->samples) {
        code = check_stop(&wave, e);
        if (code)
            return code;
        pool_run(t->pool, wave.v->lanes, run_lane_backward, &wave);
    }
    return 0;
}

/* What training, polishing and passes over sets cost: memory and operations. */
#include "train/trainer.h"

/* Vectors of doubles while polishing: GSL's minimiser, its line search, start and scrap. */
enum { POLISH_VECTORS = 14 };
/* Gradients that a step of its descent takes, with the line search's: 3.9 to 4.5 were counted. */
#define POLISH_GRADIENTS 4.0

/* The forward pass, and the backward one's two. */
static double step_flops(const struct trainer *t, int n, double samples)
{
    return 3 * samples * model_flops(&t->model, n);
}

static int price_stages(struct trainer *t, size_t *most, struct err *e)
{
    int code = 0;
    *most = 0;
    for (int k = 0; k < t->stages && !code; k++) {
        struct pass p = trainer_stage_pass(t, &t->stage[k]);
        struct layout l;
        size_t bytes = 0;
        code = trainer_layout(t, t->stage[k].n, &l, e);
        if (!code)
            code = pass_bytes(&p, &l, &bytes, e);
        *most = bytes > *most ? bytes : *most;
    }
    return code;
}

static void price_polish(const struct trainer *t, struct train_price *out)
{
    const struct train_config *c = &t->task.train;
    const struct stage *s = &t->stage[t->stages - 1];
    size_t channels = t->model.io.channels > 0 ? (size_t)t->model.io.channels : 1;
    size_t outputs = t->model.io.labels ? 1 : (size_t)model_io_outputs(&t->model.io);
    size_t samples = (size_t)trainer_polish_samples(t, s);
    if (c->polish == TRAIN_POLISH_NONE)
        return;
    out->polish = (POLISH_VECTORS * out->parameters + samples * (size_t)s->n * (channels + outputs)) *
                  sizeof(double);
    out->polish_flops = POLISH_GRADIENTS * (double)c->polish_steps *
                        step_flops(t, s->n, (double)samples);
}

static int price_drawing(const struct task *t, size_t *bytes, struct err *e)
{
    const struct target *target = target_of(&t->target);
    struct arena measure;
    void *state;
    arena_open_measure(&measure);
    int code = target->open ? target->open(&t->target, &t->space, (int)space_positions(&t->space),
                                           &measure, &state, e)
                            : 0;
    *bytes = measure.peak;
    return code;
}

int trainer_price(const struct task *task, struct train_price *out, struct err *e)
{
    struct trainer *t = memory_alloc(1, sizeof *t, e);
    struct arena measure;
    size_t stage = 0;
    *out = (struct train_price){0};
    if (!t)
        return ERR_MEMORY;
    arena_open_measure(&measure);
    int code = trainer_open_shape(t, task, e);
    if (!code)
        code = trainer_carve(t, &measure, e);
    if (!code)
        code = price_drawing(task, &out->drawing, e);
    if (!code)
        code = price_stages(t, &stage, e);
    if (!code) {
        out->parameters = t->model.tensors.elements;
        size_t checkpoint = 3 * out->parameters * sizeof(real);
        out->bytes = measure.peak + stage + out->drawing + checkpoint;
        out->step_flops = step_flops(t, t->trained.n, (double)task->train.batch);
        price_polish(t, out);
    }
    trainer_close(t);
    return code;
}

/* Microbatches that get no sample are carved and never touched. */
static int price_pass(struct trainer *t, const struct pass_set *set, struct pass_price *out, struct err *e)
{
    struct layout l;
    int most = 1, code = trainer_layout(t, set->length, &l, e);
    if (code)
        return code;
    for (int k = 0; k < t->stages; k++)
        most = t->stage[k].microbatches > most ? t->stage[k].microbatches : most;
    struct pass p = trainer_set_pass(t, l.n, 1, set->backward);
    int64_t touched = (set->samples + p.samples - 1) / p.samples;
    p = trainer_set_pass(t, l.n, touched < most ? (int)touched : most, set->backward);
    out->flops = (set->backward ? 3 : 1) * (double)set->samples * model_flops(&t->model, l.n);
    out->parameters = t->model.tensors.elements;
    return pass_bytes(&p, &l, &out->bytes, e);
}

int trainer_price_passes(const struct task *task, int count, const struct pass_set *set,
                         struct pass_price *out, struct err *e)
{
    struct trainer *t = memory_alloc(1, sizeof *t, e);
    int code = t ? trainer_open_shape(t, task, e) : ERR_MEMORY;
    for (int k = 0; k < count; k++) {
        out[k] = (struct pass_price){0};
        code = code ? code : price_pass(t, &set[k], &out[k], e);
    }
    trainer_close(t);
    return code;
}

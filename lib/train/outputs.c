/* Outputs and attention for a set of samples, and gradients with respect to its inputs: passes over fixed groups
 * of samples, in waves of microbatches. */
#include <assert.h>
#include <string.h>

#include "train/trainer.h"

enum { PASS_ROWS = 512 }; /* of a microbatch, or one sample where longer */

/* What one wave works on. */
struct wave {
    struct trainer *t;
    struct pass *pass;
    const struct samples *s;
    int first;       /* sample */
    int chunk_first; /* row within each microbatch, tokens only */
    double *y;
    trainer_logits each; /* tokens only */
    void *context;
    const double *cotangent; /* (rows,channels), input gradients only */
    double *dx;              /* likewise */
};

/* Of the sample with the most positions. */
static const struct layout *longest(const struct samples *s)
{
    const struct layout *l = s->layout[0];
    for (int k = 1; k < s->count; k++)
        l = s->layout[k]->n > l->n ? s->layout[k] : l;
    return l;
}

struct pass trainer_set_pass(const struct trainer *t, int n, int microbatches, bool backward)
{
    int each = PASS_ROWS / n > 1 ? PASS_ROWS / n : 1;
    return (struct pass){.model = &t->model, .samples = each * microbatches,
                         .microbatches = microbatches, .backward = backward,
                         .workspaces = microbatches};
}

/* The pass for the layouts of s, with or without a backward one, made when first needed. */
static int find_pass(struct trainer *t, const struct samples *s, bool backward, struct pass **out,
                     struct err *e)
{
    const struct layout *l = longest(s);
    for (struct pass *p = t->sets; p; p = p->next)
        if (p->state.n == l->n && p->relations == l->relations && p->backward == backward) {
            /* What it was made from may be gone; what is of the same size is equal. */
            if (!t->model.before)
                p->state.longest = *l;
            *out = p;
            return 0;
        }
    struct pass *p = memory_alloc(1, sizeof *p, e);
    if (!p)
        return ERR_MEMORY;
    *p = trainer_set_pass(t, l->n, t->pass.microbatches, backward);
    int code = pass_open(p, l, e);
    if (code) {
        arena_close(&p->arena);
        memory_free(p);
        return code;
    }
    p->relations = l->relations;
    p->next = t->sets;
    *out = t->sets = p;
    return 0;
}

/* Forward pass of microbatch k's samples.  Returns the first of them, or -1 where none are left. */
static int forward(const struct wave *wave, int k)
{
    struct trainer *t = wave->t;
    struct pass *p = wave->pass;
    int each = p->samples / p->microbatches, first = wave->first + k * each;
    int left = wave->s->count - first, count = left < each ? left : each;
    p->micro[k].batch.rows = 0;
    if (count <= 0)
        return -1;
    pass_fill(p, k, wave->s, first, count);
    model_forward(&t->model, t->p, &p->state, &p->micro[k].batch, p->micro[k].w);
    return first;
}

static void run_outputs(void *context, int k, int thread)
{
    struct wave *wave = context;
    struct trainer *t = wave->t;
    struct microbatch *micro = &wave->pass->micro[k];
    int first = forward(wave, k);
    if (first < 0 || wave->each)
        return;
    size_t outputs = (size_t)model_io_outputs(&t->model.io), rows = (size_t)micro->batch.rows;
    double *y = wave->y + (size_t)wave->s->first[first] * outputs;
    model_output(&t->model, t->p, micro->w, 0, micro->batch.rows, micro->out);
    for (size_t i = 0; i < rows * outputs; i++)
        y[i] = (double)micro->out[i];
}

/* The microbatch's copy of the targets is not wanted here, so dx goes there; gradients of parameters
 * are computed on the way and dropped. */
static void run_input_gradient(void *context, int k, int thread)
{
    struct wave *wave = context;
    struct trainer *t = wave->t;
    const struct model_state *state = &wave->pass->state;
    struct microbatch *micro = &wave->pass->micro[k];
    int first = forward(wave, k), rows = micro->batch.rows;
    if (first < 0)
        return;
    size_t channels = (size_t)wave->s->channels, count = (size_t)rows * channels;
    size_t from = (size_t)wave->s->first[first] * channels;
    memset(micro->gradient, 0, t->model.tensors.elements * sizeof(real));
    memset(micro->dstate, 0, state->elements * sizeof(real));
    for (size_t i = 0; i < count; i++)
        micro->out[i] = (real)wave->cotangent[from + i];
    model_output_backward(&t->model, t->p, micro->w, 0, rows, micro->out, micro->gradient);
    model_backward(&t->model, t->p, state, &micro->batch, micro->w, micro->gradient, micro->dstate,
                   micro->target);
    for (size_t i = 0; i < count; i++)
        wave->dx[from + i] = (double)micro->target[i];
}

static int chunk_rows(const struct wave *wave, const struct microbatch *micro)
{
    int left = micro->batch.rows - wave->chunk_first;
    return left < micro->chunk ? left : micro->chunk;
}

static void run_logits(void *context, int k, int thread)
{
    struct wave *wave = context;
    struct microbatch *micro = &wave->pass->micro[k];
    int rows = chunk_rows(wave, micro), labels = wave->t->model.io.labels;
    if (rows <= 0)
        return;
    model_output(&wave->t->model, wave->t->p, micro->w, wave->chunk_first, rows, micro->out);
    for (size_t i = 0; i < (size_t)rows * (size_t)labels; i++)
        micro->logits[i] = (double)micro->out[i];
}

/* Of any microbatch: where samples differ in size, the first need not have the most. */
static int most_rows(const struct pass *p)
{
    int most = 0;
    for (int k = 0; k < p->microbatches; k++)
        most = p->micro[k].batch.rows > most ? p->micro[k].batch.rows : most;
    return most;
}

/* Logits of a finished wave, chunk by chunk; `each` is called in a fixed order by this thread. */
static void hand_out_logits(struct wave *wave)
{
    struct pass *p = wave->pass;
    int rows_max = most_rows(p), samples = p->samples / p->microbatches;
    for (wave->chunk_first = 0; wave->chunk_first < rows_max;
         wave->chunk_first += p->micro[0].chunk) {
        pool_run(wave->t->pool, p->microbatches, run_logits, wave);
        for (int k = 0; k < p->microbatches; k++) {
            int rows = chunk_rows(wave, &p->micro[k]);
            if (rows > 0)
                wave->each(wave->context,
                           wave->s->first[wave->first + k * samples] + wave->chunk_first, rows,
                           wave->t->model.io.labels, p->micro[k].logits);
        }
    }
}

static int run_waves(struct wave *wave, void (*run)(void *wave, int k, int thread), struct err *e)
{
    struct trainer *t = wave->t;
    int code = find_pass(t, wave->s, wave->dx != NULL, &wave->pass, e);
    if (code)
        return code;
    model_prepare(&t->model, t->p, &wave->pass->state);
    for (wave->first = 0; wave->first < wave->s->count; wave->first += wave->pass->samples) {
        if (task_stopped(&t->task))
            return err_set(e, ERR_INTERRUPTED, "", "interrupted at sample %d of %d", wave->first,
                           wave->s->count);
        pool_run(t->pool, wave->pass->microbatches, run, wave);
        if (wave->each)
            hand_out_logits(wave);
    }
    return 0;
}

int trainer_outputs(struct trainer *t, const struct samples *s, double *y, trainer_logits each,
                    void *context, struct err *e)
{
    struct wave wave = {.t = t, .s = s, .y = y, .each = t->model.io.labels ? each : NULL,
                        .context = context};
    return run_waves(&wave, run_outputs, e);
}

int trainer_input_gradient(struct trainer *t, const struct samples *s, const double *cotangent,
                           double *dx, struct err *e)
{
    struct wave wave = {.t = t, .s = s, .cotangent = cotangent, .dx = dx};
    assert(s->channels > 0);
    return run_waves(&wave, run_input_gradient, e);
}

/* ---- attention --------------------------------------------------------------------------------*/

static void one_map(struct trainer *t, struct pass *p, const struct samples *s, int sample,
                    trainer_attention_map each, void *context, double *weights, double *sums)
{
    struct microbatch *micro = &p->micro[0];
    pass_fill(p, 0, s, sample, 1);
    model_forward(&t->model, t->p, &p->state, &micro->batch, micro->w);
    for (int k = 0; k < t->model.config.layers; k++) {
        model_attention(&t->model, t->p, &p->state, &micro->batch, micro->w, k, weights, sums);
        each(context, sample, k, s->layout[sample]->n + t->model.before, weights, sums);
    }
}

int trainer_attention(struct trainer *t, const struct samples *s, trainer_attention_map each,
                      void *context, struct err *e)
{
    const struct layout *l = longest(s);
    struct pass p = {.model = &t->model, .samples = 1, .microbatches = 1, .workspaces = 1, .backward = true};
    size_t n = (size_t)(l->n + t->model.before), heads = (size_t)t->model.heads;
    int code = pass_open(&p, l, e);
    double *weights = code ? NULL : arena_alloc(&p.arena, heads * n, n * sizeof *weights, e);
    double *sums = code ? NULL : arena_alloc(&p.arena, heads, n * sizeof *sums, e);
    if (!code && (!weights || !sums))
        code = ERR_MEMORY;
    if (!code)
        model_prepare(&t->model, t->p, &p.state);
    for (int k = 0; k < s->count && !code; k++)
        one_map(t, &p, s, k, each, context, weights, sums);
    arena_close(&p.arena);
    return code;
}

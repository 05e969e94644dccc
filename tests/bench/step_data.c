/* What another program needs to take the same training steps, and how long ours take.
 *
 *     step_data SPEC FOLDER STEPS THREADS SECONDS [KEY=VALUE ...]
 *
 * Of the first cell of SPEC: writes FOLDER/weights.safetensors, the initial weights, and
 * FOLDER/steps.safetensors with
 *     x, y         F64 [STEPS, batch, n, channels]  the first training batches
 *     loss         F64 [STEPS]                      of our own first steps
 *     lr           F64 [1]
 *     ms           F64 [1]                          median of one further step over about SECONDS
 *     heads        I32 [1]
 * Continuous targets only.  Invariant: what is written is what the trainer itself draws and does;
 * nothing is computed here. */
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_statistics_double.h>
#include <gsl/gsl_sort.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/safetensors.h"
#include "run/network.h"
#include "run/run.h"
#include "spec/spec.h"
#include "train/train.h"

enum { PATH_LIMIT = 4096, TIMES_MAX = 1 << 16, STEPS_MAX = 1000 };

struct steps {
    const struct task *task;
    const struct trainer_api *api;
    struct trainer *trainer;
    int count;
    size_t of_batch; /* elements of x in one batch */
    double *x, *y, *loss, *times;
    double ms;
};

static int draw_batches(struct steps *s, struct err *e)
{
    const struct task *t = s->task;
    struct sampler *sampler;
    struct samples batch = {0};
    size_t batch_size = (size_t)t->train.batch;
    int code = sampler_open(&sampler, t, (int)t->space.length, e);
    for (int k = 0; !code && k < s->count; k++) {
        code = sampler_draw(sampler, (uint64_t)k * batch_size, (int)batch_size, &batch, e);
        for (size_t i = 0; !code && i < s->of_batch; i++) {
            s->x[(size_t)k * s->of_batch + i] = batch.x[i];
            s->y[(size_t)k * s->of_batch + i] = batch.y[i];
        }
    }
    samples_close(&batch);
    sampler_close(sampler);
    return code;
}

static int take_steps(struct steps *s, struct err *e)
{
    struct train_report r;
    int code = 0;
    for (int k = 0; !code && k < s->count; k++) {
        code = s->api->step(s->trainer, &r, e);
        s->loss[k] = r.loss;
    }
    return code;
}

static int time_steps(struct steps *s, double seconds, struct err *e)
{
    struct train_report r;
    double start = machine_seconds(), before = start;
    size_t count = 0;
    int code = 0;
    do {
        code = s->api->step(s->trainer, &r, e);
        double now = machine_seconds();
        s->times[count++] = now - before;
        before = now;
    } while (!code && count < TIMES_MAX && before - start < seconds);
    gsl_sort(s->times, 1, count);
    s->ms = 1000 * gsl_stats_median_from_sorted_data(s->times, 1, count);
    return code;
}

static int write_steps(const struct steps *s, const char *path, struct err *e)
{
    const struct task *t = s->task;
    int32_t heads = (int32_t)t->model.heads;
    double lr = t->train.lr;
    size_t all = (size_t)s->count * s->of_batch;
    int64_t steps = s->count;
    const struct safetensor item[] = {
        {.name = "x", .type = SAFETENSORS_F64, .rank = 4, .count = all, .data = s->x,
         .shape = {steps, t->train.batch, t->space.length, t->space.channels}},
        {.name = "y", .type = SAFETENSORS_F64, .rank = 4, .count = all, .data = s->y,
         .shape = {steps, t->train.batch, t->space.length, t->space.channels}},
        {.name = "loss", .type = SAFETENSORS_F64, .rank = 1, .count = (size_t)steps,
         .data = s->loss, .shape = {steps}},
        {.name = "lr", .type = SAFETENSORS_F64, .rank = 1, .count = 1, .data = &lr, .shape = {1}},
        {.name = "ms", .type = SAFETENSORS_F64, .rank = 1, .count = 1, .data = &s->ms,
         .shape = {1}},
        {.name = "heads", .type = SAFETENSORS_I32, .rank = 1, .count = 1, .data = &heads,
         .shape = {1}},
    };
    return safetensors_write(path, item, sizeof item / sizeof *item, NULL, e);
}

static int reserve(struct steps *s, struct err *e)
{
    const struct task *t = s->task;
    s->of_batch = (size_t)t->train.batch * (size_t)t->space.length * (size_t)t->space.channels;
    s->x = memory_alloc((size_t)s->count * s->of_batch, sizeof *s->x, e);
    s->y = memory_alloc((size_t)s->count * s->of_batch, sizeof *s->y, e);
    s->loss = memory_alloc((size_t)s->count, sizeof *s->loss, e);
    s->times = memory_alloc(TIMES_MAX, sizeof *s->times, e);
    return s->x && s->y && s->loss && s->times ? 0 : ERR_MEMORY;
}

static int run(struct steps *s, const struct spec *spec, const char *folder, int threads,
               double seconds, struct err *e)
{
    char weights[PATH_LIMIT], steps[PATH_LIMIT];
    struct pool *pool = NULL;
    s->task = &spec_cell(spec, 0)->task;
    s->api = trainer_api_of(s->task->model.precision);
    if (task_io(s->task).channels == 0)
        return err_set(e, ERR_USAGE, NULL, "a continuous target was expected");
    int code = file_join(weights, sizeof weights, folder, "weights.safetensors", e);
    if (!code)
        code = file_join(steps, sizeof steps, folder, "steps.safetensors", e);
    if (!code)
        code = reserve(s, e);
    if (!code)
        code = s->api->kernel_open(e);
    if (!code)
        code = pool_open(&pool, threads, e);
    if (!code)
        code = s->api->open(&s->trainer, s->task, pool, e);
    if (!code)
        code = s->api->export_weights(s->trainer, weights, e);
    if (!code)
        code = draw_batches(s, e);
    if (!code)
        code = take_steps(s, e);
    if (!code)
        code = time_steps(s, seconds, e);
    if (!code)
        code = write_steps(s, steps, e);
    s->api->close(s->trainer);
    pool_close(pool);
    memory_free(s->x);
    memory_free(s->y);
    memory_free(s->loss);
    memory_free(s->times);
    return code;
}

int main(int count, char **word)
{
    enum { SPEC = 1, FOLDER, STEPS, THREADS, SECONDS, SETS };
    struct err e = {0};
    struct spec *spec = NULL;
    struct steps s = {0};
    if (count < SETS) {
        fprintf(stderr, "usage: step_data SPEC FOLDER STEPS THREADS SECONDS [KEY=VALUE ...]\n");
        return 2;
    }
    s.count = atoi(word[STEPS]);
    int threads = atoi(word[THREADS]);
    if (s.count < 1 || s.count > STEPS_MAX || threads < 1) {
        fprintf(stderr, "step_data: STEPS from 1 to %d and THREADS from 1 were expected\n",
                STEPS_MAX);
        return 2;
    }
    int code = spec_open(&spec, word[SPEC], (const char *const *)(word + SETS), count - SETS, &e);
    if (!code)
        code = run(&s, spec, word[FOLDER], threads, atof(word[SECONDS]), &e);
    spec_close(spec);
    if (code)
        fprintf(stderr, "step_data: %s: %s\n", e.where, e.msg);
    return code ? err_exit_status(code) : 0;
}

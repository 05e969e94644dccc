/* Measurements for `bench`; see bench.h. */
#include "run/bench.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_statistics_double.h>
#include <gsl/gsl_sort.h>

#include "base/child.h"
#include "base/system.h"
#include "kernel/kernel.h"
#include "run/network.h"
#include "run/run.h"
#include "spec/spec.h"
#include "train/train.h"

enum { TURNS_MAX = 256, WARM_UP = 3, PAIR_PROCESSES = 6 };

/* ---- a case as a task -------------------------------------------------------------------------*/
static int open_spec(const struct bench_case *c, struct spec **out, struct err *e)
{
    char text[1024];
    int length = snprintf(text, sizeof text,
                          "name: bench\nseeds: [0]\n%s%d, channels: 4}\n"
                          "model: {encoding: %s, attention: %s, layers: %d, heads: %d, width: %d, ffn: %d%s}\n"
                          "train: {steps: 1000000, batch: %d, lr: 0.0001}\n",
                          c->graphs ? "target: degree\nspace: {kind: graph, max_distance: 8, nodes: "
                                    : "target: gain\nspace: {length: ",
                          c->n, c->encoding ? c->encoding : "toeplitz", c->urpe ? "urpe" : "rpe", c->layers,
                          c->heads, c->width, 4 * c->width, c->keys ? c->keys : "", c->batch);
    return spec_parse(out, "bench", text, (size_t)length, NULL, 0, e);
}

struct subject {
    const struct trainer_api *api;
    struct spec *spec; /* NULL: the task is the caller's */
    struct pool *pool;
    struct trainer *trainer;
    double flops, tokens; /* of a step */
};

static int open_task(struct subject *s, const struct task *task, int threads, struct err *e)
{
    struct train_price price;
    s->api = trainer_api_of(task->model.precision);
    int code = s->api->price(task, &price, e);
    if (!code)
        code = pool_open(&s->pool, threads, e);
    if (!code)
        code = s->api->open(&s->trainer, task, s->pool, e);
    s->flops = code ? 0 : price.step_flops;
    s->tokens = (double)task->train.batch * task->space.length;
    return code;
}

/* Close it whatever is returned. */
static int subject_open(struct subject *s, const struct bench_case *c, struct err *e)
{
    *s = (struct subject){.api = &trainer_api};
    int code = open_spec(c, &s->spec, e);
    return code ? code : open_task(s, &spec_cell(s->spec, 0)->task, c->threads, e);
}

static void subject_close(struct subject *s)
{
    if (s->api)
        s->api->close(s->trainer);
    pool_close(s->pool);
    spec_close(s->spec);
}

/* Seconds of one step, the mean of `steps`. */
static int time_steps(struct subject *s, int steps, double *seconds, struct err *e)
{
    struct train_report report;
    int code = 0;
    double start = machine_seconds();
    for (int k = 0; k < steps && !code; k++)
        code = s->api->step(s->trainer, &report, e);
    *seconds = (machine_seconds() - start) / steps;
    return code;
}

/* ---- matrix products at the model's shapes ----------------------------------------------------*/
/* One linear layer's three products: y = x W^T, dx = dy W, dW = dy^T x. */
struct products {
    int rows, width;
    real *x, *y, *w, *dw; /* (rows,4 width), (rows,4 width), (4 width,width), likewise */
};

static double products_flops(const struct products *p, int layers)
{
    double w = p->width;
    return 3.0 * layers * 2 * p->rows * (4 * w * w + 8 * w * w);
}

static void linear_products(const struct products *p, int in, int out)
{
    gemm_blas(false, true, p->rows, out, in, 1, p->x, in, p->w, in, 0, p->y, out);
    gemm_blas(false, false, p->rows, in, out, 1, p->y, out, p->w, in, 0, p->x, in);
    gemm_blas(true, false, out, in, p->rows, 1, p->y, out, p->x, in, 0, p->dw, in);
}

static void run_products(void *context, int item, int thread)
{
    const struct products *p = (const struct products *)context + item;
    int w = p->width;
    linear_products(p, w, 3 * w);
    linear_products(p, w, w);
    linear_products(p, w, 4 * w);
    linear_products(p, 4 * w, w);
}

/* FLOPs of a core in registers alone, counted by each thread for itself. */
struct peak {
    double flops[64];
};

static void run_peak(void *context, int item, int thread)
{
    struct peak *p = context;
    real sink[2] = {0.5, 0.25};
    p->flops[item] = kernel()->multiply_add(1 << 21, sink);
}

static double time_peak(struct pool *pool, int threads)
{
    struct peak p;
    double start = machine_seconds(), flops = 0;
    pool_run(pool, threads, run_peak, &p);
    double seconds = machine_seconds() - start;
    for (int k = 0; k < threads; k++)
        flops += p.flops[k];
    return flops / seconds;
}

static int products_open(struct products *p, const struct bench_case *c, struct arena *a,
                         struct err *e)
{
    size_t rows = (size_t)c->batch * (size_t)c->n, wide = 4 * (size_t)c->width;
    *p = (struct products){.rows = (int)rows, .width = c->width};
    p->x = arena_alloc(a, rows * wide, sizeof *p->x, e);
    p->y = arena_alloc(a, rows * wide, sizeof *p->y, e);
    p->w = arena_alloc(a, wide * (size_t)c->width, sizeof *p->w, e);
    p->dw = arena_alloc(a, wide * (size_t)c->width, sizeof *p->dw, e);
    return p->x && p->y && p->w && p->dw ? 0 : ERR_MEMORY; /* zeros stay zeros: no overflow */
}

/* ---- measurements, inside the child -----------------------------------------------------------*/
/* What a child sends back. */
struct answer {
    struct bench_figures figures[2];
    double ratio;
    struct err err;
};
typedef int (*measurement)(const struct bench_case *c, double amount, struct answer *out,
                           struct err *e);

static double median(double *value, size_t count)
{
    gsl_sort(value, 1, count);
    return gsl_stats_median_from_sorted_data(value, 1, count);
}

static void fill_figures(struct bench_figures *f, const struct subject *s, double seconds)
{
    f->ms_per_step = 1e3 * seconds;
    f->tokens_per_second = s->tokens / seconds;
    f->flops = s->flops / seconds;
    f->peak_mib = system_peak_mib();
}

static int measure_step(const struct bench_case *c, double seconds, struct answer *out,
                        struct err *e)
{
    struct subject s = {0};
    struct products p[64];
    struct arena arena;
    double step[TURNS_MAX], product[TURNS_MAX], ratio[TURNS_MAX], one, end;
    double most[TURNS_MAX], of_most[TURNS_MAX];
    size_t turns = 0;
    int code = arena_open(&arena, 0, e), steps;
    if (!code)
        code = subject_open(&s, c, e);
    for (int k = 0; k < 2 && !code; k++)
        code = time_steps(&s, WARM_UP, &one, e);
    double peak = system_peak_mib();
    for (int k = 0; k < c->threads && !code; k++)
        code = products_open(&p[k], c, &arena, e);
    if (code)
        goto out;
    double work = products_flops(p, c->layers) * c->threads;
    steps = one < 0.05 ? (int)(0.05 / one) + 1 : 1; /* a turn lasts 50 ms or one step */
    pool_run(s.pool, c->threads, run_products, p);
    for (end = machine_seconds() + seconds; machine_seconds() < end && turns < TURNS_MAX; turns++) {
        code = time_steps(&s, steps, &step[turns], e);
        if (code)
            goto out;
        double start = machine_seconds();
        for (int k = 0; k < steps * c->layers; k++)
            pool_run(s.pool, c->threads, run_products, p);
        product[turns] = (machine_seconds() - start) / steps;
        ratio[turns] = (s.flops / step[turns]) / (work / product[turns]);
        most[turns] = time_peak(s.pool, c->threads);
        of_most[turns] = s.flops / step[turns] / most[turns];
    }
    fill_figures(&out->figures[0], &s, median(step, turns));
    out->figures[0].peak_mib = peak;
    out->figures[0].sgemm_flops = work / median(product, turns);
    out->figures[0].ratio = median(ratio, turns);
    out->figures[0].peak_flops = median(most, turns);
    out->figures[0].peak_ratio = median(of_most, turns);
out:
    subject_close(&s);
    arena_close(&arena);
    return code;
}

/* Opens subject k of a case. */
typedef int (*opener)(struct subject *s, const struct bench_case *c, int k, struct err *e);

/* Steps of two in turn, each with the other before it as often as behind; two turns at least.  What is
 * opened first comes first in memory: where arrays come to lie is worth a percent. */
static int measure_two(opener open, const struct bench_case *c, double seconds, struct answer *out,
                       struct err *e)
{
    struct subject s[2] = {{0}, {0}};
    double time[2][TURNS_MAX], ratio[TURNS_MAX], one, end;
    size_t turns = 0;
    int code = 0;
    for (int k = 0; k < 2 && !code; k++) {
        code = open(&s[k], c, k, e);
        if (!code)
            code = time_steps(&s[k], WARM_UP, &one, e);
    }
    for (end = machine_seconds() + seconds;
         !code && (machine_seconds() < end || turns < 2) && turns < TURNS_MAX; turns++) {
        for (int k = 0; k < 2 && !code; k++) /* A B, then B A */
            code = time_steps(&s[(k + (int)turns) % 2], 1, &time[(k + (int)turns) % 2][turns], e);
        ratio[turns] = time[1][turns] / time[0][turns];
    }
    for (int k = 0; k < 2 && !code; k++)
        fill_figures(&out->figures[k], &s[k], median(time[k], turns));
    if (!code)
        out->ratio = median(ratio, turns);
    subject_close(&s[0]);
    subject_close(&s[1]);
    return code;
}

static int open_case(struct subject *s, const struct bench_case *c, int k, struct err *e)
{
    return subject_open(s, &c[k], e);
}

static int measure_pair(const struct bench_case *c, double seconds, struct answer *out,
                        struct err *e)
{
    return measure_two(open_case, c, seconds, out, e);
}

/* A case and the tasks that are meant. */
struct task_pair {
    struct bench_case subject;
    const struct task *task[2];
};

static int open_task_of(struct subject *s, const struct bench_case *c, int k, struct err *e)
{
    return open_task(s, ((const struct task_pair *)c)->task[k], c->threads, e);
}

static int measure_tasks(const struct bench_case *c, double seconds, struct answer *out, struct err *e)
{
    return measure_two(open_task_of, c, seconds, out, e);
}

static int measure_memory(const struct bench_case *c, double steps, struct answer *out,
                          struct err *e)
{
    struct subject s = {0};
    double seconds;
    int code = subject_open(&s, c, e);
    if (!code)
        code = time_steps(&s, (int)steps, &seconds, e);
    if (!code)
        fill_figures(&out->figures[0], &s, seconds);
    subject_close(&s);
    return code;
}

/* ---- a process for each measurement -----------------------------------------------------------*/
struct order {
    measurement run;
    const struct bench_case *subject;
    double amount;
};

static void measure_apart(void *context, int fd)
{
    const struct order *o = context;
    struct answer answer = {0};
    if (!kernel_open(&answer.err) && !kernel_reserve(o->subject->threads, &answer.err))
        o->run(o->subject, o->amount, &answer, &answer.err);
    child_send(fd, &answer, sizeof answer);
}

static int in_child(measurement run, const struct bench_case *c, double amount, struct answer *out,
                    struct err *e)
{
    struct order order = {run, c, amount};
    struct child child;
    if (c->threads < 1 || c->threads > 64)
        return err_set(e, ERR_USAGE, "--threads", "expected 1 to 64 threads");
    int code = child_start(&child, SIGKILL, measure_apart, &order, e);
    if (code)
        return code;
    code = child_receive(child.fd, out, sizeof *out)
               ? err_pass(e, &out->err)
               : err_set(e, ERR_IO, "", "a measuring process ended without an answer");
    child_end(&child);
    return code;
}

int bench_step(const struct bench_case *c, double seconds, struct bench_figures *out,
               struct err *e)
{
    struct answer answer = {0};
    int code = in_child(measure_step, c, seconds, &answer, e);
    *out = answer.figures[0];
    return code;
}

int bench_tasks(const struct task *first, const struct task *second, double seconds,
                struct bench_figures figures[2], double *time_ratio, struct err *e)
{
    struct answer answer = {0};
    const struct task_pair pair = {{.threads = 1}, {first, second}};
    int code = in_child(measure_tasks, &pair.subject, seconds, &answer, e);
    memcpy(figures, answer.figures, sizeof answer.figures);
    *time_ratio = answer.ratio;
    return code;
}

int bench_memory(const struct bench_case *c, int steps, struct bench_figures *out, struct err *e)
{
    struct answer answer = {0};
    int code = in_child(measure_memory, c, steps, &answer, e);
    *out = answer.figures[0];
    return code;
}

int bench_pair(const struct bench_case pair[2], double seconds, struct bench_figures figures[2],
               double *time_ratio, struct err *e)
{
    struct answer answer = {0};
    double ratio[PAIR_PROCESSES];
    int code = 0;
    for (int k = 0; k < PAIR_PROCESSES && !code; k++) {
        int first = k % 2;
        const struct bench_case turned[2] = {pair[first], pair[!first]};
        code = in_child(measure_pair, turned, seconds / PAIR_PROCESSES, &answer, e);
        ratio[k] = first ? 1 / answer.ratio : answer.ratio;
        for (int n = 0; n < 2; n++)
            figures[first ? !n : n] = answer.figures[n];
    }
    for (int k = 0; k < 2 && !code; k++) {
        struct bench_figures memory;
        code = bench_memory(&pair[k], WARM_UP, &memory, e);
        figures[k].peak_mib = memory.peak_mib;
    }
    if (!code)
        *time_ratio = median(ratio, PAIR_PROCESSES);
    return code;
}

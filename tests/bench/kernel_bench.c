/* Speed of the kernels, for people who change them: attention in GFLOP/s against the matrix
 * product at matching shapes, the other kernels in nanoseconds an element.  Each figure is the best
 * of several repetitions.  Usage: kernel_bench [VARIANT] */
#include <stdio.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "kernel/kernel.h"

enum { REPETITIONS = 9 };
static const double least_seconds = 0.02;

/* Processor time of this thread: other programs on the machine then matter less. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Best seconds a call. */
static double measure(void (*call)(void *), void *data)
{
    double best = 1e30;
    for (int r = 0; r < REPETITIONS; r++) {
        int calls = 0;
        double start = now(), seconds;
        do {
            call(data);
            calls++;
            seconds = now() - start;
        } while (seconds < least_seconds);
        best = seconds / calls < best ? seconds / calls : best;
    }
    return best;
}

static real *numbers(size_t count, uint64_t seed)
{
    struct err e = {0};
    struct stream s;
    real *x = memory_alloc(count, sizeof *x, &e);
    stream_open(&s, seed, "bench", 0);
    for (size_t k = 0; x && k < count; k++)
        x[k] = (real)(2 * stream_uniform24(&s) - 1);
    return x;
}

/* ---- attention --------------------------------------------------------------------------------*/
struct attention {
    struct attention_shape shape;
    bool plain, backward;
    real *q, *bias, *c, *o, *lse, *dout, *dq, *dbias, *dc, *scratch;
};

static void call_attention(void *data)
{
    struct attention *a = data;
    int d = a->shape.head_width;
    const real *k = a->q + d, *v = a->q + 2 * d;
    if (!a->backward)
        (a->plain ? &kernel_plain : kernel())->attention_forward(
            &a->shape, a->q, k, v, a->bias, a->c, a->o, a->lse, a->scratch);
    else
        (a->plain ? &kernel_plain : kernel())->attention_backward(
            &a->shape, a->q, k, v, a->bias, a->c, a->o, a->lse, a->dout, a->dq, a->dq + d,
            a->dq + 2 * d, a->dbias, a->dc, a->scratch);
}

static double attention_rate(struct attention *a, bool plain, bool backward, bool urpe)
{
    struct attention b = *a;
    b.plain = plain;
    b.backward = backward;
    b.c = urpe ? a->c : NULL;
    b.dc = urpe ? a->dc : NULL;
    double n = b.shape.n, products = backward ? 5 : 2;
    return products * 2 * n * n * b.shape.head_width / measure(call_attention, &b) * 1e-9;
}

static void bench_attention(int n, int d)
{
    size_t in = (size_t)n * (size_t)d * 3, out = (size_t)n * (size_t)d, table = (size_t)(2 * n);
    struct attention a = {.shape = {.n = n,
                                    .head_width = d,
                                    .scale = (real)0.2,
                                    .stride = 3 * d,
                                    .output_stride = d,
                                    .relations = 2 * n - 1,
                                    .origin = n - 1}};
    real **all[] = {&a.q, &a.dq, &a.o, &a.dout, &a.lse, &a.bias, &a.c, &a.dbias, &a.dc, &a.scratch};
    size_t sizes[] = {in, in, out, out, (size_t)n, table, table, table, table,
                      attention_scratch(&a.shape)};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        *all[k] = numbers(sizes[k], k);
    call_attention(&a);
    printf("attention n %4d d %3d  forward %6.1f (rpe %6.1f, plain %5.2f)  backward %6.1f "
           "(rpe %6.1f, plain %5.2f) GFLOP/s\n",
           n, d, attention_rate(&a, false, false, true), attention_rate(&a, false, false, false),
           attention_rate(&a, true, false, true), attention_rate(&a, false, true, true),
           attention_rate(&a, false, true, false), attention_rate(&a, true, true, true));
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        memory_free(*all[k]);
}

/* ---- matrix products --------------------------------------------------------------------------*/
struct matrices {
    int rows, in, out;
    real *x, *w, *y;
};

static void call_gemm(void *data)
{
    struct matrices *g = data;
    gemm(false, true, g->rows, g->out, g->in, 1, g->x, g->in, g->w, g->in, 0, g->y, g->out);
}

static void bench_gemm(int rows, int in, int out)
{
    struct matrices g = {rows, in, out, numbers((size_t)rows * (size_t)in, 1),
                         numbers((size_t)in * (size_t)out, 2),
                         numbers((size_t)rows * (size_t)out, 3)};
    double seconds = measure(call_gemm, &g);
    printf("product (%d,%d) x (%d,%d)  %.1f GFLOP/s\n", rows, in, in, out,
           2.0 * rows * in * out / seconds * 1e-9);
    memory_free(g.x);
    memory_free(g.w);
    memory_free(g.y);
}

/* ---- rows and elements ------------------------------------------------------------------------*/
enum { ROWS = 512, WIDTH = 256 };

struct rows {
    real *x, *y, *dy, *w, *bias, *mean, *rstd;
};

static void call_gelu(void *data)
{
    struct rows *r = data;
    kernel()->activation_forward(ACTIVATION_GELU, ROWS, WIDTH, r->x, r->bias, r->y);
}

static void call_gelu_backward(void *data)
{
    struct rows *r = data;
    kernel()->activation_backward(ROWS, WIDTH, r->x, r->dy, r->y, r->bias);
}

static void call_layernorm(void *data)
{
    struct rows *r = data;
    kernel()->layernorm_forward(ROWS, WIDTH, (real)1e-5, r->x, r->w, r->bias, r->y, r->mean,
                                r->rstd);
}

static void call_layernorm_backward(void *data)
{
    struct rows *r = data;
    kernel()->layernorm_backward(ROWS, WIDTH, r->x, r->w, r->mean, r->rstd, r->dy, r->y, r->bias,
                                 r->bias);
}

static void call_softmax(void *data)
{
    struct rows *r = data;
    kernel()->softmax_forward(ROWS, WIDTH, WIDTH, NULL, r->x, r->mean);
}

static void call_crossentropy(void *data)
{
    static const int32_t label[ROWS] = {0};
    struct rows *r = data;
    kernel()->crossentropy(ROWS, WIDTH, 1, r->x, label);
}

static void call_adam(void *data)
{
    struct rows *r = data;
    struct adam_step step = {(real)1e-9, (real)0.9, (real)0.999, (real)1e-8, 1, 1, 0, 0, 1};
    kernel()->adam_update((size_t)ROWS * WIDTH, &step, r->dy, r->w, r->y, r->x);
}

static void call_bias(void *data)
{
    struct rows *r = data;
    kernel()->bias_forward(ROWS, WIDTH, r->x, r->bias, r->y);
}

static void call_bias_backward(void *data)
{
    struct rows *r = data;
    kernel()->bias_backward(ROWS, WIDTH, r->dy, WIDTH, r->bias);
}

static void call_add(void *data)
{
    struct rows *r = data;
    kernel()->add_forward((size_t)ROWS * WIDTH, r->dy, r->y);
}

static void call_squares(void *data)
{
    struct rows *r = data;
    r->mean[0] = (real)kernel()->sum_squares((size_t)ROWS * WIDTH, r->dy);
}

static void call_squared_error(void *data)
{
    struct rows *r = data;
    r->mean[0] = (real)kernel()->squared_error((size_t)ROWS * WIDTH, r->x, r->dy, 1, r->y);
}

static void bench_rows(void)
{
    static const struct {
        const char *name;
        void (*call)(void *);
    } calls[] = {
        {"gelu forward", call_gelu},           {"gelu backward", call_gelu_backward},
        {"layernorm forward", call_layernorm}, {"layernorm backward", call_layernorm_backward},
        {"softmax", call_softmax},             {"cross-entropy", call_crossentropy},
        {"adam", call_adam},                   {"bias forward", call_bias},
        {"bias backward", call_bias_backward}, {"add", call_add},
        {"sum of squares", call_squares},      {"squared error", call_squared_error},
    };
    for (size_t k = 0; k < sizeof calls / sizeof calls[0]; k++) {
        size_t count = (size_t)ROWS * WIDTH;
        struct rows r = {numbers(count, 1), numbers(count, 2), numbers(count, 3), numbers(count, 4),
                         numbers(WIDTH, 5), numbers(ROWS, 6), numbers(ROWS, 7)};
        for (size_t i = 0; i < count; i++)
            r.x[i] *= r.x[i]; /* Adam's second moment is not negative */
        printf("%-20s %6.3f ns an element\n", calls[k].name,
               measure(calls[k].call, &r) / (double)count * 1e9);
        memory_free(r.x);
        memory_free(r.y);
        memory_free(r.dy);
        memory_free(r.w);
        memory_free(r.bias);
        memory_free(r.mean);
        memory_free(r.rstd);
    }
}

int main(int argc, char **argv)
{
    static const int heads[][2] = {{16, 8}, {32, 16}, {64, 32}, {128, 32}, {128, 64}, {512, 32}};
    static const int products[][3] = {{512, 32, 96},     {512, 32, 128},    {1024, 64, 192},
                                      {1024, 64, 256},   {2048, 128, 384},  {2048, 128, 512},
                                      {2048, 256, 768},  {2048, 256, 1024}};
    struct err e = {0};
    if (kernel_open(&e) || (argc > 1 && kernel_force(argv[1], &e))) {
        fprintf(stderr, "%s\n", e.msg);
        return 2;
    }
    printf("%s, %s, %s\n", kernel_name(), kernel_blas_name(), REAL_NAME);
    for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++)
        bench_attention(heads[k][0], heads[k][1]);
    for (size_t k = 0; k < sizeof products / sizeof products[0]; k++)
        bench_gemm(products[k][0], products[k][1], products[k][2]);
    bench_rows();
    return 0;
}

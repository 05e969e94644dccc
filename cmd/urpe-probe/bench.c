/* urpe-probe bench: step time against this machine's own SGEMM, RPE against URPE, memory against n. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_fit.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/system.h"
#include "command.h"
#include "commands.h"
#include "kernel/kernel.h"
#include "run/bench.h"
#include "run/run.h"

#define STEP_SECONDS 6.0
#define PAIR_SECONDS 21.0

static const struct bench_case sizes[] = {
    {.n = 16, .width = 32, .layers = 2, .batch = 32, .heads = 4},
    {.n = 32, .width = 64, .layers = 2, .batch = 32, .heads = 4},
    {.n = 64, .width = 128, .layers = 3, .batch = 32, .heads = 4},
    {.n = 128, .width = 256, .layers = 3, .batch = 16, .heads = 8},
};
/* Heads of 64 channels, as in the paper's model; and of 16: C costs a fixed number of operations
 * for each pair of positions and head, so narrow heads show it most. */
static const struct bench_case pairs[] = {
    {.n = 128, .width = 128, .layers = 2, .batch = 8, .heads = 2},
    {.n = 256, .width = 128, .layers = 2, .batch = 8, .heads = 2},
    {.n = 512, .width = 128, .layers = 2, .batch = 8, .heads = 2},
    {.n = 128, .width = 64, .layers = 2, .batch = 8, .heads = 4},
    {.n = 256, .width = 64, .layers = 2, .batch = 8, .heads = 4},
    {.n = 512, .width = 64, .layers = 2, .batch = 8, .heads = 4},
};
static const int memory_lengths[] = {512, 1024, 2048, 4096, 8192};
#define COUNT_OF(a) ((int)(sizeof(a) / sizeof *(a)))

struct bench {
    struct text csv;
    double ms[COUNT_OF(sizes)]; /* at one thread */
};

static void add_row(struct bench *b, const struct bench_case *c, const struct bench_figures *f)
{
    struct text *t = &b->csv;
    const long long whole[] = {c->n, c->width, c->layers, c->batch, c->heads};
    for (int k = 0; k < COUNT_OF(whole); k++)
        csv_field_int(t, whole[k]);
    csv_field(t, c->urpe ? "urpe" : "rpe");
    csv_field_int(t, c->threads);
    csv_field_double(t, f->ms_per_step, 6);
    csv_field_double(t, f->tokens_per_second, 6);
    csv_field_double(t, f->flops, 6);
    csv_field_double(t, f->sgemm_flops > 0 ? f->sgemm_flops : NAN, 6);
    csv_field_double(t, f->ratio > 0 ? f->ratio : NAN, 4);
    csv_field_double(t, f->peak_flops > 0 ? f->peak_flops : NAN, 6);
    csv_field_double(t, f->peak_ratio > 0 ? f->peak_ratio : NAN, 4);
    csv_field_double(t, f->peak_mib, 6);
    csv_end_row(t);
}

static int run_sizes(struct bench *b, int threads, struct err *e)
{
    for (int k = 0; k < COUNT_OF(sizes); k++) {
        struct bench_case c = sizes[k];
        struct bench_figures f;
        c.urpe = true;
        c.threads = threads;
        int code = bench_step(&c, STEP_SECONDS, &f, e);
        if (code)
            return code;
        add_row(b, &c, &f);
        printf("%4d %5d %6d %5d %7d %9.3f %9.0f %8.1f %8.1f %6.3f %8.1f %6.3f %8.1f", c.n, c.width, c.layers,
               c.batch, threads, f.ms_per_step, f.tokens_per_second, f.flops / 1e9,
               f.sgemm_flops / 1e9, f.ratio, f.peak_flops / 1e9, f.peak_ratio, f.peak_mib);
        if (threads == 1)
            b->ms[k] = f.ms_per_step;
        else
            printf("  %.2f x one thread", b->ms[k] / f.ms_per_step);
        printf("\n");
        fflush(stdout);
    }
    return 0;
}

static int run_pairs(struct bench *b, struct err *e)
{
    printf("\nRPE against URPE, steps in turn, one thread, 2 layers, batch 8: heads of 64 channels, "
           "the paper's,\nthen of 16, which show the cost of C most\n"
           "   n     d heads    rpe ms   urpe ms  time ratio   rpe MiB  urpe MiB  memory ratio\n");
    for (int k = 0; k < COUNT_OF(pairs); k++) {
        struct bench_case c = pairs[k];
        c.threads = 1;
        struct bench_figures f[2];
        double ratio;
        int code = bench_pair(&c, PAIR_SECONDS, f, &ratio, e);
        if (code)
            return code;
        for (int u = 0; u < 2; u++) {
            c.urpe = u;
            add_row(b, &c, &f[u]);
        }
        printf("%4d %5d %5d %9.3f %9.3f %11.4f %9.1f %9.1f %13.4f\n", c.n, c.width, c.heads,
               f[0].ms_per_step, f[1].ms_per_step, ratio, f[0].peak_mib, f[1].peak_mib,
               f[1].peak_mib / f[0].peak_mib);
        fflush(stdout);
    }
    return 0;
}

static int run_memory(struct bench *b, struct err *e)
{
    double x[COUNT_OF(memory_lengths)], y[COUNT_OF(memory_lengths)], start, slope, v00, v01, v11,
        residual;
    printf("\nMemory against length, one step: width 64, 2 layers, batch 1\n"
           "    n        ms  peak MiB\n");
    for (int k = 0; k < COUNT_OF(memory_lengths); k++) {
        struct bench_case c = {.n = memory_lengths[k], .width = 64, .layers = 2, .batch = 1,
                               .heads = 4, .urpe = true, .threads = 1};
        struct bench_figures f;
        int code = bench_memory(&c, 1, &f, e);
        if (code)
            return code;
        add_row(b, &c, &f);
        printf("%5d %9.1f %9.1f\n", c.n, f.ms_per_step, f.peak_mib);
        fflush(stdout);
        x[k] = log(c.n);
        y[k] = log(f.peak_mib);
    }
    if (gsl_fit_linear(x, 1, y, 1, (size_t)COUNT_OF(memory_lengths), &start, &slope, &v00, &v01,
                       &v11, &residual))
        return err_set(e, ERR_NUMERIC, "", "the exponent could not be fitted");
    printf("exponent of peak memory in n: %.3f\n", slope);
    return 0;
}

static int run(const struct arguments *a, struct err *e)
{
    struct bench b = {0};
    char cpu[128];
    int threads = a->threads > 0 ? a->threads : system_cores() > 1 ? 2 : 1;
    system_cpu_name(cpu, sizeof cpu);
    text_append(&b.csv, "n,d,layers,batch,heads,attention,threads,ms_per_step,tokens_per_second,"
                        "flops,sgemm_flops,ratio,peak_flops,peak_ratio,peak_mib\n");
    printf("%s\n"
           "FLOP of a step = 3 x batch x forward; forward = layers x (2 n (4 d d + 2 d f) + 4 n n d)"
           " + 2 n d (in + out)\n"
           "SGEMM: the linear layers' products at (batch n) rows by the BLAS library; peak: multiply-adds "
           "in registers;\nboth in turn with the steps, each ratio the median over turns\n"
           "   n     d layers batch threads   ms/step  tokens/s  GFLOP/s    SGEMM  ratio     peak  ratio "
           "peak MiB\n",
           cpu);
    int code = a->csv ? file_check_write(a->csv, e) : 0;
    if (!code)
        code = run_sizes(&b, 1, e);
    if (!code && threads > 1)
        code = run_sizes(&b, threads, e);
    if (!code)
        code = run_pairs(&b, e);
    if (!code)
        code = run_memory(&b, e);
    if (!code)
        code = text_check(&b.csv, e);
    if (!code && a->csv)
        code = file_write(a->csv, b.csv.data, b.csv.length, e);
    text_close(&b.csv);
    return code;
}

const struct command command_bench = {
    .name = "bench",
    .operands = "",
    .summary = "time training steps against this machine's own matrix products",
    .details = "Prints milliseconds a step, tokens and FLOP/s, and their ratio to SGEMM at the "
               "model's own shapes measured in turn; then RPE against URPE in time and memory, and "
               "memory against length. Takes under 5 minutes; the machine should be idle.",
    .flag = {FLAG_BENCH_CSV, FLAG_BENCH_THREADS},
    .run = run};

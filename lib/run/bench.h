/* Timing of training steps against this machine's own matrix products.
 *
 * Invariant: every measurement runs in a process of its own, forked before any BLAS call, and what
 * is compared is timed in turn, A B A B, in one process, so that a machine whose speed drifts gives
 * true ratios. */
#ifndef RUN_BENCH_H
#define RUN_BENCH_H
#include <stdbool.h>

#include "base/err.h"

struct bench_case {
    int n, width, layers, batch, heads;
    bool urpe;
    int threads;
    const char *keys;     /* further keys of the model, ", mask: causal"; NULL: none */
    const char *encoding; /* NULL: toeplitz */
    bool graphs;          /* of n nodes; else a line */
};

struct bench_figures {
    double ms_per_step, tokens_per_second;
    double flops;       /* of the training step, FLOP/s: 3 x forward matrix products / time */
    double sgemm_flops; /* of SGEMM at the model's shapes, as many at a time as there are threads */
    double ratio;       /* flops / sgemm_flops, median over turns */
    double peak_flops;  /* of multiply-adds in registers, likewise */
    double peak_ratio;  /* flops / peak_flops, median over turns */
    double peak_mib;    /* of the process that took the steps */
};

/* The step against the BLAS library's SGEMM at the shapes of the model's linear layers (forward,
 * gradient of the input, gradient of the weight; all rows of the batch), and against the cores' own
 * peak of multiply-adds, in turns for about `seconds`. */
int bench_step(const struct bench_case *c, double seconds, struct bench_figures *out,
               struct err *e);

/* Two cases with as many threads, in turns, in several processes, each time with the other first in
 * memory.  figures[k] is that of pair[k], without sgemm_flops and ratio; *time_ratio is the median over
 * the processes of the median over turns of pair[1] / pair[0]; peaks come from processes of their own. */
int bench_pair(const struct bench_case pair[2], double seconds, struct bench_figures figures[2],
               double *time_ratio, struct err *e);

/* Two tasks in turns, one thread, for about `seconds` and two turns at least: figures[0] is the first's;
 * *time_ratio: second / first, median over turns. */
struct task;
int bench_tasks(const struct task *first, const struct task *second, double seconds,
                struct bench_figures figures[2], double *time_ratio, struct err *e);

/* Takes `steps` steps; time and peak memory only. */
int bench_memory(const struct bench_case *c, int steps, struct bench_figures *out, struct err *e);

#endif

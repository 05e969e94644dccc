/* Private to lib/kernel: what one instruction-set variant provides.
 *
 * The bodies (body_*.h) are written once over the vector type of simd.h and compiled once for each
 * variant, by variant_<name>.c; each of those files defines one const table. */
#ifndef KERNEL_VARIANT_H
#define KERNEL_VARIANT_H
#include "kernel/kernel.h"

struct kernel_table {
    const char *name;
    void (*bias_forward)(int rows, int d, const real *x, const real *bias, real *y);
    void (*bias_backward)(int rows, int d, const real *dy, int ld, real *dbias);
    void (*add_forward)(size_t count, const real *x, real *y);
    void (*activation_forward)(enum activation kind, int rows, int d, real *x, const real *bias,
                               real *y);
    void (*activation_backward)(enum activation kind, int rows, int d, const real *x,
                                const real *dy, real *dx, real *dbias);
    void (*layernorm_forward)(int rows, int d, real epsilon, const real *x, const real *gain,
                              const real *bias, real *y, real *mean, real *rstd);
    void (*layernorm_backward)(int rows, int d, const real *x, const real *gain, const real *mean,
                               const real *rstd, const real *dy, real *dx, real *dgain,
                               real *dbias);
    void (*softmax_forward)(int rows, int n, int ld, const int *count, real *s, real *lse);
    void (*softmax_recompute)(int rows, int n, int ld, const int *count, real *s,
                              const real *lse);
    void (*softmax_backward)(int rows, int n, int ld, const real *a, const real *da,
                             const real *dot, real *ds);
    double (*crossentropy)(int rows, int labels, real scale, real *logits, const int32_t *label);
    double (*squared_error)(size_t count, const real *y, const real *f, real scale, real *dy);
    double (*sum_squares)(size_t count, const real *x);
    void (*adam_update)(size_t count, const struct adam_step *step, const real *gradient, real *p,
                        real *m, real *v);
    void (*attention_forward)(const struct attention_shape *shape, const real *q, const real *k,
                              const real *v, const real *bias, const real *c, real *o, real *lse,
                              real *scratch);
    void (*attention_backward)(const struct attention_shape *shape, const real *q, const real *k,
                               const real *v, const real *bias, const real *c, const real *o,
                               const real *lse, const real *dout, real *dq, real *dk, real *dv,
                               real *dbias, real *dc, real *scratch);
};

extern const struct kernel_table kernel_table_portable;
#if defined(__x86_64__)
extern const struct kernel_table kernel_table_avx2;
extern const struct kernel_table kernel_table_avx512;
#endif

/* The widest vector of any variant, in elements: scratch is padded for it, so that its size does
 * not depend on the variant. */
#define LANES_MAX (64 / (int)sizeof(real))
/* Vectors of query rows that one block of the fused attention holds. */
#define BLOCK_VECTORS 2

#endif

/* Numeric kernels: pure functions on row-major arrays, no allocation, no state, no failure.
 *
 * Conventions.  "rows x d" arrays are row-major with leading dimension d unless a stride is named.
 * A forward kernel overwrites its output; a backward kernel ACCUMULATES into gradients of
 * parameters and overwrites gradients of activations, unless it says otherwise.  Pointers may not
 * alias unless it says so. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/real.h"

/* ---- choice of instruction set ------------------------------------------------------------------
 * Made once, by kernel_open, before any other call: the best of portable, avx2, avx512 and neon that
 * this machine has, or what the environment variable URPE_KERNEL names.  ERR_USAGE when that, or the
 * BLAS library's OPENBLAS_CORETYPE, is unknown or not supported here.  Also switches the BLAS library's own threads off, so it must
 * run after the last fork.  The float and the double set choose separately: a program that uses
 * both opens both.  Without kernel_open the portable kernels serve. */
int kernel_open(struct err *e);
const char *kernel_name(void);       /* "portable", "avx2", "avx512", "neon" */
const char *kernel_blas_name(void);  /* e.g. "OpenBLAS 0.3.21 SkylakeX + libxsmm skx" */
int kernel_force(const char *name, struct err *e); /* for tests */
/* For the first line of a program.  From here on, in what it forks too, each product of the BLAS library
 * is of one thread: if each process said so for itself, OpenBLAS would start threads for it, which
 * spin for a while.  true: the environment now has what OpenBLAS reads while it is loaded, and the program
 * is to start anew.  OPENBLAS_CORETYPE: it takes a processor newer than itself for its oldest one,
 * Prescott, and its products then take five times as long.  OPENBLAS_NUM_THREADS: its idle threads
 * spin for a while, which alone is not worth a start; under a limit of address space they ask for buffers
 * for ever, and a fork or the program's end waits for them. */
bool kernel_settle_blas(void);
/* Before the forks of a program whose children multiply: what they would each set up for themselves, and
 * may share.  (libxsmm's registry of kernels takes 8 MB and locks them in memory: several milliseconds.) */
void kernel_share(void);
/* Whether there is address space for the buffers that the BLAS library gives to so many threads:
 * without, it would hang.  ERR_MEMORY names the limit.  Calls no BLAS. */
int kernel_room(int threads, struct err *e);
/* The same for this process, before its first product; takes the first buffer. */
int kernel_reserve(int threads, struct err *e);

/* ---- matrix products (CBLAS, libxsmm) --------------------------------------------------------------------
 * C (m,n) = alpha op(A) op(B) + beta C.  op(X) is X, or its transpose where ta (tb) is true; lda,
 * ldb, ldc are the strides between stored rows. */
void gemm(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
          int ldb, real beta, real *c, int ldc);
/* The same by the BLAS library, whatever gemm would choose: a yardstick. */
void gemm_blas(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda,
               const real *b, int ldb, real beta, real *c, int ldc);

/* Whether a linear layer, y = x W' with W (out,in), is faster with W' (in,out) already transposed. */
bool linear_is_turned(int in, int out);
/* Whether any program might turn a matrix of this size. */
bool linear_is_small(int in, int out);
/* out (columns,rows) = in (rows,columns), transposed. */
void gemm_turn(int rows, int columns, const real *in, real *out);

/* ---- arguments of kernels --------------------------------------------------------------------- */
enum activation { ACTIVATION_RELU, ACTIVATION_GELU, ACTIVATION_SILU, ACTIVATION_COUNT };

struct adam_step {
    real rate, beta1, beta2, epsilon, correction1, correction2, decay, l2, clip;
};

/* Attention of one head of one sample.  r(i,j) = relation[i n + j], or j - i + origin when relation
 * is NULL: then row i of a table is the contiguous run bias + origin - i.  Query i sees key j where
 * low <= j - i <= high and r(i,j) is not hidden. */
enum attention_form {
    ATTENTION_SOFTMAX, /* a = softmax(s) over what the row sees */
    ATTENTION_SIGMOID, /* a_ij = factor_i / (1 + exp(-s_ij - offset_i)) */
    ATTENTION_RELU,    /* a_ij = factor_i max(s_ij + offset_i, 0) */
    ATTENTION_RELU2    /* a_ij = factor_i max(s_ij + offset_i, 0)^2 */
};
struct attention_shape {
    int n;                   /* positions */
    int head_width;          /* d_h */
    int low, high;           /* offsets j - i that are seen; n either way: all */
    const uint8_t *hidden;   /* (relations) whether a relation is hidden, or NULL: none is */
    enum attention_form form;
    const real *offset;      /* (n) not for softmax; NULL: 0 */
    const real *factor;      /* (n) likewise; NULL: 1 */
    real scale;              /* usually 1/sqrt(d_h) */
    int stride;              /* between rows of q, k, v and of dq, dk, dv */
    int output_stride;       /* between rows of o and do */
    int relations;           /* length of bias, c, dbias, dc */
    int origin;              /* n - 1 for a sequence */
    /* Calls for one head of several samples: with `follows` the tables in scratch are still those
     * that the last call has left there (same n, bias, c, form and direction), and with `continues`
     * dbias and dc wait in scratch for the next call, which follows. */
    bool follows, continues;
    const int32_t *relation; /* (n,n) or NULL */
};
/* Scratch that attention_forward / attention_backward need, in elements; at most linear in n. */
size_t attention_scratch(const struct attention_shape *shape);
/* The weight of a logit under an elementwise form (factor 1, offset 0), and its derivative by it. */
real attention_weight(enum attention_form form, real s, real *slope);
/* One vector x (count) becomes factor gain x / sqrt(mean(x^2) + epsilon), sums in double.  Backward, from
 * what x was: dx in place, dgain accumulated. */
void rms_vector(int count, double epsilon, double factor, const real *gain, real *x);
void rms_vector_backward(int count, double epsilon, double factor, const real *gain, const real *x,
                         real *dx, real *dgain);
/* Rows per block that keeps R x n scratch in the second-level cache; depends on n alone. */
int attention_block_rows(int n);

/* ---- kernels --------------------------------------------------------------------------------- */
struct kernel_table {
    const char *name;
    /* Multiply-adds in registers alone, `rounds` times: what the core can do at most.  Returns the
     * FLOPs done (*sink is written so that they cannot be left out). */
    double (*multiply_add)(size_t rounds, real *sink);
    /* y (rows,d) = x + bias (d), in place allowed. */
    void (*bias_forward)(int rows, int d, const real *x, const real *bias, real *y);
    /* dbias (d) += sum over rows of dy (rows,d; row stride ld). */
    void (*bias_backward)(int rows, int d, const real *dy, int ld, real *dbias);
    /* y += x over count elements. */
    void (*add_forward)(size_t count, const real *x, real *y);

    /* y = act(x + bias), x (rows,d), and x becomes act'(x + bias), which the backward pass needs and
     * which costs little beside act.  GELU is the exact one, x Phi(x), with erf, and SiLU (Swish)
     * x / (1 + exp(-x)).  Source: Hendrycks and Gimpel 2016. */
    void (*activation_forward)(enum activation kind, int rows, int d, real *x, const real *bias,
                               real *y);
    /* dx = dy * slope, with x as left by the forward pass for slope; dx may be dy.  dbias (d) += sum
     * over rows of dx. */
    void (*activation_backward)(int rows, int d, const real *slope, const real *dy, real *dx,
                                real *dbias);

    /* y = (x - mean) / sqrt(var + epsilon) * gain + bias per row; mean and rstd (rows) are kept.
     * In place (y == x) is not allowed.  Source: Ba, Kiros, Hinton 2016.  bias (and dbias) NULL:
     * RMSNorm, y = x / sqrt(mean(x^2) + epsilon) * gain, with mean 0.  Source: Zhang, Sennrich 2019. */
    void (*layernorm_forward)(int rows, int d, real epsilon, const real *x, const real *gain,
                              const real *bias, real *y, real *mean, real *rstd);
    /* dx += (accumulates: a residual stream's gradient is already there); dgain, dbias += . */
    void (*layernorm_backward)(int rows, int d, const real *x, const real *gain, const real *mean,
                               const real *rstd, const real *dy, real *dx, real *dgain,
                               real *dbias);

    /* Softmax of each of `rows` rows of s (row stride ld) over its first count[r] entries (count
     * NULL: all n); the other entries become exactly 0.  In place.  lse (rows) = log sum exp of the
     * row, kept so that the backward pass can recompute the same probabilities with
     * softmax_recompute.  Stable for logits of any size; a row with count 0 becomes zeros with
     * lse = 0. */
    void (*softmax_forward)(int rows, int n, int ld, const int *count, real *s, real *lse);
    /* s = exp(s - lse), masked as above. */
    void (*softmax_recompute)(int rows, int n, int ld, const int *count, real *s,
                              const real *lse);
    /* ds = a * (da - dot), dot (rows) given or, when NULL, computed as sum_j a da.  ds may be
     * da. */
    void (*softmax_backward)(int rows, int n, int ld, const real *a, const real *da,
                             const real *dot, real *ds);

    /* Cross-entropy of `rows` rows of logits (rows,labels) against label ids.  On return logits
     * hold d(sum of losses)/d(logits) times `scale`.  Returns the sum of losses in nats. */
    double (*crossentropy)(int rows, int labels, real scale, real *logits, const int32_t *label);
    /* Sum over count of (y - f)^2 in double, and dy = scale * 2 (y - f).  dy may be NULL or y. */
    double (*squared_error)(size_t count, const real *y, const real *f, real scale, real *dy);
    /* Sum of squares in double, in a fixed order. */
    double (*sum_squares)(size_t count, const real *x);

    /* One Adam step over a block (Kingma and Ba 2015; decoupled decay: Loshchilov and Hutter 2019):
     *   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;
     *   p -= rate * (m / c1) / (sqrt(v / c2) + epsilon) + rate * decay * p
     * with g = gradient * clip (+ l2 * p), c1 = 1 - b1^t, c2 = 1 - b2^t given by the caller. */
    void (*adam_update)(size_t count, const struct adam_step *step, const real *gradient, real *p,
                        real *m, real *v);

    /* Fused attention: works on blocks of whole query rows, never holds (n,n).  C multiplies the
     * weights a and nothing is renormalised (Luo et al. 2022, eq. 5):
     *   s_ij = scale q_i.k_j + bias[r(i,j)]    a = form of s    o_i = sum_j a_ij c[r(i,j)] v_j
     * a_ij = 0 where i does not see j, and a row that sees nothing has o_i = 0.  bias, c:
     * (relations) or NULL (0 and 1).  o overwritten.  lse (n): log sum exp of each row, kept for
     * the backward pass; softmax only (a row that sees nothing: a number far below any logit).
     * Scaling o_i and raising lse_i between the passes is another weight in the denominator (a
     * sink): the backward pass needs to know nothing of it. */
    void (*attention_forward)(const struct attention_shape *shape, const real *q, const real *k,
                              const real *v, const real *bias, const real *c, real *o, real *lse,
                              real *scratch);
    /* o and lse from the forward pass.  dq, dk, dv overwritten; dbias, dc (relations) accumulated,
     * NULL where bias, c are NULL. */
    void (*attention_backward)(const struct attention_shape *shape, const real *q, const real *k,
                               const real *v, const real *bias, const real *c, const real *o,
                               const real *lse, const real *dout, real *dq, real *dk, real *dv,
                               real *dbias, real *dc, real *scratch);
};
/* The table in use. */
const struct kernel_table *kernel(void);
/* The plain twins, written as the formulas read, of those that do more than a plain loop; NULL for
 * the others.  Tests compare the two. */
extern const struct kernel_table kernel_plain;

#endif

/* Matrix products: the only file that sees CBLAS and libxsmm.  Every product of the program that is
 * not inside a fused attention kernel goes through gemm.
 *
 * At the sizes of linear layers a BLAS library spends a fifth to a half of its time on packing its
 * operands.  libxsmm (where it exists: x86-64) generates a kernel for each small size, which reads
 * them where they are.  Its matrices are column-major: it computes C' = B' A'. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>
#ifdef HAVE_LIBXSMM
#pragma push_macro("gemm") /* gemm_double in the second set, and a word of libxsmm's macros */
#undef gemm
#include <libxsmm.h>
#pragma pop_macro("gemm")
#endif

#include "base/system.h"
#include "base/text.h"
#include "kernel/kernel.h"
#include "kernel/variant.h"

#ifdef REAL_DOUBLE
#define CBLAS_GEMM cblas_dgemm
#define GENERATED libxsmm_dmmfunction
#define GENERATE libxsmm_dmmdispatch
#else
#define CBLAS_GEMM cblas_sgemm
#define GENERATED libxsmm_smmfunction
#define GENERATE libxsmm_smmdispatch
#endif

/* Rows of C, and terms of a sum over rows, that one call of a generated kernel takes: what it reads
 * stays in the first-level cache.  What every call reads again (or, in a sum over rows, adds to)
 * should stay in the second: where it does not, products take so many columns at a time, a multiple of
 * COLUMNS, that half of the cache holds them; beyond SMALL elements packing pays.  libxsmm orders the terms
 * of a sum by the width of a kernel's first columns, so none that is cut has less than COLUMNS of them:
 * then results do not depend on the cache.  CACHE: KiB, where the system does not say. */
enum { ROWS = 64, TERMS = 128, COLUMNS = 64, SMALL = 1 << 18, CACHE = 512 };

#ifdef HAVE_LIBXSMM
/* Written by products_open, before any thread uses a kernel. */
static bool generate, wide; /* wide: kernels use registers of AVX */
static size_t cached;       /* elements that half of a second-level cache holds */

/* Generated kernels leave the upper halves of vector registers in use, and then each instruction of SSE,
 * which the compiler moves structs with, waits for what was written there last: 1 to 2 % of a step. */
__attribute__((target("avx"))) static void leave_registers(void)
{
    __asm__ volatile("vzeroupper" ::: "memory");
}

/* Calls kernels of `most` rows or terms each, and one of what is left, at a, b and c + k times these
 * strides.  False, and nothing is done, where one of the two cannot be generated. */
struct walk {
    GENERATED whole, rest;
    int total, most;
    size_t a, b, c;
};

static bool walk(const struct walk *w, const real *a, const real *b, real *c)
{
    int blocks = w->total / w->most;
    if ((blocks > 0 && !w->whole) || (w->total % w->most && !w->rest))
        return false;
    for (int k = 0; k < blocks; k++, a += w->a, b += w->b, c += w->c)
        w->whole(b, a, c);
    if (w->total % w->most)
        w->rest(b, a, c);
    if (wide)
        leave_registers();
    return true;
}

static bool by_rows(int m, int n, int k, const real *a, int lda, const real *b, int ldb, real beta,
                    real *c, int ldc)
{
    struct walk w = {.total = m, .most = ROWS, .a = ROWS * (size_t)lda, .c = ROWS * (size_t)ldc};
    w.whole = GENERATE(n, ROWS, k, &ldb, &lda, &ldc, NULL, &beta, NULL, NULL);
    w.rest = GENERATE(n, m % ROWS, k, &ldb, &lda, &ldc, NULL, &beta, NULL, NULL);
    return walk(&w, a, b, c);
}

static bool by_terms(int m, int n, int k, const real *a, int lda, const real *b, int ldb, real beta,
                     real *c, int ldc)
{
    const real add = 1;
    const int flags = LIBXSMM_GEMM_FLAG_TRANS_B;
    struct walk w = {.total = k, .most = TERMS, .a = TERMS * (size_t)lda, .b = TERMS * (size_t)ldb};
    w.whole = GENERATE(n, m, TERMS, &ldb, &lda, &ldc, NULL, &add, &flags, NULL);
    w.rest = GENERATE(n, m, k % TERMS, &ldb, &lda, &ldc, NULL, &add, &flags, NULL);
    for (int r = 0; r < m && beta == 0; r++)
        memset(c + (size_t)r * (size_t)ldc, 0, (size_t)n * sizeof(real));
    return walk(&w, a, b, c); /* after false C is written anew or, with beta 1, as it was */
}

static bool is_generated(bool ta, bool tb, int m, int n, int k, real alpha, real beta)
{
    size_t again = (size_t)n * (size_t)(ta ? m : k);
    return generate && !tb && alpha == 1 && (beta == 0 || beta == 1) && again <= SMALL && m > 0 &&
           n > 0 && k > 0;
}

static void by_columns(bool ta, int m, int n, int k, const real *a, int lda, const real *b, int ldb,
                       real beta, real *c, int ldc)
{
    size_t most = cached / (size_t)(ta ? m : k) / COLUMNS * COLUMNS;
    int step = most < COLUMNS ? COLUMNS : most < (size_t)n ? (int)most : n;
    for (int left = n, columns; left > 0; left -= columns, b += columns, c += columns) {
        columns = left < step + COLUMNS ? left : step;
        if (!(ta ? by_terms : by_rows)(m, columns, k, a, lda, b, ldb, beta, c, ldc))
            gemm_blas(ta, false, m, columns, k, 1, a, lda, b, ldb, beta, c, ldc);
    }
}
#endif

bool linear_is_small(int in, int out)
{
    return (size_t)in * (size_t)out <= SMALL;
}

bool linear_is_turned(int in, int out)
{
#ifdef HAVE_LIBXSMM
    return generate && linear_is_small(in, out);
#else
    return false;
#endif
}

void gemm_turn(int rows, int columns, const real *in, real *out)
{
#ifdef HAVE_LIBXSMM
    libxsmm_otrans(out, in, sizeof *in, (libxsmm_blasint)columns, (libxsmm_blasint)rows,
                   (libxsmm_blasint)columns, (libxsmm_blasint)rows);
#else
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            out[(size_t)c * (size_t)rows + (size_t)r] = in[(size_t)r * (size_t)columns + (size_t)c];
#endif
}

void kernel_share(void)
{
#ifdef HAVE_LIBXSMM
    libxsmm_init();
#endif
}

int products_open(char *name, size_t size, struct err *e)
{
    const char *wish = getenv("URPE_PRODUCTS");
    bool blas = wish && strcmp(wish, "blas") == 0, small = wish && strcmp(wish, "libxsmm") == 0;
    if (wish && wish[0] && !blas && !small)
        return err_set(e, ERR_USAGE, "URPE_PRODUCTS", "unknown library '%s'; expected blas or "
                       "libxsmm", wish);
    const char *cache = getenv("URPE_CACHE");
    int64_t kib = (int64_t)(system_cache() >> 10);
    if (cache && cache[0] && (!text_to_int64(cache, &kib) || kib < 1 || kib > INT_MAX))
        return err_set(e, ERR_USAGE, "URPE_CACHE", "is '%s'; expected KiB, a whole number from 1 to %d",
                       cache, INT_MAX);
#ifdef HAVE_LIBXSMM
    libxsmm_init();
    generate = !blas;
    wide = libxsmm_get_target_archid() >= LIBXSMM_X86_AVX;
    cached = (kib ? (size_t)kib : CACHE) * 1024 / 2 / sizeof(real);
    if (generate)
        snprintf(name, size, "libxsmm %s", libxsmm_get_target_arch());
#else
    if (small)
        return err_set(e, ERR_USAGE, "URPE_PRODUCTS", "this program was built without libxsmm");
#endif
    return 0;
}

void gemm_blas(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda,
               const real *b, int ldb, real beta, real *c, int ldc)
{
    CBLAS_GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n,
               k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void gemm(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
          int ldb, real beta, real *c, int ldc)
{
#ifdef HAVE_LIBXSMM
    if (is_generated(ta, tb, m, n, k, alpha, beta)) {
        by_columns(ta, m, n, k, a, lda, b, ldb, beta, c, ldc);
        return;
    }
#endif
    gemm_blas(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

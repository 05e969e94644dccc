/* Matrix products: the only file that sees CBLAS and libxsmm.  Every product of the program that is
 * not inside a fused attention kernel goes through gemm.
 *
 * At the sizes of linear layers a BLAS library spends a fifth to a half of its time on packing its
 * operands.  libxsmm (where it exists: x86-64) generates a kernel for each small size, which reads
 * them where they are.  Its matrices are column-major: it computes C' = B' A'. */
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
 * stays in the first-level cache.  Beyond SMALL elements in the operand that every call reads again
 * (or, in a sum over rows, adds to), which should stay in the second, packing pays. */
enum { ROWS = 64, TERMS = 128, SMALL = 1 << 18 };

#ifdef HAVE_LIBXSMM
static bool generate; /* written by products_open, before any thread uses a kernel */

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

static bool generated(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda,
                      const real *b, int ldb, real beta, real *c, int ldc)
{
    size_t again = (size_t)n * (size_t)(ta ? m : k);
    if (!generate || tb || alpha != 1 || (beta != 0 && beta != 1) || again > SMALL || m < 1 ||
        n < 1 || k < 1)
        return false;
    return ta ? by_terms(m, n, k, a, lda, b, ldb, beta, c, ldc)
              : by_rows(m, n, k, a, lda, b, ldb, beta, c, ldc);
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
#ifdef HAVE_LIBXSMM
    libxsmm_init();
    generate = !blas;
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
    if (generated(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
        return;
#endif
    gemm_blas(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

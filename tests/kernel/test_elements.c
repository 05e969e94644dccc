/* Element-wise kernels: every variant against its plain twin or a naive loop.
 *
 * Tolerances.  A few roundings each: 8 eps of the largest element.  Sums of `rows` terms below 1 in
 * another order: sqrt(rows) eps is typical, rows eps certain; 64 eps of the largest element covers
 * the sizes here.  GELU: simd_math.h states 1e-7 (float) and 1e-15 (double) for Phi. */
#include "kernel/help_kernel.h"

#include <stdlib.h>
#include <math.h>
#include <string.h>

static const double few = 8 * (double)REAL_EPSILON, sum = 64 * (double)REAL_EPSILON;

static void for_each_variant(void (*check)(int rows, int d))
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        for (int k = 0; k < AWKWARD_SIZES; k++) {
            check(1, awkward_sizes[k]);
            check(13, awkward_sizes[k]);
        }
    }
}

/* ---- bias and sums ----------------------------------------------------------------------------*/
static void check_bias(int rows, int d)
{
    size_t count = (size_t)(rows * d);
    int ld = d + 3;
    struct buffer x = buffer_random(count, 1, 1), bias = buffer_random((size_t)d, 2, 1);
    struct buffer y = buffer_open(count), want = buffer_open(count);
    struct buffer dy = buffer_random((size_t)(rows * ld), 3, 1), dbias = buffer_copy(&bias);
    struct buffer dwant = buffer_copy(&bias);
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < d; j++) {
            want.x[r * d + j] = x.x[r * d + j] + bias.x[j];
            dwant.x[j] += dy.x[r * ld + j];
        }
    kernel()->bias_forward(rows, d, x.x, bias.x, y.x);
    check_close("bias forward", count, y.x, want.x, few);
    kernel()->bias_forward(rows, d, x.x, bias.x, x.x);
    check_close("bias forward in place", count, x.x, want.x, few);
    kernel()->bias_backward(rows, d, dy.x, ld, dbias.x);
    check_close("bias backward", (size_t)d, dbias.x, dwant.x, sum);
    buffer_close(&x);
    buffer_close(&bias);
    buffer_close(&y);
    buffer_close(&want);
    buffer_close(&dy);
    buffer_close(&dbias);
    buffer_close(&dwant);
}

static void check_sums(int rows, int d)
{
    size_t count = (size_t)(rows * d);
    struct buffer x = buffer_random(count, 1, 1), y = buffer_random(count, 2, 1);
    struct buffer z = buffer_copy(&y), dy = buffer_open(count), want = buffer_open(count);
    double squares = 0, error = 0;
    for (size_t k = 0; k < count; k++) {
        double difference = (double)y.x[k] - (double)x.x[k];
        squares += (double)x.x[k] * (double)x.x[k];
        error += difference * difference;
        want.x[k] = (real)0.5 * 2 * (y.x[k] - x.x[k]);
    }
    /* Sums are kept in double for both precisions; eps of double times the number of terms. */
    double exact = (double)count * DBL_EPSILON;
    assert_true(fabs(kernel()->sum_squares(count, x.x) - squares) <= exact * squares);
    assert_false(fabs(kernel()->sum_squares(count, x.x) + 1e-9 - squares) <= exact * squares);
    /* The difference itself may be rounded to `real` first. */
    double rounded = (4 * (double)REAL_EPSILON + exact) * error;
    assert_true(fabs(kernel()->squared_error(count, y.x, x.x, (real)0.5, NULL) - error) <= rounded);
    assert_true(fabs(kernel()->squared_error(count, y.x, x.x, (real)0.5, dy.x) - error) <= rounded);
    check_close("squared error", count, dy.x, want.x, few);
    assert_true(fabs(kernel()->squared_error(count, z.x, x.x, (real)0.5, z.x) - error) <= rounded);
    check_close("squared error in place", count, z.x, want.x, few);
    for (size_t k = 0; k < count; k++)
        want.x[k] = x.x[k] + y.x[k];
    kernel()->add_forward(count, x.x, y.x);
    check_close("add", count, y.x, want.x, few);
    buffer_close(&x);
    buffer_close(&y);
    buffer_close(&z);
    buffer_close(&dy);
    buffer_close(&want);
}

static void test_bias(void **state)
{
    for_each_variant(check_bias);
}

static void test_sums(void **state)
{
    for_each_variant(check_sums);
}

/* ---- activations ------------------------------------------------------------------------------*/
static void check_activation(enum activation kind, int rows, int d)
{
    double tolerance = kind == ACTIVATION_RELU ? few : 2 * few;
    size_t count = (size_t)(rows * d);
    struct buffer bias = buffer_random((size_t)d, 2, 1);
    struct buffer x = buffer_random(count, 1, 6), y = buffer_open(count);
    struct buffer x_want = buffer_copy(&x), want = buffer_open(count);
    kernel_plain.activation_forward(kind, rows, d, x_want.x, bias.x, want.x);
    kernel()->activation_forward(kind, rows, d, x.x, bias.x, y.x);
    check_close("activation x", count, x.x, x_want.x, few);
    check_close("activation y", count, y.x, want.x, tolerance);

    struct buffer dy = buffer_random(count, 3, 1), dx = buffer_open(count);
    struct buffer dbias = buffer_copy(&bias), dbias_want = buffer_copy(&bias);
    kernel_plain.activation_backward(rows, d, x.x, dy.x, want.x, dbias_want.x);
    kernel()->activation_backward(rows, d, x.x, dy.x, dx.x, dbias.x);
    check_close("activation dx", count, dx.x, want.x, tolerance);
    check_close("activation dbias", (size_t)d, dbias.x, dbias_want.x, sum);
    kernel()->activation_backward(rows, d, x.x, dy.x, dy.x, dbias.x);
    check_close("activation dx in place", count, dy.x, want.x, tolerance);
    buffer_close(&bias);
    buffer_close(&x);
    buffer_close(&y);
    buffer_close(&x_want);
    buffer_close(&want);
    buffer_close(&dy);
    buffer_close(&dx);
    buffer_close(&dbias);
    buffer_close(&dbias_want);
}

static void check_relu(int rows, int d)
{
    check_activation(ACTIVATION_RELU, rows, d);
}

static void check_gelu(int rows, int d)
{
    check_activation(ACTIVATION_GELU, rows, d);
}

static void check_silu(int rows, int d)
{
    check_activation(ACTIVATION_SILU, rows, d);
}

static void test_activations(void **state)
{
    for_each_variant(check_silu);
    for_each_variant(check_relu);
    for_each_variant(check_gelu);
}

/* GELU on a fine grid, far into both tails, against x erfc(-x / sqrt(2)) / 2 in double. */
static void test_gelu_accuracy(void **state)
{
    struct err e = {0};
    enum { COUNT = 40001 };
    const double value = sizeof(real) == 4 ? 1.5e-7 : 2e-15;
    const double slope = sizeof(real) == 4 ? 3e-7 : 4e-15;
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        struct buffer x = buffer_open(COUNT), y = buffer_open(COUNT), dx = buffer_open(COUNT);
        struct buffer one = buffer_open(COUNT), none = buffer_open(COUNT);
        struct buffer want = buffer_open(COUNT), dwant = buffer_open(COUNT);
        buffer_fill(&one, 1);
        buffer_fill(&none, 0);
        for (int k = 0; k < COUNT; k++) {
            x.x[k] = (real)((k - COUNT / 2) * 1e-3);
            double t = (double)x.x[k], phi = 0.3989422804014327 * exp(-t * t / 2);
            double scale = fmax(1, fabs(t)); /* eps of the result where it is large */
            want.x[k] = (real)(0.5 * t * erfc(-t * 0.7071067811865476) / scale);
            dwant.x[k] = (real)(0.5 * erfc(-t * 0.7071067811865476) + t * phi);
        }
        kernel()->activation_forward(ACTIVATION_GELU, 1, COUNT, x.x, none.x, y.x);
        kernel()->activation_backward(1, COUNT, x.x, one.x, dx.x, none.x);
        for (int k = 0; k < COUNT; k++)
            y.x[k] /= (real)fmax(1, fabs((real)((k - COUNT / 2) * 1e-3)));
        check_close("gelu", COUNT, y.x, want.x, value);
        check_close("gelu slope", COUNT, dx.x, dwant.x, slope);
        buffer_close(&x);
        buffer_close(&y);
        buffer_close(&dx);
        buffer_close(&one);
        buffer_close(&none);
        buffer_close(&want);
        buffer_close(&dwant);
    }
}

/* ---- Adam -------------------------------------------------------------------------------------*/
static void check_adam(int rows, int d)
{
    struct adam_step step = {(real)0.01, (real)0.9,  (real)0.999, (real)1e-8, (real)0.19,
                             (real)0.02, (real)0.01, (real)0.1,   (real)0.7};
    size_t count = (size_t)(rows * d);
    struct buffer g = buffer_random(count, 1, 1), p = buffer_random(count, 2, 1);
    struct buffer m = buffer_random(count, 3, 1), v = buffer_random(count, 4, 1);
    for (size_t k = 0; k < count; k++)
        v.x[k] *= v.x[k];
    struct buffer p2 = buffer_copy(&p), m2 = buffer_copy(&m), v2 = buffer_copy(&v);
    kernel()->adam_update(count, &step, g.x, p.x, m.x, v.x);
    kernel_plain.adam_update(count, &step, g.x, p2.x, m2.x, v2.x);
    check_close("adam p", count, p.x, p2.x, sum); /* m / sqrt(v) is as large as 50 before rate */
    check_close("adam m", count, m.x, m2.x, few);
    check_close("adam v", count, v.x, v2.x, few);
    buffer_close(&g);
    buffer_close(&p);
    buffer_close(&m);
    buffer_close(&v);
    buffer_close(&p2);
    buffer_close(&m2);
    buffer_close(&v2);
}

static void test_adam(void **state)
{
    for_each_variant(check_adam);
}

/* ---- NaN --------------------------------------------------------------------------------------*/
static void check_nan(int rows, int d)
{
    size_t count = (size_t)(rows * d);
    struct adam_step step = {1, (real)0.9, (real)0.999, (real)1e-8, 1, 1, 0, 0, 1};
    for (size_t at = 0; at < count; at += count > 20 ? count / 3 : 1) {
        struct buffer x = buffer_random(count, 1, 1), y = buffer_open(count), z = buffer_copy(&x);
        struct buffer none = buffer_open((size_t)d), moments = buffer_open(2 * count);
        buffer_fill(&none, 0);
        buffer_fill(&moments, 0);
        x.x[at] = (real)NAN;
        for (int kind = 0; kind < ACTIVATION_COUNT; kind++) {
            kernel()->activation_forward((enum activation)kind, rows, d, x.x, none.x, y.x);
            assert_true(isnan(y.x[at]));
            kernel()->activation_backward(rows, d, x.x, z.x, y.x, none.x);
            assert_true(isnan(y.x[at]));
            assert_true(isnan(none.x[at % (size_t)d]));
            buffer_fill(&none, 0);
        }
        assert_true(isnan(kernel()->sum_squares(count, x.x)));
        assert_true(isnan(kernel()->squared_error(count, x.x, z.x, 1, NULL)));
        kernel()->adam_update(count, &step, x.x, z.x, moments.x, moments.x + count);
        assert_true(isnan(z.x[at]));
        assert_true(count == 1 || !isnan(z.x[(at + 1) % count]));
        buffer_close(&x);
        buffer_close(&y);
        buffer_close(&z);
        buffer_close(&none);
        buffer_close(&moments);
    }
}

static void test_nan_is_seen(void **state)
{
    for_each_variant(check_nan);
}

/* ---- matrix product ---------------------------------------------------------------------------*/
static void check_gemm(bool ta, bool tb, int m, int n, int k, double alpha, double beta)
{
    int lda = (ta ? m : k) + 2, ldb = (tb ? k : n) + 1, ldc = n + 3;
    struct buffer a = buffer_random((size_t)((ta ? k : m) * lda), 1, 1);
    struct buffer b = buffer_random((size_t)((tb ? n : k) * ldb), 2, 1);
    struct buffer c = buffer_random((size_t)(m * ldc), 3, 1), want = buffer_copy(&c);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double total = 0;
            for (int t = 0; t < k; t++)
                total += (double)a.x[ta ? t * lda + i : i * lda + t] *
                         (double)b.x[tb ? j * ldb + t : t * ldb + j];
            real *w = &want.x[i * ldc + j];
            *w = (real)(alpha * total + beta * (double)*w);
        }
    gemm(ta, tb, m, n, k, (real)alpha, a.x, lda, b.x, ldb, (real)beta, c.x, ldc);
    check_close("gemm", c.count, c.x, want.x, sum);
    buffer_close(&a);
    buffer_close(&b);
    buffer_close(&c);
    buffer_close(&want);
}

static void test_gemm(void **state)
{
    for (int kind = 0; kind < 4; kind++) {
        check_gemm(kind & 1, kind & 2, 1, 1, 1, 0.5, 2);
        check_gemm(kind & 1, kind & 2, 7, 13, 5, 0.5, 2);
        check_gemm(kind & 1, kind & 2, 33, 17, 31, 0.5, 2);
    }
}

/* What the small-product library does, on both sides of its blocks of rows and of terms; and what is
 * too large for it. */
static void test_small_products(void **state)
{
    static const char *const library[] = {"blas", ""};
    static const int rows[] = {1, 5, 63, 64, 65, 128, 130, 300};
    struct err e = {0};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(setenv("URPE_PRODUCTS", library[k], 1), 0);
        assert_int_equal(kernel_open(&e), 0);
        assert_true(k == 1 || !linear_is_turned(8, 8));
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            for (int beta = 0; beta < 2; beta++) {
                check_gemm(false, false, rows[r], 19, 7, 1, beta);
                check_gemm(true, false, 19, 7, rows[r], 1, beta);
                check_gemm(false, true, rows[r], 19, 7, 1, beta);
            }
        check_gemm(false, false, 3, 1 << 17, 3, 1, 1);
    }
    assert_int_equal(setenv("URPE_PRODUCTS", "eigen", 1), 0);
    assert_int_equal(kernel_open(&e), ERR_USAGE);
    assert_string_equal(e.where, "URPE_PRODUCTS");
    assert_int_equal(unsetenv("URPE_PRODUCTS"), 0);
    assert_int_equal(kernel_open(&e), 0);
}

/* C (70,columns) += A B, or A' B, or without the +=, with this many KiB to keep columns in; c to be closed. */
static struct buffer product_in_cache(const char *kib, bool ta, int columns, int beta, const struct buffer *a,
                                      const struct buffer *b)
{
    enum { ROWS = 70, TERMS = 130 };
    struct err e = {0};
    struct buffer c = buffer_random((size_t)(ROWS * columns), 3, 1);
    assert_int_equal(kib ? setenv("URPE_CACHE", kib, 1) : unsetenv("URPE_CACHE"), 0);
    assert_int_equal(kernel_open(&e), 0);
    gemm(ta, false, ROWS, columns, TERMS, 1, a->x, ta ? ROWS : TERMS, b->x, columns, (real)beta, c.x, columns);
    return c;
}

/* However many columns a cache holds, and whatever is left of them: the same bits. */
static void test_cache_changes_nothing(void **state)
{
    static const char *const caches[] = {"1", "100", "150", ""}; /* the last: the machine's own */
    static const char *const wrong[] = {"0", "-1", "x", "64k", "9223372036854775807"};
    static const int columns[] = {50, 64, 127, 128, 129, 136, 144, 145, 192, 200, 208, 257, 260, 264, 272, 273, 300};
    struct err e = {0};
    struct buffer a = buffer_random(70 * 130, 1, 1), b = buffer_random(130 * 300, 2, 1);
    for (size_t k = 0; k < a.count; k++)
        a.x[k] /= 3; /* so that sums are not exact in double */
    for (int k = 0; k < 4 * (int)(sizeof columns / sizeof *columns); k++) {
        struct buffer want = product_in_cache("100000", k & 1, columns[k / 4], k / 2 & 1, &a, &b);
        for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
            struct buffer c = product_in_cache(caches[i], k & 1, columns[k / 4], k / 2 & 1, &a, &b);
            assert_memory_equal(c.x, want.x, want.count * sizeof(real));
            buffer_close(&c);
        }
        buffer_close(&want);
    }
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        assert_int_equal(setenv("URPE_CACHE", wrong[k], 1), 0);
        assert_int_equal(kernel_open(&e), ERR_USAGE);
        assert_string_equal(e.where, "URPE_CACHE");
    }
    assert_int_equal(unsetenv("URPE_CACHE"), 0);
    assert_int_equal(kernel_open(&e), 0);
    buffer_close(&a);
    buffer_close(&b);
}

static void test_turn(void **state)
{
    for (int rows = 1; rows < 40; rows += 13)
        for (int columns = 1; columns < 70; columns += 17) {
            struct buffer x = buffer_random((size_t)(rows * columns), 1, 1), y = buffer_copy(&x);
            gemm_turn(rows, columns, x.x, y.x);
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++)
                    assert_true(y.x[c * rows + r] == x.x[r * columns + c]);
            buffer_close(&x);
            buffer_close(&y);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bias),        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_activations), cmocka_unit_test(test_gelu_accuracy),
        cmocka_unit_test(test_adam),        cmocka_unit_test(test_nan_is_seen),
        cmocka_unit_test(test_gemm),        cmocka_unit_test(test_small_products),
        cmocka_unit_test(test_cache_changes_nothing),
        cmocka_unit_test(test_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

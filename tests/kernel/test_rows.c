/* Softmax, LayerNorm and cross-entropy: every variant against its plain twin.
 *
 * Tolerances.  A sum of n terms below 1 in another order differs by at most n eps, typically
 * sqrt(n) eps; n <= 67 here, so 16 eps of the largest element for softmax (whose terms sum to 1).
 * LayerNorm divides by a standard deviation of 0.1 or more: ten times that, 128 eps. */
#include "kernel/help_kernel.h"

#include <math.h>
#include <string.h>

static const double few = 16 * (double)REAL_EPSILON, sum = 128 * (double)REAL_EPSILON;
enum { ROWS = 7 };

static void for_each_variant(void (*check)(int d))
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        for (int k = 0; k < AWKWARD_SIZES; k++)
            check(awkward_sizes[k]);
    }
}

/* ---- softmax ----------------------------------------------------------------------------------*/
static void check_softmax_of(int n, const struct buffer *logits, bool masked, double tolerance)
{
    int count[ROWS], ld = n + 2;
    for (int r = 0; r < ROWS; r++)
        count[r] = r * n / (ROWS - 1); /* none in the first row, all in the last */
    const int *mask = masked ? count : NULL;
    struct buffer s = buffer_copy(logits), want = buffer_copy(logits), again = buffer_copy(logits);
    struct buffer lse = buffer_open(ROWS), lse_want = buffer_open(ROWS);
    kernel()->softmax_forward(ROWS, n, ld, mask, s.x, lse.x);
    kernel_plain.softmax_forward(ROWS, n, ld, mask, want.x, lse_want.x);
    check_close("softmax", s.count, s.x, want.x, tolerance);
    check_close("lse", ROWS, lse.x, lse_want.x, few);
    kernel()->softmax_recompute(ROWS, n, ld, mask, again.x, lse.x);
    check_close("softmax again", s.count, again.x, want.x, 4 * tolerance);
    for (int r = 0; r < ROWS; r++) {
        double total = 0;
        for (int j = 0; j < n; j++) {
            real a = s.x[r * ld + j];
            total += (double)a;
            assert_true(a >= 0 && (!masked || j < count[r] || a == 0));
            assert_true(!masked || j < count[r] || again.x[r * ld + j] == 0);
        }
        bool empty = masked && count[r] == 0;
        assert_true(fabs(total - !empty) <= sum);
        assert_true(!empty || lse.x[r] == 0);
    }
    buffer_close(&s);
    buffer_close(&want);
    buffer_close(&again);
    buffer_close(&lse);
    buffer_close(&lse_want);
}

static void check_softmax(int n)
{
    struct buffer logits = buffer_random((size_t)(ROWS * (n + 2)), 1, 5);
    check_softmax_of(n, &logits, false, few);
    check_softmax_of(n, &logits, true, few);
    buffer_close(&logits);
}

/* +-1e4 and entries of -1e30 and -inf beside one ordinary entry at the front of each row.  lse near
 * 1e4 is known to 1e4 eps, which is what recomputing can lose. */
static void check_softmax_extremes(int n)
{
    struct buffer logits = buffer_random((size_t)(ROWS * (n + 2)), 2, 1);
    for (size_t k = 0; k < logits.count; k++) {
        static const double kinds[] = {1e4, -1e4, -1e30, -INFINITY, 0};
        size_t j = k % (size_t)(n + 2);
        if (j > 0 && j < (size_t)n)
            logits.x[k] = (real)kinds[(k * 7) % 5] + logits.x[k];
    }
    check_softmax_of(n, &logits, false, 1e4 * (double)REAL_EPSILON);
    check_softmax_of(n, &logits, true, 1e4 * (double)REAL_EPSILON);
    buffer_close(&logits);
}

static void check_softmax_backward(int n)
{
    int ld = n + 1;
    size_t count = (size_t)(ROWS * ld);
    struct buffer a = buffer_random(count, 1, 1), da = buffer_random(count, 2, 1);
    struct buffer dot = buffer_random(ROWS, 3, 1), ds = buffer_open(count);
    struct buffer want = buffer_open(count);
    for (int given = 0; given < 2; given++) {
        const real *t = given ? dot.x : NULL;
        buffer_fill(&ds, 0);
        buffer_fill(&want, 0);
        kernel()->softmax_backward(ROWS, n, ld, a.x, da.x, t, ds.x);
        kernel_plain.softmax_backward(ROWS, n, ld, a.x, da.x, t, want.x);
        check_close("softmax backward", count, ds.x, want.x, few);
        struct buffer same = buffer_copy(&da);
        kernel()->softmax_backward(ROWS, n, ld, a.x, same.x, t, same.x);
        for (int r = 0; r < ROWS; r++)
            check_close("softmax backward in place", (size_t)n, same.x + r * ld, want.x + r * ld,
                        few);
        buffer_close(&same);
    }
    buffer_close(&a);
    buffer_close(&da);
    buffer_close(&dot);
    buffer_close(&ds);
    buffer_close(&want);
}

static void test_softmax(void **state)
{
    for_each_variant(check_softmax);
    for_each_variant(check_softmax_extremes);
    for_each_variant(check_softmax_backward);
}

/* exp on a fine grid against the library's: relative error of a few eps down to where results are
 * subnormal, then 0. */
static void test_exp_accuracy(void **state)
{
    struct err e = {0};
    enum { COUNT = 30011 };
    const double reach = sizeof(real) == 4 ? 87 : 708;
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        struct buffer s = buffer_open(COUNT), x = buffer_open(COUNT);
        real zero = 0;
        for (int k = 0; k < COUNT; k++)
            x.x[k] = s.x[k] = (real)(-2 * reach * k / COUNT);
        kernel()->softmax_recompute(1, COUNT, COUNT, NULL, s.x, &zero);
        for (int k = 0; k < COUNT; k++) {
            double want = exp((double)x.x[k]);
            if ((double)x.x[k] >= -reach)
                assert_true(fabs((double)s.x[k] / want - 1) <= 3 * (double)REAL_EPSILON);
            else if ((double)x.x[k] < -1.05 * reach)
                assert_true(s.x[k] == 0);
        }
        buffer_close(&s);
        buffer_close(&x);
    }
}

/* ---- LayerNorm --------------------------------------------------------------------------------*/
static void check_norm(int d, bool rms)
{
    size_t count = (size_t)(ROWS * d), width = (size_t)d;
    struct buffer x = buffer_random(count, 1, 2), gain = buffer_random(width, 2, 1);
    struct buffer bias = buffer_random(width, 3, 1);
    struct buffer y = buffer_open(count), mean = buffer_open(ROWS), rstd = buffer_open(ROWS);
    struct buffer y2 = buffer_open(count), mean2 = buffer_open(ROWS), rstd2 = buffer_open(ROWS);
    real epsilon = (real)0.01; /* keeps rstd below 10 where d = 1 and the variance is 0 */
    const real *b = rms ? NULL : bias.x;
    kernel()->layernorm_forward(ROWS, d, epsilon, x.x, gain.x, b, y.x, mean.x, rstd.x);
    kernel_plain.layernorm_forward(ROWS, d, epsilon, x.x, gain.x, b, y2.x, mean2.x, rstd2.x);
    check_close("layernorm y", count, y.x, y2.x, sum);
    check_close("layernorm mean", ROWS, mean.x, mean2.x, few);
    check_close("layernorm rstd", ROWS, rstd.x, rstd2.x, sum);

    struct buffer dy = buffer_random(count, 4, 1), dx = buffer_random(count, 5, 1);
    struct buffer dgain = buffer_random(width, 6, 1), dbias = buffer_random(width, 7, 1);
    struct buffer dx2 = buffer_copy(&dx), dgain2 = buffer_copy(&dgain), db2 = buffer_copy(&dbias);
    kernel()->layernorm_backward(ROWS, d, x.x, gain.x, mean.x, rstd.x, dy.x, dx.x, dgain.x,
                                 rms ? NULL : dbias.x);
    kernel_plain.layernorm_backward(ROWS, d, x.x, gain.x, mean.x, rstd.x, dy.x, dx2.x, dgain2.x,
                                    rms ? NULL : db2.x);
    check_close("layernorm dx", count, dx.x, dx2.x, sum);
    check_close("layernorm dgain", width, dgain.x, dgain2.x, sum);
    check_close("layernorm dbias", width, dbias.x, db2.x, sum);
    struct buffer *all[] = {&x,     &gain, &bias, &y,  &mean,  &rstd,  &y2,    &mean2,
                            &rstd2, &dy,   &dx,   &dx2, &dgain, &dbias, &dgain2, &db2};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        buffer_close(all[k]);
}

static void check_layernorm(int d)
{
    check_norm(d, false);
}

static void check_rmsnorm(int d)
{
    check_norm(d, true);
}

static void test_layernorm(void **state)
{
    for_each_variant(check_layernorm);
    for_each_variant(check_rmsnorm);
}

/* ---- cross-entropy ----------------------------------------------------------------------------*/
static void check_crossentropy_of(int labels, double size)
{
    size_t count = (size_t)(ROWS * labels);
    int32_t label[ROWS];
    for (int r = 0; r < ROWS; r++)
        label[r] = r % labels;
    struct buffer x = buffer_random(count, 1, size), want = buffer_copy(&x);
    double loss = kernel()->crossentropy(ROWS, labels, (real)0.25, x.x, label);
    double loss_want = kernel_plain.crossentropy(ROWS, labels, (real)0.25, want.x, label);
    /* lse and the logit are of size `size`, rounded a few times each. */
    double tolerance = few * ROWS * fmax(1, size);
    assert_true(fabs(loss - loss_want) <= tolerance);
    assert_false(fabs(loss + 3 * tolerance - loss_want) <= tolerance);
    check_close("cross-entropy gradient", count, x.x, want.x, few);
    buffer_close(&x);
    buffer_close(&want);
}

static void check_crossentropy(int labels)
{
    check_crossentropy_of(labels, 3);
    check_crossentropy_of(labels, 1e4);
}

static void test_crossentropy(void **state)
{
    for_each_variant(check_crossentropy);
}

/* ---- NaN --------------------------------------------------------------------------------------*/
static void check_nan(int n)
{
    size_t width = (size_t)n;
    for (int at = 0; at < n; at += n > 8 ? n / 3 : 1) {
        struct buffer logits = buffer_random(width, 1, 1), s = buffer_open(width);
        struct buffer one = buffer_open(width), y = buffer_open(width);
        real lse, mean, rstd;
        int32_t label = 0;
        buffer_fill(&one, 1);
        logits.x[at] = (real)NAN;
        memcpy(s.x, logits.x, width * sizeof(real));
        kernel()->softmax_forward(1, n, n, NULL, s.x, &lse);
        assert_true(isnan(lse) && isnan(s.x[0]) && isnan(s.x[at]) && isnan(s.x[n - 1]));
        kernel()->layernorm_forward(1, n, 1, logits.x, one.x, one.x, y.x, &mean, &rstd);
        assert_true(isnan(y.x[0]) && isnan(y.x[n - 1]) && isnan(mean) && isnan(rstd));
        memcpy(s.x, logits.x, width * sizeof(real));
        assert_true(isnan(kernel()->crossentropy(1, n, 1, s.x, &label)));
        assert_true(isnan(s.x[0]) && isnan(s.x[at]));
        buffer_close(&logits);
        buffer_close(&s);
        buffer_close(&one);
        buffer_close(&y);
    }
}

static void test_nan_is_seen(void **state)
{
    for_each_variant(check_nan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),   cmocka_unit_test(test_exp_accuracy),
        cmocka_unit_test(test_layernorm), cmocka_unit_test(test_crossentropy),
        cmocka_unit_test(test_nan_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

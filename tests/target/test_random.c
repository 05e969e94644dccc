/* The random targets, affine and random_field: what they are a function of, and their statistics
 * over positions and seeds.  Tolerances are 5 standard deviations of the estimate or more. */
#include <math.h>
#include <string.h>

#include "target/help_target.h"

static void open_random(struct fixture *f, const char *name, int n, int d, uint64_t seed)
{
    fixture_configure(f, "sequence", fixture_kind(name), n, d);
    fixture_set(f, "seed", (double)seed);
    fixture_open(f);
}

static void evaluate_seed(const char *name, uint64_t seed, int n, int d, const double *x,
                          double *y)
{
    evaluate_with(name, "seed", (double)seed, n, d, x, y);
}

static bool equal(const double *a, const double *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

static void test_seeds_differ(void **state)
{
    const char *const names[] = {"affine", "random_field"};
    double x[12], a[12], b[12], c[12];
    fill_uniform(x, 12, 0);
    for (int k = 0; k < 2; k++) {
        evaluate_seed(names[k], 3, 4, 3, x, a);
        evaluate_seed(names[k], 3, 4, 3, x, b);
        evaluate_seed(names[k], 4, 4, 3, x, c);
        assert_true(equal(a, b, 12));
        assert_false(equal(a, c, 12));
    }
}

/* ---- affine -----------------------------------------------------------------------------------*/

/* The first tokens of a longer sequence get the same maps. */
static void test_affine_does_not_know_n(void **state)
{
    double x[27], shorter[12], longer[27];
    fill_uniform(x, 27, 1);
    evaluate("affine", 4, 3, x, shorter);
    evaluate("affine", 9, 3, x, longer);
    assert_true(equal(shorter, longer, 12));
}

/* f(t u + (1-t) v) = t f(u) + (1-t) f(v) at every position, for t = 0.3 */
static void test_affine_is_affine(void **state)
{
    double u[20], v[20], mix[20], fu[20], fv[20], got[20], want[20];
    fill_uniform(u, 20, 2);
    fill_uniform(v, 20, 3);
    for (int k = 0; k < 20; k++)
        mix[k] = .3 * u[k] + .7 * v[k];
    evaluate("affine", 5, 4, u, fu);
    evaluate("affine", 5, 4, v, fv);
    evaluate("affine", 5, 4, mix, got);
    for (int k = 0; k < 20; k++)
        want[k] = .3 * fu[k] + .7 * fv[k];
    check_near(got, want, 20, 1e-14);
}

/* y_i depends on x_i alone. */
static void test_affine_acts_by_position(void **state)
{
    double x[12], before[12], after[12];
    fill_uniform(x, 12, 4);
    evaluate("affine", 4, 3, x, before);
    x[4] = 1 - x[4];
    evaluate("affine", 4, 3, x, after);
    assert_true(equal(before, after, 3));
    assert_false(equal(before + 3, after + 3, 3));
    assert_true(equal(before + 6, after + 6, 6));
}

/* b_i = f_i(0), column k of W_i = f_i(e_k) - f_i(0): 4000 maps with d = 4, 64,000 entries of W and
 * 16,000 of b.  Means: sd .433/253 and .25/126.  Variances: relative sd sqrt(2/64000) and
 * sqrt(2/16000). */
static void test_affine_entries(void **state)
{
    enum { N = 4000, D = 4 };
    static double zero[N * D], unit[N * D], b[N * D], column[N * D];
    struct fixture f;
    open_random(&f, "affine", N, D, 0);
    fixture_evaluate(&f, zero, b);
    double sum = 0, square = 0, bias = 0, bias_square = 0;
    for (int k = 0; k < N * D; k++) {
        bias += b[k];
        bias_square += b[k] * b[k];
    }
    for (int m = 0; m < D; m++) {
        for (int k = 0; k < N * D; k++)
            unit[k] = k % D == m;
        fixture_evaluate(&f, unit, column);
        for (int k = 0; k < N * D; k++) {
            sum += column[k] - b[k];
            square += (column[k] - b[k]) * (column[k] - b[k]);
        }
    }
    fixture_close(&f);
    assert_true(fabs(sum / (N * D * D)) < 5 * .433 / 253);
    assert_true(fabs(square / (N * D * D) / (3. / 16) - 1) < .028);
    assert_true(fabs(bias / (N * D)) < 5 * .25 / 126);
    assert_true(fabs(bias_square / (N * D) * 16 - 1) < .056);
}

/* The floor on identical inputs that the header promises: 5/16 (1 - 1/n) = .29297 for n = 16. */
static void test_affine_floor_on_identical(void **state)
{
    enum { N = 16, D = 4, SEEDS = 300 };
    double x[N * D], y[N * D], total = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fill_uniform(x, D, seed);
        for (int k = D; k < N * D; k++)
            x[k] = x[k - D];
        evaluate_seed("affine", seed, N, D, x, y);
        for (int c = 0; c < D; c++) {
            double sum = 0, square = 0;
            for (int i = 0; i < N; i++) {
                sum += y[i * D + c];
                square += y[i * D + c] * y[i * D + c];
            }
            total += square / N - sum / N * (sum / N);
        }
    }
    /* relative sd about .35 a seed (x moves |x|^2) over sqrt(300) */
    assert_true(fabs(total / (SEEDS * D) / (15. / 16 * 5 / 16) - 1) < .1);
}

/* ---- random_field -----------------------------------------------------------------------------*/

/* The field sees i/n, so position 2 of 4 and 4 of 8 are the same place. */
static void test_field_does_not_know_n(void **state)
{
    double x[16], four[8], eight[16];
    for (int k = 0; k < 16; k++)
        x[k] = k % 2 ? .25 : .75;
    evaluate("random_field", 4, 2, x, four);
    evaluate("random_field", 8, 2, x, eight);
    for (int i = 1; i <= 4; i++)
        check_near(four + (i - 1) * 2, eight + (2 * i - 1) * 2, 2, 1e-14);
}

/* Along positions and along x the field moves no faster than a field with frequencies N(0, 4) can:
 * a derivative has standard deviation 2, so 1/1000 of the way moves it less than .02 (10 sd).  A
 * step of 1/2 moves it visibly. */
static void test_field_is_smooth(void **state)
{
    enum { N = 1000 };
    static double x[2 * N], y[2 * N], moved[2 * N];
    double range = 0;
    for (int k = 0; k < 2 * N; k++)
        x[k] = .5;
    evaluate("random_field", N, 2, x, y);
    for (int k = 2; k < 2 * N; k++) {
        assert_true(fabs(y[k] - y[k - 2]) < .02);
        range = fmax(range, fabs(y[k] - y[k % 2]));
    }
    assert_true(range > .1);
    for (int k = 0; k < 2 * N; k += 2)
        x[k] += .001;
    evaluate("random_field", N, 2, x, moved);
    for (int k = 0; k < 2 * N; k++)
        assert_true(fabs(y[k] - moved[k]) < .02);
    assert_false(equal(y, moved, 2 * N));
}

/* One feature: y = sqrt 2 a cos(...), so the channels keep a fixed ratio. */
static void test_field_one_feature(void **state)
{
    enum { N = 400 };
    static double x[2 * N], y[2 * N];
    struct fixture f;
    fixture_configure(&f, "sequence", fixture_kind("random_field"), N, 2);
    fixture_set(&f, "features", 1);
    fixture_open(&f);
    fill_uniform(x, 2 * N, 5);
    fixture_evaluate(&f, x, y);
    for (int i = 1; i < N; i++)
        assert_true(fabs(y[2 * i] * y[1] - y[2 * i + 1] * y[0]) < 1e-14);
    fixture_close(&f);
}

/* Over seeds the field has mean 0, variance 1 and covariance exp(-2 |z - z'|^2) between the places
 * z = (x, i/n): here (0, 1/2) and (.5, 1), so exp(-2 (.25 + .25)) = e^-1. */
static void test_field_covariance(void **state)
{
    enum { SEEDS = 4000 };
    const double x[2] = {0, .5};
    double mean = 0, variance = 0, covariance = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double y[2];
        evaluate_seed("random_field", seed, 2, 1, x, y);
        mean += y[0];
        variance += y[0] * y[0];
        covariance += y[0] * y[1];
    }
    /* sds of the estimates: 1/63, sqrt(2)/63, about 1.1/63 */
    assert_true(fabs(mean / SEEDS) < 5. / 63);
    assert_true(fabs(variance / SEEDS - 1) < 5 * 1.42 / 63);
    assert_true(fabs(covariance / SEEDS - exp(-1)) < 5 * 1.1 / 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_affine_does_not_know_n),
        cmocka_unit_test(test_affine_is_affine),
        cmocka_unit_test(test_affine_acts_by_position),
        cmocka_unit_test(test_affine_entries),
        cmocka_unit_test(test_affine_floor_on_identical),
        cmocka_unit_test(test_field_does_not_know_n),
        cmocka_unit_test(test_field_is_smooth),
        cmocka_unit_test(test_field_one_feature),
        cmocka_unit_test(test_field_covariance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

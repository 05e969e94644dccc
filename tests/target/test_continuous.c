/* Golden vectors of the continuous targets without random parts.  Expected numbers were worked out
 * apart from the code, by hand, or from tables as each comment says. */
#include "target/help_target.h"

/* Five tokens of two channels; every number is a few units of rounding from exact. */
static const double x5[10] = {.1, .25, .5, 1, .3, 0, .9, .5, .7, .75};
static const double TIGHT = 1e-15;

static void check5(const char *name, const double *want, double tolerance)
{
    double y[10];
    evaluate(name, 5, 2, x5, y);
    check_near(y, want, 10, tolerance);
}

static void test_position(void **state)
{
    const double want[10] = {.2, .2, .4, .4, .6, .6, .8, .8, 1, 1};
    check5("position", want, 0);
}

/* sin 72 = .95105651629515357, sin 144 = .58778525229247313, then the same negative, and 0 */
static void test_gain(void **state)
{
    const double a = .95105651629515357, b = .58778525229247313;
    const double want[10] = {.1 * a, .25 * a, .5 * b, b, -.3 * b, 0, -.9 * a, -.5 * a, 0, 0};
    check5("gain", want, TIGHT);
}

/* 5/2 = 2 tokens in the first half: |2 x - 1|; then x */
static void test_piecewise(void **state)
{
    const double want[10] = {.8, .5, 0, 1, .3, 0, .9, .5, .7, .75};
    check5("piecewise", want, TIGHT);
}

/* channel 0: .1 .6 .9 1.8 2.5, channel 1: .25 1.25 1.25 1.75 2.5, times 1/sqrt 5 */
static void test_prefix_sum(void **state)
{
    const double r = .44721359549995794;
    const double want[10] = {.1 * r,  .25 * r,  .6 * r,  1.25 * r, .9 * r,
                             1.25 * r, 1.8 * r, 1.75 * r, 2.5 * r,  2.5 * r};
    check5("prefix_sum", want, TIGHT);
}

static void test_shift(void **state)
{
    const double one[10] = {0, 0, .1, .25, .5, 1, .3, 0, .9, .5};
    const double left[10] = {.3, 0, .9, .5, .7, .75, 0, 0, 0, 0};
    const double most[10] = {0, 0, 0, 0, 0, 0, 0, 0, .1, .25};
    double y[10];
    check5("shift", one, 0);
    evaluate_with("shift", "k", -2, 5, 2, x5, y);
    check_near(y, left, 10, 0);
    evaluate_with("shift", "k", 4, 5, 2, x5, y);
    check_near(y, most, 10, 0);
    evaluate_with("shift", "k", 0, 5, 2, x5, y);
    check_near(y, x5, 10, 0);
}

static void test_reverse(void **state)
{
    const double want[10] = {.7, .75, .9, .5, .3, 0, .5, 1, .1, .25};
    check5("reverse", want, 0);
}

/* x_2, x_4, 0, 0, 0; at n = 4 x_2, x_4, 0, 0 */
static void test_even(void **state)
{
    const double want[10] = {.5, 1, .9, .5, 0, 0, 0, 0, 0, 0}, four[4] = {2, 4, 0, 0};
    check5("even", want, 0);
    double y[4];
    const double x[4] = {1, 2, 3, 4};
    evaluate("even", 4, 1, x, y);
    check_near(y, four, 4, 0);
}

/* x = (1, 0, 0, 1/2), so y = rho(0), rho(1), rho(2), rho(3) + rho(0)/2.  Ai(-6), Ai(-5), Ai(-4),
 * Ai(-3): Abramowitz and Stegun, table 10.11, with more digits from mpmath. */
static void test_filter(void **state)
{
    static const double rho[5][4] = {
        {1, .36787944117144232, .13533528323661269, .049787068367863943},
        {1, .90046750746774697, .81827753713492717, .74931135250373452}, /* 1.1^-1.1 ... 1.3^-1.1 */
        {-.32914517362982309, .35076100902411434, -.070265532949289512, -.37881429367765806},
        {1, .36787944117144249, .018315638888734179, .00012340980408691146},
        {0, .84147098480789651, .90929742682568170, .14112000805986722},
    };
    const double x[4] = {1, 0, 0, .5};
    for (int k = 0; k < 5; k++) {
        const double want[4] = {rho[k][0], rho[k][1], rho[k][2], rho[k][3] + rho[k][0] / 2};
        double y[4];
        evaluate_with("filter", "rho", k, 4, 1, x, y);
        check_near(y, want, 4, 1e-14);
    }
}

/* The second peak is at lag 9; Ai(200 - 6) is 0 in double. */
static void test_filter_far(void **state)
{
    double x[201] = {1}, y[201];
    evaluate_with("filter", "rho", 3, 201, 1, x, y);
    const double peak[3] = {.36787944117144232, 1, .36787944117144232};
    check_near(y + 8, peak, 3, 1e-15);
    evaluate_with("filter", "rho", 2, 201, 1, x, y);
    const double six = .35502805388781724; /* Ai(0) = 3^(-2/3) / Gamma(2/3) */
    check_near(y + 6, &six, 1, 1e-15);
    assert_true(y[200] == 0);
}

static void test_difference(void **state)
{
    const double want[10] = {.1, .25, .4, .75, -.2, -1, .6, .5, -.2, .25};
    check5("difference", want, TIGHT);
}

static void test_sort(void **state)
{
    const double want[10] = {.1, 0, .3, .25, .5, .5, .7, .75, .9, 1};
    check5("sort", want, 0);
}

static void test_identity(void **state)
{
    check5("identity", x5, 0);
}

/* both channels sum to 2.5 */
static void test_mean(void **state)
{
    const double want[10] = {.5, .5, .5, .5, .5, .5, .5, .5, .5, .5};
    check5("mean", want, TIGHT);
}

/* .1/1 .6/2 .9/3 1.8/4 2.5/5; .25 1.25/2 1.25/3 1.75/4 2.5/5 */
static void test_prefix_mean(void **state)
{
    const double want[10] = {.1, .25, .3, .625, .3, 1.25 / 3, .45, .4375, .5, .5};
    check5("prefix_mean", want, TIGHT);
}

static void test_local_mean(void **state)
{
    const double x[5] = {1, 2, 4, 8, 16};
    /* w = 3: one on either side; w = 2: this one and the next; w = 5: two on either side */
    const double three[5] = {3. / 2, 7. / 3, 14. / 3, 28. / 3, 24. / 2};
    const double two[5] = {1.5, 3, 6, 12, 16};
    const double five[5] = {7. / 3, 15. / 4, 31. / 5, 30. / 4, 28. / 3};
    double y[5];
    evaluate_with("local_mean", "window", 3, 5, 1, x, y);
    check_near(y, three, 5, 1e-14);
    evaluate_with("local_mean", "window", 2, 5, 1, x, y);
    check_near(y, two, 5, 1e-14);
    evaluate("local_mean", 5, 1, x, y);
    check_near(y, five, 5, 1e-14);
    evaluate_with("local_mean", "window", 65536, 5, 1, x, y);
    const double all[5] = {6.2, 6.2, 6.2, 6.2, 6.2};
    check_near(y, all, 5, 1e-14);
}

static void test_moving_max(void **state)
{
    const double x[6] = {.5, .9, .1, .2, .4, .3};
    const double two[6] = {.5, .9, .9, .2, .4, .4}, three[6] = {.5, .9, .9, .9, .4, .4};
    double y[6];
    evaluate_with("moving_max", "window", 2, 6, 1, x, y);
    check_near(y, two, 6, 0);
    evaluate_with("moving_max", "window", 3, 6, 1, x, y);
    check_near(y, three, 6, 0);
    evaluate_with("moving_max", "window", 1, 6, 1, x, y);
    check_near(y, x, 6, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_position),    cmocka_unit_test(test_gain),
        cmocka_unit_test(test_piecewise),   cmocka_unit_test(test_prefix_sum),
        cmocka_unit_test(test_shift),       cmocka_unit_test(test_reverse),
        cmocka_unit_test(test_even),        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filter_far),  cmocka_unit_test(test_difference),
        cmocka_unit_test(test_sort),        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_mean),        cmocka_unit_test(test_prefix_mean),
        cmocka_unit_test(test_local_mean),  cmocka_unit_test(test_moving_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Golden vectors of the targets on grids, worked out by hand on 3 rows of 4 columns. */
#include <math.h>

#include "target/help_target.h"

enum { N = 12 };
static const double x[N] = {
    1, 2, 3, 4, //
    5, 6, 7, 8, //
    9, 10, 11, 12,
};

static void check(const char *name, const double *want, double scale, double tolerance)
{
    struct fixture f;
    double y[N];
    fixture_configure(&f, "grid", fixture_kind(name), N, 1);
    fixture_open(&f);
    fixture_evaluate(&f, x, y);
    for (int k = 0; k < N; k++)
        y[k] *= scale;
    check_near(y, want, N, tolerance);
    fixture_close(&f);
}

/* Channels take turns: r/3, c/4, r/3. */
static void test_grid_position(void **state)
{
    struct fixture f;
    double in[3 * N] = {0}, y[3 * N];
    fixture_configure(&f, "grid", fixture_kind("grid_position"), N, 3);
    fixture_open(&f);
    fixture_evaluate(&f, in, y);
    const double first[3] = {1. / 3, .25, 1. / 3}, seventh[3] = {2. / 3, .75, 2. / 3};
    check_near(y, first, 3, 1e-15);
    check_near(y + 3 * 6, seventh, 3, 1e-15);
    fixture_close(&f);
}

/* Angles 120 r + 90 c: 210 300 30 120, then 330 60 150 240, then 90 180 270 0 degrees. */
static void test_grid_gain(void **state)
{
    const double s = .86602540378443865;
    const double want[N] = {-.5,  -2 * s, 1.5, 4 * s, -2.5, 6 * s,
                            3.5, -8 * s, 9,   0,     -11,  0};
    check("grid_gain", want, 1, 1e-14);
}

/* rows 1 3 6 10, 5 11 18 26, 9 19 30 42, then summed downwards; times 1/sqrt 12 */
static void test_summed_area(void **state)
{
    const double want[N] = {1, 3, 6, 10, 6, 14, 24, 36, 15, 33, 54, 78};
    check("summed_area", want, sqrt(12), 1e-13);
}

static void test_grid_shift(void **state)
{
    const double one[N] = {0, 0, 0, 0, 0, 1, 2, 3, 0, 5, 6, 7};
    const double other[N] = {7, 8, 0, 0, 11, 12, 0, 0, 0, 0, 0, 0}; /* one up, two to the left */
    check("grid_shift", one, 1, 0);
    struct fixture f;
    double y[N];
    fixture_configure(&f, "grid", fixture_kind("grid_shift"), N, 1);
    fixture_set(&f, "rows", -1);
    fixture_set(&f, "columns", -2);
    fixture_open(&f);
    fixture_evaluate(&f, x, y);
    check_near(y, other, N, 0);
    fixture_close(&f);
}

static void test_reflect(void **state)
{
    const double want[N] = {4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9};
    check("reflect", want, 1, 0);
}

/* the border is 1 of ceil(3/2) = 2 steps in, the middle 2 */
static void test_border_distance(void **state)
{
    const double want[N] = {.5, .5, .5, .5, .5, 1, 1, .5, .5, .5, .5, .5};
    check("border_distance", want, 1, 0);
}

/* nine times the average: sums over the neighbours that exist */
static void test_blur(void **state)
{
    const double want[N] = {1 + 2 + 5 + 6, 6 + 18, 9 + 21, 3 + 4 + 7 + 8,
                            14 + 9 + 10,   54,     63,     22 + 11 + 12,
                            5 + 6 + 9 + 10, 18 + 30, 21 + 33, 7 + 8 + 11 + 12};
    check("blur", want, 9, 1e-13);
}

/* with three rows every row counts: column sums 15 18 21 24, each with its neighbours around */
static void test_periodic_blur(void **state)
{
    const double want[N] = {57, 54, 63, 60, 57, 54, 63, 60, 57, 54, 63, 60};
    check("periodic_blur", want, 9, 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid_position), cmocka_unit_test(test_grid_gain),
        cmocka_unit_test(test_summed_area),   cmocka_unit_test(test_grid_shift),
        cmocka_unit_test(test_reflect),       cmocka_unit_test(test_border_distance),
        cmocka_unit_test(test_blur),          cmocka_unit_test(test_periodic_blur),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

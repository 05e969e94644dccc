/* The worked example of lib/normaliser/README.md compiles as it stands, is short, gives the weights of
 * its formula, and has their gradient. */
#include <math.h>

#include "help_readme.h"
#include "normaliser/normaliser.h"

enum { N = 7 };

/* sum_j g_j a_j of logits s. */
static double loss(const struct normaliser *entry, const struct normaliser_row *row, const real *s,
                   const real *g, real *a)
{
    double sum = 0;
    memcpy(a, s, N * sizeof *a);
    entry->row(NULL, row, a);
    for (int j = 0; j < N; j++)
        sum += (double)g[j] * (double)a[j];
    return sum;
}

/* Differences with step h are off by h^2 f''' and by the rounding of f / h. */
static void check_gradient(const struct normaliser *entry, const struct normaliser_row *row, real *s,
                           const real *g)
{
    const double h = sizeof(real) == 8 ? 1e-5 : 4e-3, tolerance = sizeof(real) == 8 ? 1e-8 : 2e-3;
    real a[N], other[N], da[N];
    loss(entry, row, s, g, a);
    memcpy(da, g, sizeof da);
    entry->row_backward(NULL, row, s, a, da);
    for (int j = 0; j < N; j++) {
        real old = s[j];
        s[j] = (real)((double)old + h);
        double up = loss(entry, row, s, g, other);
        s[j] = (real)((double)old - h);
        double down = loss(entry, row, s, g, other);
        s[j] = old;
        assert_true(fabs((up - down) / (2 * h) - (double)da[j]) <= tolerance);
    }
}

static void test_worked_example(void **state)
{
    struct help_readme r;
    struct normaliser_row row = {.seen = N, .own = N - 1};
    struct normaliser_facts facts;
    real s[N] = {1, -2, (real)0.5, 3, -1, (real)0.25, 2}, g[N] = {1, 2, -1, (real)0.5, 3, -2, 1}, a[N];
    help_readme_open(&r, "lib/normaliser/README.md", "lib/normaliser/parts.c");
    assert_in_range(r.lines, 1, 59);
    const struct normaliser *entry = dlsym(r.library, "normaliser_rectified");
    assert_non_null(entry);
    loss(entry, &row, s, g, a);
    for (int j = 0; j < N; j++) {
        double over = 1 + 1 + 0.25 + 9 + 0.0625 + 4, x = s[j] > 0 ? (double)s[j] : 0;
        assert_true(fabs((double)a[j] - x * x / over) <= 4 * REAL_EPSILON);
    }
    check_gradient(entry, &row, s, g);
    entry->facts(NULL, NULL, &facts);
    assert_true(facts.measure == VIEW_NUMBER && !facts.constant_sums);
    help_readme_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_worked_example)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

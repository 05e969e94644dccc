/* The bench measures what it says; no figure's size is asserted, only that each is there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/bench.h"

static const struct bench_case tiny = {.n = 4, .width = 8, .layers = 1, .batch = 2, .heads = 2,
                                       .urpe = true, .threads = 1};

static void test_step(void **state)
{
    struct bench_figures f;
    struct err e = {0};
    assert_int_equal(bench_step(&tiny, 0.2, &f, &e), 0);
    assert_true(f.ms_per_step > 0 && f.sgemm_flops > 0 && f.peak_mib > 0);
    /* tokens/s = batch n / time; FLOP/s = 3 batch (2 n 12 d^2 + 4 n^2 d + 2 n d 8) / time */
    double seconds = f.ms_per_step / 1e3, forward = 2 * 4 * 12 * 64 + 4 * 16 * 8 + 2 * 4 * 8 * 8;
    assert_true(fabs(f.tokens_per_second * seconds - 8) < 1e-9);
    assert_true(fabs(f.flops * seconds / (3 * 2 * forward) - 1) < 1e-9);
}

static void test_pair(void **state)
{
    struct bench_figures f[2];
    double ratio;
    struct err e = {0};
    struct bench_case pair[2] = {tiny, tiny};
    pair[0].urpe = false;
    pair[1].keys = ", mask: causal, normaliser: stick-breaking";
    pair[1].layers = 8; /* a longer step, by far */
    assert_int_equal(bench_pair(pair, 0.2, f, &ratio, &e), 0);
    assert_true(ratio > 1 && f[0].ms_per_step > 0 && f[1].ms_per_step > f[0].ms_per_step);
    pair[1].keys = ", normaliser: stick-breaking"; /* keys are read */
    assert_true(bench_pair(pair, 0.2, f, &ratio, &e) != 0);
    assert_non_null(strstr(e.msg, "causal"));
    pair[1] = tiny;
    e = (struct err){0};
    pair[1].graphs = true;
    pair[1].encoding = "{kind: formula, bias: 'a[h] * n', parameters: {a: 1}}"; /* and so are these two */
    assert_true(bench_pair(pair, 0.2, f, &ratio, &e) != 0);
    if (!strstr(e.msg, "unknown name n")) /* which no graph has */
        fail_msg("%s", e.msg);
}

/* What goes wrong in the measuring process is reported by the caller. */
static void test_errors_come_back(void **state)
{
    struct bench_case wrong = tiny;
    struct bench_figures f;
    struct err e = {0};
    wrong.heads = 3;
    assert_int_equal(bench_memory(&wrong, 1, &f, &e), -1);
    assert_non_null(strstr(e.msg, "divide"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_errors_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

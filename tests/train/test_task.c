/* Shares of patterns: what is declared is what is drawn, or it is refused. */
#include <string.h>

#include "train/help_task.h"

static struct task shared(double identical, int64_t samples)
{
    struct task t = task_default("gain", "toeplitz", MODEL_RPE);
    t.space.length = 4;
    t.evaluate.lengths.count = 0;
    t.evaluate.samples = samples;
    t.space.share[PATTERN_IDENTICAL] = identical;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    return t;
}

static void a_share_below_one_sample_is_refused(void **unused)
{
    struct err e = {0};
    struct task t = shared(1e-4, 64);
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_string_equal(e.where, "evaluate.samples");
    assert_non_null(strstr(e.msg, "at least 10000 samples"));
    t = shared(1e-4, 10000);
    assert_int_equal(task_check(&t, &e), 0);
    t = shared(1 - 1e-4, 64), e = (struct err){0}; /* the generic rest */
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "generic"));
    t = shared(0.01, 100);
    assert_int_equal(task_check(&t, &e), 0);
}

/* 0.7 + 0.2 + 0.1 is below 1 in doubles; that is no share of generic inputs. */
static void what_rounding_leaves_is_no_share(void **unused)
{
    struct samples s;
    struct task t = shared(0.7, 10);
    t.space.share[PATTERN_PREFIX] = 0.2;
    t.space.share[PATTERN_PERIODIC] = 0.1;
    assert_true(0.7 + 0.2 + 0.1 < 1);
    assert_int_equal(space_finish(&t.space, NULL), 0);
    assert_int_equal(task_check(&t, NULL), 0);
    assert_int_equal(samples_evaluation(&s, &t, 4, NULL), 0);
    int count[PATTERN_MAX] = {0};
    for (int k = 0; k < s.count; k++)
        count[s.pattern[k]]++;
    assert_int_equal(s.count, 10);
    assert_int_equal(count[PATTERN_GENERIC], 0);
    assert_int_equal(count[PATTERN_IDENTICAL], 7);
    assert_int_equal(count[PATTERN_PREFIX], 2);
    assert_int_equal(count[PATTERN_PERIODIC], 1);
    samples_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_below_one_sample_is_refused),
        cmocka_unit_test(what_rounding_leaves_is_no_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

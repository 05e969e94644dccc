/* Evaluation on every space of the table, for every target that is defined there: no network is
 * better than its floor, and witnesses are opened where they can be. */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "run/evaluate.h"
#include "run/help_run.h"
#include "spec/start.h"

/* False: the target is not defined on the space. */
static bool space_task(struct task *t, int space, int target, int attention)
{
    struct err e = {0};
    *t = help_task(target_table[target]->name, "toeplitz", attention, 6, 2);
    assert_true(option_set_kind(&space_kinds, space_table[space]->name, &t->space.kind));
    t->space.length = 6;
    t->target.vocab = 3;
    t->space.share[PATTERN_IDENTICAL] = 0.25;
    t->space.share[PATTERN_CONSTANT] = 0.25;
    assert_int_equal(space_finish(&t->space, &e), 0);
    t->model.width = 8;
    t->model.heads = 2;
    t->model.ffn = 8;
    t->evaluate.samples = 12;
    return !target_table[target]->draw && !target_check(&t->target, &t->space, &e);
}

/* Far from the start, and differently for each seed. */
static void perturb(struct network *x, uint64_t seed)
{
    struct stream random;
    double *p = x->api->parameters(x->trainer);
    stream_open(&random, seed, "perturb", 0);
    for (size_t k = 0; k < network_size(x); k++)
        p[k] += 2 * stream_uniform24(&random) - 1;
}

/* Up to the rounding of sums in double. */
static bool at_least(double error, double floor)
{
    return error >= floor - 1e-9 * (1 + fabs(floor));
}

static void check_floors(const struct task *t, const char *what, int *positive)
{
    struct err e = {0};
    struct pool *pool = NULL;
    struct network x;
    struct evaluation *ev = NULL;
    struct record f[SUBSETS_MAX];
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    if (network_open(&x, t, pool, &e) ||
        evaluation_open(&ev, t, (int)t->space.length, &e))
        fail_msg("%s: %s", what, e.msg);
    assert_int_equal(evaluation_subsets(ev), 4); /* all, generic, identical, constant */
    for (uint64_t seed = 0; seed < 3; seed++) {
        perturb(&x, seed);
        assert_int_equal(evaluation_measure(ev, network_predictor(&x), f, &e), 0);
        for (int k = 0; k < 4; k++) {
            bool tokens = target_of(&t->target)->tokens;
            bool holds = tokens ? at_least(f[k].accuracy_ceiling, f[k].accuracy) &&
                                      at_least(f[k].cross_entropy, f[k].cross_entropy_floor)
                                : at_least(f[k].error_rms, f[k].floor_rms) &&
                                      at_least(f[k].error_sup, f[k].floor_sup);
            if (!holds)
                fail_msg("%s, %s: a network is better than its floor", what,
                         f[k].subset);
            *positive += tokens ? f[k].accuracy_ceiling < 1 : f[k].floor_rms > 1e-6;
        }
    }
    evaluation_close(ev);
    network_close(&x);
    pool_close(pool);
}

static void test_floors(void **state)
{
    for (int s = 0; space_table[s]; s++)
        for (int attention = 0; attention < 2; attention++) {
            int targets = 0, positive = 0;
            for (int k = 0; target_table[k]; k++) {
                struct task t;
                char what[128];
                snprintf(what, sizeof what, "%s on %s, %s", target_table[k]->name,
                         space_table[s]->name, attention == MODEL_URPE ? "urpe" : "rpe");
                if (!space_task(&t, s, k, attention))
                    continue;
                t.model.precision = MODEL_DOUBLE;
                check_floors(&t, what, &positive);
                targets++;
            }
            assert_true(targets >= 4);
            if (attention == MODEL_RPE)
                assert_true(positive > 0);
        }
}

/* Where each sample has a layout of its own there is none; elsewhere some are known (that they are
 * right is seen in tests/witness). */
static void test_witnesses(void **state)
{
    for (int s = 0; space_table[s]; s++) {
        int known = 0;
        for (int k = 0; target_table[k]; k++) {
            struct task t;
            struct start start;
            struct err e = {0};
            if (!space_task(&t, s, k, MODEL_URPE))
                continue;
            t.model.precision = MODEL_DOUBLE;
            if (start_open(&start, &t, &e))
                fail_msg("%s: %s", target_table[k]->name, e.msg);
            known += start.witness != NULL;
            start_close(&start);
        }
        assert_true((known > 0) == !space_table[s]->given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floors),
        cmocka_unit_test(test_witnesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

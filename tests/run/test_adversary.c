/* The search for the worst case, against optima known by hand, against many samples, and against
 * the floors, which no search may cross. */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "run/adversary.h"
#include "run/help_run.h"

/* A small network and what was found about it. */
struct probe {
    struct task task;
    int threads, subsets;
    bool zero; /* all weights 0, so that the output is 0 */
    struct record figures[SUBSETS_MAX];
};

static struct probe small_probe(const char *target, int attention, int n, int d)
{
    struct probe p = {.threads = 1, .task = help_task(target, "toeplitz", attention, n, d)};
    p.task.model.precision = MODEL_DOUBLE;
    p.task.model.layers = 1;
    p.task.model.heads = 2;
    p.task.model.width = 8;
    p.task.model.ffn = 8;
    p.task.train.batch = 8;
    p.task.evaluate.samples = 16;
    p.task.evaluate.adversary_starts = 8;
    p.task.evaluate.adversary_steps = 100;
    p.task.space.share[PATTERN_IDENTICAL] = 0.5;
    assert_int_equal(space_finish(&p.task.space, NULL), 0);
    return p;
}

static void search_at(struct probe *p, int length)
{
    struct pool *pool;
    struct network x;
    struct evaluation *ev;
    struct err e = {0};
    assert_int_equal(pool_open(&pool, p->threads, &e), 0);
    assert_int_equal(network_open(&x, &p->task, pool, &e), 0);
    if (p->zero)
        memset(x.api->parameters(x.trainer), 0, network_size(&x) * sizeof(double));
    assert_int_equal(evaluation_open(&ev, &p->task, length, &e), 0);
    assert_int_equal(evaluation_measure(ev, network_predictor(&x), p->figures, &e), 0);
    assert_int_equal(adversary_search(ev, &x, p->figures, &e), 0);
    p->subsets = evaluation_subsets(ev);
    evaluation_close(ev);
    network_close(&x);
    pool_close(pool);
}

static void search(struct probe *p)
{
    search_at(p, (int)p->task.space.length);
}

/* Subsets: all, generic, identical. */
static const struct record *all(const struct probe *p)
{
    return &p->figures[0];
}
static const struct record *identical(const struct probe *p)
{
    assert_int_equal(p->subsets, 3);
    assert_string_equal(p->figures[2].subset, "identical");
    return &p->figures[2];
}

/* With output 0 the error is |f|: 1 at x = 1 for the identity, and n / sqrt(n) for the prefix sum
 * of ones, which only a slope through all tokens of f finds. */
static void optimum_of_the_target_is_found(void **unused)
{
    static const struct {
        const char *target;
        double worst;
    } known[] = {{"identity", 1}, {"prefix_sum", 2}, {"position", 1}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        struct probe p = small_probe(known[k].target, MODEL_URPE, 4, 2);
        p.zero = true;
        search(&p);
        assert_float_equal(all(&p)->error_worst, known[k].worst, 1e-14);
        assert_float_equal(identical(&p)->error_worst, known[k].worst, 1e-14);
        assert_true(all(&p)->error_sup < known[k].worst || !strcmp(known[k].target, "position"));
        assert_true(isnan(p.figures[1].error_worst) && isnan(p.figures[1].floor_worst));
    }
}

/* The same from inputs whose tokens differ: start 0 alone, from the worst sample, climbs to the
 * corner.  f at the last position needs all tokens, so one that is held still is seen. */
static void one_start_climbs(void **unused)
{
    struct probe p = small_probe("prefix_sum", MODEL_URPE, 9, 2);
    p.zero = true;
    p.task.space.share[PATTERN_IDENTICAL] = 0;
    p.task.space.share[PATTERN_GENERIC] = 1;
    p.task.evaluate.adversary_starts = 1;
    p.task.evaluate.adversary_steps = 12;
    search(&p);
    assert_true(all(&p)->error_sup < 2.9);
    assert_float_equal(all(&p)->error_worst, 3, 1e-14);
}

/* `position` does not depend on the input, so all slope comes through the network.  A dozen steps
 * in 48 variables find more than two thousand times the samples do; without the network's slope
 * they would be a dozen random moves. */
static void network_is_climbed(void **unused)
{
    struct probe p = small_probe("position", MODEL_URPE, 12, 4), none, many;
    p.task.space.share[PATTERN_IDENTICAL] = 0;
    p.task.space.share[PATTERN_GENERIC] = 1;
    p.task.evaluate.adversary_starts = 1;
    p.task.evaluate.adversary_steps = 12;
    none = many = p;
    none.task.evaluate.adversary_steps = 0;
    many.task.evaluate.adversary_starts = 0;
    many.task.evaluate.samples = 32000;
    search(&p);
    search(&none);
    search(&many);
    assert_true(all(&none)->error_worst == all(&p)->error_sup); /* the worst sample */
    assert_true(all(&many)->error_sup > all(&p)->error_sup);
    assert_true(all(&p)->error_worst > all(&many)->error_sup);
    assert_true(isnan(all(&many)->error_worst) && isnan(all(&many)->floor_worst));
}

static void never_below_the_samples_or_the_floor(void **unused)
{
    static const char *const target[] = {"gain", "prefix_sum", "random_field", "moving_max"};
    for (int k = 0; k < 16; k++) {
        struct probe p = small_probe(target[k % 4], k / 4 % 2, 6, 2);
        p.task.evaluate.adversary_starts = 1 + k / 4 * 2;
        p.task.evaluate.adversary_steps = k % 3;
        search(&p);
        for (int s = 0; s < 3; s += 2) {
            const struct record *f = &p.figures[s];
            assert_true(f->error_worst >= f->error_sup);
            assert_true(f->floor_worst >= f->floor_sup);
            assert_true(f->error_worst >= f->floor_worst - 1e-12);
        }
        assert_true(all(&p)->error_worst >= identical(&p)->error_worst);
    }
}

/* One group per identical input.  position: (n-1)/(2n) at each.  gain at n = 4: sines 1, 0, -1, 0,
 * so the floor is the largest channel, and 1 only at a corner that no sample holds. */
static void floors_of_the_points_found(void **unused)
{
    struct probe p = small_probe("position", MODEL_RPE, 16, 2);
    search(&p);
    assert_float_equal(identical(&p)->floor_worst, 15.0 / 32, 1e-15);
    assert_float_equal(all(&p)->floor_worst, 15.0 / 32, 1e-15);
    assert_true(identical(&p)->error_worst >= 15.0 / 32 - 1e-12);
    p = small_probe("gain", MODEL_RPE, 4, 2);
    search(&p);
    assert_true(identical(&p)->floor_sup < 1 - 1e-6);
    assert_float_equal(identical(&p)->floor_worst, 1, 1e-15);
    assert_true(identical(&p)->error_worst >= 1 - 1e-12);
    p = small_probe("gain", MODEL_URPE, 4, 2);
    search(&p);
    assert_float_equal(all(&p)->floor_worst, 0, 0);
}

static void check_repetition(int starts, int steps)
{
    struct probe a = small_probe("random_field", MODEL_URPE, 24, 4), b, c;
    a.task.train.batch = 64; /* several microbatches */
    a.task.evaluate.adversary_starts = starts;
    a.task.evaluate.adversary_steps = steps;
    b = c = a;
    b.threads = 3;
    c.task.seed = 1;
    search(&a);
    search(&b);
    search(&c);
    for (int k = 0; k < 3; k += 2) {
        assert_true(a.figures[k].error_worst == b.figures[k].error_worst);
        assert_true(a.figures[k].floor_worst == b.figures[k].floor_worst);
        assert_true(a.figures[k].error_worst != c.figures[k].error_worst);
    }
}

/* Several waves of microbatches; and one start, long enough for its random moves to count. */
static void threads_and_repetition_change_nothing(void **unused)
{
    check_repetition(70, 10);
    check_repetition(1, 120);
}

/* Longer inputs than a difference is taken for at once: 40 x 4 variables, 64 at a time. */
static void many_variables_are_climbed_in_blocks(void **unused)
{
    struct probe p = small_probe("mean", MODEL_URPE, 40, 4);
    p.zero = true;
    p.task.evaluate.adversary_starts = 1;
    p.task.space.share[PATTERN_IDENTICAL] = 0;
    p.task.space.share[PATTERN_GENERIC] = 1;
    search(&p);
    assert_true(all(&p)->error_sup < 0.75);
    assert_true(all(&p)->error_worst > 0.95);
}

static void left_empty_where_nothing_is_searched(void **unused)
{
    struct probe p = small_probe("gain", MODEL_URPE, 6, 2);
    p.task.evaluate.lengths = (struct option_ints){.count = 1, .value = {5}};
    search_at(&p, 5);
    assert_true(isnan(all(&p)->error_worst) && !isnan(all(&p)->error_sup));
    p = small_probe("pi", MODEL_URPE, 6, 2);
    search(&p);
    assert_true(isnan(all(&p)->error_worst) && !isnan(all(&p)->accuracy));
}

/* Cells made before there was a search keep their ids. */
static void ids_stay_without_a_search(void **unused)
{
    static const char *const text[] = {
        "target: gain\n", "target: gain\nevaluate: {adversary: {starts: 0, steps: 7}}\n",
        "target: gain\nevaluate: {adversary: {starts: 4}}\n",
        "target: gain\nevaluate: {adversary: {starts: 4, steps: 7}}\n"};
    struct spec *s[4];
    for (int k = 0; k < 4; k++)
        s[k] = help_spec(text[k]);
    assert_string_equal(spec_cell(s[0], 0)->id, spec_cell(s[1], 0)->id);
    assert_string_not_equal(spec_cell(s[0], 0)->id, spec_cell(s[2], 0)->id);
    assert_string_not_equal(spec_cell(s[2], 0)->id, spec_cell(s[3], 0)->id);
    for (int k = 0; k < 4; k++)
        spec_close(s[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimum_of_the_target_is_found),
        cmocka_unit_test(one_start_climbs),
        cmocka_unit_test(network_is_climbed),
        cmocka_unit_test(never_below_the_samples_or_the_floor),
        cmocka_unit_test(floors_of_the_points_found),
        cmocka_unit_test(threads_and_repetition_change_nothing),
        cmocka_unit_test(many_variables_are_climbed_in_blocks),
        cmocka_unit_test(left_empty_where_nothing_is_searched),
        cmocka_unit_test(ids_stay_without_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sequences of unequal length: what is drawn at each length, and that neither training nor evaluation
 * mixes samples up. */
#include "train/help_task.h"

#include <string.h>

#include "kernel/kernel.h"

static struct task sized_task(const char *target, const char *prefix)
{
    struct task t = task_default(target, "toeplitz", MODEL_URPE);
    struct err e = {0};
    t.space.length = 12;
    t.space.kind.number[0] = 5;
    assert_int_equal(space_finish(&t.space, &e), 0);
    assert_true(option_set_kind(&prefix_kinds, prefix, &t.model.prefix));
    t.space.channels = 2;
    t.model.width = 16;
    t.model.ffn = 32;
    t.train.steps = 60;
    t.train.warmup = 10;
    t.evaluate.samples = 64;
    return t;
}

/* Lengths from the shortest to the evaluated one; at a shorter one than the shortest, all have it. */
static void test_sets(void **state)
{
    struct task t = sized_task("prefix_sum", "none");
    static const int length[] = {3, 5, 8, 12, 20};
    for (int k = 0; k < 5; k++) {
        struct samples s;
        struct err e = {0};
        int sizes[21] = {0};
        assert_int_equal(samples_evaluation(&s, &t, length[k], &e), 0);
        assert_int_equal(s.count, 64);
        for (int i = 0; i < s.count; i++) {
            const struct layout *l = s.layout[i];
            const double *x = s.x + (size_t)s.first[i] * 2, *y = s.y + (size_t)s.first[i] * 2;
            double sum = 0;
            assert_int_equal(l->n, s.first[i + 1] - s.first[i]);
            assert_int_equal(l->relations, 2 * length[k] - 1);
            assert_int_equal(layout_relation(l, 0, 0), length[k] - 1);
            sizes[l->n]++;
            for (int j = 0; j < l->n; j++) { /* nothing of any neighbour */
                sum += x[2 * j];
                assert_true(s.pattern[i] != PATTERN_IDENTICAL || x[2 * j] == x[0]);
            }
            assert_true(y[2 * (l->n - 1)] * y[2 * (l->n - 1)] * l->n > 0.99 * sum * sum);
            for (int j = 0; j < i; j++) /* samples of one length share their layout */
                assert_true((s.layout[j]->n == l->n) == (s.layout[j] == l));
        }
        for (int n = 0; n <= 20; n++)
            assert_true((sizes[n] > 0) == (n == length[k] || (n >= 5 && n <= length[k])));
        samples_close(&s);
    }
}

/* Training draws each sample's length from the list, evaluation does not; a sampler's numbers are the
 * same whatever was drawn before. */
static void test_mixed(void **state)
{
    struct task t = sized_task("prefix_sum", "none");
    t.space.kind.number[0] = 0;
    t.train.mixed = (struct option_ints){.count = 3, .value = {4, 9, 12}};
    struct sampler *d;
    struct samples s, again;
    struct err e = {0};
    int sizes[13] = {0};
    assert_int_equal(task_check(&t, &e), 0);
    assert_int_equal(sampler_open(&d, &t, 12, &e), 0);
    assert_int_equal(arena_open(&s.arena, 0, &e), 0);
    assert_int_equal(arena_open(&again.arena, 0, &e), 0);
    assert_int_equal(sampler_draw(d, 0, 300, &s, &e), 0);
    assert_int_equal(sampler_draw(d, 200, 100, &again, &e), 0);
    for (int k = 0; k < 300; k++)
        sizes[s.layout[k]->n]++;
    for (int n = 0; n <= 12; n++)
        assert_true(n == 4 || n == 9 || n == 12 ? sizes[n] > 70 : sizes[n] == 0);
    for (int k = 0; k < 100; k++) {
        int n = again.layout[k]->n;
        assert_int_equal(n, s.layout[200 + k]->n);
        assert_memory_equal(again.x + 2 * again.first[k], s.x + 2 * s.first[200 + k],
                            (size_t)n * 2 * sizeof *s.x);
        assert_memory_equal(again.y + 2 * again.first[k], s.y + 2 * s.first[200 + k],
                            (size_t)n * 2 * sizeof *s.y);
    }
    arena_close(&s.arena);
    arena_close(&again.arena);
    sampler_close(d);
    assert_int_equal(samples_evaluation(&s, &t, 12, &e), 0);
    assert_int_equal(s.rows, 12 * s.count);
    samples_close(&s);
}

/* The sets of several lengths, one after another, with the lengths of their samples. */
static void test_join(void **state)
{
    struct task t = sized_task("prefix_sum", "none");
    struct samples all, one;
    struct err e = {0};
    t.evaluate.lengths = (struct option_ints){.count = 2, .value = {8, 12}};
    assert_int_equal(samples_of_lengths(&all, &t, &e), 0);
    for (int k = 0, at = 0; k < 2; k++, at += 64) {
        assert_int_equal(samples_evaluation(&one, &t, (int)t.evaluate.lengths.value[k], &e), 0);
        for (int i = 0; i < 64; i++) {
            const struct layout *l = all.layout[at + i];
            assert_int_equal(l->n, one.layout[i]->n);
            assert_int_equal(l->n, all.first[at + i + 1] - all.first[at + i]);
            assert_int_equal(l->origin, t.evaluate.lengths.value[k] - 1);
            assert_memory_equal(all.x + 2 * all.first[at + i], one.x + 2 * one.first[i],
                                (size_t)l->n * 2 * sizeof *one.x);
        }
        samples_close(&one);
    }
    samples_close(&all);
}

static double *outputs_of(struct trainer *t, const struct samples *s)
{
    struct err e = {0};
    double *y = memory_alloc((size_t)s->rows * 2, sizeof *y, &e);
    assert_non_null(y);
    assert_int_equal(trainer_outputs(t, s, y, NULL, NULL, &e), 0);
    return y;
}

/* A trainer that has seen other lengths gives what a new one gives: with a token in front a pass over
 * samples of n tokens is none over samples of n + 1. */
static void test_passes_are_apart(void **state)
{
    for (int prefix = 0; prefix < 2; prefix++)
        for (int least = 0; least < 2; least++) {
            struct task task = sized_task("gain", prefix ? "bos" : "none");
            struct pool *pool = open_pool(1);
            struct trainer *used = open_trainer(&task, pool);
            task.space.kind.number[0] = least ? 5 : 0;
            for (int n = 11; n < 16; n++) {
                struct trainer *fresh = open_trainer(&task, pool);
                struct samples s;
                struct err e = {0};
                assert_int_equal(samples_evaluation(&s, &task, n, &e), 0);
                double *a = outputs_of(used, &s), *b = outputs_of(fresh, &s);
                assert_memory_equal(a, b, (size_t)s.rows * 2 * sizeof *a);
                memory_free(a);
                memory_free(b);
                samples_close(&s);
                trainer_close(fresh);
            }
            trainer_close(used);
            pool_close(pool);
        }
}

/* A sample's outputs depend on no other sample and on nothing behind its end. */
static void test_samples_are_apart(void **state)
{
    for (int prefix = 0; prefix < 2; prefix++) {
        struct task task = sized_task("gain", prefix ? "bos" : "none");
        struct pool *pool = open_pool(1);
        struct trainer *t = open_trainer(&task, pool);
        struct samples s;
        struct err e = {0};
        assert_int_equal(samples_evaluation(&s, &task, 12, &e), 0);
        double *before = outputs_of(t, &s);
        int k = s.count / 2, first = s.first[k], n = s.layout[k]->n;
        for (int i = 0; i < s.rows * 2; i++)
            if (i < first * 2 || i >= (first + n) * 2)
                s.x[i] = 1 - s.x[i];
        double *after = outputs_of(t, &s);
        assert_memory_equal(before + first * 2, after + first * 2, (size_t)n * 2 * sizeof *before);
        assert_memory_not_equal(before, after, (size_t)s.layout[0]->n * 2 * sizeof *before);
        memory_free(before);
        memory_free(after);
        samples_close(&s);
        trainer_close(t);
        pool_close(pool);
    }
}

static void learns_of_lengths(bool mixed)
{
    struct task task = sized_task("prefix_mean", "bos");
    if (mixed) {
        task.space.kind.number[0] = 0;
        task.train.mixed = (struct option_ints){.count = 2, .value = {5, 11}};
    }
    learns_with_any_threads(&task);
}

static void test_learns_with_any_threads(void **state)
{
    learns_of_lengths(false);
    learns_of_lengths(true);
}

static void test_refusals(void **state)
{
    static const char *const key[] = {"evaluate.adversary", "evaluate.orbit", "model.prefix"};
    for (int k = 0; k < 3; k++)
        for (int least = 0; least < 2; least++) {
            struct err e = {0};
            struct task t = sized_task("gain", k == 2 ? "registers" : "none");
            t.space.kind.number[0] = least ? 5 : 0;
            t.evaluate.adversary_starts = k == 0;
            t.evaluate.orbit = k == 1;
            assert_int_equal(task_check(&t, &e), least ? ERR_USAGE : 0);
            if (least)
                assert_string_equal(e.where, key[k]);
        }
    struct err e = {0};
    struct task t = sized_task("gain", "none");
    t.train.mixed = (struct option_ints){.count = 1, .value = {8}};
    assert_int_equal(task_check(&t, &e), ERR_USAGE); /* length_min too */
    t.space.kind.number[0] = 0;
    assert_int_equal(task_check(&t, &e), 0);
    t.train.lengths = t.train.mixed;
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_string_equal(e.where, "train.lengths.mixed");
    t.train.lengths.count = 0;
    t.train.mixed.value[0] = 13;
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_string_equal(e.where, "train.lengths.mixed");
    e = (struct err){0};
    t.space.kind.number[0] = 13;
    assert_int_equal(space_finish(&t.space, &e), ERR_USAGE);
    assert_string_equal(e.where, "space.length_min");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_passes_are_apart),
        cmocka_unit_test(test_samples_are_apart),
        cmocka_unit_test(test_learns_with_any_threads),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

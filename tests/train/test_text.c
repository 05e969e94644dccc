/* Training on a text: parts that stay apart through the sampler, and what a task with one must be. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/named_file.h"
#include "kernel/kernel.h"
#include "train/help_task.h"
#include "help_temporary.h"

enum { SIZE = 4000, N = 8, V = 5 };

static const char *path(void)
{
    static char name[256];
    help_temporary(name, sizeof name, "text");
    return name;
}

static int remove_text(void **state)
{
    return file_remove(path(), NULL);
}

/* Training part 'A'..'E', where each letter has one successor, evaluated part 'a'..'e' likewise. */
static struct task text_task(const char *encoding, int attention)
{
    struct task t = task_default("text", encoding, attention);
    struct err e = {0};
    char bytes[SIZE];
    for (int k = 0; k < SIZE; k++)
        bytes[k] = (char)((k < SIZE * 9 / 10 ? 'A' : 'a') + k * 2 % V);
    assert_int_equal(file_write(path(), bytes, SIZE, &e), 0);
    assert_int_equal(named_file_resolve(t.target.kind.text[0].text, OPTION_TEXT_MAX, "", path(), &e),
                     0);
    memset(t.space.share, 0, sizeof t.space.share);
    t.space.length = N;
    assert_int_equal(space_finish(&t.space, &e), 0);
    t.target.kind.number[1] = 0; /* no selection part */
    assert_true(option_set_kind(&mask_kinds, "causal", &t.model.mask));
    t.model.layers = 1;
    t.model.width = 16;
    t.model.heads = 2;
    t.model.ffn = 16;
    t.train.batch = 16;
    t.train.warmup = 10;
    t.train.steps = 200;
    t.train.lr = 0.01;
    t.evaluate.samples = 40;
    return t;
}

/* Every row of a set lies in the part that begins at letter `first`, its label after it. */
static void check_rows(const struct samples *s, int first)
{
    assert_true(s->rows > 0 && s->rows == s->count * N);
    for (int k = 0; k < s->count; k++) {
        assert_int_equal(s->pattern[k], PATTERN_GENERIC);
        for (int r = s->first[k]; r < s->first[k + 1]; r++) {
            assert_in_range(s->token[r], first, first + V - 1);
            assert_int_equal(s->label[r], first + (s->token[r] - first + 2) % V);
            if (r + 1 < s->first[k + 1])
                assert_int_equal(s->label[r], s->token[r + 1]);
        }
    }
}

static void test_parts_stay_apart(void **state)
{
    struct task t = text_task("toeplitz", MODEL_RPE);
    struct sampler *sampler;
    struct samples train = {0}, evaluation, again;
    struct err e = {0};
    assert_int_equal(sampler_open(&sampler, &t, N, &e), 0);
    assert_int_equal(arena_open(&train.arena, 0, &e), 0);
    assert_int_equal(sampler_draw(sampler, 0, 500, &train, &e), 0);
    check_rows(&train, 'A');
    assert_int_equal(samples_evaluation(&evaluation, &t, N, &e), 0);
    assert_int_equal(evaluation.count, 40);
    check_rows(&evaluation, 'a');
    t.seed = 5; /* the evaluated windows are the same for every seed, the training ones are not */
    assert_int_equal(samples_evaluation(&again, &t, N, &e), 0);
    size_t bytes = (size_t)evaluation.rows * sizeof *evaluation.token;
    assert_memory_equal(evaluation.token, again.token, bytes);
    int32_t first[500 * N];
    memcpy(first, train.token, sizeof first);
    sampler_close(sampler);
    assert_int_equal(sampler_open(&sampler, &t, N, &e), 0);
    assert_int_equal(sampler_draw(sampler, 0, 500, &train, &e), 0);
    assert_memory_not_equal(first, train.token, sizeof first);
    sampler_close(sampler);
    samples_close(&train);
    samples_close(&evaluation);
    samples_close(&again);
}

/* Rows that carry one text: RPE and URPE see the same windows in the same order. */
static void test_paired(void **state)
{
    struct task t[2] = {text_task("toeplitz", MODEL_RPE), text_task("alibi", MODEL_URPE)};
    struct samples s[2] = {{0}, {0}};
    struct err e = {0};
    for (int k = 0; k < 2; k++) {
        struct sampler *sampler;
        assert_int_equal(sampler_open(&sampler, &t[k], N, &e), 0);
        assert_int_equal(arena_open(&s[k].arena, 0, &e), 0);
        assert_int_equal(sampler_draw(sampler, 7, 20, &s[k], &e), 0);
        sampler_close(sampler);
    }
    assert_memory_equal(s[0].token, s[1].token, 20 * N * sizeof(int32_t));
    assert_memory_equal(s[0].label, s[1].label, 20 * N * sizeof(int32_t));
    samples_close(&s[0]);
    samples_close(&s[1]);
}

struct sum {
    const struct samples *s;
    double nats;
};

static void add_nats(void *context, int first, int rows, int labels, const double *logits)
{
    struct sum *sum = context;
    assert_int_equal(labels, 256);
    for (int k = 0; k < rows; k++, logits += labels) {
        double z = 0;
        for (int v = 0; v < labels; v++)
            z += exp(logits[v]);
        sum->nats += log(z) - logits[sum->s->label[first + k]];
    }
}

static double nats_on(struct trainer *t, const struct samples *s)
{
    struct sum sum = {.s = s};
    struct err e = {0};
    assert_int_equal(trainer_outputs(t, s, NULL, add_nats, &sum, &e), 0);
    return sum.nats / s->rows;
}

/* Successors are learned from the training part, and from it alone: on letters that only the other
 * part has, the network knows nothing. */
static void test_learns_from_its_part(void **state)
{
    struct task t = text_task("toeplitz", MODEL_URPE);
    struct pool *pool;
    struct trainer *trainer;
    struct samples evaluation, train = {0};
    struct sampler *sampler;
    struct err e = {0};
    assert_int_equal(kernel_open(&e), 0);
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    assert_int_equal(trainer_open(&trainer, &t, pool, &e), 0);
    assert_int_equal(samples_evaluation(&evaluation, &t, N, &e), 0);
    assert_int_equal(sampler_open(&sampler, &t, N, &e), 0);
    assert_int_equal(arena_open(&train.arena, 0, &e), 0);
    assert_int_equal(sampler_draw(sampler, 1000000, 40, &train, &e), 0);
    double before = nats_on(trainer, &train);
    assert_true(fabs(before - log(256)) < 1.5);
    for (int k = 0; k < 200; k++) {
        struct train_report r;
        assert_int_equal(trainer_step(trainer, &r, &e), 0);
    }
    assert_true(nats_on(trainer, &train) < 0.05);
    assert_true(nats_on(trainer, &evaluation) > log(V));
    sampler_close(sampler);
    samples_close(&train);
    samples_close(&evaluation);
    trainer_close(trainer);
    pool_close(pool);
}

static void refused(const struct task *t, const char *where, const char *phrase)
{
    struct err e = {0};
    assert_int_equal(task_check(t, &e), ERR_USAGE);
    assert_string_equal(e.where, where);
    if (!strstr(e.msg, phrase) || !strstr(e.msg, "expected"))
        fail_msg("'%s' does not hold '%s' and what was expected", e.msg, phrase);
}

static void test_refusals(void **state)
{
    struct task t = text_task("toeplitz", MODEL_RPE);
    struct err e = {0};
    assert_int_equal(task_check(&t, &e), 0);
    assert_true(option_set_kind(&mask_kinds, "none", &t.model.mask));
    refused(&t, "model.mask", "copy the labels");
    assert_true(option_set_kind(&mask_kinds, "causal", &t.model.mask));
    t.evaluate.orbit = 1;
    refused(&t, "evaluate.orbit", "inputs of its own");
    t.evaluate.orbit = 0;
    t.evaluate.lengths = (struct option_ints){.count = 2, .value = {N, 399}};
    assert_int_equal(task_check(&t, &e), 0);
    t.evaluate.lengths.value[1] = 400; /* of 400 bytes, one is the last label */
    refused(&t, "target.file", "the test part has 400 bytes; expected at least 401");
}

/* The text is in the price. */
static void test_price(void **state)
{
    struct task t = text_task("toeplitz", MODEL_RPE);
    struct train_price small, grown;
    struct err e = {0};
    assert_int_equal(trainer_price(&t, &small, &e), 0);
    assert_in_range(small.drawing, SIZE, SIZE + 1024);
    char *large = memory_alloc(1 << 20, 1, &e);
    assert_int_equal(file_write(path(), large, 1 << 20, &e), 0);
    assert_int_equal(trainer_price(&t, &grown, &e), 0);
    assert_in_range(grown.bytes - small.bytes, (1 << 20) - SIZE - 64, (1 << 20) - SIZE + 64);
    memory_free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_parts_stay_apart, remove_text),
        cmocka_unit_test_teardown(test_paired, remove_text),
        cmocka_unit_test_teardown(test_learns_from_its_part, remove_text),
        cmocka_unit_test_teardown(test_refusals, remove_text),
        cmocka_unit_test_teardown(test_price, remove_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

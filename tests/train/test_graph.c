/* Samples with graphs of their own, of several sizes: what is drawn, and that neither training nor
 * evaluation mixes them up. */
#include "train/help_task.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

static struct task graph_task(const char *encoding)
{
    struct task t = task_default("degree", encoding, MODEL_URPE);
    struct err e = {0};
    assert_true(option_set_kind(&space_kinds, "graph", &t.space.kind));
    t.space.kind.number[1] = 12; /* nodes, nodes_min */
    t.space.kind.number[2] = 5;
    t.space.share[PATTERN_IDENTICAL] = 0.25;
    t.space.share[PATTERN_CONSTANT] = 0.25;
    assert_int_equal(space_finish(&t.space, &e), 0);
    t.space.channels = 2;
    t.model.width = 16;
    t.model.ffn = 32;
    t.train.steps = 60;
    t.train.warmup = 10;
    t.evaluate.samples = 64;
    return t;
}

static void open_set(struct samples *s, const struct task *t)
{
    struct err e = {0};
    assert_int_equal(samples_evaluation(s, t, (int)t->space.length, &e), 0);
}

/* ---- samples ----------------------------------------------------------------------------------*/
static void test_sets(void **state)
{
    struct task t = graph_task("toeplitz");
    struct samples s, again;
    int sizes[13] = {0}, layouts = 0;
    open_set(&s, &t);
    open_set(&again, &t);
    assert_int_equal(s.rows, again.rows);
    assert_memory_equal(s.x, again.x, (size_t)s.rows * 2 * sizeof *s.x);
    assert_memory_equal(s.y, again.y, (size_t)s.rows * 2 * sizeof *s.y);
    for (int k = 0; k < s.count; k++) {
        const struct layout *l = s.layout[k];
        const double *x = s.x + (size_t)s.first[k] * 2, *y = s.y + (size_t)s.first[k] * 2;
        assert_int_equal(l->n, s.first[k + 1] - s.first[k]);
        assert_in_range(l->n, 5, 12);
        sizes[l->n]++;
        layouts += k > 0 && l != s.layout[k - 1];
        bool equal = true, half = true;
        for (int i = 0; i < l->n; i++) {
            equal &= x[2 * i] == x[0] && x[2 * i + 1] == x[1];
            half &= x[2 * i] == 0.5 && x[2 * i + 1] == 0.5;
            assert_true(y[2 * i] == l->degree[i]);
        }
        assert_true(equal == (s.pattern[k] != PATTERN_GENERIC));
        assert_true(half == (s.pattern[k] == PATTERN_CONSTANT));
    }
    assert_int_equal(layouts, s.count - 1);
    for (int n = 5; n <= 12; n++)
        assert_true(sizes[n] > 0);
    samples_close(&s);
    samples_close(&again);
}

/* The constant token of symbols is symbol 0. */
static void test_constant_symbols(void **state)
{
    struct task t = graph_task("toeplitz");
    struct samples s;
    assert_true(option_set_kind(&target_kinds, "histogram", &t.target.kind));
    open_set(&s, &t);
    for (int k = 0, other = 0; k < s.count; k++)
        for (int i = s.first[k]; i < s.first[k + 1]; i++) {
            other += s.token[i] != 0;
            if (s.pattern[k] == PATTERN_CONSTANT)
                assert_int_equal(s.token[i], 0);
            else if (k == s.count - 1)
                assert_true(other > 0);
        }
    samples_close(&s);
}

/* ---- outputs ----------------------------------------------------------------------------------*/
static double *outputs_of(struct trainer *t, const struct samples *s)
{
    struct err e = {0};
    double *y = memory_alloc((size_t)s->rows * 2, sizeof *y, &e);
    assert_non_null(y);
    assert_int_equal(trainer_outputs(t, s, y, NULL, NULL, &e), 0);
    return y;
}

/* Tables and positions far from their start. */
static void perturb(struct trainer *t)
{
    const struct model *m = trainer_model(t);
    real *p = trainer_parameters(t);
    struct stream random;
    stream_open(&random, 1, "perturb", 0);
    for (size_t k = 0; k < m->tensors.elements; k++)
        p[k] += (real)(0.4 * stream_uniform24(&random) - 0.2);
}

/* Other samples' inputs change nothing, one's own neighbours' do. */
static void test_samples_are_apart(void **state)
{
    for (int kind = 0; encoding_table[kind]; kind++) {
        if (encoding_table[kind]->axes_min > 0)
            continue;
        struct task task = graph_task(encoding_table[kind]->name);
        struct pool *pool = open_pool(1);
        struct trainer *t = open_trainer(&task, pool);
        struct samples s;
        open_set(&s, &task);
        perturb(t);
        double *before = outputs_of(t, &s);
        int k = s.count / 2, first = s.first[k], n = s.layout[k]->n;
        for (int i = 0; i < s.rows * 2; i++)
            if (i < first * 2 || i >= (first + n) * 2)
                s.x[i] = 1 - s.x[i];
        double *after = outputs_of(t, &s);
        assert_memory_equal(before + first * 2, after + first * 2,
                            (size_t)n * 2 * sizeof *before);
        s.x[first * 2] = s.x[first * 2] > 0.5 ? 0 : 1;
        memory_free(after);
        after = outputs_of(t, &s);
        assert_memory_not_equal(before + (first + 1) * 2, after + (first + 1) * 2,
                                (size_t)(n - 1) * 2 * sizeof *before);
        memory_free(before);
        memory_free(after);
        samples_close(&s);
        trainer_close(t);
        pool_close(pool);
    }
}

static void count_rows(void *context, int first, int rows, int labels, const double *logits)
{
    for (int r = first; r < first + rows; r++)
        ((int *)context)[r]++;
}

/* With many labels logits come in chunks of few rows, also of microbatches whose graphs are larger
 * than those of the first. */
static void test_all_logits_are_handed_out(void **state)
{
    struct task task = graph_task("toeplitz");
    struct err e = {0};
    assert_true(option_set_kind(&target_kinds, "majority", &task.target.kind));
    task.target.vocab = 40000; /* chunks of 16 rows */
    task.space.kind.number[1] = 200;
    task.space.kind.number[2] = 2;
    assert_int_equal(space_finish(&task.space, &e), 0);
    task.train.batch = 8;
    task.evaluate.samples = 32;
    task.model.width = task.model.ffn = 8;
    task.model.heads = task.model.layers = 1;
    struct pool *pool = open_pool(2);
    struct trainer *t = open_trainer(&task, pool);
    struct samples s;
    open_set(&s, &task);
    int *seen = memory_alloc((size_t)s.rows, sizeof *seen, &e);
    assert_non_null(seen);
    assert_int_equal(trainer_outputs(t, &s, NULL, count_rows, seen, &e), 0);
    for (int r = 0; r < s.rows; r++)
        assert_int_equal(seen[r], 1);
    memory_free(seen);
    samples_close(&s);
    trainer_close(t);
    pool_close(pool);
}

/* Nodes that are renamed keep their outputs, up to the order of sums. */
static void test_renamed_nodes(void **state)
{
    enum { N = 6, EDGES = 6 };
    static const int32_t edges[] = {0, 1, 1, 2, 2, 0, 2, 3, 3, 4, 4, 5};
    static const int to[N] = {3, 0, 5, 1, 4, 2};
    for (int kind = 0; encoding_table[kind]; kind++) {
        if (encoding_table[kind]->axes_min > 0)
            continue;
        struct task task = graph_task(encoding_table[kind]->name);
        struct pool *pool = open_pool(1);
        struct trainer *t = open_trainer(&task, pool);
        struct err e = {0};
        struct arena a;
        struct layout l[2];
        struct layout *layout[2] = {&l[0], &l[1]};
        int32_t renamed[2 * EDGES];
        int first[3] = {0, N, 2 * N};
        double x[4 * N], y[4 * N] = {0};
        struct samples s = {.count = 2, .rows = 2 * N, .channels = 2, .first = first,
                            .layout = layout, .x = x, .y = y};
        assert_int_equal(arena_open(&a, 0, &e), 0);
        for (int k = 0; k < 2 * EDGES; k++)
            renamed[k] = to[edges[k]];
        assert_int_equal(space_table[2]->given(&task.space, N, edges, EDGES, &a, &l[0], &e), 0);
        assert_int_equal(space_table[2]->given(&task.space, N, renamed, EDGES, &a, &l[1], &e), 0);
        for (int i = 0; i < N; i++)
            for (int c = 0; c < 2; c++)
                x[2 * i + c] = x[2 * (N + to[i]) + c] = (i * 2 + c) / 16.0;
        perturb(t);
        double *out = outputs_of(t, &s);
        int differ = 0;
        for (int i = 0; i < N; i++) {
            double here = out[2 * i], there = out[2 * (N + to[i])];
            assert_true(fabs(here - there) <= 200 * REAL_EPSILON * (1 + fabs(here)));
            differ += i > 0 && fabs(here - out[0]) > 200 * REAL_EPSILON * (1 + fabs(here));
        }
        assert_int_equal(differ, N - 1); /* the comparison can fail */
        memory_free(out);
        arena_close(&a);
        trainer_close(t);
        pool_close(pool);
    }
}

/* ---- training ---------------------------------------------------------------------------------*/
static void test_learns_with_any_threads(void **state)
{
    struct task task = graph_task("toeplitz");
    learns_with_any_threads(&task);
}

/* What one layout for all is needed for is refused. */
static void test_refusals(void **state)
{
    struct err e = {0};
    struct task t = graph_task("toeplitz");
    assert_int_equal(task_check(&t, &e), 0);
    t.evaluate.adversary_starts = 4;
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_string_equal(e.where, "evaluate.adversary");
    e = (struct err){0};
    t.evaluate.adversary_starts = 0;
    t.evaluate.lengths = (struct option_ints){.count = 2, .value = {5, 12}};
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_string_equal(e.where, "evaluate.lengths");
    e = (struct err){0};
    t.evaluate.lengths = (struct option_ints){.count = 1, .value = {12}};
    assert_int_equal(task_check(&t, &e), 0);
    assert_true(option_set_kind(&space_kinds, "grid", &t.space.kind));
    assert_int_equal(task_check(&t, &e), ERR_USAGE); /* 36, not 12 */
    assert_string_equal(e.where, "evaluate.lengths");
    t = graph_task("toeplitz");
    struct pool *pool = open_pool(1);
    struct trainer *trainer = open_trainer(&t, pool);
    const struct model *m = trainer_model(trainer);
    e = (struct err){0};
    assert_int_equal(model_check(&t.model, &m->io, &m->trained, &m->trained, &e), 0);
    assert_true(option_set_kind(&mask_kinds, "causal", &t.model.mask));
    assert_int_equal(model_check(&t.model, &m->io, &m->trained, &m->trained, &e), ERR_USAGE);
    assert_string_equal(e.where, "model.mask");
    trainer_close(trainer);
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_constant_symbols),
        cmocka_unit_test(test_samples_are_apart),
        cmocka_unit_test(test_all_logits_are_handed_out),
        cmocka_unit_test(test_renamed_nodes),
        cmocka_unit_test(test_learns_with_any_threads),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

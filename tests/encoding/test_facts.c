/* Literal values: buckets, slopes, spots of biases, classes of pairs, what happens beyond the
 * training length, and refusals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"
#include "kernel/kernel.h"

/* ---- buckets: first distance of each bucket, as in the released T5 ----------------------------*/
static void check_buckets(const int *first, int count, bool causal, int sign, int base)
{
    for (int m = 0; m < 1000; m++) {
        int expected = 0;
        while (expected + 1 < count && first[expected + 1] <= m)
            expected++;
        assert_int_equal(encoding_bucket(sign * m, causal, 32, 128),
                         sign * m > 0 ? base + expected : expected);
    }
}

static void test_buckets(void **state)
{
    static const int both[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91};
    static const int past[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                               16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113};
    check_buckets(both, 16, false, -1, 0);
    check_buckets(both, 16, false, 1, 16);
    check_buckets(past, 32, true, -1, 0);
    for (int m = 0; m < 300; m++)
        assert_int_equal(encoding_bucket(m, true, 32, 128), 0);
    assert_int_equal(encoding_bucket(-3, false, 8, 5), 2);
    assert_int_equal(encoding_bucket(4, false, 8, 5), 7);
}

/* ---- a bench with one head's table of biases --------------------------------------------------*/
struct bench {
    struct arena arena;
    struct layout trained, layout;
    struct rig g;
};

static bool bench_open(struct bench *b, const char *name, const char *options, int trained, int n,
                       int heads, int head_width, bool causal)
{
    struct err e = {0};
    assert_int_equal(arena_open(&b->arena, 0, &e), 0);
    b->trained = rig_sequence(&b->arena, trained);
    b->layout = rig_sequence(&b->arena, n);
    struct rig_shape shape = {heads, head_width, 4, causal};
    return rig_open(&b->g, &b->arena, rig_entry(name), options, &b->trained, &b->layout, shape, 3);
}

static void prepare(struct rig *g)
{
    struct encoding_context c = rig_context(g);
    g->entry->prepare(&c, g->state);
}

/* B of head h at offset. */
static double bias(const struct rig *g, int h, int offset)
{
    return (double)g->state[h * g->layout.relations + offset + g->layout.origin];
}

static void set(const struct rig *g, const char *name, int index, double value)
{
    for (int t = 0; t < g->tensors; t++)
        if (strcmp(g->tensor[t].tensor.name, name) == 0)
            g->parameter[t][index] = (real)value;
}

static void assert_near(double actual, double expected)
{
    if (!(fabs(actual - expected) <= 4 * REAL_EPSILON * (1 + fabs(expected))))
        fail_msg("%.17g is not %.17g", actual, expected);
}

/* ---- slopes -----------------------------------------------------------------------------------*/
static void check_slopes(int heads, const double *expected)
{
    struct bench b;
    assert_true(bench_open(&b, "alibi", "", 4, 4, heads, 2, false));
    prepare(&b.g);
    for (int h = 0; h < heads; h++) {
        assert_near(bias(&b.g, h, 1), -expected[h]);
        assert_near(bias(&b.g, h, -3), -3 * expected[h]);
        assert_true(bias(&b.g, h, 0) == 0);
    }
    arena_close(&b.arena);
}

static void test_slopes(void **state)
{
    const double eight[] = {1. / 2, 1. / 4, 1. / 8, 1. / 16, 1. / 32, 1. / 64, 1. / 128, 1. / 256};
    const double twelve[] = {1. / 2,
                             1. / 4,
                             1. / 8,
                             1. / 16,
                             1. / 32,
                             1. / 64,
                             1. / 128,
                             1. / 256,
                             0.70710678118654752,
                             0.35355339059327376,
                             0.17677669529663688,
                             0.08838834764831844};
    const double one[] = {1. / 256};
    check_slopes(8, eight);
    check_slopes(12, twelve);
    check_slopes(1, one);
}

static void test_learned_slopes_start_at_the_fixed_ones(void **state)
{
    struct bench b;
    assert_true(bench_open(&b, "alibi", "slopes=learned", 4, 4, 12, 2, false));
    assert_int_equal(b.g.tensors, 1);
    b.g.entry->initial(&b.g.config, &b.g.shape, 0, b.g.parameter[0]);
    assert_near((double)b.g.parameter[0][0], 0.5);
    assert_near((double)b.g.parameter[0][11], 0.08838834764831844);
    arena_close(&b.arena);
}

/* ---- spots ------------------------------------------------------------------------------------*/
static void test_spots(void **state)
{
    struct bench b;
    assert_true(bench_open(&b, "kerple-log", "", 4, 4, 1, 2, false));
    set(&b.g, "a", 0, 1);
    set(&b.g, "p", 0, 2);
    prepare(&b.g);
    assert_near(bias(&b.g, 0, -3), -2 * 1.3862943611198906);
    arena_close(&b.arena);
    assert_true(bench_open(&b, "kerple-power", "", 4, 4, 1, 2, false));
    set(&b.g, "a", 0, 0.5);
    set(&b.g, "p", 0, 1.5);
    prepare(&b.g);
    assert_near(bias(&b.g, 0, 3), -0.5 * 5.196152422706632);
    arena_close(&b.arena);
    /* D = 4: cos(1/100) + cos(1/10000) - 2 = -5.00045833347e-5, over 8h/H = 4 and 8. */
    assert_true(bench_open(&b, "sandwich", "", 4, 4, 2, 4, false));
    prepare(&b.g);
    assert_near(bias(&b.g, 0, 1) * 1e5, -5.000458333471805 / 4);
    assert_near(bias(&b.g, 1, -1) * 1e5, -5.000458333471805 / 8);
    arena_close(&b.arena);
    assert_true(bench_open(&b, "sinusoidal", "", 4, 4, 1, 4, false));
    prepare(&b.g);
    assert_near((double)b.g.state[4 * 3 + 0], 0.1411200080598672);
    assert_near((double)b.g.state[4 * 3 + 1], -0.9899924966004454);
    assert_near((double)b.g.state[4 * 3 + 2], 0.0299955002024957);
    arena_close(&b.arena);
}

/* Outside its bounds a KERPLE parameter acts as the bound and gets no gradient. */
static void check_clamp(const char *name, const char *tensor, double outside, double bound)
{
    struct bench b;
    assert_true(bench_open(&b, name, "", 5, 5, 1, 2, false));
    set(&b.g, "a", 0, 0.5);
    set(&b.g, "p", 0, 1.5);
    set(&b.g, tensor, 0, bound);
    prepare(&b.g);
    double at_bound = bias(&b.g, 0, 4);
    set(&b.g, tensor, 0, outside);
    rig_forward(&b.g);
    rig_backward(&b.g);
    assert_near(bias(&b.g, 0, 4), at_bound);
    int clamped = strcmp(tensor, "p") == 0;
    assert_true(b.g.gradient[clamped][0] == 0);
    assert_true(b.g.gradient[!clamped][0] != 0);
    arena_close(&b.arena);
}

static void test_clamps(void **state)
{
    check_clamp("kerple-log", "a", -0.3, 0.01);
    check_clamp("kerple-log", "p", 0.005, 0.01);
    check_clamp("kerple-power", "a", -0.3, 0.01);
    check_clamp("kerple-power", "p", -1, 0.01);
    check_clamp("kerple-power", "p", 2.5, 2);
}

/* ---- facts, for d_h = 16 ----------------------------------------------------------------------*/
enum { STOCHASTIC = 1, ABSOLUTE = 2, PER_SAMPLE = 4, BIAS = 8, SHIFT = 16 };

static void check_facts(const char *name, const char *options, bool causal, int flags,
                        double scale)
{
    struct bench b;
    assert_true(bench_open(&b, name, options, 5, 5, 4, 16, causal));
    const struct encoding_facts *f = &b.g.facts;
    int actual = f->right_stochastic * STOCHASTIC + f->absolute * ABSOLUTE +
                 f->per_sample * PER_SAMPLE + f->relation_bias * BIAS + f->shift_invariant * SHIFT;
    if (actual != flags || fabs(f->scale - scale) > 1e-15)
        fail_msg("%s {%s}: facts are %d and %g, not %d and %g", name, options, actual, f->scale,
                 flags, scale);
    arena_close(&b.arena);
}

static void test_facts(void **state)
{
    static const char *const biases[] = {"toeplitz",   "t5",           "alibi",
                                         "kerple-log", "kerple-power", "sandwich"};
    static const char *const relative[] = {"none", "rope", "transformer-xl"};
    for (int i = 0; i < 6; i++)
        check_facts(biases[i], "", i % 2, STOCHASTIC | BIAS | SHIFT, 0.25);
    for (int i = 0; i < 3; i++)
        check_facts(relative[i], "", false, STOCHASTIC | SHIFT, 0.25);
    check_facts("sinusoidal", "", false, STOCHASTIC | ABSOLUTE, 0.25);
    check_facts("learned", "", false, STOCHASTIC | ABSOLUTE, 0.25);
    check_facts("shaw", "", false, SHIFT, 0.25);
    check_facts("shaw", "value=false", false, STOCHASTIC | SHIFT, 0.25);
    check_facts("deberta", "", false, STOCHASTIC | SHIFT, 0.14433756729740643);
    check_facts("fire", "", false, STOCHASTIC | BIAS | SHIFT, 0.25);
    check_facts("fire", "", true, STOCHASTIC, 0.25);
    check_facts("xpos", "", true, STOCHASTIC | SHIFT, 0.25);
    check_facts("tupe", "", true, STOCHASTIC, 0.17677669529663688);
    check_facts("cope", "", true, STOCHASTIC | PER_SAMPLE, 0.25);
    check_facts("fox", "", true, STOCHASTIC | PER_SAMPLE, 0.25);
}

/* A row for each degree, of which the last serves larger ones too; equal rows are equal marks. */
static void test_centrality(void **state)
{
    struct err e = {0};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, &e), 0);
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        struct rig g;
        struct layout trained = rig_graph(&a, 3), here = rig_graph(&a, 6);
        struct rig_shape shape = {.heads = 4, .head_width = 16, .rows = 4};
        assert_true(rig_open(&g, &a, rig_entry("centrality"),
                             with_bias ? "bias=true" : "bias=false", &trained, &here, shape, 3));
        assert_int_equal(g.tensors, 1 + with_bias);
        assert_int_equal(g.tensor[0].scope, ENCODING_MODEL);
        assert_int_equal(g.tensor[0].tensor.shape[0], 3);
        assert_int_equal(g.tensor[0].tensor.shape[1], 64);
        assert_true(g.tensor[0].tensor.deviation == 0.02 && !g.tensor[0].tensor.table);
        assert_true(g.facts.absolute && g.facts.right_stochastic && g.facts.shift_invariant);
        assert_int_equal(g.facts.relation_bias, with_bias);
        if (with_bias)
            assert_true(g.tensor[1].tensor.shape[1] == 3 && g.tensor[1].tensor.table);
        int32_t degree[6] = {0, 1, 2, 3, 5, 2};
        g.layout.degree = degree;
        struct encoding_context c = rig_context(&g);
        for (int i = 0; i < 6; i++)
            assert_int_equal(g.entry->mark(&c, i), degree[i] < 3 ? degree[i] : 2);
    }
    arena_close(&a);
}

/* ---- classes of pairs -------------------------------------------------------------------------*/
/* Number of classes among the visible pairs of a sequence of 6. */
static int classes(const char *name, const char *options, bool causal)
{
    struct bench b;
    assert_true(bench_open(&b, name, options, 6, 6, 1, 4, causal));
    int64_t seen[36];
    int count = 0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < (causal ? i + 1 : 6); j++) {
            int64_t class = rig_relation(&b.g, i, j);
            int known = 0;
            while (known < count && seen[known] != class)
                known++;
            if (known == count)
                seen[count++] = class;
        }
    arena_close(&b.arena);
    return count;
}

static void test_classes(void **state)
{
    assert_int_equal(classes("none", "", false), 1);
    assert_int_equal(classes("sinusoidal", "", false), 1);
    assert_int_equal(classes("learned", "", false), 1);
    assert_int_equal(classes("toeplitz", "", false), 11);
    assert_int_equal(classes("toeplitz", "", true), 6);
    assert_int_equal(classes("rope", "", false), 11);
    assert_int_equal(classes("xpos", "", true), 6);
    assert_int_equal(classes("transformer-xl", "", false), 11);
    assert_int_equal(classes("t5", "", false), 11);
    assert_int_equal(classes("t5", "buckets=8,max_distance=5", false), 7);
    assert_int_equal(classes("alibi", "", false), 6);
    assert_int_equal(classes("kerple-log", "", false), 6);
    assert_int_equal(classes("kerple-power", "", false), 6);
    assert_int_equal(classes("sandwich", "", false), 6);
    assert_int_equal(classes("fire", "", false), 6);
    assert_int_equal(classes("fire", "", true), 21);
    assert_int_equal(classes("shaw", "k=2", false), 5);
    assert_int_equal(classes("deberta", "k=2", false), 5);
    assert_int_equal(classes("deberta", "k=2,gather=released", false), 4);
    assert_int_equal(classes("tupe", "", false), 36);
    assert_int_equal(classes("cope", "", true), 21);
    assert_int_equal(classes("fox", "", true), 21);
}

/* The public function: the entry's relation, or the folded one where it has none. */
static void test_public_relation(void **state)
{
    struct bench b;
    assert_true(bench_open(&b, "toeplitz", "", 4, 7, 1, 4, false));
    struct encoding_context c = rig_context(&b.g);
    while (strcmp(encoding_table[b.g.config.kind]->name, "toeplitz") != 0)
        b.g.config.kind++;
    assert_ptr_equal(encoding_of(&b.g.config), b.g.entry);
    assert_int_equal(encoding_relation(&c, 0, 3), encoding_relation(&c, 0, 6));
    assert_int_equal(encoding_relation(&c, 6, 0), 0);
    assert_int_not_equal(encoding_relation(&c, 0, 2), encoding_relation(&c, 0, 3));
    while (strcmp(encoding_table[b.g.config.kind]->name, "tupe") != 0)
        b.g.config.kind++;
    assert_true(encoding_relation(&c, 2, 3) == ((int64_t)2 << 32 | 3));
    arena_close(&b.arena);
}

/* Beyond the trained table Toeplitz reads, and trains, the last number on each side. */
static void test_clipping(void **state)
{
    struct bench b;
    assert_true(bench_open(&b, "toeplitz", "", 3, 6, 1, 4, false));
    prepare(&b.g);
    for (int offset = 2; offset < 6; offset++) {
        assert_true(bias(&b.g, 0, offset) == (double)b.g.parameter[0][4]);
        assert_true(bias(&b.g, 0, -offset) == (double)b.g.parameter[0][0]);
    }
    assert_true(bias(&b.g, 0, 1) == (double)b.g.parameter[0][3]);
    arena_close(&b.arena);
}

/* ---- refusals ---------------------------------------------------------------------------------*/
struct refusal {
    const char *name, *options, *where, *part;
    int head_width, trained, evaluated; /* lengths; trained 0: a graph, -1: a grid */
    bool causal;
};

static const struct refusal refusals[] = {
    {"cope", "", "model.encoding", "model.mask: causal", 4, 5, 5, false},
    {"xpos", "", "model.encoding", "model.mask: causal", 4, 5, 5, false},
    {"fox", "", "model.encoding", "model.mask: causal", 4, 5, 5, false},
    {"xpos", "", "model.heads", "even head width", 5, 5, 5, true},
    {"learned", "", "evaluate.lengths", "7 positions are evaluated, 5 are trained", 4, 5, 7, false},
    {"tupe", "", "evaluate.lengths", "beyond the training length", 4, 5, 6, true},
    {"rope", "", "model.encoding.fraction", "positive multiple of 2", 5, 5, 5, false},
    {"rope", "fraction=0.1", "model.encoding.fraction", "turns 0 of the 4", 4, 5, 5, false},
    {"rope", "fraction=0.5", "model.encoding.fraction", "multiple of 4", 4, -1, -1, false},
    {"sandwich", "", "model.encoding.dimension", "even D, not 5", 5, 5, 5, false},
    {"transformer-xl", "", "model.width", "even width, not 9", 3, 5, 5, false},
    {"t5", "buckets=64,max_distance=16", "model.encoding.max_distance", "first 16 distances", 4, 5,
     5, false},
    {"t5", "", "model.encoding", "2 coordinate axes", 4, -1, -1, false},
    {"rope", "", "model.encoding", "0 coordinate axes", 4, 0, 0, false},
    {"learned", "", "model.encoding", "0 coordinate axes", 4, 0, 0, false},
    {"shaw", "", "model.encoding", "space.kind: graph, which has 0 coordinate axes (it needs 1); expected one of "
     "none, centrality, toeplitz, alibi, kerple-log, kerple-power", 4, 0, 0, false},
    {"centrality", "", "model.encoding", "1 coordinate axis (it needs 0)", 4, 5, 5, false},
    {"centrality", "", "model.encoding", "2 coordinate axes", 4, -1, -1, false},
};

static struct layout layout_of(struct arena *a, int length)
{
    return length > 0 ? rig_sequence(a, length) : length ? rig_grid(a, 2, 3) : rig_graph(a, 5);
}

static void check_refusal(const struct refusal *x, struct arena *a)
{
    struct err e = {0};
    struct kind_config config;
    struct layout trained = layout_of(a, x->trained), here = layout_of(a, x->evaluated);
    rig_configure(rig_entry(x->name), x->options, &config);
    while (strcmp(encoding_table[config.kind]->name, x->name) != 0)
        config.kind++;
    int heads = 3;
    struct encoding_shape shape = {heads * x->head_width, heads, x->head_width, x->causal,
                                   &trained};
    assert_int_equal(encoding_check(&config, &shape, &here, &e), ERR_USAGE);
    assert_string_equal(e.where, x->where);
    if (!strstr(e.msg, x->part))
        fail_msg("\"%s\" does not say \"%s\"", e.msg, x->part);
}

static void test_refusals(void **state)
{
    struct err e = {0};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, &e), 0);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        check_refusal(&refusals[i], &a);
    arena_close(&a);
}

/* Everything works as it stands in a causal model of even widths, on a sequence or on a graph. */
static void test_acceptance(void **state)
{
    struct err e = {0};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, &e), 0);
    struct layout line = rig_sequence(&a, 9), graph = rig_graph(&a, 9);
    for (int i = 0; encoding_table[i]; i++) {
        struct kind_config config;
        rig_configure(encoding_table[i], "", &config);
        config.kind = i;
        const struct layout *l = encoding_table[i]->axes_max > 0 ? &line : &graph;
        struct encoding_shape shape = {32, 4, 8, true, l};
        assert_int_equal(encoding_check(&config, &shape, l, &e), 0);
    }
    arena_close(&a);
}

static int open_kernels(void **state)
{
    struct err e = {0};
    return kernel_open(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_slopes),
        cmocka_unit_test(test_learned_slopes_start_at_the_fixed_ones),
        cmocka_unit_test(test_spots),
        cmocka_unit_test(test_clamps),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_centrality),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_public_relation),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_acceptance),
    };
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

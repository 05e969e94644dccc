/* Graphs: what models draw, layouts, given edges. */
#include <string.h>

#include "space/help_graph.h"

enum { N_MAX = 24 };

/* ---- models -----------------------------------------------------------------------------------*/
static const char *const models[] = {"erdos-renyi", "regular", "tree", "small-world"};

static void test_distances(void **state)
{
    for (int m = 0; m < 4; m++)
        for (int n = 4; n <= N_MAX; n += 5)
            for (int cap = 0; cap <= 3; cap += 3)
                for (uint64_t k = 0; k < 10; k++) {
                    struct arena a;
                    struct layout l;
                    struct space_config c = graph_config(models[m], n);
                    graph_set(&c, "max_distance", cap);
                    assert_int_equal(arena_open(&a, 0, NULL), 0);
                    graph_draw(&c, NULL, k, &a, &l);
                    assert_int_equal(l.n, n);
                    assert_int_equal(l.axes, 0);
                    graph_check(&l, cap && cap < n - 1 ? cap : n - 1);
                    arena_close(&a);
                }
}

/* Graphs of one and two nodes. */
static void test_small(void **state)
{
    for (int m = 0; m < 4; m++)
        for (int n = 1; n <= 2; n++) {
            struct arena a;
            struct layout l;
            struct space_config c = graph_config("erdos-renyi", n);
            graph_set(&c, "model", m);
            graph_set(&c, "degree", 0);
            assert_int_equal(space_finish(&c, NULL), 0);
            assert_int_equal(arena_open(&a, 0, NULL), 0);
            graph_draw(&c, NULL, 1, &a, &l);
            graph_check(&l, n - 1);
            assert_int_equal(m == 2 ? graph_edges(&l) : n - 1, n - 1); /* a tree is connected */
            arena_close(&a);
        }
}

static void test_a_graph_is_its_number(void **state)
{
    for (int m = 0; m < 4; m++) {
        struct arena a;
        struct layout first, again, other;
        struct space_config c = graph_config(models[m], 12);
        size_t bytes = 144 * sizeof(int32_t);
        assert_int_equal(arena_open(&a, 0, NULL), 0);
        graph_draw(&c, NULL, 3, &a, &first);
        graph_draw(&c, NULL, 3, &a, &again);
        graph_draw(&c, NULL, 4, &a, &other);
        assert_memory_equal(first.steps, again.steps, bytes);
        assert_memory_not_equal(first.steps, other.steps, bytes);
        arena_close(&a);
    }
}

/* Sizes from nodes_min to nodes all come up, relations keep their meaning. */
static void test_sizes(void **state)
{
    int seen[N_MAX + 1] = {0};
    struct arena a;
    struct space_config c = graph_config("erdos-renyi", 12);
    graph_set(&c, "nodes_min", 8);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (uint64_t k = 0; k < 400; k++) {
        struct layout l;
        graph_draw(&c, NULL, k, &a, &l);
        seen[l.n]++;
        graph_check(&l, 11);
    }
    for (int n = 0; n <= N_MAX; n++) /* 80 +- 5 standard deviations */
        assert_in_range(seen[n], n >= 8 && n <= 12 ? 40 : 0, n >= 8 && n <= 12 ? 120 : 0);
    graph_set(&c, "model", graph_model("regular"));
    graph_set(&c, "degree", 3);
    assert_int_equal(space_finish(&c, NULL), 0);
    memset(seen, 0, sizeof seen);
    for (uint64_t k = 0; k < 300; k++) {
        struct layout l;
        graph_draw(&c, NULL, k, &a, &l);
        seen[l.n]++;
    }
    for (int n = 0; n <= N_MAX; n++) /* even ones: 100 each */
        assert_in_range(seen[n], n >= 8 && n <= 12 && n % 2 == 0 ? 60 : 0,
                        n >= 8 && n <= 12 && n % 2 == 0 ? 140 : 0);
    arena_close(&a);
}

/* 2000 graphs of 66 pairs, p = .3: 39600 edges in all, standard deviation 167. */
static void test_erdos_renyi(void **state)
{
    struct arena a;
    struct space_config c = graph_config("erdos-renyi", 12);
    int edges = 0;
    graph_set(&c, "p", 0.3);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (uint64_t k = 0; k < 2000; k++) {
        struct layout l;
        graph_draw(&c, NULL, k, &a, &l);
        edges += graph_edges(&l);
        arena_reset(&a);
    }
    assert_in_range(edges, 39600 - 5 * 167, 39600 + 5 * 167);
    struct layout l;
    graph_set(&c, "p", 1);
    graph_draw(&c, NULL, 0, &a, &l);
    assert_int_equal(graph_edges(&l), 66);
    graph_set(&c, "p", 0);
    graph_draw(&c, NULL, 0, &a, &l);
    assert_int_equal(graph_edges(&l), 0);
    arena_close(&a);
}

/* Every degree, from no edge to the complete graph. */
static void test_regular(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int degree = 0; degree < 8; degree++)
        for (uint64_t k = 0; k < 20; k++) {
            struct layout l;
            struct space_config c = graph_config("regular", 8);
            graph_set(&c, "degree", degree);
            graph_draw(&c, NULL, k, &a, &l);
            for (int i = 0; i < 8; i++)
                assert_int_equal(l.degree[i], degree);
        }
    arena_close(&a);
}

/* Where nearly all nodes are joined, of sizes at which pairing ends never succeeds; each of the pairs
 * that are left out is as likely. */
static void test_nearly_complete(void **state)
{
    static const int shape[][2] = {{64, 61}, {128, 120}, {1024, 1000}, {1024, 1023}};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (size_t k = 0; k < sizeof shape / sizeof *shape; k++) {
        struct layout l;
        struct space_config c = graph_config("regular", shape[k][0]);
        graph_set(&c, "degree", shape[k][1]);
        graph_draw(&c, NULL, k, &a, &l);
        for (int i = 0; i < shape[k][0]; i++)
            assert_int_equal(l.degree[i], shape[k][1]);
        arena_reset(&a);
    }
    /* 24 of 276 pairs are missing, in 40 draws 3.5 each; chi-square has 275 degrees of freedom at most,
     * standard deviation 23. */
    enum { N = 24, DRAWS = 40 };
    int missing[N * N] = {0};
    double chi = 0, expected = DRAWS * 2.0 / (N - 1);
    for (uint64_t k = 0; k < DRAWS; k++) {
        struct layout l;
        struct space_config c = graph_config("regular", N);
        graph_set(&c, "degree", N - 3);
        graph_draw(&c, NULL, k, &a, &l);
        for (int p = 0; p < N * N; p++)
            missing[p] += !graph_joined(&l, p / N, p % N);
        arena_reset(&a);
    }
    for (int p = 0; p < N * N; p++)
        if (p / N < p % N)
            chi += (missing[p] - expected) * (missing[p] - expected) / expected;
    assert_true(chi > 275 - 5 * 23 && chi < 275 + 5 * 23);
    arena_close(&a);
}

/* The 16 labelled trees of four nodes: 8000 draws, 500 each, standard deviation 22. */
static void test_tree(void **state)
{
    static const int pair[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
    int seen[64] = {0}, kinds = 0;
    struct arena a;
    struct space_config c = graph_config("tree", 4);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (uint64_t k = 0; k < 8000; k++) {
        struct layout l;
        int code = 0;
        graph_draw(&c, NULL, k, &a, &l);
        assert_int_equal(graph_edges(&l), 3);
        for (int p = 0; p < 16; p++)
            assert_true(l.steps[p] >= 0); /* connected */
        for (int p = 0; p < 6; p++)
            code |= graph_joined(&l, pair[p][0], pair[p][1]) << p;
        seen[code]++;
        arena_reset(&a);
    }
    for (int code = 0; code < 64; code++)
        if (seen[code]) {
            kinds++;
            assert_in_range(seen[code], 500 - 110, 500 + 110);
        }
    assert_int_equal(kinds, 16);
    arena_close(&a);
}

/* p = 0 is the ring; rewiring keeps the number of edges, and each node half of its own.  With p = 1
 * an edge is back at a ring's place with probability below 1/2. */
static void test_small_world(void **state)
{
    struct arena a;
    struct space_config c = graph_config("small-world", 12);
    int kept = 0;
    graph_set(&c, "degree", 4);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (uint64_t k = 0; k < 200; k++)
        for (int p = 0; p < 2; p++) {
            struct layout l;
            graph_set(&c, "p", p);
            graph_draw(&c, NULL, k, &a, &l);
            assert_int_equal(graph_edges(&l), 24);
            for (int i = 0; i < 12; i++) {
                assert_true(l.degree[i] >= 2);
                for (int j = 0; j < 12; j++) {
                    int far = (j - i + 12) % 12;
                    bool ring = far == 1 || far == 2 || far == 10 || far == 11;
                    assert_true(p == 1 || graph_joined(&l, i, j) == ring);
                    kept += p == 1 && ring && i < j && graph_joined(&l, i, j);
                }
            }
        }
    assert_in_range(kept, 200, 200 * 12);
    arena_close(&a);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *model, *key;
        double value;
        const char *where;
    } cases[] = {
        {"regular", "degree", 9, "space.degree"},       {"regular", "degree", 3, "space.degree"},
        {"small-world", "degree", 3, "space.degree"},   {"small-world", "degree", 10, "space.degree"},
        {"erdos-renyi", "nodes_min", 10, "space.nodes_min"}, {"tree", "nodes_min", 99, "space.nodes_min"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct err e = {0};
        struct space_config c = graph_config(cases[k].model, 9);
        graph_set(&c, cases[k].key, cases[k].value);
        assert_int_equal(space_finish(&c, &e), ERR_USAGE);
        assert_string_equal(e.where, cases[k].where);
        assert_non_null(strstr(e.msg, "expected"));
    }
    struct err e = {0};
    struct arena a;
    struct layout l;
    struct space_config c = graph_config("tree", 9);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(space_of(&c)->layout(&c, 8, &a, &l, &e), ERR_USAGE);
    assert_string_equal(e.where, "evaluate.lengths");
    e = (struct err){0};
    c.share[PATTERN_MIRROR] = 1;
    assert_int_equal(space_finish(&c, &e), ERR_USAGE);
    arena_close(&a);
}

/* ---- memory -----------------------------------------------------------------------------------*/
#ifdef MEMORY_DEBUG
/* The nth request fails: an error, and nothing else. */
static void test_every_request_may_fail(void **state)
{
    for (int m = 0; m < 4; m++)
        for (int what = 0; what < 3; what++) {
            struct space_config c = graph_config(models[m], 6);
            const struct space *s = space_of(&c);
            int code = ERR_MEMORY;
            for (long nth = 1; code; nth++) {
                struct arena a;
                struct layout l;
                struct stream random;
                struct err e = {0};
                const int32_t pair[] = {0, 1};
                stream_open(&random, 1, "memory", 0);
                assert_int_equal(arena_open(&a, 0, NULL), 0);
                memory_fail_at(nth);
                code = what == 0   ? s->layout(&c, 6, &a, &l, &e)
                       : what == 1 ? s->draw(&c, NULL, (int)c.length, &random, &a, &l, &e)
                                   : s->given(&c, 6, pair, 1, &a, &l, &e);
                memory_fail_at(0);
                assert_true(code == 0 || (code == ERR_MEMORY && e.code == ERR_MEMORY));
                assert_true(code == 0 ? nth > 5 : nth < 100);
                arena_close(&a);
            }
        }
}
#endif

/* ---- the layout for sizes ---------------------------------------------------------------------*/
static void test_largest_layout(void **state)
{
    struct arena a, measure;
    struct layout l, priced;
    struct space_config c = graph_config("erdos-renyi", 12);
    graph_set(&c, "nodes_min", 3);
    graph_set(&c, "max_distance", 5);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(space_of(&c)->layout(&c, 12, &a, &l, NULL), 0);
    assert_int_equal(l.n, 12);
    graph_check(&l, 5);
    arena_open_measure(&measure);
    assert_int_equal(space_of(&c)->layout(&c, 12, &measure, &priced, NULL), 0);
    assert_int_equal(measure.used, a.used);
    assert_int_equal(priced.relations, l.relations);
    arena_close(&measure);
    arena_close(&a);
}

/* Trained with distances up to 3, used with up to 11, and the other way round. */
static void test_fold(void **state)
{
    struct arena a;
    struct layout near, far;
    int32_t map[13];
    struct space_config c = graph_config("tree", 12);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(space_of(&c)->layout(&c, 12, &a, &far, NULL), 0);
    graph_set(&c, "max_distance", 3);
    assert_int_equal(space_of(&c)->layout(&c, 12, &a, &near, NULL), 0);
    far.fold(&near, &far, map);
    assert_memory_equal(map, ((int32_t[13]){0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4}), sizeof map);
    near.fold(&far, &near, map);
    assert_memory_equal(map, ((int32_t[5]){0, 1, 2, 3, 12}), 5 * sizeof *map);
    arena_close(&a);
}

/* ---- given edges ------------------------------------------------------------------------------*/
static void test_given(void **state)
{
    struct arena a;
    struct layout l;
    struct err e = {0};
    struct space_config c = graph_config("tree", 4);
    const int32_t pair[] = {0, 1, 1, 0, 3, 1, 3, 1}; /* an edge counts once */
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(space_of(&c)->given(&c, 5, pair, 4, &a, &l, &e), 0);
    assert_int_equal(graph_edges(&l), 2);
    graph_check(&l, 3);
    assert_int_equal(l.n, 5);
    static const int32_t bad[][2] = {{2, 2}, {-1, 0}, {0, 5}};
    for (int k = 0; k < 3; k++) {
        e = (struct err){0};
        assert_int_equal(space_of(&c)->given(&c, 5, bad[k], 1, &a, &l, &e), ERR_FORMAT);
        assert_non_null(strstr(e.msg, "expected"));
    }
    e = (struct err){0};
    assert_int_equal(space_of(&c)->given(&c, 1025, pair, 0, &a, &l, &e), ERR_FORMAT);
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_a_graph_is_its_number),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_erdos_renyi),
        cmocka_unit_test(test_regular),
        cmocka_unit_test(test_nearly_complete),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_small_world),
        cmocka_unit_test(test_refusals),
#ifdef MEMORY_DEBUG
        cmocka_unit_test(test_every_request_may_fail),
#endif
        cmocka_unit_test(test_largest_layout),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Targets on graphs: by hand on one graph, and nodes that are renamed keep their outputs. */
#include <math.h>
#include <string.h>

#include "target/help_target.h"

/* A triangle 0 1 2 with a tail 2 - 3 - 4, an edge 5 - 6, and a node 7 alone. */
enum { N = 8, EDGES = 6 };
static const int32_t edges[2 * EDGES] = {0, 1, 1, 2, 2, 0, 2, 3, 4, 3, 5, 6};

/* The target on a graph of N nodes. */
static void open_on(struct fixture *f, const char *name, const int32_t *pair, int d)
{
    struct err e = {0};
    fixture_configure(f, "graph", fixture_kind(name), N, d);
    assert_int_equal(space_finish(&f->space, &e), 0);
    assert_int_equal(arena_open(&f->arena, 0, &e), 0);
    assert_int_equal(space_of(&f->space)->given(&f->space, N, pair, EDGES, &f->arena, &f->layout,
                                                &e),
                     0);
}

static void check(const char *name, const char *key, double value, const double *x,
                  const double *want)
{
    struct fixture f;
    double y[N];
    open_on(&f, name, edges, 1);
    if (key)
        fixture_set(&f, key, value);
    fixture_evaluate(&f, x, y);
    check_near(y, want, N, 1e-15);
    fixture_close(&f);
}

static void test_by_hand(void **state)
{
    const double x[N] = {.5, .25, .125, .75, 0, .75, .0625, 1};
    check("degree", NULL, 0, x, (double[N]){2, 2, 3, 2, 1, 1, 1, 0});
    check("nodes_at_distance", "k", 1, x, (double[N]){2, 2, 3, 2, 1, 1, 1, 0});
    check("nodes_at_distance", "k", 2, x, (double[N]){1, 1, 1, 2, 1, 0, 0, 0});
    check("nodes_at_distance", "k", 3, x, (double[N]){1, 1, 0, 0, 2, 0, 0, 0});
    check("eccentricity", NULL, 0, x, (double[N]){3, 3, 2, 2, 3, 1, 1, 0});
    /* distances from 0: 1 1 2 3, from 2: 1 1 1 2, from 3: 2 2 1 1, from 4: 3 3 2 1 */
    check("closeness", NULL, 0, x,
          (double[N]){4 / 7. * 4 / 7, 4 / 7. * 4 / 7, 4 / 7. * 4 / 5, 4 / 7. * 4 / 6, 4 / 7. * 4 / 9,
                      1 / 7., 1 / 7., 0});
    check("neighbour_sum", NULL, 0, x,
          (double[N]){.375, .625, 1.5, .125, .75, .0625, .75, 0});
    check("neighbour_mean", NULL, 0, x,
          (double[N]){.1875, .3125, .5, .0625, .75, .0625, .75, 1});
}

/* The triangle is all there is; in the complete graph of 5 nodes, a cycle of L edges through a node
 * is an ordered choice of the L - 1 others, over 2. */
static void test_cycles(void **state)
{
    const double x[N] = {0};
    const double counts[] = {6, 12, 12, 0};
    check("cycles", "length", 3, x, (double[N]){1, 1, 1, 0, 0, 0, 0, 0});
    check("cycles", "length", 4, x, (double[N]){0});
    for (int length = 3; length <= 6; length++) {
        int32_t pair[20], pairs = 0;
        struct fixture f;
        double y[5];
        fixture_configure(&f, "graph", fixture_kind("cycles"), 5, 1);
        fixture_set(&f, "length", length);
        assert_int_equal(space_finish(&f.space, NULL), 0);
        assert_int_equal(arena_open(&f.arena, 0, NULL), 0);
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < i; j++, pairs++) {
                pair[2 * pairs] = i;
                pair[2 * pairs + 1] = j;
            }
        assert_int_equal(
            space_of(&f.space)->given(&f.space, 5, pair, pairs, &f.arena, &f.layout, NULL), 0);
        fixture_evaluate(&f, x, y);
        for (int i = 0; i < 5; i++)
            assert_true(y[i] == counts[length - 3]);
        fixture_close(&f);
    }
}

/* Closed walks of `left` more edges from path[used-1] that come to no node twice. */
static int walks(const struct layout *l, int *path, int used, int left)
{
    int count = 0;
    if (left == 1)
        return l->steps[path[used - 1] * l->n + path[0]] == 1;
    for (int j = 0; j < l->n; j++) {
        bool fresh = l->steps[path[used - 1] * l->n + j] == 1;
        for (int k = 0; k < used; k++)
            fresh = fresh && path[k] != j;
        path[used] = j;
        count += fresh ? walks(l, path, used + 1, left - 1) : 0;
    }
    return count;
}

/* In random graphs, against a search that leaves nothing out; and what would take too long is
 * refused, or given up where the graph is denser than was to be expected. */
static void test_cycles_of_random_graphs(void **state)
{
    struct fixture f;
    struct stream random;
    struct err e = {0};
    enum { NODES = 9 };
    double x[2 * NODES] = {0}, y[2 * NODES];
    fixture_configure(&f, "graph", fixture_kind("cycles"), NODES, 2);
    f.space.kind.number[3] = 0.5; /* p */
    assert_int_equal(space_finish(&f.space, NULL), 0);
    assert_int_equal(arena_open(&f.arena, 0, NULL), 0);
    for (int trial = 0; trial < 18; trial++) {
        stream_open(&random, (uint64_t)trial, "test", 0);
        assert_int_equal(space_of(&f.space)->draw(&f.space, NULL, (int)f.space.length, &random, &f.arena, &f.layout,
                                                  NULL), 0);
        fixture_set(&f, "length", 3 + trial % 6);
        fixture_evaluate(&f, x, y);
        for (int i = 0; i < NODES; i++) {
            int path[NODES] = {i};
            double count = walks(&f.layout, path, 1, 3 + trial % 6) / 2;
            assert_true(y[2 * i] == count && y[2 * i + 1] == count);
        }
    }
    fixture_set(&f, "length", 8);
    f.space.kind.number[1] = 27; /* nodes */
    f.space.kind.number[3] = 1;
    assert_int_equal(target_check(&f.config, &f.space, &e), ERR_USAGE);
    assert_string_equal(e.where, "target.length");
    double *wide = memory_alloc(4 * 27, sizeof *wide, NULL);
    assert_int_equal(space_finish(&f.space, NULL), 0);
    assert_int_equal(space_of(&f.space)->draw(&f.space, NULL, (int)f.space.length, &random, &f.arena, &f.layout, NULL),
                     0);
    e = (struct err){0};
    struct target_sample t = target_sample(NULL, &f.config, &f.layout);
    assert_int_equal(f.target->evaluate(&t, 2, wide, wide + 2 * 27, &e), ERR_EVALUATION);
    assert_non_null(strstr(e.msg, "paths were tried"));
    memory_free(wide);
    fixture_close(&f);
}

/* One marked node, two, all, and one that most do not reach. */
static void test_source_distance(void **state)
{
    check("source_distance", NULL, 0, (double[N]){.5, .25, .125, .75, 0, .5, .0625, 0},
          (double[N]){2, 2, 1, 0, 1, 8, 8, 8});
    check("source_distance", NULL, 0, (double[N]){.5, .25, .125, .75, 0, .75, .0625, 0},
          (double[N]){2, 2, 1, 0, 1, 0, 1, 8});
    check("source_distance", NULL, 0, (double[N]){0}, (double[N]){0});
    check("source_distance", NULL, 0, (double[N]){.5, .25, .125, .75, 0, .5, .0625, 1},
          (double[N]){8, 8, 8, 8, 8, 8, 8, 0});
}

/* A cap on relations is the model's, not the target's. */
static void test_caps_leave_targets_alone(void **state)
{
    struct fixture f;
    double x[N] = {0}, y[N];
    fixture_configure(&f, "graph", fixture_kind("eccentricity"), N, 1);
    option_set_kind(&space_kinds, "graph", &f.space.kind);
    f.space.kind.number[1] = N;
    f.space.kind.number[5] = 2; /* max_distance */
    struct err e = {0};
    assert_int_equal(space_finish(&f.space, &e), 0);
    fixture_open(&f);
    assert_int_equal(f.layout.relations, 4);
    fixture_evaluate(&f, x, y);
    check_near(y, (double[N]){7, 6, 5, 4, 4, 5, 6, 7}, N, 0);
    fixture_close(&f);
}

static void test_renamed_nodes(void **state)
{
    const int to[N] = {3, 7, 0, 6, 1, 5, 2, 4};
    int32_t renamed[2 * EDGES];
    double x[2 * N], moved[2 * N], y[2 * N], image[2 * N];
    fill_uniform(x, 2 * N, 4);
    for (int k = 0; k < 2 * EDGES; k++)
        renamed[k] = to[edges[k]];
    for (int i = 0; i < N; i++)
        memcpy(moved + 2 * to[i], x + 2 * i, 2 * sizeof *x);
    for (int kind = 0; target_table[kind]; kind++) {
        const struct target *t = target_table[kind];
        struct fixture f, g;
        if (!(t->needs & TARGET_NEEDS_GRAPH))
            continue;
        open_on(&f, t->name, edges, 2);
        open_on(&g, t->name, renamed, 2);
        fixture_evaluate(&f, x, y);
        fixture_evaluate(&g, moved, image);
        for (int i = 0; i < N; i++)
            check_near(image + 2 * to[i], y + 2 * i, 2, 1e-15);
        fixture_close(&f);
        fixture_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_cycles_of_random_graphs),
        cmocka_unit_test(test_source_distance),
        cmocka_unit_test(test_caps_leave_targets_alone),
        cmocka_unit_test(test_renamed_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

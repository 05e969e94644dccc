/* Every mask of the table, on lines and grids: what is said of it at once holds pair by pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mask/mask.h"

static struct kind_config kind_of(const char *name)
{
    struct kind_config c;
    assert_true(option_set_kind(&mask_kinds, name, &c));
    return c;
}

static struct layout layout_of(const char *space, int height, int width, struct arena *a)
{
    struct space_config c = {.length = height * width, .channels = 1};
    struct layout l;
    assert_true(option_set_kind(&space_kinds, space, &c.kind));
    if (strcmp(space, "grid") == 0) {
        c.kind.number[0] = height;
        c.kind.number[1] = width;
    }
    assert_int_equal(space_finish(&c, NULL), 0);
    assert_int_equal(space_of(&c)->layout(&c, height * width, a, &l, NULL), 0);
    return l;
}

/* c: of the table's, or of a mask of the test's own. */
static void check(const struct mask *m, const struct kind_config *c, const struct layout *l,
                  struct arena *a)
{
    struct mask_reach r;
    assert_int_equal(mask_reach_open(&r, m, c, l, a, NULL), 0);
    for (int i = 0; i < l->n; i++) {
        int seen = 0;
        for (int j = 0; j < l->n; j++) {
            int relation = layout_relation(l, i, j);
            bool sees = m->pair ? m->pair(c, l, i, j) : !m->sees || m->sees(c, l, relation);
            if (l->axes)
                assert_int_equal(mask_step(l, relation), j - i);
            assert_int_equal(mask_shows(&r, l, i, j), sees);
            assert_false(m->past && m->past(c) && j > i && sees);
            seen += sees;
        }
        assert_int_equal(mask_seen(&r, l, i), seen);
    }
}

static void check_sizes(const struct mask *m, const struct kind_config *c)
{
    static const int sizes[][2] = {{1, 1}, {1, 7}, {2, 3}, {3, 2}, {4, 5}};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int axes = 1; axes <= 2; axes++) {
            struct layout l =
                layout_of(axes == 1 ? "sequence" : "grid", sizes[s][0], sizes[s][1], &a);
            if (axes >= m->axes_min && axes <= m->axes_max)
                check(m, c, &l, &a);
        }
    arena_close(&a);
}

static void test_every_mask(void **state)
{
    for (int k = 0; mask_table[k]; k++) {
        struct kind_config c = kind_of(mask_table[k]->name), small = c;
        const struct option *row = mask_table[k]->options;
        for (int o = 0; row && row[o].key; o++) /* sizes that cut, and switches the other way */
            small.number[o] = row[o].type == OPTION_INT ? 2 : !small.number[o];
        check_sizes(mask_table[k], &c);
        check_sizes(mask_table[k], &small);
    }
}

/* Masks with holes, with a band, and one that shows nothing. */
static bool sees_even(const struct kind_config *c, const struct layout *l, int relation)
{
    return mask_step(l, relation) % 2 == 0;
}

static bool sees_band(const struct kind_config *c, const struct layout *l, int relation)
{
    int step = mask_step(l, relation);
    return step >= -2 && step <= 1;
}

static bool sees_nothing(const struct kind_config *c, const struct layout *l, int relation)
{
    return false;
}

static void test_other_masks(void **state)
{
    bool (*const sees[])(const struct kind_config *, const struct layout *,
                         int) = {sees_even, sees_band, sees_nothing};
    struct kind_config c = {0};
    for (int k = 0; k < 3; k++)
        check_sizes(&(struct mask){.name = "test", .axes_min = 1, .axes_max = 2, .sees = sees[k]},
                    &c);
}

/* Those of a line, from their definitions, with sizes of 3 (step 2). */
static void test_definitions(void **state)
{
    enum { N = 11 };
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct kind_config strict = kind_of("strict"), window = kind_of("window"),
                       dilated = kind_of("dilated"), strided = kind_of("strided"),
                       blocks = kind_of("blocks"), prefix = kind_of("prefix-lm");
    window.number[0] = 3; /* past; future 1 */
    window.number[1] = 1;
    dilated.number[0] = 2; /* step; size 3 */
    dilated.number[1] = 3;
    strided.number[0] = blocks.number[0] = prefix.number[0] = 3;
    struct layout l = layout_of("sequence", 1, N, &a);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int back = i - j;
            assert_int_equal(mask_sees(&strict, &l, i, j), back > 0);
            assert_int_equal(mask_sees(&window, &l, i, j), back >= -1 && back <= 2);
            assert_int_equal(mask_sees(&dilated, &l, i, j), back == 0 || back == 2 || back == 4);
            assert_int_equal(mask_sees(&strided, &l, i, j),
                             back >= 0 && (back < 3 || back == 3 || back == 6 || back == 9));
            assert_int_equal(mask_sees(&blocks, &l, i, j), back >= 0 && i / 3 == j / 3);
            assert_int_equal(mask_sees(&prefix, &l, i, j), back >= 0 || j < 3);
        }
    struct kind_config near = kind_of("neighbourhood");
    struct layout grid = layout_of("grid", 3, 4, &a);
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 12; j++)
            assert_int_equal(mask_sees(&near, &grid, i, j),
                             abs(i / 4 - j / 4) <= 1 && abs(i % 4 - j % 4) <= 1);
    arena_close(&a);
}

/* The two that came first, from their definitions. */
static void test_none_and_causal(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct kind_config none = kind_of("none"), causal = kind_of("causal");
    struct layout l = layout_of("grid", 3, 4, &a);
    for (int i = 0; i < l.n; i++)
        for (int j = 0; j < l.n; j++) {
            assert_true(mask_sees(&none, &l, i, j));
            assert_int_equal(mask_sees(&causal, &l, i, j), j <= i);
        }
    struct mask_reach r;
    assert_int_equal(mask_reach_open(&r, mask_of(&causal), &causal, &l, &a, NULL), 0);
    assert_true(r.low == 1 - l.n && r.high == 0 && !r.hidden);
    assert_int_equal(mask_reach_open(&r, mask_of(&none), &none, &l, &a, NULL), 0);
    assert_true(r.low <= 1 - l.n && r.high >= l.n - 1 && !r.hidden);
    arena_close(&a);
}

/* Where positions have no order there is no causal mask, and everything is seen. */
static void test_graph(void **state)
{
    static const int32_t relation[9] = {0, 1, 2, 1, 0, 1, 2, 1, 0};
    struct layout l = {.n = 3, .relations = 3, .relation = relation};
    struct arena a;
    struct err e = {0};
    struct mask_reach r;
    struct kind_config none = kind_of("none"), causal = kind_of("causal");
    assert_int_equal(mask_check(&causal, &l, &e), ERR_USAGE);
    assert_string_equal(e.where, "model.mask");
    assert_non_null(strstr(e.msg, "in an order"));
    assert_int_equal(mask_check(&none, &l, NULL), 0);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(mask_reach_open(&r, mask_of(&none), &none, &l, &a, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(mask_seen(&r, &l, i), 3);
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_mask),
                                       cmocka_unit_test(test_other_masks),
                                       cmocka_unit_test(test_none_and_causal),
                                       cmocka_unit_test(test_definitions),
                                       cmocka_unit_test(test_graph)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* C: its rows, its map from relations, its start and its refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"

enum { TOEPLITZ, BUCKETED };

static void open(struct arena *a)
{
    struct err e = {0};
    assert_int_equal(arena_open(a, 0, &e), 0);
}

static void test_kinds(void **state)
{
    assert_int_equal(urpe_kinds.count, 3);
    assert_string_equal(urpe_kinds.name(TOEPLITZ), "toeplitz");
    assert_string_equal(urpe_kinds.name(BUCKETED), "bucketed");
    assert_string_equal(urpe_kinds.name(2), "formula");
    assert_string_equal(urpe_kinds.options(2)[URPE_OPTION_SHARE].key, "share");
    assert_null(urpe_table[3]);
    for (int i = 0; i < 2; i++) {
        const struct option *rows = urpe_kinds.options(i);
        assert_string_equal(rows[URPE_OPTION_INIT].key, "init");
        assert_string_equal(rows[URPE_OPTION_INIT].names[URPE_ONES], "ones");
        assert_string_equal(rows[URPE_OPTION_INIT].names[URPE_NORMAL], "normal");
        assert_string_equal(rows[URPE_OPTION_MEAN].key, "mean");
        assert_string_equal(rows[URPE_OPTION_SHARE].key, "share");
        assert_string_equal(rows[URPE_OPTION_SHARE].fallback, "model");
        assert_string_equal(rows[URPE_OPTION_SHARE].names[URPE_SHARE_YES], "true");
        assert_string_equal(rows[URPE_OPTION_SHARE].names[URPE_SHARE_NO], "false");
        assert_string_equal(rows[URPE_OPTION_STD].key, "std");
        assert_string_equal(rows[URPE_OPTION_STD].fallback, "0.02");
        assert_null(rows[URPE_OPTION_STD + 1].key);
    }
}

/* What a layout of 6 positions makes of a table of 4. */
static const int32_t folded[11] = {0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6};

static void fold(const struct layout *trained, const struct layout *here, int32_t *map)
{
    assert_int_equal(trained->n, 4);
    assert_int_equal(here->n, 6);
    memcpy(map, folded, sizeof folded);
}

static void test_toeplitz(void **state)
{
    struct arena a;
    open(&a);
    struct layout trained = rig_sequence(&a, 4), here = rig_sequence(&a, 6);
    struct encoding_shape shape = {8, 2, 4, false, &trained};
    struct kind_config config = {.kind = TOEPLITZ};
    const struct urpe *c = urpe_of(&config);
    int32_t map[11];
    here.fold = fold;
    assert_int_equal(c->rows(&shape), 7);
    c->map(&shape, &here, map);
    assert_memory_equal(map, folded, sizeof folded);
    arena_close(&a);
}

static void test_bucketed(void **state)
{
    struct arena a;
    open(&a);
    struct layout trained = rig_sequence(&a, 4), here = rig_sequence(&a, 100);
    struct encoding_shape shape = {8, 2, 4, false, &trained};
    struct kind_config config = {.kind = BUCKETED};
    const struct urpe *c = urpe_of(&config);
    int32_t map[199];
    assert_int_equal(c->rows(&shape), 32);
    c->map(&shape, &here, map);
    assert_int_equal(map[99], 0);
    assert_int_equal(map[99 - 7], 7);
    assert_int_equal(map[99 + 7], 16 + 7);
    assert_int_equal(map[99 - 99], 15);
    assert_int_equal(map[99 + 12], 16 + 9);
    shape.past = true;
    c->map(&shape, &here, map);
    assert_int_equal(map[99 - 7], 7);
    assert_int_equal(map[99 - 99], 30);
    assert_int_equal(map[99 + 7], 0);
    arena_close(&a);
}

static void test_tensor(void **state)
{
    struct arena a;
    open(&a);
    struct layout trained = rig_sequence(&a, 4);
    struct encoding_shape shape = {8, 2, 4, false, &trained};
    struct kind_config config = {.kind = TOEPLITZ};
    struct encoding_tensor list[ENCODING_TENSORS_MAX];
    const struct tensor *t = &list[0].tensor;
    config.number[URPE_OPTION_MEAN] = 0.5;
    config.number[URPE_OPTION_STD] = 1.5;
    assert_int_equal(urpe_tensors(&config, &shape, list), 1);
    assert_string_equal(t->name, "c");
    assert_true(t->rank == 2 && t->shape[0] == 2 && t->shape[1] == 7);
    assert_true(t->init == TENSOR_CONSTANT && t->mean == 1 && t->deviation == 0);
    assert_true(t->table && t->c && !t->decay);
    config.kind = BUCKETED;
    config.number[URPE_OPTION_INIT] = URPE_NORMAL;
    assert_int_equal(urpe_tensors(&config, &shape, list), 1);
    assert_int_equal(t->shape[1], 32);
    assert_true(t->init == TENSOR_NORMAL && t->mean == 0.5 && t->deviation == 1.5);
    arena_close(&a);
}

static void test_check(void **state)
{
    struct arena a;
    open(&a);
    struct layout layouts[] = {rig_sequence(&a, 4), rig_grid(&a, 2, 2), rig_graph(&a, 4)};
    for (int l = 0; l < 3; l++)
        for (int kind = 0; kind < 2; kind++) {
            struct encoding_shape shape = {8, 2, 4, false, &layouts[l]};
            struct kind_config config = {.kind = kind};
            struct err e = {0};
            bool refused = l > 0 && kind == BUCKETED;
            assert_int_equal(urpe_check(&config, &shape, &e), refused ? ERR_USAGE : 0);
            assert_string_equal(e.where, refused ? "model.c" : "");
        }
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),  cmocka_unit_test(test_toeplitz),
        cmocka_unit_test(test_bucketed), cmocka_unit_test(test_tensor),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

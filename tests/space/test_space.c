/* The table of spaces, the section's option rows, shares, layouts and folds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "space/help_space.h"

/* ---- tables and rows --------------------------------------------------------------------------*/

static void test_table_is_complete(void **state)
{
    int count = 0;
    for (; space_table[count]; count++) {
        const struct space *s = space_table[count];
        assert_non_null(s->summary);
        assert_non_null(s->layout);
        assert_string_equal(space_kinds.name(count), s->name);
        assert_ptr_equal(space_kinds.options(count), s->options);
    }
    assert_int_equal(count, space_kinds.count);
    assert_int_equal(count > 0, 1);
    assert_string_equal(pattern_table[PATTERN_GENERIC]->name, "generic");
    assert_string_equal(pattern_table[PATTERN_BLOCKS]->name, "blocks");
    assert_string_equal(pattern_table[PATTERN_CHECKERBOARD]->name, "checkerboard");
    assert_true(pattern_count() <= PATTERN_MAX);
    assert_string_equal(orbit_table[0]->name, "none");
    for (int k = 0; orbit_table[k] || orbit_names[k]; k++)
        assert_string_equal(orbit_table[k]->name, orbit_names[k]);
}

/* Names that a space lists must exist, or a share could never be asked for. */
static void test_listed_names_exist(void **state)
{
    for (int k = 0; space_table[k]; k++) {
        for (const char *const *name = space_table[k]->patterns; *name; name++) {
            bool found = false;
            for (int p = 0; pattern_table[p]; p++)
                found |= strcmp(pattern_table[p]->name, *name) == 0;
            assert_true(found);
        }
        for (const char *const *name = space_table[k]->orbits; *name; name++) {
            bool found = false;
            for (int o = 0; orbit_table[o]; o++)
                found |= strcmp(orbit_table[o]->name, *name) == 0;
            assert_true(found);
        }
    }
}

/* Each pattern but generic has a row "inputs.<name>", or "inputs.<name>.share" where it has more options,
 * that writes its own share. */
static void test_pattern_rows(void **state)
{
    for (int p = 1; pattern_table[p]; p++) {
        char key[64];
        snprintf(key, sizeof key, "inputs.%s%s", pattern_table[p]->name,
                 pattern_table[p]->near || pattern_table[p]->own ? ".share" : "");
        const struct option *o = space_options;
        while (o->key && strcmp(o->key, key) != 0)
            o++;
        assert_non_null(o->key);
        assert_int_equal(o->type, OPTION_REAL);
        assert_int_equal(o->offset,
                         offsetof(struct space_config, share) + (size_t)p * sizeof(double));
        assert_string_equal(o->fallback, "0");
    }
}

static void test_rows_are_sound(void **state)
{
    for (const struct option *o = space_options; o->key; o++) {
        double fallback;
        assert_non_null(o->help);
        if (o->type == OPTION_INT || o->type == OPTION_REAL) {
            assert_true(text_to_double(o->fallback, &fallback));
            assert_true(fallback >= o->min && fallback <= o->max);
        }
    }
}

/* ---- shares -----------------------------------------------------------------------------------*/

static void test_finish_gives_the_rest(void **state)
{
    struct space_config c = {.length = 8, .channels = 1};
    struct err e = {0};
    c.share[PATTERN_IDENTICAL] = 0.25;
    c.share[PATTERN_BLOCKS] = 0.5;
    assert_int_equal(space_finish(&c, &e), 0);
    assert_true(c.share[PATTERN_GENERIC] == 0.25);
    assert_int_equal(space_finish(&c, &e), 0); /* a second call changes nothing */
    assert_true(c.share[PATTERN_GENERIC] == 0.25);
}

/* 1 + 1e-13: what decimal fractions may sum to. */
static void test_finish_forgives_rounding(void **state)
{
    struct space_config c = {.length = 8, .channels = 1};
    struct err e = {0};
    c.share[PATTERN_IDENTICAL] = 0.7;
    c.share[PATTERN_PREFIX] = 0.2;
    c.share[PATTERN_BLOCKS] = 0.1 + 1e-13;
    assert_int_equal(space_finish(&c, &e), 0);
    assert_true(c.share[PATTERN_GENERIC] == 0);
}

static void test_finish_refuses_more_than_all(void **state)
{
    struct space_config c = {.length = 8, .channels = 1};
    struct err e = {0};
    c.share[PATTERN_IDENTICAL] = 0.7;
    c.share[PATTERN_PREFIX] = 0.4;
    assert_int_equal(space_finish(&c, &e), ERR_USAGE);
    assert_string_equal(e.where, "space.inputs");
    assert_non_null(strstr(e.msg, "1.1"));
    e = (struct err){0};
    c.share[PATTERN_PREFIX] = NAN;
    assert_int_equal(space_finish(&c, &e), ERR_USAGE);
}

/* ---- layouts ----------------------------------------------------------------------------------*/

/* Relation, offset, coordinate and distance must tell one story. */
static void check_layout(const struct layout *l)
{
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n; j++) {
            int r = layout_relation(l, i, j);
            assert_true(r >= 0 && r < l->relations);
            double square = 0;
            for (int a = 0; a < l->axes; a++) {
                int offset = layout_coordinate(l, j, a) - layout_coordinate(l, i, a);
                assert_int_equal(l->offset[r * l->axes + a], offset);
                square += (double)offset * offset;
            }
            assert_true(fabs(l->distance[r] - sqrt(square)) <= 1e-12 * (1 + sqrt(square)));
        }
}

/* No relation id without a pair would leave rows of a table that nothing ever trains. */
static void check_relations_used(const struct layout *l)
{
    for (int r = 0; r < l->relations; r++) {
        bool used = false;
        for (int i = 0; i < l->n; i++)
            for (int j = 0; j < l->n; j++)
                used |= layout_relation(l, i, j) == r;
        assert_true(used);
    }
}

static void test_sequence_layout(void **state)
{
    const int lengths[] = {1, 2, 3, 17};
    for (int k = 0; k < 4; k++) {
        struct fixture f;
        fixture_open(&f, "sequence", lengths[k]);
        assert_int_equal(f.layout.n, lengths[k]);
        assert_int_equal(f.layout.axes, space_of(&f.config)->axes);
        assert_int_equal(space_positions(&f.config), lengths[k]);
        assert_int_equal(f.layout.relations, 2 * lengths[k] - 1);
        assert_int_equal(layout_relation(&f.layout, 0, 0), lengths[k] - 1);
        check_layout(&f.layout);
        check_relations_used(&f.layout);
        fixture_close(&f);
    }
}

static const int grids[][2] = {{1, 1}, {1, 5}, {4, 1}, {2, 3}, {5, 4}};
enum { GRIDS = sizeof grids / sizeof grids[0] };

static void test_grid_layout(void **state)
{
    for (int k = 0; k < GRIDS; k++) {
        int height = grids[k][0], width = grids[k][1];
        struct fixture f;
        fixture_open_grid(&f, height, width);
        assert_int_equal(f.layout.n, height * width);
        assert_int_equal(f.config.length, height * width); /* 32 before space_finish */
        assert_int_equal(f.layout.axes, space_of(&f.config)->axes);
        assert_int_equal(f.layout.relations, (2 * height - 1) * (2 * width - 1));
        assert_int_equal(layout_extent(&f.layout, 0), height);
        assert_int_equal(layout_extent(&f.layout, 1), width);
        for (int i = 0; i < f.layout.n; i++) {
            assert_int_equal(layout_coordinate(&f.layout, i, 0), i / width);
            assert_int_equal(layout_coordinate(&f.layout, i, 1), i % width);
        }
        check_layout(&f.layout);
        check_relations_used(&f.layout);
        fixture_close(&f);
    }
}

/* 2 x 3: position 0 is (0,0), position 5 is (1,2), at distance sqrt 5; relations count rows of five
 * from (-1,-2). */
static void test_grid_by_hand(void **state)
{
    struct fixture f;
    fixture_open_grid(&f, 2, 3);
    assert_int_equal(layout_relation(&f.layout, 0, 0), 7);
    assert_int_equal(layout_relation(&f.layout, 0, 5), 14);
    assert_int_equal(layout_relation(&f.layout, 5, 0), 0);
    assert_int_equal(layout_relation(&f.layout, 2, 3), 10); /* one down, two to the left */
    assert_true(fabs(f.layout.distance[14] - 2.2360679774997898) < 1e-15);
    assert_true(f.layout.distance[6] == 1);
    fixture_close(&f);
}

static void test_grid_refusals(void **state)
{
    struct fixture f;
    struct err e = {0};
    struct layout l;
    fixture_open_grid(&f, 3, 4);
    assert_int_equal(space_of(&f.config)->layout(&f.config, 32, &f.arena, &l, &e), ERR_USAGE);
    assert_string_equal(e.where, "evaluate.lengths");
    e = (struct err){0};
    f.config.share[PATTERN_PALINDROME] = 0.5; /* not a pattern of grids */
    assert_int_equal(space_finish(&f.config, &e), ERR_USAGE);
    assert_string_equal(e.where, "space.inputs");
    e = (struct err){0};
    f.config.share[PATTERN_PALINDROME] = 0;
    f.config.kind.number[0] = f.config.kind.number[1] = 65;
    assert_int_equal(space_finish(&f.config, &e), ERR_USAGE);
    assert_string_equal(e.where, "space.height");
    fixture_close(&f);
}

static void check_price(struct fixture *f)
{
    struct err e = {0};
    struct arena measure;
    struct layout l;
    arena_open_measure(&measure);
    assert_int_equal(
        space_of(&f->config)->layout(&f->config, f->layout.n, &measure, &l, &e), 0);
    assert_int_equal(l.relations, f->layout.relations);
    assert_int_equal(measure.used, f->arena.used);
    arena_close(&measure);
    fixture_close(f);
}

static void test_layout_is_priced_right(void **state)
{
    struct fixture f;
    fixture_open(&f, "sequence", 100);
    check_price(&f);
    fixture_open_grid(&f, 7, 9);
    check_price(&f);
}

/* ---- folds ------------------------------------------------------------------------------------*/

static void test_sequence_fold_clips(void **state)
{
    struct fixture trained, here;
    int32_t map[9];
    fixture_open(&trained, "sequence", 3);
    fixture_open(&here, "sequence", 5);
    /* offsets -4..4 become -2,-2,-2,-1,0,1,2,2,2; row of offset o is o + 2 */
    const int32_t longer[9] = {0, 0, 0, 1, 2, 3, 4, 4, 4};
    here.layout.fold(&trained.layout, &here.layout, map);
    assert_memory_equal(map, longer, sizeof longer);
    /* shorter than trained: the middle of the table */
    const int32_t shorter[5] = {2, 3, 4, 5, 6};
    trained.layout.fold(&here.layout, &trained.layout, map);
    assert_memory_equal(map, shorter, sizeof shorter);
    const int32_t same[5] = {0, 1, 2, 3, 4};
    trained.layout.fold(&trained.layout, &trained.layout, map);
    assert_memory_equal(map, same, sizeof same);
    fixture_close(&trained);
    fixture_close(&here);
}

/* Each axis is clipped by itself: here 2 x 2 trained, with rows of three relations from (-1,-1). */
static void test_grid_fold_clips(void **state)
{
    struct fixture trained, here;
    int32_t map[35];
    fixture_open_grid(&trained, 2, 2);
    fixture_open_grid(&here, 3, 4);
    assert_int_equal(here.layout.relations, 35);
    here.layout.fold(&trained.layout, &here.layout, map);
    for (int r = 0; r < 35; r++) {
        int dy = r / 7 - 2, dx = r % 7 - 3;
        int row = dy < 0 ? 0 : dy > 0 ? 2 : 1, column = dx < 0 ? 0 : dx > 0 ? 2 : 1;
        assert_int_equal(map[r], 3 * row + column);
    }
    here.layout.fold(&here.layout, &here.layout, map);
    for (int r = 0; r < 35; r++)
        assert_int_equal(map[r], r);
    fixture_close(&trained);
    fixture_close(&here);
}

static void test_orbit_check(void **state)
{
    struct space_config c = {.length = 8, .channels = 1};
    struct err e = {0};
    for (int k = 0; orbit_table[k]; k++) {
        bool listed = k == 0;
        for (const char *const *name = space_of(&c)->orbits; *name; name++)
            listed |= strcmp(*name, orbit_table[k]->name) == 0;
        e = (struct err){0};
        assert_int_equal(space_check_orbit(&c, k, &e), listed ? 0 : ERR_USAGE);
        assert_string_equal(e.where, listed ? "" : "evaluate.orbit");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_complete),
        cmocka_unit_test(test_listed_names_exist),
        cmocka_unit_test(test_pattern_rows),
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(test_finish_gives_the_rest),
        cmocka_unit_test(test_finish_forgives_rounding),
        cmocka_unit_test(test_finish_refuses_more_than_all),
        cmocka_unit_test(test_sequence_layout),
        cmocka_unit_test(test_grid_layout),
        cmocka_unit_test(test_grid_by_hand),
        cmocka_unit_test(test_grid_refusals),
        cmocka_unit_test(test_layout_is_priced_right),
        cmocka_unit_test(test_sequence_fold_clips),
        cmocka_unit_test(test_grid_fold_clips),
        cmocka_unit_test(test_orbit_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

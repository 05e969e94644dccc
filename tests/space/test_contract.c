/* What every space of the table must meet, with its default options; a new space is tested the
 * moment it is listed. */
#include <math.h>
#include <string.h>

#include "space/help_space.h"

/* Finished; length is for spaces that have none of their own. */
static struct space_config config_of(int kind, int length)
{
    struct space_config c = {.length = length, .channels = 1};
    struct err e = {0};
    assert_true(option_set_kind(&space_kinds, space_table[kind]->name, &c.kind));
    if (space_finish(&c, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return c;
}

static void open_arena(struct arena *a)
{
    assert_int_equal(arena_open(a, 0, NULL), 0);
}

/* The layout of sample `number`: one of its own, or the one of all. */
static void sample_layout(const struct space_config *c, uint64_t number, struct arena *a,
                          struct layout *out)
{
    const struct space *s = space_of(c);
    struct stream random;
    void *state = NULL;
    if (!space_draws(c)) {
        assert_int_equal(s->layout(c, (int)c->length, a, out, NULL), 0);
        return;
    }
    stream_open(&random, 1, "contract", number);
    if (s->open)
        assert_int_equal(s->open(c, a, &state, NULL), 0);
    assert_int_equal(s->draw(c, state, (int)c->length, &random, a, out, NULL), 0);
}

static void test_entries_are_complete(void **state)
{
    for (int k = 0; space_table[k]; k++) {
        const struct space *s = space_table[k];
        assert_true(s->name && *s->name && s->summary && *s->summary && s->citation && *s->citation);
        assert_true(s->patterns && s->orbits && s->layout);
        assert_in_range(s->axes, 0, 2);
        /* Who draws layouts takes them from the user, too. */
        assert_int_equal(s->draw != NULL, s->given || s->placed);
        assert_int_equal(s->given != NULL, s->pair_name != NULL);
        assert_true(s->draw || !s->open);
        for (const struct option *o = s->options; o && o->key; o++)
            assert_true(o->help && o->fallback);
        for (int other = 0; other < k; other++)
            assert_string_not_equal(s->name, space_table[other]->name);
    }
}

static void check_layout(const struct space *s, const struct layout *l, int relations)
{
    assert_int_equal(l->axes, s->axes);
    assert_int_equal(l->steps != NULL, s->graph);
    assert_int_equal(l->degree != NULL, s->graph);
    assert_int_equal(l->offset != NULL, l->axes > 0);
    assert_true(l->fold != NULL && l->distance != NULL);
    assert_int_equal(l->relations, relations);
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n; j++) {
            int r = layout_relation(l, i, j);
            assert_in_range(r, 0, l->relations - 1);
            assert_true(l->distance[r] >= 0 || l->distance[r] == -1);
            /* At distance 0 is nobody but oneself: floors with C rest on it. */
            assert_int_equal(l->distance[r] == 0, i == j);
            assert_true(l->distance[layout_relation(l, j, i)] == l->distance[r]);
            if (l->axes == 0)
                assert_int_equal(layout_relation(l, j, i), r);
        }
}

/* No sample has more positions or relations than the layout that sizes tables and memory; ids mean
 * the same in both. */
static void test_layouts(void **state)
{
    for (int k = 0; space_table[k]; k++) {
        struct space_config c = config_of(k, 9);
        struct arena a;
        struct layout largest, l;
        open_arena(&a);
        assert_int_equal(space_table[k]->layout(&c, (int)c.length, &a, &largest, NULL), 0);
        assert_int_equal(largest.n, c.length);
        assert_int_equal(space_positions(&c), c.length);
        for (uint64_t number = 0; number < 20; number++) {
            sample_layout(&c, number, &a, &l);
            assert_in_range(l.n, 1, largest.n);
            check_layout(space_table[k], &l, largest.relations);
            assert_memory_equal(l.distance, largest.distance,
                                (size_t)l.relations * sizeof *l.distance);
        }
        arena_close(&a);
    }
}

/* A table for the same layout is used as it stands, and rows of other tables are in it. */
static void test_folds(void **state)
{
    for (int k = 0; space_table[k]; k++) {
        struct space_config c = config_of(k, 9);
        struct arena a;
        struct layout largest, l;
        open_arena(&a);
        assert_int_equal(space_table[k]->layout(&c, (int)c.length, &a, &largest, NULL), 0);
        sample_layout(&c, 3, &a, &l);
        int32_t *map = arena_alloc(&a, (size_t)l.relations, sizeof *map, NULL);
        assert_non_null(map);
        l.fold(&largest, &l, map);
        for (int r = 0; r < l.relations; r++)
            assert_int_equal(map[r], r);
        arena_close(&a);
    }
}

/* A sample's layout is a function of its number, and drawing leaves nothing else in the arena. */
static void test_draws(void **state)
{
    for (int k = 0; space_table[k]; k++) {
        struct space_config c = config_of(k, 9);
        struct arena a, b;
        struct layout first, again;
        open_arena(&a);
        open_arena(&b);
        sample_layout(&c, 5, &a, &first);
        sample_layout(&c, 6, &b, &again);
        arena_reset(&b);
        sample_layout(&c, 5, &b, &again);
        assert_int_equal(first.n, again.n);
        for (int i = 0; i < first.n; i++)
            for (int j = 0; j < first.n; j++)
                assert_int_equal(layout_relation(&first, i, j), layout_relation(&again, i, j));
        if (space_draws(&c)) {
            struct layout largest;
            arena_reset(&a);
            assert_int_equal(space_table[k]->layout(&c, (int)c.length, &a, &largest, NULL), 0);
            assert_true(b.used <= a.used);
        }
        arena_close(&a);
        arena_close(&b);
    }
}

/* Patterns and orbits that a space lists work on its layouts; what it does not list is refused. */
static void test_patterns(void **state)
{
    for (int k = 0; space_table[k]; k++)
        for (int p = 1; pattern_table[p]; p++) {
            struct space_config c = config_of(k, 9);
            struct err e = {0};
            bool listed = false;
            for (const char *const *name = space_table[k]->patterns; *name; name++)
                listed |= strcmp(*name, pattern_table[p]->name) == 0;
            c.share[p] = 1;
            assert_int_equal(space_finish(&c, &e) == 0, listed);
            if (!listed)
                continue;
            struct arena a;
            struct layout l;
            struct stream random;
            open_arena(&a);
            sample_layout(&c, 1, &a, &l);
            int *source = arena_alloc(&a, (size_t)l.n, sizeof *source, NULL);
            assert_non_null(source);
            stream_open(&random, 2, "contract", 0);
            pattern_table[p]->draw(&l, &random, source);
            for (int i = 0; i < l.n; i++)
                assert_int_equal(source[source[i]], source[i]);
            arena_close(&a);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_are_complete), cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_folds),                cmocka_unit_test(test_draws),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

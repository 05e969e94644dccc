/* The worked example of lib/mask/README.md compiles as it stands, is short, and hides what it says. */
#include "help_readme.h"
#include "mask/mask.h"

enum { N = 9, START = 2, RECENT = 3 };

static void test_worked_example(void **state)
{
    struct help_readme r;
    struct mask_reach reach;
    struct arena a;
    struct layout l;
    struct space_config space = {.length = N, .channels = 1};
    struct kind_config c = {.number = {START, RECENT}};
    help_readme_open(&r, "lib/mask/README.md", "");
    assert_in_range(r.lines, 1, 49);
    const struct mask *m = dlsym(r.library, "mask_streaming");
    assert_non_null(m);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_true(option_set_kind(&space_kinds, "sequence", &space.kind));
    assert_int_equal(space_of(&space)->layout(&space, N, &a, &l, NULL), 0);
    assert_true(m->past(&c));
    assert_int_equal(mask_reach_open(&reach, m, &c, &l, &a, NULL), 0);
    for (int i = 0; i < N; i++) {
        int seen = 0;
        for (int j = 0; j < N; j++) {
            bool sees = j <= i && (j < START || i - j < RECENT);
            assert_int_equal(mask_shows(&reach, &l, i, j), sees);
            seen += sees;
        }
        assert_int_equal(mask_seen(&reach, &l, i), seen);
    }
    arena_close(&a);
    help_readme_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_worked_example)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

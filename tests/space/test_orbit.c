/* Orbits are groups: permutations, distinct, closed, with the identity first. */
#include <string.h>

#include "space/help_space.h"

enum { N_MAX = 9 };

static int find(const struct orbit *o, const struct layout *l, const int *perm)
{
    for (int k = 0; k < o->images(l); k++) {
        int image[N_MAX];
        o->image(l, k, image);
        if (memcmp(image, perm, (size_t)l->n * sizeof *perm) == 0)
            return k;
    }
    return -1;
}

static void check_group(const struct orbit *o, const struct layout *l)
{
    int count = o->images(l), n = l->n;
    for (int a = 0; a < count; a++) {
        int first[N_MAX], hits[N_MAX] = {0};
        o->image(l, a, first);
        for (int i = 0; i < n; i++) {
            assert_in_range(first[i], 0, n - 1);
            hits[first[i]]++;
            if (a == 0)
                assert_int_equal(first[i], i);
        }
        for (int i = 0; i < n; i++)
            assert_int_equal(hits[i], 1);
        assert_int_equal(find(o, l, first), a); /* distinct */
        for (int b = 0; b < count; b++) {
            int second[N_MAX], both[N_MAX];
            o->image(l, b, second);
            for (int i = 0; i < n; i++)
                both[i] = first[second[i]];
            assert_true(find(o, l, both) >= 0); /* closed; finite, so inverses are there too */
        }
    }
}

/* Closes the fixture; returns how many orbits its space has. */
static int check_groups(struct fixture *f)
{
    int count = 0;
    for (int k = 0; orbit_table[k]; k++)
        if (space_check_orbit(&f->config, k, NULL) == 0) {
            check_group(orbit_table[k], &f->layout);
            count++;
        }
    fixture_close(f);
    return count;
}

static void test_orbits_are_groups(void **state)
{
    struct fixture f;
    for (int n = 1; n <= N_MAX; n++) {
        fixture_open(&f, "sequence", n);
        assert_int_equal(check_groups(&f), 4);
    }
    for (int height = 1; height <= 3; height++)
        for (int width = 1; width <= 3; width++) {
            fixture_open_grid(&f, height, width);
            assert_int_equal(check_groups(&f), 4);
        }
}

static const struct orbit *find_orbit(const char *name)
{
    for (int k = 0; orbit_table[k]; k++)
        if (strcmp(orbit_table[k]->name, name) == 0)
            return orbit_table[k];
    fail_msg("no orbit '%s'", name);
    return NULL;
}

/* All images of "abcd..." one after the other. */
static void check_images(const char *name, const struct layout *l, const char *want)
{
    const struct orbit *o = find_orbit(name);
    char text[64] = "";
    size_t length = 0;
    for (int k = 0; k < o->images(l); k++) {
        int perm[N_MAX];
        o->image(l, k, perm);
        if (k > 0)
            text[length++] = ' ';
        for (int i = 0; i < l->n; i++)
            text[length++] = "abcdefghi"[perm[i]];
    }
    assert_string_equal(text, want);
}

static void test_images_by_hand(void **state)
{
    struct fixture f;
    fixture_open(&f, "sequence", 4);
    check_images("none", &f.layout, "abcd");
    check_images("reversal", &f.layout, "abcd dcba");
    check_images("shifts", &f.layout, "abcd bcda cdab dabc");
    check_images("dihedral", &f.layout, "abcd bcda cdab dabc dcba adcb badc cbad");
    fixture_close(&f);
    fixture_open_grid(&f, 2, 3); /* abc / def */
    check_images("reversal", &f.layout, "abcdef fedcba");
    check_images("shifts", &f.layout, "abcdef bcaefd cabfde defabc efdbca fdecab");
    check_images("mirrors", &f.layout, "abcdef cbafed defabc fedcba");
    fixture_close(&f);
    fixture_open_grid(&f, 3, 1);
    check_images("mirrors", &f.layout, "abc cba");
    fixture_close(&f);
}

/* On one or two positions a reversal is the identity or a shift. */
static void test_small_orbits(void **state)
{
    const int counts[2][4] = {{1, 1, 1, 1}, {1, 2, 2, 2}};
    for (int n = 1; n <= 2; n++) {
        struct fixture f;
        fixture_open(&f, "sequence", n);
        for (int k = 0; k < 4; k++)
            assert_int_equal(orbit_table[k]->images(&f.layout), counts[n - 1][k]);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orbits_are_groups),
        cmocka_unit_test(test_images_by_hand),
        cmocka_unit_test(test_small_orbits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

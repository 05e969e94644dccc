/* Patterns: each is what its name says, at every length, and draws what its file documents. */
#include <math.h>
#include <string.h>

#include "space/help_space.h"

enum { N_MAX = 40 };

static void draw(int pattern, const struct layout *l, uint64_t number, int *source)
{
    struct stream random;
    stream_open(&random, 7, "test", number);
    pattern_table[pattern]->draw(l, &random, source);
}

/* Patterns of the fixture's own space; closes it. */
static void check_sources(struct fixture *f)
{
    int n = f->layout.n;
    for (int p = 0; pattern_table[p]; p++) {
        struct space_config c = f->config;
        c.share[p] = 1;
        for (uint64_t k = 0; k < 20 && space_finish(&c, NULL) == 0; k++) {
            int source[N_MAX + 1] = {0};
            source[n] = -7; /* sentinel */
            draw(p, &f->layout, k, source);
            assert_int_equal(source[n], -7);
            for (int i = 0; i < n; i++) {
                assert_in_range(source[i], 0, n - 1);
                assert_int_equal(source[source[i]], source[i]);
            }
        }
    }
    fixture_close(f);
}

static void test_sources_are_idempotent(void **state)
{
    struct fixture f;
    for (int n = 1; n <= N_MAX; n += 3) {
        fixture_open(&f, "sequence", n);
        check_sources(&f);
    }
    for (int height = 1; height <= 5; height++)
        for (int width = 1; width <= 5; width++) {
            fixture_open_grid(&f, height, width);
            check_sources(&f);
        }
}

/* 2 x 3 by hand: mirror a b a / c d c, checkerboard a b a / b a b.  3 x 1: a / b / a. */
static void test_grid_patterns(void **state)
{
    struct fixture f;
    int source[6];
    const int mirror[6] = {0, 1, 0, 3, 4, 3}, checkerboard[6] = {0, 1, 0, 1, 0, 1};
    fixture_open_grid(&f, 2, 3);
    draw(PATTERN_MIRROR, &f.layout, 0, source);
    assert_memory_equal(source, mirror, sizeof mirror);
    draw(PATTERN_CHECKERBOARD, &f.layout, 0, source);
    assert_memory_equal(source, checkerboard, sizeof checkerboard);
    fixture_close(&f);
    const int even[4] = {0, 1, 1, 0}, column[3] = {0, 1, 0};
    fixture_open_grid(&f, 2, 2);
    draw(PATTERN_CHECKERBOARD, &f.layout, 0, source);
    assert_memory_equal(source, even, sizeof even);
    fixture_close(&f);
    fixture_open_grid(&f, 3, 1);
    draw(PATTERN_CHECKERBOARD, &f.layout, 0, source);
    assert_memory_equal(source, column, sizeof column);
    fixture_close(&f);
}

static void test_same_stream_same_pattern(void **state)
{
    struct fixture f;
    fixture_open(&f, "sequence", 20);
    int differing = 0;
    for (int p = 0; p <= PATTERN_BLOCKS; p++) {
        int a[20], b[20], c[20];
        draw(p, &f.layout, 1, a);
        draw(p, &f.layout, 1, b);
        draw(p, &f.layout, 2, c);
        assert_memory_equal(a, b, sizeof a);
        differing += memcmp(a, c, sizeof a) != 0;
    }
    assert_true(differing >= 2); /* prefix and blocks; periodic may draw the same period twice */
    fixture_close(&f);
}

static void test_fixed_patterns(void **state)
{
    struct fixture f;
    int source[5];
    fixture_open(&f, "sequence", 5);
    const int generic[5] = {0, 1, 2, 3, 4}, identical[5] = {0}, palindrome[5] = {0, 1, 2, 1, 0};
    const int first[5] = {0, 1, 1, 1, 1};
    draw(PATTERN_FIRST, &f.layout, 0, source);
    assert_memory_equal(source, first, sizeof source);
    draw(PATTERN_GENERIC, &f.layout, 0, source);
    assert_memory_equal(source, generic, sizeof source);
    draw(PATTERN_IDENTICAL, &f.layout, 0, source);
    assert_memory_equal(source, identical, sizeof source);
    draw(PATTERN_PALINDROME, &f.layout, 0, source);
    assert_memory_equal(source, palindrome, sizeof source);
    fixture_close(&f);
}

/* A prefix of equal tokens and distinct ones after it; every length 2..n comes up about equally
 * often: with n = 6 and 3000 draws, 600 +- 5 standard deviations (22 each). */
static void test_prefix(void **state)
{
    struct fixture f;
    fixture_open(&f, "sequence", 6);
    int seen[7] = {0};
    for (uint64_t k = 0; k < 3000; k++) {
        int source[6], length = 0;
        draw(PATTERN_PREFIX, &f.layout, k, source);
        while (length < 6 && source[length] == 0)
            length++;
        for (int i = length; i < 6; i++)
            assert_int_equal(source[i], i);
        seen[length]++;
    }
    assert_int_equal(seen[0] + seen[1], 0);
    for (int length = 2; length <= 6; length++)
        assert_in_range(seen[length], 600 - 110, 600 + 110);
    fixture_close(&f);
}

/* Smallest p with x_i = x_{i+p} wherever both exist. */
static int period_of(const int *source, int n)
{
    for (int p = 1; p < n; p++) {
        int i = 0;
        while (i + p < n && source[i] == source[i + p])
            i++;
        if (i + p == n)
            return p;
    }
    return n;
}

/* n = 24: periods 2..6, each about a fifth of 3000 draws; never a constant sequence. */
static void test_periodic(void **state)
{
    struct fixture f;
    fixture_open(&f, "sequence", 24);
    int seen[25] = {0};
    for (uint64_t k = 0; k < 3000; k++) {
        int source[24];
        draw(PATTERN_PERIODIC, &f.layout, k, source);
        seen[period_of(source, 24)]++;
    }
    for (int p = 1; p <= 24; p++)
        if (p >= 2 && p <= 6)
            assert_in_range(seen[p], 600 - 110, 600 + 110);
        else
            assert_int_equal(seen[p], 0);
    fixture_close(&f);
}

static void test_palindrome_reads_backwards(void **state)
{
    for (int n = 1; n <= N_MAX; n++) {
        struct fixture f;
        int source[N_MAX];
        fixture_open(&f, "sequence", n);
        draw(PATTERN_PALINDROME, &f.layout, 0, source);
        for (int i = 0; i < n; i++) {
            assert_int_equal(source[i], source[n - 1 - i]);
            for (int j = 0; j < i && j < n - 1 - i; j++)
                assert_int_not_equal(source[i], source[j]);
        }
        fixture_close(&f);
    }
}

/* Each run begins at its source, and runs that are not cut at the end have lengths uniform on
 * 1..n/4 = 1..5 (n = 20).  Runs near the end are left out, because the cut favours short ones. */
static void test_blocks(void **state)
{
    struct fixture f;
    fixture_open(&f, "sequence", 20);
    int seen[21] = {0}, runs = 0;
    for (uint64_t k = 0; k < 1000; k++) {
        int source[20];
        draw(PATTERN_BLOCKS, &f.layout, k, source);
        for (int i = 0, start = 0; i < 20; i++) {
            if (source[i] == i)
                start = i;
            assert_int_equal(source[i], start);
            if (start <= 15 && (i == 19 || source[i + 1] != start)) {
                seen[i - start + 1]++;
                runs++;
            }
        }
    }
    for (int length = 1; length <= 20; length++)
        if (length <= 5) /* 5 standard deviations of a binomial share of 1/5 */
            assert_true(fabs(seen[length] - runs / 5.0) < 5 * sqrt(runs * 0.16));
        else
            assert_int_equal(seen[length], 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources_are_idempotent),
        cmocka_unit_test(test_grid_patterns),
        cmocka_unit_test(test_same_stream_same_pattern),
        cmocka_unit_test(test_fixed_patterns),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_periodic),
        cmocka_unit_test(test_palindrome_reads_backwards),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* PCG64 against its reference, as a GSL generator, and the named streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/help_folder.h"
#include "base/help_pcg.h"
#include "base/random.h"

/* The committed fixture is what the C++ library writes today; skipped where that is not there. */
static void fixture_is_what_the_library_writes(void **state)
{
    if (help_shell("echo '#include <pcg_random.hpp>' |"
                   " ${CXX:-c++} -x c++ -std=c++11 -E - >/dev/null 2>&1") != 0)
        skip();
    char folder[FOLDER_MAX];
    help_folder_make(folder);
    int built = help_shell("${CXX:-c++} -std=c++11 -o '%s/reference' tests/base/pcg_reference.cpp",
                           folder);
    int same = help_shell("'%s/reference' | cmp - tests/base/pcg64.txt", folder);
    help_folder_delete(folder);
    assert_int_equal(built, 0);
    assert_int_equal(same, 0);
}

static void gsl_contract(void **state)
{
    gsl_rng *r = gsl_rng_alloc(random_pcg64);
    assert_non_null(r);
    assert_string_equal(gsl_rng_name(r), "pcg64");
    assert_true(gsl_rng_min(r) == 0 && gsl_rng_max(r) == ULONG_MAX);
    assert_int_equal(gsl_rng_size(r), sizeof(struct pcg64));

    gsl_rng_set(r, 42);
    struct pcg64 g;
    pcg64_seed(&g, 0, 42, 0, 0);
    assert_memory_equal(gsl_rng_state(r), &g, sizeof g);
    gsl_rng *twin = gsl_rng_clone(r);
    double sum = 0;
    enum { COUNT = 100000 };
    for (int i = 0; i < COUNT; i++) {
        double x = gsl_rng_uniform(r);
        assert_true(x >= 0 && x < 1);
        assert_true(x * 0x1p53 == floor(x * 0x1p53));
        assert_true(x == (double)(gsl_rng_get(twin) >> 11) * 0x1p-53);
        sum += x;
        assert_true(gsl_rng_uniform_int(r, 7) < 7);
        gsl_rng_get(twin);
    }
    /* Five standard deviations of a mean of COUNT uniform numbers. */
    assert_true(fabs(sum / COUNT - 0.5) < 5 * sqrt(1.0 / 12 / COUNT));
    gsl_rng_free(twin);
    gsl_rng_free(r);
}

/* From state 0 a step gives the increment itself, here 2^64 - 1: no turn, and all ones come out. */
static void largest_output_is_below_one(void **state)
{
    struct stream s;
    s.state = (struct pcg64){0, 0, 0, UINT64_MAX};
    assert_true(pcg64_next(&s.state) == UINT64_MAX);
    s.state = (struct pcg64){0, 0, 0, UINT64_MAX};
    assert_true(gsl_rng_uniform(stream_rng(&s)) == 1 - 0x1p-53);
    s.state = (struct pcg64){0, 0, 0, UINT64_MAX};
    assert_true(stream_uniform24(&s) == 1 - 0x1p-24);
}

/* The derivation is part of the results' meaning: it must never change.  Computed apart from this
 * program with Python's hashlib and whole numbers. */
static void streams_are_derived_as_documented(void **state)
{
    struct stream s;
    stream_open(&s, 0, "data", 0);
    assert_true(pcg64_next(&s.state) == 0xf2d565f07e44acd4);
    assert_true(pcg64_next(&s.state) == 0x20e8b3e74f1e7dc9);
    stream_open(&s, UINT64_MAX, "init.shared", 7);
    assert_true(pcg64_next(&s.state) == 0x39f1435f5359a964);
    assert_true(gsl_rng_get(stream_rng(&s)) == 0xcf9efb7337a8a997);
}

static void streams_pair_and_differ(void **state)
{
    static const struct {
        uint64_t seed;
        const char *purpose;
        uint64_t index;
    } name[] = {{1, "data", 2}, {1, "data", 3}, {2, "data", 2}, {1, "order", 2}, {12, "data", 0}};
    enum { NAMES = sizeof name / sizeof *name, COUNT = 50000 };
    for (int i = 0; i < NAMES; i++)
        for (int j = 0; j < NAMES; j++) {
            struct stream a, b;
            stream_open(&a, name[i].seed, name[i].purpose, name[i].index);
            stream_open(&b, name[j].seed, name[j].purpose, name[j].index);
            double sum = 0;
            for (int k = 0; k < COUNT; k++) {
                double x = stream_uniform24(&a), y = stream_uniform24(&b);
                if (i == j)
                    assert_true(x == y);
                sum += (x - 0.5) * (y - 0.5);
            }
            /* Without correlation the mean product has deviation 1 / (12 sqrt(COUNT)). */
            if (i != j)
                assert_true(fabs(sum / COUNT) < 5 / 12.0 / sqrt(COUNT));
        }
}

static void copies_are_independent(void **state)
{
    struct stream a, b;
    stream_open(&a, 1, "data", 2);
    b = a;
    uint64_t first = gsl_rng_get(stream_rng(&b));
    assert_true(gsl_rng_get(stream_rng(&a)) == first); /* b drew from its own state */
}

static void uniform24_is_exact_in_float(void **state)
{
    struct stream s;
    stream_open(&s, 3, "data", 0);
    for (int i = 0; i < 100000; i++) {
        double x = stream_uniform24(&s);
        assert_true(x >= 0 && x < 1 && (double)(float)x == x);
        assert_true(x * 0x1p24 == floor(x * 0x1p24));
    }
}

/* With 3 * 2^62 results the plain high half of a product is a multiple of 3 half of the time. */
static void below_is_unbiased(void **state)
{
    enum { COUNT = 30000 };
    struct stream s;
    stream_open(&s, 4, "data", 0);
    int multiples = 0, seen[7] = {0};
    for (int i = 0; i < COUNT; i++) {
        uint64_t x = stream_below(&s, 3 * (UINT64_C(1) << 62));
        assert_true(x < 3 * (UINT64_C(1) << 62));
        multiples += x % 3 == 0;
        seen[stream_below(&s, 7)]++;
        assert_true(stream_below(&s, 1) == 0);
    }
    assert_true(fabs(multiples - COUNT / 3.0) < 5 * sqrt(COUNT * 2.0 / 9));
    for (int k = 0; k < 7; k++)
        assert_true(fabs(seen[k] - COUNT / 7.0) < 5 * sqrt(COUNT * 6.0 / 49));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_pcg_published),
        cmocka_unit_test(help_pcg_fixture),
        cmocka_unit_test(help_pcg_jump),
        cmocka_unit_test(fixture_is_what_the_library_writes),
        cmocka_unit_test(gsl_contract),
        cmocka_unit_test(largest_output_is_below_one),
        cmocka_unit_test(streams_are_derived_as_documented),
        cmocka_unit_test(streams_pair_and_differ),
        cmocka_unit_test(copies_are_independent),
        cmocka_unit_test(uniform24_is_exact_in_float),
        cmocka_unit_test(below_is_unbiased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

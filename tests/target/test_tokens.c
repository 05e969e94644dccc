/* Golden labels of the token targets, worked out by hand. */
#include <string.h>

#include "target/help_target.h"

/* Two runs of symbols below 4, of odd and of even length. */
static const int32_t x5[5] = {3, 0, 2, 2, 3};
static const int32_t x6[6] = {1, 2, 2, 1, 0, 3};

static void check(const char *name, int n, const int32_t *x, const int32_t *want)
{
    int32_t got[8];
    label(name, 4, n, x, got);
    for (int i = 0; i < n; i++)
        if (got[i] != want[i])
            fail_msg("%s: label %d is %d; expected %d", name, i, got[i], want[i]);
}

static void test_pi(void **state)
{
    const int32_t want[5] = {0, 1, 2, 3, 4};
    check("pi", 5, x5, want);
}

/* positions 2, 4, then the filler 4; every position has a label of its own, the first included */
static void test_etp(void **state)
{
    const int32_t five[5] = {0, 2, 4, 4, 4}, six[6] = {2, 1, 3, 4, 4, 4};
    check("etp", 5, x5, five);
    check("etp", 6, x6, six);
    struct fixture f;
    fixture_configure(&f, "sequence", fixture_kind("etp"), 5, 1);
    f.config.vocab = 4;
    fixture_open(&f);
    for (int i = 0; i < 5; i++)
        assert_int_equal(f.target->informative(&f.config, &f.layout, i), i < 2);
    assert_int_equal(target_symbols(&f.config), 5);
    assert_int_equal(target_labels(&f.config, 5), 5);
    fixture_close(&f);
}

static void test_token_reverse(void **state)
{
    const int32_t want[5] = {3, 2, 2, 0, 3};
    check("token_reverse", 5, x5, want);
}

/* positions 1, 3, 5, then 2, 4 (, 6) */
static void test_odds_first(void **state)
{
    const int32_t five[5] = {3, 2, 3, 0, 2}, six[6] = {1, 2, 0, 2, 1, 3};
    check("odds_first", 5, x5, five);
    check("odds_first", 6, x6, six);
}

static void test_token_shift(void **state)
{
    const int32_t right[5] = {4, 3, 0, 2, 2}, left[5] = {2, 2, 3, 4, 4};
    check("token_shift", 5, x5, right);
    struct fixture f;
    int32_t got[5];
    fixture_configure(&f, "sequence", fixture_kind("token_shift"), 5, 1);
    f.config.vocab = 4;
    fixture_set(&f, "k", -2);
    fixture_open(&f);
    fixture_label(&f, x5, got);
    assert_memory_equal(got, left, sizeof left);
    for (int i = 0; i < 5; i++) /* the fillers say nothing */
        assert_int_equal(f.target->informative(&f.config, &f.layout, i), i < 3);
    assert_int_equal(target_symbols(&f.config), 5);
    fixture_close(&f);
}

static void test_bucket_sort(void **state)
{
    const int32_t five[5] = {0, 2, 2, 3, 3}, six[6] = {0, 1, 1, 2, 2, 3};
    check("bucket_sort", 5, x5, five);
    check("bucket_sort", 6, x6, six);
}

/* sums 3 3 5 7 10 and 1 3 5 6 6 9 */
static void test_prefix_parity(void **state)
{
    const int32_t five[5] = {1, 1, 1, 1, 0}, six[6] = {1, 1, 1, 0, 0, 1};
    check("prefix_parity", 5, x5, five);
    check("prefix_parity", 6, x6, six);
}

/* 3; 3,0 -> 0; 0,2,3 -> 0; 2 twice -> 2; 2 and 3 twice -> 2.  1; 1,2 -> 1; 2 twice; 1 and 2 twice
 * -> 1, and so it stays. */
static void test_prefix_majority(void **state)
{
    const int32_t five[5] = {3, 0, 0, 2, 2}, six[6] = {1, 1, 2, 1, 1, 1};
    check("prefix_majority", 5, x5, five);
    check("prefix_majority", 6, x6, six);
}

static void test_majority(void **state)
{
    const int32_t five[5] = {2, 2, 2, 2, 2}, six[6] = {1, 1, 1, 1, 1, 1};
    check("majority", 5, x5, five);
    check("majority", 6, x6, six);
}

/* 3 twice, 0 once, 2 twice, less 1 */
static void test_histogram(void **state)
{
    const int32_t five[5] = {1, 0, 1, 1, 1}, six[6] = {1, 1, 1, 1, 0, 0};
    check("histogram", 5, x5, five);
    check("histogram", 6, x6, six);
}

/* Against plain counting, with more symbols than tokens and with fewer. */
static void test_counting_by_brute_force(void **state)
{
    enum { N = 50 };
    const int vocabs[] = {2, 7, 1000000};
    for (int v = 0; v < 3; v++) {
        double u[N];
        int32_t x[N], histogram[N], majority[N];
        fill_uniform(u, N, (uint64_t)v);
        for (int i = 0; i < N; i++)
            x[i] = (int32_t)(u[i] * vocabs[v]);
        label("histogram", vocabs[v], N, x, histogram);
        label("prefix_majority", vocabs[v], N, x, majority);
        for (int i = 0; i < N; i++) {
            int own = 0, best = 0;
            int32_t symbol = -1;
            for (int j = 0; j < N; j++)
                own += x[j] == x[i];
            assert_int_equal(histogram[i], own - 1);
            for (int j = 0; j <= i; j++) {
                int count = 0;
                for (int k = 0; k <= i; k++)
                    count += x[k] == x[j];
                if (count > best || (count == best && x[j] < symbol)) {
                    best = count;
                    symbol = x[j];
                }
            }
            assert_int_equal(majority[i], symbol);
        }
    }
}

static void test_induction(void **state)
{
    struct fixture f;
    const int32_t x[] = {3, 1, 3, 2, 1, 1, 3, 0}, want[] = {-1, -1, 1, -1, 3, 1, 2, -1};
    int32_t out[8];
    fixture_configure(&f, NULL, fixture_kind("induction"), 8, 1);
    fixture_open(&f);
    fixture_label(&f, x, out);
    assert_memory_equal(out, want, sizeof want);
    fixture_close(&f);
}

/* Keys are different and of the lower half, values of the upper; every query is answered by its pair. */
static void test_recall(void **state)
{
    enum { PAIRS = 5, SIZE = 16 };
    int32_t x[SIZE], label_[SIZE];
    int seen[10] = {0};
    struct fixture f;
    fixture_configure(&f, NULL, fixture_kind("recall"), SIZE, 1);
    fixture_set(&f, "pairs", PAIRS); /* all five keys of ten symbols */
    fixture_open(&f);
    for (uint64_t k = 0; k < 200; k++) {
        fixture_draw(&f, k, 0, x, label_);
        seen[x[0]]++;
        for (int p = 0; p < PAIRS; p++) {
            assert_in_range(x[2 * p], 0, 4);
            assert_in_range(x[2 * p + 1], 5, 9);
            assert_true(label_[2 * p] == TARGET_NO_LABEL && label_[2 * p + 1] == TARGET_NO_LABEL);
            for (int q = 0; q < p; q++)
                assert_int_not_equal(x[2 * p], x[2 * q]);
        }
        for (int i = 2 * PAIRS; i < SIZE; i++) {
            int p = 0;
            while (x[2 * p] != x[i])
                p++;
            assert_int_equal(label_[i], x[2 * p + 1]);
        }
    }
    for (int key = 0; key < 5; key++)
        assert_in_range(seen[key], 20, 70); /* 40 +- 5 standard deviations */
    fixture_set(&f, "pairs", 8);
    struct err e = {0};
    assert_int_equal(target_check(&f.config, &f.space, &e), ERR_USAGE);
    assert_string_equal(e.where, "target.pairs");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_induction),
        cmocka_unit_test(test_recall),
        cmocka_unit_test(test_pi),
        cmocka_unit_test(test_etp),
        cmocka_unit_test(test_token_reverse),
        cmocka_unit_test(test_odds_first),
        cmocka_unit_test(test_token_shift),
        cmocka_unit_test(test_bucket_sort),
        cmocka_unit_test(test_prefix_parity),
        cmocka_unit_test(test_prefix_majority),
        cmocka_unit_test(test_majority),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_counting_by_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Witnesses without C: exact wherever the floor leaves room, at chance where it does not. */
#include "witness/help_witness.h"

#include <math.h>

/* pi on all 2^8 sequences: right at every position unless all symbols are equal; then one position
 * of the eight is. */
static void test_pi_exhaustively(void **state)
{
    struct help_witness h;
    int32_t token[8];
    assert_true(help_witness_open(&h, &(struct help_case){.target = "pi", .encoding = "toeplitz",
                                                          .n = 8, .vocab = 2}));
    assert_non_null(h.w);
    assert_int_equal(h.w->config.attention, MODEL_RPE);
    for (int word = 0; word < 256; word++) {
        for (int i = 0; i < 8; i++)
            token[i] = word >> i & 1;
        assert_int_equal(help_witness_hits(&h, token), word == 0 || word == 255 ? 1 : 8);
    }
    help_witness_close(&h);
}

static void test_pi_longer(void **state)
{
    static const int vocab[] = {2, 10, 1000};
    static const char *const encoding[] = {"toeplitz", "t5"};
    for (int k = 0; k < 6; k++) {
        struct help_witness h;
        assert_true(help_witness_open(&h, &(struct help_case){.target = "pi",
                                                              .encoding = encoding[k % 2],
                                                              .n = 24, .vocab = vocab[k / 2]}));
        assert_non_null(h.w);
        assert_true(help_witness_accuracy(&h, 4, 3) == 1);
        help_witness_close(&h);
    }
}

/* A run of any length, then another symbol: the flags' averages at every run length. */
static void test_pi_every_run(void **state)
{
    struct help_witness h;
    int32_t token[24];
    assert_true(help_witness_open(&h, &(struct help_case){.target = "pi", .encoding = "toeplitz",
                                                          .n = 24, .vocab = 5}));
    for (int l = 1; l < 24; l++) {
        for (int i = 0; i < 24; i++)
            token[i] = i < l ? 3 : 4 * (i % 2);
        assert_int_equal(help_witness_hits(&h, token), 24);
    }
    help_witness_close(&h);
}

static void test_pi_refused(void **state)
{
    static const struct {
        const char *encoding;
        const char *mask;
    } cannot[] = {{"none", "none"}, {"alibi", "none"},
                  {"rope", "none"}, {"toeplitz", "causal"}};
    for (size_t k = 0; k < sizeof cannot / sizeof *cannot; k++) {
        struct help_witness h;
        assert_true(help_witness_open(&h, &(struct help_case){.target = "pi",
                                                              .encoding = cannot[k].encoding,
                                                              .mask = cannot[k].mask, .n = 6,
                                                              .vocab = 3}));
        assert_null(h.w);
        help_witness_close(&h);
    }
}

/* Right on inputs whose neighbours differ by more than eps; on identical tokens at least the sup
 * floor (n - 1) / (2n) away, whatever eps. */
static void test_position_on_generic_inputs(void **state)
{
    int n = 12;
    double last = INFINITY, first = 0;
    for (double eps = 0.3; eps > 1e-4; eps /= 8) {
        struct help_witness h;
        struct help_case c = {.target = "position", .encoding = "toeplitz", .n = n,
                              .channels = 3, .eps = eps};
        assert_true(help_witness_open(&h, &c));
        assert_non_null(h.w);
        double error = help_witness_error(&h, 40, false, 2);
        assert_true(error <= last);
        assert_true(help_witness_error(&h, 2, true, 2) >= (n - 1) / (2.0 * n));
        first = first > 0 ? first : error;
        last = error;
        help_witness_close(&h);
    }
    assert_true(first > 1e-2);
    assert_true(last < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pi_exhaustively), cmocka_unit_test(test_pi_longer),
        cmocka_unit_test(test_pi_every_run),    cmocka_unit_test(test_pi_refused),
        cmocka_unit_test(test_position_on_generic_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

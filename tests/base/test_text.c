/* Text, numbers in a locale with a decimal comma, and near names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/help_folder.h"
#include "base/random.h"
#include "base/text.h"

static void appends_grow(void **state)
{
    struct text t = {0};
    text_append(&t, "");
    assert_string_equal(t.data, "");
    for (int i = 0; i < 1000; i++)
        text_append_format(&t, "%d,", i);
    assert_int_equal(t.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(strlen(t.data), t.length);
    text_clear(&t);
    text_append_bytes(&t, "a\0b", 3);
    text_append_bytes(&t, "0.5", 3);
    assert_int_equal(t.length, 6);
    assert_memory_equal(t.data, "a\0b0.5", 7);
    assert_int_equal(text_check(&t, NULL), 0);
    text_close(&t);
    assert_null(t.data);
}

static void written(double value, int digits, const char *expected)
{
    char out[TEXT_NUMBER_MAX];
    assert_string_equal(text_from_double(out, value, digits), expected);
}

static void numbers_are_written(void **state)
{
    written(0.1, 17, "0.10000000000000001");
    written(0.1f, 9, "0.100000001");
    written(1e12, 9, "1000000000000");
    written(-999999999999999.0, 17, "-999999999999999");
    written(1e15, 17, "1000000000000000");
    written(1e22, 17, "1e+22");
    written(0.001f, 9, "0.00100000005");
    written(-0.0, 17, "-0");
    written(NAN, 17, "nan");
    written(INFINITY, 9, "inf");
    written(-INFINITY, 9, "-inf");
    char out[TEXT_NUMBER_MAX];
    assert_string_equal(text_from_double_short(out, 0.1), "0.1");
    assert_string_equal(text_from_double_short(out, 1.0 / 3), "0.3333333333333333");
    assert_string_equal(text_from_double_short(out, 0.1 + 0.2), "0.30000000000000004");
    assert_string_equal(text_from_double_exact(out, 0.1), "0x1.999999999999ap-4");
    assert_string_equal(text_from_double_exact(out, -0.0), "-0x0p+0");
}

static void read_as(const char *s, double expected)
{
    double x = -77;
    if (!text_to_double(s, &x) || x != expected)
        fail_msg("\"%s\" was read as %a, not %a", s, x, expected);
}

static void numbers_are_read(void **state)
{
    read_as("0", 0);
    read_as("+12.", 12);
    read_as("-.5e1", -5);
    read_as("1E+3", 1000);
    read_as("1.5e-3", 0.0015);
    read_as("0x1F", 31);
    read_as("0o17", 15);
    read_as(".inf", INFINITY);
    read_as("-.Inf", -INFINITY);
    read_as("-inf", -INFINITY);
    read_as("1.7976931348623157e308", DBL_MAX);
    read_as("4.9406564584124654e-324", 0x1p-1074);
    read_as("1e-99999999999999999999", 0);
    char small[400] = "0."; /* longer than the buffer on the stack */
    memset(small + 2, '0', 299);
    strcpy(small + 301, "1e300");
    read_as(small, 1);
    double x;
    assert_true(text_to_double("-0", &x) && signbit(x));
    assert_true(text_to_double(".nan", &x) && isnan(x));
    assert_true(text_to_double("nan", &x) && isnan(x));
}

static void other_text_is_no_number(void **state)
{
    static const char *const bad[] = {"",    " 1",   "1 ",   "1,5",  "e5",    ".",   "+",
                                      "1e",  "1e+",  "0x",   "0x1.8p1", "1_000", "1f", "infinity",
                                      "NaN", "nan()", "--1", "1e999", "0o8",  "1.2.3", "-0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double x = 5;
        if (text_to_double(bad[i], &x) || x != 5)
            fail_msg("\"%s\" was read as %g", bad[i], x);
    }
}

static void whole_numbers_are_read(void **state)
{
    int64_t x = 0;
    assert_true(text_to_int64("9223372036854775807", &x) && x == INT64_MAX);
    assert_true(text_to_int64("-9223372036854775808", &x) && x == INT64_MIN);
    assert_true(text_to_int64("0x7fffffffffffffff", &x) && x == INT64_MAX);
    assert_true(text_to_int64("-0", &x) && x == 0);
    assert_true(text_to_int64("+007", &x) && x == 7);
    static const char *const bad[] = {"9223372036854775808", "-9223372036854775809",
                                      "0x8000000000000000",  "18446744073709551617",
                                      "1.0", "1e3", "", "-", " 1", "1 ", "0x", "12a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        x = 5;
        if (text_to_int64(bad[i], &x) || x != 5)
            fail_msg("\"%s\" was read as a whole number", bad[i]);
    }
}

/* Random bit patterns: every exponent, subnormals and all, must read back as the same bits. */
static void doubles_survive(void)
{
    struct pcg64 g;
    pcg64_seed(&g, 0, 1, 0, 2);
    for (int i = 0; i < 20000; i++) {
        char out[TEXT_NUMBER_MAX];
        uint64_t bits = pcg64_next(&g);
        double value, back, back_short;
        memcpy(&value, &bits, sizeof value);
        if (isnan(value) || isinf(value))
            continue;
        text_from_double(out, value, 17);
        assert_null(strchr(out, ','));
        if (!text_to_double(out, &back) || memcmp(&back, &value, sizeof value) != 0)
            fail_msg("%a became \"%s\" and %a", value, out, back);
        text_from_double_short(out, value);
        assert_true(text_to_double(out, &back_short) && back_short == value);
        float narrow = (float)(value / 0x1p1023 * 1e10);
        text_from_double(out, narrow, 9);
        assert_true(text_to_double(out, &back) && (float)back == narrow);
    }
    double x;
    assert_true(text_to_double("1.5", &x) && x == 1.5);
    assert_false(text_to_double("1,5", &x));
}

static void doubles_round_trip(void **state)
{
    doubles_survive();
}

static void doubles_round_trip_with_a_decimal_comma(void **state)
{
    char folder[FOLDER_MAX], number[16];
    help_folder_make(folder);
    int rc = help_shell("localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1", folder);
    if (rc == 0)
        setenv("LOCPATH", folder, 1);
    bool set = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    if (set) {
        snprintf(number, sizeof number, "%.1f", 0.5);
        assert_string_equal(number, "0,5"); /* or the test would show nothing */
        doubles_survive();
        setlocale(LC_ALL, "C");
    }
    unsetenv("LOCPATH");
    help_folder_delete(folder);
    if (!set)
        skip();
}

static void distances(void **state)
{
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("gian", "gain"), 1);
    assert_int_equal(text_distance("ca", "abc"), 3); /* 2 only where a pair may be edited again */
    char a[301];
    memset(a, 'a', 300);
    a[300] = '\0';
    assert_int_equal(text_distance(a, ""), 127);
}

static void nearest_names(void **state)
{
    static const char *const names[] = {"toeplitz", "t5", "alibi", "sinusoidal"};
    assert_string_equal(text_nearest("toepliz", names, 4), "toeplitz");
    assert_string_equal(text_nearest("t6", names, 4), "t5");
    assert_string_equal(text_nearest("sinusiodal", names, 4), "sinusoidal");
    assert_null(text_nearest("rotary", names, 4));
    assert_null(text_nearest("x", names, 4));
    assert_null(text_nearest("", names, 4));
    assert_null(text_nearest("alibi", names, 0));
}

/* What drives a terminal, or has it show words in another order than they stand in (CVE-2021-42574). */
static void only_text_reaches_people(void **state)
{
    static const char *const pair[][2] = {
        {"a\x1b[2J\x7f\xff", "a?[2J??"}, {"\xc2\x9b" "2J", "??2J"}, {"\xe2\x80\xae" "evil", "???evil"},
        {"\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9", "?????????"}, {"\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xaa", NULL},
        {"\xc3\xa9\xd7\xa9\xf0\x9f\x8c\x8a", NULL}, {"\xed\xa0\x80\xef\xbf\xbf", "??????"}};
    for (size_t k = 0; k < sizeof pair / sizeof *pair; k++) {
        char s[32];
        strcpy(s, pair[k][0]);
        assert_string_equal(text_clean(s, false), pair[k][1] ? pair[k][1] : pair[k][0]);
    }
}

static void fixed_text_stays_where_it_is(void **state)
{
    char buffer[8] = "";
    struct text t = {.data = buffer, .capacity = sizeof buffer, .fixed = true};
    text_append(&t, "1234567");
    assert_int_equal(text_check(&t, NULL), 0);
    assert_string_equal(buffer, "1234567");
    text_append(&t, "8");
    assert_true(t.failed);
    assert_string_equal(buffer, "1234567");
    text_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_grow),
        cmocka_unit_test(numbers_are_written),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(other_text_is_no_number),
        cmocka_unit_test(whole_numbers_are_read),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(doubles_round_trip_with_a_decimal_comma),
        cmocka_unit_test(distances),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(only_text_reaches_people),
        cmocka_unit_test(fixed_text_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The chain of contexts around an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void set_fills_once(void **state)
{
    struct err e = {0};
    assert_int_equal(err_set(&e, ERR_FORMAT, "a.csv", "row %d is bad", 7), ERR_FORMAT);
    assert_int_equal(err_set(&e, ERR_IO, "b.csv", "later"), ERR_IO);
    assert_int_equal(e.code, ERR_FORMAT);
    assert_string_equal(e.where, "a.csv");
    assert_string_equal(e.msg, "row 7 is bad");
}

static void null_is_accepted(void **state)
{
    struct err e = {0};
    assert_int_equal(err_set(NULL, ERR_USAGE, "x", "y"), ERR_USAGE);
    assert_int_equal(err_context(NULL, "x"), 0);
    assert_int_equal(err_context(&e, "nothing happened"), 0);
    assert_string_equal(e.msg, "");
    err_set(&e, ERR_IO, NULL, "z");
    assert_string_equal(e.where, "");
}

static void pass_hands_on(void **state)
{
    struct err e = {0}, cause = {0};
    assert_int_equal(err_pass(&e, &cause), 0);
    assert_int_equal(e.code, 0);
    err_set(&cause, ERR_FORMAT, "a.csv", "row %d is bad: 100%%s", 7);
    assert_int_equal(err_pass(NULL, &cause), ERR_FORMAT);
    assert_int_equal(err_pass(&e, &cause), ERR_FORMAT);
    assert_int_equal(e.code, ERR_FORMAT);
    assert_string_equal(e.where, "a.csv");
    assert_string_equal(e.msg, "row 7 is bad: 100%s");
    struct err later = {0};
    err_set(&later, ERR_IO, "b.csv", "later");
    assert_int_equal(err_pass(&e, &later), ERR_IO);
    assert_string_equal(e.msg, "row 7 is bad: 100%s"); /* the first stays */
}

static void context_goes_before(void **state)
{
    struct err e = {0};
    err_set(&e, ERR_IO, "p", "disk full");
    assert_int_equal(err_context(&e, "checkpoint of step %d", 10), ERR_IO);
    err_context(&e, "cell %s", "ab12");
    assert_string_equal(e.msg, "cell ab12: checkpoint of step 10: disk full");
}

/* Whatever is put before it, the cause keeps its place at the end. */
static void long_context_keeps_the_cause(void **state)
{
    struct err e = {0};
    char context[501];
    memset(context, 'c', 500);
    context[500] = '\0';
    err_set(&e, ERR_IO, "p", "the cause");
    for (int i = 0; i < 5; i++)
        err_context(&e, "%s", context);
    size_t length = strlen(e.msg);
    assert_true(length < sizeof e.msg && length > 900);
    assert_string_equal(e.msg + length - strlen(": the cause"), ": the cause");
}

static void long_where_and_message_end_in_nul(void **state)
{
    struct err e = {0};
    char text[2001];
    memset(text, 'x', 2000);
    text[2000] = '\0';
    err_set(&e, ERR_IO, text, "%s", text);
    assert_int_equal(strlen(e.where), sizeof e.where - 1);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_int_equal(err_context(&e, "no room"), ERR_IO);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
}

static void exit_statuses(void **state)
{
    static const int expected[][2] = {{0, 0},           {ERR_USAGE, 2},       {ERR_IO, 3},
                                      {ERR_MEMORY, 3},  {ERR_FORMAT, 3},      {ERR_NUMERIC, 1},
                                      {ERR_INTERRUPTED, 1}, {ERR_EVALUATION, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(err_exit_status(expected[i][0]), expected[i][1]);
    assert_string_equal(err_system(ENOENT), "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_once),
        cmocka_unit_test(null_is_accepted),
        cmocka_unit_test(pass_hands_on),
        cmocka_unit_test(context_goes_before),
        cmocka_unit_test(long_context_keeps_the_cause),
        cmocka_unit_test(long_where_and_message_end_in_nul),
        cmocka_unit_test(exit_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

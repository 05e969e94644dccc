/* Must fail: check-runner.sh runs it to see that the runner notices.  Names that look like results
 * are there to mislead it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_skip_passes(void **state)
{
    print_message("[  FAILED  ] not a result\n");
}

static void test_ok_skips(void **state)
{
    skip();
}

static void test_ok_fails(void **state)
{
    assert_int_equal(1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_skip_passes),
                                       cmocka_unit_test(test_ok_skips),
                                       cmocka_unit_test(test_ok_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The worked example of lib/encoding/README.md compiles as it stands, is short, and meets the
 * contract.  It is built as a shared object with parts.c, all that it needs. */
#include "help_readme.h"
#include "help_rig.h"
#include "kernel/kernel.h"

static void test_worked_example(void **state)
{
    struct help_readme r;
    help_readme_open(&r, "lib/encoding/README.md", "lib/encoding/parts.c");
    assert_in_range(r.lines, 1, 59);
    const struct encoding *entry = dlsym(r.library, "encoding_root");
    assert_non_null(entry);
    assert_true(contract_check(entry, ""));
    help_readme_close(&r);
}

static int open_kernels(void **state)
{
    struct err e = {0};
    return kernel_open(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_worked_example)};
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

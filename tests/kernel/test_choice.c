/* The choice of variant: what is forced is used, what is unknown is refused. */
#define _GNU_SOURCE /* dladdr */
#include "base/system.h"
#include "kernel/help_kernel.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void test_force(void **state)
{
    struct err e = {0};
    int count = 0;
    for (const char *const *name = variants(); *name; name++, count++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        assert_string_equal(kernel_name(), *name);
    }
    assert_true(count >= 1);
    assert_int_equal(kernel_force("sse9", &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "sse9"));
    for (const char *const *name = variants(); *name; name++)
        assert_non_null(strstr(e.msg, *name));
}

static void test_environment(void **state)
{
    struct err e = {0};
    const char *const *name = variants(), *best = NULL;
    for (int k = 0; name[k]; k++)
        best = name[k];
    assert_int_equal(setenv("URPE_KERNEL", "portable", 1), 0);
    assert_int_equal(kernel_open(&e), 0);
    assert_string_equal(kernel_name(), "portable");
    assert_int_equal(setenv("URPE_KERNEL", "mmx", 1), 0);
    assert_int_equal(kernel_open(&e), ERR_USAGE);
    assert_string_equal(e.where, "URPE_KERNEL");
    assert_int_equal(unsetenv("URPE_KERNEL"), 0);
    assert_int_equal(kernel_open(&e), 0);
    assert_string_equal(kernel_name(), best);
}

static void test_names(void **state)
{
    struct err e = {0};
    char cpu[128] = "", tiny[4];
    assert_int_equal(kernel_open(&e), 0);
    system_cpu_name(cpu, sizeof cpu);
    system_cpu_name(tiny, sizeof tiny);
    assert_true(strlen(cpu) > 0 && !strchr(cpu, '\n'));
    assert_int_equal(strlen(tiny), 3);
    assert_memory_equal(tiny, cpu, 3);
    assert_true(strlen(kernel_blas_name()) > 0);
}

/* GSL brings a reference BLAS along, thirty times slower; the linker must not have chosen it. */
static void test_blas_is_the_fast_one(void **state)
{
    Dl_info info;
    void *address;
    void (*function)(void) = (void (*)(void))cblas_sgemm;
    memcpy(&address, &function, sizeof address);
    assert_int_not_equal(dladdr(address, &info), 0);
    assert_null(strstr(info.dli_fname, "gslcblas"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_force),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_blas_is_the_fast_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

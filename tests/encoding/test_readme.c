/* The worked example of lib/encoding/README.md compiles as it stands, is short, and meets the
 * contract.  It is built as a shared object with parts.c, all that it needs. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "help_rig.h"
#include "kernel/kernel.h"
#include "help_temporary.h"

/* Writes the README's only C block to `path` and returns its number of lines. */
static int extract(const char *path)
{
    struct err e = {0};
    char *text;
    size_t size;
    assert_int_equal(file_read("lib/encoding/README.md", 1 << 20, &text, &size, &e), 0);
    char *begin = strstr(text, "```c\n");
    assert_non_null(begin);
    begin += 5;
    char *end = strstr(begin, "```");
    assert_non_null(end);
    assert_null(strstr(end, "```c\n"));
    int lines = 0;
    for (const char *c = begin; c < end; c++)
        lines += *c == '\n';
    assert_int_equal(file_write(path, begin, (size_t)(end - begin), &e), 0);
    memory_free(text);
    return lines;
}

static void build(const char *folder)
{
    struct text command = {0};
    const char *compiler = getenv("CC");
    text_append_format(&command,
                       "%s -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra "
                       "-Wpedantic -Wshadow -Werror -O1 -fPIC -shared %s -Ilib $(pkg-config "
                       "--cflags gsl) -o %s/root.so %s/root.c lib/encoding/parts.c -lm",
                       compiler ? compiler : "cc", sizeof(real) == 8 ? "-DREAL_DOUBLE" : "", folder,
                       folder);
    assert_int_equal(text_check(&command, NULL), 0);
    assert_int_equal(system(command.data), 0);
    text_close(&command);
}

static void test_worked_example(void **state)
{
    (void)state;
    struct err e = {0};
    char folder[256], source[300], object[300];
    help_temporary(folder, sizeof folder, "readme-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(file_join(source, sizeof source, folder, "root.c", &e), 0);
    assert_int_equal(file_join(object, sizeof object, folder, "root.so", &e), 0);
    assert_in_range(extract(source), 1, 59);
    build(folder);
    void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    const struct encoding *entry = dlsym(library, "encoding_root");
    assert_non_null(entry);
    assert_true(contract_check(entry, ""));
    dlclose(library);
    assert_int_equal(file_remove(source, &e), 0);
    assert_int_equal(file_remove(object, &e), 0);
    assert_int_equal(rmdir(folder), 0);
}

static int open_kernels(void **state)
{
    (void)state;
    struct err e = {0};
    return kernel_open(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_worked_example)};
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

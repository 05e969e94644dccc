/* Memory that is free, from what the system's files say. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/system.h"
#include "run/help_run.h"

#define GIB ((size_t)1 << 30)

static void put(const char *root, const char *name, const char *text)
{
    char path[HELP_PATH], folder[HELP_PATH];
    snprintf(path, sizeof path, "%.500s/%s", root, name);
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(file_make_folder(folder, NULL), 0);
    assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
}

static void setup(char root[HELP_PATH])
{
    help_folder(root);
    put(root, "proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n");
}

static void without_a_group_it_is_the_systems(void **unused)
{
    char root[HELP_PATH];
    setup(root);
    assert_true(system_memory(root) == 8 * GIB);
    put(root, "sys/fs/cgroup/memory.max", "max\n");
    put(root, "sys/fs/cgroup/memory.current", "7516192768\n");
    assert_true(system_memory(root) == 8 * GIB);
    help_remove(root);
}

/* The page cache that a group has filled is given back when memory is asked for. */
static void cache_counts_as_free(void **unused)
{
    char root[HELP_PATH];
    setup(root);
    put(root, "sys/fs/cgroup/memory.max", "4294967296\n");
    put(root, "sys/fs/cgroup/memory.current", "4294967296\n");
    put(root, "sys/fs/cgroup/memory.stat",
        "anon 1073741824\nfile 3221225472\ninactive_file_x 5\ninactive_file 2147483648\n");
    assert_true(system_memory(root) == 2 * GIB);
    help_remove(root);
}

/* Nothing left is not nothing known. */
static void a_full_group_leaves_next_to_nothing(void **unused)
{
    char root[HELP_PATH];
    setup(root);
    put(root, "sys/fs/cgroup/memory.max", "1073741824\n");
    put(root, "sys/fs/cgroup/memory.current", "1073745920\n");
    assert_true(system_memory(root) == 1);
    help_remove(root);
}

static void the_older_layout_is_read_too(void **unused)
{
    char root[HELP_PATH];
    setup(root);
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "3221225472\n");
    put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "2147483648\n");
    put(root, "sys/fs/cgroup/memory/memory.stat",
        "inactive_file 0\ntotal_inactive_file 1073741824\n");
    assert_true(system_memory(root) == 2 * GIB);
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    assert_true(system_memory(root) == 8 * GIB);
    help_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_group_it_is_the_systems),
        cmocka_unit_test(cache_counts_as_free),
        cmocka_unit_test(a_full_group_leaves_next_to_nothing),
        cmocka_unit_test(the_older_layout_is_read_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

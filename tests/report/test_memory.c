/* Memory that runs out at the first request, the second, and so on until a folder's tables are
 * rebuilt, or its figures said: each time an error that says so, nothing leaked, and every table either as it was before
 * or as it is to be.  Only in builds with MEMORY_DEBUG, whose allocator can be made to fail; what
 * libyaml allocates for itself is not covered. */
#include "report/help_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#ifdef MEMORY_DEBUG
enum { TRIES_MAX = 100000, TABLES = 5 };
static const char *const table[TABLES] = {"results.csv", "summary.csv", "curves.csv",
                                          "positions.csv", "tables.csv"};
static const char spec_text_[] = "name: e\ntarget: gain\nseeds: 2\nspace: {length: 4}\n"
                                 "grid: {model.attention: [rpe, urpe]}\n";

/* Each table is the old one or the new one; returns how many are new. */
static int count_new(const char *folder, char *const *old, char *const *fresh)
{
    int count = 0;
    for (int k = 0; k < TABLES; k++) {
        char *now = help_read(folder, table[k]);
        bool is_new = !strcmp(now, fresh[k]);
        if (!is_new && strcmp(now, old[k]))
            fail_msg("%s is neither as it was nor as it is to be", table[k]);
        count += is_new;
        memory_free(now);
    }
    return count;
}

static void every_request_of_a_rebuild_may_fail(void **unused)
{
    char folder[HELP_PATH], *old[TABLES], *fresh[TABLES];
    struct spec *s = help_spec(spec_text_);
    struct err e = {0};
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    assert_int_equal(report_rebuild(folder, &e), 0);
    for (int k = 0; k < TABLES; k++) {
        fresh[k] = help_read(folder, table[k]);
        help_write(folder, table[k], "what was there\n");
        old[k] = help_read(folder, table[k]);
    }
    int code = ERR_MEMORY;
    long nth = 1, live = memory_live();
    for (; code && nth < TRIES_MAX; nth++) {
        memset(&e, 0, sizeof e);
        memory_fail_at(nth);
        code = report_rebuild(folder, &e);
        memory_fail_at(0);
        assert_int_equal(memory_live(), live);
        if (code && (code != ERR_MEMORY || !e.msg[0]))
            fail_msg("request %ld: code %d, %s: %s", nth, code, e.where, e.msg);
        int found = count_new(folder, old, fresh);
        assert_true(code || found == TABLES);
    }
    assert_int_equal(code, 0);
    assert_true(nth > 50); /* it did fail on the way */
    for (int k = 0; k < TABLES; k++) {
        memory_free(old[k]);
        memory_free(fresh[k]);
    }
    help_remove(folder);
    spec_close(s);
}

/* Scripts alone, for there is no gnuplot. */
static void every_request_of_the_figures_may_fail(void **unused)
{
    char folder[HELP_PATH], path[4096];
    struct spec *s = help_spec(spec_text_);
    struct results r;
    struct err e;
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    help_open(&r, folder);
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    assert_int_equal(setenv("PATH", folder, 1), 0);
    int code = ERR_MEMORY;
    long nth = 1, live = memory_live();
    for (; code && nth < TRIES_MAX; nth++) {
        struct figures f = {.scripts = true};
        memset(&e, 0, sizeof e);
        memory_fail_at(nth);
        code = report_figures(folder, &r, &f, &e);
        memory_fail_at(0);
        assert_int_equal(f.failed, 0); /* no figure is to blame */
        report_figures_close(&f);
        assert_int_equal(memory_live(), live);
        if (code && (code != ERR_MEMORY || !e.msg[0]))
            fail_msg("request %ld: code %d, %s: %s", nth, code, e.where, e.msg);
    }
    assert_int_equal(code, 0);
    assert_true(nth > 100);
    assert_int_equal(setenv("PATH", path, 1), 0);
    results_close(&r);
    help_remove(folder);
    spec_close(s);
}
#else
static void every_request_of_a_rebuild_may_fail(void **unused)
{
    skip();
}

static void every_request_of_the_figures_may_fail(void **unused)
{
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_request_of_a_rebuild_may_fail),
                                       cmocka_unit_test(every_request_of_the_figures_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

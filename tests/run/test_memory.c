/* Memory that runs out at the first request, the second, and so on until a cell gets through: each
 * time an error that says so, nothing leaked, and a folder in which the next try ends as it should.
 * Only in builds with MEMORY_DEBUG, whose allocator can be made to fail. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/help_run.h"

#ifdef MEMORY_DEBUG
static const char small_spec[] = "space: {length: 4, channels: 1, inputs: {identical: 0.5}}\n"
                                 "target: gain\n"
                                 "model: {layers: 1, heads: 1, width: 4, ffn: 4}\n"
                                 "train: {steps: 4, batch: 2}\n"
                                 "evaluate: {samples: 6, every: 2, lengths: [3, 4],\n"
                                 "           adversary: {starts: 2, steps: 2}}\n"
                                 "seeds: [1]\n";
enum { TRIES_MAX = 100000 };

static int execute(const struct cell *c, const char *folder, struct err *e)
{
    bool diverged;
    struct cell_run r = {.cell = c, .folder = folder, .experiment = "test", .threads = 2,
                         .checkpoint_seconds = 0};
    return cell_execute(&r, &diverged, e);
}

static void every_request_of_a_cell_may_fail(void **unused)
{
    struct spec *s = help_spec(small_spec);
    char whole[HELP_PATH], folder[HELP_PATH];
    struct err e = {0};
    help_folder(whole);
    help_folder(folder);
    assert_int_equal(execute(spec_cell(s, 0), whole, &e), 0);
    int code = ERR_MEMORY;
    long nth = 1, live = memory_live();
    for (; code && nth < TRIES_MAX; nth++) {
        memset(&e, 0, sizeof e);
        memory_fail_at(nth);
        code = execute(spec_cell(s, 0), folder, &e);
        memory_fail_at(0);
        assert_int_equal(memory_live(), live);
        if (!code)
            break;
        if (code != ERR_MEMORY)
            fail_msg("request %ld: code %d, %s: %s", nth, code, e.where, e.msg);
        assert_true(e.msg[0]);
        assert_false(cell_finished(spec_cell(s, 0), folder));
    }
    assert_int_equal(code, 0);
    assert_true(nth > 50); /* it did fail on the way */
    help_same_cell(whole, folder);
    help_remove(whole);
    help_remove(folder);
    spec_close(s);
}

static void every_request_of_a_coordinator_may_fail(void **unused)
{
    struct spec *s = help_spec(small_spec);
    struct run_counts counts;
    char whole[HELP_PATH], folder[HELP_PATH];
    help_folder(whole);
    help_folder(folder);
    struct run_options o = {.folder = whole, .jobs = 1, .threads = 1, .shards = 1,
                            .checkpoint_seconds = 1};
    assert_int_equal(run_spec(s, &o, &counts, NULL), 0);
    o.folder = folder;
    int code = ERR_MEMORY;
    long nth = 1, live = memory_live();
    for (; code && nth < TRIES_MAX; nth++) {
        struct err e = {0};
        memory_fail_at(nth);
        code = run_spec(s, &o, &counts, &e);
        memory_fail_at(0);
        assert_int_equal(memory_live(), live);
        if (code && code != ERR_MEMORY)
            fail_msg("request %ld: code %d, %s: %s", nth, code, e.where, e.msg);
    }
    assert_int_equal(code, 0);
    assert_true(nth > 10);
    help_same_results(s, whole, folder);
    help_remove(whole);
    help_remove(folder);
    spec_close(s);
}
#else
static void every_request_of_a_cell_may_fail(void **unused)
{
    skip();
}
static void every_request_of_a_coordinator_may_fail(void **unused)
{
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First the one that forks: BLAS may not have run before. */
        cmocka_unit_test(every_request_of_a_coordinator_may_fail),
        cmocka_unit_test(every_request_of_a_cell_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

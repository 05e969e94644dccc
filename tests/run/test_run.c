/* The coordinator with real worker processes: the same bytes for any number of workers and shards,
 * nothing trained twice, and what happens when memory, disk or rights are missing.
 *
 * This process only forks: BLAS is called by workers alone, as in the program. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "run/help_process.h"
#include "run/plan.h"

/* ---- the same results -------------------------------------------------------------------------*/

static void jobs_change_nothing(void **unused)
{
    struct spec *s = help_spec(help_grid);
    struct run_counts counts;
    char one[HELP_PATH], many[HELP_PATH], shards[HELP_PATH];
    help_folder(one);
    help_folder(many);
    help_folder(shards);
    struct run_options o = help_options(one, 1);
    help_run(s, &o, &counts);
    assert_int_equal(counts.cells, 6);
    assert_int_equal(counts.trained, 6);
    assert_int_equal(counts.done_before + counts.failed + counts.diverged + counts.elsewhere, 0);

    o = help_options(many, 3);
    o.threads = 2;
    help_run(s, &o, &counts);
    assert_int_equal(counts.trained, 6);
    help_same_results(s, one, many);

    for (int k = 2; k >= 0; k--) {
        o = help_options(shards, 2);
        o.shard = k;
        o.shards = 3;
        help_run(s, &o, &counts);
        assert_int_equal(counts.cells, 2);
        assert_int_equal(counts.trained, 2);
    }
    help_same_results(s, one, shards);

    /* Finished cells are not trained again, unless that is asked for. */
    o = help_options(many, 2);
    help_run(s, &o, &counts);
    assert_int_equal(counts.done_before, 6);
    assert_int_equal(counts.trained, 0);
    o.force = true;
    help_run(s, &o, &counts);
    assert_int_equal(counts.trained, 6);
    help_same_results(s, one, many);
    help_remove(one);
    help_remove(many);
    help_remove(shards);
    spec_close(s);
}

/* ---- trouble ----------------------------------------------------------------------------------*/

/* More memory than there is: a spec error at its key, and nothing is written. */
static void too_large_a_cell_is_refused(void **unused)
{
    struct spec *s = help_spec("target: gain\nspace: {length: 64}\n"
                               "model:\n  width: 32768\n  ffn: 65536\n  layers: 64\n");
    struct run_counts counts;
    struct err e = {0};
    char root[HELP_PATH], folder[HELP_PATH];
    help_folder(root);
    snprintf(folder, sizeof folder, "%.900s/results", root);
    struct run_options o = help_options(folder, 1);
    assert_int_equal(run_spec(s, &o, &counts, &e), ERR_USAGE);
    assert_string_equal(e.where, "test:4:10");
    assert_non_null(strstr(e.msg, "GiB"));
    assert_false(file_exists(folder));
    help_remove(root);
    spec_close(s);
}

static void unwritable_folder_is_an_error(void **unused)
{
    struct spec *s = help_spec(help_grid);
    struct run_counts counts;
    struct err e = {0};
    char root[HELP_PATH], folder[HELP_PATH];
    help_folder(root);
    help_write(root, "file", "x", 1);
    snprintf(folder, sizeof folder, "%.900s/file/results", root); /* also where the user is root */
    struct run_options o = help_options(folder, 1);
    assert_int_equal(run_spec(s, &o, &counts, &e), ERR_IO);
    assert_non_null(strstr(e.where, "file"));
    help_remove(root);
    spec_close(s);
}

/* No file may grow beyond a few kilobytes: the run ends with a message and an error, and what was
 * finished before stays.  Without the limit the same folder is completed. */
static void full_disk_loses_nothing(void **unused)
{
    struct spec *s = help_spec(help_grid);
    struct run_counts counts;
    char folder[HELP_PATH], whole[HELP_PATH];
    help_folder(folder);
    help_folder(whole);
    struct run_options o = help_options(whole, 2);
    help_run(s, &o, &counts);
    o = help_options(folder, 1);
    o.shard = 1;
    o.shards = 3;
    help_run(s, &o, &counts);
    assert_int_equal(counts.trained, 2);
    struct help_outcome *out = help_outcome_open();
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {.rlim_cur = 600, .rlim_max = 600};
        setrlimit(RLIMIT_FSIZE, &limit);
        o = help_options(folder, 2);
        out->code = run_spec(s, &o, &out->counts, &out->err);
        _exit(0);
    }
    assert_true(WIFEXITED(help_wait(pid)));
    assert_int_equal(out->code, ERR_IO);
    assert_non_null(strstr(out->err.msg, "too large"));
    assert_true(help_rows_with(folder, "status", "ok") == 2 * 3);
    o = help_options(folder, 2);
    help_run(s, &o, &counts);
    assert_int_equal(counts.done_before, 2);
    help_same_results(s, whole, folder);
    help_remove(folder);
    help_remove(whole);
    help_outcome_close(out);
    spec_close(s);
}

/* ---- plans ------------------------------------------------------------------------------------*/

static void plan_shares_cores(void **unused)
{
    struct run_options o = {0};
    struct plan p = {.cores = 8, .jobs = 3};
    assert_int_equal(plan_threads(&p, &o, 0), 3);
    assert_int_equal(plan_threads(&p, &o, 1), 3);
    assert_int_equal(plan_threads(&p, &o, 2), 2);
    p.jobs = 16;
    assert_int_equal(plan_threads(&p, &o, 15), 1);
    o.threads = 5;
    assert_int_equal(plan_threads(&p, &o, 15), 5);
}

static void plan_puts_most_work_first(void **unused)
{
    struct spec *s = help_spec("target: gain\ngrid: {train.steps: [10, 30, 20]}\nseeds: 2\n");
    static const int order[] = {2, 3, 4, 5, 0, 1}; /* steps 30, 30, 20, 20, 10, 10 */
    struct run_options o = help_options("/nonexistent", 0);
    struct plan p;
    assert_int_equal(plan_open(&p, s, &o, NULL), 0);
    assert_int_equal(p.cells, 6);
    for (int k = 0; k < 6; k++)
        assert_int_equal(p.cell[k].cell, order[k]);
    plan_close(&p);
    spec_close(s);
}

/* *beside: what the plan adds to the trainer's own price. */
static struct price price_of(const char *text, double *beside)
{
    struct spec *s = help_spec(text);
    const struct task *t = &spec_cell(s, 0)->task;
    struct price price;
    struct train_price alone;
    assert_int_equal(price_task(t, &price, NULL), 0);
    assert_int_equal(trainer_api_of(t->model.precision)->price(t, &alone, NULL), 0);
    *beside = price.bytes - (double)alone.bytes;
    spec_close(s);
    return price;
}

/* The images of an orbit, the logits summed over what they merge, and the layouts of graphs. */
static void plan_prices_evaluation(void **unused)
{
    enum { N = 16, SAMPLES = 8, LABELS = 10001 };
#define ETP                                                                                        \
    "space: {length: 16}\ntarget: {kind: etp, vocab: 10000}\n"                                     \
    "model: {encoding: none, heads: 1, width: 8, attention: rpe}\n"
    double small, large;
    double alone = price_of(ETP "evaluate: {samples: 8}\n", &small).bytes_of[PRICE_SAMPLES];
    double shifts = price_of(ETP "evaluate: {samples: 8, orbit: shifts}\n", &large)
                        .bytes_of[PRICE_SAMPLES];
    assert_true(shifts >= N * alone + (double)sizeof(double) * SAMPLES * N * LABELS);
#undef ETP
#define GRAPH "space: {kind: graph, nodes: 64}\ntarget: degree\nevaluate: {samples: 1}\n"
    price_of(GRAPH "train: {batch: 1}\n", &small);
    price_of(GRAPH "train: {batch: 101}\n", &large);
    assert_true(large - small > 100 * 2.0 * sizeof(int32_t) * 64 * 64); /* relations and steps */
#undef GRAPH
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_shares_cores),
        cmocka_unit_test(plan_puts_most_work_first),
        cmocka_unit_test(plan_prices_evaluation),
        cmocka_unit_test(jobs_change_nothing),
        cmocka_unit_test(too_large_a_cell_is_refused),
        cmocka_unit_test(unwritable_folder_is_an_error),
        cmocka_unit_test(full_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

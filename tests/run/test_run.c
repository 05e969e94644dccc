/* The coordinator with real worker processes: the same bytes for any number of workers, a killed
 * worker costs its own cell, two runs share a folder, a stop leaves what can be resumed.
 *
 * This process only forks: BLAS is called by workers alone, as in the program. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/help_run.h"
#include "run/plan.h"

/* Six small cells that take a few hundredths of a second each. */
static const char grid[] = "space: {length: 6, channels: 2, inputs: {identical: 0.5}}\n"
                           "target: gain\n"
                           "model: {layers: 1, heads: 2, width: 8, ffn: 8}\n"
                           "train: {steps: 60, batch: 8, warmup: 5}\n"
                           "evaluate: {samples: 40, every: 20}\n"
                           "grid: {model.attention: [rpe, urpe], target.kind: [gain, position, mean]}\n"
                           "seeds: [1]\n";
/* Four cells that take long enough to be caught at work. */
static const char slow[] = "space: {length: 16, channels: 2}\n"
                           "target: gain\n"
                           "model: {layers: 1, heads: 2, width: 16, ffn: 16}\n"
                           "train: {steps: 500, batch: 4}\n"
                           "evaluate: {samples: 40, every: 200}\n"
                           "seeds: 4\n";

static struct run_options options(const char *folder, int jobs)
{
    return (struct run_options){.folder = folder, .jobs = jobs, .threads = 1, .shards = 1,
                                .checkpoint_seconds = 0.05};
}

static void run(const struct spec *s, const struct run_options *o, struct run_counts *counts)
{
    struct err e = {0};
    if (run_spec(s, o, counts, &e))
        fail_msg("%s: %s", e.where, e.msg);
}

static void rest(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* ---- the same results -------------------------------------------------------------------------*/

static void jobs_change_nothing(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(grid);
    struct run_counts counts;
    char one[HELP_PATH], many[HELP_PATH], shards[HELP_PATH];
    help_folder(one);
    help_folder(many);
    help_folder(shards);
    struct run_options o = options(one, 1);
    run(s, &o, &counts);
    assert_int_equal(counts.cells, 6);
    assert_int_equal(counts.trained, 6);
    assert_int_equal(counts.done_before + counts.failed + counts.diverged + counts.elsewhere, 0);

    o = options(many, 3);
    o.threads = 2;
    run(s, &o, &counts);
    assert_int_equal(counts.trained, 6);
    help_same_results(s, one, many);

    for (int k = 2; k >= 0; k--) {
        o = options(shards, 2);
        o.shard = k;
        o.shards = 3;
        run(s, &o, &counts);
        assert_int_equal(counts.cells, 2);
        assert_int_equal(counts.trained, 2);
    }
    help_same_results(s, one, shards);

    /* Finished cells are not trained again, unless that is asked for. */
    o = options(many, 2);
    run(s, &o, &counts);
    assert_int_equal(counts.done_before, 6);
    assert_int_equal(counts.trained, 0);
    o.force = true;
    run(s, &o, &counts);
    assert_int_equal(counts.trained, 6);
    help_same_results(s, one, many);
    help_remove(one);
    help_remove(many);
    help_remove(shards);
    spec_close(s);
}

/* ---- processes --------------------------------------------------------------------------------*/

/* The n-th process whose parent is `parent`; 0: there is none. */
static pid_t child_of(pid_t parent, int n)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *d; !found && (d = readdir(proc));) {
        char path[300];
        int pid, up;
        snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
        FILE *f = d->d_name[0] >= '0' && d->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!f)
            continue;
        if (fscanf(f, "%d (%*[^)]) %*c %d", &pid, &up) == 2 && up == parent && n-- == 0)
            found = pid;
        fclose(f);
    }
    closedir(proc);
    return found;
}

static pid_t wait_for_child(pid_t parent)
{
    for (int k = 0; k < 1000; k++) {
        pid_t child = child_of(parent, 0);
        if (child)
            return child;
        rest(0.01);
    }
    fail_msg("no worker came up");
    return 0;
}

static volatile int asked;
static void on_signal(int number)
{
    asked = number;
}

struct outcome { /* in memory that both processes see */
    int code;
    struct run_counts counts;
    struct err err;
    char messages[4096];
};

/* Runs the spec in a process of its own. */
static pid_t run_apart(const struct spec *s, struct run_options o, struct outcome *out)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGSEGV, SIG_DFL); /* the test framework's own handler would go on with the tests */
    signal(SIGABRT, SIG_DFL);
    o.stop = &asked;
    o.messages = fmemopen(out->messages, sizeof out->messages, "w");
    out->code = run_spec(s, &o, &out->counts, &out->err);
    if (o.messages)
        fclose(o.messages);
    _exit(0);
}

static struct outcome *outcome_open(void)
{
    struct outcome *o = mmap(NULL, sizeof *o, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                             -1, 0);
    assert_true(o != MAP_FAILED);
    o->code = 1;
    return o;
}

static void outcome_close(struct outcome *o)
{
    munmap(o, sizeof *o);
}

static int wait_for(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int rows_with(const char *folder, const char *column, const char *value)
{
    char path[HELP_PATH];
    struct csv csv;
    int count = 0;
    assert_int_equal(file_join(path, sizeof path, folder, "results.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    for (int r = 1; r < csv.rows; r++)
        count += !strcmp(csv.row[r][csv_column(&csv, column)], value);
    csv_close(&csv);
    return count;
}

/* ---- death ------------------------------------------------------------------------------------*/

static void dead_worker_costs_its_own_cell(void **unused)
{
    (void)unused;
    static const int deadly[] = {SIGKILL, SIGSEGV, SIGABRT};
    struct spec *s = help_spec(slow);
    struct run_counts counts;
    char whole[HELP_PATH];
    help_folder(whole);
    struct run_options o = options(whole, 2);
    run(s, &o, &counts);
    for (int k = 0; k < 3; k++) {
        char folder[HELP_PATH], number[32];
        struct outcome *out = outcome_open();
        help_folder(folder);
        pid_t pid = run_apart(s, options(folder, 2), out);
        assert_int_equal(kill(wait_for_child(pid), deadly[k]), 0);
        assert_true(WIFEXITED(wait_for(pid)));
        assert_int_equal(out->code, 0);
        assert_int_equal(out->counts.failed, 1);
        assert_int_equal(out->counts.trained, 3);
        snprintf(number, sizeof number, "signal %d", deadly[k]);
        if (!strstr(out->messages, number))
            fail_msg("\"%s\" does not name %s", out->messages, number);
        assert_int_equal(rows_with(folder, "status", "failed"), 1);
        assert_int_equal(rows_with(folder, "status", "ok"), 3 * 2);
        /* The next run takes the failed cell up and ends with what an undisturbed one has. */
        o = options(folder, 1);
        run(s, &o, &counts);
        assert_int_equal(counts.done_before, 3);
        assert_int_equal(counts.trained, 1);
        help_same_results(s, whole, folder);
        help_remove(folder);
        outcome_close(out);
    }
    help_remove(whole);
    spec_close(s);
}

static void fail_fast_stops_the_rest(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(slow);
    char folder[HELP_PATH];
    struct outcome *out = outcome_open();
    help_folder(folder);
    struct run_options o = options(folder, 1);
    o.fail_fast = true;
    pid_t pid = run_apart(s, o, out);
    assert_int_equal(kill(wait_for_child(pid), SIGKILL), 0);
    wait_for(pid);
    assert_int_equal(out->code, 0);
    assert_int_equal(out->counts.failed, 1);
    assert_int_equal(out->counts.trained, 0);
    help_remove(folder);
    outcome_close(out);
    spec_close(s);
}

/* SIGTERM: checkpoints are written, ERR_INTERRUPTED, and going on gives the same bytes. */
static void stop_and_resume(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(slow);
    struct run_counts counts;
    char whole[HELP_PATH], folder[HELP_PATH];
    int interrupted = 0;
    help_folder(whole);
    help_folder(folder);
    struct run_options o = options(whole, 2);
    run(s, &o, &counts);
    for (int k = 0; k < 3; k++) {
        struct outcome *out = outcome_open();
        struct run_options slow_saver = options(folder, 2);
        slow_saver.checkpoint_seconds = 1e9; /* only the stop itself makes a checkpoint */
        pid_t pid = run_apart(s, slow_saver, out);
        wait_for_child(pid);
        rest(0.05 + 0.03 * k);
        assert_int_equal(kill(pid, k % 2 ? SIGINT : SIGTERM), 0);
        assert_true(WIFEXITED(wait_for(pid)));
        assert_true(out->code == ERR_INTERRUPTED || out->code == 0);
        interrupted += out->code == ERR_INTERRUPTED;
        assert_int_equal(out->counts.failed, 0);
        outcome_close(out);
    }
    assert_true(interrupted > 0);
    o = options(folder, 2);
    run(s, &o, &counts);
    assert_int_equal(counts.done_before + counts.trained, 4);
    help_same_results(s, whole, folder);
    help_remove(whole);
    help_remove(folder);
    spec_close(s);
}

/* SIGKILL for the coordinator: its workers do not outlive it, and their locks go with them. */
static void workers_end_with_their_coordinator(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(slow);
    struct run_counts counts;
    char folder[HELP_PATH];
    struct outcome *out = outcome_open();
    help_folder(folder);
    pid_t pid = run_apart(s, options(folder, 2), out);
    pid_t worker = wait_for_child(pid);
    rest(0.05);
    assert_int_equal(kill(pid, SIGKILL), 0);
    wait_for(pid);
    for (int k = 0; k < 500 && kill(worker, 0) == 0; k++)
        rest(0.01);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/0", (int)worker);
    assert_false(file_exists(path)); /* gone, or a zombie that nobody reaps here */
    struct run_options o = options(folder, 2);
    run(s, &o, &counts);
    assert_int_equal(counts.done_before + counts.trained, 4);
    assert_int_equal(counts.failed, 0);
    help_remove(folder);
    outcome_close(out);
    spec_close(s);
}

/* ---- together ---------------------------------------------------------------------------------*/

static void two_runs_share_a_folder(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(slow);
    struct run_counts counts;
    char whole[HELP_PATH], folder[HELP_PATH];
    struct outcome *a = outcome_open(), *b = outcome_open();
    help_folder(whole);
    help_folder(folder);
    struct run_options o = options(whole, 2);
    run(s, &o, &counts);
    pid_t first = run_apart(s, options(folder, 1), a), second = run_apart(s, options(folder, 1), b);
    wait_for(first);
    wait_for(second);
    assert_int_equal(a->code, 0);
    assert_int_equal(b->code, 0);
    assert_int_equal(a->counts.trained + b->counts.trained, 4); /* each cell once */
    assert_true(a->counts.trained > 0 && b->counts.trained > 0);
    assert_int_equal(a->counts.trained + a->counts.elsewhere + a->counts.done_before, 4);
    assert_int_equal(b->counts.trained + b->counts.elsewhere + b->counts.done_before, 4);
    help_same_results(s, whole, folder);
    help_remove(whole);
    help_remove(folder);
    outcome_close(a);
    outcome_close(b);
    spec_close(s);
}

/* A run waits for a cell that another process holds, and takes it up when the holder dies. */
static void lock_dies_with_its_owner(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(grid);
    char folder[HELP_PATH], cell[HELP_PATH], path[HELP_PATH];
    int ready[2];
    help_folder(folder);
    help_cell_folder(folder, spec_cell(s, 2), cell);
    assert_int_equal(file_join(path, sizeof path, cell, "lock", NULL), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t holder = fork();
    if (holder == 0) {
        struct file_lock lock;
        bool held = false;
        if (file_try_lock(&lock, path, &held, NULL) == 0 && held && write(ready[1], "x", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct outcome *out = outcome_open();
    pid_t pid = run_apart(s, options(folder, 2), out);
    rest(1.0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* waits: five cells are done, one is held */
    assert_false(cell_finished(spec_cell(s, 2), cell));
    assert_int_equal(kill(holder, SIGKILL), 0);
    wait_for(holder);
    wait_for(pid);
    assert_int_equal(out->code, 0);
    assert_int_equal(out->counts.trained, 6);
    assert_true(cell_finished(spec_cell(s, 2), cell));
    close(ready[0]);
    close(ready[1]);
    help_remove(folder);
    outcome_close(out);
    spec_close(s);
}

/* ---- trouble ----------------------------------------------------------------------------------*/

/* More memory than there is: a spec error at its key, and nothing is written. */
static void too_large_a_cell_is_refused(void **unused)
{
    (void)unused;
    struct spec *s = help_spec("target: gain\nspace: {length: 64}\n"
                               "model:\n  width: 32768\n  ffn: 65536\n  layers: 64\n");
    struct run_counts counts;
    struct err e = {0};
    char root[HELP_PATH], folder[HELP_PATH];
    help_folder(root);
    snprintf(folder, sizeof folder, "%.900s/results", root);
    struct run_options o = options(folder, 1);
    assert_int_equal(run_spec(s, &o, &counts, &e), ERR_USAGE);
    assert_string_equal(e.where, "test:4:10");
    assert_non_null(strstr(e.msg, "GiB"));
    assert_false(file_exists(folder));
    help_remove(root);
    spec_close(s);
}

static void unwritable_folder_is_an_error(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(grid);
    struct run_counts counts;
    struct err e = {0};
    char root[HELP_PATH], folder[HELP_PATH];
    help_folder(root);
    help_write(root, "file", "x", 1);
    snprintf(folder, sizeof folder, "%.900s/file/results", root); /* also where the user is root */
    struct run_options o = options(folder, 1);
    assert_int_equal(run_spec(s, &o, &counts, &e), ERR_IO);
    assert_non_null(strstr(e.where, "file"));
    help_remove(root);
    spec_close(s);
}

/* No file may grow beyond a few kilobytes: the run ends with a message and an error, and what was
 * finished before stays.  Without the limit the same folder is completed. */
static void full_disk_loses_nothing(void **unused)
{
    (void)unused;
    struct spec *s = help_spec(grid);
    struct run_counts counts;
    char folder[HELP_PATH], whole[HELP_PATH];
    help_folder(folder);
    help_folder(whole);
    struct run_options o = options(whole, 2);
    run(s, &o, &counts);
    o = options(folder, 1);
    o.shard = 1;
    o.shards = 3;
    run(s, &o, &counts);
    assert_int_equal(counts.trained, 2);
    struct outcome *out = outcome_open();
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {.rlim_cur = 600, .rlim_max = 600};
        setrlimit(RLIMIT_FSIZE, &limit);
        o = options(folder, 2);
        out->code = run_spec(s, &o, &out->counts, &out->err);
        _exit(0);
    }
    assert_true(WIFEXITED(wait_for(pid)));
    assert_int_equal(out->code, ERR_IO);
    assert_non_null(strstr(out->err.msg, "too large"));
    assert_true(rows_with(folder, "status", "ok") == 2 * 3);
    o = options(folder, 2);
    run(s, &o, &counts);
    assert_int_equal(counts.done_before, 2);
    help_same_results(s, whole, folder);
    help_remove(folder);
    help_remove(whole);
    outcome_close(out);
    spec_close(s);
}

/* ---- plans ------------------------------------------------------------------------------------*/

static void plan_shares_cores(void **unused)
{
    (void)unused;
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
    (void)unused;
    struct spec *s = help_spec("target: gain\ngrid: {train.steps: [10, 30, 20]}\nseeds: 2\n");
    static const int order[] = {2, 3, 4, 5, 0, 1}; /* steps 30, 30, 20, 20, 10, 10 */
    struct run_options o = options("/nonexistent", 0);
    struct plan p;
    assert_int_equal(plan_open(&p, s, &o, NULL), 0);
    assert_int_equal(p.cells, 6);
    for (int k = 0; k < 6; k++)
        assert_int_equal(p.cell[k].cell->index, order[k]);
    plan_close(&p);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_shares_cores),
        cmocka_unit_test(plan_puts_most_work_first),
        cmocka_unit_test(jobs_change_nothing),
        cmocka_unit_test(dead_worker_costs_its_own_cell),
        cmocka_unit_test(fail_fast_stops_the_rest),
        cmocka_unit_test(stop_and_resume),
        cmocka_unit_test(workers_end_with_their_coordinator),
        cmocka_unit_test(two_runs_share_a_folder),
        cmocka_unit_test(lock_dies_with_its_owner),
        cmocka_unit_test(too_large_a_cell_is_refused),
        cmocka_unit_test(unwritable_folder_is_an_error),
        cmocka_unit_test(full_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Death and company: a killed worker costs its own cell, workers end with their coordinator, a stop
 * leaves what can be resumed, two runs share a folder.
 *
 * This process only forks: BLAS is called by workers alone, as in the program. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "run/help_process.h"
#include "run/worker.h"

/* ---- death ------------------------------------------------------------------------------------*/

static void dead_worker_costs_its_own_cell(void **unused)
{
    static const int deadly[] = {SIGKILL, SIGSEGV, SIGABRT};
    struct spec *s = help_spec(help_slow);
    struct run_counts counts;
    char whole[HELP_PATH];
    help_folder(whole);
    struct run_options o = help_options(whole, 2);
    help_run(s, &o, &counts);
    for (int k = 0; k < 3; k++) {
        char folder[HELP_PATH], number[32];
        struct help_outcome *out = help_outcome_open();
        help_folder(folder);
        pid_t pid = help_run_apart(s, help_options(folder, 2), out);
        assert_int_equal(kill(help_child(pid), deadly[k]), 0);
        assert_true(WIFEXITED(help_wait(pid)));
        assert_int_equal(out->code, 0);
        assert_int_equal(out->counts.failed, 1);
        assert_int_equal(out->counts.trained, 3);
        snprintf(number, sizeof number, "signal %d", deadly[k]);
        if (!strstr(out->messages, number))
            fail_msg("\"%s\" does not name %s", out->messages, number);
        assert_int_equal(help_rows_with(folder, "status", "failed"), 1);
        assert_int_equal(help_rows_with(folder, "status", "ok"), 3 * 2);
        /* The next run takes the failed cell up and ends with what an undisturbed one has. */
        o = help_options(folder, 1);
        help_run(s, &o, &counts);
        assert_int_equal(counts.done_before, 3);
        assert_int_equal(counts.trained, 1);
        help_same_results(s, whole, folder);
        help_remove(folder);
        help_outcome_close(out);
    }
    help_remove(whole);
    spec_close(s);
}

static void fail_fast_stops_the_rest(void **unused)
{
    struct spec *s = help_spec(help_slow);
    char folder[HELP_PATH];
    struct help_outcome *out = help_outcome_open();
    help_folder(folder);
    struct run_options o = help_options(folder, 1);
    o.fail_fast = true;
    pid_t pid = help_run_apart(s, o, out);
    assert_int_equal(kill(help_child(pid), SIGKILL), 0);
    help_wait(pid);
    assert_int_equal(out->code, 0);
    assert_int_equal(out->counts.failed, 1);
    assert_int_equal(out->counts.trained, 0);
    help_remove(folder);
    help_outcome_close(out);
    spec_close(s);
}

/* SIGTERM: checkpoints are written, ERR_INTERRUPTED, and going on gives the same bytes. */
static void stop_and_resume(void **unused)
{
    struct spec *s = help_spec(help_slow);
    struct run_counts counts;
    char whole[HELP_PATH], folder[HELP_PATH];
    int interrupted = 0;
    bool finished = false; /* before the stop, on a fast machine */
    help_folder(whole);
    help_folder(folder);
    struct run_options o = help_options(whole, 2);
    help_run(s, &o, &counts);
    for (int k = 0; k < 3 && !finished; k++) {
        struct help_outcome *out = help_outcome_open();
        struct run_options slow_saver = help_options(folder, 2);
        slow_saver.checkpoint_seconds = 1e9; /* only the stop itself makes a checkpoint */
        pid_t pid = help_run_apart(s, slow_saver, out);
        help_child(pid);
        help_rest(0.02 + 0.02 * k);
        assert_int_equal(kill(pid, k % 2 ? SIGINT : SIGTERM), 0);
        assert_true(WIFEXITED(help_wait(pid)));
        assert_true(out->code == ERR_INTERRUPTED || out->code == 0);
        finished = out->code == 0;
        interrupted += !finished;
        assert_int_equal(out->counts.failed, 0);
        help_outcome_close(out);
    }
    assert_true(interrupted > 0);
    o = help_options(folder, 2);
    help_run(s, &o, &counts);
    assert_int_equal(counts.done_before + counts.trained, 4);
    help_same_results(s, whole, folder);
    help_remove(whole);
    help_remove(folder);
    spec_close(s);
}

/* A worker alone is asked to stop, again and again: it writes its checkpoint all the same, and the
 * coordinator, which nobody asked, starts the cell again. */
static void signals_in_a_row_cost_nothing(void **unused)
{
    struct spec *s = help_spec(help_slow);
    char folder[HELP_PATH];
    struct help_outcome *out = help_outcome_open();
    help_folder(folder);
    pid_t pid = help_run_apart(s, help_options(folder, 1), out);
    pid_t worker = help_child(pid);
    help_rest(0.05);
    for (int k = 0; k < 2000 && kill(worker, SIGTERM) == 0; k++)
        help_rest(0.00002);
    assert_true(WIFEXITED(help_wait(pid)));
    assert_int_equal(out->code, 0);
    assert_int_equal(out->counts.failed, 0);
    assert_int_equal(out->counts.trained, 4);
    assert_string_equal(out->messages, "");
    help_remove(folder);
    help_outcome_close(out);
    spec_close(s);
}

static int checkpoints(const struct spec *s, const char *folder)
{
    int count = 0;
    for (int k = 0; k < spec_cells(s); k++) {
        char path[HELP_PATH];
        snprintf(path, sizeof path, "%.900s/cells/%s/checkpoint", folder, spec_cell(s, k)->id);
        count += file_exists(path);
    }
    return count;
}

static bool some_cell_has_begun(const struct spec *s, const char *folder)
{
    for (int k = 0; k < spec_cells(s); k++) {
        char path[HELP_PATH];
        snprintf(path, sizeof path, "%.900s/cells/%s/spec.yaml", folder, spec_cell(s, k)->id);
        if (file_exists(path))
            return true;
    }
    return false;
}

static volatile int asked;

static void ask(int number)
{
    asked = number;
}

/* The pipe breaks before the signal of a coordinator's death comes, and where none comes. */
static void broken_pipe_is_a_stop(void **unused)
{
    struct spec *s = help_spec(help_slow);
    char folder[HELP_PATH], cell[HELP_PATH];
    struct worker w = {0};
    help_folder(folder);
    help_cell_folder(folder, spec_cell(s, 0), cell);
    struct worker_task t = {.run = {.cell = spec_cell(s, 0), .folder = cell, .experiment = "test",
                                    .threads = 1, .checkpoint_seconds = 1e9, .stop = &asked}};
    signal(SIGTERM, ask);
    assert_int_equal(worker_start(&w, worker_train, &t, NULL), 0);
    close(w.child.fd);
    assert_true(WIFEXITED(help_wait(w.child.pid)));
    signal(SIGTERM, SIG_DFL);
    assert_int_equal(checkpoints(s, folder), 1);
    help_remove(folder);
    spec_close(s);
}

/* SIGKILL for the coordinator: its workers write their checkpoints and end, and their locks go with
 * them. */
static void workers_end_with_their_coordinator(void **unused)
{
    /* Long enough that no cell ends before a loaded machine gets round to the kill. */
    struct spec *s = help_spec("space: {length: 16, channels: 2}\ntarget: gain\n"
                               "model: {layers: 1, heads: 2, width: 16, ffn: 16}\n"
                               "train: {steps: 20000, batch: 4}\n"
                               "evaluate: {samples: 40, every: 5000}\nseeds: 2\n");
    struct run_counts counts;
    char folder[HELP_PATH], path[64];
    struct help_outcome *out = help_outcome_open();
    help_folder(folder);
    struct run_options o = help_options(folder, 1);
    o.checkpoint_seconds = 1e9;
    pid_t pid = help_run_apart(s, o, out);
    pid_t worker = help_child(pid);
    for (int k = 0; k < 6000 && !some_cell_has_begun(s, folder); k++)
        help_rest(0.01);
    assert_int_equal(kill(pid, SIGKILL), 0);
    help_wait(pid);
    /* Gone, or a zombie that nobody reaps here: a zombie has no files. */
    snprintf(path, sizeof path, "/proc/%d/fd/0", (int)worker);
    for (int k = 0; k < 6000 && file_exists(path); k++)
        help_rest(0.01);
    assert_false(file_exists(path));
    assert_int_equal(checkpoints(s, folder), 1);
    o = help_options(folder, 2);
    help_run(s, &o, &counts);
    assert_int_equal(counts.done_before + counts.trained, 2);
    assert_int_equal(counts.failed, 0);
    help_remove(folder);
    help_outcome_close(out);
    spec_close(s);
}

/* ---- together ---------------------------------------------------------------------------------*/

static void two_runs_share_a_folder(void **unused)
{
    struct spec *s = help_spec(help_slow);
    struct run_counts counts;
    char whole[HELP_PATH], folder[HELP_PATH];
    struct help_outcome *a = help_outcome_open(), *b = help_outcome_open();
    help_folder(whole);
    help_folder(folder);
    struct run_options o = help_options(whole, 2);
    help_run(s, &o, &counts);
    pid_t first = help_run_apart(s, help_options(folder, 1), a);
    pid_t second = help_run_apart(s, help_options(folder, 1), b);
    help_wait(first);
    help_wait(second);
    assert_int_equal(a->code, 0);
    assert_int_equal(b->code, 0);
    assert_int_equal(a->counts.trained + b->counts.trained, 4); /* each cell once */
    assert_true(a->counts.trained > 0 && b->counts.trained > 0);
    assert_int_equal(a->counts.trained + a->counts.elsewhere + a->counts.done_before, 4);
    assert_int_equal(b->counts.trained + b->counts.elsewhere + b->counts.done_before, 4);
    help_same_results(s, whole, folder);
    help_remove(whole);
    help_remove(folder);
    help_outcome_close(a);
    help_outcome_close(b);
    spec_close(s);
}

/* A run waits for a cell that another process holds, and takes it up when the holder dies. */
static void lock_dies_with_its_owner(void **unused)
{
    struct spec *s = help_spec(help_grid);
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
    struct help_outcome *out = help_outcome_open();
    pid_t pid = help_run_apart(s, help_options(folder, 2), out);
    help_rest(1.0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* waits: five cells are done, one is held */
    assert_false(cell_finished(spec_cell(s, 2), cell));
    assert_int_equal(kill(holder, SIGKILL), 0);
    help_wait(holder);
    help_wait(pid);
    assert_int_equal(out->code, 0);
    assert_int_equal(out->counts.trained, 6);
    assert_true(cell_finished(spec_cell(s, 2), cell));
    close(ready[0]);
    close(ready[1]);
    help_remove(folder);
    help_outcome_close(out);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_worker_costs_its_own_cell),
        cmocka_unit_test(fail_fast_stops_the_rest),
        cmocka_unit_test(stop_and_resume),
        cmocka_unit_test(signals_in_a_row_cost_nothing),
        cmocka_unit_test(broken_pipe_is_a_stop),
        cmocka_unit_test(workers_end_with_their_coordinator),
        cmocka_unit_test(two_runs_share_a_folder),
        cmocka_unit_test(lock_dies_with_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

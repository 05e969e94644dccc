/* A stop in the evaluation or the search after the last step leaves the checkpoint of that step. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "run/help_run.h"

struct watch {
    volatile int stop;
    int64_t first; /* step of the first report; -1: none yet */
};

static void hear_progress(void *context, const struct cell_progress *p)
{
    struct watch *w = context;
    if (w->first < 0)
        w->first = p->step;
}

/* stop: as it is from the beginning. */
static int execute(const struct cell *c, const char *folder, int stop, struct watch *w, struct err *e)
{
    bool diverged;
    *w = (struct watch){.stop = stop, .first = -1};
    *e = (struct err){0};
    struct cell_run r = {.cell = c, .folder = folder, .experiment = "test", .threads = 1,
                         .checkpoint_seconds = 1e9, .stop = &w->stop, .progress = hear_progress,
                         .context = w};
    return cell_execute(&r, &diverged, e);
}

static bool has(const char *folder, const char *name)
{
    char path[HELP_PATH];
    assert_int_equal(file_join(path, sizeof path, folder, name, NULL), 0);
    return file_exists(path);
}

static volatile int *stop_on_timer;

static void stop_now(int signal)
{
    *stop_on_timer = 2;
}

/* Of this process: on a loaded machine the cell gets fewer of them in a second, and so does the
 * timer. */
static double processor_seconds(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The same, asked to stop after so many processor seconds: it must, before its results are
 * written. */
static void execute_stopped(const struct cell *c, const char *folder, double seconds,
                            struct watch *w, struct err *e)
{
    struct sigaction action = {.sa_handler = stop_now}, before;
    long whole = (long)seconds;
    struct itimerval soon = {.it_value = {.tv_sec = whole,
                                          .tv_usec = (long)((seconds - (double)whole) * 1e6) + 1}};
    stop_on_timer = &w->stop;
    assert_int_equal(sigaction(SIGPROF, &action, &before), 0);
    assert_int_equal(setitimer(ITIMER_PROF, &soon, NULL), 0);
    assert_int_equal(execute(c, folder, 0, w, e), ERR_INTERRUPTED);
    assert_int_equal(sigaction(SIGPROF, &before, NULL), 0);
    assert_true(has(folder, "checkpoint"));
    assert_false(has(folder, "row.csv"));
}

/* The evaluation takes far longer than the training: it ends at the next wave of samples, and the
 * cell goes on from the checkpoint of its last step. */
static void stopped_evaluation_keeps_training(void **unused)
{
    struct watch w;
    struct err e;
    char whole[HELP_PATH], folder[HELP_PATH];
    struct spec *s = help_spec("space: {length: 4, channels: 1}\n"
                               "target: gain\n"
                               "model: {layers: 2, heads: 2, width: 32, ffn: 64}\n"
                               "train: {steps: 2, batch: 2}\n"
                               "evaluate: {samples: 40, lengths: [1024]}\n"
                               "seeds: [1]\n");
    help_folder(whole);
    help_folder(folder);
    double began = processor_seconds();
    assert_int_equal(execute(spec_cell(s, 0), whole, 0, &w, &e), 0);
    double seconds = processor_seconds() - began;
    began = processor_seconds();
    execute_stopped(spec_cell(s, 0), folder, seconds / 4, &w, &e);
    assert_true(processor_seconds() - began < seconds * 3 / 4);
    assert_non_null(strstr(e.msg, "sample"));
    assert_int_equal(execute(spec_cell(s, 0), folder, 0, &w, &e), 0);
    assert_int_equal(w.first, spec_cell(s, 0)->task.train.steps); /* no step was left */
    help_same_cell(whole, folder);
    help_remove(whole);
    help_remove(folder);
    spec_close(s);
}

/* The search would never end.  The second time no step is left: it goes on from the last, even after a
 * stop that came before anything was drawn. */
static void stopped_search_keeps_training(void **unused)
{
    struct watch w;
    struct err e;
    char folder[HELP_PATH];
    struct spec *s = help_spec("space: {length: 3, channels: 1}\n"
                               "target: gain\n"
                               "model: {layers: 1, heads: 1, width: 4, ffn: 4}\n"
                               "train: {steps: 2, batch: 2}\n"
                               "evaluate: {samples: 4,\n"
                               "           adversary: {starts: 1, steps: 1000000000}}\n");
    help_folder(folder);
    for (int k = 0; k < 2; k++) {
        execute_stopped(spec_cell(s, 0), folder, 1, &w, &e);
        assert_non_null(strstr(e.msg, "search for the worst case"));
        assert_int_equal(w.first, k == 0 ? 0 : spec_cell(s, 0)->task.train.steps);
        assert_int_equal(execute(spec_cell(s, 0), folder, 2, &w, &e), ERR_INTERRUPTED);
        assert_non_null(strstr(e.msg, "drawing"));
    }
    help_remove(folder);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_evaluation_keeps_training),
        cmocka_unit_test(stopped_search_keeps_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

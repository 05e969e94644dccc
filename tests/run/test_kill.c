/* Kills the whole process group of a run at random moments, starts it again each time, and compares
 * what is there in the end with a run that nobody disturbed, byte by byte.
 *
 * URPE_KILLS says how often (default 10).  Runs are killed early enough that a folder sees several
 * kills before it is finished; a finished folder is compared and a new one begun. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "run/help_run.h"

static const char grid[] = "space: {length: 8, channels: 2, inputs: {identical: 0.5}}\n"
                           "target: gain\n"
                           "model: {layers: 1, heads: 2, width: 16, ffn: 16}\n"
                           "train: {steps: 400, batch: 4, warmup: 20}\n"
                           "evaluate: {samples: 60, every: 37, lengths: [5, 8]}\n"
                           "grid: {model.attention: [rpe, urpe], target.kind: [gain, prefix_sum]}\n"
                           "seeds: [3]\n";

enum { KILLS = 10, KILLS_PER_FOLDER = 5 };
#define CHECKPOINT_SECONDS 0.01

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A run as the leader of its own process group. */
static pid_t start(const struct spec *s, const char *folder)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) {
        setpgid(pid, pid);
        return pid;
    }
    setpgid(0, 0);
    struct run_counts counts;
    struct err e = {0};
    struct run_options o = {.folder = folder, .jobs = 2, .threads = 1, .shards = 1,
                            .checkpoint_seconds = CHECKPOINT_SECONDS};
    int code = run_spec(s, &o, &counts, &e);
    if (code)
        fprintf(stderr, "%s: %s\n", e.where, e.msg);
    _exit(code || counts.failed ? 1 : 0);
}

/* Waits until the run has ended or `seconds` are over, then kills the group.  True: killed. */
static bool killed(pid_t pid, double seconds)
{
    double end = now() + seconds;
    int status;
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && now() < end) {
        struct timespec tick = {.tv_nsec = 500000};
        nanosleep(&tick, NULL);
    }
    if (ended == pid) {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
    }
    assert_int_equal(kill(-pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return true;
}

static int wanted_kills(void)
{
    const char *text = getenv("URPE_KILLS");
    int64_t kills = KILLS;
    if (text)
        assert_true(text_to_int64(text, &kills) && kills > 0);
    return (int)kills;
}

static void killed_runs_end_with_the_same_bytes(void **unused)
{
    struct spec *s = help_spec(grid);
    struct stream random;
    char whole[HELP_PATH], folder[HELP_PATH];
    int kills = 0, wanted = wanted_kills(), finished = 0;
    stream_open(&random, 1, "moments of death", 0);
    help_folder(whole);
    double begin = now();
    assert_false(killed(start(s, whole), 1e6));
    double alone = now() - begin;
    while (kills < wanted || !finished) {
        help_folder(folder);
        for (int here = 0;; here++) {
            double moment = 2 * alone / KILLS_PER_FOLDER * stream_uniform24(&random);
            /* Once enough have died here, the run may finish. */
            if (here >= 2 * KILLS_PER_FOLDER || kills >= wanted)
                moment = 1e6;
            if (!killed(start(s, folder), moment))
                break;
            kills++;
        }
        help_same_results(s, whole, folder);
        help_remove(folder);
        finished++;
    }
    print_message("%d kills, %d folders finished, %.2f s undisturbed\n", kills, finished, alone);
    help_remove(whole);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_runs_end_with_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

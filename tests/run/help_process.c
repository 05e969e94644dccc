#include "run/help_process.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"

const char help_grid[] =
    "space: {length: 6, channels: 2, inputs: {identical: 0.5}}\n"
    "target: gain\n"
    "model: {layers: 1, heads: 2, width: 8, ffn: 8}\n"
    "train: {steps: 60, batch: 8, warmup: 5}\n"
    "evaluate: {samples: 40, every: 20}\n"
    "grid:\n"
    "  model.attention: [rpe, urpe]\n"
    "  target.kind: [gain, position, mean]\n"
    "seeds: [1]\n";
const char help_slow[] =
    "space: {length: 16, channels: 2}\n"
    "target: gain\n"
    "model: {layers: 1, heads: 2, width: 16, ffn: 16}\n"
    "train: {steps: 1500, batch: 4}\n"
    "evaluate: {samples: 40, every: 500}\n"
    "seeds: 4\n";

struct run_options help_options(const char *folder, int jobs)
{
    return (struct run_options){.folder = folder, .jobs = jobs, .threads = 1, .shards = 1,
                                .checkpoint_seconds = 0.05};
}

void help_run(const struct spec *s, const struct run_options *o, struct run_counts *counts)
{
    struct err e = {0};
    if (run_spec(s, o, counts, &e))
        fail_msg("%s: %s", e.where, e.msg);
}

void help_rest(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

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

pid_t help_child(pid_t parent)
{
    for (int k = 0; k < 1000; k++) {
        pid_t child = child_of(parent, 0);
        if (child)
            return child;
        help_rest(0.01);
    }
    fail_msg("no worker came up");
    return 0;
}

static volatile int asked;
static void on_signal(int number)
{
    asked = number;
}

pid_t help_run_apart(const struct spec *s, struct run_options o, struct help_outcome *out)
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

struct help_outcome *help_outcome_open(void)
{
    struct help_outcome *o =
        mmap(NULL, sizeof *o, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(o != MAP_FAILED);
    o->code = 1;
    return o;
}

void help_outcome_close(struct help_outcome *o)
{
    munmap(o, sizeof *o);
}

int help_wait(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

int help_rows_with(const char *folder, const char *column, const char *value)
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

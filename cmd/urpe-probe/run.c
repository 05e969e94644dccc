/* urpe-probe run: train what is unfinished, then print, judge and share the results. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "command.h"
#include "report/results.h"
#include "run/certificate.h"
#include "run/run.h"

#define CHECKPOINT_SECONDS 30.0

static int folder_of(const struct arguments *a, const struct spec *s, char folder[FILE_PATH_MAX],
                     struct err *e)
{
    char name[FILE_PATH_MAX];
    snprintf(name, sizeof name, "results/%s", spec_name(s));
    return file_real(folder, a->out ? a->out : name, e);
}

/* With --force the same command would begin again, checkpoints and all. */
static void say_interrupted(const struct arguments *a, const char *folder)
{
    text_say(stderr,
             "urpe-probe: interrupted; the same command %sgoes on from the checkpoints in %s",
             a->force ? "without --force " : "", folder);
    if (a->force)
        text_say(stderr, "urpe-probe: cells that were not begun keep the results they had");
}

/* Cells of the spec's name in the folder that are not its own: before it was edited, or with another
 * --set. */
static int others(const struct results *r, const struct spec *s)
{
    int count = 0;
    for (int k = 0; k < r->rows; k++)
        count += r->row[k].order == 0 && !row_cell_in(&r->row[k], s) &&
                 strcmp(r->row[k].field[RESULT_experiment], spec_name(s)) == 0;
    return count;
}

static void say_counts(const struct run_counts *n, const char *folder, int older)
{
    const struct {
        int count;
        const char *what;
    } more[] = {{n->elsewhere, "by another run"}, {n->diverged, "diverged"}, {n->failed, "failed"}};
    struct text line = {0};
    char resumed[32] = "";
    for (size_t k = 0; k < sizeof more / sizeof *more; k++)
        if (more[k].count)
            text_append_format(&line, ", %d %s", more[k].count, more[k].what);
    if (n->resumed)
        snprintf(resumed, sizeof resumed, " (%d resumed)", n->resumed);
    text_say(stderr, "%d cell%s: %d trained%s, %d finished before%s; results in %s", n->cells,
             n->cells == 1 ? "" : "s", n->trained, resumed, n->done_before,
             line.data ? line.data : "", folder);
    if (older)
        text_say(stderr, "%d older cell%s there too, of another version of the spec or of --set: "
                 "`report` shows all; another --out keeps them apart", older,
                 older == 1 ? " is" : "s are");
    text_say(stderr, "figures and one page about them: urpe-probe report %s", folder);
    text_close(&line);
}

static int train(const struct arguments *a, const struct spec *s, const char *folder,
                 struct run_counts *counts, struct err *e)
{
    struct run_options options = {.folder = folder,
                                  .jobs = a->jobs,
                                  .threads = a->threads,
                                  .shard = a->shard.index,
                                  .shards = a->shard.count,
                                  .force = a->force,
                                  .fail_fast = a->fail_fast,
                                  .checkpoint_seconds = CHECKPOINT_SECONDS,
                                  .progress = a->quiet || a->no_progress ? NULL : stderr,
                                  .messages = stderr,
                                  .quiet = a->quiet,
                                  .stop = terminal_signal()};
    terminal_watch_signals();
    int code = run_spec(s, &options, counts, e);
    if (code == ERR_INTERRUPTED)
        say_interrupted(a, folder);
    return code;
}

/* Cells whose rows are not to be read are no results, whatever became of them. */
static int check_rows(const struct results *r, const struct spec *s, const struct run_counts *n,
                      const char *folder, struct err *e)
{
    int there = results_finished(r, s);
    int ended = n->done_before + n->trained + n->failed + n->elsewhere;
    if (there >= ended)
        return 0;
    say_skipped(r);
    return err_set(e, ERR_FORMAT, folder, "%d cells have ended, and rows of %d can be read; what was "
                                          "skipped is named above", ended, there);
}

/* Certificates of all rows, also of cells that an earlier call has finished: they depend on the spec
 * alone. */
static int certify(const struct arguments *a, const struct spec *s, struct err *e)
{
    int code = 0;
    for (int k = 0; k < spec_cells(s) && !code; k++) {
        if (k % a->shard.count == a->shard.index)
            code = certificates_write_cell(a->certificate, s, spec_cell(s, k), e);
        if (!code && *terminal_signal())
            code = err_set(e, ERR_INTERRUPTED, NULL, "interrupted while certificates were written; "
                           "the same command writes them all");
    }
    return code;
}

/* The rows of this spec: to the terminal, to its claims, to the shared file. */
static int conclude(const struct arguments *a, const struct spec *s, const char *folder,
                    const struct run_counts *n, int *status, int *older, struct err *e)
{
    struct results r;
    struct report_screen screen = terminal_screen(a, stdout);
    int code = results_open(&r, &folder, 1, e);
    if (code)
        return code;
    *older = others(&r, s);
    code = check_rows(&r, s, n, folder, e);
    if (!code && a->csv)
        code = report_shared_add(a->csv, folder, s, a->force, e);
    if (!code && !a->quiet)
        code = report_table(stdout, s, &r, &screen, e);
    if (!code && a->shard.count == 1 && !a->no_claims)
        code = judge_claims(a, s, CLAIM_ON_RUN, &r, status, e);
    results_close(&r);
    return code;
}

/* A spec from standard input has no file's name to expect its results under. */
static void say_start(const struct arguments *a, const struct spec *s, const char *folder)
{
    say_doubts(s);
    if (strcmp(a->operand[0], "-") == 0)
        text_say(stderr, "the spec on standard input is called %s; its results go to %s",
                 spec_name(s), folder);
}

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    struct run_counts counts = {0};
    char folder[FILE_PATH_MAX];
    int status = 0, older = 0, code = spec_open(&s, a->operand[0], a->set.word, a->set.count, e);
    if (code)
        return code;
    code = folder_of(a, s, folder, e);
    if (!code)
        code = report_figures_check(s, e);
    if (!code && !a->set.count)
        code = spec_check_unused(s, e);
    if (!code && !a->set.count && !a->no_claims)
        code = spec_check_claims(s, e);
    if (!code && a->csv)
        code = report_shared_check(a->csv, e);
    if (!code && a->certificate)
        code = file_make_folder(a->certificate, e);
    if (!code && !a->quiet)
        say_start(a, s, folder);
    if (!code)
        code = train(a, s, folder, &counts, e);
    if (!code && a->certificate)
        code = certify(a, s, e);
    if (!code)
        code = conclude(a, s, folder, &counts, &status, &older, e);
    if (!code && !a->quiet)
        say_counts(&counts, folder, older);
    if (counts.failed)
        status = EXIT_FAILED;
    spec_close(s);
    return code ? code : status;
}

const struct command command_run = {
    .name = "run",
    .operands = "SPEC",
    .summary = "train every cell of a spec's grid and put errors beside their floors",
    .details = "Cells that are finished are not trained again, and interrupted ones go on from "
               "their checkpoint.  Results go to results/NAME or --out DIR; SPEC may be - for "
               "standard input.\n"
               "The exit status is 1 when a cell failed or a claim of the spec did not hold.",
    .flag = {FLAG_SET, FLAG_OUT, FLAG_CSV, FLAG_CERTIFICATE, FLAG_JOBS, FLAG_THREADS, FLAG_SHARD,
             FLAG_NO_CLAIMS, FLAG_QUIET, FLAG_NO_PROGRESS, FLAG_FORCE, FLAG_FAIL_FAST,
             FLAG_KEEP_GOING, FLAG_COLOR},
    .run = run,
};

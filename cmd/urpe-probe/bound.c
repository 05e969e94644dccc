/* urpe-probe bound: the floors of a spec's cells, without training. */
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "command.h"
#include "run/certify.h"
#include "run/evaluate.h"

/* All rows, behind a header. */
static int append_rows(const struct arguments *a, struct text *out, const struct spec *s,
                       struct certify_counts *counts, struct err *e)
{
    const struct certify_options options = {.certificate = a->certificate, .networks = a->networks, .jobs = a->jobs,
                                            .threads = a->threads, .messages = stderr,
                                            .progress = a->quiet || a->no_progress ? NULL : stderr,
                                            .stop = terminal_signal()};
    struct text *rows = memory_alloc((size_t)spec_cells(s), sizeof *rows, e);
    int code = rows ? certify_cells(s, &options, rows, counts, e) : ERR_MEMORY;
    row_append_header(out);
    for (int k = 0; k < spec_cells(s) && rows; k++) {
        if (!code)
            text_append_bytes(out, rows[k].data, rows[k].length);
        text_close(&rows[k]);
    }
    memory_free(rows);
    return code ? code : text_check(out, e);
}

static int write_rows(const char *folder, const struct results *r, struct err *e)
{
    struct text rows = {0};
    int code = results_csv(&rows, r, e);
    if (!code)
        code = file_write_text(folder, "bound.csv", &rows, e);
    text_close(&rows);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    struct results r = {0};
    struct text rows = {0};
    struct certify_counts counts = {0};
    int status = 0, code = spec_open(&s, a->operand[0], a->set.word, a->set.count, e);
    if (code)
        return code;
    terminal_watch_signals();
    if (!a->quiet)
        say_doubts(s);
    if (!a->set.count)
        code = spec_check_unused(s, e);
    if (!code && a->out)
        code = prepare_folder(a->out, "bound.csv", e);
    if (!code && a->certificate)
        code = file_make_folder(a->certificate, e);
    if (!code && a->networks)
        code = file_make_folder(a->networks, e);
    if (!code)
        code = append_rows(a, &rows, s, &counts, e);
    if (code == ERR_INTERRUPTED)
        text_say(stderr, "urpe-probe: interrupted");
    if (!code)
        code = results_parse(&r, s, rows.data, rows.length, e);
    if (code)
        goto out;
    if (a->out)
        code = write_rows(a->out, &r, e);
    if (!code && !a->quiet)
        code = print_results(a, &r, e);
    if (!code && !a->no_claims)
        code = judge_claims(a, s, CLAIM_ON_BOUND, &r, &status, e);
    if (counts.failed)
        status = EXIT_FAILED;
    if (!code)
        code = err_pass(e, &counts.memory);
    results_close(&r);
out:
    text_close(&rows);
    spec_close(s);
    return code ? code : status;
}

const struct command command_bound = {
    .name = "bound",
    .operands = "SPEC",
    .summary = "compute floors only: what no training can beat",
    .details = "The evaluation sets are those of `run`.  The verdict is `impossible` where the "
               "floor is above evaluate.tolerance, else `open`; `proof` tells the latter apart: bounded, possible (explicit "
               "weights, evaluate.witness, or random networks of the class tell all inputs apart, evaluate.networks), open.  "
               "Floors hold in exact arithmetic; what rounding adds to that, `run` measures as leak_rms and leak_sup.  "
               "With --format csv the columns are those of results.csv; --out DIR writes DIR/bound.csv.  "
               "--networks DIR writes what shows `possible`: DIR/CELL/LENGTH-SUBSET.safetensors has the samples and "
               "their groups, and LENGTH-SUBSET-K-H.safetensors the weights of the K-th random network.",
    .flag = {FLAG_SET, FLAG_OUT, FLAG_CERTIFICATE, FLAG_NETWORKS, FLAG_JOBS, FLAG_THREADS, FLAG_NO_CLAIMS,
             FLAG_FORMAT, FLAG_QUIET, FLAG_NO_PROGRESS, FLAG_COLOR},
    .run = run,
};

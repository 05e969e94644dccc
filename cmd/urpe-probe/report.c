/* urpe-probe report: merge what has finished, in one folder or many. */
#include <limits.h>
#include <stdio.h>

#include "command.h"
#include "commands.h"

enum { WHY_MAX = 512 };

static void say_skipped(const struct results *r) {
    for (int k = 0; k < r->skips; k++) fprintf(stderr, "skipped %s\n", r->skipped[k]);
}

/* Claims of each spec whose cells are all there; the others are named, not judged. */
static int judge_all(const struct arguments *a, const struct results *r, int *status,
                     struct err *e) {
    int code = 0;
    for (int k = 0; !code && k < r->specs; k++) {
        const struct spec *s = r->spec[k];
        int finished;
        code = results_finished(r, s, &finished, e);
        if (code) break;
        if (finished == spec_cells(s))
            code = judge_claims(a, s, CLAIM_ON_RUN, r, status, e);
        else
            fprintf(stderr, "%s: %d of %d cells finished, so its claims are not judged yet\n",
                    spec_name(s), finished, spec_cells(s));
    }
    return code;
}

static int draw(const char *folder, const struct results *r, bool quiet, struct err *e) {
    char why[WHY_MAX] = "";
    bool drawn;
    int code = report_figures(folder, r, &drawn, why, sizeof why, e);
    if (!code && !drawn && !quiet) fprintf(stderr, "%s\n", why);
    return code;
}

static int run(const struct arguments *a, struct err *e) {
    struct results r;
    const char *folder = a->out ? a->out : a->operand[0];
    int status = 0, code = results_open(&r, a->operand, a->operands, e);
    if (code) return code;
    if (r.rows == 0)
        code = err_set(e, ERR_FORMAT, a->operand[0], "no finished cell in it; a results folder, as "
                                                     "`run` makes them, was expected");
    if (!code) code = report_write(folder, &r, e);
    if (!code) code = draw(folder, &r, a->quiet, e);
    if (!a->quiet) say_skipped(&r);
    if (!code && !a->quiet) code = print_results(a, &r, e);
    if (!code && !a->no_claims) code = judge_all(a, &r, &status, e);
    results_close(&r);
    return code ? code : status;
}

const struct command command_report = {
    .name = "report",
    .operands = "DIR...",
    .summary = "merge finished cells into tables and figures",
    .details = "Writes results.csv, summary.csv, curves.csv, positions.csv, tables.csv and figures "
               "about the cells of all folders into the first, or into --out DIR.  Half-written "
               "and foreign files are named and skipped.  Figures need gnuplot.",
    .options = FLAG_OUT | FLAG_NO_CLAIMS | FLAG_FORMAT | FLAG_QUIET,
    .operands_min = 1,
    .operands_max = INT_MAX,
    .run = run,
};

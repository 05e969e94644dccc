/* urpe-probe report: merge what has finished, in one folder or many. */
#include <stdio.h>

#include "command.h"
#include "report/label.h"

static void say_unfinished(const struct results *r, const struct spec *s, int finished)
{
    struct text differs = {0};
    axes_append_spec(&differs, r, s);
    text_say(stderr, "%s%s%s: %d of %d cells finished, so its claims are not judged yet",
             spec_name(s), differs.length ? ", " : "", differs.length ? differs.data : "", finished,
             spec_cells(s));
    text_close(&differs);
}

/* Claims of each spec whose cells are all there; the others are named, not judged. */
static int judge_all(const struct arguments *a, const struct results *r, int *status,
                     struct err *e)
{
    int code = 0;
    for (int k = 0; !code && k < r->specs; k++) {
        const struct spec *s = r->spec[k];
        int finished = results_finished(r, s);
        if (finished == spec_cells(s))
            code = judge_claims(a, s, CLAIM_ON_RUN, r, status, e);
        else
            say_unfinished(r, s, finished);
    }
    return code;
}

/* Figures, and the page that shows them.  *failed: figures that could not be drawn. */
static int draw(const struct arguments *a, const char *folder, const struct results *r,
                int *failed, struct err *e)
{
    struct figures f = {.scripts = a->gnuplot, .png = a->png};
    int code = report_figures(folder, r, &f, e);
    if (!code && !f.drawn && !a->quiet)
        text_say(stderr, "%s", f.why);
    if (!code && f.failed)
        text_show(stderr, &f.failures);
    *failed = f.failed;
    if (!code)
        code = report_page(folder, r, &f, e);
    if (!code && !a->quiet)
        text_say(stderr, "the page: %s/report.html", folder);
    report_figures_close(&f);
    return code;
}

/* The results folders in it. */
static int append_below(struct text *out, const char *folder, struct err *e)
{
    char **names = NULL, path[FILE_PATH_MAX], cells[FILE_PATH_MAX];
    size_t count = 0;
    int code = file_list(folder, &names, &count, e);
    for (size_t k = 0; k < count && !code; k++) {
        code = file_join(path, sizeof path, folder, names[k], e);
        code = code ? code : file_join(cells, sizeof cells, path, "cells", e);
        if (!code && file_exists(cells))
            text_append_format(out, " %s", path);
    }
    file_free_names(names, count);
    return code;
}

static int refuse(const struct arguments *a, struct err *e)
{
    struct text below = {0};
    int code = 0;
    for (int k = 0; k < a->operands && !code; k++)
        code = append_below(&below, a->operand[k], e);
    code = code ? code : text_check(&below, e);
    if (!code && below.length)
        code = err_set(e, ERR_FORMAT, a->operand[0], "no finished cell in it, but in the folders below; expected "
                       "urpe-probe report%s", below.data);
    if (!code)
        code = err_set(e, ERR_FORMAT, a->operand[0], "no finished cell in it; a results folder, as "
                       "`run` makes them, was expected, results/NAME of a spec NAME say");
    text_close(&below);
    return code;
}

/* Nothing is written into a folder that holds no results. */
static int look(const struct arguments *a, struct err *e)
{
    struct results r;
    int code = results_open(&r, a->operand, a->operands, e);
    if (!code && r.rows == 0) {
        if (!a->quiet)
            say_skipped(&r);
        code = refuse(a, e);
    }
    results_close(&r);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    struct results r = {0};
    char folder[FILE_PATH_MAX];
    int status = 0, failed = 0, code = look(a, e);
    if (!code)
        code = file_real(folder, a->out ? a->out : a->operand[0], e);
    if (!code)
        code = report_merge(folder, a->operand, a->operands, &r, e);
    if (code)
        return code;
    code = draw(a, folder, &r, &failed, e);
    if (!a->quiet)
        say_skipped(&r);
    if (!code && !a->quiet)
        code = print_results(a, &r, e);
    if (!code && !a->no_claims)
        code = judge_all(a, &r, &status, e);
    results_close(&r);
    if (!code && failed)
        code = err_set(e, ERR_IO, folder, "not all figures could be drawn");
    return code ? code : status;
}

const struct command command_report = {
    .name = "report",
    .operands = "DIR...",
    .summary = "merge finished cells into tables, figures and one HTML page",
    .details = "Writes results.csv, summary.csv, curves.csv, positions.csv, tables.csv, figures and "
               "report.html about the cells of all folders into the first, or into --out DIR.  "
               "Half-written and foreign files are named and skipped.  Figures need gnuplot; "
               "which ones there are to be is in the spec (`figures:`).",
    .flag = {FLAG_OUT, FLAG_NO_CLAIMS, FLAG_FORMAT, FLAG_QUIET, FLAG_GNUPLOT, FLAG_PNG, FLAG_COLOR},
    .run = run,
};

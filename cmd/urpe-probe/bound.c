/* urpe-probe bound: the floors of a spec's cells, without training. */
#include <stdio.h>

#include "base/file.h"
#include "command.h"
#include "commands.h"
#include "run/certificate.h"
#include "run/evaluate.h"
#include "run/prove.h"

enum { ROWS_KEPT = 1 << 21 }; /* of images under an orbit: some 200 MB */

/* The rows of one cell, in the form of results.csv, and their certificates. */
static int append_cell(const struct arguments *a, struct text *out, const struct spec *s,
                       const struct cell *c, struct pool *pool, struct err *e)
{
    struct train_price price;
    struct record witness[SUBSETS_MAX];
    int code = trainer_api_of(c->task.model.precision)->price(&c->task, &price, e);
    for (int k = 0; !code && k < evaluation_count(&c->task); k++) {
        struct evaluation *ev = NULL;
        if (a->certificate)
            code = evaluation_open_number(&ev, &c->task, k, e);
        else
            code = evaluation_open_floors(&ev, &c->task, k, ROWS_KEPT, e);
        bool whole = !code && evaluation_is_whole(ev);
        if (whole)
            code = prove_class(ev, pool, terminal_signal(), witness, e);
        for (int i = 0; !code && i < evaluation_subsets(ev); i++) {
            struct record r;
            evaluation_floors(ev, i, &r);
            if (whole)
                evaluation_set_witness(&r, &witness[i]);
            r.experiment = spec_name(s);
            r.spec_hash = spec_hash(s);
            r.params = (int64_t)price.parameters;
            row_append(out, c, &r);
        }
        if (!code && a->certificate)
            code = certificates_write(a->certificate, s, c, ev, e);
        evaluation_close(ev);
    }
    return code;
}

static int append_rows(const struct arguments *a, struct text *out, const struct spec *s,
                       struct err *e)
{
    struct pool *pool = NULL;
    int code = pool_open(&pool, 1, e);
    row_append_header(out);
    for (int k = 0; !code && k < spec_cells(s); k++) {
        code = append_cell(a, out, s, spec_cell(s, k), pool, e);
        if (!code && *terminal_signal())
            code = err_set(e, ERR_INTERRUPTED, NULL, "interrupted");
    }
    pool_close(pool);
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
    if (!code)
        code = append_rows(a, &rows, s, e);
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
               "With --format csv the columns are those of results.csv; --out DIR writes DIR/bound.csv.",
    .flag = {FLAG_SET, FLAG_OUT, FLAG_CERTIFICATE, FLAG_NO_CLAIMS, FLAG_FORMAT, FLAG_QUIET,
             FLAG_COLOR},
    .run = run,
};

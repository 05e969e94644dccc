/* urpe-probe score: predictions of a model from elsewhere, judged as a cell. */
#include "run/evaluate.h"
#include "run/score.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/system.h"
#include "command.h"

/* The settings, with the name that rows are to have: the spec's. */
static int open_spec(const struct arguments *a, struct spec **out, struct err *e)
{
    char name[512];
    const char **word = memory_alloc((size_t)a->set.count + 1, sizeof *word, e);
    int count = 0;
    if (!word)
        return ERR_MEMORY;
    for (; count < a->set.count; count++)
        word[count] = a->set.word[count];
    if (a->name) {
        snprintf(name, sizeof name, "name=%s", a->name);
        word[count++] = name;
    }
    int code = spec_open(out, a->operand[0], word, count, e);
    memory_free(word);
    return code;
}

/* Whether the model can be of the class. */
static void tell(const struct arguments *a, const struct score_finding *f, int *status)
{
    FILE *out = a->quiet || a->format != LISTING_TABLE ? stderr : stdout;
    long long pairs = f->pairs, apart = f->apart;
    char length[24] = "all";
    if (f->length != LENGTH_ALL)
        snprintf(length, sizeof length, "%lld", (long long)f->length);
    if (!pairs && !a->quiet)
        text_say(out, "the class merges nothing here, so whether the model is of it was not tested");
    else if (!apart && !a->quiet)
        text_say(out, "of the class, as far as seen: %lld pairs that it merges have equal outputs "
                 "(to %.3g)", pairs, f->tolerance);
    if (!apart)
        return;
    text_say(out, "NOT of the class: of %lld pairs that it merges, %lld are told apart.  Worst at length "
             "%s: sample %d position %d and sample %d position %d (from 0), tokens %s, outputs differ by "
             "%.3g.  Look for a mask that leaks, padding that is attended to, positions that slip in, "
             "or a spec of another class", pairs, apart, length, f->sample[0], f->position[0],
             f->sample[1], f->position[1], f->tokens.data, f->difference);
    *status = EXIT_FAILED;
}

static int conclude(const struct arguments *a, const struct spec *s, const struct text *rows,
                    int *status, struct err *e)
{
    struct results r;
    int code = results_parse(&r, s, rows->data, rows->length, e);
    if (code)
        return code;
    if (a->csv)
        code = report_shared_add_rows(a->csv, &r, s, e);
    if (!code && !a->quiet)
        code = print_results(a, &r, e);
    if (!code && !a->no_claims && spec_cells(s) == 1)
        code = judge_claims(a, s, CLAIM_ON_RUN, &r, status, e);
    results_close(&r);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    struct pool *pool = NULL;
    struct text rows = {0};
    struct score_finding finding = {0};
    const struct cell *c;
    int status = 0;
    if (!a->predictions)
        return err_set(e, ERR_USAGE, NULL, "--predictions FILE is missing; usage: urpe-probe score SPEC "
                       "--predictions FILE");
    int code = open_spec(a, &s, e);
    if (!code)
        code = choose_cell(s, a->cell, &c, e);
    if (!code && a->csv)
        code = report_shared_check(a->csv, e);
    if (!code)
        code = pool_open(&pool, system_cores(), e);
    row_append_header(&rows);
    if (!code)
        code = score_cell(s, c, pool, a->predictions, &rows, &finding, e);
    if (!code)
        code = text_check(&rows, e);
    if (!code)
        code = conclude(a, s, &rows, &status, e);
    if (!code)
        tell(a, &finding, &status);
    score_finding_close(&finding);
    text_close(&rows);
    pool_close(pool);
    spec_close(s);
    return code ? code : status;
}

const struct command command_score = {
    .name = "score",
    .operands = "SPEC",
    .summary = "judge predictions of a model from elsewhere, and whether it is of the class",
    .details = "FILE holds y, [N, n, channels] or logits [N, n, labels], F32 or F64, for the inputs that "
               "`samples` writes of the training length; for other evaluated lengths y.LENGTH.  Rows "
               "(but for lookahead and beyond, which have inputs of their own) are those of results.csv, with status `scored` and the floors of the class that the "
               "spec names.  Pairs of positions that the class merges, every network of it maps to one "
               "output; where predictions differ there by more than rounding (1e-4 of the "
               "largest, of F64 1e-8) the model is not of the class: the verdict of each row is "
               "`not-of-class`, and the exit status 1.\n"
               "The spec must have one cell, or --cell choose it.",
    .flag = {FLAG_SET, FLAG_CELL, FLAG_PREDICTIONS, FLAG_NAME, FLAG_CSV, FLAG_NO_CLAIMS, FLAG_FORMAT,
             FLAG_QUIET, FLAG_COLOR},
    .run = run,
};

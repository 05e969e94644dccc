/* urpe-probe witness: explicit weights for a spec's cells, evaluated by the ordinary model code. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/system.h"
#include "command.h"
#include "run/witness_cell.h"

enum { VALUE_SIZE = 128, TABLE_DIGITS = 3, SIZE_DIGITS = 15 };

static const struct listing_column columns[] = {
    {"target", false},    {"encoding", false}, {"attention", false},  {"precision", false},
    {"status", false},    {"layers", true},    {"heads", true},       {"width", true},
    {"ffn", true},        {"error_rms", true}, {"error_sup", true},   {"error_worst", true},
    {"accuracy", true},   {"cell", false},     {"seed", true}};
enum { COLUMNS = sizeof columns / sizeof columns[0], ATTENTION = 2 };

struct work {
    const struct arguments *arguments;
    struct spec *spec;
    struct pool *pool;
    struct listing listing, table; /* all digits; what fits a terminal */
    bool seeds;                    /* there are several */
    struct text rows; /* as results.csv, for claims */
};

/* Texts of one row, and where they are kept. */
struct line {
    char text[COLUMNS][VALUE_SIZE];
    int used;
};

static void put_key(struct line *l, const struct cell *c, const char *key)
{
    char *at = l->text[l->used++];
    if (!spec_value(c, key, at, sizeof l->text[0]))
        at[0] = '\0';
}

static void put_number(struct line *l, double value, int digits)
{
    char *at = l->text[l->used++], number[TEXT_NUMBER_MAX];
    snprintf(at, sizeof l->text[0], "%s",
             isnan(value) ? "" : text_from_double(number, value, digits));
}

/* In full, or for the table: few digits, no cell, a seed where there are several. */
static int add_line(struct listing *out, bool table, bool seeds, const struct cell *c,
                    const struct witness_cell *x, struct err *e)
{
    static const char *const keys[] = {"target.kind", "model.encoding.kind", "model.attention",
                                       "model.precision"};
    struct line l = {0};
    const char *value[COLUMNS];
    const struct record *f = &x->figures[0];
    const struct model_config *m = &x->own.task.model;
    int digits = table ? TABLE_DIGITS : trainer_api_of(m->precision)->digits;
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        put_key(&l, c, keys[k]);
    if (table && m->precision == MODEL_FLOAT)
        l.text[l.used - 1][0] = '\0';
    snprintf(l.text[l.used++], sizeof l.text[0], "%s",
             !x->known ? "none" : table ? "" : "ok");
    const double number[] = {f->error_rms, f->error_sup, f->error_worst, f->accuracy};
    const int64_t size[] = {m->layers, m->heads, m->width, m->ffn};
    for (size_t k = 0; k < sizeof size / sizeof size[0]; k++)
        put_number(&l, x->known ? (double)size[k] : NAN, SIZE_DIGITS);
    for (size_t k = 0; k < sizeof number / sizeof number[0]; k++)
        put_number(&l, x->known ? number[k] : NAN, digits);
    snprintf(l.text[l.used++], sizeof l.text[0], "%s",
             table ? "" : x->known ? x->own.id : c->id);
    put_number(&l, seeds || !table ? (double)c->task.seed : NAN, SIZE_DIGITS);
    for (int k = 0; k < COLUMNS; k++)
        value[k] = l.text[k];
    return listing_add(out, value, e);
}

static int add_cell(struct work *w, const struct cell *c, struct err *e)
{
    char cells[FILE_PATH_MAX];
    struct witness_cell x;
    int code = 0;
    if (w->arguments->out)
        code = file_join(cells, sizeof cells, w->arguments->out, "cells", e);
    if (!code)
        code = witness_cell(c, w->spec, w->pool, w->arguments->out ? cells : NULL, &x, &w->rows, e);
    if (!code && !x.known && !w->arguments->quiet)
        text_say(stderr, "cell %.8s: no witness known for %s", c->id,
                 target_of(&c->task.target)->name);
    if (!code)
        code = add_line(&w->table, true, w->seeds, c, &x, e);
    return code ? code : add_line(&w->listing, false, w->seeds, c, &x, e);
}

static int add_cells(struct work *w, struct err *e)
{
    int code = 0;
    row_append_header(&w->rows);
    for (int k = 0; k < spec_cells(w->spec); k++)
        w->seeds |= spec_cell(w->spec, k)->task.seed != spec_cell(w->spec, 0)->task.seed;
    for (int k = 0; !code && k < spec_cells(w->spec); k++) {
        code = add_cell(w, spec_cell(w->spec, k), e);
        if (!code && *terminal_signal())
            code = err_set(e, ERR_INTERRUPTED, NULL, "interrupted");
    }
    return code ? code : text_check(&w->rows, e);
}

static int write_csv(const struct work *w, struct err *e)
{
    struct text text = {0};
    int code = listing_append(&text, &w->listing, LISTING_CSV, 0, e);
    if (!code)
        code = file_write_text(w->arguments->out, "witness.csv", &text, e);
    text_close(&text);
    return code;
}

static int judge(const struct work *w, int *status, struct err *e)
{
    struct results r = {0};
    int code = results_parse(&r, w->spec, w->rows.data, w->rows.length, e);
    if (!code)
        code = judge_claims(w->arguments, w->spec, CLAIM_ON_WITNESS, &r, status, e);
    results_close(&r);
    return code;
}

static int run(const struct arguments *a, struct err *e)
{
    struct work w = {.arguments = a};
    int status = 0, code = spec_open(&w.spec, a->operand[0], a->set.word, a->set.count, e);
    if (code)
        return code;
    terminal_watch_signals();
    listing_open(&w.listing, columns, COLUMNS);
    /* In a terminal what is usual is left out: a column empty in all rows takes no room. */
    struct listing_column brief[COLUMNS];
    memcpy(brief, columns, sizeof brief);
    brief[ATTENTION].name = "attn";
    listing_open(&w.table, brief, COLUMNS);
    w.table.gap = 1;
    if (a->out)
        code = prepare_folder(a->out, "witness.csv", e);
    if (!code)
        code = pool_open(&w.pool, a->threads ? a->threads : system_cores(), e);
    if (!code)
        code = add_cells(&w, e);
    if (code == ERR_INTERRUPTED)
        text_say(stderr, "urpe-probe: interrupted");
    if (!code && a->out)
        code = write_csv(&w, e);
    if (!code && !a->quiet)
        code = print_listing(a, a->format == LISTING_TABLE ? &w.table : &w.listing, e);
    if (!code && !a->no_claims)
        code = judge(&w, &status, e);
    listing_close(&w.listing);
    listing_close(&w.table);
    pool_close(w.pool);
    text_close(&w.rows);
    spec_close(w.spec);
    return code ? code : status;
}

const struct command command_witness = {
    .name = "witness",
    .operands = "SPEC",
    .summary = "build explicit weights: what is provably possible",
    .details = "For each cell, weights are written down, not trained, and evaluated on the "
               "evaluation set of `run` at the training length.  Each chooses its own layers, "
               "heads, width and ffn.  Status `none`: no witness is known, which proves nothing.\n"
               "--out DIR writes DIR/witness.csv and DIR/cells/<id>/, which `predict` accepts; <id> "
               "is the witness's own, not that of the trained cell.  "
               "model.precision: double shows the last digits; model.witness.beta makes selections "
               "inexact.",
    .flag = {FLAG_SET, FLAG_OUT, FLAG_WITNESS_THREADS, FLAG_NO_CLAIMS, FLAG_FORMAT, FLAG_QUIET,
             FLAG_COLOR},
    .run = run,
};

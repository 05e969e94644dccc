/* The tables of columns, made from the lists in column.h, and lines written from records. */
#include "spec/column.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "spec/spec.h"

enum { TIMING_DIGITS = 9, VALUE_SIZE = 1024 };

const char *const column_scope_names[] = {
    [COLUMN_ALL] = "all",
    [COLUMN_CONTINUOUS] = "continuous targets",
    [COLUMN_SEARCHED] = "continuous targets, with evaluate.adversary",
    [COLUMN_TOKENS] = "token targets",
    [COLUMN_BYTES] = "texts"};
const char *const column_over_names[] = {
    [OVER_NONE] = "",           [OVER_SAME] = "same",
    [OVER_MEAN] = "mean",       [OVER_PAIRED] = "mean, differences",
    [OVER_SHARE] = "mean, differences, sampling error", [OVER_RUNS] = "differs between runs"};

static const char *const verdict_names[] = {"impossible", "too-shallow", "by-rounding", "reached", "not-reached",
                                            "open", "not-of-class", NULL};
static const char *const proof_names[] = {"impossible", "bounded", "possible", "open", NULL};
static const char *const status_names[] = {"ok", "diverged", "failed", "scored", NULL};
static const char *const summary_intervals[] = {"t", "log", NULL};
static const char *const witness_names[] = {"known", "none", "left-out", NULL};

/* ---- made of the cell -------------------------------------------------------------------------*/
static void write_cell(struct text *out, const struct cell *c) { text_append(out, c->id); }

static void write_vocab(struct text *out, const struct cell *c)
{
    text_append_format(out, "%d", target_vocab(&c->task.target));
}

static void write_version(struct text *out, const struct cell *c)
{
    text_append(out, URPE_VERSION);
}

static void write_declared(struct text *out, const struct cell *c)
{
    const char *key, *text = model_declared(&c->task.model, &key);
    if (text)
        text_append_format(out, "%s=%s", key, text);
}

static void write_settings(struct text *out, const struct cell *c)
{
    spec_cell_settings(c, NULL, 0, out);
}

/* ---- tables -----------------------------------------------------------------------------------*/
#define ROW_NAME(record, id, of) .from = FROM_CELL, .key = of
#define ROW_SIZE(record, id, of) .from = FROM_CELL, .key = of, .number = true
#define ROW_MADE(record, id, of) .from = FROM_MADE, .key = of, .write = write_##id
#define ROW_COUNT(record, id, of) ROW_MADE(record, id, of), .number = true
#define ROW_REPORT(record, id, of) .from = FROM_REPORT
#define ROW_TEXT(record, id, of) .from = FROM_TEXT, .names = of, .offset = offsetof(record, id)
#define ROW_WHOLE(record, id, of) .from = FROM_WHOLE, .number = true, .offset = offsetof(record, id)
#define ROW_REAL(record, id, of) .from = FROM_REAL, .number = true, .offset = offsetof(record, id)
#define ROW(record, kind, id, of, rows, seeds, text) \
    {.name = #id, .help = text, .scope = COLUMN_##rows, .over = OVER_##seeds, \
     ROW_##kind(record, id, of)},
#define RESULT(...) ROW(struct record, __VA_ARGS__)
#define SUMMARY(...) ROW(struct summary_record, __VA_ARGS__)
#define CURVE(...) ROW(struct curve_record, __VA_ARGS__)
#define POSITION(...) ROW(struct position_record, __VA_ARGS__)
#define TABLE(...) ROW(struct table_record, __VA_ARGS__)
#define GROUP(kind, id, of, rows, seeds, text) SUMMARY(TEXT, id, NULL, rows, seeds, text)

const struct column column_table[] = {RESULT_COLUMNS(RESULT){.name = NULL}};
static const struct column summary_table[] = {
    SUMMARY_HEAD(SUMMARY) GROUP_COLUMNS(GROUP) SUMMARY_TAIL(SUMMARY){.name = NULL}};
static const struct column curve_table[] = {CURVE_COLUMNS(CURVE){.name = NULL}};
static const struct column position_table[] = {POSITION_COLUMNS(POSITION){.name = NULL}};
static const struct column table_table[] = {TABLE_COLUMNS(TABLE){.name = NULL}};

const struct column_file column_files[] = {
    [FILE_RESULTS] = {"results.csv", "a line per cell, evaluated length and subset of the inputs",
                      column_table, "row.csv", column_table},
    [FILE_SUMMARY] = {"summary.csv", "a line per group of cells that differ in the seed, and figure",
                      summary_table, NULL, NULL},
    [FILE_CURVES] = {"curves.csv", "a line per cell and point of its training", curve_table,
                     "curve.csv", curve_table + 1},
    [FILE_POSITIONS] = {"positions.csv", "a line per cell and position", position_table,
                        "position.csv", position_table + 1},
    [FILE_TABLES] = {"tables.csv", "a line per cell, layer, head and relation", table_table,
                     "table.csv", table_table + 1},
};

int column_index(const char *name)
{
    for (int c = 0; column_table[c].name; c++)
        if (!strcmp(column_table[c].name, name))
            return c;
    return -1;
}

const char *length_text(char out[TEXT_NUMBER_MAX], int64_t length)
{
    if (length == LENGTH_ALL)
        return "all";
    snprintf(out, TEXT_NUMBER_MAX, "%lld", (long long)length);
    return out;
}

int64_t length_of_text(const char *text)
{
    int64_t length = 0;
    if (strcmp(text, "all") == 0)
        return LENGTH_ALL;
    return text_to_int64(text, &length) ? length : 0;
}

/* ---- values -----------------------------------------------------------------------------------*/
/* Whether rows of a task have the column. */
static bool column_applies(const struct column *c, const struct task *t)
{
    struct target_form form = target_form(&t->target);
    switch (c->scope) {
    case COLUMN_CONTINUOUS: return !form.labels;
    case COLUMN_SEARCHED: return !form.labels && t->evaluate.adversary_starts > 0;
    case COLUMN_TOKENS: return form.labels;
    case COLUMN_BYTES: return target_of(&t->target)->bytes;
    default: return true;
    }
}

bool column_of_cell(const struct column *c, const struct cell *cell, struct text *out)
{
    char value[VALUE_SIZE];
    if (!column_applies(c, &cell->task))
        return true;
    if (c->from == FROM_MADE)
        c->write(out, cell);
    else if (c->from == FROM_CELL && spec_value(cell, c->key, value, sizeof value))
        text_append(out, value);
    return c->from == FROM_MADE || c->from == FROM_CELL;
}

void columns_clear(const struct column *column, void *record)
{
    for (; column->name; column++) {
        void *field = (char *)record + column->offset;
        if (column->from == FROM_TEXT)
            *(const char **)field = NULL;
        else if (column->from == FROM_WHOLE)
            *(int64_t *)field = COLUMN_EMPTY;
        else if (column->from == FROM_REAL)
            *(double *)field = NAN;
    }
}

void columns_append_header(struct text *out, const struct column *column)
{
    for (; column->name; column++)
        csv_field(out, column->name);
    csv_end_row(out);
}

static void append_value(struct text *out, const struct column *c, const void *record,
                         const struct cell *cell, int digits)
{
    char number[TEXT_NUMBER_MAX];
    const void *field = (const char *)record + c->offset;
    if (c->from == FROM_TEXT && *(const char *const *)field)
        text_append(out, *(const char *const *)field);
    else if (c->from == FROM_WHOLE && *(const int64_t *)field != COLUMN_EMPTY)
        text_append(out, length_text(number, *(const int64_t *)field));
    else if (c->from == FROM_REAL && !isnan(*(const double *)field))
        text_append(out, text_from_double(number, *(const double *)field,
                                          c->over == OVER_RUNS ? TIMING_DIGITS : digits));
    else if (cell)
        column_of_cell(c, cell, out);
}

void columns_append(struct text *out, const struct column *column, const void *record,
                    const struct cell *cell, int digits)
{
    struct text value = {0};
    for (; column->name; column++) {
        text_clear(&value);
        append_value(&value, column, record, cell, digits);
        out->failed |= value.failed;
        csv_field(out, value.data ? value.data : "");
        out->failed |= value.failed;
    }
    csv_end_row(out);
    text_close(&value);
}

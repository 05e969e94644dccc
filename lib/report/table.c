/* The table at the end of a run.
 *
 * Invariant: no line is longer than the width asked for, at least 40, and no two lines read alike.
 * What does not fit is given up step by step, as the ladder below says; where even its end is too
 * wide, each line is a block. */
#include <math.h>
#include <string.h>

#include "report/label.h"
#include "report/lines.h"
#include "report/listing.h"
#include "report/results.h"
#include "report/trace.h"
#include "report/verdict.h"

enum { AXES_MAX = 64, COLUMNS_MAX = 16 + AXES_MAX, TEXT_SIZE = 96, WIDTH_MIN = 40, INDENT = 4 };
enum { KINDS_MAX = PATTERN_MAX + 1 + SHARED_KINDS };
enum { CURVE_POINTS = 8 };
#define CURVE_SMALLEST 1e-12 /* what is below it is drawn as if it were it */

/* What is shown at a step. */
enum names { NAMES_IN_COLUMNS, NAMES_IN_ONE, NAMES_ABOVE };
static const struct step {
    enum names names; /* in a column each, in one as a label, or above the figures */
    int gap;          /* blanks between columns */
    bool constants;   /* columns that say the same in all lines; else the title names them */
    bool words; /* which inputs a verdict is about, beside it; else below the table */
    bool curves, params, intervals;
} ladder[] = {
    {NAMES_IN_COLUMNS, 2, true, true, true, true, true},
    {NAMES_IN_COLUMNS, 1, true, true, true, true, true},
    {NAMES_IN_COLUMNS, 1, false, true, true, true, true},
    {NAMES_IN_COLUMNS, 1, false, true, false, true, true},
    {NAMES_IN_COLUMNS, 1, false, true, false, false, true},
    {NAMES_IN_COLUMNS, 1, false, false, false, false, true},
    {NAMES_IN_COLUMNS, 1, false, false, false, false, false},
    {NAMES_IN_ONE, 1, true, false, false, false, false},
    {NAMES_ABOVE, 1, true, true, true, true, true},
    {NAMES_ABOVE, 1, true, false, true, true, true},
    {NAMES_ABOVE, 1, true, false, false, true, true},
    {NAMES_ABOVE, 1, true, false, false, false, true},
    {NAMES_ABOVE, 1, true, false, false, false, false},
};
enum { STEPS = sizeof ladder / sizeof *ladder };

/* Before the axes, and behind them; a floor belongs to the error before it. */
static const char *const first_columns[] = {"target", "encoding", "attn", "length"};
static const char *const last_columns[] = {"pattern", "params", "patterned", "floor",       "generic", "floor",
                                           "shared",  "floor",  "shared",    "floor",       "depth floor",
                                           "witness", "curve",  "verdict"};
enum { FIRST = sizeof first_columns / sizeof *first_columns };
enum { LAST = sizeof last_columns / sizeof *last_columns };
enum { PATTERN, PARAMS, PATTERNED, PATTERNED_FLOOR, GENERIC, GENERIC_FLOOR, SHARED, /* two for each kind */
       DEPTH_FLOOR = SHARED + 2 * SHARED_KINDS, WITNESS, CURVE, VERDICT };
_Static_assert(VERDICT + 1 == LAST, "a name for each column");

/* error_rel while the first seed trained, at equal distances from first to last step. */
struct curve {
    double value[CURVE_POINTS]; /* positive */
    bool there;
};

struct table {
    const struct spec *spec;
    const struct results *results;
    struct report_lines lines;
    const char *axis[AXES_MAX]; /* dotted keys that get a column */
    int axes;
    bool witnesses; /* some cell has asked for them */
    bool floors;    /* there is nothing else: no cell was trained */
    struct curve *curve; /* (lines.count); NULL: the screen has no signs for them */
    double low, high;    /* of all curves */
    const struct step *step;
    bool unicode;
    const char *kind[KINDS_MAX]; /* (kinds) of input that verdicts are about: [1] is the first */
    int kinds;
    struct listing_column column[COLUMNS_MAX];
    struct listing listing;
    struct text constants; /* what columns that are not shown say */
    const char *deep; /* the inputs that depth floors are about; NULL: lines differ, or have none */
    char floor_name[LAST][TEXT_SIZE];
};

/* ---- curves -----------------------------------------------------------------------------------*/
static int read_curve(struct curve *c, const struct summary_group *g, struct err *e)
{
    struct trace_file file;
    bool found;
    int code = trace_open(&file, g->row[0], "curve.csv", "step", "error_rel", NULL, &found, e);
    if (code || !found)
        return code;
    int points = file.csv.rows - 1;
    c->there = points > 1;
    for (int k = 0; k < CURVE_POINTS; k++) {
        long row = 1 + lround((double)k * (points - 1) / (CURVE_POINTS - 1));
        double value = trace_number(&file, (int)row, file.y);
        c->there &= isfinite(value) != 0;
        c->value[k] = fmax(value, CURVE_SMALLEST);
    }
    trace_close(&file);
    return 0;
}

/* Curves of the lines at the training length, which is what they are about. */
static int read_curves(struct table *t, struct err *e)
{
    int code = 0;
    t->low = INFINITY, t->high = 0;
    t->curve = memory_alloc((size_t)t->lines.count, sizeof *t->curve, e);
    if (!t->curve)
        return ERR_MEMORY;
    for (int k = 0; !code && k < t->lines.count; k++) {
        const struct summary_group *g = t->lines.line[k].all;
        struct curve *c = &t->curve[k];
        if (g && g->length == space_positions(&g->cell->task.space))
            code = read_curve(c, g, e);
        for (int m = 0; c->there && m < CURVE_POINTS; m++) {
            t->low = fmin(t->low, c->value[m]);
            t->high = fmax(t->high, c->value[m]);
        }
    }
    return code;
}

/* A block of Unicode's eighths per point, on a logarithmic scale. */
static void append_curve(struct text *out, const struct table *t, const struct curve *c)
{
    static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { LEVELS = sizeof block / sizeof *block };
    for (int k = 0; c->there && k < CURVE_POINTS; k++) {
        double share = t->high > t->low ? log(c->value[k] / t->low) / log(t->high / t->low) : 0;
        text_append(out, block[lround(share * (LEVELS - 1))]);
    }
}

/* ---- fields -----------------------------------------------------------------------------------*/
static int fill_subset(struct text *error, const struct summary_group *g, const struct table *t,
                       struct err *e)
{
    struct line_figures f;
    int code = g ? line_figures_of(g, &f, e) : 0;
    if (!g || code)
        return code;
    report_append_interval(&error[0], &f.error, t->step->intervals, t->unicode);
    append_short(&error[1], f.floor.mean);
    for (int k = 0; k < 2; k++)
        text_append(&error[k], error[k].length ? report_lines_mark(&t->lines, &f) : "");
    return 0;
}

/* What explicit weights leave, on the same samples; "none known" where that is so. */
static int fill_witness(struct text *out, const struct summary_group *g, struct err *e)
{
    struct line_figures f;
    const char *status = result_text(g->row[0], "witness");
    if (strcmp(status, "known") != 0) {
        text_append_format(out, "%s%s", status, strcmp(status, "none") == 0 ? " known" : "");
        return 0;
    }
    int code = line_figures_of(g, &f, e);
    if (!code)
        append_short(out, f.witness.mean);
    return code;
}

/* The floor of so many layers on the inputs that the verdict is about, where it is above the other. */
static int fill_depth_floor(struct text *out, const struct summary_group *g, struct err *e)
{
    struct line_figures f;
    int code = line_figures_of(g, &f, e);
    if (!code && f.depth_floor.mean > f.floor.mean)
        append_short(out, f.depth_floor.mean);
    return code;
}

/* The inputs that all depth floors are about. */
static int find_deep(struct table *t, struct err *e)
{
    int code = 0;
    bool one = true;
    for (int k = 0; k < t->lines.count && !code; k++) {
        struct text field = {0};
        const struct summary_group *g = t->lines.line[k].worst;
        const char *subset = result_text(g->row[0], "subset");
        code = fill_depth_floor(&field, g, e);
        if (field.length) {
            one = one && (!t->deep || strcmp(t->deep, subset) == 0);
            t->deep = subset;
        }
        text_close(&field);
    }
    t->deep = one ? t->deep : NULL;
    return code;
}

/* The number of a kind of input among those that verdicts are about, from 1. */
static int number_of_kind(struct table *t, const char *kind)
{
    int k = 0;
    while (k < t->kinds && strcmp(t->kind[k], kind) != 0)
        k++;
    if (k == t->kinds && k < KINDS_MAX)
        t->kind[t->kinds++] = kind;
    return k + 1;
}

/* The line's verdict, and which inputs it is about where others have another. */
static void fill_verdict(struct text *out, struct table *t, const struct report_line *line)
{
    int seeds;
    const char *kind = result_text(line->worst->row[0], "subset");
    verdict_append(out, line->worst);
    if (!out->length || line->unanimous || verdict_of_group(line->worst, &seeds)->end)
        return;
    if (t->step->words)
        text_append_format(out, " on %s", kind);
    else
        text_append_format(out, " [%d]", number_of_kind(t, kind));
}

/* What the line is about. */
static void fill_names(struct text *field, const struct table *t, const struct summary_group *g)
{
    static const char *const key[] = {"target", "model.encoding", "model.attention"};
    char value[TEXT_SIZE], number[TEXT_NUMBER_MAX];
    for (int k = 0; k < 3 + t->axes; k++) {
        const char *axis = k < 3 ? key[k] : t->axis[k - 3];
        if (spec_value(g->cell, axis, value, sizeof value))
            text_append(&field[k < 3 ? k : FIRST + k - 3], value);
    }
    if (t->lines.lengths)
        text_append(&field[FIRST - 1], length_text(number, g->length));
}

static int fill_fields(struct text *field, struct table *t, const struct report_line *line,
                       struct err *e)
{
    const struct summary_group *g = report_line_any(line);
    struct text *last = field + FIRST + t->axes;
    if (t->step->names == NAMES_IN_COLUMNS)
        fill_names(field, t, g);
    else if (t->step->names == NAMES_IN_ONE)
        label_append_line(field, g, t->lines.lengths);
    if (!t->lines.patterned && line->patterned)
        text_append(&last[PATTERN], result_text(line->patterned->row[0], "subset"));
    if (t->step->params)
        text_append(&last[PARAMS], summary_text(g, "params"));
    if (t->curve && t->step->curves)
        append_curve(&last[CURVE], t, &t->curve[line - t->lines.line]);
    fill_verdict(&last[VERDICT], t, line);
    int code = fill_subset(&last[PATTERNED], line->patterned, t, e);
    if (!code)
        code = fill_subset(&last[GENERIC], line->generic, t, e);
    for (int k = 0; k < SHARED_KINDS && !code; k++)
        if (t->lines.shared[k])
            code = fill_subset(&last[SHARED + 2 * k], line->shared[k], t, e);
    if (!code)
        code = fill_depth_floor(&last[DEPTH_FLOOR], line->worst, e);
    return code ? code : fill_witness(&last[WITNESS], g, e);
}

static int add_line(struct table *t, const struct report_line *line, struct err *e)
{
    struct text field[COLUMNS_MAX] = {{0}};
    const char *value[COLUMNS_MAX];
    int columns = FIRST + t->axes + LAST, code = fill_fields(field, t, line, e);
    for (int k = 0; k < columns; k++) {
        if (!code)
            code = text_check(&field[k], e);
        value[k] = field[k].data;
    }
    if (!code)
        code = listing_add(&t->listing, value, e);
    for (int k = 0; k < columns; k++)
        text_close(&field[k]);
    return code;
}

/* ---- columns ----------------------------------------------------------------------------------*/
/* An axis without its section, unless another column is called so. */
static const char *axis_name(const struct table *t, int axis)
{
    const char *dot = strchr(t->axis[axis], '.'), *name = dot ? dot + 1 : t->axis[axis];
    bool taken = false;
    for (int k = 0; k < FIRST; k++)
        taken |= strcmp(name, first_columns[k]) == 0;
    for (int k = 0; k < LAST; k++)
        taken |= strcmp(name, last_columns[k]) == 0;
    for (int k = 0; k < t->axes; k++) {
        const char *other = strchr(t->axis[k], '.');
        taken |= k != axis && strcmp(name, other ? other + 1 : t->axis[k]) == 0;
    }
    return taken ? t->axis[axis] : name;
}

static void name_floor(struct table *t, int column, const char *subset)
{
    snprintf(t->floor_name[column], TEXT_SIZE, "%s %s", subset, last_columns[column]);
    t->column[FIRST + t->axes + column].name = t->floor_name[column];
}

static void name_columns(struct table *t)
{
    struct listing_column *last = t->column + FIRST + t->axes;
    const char *patterned = t->lines.patterned ? t->lines.patterned : last_columns[PATTERNED];
    for (int k = 0; k < FIRST; k++)
        t->column[k] = (struct listing_column){first_columns[k], k == FIRST - 1};
    for (int k = 0; k < t->axes; k++)
        t->column[FIRST + k] = (struct listing_column){axis_name(t, k), true};
    for (int k = 0; k < LAST; k++)
        last[k] = (struct listing_column){last_columns[k],
                                          k != PATTERN && k != CURVE && k != VERDICT};
    last[PATTERNED].name = patterned;
    bool alone = true; /* generic inputs are the last that have columns */
    for (int k = 0; k < SHARED_KINDS; k++) {
        last[SHARED + 2 * k].name = shared_table[k]->name;
        alone = alone && !t->lines.shared[k];
    }
    for (int k = PATTERNED; k < DEPTH_FLOOR && t->floors; k += 2) /* alone, a floor says whose it is */
        name_floor(t, k + 1, last[k].name);
    if (t->deep && !(alone && strcmp(t->deep, pattern_table[PATTERN_GENERIC]->name) == 0))
        name_floor(t, DEPTH_FLOOR, t->deep);
}

/* ---- fitting ----------------------------------------------------------------------------------*/
/* Names of columns that say the same in every line go to the title; a table of one line keeps all. */
static void drop_constants(struct table *t)
{
    struct listing *l = &t->listing;
    for (int c = 0; c < FIRST + t->axes + PARAMS && l->rows > 1; c++) {
        if (!*l->cell[c] || !listing_constant(l, c))
            continue;
        text_append_format(&t->constants, "%s%s %s", t->constants.length ? ", " : "",
                           l->column[c].name, l->cell[c]);
        listing_empty(l, c);
    }
}

static int build(struct table *t, const struct step *step, struct err *e)
{
    int code = 0;
    t->step = step;
    t->kinds = 0;
    listing_close(&t->listing);
    listing_open(&t->listing, t->column, FIRST + t->axes + LAST);
    t->listing.gap = step->gap;
    t->column[0].name = step->names == NAMES_IN_ONE ? "cells" : first_columns[0];
    text_clear(&t->constants);
    for (int k = 0; !code && k < t->lines.count; k++)
        code = add_line(t, &t->lines.line[k], e);
    if (!code && !step->constants)
        drop_constants(t);
    return code;
}

/* Where nothing fits, the first step: the listing makes blocks of it. */
static int fit(struct table *t, int width, struct err *e)
{
    int code = 0;
    for (int k = 0; !code && k < STEPS; k++) {
        code = build(t, &ladder[k], e);
        int room = width - (ladder[k].names == NAMES_ABOVE ? INDENT : 0);
        if (!code && listing_width(&t->listing) <= room)
            return 0;
    }
    return code ? code : build(t, &ladder[0], e);
}

/* ---- text -------------------------------------------------------------------------------------*/
static void append_title(struct text *out, const struct table *t, int width)
{
    struct text title = {0}, differs = {0};
    axes_append_spec(&differs, t->results, t->spec);
    text_append_format(&title, "%s%s%s: %s", spec_name(t->spec), differs.length ? ", " : "",
                       differs.length ? differs.data : "", t->floors ? "certified floor of " : "");
    report_lines_append_measure(&title, &t->lines);
    text_append(&title, t->floors ? "" : " beside its certified floor");
    text_append_format(&title, ", by kind of input%s",
                       t->witnesses && !t->floors ? ", and beside explicit weights" : "");
    report_append_spread(&title, &t->lines.summary, t->step->intervals && !t->floors,
                         t->unicode);
    if (t->constants.length)
        text_append_format(&title, "; in all lines %s", t->constants.data);
    title.failed |= t->constants.failed || differs.failed;
    text_close(&differs);
    append_paragraph(out, &title, width);
    text_append(out, "\n");
    text_close(&title);
}

/* The table's lines, each below what it is about. */
static int append_labelled(struct text *out, const struct table *t, int width, struct err *e)
{
    struct text rows = {0}, label = {0};
    int code = listing_append(&rows, &t->listing, LISTING_TABLE, width - INDENT, e), line = -1;
    for (const char *at = code ? "" : rows.data; *at; at += strcspn(at, "\n") + 1, line++) {
        if (line >= 0) { /* behind the header */
            text_clear(&label);
            label_append_line(&label, report_line_any(&t->lines.line[line]), t->lines.lengths);
            append_paragraph(out, &label, width);
        }
        text_append_format(out, "%*s", INDENT, "");
        text_append_bytes(out, at, strcspn(at, "\n") + 1);
    }
    text_close(&rows);
    text_close(&label);
    return code;
}

/* Kinds of input beyond the two that have columns, and what is not plain. */
static void append_legend(struct text *out, const struct table *t, int width)
{
    char low[TEXT_NUMBER_MAX], high[TEXT_NUMBER_MAX];
    struct text line = {0};
    for (int k = 0; pattern_table[k]; k++)
        if (t->lines.further[k])
            text_append_format(&line, "%s%s", line.length ? ", " : "", pattern_table[k]->name);
    if (line.length) {
        text_append_format(&line, " inputs, and all kinds together: %s",
                           t->floors ? "with --format csv" : "in results.csv");
        append_paragraph(out, &line, width);
    }
    text_clear(&line);
    for (int k = 0; k < t->kinds; k++)
        text_append_format(&line, "%s[%d] on %s inputs", k ? ", " : "", k + 1, t->kind[k]);
    if (t->kinds)
        append_paragraph(out, &line, width);
    text_clear(&line);
    if (!t->deep && listing_column_width(&t->listing, FIRST + t->axes + DEPTH_FLOOR)) {
        text_append(&line, "depth floor: on the inputs that the verdict is about");
        append_paragraph(out, &line, width);
    }
    if (listing_column_width(&t->listing, FIRST + t->axes + CURVE)) {
        text_clear(&line);
        text_append_format(&line, "curve: %s while training, first seed, logarithmic from %s to %s",
                           t->lines.shares ? "error_rel, or share of wrong answers," : "error_rel",
                           text_from_double(low, t->low, 2), text_from_double(high, t->high, 2));
        append_paragraph(out, &line, width);
    }
    text_close(&line);
}

/* By the first word. */
static const char *paint(const char *value)
{
    char name[TEXT_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(value, " "), value);
    return verdict_style(name)->colour;
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int open_table(struct table *t, const struct spec *s, const struct results *r, bool curves,
                      struct err *e)
{
    t->spec = s;
    t->results = r;
    t->floors = r->rows > 0;
    for (int k = 0; k < r->rows; k++) {
        const struct cell *c = row_cell_in(&r->row[k], s);
        t->witnesses |= c && c->task.evaluate.witness != EVALUATE_WITNESS_NEVER;
    }
    for (int k = 0; k < r->rows; k++)
        t->floors &= !*result_text(&r->row[k], "status");
    int code = report_lines_open(&t->lines, r, s, e);
    if (code)
        return code;
    const struct axes *axes = t->lines.summary.groups ? t->lines.summary.group[0].axes : NULL;
    for (int k = 0; axes && k < axes->count && t->axes < AXES_MAX; k++)
        if (!axis_is_named(axes->key[k]))
            t->axis[t->axes++] = axes->key[k];
    code = find_deep(t, e);
    if (code)
        return code;
    name_columns(t);
    return curves ? read_curves(t, e) : 0;
}

static int append_table(struct text *out, struct table *t, const struct report_screen *screen,
                        struct err *e)
{
    int width = screen->width < WIDTH_MIN ? WIDTH_MIN : screen->width, code = fit(t, width, e);
    if (code)
        return code;
    t->listing.paint = screen->colour ? paint : NULL;
    append_title(out, t, width);
    code = t->step->names == NAMES_ABOVE ? append_labelled(out, t, width, e)
                                         : listing_append(out, &t->listing, LISTING_TABLE, width, e);
    append_legend(out, t, width);
    text_append(out, "\n");
    return code ? code : text_check(out, e);
}

int report_table(FILE *out, const struct spec *s, const struct results *r,
                 const struct report_screen *screen, struct err *e)
{
    struct table t = {.unicode = screen->unicode};
    struct text text = {0};
    int code = open_table(&t, s, r, screen->unicode, e);
    if (!code)
        code = append_table(&text, &t, screen, e);
    if (!code)
        text_show(out, &text);
    text_close(&text);
    text_close(&t.constants);
    listing_close(&t.listing);
    memory_free(t.curve);
    report_lines_close(&t.lines);
    return code;
}

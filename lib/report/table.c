/* The table at the end of a run.
 *
 * Invariant: no line is longer than the width asked for, at least 40, and no two lines read alike.
 * What does not fit is given up in a fixed order: blanks, columns that are the same in all lines (the
 * title names them), curves, parameters, intervals, columns of axes; then long names get short forms,
 * explained below the table; then each line becomes two, its name and its figures, and at last a
 * block. */
#include <math.h>
#include <string.h>

#include "report/fit.h"
#include "report/lines.h"
#include "report/listing.h"
#include "report/rows.h"
#include "report/sparkline.h"

enum { AXES_MAX = 64, COLUMNS_MAX = 14 + AXES_MAX, TEXT_SIZE = 96, WIDTH_MIN = 40, INDENT = 4 };
enum { NAMED_COLUMNS = 4 }; /* target, encoding, attn, length; then the axes and the pattern */

/* How much is given up. */
enum detail {
    DETAIL_FULL,
    DETAIL_TIGHT,
    DETAIL_NO_CONSTANTS,
    DETAIL_NO_CURVES,
    DETAIL_NO_PARAMS,
    DETAIL_NO_INTERVAL,
    DETAIL_JOINED /* axes in one column, "key=value" */
};

struct plan {
    const struct spec *spec;
    struct report_lines lines;
    const char *axis[AXES_MAX]; /* dotted keys that get a column */
    int axes;
    bool witnesses; /* some cell has asked for them */
    bool floors;    /* there is nothing else: no cell was trained */
    struct sparkline *curve; /* (lines.count); NULL: the screen has no signs for them */
    double low, high;        /* of all curves */
    bool labelled;           /* names stand above the figures, not in columns */
};

/* Curves of the lines at the training length, which is what they are about. */
static int read_curves(struct plan *t, struct err *e)
{
    int code = 0;
    t->low = INFINITY, t->high = 0;
    t->curve = memory_alloc((size_t)t->lines.count, sizeof *t->curve, e);
    if (!t->curve)
        return ERR_MEMORY;
    for (int k = 0; !code && k < t->lines.count; k++) {
        const struct summary_group *g = t->lines.line[k].all;
        if (!g || g->length != space_positions(&g->cell->task.space))
            continue;
        code = sparkline_read(&t->curve[k], g, e);
        for (int m = 0; t->curve[k].there && m < SPARKLINE_POINTS; m++) {
            t->low = fmin(t->low, t->curve[k].value[m]);
            t->high = fmax(t->high, t->curve[k].value[m]);
        }
    }
    return code;
}

static int open_plan(struct plan *t, const struct spec *s, const struct results *r, bool curves,
                     struct err *e)
{
    *t = (struct plan){.spec = s};
    for (int k = 0; k < spec_cells(s); k++)
        t->witnesses |= spec_cell(s, k)->task.evaluate.witness != EVALUATE_WITNESS_NEVER;
    t->floors = r->rows > 0;
    for (int k = 0; k < r->rows; k++)
        t->floors &= !*result_text(&r->row[k], "status");
    int code = report_lines_open(&t->lines, r, s, e);
    const struct axes *axes = !code && t->lines.summary.groups ? t->lines.summary.group[0].axes : NULL;
    for (int k = 0; axes && k < axes->count && t->axes < AXES_MAX; k++)
        if (!axis_is_named(axes->key[k]))
            t->axis[t->axes++] = axes->key[k];
    return code || !curves ? code : read_curves(t, e);
}

static void close_plan(struct plan *t)
{
    memory_free(t->curve);
    report_lines_close(&t->lines);
}

/* ---- figures ----------------------------------------------------------------------------------*/
static int append_subset(struct text *error, struct text *floor, const struct summary_group *g,
                         enum detail detail, struct err *e)
{
    struct line_figures f;
    if (!g)
        return 0;
    int code = line_figures_of(g, &f, e);
    if (code)
        return code;
    append_short(error, f.error.mean);
    if (detail < DETAIL_NO_INTERVAL && !isnan(f.error.sd)) {
        text_append(error, detail < DETAIL_TIGHT ? " ±" : "±");
        append_short(error, (f.error.high - f.error.low) / 2);
    }
    append_short(floor, f.floor.mean);
    return 0;
}

/* What explicit weights leave, on the same samples; "none" where none are known. */
static int append_witness(struct text *out, const struct summary_group *g, struct err *e)
{
    struct line_figures f;
    const char *status = result_text(g->row[0], "witness");
    if (strcmp(status, "known") != 0) {
        text_append(out, status);
        return 0;
    }
    int code = line_figures_of(g, &f, e);
    if (!code)
        append_short(out, f.witness.mean);
    return code;
}

/* The verdict that all seeds share; how many did not end well, where some did not. */
static void append_verdict(struct text *out, const struct summary_group *g)
{
    int failed = 0;
    const char *status = "", *verdict = result_text(g->row[0], "verdict");
    for (int k = 0; k < g->count; k++) {
        const char *mine = result_text(g->row[k], "status");
        if (*mine && strcmp(mine, "ok") != 0) {
            failed++;
            status = mine;
        }
        if (strcmp(result_text(g->row[k], "verdict"), verdict) != 0)
            verdict = "mixed";
    }
    if (failed && g->count > 1)
        text_append_format(out, "%s %d/%d", status, failed, g->count);
    else
        text_append(out, failed ? status : verdict);
}

/* ---- lines of text ----------------------------------------------------------------------------*/
struct fields {
    struct text text[COLUMNS_MAX];
    int count;
};

static struct text *next_field(struct fields *f) { return &f->text[f->count++]; }

static void append_joined(struct text *out, const struct summary_group *g)
{
    struct text options = {0};
    line_append_options(&options, g);
    if (options.length)
        text_append(out, options.data + 1); /* behind its first blank */
    out->failed |= options.failed;
    text_close(&options);
}

/* What the line is about; empty where that stands above it. */
static void fill_names(struct fields *f, const struct plan *t, const struct summary_group *g,
                       enum detail detail)
{
    char value[TEXT_SIZE];
    if (t->labelled) {
        f->count += NAMED_COLUMNS + t->axes;
        return;
    }
    line_append_kind(next_field(f), g, "target");
    line_append_kind(next_field(f), g, "model.encoding");
    text_append(next_field(f), result_text(g->row[0], "attention"));
    struct text *length = next_field(f);
    if (t->lines.lengths)
        text_append_format(length, "%lld", (long long)g->length);
    for (int k = 0; k < t->axes; k++) {
        struct text *axis = next_field(f);
        if (detail >= DETAIL_JOINED && k == 0)
            append_joined(axis, g);
        else if (detail < DETAIL_JOINED && spec_value(g->cell, t->axis[k], value, sizeof value))
            text_append(axis, value);
    }
}

static int fill_fields(struct fields *f, const struct plan *t, const struct report_line *line,
                       enum detail detail, struct err *e)
{
    const struct summary_group *g = report_line_any(line);
    f->count = 0;
    for (int k = 0; k < COLUMNS_MAX; k++)
        text_clear(&f->text[k]);
    fill_names(f, t, g, detail);
    struct text *pattern = next_field(f), *params = next_field(f);
    if (detail < DETAIL_NO_PARAMS)
        text_append(params, summary_text(g, "params"));
    if (!t->lines.patterned && line->patterned)
        text_append(pattern, result_text(line->patterned->row[0], "subset"));
    struct text *error = next_field(f), *floor = next_field(f);
    int code = append_subset(error, floor, line->patterned, detail, e);
    error = next_field(f), floor = next_field(f);
    if (!code)
        code = append_subset(error, floor, line->generic, detail, e);
    if (!code)
        code = append_witness(next_field(f), g, e);
    struct text *curve = next_field(f);
    if (t->curve && detail < DETAIL_NO_CURVES)
        sparkline_append(curve, &t->curve[line - t->lines.line], t->low, t->high);
    append_verdict(next_field(f), g);
    return code;
}

static int add_line(struct listing *l, const struct plan *t, const struct report_line *line,
                    enum detail detail, struct err *e)
{
    struct fields f = {0};
    const char *value[COLUMNS_MAX];
    int code = fill_fields(&f, t, line, detail, e);
    for (int k = 0; k < f.count; k++) {
        if (!code)
            code = text_check(&f.text[k], e);
        value[k] = f.text[k].data;
    }
    if (!code)
        code = listing_add(l, value, e);
    for (int k = 0; k < COLUMNS_MAX; k++)
        text_close(&f.text[k]);
    return code;
}

struct columns {
    struct listing_column column[COLUMNS_MAX];
    int count;
    char patterned_floor[TEXT_SIZE];
};

static void name_column(struct columns *c, const char *name, bool number)
{
    c->column[c->count++] = (struct listing_column){name, number};
}

/* Without its section, where no other column is called so. */
static const char *axis_name(const struct plan *t, int axis)
{
    static const char *const taken[] = {"target", "encoding", "attn",  "length", "params",
                                        "pattern", "floor",   "curve", "witness", "verdict"};
    const char *dot = strchr(t->axis[axis], '.'), *name = dot ? dot + 1 : t->axis[axis];
    for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
        if (strcmp(name, taken[k]) == 0)
            return t->axis[axis];
    for (int k = 0; k < t->axes; k++) {
        const char *other = strchr(t->axis[k], '.');
        if (k != axis && strcmp(name, other ? other + 1 : t->axis[k]) == 0)
            return t->axis[axis];
    }
    return name;
}

/* The names of the columns that fill_fields fills.  A floor stands behind the error that it
 * belongs to; alone it says whose it is. */
static void name_columns(const struct plan *t, struct columns *c, enum detail detail)
{
    const char *patterned = t->lines.patterned ? t->lines.patterned : "patterned";
    snprintf(c->patterned_floor, sizeof c->patterned_floor, "%s%sfloor",
             t->floors ? patterned : "", t->floors ? " " : "");
    c->count = 0;
    name_column(c, "target", false);
    name_column(c, "encoding", false);
    name_column(c, "attn", false);
    name_column(c, "length", true);
    for (int k = 0; k < t->axes; k++) {
        bool joined = detail >= DETAIL_JOINED && k == 0;
        name_column(c, joined ? "options" : axis_name(t, k), !joined);
    }
    name_column(c, "pattern", false);
    name_column(c, "params", true);
    name_column(c, patterned, true);
    name_column(c, c->patterned_floor, true);
    name_column(c, "generic", true);
    name_column(c, t->floors ? "generic floor" : "floor", true);
    name_column(c, "witness", true);
    name_column(c, "curve", false);
    name_column(c, "verdict", false);
}

/* ---- fitting ----------------------------------------------------------------------------------*/
/* constants: what columns that are not shown say. */
static void append_title(struct text *out, const struct plan *t, const struct text *constants,
                         int width)
{
    struct text title = {0};
    int seeds = 0;
    for (int k = 0; k < t->lines.summary.groups; k++)
        if (t->lines.summary.group[k].count > seeds)
            seeds = t->lines.summary.group[k].count;
    text_append_format(&title, "%s: ", spec_name(t->spec));
    if (t->floors)
        text_append_format(&title, "certified floor of %s, by kind of input",
                           report_lines_measure(&t->lines));
    else
        text_append_format(&title, "%s beside its certified floor, by kind of input%s",
                           report_lines_measure(&t->lines),
                           t->witnesses ? ", and beside explicit weights" : "");
    if (seeds > 1)
        text_append_format(&title, "; mean of %d seeds%s", seeds,
                           t->floors ? "" : " ± 95 % t interval");
    if (constants->length)
        text_append_format(&title, "; in all lines %s", constants->data);
    if (title.data)
        append_wrapped(out, title.data, 0, width);
    out->failed |= title.failed;
    text_append(out, "\n\n");
    text_close(&title);
}

/* The colours of verdicts, and of how cells ended. */
static const char *paint(const char *value)
{
    static const struct {
        const char *start, *colour;
    } table[] = {{"reached", PAINT_GOOD},    {"impossible", PAINT_IMPOSSIBLE},
                 {"mixed", PAINT_MIXED},     {"diverged", PAINT_BAD},
                 {"failed", PAINT_BAD}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        if (strncmp(value, table[k].start, strlen(table[k].start)) == 0)
            return table[k].colour;
    return NULL;
}

/* A table as it will be shown. */
struct draft {
    struct listing listing;
    struct columns columns;
    struct text constants, legend;
    struct arena arena; /* of names of columns */
};

static void close_draft(struct draft *d)
{
    listing_close(&d->listing);
    text_close(&d->constants);
    text_close(&d->legend);
    arena_close(&d->arena);
}

static int build(struct draft *d, const struct plan *t, enum detail detail, struct err *e)
{
    int code = 0;
    listing_close(&d->listing);
    text_clear(&d->constants);
    name_columns(t, &d->columns, detail);
    listing_open(&d->listing, d->columns.column, d->columns.count);
    d->listing.gap = detail < DETAIL_TIGHT ? 2 : 1;
    for (int k = 0; !code && k < t->lines.count; k++)
        code = add_line(&d->listing, t, &t->lines.line[k], detail, e);
    if (!code && detail >= DETAIL_NO_CONSTANTS)
        fit_drop_constants(&d->listing, NAMED_COLUMNS + t->axes + 1, &d->constants);
    return code;
}

/* Two lines for each, or, where even figures alone do not fit, blocks. */
static int fit_labelled(struct draft *d, struct plan *t, int width, struct err *e)
{
    int code = 0;
    t->labelled = true;
    for (int detail = DETAIL_TIGHT; !code && detail <= DETAIL_NO_INTERVAL; detail++) {
        code = build(d, t, (enum detail)detail, e);
        if (!code && listing_width(&d->listing) <= width - INDENT)
            return 0;
    }
    t->labelled = false;
    return code ? code : build(d, t, DETAIL_FULL, e);
}

static int fit(struct draft *d, struct plan *t, int width, struct err *e)
{
    int code = 0, before = 0;
    for (int detail = DETAIL_FULL; !code && detail <= DETAIL_JOINED; detail++) {
        before = listing_width(&d->listing);
        code = build(d, t, (enum detail)detail, e);
        if (!code && listing_width(&d->listing) <= width)
            return 0;
    }
    if (!code && listing_width(&d->listing) >= before) /* axes of short values */
        code = build(d, t, DETAIL_NO_INTERVAL, e);
    if (!code)
        code = fit_abbreviate(&d->listing, d->columns.column, NAMED_COLUMNS + t->axes + 1, width,
                              &d->arena, &d->legend, e);
    if (code || listing_width(&d->listing) <= width)
        return code;
    text_clear(&d->legend);
    return fit_labelled(d, t, width, e);
}

/* The table's lines, each below what it is about. */
static int append_labelled(struct text *out, const struct draft *d, const struct plan *t,
                           int width, struct err *e)
{
    struct text rows = {0}, label = {0};
    int code = listing_append(&rows, &d->listing, LISTING_TABLE, width - INDENT, e), line = -1;
    for (const char *at = code ? "" : rows.data; *at; at += strcspn(at, "\n") + 1, line++) {
        if (line >= 0) { /* behind the header */
            text_clear(&label);
            line_append_label(&label, report_line_any(&t->lines.line[line]), t->lines.lengths);
            append_wrapped(out, label.data ? label.data : "", 0, width);
            text_append(out, "\n");
        }
        text_append_format(out, "%*s", INDENT, "");
        text_append_bytes(out, at, strcspn(at, "\n") + 1);
    }
    out->failed |= label.failed;
    text_close(&rows);
    text_close(&label);
    return code;
}

/* Kinds of input beyond the two that have columns. */
static void append_unshown(struct text *out, const struct plan *t)
{
    for (int k = 0; pattern_table[k]; k++)
        if (t->lines.further[k])
            text_append_format(out, "%s%s", out->length ? ", " : "", pattern_table[k]->name);
    if (out->length)
        text_append(out, " inputs, and all kinds together: in results.csv");
}

static bool is_mixed(const struct draft *d)
{
    int verdict = d->columns.count - 1;
    for (int k = 0; k < d->listing.rows; k++)
        if (strcmp(d->listing.cell[k * d->listing.columns + verdict], "mixed") == 0)
            return true;
    return false;
}

/* What stands for what, and what a curve is. */
static void append_legend(struct text *out, const struct draft *d, const struct plan *t,
                          int width)
{
    char low[TEXT_NUMBER_MAX], high[TEXT_NUMBER_MAX];
    struct text line = {0};
    int curve = d->columns.count - 2;
    append_unshown(&line, t);
    if (line.length) {
        append_wrapped(out, line.data, 0, width);
        text_append(out, "\n");
    }
    if (is_mixed(d))
        text_append(out, "mixed: the seeds' verdicts differ\n");
    text_clear(&line);
    if (t->curve && listing_column_width(&d->listing, curve)) {
        text_append_format(&line, "curve: error_rel while training, first seed, logarithmic from "
                                  "%s to %s",
                           text_from_double(low, t->low, 2), text_from_double(high, t->high, 2));
        append_wrapped(out, line.data ? line.data : "", 0, width);
        text_append(out, "\n");
    }
    for (const char *at = d->legend.data; at && *at; at += strcspn(at, "\n") + 1) {
        text_clear(&line);
        text_append_bytes(&line, at, strcspn(at, "\n"));
        append_wrapped(out, line.data ? line.data : "", 0, width);
        text_append(out, "\n");
    }
    out->failed |= line.failed || d->legend.failed;
    text_close(&line);
}

int report_table(FILE *out, const struct spec *s, const struct results *r,
                 const struct report_screen *screen, struct err *e)
{
    struct plan t;
    struct draft d = {0};
    struct text text = {0};
    int width = screen->width < WIDTH_MIN ? WIDTH_MIN : screen->width;
    int code = arena_open(&d.arena, 0, e);
    if (code)
        return code;
    code = open_plan(&t, s, r, screen->unicode, e);
    if (!code)
        code = fit(&d, &t, width, e);
    if (!code) {
        d.listing.paint = screen->colour ? paint : NULL;
        append_title(&text, &t, &d.constants, width);
        code = t.labelled ? append_labelled(&text, &d, &t, width, e)
                          : listing_append(&text, &d.listing, LISTING_TABLE, width, e);
        append_legend(&text, &d, &t, width);
        text_append(&text, "\n");
        if (!code)
            code = text_check(&text, e);
    }
    if (!code)
        fputs(text.data, out);
    text_close(&text);
    close_draft(&d);
    close_plan(&t);
    return code;
}

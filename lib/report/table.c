/* The table at the end of a run.
 *
 * Invariant: no line is longer than the width asked for, at least 40; what does not fit is given
 * up in a fixed order: blanks, parameters, intervals, and at last the ends of long names. */
#include <math.h>
#include <string.h>

#include "report/lines.h"
#include "report/listing.h"
#include "report/rows.h"

enum { AXES_MAX = 8, COLUMNS_MAX = 13 + AXES_MAX, TEXT_SIZE = 96, WIDTH_MIN = 40, NAME_MIN = 4 };

/* How much is given up. */
enum detail { DETAIL_FULL, DETAIL_TIGHT, DETAIL_NO_PARAMS, DETAIL_NO_INTERVAL };

struct plan {
    const struct spec *spec;
    struct report_lines lines;
    const char *axis[AXES_MAX]; /* dotted keys that get a column */
    int axes;
    bool witnesses; /* some cell has asked for them */
};

static int open_plan(struct plan *t, const struct spec *s, const struct results *r,
                     struct err *e) {
    *t = (struct plan){.spec = s};
    for (int k = 0; k < spec_axes(s) && t->axes < AXES_MAX; k++)
        if (!axis_is_named(spec_axis(s, k))) t->axis[t->axes++] = spec_axis(s, k);
    for (int k = 0; k < spec_cells(s); k++)
        t->witnesses |= spec_cell(s, k)->task.evaluate.witness;
    return report_lines_open(&t->lines, r, s, e);
}

/* ---- figures ----------------------------------------------------------------------------------*/
/* Three decimals, or one digit and an exponent for what would vanish: "0.984", "2e-5", "0". */
static void append_short(struct text *out, double value) {
    char number[TEXT_NUMBER_MAX];
    if (isnan(value)) return;
    if (fabs(value) < 1e-12) {
        text_append(out, "0");
    } else if (fabs(value) >= 1e-3 && fabs(value) < 1e4) {
        text_append_format(out, "%.3f", value);
    } else {
        snprintf(number, sizeof number, "%.0e", value);
        char *exponent = strchr(number, 'e');
        if (!exponent) {
            text_append(out, number);
            return;
        }
        char *digits = exponent + 2;
        while (*digits == '0' && digits[1]) digits++;
        *exponent = '\0';
        text_append_format(out, "%se%s%s", number, exponent[1] == '-' ? "-" : "", digits);
    }
}

static int append_subset(struct text *error, struct text *floor, const struct summary_group *g,
                         enum detail detail, struct err *e) {
    struct line_figures f;
    if (!g) return 0;
    int code = line_figures_of(g, &f, e);
    if (code) return code;
    append_short(error, f.error.mean);
    if (detail < DETAIL_NO_INTERVAL && !isnan(f.error.sd)) {
        text_append(error, detail < DETAIL_TIGHT ? " ±" : "±");
        append_short(error, (f.error.high - f.error.low) / 2);
    }
    append_short(floor, f.floor.mean);
    return 0;
}

/* What explicit weights leave, on the same samples; "none" where none are known. */
static int append_witness(struct text *out, const struct summary_group *g, struct err *e) {
    struct line_figures f;
    const struct task *t = &g->cell->task;
    if (!t->evaluate.witness || g->length != t->space.length ||
        strcmp(result_text(g->row[0], "status"), "failed") == 0)
        return 0;
    int code = line_figures_of(g, &f, e);
    if (code) return code;
    if (isnan(f.witness.mean))
        text_append(out, "none");
    else
        append_short(out, f.witness.mean);
    return 0;
}

/* The verdict that all seeds share; how many did not end well, where some did not. */
static void append_verdict(struct text *out, const struct summary_group *g) {
    int failed = 0;
    const char *status = "", *verdict = result_text(g->row[0], "verdict");
    for (int k = 0; k < g->count; k++) {
        const char *mine = result_text(g->row[k], "status");
        if (*mine && strcmp(mine, "ok") != 0) {
            failed++;
            status = mine;
        }
        if (strcmp(result_text(g->row[k], "verdict"), verdict) != 0) verdict = "mixed";
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

static int fill_fields(struct fields *f, const struct plan *t, const struct report_line *line,
                       enum detail detail, struct err *e) {
    const struct summary_group *g = report_line_any(line);
    char value[TEXT_SIZE];
    f->count = 0;
    for (int k = 0; k < COLUMNS_MAX; k++) text_clear(&f->text[k]);
    line_append_kind(next_field(f), g, "target");
    line_append_kind(next_field(f), g, "model.encoding");
    text_append(next_field(f), result_text(g->row[0], "attention"));
    struct text *length = next_field(f);
    if (t->lines.lengths) text_append_format(length, "%lld", (long long)g->length);
    for (int k = 0; k < t->axes; k++) {
        struct text *axis = next_field(f);
        if (spec_value(g->cell, t->axis[k], value, sizeof value)) text_append(axis, value);
    }
    struct text *params = next_field(f), *pattern = next_field(f);
    if (detail < DETAIL_NO_PARAMS) text_append(params, result_text(g->row[0], "params"));
    if (!t->lines.patterned && line->patterned)
        text_append(pattern, result_text(line->patterned->row[0], "subset"));
    struct text *error = next_field(f), *floor = next_field(f);
    int code = append_subset(error, floor, line->patterned, detail, e);
    error = next_field(f), floor = next_field(f);
    if (!code) code = append_subset(error, floor, line->generic, detail, e);
    if (!code) code = append_witness(next_field(f), g, e);
    append_verdict(next_field(f), g);
    return code;
}

static int add_line(struct listing *l, const struct plan *t, const struct report_line *line,
                    enum detail detail, struct err *e) {
    struct fields f = {0};
    const char *value[COLUMNS_MAX];
    int code = fill_fields(&f, t, line, detail, e);
    for (int k = 0; k < f.count; k++) {
        if (!code) code = text_check(&f.text[k], e);
        value[k] = f.text[k].data;
    }
    if (!code) code = listing_add(l, value, e);
    for (int k = 0; k < COLUMNS_MAX; k++) text_close(&f.text[k]);
    return code;
}

struct columns {
    struct listing_column column[COLUMNS_MAX];
    char name[COLUMNS_MAX][TEXT_SIZE];
    int count;
};

static void name_column(struct columns *c, const char *name, bool number) {
    snprintf(c->name[c->count], TEXT_SIZE, "%s", name);
    c->column[c->count] = (struct listing_column){c->name[c->count], number};
    c->count++;
}

/* The names of the columns that fill_fields fills. */
static void name_columns(const struct plan *t, struct columns *c) {
    c->count = 0;
    name_column(c, "target", false);
    name_column(c, "encoding", false);
    name_column(c, "attn", false);
    name_column(c, "length", true);
    for (int k = 0; k < t->axes; k++) {
        const char *dot = strchr(t->axis[k], '.');
        name_column(c, dot ? dot + 1 : t->axis[k], true);
    }
    name_column(c, "params", true);
    name_column(c, "pattern", false);
    name_column(c, t->lines.patterned ? t->lines.patterned : "patterned", true);
    name_column(c, "floor", true);
    name_column(c, "generic", true);
    name_column(c, "floor", true);
    name_column(c, "witness", true);
    name_column(c, "verdict", false);
}

/* ---- fitting ----------------------------------------------------------------------------------*/
/* Leaves `columns` columns of a text, the last one a mark. */
static void clip_text(char *s, int columns) {
    char *at = s;
    if (text_columns(s) <= columns) return;
    for (int k = 0; k < columns - 1; k++) {
        at++;
        while (((unsigned char)*at & 0xc0) == 0x80) at++;
    }
    at[0] = '~';
    at[1] = '\0';
}

/* Narrows the widest column by one, again and again, until the table fits or every column is
 * narrow. */
static void clip_columns(struct listing *l, struct columns *c, int width) {
    while (listing_width(l) > width) {
        int widest = 0, at = 0;
        for (int k = 0; k < l->columns; k++) {
            int here = listing_column_width(l, k);
            if (here > widest) widest = here, at = k;
        }
        if (widest <= NAME_MIN) return;
        clip_text(c->name[at], widest - 1);
        for (int k = 0; k < l->rows; k++) clip_text(l->cell[k * l->columns + at], widest - 1);
    }
}

static void append_title(struct text *out, const struct plan *t, int width) {
    struct text title = {0};
    int seeds = 0;
    for (int k = 0; k < t->lines.summary.groups; k++)
        if (t->lines.summary.group[k].count > seeds) seeds = t->lines.summary.group[k].count;
    text_append_format(&title, "%s: %s beside its certified floor, by kind of input%s", spec_name(t->spec),
                       t->lines.tokens ? "error" : "error_rel",
                       t->witnesses ? ", and beside explicit weights" : "");
    if (seeds > 1)
        text_append_format(&title, "; mean of %d seeds ± 95 %% t interval", seeds);
    if (title.data) append_wrapped(out, title.data, 0, width);
    out->failed |= title.failed;
    text_append(out, "\n\n");
    text_close(&title);
}

static int build(struct listing *l, struct columns *c, const struct plan *t, enum detail detail,
                 struct err *e) {
    int code = 0;
    name_columns(t, c);
    listing_open(l, c->column, c->count);
    l->gap = detail < DETAIL_TIGHT ? 2 : 1;
    for (int k = 0; !code && k < t->lines.count; k++)
        code = add_line(l, t, &t->lines.line[k], detail, e);
    return code;
}

/* The colours of verdicts, and of how cells ended. */
static const char *paint(const char *value) {
    static const struct {
        const char *start, *colour;
    } table[] = {{"reached", PAINT_GOOD},    {"impossible", PAINT_IMPOSSIBLE},
                 {"mixed", PAINT_MIXED},     {"diverged", PAINT_BAD},
                 {"failed", PAINT_BAD}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        if (strncmp(value, table[k].start, strlen(table[k].start)) == 0) return table[k].colour;
    return NULL;
}

int report_table(FILE *out, const struct spec *s, const struct results *r,
                 const struct report_screen *screen, struct err *e) {
    struct plan t;
    struct columns columns;
    struct listing l = {0};
    struct text text = {0};
    int width = screen->width < WIDTH_MIN ? WIDTH_MIN : screen->width;
    int code = open_plan(&t, s, r, e);
    for (int detail = DETAIL_FULL; !code && detail <= DETAIL_NO_INTERVAL; detail++) {
        listing_close(&l);
        code = build(&l, &columns, &t, (enum detail)detail, e);
        if (listing_width(&l) <= width) break;
    }
    if (!code) {
        clip_columns(&l, &columns, width);
        l.paint = screen->colour ? paint : NULL;
        append_title(&text, &t, width);
        code = listing_append(&text, &l, LISTING_TABLE, width, e);
        text_append(&text, "\n");
        if (!code) code = text_check(&text, e);
    }
    if (!code) fputs(text.data, out);
    text_close(&text);
    listing_close(&l);
    report_lines_close(&t.lines);
    return code;
}

/* Error against its floor: a line per group of cells, a panel per kind of input.
 *
 *     position toeplitz rpe  |##########################|o     ### out of reach (below the floor)
 *     position toeplitz urpe |      +                          o rpe   + urpe, with t intervals
 *                            1e-4     1e-2     1     error_rel
 *
 * Invariant: what lies outside the axis is drawn on its edge, never left out. */
#include <math.h>
#include <string.h>

#include "report/figure.h"
#include "report/gnuplot.h"
#include "report/listing.h"

enum { PAGE_LINES = 64, PAGES_MAX = 8 }; /* what is beyond is in summary.csv */
enum { LINE_HEIGHT = 18, FRAME_HEIGHT = 270, LABEL_MAX = 100, CHARACTER = 8 };
enum { WIDTH = 900, LABELS_USUAL = 44 }; /* the figure is wider where labels are longer */
#define SMALLEST 1e-9 /* of the axis: what lies below it is drawn on its edge */

/* Lines first .. first+count-1 of one experiment. */
struct page {
    const struct report_lines *lines;
    int first, count, total; /* of the experiment */
    const char *experiment;
    double smallest, largest; /* of the axis */
    int labels, width;        /* characters of the longest label; of the figure, in pixels */
};

typedef const struct summary_group *(*panel_pick)(const struct report_line *line);
static const struct summary_group *pick_patterned(const struct report_line *l)
{
    return l->patterned;
}
static const struct summary_group *pick_generic(const struct report_line *l)
{
    /* Without patterns all inputs are generic. */
    return l->generic ? l->generic : l->patterned ? NULL : l->all;
}
static const panel_pick panel[] = {pick_patterned, pick_generic};
enum { PANELS = sizeof panel / sizeof *panel };

/* ---- the axis ---------------------------------------------------------------------------------*/
static void include(struct page *p, double value)
{
    if (!isfinite(value) || value <= SMALLEST)
        return;
    if (value < p->smallest)
        p->smallest = value;
    if (value > p->largest)
        p->largest = value;
}

/* From a power of ten below everything that is drawn to a little above it; explicit weights, whose
 * errors are often those of rounding, may lie below. */
static int measure_axis(struct page *p, struct err *e)
{
    p->smallest = INFINITY;
    p->largest = 0;
    for (int k = 0; k < p->count; k++)
        for (int m = 0; m < PANELS; m++) {
            const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
            struct line_figures f;
            int code = g ? line_figures_of(g, &f, e) : 0;
            if (code)
                return code;
            if (!g)
                continue;
            include(p, f.error.mean);
            include(p, f.error.high);
            include(p, f.sampling_high);
            include(p, f.floor.mean);
        }
    if (p->largest == 0)
        p->smallest = p->largest = 1;
    p->smallest = pow(10, floor(log10(p->smallest) - 0.1));
    p->largest *= 1.6; /* so that marks on the largest floor are whole */
    return 0;
}

/* ---- data -------------------------------------------------------------------------------------*/
static void append_number(struct text *out, const struct page *p, double value)
{
    figure_append_number(out, isfinite(value) && value > p->smallest ? value : p->smallest);
}

static void append_interval(struct text *out, const struct page *p, double mean, double low,
                            double high)
{
    append_number(out, p, isnan(low) ? mean : low);
    append_number(out, p, isnan(high) ? mean : high);
}

/* The floors of one panel ("y floor"), or the points of one series ("y error", low and high over
 * seeds, low and high of the sampling error). */
static int append_block(struct text *out, const struct page *p, int m, int attention, int *points,
                        struct err *e)
{
    *points = 0;
    text_append_format(out, "$data_%d_%d << EOD\n", m, attention + 1);
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
        struct line_figures f;
        if (!g || (attention >= 0 && g->cell->task.model.attention != attention))
            continue;
        int code = line_figures_of(g, &f, e);
        if (code)
            return code;
        double shown = attention < 0 ? f.floor.mean : f.error.mean;
        if (!isfinite(shown) || (attention < 0 && shown <= p->smallest))
            continue;
        text_append_format(out, "%d", k + 1);
        append_number(out, p, shown);
        if (attention >= 0) {
            append_interval(out, p, shown, f.error.low, f.error.high);
            append_interval(out, p, shown, f.sampling_low, f.sampling_high);
        }
        text_append(out, "\n");
        ++*points;
    }
    text_append(out, "EOD\n");
    return 0;
}

/* What explicit weights leave: "y error"; what is below the axis is drawn on its
 * edge. */
static int append_witnesses(struct text *out, const struct page *p, int m, int *points,
                            struct err *e)
{
    *points = 0;
    text_append_format(out, "$witness_%d << EOD\n", m);
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
        struct line_figures f;
        int code = g ? line_figures_of(g, &f, e) : 0;
        if (code)
            return code;
        if (!g || !isfinite(f.witness.mean))
            continue;
        text_append_format(out, "%d", k + 1);
        append_number(out, p, f.witness.mean);
        text_append(out, "\n");
        ++*points;
    }
    text_append(out, "EOD\n");
    return 0;
}

/* ---- the script -------------------------------------------------------------------------------*/
static int label_width(const struct page *p, struct err *e)
{
    int widest = 8;
    for (int k = 0; k < p->count; k++) {
        struct text label = {0};
        label_append_line(&label, report_line_any(&p->lines->line[p->first + k]),
                          p->lines->lengths);
        int code = text_check(&label, e);
        int columns = code ? 0 : text_columns(label.data);
        text_close(&label);
        if (code)
            return code;
        if (columns > widest)
            widest = columns;
    }
    return widest > LABEL_MAX ? LABEL_MAX : widest;
}

static int append_labels(struct text *out, const struct page *p, struct err *e)
{
    text_append(out, "unset ytics\n");
    for (int k = 0; k < p->count; k++) {
        struct text label = {0};
        label_append_line(&label, report_line_any(&p->lines->line[p->first + k]),
                          p->lines->lengths);
        int code = text_check(&label, e);
        if (!code)
            gnuplot_row_label(out, label.data, k + 1);
        text_close(&label);
        if (code)
            return code;
    }
    return 0;
}

/* n, seeds, and what the marks are. */
static void append_title(struct text *out, const struct page *p)
{
    const struct figure_view v = {p->lines, p->first, p->count, p->experiment};
    struct text title = {0};
    bool seeds = false;
    for (int k = 0; k < p->count; k++)
        seeds |= report_line_any(&p->lines->line[p->first + k])->count > 1;
    text_append_format(&title, "%s: %s against its certified floor; ", p->experiment,
                       report_lines_measure(p->lines));
    figure_append_sample(&title, &v);
    if (p->total > PAGES_MAX * PAGE_LINES)
        text_append_format(&title, "; first %d of %d lines", PAGES_MAX * PAGE_LINES, p->total);
    gnuplot_string(out, title.data ? title.data : "");
    text_append(out, " . \"\\n\" . ");
    text_clear(&title);
    text_append(&title, seeds ? "marks: mean over seeds; bars: 95 % t interval over seeds"
                              : "marks: error of one seed");
    if (p->lines->shares)
        text_append(&title, "; pale bars: sampling error, 95 % Wilson interval");
    gnuplot_string(out, title.data ? title.data : "");
    text_append(out, " . \"\\n\" . ");
    gnuplot_string(out, "grey: below the floor, out of reach of every network of the class; marks on "
                        "the left edge: at it or below");
    out->failed |= title.failed;
    text_close(&title);
}

/* What the panel shows, for its title. */
static const char *panel_name(const struct page *p, int m)
{
    const char *name = NULL;
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *g = panel[m](&p->lines->line[p->first + k]);
        const char *mine = g ? result_text(g->row[0], "subset") : NULL;
        if (mine && name && strcmp(mine, name) != 0)
            return "patterned";
        if (mine)
            name = mine;
    }
    return name;
}

static int append_panel(struct text *out, const struct page *p, int m, double left, double right,
                        struct err *e)
{
    int floors, witnesses, points[FIGURE_SERIES], code = append_block(out, p, m, -1, &floors, e);
    if (!code)
        code = append_witnesses(out, p, m, &witnesses, e);
    for (int a = 0; !code && a < FIGURE_SERIES; a++)
        code = append_block(out, p, m, a, &points[a], e);
    if (code)
        return code;
    text_append_format(out, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", left,
                       right);
    text_append(out, "set title ");
    gnuplot_string(out, panel_name(p, m));
    text_append(out, " . ' inputs'\nplot NaN notitle");
    if (floors)
        text_append_format(out,
                           ", \\\n  $data_%d_0 using 2:1:(%g):2:($1-0.4):($1+0.4) with boxxyerror "
                           "fs solid 1 noborder lc rgb '#D9D9D9' title 'below the floor'"
                           ", \\\n  $data_%d_0 using 2:($1-0.4):(0):(0.8) with vectors nohead lw 2 "
                           "lc rgb '#000000' title 'floor'",
                           m, p->smallest, m);
    for (int a = 0; a < FIGURE_SERIES && p->lines->shares; a++)
        if (points[a])
            text_append_format(out,
                               ", \\\n  $data_%d_%d using 2:1:5:6 with xerrorbars pt -1 lw 7 lc "
                               "rgb '#A0%s' notitle",
                               m, a + 1, figure_series_colour(a) + 1);
    if (witnesses)
        text_append_format(out,
                           ", \\\n  $witness_%d using 2:1 with points pt 2 ps 0.8 lw 1.5 lc rgb "
                           "'#009E73' title 'explicit weights'",
                           m);
    for (int a = 0; a < FIGURE_SERIES; a++)
        if (points[a])
            text_append_format(
                out, ", \\\n  $data_%d_%d using 2:1:3:4 with xerrorbars %s title '%s'", m, a + 1,
                figure_series_style(a), figure_series_name(a));
    text_append(out, "\n");
    return 0;
}

static int append_frame(struct text *out, const struct page *p, const char *name, struct err *e)
{
    int height = FRAME_HEIGHT + LINE_HEIGHT * p->count;
    figure_append_head(out, name, p->width, height);
    text_append_format(out, "set logscale x\nset xrange [%g:%g]\nset yrange [%d.5:0.5]\n",
                       p->smallest, p->largest, p->count);
    text_append(out, "set format x '%g'\nset grid x lc rgb '#BBBBBB'\nset xlabel ");
    text_append_format(out, "'%s'\n", report_lines_measure(p->lines));
    text_append_format(out, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                       1 - 100.0 / height, 165.0 / height);
    text_append(out, "set key at screen 0.5,0.01 center bottom samplen 2\n");
    int code = append_labels(out, p, e);
    text_append(out, "set multiplot title ");
    append_title(out, p);
    text_append(out, "\n");
    return code;
}

static int append_script(struct text *out, const struct page *p, const char *name, struct err *e)
{
    int shown = 0;
    for (int m = 0; m < PANELS; m++)
        shown += panel_name(p, m) != NULL;
    double left = (double)(p->labels * CHARACTER + 20) / p->width;
    double width = (0.98 - left) / (shown ? shown : 1);
    int code = append_frame(out, p, name, e);
    for (int m = 0, at = 0; !code && m < PANELS; m++) {
        if (!panel_name(p, m))
            continue;
        code = append_panel(out, p, m, left + at * width, left + (at + 1) * width - 0.02, e);
        text_append(out, "unset label\nunset key\n"); /* the first panel's serve all */
        at++;
    }
    text_append(out, "unset multiplot\n");
    return code ? code : text_check(out, e);
}

/* ---- pages ------------------------------------------------------------------------------------*/
static int draw_page(struct figure_sink *sink, const struct page *p, const char *name,
                     struct err *e)
{
    struct text script = {0};
    int code = append_script(&script, p, name, e);
    if (!code)
        code = figure_put(sink, name, &script, e);
    text_close(&script);
    return code;
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    char name[FIGURE_NAME_MAX];
    struct page page = {.lines = v->lines, .total = v->count, .experiment = v->experiment};
    int code = 0;
    for (int k = 0; !code && k < PAGES_MAX && k * PAGE_LINES < v->count; k++) {
        int left = v->count - k * PAGE_LINES;
        page.first = v->first + k * PAGE_LINES;
        page.count = left < PAGE_LINES ? left : PAGE_LINES;
        figure_name(name, figure_floor.name, v->experiment, k + 1);
        code = measure_axis(&page, e);
        page.labels = code ? code : label_width(&page, e);
        if (page.labels < 0)
            code = page.labels;
        page.width = WIDTH + CHARACTER * (page.labels > LABELS_USUAL ? page.labels - LABELS_USUAL : 0);
        if (!code)
            code = draw_page(sink, &page, name, e);
    }
    return code;
}

const struct figure figure_floor = {"floor", "error against its certified floor", draw};

/* Error against the number of parameters, a panel per target, encoding and kind of input: where a
 * floor holds, no size gets below it.
 *
 * Invariant: a panel has at least two sizes of one attention; else there is nothing to compare. */
#include <math.h>
#include <string.h>

#include "report/figure_panels.h"
#include "report/gnuplot.h"

#define SMALLEST 1e-9

static const struct summary_group *pick(const struct report_line *l, bool patterned) {
    if (patterned) return l->patterned;
    return l->generic ? l->generic : l->patterned ? NULL : l->all;
}

static bool same_panel(const struct summary_group *a, const struct summary_group *b) {
    return a->length == b->length &&
           strcmp(result_text(a->row[0], "target"), result_text(b->row[0], "target")) == 0 &&
           strcmp(result_text(a->row[0], "encoding"), result_text(b->row[0], "encoding")) == 0;
}

/* The axis of a panel: what is drawn as a mark or a floor; bars may leave it. */
struct range {
    double low, high;
};

static void include(struct range *r, double value) {
    if (!isfinite(value) || value <= SMALLEST) return;
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

/* A point of a panel. */
struct point {
    double params;
    struct line_figures f;
};

/* Points of one attention that are like group g; *sizes: whether two differ in size. */
static int find_points(const struct figure_view *v, const struct summary_group *g, bool patterned,
                       int attention, struct point *point, int *points, bool *sizes,
                       struct err *e) {
    *points = 0;
    *sizes = false;
    for (int k = 0; k < v->count; k++) {
        const struct summary_group *here = pick(&v->lines->line[v->first + k], patterned);
        if (!here || here->cell->task.model.attention != attention || !same_panel(g, here))
            continue;
        struct point *p = &point[*points];
        p->params = result_number(here->row[0], "params");
        int code = line_figures_of(here, &p->f, e);
        if (code) return code;
        if (!(p->params > 0) || !(p->f.error.mean > SMALLEST)) continue;
        *sizes |= p->params != point[0].params;
        ++*points;
    }
    return 0;
}

static void append_number(struct text *out, double value) {
    char number[TEXT_NUMBER_MAX];
    text_append_format(out, " %s", text_from_double(number, value, 6));
}

/* "params error low high" and "params floor"; *floors of the latter. */
static void append_data(struct text *out, const struct point *p, int points, int attention,
                        struct range *range, int *floors) {
    *floors = 0;
    text_append_format(out, "$data_%d << EOD\n", attention);
    for (int k = 0; k < points; k++) {
        const struct interval *i = &p[k].f.error;
        include(range, i->mean);
        include(range, p[k].f.floor.mean);
        append_number(out, p[k].params);
        append_number(out, i->mean);
        append_number(out, isnan(i->low) ? i->mean : fmax(i->low, SMALLEST));
        append_number(out, isnan(i->high) ? i->mean : i->high);
        text_append(out, "\n");
    }
    text_append_format(out, "EOD\n$floor_%d << EOD\n", attention);
    for (int k = 0; k < points; k++) {
        if (!(p[k].f.floor.mean > SMALLEST)) continue;
        append_number(out, p[k].params);
        append_number(out, p[k].f.floor.mean);
        text_append(out, "\n");
        ++*floors;
    }
    text_append(out, "EOD\n");
}

static void append_plot(struct text *out, int attention, int floors) {
    const char *name = figure_series_name(attention);
    text_append_format(out,
                       ", \\\n  $data_%d using 1:2 smooth unique with lines lw 2 lc rgb '%s' "
                       "notitle, \\\n  $data_%d using 1:2:3:4 with yerrorbars %s title '%s'",
                       attention, figure_series_colour(attention), attention,
                       figure_series_style(attention), name);
    if (floors) /* on top: where the error lies on it, both are to be seen */
        text_append_format(out,
                           ", \\\n  $floor_%d using 1:2 smooth unique with lines lw 2 dt 2 lc rgb "
                           "'#000000' title 'floor of %s'",
                           attention, name);
}

static int draw_panel(struct panels *p, const struct summary_group *g, bool patterned,
                      struct point *point, struct err *e) {
    struct text plot = {0}, data = {0}, label = {0};
    struct range range = {INFINITY, 0};
    bool any = false;
    int code = 0;
    for (int a = 0; !code && a < FIGURE_SERIES; a++) {
        int points, floors;
        bool sizes;
        code = find_points(p->view, g, patterned, a, point, &points, &sizes, e);
        if (code || !points) continue;
        any |= sizes;
        append_data(&data, point, points, a, &range, &floors);
        append_plot(&plot, a, floors);
    }
    if (!code && any) {
        text_append_format(&label, "%s %s, %s inputs", result_text(g->row[0], "target"),
                           result_text(g->row[0], "encoding"), result_text(g->row[0], "subset"));
        if (p->view->lines->lengths) text_append_format(&label, ", n = %lld", (long long)g->length);
        p->body.failed |= plot.failed || data.failed || label.failed;
        code = text_check(&p->body, e);
    }
    if (!code && any) {
        text_append(&p->body, data.data);
        panels_append_title(&p->body, label.data);
        text_append_format(&p->body, "set yrange [%g:%g]\nplot NaN notitle%s\n", range.low / 3,
                           range.high * 3, plot.data);
        code = panels_next(p, e);
    }
    text_close(&plot);
    text_close(&data);
    text_close(&label);
    return code;
}

/* Whether an earlier line has the same panel. */
static bool is_repeated(const struct figure_view *v, const struct summary_group *g, int k,
                        bool patterned) {
    for (int m = 0; m < k; m++) {
        const struct summary_group *before = pick(&v->lines->line[v->first + m], patterned);
        if (before && same_panel(before, g)) return true;
    }
    return false;
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e) {
    struct panels p = {.sink = sink,
                       .view = v,
                       .kind = figure_params.name,
                       .what = v->lines->tokens ? "error against parameters"
                                                : "error_rel against parameters",
                       .band = "marks: mean over seeds; bars: 95 % t interval over seeds, cut off "
                               "at the frame; line: mean of the same size; dashed: certified floor",
                       .settings = "set logscale xy\nset format '%g'\nset xlabel 'parameters'\n"};
    struct point *point = memory_alloc((size_t)v->count, sizeof *point, e);
    int code = point ? 0 : ERR_MEMORY;
    for (int k = 0; !code && k < v->count; k++)
        for (int patterned = 1; !code && patterned >= 0 && !panels_full(&p); patterned--) {
            const struct summary_group *g = pick(&v->lines->line[v->first + k], patterned);
            if (g && !is_repeated(v, g, k, patterned))
                code = draw_panel(&p, g, patterned, point, e);
        }
    if (!code) code = panels_finish(&p, e);
    panels_close(&p);
    memory_free(point);
    return code;
}

const struct figure figure_params = {"params", "error against parameters", draw};

/* Error against its floor: a row per line, a panel per kind of input.
 *
 *     position toeplitz rpe  |##########################|o     ### out of reach (below the floor)
 *     position toeplitz urpe |      +                          o rpe   + urpe, with bars over seeds
 *                            1e-4     1e-2     1     error_rel
 *
 * Invariant: what lies outside the axis is drawn on its edge, never left out. */
#include <math.h>
#include <string.h>

#include "report/label.h"
#include "report/plot.h"
#include "report/series.h"

enum { PAGE_LINES = 64, PAGES_MAX = 8 }; /* what is beyond is in summary.csv */
#define SMALLEST 1e-9 /* of the axis */

typedef const struct summary_group *(*panel_pick)(const struct figure_view *v, int k);

/* What the panel shows, for its title; NULL: nothing. */
static const char *panel_name(const struct figure_view *v, panel_pick pick)
{
    const char *name = NULL;
    for (int k = 0; k < v->count; k++) {
        const struct summary_group *g = pick(v, k);
        const char *mine = g ? result_text(g->row[0], "subset") : NULL;
        if (mine && name && strcmp(mine, name) != 0)
            return "patterned";
        name = mine ? mine : name;
    }
    return name;
}

/* The error of a line; or its floor, and what explicit weights leave. */
static int add_line(struct plot *p, const struct series_key *key, const struct summary_group *g, int row,
                    bool error)
{
    struct line_figures f;
    struct text name = {0};
    int code = line_figures_of(g, &f, p->e);
    if (code)
        return code;
    if (error) {
        series_append_name(&name, key, g);
        plot_series(p, plot_text(p, &name), PLOT_POINTS | (p->view->lines->shares ? PLOT_PALE : 0));
        plot_point(p, plot_error(row, &f));
        text_close(&name);
        return 0;
    }
    plot_series(p, "explicit weights", PLOT_ASIDE);
    plot_point(p, plot_value(row, f.witness.mean));
    plot_series(p, "certified floor", PLOT_EDGE);
    plot_point(p, plot_value(row, f.floor.mean));
    plot_series(p, "below the floor", PLOT_BELOW);
    plot_point(p, (struct plot_point){row, f.floor.mean, 0, NAN, NAN, NAN});
    return 0;
}

static int add_panel(struct plot *p, const struct series_key *key, panel_pick pick)
{
    const char *name = panel_name(p->view, pick);
    struct text title = {0};
    int code = 0;
    if (!name)
        return 0;
    text_append_format(&title, "%s inputs", name);
    plot_panel(p, plot_text(p, &title), (struct plot_axis){0},
               (struct plot_axis){.label = report_lines_measure(p->view->lines), .scale = PLOT_LOG,
                                  .smallest = SMALLEST});
    for (int k = 0; !code && k < 2 * p->view->count; k++) { /* errors first, as in the legend */
        int row = k % p->view->count;
        const struct summary_group *g = pick(p->view, row);
        code = g ? add_line(p, key, g, row + 1, k < p->view->count) : 0;
    }
    text_close(&title);
    return code;
}

static void add_note(struct plot *p, int total)
{
    figure_append_bars(&p->note, p->view);
    if (p->view->lines->shares)
        text_append(&p->note, "; pale bars: sampling error, 95 % Wilson interval");
    text_append(&p->note, "\ngrey: below the floor, out of reach of every network of the class; marks "
                          "on the left edge: at it or below");
    if (total > PAGES_MAX * PAGE_LINES)
        text_append_format(&p->note, "\nfirst %d of %d lines", PAGES_MAX * PAGE_LINES, total);
}

/* total: lines of all pages. */
static int draw_page(struct figure_sink *sink, const struct figure_view *v, int number, int total,
                     const struct series_key *key, struct err *e)
{
    struct plot p = {.sink = sink, .view = v, .columns = 2, .lines = 1, .pages = 1, .number = number,
                     .e = e};
    struct text label = {0};
    text_append_format(&p.what, "%s against its certified floor", report_lines_measure(v->lines));
    add_note(&p, total);
    for (int k = 0; k < v->count; k++) {
        text_clear(&label);
        label_append_line(&label, figure_group(v, k), v->lines->lengths);
        plot_row(&p, plot_text(&p, &label));
    }
    text_close(&label);
    int code = add_panel(&p, key, figure_patterned);
    if (!code)
        code = add_panel(&p, key, figure_generic);
    return plot_finish(&p, code);
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    struct series_key key;
    int code = series_open(&key, v, NULL, e);
    for (int k = 0; !code && k < PAGES_MAX && k * PAGE_LINES < v->count; k++) {
        struct figure_view part = *v;
        part.first = v->first + k * PAGE_LINES;
        part.count = v->count - k * PAGE_LINES < PAGE_LINES ? v->count - k * PAGE_LINES : PAGE_LINES;
        code = draw_page(sink, &part, k + 1, v->count, &key, e);
    }
    series_close(&key);
    return code;
}

const struct figure figure_floor = {"floor", "error against its certified floor", draw, NULL};

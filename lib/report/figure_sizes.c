/* Error against the size of a model, its parameters, depth or width, and against the length that it is
 * evaluated at.  Where a floor holds, no size gets below it.
 *
 * Against parameters a panel holds all sizes of a target and encoding; else it holds models that are
 * alike in all else, but for what goes with that size (ffn with width, say).
 *
 * Invariant: a panel has at least two sizes of one series; else there is nothing to compare. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/label.h"
#include "report/plot.h"
#include "report/series.h"

#define SMALLEST 1e-9
enum { VALUE_SIZE = 256 };

struct size_kind {
    const char *column; /* of results.csv */
    const char *axis;   /* its key; NULL: labels name no other size either */
    bool evaluated;     /* one model has several: not of the model, but of what it is given */
    const char *label;  /* behind "error against" and below the axis */
};

static double size_at(const struct figure_view *v, int k, const struct size_kind *kind)
{
    return result_number(figure_group(v, k)->row[0], kind->column);
}

/* ---- what labels of panels leave out ----------------------------------------------------------*/
/* Whether `axis` has one value for each size, so that it goes with it. */
static bool goes_with(const struct figure_view *v, const struct size_kind *kind, const char *axis)
{
    char here[VALUE_SIZE], there[VALUE_SIZE];
    for (int k = 1; k < v->count; k++) {
        int first = 0;
        while (first < k && size_at(v, first, kind) != size_at(v, k, kind))
            first++;
        bool known = spec_value(figure_group(v, k)->cell, axis, here, sizeof here);
        if (known != spec_value(figure_group(v, first)->cell, axis, there, sizeof there) ||
            (known && strcmp(here, there) != 0))
            return false;
    }
    return true;
}

/* except (axes + 2): the size and what goes with it; against parameters all but target and encoding. */
static void find_left_out(const char **except, const struct figure_view *v,
                          const struct size_kind *kind)
{
    const struct axes *axes = figure_group(v, 0)->axes;
    if (kind->axis)
        *except++ = kind->axis;
    for (int k = 0; k < axes->count; k++) {
        const char *axis = axes->key[k];
        if (!axis_is_named(axis) &&
            (kind->axis ? goes_with(v, kind, axis)
                        : !key_covers("target", axis) && !key_covers("model.encoding", axis)))
            *except++ = axis;
    }
}

/* An option of an encoding that makes a few parameters more is no size of the model. */
static bool has_sizes(const struct figure_view *v, const struct size_kind *kind)
{
    static const char *const column[] = {"layers", "heads", "width", "ffn"};
    bool differ = kind->evaluated;
    for (int k = 1; k < v->count && !differ; k++)
        for (size_t m = 0; m < sizeof column / sizeof *column; m++)
            differ |= strcmp(result_text(figure_group(v, 0)->row[0], column[m]),
                             result_text(figure_group(v, k)->row[0], column[m])) != 0;
    return differ;
}

/* ---- panels -----------------------------------------------------------------------------------*/
/* A point and its floor in the panel of the line and subset. */
static int add_group(struct plot *p, const struct series_key *key, const struct size_kind *kind,
                     const struct summary_group *g, double size)
{
    char number[TEXT_NUMBER_MAX];
    const struct report_lines *lines = p->view->lines;
    struct text title = {0}, name = {0};
    struct line_figures f;
    int code = line_figures_of(g, &f, p->e);
    if (code)
        return code;
    series_append_panel(&title, key, g);
    text_append_format(&title, ", %s inputs", result_text(g->row[0], "subset"));
    if (kind->evaluated)
        text_append_format(&title, ", trained at n=%lld",
                           (long long)space_positions(&g->cell->task.space));
    else if (lines->lengths)
        text_append_format(&title, ", n=%s", length_text(number, g->length));
    series_append_name(&name, key, g);
    plot_panel(p, plot_text(p, &title), (struct plot_axis){.label = kind->label, .scale = PLOT_SIZES},
               (struct plot_axis){.label = report_lines_measure(lines), .scale = PLOT_LOG,
                                  .smallest = SMALLEST});
    plot_series(p, plot_text(p, &name), PLOT_JOIN | PLOT_POINTS | (lines->shares ? PLOT_PALE : 0));
    plot_point(p, plot_error(size, &f));
    plot_series(p, plot_text(p, &name), PLOT_FLOOR);
    plot_point(p, plot_value(size, fmax(f.floor.mean, f.depth_floor.mean)));
    text_close(&title);
    text_close(&name);
    return 0;
}

static int add_lines(struct plot *p, const struct series_key *key, const struct size_kind *kind)
{
    const struct figure_view *v = p->view;
    int code = 0;
    for (int k = 0; !code && k < v->count && !plot_full(p); k++) {
        const struct summary_group *subset[] = {figure_patterned(v, k), figure_generic(v, k)};
        double size = size_at(v, k, kind);
        p->columns = subset[0] ? 2 : p->columns;
        for (int m = 0; m < 2 && !code && size > 0; m++)
            code = subset[m] ? add_group(p, key, kind, subset[m], size) : 0;
    }
    return code;
}

static void add_note(struct plot *p)
{
    figure_append_bars(&p->note, p->view);
    text_append(&p->note, figure_has_seeds(p->view) ? ", cut off at the frame; line: mean of the same size"
                                                    : ", so no interval over seeds");
    text_append(&p->note, "; dashed: certified floor");
    if (p->view->lines->shares)
        text_append(&p->note, "; pale bars: sampling error, 95 % Wilson interval");
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    const struct size_kind *kind = sink->figure->kind;
    struct plot p = {.sink = sink, .view = v, .places = 2, .e = e};
    struct series_key key = {0};
    if (!has_sizes(v, kind))
        return 0;
    const char **except = memory_alloc((size_t)figure_group(v, 0)->axes->count + 2, sizeof *except, e);
    int code = except ? 0 : ERR_MEMORY;
    text_append_format(&p.what, "%s against %s", report_lines_measure(v->lines), kind->label);
    add_note(&p);
    if (!code) {
        find_left_out(except, v, kind);
        code = series_open(&key, v, except, e);
    }
    if (!code)
        code = add_lines(&p, &key, kind);
    series_close(&key);
    memory_free(except);
    return plot_finish(&p, code);
}

const struct figure figure_params = {
    "params", "error against parameters", draw,
    &(const struct size_kind){"params", NULL, false, "parameters"}};
const struct figure figure_depth = {
    "depth", "error against depth", draw,
    &(const struct size_kind){"layers", "model.layers", false, "layers"}};
const struct figure figure_width = {
    "width", "error against width", draw,
    &(const struct size_kind){"width", "model.width", false, "width"}};
const struct figure figure_lengths = {
    "lengths", "error against evaluated length", draw,
    &(const struct size_kind){"length", "space.length", true, "evaluated length"}};

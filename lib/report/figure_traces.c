/* Curves over training steps and over positions: a panel per line but for its series, the floor as a
 * line. */
#include <math.h>

#include "base/memory.h"
#include "report/plot.h"
#include "report/series.h"
#include "report/trace.h"

#define SMALLEST 1e-12 /* on a logarithmic axis; what is not above it is left out */

struct trace_kind {
    const char *what, *file, *x, *y;
    const char *floor;  /* a column of the file; NULL: the floor of the line, the same at every x */
    const char *dashed; /* what the dashed line is */
};

/* One point over the seeds that have it: mean, smallest and largest. */
static struct plot_point point_of(const struct trace_file *file, int files, int row)
{
    struct plot_point p = {trace_number(file, row, file->x), 0, INFINITY, -INFINITY, NAN, NAN};
    int seeds = 0;
    for (int k = 0; k < files && row < file[k].csv.rows; k++) {
        double y = trace_number(&file[k], row, file[k].y);
        if (!isfinite(y) || y <= SMALLEST)
            continue;
        p.value += y;
        p.low = fmin(p.low, y);
        p.high = fmax(p.high, y);
        seeds++;
    }
    p.value = seeds ? p.value / seeds : NAN;
    return p;
}

/* Seeds share the schedule; the first is shown as far as it got. */
static void add_curves(struct plot *p, const char *name, const struct trace_file *file, int files,
                       double floor)
{
    plot_series(p, name, PLOT_LINE | (files > 1 ? PLOT_BAND : 0));
    for (int row = 1; row < file->csv.rows; row++)
        plot_point(p, point_of(file, files, row));
    plot_series(p, name, PLOT_FLOOR);
    for (int row = 1; row < file->csv.rows; row++)
        plot_point(p, plot_value(trace_number(file, row, file->x),
                                 file->floor < 0 ? floor : trace_number(file, row, file->floor)));
}

static int add_group(struct plot *p, const struct trace_kind *kind, const struct series_key *key,
                     const struct summary_group *g)
{
    char number[TEXT_NUMBER_MAX];
    struct trace_file *file = memory_alloc((size_t)g->count, sizeof *file, p->e);
    struct text title = {0}, name = {0};
    struct line_figures f;
    int files = 0, code = file ? line_figures_of(g, &f, p->e) : ERR_MEMORY;
    for (int k = 0; !code && k < g->count; k++) {
        bool found;
        code = trace_open(&file[files], g->row[k], kind->file, kind->x, kind->y, kind->floor, &found,
                          p->e);
        files += !code && found;
    }
    series_append_panel(&title, key, g);
    series_append_name(&name, key, g);
    if (p->view->lines->lengths)
        text_append_format(&title, ", n=%s", length_text(number, g->length));
    if (!code && files) {
        plot_panel(p, plot_text(p, &title), (struct plot_axis){.label = kind->x, .scale = PLOT_WHOLE},
                   (struct plot_axis){.label = kind->y, .scale = PLOT_LOG, .smallest = SMALLEST});
        add_curves(p, plot_text(p, &name), file, files, f.floor.mean);
    }
    for (int k = 0; k < files; k++)
        trace_close(&file[k]);
    memory_free(file);
    text_close(&title);
    text_close(&name);
    return code;
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    const struct trace_kind *kind = sink->figure->kind;
    struct plot p = {.sink = sink, .view = v, .e = e};
    struct series_key key;
    int code = series_open(&key, v, NULL, e);
    text_append(&p.what, kind->what);
    text_append_format(&p.note, "all inputs; lines: %s; dashed: %s",
                       figure_has_seeds(v) ? "mean over seeds; band: smallest to largest seed"
                                           : "one seed, so no band", kind->dashed);
    for (int k = 0; !code && k < v->count && !plot_full(&p); k++) {
        const struct summary_group *g = v->lines->line[v->first + k].all;
        /* All inputs at the training length are what the files are about. */
        if (g && g->length == space_positions(&g->cell->task.space))
            code = add_group(&p, kind, &key, g);
    }
    series_close(&key);
    return plot_finish(&p, code);
}

const struct figure figure_curves = {
    "curves", "training curves with the floor", draw,
    &(const struct trace_kind){"error while training", "curve.csv", "step", "error_rel", NULL,
                               "certified floor"}};

/* The bound is on the mean over positions: at one of them a network may be below what the best answer
 * leaves there. */
const struct figure figure_positions = {
    "positions", "error by position", draw,
    &(const struct trace_kind){"error_rms at each position", "position.csv", "position", "error_rms",
                               "floor_rms",
                               "the answer that attains the certified floor (first seed), which "
                               "bounds all positions together, not each"}};

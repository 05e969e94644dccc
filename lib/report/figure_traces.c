/* Curves over training steps and over positions: a panel per pair of RPE and URPE, the floor as a
 * line.
 *
 * Invariant: a panel is drawn only where at least one point of it can be. */
#include <math.h>
#include <string.h>

#include "report/figure_panels.h"
#include "report/gnuplot.h"

#define SMALLEST 1e-12 /* on a logarithmic axis; what is not above it is left out */

struct trace_kind {
    const char *file, *x, *y;
    const char *floor; /* a column of the file; NULL: the floor of the line, the same at every x */
};

/* One attention's curve. */
struct trace {
    double *x, *sum, *low, *high, *floor; /* (points) */
    int *seeds;                           /* (points) how many there are */
    int points;
    bool several;                         /* seeds */
};

/* ---- data -------------------------------------------------------------------------------------*/
static void close_trace(struct trace *t)
{
    memory_free(t->x);
    memory_free(t->sum);
    memory_free(t->low);
    memory_free(t->high);
    memory_free(t->floor);
    memory_free(t->seeds);
    *t = (struct trace){0};
}

static int open_trace(struct trace *t, int points, struct err *e)
{
    size_t count = (size_t)points;
    *t = (struct trace){.points = points};
    t->x = memory_alloc(count, sizeof *t->x, e);
    t->sum = memory_alloc(count, sizeof *t->sum, e);
    t->low = memory_alloc(count, sizeof *t->low, e);
    t->high = memory_alloc(count, sizeof *t->high, e);
    t->floor = memory_alloc(count, sizeof *t->floor, e);
    t->seeds = memory_alloc(count, sizeof *t->seeds, e);
    bool whole = t->x && t->sum && t->low && t->high && t->floor && t->seeds;
    return whole ? 0 : ERR_MEMORY;
}

/* Adds one seed.  Seeds share the schedule; where one stopped early its points are fewer. */
static void add_seed(struct trace *t, const struct trace_file *file)
{
    for (int k = 0; k < t->points && k + 1 < file->csv.rows; k++) {
        double x = trace_number(file, k + 1, file->x), y = trace_number(file, k + 1, file->y);
        if (!isfinite(x) || !isfinite(y) || y <= SMALLEST)
            continue;
        if (!t->seeds[k]) {
            t->x[k] = x;
            t->low[k] = t->high[k] = y;
            t->floor[k] = trace_number(file, k + 1, file->floor);
        }
        t->sum[k] += y;
        t->low[k] = fmin(t->low[k], y);
        t->high[k] = fmax(t->high[k], y);
        t->several |= ++t->seeds[k] > 1;
    }
}

/* A trace without points where no seed has the file. */
static int read_trace(struct trace *t, const struct trace_kind *kind,
                      const struct summary_group *g, struct err *e)
{
    int code = 0;
    *t = (struct trace){0};
    for (int k = 0; !code && k < g->count; k++) {
        struct trace_file file;
        bool found;
        code = trace_open(&file, g->row[k], kind->file, kind->x, kind->y, kind->floor, &found, e);
        if (code || !found)
            continue;
        if (!t->points)
            code = open_trace(t, file.csv.rows - 1, e);
        if (!code)
            add_seed(t, &file);
        trace_close(&file);
    }
    return code;
}

static int count_points(const struct trace *t)
{
    int count = 0;
    for (int k = 0; k < t->points; k++)
        count += t->seeds[k] > 0;
    return count;
}

/* ---- the script -------------------------------------------------------------------------------*/
/* "x mean low high" of a trace; *floors: points of $floor_a, "x floor", which follows.  A blank line
 * where points are left out, so that no line is drawn across. */
static void append_data(struct text *out, const struct trace *t, int attention, double floor,
                        int *floors)
{
    bool gap = false;
    *floors = 0;
    text_append_format(out, "$data_%d << EOD\n", attention);
    for (int k = 0, shown = 0; k < t->points; k++) {
        if (!t->seeds[k]) {
            gap = shown > 0;
            continue;
        }
        if (gap)
            text_append(out, "\n");
        gap = false;
        shown++;
        figure_append_number(out, t->x[k]);
        figure_append_number(out, t->sum[k] / t->seeds[k]);
        figure_append_number(out, t->low[k]);
        figure_append_number(out, t->high[k]);
        text_append(out, "\n");
    }
    text_append_format(out, "EOD\n$floor_%d << EOD\n", attention);
    gap = false;
    for (int k = 0; k < t->points; k++) {
        double here = isnan(t->floor[k]) ? floor : t->floor[k];
        if (!t->seeds[k])
            continue;
        if (!(here > SMALLEST)) {
            gap = *floors > 0;
            continue;
        }
        if (gap)
            text_append(out, "\n");
        gap = false;
        figure_append_number(out, t->x[k]);
        figure_append_number(out, here);
        text_append(out, "\n");
        ++*floors;
    }
    text_append(out, "EOD\n");
}

static void append_plot(struct text *out, const struct trace *t, int attention, int floors)
{
    const char *name = figure_series_name(attention), *colour = figure_series_colour(attention);
    if (t->several)
        text_append_format(out,
                           ", \\\n  $data_%d using 1:3:4 with filledcurves fs transparent solid "
                           "0.25 noborder lc rgb '%s' notitle",
                           attention, colour);
    text_append_format(out, ", \\\n  $data_%d using 1:2 with lines lw 2 lc rgb '%s' title '%s'",
                       attention, colour, name);
    if (floors)
        text_append_format(out,
                           ", \\\n  $floor_%d using 1:2 with lines lw 2 dt 2 lc rgb '%s' title "
                           "'floor of %s'",
                           attention, attention == MODEL_RPE ? "#000000" : "#777777", name);
}

/* A panel about a pair; pair[a] NULL: not there. */
static int append_panel(struct panels *p, const struct trace_kind *kind, const char *label,
                        const struct summary_group *const pair[FIGURE_SERIES], struct err *e)
{
    struct trace trace[FIGURE_SERIES] = {{0}};
    struct text plot = {0};
    int code = 0, shown = 0;
    for (int a = 0; !code && a < FIGURE_SERIES; a++) {
        struct line_figures f = {0};
        int floors;
        if (pair[a])
            code = read_trace(&trace[a], kind, pair[a], e);
        if (code || !count_points(&trace[a]))
            continue;
        code = line_figures_of(pair[a], &f, e);
        append_data(&p->body, &trace[a], a, f.floor.mean, &floors);
        append_plot(&plot, &trace[a], a, floors);
        shown++;
    }
    if (!code && shown)
        code = text_check(&plot, e);
    if (!code && shown) {
        panels_append_title(p, label);
        text_append_format(&p->body, "plot NaN notitle%s\n", plot.data);
        code = panels_next(p, e);
    }
    for (int a = 0; a < FIGURE_SERIES; a++)
        close_trace(&trace[a]);
    text_close(&plot);
    return code;
}

/* ---- pairs ------------------------------------------------------------------------------------*/
/* The group about all inputs at the training length, which is what the files are about. */
static const struct summary_group *group_of(const struct figure_view *v, int k)
{
    const struct summary_group *g = v->lines->line[v->first + k].all;
    return g && g->length == space_positions(&g->cell->task.space) ? g : NULL;
}

static int pair_label(struct text *out, const struct summary_group *g, struct err *e)
{
    text_clear(out);
    label_append(out, g, figure_pair_key);
    return text_check(out, e);
}

/* A pair is found by its label: it names everything in which lines differ but the attention.  Lines
 * of a pair are near each other, so the search starts behind the first of them. */
static int draw_pairs(struct panels *p, const struct trace_kind *kind, bool *done, struct err *e)
{
    struct text label = {0}, other = {0};
    int code = 0;
    for (int k = 0; !code && k < p->view->count && !panels_full(p); k++) {
        const struct summary_group *pair[FIGURE_SERIES] = {NULL}, *g = group_of(p->view, k);
        if (!g || done[k])
            continue;
        pair[g->cell->task.model.attention] = g;
        code = pair_label(&label, g, e);
        for (int m = k + 1; !code && m < p->view->count; m++) {
            const struct summary_group *next = group_of(p->view, m);
            if (!next || done[m] || pair[next->cell->task.model.attention])
                continue;
            code = pair_label(&other, next, e);
            if (code || strcmp(label.data, other.data) != 0)
                continue;
            pair[next->cell->task.model.attention] = next;
            done[m] = true;
            break;
        }
        if (!code)
            code = append_panel(p, kind, label.data, pair, e);
    }
    text_close(&label);
    text_close(&other);
    return code;
}

static int draw_traces(struct panels *p, const struct trace_kind *kind, struct err *e)
{
    bool *done = memory_alloc((size_t)p->view->count, sizeof *done, e);
    if (!done)
        return ERR_MEMORY;
    int code = draw_pairs(p, kind, done, e);
    if (!code)
        code = panels_finish(p, e);
    panels_close(p);
    memory_free(done);
    return code;
}

static int draw_curves(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const struct trace_kind kind = {"curve.csv", "step", "error_rel", NULL};
    struct panels p = {.sink = sink,
                       .view = v,
                       .kind = figure_curves.name,
                       .what = v->lines->tokens ? "error while training"
                                                : "error_rel while training",
                       .band = "all inputs; lines: mean over seeds; band: smallest to largest "
                               "seed; dashed: certified floor",
                       .alone = "all inputs; lines: one seed, so no band; dashed: certified floor",
                       .settings = "set logscale y\nset format y '%g'\nset xlabel 'step'\n"};
    return draw_traces(&p, &kind, e);
}

/* The bound is on the mean over positions: at one of them a network may be below what the best
 * answer leaves there. */
#define POSITION_FLOOR \
    "the answer that attains the certified floor (first seed), which bounds all positions " \
    "together, not each"

static int draw_positions(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const struct trace_kind kind = {"position.csv", "position", "error_rms", "floor_rms"};
    struct panels p = {.sink = sink,
                       .view = v,
                       .kind = figure_positions.name,
                       .what = "error_rms at each position",
                       .band = "all inputs; lines: mean over seeds; band: smallest to largest "
                               "seed; dashed: " POSITION_FLOOR,
                       .alone = "all inputs; lines: one seed, so no band; dashed: " POSITION_FLOOR,
                       .settings = "set logscale y\nset format y '%g'\nset xlabel 'position'\n"};
    return draw_traces(&p, &kind, e);
}

const struct figure figure_curves = {"curves", "training curves with the floor", draw_curves};
const struct figure figure_positions = {"positions", "error by position", draw_positions};

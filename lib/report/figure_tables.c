/* Learned B (added to the logits) and C (multiplied into the attention) over the offset j - i, on a
 * graph over the steps from i to j: a panel per line and table, a curve per head.
 *
 * Invariant: only spaces whose relations have an order are shown: the axis means one thing. */
#include <math.h>
#include <string.h>

#include "report/figure_panels.h"
#include "report/gnuplot.h"

enum { CURVES_MAX = 8, TICS = 8 };

/* Okabe and Ito's colours and a grey. */
static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                     "#56B4E9", "#E69F00", "#000000", "#999999"};

/* Whether row k starts another layer or head. */
static bool is_start(const struct trace_file *t, int k)
{
    static const char *const key[] = {"layer", "head"};
    for (int m = 0; m < 2; m++) {
        int column = csv_column(&t->csv, key[m]);
        if (k == 1 || strcmp(t->csv.row[k][column], t->csv.row[k - 1][column]) != 0)
            return true;
    }
    return false;
}

static void append_curve_name(struct text *out, const struct trace_file *t, int k)
{
    const char *layer = t->csv.row[k][csv_column(&t->csv, "layer")];
    const char *head = t->csv.row[k][csv_column(&t->csv, "head")];
    if (*layer)
        text_append_format(out, "layer %s ", layer);
    text_append_format(out, "head %s", head);
}

/* Curves of the column: data blocks, then their plot.  Further layers and heads are left to
 * tables.csv. */
static void append_curves(struct text *out, struct text *plot, const struct trace_file *t,
                          int origin)
{
    char number[TEXT_NUMBER_MAX];
    int curves = 0;
    for (int k = 1; k < t->csv.rows; k++) {
        double y = trace_number(t, k, t->y);
        if (is_start(t, k)) {
            if (curves == CURVES_MAX)
                break;
            text_append_format(out, "%s$data_%d << EOD\n", curves ? "EOD\n" : "", curves);
            text_append_format(plot,
                               ", \\\n  $data_%d using 1:2 with lines lw 2 lc rgb '%s' title '",
                               curves, colour[curves]);
            append_curve_name(plot, t, k);
            text_append(plot, "'");
            curves++;
        }
        if (isfinite(y))
            text_append_format(out, "%d %s\n", (int)trace_number(t, k, t->x) - origin,
                               text_from_double(number, y, 6));
    }
    text_append(out, "EOD\n");
}

/* A graph's last relation is that of no path (space/graph_layout.c). */
static void append_axis(struct text *out, const struct trace_file *t, bool graph)
{
    int last = (int)trace_number(t, t->csv.rows - 1, t->x), step = 1 + last / TICS;
    if (!graph) {
        text_append(out, "set xlabel 'j - i'\nset xtics autofreq\n");
        return;
    }
    text_append(out, "set xlabel 'steps from i to j'\nset xtics (");
    for (int k = 0; k + step <= last; k += step)
        text_append_format(out, "%d, ", k);
    text_append_format(out, "'no path' %d)\n", last);
}

/* Whether the column has a number. */
static bool has_data(const struct trace_file *t)
{
    for (int k = 1; k < t->csv.rows; k++)
        if (isfinite(trace_number(t, k, t->y)))
            return true;
    return false;
}

static int draw_panel(struct panels *p, const struct summary_group *g, const char *column,
                      struct err *e)
{
    struct trace_file file;
    struct text plot = {0}, label = {0};
    bool found;
    int code = trace_open(&file, g->row[0], "table.csv", "relation", column, NULL, &found, e);
    if (code || !found)
        return code;
    if (has_data(&file) && csv_column(&file.csv, "layer") >= 0 &&
        csv_column(&file.csv, "head") >= 0) {
        text_append(&label, *column == 'b' ? "B: " : "C: ");
        label_append_line(&label, g, false);
        bool graph = space_of(&g->cell->task.space)->graph;
        append_axis(&p->body, &file, graph);
        append_curves(&p->body, &plot, &file, graph ? 0 : (int)g->length - 1);
        p->body.failed |= plot.failed || label.failed;
        code = text_check(&p->body, e);
        if (!code) {
            panels_append_title(p, label.data);
            text_append_format(&p->body, "plot NaN notitle%s\n", plot.data);
            code = panels_next(p, e);
        }
    }
    trace_close(&file);
    text_close(&plot);
    text_close(&label);
    return code;
}

static bool has_order(const struct summary_group *g)
{
    if (!g || g->length != space_positions(&g->cell->task.space))
        return false;
    const struct space *space = space_of(&g->cell->task.space);
    return space->axes == 1 || space->graph;
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const char *const column[] = {"b", "c"};
    struct panels p = {.sink = sink,
                       .view = v,
                       .kind = figure_tables.name,
                       .what = "learned B and C",
                       .band = "first seed only; a line per head; no band",
                       .settings = ""};
    int code = 0;
    for (int k = 0; !code && k < v->count; k++) {
        const struct summary_group *g = v->lines->line[v->first + k].all;
        for (int m = 0; !code && m < 2 && has_order(g) && !panels_full(&p); m++)
            code = draw_panel(&p, g, column[m], e);
    }
    if (!code)
        code = panels_finish(&p, e);
    panels_close(&p);
    return code;
}

const struct figure figure_tables = {"tables", "learned B and C over j - i, or over steps on a graph", draw};

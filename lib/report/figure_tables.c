/* Learned B (added to the logits) and C (multiplied into the attention) over the offset j - i, on a
 * graph over the steps from i to j: a panel per line and table, a curve per head.
 *
 * Invariant: only spaces whose relations have an order are shown: the axis means one thing. */
#include <math.h>

#include "report/figure_panels.h"
#include "report/learned.h"

enum { CURVES_MAX = 8, TICS = 8 };

/* Okabe and Ito's colours and a grey. */
static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                     "#56B4E9", "#E69F00", "#000000", "#999999"};

/* Curves of the column: data blocks, then their plot.  Further layers and heads are left to
 * tables.csv. */
static void append_curves(struct text *out, struct text *plot, const struct learned *t, int origin)
{
    for (int k = 0; k < t->heads && k < CURVES_MAX; k++) {
        text_append_format(out, "$data_%d << EOD\n", k);
        for (int r = 0; r < t->head[k].relations; r++) {
            if (!isfinite(t->head[k].value[r]))
                continue;
            text_append_format(out, "%d", r - origin);
            figure_append_number(out, t->head[k].value[r]);
            text_append(out, "\n");
        }
        text_append(out, "EOD\n");
        text_append_format(plot,
                           ", \\\n  $data_%d using 1:2 with lines lw 2 lc rgb '%s' title '",
                           k, colour[k]);
        learned_append_name(plot, &t->head[k], " ");
        text_append(plot, "'");
    }
}

/* A graph's last relation is that of no path (space/graph_layout.c). */
static void append_axis(struct text *out, const struct learned *t, bool graph)
{
    int last = t->head[t->heads - 1].relations - 1, step = 1 + last / TICS;
    if (!graph) {
        text_append(out, "set xlabel 'j - i'\nset xtics autofreq\n");
        return;
    }
    text_append(out, "set xlabel 'steps from i to j'\nset xtics (");
    for (int k = 0; k + step <= last; k += step)
        text_append_format(out, "%d, ", k);
    text_append_format(out, "'no path' %d)\n", last);
}

static int draw_panel(struct panels *p, const struct summary_group *g, const char *column,
                      struct err *e)
{
    struct learned table;
    struct text plot = {0}, label = {0};
    struct err why = {0};
    int code = 0;
    if (learned_open(&table, g, column, &why))
        return figure_fail(p->sink, p->sink->name, &why, e);
    if (table.heads) {
        text_append(&label, *column == 'b' ? "B: " : "C: ");
        label_append_line(&label, g, false);
        bool graph = space_of(&g->cell->task.space)->graph;
        append_axis(&p->body, &table, graph);
        append_curves(&p->body, &plot, &table, graph ? 0 : (int)g->length - 1);
        p->body.failed |= plot.failed || label.failed;
        code = text_check(&p->body, e);
        if (!code) {
            panels_append_title(p, label.data);
            text_append_format(&p->body, "plot NaN notitle%s\n", plot.data);
            code = panels_next(p, e);
        }
    }
    learned_close(&table);
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

/* Learned B (added to the logits) and C (multiplied into the attention) over the offset j - i, on a
 * graph over the steps from i to j: a panel per line and table, a curve per head.
 *
 * Invariant: only spaces whose relations have an order are shown: the axis means one thing. */

#include "report/label.h"
#include "report/learned.h"
#include "report/plot.h"

enum { CURVES_MAX = 8 }; /* further layers and heads are left to tables.csv */

/* A graph's last relation is that of no path (space/graph_layout.c). */
static void add_curves(struct plot *p, const struct summary_group *g, const char *table,
                       const struct learned *t)
{
    bool graph = space_of(&g->cell->task.space)->graph;
    int origin = graph ? 0 : (int)g->length - 1;
    struct text title = {0};
    text_append_format(&title, "%s: ", table);
    label_append_line(&title, g, false);
    plot_panel(p, plot_text(p, &title),
               (struct plot_axis){.label = graph ? "steps from i to j; last: no path" : "j - i",
                                  .scale = PLOT_WHOLE},
               (struct plot_axis){.label = table});
    text_close(&title);
    for (int k = 0; k < t->heads && k < CURVES_MAX; k++) {
        plot_series(p, t->head[k].name, PLOT_LINE);
        for (int r = 0; r < t->head[k].relations; r++)
            plot_point(p, plot_value(r - origin, t->head[k].value[r]));
    }
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
    struct plot p = {.sink = sink, .view = v, .e = e};
    int code = 0;
    text_append(&p.what, "learned B and C");
    text_append(&p.note, "first seed only; a line per head; no band");
    for (int k = 0; !code && k < 2 * v->count && !plot_full(&p); k++) {
        const struct summary_group *g = v->lines->line[v->first + k / 2].all;
        struct learned table;
        struct err why = {0};
        if (!has_order(g))
            continue;
        if (learned_open(&table, g, k % 2 ? "c" : "b", &why))
            code = figure_fail(sink, sink->name, &why, e);
        else if (table.heads)
            add_curves(&p, g, k % 2 ? "C" : "B", &table);
        learned_close(&table);
    }
    return plot_finish(&p, code);
}

const struct figure figure_tables = {
    "tables", "learned B and C over j - i, or over steps on a graph", draw, NULL};

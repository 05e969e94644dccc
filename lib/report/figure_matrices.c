/* Learned B (added to the logits) and C (multiplied into the attention) as matrices: a panel per
 * table, layer and head.
 *
 *   sequence: query i downwards, key j to the right, the table's value for relation(i,j)
 *   grid:     dy downwards, dx to the right: the table itself
 *
 * Colours diverge from what changes nothing, 0 for B and 1 for C, and mean the same on all panels of
 * a table; the title says what, since a scale would be most of each drawing.
 *
 * Invariant: only spaces of one or two axes are shown, whose relations are offsets. */
#include <math.h>

#include "base/memory.h"
#include "mask/mask.h"
#include "report/label.h"
#include "report/learned.h"
#include "report/plot.h"

enum { HEADS_SHOWN = 4, PAGES = 2, POSITIONS_SHOWN = 128 };

struct table_kind {
    const char *column, *name;
    double neutral; /* the value that changes nothing */
};
/* C first: where there is one, the figure is about it. */
static const struct table_kind table_kinds[] = {{"c", "C", 1}, {"b", "B", 0}};
enum { KINDS = sizeof table_kinds / sizeof *table_kinds };

/* ---- where relations lie ----------------------------------------------------------------------*/
/* Of long sequences the first positions are shown, which have every relation that is not far. */
static void measure(struct plot_heat *h, const struct layout *l)
{
    int shown = l->n < POSITIONS_SHOWN ? l->n : POSITIONS_SHOWN;
    *h = (struct plot_heat){.rows = shown, .columns = shown, .top = 1, .left = 1};
    if (l->axes == 2) {
        h->top = 1 - layout_extent(l, 0);
        h->left = 1 - layout_extent(l, 1);
        h->rows = 1 - 2 * h->top;
        h->columns = 1 - 2 * h->left;
    }
}

/* h->value; NaN for what the mask hides. */
static void fill(struct plot_heat *h, const struct layout *l, const struct kind_config *mask,
                 const double *value)
{
    bool (*sees)(const struct kind_config *, const struct layout *, int) = mask_of(mask)->sees;
    int places = l->axes == 2 ? l->relations : h->rows * h->columns;
    for (int k = 0; k < places; k++) {
        int i = k / h->columns, j = k % h->columns, r = k;
        if (l->axes == 2)
            i = l->offset[2 * k] - h->top, j = l->offset[2 * k + 1] - h->left;
        else
            r = layout_relation(l, i, j);
        h->value[i * h->columns + j] = sees && !sees(mask, l, r) ? NAN : value[r];
    }
}

/* Largest distance from the neutral value in the table; 1 where every value is neutral. */
static double largest_distance(const struct learned *t, double neutral)
{
    double largest = 0;
    for (int k = 0; k < t->heads; k++)
        for (int r = 0; r < t->head[k].relations; r++)
            if (isfinite(t->head[k].value[r]))
                largest = fmax(largest, fabs(t->head[k].value[r] - neutral));
    return largest > 0 ? largest : 1;
}

/* ---- panels -----------------------------------------------------------------------------------*/
static int add_panel(struct plot *p, const struct summary_group *g, const struct layout *l,
                     const struct table_kind *kind, const struct learned_head *head, double reach)
{
    char low[TEXT_NUMBER_MAX], high[TEXT_NUMBER_MAX];
    struct text title = {0};
    struct plot_heat h;
    measure(&h, l);
    h.low = kind->neutral - reach;
    h.high = kind->neutral + reach;
    h.value = memory_alloc((size_t)h.rows * (size_t)h.columns, sizeof *h.value, p->e);
    if (!h.value)
        return ERR_MEMORY;
    fill(&h, l, &g->cell->task.model.mask, head->value);
    text_append_format(&title, "%s, %s, %s to %s: ", kind->name, head->name,
                       text_from_double(low, h.low, 3), text_from_double(high, h.high, 3));
    label_append_line(&title, g, false);
    plot_panel(p, plot_text(p, &title),
               (struct plot_axis){.label = l->axes == 2 ? "dx" : "key j", .scale = PLOT_WHOLE},
               (struct plot_axis){.label = l->axes == 2 ? "dy" : "query i", .scale = PLOT_WHOLE});
    plot_heat(p, h);
    text_close(&title);
    return 0;
}

static int add_table(struct plot *p, const struct summary_group *g, const struct layout *l,
                     const struct table_kind *kind, const struct learned *t)
{
    double reach = largest_distance(t, kind->neutral);
    int code = 0;
    for (int k = 0, shown = 0; !code && k < t->heads && !plot_full(p); k++) {
        shown = k && t->head[k].layer != t->head[k - 1].layer ? 0 : shown;
        if (shown++ < HEADS_SHOWN)
            code = add_panel(p, g, l, kind, &t->head[k], reach);
    }
    return code;
}

/* Both tables of a line.  A file that is not what it should be is said, and left out. */
static int open_tables(struct learned table[KINDS], const struct summary_group *g, int relations,
                       struct err *e)
{
    int code = 0;
    for (int m = 0; !code && m < KINDS; m++) {
        code = learned_open(&table[m], g, table_kinds[m].column, e);
        for (int k = 0; !code && k < table[m].heads; k++)
            if (table[m].head[k].relations != relations)
                code = err_set(e, ERR_FORMAT, g->row[0]->folder,
                               "table.csv has %d relations; %d were expected",
                               table[m].head[k].relations, relations);
    }
    return code;
}

/* c: lines that have a C, or those that have none. */
static int add_line(struct plot *p, const struct summary_group *g, bool c)
{
    const struct space_config *space = &g->cell->task.space;
    struct learned table[KINDS] = {{0}};
    struct arena arena;
    struct layout l;
    struct err why = {0};
    int code = arena_open(&arena, 0, p->e);
    if (!code)
        code = space_of(space)->layout(space, (int)g->length, &arena, &l, p->e);
    if (!code && open_tables(table, g, l.relations, &why))
        code = figure_fail(p->sink, p->sink->name, &why, p->e);
    for (int m = 0; !code && !why.code && m < KINDS && (table[0].heads > 0) == c; m++)
        code = add_table(p, g, &l, &table_kinds[m], &table[m]);
    for (int m = 0; m < KINDS; m++)
        learned_close(&table[m]);
    arena_close(&arena);
    return code;
}

/* Panels side by side: the heads of a layer; 0 where there is one head. */
static int columns_for(const struct figure_view *v)
{
    int most = 1;
    for (int k = 0; k < v->count; k++) {
        int heads = figure_group(v, k)->cell->task.model.heads;
        most = heads > most ? heads : most;
    }
    return most == 1 ? 0 : most < HEADS_SHOWN ? most : HEADS_SHOWN;
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    struct plot p = {.sink = sink, .view = v, .columns = columns_for(v), .pages = PAGES, .e = e};
    int code = 0;
    text_append(&p.what, "learned C and B as matrices");
    text_append(&p.note, "first seed only; blue to orange as given, white in between: 1 for C, 0 for B, "
                         "which change nothing; grey: masked");
    for (int k = 0; !code && k < 2 * v->count && !plot_full(&p); k++) {
        const struct summary_group *g = v->lines->line[v->first + k % v->count].all;
        if (g && g->length == space_positions(&g->cell->task.space) &&
            space_of(&g->cell->task.space)->axes > 0)
            code = add_line(&p, g, k < v->count);
    }
    return plot_finish(&p, code);
}

const struct figure figure_matrices = {"matrices", "learned B and C as matrices", draw, NULL};

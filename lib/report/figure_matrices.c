/* Learned B (added to the logits) and C (multiplied into the attention) as matrices: a panel per
 * table, layer and head, a row of panels per line and layer.
 *
 *   sequence: query i downwards, key j to the right, the table's value for relation(i,j)
 *   grid:     dy downwards, dx to the right: the table itself
 *
 * Colours diverge from what changes nothing, 0 for B and 1 for C, and mean the same on all panels of
 * a table; the title says what, since a scale would be most of each drawing.
 *
 * Invariant: only spaces of one or two axes are shown, whose relations are offsets. */
#include <math.h>

#include "report/figure_panels.h"
#include "report/learned.h"

enum { HEADS_SHOWN = 4, ROWS = 4, PAGES = 2, POSITIONS_SHOWN = 128, COLOURS = 33,
       TICS = 4 };

struct table_kind {
    const char *column, *name;
    double neutral; /* the value that changes nothing */
};
/* C first: where there is one, the figure is about it. */
static const struct table_kind table_kinds[] = {{"c", "C", 1}, {"b", "B", 0}};
enum { KINDS = sizeof table_kinds / sizeof *table_kinds };

/* ---- where relations lie ----------------------------------------------------------------------*/
/* What a panel shows at (row, column): relation origin + down * row + right * column. */
struct picture {
    int rows, columns, relations;
    int origin, down, right;      /* of relation ids */
    int top, left;                /* what the first row and column stand for */
    const char *vertical, *horizontal;
    bool causal;                  /* relations to later keys are masked */
};

/* relation(i,j) = j - i + n-1 (space/space.h); of long sequences the first positions, which have
 * every relation that is not far. */
static void picture_sequence(struct picture *p, int n, bool causal)
{
    int shown = n < POSITIONS_SHOWN ? n : POSITIONS_SHOWN;
    *p = (struct picture){.rows = shown, .columns = shown, .relations = 2 * n - 1,
                          .origin = n - 1, .down = -1, .right = 1, .top = 1, .left = 1,
                          .vertical = "query i", .horizontal = "key j", .causal = causal};
}

/* Relations of a grid are the rows of the picture, one after the other (space/grid.c). */
static void picture_grid(struct picture *p, int height, int width)
{
    int rows = 2 * height - 1, columns = 2 * width - 1;
    *p = (struct picture){.rows = rows, .columns = columns, .relations = rows * columns,
                          .down = columns, .right = 1, .top = 1 - height, .left = 1 - width,
                          .vertical = "dy", .horizontal = "dx"};
}

static int size_of(const struct summary_group *g, const char *key)
{
    char value[32];
    int64_t size;
    return spec_value(g->cell, key, value, sizeof value) && text_to_int64(value, &size) ? (int)size
                                                                                        : 0;
}

/* false for spaces without such a picture. */
static bool picture_of(struct picture *p, const struct summary_group *g)
{
    const struct task *t = &g->cell->task;
    int axes = space_of(&t->space)->axes;
    if (axes == 1)
        picture_sequence(p, (int)g->length, mask_of(&t->model.mask)->past);
    else if (axes == 2)
        picture_grid(p, size_of(g, "space.height"), size_of(g, "space.width"));
    return axes == 1 || axes == 2;
}

static int relation_at(const struct picture *p, int row, int column)
{
    if (p->causal && column > row)
        return -1;
    return p->origin + p->down * row + p->right * column;
}

/* ---- values -----------------------------------------------------------------------------------*/
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

static void append_value(struct text *out, const struct learned_head *h, int relation)
{
    if (relation < 0 || !isfinite(h->value[relation]))
        text_append(out, " NaN");
    else
        figure_append_number(out, h->value[relation]);
}

/* About four tics on an axis, the first one at its start. */
static int tic_step(int count) { return count > TICS ? (count - 1) / TICS : 1; }

/* ---- panels -----------------------------------------------------------------------------------*/
static int append_panel(struct panels *p, const struct picture *picture,
                        const struct table_kind *kind, const char *label,
                        const struct learned_head *h, double reach, struct err *e)
{
    struct text title = {0}, *out = &p->body;
    text_append_format(out, "$matrix << EOD\n");
    for (int i = 0; i < picture->rows; i++) {
        for (int j = 0; j < picture->columns; j++)
            append_value(out, h, relation_at(picture, i, j));
        text_append(out, "\n");
    }
    text_append_format(&title, "%s, ", kind->name);
    learned_append_name(&title, h, ", ");
    text_append_format(&title, ", %.2f to %.2f: %s", kind->neutral - reach, kind->neutral + reach,
                       label);
    out->failed |= title.failed;
    int code = text_check(out, e);
    if (!code) {
        text_append(out, "EOD\n");
        panels_append_title(p, title.data);
        text_append_format(out,
                           "set ylabel '%s'\nset xlabel '%s'\nset cbrange [%.6g:%.6g]\n"
                           "set xtics %d,%d\nset ytics %d,%d\n"
                           "set xrange [%g:%g]\nset yrange [%g:%g]\n"
                           "plot $matrix matrix using ($1+%d):($2+%d):3 with image notitle\n",
                           picture->vertical, picture->horizontal, kind->neutral - reach,
                           kind->neutral + reach, picture->left, tic_step(picture->columns),
                           picture->top, tic_step(picture->rows), picture->left - 0.5,
                           picture->left + picture->columns - 0.5,
                           picture->top + picture->rows - 0.5, picture->top - 0.5, picture->left,
                           picture->top);
        code = panels_next(p, e);
    }
    text_close(&title);
    return code;
}

/* A row of panels per layer. */
static int draw_table(struct panels *p, const struct picture *picture,
                      const struct table_kind *kind, const char *label, const struct learned *t,
                      struct err *e)
{
    double reach = largest_distance(t, kind->neutral);
    int code = 0;
    for (int k = 0, shown = 0; !code && k < t->heads && !panels_full(p); k++) {
        if (k && t->head[k].layer != t->head[k - 1].layer)
            shown = 0;
        if (shown++ < HEADS_SHOWN)
            code = append_panel(p, picture, kind, label, &t->head[k], reach, e);
        if (!code && p->columns && (k + 1 == t->heads || t->head[k].layer != t->head[k + 1].layer))
            code = panels_end_row(p, e);
    }
    return code;
}

/* A table that is not the space's. */
static int check_size(const struct learned *t, const struct picture *picture,
                      const struct summary_group *g, struct err *e)
{
    for (int k = 0; k < t->heads; k++)
        if (t->head[k].relations != picture->relations)
            return err_set(e, ERR_FORMAT, g->cell->id,
                           "table.csv has %d relations; %d were expected", t->head[k].relations,
                           picture->relations);
    return 0;
}

static int draw_line(struct panels *p, const struct summary_group *g, const struct picture *picture,
                     struct err *e)
{
    struct text label = {0};
    label_append_line(&label, g, false);
    int code = text_check(&label, e);
    for (int k = 0; !code && k < KINDS && !panels_full(p); k++) {
        struct learned table;
        struct err why = {0};
        if (learned_open(&table, g, table_kinds[k].column, &why) ||
            check_size(&table, picture, g, &why))
            code = figure_fail(p->sink, p->sink->name, &why, e);
        else
            code = draw_table(p, picture, &table_kinds[k], label.data, &table, e);
        learned_close(&table);
    }
    text_close(&label);
    return code;
}

/* Lines of one attention. */
static int draw_lines(struct panels *p, int attention, struct err *e)
{
    const struct figure_view *v = p->view;
    int code = 0;
    for (int k = 0; !code && k < v->count && !panels_full(p); k++) {
        const struct summary_group *g = v->lines->line[v->first + k].all;
        struct picture picture;
        if (!g || g->length != space_positions(&g->cell->task.space) ||
            g->cell->task.model.attention != attention)
            continue;
        if (picture_of(&picture, g))
            code = draw_line(p, g, &picture, e);
    }
    return code;
}

/* Panels side by side: the heads of a layer; 0 where there is one head. */
static int columns_for(const struct figure_view *v)
{
    int64_t most = 1;
    for (int k = 0; k < v->count; k++) {
        const struct summary_group *g = report_line_any(&v->lines->line[v->first + k]);
        if (g->cell->task.model.heads > most)
            most = g->cell->task.model.heads;
    }
    return most == 1 ? 0 : most < HEADS_SHOWN ? (int)most : HEADS_SHOWN;
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    char settings[512];
    struct panels p = {.sink = sink,
                       .view = v,
                       .kind = figure_matrices.name,
                       .what = "learned C and B as matrices",
                       .band = "first seed only; no band; blue to orange as given, white in "
                               "between: 1 for C, 0 for B, which change nothing; grey: masked",
                       .settings = settings,
                       .columns = columns_for(v),
                       .rows = ROWS,
                       .pages = PAGES};
    snprintf(settings, sizeof settings,
             "set palette maxcolors %d defined (-1 '#0072B2', 0 '#FFFFFF', 1 '#D55E00')\n"
             "set object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#BBBBBB' fs solid "
             "noborder\nunset colorbox\nunset grid\nset tics out nomirror\nset ylabel offset 0.5\n"
             "set xlabel offset 0,0.5\nset size ratio -1\nset lmargin 7\nset rmargin 1\n"
             "set tmargin 3.5\nset bmargin 3\n",
             COLOURS);
    int code = draw_lines(&p, MODEL_URPE, e);
    if (!code)
        code = draw_lines(&p, MODEL_RPE, e);
    if (!code)
        code = panels_finish(&p, e);
    panels_close(&p);
    return code;
}

const struct figure figure_matrices = {"matrices", "learned B and C as matrices", draw};

/* Two values of an axis side by side, line by line, and what lies between them: the difference of the
 * two cells of each seed, which see the same data and start from the same shared weights.
 *
 *     text alibi  |   + o        |     |--o--|        o rpe   + urpe, with bars over seeds
 *     text t5     |       o      |  |     -o-         right: rpe - urpe; above 0 C helps
 *                   bits per byte   0
 *
 * A page per pair of values (report/pair.h).  Invariant: a difference is taken within a seed, so what
 * the seed does to both cancels. */
#include <math.h>
#include <string.h>

#include "report/label.h"
#include "report/pair.h"
#include "report/plot.h"

enum { ROWS_MAX = 60, VALUE_SIZE = 512 };
#define APART 0.15 /* of the marks of a row, so that neither hides the other */

/* The row of a pair, or of a line that has no partner: then the other side is NULL. */
static int add_row(struct plot *p, const struct group_pair *pair)
{
    const char *const except[] = {pair->pair->key, NULL};
    const char *measure = report_lines_measure(p->view->lines);
    char number[TEXT_NUMBER_MAX];
    struct text label = {0}, title = {0};
    int code = 0, row = p->rows + 1;
    label_append(&label, pair->side[pair->side[1] != NULL], except);
    if (p->view->lines->lengths)
        text_append_format(&label, " n=%s",
                           length_text(number, pair->side[pair->side[1] != NULL]->length));
    plot_row(p, plot_text(p, &label));
    plot_panel(p, measure, (struct plot_axis){0},
               (struct plot_axis){.label = measure, .scale = PLOT_EITHER});
    for (int side = 0; !code && side < 2; side++) {
        struct line_figures f;
        code = pair->side[side] ? line_figures_of(pair->side[side], &f, p->e) : 0;
        plot_series(p, pair->pair->value[side], PLOT_POINTS);
        if (!code && pair->side[side])
            plot_point(p, plot_error(row + (side ? APART : -APART), &f));
    }
    text_append_format(&title, "%s - %s", pair->pair->value[0], pair->pair->value[1]);
    plot_panel(p, plot_text(p, &title), (struct plot_axis){0},
               (struct plot_axis){.label = "difference within a seed", .zero = true});
    plot_series(p, "", PLOT_SQUARES);
    if (!code && pair->side[0] && pair->side[1]) {
        struct interval i;
        code = pair_difference(pair, NULL, &i, p->e);
        plot_point(p, (struct plot_point){row, i.mean, i.low, i.high, NAN, NAN});
    }
    text_close(&label);
    text_close(&title);
    return code;
}

/* Which side a group is on; -1: it has another value. */
static int side_of(const struct pair *pair, const struct summary_group *g)
{
    char value[VALUE_SIZE];
    if (!spec_value(g->cell, pair->key, value, sizeof value))
        return -1;
    return strcmp(value, pair->value[0]) == 0 ? 0 : strcmp(value, pair->value[1]) == 0 ? 1 : -1;
}

/* The rows of a line: the first side has its place beside each of its partners. */
static int add_line(struct plot *p, const struct group_pairs *all, const struct pair *pair,
                    const struct summary_group *g)
{
    struct group_pair alone = {pair, {NULL, NULL}};
    int side = side_of(pair, g), code = 0;
    bool found = false;
    for (int m = 0; !code && m < all->count && side >= 0; m++) {
        if (all->match[m].pair != pair || all->match[m].side[side] != g)
            continue;
        found = true;
        if (side == 1 && p->rows < ROWS_MAX)
            code = add_row(p, &all->match[m]);
    }
    if (found || side < 0 || code || p->rows == ROWS_MAX)
        return code;
    alone.side[side] = g;
    return add_row(p, &alone);
}

static int draw_pair(struct figure_sink *sink, const struct figure_view *v, const struct group_pairs *all,
                     const struct pair *pair, int number, struct err *e)
{
    struct plot p = {.sink = sink, .view = v, .columns = 2, .lines = 1, .pages = 1, .number = number,
                     .e = e};
    int code = 0;
    text_append_format(&p.what, "%s, and the difference by seed", report_lines_measure(v->lines));
    text_append(&p.note, "all inputs; ");
    figure_append_bars(&p.note, v);
    text_append_format(&p.note, "\nright: %s - %s within each seed; above 0 %s has the smaller error",
                       pair->value[0], pair->value[1], pair->value[1]);
    for (int k = 0; !code && k < v->count; k++)
        code = add_line(&p, all, pair, figure_group(v, k));
    if (p.rows == ROWS_MAX)
        text_append_format(&p.note, "; no more than %d lines, all are in summary.csv", ROWS_MAX);
    return plot_finish(&p, code);
}

/* The groups of the view's experiment; they are neighbours. */
static const struct summary_group *experiment_groups(const struct figure_view *v, int *count)
{
    const struct summary *s = &v->lines->summary;
    int first = 0;
    while (strcmp(spec_name(s->group[first].spec), v->experiment) != 0)
        first += summary_experiment(s, first);
    *count = summary_experiment(s, first);
    return &s->group[first];
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    struct group_pairs all;
    int groups, number = 0;
    const struct summary_group *group = experiment_groups(v, &groups);
    int code = group_pairs_open(&all, group, groups, e);
    if (code)
        return code;
    for (int k = 0; !code && k < all.pairs; k++) {
        bool matched = false;
        for (int m = 0; m < all.count; m++)
            matched |= all.match[m].pair == &all.pair[k];
        if (matched)
            code = draw_pair(sink, v, &all, &all.pair[k], ++number, e);
    }
    group_pairs_close(&all);
    return code;
}

const struct figure figure_pairs = {
    "pairs", "two values of an axis, and the difference by seed", draw, NULL};

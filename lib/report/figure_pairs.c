/* Two values of an axis side by side, line by line, and what lies between them: the difference of the
 * two cells of each seed, which see the same data and start from the same shared weights.
 *
 *     text alibi  |   + o        |     |--o--|        o rpe   + urpe, with t intervals
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

struct row { /* a pair, or a line that has no partner: then the other side is NULL */
    struct group_pair pair;
    struct line_figures error[2];
    struct interval difference;
};

struct rows {
    const struct figure_view *view;
    const struct pair *pair;
    struct row row[ROWS_MAX];
    int count, matched;
    bool left_out;
};

/* ---- rows -------------------------------------------------------------------------------------*/
static int add_row(struct rows *r, const struct group_pair *pair, struct err *e)
{
    if (r->count == ROWS_MAX) {
        r->left_out = true;
        return 0;
    }
    struct row *row = &r->row[r->count++];
    int code = 0;
    *row = (struct row){.pair = *pair, .difference = stats_interval(NULL, 0)};
    for (int side = 0; !code && side < 2; side++) {
        row->error[side].error = stats_interval(NULL, 0);
        if (pair->side[side])
            code = line_figures_of(pair->side[side], &row->error[side], e);
    }
    if (code || !pair->side[0] || !pair->side[1])
        return code;
    r->matched++;
    return pair_difference(pair, NULL, &row->difference, e);
}

/* Which side a group is on; -1: it has another value. */
static int side_of(const struct pair *pair, const struct summary_group *g)
{
    char value[VALUE_SIZE];
    if (!spec_value(g->cell, pair->key, value, sizeof value))
        return -1;
    return strcmp(value, pair->value[0]) == 0 ? 0 : strcmp(value, pair->value[1]) == 0 ? 1 : -1;
}

/* The first side has its place beside each of its partners. */
static int find_rows(struct rows *r, const struct group_pairs *all, struct err *e)
{
    int code = 0;
    for (int k = 0; !code && k < r->view->count; k++) {
        const struct summary_group *g = figure_group(r->view, k);
        struct group_pair alone = {r->pair, {NULL, NULL}};
        int side = side_of(r->pair, g);
        bool found = side < 0;
        for (int m = 0; !code && m < all->count; m++) {
            if (all->match[m].pair != r->pair || side < 0 || all->match[m].side[side] != g)
                continue;
            found = true;
            if (side == 1)
                code = add_row(r, &all->match[m], e);
        }
        if (found || code)
            continue;
        alone.side[side] = g;
        code = add_row(r, &alone, e);
    }
    return code;
}

/* ---- the plot ---------------------------------------------------------------------------------*/
static void add_labels(struct plot *p, const struct rows *r)
{
    const char *const except[] = {r->pair->key, NULL};
    struct text label = {0};
    for (int k = 0; k < r->count; k++) {
        const struct summary_group *g = r->row[k].pair.side[r->row[k].pair.side[1] != NULL];
        text_clear(&label);
        label_append(&label, g, except);
        if (r->view->lines->lengths)
            text_append_format(&label, " n=%lld", (long long)g->length);
        plot_row(p, plot_text(p, &label));
    }
    text_close(&label);
}

static void add_errors(struct plot *p, const struct rows *r)
{
    struct plot_axis axis = {.label = report_lines_measure(r->view->lines), .scale = PLOT_LINEAR};
    double low = INFINITY, high = -INFINITY;
    for (int k = 0; k < 2 * r->count; k++) {
        low = fmin(low, r->row[k / 2].error[k % 2].error.mean);
        high = fmax(high, r->row[k / 2].error[k % 2].error.mean);
    }
    if (low > 0 && high > 10 * low)
        axis.scale = PLOT_LOG;
    plot_panel(p, axis.label, (struct plot_axis){0}, axis);
    for (int k = 0; k < 2 * r->count; k++) {
        plot_series(p, r->pair->value[k % 2], PLOT_POINTS);
        plot_point(p, plot_error(k / 2 + 1 + (k % 2 ? APART : -APART), &r->row[k / 2].error[k % 2]));
    }
}

static void add_differences(struct plot *p, const struct rows *r, const char *title)
{
    plot_panel(p, title, (struct plot_axis){0},
               (struct plot_axis){.label = "difference within a seed", .zero = true});
    plot_series(p, "", PLOT_SQUARES);
    for (int k = 0; k < r->count; k++) {
        const struct interval *i = &r->row[k].difference;
        plot_point(p, (struct plot_point){k + 1, i->mean, i->low, i->high, NAN, NAN});
    }
}

static int draw_rows(struct figure_sink *sink, const struct rows *r, int number, struct err *e)
{
    const char *a = r->pair->value[0], *b = r->pair->value[1];
    struct plot p = {.sink = sink, .view = r->view, .columns = 2, .lines = 1, .pages = 1,
                     .number = number, .e = e};
    struct text title = {0};
    text_append_format(&p.what, "%s, and the difference by seed", report_lines_measure(r->view->lines));
    text_append_format(&p.note, "all inputs; marks: mean over seeds; bars: 95 %% t interval over seeds\n"
                                "right: %s - %s within each seed; above 0 %s has the smaller error%s",
                       a, b, b, r->left_out ? "; further lines are in the CSV files" : "");
    text_append_format(&title, "%s - %s", a, b);
    add_labels(&p, r);
    add_errors(&p, r);
    add_differences(&p, r, plot_text(&p, &title));
    text_close(&title);
    return plot_finish(&p, 0);
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
    struct rows *r = memory_alloc(1, sizeof *r, e);
    int groups, number = 0;
    const struct summary_group *group = experiment_groups(v, &groups);
    int code = r ? group_pairs_open(&all, group, groups, e) : ERR_MEMORY;
    if (code) {
        memory_free(r);
        return code;
    }
    for (int k = 0; !code && k < all.pairs; k++) {
        *r = (struct rows){.view = v, .pair = &all.pair[k]};
        code = find_rows(r, &all, e);
        if (!code && r->matched)
            code = draw_rows(sink, r, ++number, e);
    }
    group_pairs_close(&all);
    memory_free(r);
    return code;
}

const struct figure figure_pairs = {"pairs", "two values of an axis, and the difference by seed", draw, NULL};

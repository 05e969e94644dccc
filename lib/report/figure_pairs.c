/* RPE beside URPE, line by line, and what C makes of it: the difference of the two cells of each
 * seed, which see the same data and start from the same shared weights.
 *
 *     text alibi  |   + o        |     |--o--|        o rpe   + urpe, with t intervals
 *     text t5     |       o      |  |     -o-         right: rpe - urpe; above 0 C helps
 *                   bits per byte   0
 *
 * Invariant: a difference is taken within a seed, so what the seed does to both cancels. */
#include <math.h>
#include <string.h>

#include "report/figure.h"
#include "report/gnuplot.h"
#include "report/listing.h"

enum { ENTRIES_MAX = 60, LINE_HEIGHT = 18, FRAME_HEIGHT = 230, WIDTH = 900, CHARACTER = 8 };
enum { LABEL_MAX = 44 };
#define APART 0.15 /* of the marks of a line, so that neither hides the other */

/* A URPE line and its RPE line, or one of them alone. */
struct entry {
    const struct summary_group *group[FIGURE_SERIES]; /* by attention; NULL: none */
};

struct pairs {
    const struct figure_view *view;
    struct entry entry[ENTRIES_MAX];
    int count, left_out; /* lines behind those that found a place */
    double low, high;    /* of the errors */
    double least, most;  /* of the differences, bars and 0 included */
};

static const struct summary_group *group_at(const struct figure_view *v, int k)
{
    return report_line_any(&v->lines->line[v->first + k]);
}

/* ---- pairs ------------------------------------------------------------------------------------*/
static bool are_paired(const struct summary_group *a, const struct summary_group *b)
{
    return a->cell->task.model.attention != b->cell->task.model.attention &&
           a->length == b->length && strcmp(a->cell->pair, b->cell->pair) == 0;
}

static const struct summary_group *partner_of(const struct figure_view *v,
                                              const struct summary_group *g)
{
    for (int k = 0; k < v->count; k++)
        if (are_paired(g, group_at(v, k)))
            return group_at(v, k);
    return NULL;
}

/* An RPE line has its place beside each of its URPE lines.  Returns how many pairs there are. */
static int find_entries(struct pairs *p)
{
    int pairs = 0;
    for (int k = 0; k < p->view->count && p->count < ENTRIES_MAX; k++) {
        const struct summary_group *g = group_at(p->view, k), *partner = partner_of(p->view, g);
        int attention = g->cell->task.model.attention;
        p->left_out = p->view->count - k - 1;
        if (partner && attention == MODEL_RPE)
            continue;
        struct entry *entry = &p->entry[p->count++];
        *entry = (struct entry){0};
        entry->group[attention] = g;
        if (partner)
            entry->group[MODEL_RPE] = partner;
        pairs += partner != NULL;
    }
    return pairs;
}

/* Differences rpe - urpe of the seeds that both have. */
static int difference(const struct entry *entry, struct interval *out, struct err *e)
{
    const struct summary_group *rpe = entry->group[MODEL_RPE], *urpe = entry->group[MODEL_URPE];
    int n = 0;
    *out = stats_interval(NULL, 0);
    if (!rpe || !urpe)
        return 0;
    double *value = memory_alloc((size_t)urpe->count, sizeof *value, e);
    if (!value)
        return ERR_MEMORY;
    for (int k = 0; k < urpe->count; k++)
        for (int m = 0; m < rpe->count; m++) {
            if (strcmp(result_text(urpe->row[k], "seed"), result_text(rpe->row[m], "seed")) != 0)
                continue;
            value[n] = line_error_of(rpe->row[m]) - line_error_of(urpe->row[k]);
            n += isfinite(value[n]) != 0;
        }
    *out = stats_interval(value, n);
    memory_free(value);
    return 0;
}

/* ---- the script -------------------------------------------------------------------------------*/
/* "y mean low high"; where one seed leaves no interval, the mean three times. */
static void append_interval(struct text *out, int y, const struct interval *i)
{
    if (!isfinite(i->mean))
        return;
    text_append_format(out, "%d", y);
    figure_append_number(out, i->mean);
    figure_append_number(out, isnan(i->low) ? i->mean : i->low);
    figure_append_number(out, isnan(i->high) ? i->mean : i->high);
    text_append(out, "\n");
}

static int append_errors(struct text *out, struct pairs *p, int attention, struct err *e)
{
    text_append_format(out, "$error_%d << EOD\n", attention);
    for (int k = 0; k < p->count; k++) {
        const struct summary_group *g = p->entry[k].group[attention];
        struct line_figures f;
        int code = g ? line_figures_of(g, &f, e) : 0;
        if (code)
            return code;
        if (!g || !isfinite(f.error.mean))
            continue;
        append_interval(out, k + 1, &f.error);
        p->low = fmin(p->low, f.error.mean);
        p->high = fmax(p->high, f.error.mean);
    }
    text_append(out, "EOD\n");
    return 0;
}

static int append_data(struct text *out, struct pairs *p, struct err *e)
{
    int code = 0;
    p->low = INFINITY;
    p->high = -INFINITY;
    for (int a = 0; !code && a < FIGURE_SERIES; a++)
        code = append_errors(out, p, a, e);
    text_append(out, "$difference << EOD\n");
    for (int k = 0; !code && k < p->count; k++) {
        struct interval i;
        code = difference(&p->entry[k], &i, e);
        if (code || !isfinite(i.mean))
            continue;
        append_interval(out, k + 1, &i);
        p->least = fmin(p->least, isnan(i.low) ? i.mean : i.low);
        p->most = fmax(p->most, isnan(i.high) ? i.mean : i.high);
    }
    text_append(out, "EOD\n");
    return code;
}

static int append_labels(struct text *out, const struct pairs *p, int *widest, struct err *e)
{
    int code = 0;
    *widest = 8;
    text_append(out, "unset ytics\n");
    for (int k = 0; !code && k < p->count; k++) {
        const struct entry *entry = &p->entry[k];
        const struct summary_group *g =
            entry->group[MODEL_URPE] ? entry->group[MODEL_URPE] : entry->group[MODEL_RPE];
        struct text label = {0};
        label_append(&label, g, figure_pair_key);
        if (p->view->lines->lengths)
            text_append_format(&label, " n=%lld", (long long)g->length);
        code = text_check(&label, e);
        if (!code) {
            int columns = text_columns(label.data);
            *widest = columns > *widest ? columns : *widest;
            gnuplot_row_label(out, label.data, k + 1);
        }
        text_close(&label);
    }
    if (*widest > LABEL_MAX)
        *widest = LABEL_MAX;
    return code;
}

static void append_title(struct text *out, const struct pairs *p)
{
    struct text title = {0};
    text_append_format(&title, "%s: %s, and the difference by seed; ", p->view->experiment,
                       report_lines_measure(p->view->lines));
    figure_append_sample(&title, p->view);
    if (p->left_out)
        text_append_format(&title, "; first %d lines", p->count);
    text_append(out, "set multiplot title ");
    gnuplot_string(out, title.data ? title.data : "");
    text_append(out, " . \"\\n\" . ");
    gnuplot_string(out, "all inputs; marks: mean over seeds; bars: 95 % t interval over seeds");
    text_append(out, " . \"\\n\" . ");
    gnuplot_string(out, "right: rpe - urpe within each seed; above 0 the models with C are better");
    text_append(out, "\n");
    out->failed |= title.failed;
    text_close(&title);
}

/* Between tics, so that some five of them span the width: 1, 2 or 5 times a power of ten. */
static double tic_step(double width)
{
    double power = pow(10, floor(log10(width / 5))), times = width / 5 / power;
    return power * (times < 2 ? 2 : times < 5 ? 5 : 10);
}

static void append_panels(struct text *out, const struct pairs *p, double left)
{
    double middle = left + (0.97 - left) / 2;
    bool wide = p->low > 0 && p->high > 10 * p->low;
    text_append_format(out, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", left,
                       middle - 0.02);
    text_append(out, wide ? "set logscale x\n" : "");
    text_append_format(out, "set format x '%%g'\nset title '%s'\nplot NaN notitle",
                       report_lines_measure(p->view->lines));
    for (int a = 0; a < FIGURE_SERIES; a++)
        text_append_format(out,
                           ", \\\n  $error_%d using 2:($1%+g):3:4 with xerrorbars %s title '%s'",
                           a, a == MODEL_RPE ? -APART : APART, figure_series_style(a),
                           figure_series_name(a));
    text_append_format(out, "\nunset label\nunset key\nunset logscale x\nset lmargin at screen "
                            "%.4f\nset rmargin at screen 0.97\n",
                       middle + 0.02);
    if (p->most > p->least)
        text_append_format(out, "set xtics %g\n", tic_step(p->most - p->least));
    text_append(out, "set xrange [*<0:0<*]\nset title 'rpe - urpe'\n"
                     "set arrow from first 0,graph 0 to first 0,graph 1 nohead lw 2\n"
                     "plot NaN notitle, \\\n  $difference using 2:1:3:4 with xerrorbars pt 5 ps 0.8 "
                     "lw 1.5 lc rgb '#000000' notitle\nunset multiplot\n");
}

static int append_script(struct text *out, struct pairs *p, const char *name, struct err *e)
{
    int widest, height = FRAME_HEIGHT + LINE_HEIGHT * p->count;
    figure_append_head(out, name, WIDTH, height);
    int code = append_data(out, p, e);
    text_append_format(out, "set yrange [%d.5:0.5]\nset grid x lc rgb '#BBBBBB'\n", p->count);
    text_append_format(out, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                       1 - 100.0 / height, 85.0 / height);
    text_append(out, "set key at screen 0.5,0.01 center bottom samplen 2 horizontal\n");
    if (!code)
        code = append_labels(out, p, &widest, e);
    if (code)
        return code;
    append_title(out, p);
    append_panels(out, p, (double)(widest * CHARACTER + 20) / WIDTH);
    return text_check(out, e);
}

static int draw(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    char name[FIGURE_NAME_MAX];
    struct text script = {0};
    struct pairs *p = memory_alloc(1, sizeof *p, e);
    if (!p)
        return ERR_MEMORY;
    p->view = v;
    int code = 0;
    if (find_entries(p)) {
        figure_name(name, figure_pairs.name, v->experiment, 1);
        code = append_script(&script, p, name, e);
        if (!code)
            code = figure_put(sink, name, &script, e);
    }
    text_close(&script);
    memory_free(p);
    return code;
}

const struct figure figure_pairs = {"pairs", "RPE beside URPE, and the difference by seed", draw};

/* Error against the size of a model, its parameters, depth or width, and against the length that it is
 * evaluated at.  Where a floor holds, no size gets below it.
 *
 * Against parameters a panel holds all sizes of a target and encoding; else it holds models that are
 * alike in all else, but for what goes with that size (ffn with width, say).  Where kinds of C are
 * compared, each has a panel, and RPE, which has none, is in all of them.
 *
 * Invariant: a panel has at least two sizes of one attention; else there is nothing to compare. */
#include <math.h>
#include <string.h>

#include "report/figure_panels.h"
#include "report/gnuplot.h"

#define SMALLEST 1e-9
#define X_MARGIN 1.2 /* around what is drawn, as a factor */
#define Y_MARGIN 3.0
#define LONG_AXIS 50.0 /* the ratio of its ends */
enum { KEPT_APART_MAX = 64, LEFT_OUT_MAX = 16, VALUE_SIZE = 256, TICS_MAX = 8 };

struct size_kind {
    const char *column;   /* of results.csv */
    const char *axis;     /* its key; NULL: labels name no other size either */
    bool evaluated;       /* one model has several: not of the model, but of what it is given */
    const char *what;     /* "parameters", behind "error against" */
    const char *settings; /* gnuplot's */
};

/* What is known of a line once and for all. */
struct entry {
    struct text label; /* of its panel, but for length and subset */
    struct text plain; /* the same without the kind of C */
    double size;
};

struct sizes {
    struct panels panels;
    const struct size_kind *kind;
    struct entry *entry; /* (view->count) */
    struct point *point; /* (view->count), of one attention of one panel */
};

struct point {
    double size;
    const struct result_row *row;
    struct line_figures f;
};

static const struct summary_group *pick(const struct report_line *l, bool patterned)
{
    if (patterned)
        return l->patterned;
    return l->generic ? l->generic : l->patterned ? NULL : l->all;
}

/* ---- which lines share a panel ----------------------------------------------------------------*/
static const struct summary_group *any_at(const struct figure_view *v, int k)
{
    return report_line_any(&v->lines->line[v->first + k]);
}

/* Whether `axis` has one value for each size, so that it goes with it. */
static bool goes_with(const struct figure_view *v, const struct entry *entry, const char *axis)
{
    int first[KEPT_APART_MAX], sizes = 0; /* the first line of each size */
    char here[VALUE_SIZE], there[VALUE_SIZE];
    for (int k = 0; k < v->count; k++) {
        int at = 0;
        while (at < sizes && entry[first[at]].size != entry[k].size)
            at++;
        if (at == KEPT_APART_MAX)
            return false;
        if (at == sizes) {
            first[sizes++] = k;
            continue;
        }
        bool known = spec_value(any_at(v, k)->cell, axis, here, sizeof here);
        if (known != spec_value(any_at(v, first[at])->cell, axis, there, sizeof there))
            return false;
        if (known && strcmp(here, there) != 0)
            return false;
    }
    return true;
}

/* The axes that labels of panels leave out: the size and what goes with it. */
static void find_left_out(const struct sizes *s, const char *left_out[LEFT_OUT_MAX + 1], bool c)
{
    static const char of_c[] = "model.c";
    const struct figure_view *v = s->panels.view;
    const struct axes *axes = any_at(v, 0)->axes;
    int count = 0;
    left_out[count++] = s->kind->axis;
    left_out[count++] = figure_pair_key[0];
    for (int k = 0; k < axes->count && count < LEFT_OUT_MAX; k++) {
        const char *axis = axes->key[k], *rest = axis + strlen(of_c);
        if (axis_is_named(axis) || strcmp(axis, s->kind->axis) == 0)
            continue;
        bool is_c = strncmp(axis, of_c, strlen(of_c)) == 0 && (!*rest || *rest == '.');
        if ((is_c && !c) || goes_with(v, s->entry, axis))
            left_out[count++] = axis;
    }
    left_out[count] = NULL;
}

static int fill_entries(struct sizes *s, struct err *e)
{
    const struct figure_view *v = s->panels.view;
    const char *left_out[LEFT_OUT_MAX + 1], *without_c[LEFT_OUT_MAX + 1];
    int code = 0;
    for (int k = 0; k < v->count; k++)
        s->entry[k].size = result_number(any_at(v, k)->row[0], s->kind->column);
    if (s->kind->axis)
        find_left_out(s, left_out, true);
    if (s->kind->axis)
        find_left_out(s, without_c, false);
    for (int k = 0; !code && k < v->count; k++) {
        const struct summary_group *g = any_at(v, k);
        struct text *label = &s->entry[k].label, *plain = &s->entry[k].plain;
        if (s->kind->axis) {
            label_append(label, g, left_out);
            label_append(plain, g, without_c);
        } else {
            text_append_format(label, "%s %s", result_text(g->row[0], "target"),
                               result_text(g->row[0], "encoding"));
            text_append(plain, label->data ? label->data : "");
        }
        code = text_check(label, e);
        if (!code)
            code = text_check(plain, e);
    }
    return code;
}

static bool is_rpe(const struct sizes *s, int k)
{
    return any_at(s->panels.view, k)->cell->task.model.attention == MODEL_RPE;
}

static bool same_length(const struct sizes *s, int a, int b)
{
    return s->kind->evaluated ||
           any_at(s->panels.view, a)->length == any_at(s->panels.view, b)->length;
}

/* Whether line k has its place in the panel that line `at` starts. */
static bool same_panel(const struct sizes *s, int at, int k)
{
    const struct entry *a = &s->entry[at], *b = &s->entry[k];
    if (!same_length(s, at, k))
        return false;
    return strcmp(a->label.data, b->label.data) == 0 ||
           (is_rpe(s, k) && strcmp(a->plain.data, b->plain.data) == 0);
}

/* Whether line k is of RPE and only shown in the panels of kinds of C. */
static bool is_elsewhere(const struct sizes *s, int k)
{
    bool found = false;
    for (int m = 0; is_rpe(s, k) && m < s->panels.view->count; m++) {
        if (is_rpe(s, m) || !same_panel(s, m, k))
            continue;
        if (strcmp(s->entry[m].label.data, s->entry[k].label.data) == 0)
            return false;
        found = true;
    }
    return found;
}

/* Whether an earlier line has the same panel. */
static bool is_repeated(const struct sizes *s, int k, bool patterned)
{
    const struct figure_view *v = s->panels.view;
    for (int m = 0; m < k; m++)
        if (pick(&v->lines->line[v->first + m], patterned) && same_length(s, m, k) &&
            strcmp(s->entry[m].label.data, s->entry[k].label.data) == 0)
            return true;
    return false;
}

/* ---- data -------------------------------------------------------------------------------------*/
/* An axis of a panel: what is drawn as a mark or a floor; bars may leave it. */
struct range {
    double low, high;
};

static void include(struct range *r, double value)
{
    if (!isfinite(value) || value <= SMALLEST)
        return;
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

/* Not where an option of the encoding alone makes a few parameters more. */
static bool differ_in_size(const struct size_kind *kind, const struct point *a,
                           const struct point *b)
{
    static const char *const column[] = {"layers", "heads", "width", "ffn"};
    if (a->size == b->size)
        return false;
    if (kind->evaluated)
        return true;
    for (size_t k = 0; k < sizeof column / sizeof *column; k++)
        if (strcmp(result_text(a->row, column[k]), result_text(b->row, column[k])) != 0)
            return true;
    return false;
}

/* Points of one attention in the panel of line `at`; *several: two of them differ in size. */
static int find_points(struct sizes *s, int at, bool patterned, int attention, int *points,
                       bool *several, struct err *e)
{
    const struct figure_view *v = s->panels.view;
    *points = 0;
    *several = false;
    for (int k = 0; k < v->count; k++) {
        const struct summary_group *here = pick(&v->lines->line[v->first + k], patterned);
        if (!here || here->cell->task.model.attention != attention || !same_panel(s, at, k))
            continue;
        struct point *p = &s->point[*points];
        p->size = s->entry[k].size;
        int code = line_figures_of(here, &p->f, e);
        if (code)
            return code;
        if (!(p->size > 0) || !(p->f.error.mean > SMALLEST))
            continue;
        p->row = here->row[0];
        *several |= differ_in_size(s->kind, p, &s->point[0]);
        ++*points;
    }
    return 0;
}

static void append_interval(struct text *out, double mean, double low, double high)
{
    figure_append_number(out, isnan(low) ? mean : fmax(low, SMALLEST));
    figure_append_number(out, isnan(high) ? mean : high);
}

/* "size error", low and high over seeds, low and high of the sampling error; "size floor"; *floors
 * of the latter. */
static void append_data(struct text *out, const struct point *p, int points, int attention,
                        struct range *across, struct range *range, int *floors)
{
    *floors = 0;
    text_append_format(out, "$data_%d << EOD\n", attention);
    for (int k = 0; k < points; k++) {
        const struct interval *i = &p[k].f.error;
        include(across, p[k].size);
        include(range, i->mean);
        include(range, p[k].f.floor.mean);
        figure_append_number(out, p[k].size);
        figure_append_number(out, i->mean);
        append_interval(out, i->mean, i->low, i->high);
        append_interval(out, i->mean, p[k].f.sampling_low, p[k].f.sampling_high);
        text_append(out, "\n");
    }
    text_append_format(out, "EOD\n$floor_%d << EOD\n", attention);
    for (int k = 0; k < points; k++) {
        if (!(p[k].f.floor.mean > SMALLEST))
            continue;
        figure_append_number(out, p[k].size);
        figure_append_number(out, p[k].f.floor.mean);
        text_append(out, "\n");
        ++*floors;
    }
    text_append(out, "EOD\n");
}

/* ---- panels -----------------------------------------------------------------------------------*/
static void append_plot(struct text *out, int attention, int floors, bool tokens)
{
    const char *name = figure_series_name(attention);
    if (tokens)
        text_append_format(out,
                           ", \\\n  $data_%d using 1:2:5:6 with yerrorbars pt -1 lw 7 lc rgb "
                           "'#A0%s' notitle",
                           attention, figure_series_colour(attention) + 1);
    text_append_format(out,
                       ", \\\n  $data_%d using 1:2 smooth unique with lines lw 2 lc rgb '%s' "
                       "notitle, \\\n  $data_%d using 1:2:3:4 with yerrorbars %s title '%s'",
                       attention, figure_series_colour(attention), attention,
                       figure_series_style(attention), name);
    if (floors) /* on top: where the error lies on it, both are to be seen */
        text_append_format(out,
                           ", \\\n  $floor_%d using 1:2 smooth unique with lines lw 2 dt 2 lc rgb "
                           "'#000000' title 'floor of %s'",
                           attention, name);
}

/* Tics of a logarithmic axis: gnuplot labels powers of ten only, of which a short one has one or
 * none.  ends: of what is drawn, the tics where nothing rounder lies on the axis. */
static void append_tics(struct text *out, char axis, const struct range *axis_range,
                        const struct range *ends)
{
    const char *before = "(";
    double low = axis_range->low, high = axis_range->high;
    if (high / low > LONG_AXIS) {
        text_append_format(out, "set %ctics autofreq\n", axis);
        return;
    }
    text_append_format(out, "set %ctics ", axis);
    for (double ten = pow(10, floor(log10(low))); ten <= high; ten *= 10) {
        static const int step[] = {1, 2, 5};
        for (int k = 0; k < 3; k++) {
            if (step[k] * ten < low || step[k] * ten > high)
                continue;
            text_append_format(out, "%s%g", before, step[k] * ten);
            before = ", ";
        }
    }
    if (*before == '(')
        text_append_format(out, "(%g, %g", ends->low, ends->high);
    text_append(out, ")\n");
}

/* A tic for each size, where there are few. */
static bool append_size_tics(struct text *out, const struct sizes *s, int at, bool patterned)
{
    const struct figure_view *v = s->panels.view;
    double size[TICS_MAX];
    int sizes = 0;
    for (int k = 0; k < v->count; k++) {
        int m = 0;
        if (!pick(&v->lines->line[v->first + k], patterned) || !same_panel(s, at, k))
            continue;
        while (m < sizes && size[m] != s->entry[k].size)
            m++;
        if (m == TICS_MAX)
            return false;
        size[m] = s->entry[k].size;
        sizes += m == sizes;
    }
    text_append(out, "set xtics ");
    for (int m = 0; m < sizes; m++)
        text_append_format(out, "%s%g", m ? ", " : "(", size[m]);
    text_append(out, ")\n");
    return true;
}

static void append_axes(struct text *out, const struct sizes *s, int at, bool patterned,
                        const struct range *across, const struct range *range)
{
    const struct range x = {across->low / X_MARGIN, across->high * X_MARGIN};
    const struct range y = {range->low / Y_MARGIN, range->high * Y_MARGIN};
    text_append_format(out, "set xrange [%g:%g]\nset yrange [%g:%g]\n", x.low, x.high, y.low,
                       y.high);
    if (!s->kind->axis || !append_size_tics(out, s, at, patterned))
        append_tics(out, 'x', &x, across);
    append_tics(out, 'y', &y, range);
}

static void append_title(struct text *out, const struct sizes *s, int at,
                         const struct summary_group *g)
{
    text_append_format(out, "%s, %s inputs", s->entry[at].label.data,
                       result_text(g->row[0], "subset"));
    if (s->kind->evaluated)
        text_append_format(out, ", trained at n=%lld",
                           (long long)space_positions(&g->cell->task.space));
    else if (s->panels.view->lines->lengths)
        text_append_format(out, ", n = %lld", (long long)g->length);
}

static int draw_panel(struct sizes *s, int at, const struct summary_group *g, bool patterned,
                      struct err *e)
{
    struct panels *p = &s->panels;
    struct text plot = {0}, data = {0}, title = {0};
    struct range across = {INFINITY, 0}, range = across;
    bool any = false;
    int code = 0;
    for (int a = 0; !code && a < FIGURE_SERIES; a++) {
        int points, floors;
        bool several;
        code = find_points(s, at, patterned, a, &points, &several, e);
        if (code || !points)
            continue;
        any |= several;
        append_data(&data, s->point, points, a, &across, &range, &floors);
        append_plot(&plot, a, floors, p->view->lines->shares);
    }
    if (!code && any) {
        append_title(&title, s, at, g);
        p->body.failed |= plot.failed || data.failed || title.failed;
        code = text_check(&p->body, e);
    }
    if (!code && any) {
        text_append(&p->body, data.data);
        panels_append_title(p, title.data);
        append_axes(&p->body, s, at, patterned, &across, &range);
        text_append_format(&p->body, "plot NaN notitle%s\n", plot.data);
        code = panels_next(p, e);
    }
    text_close(&plot);
    text_close(&data);
    text_close(&title);
    return code;
}

static int draw_panels(struct sizes *s, struct err *e)
{
    struct panels *p = &s->panels;
    const struct figure_view *v = p->view;
    int code = 0;
    for (int k = 0; !code && k < v->count; k++)
        for (int patterned = 1; !code && patterned >= 0 && !panels_full(p); patterned--) {
            const struct summary_group *g = pick(&v->lines->line[v->first + k], patterned);
            if (g && !is_repeated(s, k, patterned) && !is_elsewhere(s, k))
                code = draw_panel(s, k, g, patterned, e);
        }
    return code ? code : panels_finish(p, e);
}

static bool has_patterns(const struct figure_view *v)
{
    for (int k = 0; k < v->count; k++)
        if (v->lines->line[v->first + k].patterned)
            return true;
    return false;
}

#define BAND "cut off at the frame; line: mean of the same size; dashed: certified floor"
#define SAMPLING "; pale bars: sampling error, 95 % Wilson interval"

static int draw(struct figure_sink *sink, const struct figure_view *v, const struct figure *figure,
                const struct size_kind *kind, struct err *e)
{
    static const char *const band[] = {
        "marks: mean over seeds; bars: 95 % t interval over seeds, " BAND,
        "marks: mean over seeds; bars: 95 % t interval over seeds, " BAND SAMPLING};
    static const char *const alone[] = {
        "marks: one seed, so no interval over seeds; dashed: certified floor",
        "marks: one seed, so no interval over seeds; dashed: certified floor" SAMPLING};
    char what[VALUE_SIZE];
    struct sizes s = {.kind = kind};
    snprintf(what, sizeof what, "%s against %s", report_lines_measure(v->lines),
             kind->what);
    s.panels = (struct panels){.sink = sink,
                               .view = v,
                               .kind = figure->name,
                               .what = what,
                               .band = band[v->lines->shares],
                               .alone = alone[v->lines->shares],
                               .settings = kind->settings,
                               .columns = has_patterns(v) ? 2 : 0};
    s.entry = memory_alloc((size_t)v->count, sizeof *s.entry, e);
    s.point = memory_alloc((size_t)v->count, sizeof *s.point, e);
    int code = s.entry && s.point ? fill_entries(&s, e) : ERR_MEMORY;
    if (!code)
        code = draw_panels(&s, e);
    panels_close(&s.panels);
    for (int k = 0; s.entry && k < v->count; k++) {
        text_close(&s.entry[k].label);
        text_close(&s.entry[k].plain);
    }
    memory_free(s.entry);
    memory_free(s.point);
    return code;
}

/* ---- the four --------------------------------------------------------------------------------*/
static int draw_params(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const struct size_kind kind = {
        "params", NULL, false, "parameters",
        "set logscale xy\nset format '%g'\nset xlabel 'parameters'\n"};
    return draw(sink, v, &figure_params, &kind, e);
}

static int draw_depth(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const struct size_kind kind = {
        "layers", "model.layers", false, "depth",
        "set logscale y\nset logscale x 2\nset format '%g'\nset xlabel 'layers'\n"};
    return draw(sink, v, &figure_depth, &kind, e);
}

static int draw_width(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const struct size_kind kind = {
        "width", "model.width", false, "width",
        "set logscale y\nset logscale x 2\nset format '%g'\nset xlabel 'width'\n"};
    return draw(sink, v, &figure_width, &kind, e);
}

static int draw_lengths(struct figure_sink *sink, const struct figure_view *v, struct err *e)
{
    static const struct size_kind kind = {
        "length", "space.length", true, "evaluated length",
        "set logscale y\nset logscale x 2\nset format '%g'\nset xlabel 'evaluated length'\n"};
    return draw(sink, v, &figure_lengths, &kind, e);
}

const struct figure figure_params = {"params", "error against parameters", draw_params};
const struct figure figure_depth = {"depth", "error against depth", draw_depth};
const struct figure figure_width = {"width", "error against width", draw_width};
const struct figure figure_lengths = {"lengths", "error against evaluated length", draw_lengths};

/* Lines of table and figures. */
#include "report/lines.h"

#include <math.h>
#include <string.h>

#include "report/listing.h"
#include "report/verdict.h"

enum { SUBSET_ALL = 0, SUBSET_GENERIC = 1 };

static bool same_line(const struct summary_group *a, const struct summary_group *b)
{
    return a->length == b->length && strcmp(a->cell->group, b->cell->group) == 0 &&
           strcmp(spec_name(a->spec), spec_name(b->spec)) == 0;
}

/* The line of a group, added where it is new.  Nearly always it is the last: rows are sorted by cell
 * before length and subset.  It is not where the first seed failed, which leaves one row alone. */
static struct report_line *line_of(struct report_lines *l, const struct summary_group *g)
{
    for (int k = l->count - 1; k >= 0; k--)
        if (same_line(report_line_any(&l->line[k]), g))
            return &l->line[k];
    l->line[l->count] = (struct report_line){0};
    return &l->line[l->count++];
}

/* ---- measures ---------------------------------------------------------------------------------*/
/* In the order of preference. */
static const struct measure measures[] = {
    {"error_rel", "", "error_rel", "floor_rel", "depth_floor_rel", "witness_rel", false, false},
    {"bits per byte", "b", "bits_per_byte", "cross_entropy_floor", "depth_cross_entropy_floor", NULL,
     true, false},
    {"share of wrong answers", "w", "accuracy", "accuracy_ceiling", "depth_accuracy_ceiling",
     "witness_accuracy", false, true},
    {"error_rms", "r", "error_rms", "floor_rms", "depth_floor_rms", "witness_rms", false, false}};
enum { MEASURES = sizeof measures / sizeof *measures };

static bool measures_row(const struct measure *m, const struct summary_group *g, int k)
{
    if (m->bytes && !target_of(&g->cell->task.target)->bytes)
        return false;
    return isfinite(result_number(g->row[k], m->error)) ||
           isfinite(result_number(g->row[k], m->floor));
}

/* The first that some seed has; NULL: none. */
static const struct measure *measure_of(const struct summary_group *g)
{
    for (int m = 0; m < MEASURES; m++)
        for (int k = 0; k < g->count; k++)
            if (measures_row(&measures[m], g, k))
                return &measures[m];
    return NULL;
}

/* A figure over the seeds' mean, the way that the more is the worse; -1: there is none. */
static double mean_badness(const struct summary_group *g, const struct measure *m, const char *column)
{
    double sum = 0;
    int count = 0;
    for (int k = 0; k < g->count; k++) {
        double value = result_number(g->row[k], column);
        if (!isfinite(value))
            continue;
        sum += m->share ? 1 - value : value;
        count++;
    }
    return count ? sum / count : -1;
}

static struct severity severity_of(const struct summary_group *g)
{
    const struct measure *m = measure_of(g);
    struct severity s = {.badness = verdict_badness(g), .floor = -1, .error = -1};
    if (m) { /* results of before have no floor of the cell's depth, which is no lower */
        s.floor = fmax(mean_badness(g, m, m->floor), mean_badness(g, m, m->depth));
        s.error = mean_badness(g, m, m->error);
    }
    return s;
}

/* ---- lines ------------------------------------------------------------------------------------*/
static void add_group(struct report_lines *l, struct report_line *line, const struct summary_group *g)
{
    if (g->subset == SUBSET_ALL)
        line->all = g;
    else if (g->subset == SUBSET_GENERIC)
        line->generic = g;
    else if (g->subset > pattern_count())
        line->shared[g->subset - pattern_count() - 1] = g;
    else if (!line->patterned)
        line->patterned = g;
    else if (g->subset > 0)
        l->further[g->subset - 1] = true;
    line->unanimous = !line->worst || (line->unanimous && verdict_same(line->worst, g));
    if (!line->worst || severity_exceeds(severity_of(g), severity_of(line->worst)))
        line->worst = g;
}

static void find_lines(struct report_lines *l)
{
    for (int k = 0; k < l->summary.groups; k++) {
        const struct summary_group *g = &l->summary.group[k];
        const struct measure *m = measure_of(g);
        add_group(l, line_of(l, g), g);
        l->lengths |= g->length != l->summary.group[0].length;
        const struct target *target = target_of(&g->cell->task.target);
        l->shares |= target_form(&g->cell->task.target).labels && !target->bytes;
        l->measures |= m ? 1u << (m - measures) : 0;
    }
}

static void find_patterned(struct report_lines *l)
{
    for (int k = 0; k < l->count; k++) {
        const struct summary_group *g = l->line[k].patterned;
        if (!g)
            continue;
        const char *name = result_text(g->row[0], "subset");
        if (l->patterned && strcmp(l->patterned, name) != 0) {
            l->patterned = NULL;
            return;
        }
        l->patterned = name;
    }
}

static int find_shared(struct report_lines *l, struct err *e)
{
    int code = 0;
    for (int k = 0; k < l->count * SHARED_KINDS && !code; k++) {
        const struct summary_group *g = l->line[k / SHARED_KINDS].shared[k % SHARED_KINDS];
        struct line_figures f;
        if (!g || l->shared[k % SHARED_KINDS])
            continue;
        code = line_figures_of(g, &f, e);
        l->shared[k % SHARED_KINDS] = !code && (f.floor.mean > 0 || (f.depth_floor.mean > 0 && f.error.n));
    }
    return code;
}

int report_lines_open(struct report_lines *l, const struct results *r, const struct spec *only,
                      struct err *e)
{
    *l = (struct report_lines){0};
    int code = summary_open(&l->summary, r, only, e);
    if (code)
        return code;
    l->line = memory_alloc((size_t)l->summary.groups, sizeof *l->line, e);
    if (!l->line) {
        summary_close(&l->summary);
        return ERR_MEMORY;
    }
    find_lines(l);
    find_patterned(l);
    code = find_shared(l, e);
    if (code)
        report_lines_close(l);
    return code;
}

void report_lines_close(struct report_lines *l)
{
    memory_free(l->line);
    summary_close(&l->summary);
    *l = (struct report_lines){0};
}

const struct summary_group *report_line_any(const struct report_line *line)
{
    const struct summary_group *g = line->all ? line->all : line->generic ? line->generic : line->patterned;
    for (int k = 0; k < SHARED_KINDS && !g; k++)
        g = line->shared[k];
    return g;
}

/* ---- figures ----------------------------------------------------------------------------------*/
static int figure_of(const struct summary_group *g, const struct measure *m, const char *column,
                     bool error, struct interval *out, struct err *e)
{
    *out = stats_interval(NULL, 0, false);
    return column ? summary_interval(g, column, m->share, error, out, e) : 0;
}

int line_figures_of(const struct summary_group *g, struct line_figures *f, struct err *e)
{
    const struct measure *m = f->measure = measure_of(g);
    f->sampling_low = f->sampling_high = NAN;
    f->error = f->floor = f->depth_floor = f->witness = stats_interval(NULL, 0, false);
    if (!m)
        return 0;
    int code = figure_of(g, m, m->error, true, &f->error, e);
    if (!code)
        code = figure_of(g, m, m->floor, false, &f->floor, e);
    if (!code)
        code = figure_of(g, m, m->depth, false, &f->depth_floor, e);
    if (!code)
        code = figure_of(g, m, m->witness, false, &f->witness, e);
    if (m->bytes)
        f->floor.mean /= log(2), f->depth_floor.mean /= log(2);
    if (m->share)
        stats_wilson(f->error.mean, f->error.n * summary_samples(g), &f->sampling_low,
                     &f->sampling_high);
    return code;
}

double line_error_of(const struct result_row *row)
{
    for (int k = 0; k < MEASURES; k++) {
        double value = result_number(row, measures[k].error);
        if (isfinite(value))
            return measures[k].share ? 1 - value : value;
    }
    return NAN;
}

/* ---- words ------------------------------------------------------------------------------------*/
static bool is_one(unsigned measures_seen)
{
    return (measures_seen & (measures_seen - 1)) == 0;
}

const char *report_lines_measure(const struct report_lines *l)
{
    for (int m = 0; m < MEASURES; m++)
        if (l->measures == 1u << m)
            return measures[m].name;
    return "error";
}

void report_lines_append_measure(struct text *out, const struct report_lines *l)
{
    const char *before = " (";
    text_append(out, report_lines_measure(l));
    for (int m = 0; m < MEASURES && !is_one(l->measures); m++)
        if (l->measures & 1u << m) {
            text_append_format(out, "%s%s%s%s", before, measures[m].mark, *measures[m].mark ? ": " : "",
                               measures[m].name);
            before = ", ";
        }
    text_append(out, is_one(l->measures) ? "" : ")");
}

const char *report_lines_mark(const struct report_lines *l, const struct line_figures *f)
{
    return is_one(l->measures) || !f->measure ? "" : f->measure->mark;
}

void report_append_interval(struct text *out, const struct interval *i, bool spread, bool unicode)
{
    struct text low = {0}, high = {0};
    double factor = i->high / i->centre, half = (i->high - i->low) / 2;
    append_short(&low, i->low);
    append_short(&high, i->high);
    bool alike = !spread || i->spread == SPREAD_NONE || !low.data || !high.data ||
                 strcmp(low.data, high.data) == 0;
    if (!alike && i->spread == SPREAD_RANGE)
        text_append_format(out, "%s..%s", low.data, high.data);
    else
        append_short(out, i->centre);
    if (!alike && i->spread == SPREAD_LOG)
        text_append_format(out, factor < 10 ? "%s%.2f" : "%s%.0f", unicode ? "×÷" : "x/", factor);
    if (!alike && i->spread == SPREAD_T) {
        text_append(out, unicode ? "±" : "+-");
        append_short(out, half);
    }
    out->failed |= low.failed || high.failed;
    text_close(&low);
    text_close(&high);
}

void report_append_spread(struct text *out, const struct summary *s, bool spread, bool unicode)
{
    int most = 0;
    for (int k = 0; k < s->groups; k++)
        most = s->group[k].count > most ? s->group[k].count : most;
    if (most < 2)
        return;
    if (!spread)
        text_append_format(out, "; %smean of %d seeds", most < STATS_INTERVAL_MIN ? "" : "geometric ",
                           most);
    else if (most < STATS_INTERVAL_MIN)
        text_append_format(out, "; a..b: least and greatest of %d seeds", most);
    else
        text_append_format(out, "; geometric mean of %d seeds %s its 95 %% interval, or a..b: "
                                "least and greatest", most, unicode ? "×÷" : "x/");
}

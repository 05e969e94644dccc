/* Lines of table and figures. */
#include "report/lines.h"

#include <math.h>
#include <string.h>

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

static void find_lines(struct report_lines *l)
{
    l->bytes = l->summary.groups > 0;
    for (int k = 0; k < l->summary.groups; k++) {
        const struct summary_group *g = &l->summary.group[k];
        struct report_line *line = line_of(l, g);
        if (g->subset == SUBSET_ALL)
            line->all = g;
        else if (g->subset == SUBSET_GENERIC)
            line->generic = g;
        else if (g->subset > pattern_count())
            line->lookahead = g;
        else if (!line->patterned)
            line->patterned = g;
        else
            l->further[g->subset - 1] = true;
        l->lengths |= g->length != l->summary.group[0].length;
        const struct target *target = target_of(&g->cell->task.target);
        l->tokens |= target->tokens;
        l->bytes &= target->bytes;
        l->shares |= target->tokens && !target->bytes;
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

static int find_ahead(struct report_lines *l, struct err *e)
{
    int code = 0;
    for (int k = 0; k < l->count && !code && !l->ahead; k++) {
        struct line_figures f;
        if (!l->line[k].lookahead)
            continue;
        code = line_figures_of(l->line[k].lookahead, &f, e);
        l->ahead = !code && (f.floor.mean > 0 || f.depth_floor.mean > 0);
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
    code = find_ahead(l, e);
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
    return line->all ? line->all : line->generic ? line->generic
           : line->patterned ? line->patterned : line->lookahead;
}

/* In the order of preference. */
static const struct measure {
    const char *error, *floor, *depth, *witness; /* columns; NULL: none */
    bool bytes;                          /* of texts alone; the floor is in nats, the error in bits */
    bool share;                          /* of right answers */
} measures[] = {{.error = "error_rel", .floor = "floor_rel", .depth = "depth_floor_rel",
                 .witness = "witness_rel"},
                {.error = "bits_per_byte", .floor = "cross_entropy_floor",
                 .depth = "depth_cross_entropy_floor", .bytes = true},
                {.error = "accuracy", .floor = "accuracy_ceiling",
                 .depth = "depth_accuracy_ceiling", .witness = "witness_accuracy", .share = true},
                {.error = "error_rms", .floor = "floor_rms", .depth = "depth_floor_rms",
                 .witness = "witness_rms"}};
enum { MEASURES = sizeof measures / sizeof *measures };

static bool measures_group(const struct measure *m, const struct summary_group *g)
{
    return !m->bytes || target_of(&g->cell->task.target)->bytes;
}

static void complement(struct interval *i)
{
    double high = i->high;
    i->mean = 1 - i->mean;
    i->high = 1 - i->low;
    i->low = 1 - high;
}

int line_figures_of(const struct summary_group *g, struct line_figures *f, struct err *e)
{
    int code = 0;
    f->sampling_low = f->sampling_high = NAN;
    for (int k = 0; !code && k < MEASURES; k++) {
        const struct measure *m = &measures[k];
        if (!measures_group(m, g))
            continue;
        f->witness = stats_interval(NULL, 0);
        code = summary_interval(g, m->error, &f->error, e);
        if (!code)
            code = summary_interval(g, m->floor, &f->floor, e);
        if (!code)
            code = summary_interval(g, m->depth, &f->depth_floor, e);
        if (!code && m->witness)
            code = summary_interval(g, m->witness, &f->witness, e);
        if (code || (!f->error.n && !f->floor.n))
            continue;
        if (m->bytes)
            f->floor.mean /= log(2), f->depth_floor.mean /= log(2);
        if (m->share) {
            complement(&f->error), complement(&f->floor);
            complement(&f->depth_floor), complement(&f->witness);
            stats_wilson(f->error.mean, f->error.n * summary_samples(g), &f->sampling_low,
                         &f->sampling_high);
        }
        break;
    }
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

const char *report_lines_measure(const struct report_lines *l)
{
    return l->bytes ? "bits per byte" : l->tokens ? "error" : "error_rel";
}

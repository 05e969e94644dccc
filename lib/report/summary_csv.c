/* summary.csv, in long form: what a line is about, then seeds, mean, deviation, interval.
 *
 * Two kinds of doubt stand apart.  `sd` and ci95_* are over seeds: initial weights, training data
 * and evaluation set differ between them, so they hold the sampling error too.  wilson95_* are the
 * sampling error alone: what an accuracy could be, given the networks, over other evaluation sets
 * of `samples` samples (of all seeds).  Positions and images of one sample are not independent, so
 * a sample counts once, which makes the interval rather too wide than too narrow.
 *
 * Invariant: an interval that does not apply is empty. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "report/rows.h"
#include "report/summary.h"

enum { DIGITS = 9 };

/* Columns of results.csv that name a group; `group` comes after the first. */
static const char *const identity[] = {
    "experiment", "target", "encoding", "attention", "space", "length", "subset",    "channels",
    "vocab",      "mask",   "layers",   "heads",     "width", "ffn",    "norm",      "precision",
    "params",     NULL};

struct figure {
    const char *column;
    bool paired; /* also as the difference rpe - urpe of each seed */
};
static const struct figure figure_table[] = {
    {"error_rms", true},      {"error_rel", true},          {"error_sup", true},
    {"error_worst", true},    {"accuracy", true},           {"accuracy_informative", true},
    {"cross_entropy", true},  {"floor_rms", false},         {"floor_rel", false},
    {"floor_sup", false},     {"floor_worst", false},       {"accuracy_ceiling", false},
    {"gap_rel", false},       {"cross_entropy_floor", false}, {"train_loss", true},
    {"bits_per_byte", true},  {"informative_ceiling", false},
};
enum { FIGURES = sizeof figure_table / sizeof *figure_table };

/* RPE rows by what they share with the URPE row of the same seed. */
struct partner {
    const char *experiment, *pair, *subset;
    int64_t length;
    const struct result_row *row;
};

static int compare_partners(const void *a, const void *b)
{
    const struct partner *left = a, *right = b;
    int order = strcmp(left->pair, right->pair);
    if (!order)
        order = strcmp(left->experiment, right->experiment);
    if (!order)
        order = (left->length > right->length) - (left->length < right->length);
    return order ? order : strcmp(left->subset, right->subset);
}

static struct partner partner_of(const struct results *r, const struct result_row *row)
{
    struct partner p = {.experiment = result_text(row, "experiment"),
                        .pair = result_cell(r, row)->pair,
                        .subset = result_text(row, "subset"),
                        .row = row};
    text_to_int64(result_text(row, "length"), &p.length);
    return p;
}

static int find_partners(const struct results *r, struct partner **out, int *count, struct err *e)
{
    struct partner *p = memory_alloc((size_t)r->rows, sizeof *p, e);
    if (!p)
        return ERR_MEMORY;
    *count = 0;
    for (int k = 0; k < r->rows; k++)
        if (strcmp(result_text(&r->row[k], "attention"), "rpe") == 0)
            p[(*count)++] = partner_of(r, &r->row[k]);
    qsort(p, (size_t)*count, sizeof *p, compare_partners);
    *out = p;
    return 0;
}

static void append_wilson(struct text *out, const struct summary_group *g, const struct interval *i,
                          bool share)
{
    double low, high, samples = share ? i->n * summary_samples(g) : 0;
    stats_wilson(i->mean, samples, &low, &high);
    csv_field_double(out, share ? samples : NAN, DIGITS);
    csv_field_double(out, low, DIGITS);
    csv_field_double(out, high, DIGITS);
}

/* Shares of right answers.  Which positions carry information is the same in every sample, so for
 * those, too, each sample counts once. */
static bool is_share(const char *figure)
{
    return strcmp(figure, "accuracy") == 0 || strcmp(figure, "accuracy_informative") == 0;
}

/* attention: NULL for the group's own figure. */
static void append_line(struct text *out, const struct summary_group *g, const char *attention,
                        const char *axes, const char *figure, const struct interval *i)
{
    if (i->n == 0)
        return;
    const struct result_row *row = g->row[0];
    for (int k = 0; identity[k]; k++) {
        bool differs = attention && strcmp(identity[k], "attention") == 0;
        csv_field(out, differs ? attention : result_text(row, identity[k]));
        if (k == 0)
            csv_field(out, g->cell->group);
    }
    csv_field(out, axes);
    csv_field(out, figure);
    csv_field_int(out, i->n);
    csv_field_double(out, i->mean, DIGITS);
    csv_field_double(out, i->sd, DIGITS);
    csv_field_double(out, i->low, DIGITS);
    csv_field_double(out, i->high, DIGITS);
    append_wilson(out, g, i, !attention && is_share(figure));
    csv_end_row(out);
}

static void append_header(struct text *out)
{
    for (int k = 0; identity[k]; k++) {
        csv_field(out, identity[k]);
        if (k == 0)
            csv_field(out, "group");
    }
    text_append(out, ",axes,figure,seeds,mean,sd,ci95_low,ci95_high,samples,wilson95_low,"
                     "wilson95_high\n");
}

/* Differences rpe - urpe of the seeds for which both are there. */
static int append_paired(struct text *out, const struct results *r, const struct summary_group *g,
                         const struct partner *partner, int partners, const char *axes,
                         const char *figure, struct err *e)
{
    double *value = memory_alloc((size_t)g->count, sizeof *value, e);
    int n = 0;
    if (!value)
        return ERR_MEMORY;
    for (int k = 0; k < g->count; k++) {
        struct partner key = partner_of(r, g->row[k]);
        const struct partner *found =
            partners ? bsearch(&key, partner, (size_t)partners, sizeof key, compare_partners)
                     : NULL;
        if (!found)
            continue;
        value[n] = result_number(found->row, figure) - result_number(g->row[k], figure);
        n += isfinite(value[n]) != 0;
    }
    struct interval i = stats_interval(value, n);
    append_line(out, g, "rpe-urpe", axes, figure, &i);
    memory_free(value);
    return 0;
}

static int append_group(struct text *out, const struct results *r, const struct summary_group *g,
                        const struct partner *partner, int partners, const char *axes,
                        struct err *e)
{
    bool urpe = strcmp(result_text(g->row[0], "attention"), "urpe") == 0;
    int code = 0;
    for (int f = 0; !code && f < FIGURES; f++) {
        struct interval i;
        code = summary_interval(g, figure_table[f].column, &i, e);
        if (!code)
            append_line(out, g, NULL, axes, figure_table[f].column, &i);
    }
    for (int f = 0; !code && urpe && f < FIGURES; f++)
        if (figure_table[f].paired)
            code = append_paired(out, r, g, partner, partners, axes, figure_table[f].column, e);
    return code;
}

int summary_csv(struct text *out, const struct results *r, struct err *e)
{
    struct summary s = {0};
    struct partner *partner = NULL;
    struct text axes = {0};
    int partners = 0, code = summary_open(&s, r, NULL, e);
    if (!code)
        code = find_partners(r, &partner, &partners, e);
    append_header(out);
    for (int k = 0; !code && k < s.groups; k++) {
        text_clear(&axes);
        axes_append(&axes, s.group[k].axes, s.group[k].cell, false);
        text_append(&axes, ""); /* so that there is a text, if an empty one */
        code = text_check(&axes, e);
        if (!code)
            code = append_group(out, r, &s.group[k], partner, partners, axes.data, e);
    }
    text_close(&axes);
    memory_free(partner);
    summary_close(&s);
    return code ? code : text_check(out, e);
}

/* summary.csv, in long form: what a line is about, then seeds, mean, deviation, interval.
 *
 * Two kinds of doubt stand apart.  `sd`, the range and ci95_* are over seeds: initial weights, training data
 * and evaluation set differ between them, so they hold the sampling error too.  wilson95_* are the
 * sampling error alone: what an accuracy could be, given the networks, over other evaluation sets
 * of `samples` samples (of all seeds).  Positions and images of one sample are not independent, so
 * a sample counts once, which makes the interval rather too wide than too narrow; which positions
 * carry information is the same in every sample, so accuracy_informative is no other.
 *
 * Invariant: an interval that does not apply is empty. */
#include <string.h>

#include "report/label.h"
#include "report/pair.h"

enum { DIGITS = 9 };

/* What a line is about: a group, or the difference of two, told by the second. */
struct subject {
    const struct summary_group *group;
    const struct pair *pair; /* NULL: the group itself */
    struct text axes, values, name;
};

/* ---- one line ---------------------------------------------------------------------------------*/
static const char *shared_field(const struct subject *s, const struct column *shared)
{
    const struct column *c = &column_table[column_index(shared->name)];
    if (s->pair && c->key && is_key(c->key, s->pair->key))
        return c->number ? "" : s->values.data;
    return result_text(s->group->row[0], c->name);
}

static void append_line(struct text *out, const struct subject *s, const struct column *figure,
                        const struct interval *i)
{
    const struct column *column = column_files[FILE_SUMMARY].column;
    struct summary_record r;
    if (i->n == 0)
        return;
    columns_clear(column, &r);
    for (const struct column *c = column; c->name; c++)
        if (c->over == OVER_SAME)
            *(const char **)(void *)((char *)&r + c->offset) = shared_field(s, c);
    r.experiment = spec_name(s->group->spec);
    r.group = s->group->cell->group;
    r.axes = s->axes.data;
    r.figure = figure->name;
    r.seeds = i->n;
    r.mean = i->mean;
    r.sd = i->sd;
    r.least = i->least;
    r.greatest = i->greatest;
    if (i->spread == SPREAD_T || i->spread == SPREAD_LOG) {
        r.ci95_low = i->low;
        r.ci95_high = i->high;
        r.interval = i->spread == SPREAD_T ? "t" : "log";
    }
    if (!s->pair && figure->over == OVER_SHARE) {
        r.samples = i->n * summary_samples(s->group);
        stats_wilson(i->mean, r.samples, &r.wilson95_low, &r.wilson95_high);
    }
    r.pair = s->pair ? s->name.data : NULL;
    columns_append(out, column, &r, NULL, DIGITS);
}

/* other: the first of the pair; its axes that the second does not have are named, too. */
static int open_subject(struct subject *s, const struct summary_group *g, const struct pair *pair,
                        const struct summary_group *other, struct err *e)
{
    s->group = g;
    s->pair = pair;
    text_clear(&s->axes);
    text_clear(&s->values);
    text_clear(&s->name);
    axes_append(&s->axes, g->axes, g->cell, NULL);
    if (pair) {
        axes_append(&s->axes, g->axes, other->cell, g->cell);
        text_append_format(&s->values, "%s-%s", pair->value[0], pair->value[1]);
        text_append_format(&s->name, "%s=%s", pair->key, s->values.data ? s->values.data : "");
    }
    s->axes.failed |= s->values.failed || s->name.failed;
    return text_check(&s->axes, e);
}

/* ---- groups -----------------------------------------------------------------------------------*/
static int append_group(struct text *out, struct subject *s, const struct summary_group *g,
                        struct err *e)
{
    struct interval i;
    int code = open_subject(s, g, NULL, NULL, e);
    for (const struct column *c = column_table; !code && c->name; c++) {
        if (c->over < OVER_MEAN || c->over > OVER_SHARE)
            continue;
        bool share = c->over == OVER_SHARE;
        code = summary_interval(g, c->name, share, share || c->over == OVER_PAIRED, &i, e);
        if (share)
            i = stats_complement(i);
        if (!code)
            append_line(out, s, c, &i);
    }
    return code;
}

static int append_difference(struct text *out, struct subject *s, const struct group_pair *p,
                             struct err *e)
{
    struct interval i;
    int code = open_subject(s, p->side[1], p->pair, p->side[0], e);
    for (const struct column *c = column_table; !code && c->name; c++) {
        if (c->over != OVER_PAIRED && c->over != OVER_SHARE)
            continue;
        code = pair_difference(p, c->name, &i, e);
        if (!code)
            append_line(out, s, c, &i);
    }
    return code;
}

static int append_experiment(struct text *out, struct subject *s, const struct summary_group *g,
                             int groups, struct err *e)
{
    struct group_pairs p;
    int next = 0, code = group_pairs_open(&p, g, groups, e);
    for (int k = 0; !code && k < groups; k++) {
        code = append_group(out, s, &g[k], e);
        for (; !code && next < p.count && p.match[next].side[1] == &g[k]; next++)
            code = append_difference(out, s, &p.match[next], e);
    }
    group_pairs_close(&p);
    return code;
}

int summary_csv(struct text *out, const struct results *r, struct err *e)
{
    struct summary s;
    struct subject subject = {0};
    int code = summary_open(&s, r, NULL, e);
    columns_append_header(out, column_files[FILE_SUMMARY].column);
    for (int k = 0, count; !code && k < s.groups; k += count) {
        count = summary_experiment(&s, k);
        code = append_experiment(out, &subject, &s.group[k], count, e);
    }
    text_close(&subject.axes);
    text_close(&subject.values);
    text_close(&subject.name);
    summary_close(&s);
    return code ? code : text_check(out, e);
}

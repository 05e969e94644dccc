/* Grouping rows over seeds.  Invariant: a row belongs to exactly one group, and groups come in the
 * order in which results.csv shows their first row. */
#include "report/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/results.h"

struct member {
    const struct result_row *row;
    const char *experiment, *group;
    int64_t length;
    int subset, position; /* of the row in the results */
    int first;            /* position of the group's first row */
};

static int compare_groups(const struct member *a, const struct member *b)
{
    int order = strcmp(a->group, b->group);
    if (!order)
        order = strcmp(a->experiment, b->experiment);
    if (!order)
        order = (a->length > b->length) - (a->length < b->length);
    return order ? order : a->subset - b->subset;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    int order = compare_groups(left, right);
    return order ? order : left->position - right->position;
}

static int compare_first(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    int order = left->first - right->first;
    return order ? order : left->position - right->position;
}

/* Members of every row that counts, sorted so that groups are runs; returns how many. */
static int find_members(const struct results *r, const struct spec *only, struct member *m)
{
    int count = 0;
    for (int k = 0; k < r->rows; k++) {
        const struct result_row *row = &r->row[k];
        if (only && !row_cell_in(row, only))
            continue;
        struct member *next = &m[count++];
        *next = (struct member){.row = row,
                                .experiment = result_text(row, "experiment"),
                                .group = result_cell(r, row)->group,
                                .subset = subset_rank(result_text(row, "subset")),
                                .position = k};
        next->length = length_of_text(result_text(row, "length"));
    }
    qsort(m, (size_t)count, sizeof *m, compare_members);
    for (int k = 0; k < count; k++)
        m[k].first = k && !compare_groups(&m[k - 1], &m[k]) ? m[k - 1].first : m[k].position;
    qsort(m, (size_t)count, sizeof *m, compare_first);
    return count;
}

int summary_open(struct summary *s, const struct results *r, const struct spec *only,
                 struct err *e)
{
    *s = (struct summary){0};
    int code = 0;
    struct member *m = memory_alloc((size_t)r->rows, sizeof *m, e);
    s->row = memory_alloc((size_t)r->rows, sizeof *s->row, e);
    s->group = memory_alloc((size_t)r->rows, sizeof *s->group, e);
    if (!m || !s->row || !s->group) {
        code = ERR_MEMORY;
        goto out;
    }
    int count = find_members(r, only, m);
    for (int k = 0; k < count; k++) {
        s->row[k] = m[k].row;
        if (k && m[k].first == m[k - 1].first) {
            s->group[s->groups - 1].count++;
            continue;
        }
        s->group[s->groups++] = (struct summary_group){.row = s->row + k,
                                                       .count = 1,
                                                       .cell = result_cell(r, m[k].row),
                                                       .spec = r->spec[m[k].row->spec],
                                                       .axes = &r->axes[m[k].row->spec],
                                                       .length = m[k].length,
                                                       .subset = m[k].subset};
    }
out:
    memory_free(m);
    if (code)
        summary_close(s);
    return code;
}

void summary_close(struct summary *s)
{
    memory_free(s->group);
    memory_free(s->row);
    *s = (struct summary){0};
}

int summary_experiment(const struct summary *s, int first)
{
    int end = first + 1;
    while (end < s->groups &&
           strcmp(spec_name(s->group[first].spec), spec_name(s->group[end].spec)) == 0)
        end++;
    return end - first;
}

const char *summary_text(const struct summary_group *g, const char *column)
{
    const char *value = "";
    for (int k = 0; k < g->count && !*value; k++)
        value = result_text(g->row[k], column);
    return value;
}

int summary_interval(const struct summary_group *g, const char *column, bool complement, bool error,
                     struct interval *out, struct err *e)
{
    double *value = memory_alloc((size_t)g->count, sizeof *value, e);
    int n = 0;
    if (!value)
        return ERR_MEMORY;
    for (int k = 0; k < g->count; k++) {
        value[n] = result_number(g->row[k], column);
        value[n] = complement ? 1 - value[n] : value[n];
        n += isfinite(value[n]) != 0;
    }
    *out = stats_interval(value, n, error);
    memory_free(value);
    return 0;
}

double summary_samples(const struct summary_group *g)
{
    const struct task *t = &g->cell->task;
    double count = 0, sets = g->length == LENGTH_ALL ? t->evaluate.lengths.count : 1;
    if (g->subset > pattern_count())
        return (double)(task_image_sets(t) * t->evaluate.images);
    for (int k = 0; pattern_table[k]; k++) {
        if (!(t->space.share[k] > 0) || (g->subset != 0 && g->subset != k + 1))
            continue;
        count += sets * (double)llround(t->space.share[k] * (double)task_samples(t));
    }
    return count;
}

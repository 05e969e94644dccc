/* Steepness near constant inputs (steep.h). */
#include "run/steep.h"

#include <math.h>

#include "base/memory.h"
#include "run/evaluate.h"

struct steep {
    const struct samples *set;
    struct samples middle; /* Z of each sample of the pattern, in their order */
    int *sample;           /* (middle.count) which one of the set */
    double *distance;      /* (middle.count) d(X, Z) */
    double *gap;           /* (middle.count) largest |y_i - y_j| over merged positions of Z */
};

/* Of rows of so many numbers. */
static double value(const double *x, int columns, int row, int column)
{
    return x[(size_t)row * (size_t)columns + (size_t)column];
}

/* ---- Z ----------------------------------------------------------------------------------------*/
/* Fills Z's tokens, rows from `to` on, for the sample in rows first..end-1; returns d(X, Z). */
static double fill_middle(struct samples *middle, int to, const struct samples *set, int first, int end)
{
    double largest = 0;
    for (int c = 0; c < set->channels; c++) {
        double low = INFINITY, high = -INFINITY;
        for (int r = first; r < end; r++) {
            low = fmin(low, value(set->x, set->channels, r, c));
            high = fmax(high, value(set->x, set->channels, r, c));
        }
        for (int r = 0; r < end - first; r++)
            middle->x[(size_t)(to + r) * (size_t)set->channels + (size_t)c] = (low + high) / 2;
    }
    for (int r = first; r < end; r++) {
        double square = 0;
        for (int c = 0; c < set->channels; c++)
            square += pow(value(set->x, set->channels, r, c) - value(middle->x, set->channels, to, c), 2);
        largest = fmax(largest, sqrt(square));
    }
    return largest;
}

static void add_middle(struct steep *s, int sample)
{
    int at = s->middle.count, first = s->set->first[sample];
    int to = samples_add(&s->middle, s->set->layout[sample], s->set->pattern[sample]);
    s->sample[at] = sample;
    s->distance[at] = fill_middle(&s->middle, to, s->set, first, s->set->first[sample + 1]);
}

/* ---- what merges there ------------------------------------------------------------------------*/
static double gap_of(const struct steep *s, int k, const int32_t *group)
{
    int first = s->middle.first[k], n = s->middle.first[k + 1] - first, from = s->set->first[s->sample[k]];
    double gap = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            for (int c = 0; c < s->set->outputs && group[first + i] == group[first + j]; c++)
                gap = fmax(gap, fabs(value(s->set->y, s->set->outputs, from + i, c) -
                                     value(s->set->y, s->set->outputs, from + j, c)));
    return gap;
}

static int find_gaps(struct steep *s, const struct task *t, struct err *e)
{
    int groups;
    int32_t *group = memory_alloc((size_t)s->middle.rows, sizeof *group, e);
    int code = group ? evaluation_merge(t, &s->middle, group, &groups, e) : ERR_MEMORY;
    for (int k = 0; k < s->middle.count && !code; k++)
        s->gap[k] = gap_of(s, k, group);
    memory_free(group);
    return code;
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int fill(struct steep *s, const struct task *t, int count, int longest, struct err *e)
{
    size_t samples = (size_t)count;
    struct model_io io = task_io(t);
    int code = arena_open(&s->middle.arena, 0, e);
    if (!code)
        code = samples_reserve(&s->middle, count, longest, &io, false, e);
    if (code)
        return code;
    s->sample = arena_alloc(&s->middle.arena, samples, sizeof *s->sample, e);
    s->distance = arena_alloc(&s->middle.arena, samples, sizeof *s->distance, e);
    s->gap = arena_alloc(&s->middle.arena, samples, sizeof *s->gap, e);
    if (!s->sample || !s->distance || !s->gap)
        return ERR_MEMORY;
    for (int k = 0; k < s->set->count; k++)
        if (s->set->pattern[k] == PATTERN_NEAR)
            add_middle(s, k);
    return find_gaps(s, t, e);
}

int steep_open(struct steep **out, const struct task *t, const struct samples *set, struct err *e)
{
    int count = 0, longest = 1;
    *out = NULL;
    for (int k = 0; k < set->count && set->channels && set->outputs; k++) {
        count += set->pattern[k] == PATTERN_NEAR;
        longest = set->layout[k]->n > longest ? set->layout[k]->n : longest;
    }
    if (!count)
        return 0;
    struct steep *s = memory_alloc(1, sizeof *s, e);
    if (!s)
        return ERR_MEMORY;
    s->set = set;
    int code = fill(s, t, count, longest, e);
    if (code)
        steep_close(s);
    else
        *out = s;
    return code;
}

void steep_close(struct steep *s)
{
    if (!s)
        return;
    samples_close(&s->middle);
    memory_free(s);
}

double steep_floor(const struct steep *s, double error_sup)
{
    double least = 0;
    for (int k = 0; k < s->middle.count; k++)
        if (s->distance[k] > 0)
            least = fmax(least, (s->gap[k] - 2 * error_sup) / (2 * s->distance[k]));
    return isnan(error_sup) ? NAN : least;
}

static double largest_change(const struct steep *s, int k, const double *y, const double *at_middle)
{
    int first = s->middle.first[k], from = s->set->first[s->sample[k]];
    double largest = 0;
    for (int i = 0; i < s->middle.first[k + 1] - first; i++)
        for (int c = 0; c < s->set->outputs; c++) {
            double change = fabs(value(y, s->set->outputs, from + i, c) -
                                 value(at_middle, s->set->outputs, first + i, c));
            largest = isnan(change) ? INFINITY : fmax(largest, change);
        }
    return largest;
}

int steep_found(const struct steep *s, struct predictor p, const double *y, double *found,
                struct err *e)
{
    size_t numbers = (size_t)s->middle.rows * (size_t)s->set->outputs;
    double *at_middle = memory_alloc(numbers, sizeof *at_middle, e);
    int code = at_middle ? p.outputs(p.self, &s->middle, at_middle, NULL, NULL, e) : ERR_MEMORY;
    *found = 0;
    for (int k = 0; k < s->middle.count && !code; k++)
        if (s->distance[k] > 0)
            *found = fmax(*found, largest_change(s, k, y, at_middle) / s->distance[k]);
    memory_free(at_middle);
    return code;
}

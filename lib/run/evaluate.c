/* Opening an evaluation: the set, its subsets, merged rows and floors; what does not depend on
 * weights is computed once, here. */
#include <math.h>
#include <string.h>

#include "run/evaluation.h"
#include "space/space.h"
#include "target/target.h"

/* ---- opening ----------------------------------------------------------------------------------*/

/* The rows whose sample has this pattern; a subset is added when there are any. */
static int add_subset(struct evaluation *ev, int pattern, struct err *e)
{
    struct subset *s = &ev->subset[ev->subsets];
    unsigned char *mask = arena_alloc(&ev->arena, (size_t)ev->rows, 1, e);
    if (!mask)
        return e->code;
    int rows = 0;
    for (int b = 0; b < ev->set.count; b++) {
        if (ev->set.pattern[b] != pattern)
            continue;
        int first = ev->set.first[b], end = ev->set.first[b + 1];
        memset(mask + first, 1, (size_t)(end - first));
        rows += end - first;
    }
    if (rows == 0)
        return 0;
    *s = (struct subset){.pattern = pattern, .mask = mask, .rows = rows};
    ev->subsets++;
    return 0;
}

static int open_subsets(struct evaluation *ev, struct err *e)
{
    ev->subset[0] = (struct subset){.pattern = -1, .rows = ev->rows};
    ev->subsets = 1;
    for (int p = 0; p < pattern_count(); p++) {
        int code = add_subset(ev, p, e);
        if (code)
            return code;
    }
    return 0;
}

/* The layout that tables are sized by. */
static int trained_layout(const struct task *t, struct arena *arena, struct layout *out,
                          struct err *e)
{
    return space_of(&t->space)->layout(&t->space, (int)t->space.length, arena, out, e);
}

int evaluation_merge(const struct task *t, const struct samples *s, int32_t *group, int *groups,
                     struct err *e)
{
    struct arena arena;
    struct layout trained;
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = trained_layout(t, &arena, &trained, e);
    if (!code) {
        struct model_class class;
        model_class_of(&t->model, &trained, &class);
        struct floor_set set = {
            .count = s->count,
            .first = s->first,
            .layout = (const struct layout *const *)s->layout,
            .channels = s->channels,
            .x = s->x,
            .token = s->channels ? NULL : s->token,
        };
        code = floor_merge(&class.floor, &set, group, groups, e);
    }
    arena_close(&arena);
    return code;
}

/* Root mean square of the target about its mean in each channel: what the best constant leaves. */
static double target_deviation(const struct evaluation *ev, const struct subset *s)
{
    int d = ev->set.channels;
    double sum = 0;
    for (int c = 0; c < d; c++) {
        double mean = 0, square = 0;
        for (int r = 0; r < ev->rows; r++)
            if (subset_has(s, r))
                mean += ev->set.y[(size_t)r * (size_t)d + (size_t)c];
        mean /= s->rows;
        for (int r = 0; r < ev->rows; r++) {
            if (!subset_has(s, r))
                continue;
            double off = ev->set.y[(size_t)r * (size_t)d + (size_t)c] - mean;
            square += off * off;
        }
        sum += square;
    }
    return sqrt(sum / ((double)s->rows * d));
}

static int open_positions(struct evaluation *ev, struct err *e)
{
    for (int b = 0; b < ev->set.count; b++) {
        int n = ev->set.first[b + 1] - ev->set.first[b];
        if (n > ev->positions)
            ev->positions = n;
    }
    size_t n = (size_t)ev->positions;
    double *share = memory_alloc((size_t)ev->rows, sizeof *share, e);
    ev->position_rows = arena_alloc(&ev->arena, n, sizeof *ev->position_rows, e);
    ev->error_square = arena_alloc(&ev->arena, n, sizeof *ev->error_square, e);
    ev->floor_square = arena_alloc(&ev->arena, n, sizeof *ev->floor_square, e);
    int code = e->code;
    if (code)
        goto out;
    code = floor_shares(ev->group, ev->groups, ev->rows, ev->set.channels, ev->set.y, NULL, share,
                        e);
    if (code)
        goto out;
    for (int b = 0; b < ev->set.count; b++) {
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++) {
            ev->position_rows[sample_position(ev, b, r)]++;
            ev->floor_square[sample_position(ev, b, r)] += share[r];
        }
    }
    for (int i = 0; i < ev->positions; i++) {
        ev->floor_square[i] /= ev->position_rows[i];
        ev->error_square[i] = NAN;
    }
out:
    memory_free(share);
    return code;
}

static int open_continuous(struct evaluation *ev, struct err *e)
{
    ev->output = arena_alloc(&ev->arena, (size_t)ev->rows,
                             (size_t)ev->set.channels * sizeof *ev->output, e);
    if (!ev->output)
        return e->code;
    for (int k = 0; k < ev->subsets; k++) {
        struct subset *s = &ev->subset[k];
        s->denominator = target_deviation(ev, s);
        int code = floor_continuous(ev->group, ev->groups, ev->rows, ev->set.channels, ev->set.y,
                                    s->mask, &s->floor, e);
        if (code)
            return code;
    }
    return open_positions(ev, e);
}

/* Rows of the table of summed logits, for groups of more than one row. */
static int open_slots(struct evaluation *ev, struct err *e)
{
    ev->slot = arena_alloc(&ev->arena, (size_t)ev->groups, sizeof *ev->slot, e);
    ev->decision = arena_alloc(&ev->arena, (size_t)ev->groups, sizeof *ev->decision, e);
    if (e->code)
        return e->code;
    for (int r = 0; r < ev->rows; r++)
        ev->slot[ev->group[r]]++;
    for (int g = 0; g < ev->groups; g++)
        ev->slot[g] = ev->slot[g] > 1 ? (int32_t)ev->slots++ : -1;
    size_t count;
    if (!memory_multiply(ev->slots, (size_t)ev->labels, &count))
        return err_set(e, ERR_MEMORY, NULL, "logits of %zu merged groups do not fit in memory",
                       ev->slots);
    ev->sum = arena_alloc(&ev->arena, count, sizeof *ev->sum, e);
    return e->code;
}

static int open_tokens(struct evaluation *ev, struct err *e)
{
    const struct target *target = target_of(&ev->task->target);
    ev->labels = task_io(ev->task).labels;
    ev->informative = arena_alloc(&ev->arena, (size_t)ev->rows, 1, e);
    ev->nats = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->nats, e);
    if (e->code)
        return e->code;
    for (int b = 0; b < ev->set.count; b++)
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++)
            ev->informative[r] = !target->informative ||
                                 target->informative(&ev->task->target, ev->set.layout[b],
                                                     sample_position(ev, b, r));
    for (int k = 0; k < ev->subsets; k++) {
        struct subset *s = &ev->subset[k];
        int code = floor_tokens(ev->group, ev->groups, ev->rows, ev->set.label, s->mask,
                                ev->informative, &s->labels, e);
        if (code)
            return code;
    }
    return open_slots(ev, e);
}

static int evaluation_prepare(struct evaluation *ev, struct err *e)
{
    int code = arena_open(&ev->arena, 0, e);
    if (code)
        return code;
    code = samples_evaluation(&ev->set, ev->task, ev->length, e);
    if (code)
        return code;
    ev->rows = ev->set.rows;
    ev->group = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->group, e);
    if (!ev->group)
        return e->code;
    code = open_subsets(ev, e);
    if (!code)
        code = evaluation_merge(ev->task, &ev->set, ev->group, &ev->groups, e);
    if (code)
        return code;
    return ev->set.channels ? open_continuous(ev, e) : open_tokens(ev, e);
}

int evaluation_open(struct evaluation **out, const struct task *t, int length, struct err *e)
{
    struct err own = {0};
    struct evaluation *ev = memory_alloc(1, sizeof *ev, e);
    *out = NULL;
    if (!ev)
        return ERR_MEMORY;
    ev->task = t;
    ev->length = length;
    int code = evaluation_prepare(ev, &own);
    if (code) {
        evaluation_close(ev);
        err_pass(e, &own);
        return err_context(e, "evaluation at length %d", length);
    }
    *out = ev;
    return 0;
}

void evaluation_close(struct evaluation *ev)
{
    if (!ev)
        return;
    samples_close(&ev->set);
    arena_close(&ev->arena);
    memory_free(ev);
}

/* ---- plain facts ------------------------------------------------------------------------------*/

int evaluation_length(const struct evaluation *ev)
{
    return ev->length;
}

int evaluation_subsets(const struct evaluation *ev)
{
    return ev->subsets;
}

const char *evaluation_subset_name(const struct evaluation *ev, int subset)
{
    int pattern = ev->subset[subset].pattern;
    return pattern < 0 ? "all" : pattern_table[pattern]->name;
}

const struct samples *evaluation_samples(const struct evaluation *ev)
{
    return &ev->set;
}

int evaluation_positions(const struct evaluation *ev)
{
    return ev->positions;
}

void evaluation_position(const struct evaluation *ev, int position, double *error_rms,
                         double *floor_rms)
{
    *error_rms = sqrt(ev->error_square[position]);
    *floor_rms = sqrt(ev->floor_square[position]);
}

/* ---- floors -----------------------------------------------------------------------------------*/

double evaluation_floor_measure(const struct evaluation *ev, const struct subset *s)
{
    if (!ev->set.channels)
        return 1 - s->labels.accuracy_ceiling;
    return subset_constant(s) ? s->floor.rms : s->floor.rms / s->denominator;
}

void evaluation_floors(const struct evaluation *ev, int subset, struct record *out)
{
    const struct subset *s = &ev->subset[subset];
    row_clear(out);
    out->length = ev->length;
    out->subset = evaluation_subset_name(ev, subset);
    if (ev->set.channels) {
        out->floor_rms = s->floor.rms;
        out->floor_sup = s->floor.sup;
        if (!subset_constant(s))
            out->floor_rel = s->floor.rms / s->denominator;
    } else {
        out->accuracy_ceiling = s->labels.accuracy_ceiling;
        out->informative_ceiling = s->labels.informative_ceiling;
        out->cross_entropy_floor = s->labels.crossentropy;
    }
    bool impossible = evaluation_floor_measure(ev, s) > ev->task->evaluate.tolerance;
    out->verdict = impossible ? "impossible" : "open";
}

/* The evaluation of a cell at one length (evaluate.h): the set, its subsets, merged rows and floors,
 * which do not depend on weights and are computed once; then errors and verdicts.
 *
 * Invariant: a subset is a mask over rows (NULL: all rows), and every figure of it, error or floor,
 * runs over that mask in row order, in double. */
#include "run/evaluate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "floor/floor.h"
#include "run/orbits.h"

/* Below this rms about its mean a target counts as constant, and relative figures are left out. */
#define DENOMINATOR_MIN 1e-12
/* A loss below this share of its floor is not rounding of the floor's own size: rounding told merged
 * pairs apart. */
#define UNDONE_SHARE 0.99

struct floors {
    struct floor_errors error; /* continuous only */
    struct floor_labels label; /* tokens only */
};

struct subset {
    const char *name;
    int pattern;                /* index into pattern_table; -1: none of them */
    const unsigned char *mask;  /* (rows), NULL for all */
    int rows;                   /* in the mask */
    double denominator;         /* rms of the target about its per-channel mean; continuous only */
    struct floors any, deep;    /* whatever the depth; of exactly the cell's, never lower */
};

/* A logit over the rows of a group. */
struct merged_logit {
    double sum, least, greatest;
};

struct evaluation {
    const struct task *task;
    struct task *plain;       /* its own, of a set without images; NULL: it has none */
    struct evaluation *ahead; /* of subset lookahead alone, the last one; NULL: there is none */
    int64_t length; /* or LENGTH_ALL */
    int rows;
    struct samples set;
    struct arena arena; /* everything below */
    int groups;
    int32_t *group; /* (rows) */
    int *pass_first;    /* (samples+1) of the samples that are passed at once, from 0 */
    int passed;         /* rows before those */
    int subsets;
    struct subset subset[SUBSETS_MAX];

    /* continuous */
    double *output;                     /* (rows,channels) */
    int positions;
    int *position_rows;                 /* (positions) rows at each position */
    double *error_square, *floor_square; /* (positions) means over rows and channels */

    /* tokens */
    int labels;
    unsigned char *informative; /* (rows) */
    int32_t *slot;              /* (groups) row of `merged`; -1: the group is one row */
    struct merged_logit *merged; /* (slots,labels) */
    size_t slots;
    int32_t *grouped;           /* (groups) the label of the mean logits; -1: none was a number */
    int32_t *decision;          /* (rows) the label chosen, likewise */
    double *nats;               /* (rows) cross-entropy */
};

/* The evaluation that a subset is of, where it has number *subset. */
static const struct evaluation *home_of(const struct evaluation *ev, int *subset)
{
    if (*subset < ev->subsets)
        return ev;
    *subset -= ev->subsets;
    return ev->ahead;
}

static bool subset_has(const struct subset *s, int row)
{
    return !s->mask || s->mask[row];
}

/* Nothing to be relative to: error_rms and floor_rms are compared with the tolerance. */
static bool subset_constant(const struct subset *s)
{
    return s->denominator < DENOMINATOR_MIN;
}

static int sample_position(const struct evaluation *ev, int sample, int row)
{
    return row - ev->set.first[sample];
}

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
    *s = (struct subset){.name = pattern_table[pattern]->name, .pattern = pattern, .mask = mask,
                         .rows = rows};
    ev->subsets++;
    return 0;
}

static int open_subsets(struct evaluation *ev, struct err *e)
{
    ev->subset[0] = (struct subset){.name = "all", .pattern = -1, .rows = ev->rows};
    ev->subsets = 1;
    for (int p = 0; p < pattern_count(); p++) {
        int code = add_subset(ev, p, e);
        if (code)
            return code;
    }
    return 0;
}

/* One subset, the scored rows. */
static int open_lookahead(struct evaluation *ev, struct err *e)
{
    unsigned char *mask = arena_alloc(&ev->arena, (size_t)ev->rows, 1, e);
    if (!mask)
        return e->code;
    for (int b = 0; b < ev->set.count; b++)
        mask[ev->set.first[b] + ev->set.scored[b]] = 1;
    ev->subset[0] = (struct subset){.name = SUBSET_LOOKAHEAD, .pattern = -1, .mask = mask,
                                    .rows = ev->set.count};
    ev->subsets = 1;
    return 0;
}

int evaluation_merge_depth(const struct task *t, const struct samples *s, struct model_groups *g,
                           struct err *e)
{
    struct arena arena;
    struct layout trained;
    struct floor_set set = {.count = s->count,
                            .first = s->first,
                            .layout = (const struct layout *const *)s->layout,
                            .channels = s->channels,
                            .x = s->x,
                            .token = s->channels ? NULL : s->token};
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = space_of(&t->space)->layout(&t->space, (int)t->space.length, &arena, &trained, e);
    if (!code)
        code = model_merge_depth(&t->model, &trained, &set, g, e);
    arena_close(&arena);
    return code;
}

int evaluation_merge(const struct task *t, const struct samples *s, int32_t *group, int *groups,
                     struct err *e)
{
    struct model_groups g = {.any = group};
    int code = evaluation_merge_depth(t, s, &g, e);
    *groups = g.any_groups;
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
    }
    return open_positions(ev, e);
}

/* Rows of the table of merged logits, for groups of more than one row. */
static int open_slots(struct evaluation *ev, struct err *e)
{
    ev->slot = arena_alloc(&ev->arena, (size_t)ev->groups, sizeof *ev->slot, e);
    ev->grouped = arena_alloc(&ev->arena, (size_t)ev->groups, sizeof *ev->grouped, e);
    ev->decision = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->decision, e);
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
    ev->merged = arena_alloc(&ev->arena, count, sizeof *ev->merged, e);
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
    return open_slots(ev, e);
}

/* Floors of every subset from a partition of the rows. */
static int fill_floors(struct evaluation *ev, const int32_t *group, int groups, bool deep,
                       struct err *e)
{
    int code = 0;
    for (int k = 0; k < ev->subsets && !code; k++) {
        struct subset *s = &ev->subset[k];
        struct floors *f = deep ? &s->deep : &s->any;
        if (ev->set.channels)
            code = floor_continuous(group, groups, ev->rows, ev->set.channels, ev->set.y, s->mask,
                                    &f->error, e);
        else
            code = floor_tokens(group, groups, ev->rows, ev->set.label, s->mask, ev->informative,
                                &f->label, e);
    }
    return code;
}

/* The partition at the cell's depth is at most as fine as the other: of as many groups, it is the
 * same. */
static int open_floors(struct evaluation *ev, const struct model_groups *g, struct err *e)
{
    int code = fill_floors(ev, g->any, g->any_groups, false, e);
    if (!code && g->deep_groups < g->any_groups)
        return fill_floors(ev, g->deep, g->deep_groups, true, e);
    for (int k = 0; k < ev->subsets; k++)
        ev->subset[k].deep = ev->subset[k].any;
    return code;
}

static int draw_samples(struct evaluation *ev, bool ahead, struct err *e)
{
    if (ev->length == LENGTH_ALL)
        return samples_of_lengths(&ev->set, ev->task, e);
    return (ahead ? samples_lookahead : samples_evaluation)(&ev->set, ev->task, (int)ev->length, e);
}

static int evaluation_prepare(struct evaluation *ev, bool ahead, struct err *e)
{
    int code = arena_open(&ev->arena, 0, e);
    code = code ? code : draw_samples(ev, ahead, e);
    if (code)
        return code;
    ev->rows = ev->set.rows;
    ev->group = arena_alloc(&ev->arena, (size_t)ev->rows, sizeof *ev->group, e);
    ev->pass_first = arena_alloc(&ev->arena, (size_t)ev->set.count + 1, sizeof *ev->pass_first, e);
    if (!ev->group || !ev->pass_first)
        return e->code;
    struct model_groups g = {.any = ev->group,
                             .deep = memory_alloc((size_t)ev->rows, sizeof *g.deep, e)};
    code = !g.deep ? ERR_MEMORY : ahead ? open_lookahead(ev, e) : open_subsets(ev, e);
    if (!code)
        code = evaluation_merge_depth(ev->task, &ev->set, &g, e);
    ev->groups = g.any_groups;
    if (!code)
        code = ev->set.channels ? open_continuous(ev, e) : open_tokens(ev, e);
    if (!code)
        code = open_floors(ev, &g, e);
    memory_free(g.deep);
    return code;
}

static int open_one(struct evaluation **out, const struct task *t, int64_t length, bool ahead,
                    struct err *e)
{
    struct evaluation *ev = memory_alloc(1, sizeof *ev, e);
    *out = ev;
    if (!ev)
        return ERR_MEMORY;
    ev->task = t;
    ev->length = length;
    return evaluation_prepare(ev, ahead, e);
}

static int open_length(struct evaluation **out, const struct task *t, int64_t length, struct err *e)
{
    struct err own = {0};
    struct evaluation *ev;
    char text[TEXT_NUMBER_MAX];
    int code = open_one(&ev, t, length, false, &own);
    if (!code && task_looks_ahead(t) && length != LENGTH_ALL)
        code = open_one(&ev->ahead, t, length, true, &own);
    *out = code ? NULL : ev;
    if (!code)
        return 0;
    evaluation_close(ev);
    err_pass(e, &own);
    return err_context(e, "evaluation at length %s", length_text(text, length));
}

int evaluation_open(struct evaluation **out, const struct task *t, int length, struct err *e)
{
    return open_length(out, t, length, e);
}

int evaluation_count(const struct task *t)
{
    int lengths = t->evaluate.lengths.count;
    return lengths > 1 ? lengths + 1 : lengths;
}

int evaluation_open_number(struct evaluation **out, const struct task *t, int k, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    return open_length(out, t, k < lengths->count ? lengths->value[k] : LENGTH_ALL, e);
}

/* Floors of the set with all images, for those of the set without. */
static int replace_floors(struct evaluation *ev, const struct task *t, struct err *e)
{
    struct orbit_floors f[SUBSETS_MAX];
    for (int k = 0; k < ev->subsets; k++)
        f[k].pattern = ev->subset[k].pattern;
    int code = orbit_floors(t, (int)ev->length, &ev->set, f, ev->subsets, e);
    for (int k = 0; k < ev->subsets && !code; k++) {
        struct subset *s = &ev->subset[k];
        s->denominator = f[k].deviation;
        s->any = (struct floors){f[k].error[0], f[k].label[0]};
        s->deep = (struct floors){f[k].error[1], f[k].label[1]};
    }
    return code;
}

int evaluation_open_floors(struct evaluation **out, const struct task *t, int k, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    if (!t->evaluate.orbit || k >= lengths->count)
        return evaluation_open_number(out, t, k, e);
    struct task *plain = memory_alloc(1, sizeof *plain, e);
    *out = NULL;
    if (!plain)
        return ERR_MEMORY;
    *plain = *t;
    plain->evaluate.orbit = 0;
    int code = open_length(out, plain, lengths->value[k], e);
    if (code) {
        memory_free(plain);
        return code;
    }
    (*out)->plain = plain;
    code = replace_floors(*out, t, e);
    if (code) {
        evaluation_close(*out);
        *out = NULL;
    }
    return code;
}

void evaluation_close(struct evaluation *ev)
{
    if (!ev)
        return;
    evaluation_close(ev->ahead);
    memory_free(ev->plain);
    samples_close(&ev->set);
    arena_close(&ev->arena);
    memory_free(ev);
}

/* ---- plain facts ------------------------------------------------------------------------------*/

const struct task *evaluation_task(const struct evaluation *ev)
{
    return ev->task;
}

int64_t evaluation_length(const struct evaluation *ev)
{
    return ev->length;
}

int evaluation_subsets(const struct evaluation *ev)
{
    return ev->subsets + (ev->ahead != NULL);
}

int evaluation_pattern(const struct evaluation *ev, int subset)
{
    return subset < ev->subsets ? ev->subset[subset].pattern : -1;
}

const struct samples *evaluation_samples(const struct evaluation *ev)
{
    return &ev->set;
}

const int32_t *evaluation_groups(const struct evaluation *ev, int *groups)
{
    *groups = ev->groups;
    return ev->group;
}

const double *evaluation_outputs(const struct evaluation *ev)
{
    return ev->output;
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

/* Whether a floor is above the tolerance: 1 - accuracy_ceiling, floor_rel, or floor_rms of a
 * constant target. */
static bool excludes(const struct evaluation *ev, const struct subset *s, const struct floors *f)
{
    double measure = !ev->set.channels    ? 1 - f->label.accuracy_ceiling
                     : subset_constant(s) ? f->error.rms
                                          : f->error.rms / s->denominator;
    return measure > ev->task->evaluate.tolerance;
}

struct evaluation_part evaluation_part(const struct evaluation *whole, int subset)
{
    const struct evaluation *ev = home_of(whole, &subset);
    const struct subset *s = &ev->subset[subset];
    bool relative = ev->set.channels && !subset_constant(s);
    return (struct evaluation_part){.set = &ev->set, .group = ev->group, .groups = ev->groups, .mask = s->mask,
                                    .informative = ev->informative,
                                    .deviation = relative ? s->denominator : 0};
}

void evaluation_floors(const struct evaluation *whole, int subset, struct record *out)
{
    const struct evaluation *ev = home_of(whole, &subset);
    const struct subset *s = &ev->subset[subset];
    row_clear(out);
    out->length = ev->length;
    out->subset = s->name;
    if (ev->set.channels) {
        out->floor_rms = s->any.error.rms;
        out->floor_sup = s->any.error.sup;
        out->depth_floor_rms = s->deep.error.rms;
        out->depth_floor_sup = s->deep.error.sup;
        if (!subset_constant(s)) {
            out->floor_rel = s->any.error.rms / s->denominator;
            out->depth_floor_rel = s->deep.error.rms / s->denominator;
        }
    } else {
        out->accuracy_ceiling = s->any.label.accuracy_ceiling;
        out->informative_ceiling = s->any.label.informative_ceiling;
        out->cross_entropy_floor = s->any.label.crossentropy;
        out->depth_accuracy_ceiling = s->deep.label.accuracy_ceiling;
        out->depth_cross_entropy_floor = s->deep.label.crossentropy;
    }
    out->verdict = excludes(ev, s, &s->any)    ? "impossible"
                   : excludes(ev, s, &s->deep) ? "too-shallow"
                                               : "open";
}

/* ---- errors, continuous -----------------------------------------------------------------------*/

static double row_square(const struct evaluation *ev, int row, double *sup)
{
    size_t d = (size_t)ev->set.channels;
    const double *y = ev->set.y + (size_t)row * d, *f = ev->output + (size_t)row * d;
    double sum = 0;
    for (size_t c = 0; c < d; c++) {
        double off = fabs(y[c] - f[c]);
        sum += off * off;
        if (off > *sup || isnan(off))
            *sup = off; /* a NaN stays */
    }
    return sum;
}

/* By how much outputs differ that are equal in exact arithmetic: the floor of the outputs as if they
 * were a target.  With it error >= floor - leak for every network, whatever its arithmetic: rms by the
 * triangle inequality for the distance from functions that are constant on groups; sup because two
 * pairs of a group with targets 2 floor_sup apart have outputs at most 2 leak_sup apart. */
static int measure_leak(const struct evaluation *ev, const struct subset *s, struct record *out,
                        struct err *e)
{
    struct floor_errors leak;
    int code = floor_continuous(ev->group, ev->groups, ev->rows, ev->set.channels, ev->output,
                                s->mask, &leak, e);
    out->leak_rms = leak.rms;
    out->leak_sup = isnan(leak.rms) ? NAN : leak.sup;
    return code;
}

static int measure_continuous(const struct evaluation *ev, const struct subset *s,
                              struct record *out, struct err *e)
{
    double sum = 0, sup = 0;
    for (int r = 0; r < ev->rows; r++)
        if (subset_has(s, r))
            sum += row_square(ev, r, &sup);
    out->error_rms = sqrt(sum / ((double)s->rows * ev->set.channels));
    out->error_sup = sup;
    if (!subset_constant(s)) {
        out->error_rel = out->error_rms / s->denominator;
        out->gap_rel = out->error_rel - out->floor_rel;
    }
    return measure_leak(ev, s, out, e);
}

static void measure_positions(struct evaluation *ev)
{
    memset(ev->error_square, 0, (size_t)ev->positions * sizeof *ev->error_square);
    double sup = 0;
    for (int b = 0; b < ev->set.count; b++)
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++)
            ev->error_square[sample_position(ev, b, r)] += row_square(ev, r, &sup);
    for (int i = 0; i < ev->positions; i++)
        ev->error_square[i] /= (double)ev->position_rows[i] * ev->set.channels;
}

/* ---- errors, tokens ---------------------------------------------------------------------------*/

/* The largest logit's index, the lowest on a tie; -1 when none is a number. */
static int32_t argmax(const double *logits, int labels)
{
    int32_t best = -1;
    for (int v = 0; v < labels; v++)
        if (!isnan(logits[v]) && (best < 0 || logits[v] > logits[best]))
            best = v;
    return best;
}

/* -log softmax(logits)[label] */
static double row_nats(const double *logits, int labels, int32_t label)
{
    double max = logits[0], sum = 0;
    for (int v = 1; v < labels; v++)
        if (logits[v] > max)
            max = logits[v];
    for (int v = 0; v < labels; v++)
        sum += exp(logits[v] - max);
    return max + log(sum) - logits[label];
}

static void merge_logits(struct merged_logit *m, int labels, const double *logits)
{
    for (int v = 0; v < labels; v++) {
        m[v].sum += logits[v];
        m[v].least = fmin(m[v].least, logits[v]);
        m[v].greatest = fmax(m[v].greatest, logits[v]);
    }
}

/* Takes a chunk of logits: a row is decided by its own, and adds them to its group, whose mean has
 * the same argmax as its sum. */
static void take_logits(void *context, int first, int rows, int labels, const double *logits)
{
    struct evaluation *ev = context;
    first += ev->passed;
    assert(labels == ev->labels && first >= 0 && first + rows <= ev->rows);
    for (int row = first; row < first + rows; row++, logits += labels) {
        int32_t g = ev->group[row], slot = ev->slot[g];
        ev->nats[row] = row_nats(logits, labels, ev->set.label[row]);
        ev->decision[row] = argmax(logits, labels);
        if (slot < 0)
            ev->grouped[g] = ev->decision[row];
        else
            merge_logits(ev->merged + (size_t)slot * (size_t)labels, labels, logits);
    }
}

/* The label of a group's mean logits. */
static int32_t argmax_merged(const struct merged_logit *m, int labels)
{
    int32_t best = -1;
    for (int v = 0; v < labels; v++)
        if (!isnan(m[v].sum) && (best < 0 || m[v].sum > m[best].sum))
            best = v;
    return best;
}

/* A pass over samples [from, from + count), which are of one length. */
static int pass(struct evaluation *ev, struct predictor p, int from, int count, struct err *e)
{
    const struct samples *s = &ev->set;
    size_t at = (size_t)s->first[from], d = (size_t)s->channels;
    struct samples part = {.count = count, .channels = s->channels, .first = ev->pass_first,
                           .layout = s->layout + from, .pattern = s->pattern + from};
    for (int k = 0; k <= count; k++)
        part.first[k] = s->first[from + k] - (int)at;
    part.rows = part.first[count];
    ev->passed = (int)at;
    if (!d) {
        part.token = s->token + at, part.label = s->label + at;
        return p.outputs(p.self, &part, NULL, take_logits, ev, e);
    }
    part.x = s->x + at * d, part.y = s->y + at * d;
    return p.outputs(p.self, &part, ev->output + at * d, NULL, NULL, e);
}

/* Samples of several lengths in as many passes. */
static int pass_all(struct evaluation *ev, struct predictor p, struct err *e)
{
    struct layout **layout = ev->set.layout;
    int code = 0, all = ev->set.count;
    for (int from = 0, end; from < all && !code; from = end) {
        for (end = from; end < all && (ev->length != LENGTH_ALL || layout[end] == layout[from]);)
            end++;
        code = pass(ev, p, from, end - from, e);
    }
    return code;
}

static int decide(struct evaluation *ev, struct predictor p, struct err *e)
{
    size_t labels = (size_t)ev->labels;
    for (size_t k = 0; k < ev->slots * labels; k++)
        ev->merged[k] = (struct merged_logit){0, INFINITY, -INFINITY};
    int code = pass_all(ev, p, e);
    for (int g = 0; g < ev->groups && !code; g++)
        if (ev->slot[g] >= 0)
            ev->grouped[g] = argmax_merged(ev->merged + (size_t)ev->slot[g] * labels, ev->labels);
    return code;
}

/* Half the largest spread of a logit over a group that has rows in the subset; NaN where a logit is
 * no number. */
static double logit_leak(const struct evaluation *ev, const struct subset *s)
{
    double leak = 0;
    for (int r = 0; r < ev->rows; r++) {
        int32_t slot = ev->slot[ev->group[r]];
        if (slot < 0 || !subset_has(s, r))
            continue;
        const struct merged_logit *m = ev->merged + (size_t)slot * (size_t)ev->labels;
        for (int v = 0; v < ev->labels; v++)
            leak = isnan(m[v].sum) ? NAN : fmax(leak, (m[v].greatest - m[v].least) / 2);
        if (isnan(leak))
            return leak;
    }
    return leak;
}

static void measure_tokens(const struct evaluation *ev, const struct subset *s,
                           struct record *out)
{
    int hits = 0, grouped = 0, informative = 0, informative_hits = 0;
    double nats = 0;
    for (int r = 0; r < ev->rows; r++) {
        if (!subset_has(s, r))
            continue;
        int hit = ev->decision[r] == ev->set.label[r];
        hits += hit;
        grouped += ev->grouped[ev->group[r]] == ev->set.label[r];
        informative += ev->informative[r];
        informative_hits += hit && ev->informative[r];
        nats += ev->nats[r];
    }
    out->accuracy = (double)hits / s->rows;
    out->accuracy_grouped = (double)grouped / s->rows;
    out->cross_entropy = nats / s->rows;
    out->leak_sup = logit_leak(ev, s);
    if (target_of(&ev->task->target)->bytes)
        out->bits_per_byte = out->cross_entropy / log(2);
    if (informative)
        out->accuracy_informative = (double)informative_hits / informative;
}

/* ---- both -------------------------------------------------------------------------------------*/

static int predict(struct evaluation *ev, struct predictor p, struct err *e)
{
    return ev->set.channels ? pass_all(ev, p, e) : decide(ev, p, e);
}

/* Whether the floats did what exact arithmetic cannot.  Losses that are continuous tell it; single
 * decisions between near ties do not. */
static bool rounding_undid(const struct evaluation *ev, const struct floors *f,
                           const struct record *r, double measure)
{
    if (measure <= ev->task->evaluate.tolerance)
        return true;
    return ev->set.channels ? r->error_rms < UNDONE_SHARE * f->error.rms
                            : r->cross_entropy < UNDONE_SHARE * f->label.crossentropy;
}

static int measure_subset(const struct evaluation *ev, int subset, struct record *out,
                          struct err *e)
{
    const struct subset *s = &ev->subset[subset];
    evaluation_floors(ev, subset, out);
    double measure, tolerance = ev->task->evaluate.tolerance;
    int code = 0;
    if (ev->set.channels) {
        code = measure_continuous(ev, s, out, e);
        measure = subset_constant(s) ? out->error_rms : out->error_rel;
    } else {
        measure_tokens(ev, s, out);
        measure = 1 - out->accuracy;
    }
    const struct floors *f = excludes(ev, s, &s->any) ? &s->any : &s->deep;
    if (!excludes(ev, s, f))
        out->verdict = measure <= tolerance ? "reached" : "not-reached";
    else if (rounding_undid(ev, f, out, measure))
        out->verdict = "by-rounding";
    return code; /* else as the floors have it */
}

int evaluation_measure(struct evaluation *ev, struct predictor p, struct record *figures,
                       struct err *e)
{
    int code = predict(ev, p, e);
    if (code)
        return code;
    for (int k = 0; k < ev->subsets && !code; k++)
        code = measure_subset(ev, k, &figures[k], e);
    if (ev->set.channels && !code)
        measure_positions(ev);
    if (ev->ahead && !code)
        code = evaluation_measure(ev->ahead, p, figures + ev->subsets, e);
    return code;
}

int evaluation_error(struct evaluation *ev, struct predictor p, double *error, struct err *e)
{
    struct record all;
    int code = predict(ev, p, e);
    if (!code)
        code = measure_subset(ev, 0, &all, e);
    if (code)
        return code;
    *error = ev->set.channels ? all.error_rel : 1 - all.accuracy;
    if (!isfinite(ev->set.channels ? all.error_rms : all.cross_entropy))
        *error = INFINITY;
    return 0;
}

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

/* Below this rms about its mean a target counts as constant, and relative figures are left out. */
#define DENOMINATOR_MIN 1e-12
/* A loss below this share of its floor is not rounding of the floor's own size: rounding told merged
 * pairs apart. */
#define UNDONE_SHARE 0.99

struct subset {
    const char *name;
    int pattern;                /* index into pattern_table; -1: none of them */
    const unsigned char *mask;  /* (rows), NULL for all */
    int rows;                   /* in the mask */
    double denominator;         /* rms of the target about its per-channel mean; continuous only */
    struct floor_errors floor;  /* continuous only */
    struct floor_labels labels; /* tokens only */
    bool possible;              /* shown to be */
};

/* A logit over the rows of a group. */
struct merged_logit {
    double sum, least, greatest;
};

struct evaluation {
    const struct task *task;
    int length, rows;
    struct samples set;
    struct arena arena; /* everything below */
    int groups;
    int32_t *group; /* (rows) */
    int subsets;
    struct subset subset[PATTERN_MAX + 1];

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

static bool counts(const struct evaluation *ev, int row)
{
    return !ev->set.counts || ev->set.counts[row];
}

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
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++)
            rows += mask[r] = counts(ev, r);
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
    ev->subset[0] = (struct subset){.name = "all", .pattern = -1, .mask = ev->set.counts};
    for (int r = 0; r < ev->rows; r++)
        ev->subset[0].rows += counts(ev, r);
    if (!ev->subset[0].rows)
        return err_set(e, ERR_USAGE, "target", "no position of the evaluation set counts; expected "
                       "at least one");
    ev->subsets = 1;
    for (int p = 0; p < pattern_count(); p++) {
        int code = add_subset(ev, p, e);
        if (code)
            return code;
    }
    return 0;
}

int evaluation_merge(const struct task *t, const struct samples *s, int32_t *group, int *groups,
                     struct err *e)
{
    struct arena arena;
    struct layout trained;
    struct floor_set set = {.count = s->count,
                            .first = s->first,
                            .layout = (const struct layout *const *)s->layout,
                            .channels = s->channels,
                            .x = s->x,
                            .token = s->token};
    int code = arena_open(&arena, 0, e);
    if (!code)
        code = space_of(&t->space)->layout(&t->space, (int)t->space.length, &arena, &trained, e);
    if (!code)
        code = model_merge(&t->model, &trained, &set, group, groups, e);
    arena_close(&arena);
    return code;
}

/* Root mean square of the target about its mean in each channel: what the best constant leaves. */
static double target_deviation(const struct evaluation *ev, const struct subset *s)
{
    int d = ev->set.outputs;
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
    code = floor_shares(ev->group, ev->groups, ev->rows, ev->set.outputs, ev->set.y, ev->set.counts,
                        share, e);
    if (code)
        goto out;
    for (int b = 0; b < ev->set.count; b++) {
        for (int r = ev->set.first[b]; r < ev->set.first[b + 1]; r++) {
            ev->position_rows[sample_position(ev, b, r)] += counts(ev, r);
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
                             (size_t)ev->set.outputs * sizeof *ev->output, e);
    if (!ev->output)
        return e->code;
    for (int k = 0; k < ev->subsets; k++) {
        struct subset *s = &ev->subset[k];
        s->denominator = target_deviation(ev, s);
        int code = floor_continuous(ev->group, ev->groups, ev->rows, ev->set.outputs, ev->set.y,
                                    s->mask, &s->floor, e);
        if (code)
            return code;
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
    return ev->set.outputs ? open_continuous(ev, e) : open_tokens(ev, e);
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

const struct task *evaluation_task(const struct evaluation *ev)
{
    return ev->task;
}

int evaluation_length(const struct evaluation *ev)
{
    return ev->length;
}

int evaluation_subsets(const struct evaluation *ev)
{
    return ev->subsets;
}

int evaluation_pattern(const struct evaluation *ev, int subset)
{
    return ev->subset[subset].pattern;
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

/* What the tolerance is compared with: 1 - accuracy_ceiling, floor_rel, or floor_rms of a constant
 * target. */
static double floor_measure(const struct evaluation *ev, const struct subset *s)
{
    if (!ev->set.outputs)
        return 1 - s->labels.accuracy_ceiling;
    return subset_constant(s) ? s->floor.rms : s->floor.rms / s->denominator;
}

struct evaluation_part evaluation_part(const struct evaluation *ev, int subset)
{
    const struct subset *s = &ev->subset[subset];
    bool relative = ev->set.outputs && !subset_constant(s);
    return (struct evaluation_part){.group = ev->group, .groups = ev->groups, .mask = s->mask,
                                    .informative = ev->informative,
                                    .deviation = relative ? s->denominator : 0};
}

bool evaluation_proved(const struct evaluation *ev, int subset)
{
    return ev->subset[subset].possible || floor_measure(ev, &ev->subset[subset]) > 0;
}

void evaluation_show_possible(struct evaluation *ev, int subset)
{
    ev->subset[subset].possible = true;
}

static const char *proof_of(const struct evaluation *ev, const struct subset *s)
{
    double floor = floor_measure(ev, s);
    if (floor > ev->task->evaluate.tolerance)
        return "impossible";
    return floor > 0 ? "bounded" : s->possible ? "possible" : "open";
}

void evaluation_floors(const struct evaluation *ev, int subset, struct record *out)
{
    const struct subset *s = &ev->subset[subset];
    row_clear(out);
    out->length = ev->length;
    out->subset = s->name;
    if (ev->set.outputs) {
        out->floor_rms = s->floor.rms;
        out->floor_sup = s->floor.sup;
        if (!subset_constant(s))
            out->floor_rel = s->floor.rms / s->denominator;
    } else {
        out->accuracy_ceiling = s->labels.accuracy_ceiling;
        out->informative_ceiling = s->labels.informative_ceiling;
        out->cross_entropy_floor = s->labels.crossentropy;
    }
    bool impossible = floor_measure(ev, s) > ev->task->evaluate.tolerance;
    out->verdict = impossible ? "impossible" : "open";
    out->proof = proof_of(ev, s);
}

/* ---- errors, continuous -----------------------------------------------------------------------*/

static double row_square(const struct evaluation *ev, int row, double *sup)
{
    size_t d = (size_t)ev->set.outputs;
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
    int code = floor_continuous(ev->group, ev->groups, ev->rows, ev->set.outputs, ev->output,
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
    out->error_rms = sqrt(sum / ((double)s->rows * ev->set.outputs));
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
            if (counts(ev, r))
                ev->error_square[sample_position(ev, b, r)] += row_square(ev, r, &sup);
    for (int i = 0; i < ev->positions; i++)
        ev->error_square[i] /= (double)ev->position_rows[i] * ev->set.outputs;
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

static int decide(struct evaluation *ev, struct predictor p, struct err *e)
{
    size_t labels = (size_t)ev->labels;
    for (size_t k = 0; k < ev->slots * labels; k++)
        ev->merged[k] = (struct merged_logit){0, INFINITY, -INFINITY};
    int code = p.outputs(p.self, &ev->set, NULL, take_logits, ev, e);
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
    if (ev->set.outputs)
        return p.outputs(p.self, &ev->set, ev->output, NULL, NULL, e);
    return decide(ev, p, e);
}

/* Whether the floats did what exact arithmetic cannot.  Losses that are continuous tell it; single
 * decisions between near ties do not. */
static bool rounding_undid(const struct evaluation *ev, const struct record *r, double measure)
{
    if (measure <= ev->task->evaluate.tolerance)
        return true;
    return ev->set.outputs ? r->error_rms < UNDONE_SHARE * r->floor_rms
                            : r->cross_entropy < UNDONE_SHARE * r->cross_entropy_floor;
}

static int measure_subset(const struct evaluation *ev, int subset, struct record *out,
                          struct err *e)
{
    const struct subset *s = &ev->subset[subset];
    evaluation_floors(ev, subset, out);
    double measure, tolerance = ev->task->evaluate.tolerance;
    int code = 0;
    if (ev->set.outputs) {
        code = measure_continuous(ev, s, out, e);
        measure = subset_constant(s) ? out->error_rms : out->error_rel;
    } else {
        measure_tokens(ev, s, out);
        measure = 1 - out->accuracy;
    }
    if (floor_measure(ev, s) <= tolerance) {
        bool reached = measure <= tolerance;
        out->verdict = reached ? "reached" : "not-reached";
        if (reached && floor_measure(ev, s) == 0) /* p is a network that does it */
            out->proof = "possible";
    } else if (rounding_undid(ev, out, measure))
        out->verdict = "by-rounding";
    return code; /* else "impossible", as the floor has it */
}

int evaluation_measure(struct evaluation *ev, struct predictor p, struct record *figures,
                       struct err *e)
{
    int code = predict(ev, p, e);
    if (code)
        return code;
    for (int k = 0; k < ev->subsets && !code; k++)
        code = measure_subset(ev, k, &figures[k], e);
    if (ev->set.outputs && !code)
        measure_positions(ev);
    return code;
}

void evaluation_set_witness(struct record *out, const struct record *witness)
{
    out->witness = witness->witness;
    out->witness_rms = witness->error_rms;
    out->witness_rel = witness->error_rel;
    out->witness_sup = witness->error_sup;
    out->witness_accuracy = witness->accuracy;
}

int evaluation_error(struct evaluation *ev, struct predictor p, double *error, struct err *e)
{
    struct record all;
    int code = predict(ev, p, e);
    if (!code)
        code = measure_subset(ev, 0, &all, e);
    if (code)
        return code;
    *error = !ev->set.outputs ? 1 - all.accuracy
             : subset_constant(&ev->subset[0]) ? all.error_rms : all.error_rel;
    if (!isfinite(ev->set.outputs ? all.error_rms : all.cross_entropy))
        *error = INFINITY;
    return 0;
}

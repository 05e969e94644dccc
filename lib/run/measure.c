/* Errors and verdicts of what predicts, on an evaluation's samples (evaluate.h). */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "run/evaluation.h"

/* A loss below this share of its floor is not rounding of the floor's own size: rounding told merged
 * pairs apart. */
#define UNDONE_SHARE 0.99

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
    size_t at = (size_t)s->first[from], out = (size_t)s->outputs;
    struct samples part = samples_part(s, from, count, ev->pass_first);
    ev->passed = (int)at;
    return out ? p.outputs(p.self, &part, ev->output + at * out, NULL, NULL, e)
               : p.outputs(p.self, &part, NULL, take_logits, ev, e);
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
    return ev->set.outputs ? pass_all(ev, p, e) : decide(ev, p, e);
}

/* Whether the floats did what exact arithmetic cannot.  Losses that are continuous tell it; single
 * decisions between near ties do not. */
static bool rounding_undid(const struct evaluation *ev, const struct floors *f,
                           const struct record *r, double measure)
{
    if (measure <= ev->task->evaluate.tolerance)
        return true;
    return ev->set.outputs ? r->error_rms < UNDONE_SHARE * f->error.rms
                            : r->cross_entropy < UNDONE_SHARE * f->label.crossentropy;
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
    const struct floors *f = excludes(ev, s, &s->any) ? &s->any : &s->deep;
    if (!excludes(ev, s, f)) {
        bool reached = measure <= tolerance;
        out->verdict = reached ? "reached" : "not-reached";
        if (reached && !has_floor(ev, s)) /* p is a network that does it */
            out->proof = "possible";
    } else if (rounding_undid(ev, f, out, measure))
        out->verdict = "by-rounding";
    return code; /* else as the floors have it */
}

/* In the rows of all inputs and of those that are near. */
static int measure_steep(const struct evaluation *ev, struct predictor p, struct record *figures,
                         struct err *e)
{
    double found, weights = NAN;
    int code = steep_found(ev->steep, p, ev->output, &found, e);
    if (!code && p.steepness)
        code = p.steepness(p.self, &weights, e);
    for (int k = 0; k < ev->subsets && !code; k++) {
        if (k && ev->subset[k].pattern != PATTERN_NEAR)
            continue;
        figures[k].lipschitz_floor = steep_floor(ev->steep, figures[k].error_sup);
        figures[k].lipschitz_found = found;
        figures[k].lipschitz_weights = weights;
    }
    return code;
}

int evaluation_measure(struct evaluation *ev, struct predictor p, struct record *figures,
                       struct err *e)
{
    int code = predict(ev, p, e);
    if (code)
        return code;
    for (int k = 0; k < ev->subsets && !code; k++)
        code = measure_subset(ev, k, &figures[k], e);
    if (ev->steep && !code)
        code = measure_steep(ev, p, figures, e);
    if (ev->set.outputs && !code)
        measure_positions(ev);
    if (ev->further && !code)
        code = evaluation_measure(ev->further, p, figures + ev->subsets, e);
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
    *error = !ev->set.outputs ? 1 - all.accuracy
             : subset_constant(&ev->subset[0]) ? all.error_rms : all.error_rel;
    if (!isfinite(ev->set.outputs ? all.error_rms : all.cross_entropy))
        *error = INFINITY;
    return 0;
}

void evaluation_set_witness(struct record *out, const struct record *witness)
{
    out->witness = witness->witness;
    out->witness_rms = witness->error_rms;
    out->witness_rel = witness->error_rel;
    out->witness_sup = witness->error_sup;
    out->witness_accuracy = witness->accuracy;
}

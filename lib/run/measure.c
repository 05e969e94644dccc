/* Errors of a network on an evaluation set, and the verdicts. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "run/evaluation.h"

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

static void measure_continuous(const struct evaluation *ev, const struct subset *s,
                               struct record *out)
{
    double sum = 0, sup = 0;
    for (int r = 0; r < ev->rows; r++)
        if (subset_has(s, r))
            sum += row_square(ev, r, &sup);
    out->error_rms = sqrt(sum / ((double)s->rows * ev->set.channels));
    out->error_sup = sup;
    if (subset_constant(s))
        return;
    out->error_rel = out->error_rms / s->denominator;
    out->gap_rel = out->error_rel - out->floor_rel;
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

/* Takes a chunk of logits: a row that stands alone is decided at once, others add to their group,
 * whose mean has the same argmax as its sum. */
static void take_logits(void *context, int first, int rows, int labels, const double *logits)
{
    struct evaluation *ev = context;
    assert(labels == ev->labels && first >= 0 && first + rows <= ev->rows);
    for (int k = 0; k < rows; k++, logits += labels) {
        int32_t g = ev->group[first + k], slot = ev->slot[g];
        ev->nats[first + k] = row_nats(logits, labels, ev->set.label[first + k]);
        if (slot < 0) {
            ev->decision[g] = argmax(logits, labels);
            continue;
        }
        double *sum = ev->sum + (size_t)slot * (size_t)labels;
        for (int v = 0; v < labels; v++)
            sum[v] += logits[v];
    }
}

static int decide(struct evaluation *ev, const struct trainer_api *api, struct trainer *t,
                  struct err *e)
{
    memset(ev->sum, 0, ev->slots * (size_t)ev->labels * sizeof *ev->sum);
    int code = api->outputs(t, &ev->set, NULL, take_logits, ev, e);
    if (code)
        return code;
    for (int g = 0; g < ev->groups; g++) {
        if (ev->slot[g] < 0)
            continue;
        const double *sum = ev->sum + (size_t)ev->slot[g] * (size_t)ev->labels;
        ev->decision[g] = argmax(sum, ev->labels);
    }
    return 0;
}

static void measure_tokens(const struct evaluation *ev, const struct subset *s,
                           struct record *out)
{
    int hits = 0, informative = 0, informative_hits = 0;
    double nats = 0;
    for (int r = 0; r < ev->rows; r++) {
        if (!subset_has(s, r))
            continue;
        int hit = ev->decision[ev->group[r]] == ev->set.label[r];
        hits += hit;
        informative += ev->informative[r];
        informative_hits += hit && ev->informative[r];
        nats += ev->nats[r];
    }
    out->accuracy = (double)hits / s->rows;
    out->cross_entropy = nats / s->rows;
    if (target_of(&ev->task->target)->bytes)
        out->bits_per_byte = out->cross_entropy / log(2);
    if (informative)
        out->accuracy_informative = (double)informative_hits / informative;
}

/* ---- both -------------------------------------------------------------------------------------*/

static int network_outputs(struct evaluation *ev, const struct trainer_api *api, struct trainer *t,
                           struct err *e)
{
    if (ev->set.channels)
        return api->outputs(t, &ev->set, ev->output, NULL, NULL, e);
    return decide(ev, api, t, e);
}

static void measure_subset(const struct evaluation *ev, int subset, struct record *out)
{
    const struct subset *s = &ev->subset[subset];
    evaluation_floors(ev, subset, out);
    double measure;
    if (ev->set.channels) {
        measure_continuous(ev, s, out);
        measure = subset_constant(s) ? out->error_rms : out->error_rel;
    } else {
        measure_tokens(ev, s, out);
        measure = 1 - out->accuracy;
    }
    if (evaluation_floor_measure(ev, s) > ev->task->evaluate.tolerance)
        return; /* "impossible" */
    out->verdict = measure <= ev->task->evaluate.tolerance ? "reached" : "not-reached";
}

int evaluation_measure(struct evaluation *ev, const struct trainer_api *api, struct trainer *t,
                       struct record *figures, struct err *e)
{
    int code = network_outputs(ev, api, t, e);
    if (code)
        return code;
    for (int k = 0; k < ev->subsets; k++)
        measure_subset(ev, k, &figures[k]);
    if (ev->set.channels)
        measure_positions(ev);
    return 0;
}

int evaluation_error(struct evaluation *ev, const struct trainer_api *api, struct trainer *t,
                     double *error, struct err *e)
{
    struct record all;
    int code = network_outputs(ev, api, t, e);
    if (code)
        return code;
    measure_subset(ev, 0, &all);
    *error = ev->set.channels ? all.error_rel : 1 - all.accuracy;
    if (!isfinite(ev->set.channels ? all.error_rms : all.cross_entropy))
        *error = INFINITY;
    return 0;
}

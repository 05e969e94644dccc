/* The paper's conditions (conditions.h).
 *
 * Attentive, by construction: the encoding's own tensors at 0.  Where B cannot be 0 the answer is
 * no, unless B gets e-fold nearer for each step of some of its tensors (a gate's bias): the limit.  Where queries and keys are changed in place (rotations), they are mapped into the channel
 * that changes least.  If it is left as it is, attention through it is plain; if every channel is
 * changed, plain attention is approached as the frequencies go to 0, and never reached: the limit.
 *
 * Position-aware, by construction: query and key maps 0, so that A depends on B alone, and
 *   no mask    c_delta = e^{-B(delta)} 1[delta <= 0]             row sums  i e^{-..} / Z_i
 *   causal     c_delta = e^{-B(delta)} (2 |delta| + 1) / n       row sums  i^2 e^{-..} / (n Z_i)
 * with Z_i = sum over visible j of e^{B(j-i)}; for B = 0 both are i/n.  e^{B(delta) - B(0)} is
 * read off A itself, as A_{i,i+delta} / A_ii. */
#include "witness/conditions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "witness/trial.h"

enum { INPUTS = 6, DRAWS = 32, ATTENTION_DRAWS = 8 }; /* an attention matrix costs 2n passes */

/* Entries of A and sums of up to n of them, a few roundings each. */
static double rounding(const struct trial *pr)
{
    return 64 * pr->n * (double)REAL_EPSILON;
}

/* ---- attentive --------------------------------------------------------------------------------*/
/* The channel of queries and keys that the encoding changes least; *change: by how much. */
static int stillest_channel(struct trial *pr, double *change)
{
    int best = 0;
    *change = INFINITY;
    for (int c = 0; c < pr->model.head_width; c++) {
        double here = trial_channel_change(pr, c);
        if (here < *change) {
            *change = here;
            best = c;
        }
    }
    return best;
}

/* How far attention is from plain where the tensors in `set` hold a value and the others are 0. */
static double distance_at(struct trial *pr, struct stream random, int set, double value, double *a,
                          double *plain)
{
    trial_draw_parameters(pr, &random);
    trial_clear_encoding(pr);
    for (int k = 0; k < pr->model.kind->encoding_tensors; k++) {
        size_t count;
        real *x = trial_tensor(pr, pr->model.layer[0].encoding[k], &count);
        for (size_t i = 0; i < count && (set >> k & 1); i++)
            x[i] = (real)value;
    }
    return trial_distance(pr, &random, pr->heads, a, plain);
}

/* e^-8 is 3e-4. */
#define FAR 4.0
#define FURTHER 12.0
#define NEARER 1e-2
#define NEAR 1e-4

/* Whether some tensors, all at one value, take B to 0 as it grows. */
static bool tends_to_plain(struct trial *pr, const struct stream *random, double *a, double *plain,
                           double *distance)
{
    for (int set = 1; set < 1 << pr->model.kind->encoding_tensors; set++)
        for (int side = -1; side <= 1; side += 2) {
            double far = distance_at(pr, *random, set, side * FAR, a, plain);
            *distance = distance_at(pr, *random, set, side * FURTHER, a, plain);
            if (*distance <= NEAR && *distance <= NEARER * far)
                return true;
        }
    return false;
}

static void construct_attentive(struct trial *pr, struct stream *random, double *a, double *plain,
                                struct conditions *out)
{
    char *why = out->attentive_why;
    trial_draw_parameters(pr, random);
    trial_clear_encoding(pr);
    out->distance = trial_distance(pr, random, pr->heads, a, plain);
    out->attentive = out->distance <= rounding(pr) ? CONDITION_YES : CONDITION_NO;
    if (out->attentive) {
        snprintf(why, CONDITION_TEXT, pr->model.kind->encoding_tensors
                                          ? "with the encoding's parameters at 0, B = 0"
                                          : "nothing is added to the logits");
        return;
    }
    double near;
    if (!pr->model.kind->encoding->query_key && tends_to_plain(pr, random, a, plain, &near)) {
        out->attentive = CONDITION_LIMIT;
        out->distance = near;
        snprintf(why, CONDITION_TEXT, "B tends to 0 as the encoding's parameters grow");
        return;
    }
    if (!pr->model.kind->encoding->query_key) {
        snprintf(why, CONDITION_TEXT, "B cannot be 0: its parameters, if any, keep it away");
        return;
    }
    double change;
    int channel = stillest_channel(pr, &change);
    trial_draw_parameters(pr, random);
    trial_clear_encoding(pr);
    trial_clear_query_key(pr, channel);
    out->distance = trial_distance(pr, random, pr->heads, a, plain);
    out->attentive = change > 0 ? CONDITION_LIMIT : CONDITION_YES;
    snprintf(why, CONDITION_TEXT, change > 0
                                      ? "every channel changes with the position; channel %d, the "
                                        "slowest, comes nearest"
                                      : "queries and keys in channel %d of a head are not changed",
             channel);
}

/* reader: the class with a toeplitz C, through which attention is read. */
static int test_attentive(struct trial *reader, struct stream *random, struct conditions *out,
                          struct err *e)
{
    size_t entries = (size_t)reader->heads * (size_t)reader->n * (size_t)reader->n;
    double *a = memory_alloc(2 * entries, sizeof *a, e);
    if (!a)
        return ERR_MEMORY;
    if (reader->model.kind->facts.absolute) {
        out->attentive = CONDITION_YES;
        snprintf(out->attentive_why, CONDITION_TEXT,
                 "positions are added to the input; attention itself is plain");
    } else {
        construct_attentive(reader, random, a, a + entries, out);
        out->distance_search = INFINITY;
        for (int k = 0; k < DRAWS; k++) {
            trial_draw_parameters(reader, random);
            out->distance_search =
                fmin(out->distance_search, trial_distance(reader, random, reader->heads, a, a + entries));
        }
    }
    memory_free(a);
    return 0;
}

/* ---- row sums ---------------------------------------------------------------------------------*/
static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Distinct numbers among sums (n), which get sorted; *step: least difference of neighbours. */
static int count_distinct(double *sums, int n, double tolerance, double *step)
{
    int distinct = n > 0;
    qsort(sums, (size_t)n, sizeof *sums, compare_numbers);
    *step = INFINITY;
    for (int i = 1; i < n; i++) {
        double d = sums[i] - sums[i - 1];
        distinct += d > tolerance * fmax(1, fabs(sums[i]));
        *step = fmin(*step, d);
    }
    return distinct;
}

/* What the row sums of head 0 do over several inputs, constant ones among them. */
struct sums_report {
    int distinct;   /* least */
    double step;    /* least */
    double varies;  /* largest change of a row's sum from the first input to another */
    double from_1;  /* largest |sum - 1| */
};

static struct sums_report report_sums(struct trial *pr, struct stream *random, double *first)
{
    struct sums_report r = {.distinct = pr->n, .step = INFINITY};
    double *sums = pr->sums;
    for (int k = 0; k < INPUTS; k++) {
        trial_draw_input(pr, random, k % 2);
        trial_sums(pr, sums);
        for (int i = 0; i < pr->n; i++) {
            if (k == 0)
                first[i] = sums[i];
            r.varies = fmax(r.varies, fabs(sums[i] - first[i]));
            r.from_1 = fmax(r.from_1, fabs(sums[i] - 1));
        }
        double step;
        int distinct = count_distinct(sums, pr->n, rounding(pr), &step);
        r.distinct = distinct < r.distinct ? distinct : r.distinct;
        r.step = fmin(r.step, step);
    }
    return r;
}

/* ---- position-aware ---------------------------------------------------------------------------*/
/* The factor that C gives to an offset, e^{-B} apart. */
static double offset_factor(const struct trial *pr, int i, int j)
{
    if (pr->model.kind->shape.past)
        return (2.0 * (i - j) + 1) / pr->n;
    return j <= i;
}

/* Writes C into pr from attention a (heads,n,n) at zero query and key maps.  Rows of a table that
 * serves several offsets (buckets) take what the nearest of them asks for: it is written last. */
static void write_c(struct trial *pr, const double *a)
{
    int n = pr->n;
    size_t count;
    real *table = trial_tensor(pr, pr->model.layer[0].c[0], &count);
    size_t rows = count / (size_t)pr->heads;
    memset(table, 0, count * sizeof *table);
    for (int far = n - 1; far >= 0; far--)
        for (int side = 0; side < 2; side++)
            for (int h = 0; h < pr->heads; h++) {
                int i = side ? far : 0, j = side ? 0 : far;
                const double *row = a + ((size_t)(h * n + i)) * (size_t)n;
                if (row[j] > 0)
                    table[(size_t)h * rows +
                          (size_t)pr->state.c_row[layout_relation(pr->layout, i, j)]] =
                        (real)(offset_factor(pr, i, j) * row[i] / row[j]);
            }
}

static bool is_softmax(const struct trial *pr)
{
    return normaliser_is_softmax(&pr->model.config.normaliser);
}

static bool has_c(const struct trial *pr)
{
    return pr->model.config.attention == MODEL_URPE;
}

static void keep_sums(const struct trial *pr, const double *first, struct conditions *out)
{
    for (int i = 0; i < pr->n && i < CONDITION_SUMS; i++)
        out->sums[i] = first[i];
}

/* Random parameters, with the same query and the same key everywhere where rows need not sum to 1. */
static void search_sums(struct trial *pr, struct stream *random, double *first,
                        struct conditions *out)
{
    for (int k = 0; k < DRAWS; k++) {
        trial_draw_parameters(pr, random);
        if (!is_softmax(pr))
            trial_clear_query_key_weights(pr);
        else if (has_c(pr))
            trial_clear_query_key(pr, -1);
        struct sums_report r = report_sums(pr, random, first);
        out->deviation = fmax(out->deviation, r.from_1);
        bool constant = r.distinct == pr->n && r.varies <= rounding(pr);
        if (r.distinct > out->distinct_search || (constant && r.step > out->step_search))
            keep_sums(pr, first, out);
        if (r.distinct > out->distinct_search)
            out->distinct_search = r.distinct;
        if (constant)
            out->step_search = fmax(out->step_search, r.step);
    }
}

/* What the search found, where the construction does not serve. */
static void take_search(const struct trial *pr, struct conditions *out)
{
    out->distinct = out->distinct_search;
    out->position_aware = out->step_search > 0;
    out->step = pr->n > 1 ? out->step_search : 0;
    snprintf(out->position_why, CONDITION_TEXT, "%s",
             out->position_aware ? "W_Q = 0: row sums of parameters that a search found"
                                 : "no parameters of a search gave distinct row sums");
}

static void construct_sums(struct trial *pr, struct trial *reader, struct stream *random, double *a,
                           double *first, struct conditions *out)
{
    trial_draw_parameters(pr, random);
    trial_clear_encoding(pr);
    trial_clear_query_key(pr, -1);
    if (has_c(pr)) {
        trial_draw_parameters(reader, random);
        trial_clear_encoding(reader);
        trial_clear_query_key(reader, -1);
        trial_draw_input(reader, random, false);
        trial_attention(reader, a);
        write_c(pr, a);
    }
    struct sums_report r = report_sums(pr, random, first);
    keep_sums(pr, first, out);
    out->distinct = r.distinct;
    out->step = has_c(pr) && pr->n > 1 ? r.step : 0;
    out->position_aware = r.distinct == pr->n && r.varies <= rounding(pr);
    snprintf(out->position_why, CONDITION_TEXT, "%s",
             has_c(pr) ? "W_Q = 0 and C = e^-B on a triangle: row sums rise with the position"
                       : "rows of softmax sum to 1 whatever the parameters");
}

static int test_position_aware(struct trial *pr, struct trial *reader, struct stream *random,
                               struct conditions *out, struct err *e)
{
    size_t entries = (size_t)pr->heads * (size_t)pr->n * (size_t)pr->n;
    double *a = memory_alloc(entries + (size_t)pr->n, sizeof *a, e);
    if (!a)
        return ERR_MEMORY;
    double *first = a + entries;
    search_sums(pr, random, first, out);
    if (is_softmax(pr))
        construct_sums(pr, reader, random, a, first, out);
    if (!is_softmax(pr) || (has_c(pr) && !out->position_aware))
        take_search(pr, out);
    memory_free(a);
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------*/
const char *condition_name(enum condition_answer answer)
{
    static const char *const name[] = {"no", "limit", "yes"};
    return name[answer];
}

int conditions_test(const struct model_config *m, const struct layout *trained, uint64_t seed,
                    struct conditions *out, struct err *e)
{
    struct trial own = {0}, reader = {0};
    struct model_config read = *m;
    struct stream random;
    *out = (struct conditions){0};
    stream_open(&random, seed, "conditions", 0);
    read.attention = MODEL_URPE;
    option_set_kind(&normaliser_kinds, "softmax", &read.normaliser);
    option_set_kind(&urpe_kinds, "toeplitz", &read.c);
    int code = trial_open(&reader, &read, trained, e);
    if (!code)
        code = trial_open(&own, m, trained, e);
    if (!code)
        code = test_attentive(&reader, &random, out, e);
    if (!code)
        code = test_position_aware(&own, &reader, &random, out, e);
    trial_close(&own);
    trial_close(&reader);
    return code;
}

void conditions_weaken(const struct model_config *m, enum condition_answer attentive, double distance,
                       struct conditions *found)
{
    if (attentive >= found->attentive)
        return;
    found->attentive = attentive;
    found->distance = distance;
    snprintf(found->attentive_why, CONDITION_TEXT, "%s %s", normaliser_of(&m->normaliser)->name,
             attentive == CONDITION_LIMIT ? "comes near softmax as its parameters or the logits grow"
                                          : "does not come near softmax");
}

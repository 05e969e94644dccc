/* Token targets that count symbols: bucket_sort, prefix_parity, prefix_majority, histogram,
 * majority.  Counting goes through the ranks of the symbols among those present, so that a sample
 * costs n log n whatever V is.  Invariant: ties go to the smallest symbol. */
#include <gsl/gsl_sort_int.h>
#include <string.h>

#include "target/common.h"

/* The distinct symbols of a sample, ascending, and a counter for each. */
struct counts {
    int32_t *symbol; /* (distinct) */
    int *count;      /* (distinct), zero */
    int distinct;
};

static void counts_close(struct counts *s)
{
    memory_free(s->symbol);
    memory_free(s->count);
}

static int counts_open(struct counts *s, const int32_t *x, int n, struct err *e)
{
    *s = (struct counts){0};
    s->symbol = memory_alloc((size_t)n, sizeof *s->symbol, e);
    s->count = memory_alloc((size_t)n, sizeof *s->count, e);
    if (!s->symbol || !s->count) {
        counts_close(s);
        return ERR_MEMORY;
    }
    memcpy(s->symbol, x, (size_t)n * sizeof *x);
    gsl_sort_int(s->symbol, 1, (size_t)n);
    for (int i = 0; i < n; i++)
        if (i == 0 || s->symbol[i] != s->symbol[s->distinct - 1])
            s->symbol[s->distinct++] = s->symbol[i];
    return 0;
}

/* Index of a symbol that is present. */
static int counts_rank(const struct counts *s, int32_t symbol)
{
    int low = 0, high = s->distinct - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (s->symbol[middle] < symbol)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Counts one more `symbol`.  `best` is the rank of the most frequent symbol so far, or -1; returns
 * the new one. */
static int counts_add(struct counts *s, int32_t symbol, int best)
{
    int rank = counts_rank(s, symbol), count = ++s->count[rank];
    if (best < 0 || count > s->count[best] || (count == s->count[best] && rank < best))
        return rank;
    return best;
}

static int bucket_sort_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    memcpy(label, x, (size_t)t->n * sizeof *x);
    gsl_sort_int(label, 1, (size_t)t->n);
    return 0;
}

static int parity_labels(const struct target_config *c, int n)
{
    return 2;
}

static int prefix_parity_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    int32_t parity = 0;
    for (int i = 0; i < t->n; i++)
        label[i] = parity ^= x[i] & 1;
    return 0;
}

static int prefix_majority_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    struct counts s;
    int rc = counts_open(&s, x, t->n, e);
    if (rc)
        return rc;
    int best = -1;
    for (int i = 0; i < t->n; i++) {
        best = counts_add(&s, x[i], best);
        label[i] = s.symbol[best];
    }
    counts_close(&s);
    return 0;
}

static int majority_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    int rc = prefix_majority_label(t, x, label, e);
    if (rc)
        return rc;
    for (int i = 0; i < t->n; i++)
        label[i] = label[t->n - 1];
    return 0;
}

static int histogram_labels(const struct target_config *c, int n)
{
    return n;
}

static int histogram_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    struct counts s;
    int rc = counts_open(&s, x, t->n, e);
    if (rc)
        return rc;
    for (int i = 0; i < t->n; i++)
        s.count[counts_rank(&s, x[i])]++;
    for (int i = 0; i < t->n; i++)
        label[i] = s.count[counts_rank(&s, x[i])] - 1;
    counts_close(&s);
    return 0;
}

const struct target target_bucket_sort = {
    .name = "bucket_sort",
    .formula = "label_i = the i-th smallest of x_1..x_n",
    .summary = "symbols in ascending order",
    .citation = "Deletang et al. 2023, arXiv 2207.02098",
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .label = bucket_sort_label,
    .labels = target_vocab_labels,
};

const struct target target_prefix_parity = {
    .name = "prefix_parity",
    .formula = "label_i = (x_1 + ... + x_i) mod 2",
    .summary = "whether the symbols so far sum to an odd number",
    .citation = "Deletang et al. 2023, arXiv 2207.02098 (parity check)",
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .label = prefix_parity_label,
    .labels = parity_labels,
};

const struct target target_prefix_majority = {
    .name = "prefix_majority",
    .formula = "label_i = the most frequent of x_1..x_i, the smallest of equals",
    .summary = "most frequent symbol so far",
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .label = prefix_majority_label,
    .labels = target_vocab_labels,
};

const struct target target_histogram = {
    .name = "histogram",
    .formula = "label_i = (number of j with x_j = x_i) - 1",
    .summary = "how often the symbol at this position occurs",
    .citation = "Weiss, Goldberg and Yahav 2021, arXiv 2106.06981",
    .tokens = true,
    .label = histogram_label,
    .labels = histogram_labels,
};

const struct target target_majority = {
    .name = "majority",
    .formula = "label_i = the most frequent of x_1..x_n, the smallest of equals",
    .summary = "most frequent symbol of the whole sequence, at every position",
    .tokens = true,
    .label = majority_label,
    .labels = target_vocab_labels,
};

/* Token targets about places: pi, etp, token_reverse, odds_first, token_shift.
 * Labels are symbols, except for pi, where they are positions.  Where there is no symbol to put,
 * the label is the filler, id V, which therefore also has a row in the embedding.
 * Invariant: every label counts; no id is set apart for padding. */
#include "target/common.h"

static int filled_labels(const struct target_config *c, int n)
{
    return (int)c->vocab + 1;
}

static int filled_symbols(const struct target_config *c)
{
    return (int)c->vocab + 1;
}

static int pi_labels(const struct target_config *c, int n)
{
    return n;
}

static int pi_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        label[i] = i;
    return 0;
}

static int etp_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        label[i] = i < t->n / 2 ? x[2 * i + 1] : (int32_t)t->config->vocab;
    return 0;
}

static bool etp_informative(const struct target_config *c, const struct layout *l, int i)
{
    return i < l->n / 2;
}

static int token_reverse_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        label[i] = x[t->n - 1 - i];
    return 0;
}

static int odds_first_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    int odds = (t->n + 1) / 2; /* positions 1, 3, ... */
    for (int i = 0; i < t->n; i++)
        label[i] = i < odds ? x[2 * i] : x[2 * (i - odds) + 1];
    return 0;
}

static bool token_shift_informative(const struct target_config *c, const struct layout *l, int i)
{
    int64_t from = i - (int64_t)c->kind.number[TARGET_SHIFT_K];
    return from >= 0 && from < l->n;
}

static int token_shift_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    int64_t k = (int64_t)t->config->kind.number[TARGET_SHIFT_K];
    for (int i = 0; i < t->n; i++)
        label[i] = token_shift_informative(t->config, t->layout, i) ? x[i - k] : (int32_t)t->config->vocab;
    return 0;
}

const struct target target_pi = {
    .name = "pi",
    .formula = "label_i = i - 1",
    .summary = "position identification",
    .citation = "Luo et al. 2022, arXiv 2205.13401",
    .tokens = true,
    .needs = TARGET_NEEDS_AXES,
    .label = pi_label,
    .labels = pi_labels,
};

const struct target target_etp = {
    .name = "etp",
    .formula = "label_i = x_{2i} for i <= n/2, else the filler V",
    .summary = "even-token prediction; the first half carries the information",
    .citation = "Luo et al. 2022, arXiv 2205.13401",
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .check = target_check_even,
    .label = etp_label,
    .labels = filled_labels,
    .symbols = filled_symbols,
    .informative = etp_informative,
};

const struct target target_token_reverse = {
    .name = "token_reverse",
    .formula = "label_i = x_{n+1-i}",
    .summary = "symbols in the opposite order",
    .citation = "Deletang et al. 2023, arXiv 2207.02098",
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .label = token_reverse_label,
    .labels = target_vocab_labels,
};

const struct target target_odds_first = {
    .name = "odds_first",
    .formula = "labels are x_1, x_3, ..., then x_2, x_4, ...",
    .summary = "symbols at odd positions, then those at even ones, each once",
    .citation = "Deletang et al. 2023, arXiv 2207.02098",
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .label = odds_first_label,
    .labels = target_vocab_labels,
};

const struct target target_token_shift = {
    .name = "token_shift",
    .formula = "label_i = x_{i-k}, the filler V outside",
    .summary = "symbols moved k places",
    .options = target_shift_options,
    .tokens = true,
    .needs = TARGET_NEEDS_ORDER,
    .check = target_check_shift,
    .label = token_shift_label,
    .labels = filled_labels,
    .symbols = filled_symbols,
    .informative = token_shift_informative,
};

/* sigmoid: a_ij = 1 / (1 + exp(-s_ij - b_i)) [/ m_i]: no row statistic, rows need not sum to 1.
 * b_i = bias - log n (n the sample's length), - log m_i (m_i keys seen), or the bias alone.
 * Source: Ramapuram et al. 2024, Theory, Analysis, and Best Practices for Sigmoid Self-Attention;
 * apple/ml-sigmoid-attention, layers/attention.py, activations.py. */
#include <math.h>

#include "normaliser/parts.h"

enum { BIAS, MINUS_LOG, DIVIDE };
enum { LOG_NONE, LOG_N, LOG_SEEN };
enum { DIVIDE_NONE, DIVIDE_SEEN };
static const char *const log_names[] = {"none", "n", "m", NULL};
static const char *const divide_names[] = {"none", "m", NULL};
static const struct option options[] = {
    {.key = "bias", .type = OPTION_REAL, .min = -100, .max = 100, .fallback = "0",
     .help = "added to every logit"},
    {.key = "minus_log", .type = OPTION_CHOICE, .names = log_names, .fallback = "n",
     .help = "subtracts log n from the logits, or log m, m the keys that the query sees"},
    {.key = "divide", .type = OPTION_CHOICE, .names = divide_names, .fallback = "none",
     .help = "m: divides the weights by the number of keys that the query sees"},
    {.key = NULL},
};

/* Divided by m without an offset that depends on m or n, a weight's share is what counts; with an
 * offset of -log m the numbers themselves are seen; with -log n the length is seen as well. */
static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    int log_of = (int)c->number[MINUS_LOG];
    bool divided = (int)c->number[DIVIDE] == DIVIDE_SEEN;
    *out = (struct normaliser_facts){
        VIEW_COUNTED,
        log_of == LOG_N ? VIEW_NUMBER_AND_LENGTH : divided && log_of == LOG_NONE ? VIEW_RATIO : VIEW_NUMBER,
        false, false};
}

static int form(const struct kind_config *c)
{
    return ATTENTION_SIGMOID;
}

static void rows(const struct normaliser_context *c, const int *seen, real *offset, real *factor)
{
    int log_of = (int)c->config->number[MINUS_LOG];
    bool divided = (int)c->config->number[DIVIDE] == DIVIDE_SEEN;
    for (int i = 0; i < c->n; i++) {
        int m = seen[i] > 0 ? seen[i] : 1; /* an empty row has no weights */
        double minus = log_of == LOG_N ? log(c->n) : log_of == LOG_SEEN ? log(m) : 0;
        offset[i] = (real)(c->config->number[BIAS] - minus);
        factor[i] = divided ? (real)1 / (real)m : 1;
    }
}

const struct normaliser normaliser_sigmoid = {
    .name = "sigmoid",
    .formula = "a_ij = sigmoid(s_ij + bias - log n)",
    .summary = "each weight by itself, rows need not sum to 1",
    .citation = "Ramapuram et al. 2024",
    .options = options,
    .facts = facts,
    .form = form,
    .rows = rows,
};

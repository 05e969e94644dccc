/* relu: a_ij = max(s_ij, 0)^k / N, k = 1 or 2, N the sample's length or the number m_i of keys seen.
 * Source: Wortsman et al. 2023, Replacing softmax with ReLU in Vision Transformers. */
#include "normaliser/parts.h"

enum { POWER, OVER };
enum { OVER_N, OVER_SEEN };
static const char *const over_names[] = {"n", "m", NULL};
static const struct option options[] = {
    {.key = "power", .type = OPTION_INT, .min = 1, .max = 2, .fallback = "1",
     .help = "of the positive part"},
    {.key = "over", .type = OPTION_CHOICE, .names = over_names, .fallback = "n",
     .help = "what weights are divided by: n, the length, or m, the keys that the query sees"},
    {.key = NULL},
};

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){
        VIEW_COUNTED, (int)c->number[OVER] == OVER_N ? VIEW_PER_LENGTH : VIEW_RATIO, false,
        false};
}

static int form(const struct kind_config *c)
{
    return (int)c->number[POWER] == 2 ? ATTENTION_RELU2 : ATTENTION_RELU;
}

static void rows(const struct normaliser_context *c, const int *seen, real *offset, real *factor)
{
    bool over_n = (int)c->config->number[OVER] == OVER_N;
    for (int i = 0; i < c->n; i++) {
        offset[i] = 0;
        factor[i] = (real)1 / (real)(over_n ? c->n : seen[i] > 0 ? seen[i] : 1);
    }
}

const struct normaliser normaliser_relu = {
    .name = "relu",
    .formula = "a_ij = max(s_ij, 0)^k / n",
    .summary = "the positive part of the logits, over the length",
    .citation = "Wortsman et al. 2023",
    .options = options,
    .facts = facts,
    .form = form,
    .rows = rows,
};

/* Token targets of in-context learning, scored at the places that ask alone: recall, induction. */
#include <string.h>

#include "target/common.h"

static void some_positions(const struct target_config *c, struct target_form *out)
{
    *out = (struct target_form){.tokens = true, .labels = true, .partial = true};
}

/* ---- recall -----------------------------------------------------------------------------------*/
/*   k_1 v_1 k_2 v_2 ... k_D v_D q_1 q_2 ...     label of q = k_j: v_j
 *
 * Keys are different symbols of the lower half, values symbols of the upper half of the vocabulary,
 * queries keys. */
enum { RECALL_PAIRS };

static const struct option recall_options[] = {
    {.key = "pairs", .type = OPTION_INT, .min = 0, .max = 32767, .fallback = "0", .unit = "pairs",
     .help = "D, pairs of a key and its value, with queries behind them; 0: a quarter of the length, "
             "or half of the vocabulary where that is less"},
    {.key = NULL},
};

static int64_t pairs_of(const struct target_config *c, int64_t n)
{
    int64_t pairs = (int64_t)c->kind.number[RECALL_PAIRS], keys = c->vocab / 2;
    if (pairs)
        return pairs;
    pairs = n / 4 < keys ? n / 4 : keys;
    return pairs ? pairs : 1;
}

static int recall_check(const struct target_config *c, const struct space_config *s, struct err *e)
{
    int64_t pairs = pairs_of(c, s->length);
    if (2 * pairs >= s->length)
        return err_set(e, ERR_USAGE, "target.pairs", "%lld pairs leave no room for a query in %lld "
                       "positions; expected less than half of space.length", (long long)pairs,
                       (long long)s->length);
    if (pairs > c->vocab / 2)
        return err_set(e, ERR_USAGE, "target.pairs", "%lld different keys, and half of the vocabulary "
                       "has %lld symbols; expected at most that many pairs, or a larger target.vocab",
                       (long long)pairs, (long long)(c->vocab / 2));
    return 0;
}

/* D different symbols below `keys`, in random order, to the even positions of x: symbols drawn without
 * replacement (Floyd's method), shuffled. */
static void draw_keys(struct stream *random, int pairs, int keys, int32_t *x)
{
    for (int k = 0; k < pairs; k++) {
        int32_t most = keys - pairs + k, key = (int32_t)stream_below(random, (uint64_t)most + 1);
        for (int j = 0; j < k; j++)
            if (x[2 * j] == key) {
                key = most;
                break;
            }
        int at = (int)stream_below(random, (uint64_t)k + 1);
        x[2 * k] = x[2 * at];
        x[2 * at] = key;
    }
}

static int recall_draw(const struct target_sample *t, struct stream *random, uint64_t number,
                       uint64_t count, int32_t *x, int32_t *label, struct err *e)
{
    int pairs = (int)pairs_of(t->config, t->n), keys = (int)t->config->vocab / 2;
    int values = (int)t->config->vocab - keys;
    draw_keys(random, pairs, keys, x);
    for (int k = 0; k < pairs; k++) {
        x[2 * k + 1] = keys + (int32_t)stream_below(random, (uint64_t)values);
        label[2 * k] = label[2 * k + 1] = TARGET_NO_LABEL;
    }
    for (int i = 2 * pairs; i < t->n; i++) {
        int k = (int)stream_below(random, (uint64_t)pairs);
        x[i] = x[2 * k];
        label[i] = x[2 * k + 1];
    }
    return 0;
}

const struct target target_recall = {
    .name = "recall",
    .formula = "x = k_1 v_1 .. k_D v_D q ..; label of q = k_j: v_j",
    .summary = "multi-query associative recall; only queries count",
    .citation = "Arora et al. 2023, arXiv 2312.04927",
    .options = recall_options,
    .tokens = true,
    .form = some_positions,
    .needs = TARGET_NEEDS_ORDER,
    .check = recall_check,
    .draw = recall_draw,
    .labels = target_vocab_labels,
};

/* ---- induction --------------------------------------------------------------------------------*/

static int induction_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    int32_t *last = memory_alloc((size_t)t->config->vocab, sizeof *last, e); /* where, from 1; 0: nowhere */
    if (!last)
        return ERR_MEMORY;
    for (int i = 0; i < t->n; i++) {
        int before = last[x[i]];
        label[i] = before ? x[before] : TARGET_NO_LABEL;
        last[x[i]] = i + 1;
    }
    memory_free(last);
    return 0;
}

const struct target target_induction = {
    .name = "induction",
    .formula = "label_i = x_{p+1}, p < i the last with x_p = x_i; none: i does not count",
    .summary = "what followed this symbol when it last came; only symbols that have come count",
    .citation = "Olsson et al. 2022, arXiv 2209.11895",
    .tokens = true,
    .form = some_positions,
    .needs = TARGET_NEEDS_ORDER,
    .label = induction_label,
    .labels = target_vocab_labels,
};

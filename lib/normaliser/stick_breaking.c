/* stick-breaking: from the query backwards, each key takes the share beta of what is left:
 *     beta_ij = sigmoid(s_ij),  a_ij = beta_ij prod_{j<k<i} (1 - beta_ik),  j < i (current: j <= i)
 * What is left at the start, r_i = prod_j (1 - beta_ij), is dropped, goes to the query's own value, or
 * to a learned vector of the head.  The first query sees nothing of its past: r_1 = 1.
 * Backward, A_ij = a_ij g_ij:
 *     ds_ij = A_ij (1 - beta_ij) - beta_ij (sum_{k<j} A_ik + r_i dr_i),
 * dr_i the gradient of what the remainder goes to.
 * Source: Tan et al. 2024, Scaling Stick-Breaking Attention; shawntan/stickbreaking-attention
 * sb_ref.py; the vector of the head, IBM/dolomite-engine stickbreaking_attention.py. */
#include <math.h>

#include "normaliser/parts.h"

enum { REMAINDER, CURRENT };
enum { REMAINDER_DROP, REMAINDER_VALUE, REMAINDER_HEAD };
static const char *const remainder_names[] = {"drop", "value", "head", NULL};
static const struct option options[] = {
    {.key = "remainder", .type = OPTION_CHOICE, .names = remainder_names, .fallback = "drop",
     .help = "where what is left goes: nowhere, to the query's own value, to a vector of the head"},
    {.key = "current", .type = OPTION_BOOL, .fallback = "false",
     .help = "the query's own key takes its share too"},
    {.key = NULL},
};

static int remainder_of(const struct kind_config *c)
{
    return (int)c->number[REMAINDER];
}

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_ORDERED, VIEW_NUMBER,
                                     remainder_of(c) == REMAINDER_VALUE && s->own, false};
}

static int tensors(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out)
{
    if (remainder_of(c) != REMAINDER_HEAD)
        return 0;
    out[0] = (struct tensor){.name = "rest", .rank = 2, .shape = {s->heads, s->head_width},
                             .init = TENSOR_CONSTANT};
    return 1;
}

static int rest(const struct kind_config *c)
{
    return remainder_of(c) == REMAINDER_HEAD ? 0 : -1;
}

/* Keys that take a share: those before the query's own, and it too where it is current. */
static int sharing(const struct normaliser_context *c, const struct normaliser_row *r)
{
    return r->own >= 0 && c->config->number[CURRENT] == 0 ? r->own : r->seen;
}

/* share = sigmoid(x), left = 1 - share, neither rounded away. */
static void sigmoids(double x, double *share, double *left)
{
    double e = exp(-fabs(x)), large = 1 / (1 + e);
    *share = x < 0 ? e * large : large;
    *left = x < 0 ? large : e * large;
}

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    int count = sharing(c, r);
    double stick = 1, share, left;
    for (int j = count - 1; j >= 0; j--) {
        sigmoids((double)s[j], &share, &left);
        s[j] = (real)(share * stick);
        stick *= left;
    }
    for (int j = count; j < r->seen; j++)
        s[j] = 0;
    if (remainder_of(c->config) == REMAINDER_VALUE && r->own >= 0)
        s[r->own] += (real)stick;
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    int count = sharing(c, r);
    double stick = 1, share, left, before = 0;
    real *taken = r->scratch; /* a, without the remainder */
    for (int j = count - 1; j >= 0; j--) {
        sigmoids((double)s[j], &share, &left);
        taken[j] = (real)(share * stick);
        stick *= left;
    }
    if (remainder_of(c->config) == REMAINDER_VALUE && r->own >= 0)
        before = stick * (double)da[r->own];
    for (int j = 0; j < count; j++) {
        double given = (double)taken[j] * (double)da[j];
        sigmoids((double)s[j], &share, &left);
        da[j] = (real)(given * left - share * before);
        before += given;
    }
    for (int j = count; j < r->seen; j++)
        da[j] = 0;
}

const struct normaliser normaliser_stick_breaking = {
    .name = "stick-breaking",
    .formula = "a_ij = beta_ij prod_{j<k<i} (1 - beta_ik), beta = sigmoid(s)",
    .summary = "from the query backwards, each key takes its share of what is left",
    .citation = "Tan et al. 2024",
    .options = options,
    .past_only = true,
    .facts = facts,
    .tensors = tensors,
    .row = row,
    .row_backward = row_backward,
    .rest = rest,
};

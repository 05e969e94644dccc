/* cope: positions are counted by gates, so that what counts as one step depends on content:
 *     g_ik = sigmoid(s_ik),   p_ij = min(sum_{k=j..i} g_ik, m-1),   w = p - floor p
 *     s_ij += (1-w) q_i.e[floor p] + w q_i.e[ceil p]        (q.e is not divided by sqrt(d_h))
 * with s = q.k / sqrt(d_h) on the right; causal only.
 * Source: Golovneva et al. 2024, section 4.  e [d_h,m] is per layer and shared by the heads.
 *
 *   p_ij with all gates 1, n = 4:   1 - - -
 *                                   2 1 - -
 *                                   3 2 1 -
 *                                   4 3 2 1 */
#include <math.h>
#include <string.h>

#include "encoding/parts.h"
#include "kernel/kernel.h"

enum { POSITIONS };
static const struct option options[] = {
    {.key = "positions", .type = OPTION_INT, .min = 1, .max = 65536, .fallback = "64",
     .help = "m, contextual positions; counts beyond m-1 are clamped"},
    {.key = NULL},
};

static int positions(const struct encoding_context *c)
{
    return (int)c->config->number[POSITIONS];
}

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->shift_invariant = false;
    out->per_sample = true;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[0] = encoding_normal("position", ENCODING_LAYER, s->head_width, (int)c->number[POSITIONS], 0);
    out[0].tensor.table = true;
    return 1;
}

/* Gates (rows, n) and q.e (rows, m), which logits leaves for logits_backward; the gradients of q.e
 * (rows, m) and of one row's p (n). */
static size_t scratch(const struct encoding_context *c, int rows)
{
    size_t n = (size_t)c->layout->n, m = (size_t)positions(c);
    return (size_t)rows * (n + 2 * m) + n;
}

struct place {
    int low, high; /* floor p, ceil p */
    real w;
};

static struct place place_of(real count, int m)
{
    real p = count < (real)(m - 1) ? count : (real)(m - 1);
    int low = (int)p;
    return (struct place){low, p > (real)low ? low + 1 : low, p - (real)low};
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    int n = c->layout->n, m = positions(c), d = c->shape->head_width;
    real *gates = b->scratch, *qe = gates + (size_t)b->rows * (size_t)n;
    gemm(false, false, b->rows, m, d, 1, b->q + (size_t)b->first * (size_t)b->stride, b->stride,
         c->parameter[0], m, 0, qe, m);
    for (int r = 0; r < b->rows; r++) {
        real *row = s + (size_t)r * (size_t)b->ld, *gate = gates + (size_t)r * (size_t)n;
        const real *e = qe + (size_t)r * (size_t)m;
        real count = 0;
        for (int j = 0; j <= b->first + r; j++)
            gate[j] = 1 / (1 + REAL_MATH(exp)(-row[j]));
        for (int j = b->first + r; j >= 0; j--) {
            count += gate[j];
            struct place p = place_of(count, m);
            row[j] += (1 - p.w) * e[p.low] + p.w * e[p.high];
        }
    }
}

/* One row: dqe (m) overwritten, dp (n) is scratch, ds becomes the gradient of scale * q.k. */
static void row_backward(int i, int m, const real *gate, const real *e, real *ds, real *dqe,
                         real *dp)
{
    real count = 0, sum = 0;
    memset(dqe, 0, (size_t)m * sizeof *dqe);
    for (int j = i; j >= 0; j--) {
        count += gate[j];
        struct place p = place_of(count, m);
        dqe[p.low] += (1 - p.w) * ds[j];
        dqe[p.high] += p.w * ds[j];
        dp[j] = ds[j] * (e[p.high] - e[p.low]); /* 0 where p is clamped: there high is low */
    }
    for (int k = 0; k <= i; k++) {
        sum += dp[k]; /* gate k is in the counts of all j <= k */
        ds[k] += sum * gate[k] * (1 - gate[k]);
    }
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    int n = c->layout->n, m = positions(c), d = c->shape->head_width;
    size_t at = (size_t)b->first * (size_t)b->stride, rows = (size_t)b->rows;
    const real *gates = b->scratch, *qe = gates + rows * (size_t)n;
    real *dqe = b->scratch + rows * (size_t)(n + m), *dp = dqe + rows * (size_t)m;
    for (size_t r = 0; r < rows; r++)
        row_backward(b->first + (int)r, m, gates + r * (size_t)n, qe + r * (size_t)m,
                     ds + r * (size_t)b->ld, dqe + r * (size_t)m, dp);
    gemm(false, true, b->rows, d, m, 1, dqe, m, c->parameter[0], m, 1, b->dq + at, b->stride);
    gemm(true, false, d, m, b->rows, 1, b->q + at, b->stride, dqe, m, 1, c->gradient[0], m);
}

const struct encoding encoding_cope = {
    .name = "cope",
    .formula = "p_ij = sum_{k=j..i} sigmoid(s_ik), s_ij += (1-w) q_i.e[floor p] + w q_i.e[ceil p]",
    .summary = "positions counted by gates that depend on content",
    .citation = "Golovneva et al. 2024, section 4",
    .relation_text = "pair (i,j) of each sample",
    .longer = "any length: counts are clamped",
    .options = options,
    .past_only = true,
    .of_logits = true,
    .axes_min = 1, .axes_max = 1,
    .facts = facts,
    .tensors = tensors,
    .relation = encoding_relation_pair,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
};

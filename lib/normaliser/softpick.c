/* softpick (rectified softmax): x_ij = exp(s_ij) - 1, a_ij = max(x_ij, 0) / sum_k |x_ik|.
 * Computed with m = max(0, max s) as x exp(-m), so that nothing overflows; ds = e (1[x>0] g -
 * sign(x) t) / D with e = exp(s - m), D = sum |x| exp(-m), t = sum_j a g.
 * The published code adds 1e-8 to the sum.  That would let a network with tiny logits count its keys,
 * so it is left out; a row whose logits are all 0 has weights 0.
 * Source: Zuhri et al. 2025, Softpick; zaydzuhri/softpick-attention naive_softpick_attn.py. */
#include <math.h>

#include "normaliser/parts.h"

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_RATIO, false, false};
}

static double shift_of(int count, const real *s)
{
    double top = (double)row_top(count, s);
    return top > 0 ? top : 0;
}

/* x exp(-m), with the digits of a small x while exp(m) is in range. */
static double rectified(double s, double m)
{
    return m < 300 ? exp(-m) * expm1(s) : exp(s - m) - exp(-m);
}

static double divisor(int count, const real *s, double m)
{
    double sum = 0;
    for (int j = 0; j < count; j++)
        sum += fabs(rectified((double)s[j], m));
    return sum > 0 ? sum : 1;
}

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    double m = shift_of(r->seen, s), sum = divisor(r->seen, s, m);
    for (int j = 0; j < r->seen; j++)
        s[j] = s[j] > 0 ? (real)(rectified((double)s[j], m) / sum) : 0;
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    double m = shift_of(r->seen, s), sum = divisor(r->seen, s, m), t = row_dot(r->seen, a, da);
    for (int j = 0; j < r->seen; j++) {
        double e = exp((double)s[j] - m), g = s[j] > 0 ? (double)da[j] - t : s[j] < 0 ? t : 0;
        da[j] = (real)(e * g / sum);
    }
}

const struct normaliser normaliser_softpick = {
    .name = "softpick",
    .formula = "a_ij = max(e^s_ij - 1, 0) / sum_k |e^s_ik - 1|",
    .summary = "rectified softmax: rows sum to at most 1",
    .citation = "Zuhri et al. 2025",
    .facts = facts,
    .row = row,
    .row_backward = row_backward,
};

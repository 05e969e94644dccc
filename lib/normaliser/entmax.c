/* entmax: a_ij = [(alpha-1) s_ij - tau_i]_+^(1/(alpha-1)), tau_i such that the row sums to 1.
 * alpha -> 1 is softmax, alpha = 2 sparsemax, which has an entry of its own.  Rows sum to 1 and yet
 * weights depend on how many keys there are: doubling every key moves tau.
 *
 * tau for x = (alpha-1)(s - max s) lies in [-1, -m^-(alpha-1)], m the keys seen: the sum is at least
 * 1 at the one end and at most 1 at the other.  Backward: with w = a^(2-alpha) on the
 * support and 0 off it, q = w / sum w and h = sum a log a,
 *     ds = w (g - sum_j q g)
 *     dalpha = sum_j g ((a - q) / (alpha-1)^2 - (a log a - q h) / (alpha-1)).
 * Learned: alpha_h = 1 + sigmoid(r_h), one parameter per head, between softmax and sparsemax.
 * Source: Peters et al. 2019; Correia et al. 2019 (learned); deep-spin/entmax root_finding.py. */
#include <math.h>

#include "normaliser/parts.h"

enum { ALPHA, LEARNED };
enum { ROUNDS = 60 };
static const struct option options[] = {
    {.key = "alpha", .type = OPTION_REAL, .min = 1.01, .max = 16, .fallback = "1.5",
     .help = "1: softmax (not reached), 2: sparsemax; the start where it is learned"},
    {.key = "learned", .type = OPTION_BOOL, .fallback = "false",
     .help = "alpha is a parameter of each head, between 1 and 2"},
    {.key = NULL},
};

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    *out = (struct normaliser_facts){VIEW_COUNTED, VIEW_NUMBER, true, false};
}

static bool is_learned(const struct kind_config *c)
{
    return c->number[LEARNED] != 0;
}

static int check(const struct kind_config *c, const struct normaliser_shape *s, struct err *e)
{
    if (is_learned(c) && !(c->number[ALPHA] < 2))
        return err_set(e, ERR_USAGE, "model.normaliser.alpha",
                       "a learned alpha lies between 1 and 2 and cannot start at %g; expected less "
                       "than 2, or learned: false",
                       c->number[ALPHA]);
    return 0;
}

static int tensors(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out)
{
    double share = c->number[ALPHA] - 1;
    if (!is_learned(c))
        return 0;
    out[0] = (struct tensor){.name = "alpha", .rank = 1, .shape = {s->heads},
                             .init = TENSOR_CONSTANT, .mean = log(share / (1 - share))};
    return 1;
}

static double alpha_of(const struct normaliser_context *c, int head)
{
    if (!is_learned(c->config))
        return c->config->number[ALPHA];
    return 1 + 1 / (1 + exp(-(double)c->parameter[0][head]));
}

/* x^power for x > 0, quickly where alpha is 2 or 1.5. */
static double raised(double x, double power)
{
    if (power == 1 || power == 2)
        return power == 1 ? x : x * x;
    if (power == 0 || power == 0.5)
        return power == 0 ? 1 : sqrt(x);
    return pow(x, power);
}

/* sum_j [x_j - tau]_+^power for x = (alpha-1)(s - top), and *slope, minus its derivative by tau. */
static double sum_above(int count, double alpha, double top, double tau, const real *s,
                        double *slope)
{
    double power = 1 / (alpha - 1), sum = 0;
    *slope = 0;
    for (int j = 0; j < count; j++) {
        double x = (alpha - 1) * ((double)s[j] - top) - tau;
        if (x <= 0)
            continue;
        double below = raised(x, power - 1);
        sum += x * below;
        *slope += power * below;
    }
    return sum;
}

/* Up to alpha = 2 the sum is convex in tau, and Newton's steps from the left rise to the root; beyond
 * it the interval is halved. */
static double threshold(int count, double alpha, double top, const real *s)
{
    double low = -1, high = -pow(count, 1 - alpha), slope;
    for (int round = 0; round < ROUNDS; round++) {
        bool convex = alpha <= 2;
        double tau = convex ? low : (low + high) / 2;
        double over = sum_above(count, alpha, top, tau, s, &slope) - 1;
        double next = convex ? low + over / slope : over < 0 ? low : tau;
        high = !convex && over < 0 ? tau : high;
        if (convex && next - low <= 1e-16)
            break;
        low = next;
    }
    return low;
}

/* s becomes the weights. */
static void entmax_row(int count, double alpha, real *s)
{
    double top = (double)row_top(count, s), power = 1 / (alpha - 1), sum = 0;
    double tau = threshold(count, alpha, top, s);
    for (int j = 0; j < count; j++) {
        double x = (alpha - 1) * ((double)s[j] - top) - tau;
        double a = x > 0 ? raised(x, power) : 0;
        sum += a;
        s[j] = (real)a;
    }
    for (int j = 0; j < count; j++)
        s[j] = (real)((double)s[j] / sum);
}

/* da becomes ds; returns dalpha, which counts where alpha is learned alone. */
static double entmax_row_backward(int count, double alpha, bool learned, const real *a, real *da)
{
    double total = 0, mean = 0, h = 0, dalpha = 0, scale = alpha - 1;
    for (int j = 0; j < count; j++) {
        double w = a[j] > 0 ? raised((double)a[j], 2 - alpha) : 0;
        total += w;
        mean += w * (double)da[j];
        h += learned && a[j] > 0 ? (double)a[j] * log((double)a[j]) : 0;
    }
    mean /= total;
    for (int j = 0; j < count; j++) {
        double g = (double)da[j], p = (double)a[j], w = p > 0 ? raised(p, 2 - alpha) : 0;
        double q = w / total, plog = learned && p > 0 ? p * log(p) : 0;
        dalpha += g * ((p - q) / (scale * scale) - (plog - q * h) / scale);
        da[j] = (real)(w * (g - mean));
    }
    return dalpha;
}

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    entmax_row(r->seen, alpha_of(c, r->head), s);
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    double alpha = alpha_of(c, r->head);
    double dalpha = entmax_row_backward(r->seen, alpha, is_learned(c->config), a, da);
    if (is_learned(c->config))
        c->gradient[0][r->head] += (real)(dalpha * (alpha - 1) * (2 - alpha));
}

static void sparse_row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    entmax_row(r->seen, 2, s);
}

static void sparse_row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                                const real *s, const real *a, real *da)
{
    entmax_row_backward(r->seen, 2, false, a, da);
}

const struct normaliser normaliser_entmax = {
    .name = "entmax",
    .formula = "a_ij = [(alpha-1) s_ij - tau_i]_+^(1/(alpha-1)), rows sum to 1",
    .summary = "weights that can be exactly 0, alpha between softmax and sparsemax",
    .citation = "Peters et al. 2019; Correia et al. 2019",
    .options = options,
    .check = check,
    .facts = facts,
    .tensors = tensors,
    .row = row,
    .row_backward = row_backward,
};

const struct normaliser normaliser_sparsemax = {
    .name = "sparsemax",
    .formula = "a_ij = max(s_ij - tau_i, 0), rows sum to 1",
    .summary = "the projection of the logits on the simplex: entmax with alpha 2",
    .citation = "Martins and Astudillo 2016",
    .facts = facts,
    .row = sparse_row,
    .row_backward = sparse_row_backward,
};

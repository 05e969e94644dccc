/* linear: weights are products of features, with no exponential of q.k.
 *     a_ij = e_ij scale phi(q_i).phi(k_j) / z_i,   e_ij = exp of what the encoding adds
 *   divide   sum: z_i, the sum of the numerators; under rotations, which make these negative, it may
 *            come near 0
 *            unrotated: the sum of the numerators without rotations, which is positive
 *            none: z_i = 1; with C_ij = gamma^(i-j) and no phi this is retention
 *   phi      elu: elu(x) + 1, that is x + 1 where x > 0, else exp(x); none: x
 * Rotations turn phi(q) and phi(k).  The encoding's term is a factor here as it is in softmax.  The published sums have 1e-6 added (1e-10 in
 * fla), which lets a network with tiny features count its keys, so it is left out; 0 / 0 is 0.
 *
 * Backward, N the numerators, E those that z sums, g the gradient of a, t = sum_j a g:
 *     dN = g / z,  dE = -t / z,  each times N or E for what the encoding adds.
 * Source: Katharopoulos et al. 2020, eq. 7; idiap/fast-transformers linear_attention.py; unrotated, Su et
 * al. 2021, section 3.3; none, fla-org/flash-linear-attention ops/linear_attn/naive.py; retention, Sun
 * et al. 2023, microsoft/torchscale multiscale_retention.py. */
#include <math.h>

#include "normaliser/parts.h"

enum { DIVIDE, PHI };
enum { DIVIDE_SUM, DIVIDE_UNROTATED, DIVIDE_NONE };
enum { PHI_ELU, PHI_NONE };
static const char *const divide_names[] = {"sum", "unrotated", "none", NULL};
static const char *const phi_names[] = {"elu", "none", NULL};
static const struct option options[] = {
    {.key = "divide", .type = OPTION_CHOICE, .names = divide_names, .fallback = "sum",
     .help = "the sum of a row, the sum without rotations, or nothing"},
    {.key = "phi", .type = OPTION_CHOICE, .names = phi_names, .fallback = "elu",
     .help = "elu + 1 of the channels of q and k, or q and k as they are"},
    {.key = NULL},
};

static int divide_of(const struct kind_config *c)
{
    return (int)c->number[DIVIDE];
}

static int check(const struct kind_config *c, const struct normaliser_shape *s, struct err *e)
{
    if ((int)c->number[PHI] == PHI_NONE && divide_of(c) != DIVIDE_NONE)
        return err_set(e, ERR_USAGE, "model.normaliser.phi",
                       "without phi weights have any sign and their sum may be 0; expected elu, or "
                       "model.normaliser.divide: none");
    return 0;
}

static void facts(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out)
{
    int divide = divide_of(c);
    *out = (struct normaliser_facts){
        VIEW_COUNTED, divide == DIVIDE_NONE ? VIEW_NUMBER : VIEW_RATIO, divide == DIVIDE_SUM,
        false};
}

static int products(const struct kind_config *c)
{
    return divide_of(c) == DIVIDE_UNROTATED ? PRODUCTS_PLAIN : PRODUCTS_APART;
}

static void feature(const struct kind_config *c, int count, real *x)
{
    for (int k = 0; k < count && (int)c->number[PHI] == PHI_ELU; k++)
        x[k] = x[k] > 0 ? x[k] + 1 : REAL_MATH(exp)(x[k]);
}

static void feature_backward(const struct kind_config *c, int count, const real *y, real *dx)
{
    for (int k = 0; k < count && (int)c->number[PHI] == PHI_ELU; k++)
        dx[k] *= y[k] < 1 ? y[k] : 1;
}

/* What the numerators have in common can be left out where they are divided. */
static double shift_of(const struct normaliser_context *c, const struct normaliser_row *r,
                       const real *s)
{
    return divide_of(c->config) == DIVIDE_NONE ? 0 : (double)row_top(r->seen, s);
}

static double divisor(const struct normaliser_context *c, const struct normaliser_row *r,
                      const real *s, double shift)
{
    const real *of = r->plain ? r->plain : r->product;
    double sum = 0;
    if (divide_of(c->config) == DIVIDE_NONE)
        return 1;
    for (int j = 0; j < r->seen; j++)
        sum += exp((double)s[j] - shift) * (double)of[j];
    return sum != 0 ? sum : 1;
}

static void row(const struct normaliser_context *c, const struct normaliser_row *r, real *s)
{
    double shift = shift_of(c, r, s), z = divisor(c, r, s, shift);
    for (int j = 0; j < r->seen; j++)
        s[j] = (real)(exp((double)s[j] - shift) * (double)r->product[j] / z);
}

static void row_backward(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da)
{
    double shift = shift_of(c, r, s), z = divisor(c, r, s, shift);
    double t = divide_of(c->config) == DIVIDE_NONE ? 0 : row_dot(r->seen, a, da);
    for (int j = 0; j < r->seen; j++) {
        double e = exp((double)s[j] - shift) / z, g = (double)da[j];
        if (r->plain) {
            r->dproduct[j] = (real)(e * g);
            r->dplain[j] = (real)(-e * t);
            da[j] = (real)(e * (g * (double)r->product[j] - t * (double)r->plain[j]));
        } else {
            r->dproduct[j] = (real)(e * (g - t));
            da[j] = (real)(e * (g - t) * (double)r->product[j]);
        }
    }
}

const struct normaliser normaliser_linear = {
    .name = "linear",
    .formula = "a_ij = phi(q_i).phi(k_j) / sum_k phi(q_i).phi(k_k), phi(x) = elu(x) + 1",
    .summary = "products of features; retention: divide none, phi none, C = gamma^(i-j)",
    .citation = "Katharopoulos et al. 2020",
    .options = options,
    .check = check,
    .facts = facts,
    .row = row,
    .row_backward = row_backward,
    .products = products,
    .feature = feature,
    .feature_backward = feature_backward,
};

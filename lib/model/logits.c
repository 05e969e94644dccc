/* Maps of the products that logits are made of, before the encoding adds to them:
 *
 *   soft-cap   c tanh(scale q.k / c)                                     Gemma 2, gm/nn/_modules.py
 *   qk-norm    scale q^.k^,  q^ = gain rms(q), k^ likewise, per head      Qwen3, Gemma 3; before rotations
 *   cosine     e^{min(l, log 100)} q.k / (|q| |k|), l of the head         Swin v2, swin_transformer_v2.py
 *
 * Each is a function of q_i, k_j and what the encoding does to them, so what a layer can tell apart is
 * that of the same layer without it.  A vector of zeros has no direction: its cosines are 0.
 * Backward, of a direction u = q/|q|:  dq = (du - u (u.du)) / |q|. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

enum { CAP };
static const double rms_epsilon = 1e-6, scale_limit = 4.6051701859880914; /* log 100 */

static const struct option none_options[] = {{.key = NULL}};
static const struct option cap_options[] = {
    [CAP] = {.key = "cap", .type = OPTION_REAL, .min = 1e-3, .max = 1e6, .fallback = "50",
             .help = "products stay within it"},
    {.key = NULL}};

struct logits {
    const char *name;
    const struct option *options;
};
static const struct logits none = {"none", none_options}, cap = {"soft-cap", cap_options},
                           norm = {"qk-norm", none_options}, cosine = {"cosine", none_options};
static const struct logits *const table[] = {&none, &cap, &norm, &cosine, NULL};
KIND_TABLE(logits_kinds, "logits", table);

double logits_cap(const struct kind_config *c)
{
    return table[c->kind] == &cap ? c->number[CAP] : 0;
}

bool logits_map_vectors(const struct kind_config *c)
{
    return table[c->kind] == &norm || table[c->kind] == &cosine;
}

bool model_maps_logits(const struct model_config *c)
{
    bool any = c->logits.kind != 0;
    for (int k = 0; k < c->plan.kinds; k++)
        any = any || c->plan.kind[k].logits.kind != 0;
    return any;
}

int logits_tensors(const struct kind_config *c, int heads, int head_width,
                   struct tensor out[LOGITS_TENSORS_MAX])
{
    if (table[c->kind] == &cosine) {
        out[0] = (struct tensor){.name = "logits.scale", .rank = 1, .shape = {heads},
                                 .init = TENSOR_CONSTANT, .mean = 2.302585092994046}; /* log 10 */
        return 1;
    }
    if (table[c->kind] != &norm)
        return 0;
    for (int k = 0; k < 2; k++)
        out[k] = (struct tensor){.rank = 1, .shape = {head_width}, .init = TENSOR_CONSTANT, .mean = 1};
    strcpy(out[0].name, "logits.query");
    strcpy(out[1].name, "logits.key");
    return 2;
}

/* ---- one head's vector ------------------------------------------------------------------------*/
static double sum_of(int count, const real *x, const real *y)
{
    double sum = 0;
    for (int k = 0; k < count; k++)
        sum += (double)x[k] * (double)y[k];
    return sum;
}

/* x becomes size x / |x|. */
static void turn(int count, double size, real *x)
{
    double length = sqrt(sum_of(count, x, x));
    for (int k = 0; k < count; k++)
        x[k] = length > 0 ? (real)(size / length * (double)x[k]) : 0;
}

/* dx, of what became of x, to that of x; returns the gradient of `size`. */
static double turn_backward(int count, double size, const real *x, real *dx)
{
    double length = sqrt(sum_of(count, x, x)), along = sum_of(count, x, dx);
    for (int k = 0; k < count; k++)
        dx[k] = length > 0 ? (real)(size / length *
                                    ((double)dx[k] - (double)x[k] * along / (length * length)))
                           : 0;
    return length > 0 ? along / length : 0;
}

/* ---- a row ------------------------------------------------------------------------------------*/
static double size_of(const struct logits_row *r, int head)
{
    return exp(fmin((double)r->parameter[0][head], scale_limit)) / r->scale;
}

void logits_map(const struct logits_row *r, real *q, real *k)
{
    int d = r->head_width;
    for (int h = 0; h < r->heads; h++, q += d, k += d)
        if (table[r->config->kind] == &norm) {
            rms_vector(d, rms_epsilon, 1, r->parameter[0], q);
            rms_vector(d, rms_epsilon, 1, r->parameter[1], k);
        } else {
            turn(d, size_of(r, h), q);
            turn(d, 1, k);
        }
}

void logits_map_backward(const struct logits_row *r, const real *q, const real *k, real *dq, real *dk)
{
    int d = r->head_width;
    for (int h = 0; h < r->heads; h++, q += d, k += d, dq += d, dk += d)
        if (table[r->config->kind] == &norm) {
            rms_vector_backward(d, rms_epsilon, 1, r->parameter[0], q, dq, r->gradient[0]);
            rms_vector_backward(d, rms_epsilon, 1, r->parameter[1], k, dk, r->gradient[1]);
        } else {
            double size = size_of(r, h), dsize = turn_backward(d, size, q, dq);
            turn_backward(d, 1, k, dk);
            if ((double)r->parameter[0][h] < scale_limit)
                r->gradient[0][h] += (real)(dsize * size);
        }
}

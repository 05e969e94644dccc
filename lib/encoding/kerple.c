/* kerple: kernels of the distance with learned shape, per head.
 *     kerple-log    B_ij = -p ln(1 + a |j-i|),   a, p >= .01
 *     kerple-power  B_ij = -a |j-i|^p,           a >= .01, p in [.01, 2]
 * The bounds hold in the forward pass; a parameter outside them gets no gradient.
 * Source: Chi et al. 2022 (KERPLE), the logarithmic and the power variant; formulas read in the
 * authors' megatron/mpu/layers.py.
 *
 *   -B_ij / p of kerple-log, a = 1, n = 4:   0.000 0.693 1.099 1.386
 *                                            0.693 0.000 0.693 1.099
 *                                            1.099 0.693 0.000 0.693
 *                                            1.386 1.099 0.693 0.000
 * On a grid or graph |j-i| is the layout's distance; unreachable counts as 1 + the largest trained
 * distance. */
#include <math.h>

#include "encoding/parts.h"

enum { A, P };

/* B at distance x > 0 and its derivatives by a and p. */
struct value {
    double b, da, dp;
};

static struct value kernel_log(double a, double p, double x)
{
    double t = log1p(a * x);
    return (struct value){-p * t, -p * x / (1 + a * x), -t};
}

static struct value kernel_power(double a, double p, double x)
{
    double t = pow(x, p);
    return (struct value){-a * t, -t, -a * t * log(x)};
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    struct encoding_tensor t = {
        .scope = ENCODING_TABLE,
        .tensor = {.rank = 1, .shape = {s->heads}, .init = TENSOR_UNIFORM}};
    out[A] = out[P] = t;
    out[A].tensor.name[0] = 'a';
    out[A].tensor.mean = out[A].tensor.deviation = 0.5;
    out[P].tensor.name[0] = 'p';
    out[P].tensor.mean = out[P].tensor.deviation = 1;
    return 2;
}

typedef struct value (*kernel)(double a, double p, double x);

static void fill(const struct encoding_context *c, kernel f, double p_max, real *state)
{
    int relations = c->layout->relations;
    for (int h = 0; h < c->shape->heads; h++) {
        double a = fmax((double)c->parameter[A][h], 0.01);
        double p = fmin(fmax((double)c->parameter[P][h], 0.01), p_max);
        for (int r = 0; r < relations; r++) {
            double x = encoding_distance(c, r);
            state[(size_t)h * (size_t)relations + (size_t)r] = x > 0 ? (real)f(a, p, x).b : 0;
        }
    }
}

static void fill_backward(const struct encoding_context *c, kernel f, double p_max)
{
    int relations = c->layout->relations;
    for (int h = 0; h < c->shape->heads; h++) {
        double raw_a = (double)c->parameter[A][h], raw_p = (double)c->parameter[P][h];
        double a = fmax(raw_a, 0.01), p = fmin(fmax(raw_p, 0.01), p_max), da = 0, dp = 0;
        for (int r = 0; r < relations; r++) {
            double x = encoding_distance(c, r);
            double db = (double)c->dstate[(size_t)h * (size_t)relations + (size_t)r];
            struct value v = x > 0 ? f(a, p, x) : (struct value){0, 0, 0};
            da += db * v.da;
            dp += db * v.dp;
        }
        c->gradient[A][h] += raw_a == a ? (real)da : 0;
        c->gradient[P][h] += raw_p == p ? (real)dp : 0;
    }
}

static void log_prepare(const struct encoding_context *c, real *state)
{
    fill(c, kernel_log, HUGE_VAL, state);
}
static void log_prepare_backward(const struct encoding_context *c)
{
    fill_backward(c, kernel_log, HUGE_VAL);
}
static void power_prepare(const struct encoding_context *c, real *state)
{
    fill(c, kernel_power, 2, state);
}
static void power_prepare_backward(const struct encoding_context *c)
{
    fill_backward(c, kernel_power, 2);
}

const struct encoding encoding_kerple_log = {
    .name = "kerple-log",
    .formula = "B = -p ln(1 + a |j-i|), a, p >= .01",
    .summary = "a logarithmic distance penalty with learned shape",
    .citation = "Chi et al. 2022, logarithmic variant",
    .relation_text = "distance",
    .longer = "any length",
    .axes_min = 0, .axes_max = 2,
    .scattered = true,
    .facts = encoding_facts_bias,
    .tensors = tensors,
    .relation = encoding_relation_distance,
    .state_size = encoding_state_bias,
    .prepare = log_prepare,
    .prepare_backward = log_prepare_backward,
};

const struct encoding encoding_kerple_power = {
    .name = "kerple-power",
    .formula = "B = -a |j-i|^p, a >= .01, p in [.01,2]",
    .summary = "a power of the distance as penalty, with learned shape",
    .citation = "Chi et al. 2022, power variant",
    .relation_text = "distance",
    .longer = "any length",
    .axes_min = 0, .axes_max = 2,
    .scattered = true,
    .facts = encoding_facts_bias,
    .tensors = tensors,
    .relation = encoding_relation_distance,
    .state_size = encoding_state_bias,
    .prepare = power_prepare,
    .prepare_backward = power_prepare_backward,
};

/* Plain twins of the kernels that do more than one loop, written as the formula reads.  They are what
 * the fast variants are tested against, so they stay free of tricks. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* ---- elements ---------------------------------------------------------------------------------*/
static const double inverse_sqrt2 = 0.70710678118654752440;
static const double inverse_sqrt_2pi = 0.39894228040143267794;

/* Phi(x), through erfc so that the negative tail keeps its digits. */
static real normal_cdf(real x)
{
    return (real)0.5 * REAL_MATH(erfc)(-x * (real)inverse_sqrt2);
}

static real normal_density(real x)
{
    return (real)inverse_sqrt_2pi * REAL_MATH(exp)((real)-0.5 * x * x);
}

static void activation_forward(enum activation kind, int rows, int d, real *x, const real *bias,
                               real *y)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t j = 0; j < (size_t)d; j++) {
            size_t k = r * (size_t)d + j;
            real a = x[k] + bias[j];
            if (kind == ACTIVATION_RELU) {
                y[k] = a < 0 ? 0 : a; /* NaN compares false and stays */
                x[k] = a > 0 ? 1 : a <= 0 ? 0 : a;
            } else if (kind == ACTIVATION_SILU) {
                real gate = 1 / (1 + REAL_MATH(exp)(-a));
                y[k] = a * gate;
                x[k] = gate + a * gate * (1 - gate);
            } else {
                y[k] = a * normal_cdf(a);
                x[k] = normal_cdf(a) + a * normal_density(a);
            }
        }
}

static void activation_backward(int rows, int d, const real *slope, const real *dy, real *dx,
                                real *dbias)
{
    for (size_t r = 0; r < (size_t)rows; r++)
        for (size_t j = 0; j < (size_t)d; j++) {
            size_t k = r * (size_t)d + j;
            dx[k] = dy[k] * slope[k];
            dbias[j] += dx[k];
        }
}

static void adam_update(size_t count, const struct adam_step *step, const real *gradient, real *p,
                        real *m, real *v)
{
    for (size_t k = 0; k < count; k++) {
        real g = gradient[k] * step->clip + step->l2 * p[k];
        m[k] = step->beta1 * m[k] + (1 - step->beta1) * g;
        v[k] = step->beta2 * v[k] + (1 - step->beta2) * g * g;
        real direction = (m[k] / step->correction1) /
                         (REAL_MATH(sqrt)(v[k] / step->correction2) + step->epsilon);
        p[k] -= step->rate * direction + step->rate * step->decay * p[k];
    }
}

/* ---- softmax ----------------------------------------------------------------------------------*/
static void softmax_row(int n, int count, real *s, real *lse)
{
    real top = count > 0 ? s[0] : 0, sum = 0;
    for (int j = 1; j < count; j++)
        top = s[j] > top ? s[j] : top;
    for (int j = 0; j < count; j++) {
        s[j] = REAL_MATH(exp)(s[j] - top);
        sum += s[j];
    }
    for (int j = 0; j < count; j++)
        s[j] /= sum;
    for (int j = count; j < n; j++)
        s[j] = 0;
    *lse = count > 0 ? top + REAL_MATH(log)(sum) : 0;
}

static void softmax_forward(int rows, int n, int ld, const int *count, real *s, real *lse)
{
    for (int r = 0; r < rows; r++)
        softmax_row(n, count ? count[r] : n, s + (size_t)r * (size_t)ld, &lse[r]);
}

static void softmax_backward(int rows, int n, int ld, const real *a, const real *da,
                             const real *dot, real *ds)
{
    for (int r = 0; r < rows; r++) {
        size_t start = (size_t)r * (size_t)ld;
        real t = dot ? dot[r] : 0;
        for (int j = 0; !dot && j < n; j++)
            t += a[start + (size_t)j] * da[start + (size_t)j];
        for (int j = 0; j < n; j++)
            ds[start + (size_t)j] = a[start + (size_t)j] * (da[start + (size_t)j] - t);
    }
}

/* ---- LayerNorm --------------------------------------------------------------------------------*/
static void layernorm_forward(int rows, int d, real epsilon, const real *x, const real *gain,
                              const real *bias, real *y, real *mean, real *rstd)
{
    for (int r = 0; r < rows; r++, x += d, y += d) {
        real m = 0, variance = 0;
        for (int j = 0; j < d && bias; j++)
            m += x[j];
        m /= (real)d;
        for (int j = 0; j < d; j++)
            variance += (x[j] - m) * (x[j] - m);
        variance /= (real)d;
        real s = 1 / REAL_MATH(sqrt)(variance + epsilon);
        for (int j = 0; j < d; j++)
            y[j] = (x[j] - m) * s * gain[j] + (bias ? bias[j] : 0);
        mean[r] = m;
        rstd[r] = s;
    }
}

/* With h = (x - mean) rstd and g = dy gain: dx += rstd (g - mean(g) - h mean(g h)); RMSNorm has no
 * mean(g). */
static void layernorm_backward(int rows, int d, const real *x, const real *gain, const real *mean,
                               const real *rstd, const real *dy, real *dx, real *dgain, real *dbias)
{
    for (int r = 0; r < rows; r++, x += d, dy += d, dx += d) {
        real sum = 0, sum_h = 0;
        for (int j = 0; j < d; j++) {
            real h = (x[j] - mean[r]) * rstd[r];
            sum += dbias ? dy[j] * gain[j] : 0;
            sum_h += dy[j] * gain[j] * h;
            dgain[j] += dy[j] * h;
            if (dbias)
                dbias[j] += dy[j];
        }
        sum /= (real)d;
        sum_h /= (real)d;
        for (int j = 0; j < d; j++) {
            real h = (x[j] - mean[r]) * rstd[r];
            dx[j] += rstd[r] * (dy[j] * gain[j] - sum - h * sum_h);
        }
    }
}

/* ---- cross-entropy ----------------------------------------------------------------------------*/
static double crossentropy(int rows, int labels, real scale, real *logits, const int32_t *label)
{
    double loss = 0;
    for (int r = 0; r < rows; r++, logits += labels) {
        real lse, correct = logits[label[r]];
        softmax_row(labels, labels, logits, &lse);
        loss += (double)lse - (double)correct;
        logits[label[r]] -= 1;
        for (int j = 0; j < labels; j++)
            logits[j] *= scale;
    }
    return loss;
}

/* ---- attention --------------------------------------------------------------------------------*/
static size_t relation_of(const struct attention_shape *shape, int i, int j)
{
    if (shape->relation)
        return (size_t)shape->relation[(size_t)i * (size_t)shape->n + (size_t)j];
    return (size_t)(j - i + shape->origin);
}

static const real *row(const real *x, int i, int stride)
{
    return x + (ptrdiff_t)i * stride;
}

static real dot(int d, const real *a, const real *b)
{
    real sum = 0;
    for (int k = 0; k < d; k++)
        sum += a[k] * b[k];
    return sum;
}

static void add_scaled(int d, real factor, const real *x, real *y)
{
    for (int k = 0; k < d; k++)
        y[k] += factor * x[k];
}

/* Keys from, .. to - 1 hold all that query i sees. */
struct span {
    int from, to;
};

static struct span keys_of(const struct attention_shape *shape, int i)
{
    struct span s = {i + shape->low, i + shape->high + 1};
    s.from = s.from > 0 ? s.from : 0;
    s.to = s.to < shape->n ? s.to : shape->n;
    return s;
}

static bool is_seen(const struct attention_shape *shape, int i, int j)
{
    return !shape->hidden || !shape->hidden[relation_of(shape, i, j)];
}

static real logit(const struct attention_shape *shape, int i, int j, const real *q, const real *k,
                  const real *bias)
{
    real s = shape->scale *
             dot(shape->head_width, row(q, i, shape->stride), row(k, j, shape->stride));
    return bias ? s + bias[relation_of(shape, i, j)] : s;
}

real attention_weight(enum attention_form form, real s, real *slope)
{
    if (form == ATTENTION_SIGMOID) {
        real e = REAL_MATH(exp)(s < 0 ? s : -s), r = 1 / (1 + e);
        *slope = e * r * r;
        return s < 0 ? e * r : r;
    }
    real positive = s > 0 ? s : 0;
    *slope = form == ATTENTION_RELU2 ? 2 * positive : (real)(s > 0);
    return form == ATTENTION_RELU2 ? positive * positive : positive;
}

static double rms_of(int count, double epsilon, const real *x)
{
    double sum = 0;
    for (int k = 0; k < count; k++)
        sum += (double)x[k] * (double)x[k];
    return sqrt(sum / count + epsilon);
}

void rms_vector(int count, double epsilon, double factor, const real *gain, real *x)
{
    double r = rms_of(count, epsilon, x);
    for (int k = 0; k < count; k++)
        x[k] = (real)(factor * (double)gain[k] * (double)x[k] / r);
}

/* h = factor gain dy:  dx = (h - x mean(x h) / r^2) / r. */
void rms_vector_backward(int count, double epsilon, double factor, const real *gain, const real *x,
                         real *dx, real *dgain)
{
    double r = rms_of(count, epsilon, x), mean = 0;
    for (int k = 0; k < count; k++) {
        dx[k] = (real)(factor * (double)dx[k]);
        dgain[k] += (real)((double)dx[k] * (double)x[k] / r);
        dx[k] *= gain[k];
        mean += (double)dx[k] * (double)x[k] / count;
    }
    for (int k = 0; k < count; k++)
        dx[k] = (real)(((double)dx[k] - (double)x[k] * mean / (r * r)) / r);
}

/* attention_weight with the offset and factor of row i. */
static real elementwise(const struct attention_shape *shape, int i, real s, real *slope)
{
    real factor = shape->factor ? shape->factor[i] : 1;
    real weight = attention_weight(shape->form, shape->offset ? s + shape->offset[i] : s, slope);
    *slope *= factor;
    return factor * weight;
}

/* log sum exp of the logits s of what row i sees; far below any logit where that is nothing. */
static real row_lse(const struct attention_shape *shape, int i, struct span keys, const real *s)
{
    real top = -(real)6.9e29, sum = 0; /* as the fast twin has it: 1e30 ln 2 */
    for (int j = keys.from; j < keys.to; j++)
        if (is_seen(shape, i, j) && s[j] > top)
            top = s[j];
    for (int j = keys.from; j < keys.to; j++)
        if (is_seen(shape, i, j))
            sum += REAL_MATH(exp)(s[j] - top);
    return sum > 0 ? top + REAL_MATH(log)(sum) : top;
}

static void attention_forward(const struct attention_shape *shape, const real *q, const real *k,
                              const real *v, const real *bias, const real *c, real *o, real *lse,
                              real *scratch)
{
    real *s = scratch; /* (n) */
    for (int i = 0; i < shape->n; i++) {
        struct span keys = keys_of(shape, i);
        real *out = o + (ptrdiff_t)i * shape->output_stride;
        /* pass 1: logits, s_ij = scale q_i.k_j + bias[r(i,j)] */
        for (int j = keys.from; j < keys.to; j++)
            s[j] = logit(shape, i, j, q, k, bias);
        /* pass 2: what the weights of softmax are divided by, lse_i = ln sum_j e^s_ij */
        if (shape->form == ATTENTION_SOFTMAX)
            lse[i] = row_lse(shape, i, keys, s);
        /* pass 3: weights, a_ij, times C */
        for (int j = keys.from; j < keys.to; j++) {
            real slope, a = shape->form == ATTENTION_SOFTMAX ? REAL_MATH(exp)(s[j] - lse[i])
                                                             : elementwise(shape, i, s[j], &slope);
            s[j] = c ? a * c[relation_of(shape, i, j)] : a;
        }
        /* pass 4: values of what i sees, o_i = sum_j a_ij c[r(i,j)] v_j */
        memset(out, 0, (size_t)shape->head_width * sizeof *out);
        for (int j = keys.from; j < keys.to; j++)
            if (is_seen(shape, i, j))
                add_scaled(shape->head_width, s[j], row(v, j, shape->stride), out);
    }
}

/* With g = do_i . v_j and the slope of a weight by its logit:  dc += a g,  dbias += ds, and
 *     ds = slope c g;  softmax, whose slope is a:  ds = a (c g - do_i . o_i). */
static void attention_backward(const struct attention_shape *shape, const real *q, const real *k,
                               const real *v, const real *bias, const real *c, const real *o,
                               const real *lse, const real *dout, real *dq, real *dk, real *dv,
                               real *dbias, real *dc, real *scratch)
{
    int n = shape->n, d = shape->head_width, stride = shape->stride;
    bool softmax = shape->form == ATTENTION_SOFTMAX;
    for (int i = 0; i < n; i++) {
        memset(dq + (ptrdiff_t)i * stride, 0, (size_t)d * sizeof *dq);
        memset(dk + (ptrdiff_t)i * stride, 0, (size_t)d * sizeof *dk);
        memset(dv + (ptrdiff_t)i * stride, 0, (size_t)d * sizeof *dv);
    }
    for (int i = 0; i < n; i++) {
        struct span keys = keys_of(shape, i);
        const real *douti = row(dout, i, shape->output_stride);
        real total = softmax ? dot(d, douti, row(o, i, shape->output_stride)) : 0;
        for (int j = keys.from; j < keys.to; j++) {
            if (!is_seen(shape, i, j))
                continue;
            size_t r = bias || c ? relation_of(shape, i, j) : 0;
            real s = logit(shape, i, j, q, k, bias), slope;
            real a = softmax ? REAL_MATH(exp)(s - lse[i]) : elementwise(shape, i, s, &slope);
            real factor = c ? c[r] : 1, g = dot(d, douti, row(v, j, stride));
            real ds = (softmax ? a : slope) * (factor * g - total);
            if (c)
                dc[r] += a * g;
            if (bias)
                dbias[r] += ds;
            add_scaled(d, a * factor, douti, dv + (ptrdiff_t)j * stride);
            add_scaled(d, shape->scale * ds, row(k, j, stride), dq + (ptrdiff_t)i * stride);
            add_scaled(d, shape->scale * ds, row(q, i, stride), dk + (ptrdiff_t)j * stride);
        }
    }
}

const struct kernel_table kernel_plain = {
    .name = "plain",
    .activation_forward = activation_forward,
    .activation_backward = activation_backward,
    .layernorm_forward = layernorm_forward,
    .layernorm_backward = layernorm_backward,
    .softmax_forward = softmax_forward,
    .softmax_backward = softmax_backward,
    .crossentropy = crossentropy,
    .adam_update = adam_update,
    .attention_forward = attention_forward,
    .attention_backward = attention_backward,
};

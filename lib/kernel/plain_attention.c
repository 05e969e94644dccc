/* Plain twins of the fused attention kernels: one query row at a time, scratch of one row. */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

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

/* The same with the offset and factor of row i. */
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

/* For each query: 1 the logits of what it sees, 2 their log sum exp, 3 weights from the logits,
 * times C, 4 the weighted sum of the values. */
void attention_forward_plain(const struct attention_shape *shape, const real *q, const real *k,
                             const real *v, const real *bias, const real *c, real *o, real *lse,
                             real *scratch)
{
    real *s = scratch; /* (n) */
    for (int i = 0; i < shape->n; i++) {
        struct span keys = keys_of(shape, i);
        real *out = o + (ptrdiff_t)i * shape->output_stride;
        memset(out, 0, (size_t)shape->head_width * sizeof *out);
        for (int j = keys.from; j < keys.to; j++)
            s[j] = logit(shape, i, j, q, k, bias);
        if (shape->form == ATTENTION_SOFTMAX)
            lse[i] = row_lse(shape, i, keys, s);
        for (int j = keys.from; j < keys.to; j++) {
            real slope, a = shape->form == ATTENTION_SOFTMAX ? REAL_MATH(exp)(s[j] - lse[i])
                                                             : elementwise(shape, i, s[j], &slope);
            if (is_seen(shape, i, j))
                add_scaled(shape->head_width, c ? a * c[relation_of(shape, i, j)] : a,
                           row(v, j, shape->stride), out);
        }
    }
}

/* With g = do_i . v_j and the slope of a weight by its logit:  dc += a g,  dbias += ds, and
 *     ds = slope c g;  softmax, whose slope is a:  ds = a (c g - do_i . o_i). */
void attention_backward_plain(const struct attention_shape *shape, const real *q, const real *k,
                              const real *v, const real *bias, const real *c, const real *o,
                              const real *lse, const real *dout, real *dq, real *dk, real *dv,
                              real *dbias, real *dc, real *scratch)
{
    int n = shape->n, d = shape->head_width, stride = shape->stride;
    bool softmax = shape->form == ATTENTION_SOFTMAX;
    (void)scratch;
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

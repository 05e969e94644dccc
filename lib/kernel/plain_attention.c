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

/* s (count) = logits of query row i. */
static void logits_row(const struct attention_shape *shape, int i, int count, const real *q,
                       const real *k, const real *bias, real *s)
{
    for (int j = 0; j < count; j++) {
        s[j] = shape->scale *
               dot(shape->head_width, row(q, i, shape->stride), row(k, j, shape->stride));
        if (bias)
            s[j] += bias[relation_of(shape, i, j)];
    }
}

void attention_forward_plain(const struct attention_shape *shape, const real *q, const real *k,
                             const real *v, const real *bias, const real *c, real *o, real *lse,
                             real *scratch)
{
    int d = shape->head_width;
    real *s = scratch; /* (n) */
    for (int i = 0; i < shape->n; i++) {
        int count = shape->causal ? i + 1 : shape->n;
        real *out = o + (ptrdiff_t)i * shape->output_stride;
        logits_row(shape, i, count, q, k, bias, s);
        softmax_forward_plain(1, count, count, NULL, s, &lse[i]);
        memset(out, 0, (size_t)d * sizeof *out);
        for (int j = 0; j < count; j++) {
            real a = c ? s[j] * c[relation_of(shape, i, j)] : s[j];
            add_scaled(d, a, row(v, j, shape->stride), out);
        }
    }
}

/* With g = do_i . v_j:  da = c g,  ds = a (da - do_i . o_i),  dc += a g,  dbias += ds. */
void attention_backward_plain(const struct attention_shape *shape, const real *q, const real *k,
                              const real *v, const real *bias, const real *c, const real *o,
                              const real *lse, const real *dout, real *dq, real *dk, real *dv,
                              real *dbias, real *dc, real *scratch)
{
    int n = shape->n, d = shape->head_width, stride = shape->stride;
    real *s = scratch; /* (n) */
    for (int i = 0; i < n; i++) {
        memset(dq + (ptrdiff_t)i * stride, 0, (size_t)d * sizeof *dq);
        memset(dk + (ptrdiff_t)i * stride, 0, (size_t)d * sizeof *dk);
        memset(dv + (ptrdiff_t)i * stride, 0, (size_t)d * sizeof *dv);
    }
    for (int i = 0; i < n; i++) {
        int count = shape->causal ? i + 1 : n;
        const real *douti = row(dout, i, shape->output_stride);
        real total = dot(d, douti, row(o, i, shape->output_stride));
        logits_row(shape, i, count, q, k, bias, s);
        for (int j = 0; j < count; j++) {
            size_t r = bias || c ? relation_of(shape, i, j) : 0;
            real a = REAL_MATH(exp)(s[j] - lse[i]), factor = c ? c[r] : 1;
            real g = dot(d, douti, row(v, j, stride));
            real ds = a * (factor * g - total);
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

/* Plain twins of the kernels that reduce along a row: softmax, LayerNorm, cross-entropy. */
#include <math.h>

#include "kernel/kernel.h"

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

void softmax_forward_plain(int rows, int n, int ld, const int *count, real *s, real *lse)
{
    for (int r = 0; r < rows; r++)
        softmax_row(n, count ? count[r] : n, s + (size_t)r * (size_t)ld, &lse[r]);
}

void softmax_backward_plain(int rows, int n, int ld, const real *a, const real *da,
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
void layernorm_forward_plain(int rows, int d, real epsilon, const real *x, const real *gain,
                             const real *bias, real *y, real *mean, real *rstd)
{
    for (int r = 0; r < rows; r++, x += d, y += d) {
        real m = 0, variance = 0;
        for (int j = 0; j < d; j++)
            m += x[j];
        m /= (real)d;
        for (int j = 0; j < d; j++)
            variance += (x[j] - m) * (x[j] - m);
        variance /= (real)d;
        real s = 1 / REAL_MATH(sqrt)(variance + epsilon);
        for (int j = 0; j < d; j++)
            y[j] = (x[j] - m) * s * gain[j] + bias[j];
        mean[r] = m;
        rstd[r] = s;
    }
}

/* With h = (x - mean) rstd and g = dy gain: dx += rstd (g - mean(g) - h mean(g h)). */
void layernorm_backward_plain(int rows, int d, const real *x, const real *gain, const real *mean,
                              const real *rstd, const real *dy, real *dx, real *dgain,
                              real *dbias)
{
    for (int r = 0; r < rows; r++, x += d, dy += d, dx += d) {
        real sum = 0, sum_h = 0;
        for (int j = 0; j < d; j++) {
            real h = (x[j] - mean[r]) * rstd[r];
            sum += dy[j] * gain[j];
            sum_h += dy[j] * gain[j] * h;
            dgain[j] += dy[j] * h;
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
double crossentropy_plain(int rows, int labels, real scale, real *logits, const int32_t *label)
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

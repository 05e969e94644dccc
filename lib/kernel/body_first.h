/* The kernels of a variant that have no faster form yet: the plain twins and simple loops. */
#include <math.h>

static void variant_bias_forward(int rows, int d, const real *x, const real *bias, real *y)
{
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < d; j++)
            y[r * d + j] = x[r * d + j] + bias[j];
}

static void variant_bias_backward(int rows, int d, const real *dy, int ld, real *dbias)
{
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < d; j++)
            dbias[j] += dy[r * ld + j];
}

static void variant_add_forward(size_t count, const real *x, real *y)
{
    for (size_t k = 0; k < count; k++)
        y[k] += x[k];
}

static void variant_softmax_recompute(int rows, int n, int ld, const int *count, real *s,
                                      const real *lse)
{
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < n; j++)
            s[r * ld + j] = !count || j < count[r] ? REAL_MATH(exp)(s[r * ld + j] - lse[r]) : 0;
}

static double variant_squared_error(size_t count, const real *y, const real *f, real scale,
                                    real *dy)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++) {
        real difference = y[k] - f[k];
        sum += (double)difference * (double)difference;
        if (dy)
            dy[k] = scale * 2 * difference;
    }
    return sum;
}

static double variant_sum_squares(size_t count, const real *x)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += (double)x[k] * (double)x[k];
    return sum;
}

const struct kernel_table TABLE = {
    .name = NAME,
    .bias_forward = variant_bias_forward,
    .bias_backward = variant_bias_backward,
    .add_forward = variant_add_forward,
    .activation_forward = activation_forward_plain,
    .activation_backward = activation_backward_plain,
    .layernorm_forward = layernorm_forward_plain,
    .layernorm_backward = layernorm_backward_plain,
    .softmax_forward = softmax_forward_plain,
    .softmax_recompute = variant_softmax_recompute,
    .softmax_backward = softmax_backward_plain,
    .crossentropy = crossentropy_plain,
    .squared_error = variant_squared_error,
    .sum_squares = variant_sum_squares,
    .adam_update = adam_update_plain,
    .attention_forward = attention_forward_plain,
    .attention_backward = attention_backward_plain,
};

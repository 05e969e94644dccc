/* Private to lib/kernel: element-wise kernels, included once by each variant. */

/* ---- sums and copies --------------------------------------------------------------------------*/
INLINE void bias_step(const real *x, const real *bias, real *y, int count)
{
    vec_write(y, vec_read(x, count) + vec_read(bias, count), count);
}

static void variant_bias_forward(int rows, int d, const real *x, const real *bias, real *y)
{
    for (int r = 0; r < rows; r++, x += d, y += d) {
        int j = 0;
        for (; j + LANES <= d; j += LANES)
            bias_step(x + j, bias + j, y + j, LANES);
        if (j < d)
            bias_step(x + j, bias + j, y + j, d - j);
    }
}

/* dbias over `vecs` vectors of columns, the last of which holds `count`. */
INLINE void column_sums(int rows, const int vecs, const real *dy, ptrdiff_t ld, real *dbias,
                        int count)
{
    vec sum[4];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = vec_zero();
    for (int r = 0; r < rows; r++, dy += ld) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[v] += vec_read(dy + v * LANES, count);
    }
    UNROLL
    for (int v = 0; v < vecs; v++)
        vec_write(dbias + v * LANES, vec_read(dbias + v * LANES, count) + sum[v], count);
}

static void variant_bias_backward(int rows, int d, const real *dy, int ld, real *dbias)
{
    int j = 0;
    for (; j + 4 * LANES <= d; j += 4 * LANES)
        column_sums(rows, 4, dy + j, ld, dbias + j, LANES);
    for (; j + LANES <= d; j += LANES)
        column_sums(rows, 1, dy + j, ld, dbias + j, LANES);
    if (j < d)
        column_sums(rows, 1, dy + j, ld, dbias + j, d - j);
}

static void variant_add_forward(size_t count, const real *x, real *y)
{
    size_t k = 0;
    for (; k + LANES <= count; k += LANES)
        vec_store(y + k, vec_load(x + k) + vec_load(y + k));
    for (; k < count; k++)
        y[k] += x[k];
}

/* Four sums of WIDE_LANES doubles, added in a fixed order at the end. */
static double variant_sum_squares(size_t count, const real *x)
{
    wide sum[4] = {{0}, {0}, {0}, {0}};
    size_t k = 0;
    for (; k + 4 * WIDE_LANES <= count; k += 4 * WIDE_LANES) {
        UNROLL
        for (size_t v = 0; v < 4; v++) {
            wide w = wide_load(x + k + v * WIDE_LANES);
            sum[v] += w * w;
        }
    }
    wide all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    double total = 0;
    for (int l = 0; l < WIDE_LANES; l++)
        total += all[l];
    for (; k < count; k++)
        total += (double)x[k] * (double)x[k];
    return total;
}

static double variant_squared_error(size_t count, const real *y, const real *f, real scale,
                                    real *dy)
{
    wide sum[2] = {{0}, {0}};
    double total = 0;
    size_t k = 0;
    for (; k + 2 * WIDE_LANES <= count; k += 2 * WIDE_LANES) {
        UNROLL
        for (size_t v = 0; v < 2; v++) {
            size_t at = k + v * WIDE_LANES;
            wide difference = wide_load(y + at) - wide_load(f + at);
            sum[v] += difference * difference;
        }
        for (size_t at = k; dy && at < k + 2 * WIDE_LANES; at++)
            dy[at] = scale * 2 * (y[at] - f[at]);
    }
    sum[0] += sum[1];
    for (int l = 0; l < WIDE_LANES; l++)
        total += sum[0][l];
    for (; k < count; k++) {
        double difference = (double)y[k] - (double)f[k];
        total += difference * difference;
        if (dy)
            dy[k] = scale * 2 * (y[k] - f[k]);
    }
    return total;
}

/* ---- activations ------------------------------------------------------------------------------*/
/* 1 for a > 0, 0 for a <= 0, NaN for NaN. */
INLINE vec step_of(vec a)
{
    ivec above = (ivec)(a > vec_zero()), below = (ivec)(a <= vec_zero());
    return (vec)((above & (ivec)vec_set(1)) | (~(above | below) & (ivec)a));
}

INLINE void activation_step(const enum activation kind, real *x, const real *bias, real *y,
                            int count)
{
    vec a = vec_read(x, count) + vec_read(bias, count), cdf, density;
    if (kind == ACTIVATION_RELU) {
        vec_write(y, vec_max(vec_zero(), a), count);
        vec_write(x, step_of(a), count);
    } else if (kind == ACTIVATION_SILU) {
        vec e = vec_exp(vec_min(a, -a)), r = vec_set(1) / (vec_set(1) + e);
        vec gate = vec_where_negative(a, e * r, r);
        vec_write(y, a * gate, count);
        vec_write(x, vec_fma(a, e * r * r, gate), count);
    } else {
        vec_normal(a, &cdf, &density);
        vec_write(y, a * cdf, count);
        vec_write(x, vec_fma(a, density, cdf), count);
    }
}

INLINE void activation_rows(const enum activation kind, int rows, int d, real *x,
                            const real *bias, real *y)
{
    for (int r = 0; r < rows; r++, x += d, y += d) {
        int j = 0;
        for (; j + LANES <= d; j += LANES)
            activation_step(kind, x + j, bias + j, y + j, LANES);
        if (j < d)
            activation_step(kind, x + j, bias + j, y + j, d - j);
    }
}

static void variant_activation_forward(enum activation kind, int rows, int d, real *x,
                                       const real *bias, real *y)
{
    if (kind == ACTIVATION_RELU)
        activation_rows(ACTIVATION_RELU, rows, d, x, bias, y);
    else if (kind == ACTIVATION_SILU)
        activation_rows(ACTIVATION_SILU, rows, d, x, bias, y);
    else
        activation_rows(ACTIVATION_GELU, rows, d, x, bias, y);
}

/* `vecs` columns of vectors at a time, so that dbias stays in registers; the last holds `count`. */
INLINE void activation_columns(int rows, const int vecs, int d, const real *slope, const real *dy,
                               real *dx, real *dbias, int count)
{
    vec sum[4];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = vec_zero();
    for (int r = 0; r < rows; r++, slope += d, dy += d, dx += d) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            vec g = vec_read(dy + v * LANES, count) * vec_read(slope + v * LANES, count);
            vec_write(dx + v * LANES, g, count);
            sum[v] += g;
        }
    }
    UNROLL
    for (int v = 0; v < vecs; v++)
        vec_write(dbias + v * LANES, vec_read(dbias + v * LANES, count) + sum[v], count);
}

static void variant_activation_backward(int rows, int d, const real *slope, const real *dy,
                                        real *dx, real *dbias)
{
    int j = 0;
    for (; j + 4 * LANES <= d; j += 4 * LANES)
        activation_columns(rows, 4, d, slope + j, dy + j, dx + j, dbias + j, LANES);
    for (; j + LANES <= d; j += LANES)
        activation_columns(rows, 1, d, slope + j, dy + j, dx + j, dbias + j, LANES);
    if (j < d)
        activation_columns(rows, 1, d, slope + j, dy + j, dx + j, dbias + j, d - j);
}

/* ---- Adam -------------------------------------------------------------------------------------*/
INLINE void adam_elements(const struct adam_step *s, const real *gradient, real *p, real *m,
                          real *v, int count)
{
    vec w = vec_read(p, count);
    vec g = vec_fma(vec_set(s->l2), w, vec_read(gradient, count) * vec_set(s->clip));
    vec first = vec_fma(vec_set(s->beta1), vec_read(m, count), vec_set(1 - s->beta1) * g);
    vec second = vec_fma(vec_set(s->beta2), vec_read(v, count), vec_set(1 - s->beta2) * g * g);
    vec root = vec_sqrt(second * vec_set(1 / s->correction2)) + vec_set(s->epsilon);
    vec change = first * vec_set(s->rate / s->correction1) / root;
    vec_write(m, first, count);
    vec_write(v, second, count);
    vec_write(p, w - vec_fma(vec_set(s->rate * s->decay), w, change), count);
}

static void variant_adam_update(size_t count, const struct adam_step *step, const real *gradient,
                                real *p, real *m, real *v)
{
    struct adam_step s = *step;
    size_t k = 0;
    for (; k + LANES <= count; k += LANES)
        adam_elements(&s, gradient + k, p + k, m + k, v + k, LANES);
    if (k < count)
        adam_elements(&s, gradient + k, p + k, m + k, v + k, (int)(count - k));
}

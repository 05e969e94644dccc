/* Private to lib/kernel: kernels that reduce along a row, included once by each variant. */

/* ---- softmax ----------------------------------------------------------------------------------*/
INLINE real row_top(const real *s, int count)
{
    vec top = vec_set(s[0]);
    int j = 0;
    for (; j + LANES <= count; j += LANES)
        top = vec_max(top, vec_load(s + j));
    real t = vec_top(top);
    for (; j < count; j++)
        t = s[j] > t ? s[j] : t;
    return t;
}

/* s = exp(s - shift); returns the sum. */
INLINE real row_exp(real *s, int count, real shift)
{
    vec sum = vec_zero(), t = vec_set(shift);
    real rest = 0;
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        vec e = vec_exp(vec_load(s + j) - t);
        vec_store(s + j, e);
        sum += e;
    }
    if (j < count) {
        vec_store_part(s + j, vec_exp(vec_load_part(s + j, count - j) - t), count - j);
        for (; j < count; j++)
            rest += s[j];
    }
    return vec_sum(sum) + rest;
}

INLINE void row_scale(real *s, int count, real factor)
{
    vec f = vec_set(factor);
    int j = 0;
    for (; j + LANES <= count; j += LANES)
        vec_store(s + j, vec_load(s + j) * f);
    for (; j < count; j++)
        s[j] *= factor;
}

/* Returns log sum exp. */
INLINE real softmax_row_fast(real *s, int count)
{
    real top = row_top(s, count), sum = row_exp(s, count, top);
    row_scale(s, count, 1 / sum);
    return top + REAL_MATH(log)(sum);
}

static void variant_softmax_forward(int rows, int n, int ld, const int *count, real *s, real *lse)
{
    for (int r = 0; r < rows; r++, s += ld) {
        int m = count ? count[r] : n;
        lse[r] = m > 0 ? softmax_row_fast(s, m) : 0;
        for (int j = m; j < n; j++)
            s[j] = 0;
    }
}

static void variant_softmax_recompute(int rows, int n, int ld, const int *count, real *s,
                                      const real *lse)
{
    for (int r = 0; r < rows; r++, s += ld) {
        int m = count ? count[r] : n;
        row_exp(s, m, lse[r]);
        for (int j = m; j < n; j++)
            s[j] = 0;
    }
}

INLINE real row_dot(int n, const real *a, const real *b)
{
    vec sum = vec_zero();
    int j = 0;
    for (; j + LANES <= n; j += LANES)
        sum = vec_fma(vec_load(a + j), vec_load(b + j), sum);
    if (j < n)
        sum = vec_fma(vec_load_part(a + j, n - j), vec_load_part(b + j, n - j), sum);
    return vec_sum(sum);
}

static void variant_softmax_backward(int rows, int n, int ld, const real *a, const real *da,
                                     const real *dot, real *ds)
{
    for (int r = 0; r < rows; r++, a += ld, da += ld, ds += ld) {
        real total = dot ? dot[r] : row_dot(n, a, da);
        vec t = vec_set(total);
        int j = 0;
        for (; j + LANES <= n; j += LANES)
            vec_store(ds + j, vec_load(a + j) * (vec_load(da + j) - t));
        for (; j < n; j++)
            ds[j] = a[j] * (da[j] - total);
    }
}

static double variant_crossentropy(int rows, int labels, real scale, real *logits,
                                   const int32_t *label)
{
    double loss = 0;
    for (int r = 0; r < rows; r++, logits += labels) {
        real correct = logits[label[r]], top = row_top(logits, labels);
        real sum = row_exp(logits, labels, top);
        loss += (double)(top + REAL_MATH(log)(sum)) - (double)correct;
        row_scale(logits, labels, scale / sum);
        logits[label[r]] -= scale;
    }
    return loss;
}

/* ---- LayerNorm, RMSNorm -----------------------------------------------------------------------*/
/* 1 in the first `count` lanes, 0 in the others. */
INLINE vec lanes_inside(int count)
{
    static const real one[LANES] = {SPREAD(1)};
    return vec_read(one, count);
}

INLINE vec centred(const real *x, vec mean, int count)
{
    vec c = vec_read(x, count) - mean;
    return count == LANES ? c : c * lanes_inside(count);
}

/* centre: LayerNorm; else RMSNorm, without mean and bias. */
INLINE void norm_rows(const bool centre, int rows, int d, real epsilon, const real *x,
                      const real *gain, const real *bias, real *y, real *mean, real *rstd)
{
    int full = d / LANES * LANES, rest = d - full;
    for (int r = 0; r < rows; r++, x += d, y += d) {
        vec sum = vec_zero(), square = vec_zero(), none = vec_zero();
        for (int j = 0; centre && j < full; j += LANES)
            sum += vec_load(x + j);
        if (centre && rest)
            sum += vec_load_part(x + full, rest);
        mean[r] = centre ? vec_sum(sum) / (real)d : 0;
        vec m = vec_set(mean[r]), c;
        for (int j = 0; j < full; j += LANES) {
            c = centred(x + j, m, LANES);
            square = vec_fma(c, c, square);
        }
        if (rest) {
            c = centred(x + full, m, rest);
            square = vec_fma(c, c, square);
        }
        rstd[r] = 1 / REAL_MATH(sqrt)(vec_sum(square) / (real)d + epsilon);
        vec s = vec_set(rstd[r]);
        for (int j = 0; j < full; j += LANES)
            vec_store(y + j, vec_fma(centred(x + j, m, LANES) * s, vec_load(gain + j),
                                     centre ? vec_load(bias + j) : none));
        if (rest)
            vec_store_part(y + full,
                           vec_fma(centred(x + full, m, rest) * s, vec_load_part(gain + full, rest),
                                   centre ? vec_load_part(bias + full, rest) : none),
                           rest);
    }
}

static void variant_layernorm_forward(int rows, int d, real epsilon, const real *x,
                                      const real *gain, const real *bias, real *y, real *mean,
                                      real *rstd)
{
    if (bias)
        norm_rows(true, rows, d, epsilon, x, gain, bias, y, mean, rstd);
    else
        norm_rows(false, rows, d, epsilon, x, gain, NULL, y, mean, rstd);
}

/* The first of two passes over a row: sums of g and g h (see the plain twin), dgain and dbias. */
INLINE void norm_sums(const bool centre, const real *x, const real *dy, const real *gain, vec mean,
                      vec rstd, real *dgain, real *dbias, vec *sum, vec *sum_h, int count)
{
    vec h = (vec_read(x, count) - mean) * rstd, t = vec_read(dy, count);
    vec g = t * vec_read(gain, count);
    if (centre)
        *sum += g;
    *sum_h = vec_fma(g, h, *sum_h);
    vec_write(dgain, vec_fma(t, h, vec_read(dgain, count)), count);
    if (centre)
        vec_write(dbias, vec_read(dbias, count) + t, count);
}

INLINE void norm_gradient(const real *x, const real *dy, const real *gain, vec mean, vec rstd,
                          vec sum, vec sum_h, real *dx, int count)
{
    vec h = (vec_read(x, count) - mean) * rstd;
    vec g = vec_fma(vec_read(dy, count), vec_read(gain, count), -vec_fma(h, sum_h, sum));
    vec_write(dx, vec_fma(rstd, g, vec_read(dx, count)), count);
}

INLINE void norm_rows_backward(const bool centre, int rows, int d, const real *x, const real *gain,
                               const real *mean, const real *rstd, const real *dy, real *dx,
                               real *dgain, real *dbias)
{
    int full = d / LANES * LANES, rest = d - full;
    real *end = centre ? dbias + full : NULL;
    for (int r = 0; r < rows; r++, x += d, dy += d, dx += d) {
        vec m = vec_set(mean[r]), s = vec_set(rstd[r]), sum = vec_zero(), sum_h = vec_zero();
        for (int j = 0; j < full; j += LANES)
            norm_sums(centre, x + j, dy + j, gain + j, m, s, dgain + j, centre ? dbias + j : NULL,
                      &sum, &sum_h, LANES);
        if (rest)
            norm_sums(centre, x + full, dy + full, gain + full, m, s, dgain + full, end, &sum,
                      &sum_h, rest);
        sum = vec_set(vec_sum(sum) / (real)d);
        sum_h = vec_set(vec_sum(sum_h) / (real)d);
        for (int j = 0; j < full; j += LANES)
            norm_gradient(x + j, dy + j, gain + j, m, s, sum, sum_h, dx + j, LANES);
        if (rest)
            norm_gradient(x + full, dy + full, gain + full, m, s, sum, sum_h, dx + full, rest);
    }
}

static void variant_layernorm_backward(int rows, int d, const real *x, const real *gain,
                                       const real *mean, const real *rstd, const real *dy, real *dx,
                                       real *dgain, real *dbias)
{
    if (dbias)
        norm_rows_backward(true, rows, d, x, gain, mean, rstd, dy, dx, dgain, dbias);
    else
        norm_rows_backward(false, rows, d, x, gain, mean, rstd, dy, dx, dgain, NULL);
}

/* Private to lib/kernel: exp, log and the normal distribution on vectors.  Coefficients come from
 * tests/kernel/fit.py, which states the errors of the polynomials. */
#ifndef KERNEL_SIMD_MATH_H
#define KERNEL_SIMD_MATH_H
#include "kernel/simd.h"

#define LOG2E 1.44269504088896340736
#define LN2 0.69314718055994530942
#define INVERSE_SQRT_2PI 0.39894228040143267794

/* The most vectors that one vec_exp2_all takes; more of them do not fit 16 registers. */
#define VECTORS_MAX 4

INLINE vec polynomial(const real *coefficient, const int count, vec x)
{
    vec y = vec_set(coefficient[count - 1]);
    UNROLL
    for (int k = count - 2; k >= 0; k--)
        y = vec_fma(y, x, vec_set(coefficient[k]));
    return y;
}

#ifdef REAL_DOUBLE
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define ROUNDER (0x1.8p52 + EXPONENT_BIAS)
/* ln 2 = LN2_HIGH + LN2_LOW, the first with zeros at its end so that its multiples are exact. */
#define LN2_HIGH 0x1.62e42fee00000p-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#define SQRT_HALF_BITS 0x3fe6a09e667f3bcdLL
#define EXP2_COUNT 11
#define LOG_TERMS 11
#else
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define ROUNDER (0x1.8p23f + EXPONENT_BIAS)
#define LN2_HIGH 0x1.62e400p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define SQRT_HALF_BITS 0x3f3504f3
#define EXP2_COUNT 6
#define LOG_TERMS 6
#endif

/* f[v] = 2^f[v] = 1 + f q(f) for |f| <= 1/2. */
INLINE void exp2_fractions(const int count, vec *f)
{
#ifdef REAL_DOUBLE
    static const real q[EXP2_COUNT] = {
        0.69314718055994529,    0.24022650695910133,    0.055504108664821743,
        0.0096181291075934008,  0.0013333558146379236,  0.00015403530458004644,
        1.5252733867378015e-05, 1.3215434850236918e-06, 1.017804652061057e-07,
        7.0738549792598369e-09, 4.4573793203938628e-10};
#else
    static const real q[EXP2_COUNT] = {0.693147206f,   0.240226513f,   0.0555032791f,
                                       0.00961800397f, 0.00134002351f, 0.000154762825f};
#endif
    vec y[VECTORS_MAX];
    UNROLL
    for (int v = 0; v < count; v++)
        y[v] = vec_set(q[EXP2_COUNT - 1]);
    UNROLL
    for (int k = EXP2_COUNT - 2; k >= 0; k--) {
        UNROLL
        for (int v = 0; v < count; v++)
            y[v] = vec_fma(y[v], f[v], vec_set(q[k]));
    }
    UNROLL
    for (int v = 0; v < count; v++)
        f[v] = vec_fma(y[v], f[v], vec_set(1));
}

/* t[v] = 2^t[v] for t < EXPONENT_BIAS + 1/2; exactly 0 below -EXPONENT_BIAS + 1/2 (-inf included),
 * NaN for NaN; about 1 ulp.
 * Adding ROUNDER rounds t to the nearest whole number n and leaves n + EXPONENT_BIAS in the lowest
 * bits of the sum; shifted up they are the bits of 2^n, or of 0.
 * All vectors take each step together: a step waits for the one before it, and one vector alone
 * leaves most of the machine idle meanwhile. */
INLINE void vec_exp2_all(const int count, vec *t)
{
    vec rounded[VECTORS_MAX];
    UNROLL
    for (int v = 0; v < count; v++)
        t[v] = vec_max(vec_set(-EXPONENT_BIAS), t[v]);
    UNROLL
    for (int v = 0; v < count; v++)
        rounded[v] = t[v] + vec_set((real)ROUNDER);
    UNROLL
    for (int v = 0; v < count; v++)
        t[v] -= rounded[v] - vec_set((real)ROUNDER);
    exp2_fractions(count, t);
    UNROLL
    for (int v = 0; v < count; v++)
        t[v] *= (vec)((ivec)rounded[v] << MANTISSA_BITS);
}

INLINE vec vec_exp2(vec t)
{
    vec_exp2_all(1, &t);
    return t;
}

/* exp(x) for x below the overflow threshold; 0 and NaN as for vec_exp2.  The whole part of
 * x log2(e) is taken out in two steps, so that large |x| costs no digits. */
INLINE vec vec_exp(vec x)
{
    x = vec_max(vec_set((real)(-EXPONENT_BIAS * LN2)), x);
    vec rounded = vec_fma(x, vec_set((real)LOG2E), vec_set((real)ROUNDER));
    vec n = rounded - vec_set((real)ROUNDER);
    vec r = vec_fma(n, vec_set(-LN2_LOW), vec_fma(n, vec_set(-LN2_HIGH), x));
    vec e = r * vec_set((real)LOG2E);
    exp2_fractions(1, &e);
    return e * (vec)((ivec)rounded << MANTISSA_BITS);
}

/* ln x for normal x > 0; NaN for NaN and inf.  x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
 * ln m = 2 atanh(s), s = (m - 1) / (m + 1), by its series: |s| < 0.172. */
INLINE vec vec_log(vec x)
{
    ivec base = {SPREAD(SQRT_HALF_BITS)};
    ivec bits = (ivec)x - base;
    vec e = __builtin_convertvector(bits >> MANTISSA_BITS, vec);
    vec m = (vec)((bits & (ivec){SPREAD(((lane_int)1 << MANTISSA_BITS) - 1)}) + base);
    vec s = (m - vec_set(1)) / (m + vec_set(1)), z = s * s;
    vec series = vec_set((real)(1.0 / (2 * LOG_TERMS - 1)));
    UNROLL
    for (int k = LOG_TERMS - 2; k >= 1; k--)
        series = vec_fma(series, z, vec_set((real)(1.0 / (2 * k + 1))));
    vec log_m = vec_set(2) * vec_fma(s * z, series, s);
    return vec_fma(e, vec_set((real)LN2), log_m) + (x - x);
}

/* *cdf = Phi(x), *density = phi(x), from Phi(-|x|) = exp(-x^2/2) t(|x|).  Absolute errors: float
 * 1e-7 in Phi and less in x Phi(x); double 1e-15. */
INLINE void vec_normal(vec x, vec *cdf, vec *density)
{
    vec a = vec_max(x, -x);
    vec e = vec_exp2(x * x * vec_set((real)(-0.5 * LOG2E)));
#ifdef REAL_DOUBLE
    static const real t[21] = {
        0.094410641301969023,    -0.17039772154845553,    0.12437925533923833,
        -0.071707407337728984,   0.03086480410745911,     -0.0084920954821293901,
        0.00050756205486347989,  0.00063881384790836658,  -0.00018718408760046794,
        -4.555482948737985e-05,  2.8647399132986328e-05,  4.6310799794381387e-06,
        -4.3005568002719306e-06, -8.2746592527173344e-07, 6.556254471599176e-07,
        2.0132721403273104e-07,  -8.7300141548501813e-08, -4.6137637787080352e-08,
        5.1351646431427005e-09,  6.558145190197223e-09,   9.9315012908626754e-10};
    vec z = vec_min(vec_set(40), a);
    vec tail = polynomial(t, 21, (z - vec_set(4)) / (z + vec_set(4)));
#else
    static const real t[12] = {0.499999891f,   -0.398935826f,    0.249923878f,   -0.1326005f,
                               0.0614689662f,  -0.0248784002f,   0.00852134308f, -0.00233948061f,
                               0.000480758847f, -6.79290155e-05f, 5.79856257e-06f,
                               -2.23209045e-07f};
    vec tail = polynomial(t, 12, vec_min(vec_set(5), a));
#endif
    tail *= e;
    *cdf = vec_where_negative(x, tail, vec_set(1) - tail);
    *density = e * vec_set((real)INVERSE_SQRT_2PI);
}

#endif

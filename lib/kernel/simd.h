/* Private to lib/kernel: one vector type and the few operations that the bodies need.
 *
 * The including file defines SIMD_BYTES (16, 32 or 64), and SIMD_NEON for that with 16.  Arithmetic is GCC's and clang's own on
 * vector types; intrinsics appear only for what C cannot say: fused multiply-add, masked loads,
 * maxima with a stated rule for NaN.  Every operation has one fixed order, so the same inputs give
 * the same bits. */
#ifndef KERNEL_SIMD_H
#define KERNEL_SIMD_H
#include <math.h>
#include <stdint.h>

#include "base/real.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(SIMD_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("GCC unroll 16")

#ifdef REAL_DOUBLE
#define LANES (SIMD_BYTES / 8)
typedef int64_t lane_int;
#else
#define LANES (SIMD_BYTES / 4)
typedef int32_t lane_int;
#endif

typedef real vec __attribute__((vector_size(SIMD_BYTES)));
typedef lane_int ivec __attribute__((vector_size(SIMD_BYTES)));
/* The same in memory: aligned like a scalar. */
typedef real vec_memory __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(real))));

/* SIMD(add) is the intrinsic _mm512_add_ps, say; LANE_MASK: the first `count` lanes, 0 <= count < LANES,
 * as masked intrinsics want it. */
#define SIMD_NAME(prefix, name, suffix) prefix##name##suffix
#if SIMD_BYTES == 64 && defined(REAL_DOUBLE)
#define SIMD(name) SIMD_NAME(_mm512_, name, _pd)
#define LANE_MASK(count) (__mmask8)((1u << (count)) - 1)
#define SIGNS(x) _mm512_movepi64_mask(_mm512_castpd_si512(x))
#elif SIMD_BYTES == 64
#define SIMD(name) SIMD_NAME(_mm512_, name, _ps)
#define LANE_MASK(count) (__mmask16)((1u << (count)) - 1)
#define SIGNS(x) _mm512_movepi32_mask(_mm512_castps_si512(x))
#elif SIMD_BYTES == 32
#ifdef REAL_DOUBLE
#define SIMD(name) SIMD_NAME(_mm256_, name, _pd)
#else
#define SIMD(name) SIMD_NAME(_mm256_, name, _ps)
#endif
#define LANE_MASK(count) (__m256i)((ivec){IOTA} < (ivec){SPREAD((lane_int)(count))})
#elif defined(SIMD_NEON) && defined(REAL_DOUBLE)
#define NEON(name) v##name##q_f64
typedef float64x2_t neon_vec;
#elif defined(SIMD_NEON)
#define NEON(name) v##name##q_f32
typedef float32x4_t neon_vec;
#endif

/* ---- shuffles ---------------------------------------------------------------------------------*/
#if LANES == 16
#define SPREAD(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
#define IOTA 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define INDEX_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define INDEX_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define INDEX_1 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define INDEX_2 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define INDEX_4 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11
#define INDEX_8 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7
#elif LANES == 8
#define SPREAD(x) x, x, x, x, x, x, x, x
#define IOTA 0, 1, 2, 3, 4, 5, 6, 7
#define INDEX_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define INDEX_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define INDEX_1 1, 0, 3, 2, 5, 4, 7, 6
#define INDEX_2 2, 3, 0, 1, 6, 7, 4, 5
#define INDEX_4 4, 5, 6, 7, 0, 1, 2, 3
#elif LANES == 4
#define SPREAD(x) x, x, x, x
#define IOTA 0, 1, 2, 3
#define INDEX_LOW 0, 4, 1, 5
#define INDEX_HIGH 2, 6, 3, 7
#define INDEX_1 1, 0, 3, 2
#define INDEX_2 2, 3, 0, 1
#else
#define SPREAD(x) x, x
#define IOTA 0, 1
#define INDEX_LOW 0, 2
#define INDEX_HIGH 1, 3
#define INDEX_1 1, 0
#endif
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

/* a0 b0 a1 b1 ... of the lower halves, and of the upper halves. */
INLINE vec vec_interleave_low(vec a, vec b)
{
    return SHUFFLE(a, b, INDEX_LOW);
}

INLINE vec vec_interleave_high(vec a, vec b)
{
    return SHUFFLE(a, b, INDEX_HIGH);
}

/* ---- memory -----------------------------------------------------------------------------------*/
INLINE vec vec_set(real x)
{
    return (vec){SPREAD(x)};
}

INLINE vec vec_zero(void)
{
    return (vec){0};
}

INLINE vec vec_load(const real *p)
{
    return *(const vec_memory *)p;
}

INLINE void vec_store(real *p, vec v)
{
    *(vec_memory *)p = v;
}

/* The first `count` elements only, 0 <= count < LANES; the other lanes are 0. */
INLINE vec vec_load_part(const real *p, int count)
{
#if SIMD_BYTES == 64
    return SIMD(maskz_loadu)(LANE_MASK(count), p);
#elif SIMD_BYTES == 32
    return SIMD(maskload)(p, LANE_MASK(count));
#else
    vec v = {0};
    for (int l = 0; l < LANES; l++)
        if (l < count)
            v[l] = p[l];
    return v;
#endif
}

INLINE void vec_store_part(real *p, vec v, int count)
{
#if SIMD_BYTES == 64
    SIMD(mask_storeu)(p, LANE_MASK(count), v);
#elif SIMD_BYTES == 32
    SIMD(maskstore)(p, LANE_MASK(count), v);
#else
    for (int l = 0; l < LANES; l++)
        if (l < count)
            p[l] = v[l];
#endif
}

/* `count` is LANES in a loop's body, where the test folds away, and less in its tail. */
INLINE vec vec_read(const real *p, int count)
{
    return count == LANES ? vec_load(p) : vec_load_part(p, count);
}

INLINE void vec_write(real *p, vec v, int count)
{
    if (count == LANES)
        vec_store(p, v);
    else
        vec_store_part(p, v, count);
}

/* Half of LANES floats, or LANES doubles, as doubles: for sums kept in double. */
#define WIDE_LANES (SIMD_BYTES / 8)
typedef double wide __attribute__((vector_size(SIMD_BYTES)));
typedef real wide_memory
    __attribute__((vector_size(WIDE_LANES * sizeof(real)), aligned(sizeof(real))));

INLINE wide wide_load(const real *p)
{
    return __builtin_convertvector(*(const wide_memory *)p, wide);
}

/* ---- arithmetic -------------------------------------------------------------------------------*/
/* a b + c, rounded once where the machine can. */
INLINE vec vec_fma(vec a, vec b, vec c)
{
#ifdef SIMD
    return SIMD(fmadd)(a, b, c);
#elif defined(NEON)
    return (vec)NEON(fma)((neon_vec)c, (neon_vec)a, (neon_vec)b);
#else
    return a * b + c;
#endif
}

/* Lane by lane a > b ? a : b, so that a NaN in b comes through. */
INLINE vec vec_max(vec a, vec b)
{
#ifdef SIMD
    return SIMD(max)(a, b);
#else
    ivec above = (ivec)(a > b);
    return (vec)((above & (ivec)a) | (~above & (ivec)b));
#endif
}

/* Lane by lane a < b ? a : b, so that a NaN in b comes through. */
INLINE vec vec_min(vec a, vec b)
{
    return -vec_max(-a, -b);
}

/* yes where x has its sign bit set, no elsewhere. */
INLINE vec vec_where_negative(vec x, vec yes, vec no)
{
#if SIMD_BYTES == 64
    return SIMD(mask_blend)(SIGNS(x), no, yes);
#elif SIMD_BYTES == 32
    return SIMD(blendv)(no, yes, x);
#else
    ivec negative = (ivec)((ivec)x < (ivec){0});
    return (vec)((negative & (ivec)yes) | (~negative & (ivec)no));
#endif
}

INLINE vec vec_sqrt(vec x)
{
#ifdef SIMD
    return SIMD(sqrt)(x);
#elif defined(NEON)
    return (vec)NEON(sqrt)((neon_vec)x);
#else
    for (int l = 0; l < LANES; l++)
        x[l] = REAL_MATH(sqrt)(x[l]);
    return x;
#endif
}

/* ---- across lanes: a butterfly, widest step first ---------------------------------------------*/
INLINE real vec_sum(vec v)
{
#if LANES >= 16
    v += SHUFFLE(v, v, INDEX_8);
#endif
#if LANES >= 8
    v += SHUFFLE(v, v, INDEX_4);
#endif
#if LANES >= 4
    v += SHUFFLE(v, v, INDEX_2);
#endif
    v += SHUFFLE(v, v, INDEX_1);
    return v[0];
}

INLINE real vec_top(vec v)
{
#if LANES >= 16
    v = vec_max(v, SHUFFLE(v, v, INDEX_8));
#endif
#if LANES >= 8
    v = vec_max(v, SHUFFLE(v, v, INDEX_4));
#endif
#if LANES >= 4
    v = vec_max(v, SHUFFLE(v, v, INDEX_2));
#endif
    v = vec_max(v, SHUFFLE(v, v, INDEX_1));
    return v[0];
}

#endif

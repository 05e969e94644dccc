/* Private to lib/kernel: small matrix products for the fused attention, where a call of CBLAS
 * would cost more than the product itself.  Included once by each variant.
 *
 * c (m, vecs vectors) = start + A b, over `depth`: b (depth, vecs vectors) row-major with stride
 * b_row; A[r][k] is a[r a_row + k a_depth], so a may be stored either way up.  start (row stride
 * start_row, 0 for one row that all share) may be c. */
#if SIMD_BYTES == 64
#define PRODUCT_ROWS 8 /* x 2 vectors: 16 sums, two rows of b, and the rest to spare in 32 */
#else
#define PRODUCT_ROWS 4 /* x 2 vectors: 8 sums, two rows of b and a broadcast, in 16 registers */
#endif

struct product {
    int m, depth, vecs;
    const real *a;
    ptrdiff_t a_row, a_depth;
    const real *b;
    ptrdiff_t b_row;
    const real *start;
    ptrdiff_t start_row;
    real *c;
    ptrdiff_t c_row;
};

/* Of each third row of A there is a pointer, and the two after it are one and two strides on: an address of
 * x86-64 adds a register times 1, 2, 4 or 8.  Without the barrier, gcc keeps an offset for each row there,
 * more than there are registers. */
enum { POINTERS = (PRODUCT_ROWS + 2) / 3 };

/* One tile of `rows` by `vecs` vectors, kept in registers throughout. */
INLINE void product_tile(const int rows, const int vecs, int depth, const real *a, ptrdiff_t a_row,
                         ptrdiff_t a_depth, const real *b, ptrdiff_t b_row, const real *start,
                         ptrdiff_t start_row, real *c, ptrdiff_t c_row)
{
    vec sum[PRODUCT_ROWS][BLOCK_VECTORS], right[BLOCK_VECTORS];
    const real *row[POINTERS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[r][v] = vec_load(start + r * start_row + v * LANES);
    }
    UNROLL
    for (int r = 0; r < rows; r += 3)
        row[r / 3] = a + r * a_row;
    for (int k = 0; k < depth; k++, b += b_row) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            right[v] = vec_load(b + v * LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            vec left = vec_set(row[r / 3][r % 3 * a_row]);
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[r][v] = vec_fma(left, right[v], sum[r][v]);
        }
        UNROLL
        for (int r = 0; r < rows; r += 3) {
            row[r / 3] += a_depth;
            __asm__("" : "+r"(row[r / 3]));
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            vec_store(c + r * c_row + v * LANES, sum[r][v]);
    }
}

/* As many sums as hide the latency of one multiply-add and leave registers for its two factors. */
enum { PEAK_SUMS = 12 };

static double variant_multiply_add(size_t rounds, real *sink)
{
    vec sum[PEAK_SUMS], a = vec_set(sink[0]), b = vec_set(sink[1]);
    UNROLL
    for (int k = 0; k < PEAK_SUMS; k++)
        sum[k] = vec_set((real)k);
    for (size_t r = 0; r < rounds; r++) {
        UNROLL
        for (int k = 0; k < PEAK_SUMS; k++)
            sum[k] = vec_fma(sum[k], a, b);
    }
    for (int k = 0; k < PEAK_SUMS; k++)
        sink[0] += vec_sum(sum[k]);
    return 2.0 * LANES * PEAK_SUMS * (double)rounds;
}

/* All rows of `vecs` vectors of columns, from column `at`. */
INLINE void product_columns(const struct product *p, const int vecs, int at, const bool upright)
{
    int r = 0;
    const real *b = p->b + at, *start = p->start + at;
    real *c = p->c + at;
    ptrdiff_t a_row = upright ? p->a_row : 1, a_depth = upright ? 1 : p->a_depth;
    for (; r + PRODUCT_ROWS <= p->m; r += PRODUCT_ROWS)
        product_tile(PRODUCT_ROWS, vecs, p->depth, p->a + r * a_row, a_row, a_depth, b, p->b_row,
                     start + r * p->start_row, p->start_row, c + r * p->c_row, p->c_row);
    for (; r < p->m; r++)
        product_tile(1, vecs, p->depth, p->a + r * a_row, a_row, a_depth, b, p->b_row,
                     start + r * p->start_row, p->start_row, c + r * p->c_row, p->c_row);
}

static void product(const struct product *p)
{
    int v = 0;
    bool upright = p->a_depth == 1; /* otherwise a_row is 1 */
    for (; v + 2 <= p->vecs; v += 2)
        if (upright)
            product_columns(p, 2, v * LANES, true);
        else
            product_columns(p, 2, v * LANES, false);
    if (v < p->vecs) {
        if (upright)
            product_columns(p, 1, v * LANES, true);
        else
            product_columns(p, 1, v * LANES, false);
    }
}

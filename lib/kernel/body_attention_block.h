/* Private to lib/kernel: what the fused attention holds while it works on one head of one sample,
 * and how inputs get in and results out.  Included once by each variant.
 *
 * Queries are taken in blocks of L = 1 or 2 vectors, one query per lane, so that every step of the
 * softmax is lane by lane.  A block's logits are a tile (keys, L): row j is key `key + j`, lane r is query
 *     i = first + L - 1 - r,
 * counted backwards, so that along the lanes the relation j - i grows by one and the tables of B
 * and C are read as they lie.  Lanes with i >= n are padding: their q, do and dot are 0 and their
 * lse is huge, so they add exactly 0 to every sum over queries.
 *
 * Logits are kept in units of ln 2 (q k^T and B are multiplied by scale log2(e) while they are
 * packed), which saves the first steps of every exp. */

struct attention_work {
    const struct attention_shape *shape;
    int n, width, vecs;      /* width = head_width rounded up to whole vectors */
    int lanes, first;        /* of this block: L, its first query */
    int key, count;          /* the keys that it sees: key .. key + count - 1 are rows of the tiles */
    real *k, *v;             /* (n,width), k times scale log2(e) */
    real *dk, *dv;           /* (n,width) */
    real *tile_s, *tile_dp;   /* (n,L) */
    real *tile_c;            /* (n,L), only with a table of relations */
    real *rows_q, *rows_do;  /* (L,width), backwards */
    real *columns;           /* (width,L): q or do, transposed */
    real *out;               /* (L,width), backwards */
    real *lane_lse, *lane_dot;
    real *bias, *c, *table; /* by j - i + middle; `table` is room for add_sums */
    real *sum_bias, *sum_c; /* a vector for each place of a table, see gradient_tile */
    int middle;
    bool has_bias, has_c;
};

enum { BLOCK = BLOCK_VECTORS * LANES };
/* No logit is below minus this, in units of ln 2, but that of what is hidden. */
#define LOGIT_LEAST 1e30

static const real zeros[BLOCK] __attribute__((aligned(64)));

/* ---- scratch ----------------------------------------------------------------------------------*/
static real *carve(real **scratch, size_t count)
{
    real *start = *scratch;
    *scratch += (count + LANES_MAX - 1) / LANES_MAX * LANES_MAX;
    return start;
}

static int table_size(int n)
{
    return BLOCK + 2 * n + LANES;
}

/* See attention_scratch for the total. */
static void attention_layout(struct attention_work *w, const struct attention_shape *shape,
                             const real *bias, const real *c, real *scratch)
{
    *w = (struct attention_work){.shape = shape, .n = shape->n, .middle = BLOCK + shape->n - 1};
    w->vecs = (shape->head_width + LANES - 1) / LANES;
    w->width = w->vecs * LANES;
    size_t n = (size_t)w->n, width = (size_t)w->width, table = (size_t)table_size(w->n);
    w->has_bias = bias;
    w->has_c = c;
    w->tile_s = carve(&scratch, n * BLOCK);
    w->tile_dp = carve(&scratch, n * BLOCK);
    w->tile_c = shape->relation ? carve(&scratch, n * BLOCK) : NULL;
    w->k = carve(&scratch, n * width);
    w->v = carve(&scratch, n * width);
    w->dk = carve(&scratch, n * width);
    w->dv = carve(&scratch, n * width);
    w->rows_q = carve(&scratch, BLOCK * width);
    w->rows_do = carve(&scratch, BLOCK * width);
    w->columns = carve(&scratch, BLOCK * width);
    w->out = carve(&scratch, BLOCK * width);
    w->lane_lse = carve(&scratch, BLOCK);
    w->lane_dot = carve(&scratch, BLOCK);
    w->bias = carve(&scratch, table);
    w->c = carve(&scratch, table);
    w->table = carve(&scratch, table);
    w->sum_bias = shape->relation ? NULL : carve(&scratch, table * LANES);
    w->sum_c = shape->relation ? NULL : carve(&scratch, table * LANES);
}

/* ---- blocks -----------------------------------------------------------------------------------*/
/* Opens the block that starts at query `first`. */
static void block_open(struct attention_work *w, int first)
{
    int left = w->n - first;
    w->first = first;
    w->lanes = left > LANES ? BLOCK : LANES;
    int end = first + w->lanes + w->shape->high;
    w->key = first + w->shape->low > 0 ? first + w->shape->low : 0;
    w->count = (end < w->n ? end : w->n) - w->key;
    if (w->count < 0) /* behind the last key, or before the first */
        w->count = w->key = 0;
}

/* Where a packed table's value for the block's first key and lane 0 lies. */
INLINE ptrdiff_t table_start(const struct attention_work *w)
{
    return w->middle + w->key - (w->first + w->lanes - 1);
}

/* How many queries the block holds; the first sits in the last lane. */
INLINE int block_queries(const struct attention_work *w)
{
    return w->n - w->first < w->lanes ? w->n - w->first : w->lanes;
}

/* ---- packing ----------------------------------------------------------------------------------*/
/* Into scratch: y (rows,width) = factor x (rows,d), with zeros behind the d-th column. */
static void pack_rows(const struct attention_work *w, int rows, const real *x, ptrdiff_t x_row,
                      real factor, real *y)
{
    int full = w->shape->head_width / LANES * LANES, rest = w->shape->head_width - full;
    vec f = vec_set(factor);
    for (int r = 0; r < rows; r++, x += x_row, y += w->width) {
        for (int k = 0; k < full; k += LANES)
            vec_store(y + k, vec_load(x + k) * f);
        if (rest)
            vec_store(y + full, vec_load_part(x + full, rest) * f);
    }
}

/* Out of scratch: y (rows,d) = factor[r] x (rows,width); factors are `step` apart. */
static void unpack_rows(const struct attention_work *w, int rows, const real *x, ptrdiff_t x_row,
                        const real *factor, ptrdiff_t step, real *y, ptrdiff_t y_row)
{
    int full = w->shape->head_width / LANES * LANES, rest = w->shape->head_width - full;
    for (int r = 0; r < rows; r++, x += x_row, y += y_row, factor += step) {
        vec f = vec_set(*factor);
        for (int k = 0; k < full; k += LANES)
            vec_store(y + k, vec_load(x + k) * f);
        if (rest)
            vec_store_part(y + full, vec_load(x + full) * f, rest);
    }
}

/* The block's rows of x, last query first, after zeros where there is no query. */
static void pack_block(const struct attention_work *w, const real *x, ptrdiff_t stride, real *y)
{
    int queries = block_queries(w), padding = w->lanes - queries;
    memset(y, 0, (size_t)padding * (size_t)w->width * sizeof *y);
    pack_rows(w, queries, x + (w->first + queries - 1) * stride, -stride, 1,
              y + (ptrdiff_t)padding * w->width);
}

/* y = the block's rows of `out` in the order of queries. */
static void unpack_block(const struct attention_work *w, const real *factor, ptrdiff_t step,
                         real *y, ptrdiff_t stride)
{
    unpack_rows(w, block_queries(w), w->out + (ptrdiff_t)(w->lanes - 1) * w->width, -w->width,
                factor, step, y + w->first * stride, stride);
}

/* LANES x LANES: after log2(LANES) rounds of interleaving row r with row r + LANES / 2 the rows
 * are the columns. */
INLINE void transpose_square(const real *x, ptrdiff_t x_row, real *y, ptrdiff_t y_row)
{
    vec a[LANES], b[LANES];
    UNROLL
    for (int r = 0; r < LANES; r++)
        a[r] = vec_load(x + r * x_row);
    UNROLL
    for (int round = 1; round < LANES; round *= 2) {
        UNROLL
        for (int r = 0; r < LANES / 2; r++) {
            b[2 * r] = vec_interleave_low(a[r], a[r + LANES / 2]);
            b[2 * r + 1] = vec_interleave_high(a[r], a[r + LANES / 2]);
        }
        UNROLL
        for (int r = 0; r < LANES; r++)
            a[r] = b[r];
    }
    UNROLL
    for (int r = 0; r < LANES; r++)
        vec_store(y + r * y_row, a[r]);
}

/* columns (width,L) from rows (L,width). */
static void transpose_block(const struct attention_work *w, const real *rows)
{
    for (int r = 0; r < w->lanes; r += LANES)
        for (int k = 0; k < w->width; k += LANES)
            transpose_square(rows + (ptrdiff_t)r * w->width + k, w->width,
                             w->columns + (ptrdiff_t)k * w->lanes + r, w->lanes);
}

/* y[middle + t] = factor table[origin + t] for every relation t between positions. */
static void pack_table(const struct attention_work *w, const real *table, real factor, real *y)
{
    int low = w->middle - (w->n - 1), high = w->middle + w->n;
    const real *from = table ? table + w->shape->origin - (w->n - 1) : NULL;
    for (int k = 0; k < low; k++)
        y[k] = 0;
    for (int k = low; k < high; k++)
        y[k] = from ? factor * from[k - low] : 0;
    for (int k = high; k < table_size(w->n); k++)
        y[k] = 0;
}

/* Whether query i sees a key at offset t, whose relation is r. */
INLINE bool is_seen(const struct attention_shape *shape, int t, int r)
{
    return t >= shape->low && t <= shape->high && !(shape->hidden && shape->hidden[r]);
}

/* What is not seen has logits of -inf. */
static void pack_tables(const struct attention_work *w, const real *bias, const real *c)
{
    if (w->shape->relation)
        return;
    pack_table(w, bias, (real)LOG2E, w->bias);
    for (int t = 1 - w->n; t < w->n; t++)
        if (!is_seen(w->shape, t, w->shape->origin + t))
            w->bias[w->middle + t] = -(real)INFINITY;
    if (c)
        pack_table(w, c, 1, w->c);
}

/* ---- relations given as a table (n,n) ---------------------------------------------------------*/
INLINE const int32_t *relation_row(const struct attention_work *w, int i)
{
    return w->shape->relation + (size_t)i * (size_t)w->n;
}

/* Fills tile_s with B and tile_c with C. */
static void gather_tiles(const struct attention_work *w, const real *bias, const real *c)
{
    for (int r = 0; r < w->lanes; r++) {
        int i = w->first + w->lanes - 1 - r;
        const int32_t *relation = i < w->n ? relation_row(w, i) + w->key : NULL;
        for (int j = 0; j < w->count; j++) {
            ptrdiff_t at = (ptrdiff_t)j * w->lanes + r;
            w->tile_s[at] = bias && relation ? (real)LOG2E * bias[relation[j]] : 0;
            if (relation && !is_seen(w->shape, w->key + j - i, relation[j]))
                w->tile_s[at] = -(real)INFINITY;
            if (c)
                w->tile_c[at] = relation ? c[relation[j]] : 0;
        }
    }
}

static void scatter_tile(const struct attention_work *w, const real *tile, real *gradient)
{
    for (int r = 0; r < w->lanes; r++) {
        int i = w->first + w->lanes - 1 - r;
        if (i >= w->n)
            continue;
        const int32_t *relation = relation_row(w, i) + w->key;
        for (ptrdiff_t j = 0; j < w->count; j++)
            gradient[relation[j]] += tile[j * w->lanes + r];
    }
}

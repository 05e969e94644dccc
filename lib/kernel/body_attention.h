/* Private to lib/kernel: fused attention of one head of one sample, included once by each variant.
 *
 * Queries are taken in blocks of L = 1 or 2 vectors, one query per lane, so that every step of the
 * softmax is lane by lane.  A block's logits are a tile (n, L): row j is key j, lane r is query
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
    int lanes, first, count; /* of this block: L, its first query, keys that it sees */
    real *k, *v;             /* (n,width), k times scale log2(e) */
    real *dk, *dv;           /* (n,width) */
    real *tile_s, *tile_g;   /* (n,L) */
    real *tile_c;            /* (n,L), only with a table of relations */
    real *rows_q, *rows_do;  /* (L,width), backwards */
    real *columns;           /* (width,L): q or do, transposed */
    real *out;               /* (L,width), backwards */
    real *lane_lse, *lane_dot;
    real *bias, *c, *dbias, *dc; /* by j - i + middle */
    int middle;
    bool has_bias, has_c;
};

enum { BLOCK = BLOCK_VECTORS * LANES };

static const real zeros[BLOCK] __attribute__((aligned(64)));

/* ---- scratch ----------------------------------------------------------------------------------*/
static real *carve(real **scratch, int count)
{
    real *start = *scratch;
    *scratch += ((size_t)count + LANES_MAX - 1) / LANES_MAX * LANES_MAX;
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
    int n = shape->n;
    *w = (struct attention_work){.shape = shape, .n = n, .middle = BLOCK + n - 1};
    w->vecs = (shape->head_width + LANES - 1) / LANES;
    w->width = w->vecs * LANES;
    w->has_bias = bias;
    w->has_c = c;
    w->tile_s = carve(&scratch, n * BLOCK);
    w->tile_g = carve(&scratch, n * BLOCK);
    w->tile_c = shape->relation ? carve(&scratch, n * BLOCK) : NULL;
    w->k = carve(&scratch, n * w->width);
    w->v = carve(&scratch, n * w->width);
    w->dk = carve(&scratch, n * w->width);
    w->dv = carve(&scratch, n * w->width);
    w->rows_q = carve(&scratch, BLOCK * w->width);
    w->rows_do = carve(&scratch, BLOCK * w->width);
    w->columns = carve(&scratch, BLOCK * w->width);
    w->out = carve(&scratch, BLOCK * w->width);
    w->lane_lse = carve(&scratch, BLOCK);
    w->lane_dot = carve(&scratch, BLOCK);
    w->bias = carve(&scratch, table_size(n));
    w->c = carve(&scratch, table_size(n));
    w->dbias = carve(&scratch, table_size(n));
    w->dc = carve(&scratch, table_size(n));
}

/* ---- packing ----------------------------------------------------------------------------------*/
INLINE void pack_row(int d, const real *x, vec factor, real *y)
{
    int j = 0;
    for (; j + LANES <= d; j += LANES)
        vec_store(y + j, vec_load(x + j) * factor);
    if (j < d)
        vec_store(y + j, vec_load_part(x + j, d - j) * factor);
}

static void pack_rows(const struct attention_work *w, const real *x, real scale, real *y)
{
    vec factor = vec_set(scale);
    for (ptrdiff_t i = 0; i < w->n; i++)
        pack_row(w->shape->head_width, x + i * w->shape->stride, factor, y + i * w->width);
}

/* The block's rows of x, last query first, with zeros where there is no query. */
static void pack_block(const struct attention_work *w, const real *x, int stride, real *y)
{
    for (int r = 0; r < w->lanes; r++, y += w->width) {
        int i = w->first + w->lanes - 1 - r;
        if (i < w->n)
            pack_row(w->shape->head_width, x + (ptrdiff_t)i * stride, vec_set(1), y);
        else
            memset(y, 0, (size_t)w->width * sizeof *y);
    }
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

/* What masks keys after the query: logits of -inf wherever j - i > 0. */
static void pack_tables(const struct attention_work *w, const real *bias, const real *c)
{
    if (w->shape->relation)
        return;
    pack_table(w, bias, (real)LOG2E, w->bias);
    if (w->shape->causal)
        for (int k = w->middle + 1; k < w->middle + w->n; k++)
            w->bias[k] = -(real)INFINITY;
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
        const int32_t *relation = i < w->n ? relation_row(w, i) : NULL;
        for (ptrdiff_t j = 0; j < w->count; j++) {
            ptrdiff_t at = j * w->lanes + r;
            bool masked = relation && w->shape->causal && j > i;
            w->tile_s[at] = bias && relation ? (real)LOG2E * bias[relation[j]] : 0;
            w->tile_s[at] = masked ? -(real)INFINITY : w->tile_s[at];
            w->tile_c[at] = c && relation ? c[relation[j]] : 0;
        }
    }
}

static void scatter_tile(const struct attention_work *w, const real *tile, real *gradient)
{
    for (int r = 0; r < w->lanes; r++) {
        int i = w->first + w->lanes - 1 - r;
        if (i >= w->n)
            continue;
        const int32_t *relation = relation_row(w, i);
        for (ptrdiff_t j = 0; j < w->count; j++)
            gradient[relation[j]] += tile[j * w->lanes + r];
    }
}

/* ---- steps shared by the two passes -----------------------------------------------------------*/
/* Opens the block that starts at query `first`. */
static void block_open(struct attention_work *w, int first)
{
    int left = w->n - first;
    w->first = first;
    w->lanes = left > LANES ? BLOCK : LANES;
    w->count = w->shape->causal && left > w->lanes ? first + w->lanes : w->n;
}

/* Where a packed table's value for key j and lane 0 lies. */
INLINE ptrdiff_t table_start(const struct attention_work *w, int j)
{
    return w->middle + j - (w->first + w->lanes - 1);
}

/* tile_s = k q^T + B, with q in `columns`. */
static void block_logits(const struct attention_work *w)
{
    bool gathered = w->shape->relation;
    product(&(struct product){.m = w->count,
                              .depth = w->shape->head_width,
                              .vecs = w->lanes / LANES,
                              .a = w->k,
                              .a_row = w->width,
                              .a_depth = 1,
                              .b = w->columns,
                              .b_row = w->lanes,
                              .start = gathered ? w->tile_s : w->bias + table_start(w, 0),
                              .start_row = gathered ? w->lanes : 1,
                              .c = w->tile_s,
                              .c_row = w->lanes});
}

/* out (L,width) = tile^T x, x (n,width). */
static void block_out(const struct attention_work *w, const real *tile, const real *x)
{
    for (int v = 0; v < w->vecs; v += BLOCK_VECTORS) {
        int vecs = w->vecs - v < BLOCK_VECTORS ? w->vecs - v : BLOCK_VECTORS;
        product(&(struct product){.m = w->lanes,
                                  .depth = w->count,
                                  .vecs = vecs,
                                  .a = tile,
                                  .a_row = 1,
                                  .a_depth = w->lanes,
                                  .b = x + v * LANES,
                                  .b_row = w->width,
                                  .start = zeros,
                                  .start_row = 0,
                                  .c = w->out + v * LANES,
                                  .c_row = w->width});
    }
}

INLINE void unpack_row(int d, const real *x, vec factor, real *y)
{
    int j = 0;
    for (; j + LANES <= d; j += LANES)
        vec_store(y + j, vec_load(x + j) * factor);
    if (j < d)
        vec_store_part(y + j, vec_load(x + j) * factor, d - j);
}

/* ---- forward ----------------------------------------------------------------------------------*/
/* tile_s = exp2(tile_s - top) C; lane_dot = 1 / sum of the exponentials; lane_lse = lse. */
INLINE void softmax_tile(const struct attention_work *w, const int vecs, const bool with_c)
{
    vec top[BLOCK_VECTORS], sum[BLOCK_VECTORS];
    const real *c = w->shape->relation ? w->tile_c : w->c + table_start(w, 0);
    ptrdiff_t c_row = w->shape->relation ? vecs * LANES : 1;
    real *s = w->tile_s;
    UNROLL
    for (int v = 0; v < vecs; v++) {
        top[v] = vec_load(s + v * LANES);
        sum[v] = vec_zero();
    }
    for (ptrdiff_t j = 1; j < w->count; j++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            top[v] = vec_max(top[v], vec_load(s + (j * vecs + v) * LANES));
    }
    for (ptrdiff_t j = 0; j < w->count; j++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            real *at = s + (j * vecs + v) * LANES;
            vec e = vec_exp2(vec_load(at) - top[v]);
            sum[v] += e;
            vec_store(at, with_c ? e * vec_load(c + j * c_row + v * LANES) : e);
        }
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        vec_store(w->lane_lse + v * LANES, vec_fma(top[v], vec_set((real)LN2), vec_log(sum[v])));
        vec_store(w->lane_dot + v * LANES, vec_set(1) / sum[v]);
    }
}

static void block_softmax(const struct attention_work *w)
{
    if (w->lanes == LANES && w->has_c)
        softmax_tile(w, 1, true);
    else if (w->lanes == LANES)
        softmax_tile(w, 1, false);
    else if (w->has_c)
        softmax_tile(w, BLOCK_VECTORS, true);
    else
        softmax_tile(w, BLOCK_VECTORS, false);
}

static void variant_attention_forward(const struct attention_shape *shape, const real *q,
                                      const real *k, const real *v, const real *bias,
                                      const real *c, real *o, real *lse, real *scratch)
{
    struct attention_work w;
    attention_layout(&w, shape, bias, c, scratch);
    pack_rows(&w, k, shape->scale * (real)LOG2E, w.k);
    pack_rows(&w, v, 1, w.v);
    pack_tables(&w, bias, c);
    for (int first = 0; first < w.n; first += w.lanes) {
        block_open(&w, first);
        pack_block(&w, q, shape->stride, w.rows_q);
        transpose_block(&w, w.rows_q);
        if (shape->relation)
            gather_tiles(&w, bias, c);
        block_logits(&w);
        block_softmax(&w);
        block_out(&w, w.tile_s, w.v);
        for (int i = first; i < w.n && i < first + w.lanes; i++) {
            int r = first + w.lanes - 1 - i;
            lse[i] = w.lane_lse[r];
            unpack_row(shape->head_width, w.out + (ptrdiff_t)r * w.width, vec_set(w.lane_dot[r]),
                       o + (ptrdiff_t)i * shape->output_stride);
        }
    }
}

/* ---- backward ---------------------------------------------------------------------------------*/
/* Sums a tile's rows into a table by relation.  The window of relations that row j touches moves
 * up by one with each j: `window` holds the partial sums of the relations in it, `out` collects
 * those that have left it, one a row, and is added to the table once every LANES rows. */
struct diagonal {
    vec window[BLOCK_VECTORS], out;
};

INLINE void diagonal_open(struct diagonal *d, const int vecs)
{
    UNROLL
    for (int v = 0; v < vecs; v++)
        d->window[v] = vec_zero();
    d->out = vec_zero();
}

INLINE void diagonal_move(struct diagonal *d, const int vecs)
{
    d->out = vec_shift_in(d->out, d->window[0]);
    UNROLL
    for (int v = 0; v < vecs; v++)
        d->window[v] = vec_shift_in(d->window[v], v + 1 < vecs ? d->window[v + 1] : vec_zero());
}

INLINE void diagonal_flush(const struct diagonal *d, real *table)
{
    vec_store(table, vec_load(table) + d->out);
}

INLINE void diagonal_close(const struct diagonal *d, const int vecs, real *table)
{
    UNROLL
    for (int v = 0; v < vecs; v++)
        vec_store(table + v * LANES, vec_load(table + v * LANES) + d->window[v]);
}

/* From tile_s = logits and tile_g = do.v: tile_s becomes a c (what dv needs), tile_g becomes ds
 * (what dq and dk need), and dbias, dc grow by the sums over equal relations of ds and a g. */
INLINE void slope_tile(const struct attention_work *w, const int vecs, const bool with_bias,
                       const bool with_c)
{
    const bool gathered = w->shape->relation;
    vec lse[BLOCK_VECTORS], dot[BLOCK_VECTORS];
    struct diagonal sum_bias, sum_c;
    real *s = w->tile_s, *g = w->tile_g, *c = gathered ? w->tile_c : w->c + table_start(w, 0);
    ptrdiff_t c_row = gathered ? vecs * LANES : 1;
    diagonal_open(&sum_bias, vecs);
    diagonal_open(&sum_c, vecs);
    UNROLL
    for (int v = 0; v < vecs; v++) {
        lse[v] = vec_load(w->lane_lse + v * LANES);
        dot[v] = vec_load(w->lane_dot + v * LANES);
    }
    int j = 0;
    for (int group = 0; group < w->count; group += LANES) {
        int end = group + LANES < w->count ? group + LANES : w->count;
        for (; j < end; j++) {
            UNROLL
            for (int v = 0; v < vecs; v++) {
                ptrdiff_t at = ((ptrdiff_t)j * vecs + v) * LANES;
                vec a = vec_exp2(vec_load(s + at) - lse[v]), gv = vec_load(g + at), ds;
                if (with_c) {
                    real *factor = c + j * c_row + v * LANES;
                    vec cv = vec_load(factor), ag = a * gv;
                    ds = vec_fma(cv, ag, -(a * dot[v]));
                    vec_store(s + at, a * cv);
                    sum_c.window[v] += ag;
                    if (gathered)
                        vec_store(factor, ag);
                } else {
                    ds = a * (gv - dot[v]);
                    vec_store(s + at, a);
                }
                vec_store(g + at, ds);
                sum_bias.window[v] += ds;
            }
            if (with_bias)
                diagonal_move(&sum_bias, vecs);
            if (with_c)
                diagonal_move(&sum_c, vecs);
        }
        for (; j < group + LANES; j++) {
            diagonal_move(&sum_bias, vecs);
            diagonal_move(&sum_c, vecs);
        }
        if (with_bias)
            diagonal_flush(&sum_bias, w->dbias + table_start(w, group));
        if (with_c)
            diagonal_flush(&sum_c, w->dc + table_start(w, group));
    }
    if (with_bias)
        diagonal_close(&sum_bias, vecs, w->dbias + table_start(w, j));
    if (with_c)
        diagonal_close(&sum_c, vecs, w->dc + table_start(w, j));
}

INLINE void block_slope_vecs(const struct attention_work *w, const int vecs)
{
    if (w->has_bias && w->has_c)
        slope_tile(w, vecs, true, true);
    else if (w->has_bias)
        slope_tile(w, vecs, true, false);
    else if (w->has_c)
        slope_tile(w, vecs, false, true);
    else
        slope_tile(w, vecs, false, false);
}

static void block_slope(const struct attention_work *w, real *dbias, real *dc)
{
    if (w->lanes == LANES)
        block_slope_vecs(w, 1);
    else
        block_slope_vecs(w, BLOCK_VECTORS);
    if (w->shape->relation && dbias)
        scatter_tile(w, w->tile_g, dbias);
    if (w->shape->relation && dc)
        scatter_tile(w, w->tile_c, dc);
}

/* tile_g = v do^T, with do in `columns`. */
static void block_values(const struct attention_work *w)
{
    product(&(struct product){.m = w->count,
                              .depth = w->shape->head_width,
                              .vecs = w->lanes / LANES,
                              .a = w->v,
                              .a_row = w->width,
                              .a_depth = 1,
                              .b = w->columns,
                              .b_row = w->lanes,
                              .start = zeros,
                              .start_row = 0,
                              .c = w->tile_g,
                              .c_row = w->lanes});
}

/* gradient (n,width) += tile rows, rows (L,width). */
static void block_add(const struct attention_work *w, const real *tile, const real *rows,
                      real *gradient)
{
    product(&(struct product){.m = w->count,
                              .depth = w->lanes,
                              .vecs = w->vecs,
                              .a = tile,
                              .a_row = w->lanes,
                              .a_depth = 1,
                              .b = rows,
                              .b_row = w->width,
                              .start = gradient,
                              .start_row = w->width,
                              .c = gradient,
                              .c_row = w->width});
}

/* lane_lse in units of ln 2 and lane_dot = do.o for the block's queries. */
static void block_lanes(const struct attention_work *w, const real *o, const real *lse)
{
    int d = w->shape->head_width;
    for (int r = 0; r < w->lanes; r++) {
        int i = w->first + w->lanes - 1 - r;
        const real *out = o + (ptrdiff_t)i * w->shape->output_stride;
        w->lane_lse[r] = i < w->n ? (real)LOG2E * lse[i] : (real)1e30;
        w->lane_dot[r] = i < w->n ? row_dot(d, w->rows_do + (ptrdiff_t)r * w->width, out) : 0;
    }
}

static void add_table(const struct attention_work *w, const real *from, real *gradient)
{
    const real *x = from + w->middle - (w->n - 1);
    real *y = gradient + w->shape->origin - (w->n - 1);
    for (int k = 0; k < 2 * w->n - 1; k++)
        y[k] += x[k];
}

static void attention_close(const struct attention_work *w, real *dk, real *dv, real *dbias,
                            real *dc)
{
    int d = w->shape->head_width;
    ptrdiff_t stride = w->shape->stride;
    for (ptrdiff_t i = 0; i < w->n; i++) {
        unpack_row(d, w->dk + i * w->width, vec_set(w->shape->scale), dk + i * stride);
        unpack_row(d, w->dv + i * w->width, vec_set(1), dv + i * stride);
    }
    if (!w->shape->relation && dbias)
        add_table(w, w->dbias, dbias);
    if (!w->shape->relation && dc)
        add_table(w, w->dc, dc);
}

static void variant_attention_backward(const struct attention_shape *shape, const real *q,
                                       const real *k, const real *v, const real *bias,
                                       const real *c, const real *o, const real *lse,
                                       const real *dout, real *dq, real *dk, real *dv, real *dbias,
                                       real *dc, real *scratch)
{
    struct attention_work w;
    attention_layout(&w, shape, bias, c, scratch);
    pack_rows(&w, k, shape->scale * (real)LOG2E, w.k);
    pack_rows(&w, v, 1, w.v);
    pack_tables(&w, bias, c);
    memset(w.dk, 0, (size_t)w.n * (size_t)w.width * sizeof *w.dk);
    memset(w.dv, 0, (size_t)w.n * (size_t)w.width * sizeof *w.dv);
    memset(w.dbias, 0, (size_t)table_size(w.n) * sizeof *w.dbias);
    memset(w.dc, 0, (size_t)table_size(w.n) * sizeof *w.dc);
    for (int first = 0; first < w.n; first += w.lanes) {
        block_open(&w, first);
        pack_block(&w, q, shape->stride, w.rows_q);
        pack_block(&w, dout, shape->output_stride, w.rows_do);
        block_lanes(&w, o, lse);
        if (shape->relation)
            gather_tiles(&w, bias, c);
        transpose_block(&w, w.rows_q);
        block_logits(&w);
        transpose_block(&w, w.rows_do);
        block_values(&w);
        block_slope(&w, dbias, dc);
        block_out(&w, w.tile_g, w.k);
        block_add(&w, w.tile_s, w.rows_do, w.dv);
        block_add(&w, w.tile_g, w.rows_q, w.dk);
        for (int i = first; i < w.n && i < first + w.lanes; i++) {
            int r = first + w.lanes - 1 - i;
            unpack_row(shape->head_width, w.out + (ptrdiff_t)r * w.width, vec_set((real)LN2),
                       dq + (ptrdiff_t)i * shape->stride);
        }
    }
    attention_close(&w, dk, dv, dbias, dc);
}

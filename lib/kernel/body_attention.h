/* Private to lib/kernel: the two passes of the fused attention, block by block of queries; see
 * body_attention_block.h for the layout.  Included once by each variant. */

/* ---- steps shared by the two passes -----------------------------------------------------------*/
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
    for (ptrdiff_t j = 0; j + 4 <= w->count; j += 4) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            const real *at = s + (j * vecs + v) * LANES;
            vec a = vec_max(vec_load(at), vec_load(at + vecs * LANES));
            vec b = vec_max(vec_load(at + 2 * vecs * LANES), vec_load(at + 3 * vecs * LANES));
            top[v] = vec_max(top[v], vec_max(a, b));
        }
    }
    for (ptrdiff_t j = w->count / 4 * 4; j < w->count; j++) {
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
    pack_rows(&w, w.n, k, shape->stride, shape->scale * (real)LOG2E, w.k);
    pack_rows(&w, w.n, v, shape->stride, 1, w.v);
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
        unpack_block(&w, w.lane_dot + w.lanes - 1, -1, o, shape->output_stride);
        for (int i = 0; i < block_queries(&w); i++)
            lse[first + i] = w.lane_lse[w.lanes - 1 - i];
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

/* One vector of a row: *s = logits and *g = do.v become a c and ds; *ag = a g.  With c = 1 the bits
 * are those of the plain form. */
INLINE void slope_step(vec *s, vec *g, vec *ag, vec lse, vec dot, vec c, const bool with_c)
{
    vec a = vec_exp2(*s - lse);
    if (with_c) {
        *ag = a * *g;
        *g = a * vec_fma(c, *g, -dot);
        *s = a * c;
    } else {
        *g = a * (*g - dot);
        *s = a;
    }
}

/* Row j of the tiles; `c` is the row of C, which takes a g when relations are gathered. */
INLINE void slope_row(const struct attention_work *w, const int vecs, const bool with_c, int j,
                      const vec *lse, const vec *dot, real *c, struct diagonal *sum_bias,
                      struct diagonal *sum_c)
{
    UNROLL
    for (int v = 0; v < vecs; v++) {
        ptrdiff_t at = ((ptrdiff_t)j * vecs + v) * LANES;
        vec s = vec_load(w->tile_s + at), g = vec_load(w->tile_g + at), ag = vec_zero();
        vec factor = with_c ? vec_load(c + v * LANES) : vec_zero();
        slope_step(&s, &g, &ag, lse[v], dot[v], factor, with_c);
        vec_store(w->tile_s + at, s);
        vec_store(w->tile_g + at, g);
        sum_bias->window[v] += g;
        sum_c->window[v] += ag;
        if (with_c && w->shape->relation)
            vec_store(c + v * LANES, ag);
    }
}

/* From tile_s = logits and tile_g = do.v: tile_s becomes a c (what dv needs), tile_g becomes ds
 * (what dq and dk need), and dbias, dc grow by the sums over equal relations of ds and a g. */
INLINE void slope_tile(const struct attention_work *w, const int vecs, const bool with_bias,
                       const bool with_c)
{
    const bool gathered = w->shape->relation;
    vec lse[BLOCK_VECTORS], dot[BLOCK_VECTORS];
    struct diagonal sum_bias, sum_c;
    real *c = gathered ? w->tile_c : w->c + table_start(w, 0);
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
        for (; j < group + LANES; j++) {
            if (j < w->count)
                slope_row(w, vecs, with_c, j, lse, dot, c + j * c_row, &sum_bias, &sum_c);
            if (with_bias)
                diagonal_move(&sum_bias, vecs);
            if (with_c)
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
    int queries = block_queries(w), top = w->lanes - 1;
    for (int i = 0; i < queries; i++) {
        const real *out = o + (ptrdiff_t)(w->first + i) * w->shape->output_stride;
        w->lane_lse[top - i] = (real)LOG2E * lse[w->first + i];
        w->lane_dot[top - i] =
            row_dot(w->shape->head_width, w->rows_do + (ptrdiff_t)(top - i) * w->width, out);
    }
    for (int i = queries; i < w->lanes; i++) {
        w->lane_lse[top - i] = (real)1e30;
        w->lane_dot[top - i] = 0;
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
    static const real one = 1;
    ptrdiff_t stride = w->shape->stride;
    unpack_rows(w, w->n, w->dk, w->width, &w->shape->scale, 0, dk, stride);
    unpack_rows(w, w->n, w->dv, w->width, &one, 0, dv, stride);
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
    const real ln2 = (real)LN2;
    attention_layout(&w, shape, bias, c, scratch);
    pack_rows(&w, w.n, k, shape->stride, shape->scale * (real)LOG2E, w.k);
    pack_rows(&w, w.n, v, shape->stride, 1, w.v);
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
        unpack_block(&w, &ln2, 0, dq, shape->stride);
    }
    attention_close(&w, dk, dv, dbias, dc);
}

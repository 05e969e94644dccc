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
                              .a = w->k + (ptrdiff_t)w->key * w->width,
                              .a_row = w->width,
                              .a_depth = 1,
                              .b = w->columns,
                              .b_row = w->lanes,
                              .start = gathered ? w->tile_s : w->bias + table_start(w),
                              .start_row = gathered ? w->lanes : 1,
                              .c = w->tile_s,
                              .c_row = w->lanes});
}

/* out (L,width) = tile^T x, x (n,width). */
static void block_out(const struct attention_work *w, const real *tile, const real *x)
{
    x += (ptrdiff_t)w->key * w->width;
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

/* Rows of a tile that take the steps of exp2 together. */
enum { ROWS = VECTORS_MAX / BLOCK_VECTORS };

/* The row of C beside row 0 of the tiles, and the distance to the next. */
INLINE real *rows_of_c(const struct attention_work *w, ptrdiff_t *distance)
{
    *distance = w->shape->relation ? w->lanes : 1;
    return w->shape->relation ? w->tile_c : w->c + table_start(w);
}

/* ---- forward ----------------------------------------------------------------------------------*/
/* `rows` rows from row j: tile_s = exp2(tile_s - top) C, and sum grows by the exponentials. */
INLINE void softmax_rows(const struct attention_work *w, const int rows, const int vecs,
                         const bool with_c, ptrdiff_t j, const real *c, ptrdiff_t c_row,
                         const vec *top, vec *sum)
{
    real *s = w->tile_s + j * vecs * LANES;
    vec e[VECTORS_MAX];
    UNROLL
    for (int v = 0; v < rows * vecs; v++)
        e[v] = vec_load(s + v * LANES) - top[v % vecs];
    vec_exp2_all(rows * vecs, e);
    UNROLL
    for (int v = 0; v < rows * vecs; v++) {
        sum[v % vecs] += e[v];
        if (with_c)
            e[v] *= vec_load(c + (j + v / vecs) * c_row + v % vecs * LANES);
        vec_store(s + v * LANES, e[v]);
    }
}

/* tile_s = exp2(tile_s - top) C; lane_dot = 1 / sum of the exponentials; lane_lse = lse. */
INLINE void softmax_tile(const struct attention_work *w, const int vecs, const bool with_c)
{
    vec top[BLOCK_VECTORS], sum[BLOCK_VECTORS];
    const real *s = w->tile_s;
    UNROLL
    for (int v = 0; v < vecs; v++) {
        top[v] = vec_set(-(real)LOGIT_LEAST);
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
    ptrdiff_t j = 0, c_row;
    const real *c = rows_of_c(w, &c_row);
    for (; j + ROWS <= w->count; j += ROWS)
        softmax_rows(w, ROWS, vecs, with_c, j, c, c_row, top, sum);
    for (; j < w->count; j++)
        softmax_rows(w, 1, vecs, with_c, j, c, c_row, top, sum);
    /* The largest logit adds 1 to its row's sum: below 1 is the sum of a row that sees nothing. */
    UNROLL
    for (int v = 0; v < vecs; v++) {
        sum[v] = vec_max(vec_set(1), sum[v]);
        vec_store(w->lane_lse + v * LANES, vec_fma(top[v], vec_set((real)LN2), vec_log(sum[v])));
        vec_store(w->lane_dot + v * LANES, vec_set(1) / sum[v]);
    }
}

/* x[v], a logit plus offset in units of ln 2, becomes its weight, and slope[v] the weight's derivative
 * by the logit. */
INLINE void elementwise_all(const int count, const enum attention_form form, vec *x, vec *slope)
{
    vec e[VECTORS_MAX];
    if (form == ATTENTION_SIGMOID) {
        UNROLL
        for (int v = 0; v < count; v++)
            e[v] = vec_min(x[v], -x[v]);
        vec_exp2_all(count, e);
    }
    UNROLL
    for (int v = 0; v < count; v++) {
        if (form == ATTENTION_SIGMOID) {
            vec r = vec_set(1) / (vec_set(1) + e[v]);
            x[v] = vec_where_negative(x[v], e[v] * r, r);
            slope[v] = e[v] * r * r;
        } else {
            vec above = vec_where_negative(vec_zero() - x[v], vec_set(1), vec_zero());
            vec r = vec_max(vec_zero(), x[v]) * vec_set((real)LN2);
            x[v] = form == ATTENTION_RELU ? r : r * r;
            slope[v] = form == ATTENTION_RELU ? above : r + r;
        }
    }
}

INLINE void elementwise_rows(const struct attention_work *w, const int rows, const int vecs,
                             const enum attention_form form, ptrdiff_t j, const real *c,
                             ptrdiff_t c_row)
{
    real *s = w->tile_s + j * vecs * LANES;
    vec x[VECTORS_MAX], slope[VECTORS_MAX];
    UNROLL
    for (int v = 0; v < rows * vecs; v++)
        x[v] = vec_load(s + v * LANES) - vec_load(w->lane_lse + v % vecs * LANES);
    elementwise_all(rows * vecs, form, x, slope);
    UNROLL
    for (int v = 0; v < rows * vecs; v++) {
        if (w->has_c)
            x[v] *= vec_load(c + (j + v / vecs) * c_row + v % vecs * LANES);
        vec_store(s + v * LANES, x[v]);
    }
}

/* tile_s = weights times C without the rows' factors, which wait in lane_dot. */
INLINE void elementwise_tile(const struct attention_work *w, const int vecs,
                             const enum attention_form form)
{
    ptrdiff_t j = 0, c_row;
    const real *c = rows_of_c(w, &c_row);
    for (; j + ROWS <= w->count; j += ROWS)
        elementwise_rows(w, ROWS, vecs, form, j, c, c_row);
    for (; j < w->count; j++)
        elementwise_rows(w, 1, vecs, form, j, c, c_row);
}

INLINE void block_weights_vecs(const struct attention_work *w, const int vecs)
{
    switch (w->shape->form) {
    case ATTENTION_SOFTMAX:
        if (w->has_c)
            softmax_tile(w, vecs, true);
        else
            softmax_tile(w, vecs, false);
        break;
    case ATTENTION_SIGMOID: elementwise_tile(w, vecs, ATTENTION_SIGMOID); break;
    case ATTENTION_RELU: elementwise_tile(w, vecs, ATTENTION_RELU); break;
    case ATTENTION_RELU2: elementwise_tile(w, vecs, ATTENTION_RELU2); break;
    }
}

static void block_weights(const struct attention_work *w)
{
    if (w->lanes == LANES)
        block_weights_vecs(w, 1);
    else
        block_weights_vecs(w, BLOCK_VECTORS);
}

/* Elementwise forms: what is taken from the lanes' logits, and the factors of their weights. */
static void lanes_of_form(const struct attention_work *w, real *factor)
{
    const struct attention_shape *shape = w->shape;
    for (int r = 0; r < w->lanes; r++) {
        int i = w->first + w->lanes - 1 - r;
        w->lane_lse[r] = shape->offset && i < w->n ? -(real)LOG2E * shape->offset[i] : 0;
        factor[r] = shape->factor && i < w->n ? shape->factor[i] : 1;
    }
}

static void variant_attention_forward(const struct attention_shape *shape, const real *q,
                                      const real *k, const real *v, const real *bias,
                                      const real *c, real *o, real *lse, real *scratch)
{
    struct attention_work w;
    attention_layout(&w, shape, bias, c, scratch);
    pack_rows(&w, w.n, k, shape->stride, shape->scale * (real)LOG2E, w.k);
    pack_rows(&w, w.n, v, shape->stride, 1, w.v);
    if (!shape->follows)
        pack_tables(&w, bias, c);
    for (int first = 0; first < w.n; first += w.lanes) {
        block_open(&w, first);
        pack_block(&w, q, shape->stride, w.rows_q);
        transpose_block(&w, w.rows_q);
        if (shape->relation)
            gather_tiles(&w, bias, c);
        block_logits(&w);
        if (shape->form != ATTENTION_SOFTMAX)
            lanes_of_form(&w, w.lane_dot);
        block_weights(&w);
        block_out(&w, w.tile_s, w.v);
        unpack_block(&w, w.lane_dot + w.lanes - 1, -1, o, shape->output_stride);
        for (int i = 0; i < block_queries(&w) && shape->form == ATTENTION_SOFTMAX; i++)
            lse[first + i] = w.lane_lse[w.lanes - 1 - i];
    }
}

/* ---- backward ---------------------------------------------------------------------------------*/
/* What the rows of one tile share: sums and C beside row 0, and the distance to C's next row. */
struct gradient {
    vec lse[BLOCK_VECTORS], dot[BLOCK_VECTORS];
    real *sum_bias, *sum_c, *c;
    ptrdiff_t c_row;
};

/* Vector v of a row: from its weights a, their slopes and *g = do.v, *s and *g become a c and ds
 * (softmax, whose slope is a: a (c g - do.o)).  With c = 1 the bits are those of the plain form.
 * Where relations are gathered, a g takes the place of c. */
INLINE void gradient_vec(const struct gradient *t, const int v, ptrdiff_t row, const vec a,
                         const vec slope, real *s, real *g, const bool with_bias,
                         const bool with_c, const bool gathered)
{
    ptrdiff_t at = (row + v * LANES) * LANES;
    vec x = vec_load(g), ds;
    if (with_c) {
        real *c = t->c + row * t->c_row + v * LANES;
        vec factor = vec_load(c);
        ds = slope * vec_fma(factor, x, -t->dot[v]);
        vec_store(s, a * factor);
        if (gathered)
            vec_store(c, a * x);
        else
            vec_store(t->sum_c + at, vec_fma(a, x, vec_load(t->sum_c + at)));
    } else {
        ds = slope * (x - t->dot[v]);
        vec_store(s, a);
    }
    vec_store(g, ds);
    if (with_bias)
        vec_store(t->sum_bias + at, vec_load(t->sum_bias + at) + ds);
}

/* `rows` rows of the tiles from row j. */
INLINE void gradient_rows(const struct attention_work *w, const struct gradient *t, const int rows,
                          const int vecs, const enum attention_form form, const bool with_bias,
                          const bool with_c, const bool gathered, ptrdiff_t j)
{
    real *s = w->tile_s + j * vecs * LANES, *g = w->tile_dp + j * vecs * LANES;
    vec a[VECTORS_MAX], slope[VECTORS_MAX];
    UNROLL
    for (int k = 0; k < rows * vecs; k++)
        a[k] = vec_load(s + k * LANES) - t->lse[k % vecs];
    if (form == ATTENTION_SOFTMAX)
        vec_exp2_all(rows * vecs, a);
    else
        elementwise_all(rows * vecs, form, a, slope);
    UNROLL
    for (int k = 0; k < rows * vecs; k++)
        gradient_vec(t, k % vecs, j + k / vecs, a[k], form == ATTENTION_SOFTMAX ? a[k] : slope[k],
                     s + k * LANES, g + k * LANES, with_bias, with_c, gathered);
}

/* From tile_s = logits and tile_dp = do.v: tile_s becomes a c (what dv needs), tile_dp becomes ds
 * (what dq and dk need), and sum_bias, sum_c grow by ds and a g.  Vector p of these collects, lane
 * by lane, all vectors of tiles whose lane 0 has the offset j - i = p - middle: so nothing is
 * shuffled between lanes, and rows one after the other touch different vectors. */
INLINE void gradient_tile(const struct attention_work *w, const int vecs,
                          const enum attention_form form, const bool with_bias, const bool with_c,
                          const bool gathered)
{
    struct gradient t = {.sum_bias = w->sum_bias, .sum_c = w->sum_c};
    ptrdiff_t j = 0;
    t.c = rows_of_c(w, &t.c_row);
    if (!gathered) {
        t.sum_bias += table_start(w) * LANES;
        t.sum_c += table_start(w) * LANES;
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        t.lse[v] = vec_load(w->lane_lse + v * LANES);
        t.dot[v] = vec_load(w->lane_dot + v * LANES);
    }
    for (; j + ROWS <= w->count; j += ROWS)
        gradient_rows(w, &t, ROWS, vecs, form, with_bias, with_c, gathered, j);
    for (; j < w->count; j++)
        gradient_rows(w, &t, 1, vecs, form, with_bias, with_c, gathered, j);
}

INLINE void block_gradient_form(const struct attention_work *w, const int vecs,
                                const enum attention_form form)
{
    if (w->shape->relation && w->has_c)
        gradient_tile(w, vecs, form, false, true, true);
    else if (w->shape->relation)
        gradient_tile(w, vecs, form, false, false, true);
    else if (w->has_bias && w->has_c)
        gradient_tile(w, vecs, form, true, true, false);
    else if (w->has_bias)
        gradient_tile(w, vecs, form, true, false, false);
    else if (w->has_c)
        gradient_tile(w, vecs, form, false, true, false);
    else
        gradient_tile(w, vecs, form, false, false, false);
}

INLINE void block_gradient_vecs(const struct attention_work *w, const int vecs)
{
    switch (w->shape->form) {
    case ATTENTION_SOFTMAX: block_gradient_form(w, vecs, ATTENTION_SOFTMAX); break;
    case ATTENTION_SIGMOID: block_gradient_form(w, vecs, ATTENTION_SIGMOID); break;
    case ATTENTION_RELU: block_gradient_form(w, vecs, ATTENTION_RELU); break;
    case ATTENTION_RELU2: block_gradient_form(w, vecs, ATTENTION_RELU2); break;
    }
}

static void block_gradient(const struct attention_work *w, real *dbias, real *dc)
{
    if (w->lanes == LANES)
        block_gradient_vecs(w, 1);
    else
        block_gradient_vecs(w, BLOCK_VECTORS);
    if (w->shape->relation && dbias)
        scatter_tile(w, w->tile_dp, dbias);
    if (w->shape->relation && dc)
        scatter_tile(w, w->tile_c, dc);
}

/* tile_dp = v do^T, with do in `columns`. */
static void block_dp(const struct attention_work *w)
{
    product(&(struct product){.m = w->count,
                              .depth = w->shape->head_width,
                              .vecs = w->lanes / LANES,
                              .a = w->v + (ptrdiff_t)w->key * w->width,
                              .a_row = w->width,
                              .a_depth = 1,
                              .b = w->columns,
                              .b_row = w->lanes,
                              .start = zeros,
                              .start_row = 0,
                              .c = w->tile_dp,
                              .c_row = w->lanes});
}

/* gradient (n,width) += tile rows, rows (L,width). */
static void block_add(const struct attention_work *w, const real *tile, const real *rows,
                      real *gradient)
{
    gradient += (ptrdiff_t)w->key * w->width;
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

/* lane_lse in units of ln 2 and lane_dot = do.o for the block's queries.  Elementwise forms: the
 * rows' factors go into do, and nothing is subtracted. */
static void block_lanes(const struct attention_work *w, const real *o, const real *lse)
{
    if (w->shape->form != ATTENTION_SOFTMAX) {
        lanes_of_form(w, w->lane_dot);
        for (int r = 0; r < w->lanes && w->shape->factor; r++)
            row_scale(w->rows_do + (ptrdiff_t)r * w->width, w->width, w->lane_dot[r]);
        memset(w->lane_dot, 0, (size_t)w->lanes * sizeof *w->lane_dot);
        return;
    }
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

/* gradient grows by the sums over equal relations: lane l of vector p belongs to place p + l of a
 * table.  Vectors are taken LANES apart, so that no load waits for the store before it. */
static void add_sums(const struct attention_work *w, const real *sum, real *gradient)
{
    const real *x = w->table + w->middle - (w->n - 1);
    real *y = gradient + w->shape->origin - (w->n - 1);
    memset(w->table, 0, (size_t)table_size(w->n) * sizeof *w->table);
    for (int first = 0; first < LANES; first++) {
        for (ptrdiff_t p = first; p < w->middle + w->n; p += LANES) {
            vec place = vec_load(w->table + p);
            vec_store(w->table + p, place + vec_load(sum + p * LANES));
        }
    }
    for (int k = 0; k < 2 * w->n - 1; k++)
        y[k] += x[k];
}

static void open_tables(const struct attention_work *w, const real *bias, const real *c)
{
    pack_tables(w, bias, c);
    if (bias && !w->shape->relation)
        memset(w->sum_bias, 0, (size_t)table_size(w->n) * sizeof(vec));
    if (c && !w->shape->relation)
        memset(w->sum_c, 0, (size_t)table_size(w->n) * sizeof(vec));
}

static void attention_close(const struct attention_work *w, real *dk, real *dv, real *dbias,
                            real *dc)
{
    static const real one = 1;
    ptrdiff_t stride = w->shape->stride;
    unpack_rows(w, w->n, w->dk, w->width, &w->shape->scale, 0, dk, stride);
    unpack_rows(w, w->n, w->dv, w->width, &one, 0, dv, stride);
    if (w->shape->relation || w->shape->continues)
        return;
    if (dbias)
        add_sums(w, w->sum_bias, dbias);
    if (dc)
        add_sums(w, w->sum_c, dc);
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
    if (!shape->follows)
        open_tables(&w, bias, c);
    memset(w.dk, 0, (size_t)w.n * (size_t)w.width * sizeof *w.dk);
    memset(w.dv, 0, (size_t)w.n * (size_t)w.width * sizeof *w.dv);
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
        block_dp(&w);
        block_gradient(&w, dbias, dc);
        block_out(&w, w.tile_dp, w.k);
        block_add(&w, w.tile_s, w.rows_do, w.dv);
        block_add(&w, w.tile_dp, w.rows_q, w.dk);
        unpack_block(&w, &ln2, 0, dq, shape->stride);
    }
    attention_close(&w, dk, dv, dbias, dc);
}

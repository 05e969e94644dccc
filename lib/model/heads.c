/* Attention of one sample's group of heads in blocks of R whole query rows, with every hook:
 *
 *   S^h = scale q^h k^hT   [S = A S over the group]   + what the encoding adds
 *   a^h = weights of S^h   [a = W a over the group]   P = a * C   o = P v + hook [+ rest]
 * Backward computes S and a again:
 *   dP = do v^T + hook   dv += P^T do   dC += dP a   da = dP C   [da = W^T da]   ds from da
 *   ds -> hook   [ds = A^T ds]   dq += scale ds k   dk += scale ds^T q
 * Invariant: nothing of size n x n is held; the blocks are (G,R,n). */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "model/workspace.h"

/* Rows first .. first+rows-1 of the group's heads; head g's part of a block array starts g * size
 * elements from its beginning. */
struct block {
    const struct sample_attention *a;
    const struct head *head; /* (group) */
    int group, first, rows, n;
    size_t size; /* rows_max x n */
    const int *count; /* (rows) keys from there on are hidden; NULL: none is */
};

static int seen_to(const struct block *b, int r)
{
    return b->count ? b->count[r] : b->n;
}

static struct encoding_block hook_block(const struct block *b, int g)
{
    const struct head *h = &b->head[g];
    return (struct encoding_block){.head = h->index,
                                   .first = b->first,
                                   .rows = b->rows,
                                   .q = h->q,
                                   .k = h->k,
                                   .dq = h->dq,
                                   .dk = h->dk,
                                   .stride = b->a->stride,
                                   .content = h->content,
                                   .dcontent = h->dcontent,
                                   .scale = b->a->kind->facts.scale,
                                   .ld = b->n,
                                   .scratch = b->a->w->hook + (size_t)g * b->a->w->hook_size};
}

static int relation_of(const struct block *b, int r, int j)
{
    return layout_relation(b->a->encoding.layout, b->first + r, j);
}

/* Where C of a pair stands in the head's table. */
static int place_of_c(const struct block *b, int r, int j)
{
    return b->a->c_row ? (b->first + r) * b->a->c_row + j : relation_of(b, r, j);
}

/* ---- masks ------------------------------------------------------------------------------------*/
/* Whether more is hidden than what stands behind the last key that a query sees. */
static bool has_holes(const struct mask_reach *reach, int n)
{
    return reach->hidden || reach->pair || reach->low > 1 - n;
}

/* For each row one more than the last key that it sees; NULL: all see all. */
static const int *visible(const struct sample_attention *a, int first, int rows)
{
    const struct mask_reach *reach = a->reach;
    const struct layout *l = a->encoding.layout;
    if (!has_holes(reach, a->n) && reach->high >= a->n - 1)
        return NULL;
    for (int r = 0; r < rows; r++) {
        int i = first + r, end = i + reach->high + 1 < a->n ? i + reach->high + 1 : a->n;
        while (end > 0 && !mask_shows(reach, l, i, end - 1))
            end--;
        a->w->count[r] = end > 0 ? end : 0;
    }
    return a->w->count;
}

/* Logits of what is hidden before the last key seen become -inf. */
static void hide(const struct block *b, real *s)
{
    const struct mask_reach *reach = b->a->reach;
    if (!has_holes(reach, b->n))
        return;
    for (int r = 0; r < b->rows; r++)
        for (int j = 0; j < seen_to(b, r); j++)
            if (!mask_shows(reach, b->a->encoding.layout, b->first + r, j))
                s[r * b->n + j] = -(real)INFINITY;
}

/* ---- mixing over the group --------------------------------------------------------------------*/
/* x_m = sum_h M_mh x_h over the group, element by element, in place; transposed: M_hm. */
static void mix_blocks(const struct block *b, const real *matrix, bool transposed, real *x)
{
    int group = b->group, count = b->rows * b->n;
    real *one = b->a->w->mix + 2 * group * group; /* (group) */
    for (int k = 0; k < count; k++) {
        for (int g = 0; g < group; g++)
            one[g] = x[(size_t)g * b->size + (size_t)k];
        for (int m = 0; m < group; m++) {
            real sum = 0;
            for (int g = 0; g < group; g++)
                sum += matrix[transposed ? g * group + m : m * group + g] * one[g];
            x[(size_t)m * b->size + (size_t)k] = sum;
        }
    }
}

/* The matrix of a stage; NULL: it is not mixed. */
static const real *mixing(const struct block *b, bool before)
{
    const struct normaliser *normaliser = b->a->kind->normaliser;
    real *matrix = b->a->w->mix;
    if (!normaliser->mix || !normaliser->mix(&b->a->normaliser, b->head[0].index, before, matrix))
        return NULL;
    return matrix;
}

static void mix(const struct block *b, bool before, real *x)
{
    const real *matrix = mixing(b, before);
    if (matrix)
        mix_blocks(b, matrix, false, x);
}

/* dx, of the mixed, becomes that of x, the unmixed; the matrix's gradient is handed on. */
static void mix_backward(const struct block *b, bool before, const real *x, real *dx)
{
    int group = b->group;
    const real *matrix = mixing(b, before);
    if (!matrix)
        return;
    real *dmatrix = b->a->w->mix + group * group;
    for (int m = 0; m < group; m++)
        for (int g = 0; g < group; g++) {
            double sum = 0;
            for (int k = 0; k < b->rows * b->n; k++)
                sum += (double)dx[(size_t)m * b->size + (size_t)k] *
                       (double)x[(size_t)g * b->size + (size_t)k];
            dmatrix[m * group + g] = (real)sum;
        }
    b->a->kind->normaliser->mix_backward(&b->a->normaliser, b->head[0].index, before, dmatrix);
    mix_blocks(b, matrix, true, dx);
}

/* ---- logits -----------------------------------------------------------------------------------*/
static void products(const struct block *b, real *s)
{
    const struct sample_attention *a = b->a;
    for (int g = 0; g < b->group; g++)
        gemm(false, true, b->rows, b->n, a->width, (real)a->kind->facts.scale,
             b->head[g].q + (size_t)b->first * (size_t)a->stride, a->stride, b->head[g].k,
             a->stride, 0, s + (size_t)g * b->size, b->n);
    real most = (real)logits_cap(&a->kind->config.logits);
    for (int g = 0; g < b->group && most > 0; g++)
        for (int k = 0; k < b->rows * b->n; k++)
            s[(size_t)g * b->size + (size_t)k] =
                most * REAL_MATH(tanh)(s[(size_t)g * b->size + (size_t)k] / most);
}

/* From gradients of products to those before the cap. */
static void uncap(const struct block *b, const real *s, real *ds)
{
    real most = (real)logits_cap(&b->a->kind->config.logits);
    for (int g = 0; g < b->group; g++)
        for (int k = 0; k < b->rows * b->n; k++) {
            real share = s[(size_t)g * b->size + (size_t)k] / most;
            ds[(size_t)g * b->size + (size_t)k] *= 1 - share * share;
        }
}

/* Products that are no logits, which start at 0. */
static void products_apart(const struct block *b, real *s)
{
    const struct sample_attention *a = b->a;
    int stride = 2 * a->m->width;
    products(b, a->w->product);
    memset(s, 0, (size_t)b->group * b->size * sizeof *s);
    for (int g = 0; g < b->group && b->head[g].plain_q; g++)
        gemm(false, true, b->rows, b->n, a->width, (real)a->kind->facts.scale,
             b->head[g].plain_q + (size_t)b->first * (size_t)stride, stride, b->head[g].plain_k,
             stride, 0, a->w->plain + (size_t)g * b->size, b->n);
}

static bool has_products_apart(const struct block *b)
{
    return normaliser_products(&b->a->kind->config.normaliser) != PRODUCTS_LOGITS;
}

static void add_encoding(const struct block *b, int g, real *s)
{
    const struct head *h = &b->head[g];
    const struct encoding *encoding = b->a->kind->encoding;
    if (h->bias) {
        for (int r = 0; r < b->rows; r++)
            for (int j = 0; j < b->n; j++)
                s[r * b->n + j] += h->bias[relation_of(b, r, j)];
    } else if (encoding->logits) {
        struct encoding_block hook = hook_block(b, g);
        encoding->logits(&b->a->encoding, &hook, s);
    }
}

/* Products, mixed, and what the encoding adds. */
static void logits(const struct block *b, real *s)
{
    if (has_products_apart(b))
        products_apart(b, s);
    else
        products(b, s);
    mix(b, true, s);
    for (int g = 0; g < b->group; g++) {
        hide(b, s + (size_t)g * b->size);
        add_encoding(b, g, s + (size_t)g * b->size);
    }
}

static void plain_backward(const struct block *b, int g)
{
    const struct sample_attention *a = b->a;
    const struct head *h = &b->head[g];
    int stride = 2 * a->m->width;
    size_t at = (size_t)b->first * (size_t)stride;
    real scale = (real)a->kind->facts.scale;
    const real *mine = a->w->plain + (size_t)g * b->size;
    gemm(false, false, b->rows, a->width, b->n, scale, mine, b->n, h->plain_k, stride, 1,
         h->dplain_q + at, stride);
    gemm(true, false, b->n, a->width, b->rows, scale, mine, b->n, h->plain_q + at, stride, 1,
         h->dplain_k, stride);
}

/* ds (of the mixed logits) to the encoding's gradients, then to dq and dk. */
static void logits_backward(const struct block *b, real *ds)
{
    const struct sample_attention *a = b->a;
    const struct encoding *encoding = a->kind->encoding;
    size_t at = (size_t)b->first * (size_t)a->stride;
    real scale = (real)a->kind->facts.scale;
    for (int g = 0; g < b->group; g++) {
        const struct head *h = &b->head[g];
        real *mine = ds + (size_t)g * b->size;
        if (h->dbias) {
            for (int r = 0; r < b->rows; r++)
                for (int j = 0; j < b->n; j++)
                    h->dbias[relation_of(b, r, j)] += mine[r * b->n + j];
        } else if (encoding->logits_backward) {
            struct encoding_block hook = hook_block(b, g);
            encoding->logits_backward(&a->encoding, &hook, mine);
        }
    }
    bool capped = logits_cap(&a->kind->config.logits) > 0, mixed = mixing(b, true);
    if (capped || mixed)
        products(b, a->w->s);
    if (mixed)
        mix_backward(b, true, a->w->s, ds);
    if (capped)
        uncap(b, a->w->s, ds);
    for (int g = 0; g < b->group; g++) {
        const struct head *h = &b->head[g];
        const real *mine = (has_products_apart(b) ? a->w->product : ds) + (size_t)g * b->size;
        gemm(false, false, b->rows, a->width, b->n, scale, mine, b->n, h->k, a->stride, 1,
             h->dq + at, a->stride);
        gemm(true, false, b->n, a->width, b->rows, scale, mine, b->n, h->q + at, a->stride, 1,
             h->dk, a->stride);
        if (h->plain_q)
            plain_backward(b, g);
    }
}

/* ---- weights ----------------------------------------------------------------------------------*/
/* A row's visible entries side by side: those whose logit is not that of a hidden one. */
struct packed {
    struct normaliser_row row;
    const real *logit;  /* of the row; entries before `end` are looked at */
    int end;
    real *s, *a, *da;   /* (seen) */
};

static struct packed packed_row(const struct block *b, int g, int r, const real *s)
{
    real *room = b->a->w->row;
    struct packed p = {.row = {.head = b->head[g].index, .own = -1, .scratch = room + 3 * b->n},
                       .logit = s + (size_t)r * (size_t)b->n, .end = seen_to(b, r),
                       .s = room, .a = room + b->n, .da = room + 2 * b->n};
    for (int j = 0; j < p.end; j++) {
        if (p.logit[j] == -(real)INFINITY)
            continue;
        if (j == b->first + r)
            p.row.own = p.row.seen;
        p.row.seen++;
    }
    return p;
}

static void pack(const struct packed *p, const real *row, real *out)
{
    for (int j = 0; j < p->end; j++)
        if (p->logit[j] != -(real)INFINITY)
            *out++ = row[j];
}

/* Products of the row, where the normaliser is of them, and room for their gradients. */
static void pack_products(const struct block *b, int g, int r, struct packed *p)
{
    size_t at = (size_t)g * b->size + (size_t)r * (size_t)b->n;
    real *room = b->a->w->row + 6 * (ptrdiff_t)b->n;
    if (!has_products_apart(b))
        return;
    pack(p, b->a->w->product + at, room);
    p->row.product = room;
    p->row.dproduct = room + 2 * b->n;
    if (!b->head[g].plain_q)
        return;
    pack(p, b->a->w->plain + at, room + b->n);
    p->row.plain = room + b->n;
    p->row.dplain = room + 3 * b->n;
}

/* row may be that of the logits. */
static void unpack(const struct block *b, const struct packed *p, const real *x, real *row)
{
    for (int j = 0; j < b->n; j++)
        row[j] = j < p->end && p->logit[j] != -(real)INFINITY ? *x++ : 0;
}

/* Their gradients take the place of the products. */
static void unpack_products(const struct block *b, int g, int r, const struct packed *p)
{
    size_t at = (size_t)g * b->size + (size_t)r * (size_t)b->n;
    if (p->row.dproduct)
        unpack(b, p, p->row.dproduct, b->a->w->product + at);
    if (p->row.dplain)
        unpack(b, p, p->row.dplain, b->a->w->plain + at);
}

static void weights_by_row(const struct block *b, int g, real *s)
{
    const struct sample_attention *a = b->a;
    for (int r = 0; r < b->rows; r++) {
        struct packed p = packed_row(b, g, r, s);
        pack(&p, p.logit, p.s);
        pack_products(b, g, r, &p);
        if (p.row.seen)
            a->kind->normaliser->row(&a->normaliser, &p.row, p.s);
        unpack(b, &p, p.s, s + (size_t)r * (size_t)b->n);
    }
}

static void weights_by_row_backward(const struct block *b, int g, const real *s, const real *weight,
                                    real *da)
{
    const struct sample_attention *a = b->a;
    for (int r = 0; r < b->rows; r++) {
        size_t at = (size_t)r * (size_t)b->n;
        struct packed p = packed_row(b, g, r, s);
        pack(&p, p.logit, p.s);
        pack(&p, weight + at, p.a);
        pack(&p, da + at, p.da);
        pack_products(b, g, r, &p);
        if (p.row.seen)
            a->kind->normaliser->row_backward(&a->normaliser, &p.row, p.s, p.a, p.da);
        unpack(b, &p, p.da, da + at);
        unpack_products(b, g, r, &p);
    }
}

/* Elementwise forms: s becomes the weights, or with da given da their gradient by s. */
static void weights_by_element(const struct block *b, real *s, real *da)
{
    const struct workspace *w = b->a->w;
    enum attention_form form = (enum attention_form)normaliser_form(&b->a->kind->config.normaliser);
    bool rows = b->a->kind->normaliser->rows;
    for (int r = 0; r < b->rows; r++)
        for (int j = 0; j < b->n; j++) {
            size_t at = (size_t)r * (size_t)b->n + (size_t)j;
            real offset = rows ? w->offset[b->first + r] : 0, slope;
            real factor = rows ? w->factor[b->first + r] : 1;
            real weight = attention_weight(form, s[at] + offset, &slope);
            bool seen = j < seen_to(b, r);
            if (da)
                da[at] = seen ? da[at] * factor * slope : 0;
            else
                s[at] = seen ? factor * weight : 0;
        }
}

/* s becomes the weights; lse (rows) is kept by softmax. */
static void weights_of_head(const struct block *b, int g, real *s, bool again)
{
    const struct normaliser *normaliser = b->a->kind->normaliser;
    real *lse = b->head[g].lse + b->first;
    if (normaliser->row)
        weights_by_row(b, g, s);
    else if (normaliser_form(&b->a->kind->config.normaliser) != ATTENTION_SOFTMAX)
        weights_by_element(b, s, NULL);
    else if (again)
        kernel()->softmax_recompute(b->rows, b->n, b->n, b->count, s, lse);
    else
        kernel()->softmax_forward(b->rows, b->n, b->n, b->count, s, lse);
}

/* da becomes ds. */
static void weights_of_head_backward(const struct block *b, int g, real *s, const real *weight,
                                     real *da)
{
    const struct sample_attention *a = b->a;
    const struct normaliser *normaliser = a->kind->normaliser;
    if (normaliser->row) {
        weights_by_row_backward(b, g, s, weight, da);
        return;
    }
    if (normaliser_form(&a->kind->config.normaliser) != ATTENTION_SOFTMAX) {
        weights_by_element(b, s, da);
        return;
    }
    /* With something beside the keys, the mean of da over a row is that over all of o. */
    real *dot = normaliser->beside ? a->w->dot : NULL;
    for (int r = 0; r < b->rows && dot; r++) {
        size_t at = (size_t)(b->first + r) * (size_t)a->output_stride;
        dot[r] = 0;
        for (int k = 0; k < a->width; k++)
            dot[r] += b->head[g].dout[at + (size_t)k] * b->head[g].o[at + (size_t)k];
    }
    kernel()->softmax_backward(b->rows, b->n, b->n, weight, da, dot, da);
}

/* p = a * C, out of place; p may be a. */
static void multiply_c(const struct block *b, int g, const real *a, real *p)
{
    const real *table = b->head[g].table;
    for (int r = 0; r < b->rows; r++)
        for (int j = 0; j < b->n; j++)
            p[r * b->n + j] = a[r * b->n + j] * table[place_of_c(b, r, j)];
}

/* dtable += dp * a, then dp becomes da = dp * C. */
static void c_backward(const struct block *b, int g, const real *a, real *dp)
{
    const struct head *h = &b->head[g];
    for (int r = 0; r < b->rows; r++)
        for (int j = 0; j < b->n; j++) {
            int place = place_of_c(b, r, j);
            h->dtable[place] += dp[r * b->n + j] * a[r * b->n + j];
            dp[r * b->n + j] *= h->table[place];
        }
}

/* ---- what gets the rest of a row --------------------------------------------------------------*/
/* The head's vector for it, and where its gradient goes; NULL: there is none. */
static const real *rest_of(const struct block *b, int g, real **dvector)
{
    const struct sample_attention *a = b->a;
    const struct normaliser *normaliser = a->kind->normaliser;
    int tensor = normaliser->rest ? normaliser->rest(&a->kind->config.normaliser) : -1;
    size_t at = (size_t)b->head[g].index * (size_t)a->width;
    if (tensor < 0)
        return NULL;
    if (dvector)
        *dvector = a->normaliser.gradient[tensor] + at;
    return a->normaliser.parameter[tensor] + at;
}

/* left (rows) = 1 - the sums of the rows of weights. */
static void rest_weights(const struct block *b, const real *weight, real *left)
{
    for (int r = 0; r < b->rows; r++) {
        left[r] = 1;
        for (int j = 0; j < b->n; j++)
            left[r] -= weight[r * b->n + j];
    }
}

/* o += left vector. */
static void rest_forward(const struct block *b, int g, const real *left)
{
    const struct sample_attention *a = b->a;
    const real *vector = rest_of(b, g, NULL);
    for (int r = 0; r < b->rows && vector; r++) {
        real *o = b->head[g].o + (size_t)(b->first + r) * (size_t)a->output_stride;
        for (int k = 0; k < a->width; k++)
            o[k] += left[r] * vector[k];
    }
}

/* da loses the gradient of what is left. */
static void rest_backward(const struct block *b, int g, const real *weight, real *da)
{
    const struct sample_attention *a = b->a;
    real *dvector = NULL, *left = a->w->left;
    const real *vector = rest_of(b, g, &dvector);
    if (!vector)
        return;
    rest_weights(b, weight, left);
    for (int r = 0; r < b->rows; r++) {
        real drest = 0;
        const real *dout = b->head[g].dout + (size_t)(b->first + r) * (size_t)a->output_stride;
        for (int k = 0; k < a->width; k++) {
            dvector[k] += left[r] * dout[k];
            drest += dout[k] * vector[k];
        }
        for (int j = 0; j < b->n; j++)
            da[r * b->n + j] -= drest;
    }
}

/* ---- passes -----------------------------------------------------------------------------------*/
static struct block open_block(const struct sample_attention *a, const struct head *head, int group,
                               int first)
{
    int most = a->w->block_rows, rows = a->n - first < most ? a->n - first : most;
    return (struct block){.a = a, .head = head, .group = group, .first = first, .rows = rows,
                          .n = a->n, .size = (size_t)most * (size_t)a->n,
                          .count = visible(a, first, rows)};
}

/* s (group,rows,n) = weights, mixed, times C. */
static void block_weights(const struct block *b, real *s)
{
    logits(b, s);
    for (int g = 0; g < b->group; g++)
        weights_of_head(b, g, s + (size_t)g * b->size, false);
    mix(b, false, s);
}

void heads_forward(const struct sample_attention *a, const struct head *head, int group)
{
    struct block b;
    for (int first = 0; first < a->n; first += b.rows) {
        b = open_block(a, head, group, first);
        block_weights(&b, a->w->s);
        for (int g = 0; g < group; g++) {
            const struct head *h = &head[g];
            real *s = a->w->s + (size_t)g * b.size;
            real *o = h->o + (size_t)first * (size_t)a->output_stride;
            if (a->kind->normaliser->rest)
                rest_weights(&b, s, a->w->left);
            if (h->table)
                multiply_c(&b, g, s, s);
            gemm(false, false, b.rows, a->width, a->n, 1, s, a->n, h->v, a->stride, 0, o,
                 a->output_stride);
            if (a->kind->encoding->value) {
                struct encoding_block hook = hook_block(&b, g);
                a->kind->encoding->value(&a->encoding, &hook, s, o, a->output_stride);
            }
            rest_forward(&b, g, a->w->left);
        }
    }
}

/* From do to dp (of a * C), dv and the gradients of the value hook; then to da. */
static void values_backward(const struct block *b, int g, const real *weight, real *dp)
{
    const struct sample_attention *a = b->a;
    const struct head *h = &b->head[g];
    const real *dout = h->dout + (size_t)b->first * (size_t)a->output_stride, *p = weight;
    if (h->table) {
        multiply_c(b, g, weight, a->w->p);
        p = a->w->p;
    }
    gemm(false, true, b->rows, b->n, a->width, 1, dout, a->output_stride, h->v, a->stride, 0, dp,
         b->n);
    if (a->kind->encoding->value_backward) {
        struct encoding_block hook = hook_block(b, g);
        a->kind->encoding->value_backward(&a->encoding, &hook, p, dout, a->output_stride, dp);
    }
    gemm(true, false, b->n, a->width, b->rows, 1, p, b->n, dout, a->output_stride, 1, h->dv,
         a->stride);
    if (h->table)
        c_backward(b, g, weight, dp);
    rest_backward(b, g, weight, dp);
}

/* w->a (group,rows,n) = weights of the logits w->s, not mixed. */
static void weights_again(const struct block *b)
{
    struct workspace *w = b->a->w;
    for (int g = 0; g < b->group; g++) {
        real *weight = w->a + (size_t)g * b->size;
        memcpy(weight, w->s + (size_t)g * b->size, (size_t)b->rows * (size_t)b->n * sizeof *weight);
        weights_of_head(b, g, weight, true);
    }
}

void heads_backward(const struct sample_attention *a, const struct head *head, int group)
{
    struct workspace *w = a->w;
    struct block b;
    for (int first = 0; first < a->n; first += b.rows) {
        b = open_block(a, head, group, first);
        logits(&b, w->s);
        weights_again(&b);
        mix(&b, false, w->a);
        for (int g = 0; g < group; g++)
            values_backward(&b, g, w->a + (size_t)g * b.size, w->dp + (size_t)g * b.size);
        if (mixing(&b, false)) {
            weights_again(&b);
            mix_backward(&b, false, w->a, w->dp);
        }
        for (int g = 0; g < group; g++) {
            size_t at = (size_t)g * b.size;
            weights_of_head_backward(&b, g, w->s + at, w->a + at, w->dp + at);
        }
        logits_backward(&b, w->dp);
    }
}

static double sum_of(int count, const real *x)
{
    double sum = 0;
    for (int k = 0; k < count; k++)
        sum += (double)x[k];
    return sum;
}

/* sums (n) of the keys' softmax, and weights (n,n), become those beside what else stands in the denominator. */
static void scale_by_shares(const struct sample_attention *a, const struct head *h,
                            double *weights, double *sums)
{
    for (int i = 0; i < a->n; i++) {
        struct normaliser_beside beside = beside_of(a, h, i, 1);
        double keys = (double)h->lse[i];
        a->kind->normaliser->beside(&a->normaliser, &beside);
        double share = exp(keys - (double)h->lse[i]);
        sums[i] *= share;
        for (int j = 0; j < a->n && weights; j++)
            weights[(size_t)i * (size_t)a->n + (size_t)j] *= share;
    }
}

void heads_weights(const struct sample_attention *a, const struct head *head, int group,
                   double *weights, double *sums)
{
    struct block b;
    size_t n = (size_t)a->n;
    for (int first = 0; first < a->n; first += b.rows) {
        b = open_block(a, head, group, first);
        block_weights(&b, a->w->s);
        for (int g = 0; g < group; g++) {
            real *s = a->w->s + (size_t)g * b.size;
            if (head[g].table)
                multiply_c(&b, g, s, s);
            for (int r = 0; r < b.rows; r++)
                sums[g * a->n + first + r] = sum_of(a->n, s + r * a->n);
            double *to = weights ? weights + ((size_t)g * n + (size_t)first) * n : NULL;
            for (size_t k = 0; k < (size_t)b.rows * n && to; k++)
                to[k] = (double)s[k];
        }
    }
    for (int g = 0; g < group && a->kind->normaliser->beside; g++)
        scale_by_shares(a, &head[g], weights ? weights + (size_t)g * n * n : NULL,
                        sums + (size_t)g * n);
}

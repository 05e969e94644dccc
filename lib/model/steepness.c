/* How steep a network can be (model.h), from norms of its weights.
 *
 * Let all inputs change at rate at most e.  A layer's input x_i, |x_i| <= R, changes at rate at most K e.
 * Head h, with M = W_O W_V, m = W_O b_V, A = W_Q' W_K / sqrt(d_h), a = W_K' b_Q / sqrt(d_h), gives
 *     sum_j p_ij C_ij (M x_j + m),    logits s_ij = x_i' A x_j + a' x_j + what j or x does not change.
 * p is a softmax, so dp_ij = p_ij (ds_ij - sum_k p_ik ds_ik), and with Y_j = C_ij (M x_j + m)
 *     |sum_j dp_ij Y_j| = |sum_j p_ij ds_ij (Y_j - mean Y)| <= max |ds| max |Y|,    m cancels where C = 1;
 *     |ds_ij| <= |A| R |dx_i| + (|A| R + |a|) |dx_j|.
 * So the layer's factor is 1 + sum_h (|C| |M| + (2 |A| R + |a|) |C| (|M| R + |m|)), and the feed-forward
 * network's 1 + s |F_out| |F_in|, s the activation's steepest slope.  R grows likewise.
 *
 * A spectral norm is bounded by traces: with G = M M', its square is at most (tr G^k)^(1/k), and for a
 * product M = P Q of narrow matrices G may be (P' P) (Q Q'), whose eigenvalues are the same. */
#include <math.h>

#include "kernel/kernel.h"
#include "model/model.h"

enum { SQUARINGS = 6 };
#define SLACK (1 + 1e-9) /* of rounding in these sums */

/* A matrix (rows,columns), rows `stride` apart, or its transpose. */
struct matrix {
    const real *at;
    int rows, columns, down, across;
};

static struct matrix matrix_of(const struct model *m, const real *p, int tensor)
{
    const struct tensor *t = &m->tensors.item[tensor];
    return (struct matrix){p + t->offset, t->shape[0], t->shape[1], t->shape[1], 1};
}

static struct matrix turned(struct matrix x)
{
    return (struct matrix){x.at, x.columns, x.rows, x.across, x.down};
}

static struct matrix rows_of(struct matrix x, int first, int rows)
{
    x.at += (ptrdiff_t)first * x.down;
    x.rows = rows;
    return x;
}

static double entry(struct matrix x, int i, int j)
{
    return (double)x.at[(ptrdiff_t)i * x.down + (ptrdiff_t)j * x.across];
}

/* out (rows,rows) = x x'. */
static void gram(struct matrix x, double *out)
{
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = 0; k < x.columns; k++)
                sum += entry(x, i, k) * entry(x, j, k);
            out[i * x.rows + j] = out[j * x.rows + i] = sum;
        }
}

static void multiply(int n, const double *a, const double *b, double *out)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            out[i * n + j] = sum;
        }
}

static double trace(int n, const double *g)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += g[i * n + i];
    return sum;
}

/* Root of no less than the largest eigenvalue of g (n,n), whose eigenvalues are no less than 0; it and
 * other (n,n) are scratch. */
static double root_above(int n, double *g, double *other)
{
    double log_size = 0, power = 1;
    for (int step = 0; step <= SQUARINGS; step++, power *= 2) {
        double size = trace(n, g);
        if (!(size > 0) || !isfinite(size))
            return size == 0 ? 0 : NAN;
        log_size += log(size) / power;
        for (int i = 0; i < n * n; i++)
            g[i] /= size;
        multiply(n, g, g, other);
        double *next = other;
        other = g;
        g = next;
    }
    return SLACK * exp(log_size / 2);
}

/* ---- norms of a model's parts -----------------------------------------------------------------*/
struct steep {
    const struct model *m;
    const real *p;
    double *a, *b, *c; /* (largest,largest) scratch */
};

static double norm_of(const struct steep *s, struct matrix x)
{
    struct matrix narrow = x.rows < x.columns ? x : turned(x);
    gram(narrow, s->a);
    return root_above(narrow.rows, s->a, s->b);
}

/* Of x' y, of matrices with as many, few, rows. */
static double norm_of_product(const struct steep *s, struct matrix x, struct matrix y)
{
    gram(x, s->a);
    gram(y, s->b);
    multiply(x.rows, s->a, s->b, s->c);
    return root_above(x.rows, s->c, s->a);
}

/* |x' v + w|; w NULL: 0. */
static double length_of(struct matrix x, const real *v, const real *w)
{
    double square = 0;
    for (int j = 0; j < x.columns; j++) {
        double sum = w ? (double)w[j] : 0;
        for (int i = 0; i < x.rows; i++)
            sum += entry(x, i, j) * (double)v[i];
        square += sum * sum;
    }
    return sqrt(square);
}

static const real *vector_of(const struct steep *s, int tensor)
{
    return s->p + s->m->tensors.item[tensor].offset;
}

static double length_of_vector(const struct steep *s, int tensor)
{
    int count = s->m->tensors.item[tensor].shape[0];
    return length_of((struct matrix){.columns = count}, NULL, vector_of(s, tensor));
}

/* The largest |C| of a head; 1 without C. */
static double largest_c(const struct steep *s, const struct model_layer *l, int head)
{
    if (l->table < 0)
        return 1;
    int rows = s->m->tensors.item[l->c[0]].shape[1];
    const real *c = vector_of(s, l->c[0]) + (ptrdiff_t)head * rows;
    double largest = 0;
    for (int r = 0; r < rows; r++)
        largest = fmax(largest, fabs((double)c[r]));
    return largest;
}

/* Multiplies *steep by a layer's factor, and takes *radius, of its input, to its output. */
static void pass_attention(const struct steep *s, const struct model_layer *l, double *steep, double *radius)
{
    const struct model *m = s->m;
    double factor = 1, grown = *radius, R = *radius, scale = l->kind->facts.scale;
    int d = m->head_width;
    struct matrix q = matrix_of(m, s->p, l->q), k = matrix_of(m, s->p, l->k), v = matrix_of(m, s->p, l->v);
    struct matrix o = turned(matrix_of(m, s->p, l->o)); /* (heads d, width) */
    for (int h = 0; h < m->heads; h++) {
        struct matrix qh = rows_of(q, h * d, d), kh = rows_of(k, h * d, d), oh = rows_of(o, h * d, d);
        double C = largest_c(s, l, h), A = scale * norm_of_product(s, qh, kh);
        double M = norm_of_product(s, oh, rows_of(v, h * d, d));
        double a = scale * length_of(kh, vector_of(s, l->q_bias) + h * d, NULL);
        double constant = l->table < 0 ? 0 : length_of(oh, vector_of(s, l->v_bias) + h * d, NULL);
        factor += C * (M + (2 * A * R + a) * (M * R + constant));
        grown += C * (M * R + constant);
    }
    *steep *= factor;
    *radius = grown + (l->table < 0 ? length_of(o, vector_of(s, l->v_bias), vector_of(s, l->o_bias))
                                    : length_of_vector(s, l->o_bias));
}

static void pass_ffn(const struct steep *s, const struct model_layer *l, double *steep, double *radius)
{
    /* The slope of GELU is largest at sqrt 2, 1.1289, that of SiLU 1.0998. */
    static const double slope[ACTIVATION_COUNT] = {[ACTIVATION_RELU] = 1, [ACTIVATION_GELU] = 1.13,
                                                   [ACTIVATION_SILU] = 1.1};
    const struct model *m = s->m;
    struct matrix in = matrix_of(m, s->p, l->in), out = matrix_of(m, s->p, l->out);
    double F = norm_of(s, in), G = slope[m->config.activation] * norm_of(s, out);
    *steep *= 1 + F * G;
    *radius += G * (F * *radius + length_of_vector(s, l->in_bias)) + length_of_vector(s, l->out_bias);
}

/* What the bound is of: no norm, whose slope has no bound that helps, and softmax over q.k and a bias. */
static bool is_known(const struct model *m)
{
    const struct model_config *c = &m->config;
    bool known = c->norm == MODEL_NORM_NONE && c->head == MODEL_HEAD_LINEAR && c->pool == MODEL_POOL_NONE &&
                 m->io.channels && !m->io.labels && m->kv_heads == m->heads && !c->gated && !c->output_gate &&
                 c->values == MODEL_VALUES_OWN && !m->before && !model_convolves(c) && !model_maps_logits(c);
    for (const struct layer_kind *k = m->kind; k < m->kind + m->kinds && known; k++) {
        struct normaliser_facts rows;
        k->normaliser->facts(&k->config.normaliser, &k->normaliser_shape, &rows);
        known = rows.exponential && rows.measure == VIEW_RATIO && !k->normaliser_tensors &&
                (k->facts.relation_bias || !(k->encoding->logits || k->encoding->query_key)) &&
                k->facts.right_stochastic && !k->facts.absolute &&
                (k->config.attention == MODEL_RPE || urpe_of(&k->config.c)->rows);
    }
    return known;
}

int model_steepness(const struct model *m, const real *p, double *out, struct err *e)
{
    size_t side = (size_t)(m->width > m->io.channels ? m->width : m->io.channels);
    struct steep s = {.m = m, .p = p};
    *out = NAN;
    if (!is_known(m))
        return 0;
    s.a = memory_alloc(3 * side, side * sizeof *s.a, e);
    if (!s.a)
        return ERR_MEMORY;
    s.b = s.a + side * side, s.c = s.b + side * side;
    struct matrix embed = matrix_of(m, p, m->embed), head = matrix_of(m, p, m->head);
    double steep = norm_of(&s, embed), output = 0;
    double radius = steep * sqrt(m->io.channels) + length_of_vector(&s, m->embed_bias);
    for (int k = 0; k < m->config.layers; k++) {
        pass_attention(&s, &m->layer[k], &steep, &radius);
        pass_ffn(&s, &m->layer[k], &steep, &radius);
    }
    for (int i = 0; i < head.rows; i++)
        output = fmax(output, norm_of(&s, rows_of(head, i, 1)));
    *out = steep * output;
    memory_free(s.a);
    return 0;
}

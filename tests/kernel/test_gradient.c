/* Backward twins against central differences of the forward twins.
 *
 * Each case is a function f of one flat vector; the loss is the sum of f's outputs times fixed
 * random weights w, and the backward kernel is called with dy = w.  Tolerance: a central difference
 * of step h is wrong by h^2/6 |f'''| + eps |f| / h.  With |f| and |f'''| of the order of 10 (sums
 * of some tens of terms of order 1), h = 1e-5 leaves about 1e-9 + 2e-10 in double; h = 1e-2 about
 * 2e-4 + 1e-4 in float. */
#include "kernel/help_kernel.h"

#include <math.h>
#include <string.h>

#ifdef REAL_DOUBLE
static const double step = 1e-5, tolerance = 1e-8;
#else
static const double step = 1e-2, tolerance = 3e-3;
#endif

/* Loss at x, weights w on the outputs. */
typedef double loss_fn(const void *task, const real *x, const real *w);

static void check_gradient(const char *what, loss_fn *loss, const void *task, struct buffer *x,
                           const struct buffer *w, const struct buffer *gradient)
{
    struct buffer numeric = buffer_open(x->count);
    for (size_t k = 0; k < x->count; k++) {
        real keep = x->x[k], up = keep + (real)step, down = keep - (real)step;
        x->x[k] = up;
        double high = loss(task, x->x, w->x);
        x->x[k] = down;
        double low = loss(task, x->x, w->x);
        x->x[k] = keep;
        numeric.x[k] = (real)((high - low) / ((double)up - (double)down));
    }
    check_close(what, x->count, gradient->x, numeric.x, tolerance);
    buffer_close(&numeric);
}

static double weighted(size_t count, const real *y, const real *w)
{
    double total = 0;
    for (size_t k = 0; k < count; k++)
        total += (double)y[k] * (double)w[k];
    return total;
}

/* ---- activations: x (rows,d), then bias (d) ---------------------------------------------------*/
enum { ROWS = 3, WIDTH = 5, CELLS = ROWS * WIDTH };

static double activation_loss(const void *task, const real *x, const real *w)
{
    real a[CELLS], y[CELLS];
    memcpy(a, x, sizeof a);
    kernel_plain.activation_forward(*(const enum activation *)task, ROWS, WIDTH, a, x + CELLS, y);
    return weighted(CELLS, y, w);
}

static void test_activation(void **state)
{
    for (int k = 0; k < ACTIVATION_COUNT; k++) {
        enum activation kind = (enum activation)k;
        struct buffer x = buffer_random(CELLS + WIDTH, 11, 2), w = buffer_random(CELLS, 2, 1);
        struct buffer g = buffer_open(CELLS + WIDTH);
        real a[CELLS], y[CELLS];
        buffer_fill(&g, 0);
        for (int i = 0; i < CELLS; i++) /* ReLU has no derivative at 0 */
            if (fabs((double)x.x[i] + (double)x.x[CELLS + i % WIDTH]) < 2 * step)
                x.x[i] += (real)(8 * step);
        memcpy(a, x.x, sizeof a);
        kernel_plain.activation_forward(kind, ROWS, WIDTH, a, x.x + CELLS, y);
        kernel_plain.activation_backward(ROWS, WIDTH, a, w.x, g.x, g.x + CELLS);
        check_gradient("activation", activation_loss, &kind, &x, &w, &g);
        buffer_close(&x);
        buffer_close(&w);
        buffer_close(&g);
    }
}

/* ---- LayerNorm: x (rows,d), gain (d), bias (d) ------------------------------------------------*/
static double layernorm_loss(const void *task, const real *x, const real *w)
{
    real y[CELLS], mean[ROWS], rstd[ROWS];
    kernel_plain.layernorm_forward(ROWS, WIDTH, (real)0.1, x, x + CELLS,
                                   task ? NULL : x + CELLS + WIDTH, y, mean, rstd);
    return weighted(CELLS, y, w);
}

static void check_norm(bool rms)
{
    struct buffer x = buffer_random(CELLS + 2 * WIDTH, 1, 1), w = buffer_random(CELLS, 2, 1);
    struct buffer g = buffer_open(x.count);
    real y[CELLS], mean[ROWS], rstd[ROWS];
    buffer_fill(&g, 0);
    kernel_plain.layernorm_forward(ROWS, WIDTH, (real)0.1, x.x, x.x + CELLS,
                                   rms ? NULL : x.x + CELLS + WIDTH, y, mean, rstd);
    kernel_plain.layernorm_backward(ROWS, WIDTH, x.x, x.x + CELLS, mean, rstd, w.x, g.x,
                                    g.x + CELLS, rms ? NULL : g.x + CELLS + WIDTH);
    check_gradient("layernorm", layernorm_loss, rms ? &rms : NULL, &x, &w, &g);
    buffer_close(&x);
    buffer_close(&w);
    buffer_close(&g);
}

static void test_layernorm(void **state)
{
    check_norm(false);
    check_norm(true);
}

/* ---- softmax and cross-entropy ----------------------------------------------------------------*/
static double softmax_loss(const void *task, const real *x, const real *w)
{
    real s[CELLS], lse[ROWS];
    memcpy(s, x, sizeof s);
    kernel_plain.softmax_forward(ROWS, WIDTH, WIDTH, task, s, lse);
    return weighted(CELLS, s, w);
}

static void test_softmax(void **state)
{
    static const int count[ROWS] = {WIDTH, 2, 0};
    for (int masked = 0; masked < 2; masked++) {
        struct buffer x = buffer_random(CELLS, 1, 2), w = buffer_random(CELLS, 2, 1);
        struct buffer g = buffer_open(CELLS);
        real s[CELLS], lse[ROWS];
        memcpy(s, x.x, sizeof s);
        kernel_plain.softmax_forward(ROWS, WIDTH, WIDTH, masked ? count : NULL, s, lse);
        kernel_plain.softmax_backward(ROWS, WIDTH, WIDTH, s, w.x, NULL, g.x);
        check_gradient("softmax", softmax_loss, masked ? count : NULL, &x, &w, &g);
        buffer_close(&x);
        buffer_close(&w);
        buffer_close(&g);
    }
}

static const int32_t labels[ROWS] = {4, 0, 2};

static double crossentropy_loss(const void *task, const real *x, const real *w)
{
    real s[CELLS];
    memcpy(s, x, sizeof s);
    return (double)w[0] * kernel_plain.crossentropy(ROWS, WIDTH, 1, s, labels);
}

static void test_crossentropy(void **state)
{
    struct buffer x = buffer_random(CELLS, 1, 2), w = buffer_random(1, 2, 1);
    struct buffer g = buffer_copy(&x);
    kernel_plain.crossentropy(ROWS, WIDTH, w.x[0], g.x, labels);
    check_gradient("cross-entropy", crossentropy_loss, NULL, &x, &w, &g);
    buffer_close(&x);
    buffer_close(&w);
    buffer_close(&g);
}

/* ---- attention: q, k, v (n,d) each, then bias and c -------------------------------------------*/
enum { N = 5, HEAD = 3, BLOCK = N * HEAD, TABLE = 2 * N - 1 };

struct head {
    struct attention_shape shape;
    bool bias, c;
};

static double head_loss(const void *task, const real *x, const real *w)
{
    const struct head *h = task;
    real o[BLOCK], lse[N], scratch[N];
    kernel_plain.attention_forward(&h->shape, x, x + BLOCK, x + 2 * BLOCK,
                                   h->bias ? x + 3 * BLOCK : NULL,
                                   h->c ? x + 3 * BLOCK + TABLE : NULL, o, lse, scratch);
    return weighted(BLOCK, o, w);
}

static void check_head(const struct head *h)
{
    struct buffer x = buffer_random(3 * BLOCK + 2 * TABLE, 1, 1), w = buffer_random(BLOCK, 2, 1);
    struct buffer g = buffer_open(x.count);
    real o[BLOCK], lse[N], scratch[N];
    real *bias = h->bias ? x.x + 3 * BLOCK : NULL, *c = h->c ? x.x + 3 * BLOCK + TABLE : NULL;
    buffer_fill(&g, 0);
    kernel_plain.attention_forward(&h->shape, x.x, x.x + BLOCK, x.x + 2 * BLOCK, bias, c, o, lse,
                                   scratch);
    kernel_plain.attention_backward(&h->shape, x.x, x.x + BLOCK, x.x + 2 * BLOCK, bias, c, o, lse,
                                    w.x, g.x, g.x + BLOCK, g.x + 2 * BLOCK,
                                    bias ? g.x + 3 * BLOCK : NULL,
                                    c ? g.x + 3 * BLOCK + TABLE : NULL, scratch);
    check_gradient("attention", head_loss, h, &x, &w, &g);
    buffer_close(&x);
    buffer_close(&w);
    buffer_close(&g);
}

static void test_attention(void **state)
{
    int32_t relation[N * N];
    for (int k = 0; k < N * N; k++)
        relation[k] = (k * 7) % TABLE;
    /* Far from ReLU's kink, which differences would straddle; the plain twin decides there. */
    static const real offset[N] = {3, 4, 5};
    for (int kind = 0; kind < 64; kind++) {
        struct head h = {.bias = kind & 1, .c = kind & 2};
        h.shape = (struct attention_shape){.n = N,
                                           .head_width = HEAD,
                                           .low = kind & 4 ? -2 : -N,
                                           .high = kind & 4 ? 0 : N,
                                           .form = (enum attention_form)(kind >> 4),
                                           .offset = offset,
                                           .scale = (real)0.6,
                                           .stride = HEAD,
                                           .output_stride = HEAD,
                                           .relations = TABLE,
                                           .origin = N - 1,
                                           .relation = kind & 8 ? relation : NULL};
        check_head(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activation),   cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_softmax),      cmocka_unit_test(test_crossentropy),
        cmocka_unit_test(test_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* fire: a small network of the distance, made relative to the query's position.
 *     B_ij = f(x)_h,   x = psi(|i-j|) / (psi(max(|L|, i)) + 1e-6),   psi(t) = ln(|c t| + 1)
 *     f = out relu(in x + b_in) + b_out,  1 -> 32 -> H;  i counts from 0
 * Without a causal mask max(|L|, n-1) stands in the denominator, and B depends on |i-j| alone.
 * Source: Li et al. 2024 (FIRE), section 3; formula read in the DAPE repository, DAPE.py.
 *
 *   numerator, n = 4, in psi(.):   0 - - -     denominator:   max(|L|,0)
 *                                  1 0 - -                    max(|L|,1)
 *                                  2 1 0 -                    max(|L|,2)
 *                                  3 2 1 0                    max(|L|,3) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "encoding/parts.h"

enum { HIDDEN = 32 };
enum { IN, IN_BIAS, OUT, OUT_BIAS, C, L };

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->relation_bias = !s->past;
    out->shift_invariant = !s->past;
}

static struct encoding_tensor tensor(const char *name, int rows, int columns, double bound)
{
    struct encoding_tensor t = {.scope = ENCODING_TABLE,
                                .tensor = {.rank = columns > 0 ? 2 : 1,
                                           .shape = {rows, columns},
                                           .init = TENSOR_UNIFORM,
                                           .deviation = bound,
                                           .decay = columns > 0}};
    memcpy(t.tensor.name, name, strlen(name) + 1);
    return t;
}

static struct encoding_tensor scalar(const char *name, double value)
{
    struct encoding_tensor t = tensor(name, 1, 0, 0);
    t.tensor.init = TENSOR_CONSTANT;
    t.tensor.mean = value;
    return t;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    double in = 1, hidden = 1 / sqrt(HIDDEN); /* 1 / sqrt(fan in), as in PyTorch's Linear */
    out[IN] = tensor("in.weight", HIDDEN, 1, in);
    out[IN_BIAS] = tensor("in.bias", HIDDEN, 0, in);
    out[OUT] = tensor("out.weight", s->heads, HIDDEN, hidden);
    out[OUT_BIAS] = tensor("out.bias", s->heads, 0, hidden);
    out[C] = scalar("c", 0.1);
    out[L] = scalar("l", 512);
    return 6;
}

static int64_t relation(const struct encoding_context *c, int i, int j)
{
    if (c->shape->past)
        return encoding_relation_pair(c, i, j);
    return abs(j - i) | (int64_t)c->layout->origin << 32; /* the length is in the denominator */
}

/* ---- psi and the denominator ------------------------------------------------------------------*/
static double psi(const struct encoding_context *c, double t)
{
    return log1p(fabs((double)c->parameter[C][0] * t));
}

static double denominator(const struct encoding_context *c, int i)
{
    return psi(c, fmax(fabs((double)c->parameter[L][0]), i)) + 1e-6;
}

/* From the gradient of psi(t), t >= 0, to c; returns that to t. */
static double psi_backward(const struct encoding_context *c, double t, double dpsi)
{
    double raw = (double)c->parameter[C][0], inside = fabs(raw) * t + 1;
    c->gradient[C][0] += (real)(dpsi * (raw < 0 ? -t : t) / inside);
    return dpsi * fabs(raw) / inside;
}

static void denominator_backward(const struct encoding_context *c, int i, double ddenominator)
{
    double raw = (double)c->parameter[L][0];
    double dt = psi_backward(c, fmax(fabs(raw), i), ddenominator);
    if (fabs(raw) > i)
        c->gradient[L][0] += (real)(raw < 0 ? -dt : dt);
}

/* ---- no causal mask: a table over relations ---------------------------------------------------*/
static void prepare_table(const struct encoding_context *c, real *state)
{
    size_t relations = (size_t)c->layout->relations;
    double below = denominator(c, c->layout->n - 1);
    for (size_t r = 0; r < relations; r++) {
        real x = (real)(psi(c, c->layout->distance[r]) / below);
        for (int h = 0; h < c->shape->heads; h++) {
            real sum = c->parameter[OUT_BIAS][h];
            for (int u = 0; u < HIDDEN; u++) {
                real z = c->parameter[IN][u] * x + c->parameter[IN_BIAS][u];
                sum += c->parameter[OUT][h * HIDDEN + u] * (z > 0 ? z : 0);
            }
            state[(size_t)h * relations + r] = sum;
        }
    }
}

/* The network's backward pass at x for the gradients db (heads) of its outputs, `step` elements
 * apart; returns the gradient of x. */
static double network_backward(const struct encoding_context *c, real x, const real *db,
                               size_t step)
{
    double dx = 0;
    int heads = c->shape->heads;
    for (int h = 0; h < heads; h++)
        c->gradient[OUT_BIAS][h] += db[(size_t)h * step];
    for (int u = 0; u < HIDDEN; u++) {
        real z = c->parameter[IN][u] * x + c->parameter[IN_BIAS][u], dz = 0;
        if (!(z > 0))
            continue;
        for (int h = 0; h < heads; h++) {
            c->gradient[OUT][h * HIDDEN + u] += db[(size_t)h * step] * z;
            dz += db[(size_t)h * step] * c->parameter[OUT][h * HIDDEN + u];
        }
        c->gradient[IN][u] += dz * x;
        c->gradient[IN_BIAS][u] += dz;
        dx += (double)dz * (double)c->parameter[IN][u];
    }
    return dx;
}

static void prepare_table_backward(const struct encoding_context *c)
{
    size_t relations = (size_t)c->layout->relations;
    double below = denominator(c, c->layout->n - 1), dbelow = 0;
    for (size_t r = 0; r < relations; r++) {
        double x = psi(c, c->layout->distance[r]) / below;
        double dx = network_backward(c, (real)x, c->dstate + r, relations);
        psi_backward(c, c->layout->distance[r], dx / below);
        dbelow -= dx * x / below;
    }
    denominator_backward(c, c->layout->n - 1, dbelow);
}

/* ---- state: that table, or (n, 2): psi(m) and the denominator of row m ------------------------*/
static size_t state_size(const struct encoding_context *c)
{
    return c->shape->past ? 2 * (size_t)c->layout->n : encoding_state_bias(c);
}

static void prepare(const struct encoding_context *c, real *state)
{
    if (!c->shape->past) {
        prepare_table(c, state);
        return;
    }
    for (int m = 0; m < c->layout->n; m++) {
        state[2 * m] = (real)psi(c, m);
        state[2 * m + 1] = (real)denominator(c, m);
    }
}

static void prepare_backward(const struct encoding_context *c)
{
    if (!c->shape->past) {
        prepare_table_backward(c);
        return;
    }
    for (int m = 0; m < c->layout->n; m++) {
        psi_backward(c, m, (double)c->dstate[2 * m]);
        denominator_backward(c, m, (double)c->dstate[2 * m + 1]);
    }
}

/* ---- causal mask: rows of the block -----------------------------------------------------------*/
/* A row's x and its gradient. */
static size_t scratch(const struct encoding_context *c, int rows)
{
    return 2 * (size_t)c->layout->n;
}

static void row_inputs(const struct encoding_context *c, int i, real *x)
{
    for (int j = 0; j <= i; j++)
        x[j] = c->state[2 * (i - j)] / c->state[2 * i + 1];
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    const real *in = c->parameter[IN], *in_bias = c->parameter[IN_BIAS];
    const real *out = c->parameter[OUT] + b->head * HIDDEN;
    real *x = b->scratch;
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        real *row = s + (size_t)r * (size_t)b->ld;
        row_inputs(c, i, x);
        for (int j = 0; j <= i; j++)
            row[j] += c->parameter[OUT_BIAS][b->head];
        for (int u = 0; u < HIDDEN; u++)
            for (int j = 0; j <= i; j++) {
                real z = in[u] * x[j] + in_bias[u];
                row[j] += out[u] * (z > 0 ? z : 0);
            }
    }
}

/* The network's backward pass along one row: dx (i+1) overwritten. */
static void row_backward(const struct encoding_context *c, int head, int i, const real *x,
                         const real *ds, real *dx)
{
    const real *out = c->parameter[OUT] + head * HIDDEN;
    memset(dx, 0, (size_t)(i + 1) * sizeof *dx);
    for (int j = 0; j <= i; j++)
        c->gradient[OUT_BIAS][head] += ds[j];
    for (int u = 0; u < HIDDEN; u++) {
        real in = c->parameter[IN][u], in_bias = c->parameter[IN_BIAS][u];
        real sum = 0, sum_x = 0; /* of ds, and of ds x, where the unit is on */
        for (int j = 0; j <= i; j++) {
            real on = in * x[j] + in_bias > 0 ? ds[j] : 0;
            sum += on;
            sum_x += on * x[j];
            dx[j] += on * out[u] * in;
        }
        c->gradient[OUT][head * HIDDEN + u] += in * sum_x + in_bias * sum;
        c->gradient[IN][u] += out[u] * sum_x;
        c->gradient[IN_BIAS][u] += out[u] * sum;
    }
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    real *x = b->scratch, *dx = x + c->layout->n;
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        real below = c->state[2 * i + 1], dbelow = 0;
        row_inputs(c, i, x);
        row_backward(c, b->head, i, x, ds + (size_t)r * (size_t)b->ld, dx);
        for (int j = 0; j <= i; j++) {
            c->dstate[2 * (i - j)] += dx[j] / below;
            dbelow -= dx[j] * x[j] / below;
        }
        c->dstate[2 * i + 1] += dbelow;
    }
}

const struct encoding encoding_fire = {
    .name = "fire",
    .formula = "B = f(psi(|i-j|) / (psi(max(|L|,i)) + 1e-6)), psi(t) = ln(|c t| + 1), "
               "i from 0, f: 1 -> 32 -> H",
    .summary = "a small network of the distance relative to the query's position",
    .citation = "Li et al. 2024 (FIRE), section 3",
    .relation_text = "causal: pair (i,j); otherwise distance",
    .longer = "any length",
    .axes_min = 1, .axes_max = 1,
    .facts = facts,
    .tensors = tensors,
    .relation = relation,
    .state_size = state_size,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
};

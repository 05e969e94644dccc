/* fox (forgetting attention): each head fades what it has seen by gates that depend on content,
 *     f_t = sigmoid(w_h.x_t + b_h),   s_ij += sum_{j < t <= i} log f_t,   x the layer's input
 * over the t that the query sees, so that what a mask hides has no say; the query's own counts always.
 * Causal only; with all gates 1/2 it is ALiBi with slope log 2.  Backward, ds_ij of the logits:
 *     dlog f_t = sum_{i >= t} sum_{j < t} ds_ij,   dz_t = dlog f_t (1 - f_t).
 * Source: Lin et al. 2025, Forgetting Transformer; zhixuan-lin/forgetting-transformer
 * modeling_forgetting_transformer.py.
 *
 *   t that fade key j for query i, n = 4:   -
 *                                           2   -
 *                                           23  3   -
 *                                           234 34  4  - */
#include <math.h>

#include "encoding/parts.h"

enum { WEIGHT, BIAS };
static const struct option options[] = {
    {.key = "bias", .type = OPTION_REAL, .min = -100, .max = 100, .fallback = "0",
     .help = "start of the gates' b; large: nothing is forgotten"},
    {.key = NULL},
};

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->shift_invariant = false;
    out->per_sample = true;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[WEIGHT] = encoding_normal("weight", ENCODING_LAYER, s->heads, s->width, 0.02);
    out[BIAS] = encoding_normal("bias", ENCODING_LAYER, s->heads, 0, 0);
    out[BIAS].tensor.mean = c->number[0];
    return 2;
}

/* log f (n, heads), and z from it: log f is -log(1 + exp(-z)). */
static int content_size(const struct encoding_context *c)
{
    return c->shape->heads;
}

static void content(const struct encoding_context *c, const real *x, real *out)
{
    int width = c->shape->width, heads = c->shape->heads;
    for (int i = 0; i < c->layout->n; i++)
        for (int h = 0; h < heads; h++) {
            const real *w = c->parameter[WEIGHT] + (ptrdiff_t)h * width;
            double z = (double)c->parameter[BIAS][h];
            for (int k = 0; k < width; k++)
                z += (double)w[k] * (double)x[(ptrdiff_t)i * width + k];
            *out++ = (real)((z < 0 ? z : 0) - log1p(exp(-fabs(z))));
        }
}

static void content_backward(const struct encoding_context *c, const real *x, const real *out,
                             const real *dout, real *dx)
{
    int width = c->shape->width, heads = c->shape->heads;
    for (int i = 0; i < c->layout->n; i++)
        for (int h = 0; h < heads; h++) {
            const real *w = c->parameter[WEIGHT] + (ptrdiff_t)h * width;
            real *dw = c->gradient[WEIGHT] + (ptrdiff_t)h * width;
            real dz = *dout++ * -REAL_MATH(expm1)(*out++);
            c->gradient[BIAS][h] += dz;
            for (int k = 0; k < width; k++) {
                dw[k] += dz * x[(ptrdiff_t)i * width + k];
                dx[(ptrdiff_t)i * width + k] += dz * w[k];
            }
        }
}

/* Which keys a row sees (rows, n), which logits leaves for logits_backward. */
static size_t scratch(const struct encoding_context *c, int rows)
{
    return (size_t)rows * (size_t)c->layout->n;
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    int n = c->layout->n, heads = c->shape->heads;
    for (int r = 0; r < b->rows; r++) {
        int i = b->first + r;
        real *row = s + (size_t)r * (size_t)b->ld, *seen = b->scratch + (size_t)r * (size_t)n;
        real faded = 0;
        for (int j = i; j >= 0; j--) {
            seen[j] = j == i || row[j] != -(real)INFINITY;
            row[j] += faded;
            if (seen[j] != 0)
                faded += b->content[j * heads + b->head];
        }
    }
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds)
{
    int n = c->layout->n, heads = c->shape->heads;
    for (int r = 0; r < b->rows; r++) {
        const real *row = ds + (size_t)r * (size_t)b->ld, *seen = b->scratch + (size_t)r * (size_t)n;
        real before = 0;
        for (int t = 0; t <= b->first + r; t++) {
            if (seen[t] != 0)
                b->dcontent[t * heads + b->head] += before;
            before += row[t];
        }
    }
}

const struct encoding encoding_fox = {
    .name = "fox",
    .formula = "s_ij += sum_{j < t <= i} log sigmoid(w_h.x_t + b_h)",
    .summary = "keys fade by gates that depend on content (forgetting attention)",
    .citation = "Lin et al. 2025",
    .relation_text = "pair (i,j) of each sample",
    .longer = "any length",
    .options = options,
    .past_only = true,
    .axes_min = 1, .axes_max = 1,
    .facts = facts,
    .tensors = tensors,
    .relation = encoding_relation_pair,
    .content_size = content_size,
    .content = content,
    .content_backward = content_backward,
    .scratch = scratch,
    .logits = logits,
    .logits_backward = logits_backward,
};

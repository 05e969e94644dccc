/* learned: x_i += P[i], a trained vector for every position.
 * Source: Gehring et al. 2017, section 3.1; formula read in fairseq,
 * learned_positional_embedding.py (without its padding offset).
 *
 *   what is added to row i, n = 4:   i=0: P[0]    On a grid i is the row-major index of the cell.
 *                                    i=1: P[1]    B_ij = 0.
 *                                    i=2: P[2]
 *                                    i=3: P[3] */
#include "encoding/parts.h"
#include "kernel/kernel.h"

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[0] = encoding_normal("position", ENCODING_MODEL, layout_places(s->trained), s->width, 0.02);
    return 1;
}

/* Rows of P as they stand, or those of the sample's places, one after the other. */
static void input(const struct encoding_context *c, real *x)
{
    size_t width = (size_t)c->shape->width, n = (size_t)c->layout->n;
    const real *p = c->parameter[0];
    if (!layout_is_scattered(c->layout))
        kernel()->add_forward(n * width, p, x);
    for (size_t i = 0; i < n && layout_is_scattered(c->layout); i++)
        kernel()->add_forward(width, p + (size_t)c->layout->coordinate[i] * width, x + i * width);
}

static void input_backward(const struct encoding_context *c, const real *dx)
{
    size_t width = (size_t)c->shape->width, n = (size_t)c->layout->n;
    real *dp = c->gradient[0];
    if (!layout_is_scattered(c->layout))
        kernel()->add_forward(n * width, dx, dp);
    for (size_t i = 0; i < n && layout_is_scattered(c->layout); i++)
        kernel()->add_forward(width, dx + i * width, dp + (size_t)c->layout->coordinate[i] * width);
}

const struct encoding encoding_learned = {
    .name = "learned",
    .formula = "x_i += P[i], P [n,d] ~ N(0,.02)",
    .summary = "learned absolute positions, added to the input",
    .citation = "Gehring et al. 2017, section 3.1",
    .relation_text = "absolute: nothing merges",
    .longer = "undefined: refused",
    .fixed_length = true,
    .axes_min = 1, .axes_max = 2,
    .scattered = true,
    .facts = encoding_facts_absolute,
    .tensors = tensors,
    .relation = encoding_relation_one,
    .input = input,
    .input_backward = input_backward,
};

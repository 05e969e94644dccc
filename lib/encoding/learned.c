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
    (void)c;
    out[0] = encoding_normal("position", ENCODING_MODEL, s->trained->n, s->width, 0.02);
    return 1;
}

static void input(const struct encoding_context *c, real *x)
{
    kernel()->add_forward((size_t)c->layout->n * (size_t)c->shape->width, c->parameter[0], x);
}

static void input_backward(const struct encoding_context *c, const real *dx)
{
    kernel()->add_forward((size_t)c->layout->n * (size_t)c->shape->width, dx, c->gradient[0]);
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
    .facts = encoding_facts_absolute,
    .tensors = tensors,
    .relation = encoding_relation_one,
    .input = input,
    .input_backward = input_backward,
};

/* centrality: x_i += z[deg i], a trained vector for every degree, and B_ij = b[h, distance], as in
 * Graphormer; graphs only.
 * Source: Ying et al. 2021, eq. 5 and 6; formulas read in the authors' graphormer_layers.py.
 *
 *   0 - 1 - 2   3    what is added to row i:   i=0: z[1]      B of a head:   b0 b1 b2 bU
 *                                              i=1: z[2]                     b1 b0 b1 bU
 *                                              i=2: z[1]                     b2 b1 b0 bU
 *                                              i=3: z[0]                     bU bU bU b0 */
#include "encoding/parts.h"
#include "kernel/kernel.h"

enum { BIAS };
static const struct option options[] = {
    {.key = "bias", .type = OPTION_BOOL, .fallback = "true",
     .help = "also a free number for each head and distance, as toeplitz has it"},
    {.key = NULL},
};

enum { DEGREE_TENSOR, BIAS_TENSOR };

static bool with_bias(const struct encoding_context *c)
{
    return c->config->number[BIAS] != 0;
}

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    if (s->trained->degree)
        return 0;
    return err_set(e, ERR_USAGE, "model.encoding",
                   "centrality is the degree of a node; expected a space of graphs");
}

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->absolute = true;
    out->relation_bias = c->number[BIAS] != 0;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    out[DEGREE_TENSOR] = encoding_normal("degree", ENCODING_MODEL, s->trained->n, s->width, 0.02);
    out[BIAS_TENSOR] =
        encoding_normal("bias", ENCODING_TABLE, s->heads, s->trained->relations, 0.02);
    out[BIAS_TENSOR].tensor.table = true;
    return c->number[BIAS] != 0 ? 2 : 1;
}

/* Degrees beyond the trained ones share the last row. */
static int64_t mark(const struct encoding_context *c, int i)
{
    return encoding_clip(c->layout->degree[i], 0, c->shape->trained->n - 1);
}

static int64_t relation(const struct encoding_context *c, int i, int j)
{
    return with_bias(c) ? c->fold[layout_relation(c->layout, i, j)] : 0;
}

static size_t state_size(const struct encoding_context *c)
{
    return with_bias(c) ? encoding_state_bias(c) : 0;
}

static void prepare(const struct encoding_context *c, real *state)
{
    if (with_bias(c))
        encoding_fill_table(c, c->parameter[BIAS_TENSOR], state);
}

static void prepare_backward(const struct encoding_context *c)
{
    if (with_bias(c))
        encoding_fill_table_backward(c, c->gradient[BIAS_TENSOR]);
}

static void input(const struct encoding_context *c, real *x)
{
    size_t width = (size_t)c->shape->width;
    for (int i = 0; i < c->layout->n; i++)
        kernel()->add_forward(width, c->parameter[DEGREE_TENSOR] + (size_t)mark(c, i) * width,
                              x + (size_t)i * width);
}

static void input_backward(const struct encoding_context *c, const real *dx)
{
    size_t width = (size_t)c->shape->width;
    for (int i = 0; i < c->layout->n; i++)
        kernel()->add_forward(width, dx + (size_t)i * width,
                              c->gradient[DEGREE_TENSOR] + (size_t)mark(c, i) * width);
}

const struct encoding encoding_centrality = {
    .name = "centrality",
    .formula = "x_i += z[degree of i], z [n,d] ~ N(0,.02); B = b[h, distance], b ~ N(0,.02)",
    .summary = "a vector for each degree, added to the input, and a number for each distance",
    .citation = "Ying et al. 2021 (Graphormer), eq. 5 and 6",
    .relation_text = "absolute: nodes of different degree are told apart; distance",
    .longer = "clips degree and distance to the trained tables",
    .options = options,
    .axes_min = 0, .axes_max = 0,
    .check = check,
    .facts = facts,
    .tensors = tensors,
    .mark = mark,
    .relation = relation,
    .state_size = state_size,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .input = input,
    .input_backward = input_backward,
};

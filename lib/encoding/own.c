/* formula: B_ij by a formula of one's own in Lua.
 *
 *   model.encoding: {kind: formula, bias: "-a[h] * math.log(1 + math.abs(b[h] * d))",
 *                    parameters: {a: 1, b: {start: 0.1, std: 0.02}}}
 *
 * bias is an expression, or statements that end in `return`, in d (j - i on a line, the distance on
 * grids and graphs), dy and dx (grids), h and H (the head, from 1, and how many), n (not on graphs),
 * and the parameters: a[h] per head, a per model or layer, a[h][k] or a[k] where it has a size.
 *
 *   d, n = 4:    0  1  2  3
 *               -1  0  1  2
 *               -2 -1  0  1
 *               -3 -2 -1  0
 *
 * It is recorded once for each head and relation (formula.h); a step evaluates the tape.  Floors: two
 * relations are of one class where their tapes are the same in every head, so -math.abs(d) has the
 * classes of ALiBi without being told. */
#include <string.h>

#include "encoding/formula.h"
#include "encoding/parts.h"

enum { BIAS, PARAMETERS }; /* among texts, and among rows */

static const struct option options[] = {
    {.key = "bias", .type = OPTION_TEXT,
     .fallback = "-a[h] * math.log(1 + math.abs(b[h] * d))",
     .help = "Lua: a formula in d (dy, dx), h, H, n and the parameters; math.*, no branch on "
             "parameters"},
    {.key = "parameters", .type = OPTION_TEXT, .map = true,
     .fallback = "{a: 1, b: {start: 0.1, std: 0.02}}",
     .help = "name: start, or {start, std, low, high, per: head|model|layer, size, table}"},
    {.key = NULL},
};

/* How many, once they have been checked. */
static int parameters_of(const struct kind_config *c, const struct encoding_shape *s,
                         struct formula_parameter out[ENCODING_TENSORS_MAX])
{
    struct err ignored = {0};
    int count = formula_parameters(c->text[PARAMETERS].text, s->heads, out, &ignored);
    return count < 0 ? 0 : count;
}

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    if (formula_parameters(c->text[PARAMETERS].text, s->heads, p, e) < 0)
        return ERR_USAGE;
    return formula_check("model.encoding.bias", c->text[BIAS].text, e);
}

static int open(const struct encoding_context *c, struct arena *arena, void **code, struct err *e)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    struct formula *f;
    int count = parameters_of(c->config, c->shape, p);
    int failed = formula_open(c, "model.encoding.bias", c->config->text[BIAS].text, p, count, arena,
                              &f, e);
    *code = f;
    return failed;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    static const enum encoding_scope scope[] = {ENCODING_TABLE, ENCODING_MODEL, ENCODING_LAYER};
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    int count = parameters_of(c, s, p);
    for (int k = 0; k < count; k++) {
        bool head = p[k].per == FORMULA_HEAD, uniform = p[k].low < p[k].high;
        struct tensor t = {.rank = head && p[k].size ? 2 : 1,
                           .shape = {head ? s->heads : p[k].count, head ? p[k].size : 0},
                           .init = uniform        ? TENSOR_UNIFORM
                                   : p[k].std > 0 ? TENSOR_NORMAL
                                                  : TENSOR_CONSTANT,
                           .mean = uniform ? (p[k].low + p[k].high) / 2 : p[k].start,
                           .deviation = uniform ? (p[k].high - p[k].low) / 2 : p[k].std,
                           .table = p[k].table};
        memcpy(t.name, p[k].name, sizeof p[k].name);
        out[k] = (struct encoding_tensor){.scope = scope[p[k].per], .tensor = t};
    }
    return count;
}

/* One after another, as the tape counts them; back where `gradient` is set. */
static void move_parameters(const struct encoding_context *c, double *flat, bool back)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    int count = parameters_of(c->config, c->shape, p);
    for (int k = 0; k < count; k++)
        for (int x = 0; x < p[k].count; x++)
            if (back)
                c->gradient[k][x] += (real)flat[p[k].first + x];
            else
                flat[p[k].first + x] = (double)c->parameter[k][x];
}

static int block_size(const struct formula_program *x, int first)
{
    return x->elements - first < FORMULA_BLOCK ? x->elements - first : FORMULA_BLOCK;
}

static void prepare(const struct encoding_context *c, real *state)
{
    struct formula *f = c->code;
    move_parameters(c, f->p, false);
    memset(state, 0, encoding_state_bias(c) * sizeof *state);
    for (int k = 0; k < f->programs; k++) {
        const struct formula_program *x = &f->program[k];
        const double *last = f->value + (size_t)(x->steps - 1) * FORMULA_BLOCK;
        for (int first = 0; first < x->elements; first += FORMULA_BLOCK) {
            formula_run(x, first, block_size(x, first), f->p, f->value);
            for (int e = 0; e < block_size(x, first); e++)
                state[x->element[first + e]] = (real)last[e];
        }
    }
}

static void back_block(const struct encoding_context *c, const struct formula_program *x, int first)
{
    struct formula *f = c->code;
    double *last = f->slope + (size_t)(x->steps - 1) * FORMULA_BLOCK;
    int count = block_size(x, first);
    for (int e = 0; e < count; e++)
        last[e] = (double)c->dstate[x->element[first + e]];
    formula_run(x, first, count, f->p, f->value);
    formula_run_back(x, first, count, f->value, f->slope);
    for (int s = 0; s < x->steps; s++)
        for (int e = 0; e < count && x->step[s].op == FORMULA_PARAMETER; e++)
            f->dp[x->parameter[(first + e) * x->parameters + x->step[s].a]] +=
                f->slope[(size_t)s * FORMULA_BLOCK + (size_t)e];
}

static void prepare_backward(const struct encoding_context *c)
{
    struct formula *f = c->code;
    move_parameters(c, f->p, false);
    memset(f->dp, 0, (size_t)f->numbers * sizeof *f->dp);
    for (int k = 0; k < f->programs; k++)
        for (int first = 0; first < f->program[k].elements; first += FORMULA_BLOCK)
            back_block(c, &f->program[k], first);
    move_parameters(c, f->dp, true);
}

/* Without a tape the layout's own relation, as fine as d itself.  Classes are numbered for one layout:
 * n keeps those of other sizes apart. */
static int64_t relation(const struct encoding_context *c, int i, int j)
{
    const struct formula *f = c->code;
    int r = layout_relation(c->layout, i, j);
    return f ? (int64_t)f->class[r] | (int64_t)c->layout->n << 32 : r;
}

const struct encoding encoding_formula = {
    .name = "formula",
    .formula = "B = a formula in d, h, H, n and learned parameters, in Lua 5.4",
    .summary = "a bias of one's own, with exact gradients",
    .citation = "-",
    .relation_text = "as fine as the formula",
    .longer = "any length, if the formula is defined there",
    .options = options,
    .axes_min = 0, .axes_max = 2,
    .check = check,
    .facts = encoding_facts_bias,
    .tensors = tensors,
    .relation = relation,
    .open = open,
    .state_size = encoding_state_bias,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
};

/* formula: B_ij, or a vector of the place, by a formula of one's own in Lua.
 *
 *   model.encoding: {kind: formula, bias: "-a[h] * math.log(1 + math.abs(b[h] * d))",
 *                    parameters: {a: 1, b: {start: 0.1, std: 0.02}}}
 *   model.encoding: {kind: formula, input: "math.sin(i * w[c])", parameters: {w: {size: 32, std: 1}}}
 *
 * bias is an expression, or statements that end in `return`, in d (j - i on a line, the distance on
 * grids and graphs), dy and dx (grids), h and H (the head, from 1, and how many), n (not on graphs), i
 * and j (the places, from 1, not on graphs), and the parameters: a[h] per head, a per model or layer,
 * a[h][k] or a[k] where it has a size.  input is one in i, c and C (the channel, from 1, and how many)
 * and n, and is added to what comes in.
 *
 *   d, n = 4:    0  1  2  3
 *               -1  0  1  2
 *               -2 -1  0  1
 *               -3 -2 -1  0
 *
 * It is recorded once for each head and relation, pair, or place and channel (formula.h); a step
 * evaluates the tape.  Floors: two relations are of one class where their tapes are the same in every
 * head, so -math.abs(d) has the classes of ALiBi without being told; or where the declared `relation`
 * has one value. */
#include <ctype.h>
#include <string.h>

#include "encoding/formula.h"
#include "encoding/parts.h"

enum { BIAS, PARAMETERS, INPUT, RELATION }; /* among texts, and among rows */

static bool has_input(const void *owner)
{
    return ((const struct kind_config *)owner)->text[INPUT].text[0];
}

static bool has_bias(const void *owner)
{
    return !has_input(owner);
}

static bool has_relation(const void *owner)
{
    return ((const struct kind_config *)owner)->text[RELATION].text[0];
}

static const struct option options[] = {
    {.key = "bias", .type = OPTION_TEXT,
     .fallback = "-a[h] * math.log(1 + math.abs(b[h] * d))", .applies = has_bias,
     .help = "Lua: a formula in d (dy, dx), i, j, h, H, n and the parameters; math.*, no branch on "
             "parameters; unused where input is given"},
    {.key = "parameters", .type = OPTION_TEXT, .map = true,
     .fallback = "{a: 1, b: {start: 0.1, std: 0.02}}",
     .help = "name: start, or {start, std, low, high, per: head|model|layer, size, table}"},
    {.key = "input", .type = OPTION_TEXT, .fallback = "", .applies = has_input,
     .help = "Lua: in place of a bias, what is added to channel c of place i (both from 1), in i, c, C, n "
             "and the parameters, which are per model"},
    {.key = "relation", .type = OPTION_TEXT, .fallback = "", .applies = has_relation,
     .help = "Lua, as in \"math.abs(d)\": pairs where this has one value have one bias; tried, and "
             "floors rest on it"},
    {.key = NULL},
};

static bool is_of_pairs(const struct kind_config *c, const struct encoding_shape *s)
{
    return !has_input(c) && formula_domain_of(c->text[BIAS].text, s) == &formula_of_pairs;
}

static int heads_of(const struct kind_config *c, const struct encoding_shape *s)
{
    return has_input(c) ? 0 : s->heads;
}

/* How many, once they have been checked. */
static int parameters_of(const struct kind_config *c, const struct encoding_shape *s,
                         struct formula_parameter out[ENCODING_TENSORS_MAX])
{
    struct err ignored = {0};
    int count = formula_parameters(NULL, c->text[PARAMETERS].text, heads_of(c, s), out, &ignored);
    return count < 0 ? 0 : count;
}

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    if (has_input(c) && !s->trained->axes)
        return err_set(e, ERR_USAGE, "model.encoding.input", "goes by places, which nodes and registers "
                       "have not; expected a bias");
    if (has_input(c) && has_relation(c))
        return err_set(e, ERR_USAGE, "model.encoding.relation", "is about a bias, and the formula has an "
                       "input; expected one of the two");
    if (formula_parameters("model.encoding.parameters", c->text[PARAMETERS].text, heads_of(c, s), p,
                           e) < 0)
        return ERR_USAGE;
    int code = has_input(c) ? formula_check("model.encoding.input", c->text[INPUT].text, e)
                            : formula_check("model.encoding.bias", c->text[BIAS].text, e);
    return code || !has_relation(c)
               ? code : formula_check("model.encoding.relation", c->text[RELATION].text, e);
}

static void facts(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out)
{
    bool pairs = is_of_pairs(c, s);
    encoding_facts_plain(c, s, out);
    out->absolute = has_input(c);
    out->relation_bias = !pairs && !has_input(c);
    out->shift_invariant = out->relation_bias;
    out->silent = !pairs;
}

static int open(const struct encoding_context *c, struct arena *arena, void **code, struct err *e)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    bool input = has_input(c->config);
    struct formula_source source = {
        .domain = input ? &formula_of_places : formula_domain_of(c->config->text[BIAS].text, c->shape),
        .context = c, .key = input ? "model.encoding.input" : "model.encoding.bias",
        .text = c->config->text[input ? INPUT : BIAS].text,
        .relation_key = "model.encoding.relation", .relation = c->config->text[RELATION].text,
        .parameter = p, .parameters = parameters_of(c->config, c->shape, p)};
    struct formula *f;
    int failed = formula_open(&source, arena, &f, e);
    *code = f;
    return failed;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    return formula_tensors(p, parameters_of(c, s, p), s->heads, out);
}

static size_t state_size(const struct encoding_context *c)
{
    size_t n = (size_t)c->layout->n;
    if (has_input(c->config))
        return n * (size_t)c->shape->width;
    return is_of_pairs(c->config, c->shape) ? (size_t)c->shape->heads * n * n : encoding_state_bias(c);
}

static int64_t relation(const struct encoding_context *c, int i, int j)
{
    return has_input(c->config) ? 0 : formula_relation(c, i, j);
}

static const char *declared(const struct kind_config *c)
{
    return c->text[RELATION].text;
}

/* A batch has one state for all its samples.  (Marks of places know their length.) */
static bool reads_length(const struct kind_config *c)
{
    static const char *const length[] = {"n"};
    return !has_input(c) && formula_reads(c->text[BIAS].text, length, 1);
}

/* Whether the text may read n: letters that stand alone. */
static bool mentions_n(const char *text)
{
    for (const char *at = text; (at = strchr(at, 'n')); at++)
        if ((at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_')) &&
            !isalnum((unsigned char)at[1]) && at[1] != '_')
            return true;
    return false;
}

/* Places of one number have one vector, at one length where the formula asks for it. */
static int64_t mark(const struct encoding_context *c, int i)
{
    return i | (mentions_n(c->config->text[INPUT].text) ? (int64_t)c->layout->n << 32 : 0);
}

/* ---- of places --------------------------------------------------------------------------------*/

static void input(const struct encoding_context *c, real *x)
{
    size_t count = (size_t)c->layout->n * (size_t)c->shape->width;
    for (size_t k = 0; k < count && has_input(c->config); k++)
        x[k] += c->state[k];
}

static void input_backward(const struct encoding_context *c, const real *dx)
{
    size_t count = (size_t)c->layout->n * (size_t)c->shape->width;
    for (size_t k = 0; k < count && has_input(c->config); k++)
        c->dstate[k] += dx[k];
}

/* ---- of pairs ---------------------------------------------------------------------------------*/

/* Row i of a head among the pairs of the longest layout. */
static size_t row_of(const struct encoding_context *c, const struct encoding_block *b, int r)
{
    size_t n = (size_t)((const struct formula *)c->code)->n;
    return ((size_t)b->head * n + (size_t)(b->first + r)) * n;
}

static bool of_pairs(const struct encoding_context *c)
{
    return ((const struct formula *)c->code)->domain == &formula_of_pairs;
}

static void logits(const struct encoding_context *c, const struct encoding_block *b, real *s)
{
    for (int r = 0; r < b->rows && of_pairs(c); r++) {
        const real *bias = c->state + row_of(c, b, r);
        for (int j = 0; j < encoding_visible(c, b->first + r); j++)
            s[r * b->ld + j] += bias[j];
    }
}

static void logits_backward(const struct encoding_context *c, const struct encoding_block *b, real *ds)
{
    for (int r = 0; r < b->rows && of_pairs(c); r++) {
        real *dbias = c->dstate + row_of(c, b, r);
        for (int j = 0; j < encoding_visible(c, b->first + r); j++)
            dbias[j] += ds[r * b->ld + j];
    }
}

const struct encoding encoding_formula = {
    .name = "formula",
    .formula = "B, or what is added to x_i, = a formula in d, i, j, h, H, n and learned parameters, in Lua 5.4",
    .summary = "a bias or absolute encoding of one's own, with exact gradients",
    .citation = "-",
    .relation_text = "as fine as the formula, or declared",
    .longer = "any length, if the formula is defined there",
    .options = options,
    .axes_min = 0, .axes_max = 2,
    .check = check,
    .facts = facts,
    .tensors = tensors,
    .relation = relation,
    .open = open,
    .mark = mark,
    .declared = declared,
    .reads_length = reads_length,
    .state_size = state_size,
    .prepare = formula_prepare,
    .prepare_backward = formula_prepare_backward,
    .input = input,
    .input_backward = input_backward,
    .logits = logits,
    .logits_backward = logits_backward,
};

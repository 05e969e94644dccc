/* formula: C_ij by a formula of one's own in Lua.
 *
 *   model.c: {kind: formula, factor: "math.exp(-a[h] * math.abs(d))", parameters: {a: 0.1}}
 *
 * factor knows what a bias of encoding `formula` does (own.c).
 *
 *   a = ln 2, n = 4:   1   1/2  1/4  1/8
 *                      1/2  1   1/2  1/4
 *                      1/4 1/2   1   1/2
 *                      1/8 1/4  1/2   1 */
#include "encoding/formula.h"

enum { FACTOR, PARAMETERS, RELATION, /* among texts */ SHARE_ROW = URPE_OPTION_SHARE };

static const char *const share_names[] = {"model", "true", "false", NULL};

static bool has_relation(const void *owner)
{
    return ((const struct kind_config *)owner)->text[RELATION].text[0];
}

static const struct option options[] = {
    {.key = "factor", .type = OPTION_TEXT, .fallback = "1 + a[h] * math.log(1 + math.abs(d))",
     .help = "Lua: a formula in d (dy, dx), i, j, h, H, n and the parameters; math.*, no branch on "
             "parameters"},
    {.key = "parameters", .type = OPTION_TEXT, .map = true, .fallback = "{a: 0}",
     .help = "name: start, or {start, std, low, high, per: head|model|layer, size, table}"},
    [SHARE_ROW] = {.key = "share", .type = OPTION_CHOICE, .fallback = "model", .names = share_names,
                   .help = "one C for all layers; model: as model.share says"},
    {.key = "relation", .type = OPTION_TEXT, .fallback = "", .applies = has_relation,
     .help = "Lua, as in \"math.abs(d)\": pairs where this has one value have one C; tried, and floors "
             "rest on it"},
    {.key = NULL},
};

static int parameters_of(const struct kind_config *c, const struct encoding_shape *s,
                         struct formula_parameter out[ENCODING_TENSORS_MAX])
{
    struct err ignored = {0};
    int count = formula_parameters(NULL, c->text[PARAMETERS].text, s->heads, out, &ignored);
    return count < 0 ? 0 : count;
}

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    if (formula_parameters("model.c.parameters", c->text[PARAMETERS].text, s->heads, p, e) < 0)
        return ERR_USAGE;
    int code = formula_check("model.c.factor", c->text[FACTOR].text, e);
    return code || !has_relation(c) ? code
                                    : formula_check("model.c.relation", c->text[RELATION].text, e);
}

static int open(const struct encoding_context *c, struct arena *arena, void **code, struct err *e)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    struct formula_source source = {
        .domain = formula_domain_of(c->config->text[FACTOR].text, c->shape), .context = c,
        .key = "model.c.factor", .text = c->config->text[FACTOR].text, .relation_key = "model.c.relation",
        .relation = c->config->text[RELATION].text, .parameter = p,
        .parameters = parameters_of(c->config, c->shape, p)};
    struct formula *f;
    int failed = formula_open(&source, arena, &f, e);
    *code = f;
    return failed;
}

static int tensors(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out)
{
    struct formula_parameter p[ENCODING_TENSORS_MAX];
    int count = formula_tensors(p, parameters_of(c, s, p), s->heads, out);
    for (int k = 0; k < count; k++)
        out[k].tensor.c = true;
    return count;
}

static bool of_pairs(const struct kind_config *c, const struct encoding_shape *s)
{
    return formula_domain_of(c->text[FACTOR].text, s) == &formula_of_pairs;
}

static const char *declared(const struct kind_config *c)
{
    return c->text[RELATION].text;
}

static bool reads_length(const struct kind_config *c)
{
    static const char *const length[] = {"n"};
    return formula_reads(c->text[FACTOR].text, length, 1);
}

const struct urpe urpe_formula = {
    .name = "formula",
    .summary = "a factor of one's own in Lua, with exact gradients",
    .citation = "-",
    .longer = "any length, if the formula is defined there",
    .options = options,
    .axes_min = 0, .axes_max = 2,
    .check = check,
    .of_pairs = of_pairs,
    .tensors = tensors,
    .open = open,
    .prepare = formula_prepare,
    .prepare_backward = formula_prepare_backward,
    .relation = formula_relation,
    .declared = declared,
    .reads_length = reads_length,
};

/* C, the matrix that multiplies the softmax: A_U = softmax(...) * C, C_ij = c[h, row(i,j)].
 * Source: Luo et al. 2022, eq. 5.  Nothing is renormalised after C, so C = 1 is plain attention.
 *
 *   row of the table, n = 4:   toeplitz 3 4 5 6   bucketed 0 17 18 19   causal 0 - - -
 *                                       2 3 4 5            1  0 17 18          1 0 - -
 *                                       1 2 3 4            2  1  0 17          2 1 0 -
 *                                       0 1 2 3            3  2  1  0          3 2 1 0 */
#include "encoding/encoding.h"
#include "encoding/parts.h"

enum { BUCKETS = 32, MAX_DISTANCE = 128 };

static const char *const init_names[] = {"ones", "normal", NULL};
static const char *const share_names[] = {"model", "true", "false", NULL};

static const struct option options[] = {
    [URPE_OPTION_INIT] = {.key = "init", .type = OPTION_CHOICE, .fallback = "ones",
                          .names = init_names, .help = "start: plain attention, or N(mean, std^2)"},
    [URPE_OPTION_MEAN] = {.key = "mean", .type = OPTION_REAL, .min = -1000, .max = 1000,
                          .fallback = "1",
                          .help = "mean of init: normal (0 is the released code's default)"},
    [URPE_OPTION_SHARE] = {.key = "share", .type = OPTION_CHOICE, .fallback = "model",
                           .names = share_names,
                           .help = "one C for all layers; model: as model.share says"},
    [URPE_OPTION_STD] = {.key = "std", .type = OPTION_REAL, .min = 0, .max = 1000,
                         .fallback = "0.02", .help = "standard deviation of init: normal",
                         .quiet = true},
    {.key = NULL},
};

static int toeplitz_rows(const struct encoding_shape *s)
{
    return s->trained->relations;
}

static void toeplitz_map(const struct encoding_shape *s, const struct layout *here, int32_t *map)
{
    here->fold(s->trained, here, map);
}

static int bucketed_rows(const struct encoding_shape *s)
{
    return BUCKETS;
}

static void bucketed_map(const struct encoding_shape *s, const struct layout *here, int32_t *map)
{
    for (int r = 0; r < here->relations; r++)
        map[r] = encoding_bucket(here->offset[r], s->past, BUCKETS, MAX_DISTANCE);
}

static const struct urpe toeplitz = {
    .name = "toeplitz",
    .summary = "a number for each head and relation",
    .citation = "Luo et al. 2022, eq. 5",
    .longer = "clips the relation to the trained table",
    .options = options,
    .axes_min = 0, .axes_max = 2,
    .rows = toeplitz_rows,
    .map = toeplitz_map,
};

static const struct urpe bucketed = {
    .name = "bucketed",
    .summary = "a number for each head and T5 bucket of the offset",
    .citation = "Luo et al. 2022, eq. 5; buckets of Raffel et al. 2020",
    .longer = "any length: far offsets share a bucket",
    .options = options,
    .axes_min = 1, .axes_max = 1,
    .rows = bucketed_rows,
    .map = bucketed_map,
};

extern const struct urpe urpe_formula;
const struct urpe *const urpe_table[] = {&toeplitz, &bucketed, &urpe_formula, NULL};
KIND_TABLE(urpe_kinds, "kind of C", urpe_table);

const struct urpe *urpe_of(const struct kind_config *c)
{
    return urpe_table[c->kind];
}

int urpe_tensors(const struct kind_config *c, const struct encoding_shape *s,
                 struct encoding_tensor out[ENCODING_TENSORS_MAX])
{
    const struct urpe *u = urpe_of(c);
    if (u->tensors)
        return u->tensors(c, s, out);
    bool ones = (int)c->number[URPE_OPTION_INIT] == URPE_ONES;
    out[0] = (struct encoding_tensor){
        .scope = ENCODING_TABLE,
        .tensor = {.name = "c",
                   .rank = 2,
                   .shape = {s->heads, u->rows(s)},
                   .init = ones ? TENSOR_CONSTANT : TENSOR_NORMAL,
                   .mean = ones ? 1 : c->number[URPE_OPTION_MEAN],
                   .deviation = ones ? 0 : c->number[URPE_OPTION_STD],
                   .table = true,
                   .c = true}};
    return 1;
}

int urpe_check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    const struct urpe *u = urpe_of(c);
    if (s->trained->axes >= u->axes_min && s->trained->axes <= u->axes_max)
        return u->check ? u->check(c, s, e) : 0;
    char why[160];
    axes_explain(s->trained->axes, u->axes_min, u->axes_max, why, sizeof why);
    return err_set(e, ERR_USAGE, "model.c", "%s is %s; expected toeplitz", u->name, why);
}

int urpe_open(struct encoding_context *c, struct arena *arena, struct err *e)
{
    const struct urpe *u = urpe_of(c->config);
    c->code = NULL;
    return u->open ? u->open(c, arena, &c->code, e) : 0;
}

int urpe_try(const struct kind_config *c, const struct encoding_shape *s,
             const struct layout *evaluated, struct err *e)
{
    struct encoding_context context = {.config = c, .shape = s, .layout = s->trained};
    struct arena nowhere;
    arena_open_measure(&nowhere);
    int code = urpe_open(&context, &nowhere, e);
    context.layout = evaluated;
    return code || evaluated->n == s->trained->n ? code : urpe_open(&context, &nowhere, e);
}

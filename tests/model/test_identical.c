/* What attention makes of equal tokens: random networks of every kind on a sequence of one repeated
 * vector.  Outputs are equal at all positions, at rounding level, where no network of the kind can tell
 * them apart, and differ where some can.  One row of `rows` is one kind of attention; its eight cells
 * are {causal, no mask} x {none, toeplitz, rope, alibi}.
 *
 * Sizes of the reference: n = 7, two layers of 2 heads of 8, residuals and a ReLU feed-forward network,
 * no norm, biases everywhere, 24 draws, in double.  Rounding there is below 1e-13 of the outputs; a
 * network that tells positions apart does so by 1e-6 at the least (most by 1e-2 and more). */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

struct masked {
    const char *name;
    struct rig_option option[2];
};

/* Of each cell the most positions that a draw tells apart: 7, all; 4, mirrored positions alike; 1,
 * none; '-': the kind is not defined there.  All draws tell them apart; where `some` has a letter, a few
 * (all logits of a ReLU may be negative, a row's of softpick of one sign, nothing cut by elastic). */
static void value_residual(struct model_config *m)
{
    m->norm = MODEL_NORM_NONE;
    m->values = MODEL_VALUES_MEAN;
}

static void output_gate(struct model_config *m)
{
    m->norm = MODEL_NORM_NONE;
    m->output_gate = true;
}

static void set_convolution(struct model_config *m, const char *name)
{
    m->norm = MODEL_NORM_NONE;
    assert_true(option_set_kind(&convolution_kinds, name, &m->convolution));
}

static void canon(struct model_config *m) { set_convolution(m, "canon"); }

static void canon_d(struct model_config *m)
{
    canon(m);
    m->convolution.number[2] = 0; /* input */
    m->convolution.number[5] = 1; /* hidden */
}

static void set_logits(struct model_config *m, const char *name)
{
    m->norm = MODEL_NORM_NONE;
    assert_true(option_set_kind(&logits_kinds, name, &m->logits));
}
static void soft_cap(struct model_config *m) { set_logits(m, "soft-cap"); }
static void qk_norm(struct model_config *m) { set_logits(m, "qk-norm"); }
static void cosine(struct model_config *m) { set_logits(m, "cosine"); }
static void shift(struct model_config *m) { set_convolution(m, "shift"); }

static void set_prefix(struct model_config *m, const char *name)
{
    m->norm = MODEL_NORM_NONE;
    assert_true(option_set_kind(&prefix_kinds, name, &m->prefix));
}

static void bos(struct model_config *m) { set_prefix(m, "bos"); }
static void registers(struct model_config *m) { set_prefix(m, "registers"); }

/* Layers of the model's kind and of another take turns. */
static void alternate(struct model_config *m, const struct layer_config *other)
{
    m->norm = MODEL_NORM_NONE;
    assert_true(plan_append(&m->plan, &m->layer) && plan_append(&m->plan, other));
    plan_settle(m);
}

static void without_encoding(struct model_config *m)
{
    struct layer_config other = m->layer;
    assert_true(option_set_kind(&encoding_kinds, "none", &other.encoding));
    alternate(m, &other);
}

static void local_global(struct model_config *m)
{
    struct layer_config other = m->layer;
    assert_true(option_set_kind(&mask_kinds, "window", &other.mask));
    other.mask.number[0] = 2;
    other.mask.number[1] = !mask_past(&m->mask);
    alternate(m, &other);
}

static const struct identical {
    const char *name, *normaliser;
    const char *distinct, *some; /* NULL: nowhere */
    struct rig_option option[2]; /* of the normaliser */
    struct {
        const char *suffix; /* of parameters; NULL: none */
        double value;       /* that they have in every draw */
    } fixed;
    const char *c;             /* NULL: rpe */
    const char *encoding;      /* instead of none, and of no other; NULL: of all four */
    struct masked past, whole; /* instead of causal and none */
    void (*change)(struct model_config *m); /* NULL: no_norm */
    bool loose; /* floors may keep more apart: no class knows the row's tau, or that nothing rotates */
} rows[] = {
    {"softmax", "softmax", .distinct = "11111111"},
    {"softmax * C", "softmax", .distinct = "77777777", .c = "toeplitz"},
    {"softmax-one", "softmax-one", .distinct = "77771774"},
    {"sink", "sink", .distinct = "77771774"},
    {"bias-kv", "bias-kv", .distinct = "77771774"},
    {"sigmoid, b = -log n", "sigmoid", .distinct = "77771774"},
    {"sigmoid, b = -log m", "sigmoid", .distinct = "77771774", .option = {{"minus_log", 2}}},
    {"sigmoid, b fixed", "sigmoid", .distinct = "77771774", .option = {{"minus_log", 0}}},
    {"sigmoid / m", "sigmoid", .distinct = "17771774", .option = {{"minus_log", 0}, {"divide", 1}}},
    {"sigmoid / m, b = -log m", "sigmoid", .distinct = "77771774", .option = {{"minus_log", 2}, {"divide", 1}}},
    {"relu / n", "relu", .distinct = "77771774", .some = "s..s...s"},
    {"relu / m", "relu", .distinct = "17771774", .some = "...s...s", .option = {{"over", 1}}},
    {"relu^2 / n", "relu", .distinct = "77771774", .some = "s..s...s", .option = {{"power", 2}}},
    {"linear", "linear", .distinct = "11111111"},
    {"linear, unrotated sum", "linear", .distinct = "11711171", .option = {{"divide", 1}}, .loose = true},
    {"linear, no sum", "linear", .distinct = "77771774", .option = {{"divide", 2}}},
    {"retention", "linear", .distinct = "77771774", .option = {{"divide", 2}, {"phi", 1}}},
    {"differential", "differential", .distinct = "11111111"},
    {"differential with its norm", "differential", .distinct = "11111111", .option = {{"norm", 1}}},
    {"talking heads", "talking-heads", .distinct = "11111111"},
    {"sparsemax", "sparsemax", .distinct = "11111111"},
    {"1.5-entmax", "entmax", .distinct = "11111111"},
    {"average-hard", "average-hard", .distinct = "11111111"},
    {"ssmax", "ssmax", .distinct = "11111111"},
    {"ssmax with a bias", "ssmax", .distinct = "11111111", .option = {{"bias", 1}}},
    {"stick-breaking, remainder dropped", "stick-breaking", .distinct = "7777----"},
    {"stick-breaking, to the head", "stick-breaking", .distinct = "7777----", .option = {{"remainder", 2}}},
    {"stick-breaking, to the value", "stick-breaking", .distinct = "1111----", .option = {{"remainder", 1}}},
    {"elastic, tau = -0.3", "elastic", .distinct = "17711771", .some = ".ss...s.", .fixed = {".tau", -0.3},
     .loose = true},
    {"elastic, tau = -1", "elastic", .distinct = "17771774", .fixed = {".tau", -1}},
    {"elastic, tau = 0.3", "elastic", .distinct = "11111111", .fixed = {".tau", 0.3}, .loose = true},
    {"softpick", "softpick", .distinct = "17771774", .some = ".sss...s"},
    {"strict, the first row empty", "softmax", .distinct = "7777----", .past = {"strict"}},
    {"soft-cap", "softmax", .distinct = "11111111", .change = soft_cap},
    {"qk-norm", "softmax", .distinct = "11111111", .change = qk_norm},
    {"cosine", "softmax", .distinct = "11111111", .change = cosine},
    {"window", "softmax", .distinct = "11111111", .past = {"window", {{"past", 2}}},
     .whole = {"window", {{"past", 2}, {"future", 1}}}},
    {"sink and window", "sink", .distinct = "3333----", .past = {"window", {{"past", 2}}}},
    {"dilated", "softmax", .distinct = "1111----", .past = {"dilated", {{"step", 2}, {"size", 2}}}},
    {"strided", "softmax", .distinct = "1111----", .past = {"strided", {{"length", 3}}}},
    {"blocks", "softmax", .distinct = "11111111", .past = {"blocks", {{"size", 3}}},
     .whole = {"blocks", {{"size", 3}, {"causal", 0}}}},
    {"value residual", "softmax", .distinct = "11111111", .change = value_residual},
    {"output gate", "softmax", .distinct = "11111111", .change = output_gate},
    {"Canon-A", "softmax", .distinct = "77777777", .change = canon},
    {"Canon-D", "softmax", .distinct = "77777777", .change = canon_d},
    {"token shift", "softmax", .distinct = "77773777", .change = shift},
    {"BOS", "softmax", .distinct = "77771777", .change = bos},
    {"registers", "softmax", .distinct = "77-717-4", .change = registers},
    {"with and without encoding", "softmax", .distinct = "11111111", .change = without_encoding},
    {"local and global", "softmax", .distinct = "11111111", .change = local_global},
    {"FoX", "softmax", .distinct = "1-------", .encoding = "fox"},
    {"CoPE", "softmax", .distinct = "1-------", .encoding = "cope"},
    {"prefix-lm", "softmax", .distinct = "1111----", .past = {"prefix-lm", {{"prefix", 3}}}},
};
enum { ROWS = sizeof rows / sizeof *rows };

#ifdef REAL_DOUBLE
enum { N = 7, CHANNELS = 3, DRAWS = 24, CELLS = 8, SOME = 4 };
static const double equal = 1e-9, apart = 1e-6;
static const char *const encodings[] = {"none", "toeplitz", "rope", "alibi"};

static void no_norm(struct model_config *m)
{
    m->norm = MODEL_NORM_NONE;
}

static struct rig_config config_of(const struct identical *row, int cell)
{
    const struct masked *own = cell < 4 ? &row->past : &row->whole;
    const char *encoding = row->encoding ? row->encoding : encodings[cell % 4];
    struct rig_config c = rig_default(encoding, row->c, cell < 4);
    struct kind_config mask;
    c.normaliser = row->normaliser;
    memcpy(c.weights, row->option, sizeof c.weights);
    if (own->name) {
        assert_true(option_set_kind(&mask_kinds, own->name, &mask));
        c.mask = mask.kind;
        memcpy(c.seen, own->option, sizeof c.seen);
    }
    c.activation = ACTIVATION_RELU;
    c.width = c.ffn = 16;
    c.n = N;
    c.samples = 1;
    c.channels = CHANNELS;
    c.change = row->change ? row->change : no_norm;
    return c;
}

/* ---- draws ------------------------------------------------------------------------------------*/
static void draw(struct rig *r, const struct identical *row, uint64_t seed)
{
    struct stream s;
    stream_open(&s, seed, "identical", 0);
    help_random_parameters(&r->model, &s, r->p);
    for (int k = 0; k < r->model.tensors.count && row->fixed.suffix; k++) {
        const struct tensor *t = &r->model.tensors.item[k];
        const char *end = strstr(t->name, row->fixed.suffix);
        for (size_t i = 0; i < t->count && end && !end[strlen(row->fixed.suffix)]; i++)
            r->p[t->offset + i] = (real)row->fixed.value;
    }
    for (int i = CHANNELS; i < r->rows * CHANNELS; i++)
        r->x[i] = r->x[i - CHANNELS];
    rig_forward(r);
}

/* Of the largest output, where that is above 1. */
static double distance(const struct rig *r, int p, int q)
{
    double most = 0, size = 1;
    for (int c = 0; c < CHANNELS; c++)
        most = fmax(most, fabs(r->y[p * CHANNELS + c] - r->y[q * CHANNELS + c]));
    for (int k = 0; k < N * CHANNELS; k++)
        size = fmax(size, fabs(r->y[k]));
    return most / size;
}

/* How many of the outputs are no other's, and the largest distance to the first. */
static int distinct_outputs(const struct rig *r, double *spread)
{
    int count = 0;
    *spread = 0;
    for (int p = 0; p < N; p++) {
        int q = 0;
        while (q < p && distance(r, p, q) > equal)
            q++;
        count += q == p;
        *spread = fmax(*spread, distance(r, p, 0));
    }
    return count;
}

/* Groups that the floor of this depth makes of the positions. */
static int groups_of(const struct rig *r)
{
    double x[N * CHANNELS] = {0};
    int32_t any[N], deep[N];
    int first[] = {0, N};
    struct model_groups g = {.any = any, .deep = deep};
    const struct layout *layout = &r->layout;
    struct floor_set set = {.count = 1, .first = first, .layout = &layout, .channels = CHANNELS,
                            .x = x};
    assert_int_equal(model_merge_depth(&r->model_config, &r->layout, &set, &g, NULL), 0);
    assert_true(g.deep_groups <= g.any_groups);
    return g.deep_groups;
}

/* ---- the table --------------------------------------------------------------------------------*/
struct seen {
    int most, escapes; /* distinct outputs of the draw with the most; draws that tell any apart */
    double least, largest; /* spreads */
};

static struct seen look(struct rig *r, const struct identical *row)
{
    struct seen seen = {.least = INFINITY};
    for (int k = 0; k < DRAWS; k++) {
        double spread;
        draw(r, row, (uint64_t)k);
        int distinct = distinct_outputs(r, &spread);
        seen.most = distinct > seen.most ? distinct : seen.most;
        seen.escapes += spread > apart;
        seen.least = fmin(seen.least, spread);
        seen.largest = fmax(seen.largest, spread);
    }
    return seen;
}

static void check_cell(const struct identical *row, int cell)
{
    struct rig r;
    struct rig_config c = config_of(row, cell);
    bool none = row->distinct[cell] == '-', some = row->some && row->some[cell] == 's';
    if (none && ((cell >= 4 && row->past.name && !row->whole.name) || (cell % 4 && row->encoding)))
        return; /* the mask is causal by itself, or the row has an encoding of its own */
    if (rig_open(&r, &c, 3) == none)
        fail_msg("%s, %s, %s: %sdefined", row->name, cell < 4 ? "causal" : "unmasked", c.encoding,
                 none ? "" : "not ");
    if (none)
        return;
    struct seen seen = look(&r, row);
    int want = row->distinct[cell] - '0', groups = groups_of(&r);
    bool escapes = want > 1 ? seen.escapes >= (some ? SOME : DRAWS) : seen.largest < equal;
    if (!escapes || (some ? seen.most > want : seen.most != want))
        fail_msg("%s, %s, %s: spreads %.2g to %.2g, %d of %d draws escape, %d outputs (%d)", row->name,
                 cell < 4 ? "causal" : "unmasked", encodings[cell % 4], seen.least, seen.largest,
                 seen.escapes, DRAWS, seen.most, want);
    if (groups < want || (!row->loose && groups > want)) /* fewer are wrong, more give floors away */
        fail_msg("%s, %s: the floor makes %d groups", row->name, encodings[cell % 4], groups);
    rig_close(&r);
}

static void test_equal_tokens(void **state)
{
    for (int k = 0; k < ROWS; k++)
        for (int cell = 0; cell < CELLS; cell++)
            check_cell(&rows[k], cell);
}
#endif

/* Every normaliser has a row. */
static void test_nothing_is_left_out(void **state)
{
    for (int w = 0; normaliser_table[w]; w++) {
        int k = 0;
        while (k < ROWS && strcmp(rows[k].normaliser, normaliser_table[w]->name) != 0)
            k++;
        if (k == ROWS)
            fail_msg("%s has no row", normaliser_table[w]->name);
    }
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e))
        return 1;
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_equal_tokens),
#endif
        cmocka_unit_test(test_nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Witnesses: every registry target with every encoding and mask, with C and without by turns, is either
 * computed by the weights written down for it, to rounding, or refused. */
#include "help_turns.h"
#include "witness/help_witness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_randist.h>

/* Sums over a dozen tokens of a few thousand roundings at most, on outputs of size about 1. */
#ifdef REAL_DOUBLE
#define EXACT 1e-12
#else
#define EXACT 1e-5
#endif

static const char *const tables[] = {NULL, "toeplitz", "bucketed"};

struct tally {
    int known, refused;
};

static void check(const struct help_case *c, struct tally *tally)
{
    struct help_witness h;
    if (!help_witness_open(&h, c))
        return;
    tally->known += h.w != NULL;
    tally->refused += h.w == NULL;
    if (h.w && target_of(&h.target)->tokens) {
        if (help_witness_accuracy(&h, 3, 1) < 1)
            fail_msg("%s, %s, %s, mask %s: wrong labels", c->target, c->encoding,
                     c->c ? c->c : "rpe", c->mask ? c->mask : "none");
    } else if (h.w) {
        double worst = fmax(help_witness_error(&h, 3, false, 1),
                            help_witness_error(&h, 1, true, 2));
        if (!(worst <= EXACT))
            fail_msg("%s, %s, %s, mask %s: error %g", c->target, c->encoding,
                     c->c ? c->c : "rpe", c->mask ? c->mask : "none", worst);
    }
    help_witness_close(&h);
}

/* Every encoding and mask for one target, one kind of attention for each two; *tally counts.  Masks also
 * with options that hide something on so few positions. */
static void sweep(int target, int n, bool grid, struct tally *tally)
{
    static struct help_encoding mask[HELP_ENCODINGS_MAX];
    int masks = help_variants(&mask_kinds, mask);
    for (int k = 0; encoding_table[k]; k++)
        for (int m = 0; m < masks; m++)
            for (int u = 0; u < 3; u++)
                if (help_turn_here(target + k + m + u + grid, 5))
                    check(&(struct help_case){.target = target_table[target]->name, .encoding = encoding_table[k]->name,
                                              .c = tables[u], .mask = mask[m].label,
                                              .masked = &mask[m].config, .n = n, .channels = 2,
                                              .vocab = 5, .grid = grid},
                          tally);
}

static void test_every_target(void **state)
{
    struct tally all = {0};
    for (int t = 0; target_table[t]; t++) {
        sweep(t, 7, false, &all);
        sweep(t, 6, true, &all);
    }
    assert_true(all.known > 0 && all.refused > 0);
}

/* Normalisers, masks and options of both, for one target and encoding: over all targets and encodings
 * every three of the four meet. */
static void sweep_rows(const char *target, const char *encoding, const char *c, int turn,
                       struct tally *tally)
{
    static struct help_encoding mask[HELP_ENCODINGS_MAX], rows[HELP_ENCODINGS_MAX];
    int masks = help_variants(&mask_kinds, mask), kinds = help_variants(&normaliser_kinds, rows);
    char label[256];
    for (int m = 0; m < masks; m++)
        for (int k = 0; k < kinds; k++) {
            if (!help_turn_here(turn + m + 3 * k, 5))
                continue;
            snprintf(label, sizeof label, "%s, %s", mask[m].label, rows[k].label);
            check(&(struct help_case){.target = target, .encoding = encoding, .c = c,
                                      .mask = label, .masked = &mask[m].config,
                                      .rows = &rows[k].config, .n = 6, .channels = 2, .vocab = 5},
                  tally);
        }
}

/* Under normalisers whose rows are not those of softmax, and under every mask: what is called known is
 * right. */
static void test_normalisers_and_masks(void **state)
{
    static const char *const targets[] = {"position", "affine", "piecewise", "prefix_sum",
                                          "reverse",  "mean",   "moving_max", "pi", "token_shift"};
    static const char *const encodings[] = {"none", "toeplitz", "alibi", "rope", "t5", "learned"};
    struct tally all = {0};
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
        for (size_t k = 0; k < sizeof encodings / sizeof *encodings; k++)
            for (size_t u = 0; u < 2; u++)
                sweep_rows(targets[t], encodings[k], tables[u], (int)(t + 2 * k + 2 * u), &all);
    assert_true(all.known > 0 && all.refused > 0);
}

/* What must be known, so that a compiler that refuses everything fails. */
static void test_known(void **state)
{
    static const struct {
        const char *target, *encoding, *c;
        const char *mask;
        bool grid;
        const char *normaliser;
    } must[] = {
        {"position", "toeplitz", "toeplitz", "none", false, NULL},
        {"position", "alibi", "toeplitz", "causal", false, NULL},
        {"position", "cope", "toeplitz", "causal", false, NULL},
        {"position", "rope", "bucketed", "none", false, NULL},
        {"position", "learned", NULL, "none", false, NULL},
        {"gain", "none", "toeplitz", "none", false, NULL},
        {"affine", "sandwich", "toeplitz", "none", false, NULL},
        {"piecewise", "t5", "bucketed", "none", false, NULL},
        {"prefix_sum", "kerple-log", "toeplitz", "none", false, NULL},
        {"filter", "xpos", "toeplitz", "causal", false, NULL},
        {"reverse", "deberta", "toeplitz", "none", false, NULL},
        {"even", "alibi", "toeplitz", "none", false, NULL},
        {"prefix_mean", "t5", NULL, "none", false, NULL},
        {"local_mean", "toeplitz", NULL, "none", false, NULL},
        {"moving_max", "toeplitz", NULL, "causal", false, NULL},
        {"moving_max", "toeplitz", NULL, "strict", false, NULL},
        {"moving_max", "shaw", "toeplitz", "none", false, NULL},
        {"pi", "fire", "toeplitz", "none", false, NULL},
        {"etp", "transformer-xl", "toeplitz", "none", false, NULL},
        {"token_shift", "rope", "toeplitz", "causal", false, NULL},
        {"grid_position", "toeplitz", "toeplitz", "none", true, NULL},
        {"summed_area", "toeplitz", "toeplitz", "none", true, NULL},
        {"periodic_blur", "toeplitz", "toeplitz", "none", true, NULL},
        /* without C: sums that differ by row, and an empty row */
        {"position", "none", NULL, "causal", false, "sink"},
        {"affine", "rope", NULL, "causal", false, "softmax-one"},
        {"piecewise", "alibi", NULL, "causal", false, "bias-kv"},
        {"gain", "none", NULL, "causal", false, "sigmoid"},
        {"gain", "none", NULL, "causal", false, "relu"},
        {"pi", "none", NULL, "causal", false, "stick-breaking"},
        {"position", "toeplitz", NULL, "none", false, "sink"},
        {"position", "toeplitz", NULL, "none", false, "softpick"},
        {"position", "none", NULL, "strict", false, NULL},
        {"grid_position", "none", NULL, "causal", true, "sink"},
    };
    for (size_t k = 0; k < sizeof must / sizeof *must; k++) {
        struct help_case c = {.target = must[k].target, .encoding = must[k].encoding,
                              .c = must[k].c, .mask = must[k].mask,
                              .normaliser = must[k].normaliser, .n = must[k].grid ? 6 : 9,
                              .channels = 3, .vocab = 4, .grid = must[k].grid};
        struct help_witness h;
        assert_true(help_witness_open(&h, &c));
        if (!h.w)
            fail_msg("no witness for %s with %s", c.target, c.encoding);
        help_witness_close(&h);
    }
}

/* Where the floor on identical tokens is positive there can be no witness, and there is none. */
static void test_refused(void **state)
{
    static const char *const targets[] = {"position", "gain",       "affine", "piecewise", "even",
                                          "shift",    "prefix_sum", "etp"};
    for (size_t k = 0; k < sizeof targets / sizeof *targets; k++) {
        struct tally t = {0};
        for (int e = 0; encoding_table[e]; e++) {
            struct help_case c = {.target = targets[k], .encoding = encoding_table[e]->name,
                                  .n = 6, .channels = 2, .vocab = 4};
            if (strcmp(c.encoding, "learned"))
                check(&c, &t);
        }
        assert_int_equal(t.known, 0);
        assert_true(t.refused > 10);
    }
    static const char *const hard[] = {"random_field", "sort", "histogram", "majority"};
    for (size_t k = 0; k < sizeof hard / sizeof *hard; k++) {
        struct tally t = {0};
        int target = 0;
        while (strcmp(target_table[target]->name, hard[k]) != 0)
            target++;
        sweep(target, 6, false, &t);
        assert_int_equal(t.known, 0);
    }
}

/* ---- formulas ---------------------------------------------------------------------------------*/
static struct kind_config formula(const struct kind_table *table, const char *text, const char *parameters)
{
    struct kind_config c = help_kind(table, "formula");
    strcpy(c.text[0].text, text);
    strcpy(c.text[1].text, parameters);
    return c;
}

/* What is known is right. */
static bool known(const struct help_case *c)
{
    struct tally t = {0};
    check(c, &t);
    return t.known;
}

#define BUCKET "local b, m = d > 0 and 17 or 1, math.abs(d) return "

/* Where a built-in encoding or C has a witness, so has the formula that writes it out. */
static void test_formulas(void **state)
{
    static const char *const targets[] = {"position", "affine", "piecewise", "prefix_sum", "prefix_mean",
                                          "mean", "reverse", "moving_max", "pi", "token_shift"};
    static const struct {
        const char *name, *bias, *parameters;
    } encodings[] = {
        {"none", "0", "{}"},
        {"alibi", "local P = 2^math.floor(math.log(H, 2) + 1e-9) "
                  "return -(h <= P and 2^(-8*h/P) or 2^(-4*(2*(h-P)-1)/P)) * math.abs(d)", "{}"},
        {"kerple-log", "-math.max(p[h], .01) * math.log(1 + math.max(a[h], .01) * math.abs(d))",
         "{a: {low: 0, high: 1}, p: {low: 0, high: 2}}"},
        {"toeplitz", "bias[h][d + n]", "{bias: {size: 13, std: 0.02}}"},
        {"t5", BUCKET "bias[h][b + m]", "{bias: {size: 32, std: 0.02}}"}};
    static const struct {
        const char *name, *factor, *parameters;
    } cs[] = {{NULL, NULL, NULL},
              {"toeplitz", "g[h][d + n]", "{g: {size: 13, start: 1}}"},
              {"bucketed", BUCKET "g[h][b + m]", "{g: {size: 32, start: 1}}"}};
    int found = 0;
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
        for (size_t k = 0; k < sizeof encodings / sizeof *encodings; k++)
            for (size_t u = 0; u < sizeof cs / sizeof *cs; u++) {
                struct kind_config bias = formula(&encoding_kinds, encodings[k].bias, encodings[k].parameters), of_c;
                struct help_case c = {.target = targets[t], .encoding = encodings[k].name, .c = cs[u].name,
                                      .n = 7, .channels = 2, .vocab = 5};
                bool built_in = known(&c);
                c.own = &bias;
                of_c = cs[u].name ? formula(&urpe_kinds, cs[u].factor, cs[u].parameters) : of_c;
                c.own_c = cs[u].name ? &of_c : NULL;
                if (known(&c) != built_in)
                    fail_msg("%s, %s, %s: %d, its formula %d", c.target, c.encoding, c.c ? c.c : "rpe", built_in,
                             !built_in);
                found += built_in;
            }
    assert_true(found > 50);
}

/* C that no table can be written to: where it can be a number, it is no more than a factor; and a triangle by
 * itself tells places.  A bias that is undefined at 0 stands at its start. */
static void test_formulas_at_rest(void **state)
{
    static const struct {
        const char *target, *bias, *factor, *parameters; /* bias NULL: none */
        bool known;
    } cases[] = {
        {"mean", NULL, "1 + a[h] * math.log(1 + math.abs(d))", "{a: 0.5}", true},
        {"mean", NULL, "4 * math.exp(-a[h] * math.abs(d))", "{a: 0.5}", true},
        {"mean", NULL, "math.exp(-math.abs(d)) + 0 * a[h]", "{a: 0.5}", false},
        {"mean", NULL, "a[h] / b[h]", "{a: 3, b: 2}", true},
        {"mean", NULL, "a[h] / (b[h] - 1) / g[h]", "{a: 3, b: 2, g: 1}", true},
        {"mean", NULL, "a[h] + i - i", "{a: 1}", false},
        {"prefix_sum", NULL, "d <= 0 and 1 or 0", "{}", true},
        {"position", NULL, "d <= 0 and a[h] or 0", "{a: 2}", true},
        {"position", NULL, "d <= 0 and 0.5 or 0", "{}", true},
        {"position", NULL, "1 + 0 * a[h]", "{a: 1}", false},
        {"mean", "-d^2 / (2 * s[h]^2)", NULL, "{s: 2}", false},
        {"even", "-d^2 / (2 * s[h]^2)", "g[h][d + n]", "{s: 2}", true},
        {"mean", "a[h] * i + b[h] * j^2", NULL, "{a: 1, b: 1}", true},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct kind_config bias = {0}, of_c;
        struct help_case c = {.target = cases[k].target, .encoding = "none", .n = 7, .channels = 2, .vocab = 5};
        if (cases[k].bias)
            bias = formula(&encoding_kinds, cases[k].bias, cases[k].parameters);
        if (cases[k].factor)
            of_c = formula(&urpe_kinds, cases[k].factor,
                           cases[k].bias ? "{g: {size: 13, start: 1}}" : cases[k].parameters);
        c.own = cases[k].bias ? &bias : NULL;
        c.c = cases[k].factor ? "toeplitz" : NULL;
        c.own_c = cases[k].factor ? &of_c : NULL;
        if (known(&c) != cases[k].known)
            fail_msg("%s, %s, %s: %d", c.target, cases[k].bias, cases[k].factor, !cases[k].known);
    }
}

/* A change of any tensor that the construction uses shows in the error.  (Small ones need not:
 * gates are built to stand the rounding of what they read.) */
static void test_every_block_matters(void **state)
{
    static const char *const used[] = {"embed.weight", "layers.0.attn.v.bias",
                                       "layers.0.attn.o.weight", "layers.0.ffn.in.weight",
                                       "layers.0.ffn.in.bias", "layers.0.ffn.out.weight",
                                       "layers.1.ffn.in.weight", "layers.1.ffn.in.bias",
                                       "layers.1.ffn.out.weight", "head.weight", "head.bias",
                                       "urpe.c", "encoding.bias"};
    for (size_t k = 0; k < sizeof used / sizeof *used; k++) {
        struct help_witness h;
        assert_true(help_witness_open(&h, &(struct help_case){.target = "affine",
                                                              .encoding = "toeplitz",
                                                              .c = "toeplitz", .n = 8,
                                                              .channels = 2}));
        const struct tensor *t = tensor_list_find(&h.built.tensors, used[k]);
        assert_non_null(t);
        assert_true(help_witness_error(&h, 3, false, 4) <= EXACT);
        struct stream random;
        stream_open(&random, 9, used[k], 0);
        for (size_t i = 0; i < t->count; i++)
            h.p[t->offset + i] +=
                (real)gsl_ran_gaussian_ziggurat(stream_rng(&random), 1);
        if (help_witness_error(&h, 3, false, 4) <= EXACT)
            fail_msg("%s changed and nothing happened", used[k]);
        help_witness_close(&h);
    }
}

/* exp(-beta / n^2): two more units of beta / n^2 take the error down by e^2, till it vanishes. */
static void test_selection_sharpens(void **state)
{
    double last = 0;
    for (int step = 0; step <= 4; step++) {
        struct help_witness h;
        double margin = 3 + 2 * step;
        assert_true(help_witness_open(&h, &(struct help_case){.target = "reverse",
                                                              .encoding = "none",
                                                              .c = "toeplitz", .n = 10,
                                                              .channels = 2,
                                                              .beta = 100 * margin}));
        double error = help_witness_error(&h, 20, false, 5);
        assert_true(error <= 2 * exp(-margin) * (1 + 1e-3));
        if (step > 0) {
            assert_true(error / last < 1.5 * exp(-2));
            assert_true(error / last > exp(-2) / 1.5);
        }
        last = error;
        help_witness_close(&h);
    }
}

/* The paper's own size. */
static void test_etp_large(void **state)
{
    struct help_witness h;
    assert_true(help_witness_open(&h, &(struct help_case){.target = "etp", .encoding = "toeplitz",
                                                          .c = "toeplitz", .n = 128,
                                                          .vocab = 1000}));
    assert_non_null(h.w);
    assert_true(help_witness_accuracy(&h, 8, 6) == 1);
    help_witness_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_target),       cmocka_unit_test(test_normalisers_and_masks),
        cmocka_unit_test(test_known),              cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_formulas_at_rest),
        cmocka_unit_test(test_refused),            cmocka_unit_test(test_every_block_matters),
        cmocka_unit_test(test_selection_sharpens), cmocka_unit_test(test_etp_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Outputs and gradients against PyTorch's, for every encoding alone and with C, with and without a
 * causal mask, for every normaliser with and without C, and for every mask.  parity/generate.py
 * writes the fixtures, from formulas of its own. */
#include "model/help_parity.h"

#include <string.h>

/* As generate.py's VARIANTS; options that are not the defaults. */
static const struct variant {
    const char *file, *encoding;
    struct rig_option option[2];
} variants[] = {
    {"alibi", "alibi", {{0}}},
    {"alibi-learned", "alibi", {{"slopes", 1}}},
    {"cope", "cope", {{"positions", 4}}},
    {"deberta", "deberta", {{"k", 3}}},
    {"deberta-released", "deberta", {{"k", 3}, {"gather", 1}}},
    {"fire", "fire", {{0}}},
    {"fire-long", "fire", {{0}}},
    {"formula", "formula", {{0}}},
    {"fox", "fox", {{0}}},
    {"kerple-log", "kerple-log", {{0}}},
    {"kerple-power", "kerple-power", {{0}}},
    {"learned", "learned", {{0}}},
    {"none", "none", {{0}}},
    {"none-bucketed", "none", {{0}}},
    {"rope", "rope", {{0}}},
    {"rope-half", "rope", {{"pairing", 1}}},
    {"rope-part", "rope", {{"fraction", 0.5}}},
    {"sandwich", "sandwich", {{0}}},
    {"shaw", "shaw", {{"k", 2}}},
    {"shaw-keys", "shaw", {{"k", 2}, {"value", 0}}},
    {"sinusoidal", "sinusoidal", {{0}}},
    {"t5", "t5", {{0}}},
    {"toeplitz", "toeplitz", {{0}}},
    {"toeplitz-apart", "toeplitz", {{0}}},
    {"transformer-xl", "transformer-xl", {{0}}},
    {"tupe", "tupe", {{0}}},
    {"tupe-t5", "tupe", {{"t5", 1}}},
    {"xpos", "xpos", {{0}}},
    {"xpos-steep", "xpos", {{"scale_base", 4}}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* As generate.py's WEIGHTS, case by case; one more case of the fixture is the first without C. */
enum { WEIGHTS_CASES = 12 };
static const struct weights {
    const char *file, *encoding, *space;
    struct rig_option option; /* of the encoding */
    struct weights_case {
        const char *normaliser; /* NULL: there are no more */
        struct rig_option option[2];
        const char *mask;
        struct rig_option seen[2];
    } cases[WEIGHTS_CASES];
} weights[] = {
    {"weights-sink", "toeplitz",
     .cases = {{"sink", .mask = "causal"},
               {"sink", .mask = "none"},
               {"sink", .mask = "window", .seen = {{"past", 3}}}}},
    {"weights-softmax-one", "rope",
     .cases = {{"softmax-one", .mask = "causal"},
               {"softmax-one", .mask = "strict"}}},
    {"weights-bias-kv", "rope",
     .cases = {{"bias-kv", .mask = "causal"},
               {"bias-kv", .mask = "prefix-lm", .seen = {{"prefix", 3}}}}},
    {"weights-sigmoid", "toeplitz",
     .cases = {{"sigmoid", .mask = "causal"},
               {"sigmoid", {{"minus_log", 2}}, .mask = "causal"},
               {"sigmoid", {{"bias", -0.5}, {"minus_log", 0}}, .mask = "causal"},
               {"sigmoid", {{"divide", 1}}, .mask = "causal"},
               {"sigmoid", {{"minus_log", 2}, {"divide", 1}}, "dilated",
                {{"step", 2}, {"size", 3}}},
               {"sigmoid", .mask = "none"}}},
    {"weights-relu", "rope",
     .cases = {{"relu", .mask = "causal"},
               {"relu", {{"power", 2}}, .mask = "causal"},
               {"relu", {{"over", 1}}, .mask = "causal"},
               {"relu", {{"power", 2}, {"over", 1}}, "strided", {{"length", 3}}}}},
    {"weights-entmax", "toeplitz",
     .cases = {{"entmax", .mask = "causal"},
               {"entmax", {{"alpha", 1.3}}, .mask = "causal"},
               {"entmax", {{"alpha", 2}}, .mask = "causal"},
               {"entmax", {{"alpha", 3}}, .mask = "causal"},
               {"entmax", {{"learned", 1}}, .mask = "causal"},
               {"entmax", .mask = "none"}}},
    {"weights-sparsemax", "none",
     .cases = {{"sparsemax", .mask = "none"},
               {"sparsemax", .mask = "blocks", .seen = {{"size", 3}, {"causal", 0}}}}},
    {"weights-ssmax", "rope",
     .cases = {{"ssmax", .mask = "causal"},
               {"ssmax", {{"bias", 1}}, .mask = "causal"},
               {"ssmax", .mask = "window", .seen = {{"past", 3}, {"future", 2}}}}},
    {"weights-stick-breaking", "none",
     .cases = {{"stick-breaking", {{"remainder", 0}}, .mask = "causal"},
               {"stick-breaking", {{"remainder", 1}}, .mask = "causal"},
               {"stick-breaking", {{"remainder", 2}}, .mask = "causal"},
               {"stick-breaking", {{"remainder", 0}, {"current", 1}}, .mask = "causal"},
               {"stick-breaking", {{"remainder", 1}, {"current", 1}}, .mask = "causal"},
               {"stick-breaking", {{"remainder", 2}, {"current", 1}}, .mask = "causal"},
               {"stick-breaking", {{"remainder", 0}}, "window", {{"past", 3}}},
               {"stick-breaking", {{"remainder", 2}, {"current", 1}}, "window", {{"past", 3}}}}},
    {"weights-softpick", "toeplitz",
     .cases = {{"softpick", .mask = "causal"},
               {"softpick", .mask = "strict"}}},
    {"weights-elastic", "shaw", .option = {"k", 2},
     .cases = {{"elastic", .mask = "causal"},
               {"elastic", .mask = "none"}}},
    {"weights-average-hard", "none",
     .cases = {{"average-hard", .mask = "causal"},
               {"average-hard", {{"tie", 0.5}}, .mask = "causal"},
               {"average-hard", .mask = "none"}}},
    {"weights-differential", "rope",
     .cases = {{"differential", .mask = "causal"},
               {"differential", .mask = "none"}}},
    {"weights-differential-norm", "rope",
     .cases = {{"differential", {{"norm", 1}}, "causal"},
               {"differential", {{"norm", 1}}, "none"},
               {"differential", .mask = "causal"}}},
    {"weights-talking-heads", "toeplitz",
     .cases = {{"talking-heads", .mask = "causal"},
               {"talking-heads", .mask = "none"}}},
    {"weights-far", "t5",
     .cases = {{"softmax", .mask = "strict"},
               {"sink", .mask = "window", .seen = {{"past", 9}}},
               {"softmax-one", .mask = "prefix-lm", .seen = {{"prefix", 20}}},
               {"bias-kv", .mask = "blocks", .seen = {{"size", 16}}},
               {"sigmoid", {{"minus_log", 2}, {"divide", 1}}, "blocks",
                {{"size", 16}, {"causal", 0}}},
               {"relu", {{"power", 2}, {"over", 1}}, "strided", {{"length", 16}}},
               {"entmax", .mask = "dilated", .seen = {{"step", 5}, {"size", 4}}},
               {"ssmax", .mask = "window", .seen = {{"past", 20}, {"future", 2}}},
               {"stick-breaking", {{"remainder", 2}}, "window", {{"past", 20}}}}},
    {"masks-sequence", "toeplitz",
     .cases = {{"softmax", .mask = "none"},
               {"softmax", .mask = "causal"},
               {"softmax", .mask = "strict"},
               {"softmax", .mask = "window", .seen = {{"past", 3}}},
               {"softmax", .mask = "window", .seen = {{"past", 2}, {"future", 1}}},
               {"softmax", .mask = "dilated", .seen = {{"step", 2}, {"size", 2}}},
               {"softmax", .mask = "dilated", .seen = {{"step", 3}, {"size", 3}}},
               {"softmax", .mask = "strided", .seen = {{"length", 3}}},
               {"softmax", .mask = "blocks", .seen = {{"size", 3}}},
               {"softmax", .mask = "blocks", .seen = {{"size", 3}, {"causal", 0}}},
               {"softmax", .mask = "prefix-lm", .seen = {{"prefix", 3}}}}},
    {"masks-grid", "none", .space = "grid",
     .cases = {{"softmax", .mask = "none"},
               {"softmax", .mask = "neighbourhood", .seen = {{"dy", 1}, {"dx", 1}}},
               {"softmax", .mask = "neighbourhood", .seen = {{"dy", 0}, {"dx", 2}}},
               {"softmax", .mask = "neighbourhood", .seen = {{"dy", 3}, {"dx", 1}}},
               {"softmax", .mask = "causal"},
               {"softmax", .mask = "strict"}}},
    {"masks-graph", "none", .space = "graph",
     .cases = {{"softmax", .mask = "none"},
               {"softmax", .mask = "hops", .seen = {{"hops", 0}}},
               {"softmax", .mask = "hops", .seen = {{"hops", 1}}},
               {"softmax", .mask = "hops", .seen = {{"hops", 2}}}}},
    {"weights-linear", "rope",
     .cases = {{"linear", .mask = "causal"},
               {"linear", {{"divide", 1}}, .mask = "causal"},
               {"linear", {{"divide", 2}}, .mask = "causal"},
               {"linear", {{"divide", 2}, {"phi", 1}}, .mask = "causal"},
               {"linear", .mask = "none"},
               {"linear", {{"divide", 1}}, "window", {{"past", 3}, {"future", 2}}}}},
    {"weights-linear-bias", "toeplitz",
     .cases = {{"linear", .mask = "causal"},
               {"linear", {{"divide", 2}}, .mask = "causal"},
               {"linear", {{"divide", 2}, {"phi", 1}}, .mask = "causal"},
               {"linear", {{"divide", 1}}, .mask = "strict"}}},
    {"weights-fox", "fox",
     .cases = {{"softmax", .mask = "window", .seen = {{"past", 3}}},
               {"softmax", .mask = "dilated", .seen = {{"step", 2}, {"size", 3}}},
               {"sink", .mask = "causal"},
               {"linear", {{"divide", 2}}, "strided", {{"length", 3}}}}},
};
enum { WEIGHTS = sizeof weights / sizeof *weights };

/* As generate.py's BLOCKS, case by case. */
static struct layer_config *next_layer(struct model_config *m, const char *encoding)
{
    static struct layer_config out;
    memcpy(&out, &m->layer, sizeof out);
    assert_true(option_set_kind(&encoding_kinds, encoding, &out.encoding));
    return &out;
}

static void set_mask(struct layer_config *l, const char *name, int past)
{
    assert_true(option_set_kind(&mask_kinds, name, &l->mask));
    l->mask.number[0] = past;
}

static void rms(struct model_config *m) { m->norm_kind = MODEL_NORM_RMS; }
static void gated(struct model_config *m) { m->gated = true; }
static void one_key(struct model_config *m) { m->kv_heads = 1; }
static void two_keys(struct model_config *m) { m->kv_heads = 2; }

static void rope_and_none(struct model_config *m)
{
    plan_append(&m->plan, &m->layer);
    plan_append(&m->plan, next_layer(m, "none"));
    plan_settle(m);
}

static void local_and_global(struct model_config *m)
{
    struct layer_config *l = next_layer(m, "rope");
    assert_true(option_set_kind(&normaliser_kinds, "sink", &l->normaliser));
    set_mask(l, "window", 3);
    plan_append(&m->plan, l);
    l = next_layer(m, "none");
    set_mask(l, "none", 0);
    plan_append(&m->plan, l);
    plan_settle(m);
}

static void set_prefix(struct model_config *m, int tokens)
{
    assert_true(option_set_kind(&prefix_kinds, "bos", &m->prefix));
    m->prefix.number[PREFIX_OPTION_TOKENS] = tokens;
}

static void bos(struct model_config *m) { set_prefix(m, 1); }
static void two_tokens(struct model_config *m) { set_prefix(m, 2); }

static void registers(struct model_config *m)
{
    assert_true(option_set_kind(&prefix_kinds, "registers", &m->prefix));
    m->prefix.number[PREFIX_OPTION_TOKENS] = 2;
}

static void bos_and_window(struct model_config *m)
{
    bos(m);
    assert_true(option_set_kind(&mask_kinds, "window", &m->mask));
    m->mask.number[0] = 3;
}

static void gate(struct model_config *m)
{
    m->kv_heads = 2;
    m->output_gate = true;
}

static void mean_values(struct model_config *m)
{
    m->kv_heads = 2;
    m->values = MODEL_VALUES_MEAN;
}

static void first_values(struct model_config *m)
{
    m->kv_heads = 2;
    m->values = MODEL_VALUES_FIRST;
}

static struct kind_config *set_convolution(struct model_config *m, const char *name)
{
    assert_true(option_set_kind(&convolution_kinds, name, &m->convolution));
    return &m->convolution;
}

static void set_canon(struct model_config *m, bool residual, bool input, bool qkv, bool ffn)
{
    struct kind_config *c = set_convolution(m, "canon");
    const double number[] = {3, residual, input, qkv, ffn, false};
    memcpy(c->number, number, sizeof number);
    m->kv_heads = 2;
    set_prefix(m, 1);
}

static void canon_a(struct model_config *m) { set_canon(m, true, true, false, false); }
static void canon_b(struct model_config *m) { set_canon(m, true, false, true, false); }
static void canon_abc(struct model_config *m) { set_canon(m, true, true, true, true); }

static void convolution_ffn(struct model_config *m)
{
    set_canon(m, false, false, false, true);
    m->gated = true;
}

static void set_hidden(struct model_config *m, bool residual, bool others)
{
    set_canon(m, residual, others, others, others);
    m->convolution.number[5] = true;
    m->gated = true;
}

static void canon_d(struct model_config *m) { set_hidden(m, true, false); }
static void canon_abcd(struct model_config *m) { set_hidden(m, true, true); }
static void hidden_alone(struct model_config *m) { set_hidden(m, false, false); }

static void hidden_plain(struct model_config *m)
{
    canon_d(m);
    m->gated = false;
}

static void all_values(struct model_config *m)
{
    mean_values(m);
    gate(m);
    set_convolution(m, "canon")->number[0] = 3;
}

static void shift(struct model_config *m) { set_convolution(m, "shift"); }
static void shift_both(struct model_config *m) { set_convolution(m, "shift")->number[2] = 1; }

static void set_logits(struct model_config *m, const char *kind)
{
    assert_true(option_set_kind(&logits_kinds, kind, &m->logits));
    m->logits.number[0] = 0.7; /* of soft-cap */
}

static void cap(struct model_config *m) { set_logits(m, "soft-cap"); }
static void qk_norm(struct model_config *m) { set_logits(m, "qk-norm"); }
static void cosine(struct model_config *m) { set_logits(m, "cosine"); }
static void cap_of_two(struct model_config *m) { cap(m), two_keys(m); }
static void qk_norm_of_two(struct model_config *m) { qk_norm(m), two_keys(m); }
static void cosine_of_two(struct model_config *m) { cosine(m), two_keys(m); }

static void with_sink(struct model_config *m)
{
    assert_true(option_set_kind(&normaliser_kinds, "sink", &m->normaliser));
}

static void sink_behind_bos(struct model_config *m) { bos(m), with_sink(m); }

static void window_and_canon(struct model_config *m)
{
    bos_and_window(m);
    set_convolution(m, "canon")->number[0] = 3;
    assert_true(option_set_kind(&normaliser_kinds, "entmax", &m->normaliser));
}

static void two_keys_and_sink(struct model_config *m) { two_keys(m), with_sink(m); }

static void two_keys_and_ssmax(struct model_config *m)
{
    two_keys(m);
    assert_true(option_set_kind(&normaliser_kinds, "ssmax", &m->normaliser));
}

static void two_tokens_and_rms(struct model_config *m) { two_tokens(m), rms(m); }

static const struct blocks {
    const char *file, *encoding;
    void (*change[8])(struct model_config *m); /* by case; NULL: nothing */
} blocks[] = {
    {"block-norms", "none", {NULL, NULL, NULL, NULL, rms, rms, rms, rms}},
    {"block-gated", "none", {NULL, gated, gated, gated, gated}},
    {"block-grouped", "rope", {two_keys, two_keys, two_keys}},
    {"block-one-key", "toeplitz", {one_key, one_key}},
    {"block-plan", "rope", {rope_and_none, local_and_global}},
    {"block-prefix", "toeplitz", {bos, bos, bos, bos_and_window}},
    {"block-canon", "rope", {canon_a, canon_b, canon_abc, convolution_ffn}},
    {"block-canon-hidden", "rope", {canon_d, canon_abcd, hidden_alone}},
    {"block-canon-plain", "none", {hidden_plain, hidden_plain}},
    {"block-shift", "none", {shift, shift_both}},
    {"block-registers", "toeplitz", {registers, registers}},
    {"block-values", "rope", {mean_values, first_values, gate, all_values}},
    {"block-prefix-two", "rope", {two_tokens, two_tokens}},
    {"block-lengths", "toeplitz", {bos, sink_behind_bos, window_and_canon}},
    {"block-places", "rope", {two_keys, two_keys_and_sink, two_keys_and_ssmax}},
    {"block-embed-norm", "learned", {two_tokens, two_tokens, two_tokens_and_rms}},
    {"block-logits", "rope", {cap, qk_norm, cosine}},
    {"block-logits-bias", "toeplitz", {cap_of_two, qk_norm_of_two, cosine_of_two}},
};
enum { BLOCKS = sizeof blocks / sizeof *blocks };

/* ---- configurations ---------------------------------------------------------------------------*/
static struct rig_config variant_config(const struct safetensors *f, const struct variant *v, int k)
{
    struct rig_config c = parity_sizes(f, k);
    c.encoding = v->encoding;
    memcpy(c.option, v->option, sizeof c.option);
    c.mask = parity_integer(f, "case.mask", k);
    return c;
}

static struct rig_config weights_config(const struct safetensors *f, const struct weights *v, int k)
{
    struct rig_config c = parity_sizes(f, k);
    const struct weights_case *own = &v->cases[k == parity_cases(f) - 1 ? 0 : k];
    struct kind_config mask;
    assert_true(option_set_kind(&mask_kinds, own->mask, &mask));
    c.encoding = v->encoding;
    c.option[0] = v->option;
    c.space = v->space;
    c.normaliser = own->normaliser;
    memcpy(c.weights, own->option, sizeof c.weights);
    c.mask = mask.kind;
    memcpy(c.seen, own->seen, sizeof c.seen);
    return c;
}

static struct rig_config blocks_config(const struct safetensors *f, const struct blocks *v, int k)
{
    struct rig_config c = parity_sizes(f, k);
    c.encoding = v->encoding;
    c.mask = parity_integer(f, "case.mask", k);
    c.change = v->change[k];
    return c;
}

/* ---- walks over fixtures ----------------------------------------------------------------------*/
/* Every case of the fixtures of a table, from case `first` on, from the last where that is negative. */
#define EACH_CASE(table, count, config_of, first, check)                                           \
    for (int v = 0; v < (count); v++) {                                                            \
        struct safetensors f;                                                                      \
        parity_open((table)[v].file, &f);                                                         \
        for (int k = (first) < 0 ? parity_cases(&f) - 1 : (first); k < parity_cases(&f); k++) {            \
            struct rig_config c = config_of(&f, &(table)[v], k);                                   \
            check((table)[v].file, &f, k, &c);                                                     \
        }                                                                                          \
        safetensors_close(&f);                                                                     \
    }

static void test_every_variant(void **state)
{
    EACH_CASE(variants, VARIANTS, variant_config, 0, parity_check)
}

static void test_every_normaliser_and_mask(void **state)
{
    EACH_CASE(weights, WEIGHTS, weights_config, 0, parity_check)
}

static void test_every_block(void **state)
{
    EACH_CASE(blocks, BLOCKS, blocks_config, 0, parity_check)
    EACH_CASE(blocks, BLOCKS, blocks_config, 0, parity_check_wrong)
}

/* Every encoding of the table has a fixture with all four cases, or two where it is causal. */
static void test_nothing_is_left_out(void **state)
{
    for (int k = 0; encoding_table[k]; k++) {
        int found = 0;
        for (int v = 0; v < VARIANTS; v++)
            if (strcmp(variants[v].encoding, encoding_table[k]->name) == 0) {
                struct safetensors f;
                parity_open(variants[v].file, &f);
                found = parity_cases(&f);
                safetensors_close(&f);
            }
        if (encoding_table[k]->axes_max == 0) /* the fixtures are sequences */
            continue;
        if (found != (encoding_table[k]->past_only ? 2 : 4))
            fail_msg("%s has %d cases", encoding_table[k]->name, found);
    }
}

/* Whether a case has the normaliser, or the mask, of this name. */
static bool has_case(bool of_mask, const char *name)
{
    for (int v = 0; v < WEIGHTS; v++)
        for (int k = 0; k < WEIGHTS_CASES && weights[v].cases[k].normaliser; k++) {
            const struct weights_case *own = &weights[v].cases[k];
            if (strcmp(of_mask ? own->mask : own->normaliser, name) == 0)
                return true;
        }
    return false;
}

/* Every entry of both tables has a case, and every row of `weights` is one of its fixture. */
static void test_no_normaliser_or_mask_is_left_out(void **state)
{
    for (int k = 0; normaliser_table[k]; k++)
        if (!has_case(false, normaliser_table[k]->name))
            fail_msg("the normaliser %s has no case", normaliser_table[k]->name);
    for (int k = 0; mask_table[k]; k++)
        if (!has_case(true, mask_table[k]->name))
            fail_msg("the mask %s has no case", mask_table[k]->name);
    for (int v = 0; v < WEIGHTS; v++) {
        struct safetensors f;
        int cases = 0;
        parity_open(weights[v].file, &f);
        while (cases < WEIGHTS_CASES && weights[v].cases[cases].normaliser)
            cases++;
        assert_int_equal(cases + 1, parity_cases(&f));
        safetensors_close(&f);
    }
}

/* Of variants the last case, urpe and causal: everything is there. */
static void test_a_wrong_weight_is_seen(void **state)
{
    EACH_CASE(variants, VARIANTS, variant_config, -1, parity_check_wrong)
    EACH_CASE(weights, WEIGHTS, weights_config, 0, parity_check_wrong)
}

static void check_other_cases(const char *file, const struct safetensors *f, int k,
                              const struct rig_config *c)
{
    struct rig r;
    parity_rig(&r, f, c);
    rig_forward(&r);
    for (int other = 0; other < parity_cases(f); other++)
        if (other != k && parity_distance(&r, f, other) < 1e-3)
            fail_msg("%s: case %d gives what case %d wants", file, k, other);
    rig_close(&r);
}

/* A normaliser's option or a mask in the place of another is seen in outputs. */
static void test_a_wrong_case_is_seen(void **state)
{
    EACH_CASE(weights, WEIGHTS, weights_config, 0, check_other_cases)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_variant),
        cmocka_unit_test(test_every_normaliser_and_mask),
        cmocka_unit_test(test_every_block),
        cmocka_unit_test(test_nothing_is_left_out),
        cmocka_unit_test(test_no_normaliser_or_mask_is_left_out),
        cmocka_unit_test(test_a_wrong_weight_is_seen),
        cmocka_unit_test(test_a_wrong_case_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

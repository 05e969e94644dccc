/* What the parts of attention refuse: at its key, with what to do instead. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <string.h>

#include "mask/mask.h"

/* Refused at the @, which is left out. */
static void refused_at(const char *marked, const char *phrase)
{
    char yaml[512], place[64];
    const char *at = strchr(marked, '@'), *line = at;
    int lines = 1;
    assert_non_null(at);
    for (const char *c = marked; c < at; c++)
        lines += *c == '\n';
    while (line > marked && line[-1] != '\n')
        line--;
    snprintf(yaml, sizeof yaml, "%.*s%s", (int)(at - marked), marked, at + 1);
    snprintf(place, sizeof place, "spec.yaml:%d:%d", lines, (int)(at - line) + 1);
    refused(place, phrase, yaml, NULL);
}

/* Every mask on every space: where it means nothing, the message names those that are defined. */
static void masks_mean_nothing_on_other_spaces(void **state)
{
    static const struct {
        const char *name, *others;
        int axes;
    } spaces[] = {{"graph", "expected one of none, hops", 0},
                  {"sequence", "expected one of none, causal, strict, window, dilated, strided, blocks, "
                   "prefix-lm", 1},
                  {"grid", "expected one of none, causal, strict, neighbourhood", 2}};
    int refusals = 0;
    for (size_t s = 0; s < sizeof spaces / sizeof *spaces; s++)
        for (int k = 0; mask_table[k]; k++) {
            char yaml[128];
            bool defined = mask_table[k]->axes_min <= spaces[s].axes &&
                           spaces[s].axes <= mask_table[k]->axes_max;
            snprintf(yaml, sizeof yaml, "target: mean\nspace: %s\nmodel:\n  mask: %s%s\n",
                     spaces[s].name, defined ? "" : "@", mask_table[k]->name);
            if (defined)
                spec_close(spec_of(yaml, NULL));
            else
                refused_at(yaml, spaces[s].others);
            refusals += !defined;
        }
    assert_true(refusals >= 16);
}

static const struct wrong {
    const char *model, *phrase;
} wrong[] = {
    /* A kind that needs a mask that looks back, without one. */
    {"normaliser: @stick-breaking", "set model.mask: causal, or choose another normaliser"},
    {"mask: {kind: window, future: 2}, normaliser: @stick-breaking", "set model.mask: causal"},
    {"mask: {kind: blocks, causal: false}, normaliser: @stick-breaking", "set model.mask: causal"},
    {"mask: prefix-lm, normaliser: @stick-breaking", "set model.mask: causal"},
    {"encoding: @cope", "set model.mask: causal, or choose another encoding"},
    {"encoding: @xpos", "set model.mask: causal"},
    {"encoding: @fox", "set model.mask: causal"},
    {"encoding: @fox, mask: prefix-lm", "set model.mask: causal"},
    /* Parts that do not go together. */
    {"encoding: @cope, mask: causal, normaliser: linear", "expected another encoding, or another "
     "model.normaliser"},
    {"heads: @1, normaliser: differential", "expected an even number, not 1"},
    {"normaliser: {kind: linear, phi: @none}", "expected elu, or model.normaliser.divide: none"},
    {"normaliser: {kind: entmax, alpha: @3, learned: true}", "expected less than 2, or learned: false"},
    {"logits: @soft-cap, normaliser: linear", "expected none, or another model.normaliser"},
    /* Options out of range, unknown, or of another kind. */
    {"mask: {kind: window, past: @0}", "expected a whole number from 1"},
    {"mask: {kind: window, future: @-1}", "expected a whole number from 0"},
    {"mask: {kind: dilated, step: @0}", "expected a whole number from 1"},
    {"mask: {kind: dilated, size: @0}", "expected a whole number from 1"},
    {"mask: {kind: strided, length: @0}", "expected a whole number from 1"},
    {"mask: {kind: blocks, size: @0}", "expected a whole number from 1"},
    {"mask: {kind: blocks, causal: @maybe}", "expected true or false"},
    {"mask: {kind: prefix-lm, prefix: @-1}", "expected a whole number from 1"},
    {"mask: {kind: causal, past: @3}", "mask 'causal' has no such option; expected it only with window"},
    {"mask: @casual", "did you mean causal?"},
    {"normaliser: {kind: sink, std: @-1}", "expected a number from 0"},
    {"normaliser: {kind: sigmoid, divide: @n}", "expected one of none, m"},
    {"normaliser: {kind: sigmoid, minus_log: @2}", "expected one of none, n, m"},
    {"normaliser: {kind: relu, power: @3}", "expected a whole number from 1 to 2"},
    {"normaliser: {kind: relu, over: @k}", "expected one of n, m"},
    {"normaliser: {kind: linear, divide: @m}", "expected one of sum, unrotated, none"},
    {"normaliser: {kind: entmax, alpha: @1}", "expected a number from 1.01 to 16"},
    {"normaliser: {kind: average-hard, tie: @2}", "expected a number from 0 to 1"},
    {"normaliser: {kind: differential, norm: @rms}", "expected true or false"},
    {"normaliser: {kind: ssmax, bias: @0}", "expected true or false"},
    {"mask: causal, normaliser: {kind: stick-breaking, remainder: @rest}", "drop, value, head"},
    {"normaliser: {kind: softmax, mean: @1}", "normaliser 'softmax' has no such option; expected it "
     "only with sink"},
    {"normaliser: @softmacks", "did you mean softmax?"},
    {"mask: causal, encoding: {kind: fox, bias: @1000}", "expected a number from -100 to 100"},
    {"logits: {kind: soft-cap, cap: @0}", "expected a number from 0.001"},
    {"logits: @soft-clip", "did you mean soft-cap?"},
    {"attention: @softmax", "expected one of rpe, urpe"},
};

static void wrong_parts_are_refused(void **state)
{
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "target: gain\nmodel: {%s}\n", wrong[k].model);
        refused_at(yaml, wrong[k].phrase);
    }
}

/* sigmoid and linear have an option of one name and different values: a claim may be about either. */
static void claims_know_options_of_every_kind(void **state)
{
    static const char yaml[] = "target: gain\n"
                               "cases:\n"
                               "  - {model.normaliser: {kind: sigmoid, divide: m}}\n"
                               "  - {model.normaliser: {kind: linear, divide: sum}}\n"
                               "claims:\n"
                               "  - where: {model.normaliser: %s, model.normaliser.divide: %s}\n"
                               "    expect: {floor_rel: \">= 0\"}\n";
    char text[512];
    snprintf(text, sizeof text, yaml, "linear", "sum");
    spec_close(spec_of(text, NULL));
    snprintf(text, sizeof text, yaml, "sigmoid", "m");
    spec_close(spec_of(text, NULL));
    snprintf(text, sizeof text, yaml, "linear", "@rows");
    refused_at(text, "rows is unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_mean_nothing_on_other_spaces),
        cmocka_unit_test(wrong_parts_are_refused),
        cmocka_unit_test(claims_know_options_of_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

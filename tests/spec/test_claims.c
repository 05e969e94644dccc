/* Claims as they are read, and the columns they name. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <string.h>

static void a_claim_keeps_what_it_says(void **state)
{
    struct spec *s = spec_of(
        "target: gain\nclaims:\n"
        "  - where: {model.attention: [rpe, urpe], target.kind: gain, subset: identical, seed: 0}\n"
        "    expect: {verdict: impossible, gap_rel: ['>= -1e-5', '<=0.02'], layers: 2}\n"
        "  - {expect: {floor_rel: '> 0.5'}, on: bound}\n"
        "  - {where: {train.lr: 3e-3, model.share: true}, expect: {error_rel: '= 0'}, "
        "on: witness}\n"
        "  - {expect: {error_rel: '> 0'}, pair: {train.lr: [3e-3, 1e-2]}}\n",
        NULL);
    assert_int_equal(spec_claims(s), 4);
    const struct claim *c = spec_claim(s, 0);
    assert_int_equal(c->on, CLAIM_ON_RUN);
    assert_int_equal(c->line, 3);
    assert_int_equal(c->wheres, 4);
    assert_int_equal(c->where[0].column, -1);
    assert_string_equal(c->where[0].key, "model.attention");
    assert_int_equal(c->where[0].count, 2);
    assert_string_equal(c->where[0].value[1], "urpe");
    assert_int_equal(c->where[2].column, column_index("subset"));
    assert_string_equal(c->where[3].value[0], "0");
    assert_int_equal(c->expects, 4);
    assert_int_equal(c->expect[0].column, column_index("verdict"));
    assert_false(c->expect[0].number);
    assert_string_equal(c->expect[0].text, "impossible");
    assert_true(c->expect[1].number);
    assert_int_equal(c->expect[1].op, CLAIM_GREATER_EQUAL);
    assert_true(c->expect[1].value == -1e-5);
    assert_int_equal(c->expect[2].op, CLAIM_LESS_EQUAL);
    assert_true(c->expect[2].value == 0.02);
    assert_int_equal(c->expect[3].op, CLAIM_EQUAL);
    assert_true(c->expect[3].value == 2);
    assert_non_null(strstr(c->text, "subset: identical"));

    c = spec_claim(s, 1);
    assert_int_equal(c->on, CLAIM_ON_BOUND);
    assert_int_equal(c->wheres, 0);
    assert_int_equal(c->expect[0].op, CLAIM_GREATER);
    c = spec_claim(s, 2);
    assert_int_equal(c->on, CLAIM_ON_WITNESS);
    assert_string_equal(c->where[0].value[0], "0.003"); /* as spec_value prints it */
    value_is(s, 0, "train.lr", "0.003");
    assert_string_equal(c->where[1].value[0], "true");
    assert_string_equal(c->pair.key, "");
    c = spec_claim(s, 3);
    assert_string_equal(c->pair.key, "train.lr");
    assert_string_equal(c->pair.value[0], "0.003");
    assert_string_equal(c->pair.value[1], "0.01");
    assert_string_equal(c->text, "pair {train.lr: [0.003, 0.01]} expect {error_rel: \"> 0\"}");
    spec_close(s);
}

static void long_claims_are_cut_for_people(void **state)
{
    struct spec *s = spec_of(
        "target: gain\nclaims: [{where: {seed: [10000001, 10000002, 10000003, 10000004, 10000005, "
        "10000006, 10000007, 10000008, 10000009, 10000010, 10000011, 10000012, 10000013, 10000014, "
        "10000015, 10000016, 10000017, 10000018, 10000019, 10000020, 10000021, 10000022, 10000023, "
        "10000024, 10000025, 10000026]}, expect: {verdict: reached}}]\n", NULL);
    const char *text = spec_claim(s, 0)->text;
    assert_int_equal(strlen(text), sizeof spec_claim(s, 0)->text - 1);
    assert_string_equal(text + strlen(text) - 3, "...");
    assert_int_equal(spec_claim(s, 0)->where[0].count, 26);
    spec_close(s);
}

static void columns_are_found_by_name(void **state)
{
    struct spec *s = spec_of("target: pi\n", NULL);
    for (int k = 0; k < RESULT_COUNT; k++) {
        const struct column *c = &column_table[k];
        assert_int_equal(column_index(c->name), k);
        char value[256];
        if (c->key)
            assert_true(spec_value(spec_cell(s, 0), c->key, value, sizeof value));
    }
    assert_int_equal(column_index("nonsense"), -1);
    assert_int_equal(column_index("axes"), RESULT_axes);
    spec_close(s);
}

/* ---- claims that no row will bear out ---------------------------------------------------------*/

static const char cells[] =
    "seeds: 3\nspace: {length: 8, inputs: {identical: 0.5}}\nevaluate: {lengths: [4]}\n"
    "model: {heads: 1, width: 8}\n"
    "grid: {target: [gain, pi], model.attention: [rpe, urpe], model.encoding: [toeplitz, t5]}\n";

/* The claim {where: {W}, expect: {E}} about these cells is refused where its line says `at`; phrase
 * NULL: it can be judged. */
static void claim_is(const char *phrase, const char *at, const char *where, const char *expect)
{
    char yaml[1024], place[32];
    struct err e = {0};
    snprintf(yaml, sizeof yaml, "%sclaims: [{where: {%s}, expect: {%s}}]\n", cells, where, expect);
    struct spec *s = spec_of(yaml, NULL);
    assert_int_equal(spec_check_claims(s, &e), phrase ? ERR_USAGE : 0);
    spec_close(s);
    if (!phrase)
        return;
    if (!strstr(e.msg, phrase))
        fail_msg("'%s' does not hold '%s'", e.msg, phrase);
    const char *line = strstr(yaml, "claims:");
    snprintf(place, sizeof place, "spec.yaml:6:%d", (int)(strstr(line, at) - line) + 1);
    assert_string_equal(e.where, place);
}

static void claims_without_a_row_are_found(void **state)
{
    static const char reached[] = "verdict: reached";
    claim_is("subset: no row will have palindrome; expected one of all, generic, identical",
             "palindrome", "subset: palindrome", reached);
    claim_is("seed: no row will have 5; expected one of 0, 1, 2", "5", "seed: 5", reached);
    claim_is("target.kind: no row will have mean; expected one of gain, pi", "mean",
             "target.kind: mean", reached);
    claim_is("target: no row will have any of these; expected one of gain, pi", "[mean",
             "target: [mean, sort]", reached);
    claim_is("encoding: no row will have alibi; expected one of toeplitz, t5", "alibi",
             "encoding: alibi", reached);
    claim_is("length: no row will have 99; expected one of 4, 8", "99", "length: 99", reached);
    claim_is("target.k: no row will have 2; it applies to none", "2", "target.k: 2", reached);
    claim_is("where: no row will have all of this at once", "{model.enc",
             "model.encoding.buckets: 32, encoding: toeplitz", reached);
    claim_is(NULL, NULL, "subset: [palindrome, identical], seed: 2, length: 4, attention: urpe",
             reached);
    claim_is(NULL, NULL, "model.encoding.buckets: 32, vocab: 10, target.kind: pi", reached);
    claim_is(NULL, NULL, "verdict: impossible, params: 7", reached); /* who knows before training */
}

static void claims_on_empty_figures_are_found(void **state)
{
    claim_is("accuracy: will be empty in every row that matches; expected a figure of continuous "
             "targets, such as error_rel", "accuracy", "target: gain", "accuracy: '>= 1'");
    claim_is("error_rel: will be empty in every row that matches; expected a figure of token "
             "targets, such as accuracy", "error_rel", "target: pi", "error_rel: '<= 1'");
    claim_is("bits_per_byte: will be empty", "bits", "target: pi", "bits_per_byte: '<= 1'");
    claim_is("error_worst: will be empty", "error_w", "target: gain", "error_worst: '<= 1'");
    claim_is("model.encoding.buckets: will be empty", "model.enc", "encoding: toeplitz",
             "model.encoding.buckets: 32");
    claim_is(NULL, NULL, "target: gain", "error_rel: ['<= 1', '>= 0'], gap_rel: 0, seconds: '< 1'");
    claim_is(NULL, NULL, "target: pi", "accuracy: 1, informative_ceiling: 1, witness_accuracy: 1");
}

/* {pair: {P}, where: {W}, expect: {error_rel: 0}}: refused where the line says `at`; phrase NULL: it
 * can be judged. */
static void pair_is(const char *phrase, const char *at, const char *pair, const char *where)
{
    char yaml[1024], place[32];
    struct err e = {0};
    snprintf(yaml, sizeof yaml, "%sclaims: [{pair: {%s}, where: {%s}, expect: {error_rel: 0}}]\n",
             cells, pair, where);
    struct spec *s = spec_of(yaml, NULL);
    assert_int_equal(spec_check_claims(s, &e), phrase ? ERR_USAGE : 0);
    spec_close(s);
    if (!phrase)
        return;
    if (!strstr(e.msg, phrase))
        fail_msg("'%s' does not hold '%s'", e.msg, phrase);
    const char *line = strstr(yaml, "claims:");
    snprintf(place, sizeof place, "spec.yaml:6:%d", (int)(strstr(line, at) - line) + 1);
    assert_string_equal(e.where, place);
}

static void pairs_that_no_cells_make_are_found(void **state)
{
    pair_is(NULL, NULL, "model.attention: [rpe, urpe]", "target: gain, subset: identical");
    pair_is(NULL, NULL, "encoding: [t5, toeplitz]", "target: gain, model.encoding.buckets: 32");
    pair_is(NULL, NULL, "model.attention: [rpe, urpe]", "target: gain, model.c.init: ones");
    pair_is("model.encoding: no row will have alibi; expected one of toeplitz, t5", "alibi",
            "model.encoding: [t5, alibi]", "target: gain");
    pair_is("train.lr: no row will have 0.1; expected one of 0.003", "0.1]",
            "train.lr: [0.003, 0.1]", "target: gain");
    pair_is("where: no pair will have all of this at once", "{target: gain, vocab",
            "model.attention: [rpe, urpe]", "target: gain, vocab: 10");
    pair_is("will be empty in every row that matches", "error_rel", "model.attention: [rpe, urpe]",
            "target: pi");
    pair_is("subset: no row will have prefix", "prefix", "model.attention: [rpe, urpe]",
            "subset: prefix");
    struct err e = {0};
    struct spec *s = spec_of("target: gain\ncases:\n  - {model.encoding: t5, train.lr: 0.1}\n"
                             "  - {model.encoding: rope, train.lr: 0.2}\nclaims:\n"
                             "  - {pair: {model.encoding: [t5, rope]}, expect: {error_rel: 0}}\n",
                             NULL);
    assert_int_equal(spec_check_claims(s, &e), ERR_USAGE);
    assert_string_equal(e.where, "spec.yaml:6:12");
    assert_non_null(strstr(e.msg, "no two cells differ in model.encoding alone"));
    spec_close(s);
}

/* A witness chooses its sizes, and is measured at the training length alone. */
static void claims_on_witnesses_know_less(void **state)
{
    struct err e = {0};
    struct spec *s = spec_of("target: gain\nclaims:\n  - {on: witness, where: {layers: 9}, "
                             "expect: {error_rms: 0}}\n", NULL);
    assert_int_equal(spec_check_claims(s, &e), 0);
    spec_close(s);
    s = spec_of("target: gain\nevaluate: {lengths: [16, 64]}\nclaims:\n"
                "  - {on: witness, where: {length: 16}, expect: {error_rms: 0}}\n", NULL);
    assert_int_equal(spec_check_claims(s, &e), ERR_USAGE);
    assert_string_equal(e.where, "spec.yaml:4:35");
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_keeps_what_it_says),
        cmocka_unit_test(long_claims_are_cut_for_people),
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(claims_without_a_row_are_found),
        cmocka_unit_test(claims_on_empty_figures_are_found),
        cmocka_unit_test(pairs_that_no_cells_make_are_found),
        cmocka_unit_test(claims_on_witnesses_know_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

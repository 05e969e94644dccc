/* The resolved spec and the resolved cell read back to the same cells and to the same text. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

static void same_cells(const struct spec *a, const struct spec *b)
{
    assert_int_equal(spec_cells(a), spec_cells(b));
    for (int k = 0; k < spec_cells(a); k++) {
        assert_string_equal(spec_cell(a, k)->id, spec_cell(b, k)->id);
        assert_string_equal(spec_cell(a, k)->group, spec_cell(b, k)->group);
    }
    assert_int_equal(spec_claims(a), spec_claims(b));
    for (int k = 0; k < spec_claims(a); k++)
        assert_string_equal(spec_claim(a, k)->text, spec_claim(b, k)->text);
}

static void check_spec(const struct spec *s)
{
    struct text once = {0}, twice = {0};
    assert_int_equal(spec_text(s, &once, NULL), 0);
    struct spec *again = spec_of(once.data, NULL);
    same_cells(s, again);
    assert_int_equal(spec_text(again, &twice, NULL), 0);
    assert_string_equal(once.data, twice.data);
    assert_string_equal(spec_hash(s), spec_hash(again));
    char hash[HASH_TEXT];
    hash_text(hash, once.data, once.length);
    assert_string_equal(spec_hash(s), hash);
    spec_close(again);
    text_close(&once);
    text_close(&twice);
}

static void check_cell(const struct cell *c)
{
    struct text once = {0}, twice = {0};
    assert_int_equal(spec_cell_text(c, "a-cell", &once, NULL), 0);
    struct spec *again = spec_of(once.data, NULL);
    assert_int_equal(spec_cells(again), 1);
    assert_string_equal(spec_cell(again, 0)->id, c->id);
    assert_int_equal(spec_cell_text(spec_cell(again, 0), "a-cell", &twice, NULL), 0);
    assert_string_equal(once.data, twice.data);
    spec_close(again);
    text_close(&once);
    text_close(&twice);
}

/* Pieces of specs, and --set texts, that are drawn at random and mostly fit together. */
static const char *const sections[] = {
    "target: gain\n", "target: {kind: pi, vocab: 5}\n", "target: {kind: gain}\n"};
static const char *const models[] = {
    "", "model: {encoding: {kind: t5, buckets: 8}}\n", "model: {width: 32, c: bucketed}\n",
    "model: {encoding: alibi, attention: rpe}\n",
    "model: {plan: {name: 'a: b', layers: [{encoding: rope, layers: 3}, {c: {init: normal}}]}}\n",
    "model: {plan: [{attention: rpe}, {attention: urpe, c: bucketed, share: false}]}\n", "model:\n  c: {init: normal, mean: 0.1}\n",
    "model: {preset: gemma-2, width: 32}\n",
    "model: {convolution: {kind: canon, ffn: true}, prefix: bos, preset: llama-4}\n"};
static const char *const others[] = {
    "", "seeds: [4, 2]\n", "seeds: 2\n", "space: {inputs: {identical: 0.1}, length: 9}\n",
    "evaluate: {lengths: 48, tolerance: 0.30000000000000004}\n",
    "train: {optimizer: {kind: adamw, weight_decay: 1e-3}, lr: 0.1}\n"};
static const char *const cases[] = {
    "", "cases: [{model.heads: 2, model.layers: 1}, {model.heads: 1}]\n",
    "cases: [{train.optimizer: {kind: adam, beta1: 0.5}}, {}]\n",
    "cases: [{model.heads: 2}, {space: {inputs: {prefix: 0.5}}}]\n"};
static const char *const grids[] = {
    "", "grid: {model.encoding: [{kind: t5, buckets: 16}, alibi, t5]}\n",
    "grid: {model.encoding.kind: [toeplitz, none], model.attention: [rpe, urpe]}\n",
    "grid: {model.plan: [none, [{mask: causal}, {}], [{normaliser: {kind: entmax, alpha: 1.25}}, {}]]}\n",
    "grid: {model.preset: [none, bert, bloom]}\n",
    "grid: {model.attention: [rpe, urpe]}\nexcept: [{model.attention: rpe, model.encoding: [t5, alibi]}]\n",
    "grid: {model.preset: [none, bert, llama-4], model.prefix: [none, bos]}\n",
    "grid: {target: [position, {kind: gain}], model.c.init: [ones, normal]}\n",
    "grid: {evaluate.lengths: [16, [32, 40]], train: [{lr: 0.2}, {steps: 5, lr: 0.3}]}\n"};
static const char *const claims[] = {
    "", "claims:\n  - where: {target: gain, seed: [1, 2]}\n"
        "    expect: {gap_rel: ['>= -1e-5', \"<= 0.02\"], verdict: impossible}\n",
    "claims: [{on: bound, expect: {floor_rel: 0}}]\nfigures: [a, b-c]\nname: 'some.name'\n",
    "claims: [{where: {model.share: True, experiment: \"a\\tb \\u0085 \\u2028 c: #d\"}, "
    "expect: {status: ok}}]\n"};
static const char *const sets[] = {
    "seeds=[3]", "model.encoding=[t5, none]", "model.encoding=alibi", "model.encoding.kind=t5",
    "train.lr=[0.1, 0.2]", "target=position", "space.inputs={periodic: 0.2}", "model.heads=1",
    "model.preset=gpt-oss", "model.preset=[t5, none]",
    "model.c=bucketed", "model.plan=[{encoding: {kind: rope, base: 20}, mask: causal}, {}]", "model.encoding.max_distance=200", "evaluate.lengths=[8]",
    "space={kind: graph, nodes: 5, max_distance: 3}", "space.kind=grid"};

#define PICK(list) list[gsl_rng_uniform_int(r, sizeof list / sizeof list[0])]

static void random_specs_read_back(void **state)
{
    struct stream stream;
    int fine = 0;
    stream_open(&stream, 1, "test", 0);
    gsl_rng *r = stream_rng(&stream);
    for (int trial = 0; trial < 600; trial++) {
        char yaml[2048];
        const char *set[3] = {PICK(sets), PICK(sets), PICK(sets)};
        int count = (int)gsl_rng_uniform_int(r, 4);
        struct spec *s;
        struct err e = {0};
        snprintf(yaml, sizeof yaml, "%s%s%s%s%s%s", PICK(sections), PICK(models), PICK(others),
                 PICK(cases), PICK(grids), PICK(claims));
        if (spec_parse(&s, "spec.yaml", yaml, strlen(yaml), set, count, &e)) {
            assert_int_equal(e.code, ERR_USAGE); /* pieces that do not go together */
            continue;
        }
        check_spec(s);
        for (int k = 0; k < spec_cells(s) && k < 3; k++)
            check_cell(spec_cell(s, k));
        spec_close(s);
        fine++;
    }
    assert_true(fine > 200);
}

/* Bytes from anywhere: refused or read, never worse; what is read, reads back. */
static void mangled_specs_do_no_harm(void **state)
{
    struct stream stream;
    stream_open(&stream, 2, "test", 0);
    gsl_rng *r = stream_rng(&stream);
    for (int trial = 0; trial < 2000; trial++) {
        char yaml[2048];
        struct spec *s;
        struct err e = {0};
        int length = snprintf(yaml, sizeof yaml, "%s%s%s%s%s", PICK(sections), PICK(models),
                              PICK(others), PICK(grids), PICK(claims));
        for (int k = 0; k < 3; k++)
            yaml[gsl_rng_uniform_int(r, (unsigned long)length)] =
                "{}[]:,-#'\"&*!|>%@`\t\n 0azX\x80\xff"[gsl_rng_uniform_int(r, 26)];
        if (spec_parse(&s, "spec.yaml", yaml, (size_t)length, NULL, 0, &e)) {
            assert_int_equal(e.code, ERR_USAGE);
            assert_memory_equal(e.where, "spec.yaml:", 10);
            continue;
        }
        check_spec(s);
        spec_close(s);
    }
}

static void what_says_nothing_is_left_out(void **state)
{
    struct spec *s = spec_of("target: gain\nmodel: {attention: rpe}\n", NULL);
    struct text t = {0};
    assert_int_equal(spec_cell_text(spec_cell(s, 0), "x", &t, NULL), 0);
    assert_null(strstr(t.data, "\n  c:"));
    assert_null(strstr(t.data, "vocab"));
    assert_null(strstr(t.data, "init"));
    assert_null(strstr(t.data, "adversary"));
    assert_non_null(strstr(t.data, "\n  encoding: toeplitz\n"));
    assert_non_null(strstr(t.data, "name: x\nseeds: [0]\nspace:\n  kind: sequence\n"));
    text_clear(&t);
    assert_int_equal(spec_text(s, &t, NULL), 0);
    assert_null(strstr(t.data, "init"));
    assert_null(strstr(t.data, "std"));
    text_close(&t);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_specs_read_back),
        cmocka_unit_test(mangled_specs_do_no_harm),
        cmocka_unit_test(what_says_nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From spec to cells: defaults, precedence, cases, grid, --set, seeds, duplicates, limits. */
#include "spec/help_spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"

static void everything_but_the_target_has_a_default(void **state)
{
    struct spec *s = spec_of("target: gain\n", NULL);
    assert_int_equal(spec_cells(s), 1);
    assert_int_equal(spec_axes(s), 0);
    assert_string_equal(spec_name(s), "spec");
    assert_int_equal(spec_cell(s, 0)->task.seed, 0);
    value_is(s, 0, "target", "gain");
    value_is(s, 0, "target.kind", "gain");
    value_is(s, 0, "space", "sequence");
    value_is(s, 0, "space.length", "32");
    value_is(s, 0, "model.c.init", "ones");
    value_is(s, 0, "train.lr", "0.003");
    value_is(s, 0, "train.optimizer.beta2", "0.999");
    value_is(s, 0, "evaluate.lengths", "[32]");
    value_is(s, 0, "target.vocab", NULL);
    value_is(s, 0, "model.encoding.buckets", NULL);
    value_is(s, 0, "no.such.key", NULL);
    spec_close(s);
}

/* Specs of one name share their results, so no name is made up. */
static void files_name_their_specs(void **state)
{
    static const char *const names[][2] = {
        {"a/b.c/my-spec.yaml", "my-spec"}, {"7", "7"},        {"<stdin>", "experiment"},
        {"a/my spec.yaml", "my-spec"},          {"-x.yaml", NULL}, {".yaml", NULL},
        {"\xc3\x9cn\xc3\xaf.yaml", NULL}, {"a\033.yaml", NULL},
        {"sixty-five-letters-are-one-too-many-for-a-name-of-an-experiment12.yaml", NULL}};
    static const char gain[] = "target: gain\n", named[] = "name: mine\ntarget: gain\n";
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        struct spec *s;
        struct err e = {0};
        const char *file = names[k][0], *name = names[k][1];
        assert_int_equal(spec_parse(&s, file, gain, strlen(gain), NULL, 0, &e),
                         name ? 0 : ERR_USAGE);
        if (name)
            assert_string_equal(spec_name(s), name);
        else
            assert_non_null(strstr(e.msg, "name: is missing, and the file's own, "));
        spec_close(s);
        assert_int_equal(spec_parse(&s, file, named, strlen(named), NULL, 0, &e), 0);
        spec_close(s);
    }
}

static void short_and_long_kinds_are_one(void **state)
{
    struct spec *a = spec_of("target: gain\nmodel: {encoding: t5}\nspace: sequence\n", NULL);
    struct spec *b = spec_of("target: {kind: gain}\nspace: {kind: sequence}\n"
                             "model: {encoding: {buckets: 32, kind: t5}}\n", NULL);
    assert_string_equal(spec_cell(a, 0)->id, spec_cell(b, 0)->id);
    spec_close(a);
    spec_close(b);
}

/* A length meant for sequences is no mistake where another space takes their place. */
static void a_length_gives_way_to_a_size(void **state)
{
    static const char line[] = "space: {length: 8}\ntarget: mean\n";
    struct spec *a = spec_of(line, "space.kind=grid", "model.heads=1", NULL);
    struct spec *b = spec_of(line, "space={kind: grid, width: 3}", NULL);
    struct spec *c = spec_of(line, "space.kind=[sequence, grid, graph]", NULL);
    assert_int_equal(spec_cell(a, 0)->task.space.length, 36);
    assert_int_equal(spec_cell(b, 0)->task.space.length, 18);
    assert_int_equal(spec_cell(c, 0)->task.space.length, 8);
    assert_int_equal(spec_cell(c, 1)->task.space.length, 36);
    spec_close(a);
    spec_close(b);
    spec_close(c);
}

static int note_value(void *context, const char *key, const char *value)
{
    if (!strcmp(key, "model.encoding.std") || !strcmp(key, "model.init"))
        text_append_format(context, "%s=%s ", key, value);
    return 0;
}

/* Left out of ids and of resolved specs, a default is a value all the same: on an axis, in a claim,
 * and where two specs are compared. */
static void a_default_on_an_axis_is_a_value(void **state)
{
    struct text t = {0};
    struct spec *s = spec_of("target: gain\ngrid: {model.encoding.std: [0.02, 0.5], "
                             "model.init: [default, witness]}\nclaims:\n"
                             "  - {where: {model.encoding.std: 0.02, model.init: default}, "
                             "expect: {verdict: reached}}\n"
                             "  - {where: {model.encoding.std: 0.02}, expect: {model.init: default}}\n",
                             NULL);
    struct spec *plain = spec_of("target: gain\n", NULL);
    struct err e = {0};
    assert_int_equal(spec_cells(s), 4);
    assert_string_equal(spec_cell(s, 0)->id, spec_cell(plain, 0)->id);
    value_is(s, 0, "model.encoding.std", "0.02");
    value_is(s, 0, "model.init", "default");
    value_is(s, 3, "model.encoding.std", "0.5");
    value_is(s, 3, "model.init", "witness");
    assert_int_equal(spec_check_claims(s, &e), 0);
    assert_int_equal(spec_base(plain, note_value, &t, NULL), 0);
    assert_string_equal(t.data, "model.encoding.std=0.02 model.init=default ");
    text_close(&t);
    spec_close(plain);
    spec_close(s);
}

static void numbers_are_yaml_1_2(void **state)
{
    cells_are(1, "target: gain\ntrain: {steps: 2e3, batch: 0x10, warmup: 0o17, lr: 1e-3}\n"
              "model: {share: False}\n", "", "0 train.steps 2000", "0 train.batch 16",
              "0 train.warmup 15", "0 train.lr 0.001", "0 model.share false", NULL);
}

/* One row: --set over grid over cases over spec over default. */
static void later_layers_win(void **state)
{
    static const char *const table[][3] = {
        {"target: gain\n", "", "0 train.lr 0.003"},
        {"target: gain\ntrain: {lr: 0.1}\n", "", "0 train.lr 0.1"},
        {"target: gain\ntrain: {lr: 0.1}\ncases: [{train.lr: 0.2}]\n", "", "0 train.lr 0.2"},
        {"target: gain\ntrain: {lr: 0.1}\ngrid: {train.lr: [0.3]}\n", "", "0 train.lr 0.3"},
        {"target: gain\n", "train.lr=0.4", "0 train.lr 0.4"},
        {"target: gain\ntrain: {lr: 0.1}\n", "train.lr=0.4", "0 train.lr 0.4"},
        {"target: gain\ntrain: {lr: 0.1}\ncases: [{train.lr: 0.2}]\n", "train.lr=0.4",
         "0 train.lr 0.4"},
        {"target: gain\ntrain: {lr: 0.1}\ngrid: {train.lr: [0.3]}\n", "train.lr=0.4",
         "0 train.lr 0.4"},
        {"target: gain\ntrain: {lr: wrong}\n", "train.lr=0.4", "0 train.lr 0.4"},
        {"target: gain\ngrid: {train.lr: 7}\n", "train.lr=0.4", "0 train.lr 0.4"},
        {"target: gain\ncases: [{train.lr: wrong}]\n", "train.lr=0.4", "0 train.lr 0.4"},
        {"target: gain\ntrain: {lr: 0.1}\n", "train={lr: 0.5}", "0 train.lr 0.5"},
        {"target: gain\ntrain: {lr: wrong}\n", "train={lr: 0.5}", "0 train.lr 0.5"},
        {"target: wrong\n", "target=gain", "0 train.lr 0.003"},
    };
    for (size_t k = 0; k < sizeof table / sizeof table[0]; k++)
        cells_are(1, table[k][0], table[k][1], table[k][2], NULL);
}

static void a_key_is_replaced_whole_but_a_section_is_not(void **state)
{
    cells_are(1, "target: {kind: etp, vocab: 7}\nmodel: {encoding: {kind: t5, buckets: 8}}\n"
              "space: {length: 16, inputs: {identical: 0.5}}\n",
              "model.encoding=alibi|target=pi|space.inputs={prefix: 0.25}",
              "0 model.encoding alibi", "0 target pi", "0 target.vocab 7", "0 space.length 16",
              "0 space.inputs.identical 0", "0 space.inputs.prefix 0.25", NULL);
    cells_are(1, "target: gain\nmodel: {encoding: {kind: t5, buckets: 8}}\n",
              "model.encoding.max_distance=64", "0 model.encoding.buckets 8",
              "0 model.encoding.max_distance 64", NULL);
}

static void cells_are_cases_by_grid_by_seeds(void **state)
{
    struct spec *s = spec_of("target: gain\nseeds: [5, 3]\n"
                             "cases: [{model.width: 16, model.heads: 2}, {model.width: 32}]\n"
                             "grid: {train.lr: [0.1, 0.2], model.attention: [rpe, urpe]}\n", NULL);
    static const char *const axes[] = {"model.width", "model.heads", "train.lr", "model.attention",
                                       "seed"};
    assert_int_equal(spec_cells(s), 16);
    assert_int_equal(spec_axes(s), 5);
    for (int k = 0; k < 5; k++)
        assert_string_equal(spec_axis(s, k), axes[k]);
    for (int k = 0; k < 16; k++) {
        assert_int_equal(spec_cell(s, k)->index, k);
        value_is(s, k, "seed", k % 2 ? "3" : "5");
        value_is(s, k, "model.attention", k / 2 % 2 ? "urpe" : "rpe");
        value_is(s, k, "train.lr", k / 4 % 2 ? "0.2" : "0.1");
        value_is(s, k, "model.width", k / 8 ? "32" : "16");
        value_is(s, k, "model.heads", k / 8 ? "4" : "2");
    }
    spec_close(s);
}

/* Left out before they are checked as a whole: xpos without a causal mask would be an error. */
static void exceptions_leave_combinations_out(void **state)
{
    static const char yaml[] = "target: gain\ngrid: {model.encoding: [t5, xpos, cope], model.mask: [none, causal],"
                               " model.attention: [rpe, urpe]}\n"
                               "except:\n"
                               "  - {model.mask: none, model.encoding: [xpos, cope]}\n"
                               "  - {model.encoding: t5, model.attention: urpe}\n";
    cells_are(6, yaml, "", "0 model.mask none", "1 model.mask causal", "1 model.attention rpe",
              "2 model.encoding xpos", "2 model.mask causal", "5 model.encoding cope", NULL);
    cells_are(2, yaml, "model.encoding=cope", "0 model.mask causal", NULL);
    struct spec *s = spec_of(yaml, NULL);
    struct err e = {0};
    assert_int_equal(spec_check_unused(s, &e), 0);
    spec_close(s);
    s = spec_of(yaml, "model.encoding=[t5, rope]", NULL);
    assert_int_equal(spec_check_unused(s, &e), ERR_USAGE);
    assert_string_equal(e.where, "spec.yaml:4:5");
    assert_non_null(strstr(e.msg, "except: meets no combination"));
    spec_close(s);
    refused("spec.yaml:2:9", "except: leaves no cell", "target: gain\nexcept: [{model.mask: none}]\n", NULL);
}

static void axes_over_kinds_carry_their_options(void **state)
{
    static const char yaml[] = "target: gain\nmodel: {encoding: {kind: t5, buckets: 8}}\n"
                               "grid: {model.encoding: [{kind: t5, buckets: 16}, alibi, t5]}\n";
    cells_are(3, yaml, "", "0 model.encoding.buckets 16", "1 model.encoding alibi",
              "2 model.encoding.buckets 32", NULL);
    struct spec *s = spec_of(yaml, NULL);
    assert_int_equal(spec_axes(s), 2);
    assert_string_equal(spec_axis(s, 0), "model.encoding");
    assert_string_equal(spec_axis(s, 1), "model.encoding.buckets");
    spec_close(s);
    s = spec_of("target: gain\ngrid: {model.encoding.kind: [t5, alibi]}\n", NULL);
    assert_int_equal(spec_cells(s), 2);
    assert_string_equal(spec_axis(s, 0), "model.encoding.kind");
    spec_close(s);
    cells_are(2, "target: gain\ngrid: {evaluate.lengths: [16, [40, 32, 8, 40]]}\n", "",
              "0 evaluate.lengths [16, 32]", "1 evaluate.lengths [8, 32, 40]", NULL);
}

/* A key that takes a list and has a key below it: each says the whole of it anew. */
static void lengths_are_a_list_or_a_map(void **state)
{
    static const char list[] = "target: gain\ntrain: {lengths: [8, 32]}\n";
    static const char map[] = "target: gain\ntrain: {lengths: {mixed: [8, 32]}}\n";
    cells_are(1, list, "", "0 train.lengths [8, 32]", "0 train.lengths.mixed []", NULL);
    cells_are(1, map, "", "0 train.lengths []", "0 train.lengths.mixed [8, 32]", NULL);
    cells_are(1, list, "train.lengths={mixed: [4]}", "0 train.lengths []", "0 train.lengths.mixed [4]", NULL);
    cells_are(1, map, "train.lengths=[16, 32]", "0 train.lengths [16, 32]", "0 train.lengths.mixed []", NULL);
    cells_are(2, "target: gain\ngrid: {train.lengths: [[8, 32], {mixed: [8, 32]}]}\n", "",
              "0 train.lengths [8, 32]", "1 train.lengths []", "1 train.lengths.mixed [8, 32]", NULL);
    refused("spec.yaml:2:19", "train.lengths.mixt: unknown key; did you mean train.lengths.mixed?",
            "target: gain\ntrain: {lengths: {mixt: [8]}}\n", NULL);
}

static void set_removes_axes_and_chooses_cases(void **state)
{
    static const char yaml[] =
        "target: gain\n"
        "cases: [{model.width: 16, train.lr: 0.1}, {model.width: 32, train.lr: 0.2}, {seeds: 1}]\n"
        "grid: {model.encoding.kind: [t5, alibi], model.attention: [rpe, urpe]}\n";
    char fine[sizeof yaml];
    snprintf(fine, sizeof fine, "%s", yaml);
    memcpy(strstr(fine, "{seeds: 1}"), "{        }", 10);

    cells_are(12, fine, "", NULL);
    struct spec *s = spec_of(fine, "model.encoding=none", NULL); /* below it: the axis on .kind goes */
    assert_int_equal(spec_cells(s), 6);
    assert_int_equal(spec_axes(s), 3); /* width, lr, attention */
    value_is(s, 0, "model.encoding", "none");
    spec_close(s);
    cells_are(4, fine, "model.width=32|model.attention=rpe", /* chooses; {} stays */
              "0 train.lr 0.2", "2 train.lr 0.003", "2 model.width 32", NULL);
    cells_are(6, fine, "model.width=64|model.attention=rpe", /* all lose it */
              "0 train.lr 0.1", "0 model.width 64", NULL);
    /* Where every value is in a case, they stay cases. */
    cells_are(3, fine, "model.width=[16, 32]|model.encoding=t5|model.attention=rpe", NULL);
    cells_are(6, fine, "model.width=[16, 128]|model.encoding=t5|model.attention=rpe", NULL);
    cells_are(1, fine, "cases=[]|grid={}", NULL);
}

static void set_with_a_list_makes_an_axis(void **state)
{
    struct spec *s = spec_of("target: gain\n", "model.encoding=[t5,alibi]", "seeds=[7]", NULL);
    assert_int_equal(spec_cells(s), 2);
    assert_string_equal(spec_axis(s, 0), "model.encoding");
    value_is(s, 1, "seed", "7");
    spec_close(s);
    cells_are(1, "target: gain\n", "evaluate.lengths=[16,64]", /* itself a list */
              "0 evaluate.lengths [16, 32, 64]", NULL);
    cells_are(1, "target: gain\n", "train.lr=[0.1,0.2]|train.lr=0.3", /* the last counts */
              "0 train.lr 0.3", NULL);
    cells_are(2, "target: gain\n", "train.lr=0.3|train.lr=[0.1,0.2]", "1 train.lr 0.2", NULL);
}

static void a_case_or_axis_needs_known_keys(void **state)
{
    refused("spec.yaml:2:10", "seeds: unknown key", "target: gain\ncases: [{seeds: 1}]\n", NULL);
}

static void equal_cells_run_once(void **state)
{
    struct spec *s = spec_of("target: gain\nseeds: 2\n"
                             "grid: {model.attention: [rpe, urpe], "
                             "model.c: [toeplitz, {kind: toeplitz, init: ones}, bucketed]}\n",
                             NULL);
    assert_int_equal(spec_cells(s), 2 * 3); /* C matters to urpe only */
    for (int k = 0; k < spec_cells(s); k++)
        assert_int_equal(spec_cell(s, k)->index, k);
    spec_close(s);
}

static void seeds_are_counted_or_listed(void **state)
{
    struct spec *a = spec_of("target: gain\nseeds: 3\n", NULL);
    struct spec *b = spec_of("target: gain\nseeds: [0, 1, 2]\n", NULL);
    assert_int_equal(spec_cells(a), 3);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(spec_cell(a, k)->task.seed, k);
        assert_string_equal(spec_cell(a, k)->id, spec_cell(b, k)->id);
    }
    assert_string_equal(spec_hash(a), spec_hash(b));
    spec_close(a);
    spec_close(b);
    a = spec_of("target: gain\nseeds: [9007199254740992, 0]\n", NULL);
    value_is(a, 0, "seed", "9007199254740992");
    spec_close(a);
}

static void a_hundred_thousand_cells_and_no_more(void **state)
{
    struct spec *s = spec_of("target: gain\nseeds: 100000\n", NULL);
    assert_int_equal(spec_cells(s), SPEC_CELLS_MAX);
    assert_int_equal(spec_cell(s, 99999)->task.seed, 99999);
    spec_close(s);
    refused("spec.yaml:3:7", "more cells", "target: gain\nseeds: 100000\n"
            "grid: {train.lr: [0.1, 0.2]}\n", NULL);
}

static void places_are_found(void **state)
{
    struct spec *s = spec_of("target: gain\nmodel:\n  width: 64\ngrid: {space.length: [8, 16]}\n",
                             "train.steps=3", NULL);
    static const char *const table[][2] = {{"model.width", "spec.yaml:3:10"},
                                           {"model.heads", "spec.yaml:2:1"},
                                           {"space.length", "spec.yaml:4:8"},
                                           {"train.steps", "--set train.steps:1:1"},
                                           {"evaluate.samples", "spec.yaml:1:1"},
                                           {"no.such.key", "spec.yaml:1:1"}};
    for (size_t k = 0; k < sizeof table / sizeof table[0]; k++) {
        char where[320];
        spec_where(s, table[k][0], where, sizeof where);
        assert_string_equal(where, table[k][1]);
    }
    spec_close(s);
}

#ifdef MEMORY_DEBUG
static void every_failed_allocation_is_reported(void **state)
{
    static const char yaml[] = "target: gain\nmodel: {encoding: {kind: t5, buckets: 8}}\n"
                               "grid: {model.attention: [rpe, urpe]}\ncases: [{model.width: 8}]\n"
                               "claims: [{where: {seed: 0}, expect: {verdict: reached}}]\n";
    static const char *const set[] = {"train.lr=[0.1, 0.2]", "model.width=16"};
    int code = ERR_MEMORY;
    long live = memory_live();
    for (long nth = 1; code; nth++) {
        struct spec *s;
        struct err e = {0};
        memory_fail_at(nth);
        code = spec_parse(&s, "spec.yaml", yaml, sizeof yaml - 1, set, 2, &e);
        memory_fail_at(0);
        if (code)
            assert_int_equal(code, ERR_MEMORY);
        else
            spec_close(s);
        assert_int_equal(memory_live(), live);
    }
}
#endif

/* Cells take a few words each until somebody asks for them, and are then what they should be. */
static void many_cells_take_little(void **state)
{
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    struct spec *s = spec_of("target: gain\nseeds: 500\ngrid: {model.layers: [1, 2, 3, 4, 5], "
                             "model.encoding: [toeplitz, {kind: t5, buckets: 8}], "
                             "train.lr: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]}\n", NULL);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(spec_cells(s), 50000);
#ifndef MEMORY_DEBUG /* which touches all memory */
    assert_true(after.ru_maxrss - before.ru_maxrss < 50000 * 2); /* KiB */
#endif
    for (int k = 0; k < 50000; k += 977) { /* axes in order, the seed fastest */
        const struct cell *c = spec_cell(s, k);
        struct cell again = *c;
        assert_int_equal(c->index, k);
        assert_int_equal(c->task.seed, k % 500);
        assert_int_equal(c->task.model.layers, 1 + k / 10000);
        assert_string_equal(encoding_of(&c->task.model.encoding)->name,
                            k / 5000 % 2 ? "t5" : "toeplitz");
        assert_true(fabs(c->task.train.lr - 0.1 * (1 + k / 500 % 10)) < 1e-12);
        assert_ptr_equal(spec_find(s, c->id), c);
        assert_int_equal(spec_cell_identify(&again, NULL), 0);
        assert_string_equal(again.id, c->id);
        assert_string_equal(again.group, c->group);
    }
    spec_close(s);
}

/* A plan has one form, however it is said: what its kinds share is the model's, and what repeats is
 * said once; its name is no part of the id. */
static void plans_have_one_form(void **state)
{
    struct spec *s = spec_of(
        "target: gain\ncases:\n"
        "  - {model.plan: [{encoding: rope}, {encoding: none}], model.mask: causal}\n"
        "  - {model.plan: {name: nope, layers: [{encoding: rope, mask: causal}, "
        "{encoding: {kind: none}, mask: causal}, {encoding: rope, mask: causal}, "
        "{encoding: none, mask: causal}]}}\n"
        "  - {model.plan: [{encoding: t5}, {encoding: t5}]}\n"
        "  - {model.encoding: t5}\n"
        "  - {model.plan: [{mask: {kind: window, past: 3}, layers: 5}, {}], model.mask: causal}\n"
        "  - {model.plan: [{encoding: {kind: rope, base: 20}}, {encoding: rope}]}\n"
        "  - {model.encoding: {kind: formula, bias: 'w[h] * d', parameters: {w: 2}}}\n"
        "  - {model.plan: [{encoding: {kind: formula, bias: 'w[h] * d', parameters: {w: 2}}}]}\n",
        NULL);
    assert_int_equal(spec_cells(s), 5); /* three are said twice */
    value_is(s, 0, "model.plan", "rope/none");
    value_is(s, 0, "model.encoding", "rope");
    value_is(s, 1, "model.plan", "none");
    value_is(s, 1, "model.encoding", "t5");
    value_is(s, 2, "model.plan", "window x5/causal");
    value_is(s, 2, "model.mask", "window");
    value_is(s, 3, "model.plan", "rope base 20/rope base 10000");
    spec_close(s);
}

#ifndef MEMORY_DEBUG
/* A spec has room for the cells that it can have: many small ones fit where a few large ones do. */
static void small_specs_take_little(void **state)
{
    enum { SPECS = 200 };
    struct spec *s[SPECS];
    struct rlimit before, less;
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    less = before;
    less.rlim_cur = 1 << 30;
    assert_int_equal(setrlimit(RLIMIT_DATA, &less), 0);
    for (int k = 0; k < SPECS; k++)
        s[k] = spec_of("target: gain\n", NULL);
    for (int k = 0; k < SPECS; k++)
        spec_close(s[k]);
    assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_cells_take_little), /* first: later the memory is there already */
        cmocka_unit_test(everything_but_the_target_has_a_default),
        cmocka_unit_test(a_default_on_an_axis_is_a_value),
        cmocka_unit_test(files_name_their_specs),
        cmocka_unit_test(short_and_long_kinds_are_one),
        cmocka_unit_test(a_length_gives_way_to_a_size),
        cmocka_unit_test(numbers_are_yaml_1_2),
        cmocka_unit_test(later_layers_win),
        cmocka_unit_test(a_key_is_replaced_whole_but_a_section_is_not),
        cmocka_unit_test(cells_are_cases_by_grid_by_seeds),
        cmocka_unit_test(exceptions_leave_combinations_out),
        cmocka_unit_test(axes_over_kinds_carry_their_options),
        cmocka_unit_test(lengths_are_a_list_or_a_map),
        cmocka_unit_test(set_removes_axes_and_chooses_cases),
        cmocka_unit_test(set_with_a_list_makes_an_axis),
        cmocka_unit_test(a_case_or_axis_needs_known_keys),
        cmocka_unit_test(equal_cells_run_once),
        cmocka_unit_test(seeds_are_counted_or_listed),
        cmocka_unit_test(a_hundred_thousand_cells_and_no_more),
        cmocka_unit_test(places_are_found),
        cmocka_unit_test(plans_have_one_form),
#ifdef MEMORY_DEBUG
        cmocka_unit_test(every_failed_allocation_is_reported),
#else
        cmocka_unit_test(small_specs_take_little),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Presets: what a spec that names one is made of, and their verdicts on equal tokens, by floors and by
 * random networks, beside those that are known of the architectures. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "kernel/kernel.h"
#include "model/presets.h"
#include "run/evaluate.h"
#include "run/help_run.h"
#include "run/preset.h"

/* Without what they put in front: from the architectures' published code, by hand. */
static const struct {
    const char *name, *alone;
    const char *fronted; /* with a token in front; "": none can stand there */
} known[] = {
    {"gpt-2", "yes", "yes"},       {"bert", "yes", "yes"},       {"t5", "no", "yes"},
    {"transformer-xl", "no", "yes"}, {"deberta-v3", "no", "yes"}, {"bloom", "no", "yes"},
    {"mpt-7b", "no", "yes"},       {"llama-2", "no", "yes"},     {"llama-3", "no", "yes"},
    {"mistral-7b", "no", "yes"},   {"gemma-2", "no", "yes"},     {"gemma-3", "no", "yes"},
    {"gpt-oss", "yes", "yes"},     {"qwen3", "no", "yes"},       {"llama-4", "no", "yes"},
    {"diff-transformer", "no", "yes"}, {"nope-gpt", "no", "yes"}, {"fox", "no", "yes"},        {"vit", "yes", "yes"},
    {"graphormer", "yes", ""},     {"canon", "yes", "yes"},      {"urpe", "yes", "yes"}};
enum { KNOWN = sizeof known / sizeof *known };
#define SEQUENCE "length: 7"
#define GRAPH "kind: graph, nodes: 7"

/* What no preset says: windows and blocks that are shorter than the sequence, the other half of an
 * architecture, and what one would be without the part that lets it escape. */
static const struct {
    const char *name, *alone, *fronted, *space, *keys;
} others[] = {
    {"Graphormer", "yes", "", GRAPH, "preset: graphormer"},
    {"T5's decoder", "no", "yes", SEQUENCE, "preset: t5, mask: causal"},
    {"Mistral, window of three", "no", "yes", SEQUENCE, "preset: mistral-7b, mask: {kind: window, past: 3}"},
    {"Gemma 2, window of three", "no", "yes", SEQUENCE,
     "preset: gemma-2, plan: [{mask: {kind: window, past: 3}}, {mask: causal}]"},
    {"Gemma 3, window of three", "no", "yes", SEQUENCE,
     "preset: gemma-3, plan: [{encoding: rope, mask: {kind: window, past: 3}, layers: 5}, "
     "{encoding: {kind: rope, base: 1000000}, mask: causal}]"},
    {"gpt-oss, window of three", "yes", "yes", SEQUENCE,
     "preset: gpt-oss, plan: [{mask: {kind: window, past: 3}}, {mask: causal}]"},
    {"gpt-oss without its sink", "no", "yes", SEQUENCE, "preset: gpt-oss, normaliser: softmax"},
    {"Llama 4, chunks of three", "no", "yes", SEQUENCE,
     "preset: llama-4, plan: [{encoding: rope, mask: {kind: blocks, size: 3}, layers: 3}, "
     "{encoding: none, mask: causal}]"},
    {"Qwen3-Next, attention layer", "no", "yes", SEQUENCE,
     "preset: qwen3, encoding: {kind: rope, fraction: 0.5}, output_gate: true, kv_heads: 2"},
    {"Differential with its norm", "no", "yes", SEQUENCE,
     "preset: diff-transformer, normaliser: {kind: differential, norm: true}"},
    {"ViT without positions", "no", "no", SEQUENCE, "preset: vit, encoding: none"},
    {"DeBERTa with positions at its input", "yes", "yes", SEQUENCE, "preset: deberta-v3, encoding: learned"},
    {"Canon without its convolutions", "no", "yes", SEQUENCE, "preset: canon, convolution: none"},
    {"URPE without C", "no", "yes", SEQUENCE, "preset: urpe, attention: rpe"},
    {"Graphormer without degrees", "no", "", GRAPH, "preset: graphormer, encoding: toeplitz"}};
enum { OTHERS = sizeof others / sizeof *others };

static void test_verdicts(void **state)
{
    assert_int_equal(KNOWN, preset_count() - 1);
    for (int k = 0; k < KNOWN; k++) {
        const char *alone, *fronted;
        assert_string_equal(known[k].name, preset_table[k + 1].name);
        assert_int_equal(preset_verdict(known[k].name, "none", &alone, NULL), 0);
        assert_int_equal(preset_verdict(known[k].name, "bos", &fronted, NULL), 0);
        if (strcmp(alone, known[k].alone) || strcmp(fronted, known[k].fronted))
            fail_msg("%s: alone %s, with a token in front %s", known[k].name, alone, fronted);
    }
}

/* ---- random networks --------------------------------------------------------------------------*/
static struct spec *open_spec(const char *text)
{
    struct spec *s;
    struct err e = {0};
    if (spec_parse(&s, "spec.yaml", text, strlen(text), NULL, 0, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return s;
}

/* Weights that keep sizes about as they are, all drawn. */
static void draw_weights(struct network *x, uint64_t seed)
{
    const struct tensor_list *list = &x->api->model(x->trainer)->tensors;
    double *p = x->api->parameters(x->trainer);
    struct stream s;
    stream_open(&s, seed, "preset", 0);
    for (int k = 0; k < list->count; k++) {
        const struct tensor *t = &list->item[k];
        double deviation = t->rank > 1 && !t->table ? 1 / sqrt(t->shape[1]) : 0.5;
        for (size_t i = 0; i < t->count; i++)
            p[t->offset + i] += gsl_ran_gaussian_ziggurat(stream_rng(&s), deviation);
    }
}

/* The largest difference of outputs within a sample, over that of any two outputs. */
static double spread(const struct evaluation *ev)
{
    const struct samples *set = evaluation_samples(ev);
    const double *y = evaluation_outputs(ev);
    double within = 0, least = INFINITY, most = -INFINITY;
    int d = set->channels;
    for (int k = 0; k < set->count; k++)
        for (int i = set->first[k] * d; i < set->first[k + 1] * d; i++) {
            within = fmax(within, fabs(y[i] - y[set->first[k] * d + i % d]));
            least = fmin(least, y[i]);
            most = fmax(most, y[i]);
        }
    return within / (most - least);
}

/* Whether floors tell any two positions of a sample apart. */
static bool told_apart(const struct evaluation *ev)
{
    int groups;
    const int32_t *group = evaluation_groups(ev, &groups);
    const struct samples *set = evaluation_samples(ev);
    bool apart = false;
    for (int k = 0; k < set->count; k++)
        for (int r = set->first[k]; r < set->first[k + 1]; r++)
            apart = apart || group[r] != group[set->first[k]];
    return apart;
}

static double spread_of(const char *space, const char *keys, const char *prefix, uint64_t seed, bool *apart)
{
    char text[1024];
    struct err e = {0};
    struct evaluation *ev = NULL;
    struct network x;
    struct pool *pool;
    snprintf(text, sizeof text, "target: mean\nspace: {%s, inputs: {identical: 1}}\n"
             "model: {%s, prefix: %s, precision: double, layers: 6, heads: 4, width: 16, "
             "ffn: 24}\nevaluate: {samples: 3}\n", space, keys, prefix);
    struct spec *s = open_spec(text);
    const struct task *t = &spec_cell(s, 0)->task;
    struct record *figures = memory_alloc(SUBSETS_MAX, sizeof *figures, &e);
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    if (network_open(&x, t, pool, &e) || evaluation_open(&ev, t, 7, &e))
        fail_msg("%s: %s", keys, e.msg);
    draw_weights(&x, seed);
    assert_int_equal(evaluation_measure(ev, network_predictor(&x), figures, &e), 0);
    double found = spread(ev);
    *apart = told_apart(ev);
    evaluation_close(ev);
    network_close(&x);
    pool_close(pool);
    memory_free(figures);
    spec_close(s);
    return found;
}

static void check_verdict(const char *name, const char *space, const char *keys, const char *prefix,
                          const char *verdict)
{
    bool want = strcmp(verdict, "yes") == 0, apart;
    for (uint64_t seed = 0; seed < 3; seed++) {
        double found = spread_of(space, keys, prefix, seed, &apart);
        if (want ? !(found > 1e-5) : !(found < 1e-10))
            fail_msg("%s, prefix %s: positions differ by %g", name, prefix, found);
        if (apart != want)
            fail_msg("%s, prefix %s: floors tell positions%s apart", name, prefix, apart ? "" : " not");
    }
}

/* Of presets floors are looked at by test_verdicts too. */
static void test_random_networks(void **state)
{
    for (int k = 0; k < KNOWN; k++) {
        char keys[64];
        snprintf(keys, sizeof keys, "preset: %s", known[k].name);
        if (!*known[k].fronted)
            continue; /* on graphs, below */
        check_verdict(known[k].name, SEQUENCE, keys, "none", known[k].alone);
        check_verdict(known[k].name, SEQUENCE, keys, "bos", known[k].fronted);
    }
    for (int k = 0; k < OTHERS; k++) {
        check_verdict(others[k].name, others[k].space, others[k].keys, "none", others[k].alone);
        if (*others[k].fronted)
            check_verdict(others[k].name, others[k].space, others[k].keys, "bos", others[k].fronted);
    }
}

/* ---- specs ------------------------------------------------------------------------------------*/
static const struct model_config *model_of(const struct spec *s, int cell)
{
    return &spec_cell(s, cell)->task.model;
}

static const char *encoding_name(const struct model_config *m)
{
    return encoding_of(&m->encoding)->name;
}

/* What a spec, a case, the grid or --set says stands above a preset, whatever the order. */
static void test_what_is_said_stands_above(void **state)
{
    struct spec *s = open_spec("target: gain\nmodel: {layers: 3, preset: llama-3, mask: none}\n"
                               "cases: [{}, {model.preset: gpt-oss}, {model.encoding: t5}, "
                               "{model.encoding.base: 77}, {model.prefix: none}]\n");
    const struct model_config *m = model_of(s, 0);
    assert_int_equal(m->layers, 3);
    assert_int_equal(m->norm_kind, MODEL_NORM_RMS);
    assert_string_equal(encoding_name(m), "rope");
    assert_true(m->encoding.number[0] == 500000 && m->gated && model_before(m) == 1);
    assert_string_equal(mask_of(&m->mask)->name, "none");
    m = model_of(s, 1);
    assert_string_equal(normaliser_of(&m->normaliser)->name, "sink");
    assert_true(m->plan.turn == 2 && m->encoding.number[0] == 150000);
    m = model_of(s, 2);
    assert_string_equal(encoding_name(m), "t5");
    m = model_of(s, 3);
    assert_string_equal(encoding_name(m), "rope");
    assert_true(m->encoding.number[0] == 77 && m->gated);
    assert_int_equal(model_before(model_of(s, 4)), 0);
    spec_close(s);
}

/* Resolved specs and cells read back to the same cells, also where a key is set back to its default. */
static void test_read_back(void **state)
{
    struct text grid = {0}, t = {0};
    text_append(&grid, "target: gain\nmodel: {heads: 2}\ngrid:\n  model.prefix: [none, bos]\n"
                       "  model.preset: [");
    for (int k = 0; k < preset_count(); k++)
        if (strcmp(preset_table[k].name, "graphormer"))
            text_append_format(&grid, "%s%s", k ? ", " : "", preset_table[k].name);
    text_append(&grid, "]\n");
    struct spec *s = open_spec(grid.data), *again;
    assert_int_equal(spec_cells(s), 2 * (preset_count() - 1));
    assert_int_equal(spec_text(s, &t, NULL), 0);
    again = open_spec(t.data);
    for (int k = 0; k < spec_cells(s); k++) {
        assert_string_equal(spec_cell(s, k)->id, spec_cell(again, k)->id);
        text_clear(&t);
        assert_int_equal(spec_cell_text(spec_cell(s, k), "a", &t, NULL), 0);
        struct spec *one = open_spec(t.data);
        assert_string_equal(spec_cell(s, k)->id, spec_cell(one, 0)->id);
        spec_close(one);
    }
    spec_close(again);
    spec_close(s);
    text_close(&grid);
    text_close(&t);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_random_networks),
        cmocka_unit_test(test_what_is_said_stands_above),
        cmocka_unit_test(test_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Ten models of parts that were drawn together (seed 17 of parity/combinations_torch.py): plan, prefix, window,
 * sink and C with maps of logits, convolutions, grouped keys, value residuals, gates and norms, on samples of
 * one length, of several, and at places of a longer line.  Each against PyTorch, against differences, and its
 * floors against random networks. */
#include "model/help_parity.h"

#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

/* Entries that a number of the fixture is an index of. */
static const char *const encodings[] = {"none", "rope", "toeplitz", "alibi"};
static const char *const masks[] = {"none", "causal", "window", "window"};
static const double past[] = {0, 0, 3, 2}, future[] = {0, 0, 0, 1};
static const char *const normalisers[] = {"softmax", "sink", "softmax-one", "entmax", "sigmoid"};
static const char *const maps[] = {"none", "soft-cap", "qk-norm", "cosine"};
static const char *const convolutions[] = {"none", "shift", "canon"};

enum { COMBINATIONS = 10, PLACES = 9 };
enum { RMS, GATED, GATE, KEYS, VALUES, BEFORE, TURN, LAYERS }; /* LAYERS: from here on, each of */
enum { ENCODING, MASK, NORMALISER, WITH_C, MAP, CONVOLUTION, WHERE, LAYER_NUMBERS };

static const struct safetensors *drawn;

static int number(int at)
{
    return parity_integer(drawn, "combination", at);
}

static void set_layer(struct layer_config *l, int at)
{
    int mask = number(at + MASK), places = number(at + WHERE);
    l->encoding = help_kind(&encoding_kinds, encodings[number(at + ENCODING)]);
    l->mask = help_kind(&mask_kinds, masks[mask]);
    if (!strcmp(masks[mask], "window")) {
        l->mask.number[0] = past[mask];
        l->mask.number[1] = future[mask];
    }
    l->normaliser = help_kind(&normaliser_kinds, normalisers[number(at + NORMALISER)]);
    if (!strcmp(normalisers[number(at + NORMALISER)], "sigmoid"))
        l->normaliser.number[1] = 2; /* minus the logarithm of the keys seen */
    l->attention = number(at + WITH_C) ? MODEL_URPE : MODEL_RPE;
    l->c = help_kind(&urpe_kinds, "toeplitz");
    l->logits = help_kind(&logits_kinds, maps[number(at + MAP)]);
    if (!strcmp(maps[number(at + MAP)], "soft-cap"))
        l->logits.number[0] = 0.7;
    l->convolution = help_kind(&convolution_kinds, convolutions[number(at + CONVOLUTION)]);
    if (places) {
        const double canon[] = {3, true, places & 1, places >> 1 & 1, places >> 2 & 1, places >> 3};
        memcpy(l->convolution.number, canon, sizeof canon);
    }
}

static void combine(struct model_config *m)
{
    m->norm_kind = number(RMS);
    m->gated = number(GATED);
    m->output_gate = number(GATE);
    m->kv_heads = number(KEYS);
    m->values = number(VALUES);
    if (number(BEFORE)) {
        m->prefix = help_kind(&prefix_kinds, "bos");
        m->prefix.number[PREFIX_OPTION_TOKENS] = number(BEFORE);
    }
    for (int k = 0; k < number(TURN); k++) {
        struct layer_config l;
        memcpy(&l, &m->layer, sizeof l);
        set_layer(&l, LAYERS + k * LAYER_NUMBERS);
        assert_true(plan_append(&m->plan, &l));
    }
    plan_settle(m);
}

static struct rig_config config_of(const struct safetensors *f)
{
    struct rig_config c = parity_sizes(f, 0);
    drawn = f;
    c.encoding = "none";
    c.change = combine;
    return c;
}

static void each(void (*check)(const char *name, const struct safetensors *f, const struct rig_config *c))
{
    for (int k = 0; k < COMBINATIONS; k++) {
        char name[32];
        struct safetensors f;
        snprintf(name, sizeof name, "combination-%d", k);
        parity_open(name, &f);
        struct rig_config c = config_of(&f);
        check(name, &f, &c);
        safetensors_close(&f);
    }
}

/* ---- PyTorch: in double, where sums in another order differ by nothing, however many parts there are ----*/
#ifdef REAL_DOUBLE
static void check_parity(const char *name, const struct safetensors *f, const struct rig_config *c)
{
    parity_check(name, f, 0, c);
    parity_check_wrong(name, f, 0, c);
}

static void test_parity(void **state)
{
    each(check_parity);
}
#endif

/* What was drawn has each part at least twice. */
static int plans, fronted, windows, sinks, with_c, mixed, grouped, lengths, scattered;

static void count_parts(const char *name, const struct safetensors *f, const struct rig_config *c)
{
    plans += number(TURN) > 1;
    fronted += number(BEFORE) > 0;
    grouped += number(KEYS) < c->heads;
    lengths += safetensors_find(f, "lengths") && !c->places;
    scattered += c->places > 0;
    int any[LAYER_NUMBERS] = {0};
    for (int at = LAYERS; at < LAYERS + number(TURN) * LAYER_NUMBERS; at += LAYER_NUMBERS) {
        any[MASK] |= number(at + MASK) > 1;
        any[NORMALISER] |= number(at + NORMALISER) == 1;
        any[WITH_C] |= number(at + WITH_C);
        any[CONVOLUTION] |= number(at + CONVOLUTION) > 0;
    }
    windows += any[MASK], sinks += any[NORMALISER], with_c += any[WITH_C], mixed += any[CONVOLUTION];
}

static void test_every_part_is_there(void **state)
{
    each(count_parts);
    print_message("plan %d, prefix %d, window %d, sink %d, C %d, convolution %d, grouped keys %d, lengths %d, "
                  "places %d\n", plans, fronted, windows, sinks, with_c, mixed, grouped, lengths, scattered);
    assert_true(plans > 1 && fronted > 1 && windows > 1 && sinks > 1 && with_c > 1 && mixed > 1 &&
                grouped > 1 && lengths > 1 && scattered > 1);
}

/* ---- differences ------------------------------------------------------------------------------*/
#ifdef REAL_DOUBLE
static void check_gradient(const char *name, const struct safetensors *f, const struct rig_config *c)
{
    assert_true(rig_check_gradient(c, name));
}

static void test_gradients(void **state)
{
    each(check_gradient);
}
#endif

/* ---- floors -----------------------------------------------------------------------------------*/
static struct help_pairs pairs;

/* Equal tokens and mixed ones, on samples as the combination has them. */
static void check_floors(const char *name, const struct safetensors *f, const struct rig_config *c)
{
    static struct help_set set;
    static int32_t group[HELP_NETWORK_ROWS];
    struct space_config space = help_space("sequence", c->places ? "positions.random" : NULL, PLACES);
    struct rig r;
    int groups, most = safetensors_find(f, "lengths") ? 3 : 1;
    assert_true(rig_open(&r, c, 1));
    struct model_config m = r.model_config;
    rig_close(&r);
    m.ffn = 12;
    help_set_open(&set, HELP_NETWORK_CHANNELS, (uint64_t)name[12]);
    struct layout *longest = arena_alloc(&set.arena, 1, sizeof *longest, NULL);
    assert_non_null(longest);
    assert_int_equal(space_of(&space)->layout(&space, 6, &set.arena, longest, NULL), 0);
    for (int word = 0; word < 36; word++) {
        int32_t token[6];
        struct layout *l = arena_alloc(&set.arena, 1, sizeof *l, NULL);
        assert_non_null(l);
        for (int i = 0; i < 6; i++)
            token[i] = word < 12 ? word % 2 : (word - 12) >> i & 1;
        *l = layout_shorter(longest, 6 - word % most);
        if (c->places)
            assert_int_equal(space_of(&space)->draw(&space, NULL, l->n, &set.random, &set.arena, l, NULL), 0);
        help_set_add(&set, l, token);
    }
    struct floor_set view = help_set_view(&set);
    assert_int_equal(model_merge(&m, longest, &view, group, &groups, NULL), 0);
    help_count_pairs("combination", (uint64_t)name[12], &m, &set, group, &pairs);
    help_set_close(&set);
    if (pairs.broken)
        fail_msg("%s: %ld merged pairs have unequal outputs", name, pairs.broken);
}

static void test_floors(void **state)
{
    each(check_floors);
    print_message("%ld pairs merged; %ld apart, %ld unseen\n", pairs.merged, pairs.apart, pairs.unseen);
    assert_true(pairs.merged > 1000 && pairs.apart > 10000 && pairs.unseen < pairs.apart / 20);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_is_there),
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_parity),
        cmocka_unit_test(test_gradients),
#endif
        cmocka_unit_test(test_floors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

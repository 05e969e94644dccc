/* Plans: the one form that they have, layers of several kinds in one model, their gradients, and
 * that merging under every kind of the plan is sound for networks of any depth. */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

enum { ROWS_MAX = HELP_NETWORK_ROWS, CHANNELS = HELP_NETWORK_CHANNELS };

/* ---- the form ---------------------------------------------------------------------------------*/
static struct layer_config *layer_with(struct model_config *m, const char *encoding,
                                       const char *mask, const char *normaliser)
{
    static struct layer_config out;
    memcpy(&out, &m->layer, sizeof out);
    out.encoding = help_kind(&encoding_kinds, encoding);
    out.mask = help_kind(&mask_kinds, mask);
    out.normaliser = help_kind(&normaliser_kinds, normaliser);
    return &out;
}

static void fresh(struct model_config *m)
{
    memset(m, 0, sizeof *m);
    option_defaults(model_options, m);
}

static void test_one_form(void **state)
{
    static struct model_config m;
    struct layer_config rope, none;
    fresh(&m);
    memcpy(&rope, layer_with(&m, "rope", "causal", "softmax"), sizeof rope);
    memcpy(&none, layer_with(&m, "none", "causal", "softmax"), sizeof none);
    for (int k = 0; k < 6; k++)
        assert_true(plan_append(&m.plan, k % 3 ? &rope : &none));
    plan_settle(&m);
    assert_int_equal(m.plan.turn, 3); /* a repetition of its first half */
    assert_int_equal(m.plan.kinds, 2);
    assert_memory_equal(&m.layer, &none, sizeof none);
    for (int layer = 0; layer < 9; layer++)
        assert_int_equal(model_kind_of(&m, layer), layer % 3 > 0);

    fresh(&m);
    for (int k = 0; k < 4; k++)
        assert_true(plan_append(&m.plan, &rope));
    plan_settle(&m);
    assert_int_equal(m.plan.turn, 0); /* layers that are all alike are no plan */
    assert_int_equal(model_kinds(&m), 1);
    assert_memory_equal(&m.layer, &rope, sizeof rope);

    for (int k = 0; k < PLAN_KINDS_MAX; k++) {
        rope.encoding.number[0] = 10 + k;
        assert_true(plan_append(&m.plan, &rope));
    }
    assert_false(plan_append(&m.plan, &none)); /* one kind more */
}

/* ---- one model --------------------------------------------------------------------------------*/
static void wide_window(struct model_config *m)
{
    struct layer_config window;
    memcpy(&window, layer_with(m, "rope", "window", "softmax"), sizeof window);
    window.mask.number[0] = window.mask.number[1] = 64;
    plan_append(&m->plan, &m->layer);
    plan_append(&m->plan, &window);
    plan_settle(m);
}

/* A window that hides nothing is no mask: layers of two kinds, and the numbers of one. */
static void test_kinds_of_one_meaning(void **state)
{
    struct rig one, two;
    struct rig_config c = rig_default("rope", NULL, 0);
    c.layers = 3;
    assert_true(rig_open(&one, &c, 3));
    c.change = wide_window;
    assert_true(rig_open(&two, &c, 3));
    assert_int_equal(two.model.kinds, 2);
    rig_forward(&one);
    rig_forward(&two);
    for (int i = 0; i < one.rows * one.outputs; i++)
        assert_true(fabs((double)(one.y[i] - two.y[i])) <= 64 * REAL_EPSILON);
    rig_close(&one);
    rig_close(&two);
}

/* What kinds share: tables of one encoding are one, whatever else differs. */
static void local_and_global(struct model_config *m)
{
    struct layer_config *local = layer_with(m, "toeplitz", "window", "softmax");
    local->mask.number[0] = local->mask.number[1] = 2; /* both ways */
    plan_append(&m->plan, local);
    plan_append(&m->plan, layer_with(m, "toeplitz", "none", "softmax"));
    plan_append(&m->plan, layer_with(m, "shaw", "none", "sink"));
    plan_settle(m);
}

static void test_shared_tables(void **state)
{
    struct rig r;
    struct rig_config c = rig_default("toeplitz", "toeplitz", 0);
    c.layers = 4;
    c.change = local_and_global;
    assert_true(rig_open(&r, &c, 1));
    const struct model_layer *l = r.model.layer;
    assert_int_equal(l[0].encoding[0], l[1].encoding[0]);
    assert_int_equal(l[0].c[0], l[2].c[0]);
    assert_int_not_equal(l[1].encoding[0], l[2].encoding[0]);
    assert_int_equal(l[0].state, l[3].state); /* layers of one kind */
    assert_string_equal(r.model.tensors.item[l[0].encoding[0]].name, "plan.0.encoding.bias");
    rig_close(&r);
}

#ifdef REAL_DOUBLE
static void absolute_and_none(struct model_config *m)
{
    plan_append(&m->plan, layer_with(m, "none", "causal", "softmax"));
    plan_append(&m->plan, layer_with(m, "learned", "none", "sigmoid"));
    plan_append(&m->plan, layer_with(m, "tupe", "none", "softmax"));
    plan_settle(m);
}

static void some_with_c(struct model_config *m)
{
    struct layer_config plain;
    m->share = false;
    memcpy(&plain, layer_with(m, "rope", "causal", "entmax"), sizeof plain);
    plain.attention = MODEL_RPE;
    plan_append(&m->plan, layer_with(m, "t5", "causal", "talking-heads"));
    plan_append(&m->plan, &plain);
    plan_settle(m);
}

static void test_gradients(void **state)
{
    static void (*const change[])(struct model_config *) = {wide_window, local_and_global,
                                                            absolute_and_none, some_with_c};
    for (size_t k = 0; k < sizeof change / sizeof *change; k++)
        for (int layers = 2; layers < 5; layers += 2) {
            struct rig_config c = rig_default("rope", "toeplitz", 0);
            char what[32];
            snprintf(what, sizeof what, "plan %zu, %d layers", k, layers);
            c.layers = layers;
            c.ffn = 5;
            c.change = change[k];
            assert_true(rig_check_gradient(&c, what));
        }
}
#endif

/* ---- floors -----------------------------------------------------------------------------------*/
static void draw_plan(struct model_config *m, struct stream *s)
{
    static const char *const encoding[] = {"none", "rope", "toeplitz", "alibi", "shaw", "learned"};
    static const char *const mask[] = {"none", "causal", "window", "blocks", "strict", "causal"};
    static const char *const weights[] = {"softmax", "softmax", "sink", "entmax", "sigmoid",
                                          "ssmax"};
    int turn = 2 + (int)stream_below(s, 2);
    for (int k = 0; k < turn; k++) {
        struct layer_config l;
        memcpy(&l, layer_with(m, encoding[stream_below(s, stream_below(s, 4) ? 5 : 6)],
                              mask[stream_below(s, 6)], weights[stream_below(s, 6)]), sizeof l);
        if (l.mask.number[0] > 3)
            l.mask.number[0] = 3;
        l.attention = stream_below(s, 5) ? MODEL_RPE : MODEL_URPE;
        plan_append(&m->plan, &l);
    }
    plan_settle(m);
}

/* first_only: merge as if all layers were of the first kind. */
static long broken_pairs(uint64_t seed, bool first_only, struct help_pairs *total)
{
    static struct model_config m, kind;
    static struct help_set set;
    static int32_t group[ROWS_MAX];
    struct help_pairs n = {0};
    struct stream s;
    int groups;
    stream_open(&s, seed, "plan", 1);
    struct kind_config none = help_kind(&encoding_kinds, "none");
    m = help_model(&none, -1, true, 8);
    m.ffn = 12;
    draw_plan(&m, &s);
    help_set_open(&set, CHANNELS, seed);
    struct layout *l = help_layout(&set.arena, 6);
    help_set_plant(&set, l, 2, 0);
    help_set_plant(&set, l, 3, 1);
    struct floor_set view = help_set_view(&set);
    model_kind_config(&m, 0, &kind);
    assert_true(view.first[view.count] <= ROWS_MAX);
    assert_int_equal(model_merge(first_only ? &kind : &m, l, &view, group, &groups, NULL), 0);
    help_count_pairs("plan", seed, &m, &set, group, &n);
    help_set_close(&set);
    total->merged += n.merged;
    total->apart += n.apart;
    total->unseen += n.unseen;
    return n.broken;
}

static void test_sound(void **state)
{
    struct help_pairs total = {0};
    long blind = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        long broken = broken_pairs(seed, false, &total);
        if (broken)
            fail_msg("plan %d: %ld merged pairs have unequal outputs", (int)seed, broken);
        blind += broken_pairs(seed, true, &(struct help_pairs){0}) > 0;
    }
    print_message("%ld merged pairs, %ld apart, %ld of these unseen; merging by the first kind alone "
                  "is wrong for %ld of 60\n", total.merged, total.apart, total.unseen, blind);
    assert_true(total.merged > 2000 && total.apart > 100000 && total.unseen < total.apart / 10);
    assert_true(blind > 10);
}

/* Pairs that a random network of exactly m->layers layers tells apart though `group` merges them. */
static long told_apart(const struct model_config *m, struct help_set *set, const int32_t *group,
                       struct stream *s)
{
    static double y[ROWS_MAX * CHANNELS];
    struct floor_set view = help_set_view(set);
    int rows = view.first[view.count];
    double scale = 0;
    long told = 0;
    help_random_network(m, set->layout[0], &view, set->layout[0], s, y);
    for (int i = 0; i < rows * CHANNELS; i++)
        scale = fmax(scale, fabs(y[i]));
    for (int p = 0; p < rows; p++)
        for (int q = p + 1; q < rows; q++) {
            double apart = 0;
            for (int c = 0; c < CHANNELS; c++)
                apart = fmax(apart, fabs(y[p * CHANNELS + c] - y[q * CHANNELS + c]));
            told += group[p] == group[q] && !(apart <= HELP_EQUAL * scale);
        }
    return told;
}

/* Layers of several kinds: what is merged at a plan's depth is equal in networks of that depth; one
 * layer fewer would merge what they tell apart. */
static void test_depth(void **state)
{
    static struct help_set set;
    static int32_t any[ROWS_MAX], deep[ROWS_MAX], fewer[ROWS_MAX];
    struct kind_config none = help_kind(&encoding_kinds, "none");
    long shallow = 0, coarser = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct model_config m = help_model(&none, -1, true, 8);
        struct stream s;
        stream_open(&s, seed, "plan", 2);
        m.ffn = 12;
        m.norm = (int)(seed % 3);
        if (seed % 2) { /* a convolution of two positions at one place or more */
            assert_true(option_set_kind(&convolution_kinds, "canon", &m.convolution));
            m.convolution.number[0] = 2;
            for (int k = 0; k < 4; k++)
                m.convolution.number[2 + k] = (double)((1 + stream_below(&s, 15)) >> k & 1);
        }
        draw_plan(&m, &s);
        help_set_open(&set, CHANNELS, seed);
        struct layout *l = help_layout(&set.arena, 6);
        help_set_plant(&set, l, 2, 0);
        help_set_plant(&set, l, 3, 1);
        struct floor_set view = help_set_view(&set);
        for (m.layers = 1; m.layers < 5; m.layers++) {
            struct model_groups g = {.any = any, .deep = deep};
            assert_int_equal(model_merge_depth(&m, l, &view, &g, NULL), 0);
            if (told_apart(&m, &set, deep, &s))
                fail_msg("plan %d: pairs merged at %d layers have unequal outputs", (int)seed,
                         (int)m.layers);
            shallow += m.layers > 1 ? told_apart(&m, &set, fewer, &s) : 0;
            coarser += g.any_groups - g.deep_groups;
            assert_true(g.deep_groups <= g.any_groups);
            memcpy(fewer, deep, sizeof fewer);
        }
        help_set_close(&set);
    }
    print_message("%ld pairs that one layer fewer would merge\n", shallow);
    assert_true(shallow > 100 && coarser > 0);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_form),
        cmocka_unit_test(test_kinds_of_one_meaning),
        cmocka_unit_test(test_shared_tables),
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_gradients),
#endif
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

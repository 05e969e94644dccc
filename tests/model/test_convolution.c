/* Canon layers and token shift: gradients, and floors that hold for networks with them, alone and with
 * plans, prefixes, windows, sinks and C. */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "floor/help_floor.h"
#include "kernel/kernel.h"

/* EQUAL as in test_plan.c. */
#define EQUAL (0x1p16 * REAL_EPSILON)
enum { ROWS_MAX = 512, CHANNELS = 2, NETWORKS = 5 };

/* One of many: where it is applied changes with turn. */
static void set_convolution(struct kind_config *c, int turn)
{
    assert_true(option_set_kind(&convolution_kinds, turn % 3 ? "canon" : "shift", c));
    if (turn % 3 == 0) {
        c->number[2] = turn / 3 % 2;
        return;
    }
    int places = 1 + turn % 7;
    const double number[] = {1 + turn % 4, turn % 2, places & 1, places >> 1 & 1, places >> 2};
    memcpy(c->number, number, sizeof number);
}

static void with_plan(struct model_config *m, int turn)
{
    struct layer_config other;
    memcpy(&other, &m->layer, sizeof other);
    set_convolution(&other.convolution, turn + 1);
    if (turn % 2)
        memset(&other.convolution, 0, sizeof other.convolution);
    other.mask = help_kind(&mask_kinds, "window");
    other.mask.number[0] = 2;
    plan_append(&m->plan, &m->layer);
    plan_append(&m->plan, &other);
    plan_settle(m);
}

static void set_all(struct model_config *m, int turn)
{
    set_convolution(&m->convolution, turn);
    if (turn % 4 == 3)
        with_plan(m, turn);
    if (turn % 5 == 4)
        assert_true(option_set_kind(&prefix_kinds, "bos", &m->prefix));
}

#ifdef REAL_DOUBLE
static int now;

static void change(struct model_config *m)
{
    set_all(m, now);
    m->norm = now % 5;
    m->kv_heads = now % 2;
    m->gated = now % 3 == 1;
}

static void test_gradients(void **state)
{
    (void)state;
    static const char *const encodings[] = {"rope", "toeplitz", "shaw"};
    for (now = 0; now < 42; now++) {
        struct rig_config c = rig_default(encodings[now % 3], now % 2 ? "toeplitz" : NULL, now % 2);
        char what[32];
        snprintf(what, sizeof what, "convolution %d", now);
        c.change = change;
        assert_true(rig_check_gradient(&c, what));
    }
}
#endif

static void canon(struct model_config *m)
{
    assert_true(option_set_kind(&convolution_kinds, "canon", &m->convolution));
}

static void test_lines_only(void **state)
{
    (void)state;
    struct rig r;
    struct rig_config c = rig_default("toeplitz", NULL, 0);
    c.change = canon;
    c.space = "grid";
    assert_false(rig_open(&r, &c, 1));
    c.space = "graph";
    assert_false(rig_open(&r, &c, 1));
}

/* ---- floors -----------------------------------------------------------------------------------*/
struct counts {
    long merged, broken, apart, unseen;
};

static void count(const struct model_config *m, struct help_set *set, const int32_t *group,
                  uint64_t seed, struct counts *out)
{
    static double y[NETWORKS][ROWS_MAX * CHANNELS];
    struct floor_set view = help_set_view(set);
    struct stream s;
    double scale[NETWORKS] = {0};
    int rows = view.first[view.count];
    stream_open(&s, seed, "convolution", 0);
    for (int k = 0; k < NETWORKS; k++) {
        struct model_config one = *m;
        one.layers = 2 + k;
        one.norm = k % 3;
        help_random_network(&one, set->layout[0], &view, set->layout[0], &s, y[k]);
        for (int i = 0; i < rows * CHANNELS; i++)
            scale[k] = fmax(scale[k], fabs(y[k][i]));
    }
    for (int p = 0; p < rows; p++)
        for (int q = p + 1; q < rows; q++) {
            double largest = 0;
            for (int k = 0; k < NETWORKS * CHANNELS; k++)
                largest = fmax(largest, fabs(y[k / CHANNELS][p * CHANNELS + k % CHANNELS] -
                                             y[k / CHANNELS][q * CHANNELS + k % CHANNELS]) /
                                            scale[k / CHANNELS]);
            out->merged += group[p] == group[q];
            out->broken += group[p] == group[q] && !(largest <= EQUAL);
            out->apart += group[p] != group[q];
            out->unseen += group[p] != group[q] && !(largest > EQUAL);
        }
}

/* without: merge as if there were no convolution. */
static struct counts check(int turn, bool without)
{
    static const char *const encodings[] = {"none", "rope", "alibi", "toeplitz"};
    static struct help_set set;
    static int32_t group[ROWS_MAX];
    struct kind_config encoding = help_kind(&encoding_kinds, encodings[turn % 4]);
    struct model_config m = help_model(&encoding, turn % 7 == 6 ? 0 : -1, turn % 2, 8), plain;
    struct counts n = {0};
    int groups;
    m.normaliser = help_kind(&normaliser_kinds, turn % 5 == 3 ? "sink" : "softmax");
    m.ffn = 12;
    plain = m;
    set_all(&m, turn);
    help_set_open(&set, CHANNELS, (uint64_t)turn);
    struct layout *l = help_layout(&set.arena, 6);
    help_set_plant(&set, l, 2, 0);
    help_set_plant(&set, l, 3, 1);
    struct floor_set view = help_set_view(&set);
    assert_true(view.first[view.count] <= ROWS_MAX);
    assert_int_equal(model_merge(without ? &plain : &m, l, &view, group, &groups, NULL), 0);
    count(&m, &set, group, (uint64_t)turn, &n);
    help_set_close(&set);
    return n;
}

static void test_sound(void **state)
{
    (void)state;
    struct counts total = {0};
    long blind = 0;
    for (int turn = 0; turn < 42; turn++) {
        struct counts n = check(turn, false);
        if (n.broken)
            fail_msg("turn %d: %ld merged pairs have unequal outputs", turn, n.broken);
        total.merged += n.merged, total.apart += n.apart, total.unseen += n.unseen;
        blind += check(turn, true).broken > 0;
    }
    print_message("%ld merged pairs, %ld apart, %ld of these unseen; merging without is wrong for %ld "
                  "of 42\n", total.merged, total.apart, total.unseen, blind);
    assert_true(total.merged > 1000 && total.unseen < total.apart / 20 && blind > 20);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_gradients),
#endif
        cmocka_unit_test(test_lines_only),
        cmocka_unit_test(test_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

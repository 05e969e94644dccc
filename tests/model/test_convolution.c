/* Canon layers and token shift: gradients, and floors that hold for networks with them, alone and with
 * plans, prefixes, windows, sinks and C. */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

enum { ROWS_MAX = HELP_NETWORK_ROWS, CHANNELS = HELP_NETWORK_CHANNELS };

/* One of many: where it is applied changes with turn. */
static void set_convolution(struct kind_config *c, int turn)
{
    assert_true(option_set_kind(&convolution_kinds, turn % 3 ? "canon" : "shift", c));
    if (turn % 3 == 0) {
        c->number[2] = turn / 3 % 2;
        return;
    }
    int places = 1 + turn % 15;
    const double number[] = {1 + turn % 4, turn % 2, places & 1, places >> 1 & 1, places >> 2 & 1, places >> 3};
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
    help_lines_only(canon);
}

/* ---- floors -----------------------------------------------------------------------------------*/
/* without: merge as if there were no convolution. */
static struct help_pairs check(int turn, bool without)
{
    static const char *const encodings[] = {"none", "rope", "alibi", "toeplitz"};
    static struct help_set set;
    static int32_t group[ROWS_MAX];
    struct kind_config encoding = help_kind(&encoding_kinds, encodings[turn % 4]);
    struct model_config m = help_model(&encoding, turn % 7 == 6 ? 0 : -1, turn % 2, 8), plain;
    struct help_pairs n = {0};
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
    help_count_pairs("convolution", (uint64_t)turn, &m, &set, group, &n);
    help_set_close(&set);
    return n;
}

static void test_sound(void **state)
{
    struct help_pairs total = {0};
    long blind = 0;
    for (int turn = 0; turn < 42; turn++) {
        struct help_pairs n = check(turn, false);
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

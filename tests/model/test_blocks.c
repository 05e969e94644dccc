/* Blocks around attention: norms, gated feed-forward networks and grouped queries.  Gradients, and that
 * floors do not know of them: they are the same with and without, and hold for random networks. */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "floor/help_floor.h"
#include "kernel/kernel.h"

enum { ROWS_MAX = 1024, CHANNELS = 2, NETWORKS = 4 };

/* One of all combinations of what is around attention. */
static void set_blocks(struct model_config *m, int turn)
{
    static const int kv[] = {0, 1, 2};
    m->norm = turn % 5;
    m->norm_kind = turn / 2 % 2;
    m->gated = turn % 3 > 0;
    m->activation = turn % ACTIVATION_COUNT;
    m->kv_heads = kv[turn / 3 % 3];
    m->values = turn / 2 % 3;
    m->output_gate = turn % 4 > 1;
}

#ifdef REAL_DOUBLE
static int blocks_turn;

static void change(struct model_config *m)
{
    set_blocks(m, blocks_turn);
}

static void test_gradients(void **state)
{
    static const char *const encodings[] = {"rope", "toeplitz", "shaw", "deberta"};
    static const char *const weights[] = {NULL, "sink", "talking-heads"};
    for (blocks_turn = 0; blocks_turn < 30; blocks_turn++) {
        struct rig_config c = rig_default(encodings[blocks_turn % 4],
                                          blocks_turn % 2 ? "toeplitz" : NULL, blocks_turn / 2 % 2);
        char what[32];
        snprintf(what, sizeof what, "blocks %d", blocks_turn);
        c.heads = 4;
        c.width = 8;
        c.normaliser = weights[blocks_turn / 5 % 3];
        c.change = change;
        assert_true(rig_check_gradient(&c, what));
    }
}
#endif

/* Grouped queries are plain attention whose heads of a group have one key and one value. */
static void one_key(struct model_config *m)
{
    m->kv_heads = 1;
}

static void copy_heads(const struct rig *grouped, const char *name, const struct rig *plain)
{
    const struct tensor *from = tensor_list_find(&grouped->model.tensors, name);
    const struct tensor *to = tensor_list_find(&plain->model.tensors, name);
    assert_true(from && to);
    for (size_t i = 0; i < to->count; i++)
        plain->p[to->offset + i] = grouped->p[from->offset + i % from->count];
}

static void test_grouped_are_equal_heads(void **state)
{
    struct rig grouped, plain;
    struct rig_config c = rig_default("rope", "toeplitz", 1);
    assert_true(rig_open(&plain, &c, 3));
    c.change = one_key;
    assert_true(rig_open(&grouped, &c, 3));
    assert_int_equal(plain.model.tensors.elements - grouped.model.tensors.elements,
                     2 * 2 * 6 * (12 + 1)); /* layers, k and v, a head, its rows with bias */
    for (int k = 0; k < plain.model.tensors.count; k++)
        copy_heads(&grouped, plain.model.tensors.item[k].name, &plain);
    rig_forward(&grouped);
    rig_forward(&plain);
    for (int i = 0; i < plain.rows * plain.outputs; i++)
        assert_true(fabs((double)(plain.y[i] - grouped.y[i])) <= 64 * REAL_EPSILON);
    rig_close(&grouped);
    rig_close(&plain);
}

static void test_what_does_not_divide(void **state)
{
    struct err e = {0};
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct model_config m = help_model(&none, -1, false, 12);
    struct help_set set;
    help_set_open(&set, CHANNELS, 1);
    struct layout *l = help_layout(&set.arena, 4);
    m.kv_heads = 3;
    assert_int_equal(model_check(&m, &(struct model_io){.channels = 2}, l, l, &e), ERR_USAGE);
    assert_string_equal(e.where, "model.kv_heads");
    help_set_close(&set);
}

/* ---- floors -----------------------------------------------------------------------------------*/
static double apart(const double *y, int p, int q)
{
    double most = 0;
    for (int c = 0; c < CHANNELS; c++)
        most = fmax(most, fabs(y[p * CHANNELS + c] - y[q * CHANNELS + c]));
    return most;
}

/* Merged pairs of the set, all of which random networks with such blocks map to equal outputs. */
static long check_merged(const struct model_config *m, struct help_set *set, const int32_t *group,
                         uint64_t seed)
{
    static double y[ROWS_MAX * CHANNELS];
    struct floor_set view = help_set_view(set);
    struct stream s;
    long merged = 0;
    stream_open(&s, seed, "blocks", 0);
    for (int k = 0; k < NETWORKS; k++) {
        struct model_config one = *m;
        double scale = 0;
        int rows = view.first[view.count];
        one.layers = 1 + k;
        one.ffn = 9;
        help_random_network(&one, set->layout[0], &view, set->layout[0], &s, y);
        for (int i = 0; i < rows * CHANNELS; i++)
            scale = fmax(scale, fabs(y[i]));
        for (int p = 0; p < rows; p++)
            for (int q = p + 1; q < rows; q++)
                if (group[p] == group[q]) {
                    merged++;
                    if (!(apart(y, p, q) <= HELP_EQUAL * scale))
                        fail_msg("blocks %d: merged pairs are %g apart", (int)seed, apart(y, p, q));
                }
    }
    return merged;
}

static void test_floors_do_not_know(void **state)
{
    static const char *const encodings[] = {"rope", "alibi", "none", "toeplitz"};
    static struct help_set set;
    static int32_t group[ROWS_MAX], plain[ROWS_MAX];
    long merged = 0;
    for (int turn = 0; turn < 30; turn++) {
        struct kind_config encoding = help_kind(&encoding_kinds, encodings[turn % 4]);
        struct model_config m = help_model(&encoding, turn % 5 ? -1 : 0, turn % 2, 8);
        int groups;
        help_set_open(&set, CHANNELS, (uint64_t)turn);
        struct layout *l = help_layout(&set.arena, 5);
        help_set_plant(&set, l, 2, 0);
        struct floor_set view = help_set_view(&set);
        assert_int_equal(model_merge(&m, l, &view, plain, &groups, NULL), 0);
        set_blocks(&m, turn);
        assert_int_equal(model_merge(&m, l, &view, group, &groups, NULL), 0);
        assert_memory_equal(plain, group, (size_t)view.first[view.count] * sizeof *group);
        merged += check_merged(&m, &set, group, (uint64_t)turn);
        help_set_close(&set);
    }
    print_message("%ld merged pairs\n", merged);
    assert_true(merged > 1000);
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
        cmocka_unit_test(test_grouped_are_equal_heads),
        cmocka_unit_test(test_what_does_not_divide),
        cmocka_unit_test(test_floors_do_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

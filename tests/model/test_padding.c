/* Samples of unequal length: a sequence beside longer ones has the outputs that it has alone, whatever
 * stands behind it, and merging holds for all lengths together. */
#include "model/help_model.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

enum { LONG = 12, SHORT = 7, CHANNELS = HELP_NETWORK_CHANNELS };

static void one_token(struct model_config *m)
{
    m->prefix = help_kind(&prefix_kinds, "bos");
}

static void canon(struct model_config *m)
{
    m->convolution = help_kind(&convolution_kinds, "canon");
    for (int place = 2; place < 6; place++)
        m->convolution.number[place] = 1;
}

static void (*const change[])(struct model_config *m) = {NULL, one_token, canon};

/* x in samples of 7, 7 and 5 tokens, where the longest that the model knows of has 7. */
static void run_alone(const struct rig *r, const struct layout *seven, const real *x, real *y)
{
    const struct layout five = layout_shorter(seven, LONG - SHORT);
    const struct layout *layout[] = {seven, seven, &five};
    const int first[] = {0, SHORT, 2 * SHORT, SHORT + LONG};
    struct arena a;
    struct model_state state;
    struct workspace *w;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(model_state_open(&state, &r->model, seven, &a, NULL), 0);
    assert_int_equal(workspace_open(&w, &r->model, &state, 3 * SHORT, false, &a, NULL), 0);
    const struct batch b = {.samples = 3, .rows = SHORT + LONG, .first = first, .layout = layout, .x = x};
    model_prepare(&r->model, r->p, &state);
    model_forward(&r->model, r->p, &state, &b, w);
    model_output(&r->model, r->p, w, 0, SHORT + LONG, y);
    arena_close(&a);
}

/* Every bit: seven tokens beside five and seven, and the same seven where five and seven are the twelve of
 * one longer sample.  With a token in front the batches have unequally many rows, and encodings with scores of
 * their own make them by products with tables of all offsets; products of other row counts are summed in
 * another order, and these are equal to ROUNDING. */
#define ROUNDING (256 * REAL_EPSILON)
static bool check_padded(const struct rig_config *c)
{
    struct rig r;
    real alone[(SHORT + LONG) * 3];
    const struct layout *layout[2];
    const int first[] = {0, SHORT, SHORT + LONG};
    double largest = 0, apart = 0;
    if (!rig_open(&r, c, 1))
        return false;
    rig_perturb(&r, 2, 0.3);
    struct layout part = layout_shorter(&r.layout, SHORT);
    layout[0] = &part;
    layout[1] = &r.layout;
    r.batch.first = first;
    r.batch.layout = layout;
    r.batch.rows = r.rows = SHORT + LONG;
    rig_forward(&r);
    run_alone(&r, help_layout(&r.arena, SHORT), r.x, alone);
    for (int i = 0; i < SHORT * 3; i++) {
        largest = fmax(largest, fabs((double)alone[i]));
        apart = fmax(apart, fabs((double)alone[i] - (double)r.y[i]));
    }
    const struct layer_kind *kind = r.model.kind;
    bool rounded = r.model.before || (kind->encoding->logits && !kind->facts.relation_bias);
    if (rounded ? !(apart <= ROUNDING * largest)
                       : memcmp(alone, r.y, SHORT * 3 * sizeof *alone) != 0)
        fail_msg("%s, C %s, normaliser %s, mask %d: seven tokens beside twelve differ by %g of %g",
                 c->encoding, c->c ? c->c : "none", c->normaliser, c->mask, apart, largest);
    rig_close(&r);
    return true;
}

static void test_padded(void **state)
{
    int checked = 0;
    for (int k = 0; encoding_table[k]; k++)
        for (int mask = 0; mask < mask_kinds.count; mask++)
            for (int n = 0; normaliser_table[n]; n++) {
                struct rig_config c =
                    rig_default(encoding_table[k]->name, (k + n) % 3 ? NULL : "toeplitz", mask);
                c.n = LONG;
                c.layers = 1 + (mask + n) % 2;
                c.normaliser = normaliser_table[n]->name;
                c.change = change[(k + mask + n) % 3];
                checked += check_padded(&c);
            }
    print_message("%d models\n", checked);
    assert_true(checked > 1000);
}

#ifdef REAL_DOUBLE
static void test_gradients(void **state)
{
    int checked = 0;
    for (int k = 0; encoding_table[k]; k++)
        for (int mask = 0; mask < 2; mask++) {
            struct rig_config c = rig_default(encoding_table[k]->name, k % 2 ? "toeplitz" : NULL, mask);
            c.samples = 4;
            c.shortest = 2;
            c.change = change[(k + mask) % 3];
            checked += rig_check_gradient(&c, encoding_table[k]->name);
        }
    assert_true(checked > 30);
}
#endif

/* Equal tokens and mixed ones, of lengths from 3 to 6. */
static void test_soundness(void **state)
{
    static struct help_set set;
    static int32_t group[HELP_NETWORK_ROWS];
    struct help_pairs pairs = {0};
    long across = 0;
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 6; c++) {
            struct kind_config encoding = help_kind(&encoding_kinds, encoding_table[k]->name);
            struct model_config m = help_model(&encoding, c % 3 == 2 ? 0 : -1, c % 2, 12);
            const struct model_io io = {.channels = CHANNELS};
            int groups, n[HELP_NETWORK_ROWS] = {0};
            if (change[(k + c) % 3])
                change[(k + c) % 3](&m);
            if (c >= 3)
                m.normaliser = help_kind(&normaliser_kinds, c % 2 ? "sigmoid" : "sink");
            help_set_open(&set, CHANNELS, (uint64_t)(k * 8 + c));
            struct layout *longest = help_layout(&set.arena, 6), shorter[4];
            for (int i = 0; i < 4; i++)
                shorter[i] = layout_shorter(longest, 6 - i);
            if (!model_check(&m, &io, longest, longest, NULL)) {
                for (int at = 0; at < 24; at++) { /* by lengths: a pass takes those of one */
                    int32_t token[6];
                    int word = at % 6 * 4 + at / 6;
                    for (int i = 0; i < 6; i++)
                        token[i] = word < 4 ? 0 : (word / 4) >> i & 1;
                    const struct layout *l = word % 4 ? &shorter[word % 4] : longest;
                    for (int i = 0; i < l->n; i++)
                        n[set.first[set.count] + i] = l->n;
                    help_set_add(&set, l, token);
                }
                struct floor_set view = help_set_view(&set);
                assert_int_equal(model_merge(&m, longest, &view, group, &groups, NULL), 0);
                help_count_pairs("padding", (uint64_t)k, &m, &set, group, &pairs);
                for (int p = 0; p < view.first[view.count]; p++)
                    for (int q = 0; q < p; q++)
                        across += group[p] == group[q] && n[p] != n[q];
            }
            help_set_close(&set);
        }
    print_message("%ld pairs merged, %ld of them of unequal lengths, %ld broken; %ld apart, %ld unseen\n",
                  pairs.merged, across, pairs.broken, pairs.apart, pairs.unseen);
    assert_int_equal(pairs.broken, 0);
    assert_true(across > 5000 && pairs.apart > 10000);
}

/* ---- random positions -------------------------------------------------------------------------*/
enum { PLACES = 9 };

/* Positions at 0 .. n-1 of a longer line are the line's first, to the bit; further apart they are not. */
static void test_places(void **state)
{
    int checked = 0, refused = 0;
    for (int k = 0; encoding_table[k]; k++)
        for (int mask = 0; mask < mask_kinds.count; mask++)
            for (int c = 0; c < 3; c++) {
                static const int32_t first[] = {0, 1, 2, 3, 4}, apart[] = {0, 2, 3, 7, 8};
                struct rig r;
                struct rig_config config =
                    rig_default(encoding_table[k]->name, c ? c == 1 ? "toeplitz" : "bucketed" : NULL, mask);
                real line[5 * 3], near[5 * 3];
                config.samples = 1;
                config.places = PLACES;
                if (!rig_open(&r, &config, 1)) {
                    refused++;
                    continue;
                }
                rig_perturb(&r, 2, 0.3);
                struct layout l, whole;
                const struct layout *of = &l;
                assert_int_equal(layout_line(PLACES, &r.arena, &whole, NULL), 0);
                l = layout_shorter(&whole, 5);
                r.batch.layout = &of;
                rig_forward(&r);
                memcpy(line, r.y, sizeof line);
                assert_int_equal(layout_scattered(5, first, PLACES, &r.arena, &l, NULL), 0);
                rig_forward(&r);
                memcpy(near, r.y, sizeof near);
                if (memcmp(line, near, sizeof line) != 0)
                    fail_msg("%s, mask %d: 0 to 4 of nine places are no line", config.encoding, mask);
                assert_int_equal(layout_scattered(5, apart, PLACES, &r.arena, &l, NULL), 0);
                rig_forward(&r);
                if (strcmp(config.encoding, "none") != 0 && !memcmp(near, r.y, sizeof near))
                    fail_msg("%s, mask %d: places change nothing", config.encoding, mask);
                rig_close(&r);
                checked++;
            }
    print_message("%d models, %d refused\n", checked, refused);
    assert_true(checked > 100);
}

/* A relation of two positions is that of their places on the whole line. */
static void test_relations(void **state)
{
    static const int32_t place[] = {0, 2, 3, 7, 8};
    struct arena a;
    struct layout whole, l;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(layout_line(PLACES, &a, &whole, NULL), 0);
    assert_int_equal(layout_scattered(5, place, PLACES, &a, &l, NULL), 0);
    int32_t fold[2 * PLACES - 1], same[2 * PLACES - 1];
    l.fold(&whole, &l, fold);
    whole.fold(&whole, &whole, same);
    assert_memory_equal(fold, same, sizeof fold);
    for (int k = 0; encoding_table[k]; k++) {
        struct kind_config kind = help_kind(&encoding_kinds, encoding_table[k]->name);
        struct model_config m = help_model(&kind, -1, true, 12);
        struct encoding_shape shape = model_shape(&m, &whole);
        struct encoding_context here = {.config = &kind, .shape = &shape, .layout = &l, .fold = fold};
        struct encoding_context there = here;
        there.layout = &whole;
        for (int i = 0; i < 5 && encoding_table[k]->scattered; i++)
            for (int j = 0; j < 5; j++)
                assert_int_equal(encoding_relation(&here, i, j), encoding_relation(&there, place[i], place[j]));
    }
    arena_close(&a);
}

#ifdef REAL_DOUBLE
static void test_gradients_at_places(void **state)
{
    int checked = 0;
    for (int k = 0; encoding_table[k]; k++)
        for (int mask = 0; mask < 2; mask++) {
            struct rig_config c = rig_default(encoding_table[k]->name, k % 2 ? "toeplitz" : NULL, mask);
            c.samples = 3;
            c.shortest = mask ? 2 : 0;
            c.places = PLACES;
            checked += rig_check_gradient(&c, encoding_table[k]->name);
        }
    assert_true(checked >= 18);
}
#endif

/* Samples at places of their own, of equal tokens and of mixed ones. */
static void test_soundness_at_places(void **state)
{
    static struct help_set set;
    static int32_t group[HELP_NETWORK_ROWS];
    struct help_pairs pairs = {0};
    struct space_config space = help_space("sequence", "positions.random", PLACES);
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 6; c++) {
            struct kind_config encoding = help_kind(&encoding_kinds, encoding_table[k]->name);
            struct model_config m = help_model(&encoding, c % 3 == 2 ? 0 : -1, c % 2, 12);
            const struct model_io io = {.channels = CHANNELS};
            int groups;
            if (c >= 3)
                m.normaliser = help_kind(&normaliser_kinds, c % 2 ? "sigmoid" : "sink");
            help_set_open(&set, CHANNELS, (uint64_t)(k * 8 + c));
            struct layout *longest = arena_alloc(&set.arena, 1, sizeof *longest, NULL);
            assert_int_equal(space_of(&space)->layout(&space, 6, &set.arena, longest, NULL), 0);
            if (!model_check(&m, &io, longest, longest, NULL)) {
                for (int at = 0; at < 24; at++) { /* by lengths, the longest first */
                    int32_t token[6];
                    int word = at % 8 * 3 + 2 - at / 8;
                    struct layout *l = arena_alloc(&set.arena, 1, sizeof *l, NULL);
                    for (int i = 0; i < 6; i++)
                        token[i] = word < 8 ? 0 : (word / 4) >> i & 1;
                    assert_int_equal(space_of(&space)->draw(&space, NULL, 4 + word % 3, &set.random,
                                                            &set.arena, l, NULL), 0);
                    help_set_add(&set, l, token);
                }
                struct floor_set view = help_set_view(&set);
                assert_int_equal(model_merge(&m, longest, &view, group, &groups, NULL), 0);
                help_count_pairs("places", (uint64_t)k, &m, &set, group, &pairs);
            }
            help_set_close(&set);
        }
    print_message("%ld pairs merged, %ld broken; %ld apart, %ld unseen\n", pairs.merged, pairs.broken,
                  pairs.apart, pairs.unseen);
    assert_int_equal(pairs.broken, 0);
    assert_true(pairs.merged > 5000 && pairs.apart > 100000);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_padded),
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_gradients),
#endif
        cmocka_unit_test(test_soundness),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_relations),
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_gradients_at_places),
#endif
        cmocka_unit_test(test_soundness_at_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

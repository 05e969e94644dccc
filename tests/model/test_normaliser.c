/* Normalisers in the model: gradients against central differences, and what each must give back. */
#include "help_turns.h"
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef REAL_DOUBLE
static const char *const c_kinds[] = {NULL, "toeplitz", "bucketed"};

/* Options that take other ways than the defaults. */
static const struct {
    const char *name;
    struct rig_option option[2];
} further_weights[] = {
    {"sigmoid", {{"minus_log", 2}, {"divide", 1}}}, {"sigmoid", {{"minus_log", 0}}},
    {"relu", {{"power", 2}, {"over", 1}}},          {"relu", {{"over", 1}}},
    {"entmax", {{"alpha", 1.3}}},                   {"entmax", {{"learned", 1}}},
    {"ssmax", {{"bias", 1}}},                       {"stick-breaking", {{"remainder", 1}}},
    {"stick-breaking", {{"remainder", 2}}},         {"stick-breaking", {{"current", 1}}},
    {"elastic", {{"tau", -0.3}}},
    {"differential", {{"norm", 1}}},
    {"linear", {{"divide", 1}}},                    {"linear", {{"divide", 2}}},
    {"linear", {{"divide", 2}, {"phi", 1}}},
};
enum { FURTHER = sizeof further_weights / sizeof further_weights[0] };

/* average-hard is trained with an estimator, which is no gradient (test_weights.c). */
static bool has_gradient(const struct normaliser *n)
{
    return strcmp(n->name, "average-hard") != 0;
}

/* Under none, causal and one of the other masks, the last and C by turns. */
static int check_weights(struct rig_config config, const char *encoding, int turn)
{
    int checked = 0;
    char what[128];
    config.encoding = encoding;
    for (int m = 0; m < 3; m++) {
        int c = (turn + m) % 3;
        config.mask = m < 2 ? m : 2 + turn % (mask_kinds.count - 2);
        config.c = c_kinds[c];
        config.share = c < 2;
        snprintf(what, sizeof what, "%s %s n=%d C=%s mask=%s", config.normaliser, encoding,
                 config.n, config.c ? config.c : "-", mask_table[config.mask]->name);
        bool defined = rig_check_direction(&config, what);
        checked += defined;
        if (defined && help_turn(turn + m, 4)) /* and element by element */
            rig_check_gradient(&config, what);
    }
    return checked;
}

/* Every normaliser with every encoding, masks and C by turns, at an odd size and at n = 1. */
static void test_every_normaliser(void **state)
{
    for (int w = 0; normaliser_table[w]; w++)
        for (int k = 0; encoding_table[k] && has_gradient(normaliser_table[w]); k++)
            for (int n = k % 3 ? 5 : 1; n <= 5; n += 4) { /* and n = 1 now and then */
                struct rig_config config = rig_default(NULL, NULL, 0);
                config.normaliser = normaliser_table[w]->name;
                config.n = n;
                config.layers = 1 + n / 5;
                check_weights(config, encoding_table[k]->name, w + k);
            }
}

static void test_weights_options(void **state)
{
    const char *const encodings[] = {"none", "toeplitz", "shaw", "rope", "cope"};
    for (int w = 0; w < FURTHER; w++)
        for (int k = 0; k < 5; k++) {
            struct rig_config config = rig_default(NULL, NULL, 0);
            config.normaliser = further_weights[w].name;
            memcpy(config.weights, further_weights[w].option, sizeof config.weights);
            bool defined = k < 4 || strcmp(config.normaliser, "linear") != 0;
            assert_int_equal(check_weights(config, encodings[k], w + k) > 0, defined);
        }
}
#endif

/* ---- softmax as a special case ----------------------------------------------------------------*/
static void set_all(struct rig *r, const char *suffix, real value)
{
    size_t length = strlen(suffix);
    int found = 0;
    for (int k = 0; k < r->model.tensors.count; k++) {
        const struct tensor *t = &r->model.tensors.item[k];
        size_t name = strlen(t->name);
        if (name < length || strcmp(t->name + name - length, suffix) != 0)
            continue;
        found++;
        for (size_t i = 0; i < t->count; i++)
            r->p[t->offset + i] = value;
    }
    assert_true(found > 0);
}

/* The largest difference of their outputs; closes both. */
static double distance_of(struct rig *a, struct rig *b)
{
    double most = 0;
    rig_forward(a);
    rig_forward(b);
    for (int k = 0; k < a->rows * a->outputs; k++)
        most = fmax(most, fabs((double)a->y[k] - (double)b->y[k]));
    rig_close(a);
    rig_close(b);
    return most;
}

/* The largest difference of the outputs of a model and the same with softmax; with the parameter of
 * that name set to the value, if there is a name. */
static double distance_from_softmax(struct rig_config c, const char *name, double value)
{
    struct rig a, b;
    struct rig_config plain = c;
    plain.normaliser = NULL;
    memset(plain.weights, 0, sizeof plain.weights);
    assert_true(rig_open(&a, &c, 3) && rig_open(&b, &plain, 3));
    rig_perturb(&b, 6, 0.3);
    for (int k = 0; k < b.model.tensors.count; k++) { /* what they share is equal */
        const struct tensor *from = &b.model.tensors.item[k];
        const struct tensor *to = tensor_list_find(&a.model.tensors, from->name);
        assert_non_null(to);
        memcpy(a.p + to->offset, b.p + from->offset, from->count * sizeof(real));
    }
    if (name)
        set_all(&a, name, (real)value);
    return distance_of(&a, &b);
}

/* Bit for bit, on the path of blocks (shaw) and, where it is fused, on both. */
static void test_softmax_is_a_special_case(void **state)
{
    static const struct {
        const char *name;
        struct rig_option option;
        const char *parameter;
        double value;
        bool fused;
    } cases[] = {
        {"sink", {NULL, 0}, "normaliser.sink", -1e4, true},
        {"elastic", {NULL, 0}, "normaliser.tau", 0, false},
        {"ssmax", {"bias", 1}, NULL, 0, false},
        {"talking-heads", {NULL, 0}, NULL, 0, false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
        for (int mask = 0; mask < 2; mask++) {
            struct rig_config c = rig_default("shaw", mask ? "toeplitz" : NULL, mask);
            c.normaliser = cases[k].name;
            c.weights[0] = cases[k].option;
            if (strcmp(c.normaliser, "ssmax") == 0) {
                c.weights[1] = (struct rig_option){"scale", 0};
                assert_true(distance_from_softmax(c, "normaliser.bias", 1) == 0);
                assert_true(distance_from_softmax(c, "normaliser.bias", 1.1) > 1e-4);
                continue;
            }
            assert_true(distance_from_softmax(c, cases[k].parameter, cases[k].value) == 0);
            if (cases[k].parameter)
                assert_true(distance_from_softmax(c, cases[k].parameter, -0.5) > 1e-4);
            c.encoding = "toeplitz";
            if (cases[k].fused)
                assert_true(distance_from_softmax(c, cases[k].parameter, cases[k].value) == 0);
        }
}

/* The tensor of a layer with that suffix. */
static real *tensor_of(struct rig *r, int layer, const char *suffix, size_t *count)
{
    char name[64];
    snprintf(name, sizeof name, "layers.%d.%s", layer, suffix);
    const struct tensor *t = tensor_list_find(&r->model.tensors, name);
    assert_non_null(t);
    *count = t->count;
    return r->p + t->offset;
}

/* Both heads of a pair have the queries and keys of its first one, and lambda is `lambda`. */
static void set_pairs(struct rig *r, bool norm, double lambda)
{
    static const char *const names[] = {"attn.q.weight", "attn.q.bias", "attn.k.weight", "attn.k.bias"};
    size_t count;
    for (int layer = 0; layer < r->config.layers; layer++) {
        for (int k = 0; k < 4; k++) {
            real *x = tensor_of(r, layer, names[k], &count);
            memcpy(x + count / 2, x, count / 2 * sizeof *x);
        }
        if (!r->config.normaliser)
            continue;
        for (int k = 0; k < 4; k++) {
            static const char *const vectors[] = {"q1", "k1", "q2", "k2"};
            char name[32];
            snprintf(name, sizeof name, "normaliser.lambda_%s", vectors[k]);
            real *x = tensor_of(r, layer, name, &count);
            memset(x, 0, count * sizeof *x);
            x[0] = 1;
        }
        /* exp(l_q1.l_k1) = lambda - lambda_0 + exp(l_q2.l_k2), which is e */
        *tensor_of(r, layer, "normaliser.lambda_q1", &count) =
            (real)log(lambda - 0.8 + 0.6 * exp(-0.3 * layer) + exp(1));
        if (norm)
            for (real *gain = tensor_of(r, layer, "normaliser.gain", &count); count-- > 0;)
                gain[count] = 1;
    }
}

/* Differential attention with lambda = 0 is the softmax of the first head of each pair, up to the
 * rounding of a lambda of some epsilons; its norm is seen, and so is another lambda. */
static void test_differential_without_its_second_half(void **state)
{
    for (int turn = 0; turn < 3; turn++) {
        struct rig a, b;
        struct rig_config plain = rig_default("none", NULL, 1), c = plain;
        double most = 0;
        c.normaliser = "differential";
        if (turn == 2)
            c.weights[0] = (struct rig_option){"norm", 1};
        assert_true(rig_open(&a, &c, 3) && rig_open(&b, &plain, 3));
        set_pairs(&b, false, 0);
        set_pairs(&a, turn == 2, turn == 1 ? 0.3 : 0);
        rig_forward(&a);
        rig_forward(&b);
        for (int k = 0; k < a.rows * a.outputs; k++)
            most = fmax(most, fabs((double)a.y[k] - (double)b.y[k]));
        assert_true(turn ? most > 1e-4 : most <= 64 * (double)REAL_EPSILON);
        rig_close(&a);
        rig_close(&b);
    }
}

/* entmax tends to softmax as alpha tends to 1, linearly. */
static void test_limits(void **state)
{
    struct rig_config c = rig_default("toeplitz", NULL, 1);
    c.normaliser = "entmax";
    c.weights[0] = (struct rig_option){"alpha", 1.02};
    double far = distance_from_softmax(c, NULL, 0);
    c.weights[0].value = 1.01;
    double near = distance_from_softmax(c, NULL, 0);
    assert_true(near > 0 && near < 0.02 && near < 0.6 * far);
}

/* A cap of c moves a product s by less than |s|^3 / (3 c^2). */
static double cap_of_rig;
static void set_cap(struct model_config *m)
{
    assert_true(option_set_kind(&logits_kinds, "soft-cap", &m->logits));
    m->logits.number[0] = cap_of_rig;
}

static double distance_from_no_cap(double cap)
{
    struct rig a, b;
    struct rig_config c = rig_default("toeplitz", NULL, 1);
    assert_true(rig_open(&b, &c, 3));
    cap_of_rig = cap;
    c.change = set_cap;
    assert_true(rig_open(&a, &c, 3));
    return distance_of(&a, &b);
}

static void test_a_wide_cap(void **state)
{
    assert_true(distance_from_no_cap(1e6) <= 1e-12 + 64 * (double)REAL_EPSILON);
    assert_true(distance_from_no_cap(0.05) > 1e-4);
}

/* Every normaliser: C = 1 is no C, and a causal mask hides what comes later, bit for bit. */
static void test_ones_and_causality(void **state)
{
    for (int w = 0; normaliser_table[w]; w++)
        for (int k = 0; k < 2; k++) {
            struct rig plain, ones;
            struct rig_config a = rig_default(k ? "shaw" : "toeplitz", NULL, 1), b;
            a.normaliser = normaliser_table[w]->name;
            b = a;
            b.c = "toeplitz";
            assert_true(rig_open(&plain, &a, 3) && rig_open(&ones, &b, 3));
            rig_forward(&plain);
            rig_forward(&ones);
            size_t bytes = (size_t)(plain.rows * plain.outputs) * sizeof(real);
            assert_memory_equal(plain.y, ones.y, bytes);
            int last = plain.layout.n - 1;
            size_t before = (size_t)(last * plain.outputs) * sizeof(real);
            ones.x[last * 3] += (real)0.25; /* of the first sample's last position */
            rig_forward(&ones);
            assert_memory_equal(plain.y, ones.y, before);
            assert_memory_not_equal(plain.y, ones.y, bytes);
            rig_close(&plain);
            rig_close(&ones);
        }
}

/* ---- one layer -----------------------------------------------------------------------------------
 * What a layer sees of counts, orders and offsets shows in one layer; in more, colours tell of what came before, and
 * a view that is too coarse may go unnoticed: c behind ab and behind ba, say. */
static struct model_config one_layer(const char *normaliser, const char *encoding, int c)
{
    struct kind_config kind = help_kind(&encoding_kinds, encoding);
    struct model_config m = help_model(&kind, c, true, 12);
    m.normaliser = help_kind(&normaliser_kinds, normaliser);
    m.layers = 1;
    return m;
}

/* Pairs that the class of `like` merges in one layer, and of them those that a network of m tells apart. */
static long told_apart(const struct model_config *m, const struct model_config *like, long *merged)
{
    enum { D = HELP_NETWORK_CHANNELS, LENGTH = 4, WORDS = 81, ROWS = WORDS * LENGTH };
    static struct help_set set;
    static double y[ROWS * D];
    int32_t any[ROWS], deep[ROWS];
    struct model_groups g = {.any = any, .deep = deep};
    struct stream s;
    long told = 0;
    help_set_open(&set, D, 1);
    struct layout *l = help_layout(&set.arena, LENGTH);
    for (int word = 0; word < WORDS; word++)
        help_set_add(&set, l, (int32_t[]){word % 3, word / 3 % 3, word / 9 % 3, word / 27});
    struct floor_set view = help_set_view(&set);
    assert_int_equal(model_merge_depth(like, l, &view, &g, NULL), 0);
    stream_open(&s, 1, "order", 0);
    help_random_network(m, l, &view, l, &s, y);
    for (int p = 0; p < ROWS; p++)
        for (int q = 0; q < p; q++) {
            double apart = fmax(fabs(y[p * D] - y[q * D]), fabs(y[p * D + 1] - y[q * D + 1]));
            *merged += deep[p] == deep[q];
            told += deep[p] == deep[q] && !(apart <= HELP_EQUAL * fmax(1, fabs(y[p * D])));
        }
    help_set_close(&set);
    return told;
}

static void test_one_layer(void **state)
{
    (void)state;
    static const char *const encodings[] = {"none", "toeplitz", "rope", "alibi", "xpos", "fox", "cope", "shaw", "t5"};
    const struct model_io io = {.channels = HELP_NETWORK_CHANNELS};
    struct arena a;
    long merged = 0;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, 4);
    for (int w = 0; normaliser_table[w]; w++)
        for (int e = 0; e < 2 * 9; e++) {
            struct model_config m = one_layer(normaliser_table[w]->name, encodings[e / 2], e % 2 - 1);
            if (model_check(&m, &io, l, l, NULL))
                continue;
            long told = told_apart(&m, &m, &merged);
            if (told)
                fail_msg("%s, %s: %ld merged pairs have unequal outputs", normaliser_table[w]->name,
                         encodings[e / 2], told);
        }
    print_message("%ld merged pairs\n", merged);
    assert_true(merged > 100000);
    arena_close(&a);
}

/* Views that are too coarse: that of another normaliser, that of no encoding. */
static void test_one_layer_finds_out(void **state)
{
    (void)state;
    static const char *const wrong[][4] = {
        {"stick-breaking", "none", "sink", "none"}, {"entmax", "none", "softmax", "none"},
        {"ssmax", "none", "softmax", "none"},       {"softmax", "xpos", "softmax", "none"},
        {"softmax", "fox", "softmax", "none"},      {"softmax", "cope", "softmax", "none"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        struct model_config m = one_layer(wrong[k][0], wrong[k][1], -1), like = one_layer(wrong[k][2], wrong[k][3], -1);
        long merged = 0, told = told_apart(&m, &like, &merged);
        if (told < 10)
            fail_msg("%s, %s: %ld of %ld pairs are told apart", wrong[k][0], wrong[k][1], told, merged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_every_normaliser),
        cmocka_unit_test(test_weights_options),
#endif
        cmocka_unit_test(test_softmax_is_a_special_case),
        cmocka_unit_test(test_differential_without_its_second_half),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_wide_cap),
        cmocka_unit_test(test_ones_and_causality),
        cmocka_unit_test(test_one_layer),
        cmocka_unit_test(test_one_layer_finds_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Normalisers in the model: gradients against central differences, and what each must give back. */
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
        checked += rig_check_gradient(&config, what);
    }
    return checked;
}

/* Every normaliser with every encoding, masks and C by turns, at an odd size and at n = 1. */
static void test_every_normaliser(void **state)
{
    (void)state;
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
    (void)state;
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

/* The largest difference of the outputs of a model and the same with softmax; with the parameter of
 * that name set to the value, if there is a name. */
static double distance_from_softmax(struct rig_config c, const char *name, double value)
{
    struct rig a, b;
    struct rig_config plain = c;
    double most = 0;
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
    rig_forward(&a);
    rig_forward(&b);
    for (int k = 0; k < a.rows * a.outputs; k++)
        most = fmax(most, fabs((double)a.y[k] - (double)b.y[k]));
    rig_close(&a);
    rig_close(&b);
    return most;
}

/* Bit for bit, on the path of blocks (shaw) and, where it is fused, on both. */
static void test_softmax_is_a_special_case(void **state)
{
    (void)state;
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

/* entmax tends to softmax as alpha tends to 1, linearly. */
static void test_limits(void **state)
{
    (void)state;
    struct rig_config c = rig_default("toeplitz", NULL, 1);
    c.normaliser = "entmax";
    c.weights[0] = (struct rig_option){"alpha", 1.02};
    double far = distance_from_softmax(c, NULL, 0);
    c.weights[0].value = 1.01;
    double near = distance_from_softmax(c, NULL, 0);
    assert_true(near > 0 && near < 0.02 && near < 0.6 * far);
}

/* Every normaliser: C = 1 is no C, and a causal mask hides what comes later, bit for bit. */
static void test_ones_and_causality(void **state)
{
    (void)state;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_every_normaliser),
        cmocka_unit_test(test_weights_options),
#endif
        cmocka_unit_test(test_softmax_is_a_special_case),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_ones_and_causality),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Gradients of every normaliser with every encoding, C and mask, at an odd size and at n = 1, along a
 * direction that moves all parameters and inputs; and of what else a layer may have with those that
 * reach beyond q, k and v. */
#include "model/help_model.h"

#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

#ifdef REAL_DOUBLE
static const char *const c_kinds[] = {NULL, "toeplitz", "bucketed"};

static struct rig_config config_of(const struct normaliser *normaliser, const char *encoding, int c,
                                   int mask, int n)
{
    struct rig_config config = rig_default(encoding, c_kinds[c], mask);
    config.normaliser = normaliser->name;
    config.layers = 1;
    config.samples = 1;
    config.n = n;
    config.share = c < 2;
    if (n > 1 && mask_table[mask]->options) /* sizes that hide something */
        config.seen[0] = (struct rig_option){mask_table[mask]->options[0].key, 2};
    return config;
}

static void check(const struct rig_config *config, int *checked)
{
    char what[128];
    snprintf(what, sizeof what, "%s %s C=%s mask=%s n=%d", config->normaliser, config->encoding,
             config->c ? config->c : "-", mask_table[config->mask]->name, config->n);
    *checked += rig_check_direction(config, what);
}

/* average-hard is trained with an estimator, which is no gradient. */
static void test_product(void **state)
{
    int checked = 0;
    for (int w = 0; normaliser_table[w]; w++)
        for (int k = 0; encoding_table[k] && strcmp(normaliser_table[w]->name, "average-hard"); k++)
            for (int c = 0; c < 3; c++)
                for (int mask = 0; mask < mask_kinds.count; mask++)
                    for (int n = 1; n <= 5; n += 4) {
                        struct rig_config config = config_of(
                            normaliser_table[w], encoding_table[k]->name, c, mask, n);
                        check(&config, &checked);
                    }
    print_message("%d of normaliser x encoding x C x mask x {1, 5}\n", checked);
    assert_true(checked > 8000);
}

static void set_rest(struct model_config *m, int kv_heads, const char *convolution, const char *norm)
{
    const char *const names[] = {"none", "pre", "post"};
    m->kv_heads = kv_heads;
    assert_true(option_set_kind(&convolution_kinds, convolution, &m->convolution));
    for (int k = 0; k < 3; k++)
        m->norm = strcmp(names[k], norm) == 0 ? k : m->norm;
}

static void shared_keys(struct model_config *m) { set_rest(m, 1, "none", "post"); }
static void with_canon(struct model_config *m) { set_rest(m, 0, "canon", "pre"); }
static void with_shift(struct model_config *m) { set_rest(m, 1, "shift", "none"); }
static void set_logits(struct model_config *m, const char *kind, double number)
{
    assert_true(option_set_kind(&logits_kinds, kind, &m->logits));
    if (number != 0)
        m->logits.number[0] = number;
}

static void soft_cap(struct model_config *m) { set_logits(m, "soft-cap", 0.7); }
static void qk_norm(struct model_config *m) { set_logits(m, "qk-norm", 0); }
static void cosine(struct model_config *m) { set_logits(m, "cosine", 0); }
static void cosine_of_shared(struct model_config *m)
{
    set_rest(m, 1, "none", "pre");
    cosine(m);
}

/* Maps of the logits with every encoding, and with those normalisers that are of another shape. */
static void test_maps_of_logits(void **state)
{
    void (*const change[])(struct model_config *m) = {soft_cap, qk_norm, cosine, cosine_of_shared};
    const char *const normalisers[] = {"softmax", "relu", "stick-breaking", "talking-heads", "bias-kv"};
    int checked = 0, encodings = 0;
    for (; encoding_table[encodings]; encodings++)
        for (int w = 0; w < 5; w++)
            for (int x = 0; x < 4; x++) {
                struct rig_config config =
                    rig_default(encoding_table[encodings]->name, w % 2 ? "toeplitz" : NULL, 1);
                config.normaliser = normalisers[w];
                config.change = change[x];
                check(&config, &checked);
            }
    assert_true(checked >= 5 * 4 * (encodings - 1)); /* centrality is of graphs */
}

/* A scale of cosines beyond its limit, log 100, is that limit: no difference says so where rows have one
 * weight, but the gradient there is nothing at all. */
static void test_scale_beyond_its_limit(void **state)
{
    struct rig r;
    struct rig_config config = rig_default("toeplitz", NULL, 1);
    config.change = cosine;
    assert_true(rig_open(&r, &config, 7));
    rig_perturb(&r, 11, 0.3);
    const struct tensor *t = tensor_list_find(&r.model.tensors, "layers.0.logits.scale");
    assert_non_null(t);
    for (int beyond = 0; beyond < 2; beyond++) {
        r.p[t->offset] = beyond ? (real)4.61 : (real)4.6;
        rig_loss(&r);
        rig_backward(&r);
        assert_true((r.g[t->offset] == 0) == (beyond == 1));
    }
    rig_close(&r);
}

static void with_prefix(struct model_config *m)
{
    assert_true(option_set_kind(&prefix_kinds, "bos", &m->prefix));
}

/* What reads the layer's input (fox), or q and k themselves (linear, bias-kv), beside what changes these. */
static void test_rest_of_the_layer(void **state)
{
    void (*const change[])(struct model_config *m) = {shared_keys, with_canon, with_shift, with_prefix};
    const char *const normalisers[] = {"softmax", "linear", "bias-kv"};
    const char *const encodings[] = {"fox", "rope", "toeplitz"};
    int checked = 0;
    for (int w = 0; w < 3; w++)
        for (int k = 0; k < 3; k++)
            for (int x = 0; x < 4; x++)
                for (int divide = 0; divide < (w == 1 ? 3 : 1); divide++) {
                    struct rig_config config = rig_default(encodings[k], "toeplitz", 1);
                    config.normaliser = normalisers[w];
                    config.change = change[x];
                    if (divide)
                        config.weights[0] = (struct rig_option){"divide", divide};
                    check(&config, &checked);
                }
    assert_int_equal(checked, 3 * 4 * (1 + 3 + 1));
}
#endif

static void test_kernels(void **state)
{
    assert_non_null(kernel());
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e))
        return 1;
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_rest_of_the_layer),
        cmocka_unit_test(test_maps_of_logits),
        cmocka_unit_test(test_scale_beyond_its_limit),
#endif
        cmocka_unit_test(test_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Normalisers in the model: gradients against central differences, and what each must give back. */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
};
enum { FURTHER = sizeof further_weights / sizeof further_weights[0] };

/* average-hard is trained with an estimator, which is no gradient (test_weights.c). */
static bool has_gradient(const struct normaliser *n)
{
    return strcmp(n->name, "average-hard") != 0;
}

static int check_weights(struct rig_config config, const char *encoding)
{
    int checked = 0;
    char what[128];
    config.encoding = encoding;
    for (int c = 0; c < 3; c++)
        for (int mask = 0; mask < 2; mask++) {
            config.c = c_kinds[c];
            config.mask = mask;
            config.share = c < 2;
            snprintf(what, sizeof what, "%s %s n=%d C=%s mask=%d", config.normaliser, encoding,
                     config.n, config.c ? config.c : "-", mask);
            checked += rig_check_gradient(&config, what);
        }
    return checked;
}

#ifdef REAL_DOUBLE
/* Every normaliser with every encoding, C and mask, at an odd size and at n = 1. */
static void test_every_normaliser(void **state)
{
    (void)state;
    for (int w = 0; normaliser_table[w]; w++)
        for (int k = 0; encoding_table[k] && has_gradient(normaliser_table[w]); k++)
            for (int n = 1; n <= 5; n += 4) {
                struct rig_config config = rig_default(NULL, NULL, 0);
                config.normaliser = normaliser_table[w]->name;
                config.n = n;
                config.layers = 1 + n / 5;
                check_weights(config, encoding_table[k]->name);
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
            assert_true(check_weights(config, encodings[k]) > 0);
        }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_every_normaliser),
        cmocka_unit_test(test_weights_options),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

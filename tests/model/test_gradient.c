/* Gradients of every parameter and of the input against central differences, in double, for every
 * encoding of the table alone and with C; and what holds bit for bit in both precisions. */
#include "model/help_model.h"

#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

static const char *const c_kinds[] = {NULL, "toeplitz", "bucketed"};

#ifdef REAL_DOUBLE
static void test_every_encoding(void **state)
{
    (void)state;
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 3; c++)
            for (int mask = 0; mask < mask_kinds.count; mask++)
                for (int share = 0; share < 2; share++) {
                    struct rig_config config =
                        rig_default(encoding_table[k]->name, c_kinds[c], mask);
                    char what[96];
                    config.share = share;
                    snprintf(what, sizeof what, "%s C=%s mask=%d share=%d", config.encoding,
                             config.c ? config.c : "-", mask, share);
                    rig_check_gradient(&config, what);
                }
}

/* On every space, at its own size; samples of their own layouts where they have them. */
static void test_every_space(void **state)
{
    (void)state;
    for (int s = 0; space_table[s]; s++) {
        int checked = 0;
        for (int k = 0; encoding_table[k]; k++)
            for (int c = 0; c < 3; c++)
                for (int mask = 0; mask < mask_kinds.count; mask++) {
                    struct rig_config config =
                        rig_default(encoding_table[k]->name, c_kinds[c], mask);
                    char what[96];
                    config.space = space_table[s]->name;
                    config.width = 8;
                    config.layers = 1 + c % 2;
                    config.share = c < 2;
                    snprintf(what, sizeof what, "%s on %s C=%s mask=%d", config.encoding,
                             config.space, config.c ? config.c : "-", mask);
                    checked += rig_check_gradient(&config, what);
                }
        assert_true(checked >= 10);
    }
}

static void test_one_position(void **state)
{
    (void)state;
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 2; c++)
            for (int mask = 0; mask < mask_kinds.count; mask++) {
                struct rig_config config = rig_default(encoding_table[k]->name, c_kinds[c], mask);
                config.n = 1;
                rig_check_gradient(&config, encoding_table[k]->name);
            }
}

static void test_blocks_and_heads(void **state)
{
    (void)state;
    for (int norm = 0; norm < 3; norm++)
        for (int activation = 0; activation < 2; activation++)
            for (int heads = 1; heads <= 3; heads++) {
                struct rig_config c = rig_default("toeplitz", "toeplitz", heads % 2);
                c.norm = norm;
                c.activation = activation;
                c.heads = heads;
                c.layers = heads;
                rig_check_gradient(&c, "blocks");
            }
}

static void test_tokens(void **state)
{
    (void)state;
    for (int option = 0; option < 16; option++) {
        struct rig_config c = rig_default("toeplitz", "toeplitz", 0);
        c.channels = 0;
        c.symbols = 6;
        c.labels = 6;
        c.tie = option & 1;
        c.embed_norm = option & 2;
        c.head = option & 4 ? MODEL_HEAD_MLM : MODEL_HEAD_LINEAR;
        c.norm = option & 8 ? MODEL_NORM_POST : MODEL_NORM_PRE;
        rig_check_gradient(&c, "tokens");
    }
}

/* Longer than one block of query rows, so that blocks are put together rightly. */
static void test_several_blocks(void **state)
{
    (void)state;
    const char *const names[] = {"toeplitz", "shaw", "transformer-xl", "deberta"};
    for (int k = 0; k < 4; k++) {
        struct rig_config c = rig_default(names[k], "toeplitz", k % 2);
        c.n = 67;
        c.samples = 1;
        c.layers = 1;
        rig_check_gradient(&c, names[k]);
    }
}
#endif

/* With C = 1 the URPE model is the RPE model, bit for bit: outputs and gradients of what they
 * share. */
static void test_ones_are_plain(void **state)
{
    (void)state;
    for (int k = 0; encoding_table[k]; k++)
        for (int mask = 0; mask < mask_kinds.count; mask++) {
            struct rig plain, ones;
            struct rig_config a = rig_default(encoding_table[k]->name, NULL, mask), b = a;
            b.c = "toeplitz";
            if (!rig_open(&plain, &a, 3))
                continue;
            assert_true(rig_open(&ones, &b, 3));
            rig_forward(&plain);
            rig_forward(&ones);
            size_t bytes = (size_t)(plain.rows * plain.outputs) * sizeof(real);
            assert_memory_equal(plain.y, ones.y, bytes);
            rig_backward(&plain);
            rig_backward(&ones);
            for (int t = 0; t < plain.model.tensors.count; t++) {
                const struct tensor *x = &plain.model.tensors.item[t];
                const struct tensor *y = tensor_list_find(&ones.model.tensors, x->name);
                assert_non_null(y);
                assert_memory_equal(plain.p + x->offset, ones.p + y->offset,
                                    x->count * sizeof(real));
                assert_memory_equal(plain.g + x->offset, ones.g + y->offset,
                                    x->count * sizeof(real));
            }
            const struct tensor *c = tensor_list_find(&ones.model.tensors, "urpe.c");
            ones.p[c->offset + (size_t)ones.layout.n - 1] += (real)0.5; /* offset 0 of head 0 */
            rig_forward(&ones);
            assert_memory_not_equal(plain.y, ones.y, bytes);
            rig_close(&plain);
            rig_close(&ones);
        }
}

/* Under a causal mask no output depends on a later input; without one, some does. */
static void test_causality(void **state)
{
    (void)state;
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 2; c++)
            for (int mask = 0; mask < mask_kinds.count; mask++) {
                struct rig r;
                struct rig_config config = rig_default(encoding_table[k]->name, c_kinds[c], mask);
                config.n = 9;
                config.samples = 1;
                if (!rig_open(&r, &config, 5))
                    continue;
                rig_perturb(&r, 6, 0.3);
                rig_forward(&r);
                real before[9 * 3];
                int earlier = 8 * 3;
                memcpy(before, r.y, sizeof before);
                r.x[earlier] += (real)0.25; /* of the last position */
                rig_forward(&r);
                bool same = memcmp(before, r.y, (size_t)earlier * sizeof(real)) == 0;
                if (same != mask_table[mask]->past)
                    fail_msg("%s: outputs before a changed input %s", config.encoding,
                             same ? "stay without a mask" : "change under a causal mask");
                assert_memory_not_equal(before + earlier, r.y + earlier, 3 * sizeof(real));
                rig_close(&r);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_every_encoding),
        cmocka_unit_test(test_every_space),
        cmocka_unit_test(test_one_position),
        cmocka_unit_test(test_blocks_and_heads),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_several_blocks),
#endif
        cmocka_unit_test(test_ones_are_plain),
        cmocka_unit_test(test_causality),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

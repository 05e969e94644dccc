/* Gradients of every parameter and of the input against central differences, in double, for every
 * encoding of the table alone and with C; and what holds bit for bit in both precisions. */
#include "help_turns.h"
#include "model/help_model.h"

#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"

static const char *const c_kinds[] = {NULL, "toeplitz", "bucketed", "formula"};
enum { C_KINDS = sizeof c_kinds / sizeof *c_kinds };

#ifdef REAL_DOUBLE
/* All elements at once along a direction; one of eight of what is swept also element by element, so that each
 * two of encoding, C, mask and what else is swept meet there too. */
static bool check_by_turns(const struct rig_config *c, const char *what, int turn)
{
    return rig_check_direction(c, what) && (!help_turn(turn, 8) || rig_check_gradient(c, what));
}

static void test_every_encoding(void **state)
{
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < C_KINDS; c++)
            for (int mask = 0; mask < mask_kinds.count; mask++)
                for (int share = 0; share < 2; share++) {
                    struct rig_config config =
                        rig_default(encoding_table[k]->name, c_kinds[c], mask);
                    char what[96];
                    config.share = share;
                    snprintf(what, sizeof what, "%s C=%s mask=%d share=%d", config.encoding,
                             config.c ? config.c : "-", mask, share);
                    check_by_turns(&config, what, k + 2 * c + mask + share);
                }
}

/* On every space, at its own size; samples of their own layouts where they have them. */
static void test_every_space(void **state)
{
    for (int s = 0; space_table[s]; s++) {
        int checked = 0;
        for (int k = 0; encoding_table[k]; k++)
            for (int c = 0; c < C_KINDS; c++)
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
                    checked += check_by_turns(&config, what, s + k + 2 * c + mask);
                }
        assert_true(checked >= 10);
    }
}

static void test_one_position(void **state)
{
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 2; c++)
            for (int mask = 0; mask < mask_kinds.count; mask++) {
                struct rig_config config = rig_default(encoding_table[k]->name, c_kinds[c], mask);
                config.n = 1;
                check_by_turns(&config, encoding_table[k]->name, k + c + mask);
            }
}

static void test_blocks_and_heads(void **state)
{
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

static void set_texts(struct kind_config *c, const char *first, const char *parameters,
                      const char *third)
{
    const char *text[] = {first, parameters, third};
    for (int k = 0; k < 3; k++)
        snprintf(c->text[k].text, sizeof c->text[k].text, "%s", text[k]);
}

static void of_pairs(struct model_config *m)
{
    set_texts(&m->encoding, "a[h] * math.sin(i - 2 * j) + b * i * j / n + l[1 + i % 3]",
              "{a: 1, b: {start: 0.5, per: model}, l: {size: 3, std: 1, per: layer}}", "");
}

static void of_places(struct model_config *m)
{
    set_texts(&m->encoding, "", "{w: {size: 64, std: 1}, s: 0.5}", "s * math.sin(i * w[c]) + C / n");
}

static void of_c(struct model_config *m)
{
    set_texts(&m->c, "math.exp(-a[h] * math.abs(d)) + b[math.abs(d) + 1] + l",
              "{a: 0.1, b: {size: 64, std: 0.3, per: model}, l: {std: 0.1, per: layer}}", "");
}

static void of_c_pairs(struct model_config *m)
{
    set_texts(&m->c, "math.exp(-a[h] * i) + b[1 + j % 3] * math.cos(s * d) + l / n",
              "{a: 0.1, b: {size: 3, std: 0.3, per: model}, s: {start: 1, per: model}, l: {std: 1, per: layer}}",
              "");
}

/* A formula of pairs, of places, of C, and of C of pairs, with parameters per head, model and layer, and
 * vectors; along a direction, or by turns element by element. */
static void test_formulas(void **state)
{
    void (*const change[])(struct model_config *) = {of_pairs, of_places, of_c, of_c_pairs};
    for (int k = 0; k < 4; k++)
        for (int mask = 0; mask < mask_kinds.count; mask++)
            for (int c = 0; c < 4; c++) {
                struct rig_config config = rig_default("formula", k > 1 ? "formula" : c_kinds[c], mask);
                char what[96];
                config.change = change[k];
                config.share = c % 2;
                config.space = k != 2 && c == 3 && mask < 2 ? "grid" : NULL;
                snprintf(what, sizeof what, "formula %d C=%d mask=%d", k, c, mask);
                if (!(help_turn(k + c + mask, 4) ? rig_check_gradient : rig_check_direction)(&config, what) && mask < 2)
                    fail_msg("%s is not defined", what);
            }
}

/* Longer than one block of query rows, so that blocks are put together rightly. */
static void test_several_blocks(void **state)
{
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
            for (int back = 0; back < 2; back++) /* offsets 0 and -1 of head 0: one is seen */
                ones.p[c->offset + (size_t)(ones.layout.n - 1 - back)] += (real)0.5;
            rig_forward(&ones);
            assert_memory_not_equal(plain.y, ones.y, bytes);
            rig_close(&plain);
            rig_close(&ones);
        }
}

/* Fails where output i changes with input j although the query does not see it, or does not change
 * although it does: one layer, bit for bit. */
static void check_seen(struct rig *r, int j)
{
    enum { N = 9, CHANNELS = 3 };
    real before[N * CHANNELS];
    rig_forward(r);
    memcpy(before, r->y, sizeof before);
    r->x[j * CHANNELS] += (real)0.25;
    rig_forward(r);
    for (int i = 0; i < N; i++) {
        bool same = memcmp(before + i * CHANNELS, r->y + i * CHANNELS, CHANNELS * sizeof(real)) == 0;
        if (same == (i == j || mask_sees(&r->model_config.mask, &r->layout, i, j)))
            fail_msg("%s, mask %s: output %d %s input %d", r->config.encoding,
                     mask_table[r->config.mask]->name, i, same ? "is blind to" : "sees", j);
    }
}

static void test_what_is_seen(void **state)
{
    for (int k = 0; encoding_table[k]; k++)
        for (int c = 0; c < 2; c++)
            for (int mask = 0; mask < mask_kinds.count; mask++) {
                struct rig r;
                struct rig_config config = rig_default(encoding_table[k]->name, c_kinds[c], mask);
                config.n = 9;
                config.samples = config.layers = 1;
                if (!rig_open(&r, &config, 5))
                    continue;
                rig_perturb(&r, 6, 0.3);
                for (int j = 0; j < config.n; j++)
                    check_seen(&r, j);
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
        cmocka_unit_test(test_formulas),
#endif
        cmocka_unit_test(test_ones_are_plain),
        cmocka_unit_test(test_what_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

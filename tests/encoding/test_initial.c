/* What every tensor of every encoding starts from: shape, scope, distribution, for H = 4, d_h = 16,
 * n = 5. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"
#include "kernel/kernel.h"

struct expected {
    const char *name, *options, *tensor;
    enum encoding_scope scope;
    int shape[2];
    enum tensor_init init;
    double mean, deviation;
    bool table, decay;
};

static const struct expected expectations[] = {
    {"learned", "", "position", ENCODING_MODEL, {5, 64}, TENSOR_NORMAL, 0, .02, false, false},
    {"toeplitz", "", "bias", ENCODING_TABLE, {4, 9}, TENSOR_NORMAL, 0, .02, true, false},
    {"toeplitz", "std=1.5", "bias", ENCODING_TABLE, {4, 9}, TENSOR_NORMAL, 0, 1.5, true, false},
    {"t5", "", "bias", ENCODING_TABLE, {4, 32}, TENSOR_NORMAL, 0, .125, true, false},
    {"kerple-log", "", "a", ENCODING_TABLE, {4}, TENSOR_UNIFORM, .5, .5, false, false},
    {"kerple-log", "", "p", ENCODING_TABLE, {4}, TENSOR_UNIFORM, 1, 1, false, false},
    {"kerple-power", "", "a", ENCODING_TABLE, {4}, TENSOR_UNIFORM, .5, .5, false, false},
    {"kerple-power", "", "p", ENCODING_TABLE, {4}, TENSOR_UNIFORM, 1, 1, false, false},
    {"fire", "", "in.weight", ENCODING_TABLE, {32, 1}, TENSOR_UNIFORM, 0, 1, false, true},
    {"fire", "", "in.bias", ENCODING_TABLE, {32}, TENSOR_UNIFORM, 0, 1, false, false},
    {"fire", "", "out.weight", ENCODING_TABLE, {4, 32}, TENSOR_UNIFORM, 0, .17677669529663688,
     false, true},
    {"fire", "", "out.bias", ENCODING_TABLE, {4}, TENSOR_UNIFORM, 0, .17677669529663688, false,
     false},
    {"fire", "", "c", ENCODING_TABLE, {1}, TENSOR_CONSTANT, .1, 0, false, false},
    {"fire", "", "l", ENCODING_TABLE, {1}, TENSOR_CONSTANT, 512, 0, false, false},
    {"shaw", "", "key", ENCODING_LAYER, {33, 16}, TENSOR_NORMAL, 0, .02, true, false},
    {"shaw", "k=2", "value", ENCODING_LAYER, {5, 16}, TENSOR_NORMAL, 0, .02, true, false},
    {"transformer-xl", "", "u", ENCODING_MODEL, {4, 16}, TENSOR_NORMAL, 0, .02, false, false},
    {"transformer-xl", "", "v", ENCODING_MODEL, {4, 16}, TENSOR_NORMAL, 0, .02, false, false},
    {"transformer-xl", "", "r.weight", ENCODING_LAYER, {64, 64}, TENSOR_NORMAL, 0, .02, false,
     true},
    {"deberta", "", "position", ENCODING_MODEL, {32, 64}, TENSOR_NORMAL, 0, .02, true, false},
    {"deberta", "", "key.weight", ENCODING_LAYER, {64, 64}, TENSOR_NORMAL, 0, .02, false, true},
    {"deberta", "", "key.bias", ENCODING_LAYER, {64}, TENSOR_CONSTANT, 0, 0, false, false},
    {"deberta", "", "query.weight", ENCODING_LAYER, {64, 64}, TENSOR_NORMAL, 0, .02, false, true},
    {"deberta", "", "query.bias", ENCODING_LAYER, {64}, TENSOR_CONSTANT, 0, 0, false, false},
    {"tupe", "", "position", ENCODING_MODEL, {5, 64}, TENSOR_NORMAL, 0, .02, false, false},
    {"tupe", "", "norm.weight", ENCODING_MODEL, {64}, TENSOR_CONSTANT, 1, 0, false, false},
    {"tupe", "", "norm.bias", ENCODING_MODEL, {64}, TENSOR_CONSTANT, 0, 0, false, false},
    {"tupe", "", "query.weight", ENCODING_MODEL, {64, 64}, TENSOR_NORMAL, 0, .02, false, true},
    {"tupe", "", "key.weight", ENCODING_MODEL, {64, 64}, TENSOR_NORMAL, 0, .02, false, true},
    {"tupe", "t5=true", "bias", ENCODING_MODEL, {4, 32}, TENSOR_NORMAL, 0, .125, true, false},
    {"cope", "", "position", ENCODING_LAYER, {16, 64}, TENSOR_CONSTANT, 0, 0, true, false},
    {"fox", "", "weight", ENCODING_LAYER, {4, 64}, TENSOR_NORMAL, 0, .02, false, false},
    {"fox", "bias=3", "bias", ENCODING_LAYER, {4}, TENSOR_CONSTANT, 3, 0, false, false},
};

static void check_initial(const struct expected *x)
{
    struct arena arena;
    struct err e = {0};
    struct rig g;
    assert_int_equal(arena_open(&arena, 0, &e), 0);
    struct layout layout = rig_sequence(&arena, 5);
    struct rig_shape shape = {.heads = 4, .head_width = 16, .rows = 4, .causal = true};
    assert_true(rig_open(&g, &arena, rig_entry(x->name), x->options, &layout, &layout, shape, 3));
    for (int t = 0; t < g.tensors; t++) {
        const struct tensor *tensor = &g.tensor[t].tensor;
        if (strcmp(tensor->name, x->tensor) != 0)
            continue;
        assert_int_equal(g.tensor[t].scope, x->scope);
        assert_int_equal(tensor->rank, x->shape[1] ? 2 : 1);
        assert_int_equal(tensor->shape[0], x->shape[0]);
        assert_int_equal(tensor->shape[1], x->shape[1]);
        assert_int_equal(tensor->init, x->init);
        assert_true(fabs(tensor->mean - x->mean) < 1e-12);
        assert_true(fabs(tensor->deviation - x->deviation) < 1e-12);
        assert_int_equal(tensor->table, x->table);
        assert_int_equal(tensor->decay, x->decay);
        arena_close(&arena);
        return;
    }
    fail_msg("%s has no tensor %s", x->name, x->tensor);
}

static void test_initial_distributions(void **state)
{
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++)
        check_initial(&expectations[i]);
}

static int open_kernels(void **state)
{
    struct err e = {0};
    return kernel_open(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_distributions),
    };
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

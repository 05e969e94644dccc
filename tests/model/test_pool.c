/* One output a sample, and outputs that are not as inputs are: gradients, and which samples a mean of
 * hidden states tells apart. */
#include "model/help_model.h"

#include <math.h>
#include <string.h>

#include "floor/help_floor.h"

/* ---- gradients --------------------------------------------------------------------------------*/
#ifdef REAL_DOUBLE
static void mean(struct model_config *m) { m->pool = MODEL_POOL_MEAN; }
static void mean_after_bos(struct model_config *m)
{
    mean(m);
    assert_true(option_set_kind(&prefix_kinds, "bos", &m->prefix));
}

static void test_gradient(void **state)
{
    static const struct {
        int channels, symbols, labels, numbers;
    } io[] = {{3, 0, 0, 0}, {3, 0, 0, 5}, {3, 0, 4, -1}, {0, 4, 3, 0}, {0, 4, 0, 2}};
    for (size_t k = 0; k < sizeof io / sizeof *io; k++)
        for (int norm = MODEL_NORM_NONE; norm <= MODEL_NORM_POST; norm++)
            for (int pooled = 0; pooled < 3; pooled++) {
                struct rig_config c = rig_default("toeplitz", "toeplitz", 0);
                c.channels = io[k].channels;
                c.symbols = io[k].symbols;
                c.labels = io[k].labels;
                c.numbers = io[k].numbers;
                c.norm = norm;
                c.head = io[k].labels && norm ? MODEL_HEAD_MLM : MODEL_HEAD_LINEAR;
                c.change = pooled == 2 ? mean_after_bos : pooled ? mean : NULL;
                assert_true(rig_check_gradient(&c, pooled ? "pooled" : "not pooled"));
            }
}
#endif

/* ---- floors -----------------------------------------------------------------------------------*/
enum { N = 6, SAMPLES = 5, CHANNELS = 2, ROWS = N * SAMPLES, NETWORKS = 4 };

/* Samples: a word; the same in another order; each half of it twice; another word; the first again. */
static const int32_t words[SAMPLES][N] = {{0, 0, 1, 1, 2, 2}, {2, 1, 0, 1, 2, 0}, {0, 1, 2, 0, 1, 2},
                                          {0, 0, 1, 1, 2, 3}, {0, 0, 1, 1, 2, 2}};

/* How many samples' means are told apart by the class, and, at least, by networks of it. */
static void check_means(const char *encoding, int c, int expected)
{
    struct help_set set;
    struct kind_config kind = help_kind(&encoding_kinds, encoding);
    int32_t group[ROWS];
    double y[ROWS * CHANNELS];
    int groups, told = 1;
    help_set_open(&set, CHANNELS, 3);
    struct layout *l = help_layout(&set.arena, N);
    for (int k = 0; k < SAMPLES; k++)
        help_set_add(&set, l, words[k]);
    struct floor_set view = help_set_view(&set);
    struct model_config m = help_model(&kind, c, false, 12);
    m.pool = MODEL_POOL_MEAN;
    assert_int_equal(model_merge(&m, l, &view, group, &groups, NULL), 0);
    for (int k = 1; k < SAMPLES; k++) {
        bool known = false;
        for (int q = 0; q < k; q++)
            known |= group[q * N] == group[k * N];
        told += !known;
    }
    assert_int_equal(told, expected);
    for (int r = 0, next = 0; r < ROWS; r++) { /* ids by first appearance */
        assert_in_range(group[r], 0, next);
        next += group[r] == next;
        assert_true(r < ROWS - 1 || next == groups);
    }
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        struct stream s;
        stream_open(&s, seed, "pool", 0);
        help_random_network(&m, l, &view, l, &s, y);
        for (int k = 1; k < SAMPLES; k++)
            for (int q = 0; q < k; q++) {
                double apart = fabs(y[k * N * CHANNELS] - y[q * N * CHANNELS]);
                if (group[k * N] == group[q * N])
                    assert_true(apart <= 4096 * REAL_EPSILON);
                else
                    assert_true(apart > 65536 * REAL_EPSILON || sizeof(real) == sizeof(float));
            }
    }
    help_set_close(&set);
}

static void test_means(void **state)
{
    check_means("none", -1, 2);     /* a bag of tokens */
    check_means("toeplitz", -1, 4); /* order counts; the first word comes twice */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_gradient),
#endif
        cmocka_unit_test(test_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

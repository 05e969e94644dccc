/* The paper's conditions, encoding by encoding, against what is known of each formula. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "witness/conditions.h"
#include "help_turns.h"
#include "floor/help_floor.h"
#include "witness/trial.h"

enum { N = 8 };
#define TOLERANCE (64 * N * REAL_EPSILON)

static double option_value(const struct kind_config *c, const char *key)
{
    const struct option *o = encoding_of(c)->options;
    for (int k = 0; o && o[k].key; k++)
        if (strcmp(o[k].key, key) == 0)
            return c->number[k];
    return 0;
}

static void set_option(struct kind_config *c, const char *key, double value)
{
    const struct option *o = encoding_of(c)->options;
    for (int k = 0; o && o[k].key; k++)
        if (strcmp(o[k].key, key) == 0) {
            c->number[k] = value;
            return;
        }
    fail_msg("%s has no option %s", encoding_of(c)->name, key);
}

/* From the formulas: fixed slopes, a and p >= .01, and fixed cosines cannot vanish; rotations of
 * every channel cannot be undone. */
static enum condition_answer expected_attentive(const struct kind_config *c)
{
    const char *name = encoding_of(c)->name;
    if (strcmp(name, "alibi") == 0)
        return option_value(c, "slopes") == 0 ? CONDITION_NO : CONDITION_YES;
    if (strcmp(name, "kerple-log") == 0 || strcmp(name, "kerple-power") == 0 ||
        strcmp(name, "sandwich") == 0)
        return CONDITION_NO;
    if (strcmp(name, "rope") == 0)
        return option_value(c, "fraction") == 1 ? CONDITION_LIMIT : CONDITION_YES;
    if (strcmp(name, "fox") == 0)
        return CONDITION_LIMIT;
    return strcmp(name, "xpos") == 0 ? CONDITION_LIMIT : CONDITION_YES;
}

/* Whether C is a table, whose rows the construction writes, or 1. */
static bool has_rows(const struct model_config *m)
{
    return m->attention != MODEL_URPE || urpe_of(&m->c)->map;
}

static void check_conditions(const struct model_class *c, const char *label)
{
    struct conditions r;
    bool urpe = c->config.attention == MODEL_URPE;
    assert_int_equal(conditions_test(&c->config, c->shape.trained, 1, &r, NULL), 0);
    if (r.attentive != expected_attentive(&c->config.encoding))
        fail_msg("%s causal %d: attentive %s (%s), %g", label, c->shape.past,
                 condition_name(r.attentive), r.attentive_why, r.distance);
    if (r.position_aware != urpe)
        fail_msg("%s causal %d urpe %d: position-aware %d, %d distinct", label, c->shape.past,
                 urpe, r.position_aware, r.distinct);
    assert_true(strlen(r.attentive_why) > 0 && strlen(r.position_why) > 0);
    /* The slowest rotation is not far from none, but not in the rounding of a double. */
    assert_true(r.attentive != CONDITION_YES || r.distance <= TOLERANCE);
    assert_true(r.attentive != CONDITION_NO || r.distance > TOLERANCE);
    assert_true(r.attentive != CONDITION_LIMIT || sizeof(real) < sizeof(double) ||
                (r.distance > TOLERANCE && r.distance < 1e-2));
    if (r.attentive != CONDITION_YES)
        assert_true(r.distance_search > TOLERANCE);
    if (urpe) {
        assert_true(r.deviation > 0.1 && r.step > 0);
        assert_true(r.distinct == N && r.distinct_search == N);
    } else {
        assert_true(r.deviation <= TOLERANCE && r.step == 0);
        assert_true(r.distinct == 1 && r.distinct_search == 1);
    }
}

static void test_every_encoding(void **state)
{
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    struct arena a;
    int checked = 0;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, N);
    int encodings = help_encodings(encoding);
    for (int k = 0; k < encodings; k++)
        for (int causal = 0; causal < 2; causal++)
            for (int c = -1; c < urpe_kinds.count; c++) {
                struct model_class class = help_class(&encoding[k].config, c, causal, 12, l);
                if (!help_turn_here(k + causal + c, 2) || !help_defined(&class, l) || !has_rows(&class.config))
                    continue;
                check_conditions(&class, encoding[k].label);
                checked++;
            }
    assert_true(checked >= (help_full() ? 3 : 1) * encoding_kinds.count);
    arena_close(&a);
}

/* Some channels that are not rotated are enough. */
static void test_partial_rotation(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct kind_config rope = help_kind(&encoding_kinds, "rope");
    set_option(&rope, "fraction", 2.0 / 3);
    struct model_class class = help_class(&rope, -1, false, 12, help_layout(&a, N));
    check_conditions(&class, "rope of 4 channels in 6");
    arena_close(&a);
}

/* Without a bias the construction's row sums are i/n, with either mask. */
static void test_steps(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int causal = 0; causal < 2; causal++)
        for (int c = 0; c < urpe_kinds.count; c++) {
            struct kind_config none = help_kind(&encoding_kinds, "none");
            struct model_config model = help_model(&none, c, causal, 12);
            struct conditions r;
            assert_int_equal(conditions_test(&model, help_layout(&a, N), 2, &r, NULL), 0);
            if (has_rows(&model))
                assert_true(fabs(r.step - 1.0 / N) <= TOLERANCE);
            else /* the formula that comes along is symmetric, so equal ends have equal sums */
                assert_int_equal(r.position_aware, causal);
        }
    arena_close(&a);
}

/* With a bias that cannot vanish they are i / Z_i, Z_i = sum over j of e^{B(j-i)}: alibi's first
 * head of two has slope 1/16. */
static void test_steps_bias(void **state)
{
    struct arena a;
    struct conditions r;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct kind_config alibi = help_kind(&encoding_kinds, "alibi");
    struct model_config model = help_model(&alibi, 0, false, 12);
    assert_int_equal(conditions_test(&model, help_layout(&a, N), 2, &r, NULL), 0);
    double least = INFINITY, before = 0;
    for (int i = 1; i <= N; i++) {
        double z = 0;
        for (int j = 1; j <= N; j++)
            z += exp(-abs(j - i) / 16.0);
        least = i > 1 ? fmin(least, i / z - before) : least;
        before = i / z;
    }
    assert_true(fabs(r.step - least) <= TOLERANCE);
    arena_close(&a);
}

/* Attention that is read off through C is attention: alibi's, from its formula. */
static void test_reading(void **state)
{
    struct arena a;
    struct trial pr;
    struct stream random;
    double attention[2 * N * N];
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    stream_open(&random, 4, "test", 0);
    struct kind_config alibi = help_kind(&encoding_kinds, "alibi");
    struct model_config model = help_model(&alibi, 0, false, 12);
    assert_int_equal(trial_open(&pr, &model, help_layout(&a, N), NULL), 0);
    trial_draw_parameters(&pr, &random);
    trial_draw_input(&pr, &random, false);
    trial_clear_query_key(&pr, -1);
    trial_attention(&pr, attention);
    for (int h = 0; h < 2; h++)
        for (int i = 0; i < N; i++) {
            double sum = 0, slope = h == 0 ? 1.0 / 16 : 1.0 / 256;
            for (int j = 0; j < N; j++)
                sum += exp(-slope * abs(i - j));
            for (int j = 0; j < N; j++)
                assert_true(fabs(attention[(h * N + i) * N + j] - exp(-slope * abs(i - j)) / sum) <=
                            TOLERANCE);
        }
    trial_close(&pr);
    arena_close(&a);
}

/* What is known of the normalisers: y yes, n no, l limit, - not defined, . not settled.  Position-aware
 * under a causal mask without encoding and with toeplitz, then without a mask; attentive under a causal
 * mask.  From their formulas: row sums are constant, or a function of how many keys are seen, or of B. */
static const struct known {
    const char *normaliser, *key; /* key: an option that is set to `value`; NULL: defaults */
    int value;
    const char *answers;
} known[] = {
    {"softmax", NULL, 0, "nnnny"},
    {"sink", NULL, 0, "yynyl"},
    {"softmax-one", NULL, 0, "yynyl"},
    {"bias-kv", NULL, 0, "yynyl"},
    {"sigmoid", NULL, 0, "yynyn"},
    {"sigmoid", "minus_log", 0, "yynyn"},
    {"sigmoid", "minus_log", 2, "yynyn"},
    {"relu", NULL, 0, "yynyn"},
    {"relu", "over", 1, "nynyn"},
    {"linear", NULL, 0, "nnnnn"},
    {"linear", "divide", 2, "yynyn"},
    {"entmax", NULL, 0, "nnnnn"},
    {"entmax", "learned", 1, "nnnnl"},
    {"sparsemax", NULL, 0, "nnnnn"},
    {"ssmax", NULL, 0, "nnnnn"},
    {"ssmax", "bias", 1, "nnnny"},
    {"stick-breaking", NULL, 0, "yy--n"},
    {"stick-breaking", "remainder", 1, "nn--n"},
    {"stick-breaking", "remainder", 2, "yy--n"},
    {"softpick", NULL, 0, "nynyl"},
    {"elastic", NULL, 0, "nynyy"},
    {"average-hard", NULL, 0, "nnnn."},
    {"differential", NULL, 0, "nnnny"},
    {"talking-heads", NULL, 0, "nnnny"},
};

static void check_known(const struct known *k, int column, const struct layout *l)
{
    struct kind_config encoding = help_kind(&encoding_kinds, column % 2 ? "toeplitz" : "none");
    struct model_config model = help_model(&encoding, -1, column < 2, 12);
    struct conditions r;
    const struct option *o;
    model.normaliser = help_kind(&normaliser_kinds, k->normaliser);
    o = normaliser_of(&model.normaliser)->options;
    for (int i = 0; k->key && o[i].key; i++)
        if (strcmp(o[i].key, k->key) == 0)
            model.normaliser.number[i] = k->value;
    int code = conditions_test(&model, l, 1, &r, NULL);
    char found = code == ERR_USAGE ? '-' : r.position_aware ? 'y' : 'n';
    if (found != k->answers[column])
        fail_msg("%s %s %d, column %d: position-aware %c, %d distinct", k->normaliser,
                 k->key ? k->key : "", k->value, column, found, r.distinct);
    if (found == 'y')
        assert_true(r.step > 0 && r.distinct == N && r.sums[0] != r.sums[1]);
    if (column > 0 || k->answers[4] == '.')
        return;
    enum condition_answer attentive;
    double distance;
    assert_int_equal(conditions_rows(&model, l, 1, &attentive, &distance, NULL), 0);
    if (condition_name(attentive)[0] != k->answers[4])
        fail_msg("%s %s %d: attentive %s, distance %g", k->normaliser, k->key ? k->key : "",
                 k->value, condition_name(attentive), distance);
}

/* Row sums that were found are those of one number for all inputs: i / (i + x) under a causal sink. */
static void test_sink_sums(void **state)
{
    struct arena a;
    struct conditions r;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct model_config model = help_model(&none, -1, true, 12);
    model.normaliser = help_kind(&normaliser_kinds, "sink");
    assert_int_equal(conditions_test(&model, help_layout(&a, N), 3, &r, NULL), 0);
    double x = 1 / r.sums[0] - 1;
    for (int i = 1; i <= N; i++)
        assert_true(fabs(r.sums[i - 1] - i / (i + x)) <= TOLERANCE);
    arena_close(&a);
}

static void test_every_normaliser(void **state)
{
    struct arena a;
    bool covered[64] = {false};
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, N);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        covered[help_kind(&normaliser_kinds, known[k].normaliser).kind] = true;
        for (int column = 0; column < 4; column++)
            if (help_turn_here((int)k + column, 2))
                check_known(&known[k], column, l);
    }
    for (int k = 0; k < normaliser_kinds.count; k++)
        if (!covered[k])
            fail_msg("%s: nothing is known", normaliser_kinds.name(k));
    arena_close(&a);
}

/* What the model refuses is refused. */
static void test_refused(void **state)
{
    struct arena a;
    struct err e = {0};
    struct conditions r;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct kind_config xpos = help_kind(&encoding_kinds, "xpos");
    struct model_config model = help_model(&xpos, -1, false, 12);
    assert_int_equal(conditions_test(&model, help_layout(&a, N), 1, &r, &e), ERR_USAGE);
    assert_true(strlen(e.msg) > 0);
    arena_close(&a);
}

int main(void)
{
    if (kernel_open(NULL))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_encoding), cmocka_unit_test(test_partial_rotation),
        cmocka_unit_test(test_steps),          cmocka_unit_test(test_reading),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_steps_bias),
        cmocka_unit_test(test_every_normaliser), cmocka_unit_test(test_sink_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

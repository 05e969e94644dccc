/* Contracts over the whole table: a new target is tested the moment it is listed. */
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

#include "target/help_target.h"

enum { N_MAX = 17, D_MAX = 3 };

static bool is(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void test_entries_are_complete(void **state)
{
    int count = 0;
    for (; target_table[count]; count++) {
        const struct target *t = target_table[count];
        assert_true(t->name && *t->name && t->formula && *t->formula && t->summary && *t->summary);
        assert_int_equal(fixture_kind(t->name), count); /* no name comes twice */
        assert_string_equal(target_kinds.name(count), t->name);
        assert_ptr_equal(target_kinds.options(count), t->options);
        if (t->take)
            assert_true(t->form && t->pick && t->available && t->labels && !t->evaluate &&
                        !t->label && !t->draw);
        else
            assert_true(t->tokens ? t->labels && !t->label != !t->draw && !t->evaluate
                                  : t->evaluate && (!t->label || t->form) && !t->draw);
        assert_true(t->tokens || !t->bytes);
        int rows = 0;
        for (const struct option *o = t->options; o && o->key; o++, rows++) {
            assert_true(o->help && o->fallback);
            if (o->type == OPTION_INT || o->type == OPTION_REAL)
                assert_true(o->min < o->max);
        }
        assert_true(rows <= KIND_OPTIONS_MAX);
    }
    assert_int_equal(count, target_kinds.count);
}

/* ---- outputs ----------------------------------------------------------------------------------*/

static void check_continuous(struct fixture *f)
{
    double x[N_MAX * D_MAX], y[N_MAX * D_MAX];
    size_t count = (size_t)f->layout.n * (size_t)f->space.channels;
    for (uint64_t k = 0; k < 4; k++) {
        fill_uniform(x, count, k);
        for (size_t m = 0; k >= 2 && m < count; m++)
            x[m] = k == 2 ? 0 : 1; /* the corners of the cube */
        fixture_evaluate(f, x, y);
        for (size_t m = 0; m < count; m++)
            assert_true(isfinite(y[m]));
    }
}

static void check_tokens(struct fixture *f)
{
    int n = f->layout.n, labels = target_labels(&f->config, n);
    bool partial = target_form(&f->config).partial;
    int32_t x[N_MAX], label_[N_MAX];
    double u[N_MAX];
    assert_true(labels >= 1);
    assert_true(target_symbols(&f->config) >= f->config.vocab);
    for (uint64_t k = 0; k < 20; k++) {
        fill_uniform(u, (size_t)n, k);
        for (int i = 0; i < n; i++)
            x[i] = k == 19 ? (int32_t)f->config.vocab - 1 : (int32_t)(u[i] * f->config.vocab);
        fixture_label(f, x, label_);
        for (int i = 0; i < n; i++)
            assert_true(label_[i] < labels && label_[i] >= (partial ? TARGET_NO_LABEL : 0));
    }
}

/* Of targets that bring their inputs: symbols and labels are within range, evaluation samples depend
 * on their number alone, and training samples on the stream. */
static void check_draws(struct fixture *f)
{
    int n = f->layout.n, labels = target_labels(&f->config, n);
    int symbols = target_symbols(&f->config);
    bool partial = target_form(&f->config).partial;
    int32_t x[N_MAX], label_[N_MAX], first[N_MAX];
    int different = 0;
    for (uint64_t k = 0; k < 40; k++) {
        fixture_draw(f, k % 20, k < 20 ? 0 : 20, x, label_);
        for (int i = 0; i < n; i++) {
            assert_in_range(x[i], 0, symbols - 1);
            assert_true(label_[i] < labels && label_[i] >= (partial ? TARGET_NO_LABEL : 0));
        }
        if (k % 20 == 0)
            memcpy(first, x, sizeof x);
        different += memcmp(first, x, (size_t)n * sizeof *x) != 0;
    }
    assert_true(different > 30 || (f->config.vocab == 2 && !f->target->bytes)); /* one key, one value */
}

static void check_outputs(struct fixture *f)
{
    if (f->target->draw)
        check_draws(f);
    else if (f->target->tokens)
        check_tokens(f);
    else
        check_continuous(f);
}

/* Every target at odd, even and smallest sizes: refused with a reason, or sound. */
static void test_outputs_are_sound(void **state)
{
    const int lengths[] = {1, 2, 3, 8, N_MAX}; /* grids 1x1, 1x2, 1x3, 2x4, 1x17 */
    for (int kind = 0; target_table[kind]; kind++)
        for (int k = 0; k < 5 && !target_table[kind]->take; k++)
            for (int d = 1; d <= D_MAX; d += 2) {
                struct fixture f;
                struct err e = {0};
                fixture_configure(&f, NULL, kind, lengths[k], d);
                f.config.vocab = k % 2 ? 2 : 10;
                if (target_check(&f.config, &f.space, &e)) {
                    assert_int_equal(e.code, ERR_USAGE);
                    assert_non_null(strchr(e.where, '.'));
                    assert_non_null(strstr(e.msg, "expected"));
                    /* nothing here is refused from 2 tokens on, or 3 of a pair and a query */
                    assert_true(lengths[k] < (f.target->draw ? 3 : 2));
                    continue;
                }
                fixture_open(&f);
                check_outputs(&f);
                fixture_close(&f);
            }
}

/* Every choice of every option gives finite outputs. */
static void test_choices_are_sound(void **state)
{
    for (int kind = 0; target_table[kind]; kind++) /* a file's samples: data.bats */
        for (const struct option *o = target_table[kind]->options; o && o->key; o++)
            for (int k = 0; o->type == OPTION_CHOICE && o->names[k]; k++) {
                if (target_table[kind]->take)
                    break;
                struct fixture f;
                fixture_configure(&f, NULL, kind, N_MAX, D_MAX);
                fixture_set(&f, o->key, k);
                fixture_open(&f);
                check_outputs(&f);
                fixture_close(&f);
            }
}

/* A state for 17 positions serves shorter samples just as one of their own size does. */
static void test_state_serves_shorter_samples(void **state)
{
    double x[8], with_long[8], with_own[8];
    int32_t token[16], own[16];
    fill_uniform(x, 8, 1);
    for (int kind = 0; target_table[kind]; kind++) {
        struct fixture f, shorter;
        struct err e = {0};
        fixture_configure(&f, NULL, kind, N_MAX, 2);
        if (!f.target->open || f.target->take)
            continue;
        fixture_configure(&shorter, NULL, kind, 4, 2);
        fixture_open(&f);
        fixture_open(&shorter);
        struct target_sample t = target_sample(f.state, &f.config, &shorter.layout);
        if (f.target->draw) {
            assert_int_equal(f.target->draw(&t, NULL, 1, 3, token, token + 4, &e), 0);
            fixture_draw(&shorter, 1, 3, own, own + 4);
            assert_memory_equal(token, own, 8 * sizeof *own);
        } else {
            assert_int_equal(f.target->evaluate(&t, 2, x, with_long, &e), 0);
            fixture_evaluate(&shorter, x, with_own);
            assert_memory_equal(with_long, with_own, sizeof with_own);
        }
        fixture_close(&f);
        fixture_close(&shorter);
    }
}

static void test_state_is_priced_right(void **state)
{
    for (int kind = 0; target_table[kind]; kind++) {
        struct fixture f;
        struct err e = {0};
        struct arena measure;
        fixture_configure(&f, NULL, kind, N_MAX, D_MAX);
        if (!f.target->open || f.target->take)
            continue;
        fixture_open(&f);
        arena_open_measure(&measure);
        struct layout l;
        void *unused;
        assert_int_equal(
            space_of(&f.space)->layout(&f.space, N_MAX, &measure, &l, &e), 0);
        assert_int_equal(f.target->open(&f.config, &f.space, N_MAX, &measure, &unused, &e), 0);
        assert_int_equal(measure.used, f.arena.used);
        arena_close(&measure);
        fixture_close(&f);
    }
}

/* ---- identical inputs --------------------------------------------------------------------------
 * Where all tokens are equal, an RPE model gives equal outputs.  These targets do so too, so no
 * floor lies under them; all others differ between positions. */
static const char *const constant_on_identical[] = {
    "reverse",    "sort",          "identity",   "mean",        "prefix_mean",
    "local_mean", "moving_max",    "histogram",  "majority",    "token_reverse",
    "odds_first", "bucket_sort",   "prefix_majority", "reflect", "periodic_blur",
    "source_distance", "neighbour_mean", "cycles", "lua", NULL};

static void test_identical_inputs(void **state)
{
    enum { N = 16 }; /* a grid of 4 x 4, whose border is not everything */
    double x[2 * N], y[2 * N];
    int32_t token[N], out[N];
    for (int k = 0; k < 2 * N; k++)
        x[k] = k % 2 ? .625 : .3125;
    for (int i = 0; i < N; i++)
        token[i] = 1;
    for (int kind = 0; target_table[kind]; kind++) {
        struct fixture f;
        bool constant = true;
        if (target_table[kind]->draw || target_table[kind]->take)
            continue; /* its inputs are as they are */
        fixture_configure(&f, NULL, kind, N, 2);
        fixture_open(&f);
        if (f.target->tokens) {
            fixture_label(&f, token, out);
            for (int i = 1; i < N; i++)
                constant &= out[i] == out[0];
        } else {
            fixture_evaluate(&f, x, y);
            for (int k = 2; k < 2 * N; k++)
                constant &= fabs(y[k] - y[k % 2]) < 1e-14;
        }
        if (constant != is(f.target->name, constant_on_identical))
            fail_msg("%s is %s on identical inputs", f.target->name,
                     constant ? "constant" : "not constant");
        fixture_close(&f);
    }
}

/* ---- causality ---------------------------------------------------------------------------------
 * Position i of these is a function of tokens 1..i (on a grid, row by row), so a causal mask
 * costs them nothing. */
static const char *const causal[] = {
    "position",   "gain",       "affine",        "piecewise",     "random_field",
    "prefix_sum", "shift",      "filter",        "difference",    "identity",
    "prefix_mean", "moving_max", "pi",           "token_shift",   "prefix_parity",
    "prefix_majority", "induction", "grid_position", "grid_gain", "summed_area", "grid_shift",
    "border_distance", "degree", "nodes_at_distance", "eccentricity", "closeness", "cycles", "lua", NULL};

static bool sees_the_future(struct fixture *f)
{
    enum { N = 8 };
    double x[N], y[N], z[N];
    int32_t token[N], before[N], after[N];
    bool sees = false;
    for (uint64_t draw = 0; draw < 10; draw++) {
        fill_uniform(x, N, draw);
        for (int j = 1; j < N; j++) {
            if (f->target->tokens) {
                for (int i = 0; i < N; i++)
                    token[i] = (int32_t)(10 * x[i]);
                fixture_label(f, token, before);
                token[j] = 9 - token[j];
                fixture_label(f, token, after);
                sees |= memcmp(before, after, (size_t)j * sizeof *after) != 0;
            } else {
                double keep = x[j];
                fixture_evaluate(f, x, y);
                x[j] = 1 - keep;
                fixture_evaluate(f, x, z);
                x[j] = keep;
                sees |= memcmp(y, z, (size_t)j * sizeof *z) != 0;
            }
        }
    }
    return sees;
}

static void test_causality(void **state)
{
    for (int kind = 0; target_table[kind]; kind++) {
        struct fixture f;
        if (target_table[kind]->draw || target_table[kind]->take)
            continue; /* its labels are no function of its inputs */
        fixture_configure(&f, NULL, kind, 8, 1);
        fixture_open(&f);
        if (sees_the_future(&f) == is(f.target->name, causal))
            fail_msg("%s: whether it looks ahead is not as listed", f.target->name);
        fixture_close(&f);
    }
}

/* ---- symmetries that make the controls controls -----------------------------------------------*/

enum { M = 12 }; /* a grid of 3 x 4 */

static void evaluate_kind(int kind, const double *x, double *y)
{
    struct fixture f;
    fixture_configure(&f, NULL, kind, M, 1);
    fixture_open(&f);
    fixture_evaluate(&f, x, y);
    fixture_close(&f);
}

static bool commutes(int kind, const int *perm)
{
    double x[M], moved[M], y[M], image[M];
    bool holds = true;
    fill_uniform(x, M, 9);
    for (int i = 0; i < M; i++)
        moved[i] = x[perm[i]];
    evaluate_kind(kind, x, y);
    evaluate_kind(kind, moved, image);
    for (int i = 0; i < M; i++)
        holds &= fabs(image[i] - y[perm[i]]) < 1e-14;
    return holds;
}

/* Reversal equivariance, f(Rx) = R f(x): what an encoding of distances alone can do. */
static const char *const mirror[] = {"reverse", "identity",      "mean",            "local_mean",
                                     "reflect", "border_distance", "blur",
                                     "periodic_blur", "degree", "nodes_at_distance",
                                     "eccentricity", "closeness", "cycles", "source_distance",
                                     "neighbour_sum", "neighbour_mean", "lua", NULL};
/* Equivariance under every permutation: what can be done without any encoding. */
static const char *const symmetric[] = {"identity", "mean", "cycles", "lua", NULL};

static void test_equivariance(void **state)
{
    static const int backwards[M] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    static const int mixed[M] = {2, 0, 11, 6, 1, 9, 5, 3, 10, 4, 8, 7};
    for (int kind = 0; target_table[kind]; kind++) {
        const struct target *t = target_table[kind];
        if (t->tokens || t->take)
            continue;
        if (commutes(kind, backwards) != is(t->name, mirror))
            fail_msg("%s: whether it commutes with reversal is not as listed", t->name);
        if (commutes(kind, mixed) != is(t->name, symmetric))
            fail_msg("%s: whether it commutes with a permutation is not as listed", t->name);
    }
}

/* Channel k of y is a function of channel k of x, the same for every k, but for these. */
static const char *const mixes_channels[] = {"affine", "random_field", "grid_position",
                                             "source_distance", NULL};

static void test_channels_are_apart(void **state)
{
    double x[3 * M], y[3 * M], alone[M], want[M];
    fill_uniform(x, 3 * M, 6);
    for (int kind = 0; target_table[kind]; kind++) {
        struct fixture f;
        bool apart = true;
        if (target_table[kind]->tokens || target_table[kind]->take)
            continue;
        fixture_configure(&f, NULL, kind, M, 3);
        fixture_open(&f);
        fixture_evaluate(&f, x, y);
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < M; i++)
                alone[i] = x[3 * i + k];
            evaluate_kind(kind, alone, want);
            for (int i = 0; i < M; i++)
                apart &= y[3 * i + k] == want[i];
        }
        if (apart == is(f.target->name, mixes_channels))
            fail_msg("%s: whether it mixes channels is not as listed", f.target->name);
        fixture_close(&f);
    }
}

/* Differences undo prefix sums; sorting twice is sorting once; reversing twice is nothing. */
static void test_relations_between_targets(void **state)
{
    double x[18], y[18], z[18];
    fill_uniform(x, 18, 3);
    evaluate("prefix_sum", 9, 2, x, y);
    evaluate("difference", 9, 2, y, z);
    for (int k = 0; k < 18; k++)
        z[k] *= 3; /* sqrt(9) */
    check_near(z, x, 18, 1e-14);
    evaluate("sort", 9, 2, x, y);
    evaluate("sort", 9, 2, y, z);
    check_near(z, y, 18, 0);
    for (int k = 2; k < 18; k++)
        assert_true(y[k] >= y[k - 2]);
    evaluate("reverse", 9, 2, x, y);
    evaluate("reverse", 9, 2, y, z);
    check_near(z, x, 18, 0);
}

/* ---- refusals ---------------------------------------------------------------------------------*/

static void check_refused(const char *name, int n, int vocab, const char *key, double value,
                          const char *where)
{
    struct fixture f;
    struct err e = {0};
    fixture_configure(&f, "sequence", fixture_kind(name), n, 1);
    f.config.vocab = vocab;
    if (key)
        fixture_set(&f, key, value);
    assert_int_equal(target_check(&f.config, &f.space, &e), ERR_USAGE);
    assert_string_equal(e.where, where);
    assert_non_null(strstr(e.msg, "expected"));
}

/* Targets and spaces that do not go together. */
static void test_needs(void **state)
{
    static const struct {
        const char *target, *space;
        bool fits;
    } cases[] = {
        {"shift", "grid", false}, {"etp", "grid", false},     {"blur", "sequence", false},
        {"gain", "grid", true},   {"identity", "grid", true}, {"pi", "grid", true},
        {"degree", "grid", false},  {"degree", "sequence", false}, {"degree", "graph", true},
        {"gain", "graph", false},   {"shift", "graph", false},     {"blur", "graph", false},
        {"mean", "graph", true},    {"histogram", "graph", true},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture f;
        struct err e = {0};
        fixture_configure(&f, cases[k].space, fixture_kind(cases[k].target), 12, 1);
        int rc = target_check(&f.config, &f.space, &e);
        assert_int_equal(rc, cases[k].fits ? 0 : ERR_USAGE);
        assert_string_equal(e.where, cases[k].fits ? "" : "target.kind");
    }
}

static void test_refusals(void **state)
{
    check_refused("even", 1, 10, NULL, 0, "space.length");
    check_refused("etp", 1, 10, NULL, 0, "space.length");
    check_refused("shift", 8, 10, "k", 8, "target.k");
    check_refused("shift", 8, 10, "k", -8, "target.k");
    check_refused("token_shift", 8, 10, "k", 8, "target.k");
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_are_complete),
        cmocka_unit_test(test_outputs_are_sound),
        cmocka_unit_test(test_choices_are_sound),
        cmocka_unit_test(test_state_serves_shorter_samples),
        cmocka_unit_test(test_state_is_priced_right),
        cmocka_unit_test(test_identical_inputs),
        cmocka_unit_test(test_causality),
        cmocka_unit_test(test_equivariance),
        cmocka_unit_test(test_channels_are_apart),
        cmocka_unit_test(test_relations_between_targets),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tokens in front of the sequence: against a plain model that reads them as one symbol more, their
 * gradients, and floors with plans, windows, sinks and C; on identical tokens, the verdicts that are
 * known. */
#include "model/help_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "floor/help_floor.h"
#include "kernel/kernel.h"

enum { ROWS_MAX = 1024, CHANNELS = 2, NETWORKS = 5, SYMBOLS = 4, N = 7 };

static void set_prefix(struct model_config *m, int tokens)
{
    assert_true(option_set_kind(&prefix_kinds, "bos", &m->prefix));
    m->prefix.number[PREFIX_OPTION_TOKENS] = tokens;
}

static void set_registers(struct model_config *m, int tokens)
{
    assert_true(option_set_kind(&prefix_kinds, "registers", &m->prefix));
    m->prefix.number[PREFIX_OPTION_TOKENS] = tokens;
}

static void two_registers(struct model_config *m) { set_registers(m, 2); }

static void one_token(struct model_config *m) { set_prefix(m, 1); }
static void two_tokens(struct model_config *m) { set_prefix(m, 2); }

/* ---- one symbol more --------------------------------------------------------------------------*/
static const struct tensor *find(const struct model *m, const char *name)
{
    for (int k = 0; k < m->tensors.count; k++)
        if (!strcmp(m->tensors.item[k].name, name))
            return &m->tensors.item[k];
    return NULL;
}

/* Parameters, or gradients, of the model with a prefix at the places of the plain one; where that
 * embeds two symbols more they are the prefix's. */
static void transfer(const struct rig *from, const real *p, const struct rig *to, real *out)
{
    for (int k = 0; k < from->model.tensors.count; k++) {
        const struct tensor *t = &from->model.tensors.item[k];
        bool front = !strcmp(t->name, "prefix.weight");
        const struct tensor *u = find(&to->model, front ? "embed.weight" : t->name);
        size_t at = front ? (size_t)(SYMBOLS * from->model.width) : 0;
        assert_true(u && at + t->count <= u->count);
        memcpy(out + u->offset + at, p + t->offset, t->count * sizeof *p);
    }
}

static void same_numbers(const char *what, const real *a, const real *b, size_t count)
{
    double scale = 0;
    for (size_t i = 0; i < count; i++)
        scale = fmax(scale, fabs((double)a[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)(a[i] - b[i])) <= 4096 * REAL_EPSILON * fmax(scale, 1)))
            fail_msg("%s[%zu]: %.9g, not %.9g", what, i, (double)b[i], (double)a[i]);
}

static void check_symbol(const char *encoding, const char *c, int mask, const char *normaliser,
                         bool embed_norm, int norm)
{
    struct rig with, plain;
    struct rig_config config = rig_default(encoding, c, mask);
    config.channels = 0;
    config.symbols = SYMBOLS;
    config.labels = 3;
    config.normaliser = normaliser;
    config.embed_norm = embed_norm;
    config.norm = norm;
    config.change = two_tokens;
    if (!rig_open(&with, &config, 5))
        return;
    config.change = NULL;
    config.symbols += 2;
    config.n += 2;
    assert_true(rig_open(&plain, &config, 5));
    rig_perturb(&with, 3, 0.3);
    transfer(&with, with.p, &plain, plain.p);
    int n = with.config.n, labels = config.labels;
    memset(plain.cotangent, 0, (size_t)(plain.rows * labels) * sizeof(real));
    for (int s = 0; s < config.samples; s++) {
        plain.token[s * (n + 2)] = SYMBOLS;
        plain.token[s * (n + 2) + 1] = SYMBOLS + 1;
        for (int i = 0; i < n; i++)
            plain.token[s * (n + 2) + 2 + i] = with.token[s * n + i];
        memcpy(plain.cotangent + (s * (n + 2) + 2) * labels, with.cotangent + s * n * labels,
               (size_t)(n * labels) * sizeof(real));
    }
    rig_forward(&with);
    rig_forward(&plain);
    for (int s = 0; s < config.samples; s++)
        same_numbers(encoding, plain.y + (s * (n + 2) + 2) * labels, with.y + s * n * labels,
                     (size_t)(n * labels));
    rig_backward(&with);
    rig_backward(&plain);
    real *g = memory_alloc(plain.model.tensors.elements, sizeof *g, NULL);
    assert_non_null(g);
    transfer(&with, with.g, &plain, g);
    same_numbers(encoding, plain.g, g, plain.model.tensors.elements);
    memory_free(g);
    rig_close(&with);
    rig_close(&plain);
}

static void test_one_symbol_more(void **state)
{
    static const char *const weights[] = {NULL, "sink", "sigmoid", "entmax"};
    for (int k = 0; encoding_table[k]; k++)
        for (int mask = 0; mask < mask_kinds.count; mask++)
            check_symbol(encoding_table[k]->name, k % 2 ? "toeplitz" : NULL, mask,
                         weights[(k + mask) % 4], mask % 2, (k + mask) % 3);
}

/* ---- gradients --------------------------------------------------------------------------------*/
static void bos_and_plan(struct model_config *m)
{
    struct layer_config window;
    memcpy(&window, &m->layer, sizeof window);
    window.mask = help_kind(&mask_kinds, "window");
    window.mask.number[0] = 2;
    window.normaliser = help_kind(&normaliser_kinds, "sink");
    window.attention = MODEL_RPE;
    plan_append(&m->plan, &window);
    plan_append(&m->plan, &m->layer);
    plan_settle(m);
    set_prefix(m, 1);
}

#ifdef REAL_DOUBLE
static void bos_plan_and_canon(struct model_config *m)
{
    m->convolution = help_kind(&convolution_kinds, "canon");
    bos_and_plan(m);
}

/* The last two: plan, token, window, sink and C in twelve combinations. */
static void test_gradients(void **state)
{
    static void (*const change[])(struct model_config *) = {one_token, two_tokens, bos_and_plan,
                                                            bos_plan_and_canon};
    static const char *const encodings[] = {"none", "toeplitz", "rope", "learned", "shaw", "t5"};
    for (int k = 0; k < 24; k++) {
        struct rig_config c = rig_default(encodings[k % 6], k % 2 ? "toeplitz" : NULL, k % 4);
        char what[64];
        snprintf(what, sizeof what, "%s with prefix %d", c.encoding, k / 6);
        c.change = change[k / 6];
        c.norm = k % 3;
        rig_check_gradient(&c, what);
    }
}
#endif

/* Registers are a graph's: they go by relations, on lines and on grids, and nowhere by places. */
static void test_registers(void **state)
{
    static const char *const encodings[] = {"none", "toeplitz", "alibi", "kerple-log"};
    struct rig r;
    for (int k = 0; k < 4; k++)
        for (int space = 0; space < 2; space++) {
            struct rig_config c = rig_default(encodings[k], k % 2 ? NULL : "toeplitz", 0);
            c.space = space ? "grid" : NULL;
            c.change = two_registers;
#ifdef REAL_DOUBLE
            assert_true(rig_check_gradient(&c, encodings[k]));
#endif
            assert_true(rig_open(&r, &c, 1));
            assert_int_equal(r.model.trained.relations, r.layout.relations + 2 * 2 + 2 * 2);
            rig_close(&r);
            for (int mask = 1; mask < mask_kinds.count; mask++) {
                bool takes = !mask_table[mask]->pair && strcmp(mask_table[mask]->name, "strict") != 0 &&
                             mask_table[mask]->axes_min <= 1 + space && mask_table[mask]->axes_max > space;
                c.mask = mask;
                assert_int_equal(rig_open(&r, &c, 1), takes);
                if (takes)
                    rig_close(&r);
#ifdef REAL_DOUBLE
                assert_int_equal(rig_check_gradient(&c, encodings[k]), takes);
#endif
            }
            c.mask = 0;
            c.encoding = "rope";
            assert_false(rig_open(&r, &c, 1));
            c.encoding = "none";
            c.space = "graph";
            assert_false(rig_open(&r, &c, 1));
        }
}

/* Who sees whom under each mask, in a whole model's attention: every position all registers, a register no
 * position unless nothing is hidden, and of the other registers what follows it only where that is shown. */
static void test_registers_under_masks(void **state)
{
    static const char *const masks[] = {"none", "causal", "window", "dilated"};
    for (int m = 0; m < 4; m++)
        for (int future = 0; future < (m == 2 ? 2 : 1); future++) {
            struct rig r;
            struct rig_config c = rig_default("toeplitz", NULL, 0);
            while (strcmp(mask_table[c.mask]->name, masks[m]) != 0)
                c.mask++;
            c.change = two_registers;
            c.n = 6;
            if (future)
                c.seen[0] = (struct rig_option){"future", 2};
            assert_true(rig_open(&r, &c, 1));
            enum { ALL = 8 };
            double weights[2 * ALL * ALL], sums[2 * ALL];
            rig_perturb(&r, 2, 0.3);
            rig_forward(&r);
            const struct kind_config *mask = &r.model_config.mask;
            bool past = mask_past(mask);
            for (int layer = 0; layer < 2; layer++) {
                model_attention(&r.model, r.p, &r.state, &r.batch, r.w, layer, weights, sums);
                for (int i = 0; i < ALL; i++)
                    for (int j = 0; j < ALL; j++) {
                        bool want = i < 2   ? j < 2 ? j <= i || !past : m == 0
                                    : j < 2 ? true
                                            : mask_sees(mask, &r.layout, i - 2, j - 2);
                        assert_int_equal(mask_sees(mask, &r.model.trained, i, j), want);
                        if ((weights[i * ALL + j] != 0) != want)
                            fail_msg("%s: whether %d sees %d", masks[m], i, j);
                    }
                assert_float_equal(sums[0], 1, 1e-5);
            }
            rig_close(&r);
        }
}

static struct layout with_registers(struct arena *a, int n)
{
    struct layout out, *line = help_layout(a, n);
    struct model_config m = {0};
    set_registers(&m, 2);
    const struct model_io io = {.channels = 1};
    struct model model;
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct model_config c = help_model(&none, -1, false, 4);
    c.prefix = m.prefix;
    assert_int_equal(model_open(&model, &c, &io, line, NULL), 0);
    out = model.trained;
    int32_t *relation = arena_alloc(a, (size_t)(out.n * out.n), sizeof *relation, NULL);
    memcpy(relation, out.relation, (size_t)(out.n * out.n) * sizeof *relation);
    out.relation = relation;
    model_close(&model);
    return out;
}

/* Registers' relations are the same numbers at every length, offsets are clipped to the trained. */
static void test_registers_fold(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout four = with_registers(&a, 4), six = with_registers(&a, 6);
    int32_t map[32];
    for (int longer = 0; longer < 2; longer++) {
        const struct layout *here = longer ? &six : &four, *trained = longer ? &four : &six;
        here->fold(trained, here, map);
        for (int i = 0; i < here->n; i++)
            for (int j = 0; j < here->n; j++) {
                int p = i < 2 ? i : 2 + (i - 2) % (trained->n - 2), q = p;
                if (j < 2 || i < 2) /* a register is there: what the other is does not matter */
                    q = j < 2 ? j : 2;
                else if (abs(j - i) < trained->n - 2)
                    p = j > i ? 2 : 2 + i - j, q = j > i ? 2 + j - i : 2;
                else
                    p = j > i ? 2 : trained->n - 1, q = j > i ? trained->n - 1 : 2;
                assert_int_equal(map[layout_relation(here, i, j)], layout_relation(trained, p, q));
            }
    }
    arena_close(&a);
}

static void test_lines_only(void **state)
{
    help_lines_only(one_token);
}

/* ---- floors -----------------------------------------------------------------------------------*/
/* The largest difference of two rows' outputs over several networks, relative to the largest output. */
static double apart(double (*y)[ROWS_MAX * CHANNELS], const double *scale, int p, int q)
{
    double largest = 0;
    for (int k = 0; k < NETWORKS * CHANNELS; k++)
        largest = fmax(largest, fabs(y[k / CHANNELS][p * CHANNELS + k % CHANNELS] -
                                     y[k / CHANNELS][q * CHANNELS + k % CHANNELS]) /
                                    scale[k / CHANNELS]);
    return largest;
}

static void run_networks(const struct model_config *m, struct help_set *set, uint64_t seed,
                         double (*y)[ROWS_MAX * CHANNELS], double *scale)
{
    struct floor_set view = help_set_view(set);
    struct stream s;
    stream_open(&s, seed, "prefix", 0);
    assert_true(view.first[view.count] <= ROWS_MAX);
    for (int k = 0; k < NETWORKS; k++) {
        struct model_config one = *m;
        one.norm = k % 3;
        help_random_network(&one, set->layout[0], &view, set->layout[0], &s, y[k]);
        scale[k] = 0;
        for (int i = 0; i < view.first[view.count] * CHANNELS; i++)
            scale[k] = fmax(scale[k], fabs(y[k][i]));
    }
}

static struct model_config config_of(const char *encoding, const char *mask, const char *normaliser,
                                     bool urpe)
{
    struct kind_config kind = help_kind(&encoding_kinds, encoding);
    struct model_config m = help_model(&kind, urpe ? 0 : -1, true, 8);
    m.mask = help_kind(&mask_kinds, mask);
    if (m.mask.number[0] > 2)
        m.mask.number[0] = 2;
    m.normaliser = help_kind(&normaliser_kinds, normaliser);
    m.ffn = 12;
    return m;
}

/* Combinations of plan, prefix, window, sink and C: what merges is equal in every network. */
static void test_combinations(void **state)
{
    static double y[NETWORKS][ROWS_MAX * CHANNELS];
    static const char *const encodings[] = {"none", "rope", "alibi", "toeplitz", "learned"};
    static struct help_set set;
    static int32_t group[ROWS_MAX];
    double scale[NETWORKS];
    long merged = 0, told = 0;
    for (int k = 0; k < 40; k++) {
        struct model_config m = config_of(encodings[k % 5], k & 1 ? "window" : k & 2 ? "causal" : "none",
                                          k & 4 ? "sink" : "softmax", k % 7 == 6);
        int groups;
        if (k % 11 == 0 && strcmp(encodings[k % 5], "learned") && strcmp(encodings[k % 5], "rope")) {
            set_registers(&m, 1 + k % 3);
        } else if (k & 8)
            bos_and_plan(&m);
        else
            set_prefix(&m, 1 + k % 3);
        m.layers = 2 + k % 2;
        help_set_open(&set, CHANNELS, (uint64_t)k);
        struct layout *l = help_layout(&set.arena, 6);
        help_set_plant(&set, l, 2, 0);
        help_set_plant(&set, l, 3, 1);
        struct floor_set view = help_set_view(&set);
        assert_int_equal(model_merge(&m, l, &view, group, &groups, NULL), 0);
        run_networks(&m, &set, (uint64_t)k, y, scale);
        for (int p = 0; p < view.first[view.count]; p++)
            for (int q = p + 1; q < view.first[view.count]; q++) {
                double d = apart(y, scale, p, q);
                if (group[p] == group[q] && !(d <= HELP_EQUAL))
                    fail_msg("combination %d: merged rows %d and %d differ by %g", k, p, q, d);
                merged += group[p] == group[q];
                told += group[p] != group[q] && d > HELP_EQUAL;
            }
        help_set_close(&set);
    }
    print_message("%ld merged pairs, %ld told apart\n", merged, told);
    assert_true(merged > 1000 && told > 100000);
}

/* Seven equal tokens, two layers: how many of the rows a floor and random networks tell apart. */
static void check_identical(const struct model_config *m, const char *what, int expected)
{
    static double y[NETWORKS][ROWS_MAX * CHANNELS];
    static struct help_set set;
    int32_t token[N] = {0}, group[N];
    double scale[NETWORKS];
    int groups, distinct = 0;
    help_set_open(&set, CHANNELS, 1);
    struct layout *l = help_layout(&set.arena, N);
    help_set_add(&set, l, token);
    struct floor_set view = help_set_view(&set);
    assert_int_equal(model_merge(m, l, &view, group, &groups, NULL), 0);
    run_networks(m, &set, 9, y, scale);
    for (int p = 0; p < N; p++) {
        bool new = true;
        for (int q = 0; q < p; q++)
            new = new && apart(y, scale, p, q) > HELP_EQUAL;
        distinct += new;
    }
    view.token = token; /* as symbols: what stands in front is none of them */
    view.x = NULL;
    view.channels = 0;
    int symbol_groups;
    assert_int_equal(model_merge(m, l, &view, group, &symbol_groups, NULL), 0);
    assert_int_equal(symbol_groups, groups);
    if (groups != expected || (sizeof(real) == sizeof(double) && distinct != expected))
        fail_msg("%s: %d groups, %d outputs; expected %d", what, groups, distinct, expected);
    help_set_close(&set);
}

/* The same question asked of the data: on inputs whose first token alone differs the others fall into
 * the groups that a token in front makes of equal ones. */
static void check_first(const struct model_config *m, const char *what)
{
    static struct help_set set;
    struct model_config bos = *m;
    int32_t token[N + 1] = {0}, with[N], own[N + 1];
    int source[N + 1], groups;
    help_set_open(&set, CHANNELS, 1);
    const struct layout *l = help_layout(&set.arena, N), *longer = help_layout(&set.arena, N + 1);
    help_set_add(&set, l, token);
    struct floor_set view = help_set_view(&set);
    one_token(&bos);
    assert_int_equal(model_merge(&bos, l, &view, with, &groups, NULL), 0);
    pattern_table[PATTERN_FIRST]->draw(longer, &set.random, source);
    for (int i = 0; i <= N; i++)
        token[i] = source[i];
    help_set_close(&set);
    help_set_open(&set, CHANNELS, 1);
    longer = help_layout(&set.arena, N + 1);
    help_set_add(&set, longer, token);
    view = help_set_view(&set);
    assert_int_equal(model_merge(m, longer, &view, own, &groups, NULL), 0);
    for (int p = 0; p < N; p++) {
        assert_int_not_equal(own[0], own[p + 1]);
        for (int q = 0; q < p; q++)
            if ((own[p + 1] == own[q + 1]) != (with[p] == with[q]))
                fail_msg("%s: rows %d and %d", what, p, q);
    }
    help_set_close(&set);
}

/* Rows `BOS`, `CLS`, `alternating layers` and `sink and window` of a table that was measured with
 * another program (numbers of distinct outputs of seven equal tokens). */
static void test_identical_tokens(void **state)
{
    static const char *const encodings[] = {"none", "toeplitz", "rope", "alibi"};
    for (int k = 0; k < 4; k++)
        for (int causal = 0; causal < 2; causal++) {
            struct model_config m = config_of(encodings[k], causal ? "causal" : "none", "softmax", false);
            struct layer_config other;
            char what[64];
            snprintf(what, sizeof what, "%s, causal %d", encodings[k], causal);
            check_identical(&m, what, 1);
            check_first(&m, what);
            one_token(&m);
            check_identical(&m, what, causal || k ? N : 1); /* BOS, CLS */
            if (!causal && k != 2) { /* registers: RoPE has none, ALiBi knows no side */
                two_registers(&m);
                check_identical(&m, "registers", k == 3 ? (N + 1) / 2 : k ? N : 1);
            }
            memset(&m.prefix, 0, sizeof m.prefix);
            memcpy(&other, &m.layer, sizeof other);
            other.encoding = help_kind(&encoding_kinds, "none");
            plan_append(&m.plan, &m.layer);
            plan_append(&m.plan, &other);
            plan_settle(&m);
            check_identical(&m, "RoPE and none alternate", 1);
            struct model_config local = config_of(encodings[k], "window", "softmax", false);
            memcpy(&other, &local.layer, sizeof other);
            plan_append(&local.plan, &other);
            memcpy(&other, &m.layer, sizeof other);
            plan_append(&local.plan, &other);
            plan_settle(&local);
            check_identical(&local, "local and global alternate", 1);
        }
    struct model_config rope = config_of("rope", "causal", "softmax", false);
    bos_and_plan(&rope);
    check_identical(&rope, "a global layer sees BOS", N);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_symbol_more),
#ifdef REAL_DOUBLE
        cmocka_unit_test(test_gradients),
#endif
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_registers_under_masks),
        cmocka_unit_test(test_registers_fold),
        cmocka_unit_test(test_lines_only),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_identical_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

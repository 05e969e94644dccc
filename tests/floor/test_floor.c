/* Floors against values worked out by hand, and against naive sums over random groups. */
#include <math.h>
#include <string.h>

#include "floor/help_floor.h"

/* Sums of up to ROWS positive terms in double: relative error below ROWS x 2^-53. */
enum { ROWS = 4096 };
#define TOLERANCE (ROWS * 0x1p-53)

static void assert_close(double a, double b)
{
    if (!(fabs(a - b) <= TOLERANCE * fmax(1, fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

/* A set, a class and their groups. */
struct fixture {
    struct help_set set;
    struct kind_config encoding;
    const struct layout *trained;
    struct model_class class;
    int rows, groups;
    int32_t group[HELP_ROWS_MAX], label[HELP_ROWS_MAX];
    double y[HELP_ROWS_MAX]; /* (i+1)/n */
};

static struct fixture *fixture_open(int n, const char *encoding, uint64_t seed)
{
    struct fixture *f = memory_alloc(1, sizeof *f, NULL);
    assert_non_null(f);
    help_set_open(&f->set, 2, seed);
    f->encoding = help_kind(&encoding_kinds, encoding);
    f->trained = help_layout(&f->set.arena, n);
    f->class = help_class(&f->encoding, -1, false, 8, f->trained);
    return f;
}

static void fixture_close(struct fixture *f)
{
    help_set_close(&f->set);
    memory_free(f);
}

static void fixture_merge(struct fixture *f)
{
    struct floor_set view = help_set_view(&f->set);
    f->rows = view.first[view.count];
    assert_int_equal(floor_merge(&f->class.floor, &view, f->group, &f->groups, NULL), 0);
    for (int s = 0; s < view.count; s++)
        for (int row = view.first[s]; row < view.first[s + 1]; row++) {
            f->label[row] = row - view.first[s];
            f->y[row] = (f->label[row] + 1.0) / view.layout[s]->n;
        }
}

/* The images of word under an orbit. */
static void add_images(struct fixture *f, const char *orbit, const int32_t *word)
{
    const struct layout *l = f->trained;
    int32_t token[64];
    int perm[64], found = 0;
    for (int o = 0; orbit_table[o]; o++) {
        if (strcmp(orbit_table[o]->name, orbit) != 0)
            continue;
        found = orbit_table[o]->images(l);
        for (int k = 0; k < found; k++) {
            orbit_table[o]->image(l, k, perm);
            for (int i = 0; i < l->n; i++)
                token[i] = word[perm[i]];
            help_set_add(&f->set, l, token);
        }
    }
    assert_true(found > 0);
}

static void add_random(struct fixture *f, const char *orbit, int symbols, int32_t base)
{
    int32_t word[64];
    for (int i = 0; i < f->trained->n; i++)
        word[i] = base + (int32_t)stream_below(&f->set.random, (uint64_t)symbols);
    add_images(f, orbit, word);
}

static struct floor_errors continuous(struct fixture *f, const unsigned char *mask)
{
    struct floor_errors out;
    assert_int_equal(
        floor_continuous(f->group, f->groups, f->rows, 1, f->y, mask, &out, NULL), 0);
    return out;
}

static struct floor_labels labels(struct fixture *f, const unsigned char *mask)
{
    struct floor_labels out;
    assert_int_equal(floor_tokens(f->group, f->groups, f->rows, f->label, mask, NULL, &out, NULL),
                     0);
    return out;
}

/* i/n on equal tokens: variance (n^2-1) / (12 n^2), half-range (n-1) / (2n), one label in n. */
static void assert_position_floor(struct floor_errors floor, int n)
{
    assert_close(floor.mse, (n * n - 1.0) / (12.0 * n * n));
    assert_close(floor.rms, sqrt((n * n - 1.0) / (12.0 * n * n)));
    assert_close(floor.sup, (n - 1.0) / (2.0 * n));
}

static void test_identical(void **state)
{
    for (int n = 1; n <= 33; n += 4) {
        struct fixture *f = fixture_open(n, "toeplitz", 1);
        int32_t word[64] = {0};
        for (int s = 0; s < 5; s++) {
            for (int i = 0; i < n; i++)
                word[i] = s;
            add_images(f, "none", word);
        }
        fixture_merge(f);
        assert_int_equal(f->groups, 5);
        assert_position_floor(continuous(f, NULL), n);
        assert_close(labels(f, NULL).accuracy_ceiling, 1.0 / n);
        assert_close(labels(f, NULL).crossentropy, log(n));
        f->class = help_class(&f->encoding, 0, false, 8, f->trained);
        fixture_merge(f);
        assert_int_equal(f->groups, f->rows);
        assert_true(continuous(f, NULL).mse == 0 && continuous(f, NULL).sup == 0);
        assert_true(labels(f, NULL).accuracy_ceiling == 1 && labels(f, NULL).crossentropy == 0);
        fixture_close(f);
    }
}

/* Half the samples identical: the floor on them, 0 on the rest, half on all. */
static void test_subsets(void **state)
{
    enum { N = 8 };
    struct fixture *f = fixture_open(N, "t5", 2);
    int32_t word[N];
    for (int s = 0; s < 6; s++) {
        for (int i = 0; i < N; i++)
            word[i] = s < 3 ? s : 1000 + s * N + i;
        add_images(f, "none", word);
    }
    fixture_merge(f);
    unsigned char identical[HELP_ROWS_MAX], generic[HELP_ROWS_MAX], empty[HELP_ROWS_MAX] = {0};
    for (int row = 0; row < f->rows; row++) {
        identical[row] = row < f->rows / 2;
        generic[row] = !identical[row];
    }
    assert_position_floor(continuous(f, identical), N);
    assert_true(continuous(f, generic).mse == 0 && continuous(f, generic).sup == 0);
    assert_close(continuous(f, NULL).mse, continuous(f, identical).mse / 2);
    assert_true(isnan(continuous(f, empty).mse) && isnan(labels(f, empty).accuracy_ceiling));
    assert_close(labels(f, NULL).accuracy_ceiling, (1 + 1.0 / N) / 2);
    /* A group is cut down to the subset: two of its members, (n/2)/n apart. */
    for (int row = 0; row < f->rows; row++)
        identical[row] = row == 1 || row == 1 + N / 2;
    assert_close(continuous(f, identical).mse, 0.25 * 0.25);
    assert_close(continuous(f, identical).sup, 0.25);
    fixture_close(f);
}

/* With all cyclic shifts a token stands at every position equally often. */
static void test_shifts(void **state)
{
    enum { N = 12 };
    static const int symbols[] = {1, 2, 3, 1000};
    for (size_t k = 0; k < sizeof symbols / sizeof *symbols; k++) {
        struct fixture *f = fixture_open(N, "none", 3 + k);
        for (int s = 0; s < 6; s++)
            add_random(f, "shifts", symbols[k], 0);
        fixture_merge(f);
        assert_true(labels(f, NULL).accuracy_ceiling == 1.0 / N);
        assert_close(labels(f, NULL).crossentropy, log(N));
        assert_position_floor(continuous(f, NULL), N);
        fixture_close(f);
    }
    struct fixture *f = fixture_open(N, "toeplitz", 3);
    int32_t word[N];
    for (int i = 0; i < N; i++)
        word[i] = i;
    add_images(f, "shifts", word);
    fixture_merge(f);
    assert_true(labels(f, NULL).accuracy_ceiling == 1);
    fixture_close(f);
}

/* Without a mask, alibi takes a sequence and its reversal for mirror images, whatever the tokens:
 * position i shares its output with position n+1-i of the other.  Under a causal mask, or when the
 * offset has a sign, nothing of that is left. */
static void test_reversal(void **state)
{
    enum { N = 9 };
    int32_t word[N];
    for (int i = 0; i < N; i++)
        word[i] = i;
    struct fixture *f = fixture_open(N, "alibi", 4);
    add_images(f, "reversal", word);
    fixture_merge(f);
    assert_int_equal(f->groups, N);
    assert_position_floor(continuous(f, NULL), N);
    assert_close(labels(f, NULL).accuracy_ceiling, (N + 1.0) / (2 * N)); /* the middle is alone */
    assert_close(labels(f, NULL).crossentropy, (N - 1) * log(2) / N);
    double share[2 * N], sum = 0;
    assert_int_equal(
        floor_shares(f->group, f->groups, f->rows, 1, f->y, NULL, share, NULL), 0);
    for (int row = 0; row < 2 * N; row++) {
        double from_middle = (row % N + 1 - (N + 1) / 2.0) / N;
        assert_close(share[row], from_middle * from_middle);
        sum += share[row];
    }
    assert_close(sum / (2 * N), continuous(f, NULL).mse);
    f->class = help_class(&f->encoding, -1, true, 8, f->trained);
    fixture_merge(f);
    assert_true(f->groups == 2 * N && continuous(f, NULL).mse == 0);
    fixture_close(f);
    f = fixture_open(N, "toeplitz", 4);
    add_images(f, "reversal", word);
    fixture_merge(f);
    assert_int_equal(f->groups, 2 * N);
    fixture_close(f);
}

/* Under a causal mask equal prefixes of one token are one group, at any length of the prefix; a
 * prefix shared by two samples is shared position by position. */
static void test_prefix(void **state)
{
    int32_t a[6] = {7, 7, 7, 1, 2, 3}, b[6] = {7, 7, 7, 1, 3, 2};
    struct fixture *f = fixture_open(6, "rope", 5);
    f->class = help_class(&f->encoding, -1, true, 8, f->trained);
    add_images(f, "none", a);
    add_images(f, "none", b);
    fixture_merge(f);
    static const int32_t expected[12] = {0, 0, 0, 1, 2, 3, 0, 0, 0, 1, 4, 5};
    assert_memory_equal(f->group, expected, sizeof expected);
    assert_close(continuous(f, NULL).mse, 6 * (2.0 / 3) / 36 / 12);
    fixture_close(f);
}

/* Equal values are no error, however they are rounded, and a group of one never is. */
static void test_exact_zero(void **state)
{
    int32_t group[7] = {0, 0, 0, 1, 1, 2, 1};
    double y[7] = {0.1, 0.1, 0.1, 1.0 / 3, 1.0 / 3, 5e300, 1.0 / 3};
    struct floor_errors out;
    assert_int_equal(floor_continuous(group, 3, 7, 1, y, NULL, &out, NULL), 0);
    assert_true(out.mse == 0 && out.rms == 0 && out.sup == 0);
}

static void test_informative(void **state)
{
    int32_t group[6] = {0, 0, 0, 0, 1, 1}, label[6] = {4, 4, 4, 9, 2, 3};
    unsigned char informative[6] = {1, 0, 0, 1, 1, 1}, none[6] = {0};
    struct floor_labels out;
    assert_int_equal(floor_tokens(group, 2, 6, label, NULL, informative, &out, NULL), 0);
    assert_close(out.accuracy_ceiling, 4.0 / 6);
    assert_close(out.informative_ceiling, 2.0 / 4);
    assert_close(out.crossentropy, (3 * log(4.0 / 3) + log(4) + 2 * log(2)) / 6);
    assert_int_equal(floor_tokens(group, 2, 6, label, NULL, none, &out, NULL), 0);
    assert_true(isnan(out.informative_ceiling) && !isnan(out.accuracy_ceiling));
    assert_int_equal(floor_tokens(group, 2, 6, label, NULL, NULL, &out, NULL), 0);
    assert_true(out.informative_ceiling == out.accuracy_ceiling);
}

/* ---- random groups against naive sums ---------------------------------------------------------*/
enum { RANDOM_ROWS = 300, RANDOM_GROUPS = 40, CHANNELS = 3, LABELS = 5 };
struct random_case {
    int32_t group[RANDOM_ROWS], label[RANDOM_ROWS];
    unsigned char mask[RANDOM_ROWS];
    double y[RANDOM_ROWS * CHANNELS];
};

static void draw_case(struct random_case *r, uint64_t seed)
{
    struct stream s;
    stream_open(&s, seed, "test", 0);
    for (int row = 0; row < RANDOM_ROWS; row++) {
        r->group[row] = (int32_t)stream_below(&s, RANDOM_GROUPS);
        r->label[row] = (int32_t)stream_below(&s, LABELS);
        r->mask[row] = stream_below(&s, 4) != 0;
        for (int c = 0; c < CHANNELS; c++)
            r->y[row * CHANNELS + c] = 1000 + stream_uniform24(&s);
    }
}

static void test_random_continuous(void **state)
{
    struct random_case r;
    for (uint64_t seed = 0; seed < 5; seed++) {
        draw_case(&r, seed);
        double sum = 0, sup = 0, share[RANDOM_ROWS];
        int pairs = 0;
        for (int row = 0; row < RANDOM_ROWS; row++)
            pairs += r.mask[row];
        struct floor_errors out;
        assert_int_equal(floor_continuous(r.group, RANDOM_GROUPS, RANDOM_ROWS, CHANNELS, r.y,
                                          r.mask, &out, NULL), 0);
        assert_int_equal(floor_shares(r.group, RANDOM_GROUPS, RANDOM_ROWS, CHANNELS, r.y, r.mask,
                                      share, NULL), 0);
        for (int p = 0; p < RANDOM_ROWS; p++) {
            double own = 0;
            for (int c = 0; c < CHANNELS && r.mask[p]; c++) {
                double mean = 0;
                int members = 0;
                for (int q = 0; q < RANDOM_ROWS; q++)
                    if (r.mask[q] && r.group[q] == r.group[p]) {
                        double d = r.y[q * CHANNELS + c] - r.y[p * CHANNELS + c];
                        mean += d;
                        members++;
                        sup = fmax(sup, fabs(d) / 2);
                    }
                own += (mean / members) * (mean / members) / CHANNELS;
            }
            assert_close(share[p], own);
            sum += own;
        }
        assert_close(out.mse, sum / pairs);
        assert_close(out.sup, sup);
    }
}

static void test_random_labels(void **state)
{
    struct random_case r;
    for (uint64_t seed = 0; seed < 5; seed++) {
        draw_case(&r, seed);
        double best = 0, entropy = 0;
        int pairs = 0;
        for (int g = 0; g < RANDOM_GROUPS; g++) {
            int count[LABELS] = {0}, members = 0, most = 0;
            for (int row = 0; row < RANDOM_ROWS; row++)
                if (r.mask[row] && r.group[row] == g) {
                    count[r.label[row]]++;
                    members++;
                }
            for (int k = 0; k < LABELS; k++) {
                most = count[k] > most ? count[k] : most;
                if (count[k])
                    entropy -= count[k] * log(count[k] / (double)members);
            }
            best += most;
            pairs += members;
        }
        struct floor_labels out;
        assert_int_equal(floor_tokens(r.group, RANDOM_GROUPS, RANDOM_ROWS, r.label, r.mask, NULL,
                                      &out, NULL), 0);
        assert_close(out.accuracy_ceiling, best / pairs);
        assert_close(out.crossentropy, entropy / pairs);
    }
}

/* A class takes from a model's configuration what the floor depends on. */
static void test_class_of(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct model_config c = {.encoding = help_kind(&encoding_kinds, "shaw"),
                             .c = help_kind(&urpe_kinds, "bucketed"),
                             .attention = MODEL_URPE, .mask = help_kind(&mask_kinds, "causal"),
                             .layers = 2, .heads = 4, .width = 20, .ffn = 8};
    const struct layout *l = help_layout(&a, 5);
    struct model_class class;
    model_class_of(&c, l, &class);
    assert_true(!class.floor.stochastic && class.shape.past && class.shape.trained == l);
    assert_int_equal(class.shape.width, 20);
    assert_int_equal(class.shape.heads, 4);
    assert_int_equal(class.shape.head_width, 5);
    assert_memory_equal(&class.config, &c, sizeof c);
    c.attention = MODEL_RPE;
    c.mask = help_kind(&mask_kinds, "none");
    model_class_of(&c, l, &class);
    assert_true(!class.shape.past);
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identical),         cmocka_unit_test(test_subsets),
        cmocka_unit_test(test_shifts),            cmocka_unit_test(test_reversal),
        cmocka_unit_test(test_prefix),            cmocka_unit_test(test_exact_zero),
        cmocka_unit_test(test_informative),       cmocka_unit_test(test_random_continuous),
        cmocka_unit_test(test_random_labels),     cmocka_unit_test(test_class_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

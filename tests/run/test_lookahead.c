/* Subsets lookahead and beyond: what a model that only looks back cannot know of its samples' ends, and
 * a shallow one of what its layers do not reach. */
#include <math.h>
#include <string.h>

#include "help_turns.h"
#include "run/help_run.h"

enum { IMAGES = 64, SETS = 256 };

static struct task causal_task(const char *target, int n)
{
    struct task t = help_task(target, "toeplitz", MODEL_URPE, n, 1);
    assert_true(option_set_kind(&mask_kinds, "causal", &t.model.mask));
    t.evaluate.images = IMAGES;
    t.evaluate.samples = SETS * IMAGES;
    return t;
}

static struct record lookahead_of(const struct task *t)
{
    struct evaluation *ev = help_evaluation(t);
    struct record r;
    evaluation_floors(ev, evaluation_subsets(ev) - 1, &r);
    assert_string_equal(r.subset, "lookahead");
    evaluation_close(ev);
    return r;
}

/* ---- samples ----------------------------------------------------------------------------------*/
static void images_share_a_prefix(void **unused)
{
    struct task t = causal_task("reverse", 9);
    struct samples s;
    int seen[9] = {0}, equal = 0, behind = 0;
    assert_int_equal(samples_shared(&s, &t, 0, 9, NULL), 0);
    assert_int_equal(s.count, SETS * IMAGES);
    for (int k = 0; k < s.count; k++) {
        int base = k / IMAGES * IMAGES;
        assert_int_equal(s.scored[k], s.scored[base]);
        assert_in_range(s.scored[k], 0, 8);
        seen[s.scored[k]] += k == base;
        for (int i = 0; i < 9 && k != base; i++) {
            bool same = s.x[s.first[k] + i] == s.x[s.first[base] + i];
            assert_true(same || i > s.scored[k]);
            behind += i > s.scored[k];
            equal += same && i > s.scored[k];
        }
        for (int i = 0; i < 9; i++)
            assert_true(s.y[s.first[k] + i] == s.x[s.first[k] + 8 - i]);
    }
    for (int i = 0; i < 9; i++)
        assert_in_range(seen[i], SETS / 9 - 2, SETS / 9 + 2);
    assert_true(behind > 1000 && equal < behind / 1000);
    samples_close(&s);
}

/* ---- floors -----------------------------------------------------------------------------------*/
/* Of independent uniform tokens, whose variance is 1/12: what is left of y_k when x_1..x_k are known. */
static double unknown_of_reverse(int k, int n) { return n + 1 - k > k ? 1 / 12.0 : 0; }
static double unknown_of_next(int k, int n) { return k < n ? 1 / 12.0 : 0; }
static double unknown_of_mean(int k, int n) { return (double)(n - k) / (n * n) / 12; }

static void numbers(void **unused)
{
    static const struct {
        const char *target;
        int k;
        double (*unknown)(int k, int n);
    } row[] = {{"reverse", 0, unknown_of_reverse}, {"shift", -1, unknown_of_next},
               {"mean", 0, unknown_of_mean}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        for (int n = 8; n <= 32; n += 24) {
            struct task t = causal_task(row[i].target, n);
            double unknown = 0;
            if (row[i].k)
                t.target.kind.number[0] = row[i].k;
            for (int k = 1; k <= n; k++)
                unknown += row[i].unknown(k, n) / n * (IMAGES - 1) / IMAGES;
            struct record r = lookahead_of(&t);
            double square = r.floor_rms * r.floor_rms;
            if (fabs(square - unknown) > 0.03 * unknown)
                fail_msg("%s, n = %d: floor^2 %g, expected %g", row[i].target, n, square, unknown);
            assert_string_equal(r.verdict, "impossible");
        }
}

/* The share of the commonest of so many labels, on average, by drawing them. */
static double plurality(int symbols)
{
    enum { DRAWS = 20000 };
    double sum = 0;
    for (int k = 0; k < DRAWS; k++) {
        struct stream random;
        int count[64] = {0}, most = 0;
        stream_open(&random, 5, "plurality", (uint64_t)k);
        for (int i = 0; i < IMAGES; i++) {
            int *mine = &count[stream_below(&random, (uint64_t)symbols)];
            most = ++*mine > most ? *mine : most;
        }
        sum += most;
    }
    return sum / DRAWS / IMAGES;
}

/* Half of the labels stand where they are seen; the others are guessed. */
static void tokens(void **unused)
{
    static const int vocab[] = {4, 10, 50};
    for (int i = 0; i < 3; i++)
        for (int n = 8; n <= (help_turn(i + 2, 3) ? 32 : 8); n += 24) {
            struct task t = causal_task("token_reverse", n);
            t.target.vocab = vocab[i];
            t.evaluate.samples = 2 * SETS * IMAGES;
            struct record r = lookahead_of(&t);
            double truth = (1 + 1.0 / vocab[i]) / 2, most = (1 + plurality(vocab[i])) / 2;
            if (!(r.accuracy_ceiling >= truth && r.accuracy_ceiling <= most + 0.002))
                fail_msg("V = %d, n = %d: ceiling %g, expected %g to %g", vocab[i], n,
                         r.accuracy_ceiling, truth, most);
            assert_string_equal(r.verdict, "impossible");
        }
}

/* ---- beyond the field of view -----------------------------------------------------------------*/
/* Windows of four and a label twelve places back: half of the positions miss it with three layers, and
 * none with four. */
static void beyond_by_depth(void **unused)
{
    for (int layers = 1; layers < 5; layers++) {
        struct task t = causal_task("shift", 24);
        assert_true(option_set_kind(&mask_kinds, "window", &t.model.mask));
        t.model.mask.number[0] = 4;
        t.target.kind.number[0] = 12;
        t.model.layers = layers;
        struct evaluation *ev = help_evaluation(&t);
        struct record r;
        assert_int_equal(evaluation_subsets(ev), 4);
        evaluation_floors(ev, 3, &r);
        assert_string_equal(r.subset, "beyond");
        assert_float_equal(r.floor_rms, 0, 0);
        double square = r.depth_floor_rms * r.depth_floor_rms;
        double unknown = layers < 4 ? 0.5 / 12 * (IMAGES - 1) / IMAGES : 0;
        assert_true(fabs(square - unknown) <= 0.03 * unknown);
        assert_string_equal(r.verdict, layers < 4 ? "too-shallow" : "open");
        evaluation_close(ev);
    }
}

/* What is shared is all that networks of the depth depend on at the position, and less would not do:
 * with one layer more they do tell some of the images apart. */
static void views_are_enough(void **unused)
{
    static const char *const masks[] = {"window", "dilated", "blocks", "strided"};
    enum { N = 14, SAMPLES = 80 };
    int apart = 0;
    for (int k = 0; k < 16; k++) {
        struct task t = causal_task("shift", N);
        assert_true(option_set_kind(&mask_kinds, masks[k % 4], &t.model.mask));
        t.model.mask.number[0] = 2;
        t.model.mask.number[1] = k % 4 < 2 ? 2 : t.model.mask.number[1];
        t.model.layers = 1 + k / 4 % 2;
        if (k >= 8) {
            assert_true(option_set_kind(&convolution_kinds, "canon", &t.model.convolution));
            t.model.convolution.number[0] = 2;
            t.model.convolution.number[3] = t.model.convolution.number[4] = 1;
            t.model.convolution.number[5] = k >= 12;
        }
        t.evaluate.images = 8;
        t.evaluate.samples = SAMPLES;
        if (!task_shares(&t, 1, N))
            continue;
        struct samples s;
        int32_t any[SAMPLES * N], deep[SAMPLES * N];
        struct model_groups g = {.any = any, .deep = deep};
        assert_int_equal(samples_shared(&s, &t, 1, N, NULL), 0);
        for (int more = 0; more < 2; more++, t.model.layers++) {
            assert_int_equal(evaluation_merge_depth(&t, &s, &g, NULL), 0);
            for (int b = 0; b < s.count; b++) {
                int first = b / 8 * 8;
                bool same = deep[s.first[b] + s.scored[b]] == deep[s.first[first] + s.scored[first]];
                if (!more && !same)
                    fail_msg("%s, %d layers: an image is told apart", masks[k % 4],
                             (int)t.model.layers);
                apart += more && !same;
            }
        }
        samples_close(&s);
    }
    assert_true(apart > 100);
}

/* Nothing to look ahead for, and other subsets, which are what they were. */
static void the_rest_is_as_it_was(void **unused)
{
    struct task t = causal_task("prefix_sum", 8);
    t.evaluate.samples = 100;
    t.space.share[PATTERN_IDENTICAL] = 0.5;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    assert_float_equal(lookahead_of(&t).floor_rms, 0, 0);
    assert_true(option_set_kind(&target_kinds, "reverse", &t.target.kind));
    struct record with[3], without[3];
    for (int images = 0; images <= 7; images += 7) {
        t.evaluate.images = images;
        struct evaluation *ev = help_evaluation(&t);
        assert_int_equal(evaluation_subsets(ev), images ? 4 : 3);
        for (int k = 0; k < 3; k++)
            evaluation_floors(ev, k, images ? &with[k] : &without[k]);
        assert_int_equal(evaluation_samples(ev)->count, 100);
        evaluation_close(ev);
    }
    for (int k = 0; k < 3; k++)
        assert_memory_equal(&with[k], &without[k], sizeof *with);
    assert_true(option_set_kind(&mask_kinds, "none", &t.model.mask));
    struct evaluation *ev = help_evaluation(&t);
    assert_int_equal(evaluation_subsets(ev), 3);
    evaluation_close(ev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_share_a_prefix),
        cmocka_unit_test(numbers),
        cmocka_unit_test(tokens),
        cmocka_unit_test(beyond_by_depth),
        cmocka_unit_test(views_are_enough),
        cmocka_unit_test(the_rest_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Floors of a cell's own depth: by hand, over depths, and the verdicts that come of them. */
#include <math.h>
#include <string.h>

#include "run/help_run.h"

/* Answers the target plus `off`: numbers, or logits of its labels. */
struct answer {
    double off;
    int labels;
};

static int answer(void *self, const struct samples *s, double *y, trainer_logits each, void *context,
                  struct err *e)
{
    const struct answer *a = self;
    for (int k = 0; s->channels && k < s->rows * s->channels; k++)
        y[k] = s->y[k] + a->off;
    for (int row = 0; row < s->rows && !s->channels; row++) {
        double logits[8] = {0};
        logits[s->label[row]] = a->off ? -40 : 40;
        each(context, row, 1, a->labels, logits);
    }
    return 0;
}

static struct evaluation *open_at(struct task *t, int layers)
{
    struct evaluation *ev;
    struct err e = {0};
    t->model.layers = layers;
    if (evaluation_open(&ev, t, (int)t->space.length, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return ev;
}

static void choose(const struct kind_table *table, struct kind_config *kind, const char *name)
{
    assert_true(option_set_kind(table, name, kind));
}

static struct task window_task(const char *target, const char *encoding, int n, int past)
{
    struct task t = help_task(target, encoding, MODEL_RPE, n, 1);
    choose(&mask_kinds, &t.model.mask, "window");
    t.model.mask.number[0] = past;
    return t;
}

static const char *verdict_of(struct evaluation *ev, struct answer a)
{
    static struct record f[SUBSETS_MAX];
    struct predictor p = {.self = &a, .outputs = answer};
    a.labels = task_io(evaluation_task(ev)).labels;
    assert_int_equal(evaluation_measure(ev, p, f, NULL), 0);
    return f[0].verdict;
}

/* Equal tokens, y_i = i/n, a sink, a window of three: a layer counts how many it sees, and two more
 * positions from the start are known after each.  The others share one answer. */
static void position_by_hand(void **unused)
{
    enum { N = 12 };
    struct task t = window_task("position", "toeplitz", N, 3);
    choose(&normaliser_kinds, &t.model.normaliser, "sink");
    t.space.share[PATTERN_IDENTICAL] = 1;
    t.evaluate.samples = 8;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    for (int layers = 1; layers < 7; layers++) {
        struct evaluation *ev = open_at(&t, layers);
        struct record r;
        int merged = N - 2 * layers;
        double square = 0, spread = merged > 1 ? merged - 1 : 0;
        for (int i = 0; i < merged; i++)
            square += pow((i - spread / 2) / N, 2);
        evaluation_floors(ev, 0, &r);
        assert_float_equal(r.floor_rms, 0, 0);
        assert_float_equal(r.depth_floor_rms, sqrt(square / N), 1e-14);
        assert_float_equal(r.depth_floor_sup, spread / 2 / N, 1e-14);
        assert_float_equal(r.depth_floor_rel, sqrt(square / N) / sqrt((N * N - 1.0) / 12) * N, 1e-13);
        bool bites = r.depth_floor_rel > t.evaluate.tolerance;
        assert_string_equal(r.verdict, bites ? "too-shallow" : "open");
        assert_string_equal(verdict_of(ev, (struct answer){.off = 1}),
                            bites ? "too-shallow" : "not-reached");
        assert_string_equal(verdict_of(ev, (struct answer){.off = 0}),
                            bites ? "by-rounding" : "reached");
        evaluation_close(ev);
    }
}

/* A label twelve tokens back, a window of four: four layers see it, three do not. */
static void tokens_by_depth(void **unused)
{
    struct task t = window_task("token_shift", "toeplitz", 24, 4);
    double ceiling = 0, entropy = INFINITY;
    t.target.kind.number[0] = 12;
    t.target.vocab = 2;
    t.evaluate.samples = 256;
    for (int layers = 1; layers < 9; layers++) {
        struct evaluation *ev = open_at(&t, layers);
        struct record r;
        evaluation_floors(ev, 0, &r);
        assert_true(r.depth_accuracy_ceiling >= ceiling && r.depth_accuracy_ceiling <= r.accuracy_ceiling);
        assert_true(r.depth_cross_entropy_floor <= entropy);
        assert_true(r.depth_cross_entropy_floor >= r.cross_entropy_floor);
        ceiling = r.depth_accuracy_ceiling;
        entropy = r.depth_cross_entropy_floor;
        assert_true(r.accuracy_ceiling > 0.99 && (layers < 8 || ceiling == r.accuracy_ceiling));
        assert_string_equal(r.verdict, layers < 4 ? "too-shallow" : "open");
        assert_string_equal(verdict_of(ev, (struct answer){.off = 1}),
                            layers < 4 ? "too-shallow" : "not-reached");
        assert_string_equal(verdict_of(ev, (struct answer){.off = 0}),
                            layers < 4 ? "by-rounding" : "reached");
        evaluation_close(ev);
    }
}

/* What no depth can is impossible, whatever the depth adds. */
static void impossible_goes_first(void **unused)
{
    struct task t = window_task("gain", "toeplitz", 8, 2);
    t.space.share[PATTERN_IDENTICAL] = 0.5;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    struct evaluation *ev = open_at(&t, 1);
    struct record r;
    evaluation_floors(ev, 0, &r);
    assert_string_equal(r.verdict, "impossible");
    assert_true(r.depth_floor_rms >= r.floor_rms && r.floor_rms > 0);
    evaluation_close(ev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_by_hand),
        cmocka_unit_test(tokens_by_depth),
        cmocka_unit_test(impossible_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

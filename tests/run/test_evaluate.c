/* Figures per subset against numbers worked out by hand, with outputs made up by a false trainer,
 * and the rows that carry them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "run/help_run.h"

/* ---- a trainer that answers as the test wants -------------------------------------------------*/

enum answer { ANSWER_VALUE, ANSWER_EXACT, ANSWER_NOISE, ANSWER_NAN };
struct false_network {
    enum answer answer;
    double value;
    int changed;   /* this output element gets 1 more; -1: none */
    double *noise; /* filled with the outputs of ANSWER_NOISE */
};

static int answer_continuous(const struct false_network *f, const struct samples *s, double *y)
{
    size_t count = (size_t)s->rows * (size_t)s->channels;
    uint32_t state = 12345;
    for (size_t k = 0; k < count; k++) {
        state = state * 1664525u + 1013904223u;
        double noise = (double)(state >> 8) / (1 << 24);
        y[k] = f->answer == ANSWER_EXACT   ? s->y[k]
               : f->answer == ANSWER_NOISE ? noise
               : f->answer == ANSWER_NAN   ? NAN
                                           : f->value;
        if ((int)k == f->changed)
            y[k] += 1;
        if (f->noise)
            f->noise[k] = y[k];
    }
    return 0;
}

enum { LABELS_MAX = 8, CHUNK = 3 };

/* Logits `value` at the right label and 0 elsewhere, in chunks that cut samples. */
static int answer_tokens(const struct false_network *f, const struct task *t,
                         const struct samples *s, trainer_logits each, void *context)
{
    int labels = task_io(t).labels;
    for (int first = 0; first < s->rows; first += CHUNK) {
        double logits[CHUNK * LABELS_MAX] = {0};
        int rows = s->rows - first < CHUNK ? s->rows - first : CHUNK;
        for (int k = 0; k < rows; k++)
            logits[k * labels + s->label[first + k]] = f->value;
        each(context, first, rows, labels, logits);
    }
    return 0;
}

static struct task token_task; /* what answer_tokens is about */

static int false_outputs(void *self, const struct samples *s, double *y,
                         trainer_logits each, void *context, struct err *e)
{
    const struct false_network *f = self;
    return s->channels ? answer_continuous(f, s, y)
                       : answer_tokens(f, &token_task, s, each, context);
}

static struct predictor predictor_of(struct false_network *f)
{
    return (struct predictor){.self = f, .outputs = false_outputs};
}

static void measure(struct evaluation *ev, struct false_network *f, struct record *out)
{
    assert_int_equal(evaluation_measure(ev, predictor_of(f), out, NULL), 0);
}

static void share(struct task *t, int pattern, double value)
{
    t->space.share[pattern] = value;
    assert_int_equal(space_finish(&t->space, NULL), 0);
}

static int pattern_named(const char *name)
{
    for (int k = 0; pattern_table[k]; k++)
        if (!strcmp(pattern_table[k]->name, name))
            return k;
    fail_msg("no pattern %s", name);
    return -1;
}

/* ---- continuous -------------------------------------------------------------------------------*/

/* y_i = i/4, so 1/4, 1/2, 3/4, 1 whatever x: mean 5/8, variance 5/64.  Under RPE the positions of
 * an identical sample are one group, those of a generic one are not. */
static void position_by_hand(void **unused)
{
    struct task t = help_task("position", "toeplitz", MODEL_RPE, 4, 2);
    struct record f[SUBSETS_MAX];
    t.evaluate.samples = 6;
    share(&t, pattern_named("identical"), 0.5);
    struct evaluation *ev = help_evaluation(&t);
    struct false_network mean = {.answer = ANSWER_VALUE, .value = 0.625, .changed = -1};
    const double variance = 5.0 / 64;

    assert_int_equal(evaluation_subsets(ev), 3);
    assert_int_equal(evaluation_samples(ev)->count, 6);
    measure(ev, &mean, f);
    assert_string_equal(f[0].subset, "all");
    assert_string_equal(f[1].subset, "generic");
    assert_string_equal(f[2].subset, "identical");
    for (int k = 0; k < 3; k++) {
        assert_float_equal(f[k].error_rms, sqrt(variance), 1e-14);
        assert_float_equal(f[k].error_rel, 1, 1e-14);
        assert_float_equal(f[k].error_sup, 0.375, 1e-15);
        assert_true(isnan(f[k].accuracy) && isnan(f[k].error_worst));
    }
    assert_float_equal(f[0].floor_rms, sqrt(variance / 2), 1e-14);
    assert_float_equal(f[0].floor_rel, sqrt(0.5), 1e-14);
    assert_float_equal(f[0].gap_rel, 1 - sqrt(0.5), 1e-14);
    assert_string_equal(f[0].verdict, "impossible");
    assert_float_equal(f[1].floor_rms, 0, 0);
    assert_float_equal(f[1].floor_sup, 0, 0);
    assert_string_equal(f[1].verdict, "not-reached");
    assert_float_equal(f[2].floor_rms, sqrt(variance), 1e-14);
    assert_float_equal(f[2].floor_rel, 1, 1e-14);
    assert_float_equal(f[2].floor_sup, 0.375, 1e-15);
    assert_float_equal(f[2].gap_rel, 0, 1e-14);
    assert_string_equal(f[2].verdict, "impossible");

    /* Position i: error |i/4 - 5/8|; the identical half carries the bound. */
    assert_int_equal(evaluation_positions(ev), 4);
    for (int i = 0; i < 4; i++) {
        double error, floor, off = fabs((i + 1) / 4.0 - 0.625);
        evaluation_position(ev, i, &error, &floor);
        assert_float_equal(error, off, 1e-15);
        assert_float_equal(floor, off / sqrt(2), 1e-14);
    }
    evaluation_close(ev);
}

static void urpe_has_no_floor_and_exact_is_reached(void **unused)
{
    struct task t = help_task("position", "toeplitz", MODEL_URPE, 4, 2);
    struct record f[SUBSETS_MAX], alone;
    t.evaluate.samples = 6;
    share(&t, pattern_named("identical"), 0.5);
    struct evaluation *ev = help_evaluation(&t);
    struct false_network exact = {.answer = ANSWER_EXACT, .changed = -1};
    measure(ev, &exact, f);
    for (int k = 0; k < 3; k++) {
        assert_float_equal(f[k].floor_rms, 0, 0);
        assert_float_equal(f[k].error_rms, 0, 0);
        assert_string_equal(f[k].verdict, "reached");
        evaluation_floors(ev, k, &alone);
        assert_string_equal(alone.verdict, "open");
        assert_true(isnan(alone.error_rms) && isnan(alone.gap_rel));
    }
    evaluation_close(ev);
}

/* The definition of error_rms, error_sup and error_rel once more, sample by sample. */
static void check_naive(const struct samples *s, const double *out, int pattern,
                        const struct record *f)
{
    double square = 0, sup = 0, count = 0, deviation = 0, mean[8] = {0};
    int d = s->channels;
    for (int pass = 0; pass < 2; pass++) {
        for (int b = 0; b < s->count; b++) {
            if (pattern >= 0 && s->pattern[b] != pattern)
                continue;
            for (int r = s->first[b]; r < s->first[b + 1]; r++) {
                for (int c = 0; c < d; c++) {
                    double y = s->y[r * d + c], off = y - out[r * d + c];
                    if (pass == 0) {
                        mean[c] += y;
                        count++;
                        square += off * off;
                        sup = fmax(sup, fabs(off));
                    } else {
                        deviation += pow(y - mean[c], 2);
                    }
                }
            }
        }
        for (int c = 0; c < d && pass == 0; c++)
            mean[c] /= count / d;
    }
    assert_float_equal(f->error_rms, sqrt(square / count), 1e-13);
    assert_float_equal(f->error_sup, sup, 1e-15);
    assert_float_equal(f->error_rel, sqrt(square / deviation), 1e-12);
}

static void subsets_have_their_own_figures(void **unused)
{
    static const char *const name[] = {"all", "generic", "identical", "palindrome"};
    struct task t = help_task("gain", "alibi", MODEL_RPE, 5, 3);
    struct record before[SUBSETS_MAX], after[SUBSETS_MAX];
    double out[16 * 5 * 3];
    t.evaluate.samples = 16;
    share(&t, pattern_named("identical"), 0.25);
    share(&t, pattern_named("palindrome"), 0.25);
    struct evaluation *ev = help_evaluation(&t);
    const struct samples *s = evaluation_samples(ev);
    struct false_network noise = {.answer = ANSWER_NOISE, .changed = -1, .noise = out};
    assert_int_equal(evaluation_subsets(ev), 4);
    assert_int_equal(s->rows, 16 * 5);
    measure(ev, &noise, before);
    for (int k = 0; k < 4; k++) {
        assert_string_equal(before[k].subset, name[k]);
        check_naive(s, out, k ? pattern_named(name[k]) : -1, &before[k]);
    }
    /* One element of an identical sample: figures of `all` and `identical` move, others do not. */
    for (int b = 0; b < s->count; b++)
        if (s->pattern[b] == pattern_named("identical"))
            noise.changed = s->first[b] * 3;
    measure(ev, &noise, after);
    for (int k = 0; k < 4; k++) {
        bool moved = before[k].error_rms != after[k].error_rms;
        assert_int_equal(moved, k == 0 || k == 2);
        assert_true(before[k].floor_rms == after[k].floor_rms);
    }
    double error;
    assert_int_equal(evaluation_error(ev, predictor_of(&noise), &error,
                                      NULL), 0);
    assert_true(error == after[0].error_rel);
    evaluation_close(ev);
}

/* With one position y = 1 everywhere: nothing to be relative to, so error_rms decides. */
static void constant_target(void **unused)
{
    struct task t = help_task("position", "toeplitz", MODEL_RPE, 1, 2);
    struct record f[SUBSETS_MAX];
    t.evaluate.samples = 3;
    struct evaluation *ev = help_evaluation(&t);
    struct false_network near = {.answer = ANSWER_VALUE, .value = 1.05, .changed = -1};
    struct false_network far = {.answer = ANSWER_VALUE, .value = 1.2, .changed = -1};
    double error;
    measure(ev, &near, f);
    assert_true(isnan(f[0].error_rel) && isnan(f[0].floor_rel) && isnan(f[0].gap_rel));
    assert_float_equal(f[0].error_rms, 0.05, 1e-15);
    assert_string_equal(f[0].verdict, "reached");
    measure(ev, &far, f);
    assert_string_equal(f[0].verdict, "not-reached");
    assert_int_equal(evaluation_error(ev, predictor_of(&far), &error, NULL),
                     0);
    assert_float_equal(error, 0.2, 1e-12); /* curves show error_rms where there is no error_rel */
    evaluation_close(ev);
}

static void nan_is_never_reached(void **unused)
{
    struct task t = help_task("gain", "toeplitz", MODEL_URPE, 3, 1);
    struct record f[SUBSETS_MAX];
    t.evaluate.samples = 4;
    struct evaluation *ev = help_evaluation(&t);
    struct false_network broken = {.answer = ANSWER_NAN, .changed = -1};
    measure(ev, &broken, f);
    assert_true(isnan(f[0].error_rms) && isnan(f[0].error_sup) && isnan(f[0].error_rel));
    assert_string_equal(f[0].verdict, "not-reached");
    evaluation_close(ev);
}

/* ---- tokens -----------------------------------------------------------------------------------*/

/* pi, n = 4.  A constant sequence is one group under RPE.  Logits that are right in every row are those
 * of no network of the class in exact arithmetic: they leak.  Decided as one, the group's mean has a
 * four-way tie, which goes to label 0: one position in four is right, the ceiling. */
static void tokens_are_decided_by_row_and_by_group(void **unused)
{
    struct record f[SUBSETS_MAX];
    struct false_network right = {.value = 1, .changed = -1};
    token_task = help_task("pi", "toeplitz", MODEL_RPE, 4, 1);
    token_task.target.vocab = 1000; /* so that no generic sample is constant by chance */
    token_task.evaluate.samples = 8;
    share(&token_task, pattern_named("identical"), 0.25);
    struct evaluation *ev = help_evaluation(&token_task);
    measure(ev, &right, f);
    assert_float_equal(f[1].accuracy, 1, 0);
    assert_float_equal(f[1].accuracy_ceiling, 1, 0);
    assert_string_equal(f[1].verdict, "reached");
    assert_float_equal(f[2].accuracy, 1, 0);
    assert_float_equal(f[2].accuracy_grouped, 0.25, 0);
    assert_float_equal(f[2].leak_sup, 0.5, 0);
    assert_float_equal(f[1].leak_sup, 0, 0);
    assert_float_equal(f[2].accuracy_ceiling, 0.25, 1e-15);
    assert_float_equal(f[2].cross_entropy_floor, log(4), 1e-14);
    assert_string_equal(f[2].verdict, "by-rounding");
    assert_float_equal(f[0].accuracy, 1, 0);
    assert_float_equal(f[0].accuracy_grouped, (6 + 2 * 0.25) / 8, 1e-15);
    assert_float_equal(f[0].accuracy_ceiling, (6 + 2 * 0.25) / 8, 1e-15);
    for (int k = 0; k < 3; k++) {
        assert_float_equal(f[k].cross_entropy, log(exp(1) + 3) - 1, 1e-14);
        assert_float_equal(f[k].accuracy_informative, f[k].accuracy, 0);
        assert_true(isnan(f[k].error_rms) && isnan(f[k].floor_rms) && isnan(f[k].gap_rel));
    }
    assert_int_equal(evaluation_positions(ev), 0);
    double error;
    assert_int_equal(evaluation_error(ev, predictor_of(&right), &error,
                                      NULL), 0);
    assert_true(error == 1 - f[0].accuracy);

    /* A second measurement starts from empty sums. */
    struct record again[SUBSETS_MAX];
    measure(ev, &right, again);
    assert_memory_equal(&again[2].accuracy, &f[2].accuracy, sizeof f[2].accuracy);
    assert_memory_equal(&again[2].leak_sup, &f[2].leak_sup, sizeof f[2].leak_sup);
    assert_true(again[2].accuracy_grouped == 0.25);
    evaluation_close(ev);
}

/* token_shift by k, n = 4: k fillers, then 4 - k copies of the one symbol that a constant sequence
 * has.  The mean of the group's logits goes with the majority; its first or last row alone would be
 * wrong for one of the two k. */
static void group_goes_with_its_mean(void **unused)
{
    for (int k = 1; k <= 3; k += 2) {
        char text[256];
        struct record f[SUBSETS_MAX];
        struct false_network right = {.value = 1, .changed = -1};
        snprintf(text, sizeof text,
                 "space: {length: 4, inputs: {identical: 1}}\nseeds: [0]\n"
                 "target: {kind: token_shift, k: %d, vocab: 5}\nmodel: {attention: rpe}\n"
                 "evaluate: {samples: 6}\n", k);
        struct spec *s = help_spec(text);
        token_task = spec_cell(s, 0)->task;
        struct evaluation *ev = help_evaluation(&token_task);
        measure(ev, &right, f);
        assert_float_equal(f[0].accuracy, 1, 0);
        assert_float_equal(f[0].accuracy_grouped, 0.75, 0);
        assert_float_equal(f[0].accuracy_ceiling, 0.75, 1e-15);
        evaluation_close(ev);
        spec_close(s);
    }
}

/* etp, n = 4, V = 2: labels x_2, x_4, filler, filler.  Logits without opinion choose label 0. */
static void informative_rows_are_counted_apart(void **unused)
{
    struct record f[SUBSETS_MAX];
    struct false_network none = {.value = 0, .changed = -1};
    token_task = help_task("etp", "learned", MODEL_RPE, 4, 1);
    token_task.target.vocab = 2;
    token_task.evaluate.samples = 16;
    struct evaluation *ev = help_evaluation(&token_task);
    const struct samples *s = evaluation_samples(ev);
    double hits = 0;
    for (int r = 0; r < s->rows; r++)
        hits += s->label[r] == 0;
    assert_true(hits > 0 && hits < 32);
    measure(ev, &none, f);
    assert_float_equal(f[0].accuracy, hits / 64, 1e-15);
    assert_float_equal(f[0].accuracy_informative, hits / 32, 1e-15);
    assert_float_equal(f[0].informative_ceiling, 1, 0);
    assert_float_equal(f[0].cross_entropy, log(3), 1e-14);
    evaluation_close(ev);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static void row_prints_what_it_is_given(void **unused)
{
    struct spec *s = help_spec("space: {length: 6, channels: 2}\ntarget: gain\nseeds: [7]\n"
                               "model: {attention: urpe, precision: double}\n");
    const struct cell *c = spec_cell(s, 0);
    struct record r;
    struct text t = {0};
    struct csv csv;
    row_clear(&r);
    r.length = 6, r.subset = "all", r.status = "ok", r.verdict = "reached", r.error_rms = 1.0 / 3;
    r.steps = 0, r.params = 12, r.seconds = 1.5, r.cpu = "A, \"B\"", r.threads = 2;
    row_append_header(&t);
    row_append(&t, c, &r);
    assert_int_equal(csv_parse("row", t.data, t.length, &csv, NULL), 0);
    static const char *const want[][2] = {
        {"experiment", ""}, {"cell", NULL}, {"seed", "7"}, {"target", "gain"},
        {"encoding", "toeplitz"}, {"attention", "urpe"}, {"space", "sequence"}, {"length", "6"},
        {"subset", "all"}, {"channels", "2"}, {"vocab", ""}, {"precision", "double"}, {"settings", "space.length=6"},
        {"params", "12"}, {"steps", "0"}, {"status", "ok"}, {"verdict", "reached"},
        {"error_rms", "0.33333333333333331"}, {"error_rel", ""}, {"accuracy", ""},
        {"train_loss", ""}, {"seconds", "1.5"}, {"cpu", "A, \"B\""}, {"threads", "2"}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        const char *got = csv.row[1][csv_column(&csv, want[k][0])];
        assert_string_equal(got, want[k][1] ? want[k][1] : c->id);
    }
    csv_close(&csv);
    text_close(&t);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_by_hand),
        cmocka_unit_test(urpe_has_no_floor_and_exact_is_reached),
        cmocka_unit_test(subsets_have_their_own_figures),
        cmocka_unit_test(constant_target),
        cmocka_unit_test(nan_is_never_reached),
        cmocka_unit_test(tokens_are_decided_by_row_and_by_group),
        cmocka_unit_test(group_goes_with_its_mean),
        cmocka_unit_test(informative_rows_are_counted_apart),
        cmocka_unit_test(row_prints_what_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows about all evaluated lengths together: n itself, which equal tokens do not tell, and errors put
 * together from those of each length. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "encoding/encoding.h"
#include "run/help_run.h"
#include "run/prove.h"

static struct evaluation *open_number(const struct task *t, int k)
{
    struct evaluation *ev;
    struct err e = {0};
    if (evaluation_open_number(&ev, t, k, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return ev;
}

/* ---- n/64 -------------------------------------------------------------------------------------*/
/* NULL: the encoding is none of sequences, or needs a causal mask. */
static const struct cell *cell_of(struct spec **s, const char *encoding, const char *model)
{
    char text[512];
    struct err e = {0};
    snprintf(text, sizeof text, "space: {length: 32, channels: 1, inputs: {identical: 0.5}}\n"
             "target: {kind: lua, y: n / 64}\nmodel: {encoding: %s, width: 8, heads: 2, %s}\n"
             "evaluate: {samples: 8, images: 0, lengths: [8, 16, 32]}\n", encoding, model);
    return spec_parse(s, "test", text, strlen(text), NULL, 0, &e) ? NULL : spec_cell(*s, 0);
}

/* floor_rel of equal tokens, and *generic of others, at all lengths together; at one there is none. */
static double joint_floor(const char *encoding, const char *model, double *generic)
{
    struct spec *s;
    const struct cell *c = cell_of(&s, encoding, model);
    double floor = 0;
    assert_int_equal(evaluation_count(&c->task), 4);
    for (int k = 0; k < 4; k++) {
        struct evaluation *ev = open_number(&c->task, k);
        struct record r[3];
        assert_int_equal(evaluation_subsets(ev), 3);
        for (int i = 0; i < 3; i++) {
            evaluation_floors(ev, i, &r[i]);
            assert_true(r[i].length == (k < 3 ? 8 << k : LENGTH_ALL));
            if (k < 3)
                assert_float_equal(r[i].floor_rms, 0, 0);
        }
        assert_string_equal(r[2].subset, "identical");
        floor = r[2].floor_rel, *generic = r[1].floor_rel;
        assert_string_equal(r[2].verdict, floor > 0.1 ? "impossible" : "open");
        evaluation_close(ev);
    }
    spec_close(s);
    return floor;
}

static void length_of_equal_tokens(void **unused)
{
    int relative = 0;
    for (int k = 0; encoding_table[k]; k++) {
        const char *name = encoding_table[k]->name;
        struct spec *s;
        const struct cell *c = cell_of(&s, name, "attention: rpe");
        if (!c)
            continue;
        struct encoding_facts facts;
        struct layout l;
        struct arena a;
        assert_int_equal(arena_open(&a, 0, NULL), 0);
        assert_int_equal(layout_line(32, &a, &l, NULL), 0);
        struct encoding_shape shape = model_shape(&c->task.model, &l);
        encoding_of(&c->task.model.encoding)->facts(&c->task.model.encoding, &shape, &facts);
        arena_close(&a);
        spec_close(s);
        if (facts.absolute || !facts.right_stochastic)
            continue;
        relative++;
        double generic;
        if (fabs(joint_floor(name, "attention: rpe", &generic) - 1) > 1e-12 || generic != 0)
            fail_msg("%s: n/64 of equal tokens is not found impossible", name);
        assert_true(joint_floor(name, "attention: rpe, normaliser: sink", &generic) == 0 && generic == 0);
        assert_true(joint_floor(name, "attention: urpe", &generic) == 0 && generic == 0);
    }
    assert_true(relative >= 10);
}

/* Samples of 8 tokens begin those of 16 and 32.  Under a causal mask positions 1 to 8 see the same at all
 * three lengths, and 9 to 16 at two, whatever the class: one answer for 1/8, 1/4 and 1/2, or for 1/4 and
 * 1/2.  Only a class that knows the length tells them apart. */
static void causal_length_of_equal_tokens(void **unused)
{
    static const struct {
        const char *model;
        double square; /* of floor_rel */
    } row[] = {{"attention: rpe", 1}, {"attention: rpe, normaliser: sink", 2.0 / 3},
               {"attention: urpe", 2.0 / 3}, {"attention: urpe, c: bucketed, normaliser: ssmax", 2.0 / 3},
               {"attention: rpe, normaliser: {kind: sigmoid, minus_log: n}", 0}};
    int classes = 0;
    for (int k = 0; encoding_table[k]; k++)
        for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
            struct spec *s;
            char model[128];
            snprintf(model, sizeof model, "mask: causal, %s", row[i].model);
            if (!cell_of(&s, encoding_table[k]->name, model))
                continue;
            const struct model_config *m = &spec_cell(s, 0)->task.model;
            struct model_class class;
            struct layout l;
            struct arena a;
            assert_int_equal(arena_open(&a, 0, NULL), 0);
            assert_int_equal(layout_line(32, &a, &l, NULL), 0);
            model_class_of(m, &l, &class);
            /* Without C, no mark and sums of one: a single answer for all. */
            bool one = class.floor.stochastic && !class.floor.mark;
            double square = row[i].square == 1 && !one ? 2.0 / 3 : row[i].square;
            arena_close(&a);
            spec_close(s);
            double generic, floor = joint_floor(encoding_table[k]->name, model, &generic);
            if (fabs(floor * floor - square) > 1e-12 || fabs(generic * generic - fmin(square, 2.0 / 3)) > 1e-12)
                fail_msg("%s, %s: floor_rel^2 %g and %g, expected %g", encoding_table[k]->name, model, floor * floor,
                         generic * generic, square);
            classes++;
        }
    assert_true(classes >= 15 * 5);
}

/* Random networks with a sink, or with C, tell equal tokens of all lengths apart. */
static void lengths_told_apart(void **unused)
{
    static const char *const models[] = {"attention: rpe, normaliser: sink", "attention: urpe",
                                         "attention: rpe"};
    for (int k = 0; k < 3; k++) {
        struct spec *s;
        struct err e = {0};
        struct record r[3];
        struct pool *pool;
        const struct cell *c = cell_of(&s, "toeplitz", models[k]);
        assert_int_equal(pool_open(&pool, 1, &e), 0);
        struct evaluation *ev = open_number(&c->task, 3);
        assert_int_equal(prove_possible(ev, pool, NULL, &e), 0);
        for (int i = 0; i < 3; i++) {
            evaluation_floors(ev, i, &r[i]);
            assert_string_equal(r[i].proof, k < 2 || i == 1 ? "possible" : "impossible");
        }
        evaluation_close(ev);
        pool_close(pool);
        spec_close(s);
    }
}

/* ---- errors -----------------------------------------------------------------------------------*/
/* The inputs as outputs; logits that choose the token before. */
static int echo(void *self, const struct samples *s, double *y, trainer_logits each, void *context,
                struct err *e)
{
    assert_int_equal(s->first[0], 0);
    for (int k = 1; k < s->count; k++)
        assert_int_equal(s->layout[k]->n, s->layout[0]->n);
    if (s->channels)
        memcpy(y, s->x, (size_t)s->rows * (size_t)s->channels * sizeof *y);
    for (int row = 0; row < s->rows && !s->channels; row++) {
        double logits[16] = {0};
        logits[s->token[row]] = 2;
        each(context, row, 1, *(int *)self, logits);
    }
    return 0;
}

static void errors_add_up(void **unused)
{
    static const int64_t lengths[] = {3, 5, 8};
    for (int tokens = 0; tokens < 2; tokens++) {
        struct task t = help_task(tokens ? "token_reverse" : "reverse", "toeplitz", MODEL_RPE, 5, 2);
        t.target.vocab = 3;
        t.evaluate.samples = 10;
        t.evaluate.lengths.count = 3;
        memcpy(t.evaluate.lengths.value, lengths, sizeof lengths);
        int labels = tokens ? task_io(&t).labels : 0;
        struct predictor p = {.self = &labels, .outputs = echo};
        double square = 0, hits = 0, nats = 0, sup = 0, rows = 0;
        for (int k = 0; k < 4; k++) {
            struct evaluation *ev = open_number(&t, k);
            struct record f[SUBSETS_MAX];
            assert_int_equal(evaluation_measure(ev, p, f, NULL), 0);
            double n = evaluation_samples(ev)->rows;
            if (k < 3) {
                rows += n, square += n * f[0].error_rms * f[0].error_rms;
                sup = fmax(sup, f[0].error_sup);
                hits += n * f[0].accuracy, nats += n * f[0].cross_entropy;
            } else if (tokens) {
                assert_float_equal(f[0].accuracy, hits / rows, 1e-12);
                assert_float_equal(f[0].cross_entropy, nats / rows, 1e-12);
            } else {
                assert_float_equal(f[0].error_rms, sqrt(square / rows), 1e-12);
                assert_float_equal(f[0].error_sup, sup, 0);
            }
            assert_float_equal(n, k < 3 ? 10 * (double)lengths[k] : rows, 0);
            evaluation_close(ev);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_of_equal_tokens),
        cmocka_unit_test(causal_length_of_equal_tokens),
        cmocka_unit_test(lengths_told_apart),
        cmocka_unit_test(errors_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

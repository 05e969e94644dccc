/* How steep a network must be near inputs of equal tokens: the bound beside loops over the samples, and
 * beside networks that keep or break what it speaks of. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "run/help_run.h"
#include "run/steep.h"

enum { N = 6, D = 2 };

static struct task near_task(int attention, double radius)
{
    struct task t = help_task("position", "toeplitz", attention, N, D);
    t.space.share[PATTERN_NEAR] = 0.5;
    t.space.radius = radius;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    t.model.heads = 2, t.model.width = 16, t.model.ffn = 16;
    t.evaluate.samples = 32;
    return t;
}

/* ---- the samples ------------------------------------------------------------------------------*/
static void near_tokens_are_near(void **state)
{
    for (int k = 0; k < 3; k++) {
        static const double radius[] = {0.5, 0.1, 1e-6};
        struct task t = near_task(MODEL_RPE, radius[k]);
        struct evaluation *ev = help_evaluation(&t);
        const struct samples *s = evaluation_samples(ev);
        int seen = 0;
        double farthest = 0;
        for (int b = 0; b < s->count; b++)
            for (int r = s->first[b]; r < s->first[b + 1] && s->pattern[b] == PATTERN_NEAR; r++, seen++) {
                const double *x = s->x + r * D, *first = s->x + s->first[b] * D;
                assert_true(x[0] >= 0 && x[0] <= 1 && x[1] >= 0 && x[1] <= 1);
                farthest = fmax(farthest, hypot(x[0] - first[0], x[1] - first[1]));
            }
        assert_int_equal(seen, 16 * N);
        assert_true(farthest <= radius[k] * (1 + 1e-9) && farthest > 0.5 * radius[k]);
        evaluation_close(ev);
    }
}

/* Symbols have no distance. */
static void tokens_are_refused(void **state)
{
    struct task t = help_task("pi", "toeplitz", MODEL_RPE, N, D);
    struct err e = {0};
    t.space.share[PATTERN_NEAR] = 0.5;
    assert_int_equal(task_check(&t, &e), ERR_USAGE);
    assert_string_equal(e.where, "space.inputs.near.share");
}

/* ---- the bound --------------------------------------------------------------------------------*/
/* d(X, Z) of sample b, by the definition. */
static double distance_of(const struct samples *s, int b)
{
    double largest = 0, middle[D];
    for (int c = 0; c < D; c++) {
        double low = 2, high = -1;
        for (int r = s->first[b]; r < s->first[b + 1]; r++) {
            low = fmin(low, s->x[r * D + c]);
            high = fmax(high, s->x[r * D + c]);
        }
        middle[c] = (low + high) / 2;
    }
    for (int r = s->first[b]; r < s->first[b + 1]; r++)
        largest = fmax(largest, hypot(s->x[r * D] - middle[0], s->x[r * D + 1] - middle[1]));
    return largest;
}

/* Targets of one sample are 1/6 ... 6/6: 5/6 apart. */
static void the_bound_is_that_of_the_definition(void **state)
{
    struct task t = near_task(MODEL_RPE, 0.05), free = near_task(MODEL_URPE, 0.05);
    struct evaluation *ev = help_evaluation(&t), *other = help_evaluation(&free);
    const struct samples *s = evaluation_samples(ev);
    struct steep *steep, *none;
    double nearest = INFINITY;
    for (int b = 0; b < s->count; b++)
        nearest = s->pattern[b] == PATTERN_NEAR ? fmin(nearest, distance_of(s, b)) : nearest;
    assert_int_equal(steep_open(&steep, &t, s, NULL), 0);
    assert_float_equal(steep_floor(steep, 0) * nearest, 5.0 / 12, 1e-12);
    assert_float_equal(steep_floor(steep, 0.125) * nearest, (5.0 / 6 - 0.25) / 2, 1e-12);
    assert_true(steep_floor(steep, 0.5) == 0);
    assert_true(isnan(steep_floor(steep, NAN)));
    assert_int_equal(steep_open(&none, &free, evaluation_samples(other), NULL), 0);
    assert_true(steep_floor(none, 0) == 0); /* with C nothing merges */
    steep_close(steep);
    steep_close(none);
    evaluation_close(ev);
    evaluation_close(other);
}

/* ---- networks ---------------------------------------------------------------------------------*/
/* The target on the set, and what a network of the class must say on inputs of equal tokens: one value
 * at all positions; moved: this times the targets instead, which no network of the class can. */
struct liar {
    double moved;
};

static int lie(void *self, const struct samples *s, double *y, trainer_logits each, void *context,
               struct err *e)
{
    const struct liar *l = self;
    for (int b = 0; b < s->count; b++)
        for (int r = s->first[b]; r < s->first[b + 1]; r++)
            for (int c = 0; c < D; c++)
                y[r * D + c] = s->y[r * D + c] > 0 ? s->y[r * D + c] /* inputs in the middle have none */
                                                   : 7.0 / 12 + l->moved * ((r - s->first[b] + 1.0) / N - 7.0 / 12);
    return 0;
}

static void what_is_found_is_above_the_bound(void **state)
{
    struct task t = near_task(MODEL_RPE, 0.05);
    struct evaluation *ev = help_evaluation(&t);
    struct record f[SUBSETS_MAX];
    struct liar honest = {0}, other = {1};
    assert_int_equal(evaluation_measure(ev, (struct predictor){&honest, lie}, f, NULL), 0);
    int last = evaluation_subsets(ev) - 1; /* all, generic, near */
    assert_string_equal(f[last].subset, "near");
    assert_true(f[0].error_sup == 0 && f[0].lipschitz_floor > 4);
    assert_float_equal(f[0].lipschitz_found, f[0].lipschitz_floor, 1e-9 * f[0].lipschitz_floor);
    assert_true(f[last].lipschitz_floor == f[0].lipschitz_floor && isnan(f[1].lipschitz_floor));
    assert_int_equal(evaluation_measure(ev, (struct predictor){&other, lie}, f, NULL), 0);
    assert_true(f[0].lipschitz_found < f[0].lipschitz_floor); /* none of the class */
    evaluation_close(ev);
}

/* Random networks of the class, in double: whatever their errors, they are as steep as these say. */
static void networks_are_above_the_bound(void **state)
{
    struct task t = near_task(MODEL_RPE, 0.2);
    struct pool *pool;
    struct network x;
    struct stream random;
    struct record f[SUBSETS_MAX];
    int said = 0;
    t.model.precision = MODEL_DOUBLE;
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    struct evaluation *ev = help_evaluation(&t);
    assert_int_equal(network_open(&x, &t, pool, NULL), 0);
    stream_open(&random, 1, "test", 0);
    const struct model *m = x.api->model(x.trainer);
    double *p = x.api->parameters(x.trainer);
    for (int k = 0; k < 200; k++) {
        for (size_t i = 0; i < m->tensors.elements; i++)
            p[i] = 0.99 * p[i] + 0.1 * gsl_ran_gaussian(stream_rng(&random), 1);
        for (size_t i = 0; i < m->tensors.item[m->head].count && k % 2; i++) /* small errors: near a half */
            p[m->tensors.item[m->head].offset + i] *= 0.01;
        for (int c = 0; c < D; c++)
            p[m->tensors.item[m->head_bias].offset + (size_t)c] = 0.55;
        assert_int_equal(evaluation_measure(ev, network_predictor(&x), f, NULL), 0);
        assert_true(f[0].lipschitz_found >= f[0].lipschitz_floor - 1e-9);
        said += f[0].lipschitz_found > 0;
    }
    assert_int_equal(said, 200);
    network_close(&x);
    evaluation_close(ev);
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_tokens_are_near),
        cmocka_unit_test(tokens_are_refused),
        cmocka_unit_test(the_bound_is_that_of_the_definition),
        cmocka_unit_test(what_is_found_is_above_the_bound),
        cmocka_unit_test(networks_are_above_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How steep a network must be near inputs of equal tokens: the bound beside loops over the samples, and
 * beside networks that keep or break what it speaks of. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "kernel/kernel.h"
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
    assert_int_equal(evaluation_measure(ev, (struct predictor){.self = &honest, .outputs = lie}, f, NULL), 0);
    int last = evaluation_subsets(ev) - 1; /* all, generic, near */
    assert_string_equal(f[last].subset, "near");
    assert_true(f[0].error_sup == 0 && f[0].lipschitz_floor > 4);
    assert_float_equal(f[0].lipschitz_found, f[0].lipschitz_floor, 1e-9 * f[0].lipschitz_floor);
    assert_true(f[last].lipschitz_floor == f[0].lipschitz_floor && isnan(f[1].lipschitz_floor));
    assert_int_equal(evaluation_measure(ev, (struct predictor){.self = &other, .outputs = lie}, f, NULL), 0);
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

/* The largest change of an output per change of a token, over samples that are moved by next to nothing. */
static double slope_of(struct network *x, const struct samples *set, struct stream *random)
{
    static double moved[32 * N * D], y[2][32 * N * D];
    const double step = 1e-6;
    struct samples other = *set;
    double steepest = 0;
    assert_int_equal(set->rows, 32 * N);
    assert_int_equal(x->api->outputs(x->trainer, set, y[0], NULL, NULL, NULL), 0);
    for (int turn = 0; turn < 4; turn++) {
        double size[32] = {0};
        for (int r = 0; r < set->rows; r++) {
            double dx = step * (2 * stream_uniform24(random) - 1), dy = step * (2 * stream_uniform24(random) - 1);
            moved[r * D] = set->x[r * D] + dx, moved[r * D + 1] = set->x[r * D + 1] + dy;
            size[r / N] = fmax(size[r / N], hypot(dx, dy));
        }
        other.x = moved;
        assert_int_equal(x->api->outputs(x->trainer, &other, y[1], NULL, NULL, NULL), 0);
        for (int k = 0; k < set->rows * D; k++)
            steepest = fmax(steepest, fabs(y[1][k] - y[0][k]) / size[k / (N * D)]);
    }
    return steepest;
}

/* Without norms, the weights say how steep the network can be at all; whatever they are, it is no steeper,
 * near equal tokens or elsewhere.  Each part is made large in turn, and every other network is one small layer
 * of attention alone, which leaves less room below the bound. */
static void networks_are_below_what_weights_say(void **state)
{
    static const char *const large[] = {"attn.q", "attn.v", "ffn.", "embed", "urpe.c", "attn.q.bias"};
    enum { PARTS = sizeof large / sizeof *large };
    double nearest = 0;
    for (int k = 0; k < 240; k++) {
        struct task t = near_task(k / PARTS % 2 ? MODEL_URPE : MODEL_RPE, 0.01);
        struct pool *pool;
        struct network x;
        struct stream random;
        struct record f[SUBSETS_MAX];
        bool bare = k / 12 % 2;
        t.model.precision = MODEL_DOUBLE;
        t.model.norm = MODEL_NORM_NONE;
        t.model.activation = k / 24 % ACTIVATION_COUNT;
        t.model.layers = bare ? 1 : 2;
        if (bare)
            t.model.heads = 1, t.model.width = 4;
        assert_int_equal(pool_open(&pool, 1, NULL), 0);
        struct evaluation *ev = help_evaluation(&t);
        assert_int_equal(network_open(&x, &t, pool, NULL), 0);
        stream_open(&random, (uint64_t)k, "test", 0);
        const struct model *m = x.api->model(x.trainer);
        double *p = x.api->parameters(x.trainer);
        for (int i = 0; i < m->tensors.count; i++) {
            const struct tensor *one = &m->tensors.item[i];
            double size = strstr(one->name, large[k % PARTS]) ? 6 : one->table ? 1 : 0.3;
            for (size_t at = one->offset; at < one->offset + one->count; at++)
                p[at] = bare && strstr(one->name, "ffn.") ? 0 : size * gsl_ran_gaussian(stream_rng(&random), 1);
        }
        assert_int_equal(evaluation_measure(ev, network_predictor(&x), f, NULL), 0);
        double found = fmax(f[0].lipschitz_found, slope_of(&x, evaluation_samples(ev), &random));
        assert_true(isfinite(f[0].lipschitz_weights) && f[0].lipschitz_found > 0);
        if (!(found <= f[0].lipschitz_weights))
            fail_msg("network %d: %g is found, %g is the weights'", k, found, f[0].lipschitz_weights);
        nearest = fmax(nearest, found / f[0].lipschitz_weights);
        network_close(&x);
        evaluation_close(ev);
        pool_close(pool);
    }
    assert_true(nearest > 0.2); /* or weights that are wrong by little would not show */
}

/* Norms have slopes of their own, and rotated keys are no bias by relation: nothing is said then. */
static void what_weights_do_not_say(void **state)
{
    for (int k = 0; k < 4; k++) {
        struct task t = near_task(MODEL_RPE, 0.1);
        struct pool *pool;
        struct network x;
        double bound;
        t.model.norm = k == 0 ? MODEL_NORM_PRE : MODEL_NORM_NONE;
        assert_true(option_set_kind(&encoding_kinds, k == 1 ? "rope" : "toeplitz", &t.model.encoding));
        assert_true(option_set_kind(&normaliser_kinds, k == 2 ? "sink" : "softmax", &t.model.normaliser));
        assert_int_equal(pool_open(&pool, 1, NULL), 0);
        assert_int_equal(network_open(&x, &t, pool, NULL), 0);
        assert_int_equal(x.api->steepness(x.trainer, &bound, NULL), 0);
        assert_true(isnan(bound) == (k < 3));
        network_close(&x);
        pool_close(pool);
    }
}

/* One layer by hand, whose weights are 1, and C 2. */
static void by_hand(int attention)
{
    struct task t = near_task(attention, 0.1);
    struct pool *pool;
    struct network x;
    double bound;
    t.model.precision = MODEL_DOUBLE, t.model.norm = MODEL_NORM_NONE, t.model.activation = ACTIVATION_RELU;
    t.model.layers = 1, t.model.heads = 1, t.model.width = 4, t.model.ffn = 2;
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    assert_int_equal(network_open(&x, &t, pool, NULL), 0);
    const struct model *m = x.api->model(x.trainer);
    double *p = x.api->parameters(x.trainer);
    for (int k = 0; k < m->tensors.count; k++)
        for (size_t i = 0; i < m->tensors.item[k].count; i++)
            p[m->tensors.item[k].offset + i] = m->tensors.item[k].c ? -2 : 1;
    /* Norms of matrices of ones (a,b) are sqrt(ab), of biases sqrt(a). */
    double embed = sqrt(8), R = embed * sqrt(2) + 2, A = 16 / 2.0, a = 8 / 2.0, M = 16;
    double with_c = attention == MODEL_URPE, layer = 1 + (1 + with_c) * (M + (2 * A * R + a) * (M * R + with_c * 8));
    assert_int_equal(x.api->steepness(x.trainer, &bound, NULL), 0);
    assert_float_equal(bound / (embed * layer * (1 + sqrt(8) * sqrt(8)) * 2), 1, 1e-8);
    network_close(&x);
    pool_close(pool);
}

static void what_weights_say_by_hand(void **state)
{
    by_hand(MODEL_RPE);
    by_hand(MODEL_URPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_tokens_are_near),
        cmocka_unit_test(tokens_are_refused),
        cmocka_unit_test(the_bound_is_that_of_the_definition),
        cmocka_unit_test(what_is_found_is_above_the_bound),
        cmocka_unit_test(networks_are_above_the_bound),
        cmocka_unit_test(networks_are_below_what_weights_say),
        cmocka_unit_test(what_weights_do_not_say),
        cmocka_unit_test(what_weights_say_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

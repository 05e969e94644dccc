/* What `proof` says, beside what is known by other means: explicit weights do what is called possible,
 * and no random network does what is called impossible. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "run/help_run.h"
#include "run/prove.h"
#include "run/witness_cell.h"

static const char *const targets[] = {"position", "gain", "prefix_sum", "mean", "reverse"};
static const char *const encodings[] = {"toeplitz", "none", "alibi", "rope", "t5", "shaw"};
enum { TARGETS = sizeof targets / sizeof *targets, ENCODINGS = sizeof encodings / sizeof *encodings };
enum { N = 6, NETWORKS = 20 };

static struct task small_task(const char *target, const char *encoding, int attention)
{
    struct task t = help_task(target, encoding, attention, N, 2);
    t.space.share[PATTERN_IDENTICAL] = 0.5;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    t.model.heads = 2, t.model.width = 16, t.model.ffn = 16;
    t.evaluate.samples = 16;
    return t;
}

static void prove(struct evaluation *ev, struct pool *pool)
{
    struct err e = {0};
    if (prove_possible(ev, pool, NULL, &e))
        fail_msg("%s: %s", e.where, e.msg);
}

static bool is_proof(const struct evaluation *ev, int subset, const char *proof)
{
    struct record r;
    evaluation_floors(ev, subset, &r);
    return strcmp(r.proof, proof) == 0;
}

/* ---- what networks say ------------------------------------------------------------------------*/
/* Weights of which none is special, of growing size. */
static void draw(struct network *x, struct stream *random, double size)
{
    const struct model *m = x->api->model(x->trainer);
    double *p = x->api->parameters(x->trainer);
    for (size_t k = 0; k < m->tensors.elements; k++)
        p[k] += size * gsl_ran_gaussian(stream_rng(random), 1);
}

/* Networks of the class stay above the floor, which is above the tolerance, in double: their leak is
 * nothing beside it. */
static void stay_impossible(const struct task *t, struct evaluation *ev, struct pool *pool)
{
    struct task own = *t;
    struct record figures[SUBSETS_MAX];
    struct network x;
    struct stream random;
    own.model.precision = MODEL_DOUBLE;
    assert_int_equal(network_open(&x, &own, pool, NULL), 0);
    stream_open(&random, 1, "test", 0);
    for (int k = 0; k < NETWORKS; k++) {
        draw(&x, &random, 0.1);
        assert_int_equal(evaluation_measure(ev, network_predictor(&x), figures, NULL), 0);
        for (int s = 0; s < evaluation_subsets(ev); s++) {
            if (!is_proof(ev, s, "impossible"))
                continue;
            assert_string_equal(figures[s].verdict, "impossible");
            assert_true(figures[s].error_rms >= figures[s].floor_rms - figures[s].leak_rms - 1e-12);
        }
    }
    network_close(&x);
}

struct counts {
    int possible, impossible, open, confirmed;
};

/* Where weights are known that do it, networks must have shown it, and nothing is called impossible. */
static void agree_with_weights(struct evaluation *ev, struct pool *pool, struct counts *n)
{
    struct record witness[SUBSETS_MAX];
    assert_int_equal(witness_measure(pool, ev, witness, NULL), 0);
    for (int s = 0; s < evaluation_subsets(ev); s++) {
        bool possible = is_proof(ev, s, "possible");
        n->possible += possible;
        n->impossible += is_proof(ev, s, "impossible");
        n->open += is_proof(ev, s, "open");
        if (strcmp(witness[s].witness, "known") != 0 || !(witness[s].error_rms < 1e-3))
            continue;
        assert_true(possible);
        n->confirmed++;
    }
}

static void look(const char *target, const char *encoding, int attention, struct pool *pool,
                 struct counts *n)
{
    struct task t = small_task(target, encoding, attention);
    struct evaluation *ev = help_evaluation(&t);
    prove(ev, pool);
    agree_with_weights(ev, pool, n);
    stay_impossible(&t, ev, pool);
    evaluation_close(ev);
}

/* On generic inputs every class here can, since nothing merges but for `none` and ALiBi, whose pairs
 * then have a floor or are apart; so nothing is left open. */
static void proofs_agree_with_what_is_known(void **state)
{
    struct pool *pool;
    struct counts n = {0};
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    for (int k = 0; k < TARGETS; k++)
        for (int m = 0; m < ENCODINGS; m++) {
            look(targets[k], encodings[m], MODEL_RPE, pool, &n);
            look(targets[k], encodings[m], MODEL_URPE, pool, &n);
        }
    pool_close(pool);
    assert_true(n.possible > 60 && n.impossible > 10 && n.confirmed > 30);
    assert_int_equal(n.open, 0);
}

/* Without networks nothing is shown; nor where they would take more than training and budget do. */
static void nothing_is_claimed_unasked(void **state)
{
    struct pool *pool;
    struct pass_set set = {N, 16, false};
    struct pass_price price, together;
    struct task t = small_task("reverse", "toeplitz", MODEL_URPE);
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    t.evaluate.networks = 0;
    struct evaluation *ev = help_evaluation(&t);
    prove(ev, pool);
    assert_true(is_proof(ev, 0, "open"));
    evaluation_close(ev);
    t.evaluate.networks = 6;
    assert_int_equal(prove_price(&t, 1, &set, &price, &together, NULL), 0);
    assert_true(price.flops > 0 && together.flops == price.flops);
    struct pass_price first = price, last;
    t.evaluate.networks = 1; /* one is as deep as the first, and another as the last of six */
    assert_int_equal(prove_price(&t, 1, &set, &last, &together, NULL), 0);
    assert_true(last.flops == first.flops && last.bytes < first.bytes);
    t.model.layers = 3 + 5;
    assert_int_equal(prove_price(&t, 1, &set, &last, &together, NULL), 0);
    assert_true(last.flops > first.flops && last.bytes == first.bytes && together.bytes == first.bytes);
    t.evaluate.networks = 6;
    t.train.steps = 0;
    set.samples = 100000000;
    assert_int_equal(prove_price(&t, 1, &set, &price, &together, NULL), 0);
    assert_true(price.flops == 0 && together.flops == 0);
    pool_close(pool);
}

/* A floor that is not 0 but below the tolerance bounds, and a network that reaches it shows it. */
static void small_floors_bound(void **state)
{
    struct task t = small_task("gain", "toeplitz", MODEL_RPE);
    t.evaluate.tolerance = 1;
    struct evaluation *ev = help_evaluation(&t);
    assert_true(is_proof(ev, 0, "bounded"));
    evaluation_close(ev);
}

/* A bias that is 0 whatever its formula speaks of: nothing merges, and no network tells the halves of a
 * palindrome apart, or equal tokens behind a first one, where there are too many pairs to look at. */
static void what_no_network_tells_apart_stays_open(void **state)
{
    static const char *const space[] = {"length: 6, inputs: {palindrome: 1}", "length: 200, inputs: {first: 1}"};
    struct pool *pool;
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    for (int k = 0; k < 2; k++) {
        char text[512];
        snprintf(text, sizeof text, "space: {channels: 2, %s}\ntarget: position\nevaluate: {samples: 16}\n"
                 "model: {attention: rpe, heads: 2, width: 16, encoding: {kind: formula, "
                 "bias: 'a[h] * d * 0', parameters: {a: 1}}}\n", space[k]);
        struct spec *s = help_spec(text);
        struct evaluation *ev = help_evaluation(&spec_cell(s, 0)->task);
        prove(ev, pool);
        assert_true(is_proof(ev, 0, "open"));
        evaluation_close(ev);
        spec_close(s);
    }
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_agree_with_what_is_known),
        cmocka_unit_test(nothing_is_claimed_unasked),
        cmocka_unit_test(small_floors_bound),
        cmocka_unit_test(what_no_network_tells_apart_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a floor says of floats.  In exact arithmetic error >= floor; floats tell merged pairs apart by
 * rounding, and a network can be built that reads the rounding: its error is 0 where the floor is 1.
 * Of every network, whatever its arithmetic, error >= floor - leak holds. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "kernel/kernel.h"
#include "run/help_run.h"

enum { N = 16, HEADS = 8, HEAD_WIDTH = 4, WIDTH = HEADS * HEAD_WIDTH, FFN = 32 };
enum { CODE = WIDTH - 1, ANSWER = WIDTH - 2 }; /* channels of the stream that no head writes */

/* ---- weights by name --------------------------------------------------------------------------*/
struct weights {
    struct network network;
    struct pool *pool;
    bool real;  /* float, else double */
    void *block;
    const struct tensor_list *list;
};

static void open_weights(struct weights *w, const struct task *t)
{
    struct err e = {0};
    if (pool_open(&w->pool, 1, &e) || network_open(&w->network, t, w->pool, &e))
        fail_msg("%s: %s", e.where, e.msg);
    w->real = t->model.precision == MODEL_FLOAT;
    w->block = w->network.api->parameters(w->network.trainer);
    w->list = &w->network.api->model(w->network.trainer)->tensors;
}

static void close_weights(struct weights *w)
{
    network_close(&w->network);
    pool_close(w->pool);
}

static void put(struct weights *w, size_t at, double value)
{
    if (w->real)
        ((float *)w->block)[at] = (float)value;
    else
        ((double *)w->block)[at] = value;
}

/* Row and column of a matrix (out,in), or column 0 of a vector. */
static void set(struct weights *w, const char *name, int row, int column, double value)
{
    const struct tensor *t = tensor_list_find(w->list, name);
    assert_non_null(t);
    size_t columns = t->rank > 1 ? (size_t)t->shape[1] : 1;
    assert_true((size_t)row * columns + (size_t)column < t->count);
    put(w, t->offset + (size_t)row * columns + (size_t)column, value);
}

static void clear(struct weights *w)
{
    for (size_t k = 0; k < w->list->elements; k++)
        put(w, k, 0);
}

static void fill_normal(struct weights *w, const char *name, double deviation, uint64_t seed)
{
    const struct tensor *t = tensor_list_find(w->list, name);
    struct stream random;
    assert_non_null(t);
    stream_open(&random, seed, "test", 0);
    for (size_t k = 0; k < t->count; k++)
        put(w, t->offset + k, gsl_ran_gaussian(stream_rng(&random), deviation));
}

static void measure_weights(struct weights *w, const struct task *t, struct record *r,
                            double *output)
{
    struct evaluation *ev;
    struct err e = {0};
    struct record figures[SUBSETS_MAX];
    if (evaluation_open(&ev, t, (int)t->space.length, &e) ||
        evaluation_measure(ev, network_predictor(&w->network), figures, &e))
        fail_msg("%s: %s", e.where, e.msg);
    *r = figures[0];
    if (output)
        memcpy(output, evaluation_outputs(ev), (size_t)t->space.length * (size_t)t->space.channels *
                                                   sizeof *output);
    evaluation_close(ev);
}

/* ---- the network that reads its rounding ------------------------------------------------------*/
static struct task rounding_task(int precision)
{
    struct task t = help_task("position", "toeplitz", MODEL_RPE, N, HEADS);
    t.space.share[PATTERN_IDENTICAL] = 1;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    t.evaluate.samples = 4;
    t.model.precision = precision;
    t.model.norm = MODEL_NORM_NONE;
    t.model.activation = ACTIVATION_RELU;
    t.model.heads = HEADS, t.model.width = WIDTH, t.model.ffn = FFN;
    return t;
}

/* Layer 1: logits are B alone, and every value of head h is a constant, so its output is that constant
 * times a sum of weights which is 1 up to rounding: by B, another rounding in each row.  Channel h of
 * the stream gets it, and output h shows it. */
static void write_sums(struct weights *w, uint64_t seed)
{
    clear(w);
    fill_normal(w, "encoding.bias", 2, seed);
    for (int h = 0; h < HEADS; h++) {
        set(w, "layers.0.attn.v.bias", h * HEAD_WIDTH, 0, 0.55 + 0.05 * h);
        set(w, "layers.0.attn.o.weight", h, h * HEAD_WIDTH, 1);
        set(w, "head.weight", h, h, 1);
    }
}

/* The first FFN: unit h is the residue of head h in units of the last place, a small whole number, and
 * channel CODE is the sum of these with whole weights.  The second writes y as a piecewise linear
 * function of the code, which each output then shows. */
static void write_decoder(struct weights *w, const double *least, const double *factor,
                          const double *code, const int *order)
{
    double scale = w->real ? 0x1p24 : 0x1p53, slope = 0;
    for (int h = 0; h < HEADS; h++) {
        set(w, "layers.0.ffn.in.weight", h, h, scale);
        set(w, "layers.0.ffn.in.bias", h, 0, -scale * least[h]);
        set(w, "layers.0.ffn.out.weight", CODE, h, factor[h]);
        set(w, "head.weight", h, h, 0);
        set(w, "head.weight", h, ANSWER, 1);
    }
    for (int k = 0; k + 1 < N; k++) {
        double from = code[order[k]], to = code[order[k + 1]];
        double next = (order[k + 1] - order[k]) / (N * (to - from));
        set(w, "layers.1.ffn.in.weight", k, CODE, 1);
        set(w, "layers.1.ffn.in.bias", k, 0, -from);
        set(w, "layers.1.ffn.out.weight", ANSWER, k, next - slope);
        slope = next;
    }
    set(w, "layers.1.ffn.out.bias", ANSWER, 0, (order[0] + 1.0) / N);
}

/* Whole factors for which the codes of all positions differ; order sorts them. */
static bool find_codes(double residue[N][HEADS], double factor[HEADS], double code[N],
                       int order[N])
{
    struct stream random;
    stream_open(&random, 1, "test", 0);
    for (int attempt = 0; attempt < 10000; attempt++) {
        bool distinct = true;
        for (int h = 0; h < HEADS; h++)
            factor[h] = (double)stream_below(&random, 15) - 7;
        for (int i = 0; i < N; i++) {
            int at = i;
            code[i] = 0;
            for (int h = 0; h < HEADS; h++)
                code[i] += factor[h] * residue[i][h];
            for (; at > 0 && code[order[at - 1]] > code[i]; at--)
                order[at] = order[at - 1];
            order[at] = i;
        }
        for (int k = 0; k + 1 < N; k++)
            distinct &= code[order[k]] < code[order[k + 1]];
        if (distinct)
            return true;
    }
    return false;
}

/* Whether B of this seed rounds differently in all rows; if so the decoder is there. */
static bool build(struct weights *w, const struct task *t, uint64_t seed)
{
    double sum[N][HEADS], residue[N][HEADS], least[HEADS], factor[HEADS], code[N];
    double scale = w->real ? 0x1p24 : 0x1p53;
    int order[N];
    struct record r;
    write_sums(w, seed);
    measure_weights(w, t, &r, &sum[0][0]);
    assert_true(r.leak_sup < (w->real ? 1e-5 : 1e-14));
    for (int h = 0; h < HEADS; h++) {
        least[h] = INFINITY;
        for (int i = 0; i < N; i++)
            least[h] = fmin(least[h], sum[i][h]);
        for (int i = 0; i < N; i++)
            residue[i][h] = scale * (sum[i][h] - least[h]);
    }
    if (!find_codes(residue, factor, code, order))
        return false;
    write_decoder(w, least, factor, code, order);
    return true;
}

static void check_inequality(const struct record *r)
{
    double slack = 1e-12 * (1 + r->error_sup);
    assert_true(r->error_rms >= r->floor_rms - r->leak_rms - slack);
    assert_true(r->error_sup >= r->floor_sup - r->leak_sup - slack);
}

static void rounding_can_be_read(void **unused)
{
    for (int precision = MODEL_FLOAT; precision <= MODEL_DOUBLE; precision++) {
        struct task t = rounding_task(precision);
        struct weights w;
        struct record r;
        open_weights(&w, &t);
        uint64_t seed = 0;
        while (seed < 50 && !build(&w, &t, seed))
            seed++;
        assert_true(seed < 50);
        measure_weights(&w, &t, &r, NULL);
        assert_float_equal(r.floor_rel, 1, 1e-12);
        assert_true(r.error_rel < (precision == MODEL_FLOAT ? 1e-5 : 1e-13));
        assert_string_equal(r.verdict, "by-rounding");
        assert_float_equal(r.leak_rms, r.floor_rms, 1e-5);
        assert_float_equal(r.leak_sup, r.floor_sup, 1e-5);
        check_inequality(&r);
        close_weights(&w);
    }
}

/* ---- random networks --------------------------------------------------------------------------*/
/* Every weight +-2^u, u uniform between -4 and a limit of the network's own, at most 24. */
static void fill_wild(struct weights *w, uint64_t seed)
{
    struct stream random;
    stream_open(&random, seed, "test", 1);
    double limit = 28 * stream_uniform24(&random);
    for (size_t k = 0; k < w->list->elements; k++) {
        double size = exp2(limit * stream_uniform24(&random) - 4);
        put(w, k, stream_below(&random, 2) ? size : -size);
    }
}

static struct task wild_task(const char *target, int seed)
{
    struct task t = help_task(target, "toeplitz", MODEL_RPE, 7, 2);
    t.space.share[PATTERN_IDENTICAL] = 0.5;
    t.space.share[PATTERN_PALINDROME] = 0.25;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    t.evaluate.samples = 8;
    t.evaluate.tolerance = 0.01;
    t.model.precision = seed & 1 ? MODEL_DOUBLE : MODEL_FLOAT;
    t.model.norm = seed & 2 ? MODEL_NORM_NONE : MODEL_NORM_PRE;
    t.model.activation = seed & 4 ? ACTIVATION_RELU : ACTIVATION_GELU;
    t.model.layers = 1 + seed % 3;
    t.model.heads = 2, t.model.width = 8, t.model.ffn = 16;
    return t;
}

static void random_networks_leak_no_more_than_they_say(void **unused)
{
    int finite[2] = {0}, leaking[2] = {0};
    for (int seed = 0; seed < 520; seed++) {
        struct task t = wild_task("gain", seed);
        struct weights w;
        struct record r;
        open_weights(&w, &t);
        fill_wild(&w, (uint64_t)seed);
        measure_weights(&w, &t, &r, NULL);
        close_weights(&w);
        if (!isfinite(r.error_rms) || !isfinite(r.leak_rms))
            continue;
        finite[t.model.precision]++;
        leaking[t.model.precision] += r.leak_rms > 0.1 * r.floor_rms;
        assert_true(r.floor_rms > 0.05);
        check_inequality(&r);
    }
    for (int k = MODEL_FLOAT; k <= MODEL_DOUBLE; k++) {
        print_message("%s: %d networks, %d leak\n", k ? "double" : "float", finite[k], leaking[k]);
        assert_true(finite[k] >= 200);
        assert_true(leaking[k] >= 20); /* merged pairs do get different outputs */
    }
}

static void random_networks_of_labels_too(void **unused)
{
    int finite = 0;
    for (int seed = 0; seed < 100; seed++) {
        struct task t = wild_task("pi", seed);
        struct weights w;
        struct record r;
        open_weights(&w, &t);
        fill_wild(&w, (uint64_t)seed);
        measure_weights(&w, &t, &r, NULL);
        close_weights(&w);
        assert_true(r.accuracy_grouped <= r.accuracy_ceiling);
        if (!isfinite(r.cross_entropy) || !isfinite(r.leak_sup))
            continue;
        finite++;
        assert_true(r.cross_entropy >= r.cross_entropy_floor - 2 * r.leak_sup - 1e-9);
    }
    assert_true(finite >= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_can_be_read),
        cmocka_unit_test(random_networks_leak_no_more_than_they_say),
        cmocka_unit_test(random_networks_of_labels_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Fused attention: every variant against the plain twin.
 *
 * Tolerance.  A logit is a sum of d products of numbers below 1 times 1/sqrt(d), in two different
 * orders: its error is at most about sqrt(d) eps, and the same again where the variant works in
 * units of ln 2 or recomputes from lse.  A probability changes by as much relative to itself, and
 * everything else is a sum of at most n terms of known weight, so errors are measured against the
 * largest element of the array and allowed 8 (sqrt(d) + 8) eps. */
#include "kernel/help_kernel.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* One problem: inputs, and room for what one implementation computes from them. */
struct problem {
    struct attention_shape shape;
    struct buffer q, k, v, bias, c, dout; /* q, k, v share rows of the width `stride` */
    struct buffer offset, factor;
    int32_t *relation;
    uint8_t *hidden;
    bool has_bias, has_c;
};

struct answer {
    struct buffer o, lse, dq, dk, dv, dbias, dc, scratch;
};

enum { RELATIONS_GRID = 23 };

static int32_t *random_relation(int n)
{
    struct err e = {0};
    struct stream s;
    int32_t *r = memory_alloc((size_t)n * (size_t)n, sizeof *r, &e);
    assert_non_null(r);
    stream_open(&s, 9, "relation", (uint64_t)n);
    for (int k = 0; k < n * n; k++)
        r[k] = (int32_t)stream_below(&s, RELATIONS_GRID);
    return r;
}

/* What a query sees. */
enum sees { SEES_ALL, SEES_PAST, SEES_STRICT_PAST, SEES_WINDOW, SEES_AHEAD, SEES_HOLES, SEES_COUNT };

static void choose_seen(struct attention_shape *shape, uint8_t *hidden, enum sees sees)
{
    static const int low[SEES_COUNT] = {[SEES_WINDOW] = -3, [SEES_AHEAD] = 2};
    static const int high[SEES_COUNT] = {[SEES_STRICT_PAST] = -1, [SEES_WINDOW] = 1, [SEES_AHEAD] = 18};
    bool bounded = sees == SEES_WINDOW || sees == SEES_AHEAD;
    shape->low = bounded ? low[sees] : -shape->n;
    shape->high = sees == SEES_ALL || sees == SEES_HOLES ? shape->n : high[sees];
    for (int r = 0; r < shape->relations; r++)
        hidden[r] = r % 3 == 1;
    shape->hidden = sees == SEES_HOLES ? hidden : NULL;
}

static struct problem problem_open(int n, int d, enum sees sees, bool table, bool bias, bool c)
{
    struct err e = {0};
    struct problem p = {.has_bias = bias, .has_c = c};
    p.shape = (struct attention_shape){.n = n,
                                       .head_width = d,
                                       .scale = (real)(1 / sqrt((double)d)),
                                       .stride = d + 3,
                                       .output_stride = d + 1,
                                       .relations = table ? RELATIONS_GRID : 2 * n + 5,
                                       .origin = n + 1};
    p.relation = table ? random_relation(n) : NULL;
    p.shape.relation = p.relation;
    size_t in = (size_t)n * (size_t)p.shape.stride, out = (size_t)n * (size_t)p.shape.output_stride;
    p.q = buffer_random(in, 1, 1);
    p.k = buffer_random(in, 2, 1);
    p.v = buffer_random(in, 3, 1);
    p.dout = buffer_random(out, 4, 1);
    p.bias = buffer_random((size_t)p.shape.relations, 5, 1);
    p.c = buffer_random((size_t)p.shape.relations, 6, 2);
    p.offset = buffer_random((size_t)n, 10, 1);
    p.factor = buffer_random((size_t)n, 11, 1);
    p.hidden = memory_alloc((size_t)p.shape.relations, 1, &e);
    assert_non_null(p.hidden);
    choose_seen(&p.shape, p.hidden, sees);
    return p;
}

static void problem_close(struct problem *p)
{
    buffer_close(&p->q);
    buffer_close(&p->k);
    buffer_close(&p->v);
    buffer_close(&p->dout);
    buffer_close(&p->bias);
    buffer_close(&p->c);
    buffer_close(&p->offset);
    buffer_close(&p->factor);
    memory_free(p->relation);
    memory_free(p->hidden);
}

static struct answer answer_open(const struct problem *p)
{
    struct answer a;
    size_t in = p->q.count;
    a.o = buffer_open(p->dout.count);
    a.lse = buffer_open((size_t)p->shape.n);
    a.dq = buffer_open(in);
    a.dk = buffer_open(in);
    a.dv = buffer_open(in);
    a.dbias = buffer_random(p->bias.count, 7, 1); /* accumulated, so not empty */
    a.dc = buffer_random(p->bias.count, 8, 1);
    a.scratch = buffer_open(attention_scratch(&p->shape));
    return a;
}

static void answer_close(struct answer *a)
{
    buffer_close(&a->o);
    buffer_close(&a->lse);
    buffer_close(&a->dq);
    buffer_close(&a->dk);
    buffer_close(&a->dv);
    buffer_close(&a->dbias);
    buffer_close(&a->dc);
    buffer_close(&a->scratch);
}

static struct answer solve(const struct problem *p, bool plain)
{
    struct answer a = answer_open(p);
    const struct attention_shape *s = &p->shape;
    const real *bias = p->has_bias ? p->bias.x : NULL, *c = p->has_c ? p->c.x : NULL;
    real *dbias = p->has_bias ? a.dbias.x : NULL, *dc = p->has_c ? a.dc.x : NULL;
    const struct kernel_table *table = plain ? &kernel_plain : kernel();
    table->attention_forward(s, p->q.x, p->k.x, p->v.x, bias, c, a.o.x, a.lse.x, a.scratch.x);
    buffer_fill(&a.scratch, (real)NAN); /* nothing may be passed on through scratch */
    table->attention_backward(s, p->q.x, p->k.x, p->v.x, bias, c, a.o.x, a.lse.x, p->dout.x,
                              a.dq.x, a.dk.x, a.dv.x, dbias, dc, a.scratch.x);
    return a;
}

static void compare(const char *what, const struct buffer *got, const struct buffer *want,
                    double tolerance)
{
    check_close(what, got->count, got->x, want->x, tolerance);
}

/* All of them; lse: its own tolerance. */
static void compare_answers(const struct answer *got, const struct answer *want, double tolerance,
                            double lse)
{
    compare("o", &got->o, &want->o, tolerance);
    compare("lse", &got->lse, &want->lse, lse);
    compare("dq", &got->dq, &want->dq, tolerance);
    compare("dk", &got->dk, &want->dk, tolerance);
    compare("dv", &got->dv, &want->dv, tolerance);
    compare("dbias", &got->dbias, &want->dbias, tolerance);
    compare("dc", &got->dc, &want->dc, tolerance);
}

/* A row that sees nothing has an lse far below any logit, and o = 0. */
static void level_blind_rows(const struct problem *p, struct answer *a)
{
    for (int i = 0; i < p->shape.n; i++)
        if (a->lse.x[i] < -(real)1e29) {
            a->lse.x[i] = 0;
            for (int k = 0; k < p->shape.head_width; k++)
                assert_true(a->o.x[i * p->shape.output_stride + k] == 0);
        }
}

static void check_problem_of(enum attention_form form, int n, int d, enum sees sees, bool table,
                             bool bias, bool c)
{
    struct problem p = problem_open(n, d, sees, table, bias, c);
    p.shape.form = form;
    if (sees != SEES_ALL) { /* both ways */
        p.shape.offset = p.offset.x;
        p.shape.factor = p.factor.x;
    }
    struct answer want = solve(&p, true), got = solve(&p, false);
    double tolerance = 8 * (sqrt((double)d) + 8) * (double)REAL_EPSILON;
    level_blind_rows(&p, &want);
    level_blind_rows(&p, &got);
    compare_answers(&got, &want, tolerance, tolerance);
    answer_close(&want);
    answer_close(&got);
    problem_close(&p);
}

static void check_problem(int n, int d, enum sees sees, bool table, bool bias, bool c)
{
    check_problem_of(ATTENTION_SOFTMAX, n, d, sees, table, bias, c);
}

/* Every combination of form, mask, kind of relation, B and C. */
static void check_all_kinds(int n, int d)
{
    for (int form = 0; form <= ATTENTION_RELU2; form++)
        for (int sees = 0; sees < SEES_COUNT; sees++)
            for (int kind = 0; kind < 8; kind++)
                check_problem_of((enum attention_form)form, n, d, (enum sees)sees, kind & 1, kind & 2,
                                 kind & 4);
}

static void test_lengths(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        for (int k = 0; k < AWKWARD_SIZES; k++)
            check_all_kinds(awkward_sizes[k], 8);
    }
}

static void test_widths(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        for (int k = 0; k < AWKWARD_SIZES; k++)
            check_all_kinds(19, awkward_sizes[k]);
    }
}

static void test_long(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        check_problem(300, 24, SEES_ALL, false, true, true);
        check_problem(300, 24, SEES_PAST, false, true, true);
        check_problem(300, 24, SEES_AHEAD, false, true, true);
    }
}

/* Logits of about +-1e4: probabilities are 0 or 1 and nothing overflows.  The exact size is a whole
 * number of ln 2 whose exponent bits, unchecked, would be those of inf: it shows that lanes without
 * a query stay out of every sum. */
static void test_large_logits(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        struct problem p = problem_open(33, 8, SEES_ALL, false, true, true);
        int powers = sizeof(real) == 4 ? 128 + 28 * 512 : 1024 + 3 * 4096;
        double size = 0.69314718055994530942 * powers;
        for (size_t k = 0; k < p.bias.count; k++)
            p.bias.x[k] = (real)(k % 7 == 0 ? size : -size);
        struct answer want = solve(&p, true), got = solve(&p, false);
        /* A logit of 1e4 is known to 1e4 eps, so probabilities are known to 2e4 eps. */
        double tolerance = 6e4 * (double)REAL_EPSILON;
        compare_answers(&got, &want, tolerance, 8 * (double)REAL_EPSILON);
        answer_close(&want);
        answer_close(&got);
        problem_close(&p);
    }
}

/* C = 1 is the plain form, bit by bit. */
static void test_ones(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        struct problem p = problem_open(37, 12, SEES_ALL, false, true, false);
        buffer_fill(&p.c, 1);
        struct answer rpe = solve(&p, false);
        p.has_c = true;
        struct answer urpe = solve(&p, false);
        assert_memory_equal(rpe.lse.x, urpe.lse.x, rpe.lse.count * sizeof(real));
        for (int i = 0; i < p.shape.n; i++)
            for (int k = 0; k < p.shape.head_width; k++) {
                int at = i * p.shape.output_stride + k;
                assert_true(rpe.o.x[at] == urpe.o.x[at]);
            }
        p.c.x[p.shape.origin] = 2;
        struct answer other = solve(&p, false);
        assert_true(other.o.x[0] != rpe.o.x[0]);
        answer_close(&rpe);
        answer_close(&urpe);
        answer_close(&other);
        problem_close(&p);
    }
}

/* A NaN anywhere among the inputs reaches every output that depends on it. */
static void test_nan_is_seen(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        for (int input = 0; input < 5; input++) {
            struct problem p = problem_open(19, 8, SEES_ALL, false, true, true);
            struct buffer *in[] = {&p.q, &p.k, &p.v, &p.bias, &p.c};
            in[input]->x[input < 3 ? 0 : p.shape.origin] = (real)NAN;
            struct answer want = solve(&p, true), got = solve(&p, false);
            for (int i = 0; i < p.shape.n; i++) {
                size_t at = (size_t)(i * p.shape.output_stride);
                if (isnan(want.o.x[at]))
                    assert_true(isnan(got.o.x[at]));
            }
            assert_true(isnan(got.o.x[0]));
            assert_true(isnan(got.dq.x[0]) || input == 2);
            answer_close(&want);
            answer_close(&got);
            problem_close(&p);
        }
    }
}

/* The same call twice, with scratch at another alignment, gives the same bits. */
static void test_repeats(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        struct problem p = problem_open(45, 16, SEES_PAST, false, true, true);
        struct answer a = solve(&p, false), b = answer_open(&p);
        struct buffer scratch = buffer_open(attention_scratch(&p.shape) + 3);
        kernel()->attention_forward(&p.shape, p.q.x, p.k.x, p.v.x, p.bias.x, p.c.x, b.o.x, b.lse.x,
                                    scratch.x + 3);
        kernel()->attention_backward(&p.shape, p.q.x, p.k.x, p.v.x, p.bias.x, p.c.x, b.o.x, b.lse.x,
                                     p.dout.x, b.dq.x, b.dk.x, b.dv.x, b.dbias.x, b.dc.x,
                                     scratch.x + 3);
        for (int i = 0; i < p.shape.n; i++) {
            size_t row = (size_t)p.shape.head_width * sizeof(real);
            ptrdiff_t in = (ptrdiff_t)i * p.shape.stride;
            ptrdiff_t out = (ptrdiff_t)i * p.shape.output_stride;
            assert_memory_equal(a.o.x + out, b.o.x + out, row);
            assert_memory_equal(a.dq.x + in, b.dq.x + in, row);
            assert_memory_equal(a.dk.x + in, b.dk.x + in, row);
            assert_memory_equal(a.dv.x + in, b.dv.x + in, row);
        }
        assert_memory_equal(a.dbias.x, b.dbias.x, a.dbias.count * sizeof(real));
        assert_memory_equal(a.dc.x, b.dc.x, a.dc.count * sizeof(real));
        buffer_close(&scratch);
        answer_close(&a);
        answer_close(&b);
        problem_close(&p);
    }
}

/* Scratch is linear in n: from 1024 to 8192 it grows by at most the same factor. */
static void test_scratch_is_linear(void **state)
{
    struct attention_shape small = {.n = 1024, .head_width = 16}, large = small;
    large.n = 8192;
    assert_true(attention_scratch(&large) <= 8 * attention_scratch(&small));
    assert_true(attention_scratch(&large) > 4 * attention_scratch(&small));
    for (int n = 1; n <= 16384; n *= 2) {
        assert_in_range(attention_block_rows(n), 1, n);
        assert_true((size_t)attention_block_rows(n) * (size_t)n <= 131072);
    }
}

/* Two samples of one head, in calls that share tables and sums, as two calls of their own do. */
static void test_calls_that_follow(void **state)
{
    struct err e = {0};
    for (const char *const *name = variants(); *name; name++) {
        assert_int_equal(kernel_force(*name, &e), 0);
        for (int form = ATTENTION_SOFTMAX; form <= ATTENTION_RELU; form++) {
            struct problem p = problem_open(37, 8, SEES_HOLES, false, true, true);
            p.shape.form = (enum attention_form)form;
            struct answer apart = solve(&p, false), one = answer_open(&p);
            struct buffer dbias = buffer_copy(&one.dbias), dc = buffer_copy(&one.dc);
            for (size_t k = 0; k < dbias.count; k++) { /* twice what one call adds */
                dbias.x[k] = 2 * apart.dbias.x[k] - one.dbias.x[k];
                dc.x[k] = 2 * apart.dc.x[k] - one.dc.x[k];
            }
            for (int call = 0; call < 2; call++) {
                p.shape.follows = call == 1;
                kernel()->attention_forward(&p.shape, p.q.x, p.k.x, p.v.x, p.bias.x, p.c.x, one.o.x,
                                            one.lse.x, one.scratch.x);
            }
            for (int call = 0; call < 2; call++) {
                p.shape.follows = call == 1;
                p.shape.continues = call == 0;
                kernel()->attention_backward(&p.shape, p.q.x, p.k.x, p.v.x, p.bias.x, p.c.x, one.o.x,
                                             one.lse.x, p.dout.x, one.dq.x, one.dk.x, one.dv.x,
                                             one.dbias.x, one.dc.x, one.scratch.x);
            }
            double tolerance = 100 * (double)REAL_EPSILON;
            compare("o", &one.o, &apart.o, tolerance);
            compare("dq", &one.dq, &apart.dq, tolerance);
            compare("dk", &one.dk, &apart.dk, tolerance);
            compare("dbias", &one.dbias, &dbias, tolerance);
            compare("dc", &one.dc, &dc, tolerance);
            buffer_close(&dbias);
            buffer_close(&dc);
            answer_close(&apart);
            answer_close(&one);
            problem_close(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_widths),
        cmocka_unit_test(test_long),        cmocka_unit_test(test_large_logits),
        cmocka_unit_test(test_ones),        cmocka_unit_test(test_nan_is_seen),
        cmocka_unit_test(test_repeats),     cmocka_unit_test(test_scratch_is_linear),
        cmocka_unit_test(test_calls_that_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Each encoding's hooks against its formula, written entry by entry and without regard to cost,
 * from the papers' notation and not from the hooks.  A new encoding needs a row in `formulas` here
 * to be checked against its paper; the contract of test_contract.c it gets without. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "help_rig.h"
#include "kernel/kernel.h"

/* ---- notation ---------------------------------------------------------------------------------*/
static double q(const struct rig *g, int h, int i, int t)
{
    return (double)g->q[i * g->stride + h * g->shape.head_width + t];
}
static double k(const struct rig *g, int h, int j, int t)
{
    return (double)g->k[j * g->stride + h * g->shape.head_width + t];
}
static double at(const struct rig *g, const char *name, int index)
{
    return (double)rig_parameter(g, name)[index];
}
static double root(const struct rig *g)
{
    return sqrt(g->shape.head_width);
}
static int clip(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}
static double content(const struct rig *g, int h, int i, int j)
{
    double sum = 0;
    for (int t = 0; t < g->shape.head_width; t++)
        sum += q(g, h, i, t) * k(g, h, j, t);
    return sum;
}
static double distance(const struct rig *g, int i, int j)
{
    double d = g->layout.distance[layout_relation(&g->layout, i, j)];
    return d < 0 ? g->layout.n - 1 : d; /* the graph of the tests: 1 + its longest path, n - 2 */
}
static double plain(const struct rig *g, int h, int i, int j)
{
    return content(g, h, i, j) / root(g);
}

/* ---- biases -----------------------------------------------------------------------------------*/
static double toeplitz(const struct rig *g, int h, int i, int j)
{
    int rows = g->trained.relations, r = layout_relation(&g->layout, i, j);
    if (!g->layout.relation)
        r = clip(j - i, -g->trained.origin, g->trained.origin) + g->trained.n - 1;
    return plain(g, h, i, j) + at(g, "bias", h * rows + r);
}

/* As in T5's relative_position_bucket, whose relative_position is j - i. */
static int t5_bucket(int relative_position, bool bidirectional, int num_buckets, int max_distance)
{
    int ret = 0, n = -relative_position;
    if (bidirectional) {
        num_buckets /= 2;
        ret += n < 0 ? num_buckets : 0;
        n = abs(n);
    } else {
        n = n > 0 ? n : 0;
    }
    int max_exact = num_buckets / 2;
    if (n < max_exact)
        return ret + n;
    double share = log((double)n / max_exact) / log((double)max_distance / max_exact);
    int large = max_exact + (int)(share * (num_buckets - max_exact));
    return ret + (large < num_buckets - 1 ? large : num_buckets - 1);
}

static double t5(const struct rig *g, int h, int i, int j)
{
    int buckets = (int)rig_option(g, "buckets");
    int b = t5_bucket(j - i, !g->shape.past, buckets, (int)rig_option(g, "max_distance"));
    return plain(g, h, i, j) + at(g, "bias", h * buckets + b);
}

static double alibi(const struct rig *g, int h, int i, int j)
{
    static const double three[] = {0.0625, 0.00390625, 0.25}; /* H = 3: 2^-4, 2^-8, 2^-2 */
    bool learned = rig_option(g, "slopes") != 0;
    double slope = learned ? at(g, "slope", h) : g->shape.heads == 3 ? three[h] : three[h % 2];
    return plain(g, h, i, j) - slope * distance(g, i, j);
}

static double kerple_log(const struct rig *g, int h, int i, int j)
{
    double a = fmax(at(g, "a", h), .01), p = fmax(at(g, "p", h), .01);
    return plain(g, h, i, j) - p * log(1 + a * distance(g, i, j));
}

static double kerple_power(const struct rig *g, int h, int i, int j)
{
    double a = fmax(at(g, "a", h), .01), p = fmin(fmax(at(g, "p", h), .01), 2);
    return plain(g, h, i, j) - a * pow(distance(g, i, j), p);
}

static double sandwich(const struct rig *g, int h, int i, int j)
{
    int d = rig_option(g, "dimension") > 0 ? (int)rig_option(g, "dimension") : g->shape.head_width;
    double sum = -d / 2;
    for (int t = 1; t <= d / 2; t++)
        sum += cos((j - i) / pow(10000, 2.0 * t / d));
    return plain(g, h, i, j) + sum / (8.0 * (h + 1) / g->shape.heads);
}

static double psi(const struct rig *g, double x)
{
    return log(fabs(at(g, "c", 0) * x) + 1);
}

static double fire(const struct rig *g, int h, int i, int j)
{
    double limit = fabs(at(g, "l", 0)), row = g->shape.past ? i : g->layout.n - 1;
    double x = psi(g, abs(i - j)) / (psi(g, limit > row ? limit : row) + 1e-6);
    double b = at(g, "out.bias", h);
    for (int u = 0; u < 32; u++)
        b += at(g, "out.weight", h * 32 + u) *
             fmax(0, at(g, "in.weight", u) * x + at(g, "in.bias", u));
    return plain(g, h, i, j) + b;
}

/* ---- products with the content ----------------------------------------------------------------*/
static double shaw(const struct rig *g, int h, int i, int j)
{
    int limit = (int)rig_option(g, "k"), r = clip(j - i, -limit, limit) + limit;
    double sum = content(g, h, i, j);
    for (int t = 0; t < g->shape.head_width; t++)
        sum += q(g, h, i, t) * at(g, "key", r * g->shape.head_width + t);
    return sum / root(g);
}

static double transformer_xl(const struct rig *g, int h, int i, int j)
{
    int d = g->shape.width, dh = g->shape.head_width;
    double sum = 0;
    for (int t = 0; t < dh; t++) {
        double projected = 0;
        for (int m = 0; m < d; m++) {
            double angle = (i - j) / pow(10000, 2.0 * (m % (d / 2)) / d);
            double wave = m < d / 2 ? sin(angle) : cos(angle);
            projected += at(g, "r.weight", (h * dh + t) * d + m) * wave;
        }
        sum += (q(g, h, i, t) + at(g, "u", h * dh + t)) * k(g, h, j, t);
        sum += (q(g, h, i, t) + at(g, "v", h * dh + t)) * projected;
    }
    return sum / root(g);
}

static double projected(const struct rig *g, const char *weight, const char *bias, int row,
                        int channel)
{
    int d = g->shape.width;
    double sum = at(g, bias, channel);
    for (int m = 0; m < d; m++)
        sum += at(g, "position", row * d + m) * at(g, weight, channel * d + m);
    return sum;
}

static double deberta(const struct rig *g, int h, int i, int j)
{
    int limit = (int)rig_option(g, "k"), dh = g->shape.head_width;
    int ij = clip(i - j + limit, 0, 2 * limit - 1), ji = clip(j - i + limit, 0, 2 * limit - 1);
    double sum = content(g, h, i, j);
    for (int t = 0; t < dh; t++) {
        sum += q(g, h, i, t) * projected(g, "key.weight", "key.bias", ij, h * dh + t);
        sum += k(g, h, j, t) * projected(g, "query.weight", "query.bias",
                                         rig_option(g, "gather") != 0 ? ij : ji, h * dh + t);
    }
    return sum / sqrt(3.0 * dh);
}

/* p_i U, channel `channel`, from scratch. */
static double tupe_projection(const struct rig *g, const char *weight, int i, int channel)
{
    int d = g->shape.width;
    double mean = 0, variance = 0, sum = 0;
    for (int m = 0; m < d; m++)
        mean += at(g, "position", i * d + m) / d;
    for (int m = 0; m < d; m++)
        variance += pow(at(g, "position", i * d + m) - mean, 2) / d;
    for (int m = 0; m < d; m++) {
        double normed = (at(g, "position", i * d + m) - mean) / sqrt(variance + 1e-5);
        sum += (normed * at(g, "norm.weight", m) + at(g, "norm.bias", m)) *
               at(g, weight, channel * d + m);
    }
    return sum;
}

static double tupe(const struct rig *g, int h, int i, int j)
{
    int dh = g->shape.head_width;
    double sum = content(g, h, i, j);
    for (int t = 0; t < dh; t++)
        sum += tupe_projection(g, "query.weight", i, h * dh + t) *
               tupe_projection(g, "key.weight", j, h * dh + t);
    double bias = 0;
    if (rig_option(g, "t5") != 0)
        bias = at(g, "bias", h * 32 + t5_bucket(j - i, !g->shape.past, 32, 128));
    return sum / sqrt(2.0 * dh) + bias;
}

static double cope(const struct rig *g, int h, int i, int j)
{
    int m = (int)rig_option(g, "positions");
    double p = 0, low = 0, high = 0;
    for (int t = j; t <= i; t++)
        p += 1 / (1 + exp(-plain(g, h, i, t)));
    p = fmin(p, m - 1);
    for (int t = 0; t < g->shape.head_width; t++) {
        low += q(g, h, i, t) * at(g, "position", t * m + (int)floor(p));
        high += q(g, h, i, t) * at(g, "position", t * m + (int)ceil(p));
    }
    return plain(g, h, i, j) + (1 - (p - floor(p))) * low + (p - floor(p)) * high;
}

/* ---- rotations: Re(q conj(k) e^{i (i-j) theta}) for each pair ---------------------------------*/
static double turned(const struct rig *g, int h, int i, int j, int a, int b, double angle)
{
    double re = q(g, h, i, a) * k(g, h, j, a) + q(g, h, i, b) * k(g, h, j, b);
    double im = q(g, h, i, b) * k(g, h, j, a) - q(g, h, i, a) * k(g, h, j, b);
    return re * cos(angle) - im * sin(angle);
}

/* Scaling, from the definitions in the papers: linear 1, ntk 2, yarn 3. */
static double scaled_theta(const struct rig *g, int t, int span)
{
    double base = rig_option(g, "base"), s = (double)g->layout.n / g->trained.n;
    int scaling = s > 1 ? (int)rig_option(g, "scaling") : 0;
    if (scaling == 2 && span > 2)
        base *= pow(s, span / (span - 2.0));
    double theta = pow(base, -2.0 * t / span), wavelength = 2 * acos(-1) / theta;
    double turns = g->trained.n / wavelength;
    double ramp = turns < 1 ? 0 : turns > 32 ? 1 : (turns - 1) / 31;
    return scaling == 1 ? theta / s : scaling == 3 ? (1 - ramp) * theta / s + ramp * theta : theta;
}

static double rope(const struct rig *g, int h, int i, int j)
{
    int rd = (int)(rig_option(g, "fraction") * g->shape.head_width), axes = g->layout.axes;
    int span = rd / axes;
    double sum = 0;
    for (int axis = 0; axis < axes; axis++) {
        int offset =
            layout_coordinate(&g->layout, i, axis) - layout_coordinate(&g->layout, j, axis);
        for (int t = 0; t < span / 2; t++) {
            bool half = rig_option(g, "pairing") != 0;
            int a = axis * span + (half ? t : 2 * t), b = half ? a + span / 2 : a + 1;
            sum += turned(g, h, i, j, a, b, offset * scaled_theta(g, t, span));
        }
    }
    double s = (double)g->layout.n / g->trained.n;
    sum *= s > 1 && rig_option(g, "scaling") == 3 ? pow(0.1 * log(s) + 1, 2) : 1;
    for (int t = rd; t < g->shape.head_width; t++)
        sum += q(g, h, i, t) * k(g, h, j, t);
    return sum / root(g);
}

static double xpos(const struct rig *g, int h, int i, int j)
{
    int dh = g->shape.head_width;
    double sum = 0;
    for (int t = 0; t < dh / 2; t++) {
        double theta = pow(rig_option(g, "base"), -2.0 * t / dh);
        double zeta = (2 * t + .4 * dh) / (1.4 * dh);
        sum += pow(zeta, (i - j) / rig_option(g, "scale_base")) *
               turned(g, h, i, j, 2 * t, 2 * t + 1, (i - j) * theta);
    }
    return sum / root(g);
}

/* ---- what is added to inputs and outputs ------------------------------------------------------*/
static double zero(const struct rig *g, int i, int channel)
{
    return 0;
}

static double sinusoidal_input(const struct rig *g, int i, int channel)
{
    int d = g->shape.width / g->layout.axes, axis = channel / d, m = channel % d;
    double angle = layout_coordinate(&g->layout, i, axis) / pow(10000, (m - m % 2) / (double)d);
    return m % 2 ? cos(angle) : sin(angle);
}

static double learned_input(const struct rig *g, int i, int channel)
{
    return at(g, "position", i * g->shape.width + channel);
}

static double centrality_input(const struct rig *g, int i, int channel)
{
    int neighbours = 0;
    for (int j = 0; j < g->layout.n; j++)
        neighbours += g->layout.distance[layout_relation(&g->layout, i, j)] == 1;
    return at(g, "degree", neighbours * g->shape.width + channel);
}

static double shaw_output(const struct rig *g, int i, int channel)
{
    int limit = (int)rig_option(g, "k"), n = g->layout.n, dh = g->shape.head_width;
    int h = channel / dh;
    double sum = 0;
    for (int j = 0; j < n && rig_option(g, "value") != 0; j++)
        sum += (double)g->p[(h * n + i) * n + j] *
               at(g, "value", (clip(j - i, -limit, limit) + limit) * dh + channel % dh);
    return sum;
}

static double fox(const struct rig *g, int h, int i, int j)
{
    int width = g->shape.width;
    double s = plain(g, h, i, j);
    for (int t = j + 1; t <= i; t++) {
        double z = at(g, "bias", h);
        for (int k = 0; k < width; k++)
            z += at(g, "weight", h * width + k) * (double)g->x[t * width + k];
        s += log(1 / (1 + exp(-z)));
    }
    return s;
}

/* ---- comparison -------------------------------------------------------------------------------*/
struct formula {
    const char *name, *options;
    double (*logit)(const struct rig *g, int h, int i, int j);
    double (*input)(const struct rig *g, int i, int channel);
    double (*output)(const struct rig *g, int i, int channel);
};

static const struct formula formulas[] = {
    {"none", "", plain, zero, zero},
    {"learned", "", plain, learned_input, zero},
    {"sinusoidal", "", plain, sinusoidal_input, zero},
    {"centrality", "", toeplitz, centrality_input, zero},
    {"centrality", "bias=false", plain, centrality_input, zero},
    {"toeplitz", "", toeplitz, zero, zero},
    {"t5", "", t5, zero, zero},
    {"t5", "buckets=8,max_distance=5", t5, zero, zero},
    {"alibi", "", alibi, zero, zero},
    {"alibi", "slopes=learned", alibi, zero, zero},
    {"kerple-log", "", kerple_log, zero, zero},
    {"kerple-power", "", kerple_power, zero, zero},
    {"sandwich", "", sandwich, zero, zero},
    {"sandwich", "dimension=10", sandwich, zero, zero},
    {"fire", "", fire, zero, zero},
    {"shaw", "", shaw, zero, shaw_output},
    {"shaw", "k=2", shaw, zero, shaw_output},
    {"shaw", "k=1,value=false", shaw, zero, shaw_output},
    {"transformer-xl", "", transformer_xl, zero, zero},
    {"deberta", "", deberta, zero, zero},
    {"deberta", "k=2", deberta, zero, zero},
    {"deberta", "k=2,gather=released", deberta, zero, zero},
    {"tupe", "", tupe, zero, zero},
    {"tupe", "t5=true", tupe, zero, zero},
    {"cope", "", cope, zero, zero},
    {"cope", "positions=3", cope, zero, zero},
    {"fox", "", fox, zero, zero},
    {"fox", "bias=2", fox, zero, zero},
    {"rope", "", rope, zero, zero},
    {"rope", "fraction=0.5,base=100", rope, zero, zero},
    {"rope", "pairing=half,base=100", rope, zero, zero},
    {"rope", "scaling=linear", rope, zero, zero},
    {"rope", "scaling=ntk,base=100", rope, zero, zero},
    {"rope", "scaling=yarn,base=3", rope, zero, zero},
    {"rope", "scaling=yarn,fraction=0.5", rope, zero, zero},
    {"xpos", "", xpos, zero, zero},
    {"xpos", "scale_base=3,base=100", xpos, zero, zero},
};
enum { FORMULAS = sizeof formulas / sizeof *formulas };

/* Logits here are sums of at most ~500 products of numbers of size 1 and below 50; 2000 units of
 * rounding cover their worst order, and a changed formula is off by parts in ten. */
static bool near(double actual, double expected)
{
    return fabs(actual - expected) <= 2000 * REAL_EPSILON * (1 + fabs(expected));
}

static void compare(const struct formula *f, struct rig *g)
{
    int n = g->layout.n, width = g->shape.width;
    rig_forward(g);
    for (int h = 0; h < g->shape.heads; h++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double actual = (double)g->s[(h * n + i) * n + j];
                if (!rig_visible(g, i, j))
                    continue;
                double expected = f->logit(g, h, i, j);
                assert_false(near(actual + 1e-2, expected));
                if (!near(actual, expected))
                    fail_msg("%s {%s}: s(%d,%d) of head %d is %.10g, the formula says %.10g",
                             f->name, f->options, i, j, h, actual, expected);
            }
    for (int i = 0; i < n; i++)
        for (int t = 0; t < width; t++) {
            int index = i * width + t;
            double added = (double)g->y[index] - (double)g->x[index];
            assert_true(near(added, f->input(g, i, t)));
            assert_true(near((double)g->o[index], f->output(g, i, t)));
        }
}

static int compare_all(const struct formula *f, struct arena *a, struct layout trained,
                       struct layout layout)
{
    int done = 0;
    for (int causal = 0; causal < 2; causal++)
        for (int heads = 2; heads < 4; heads++) {
            struct rig g;
            struct rig_shape shape = {
                .heads = heads, .head_width = 4 + 4 * (heads == 2), .rows = 3, .causal = causal};
            if (!rig_open(&g, a, rig_entry(f->name), f->options, &trained, &layout, shape, 11))
                continue;
            compare(f, &g);
            done++;
        }
    return done;
}

static void test_formulas(void **state)
{
    struct err e = {0};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, &e), 0);
    for (int f = 0; f < FORMULAS; f++) {
        int done = 0;
        struct layout seven = rig_sequence(&a, 7), four = rig_sequence(&a, 4);
        done += compare_all(&formulas[f], &a, seven, seven);
        done += compare_all(&formulas[f], &a, seven, four);
        done += compare_all(&formulas[f], &a, four, seven);
        if (formulas[f].logit == rope) { /* long enough that some pairs turn more than once */
            struct layout forty = rig_sequence(&a, 40), fifty = rig_sequence(&a, 50);
            done += compare_all(&formulas[f], &a, forty, fifty);
        }
        struct layout one = rig_sequence(&a, 1), grid = rig_grid(&a, 2, 3);
        struct layout graph = rig_graph(&a, 5);
        done += compare_all(&formulas[f], &a, one, one);
        done += compare_all(&formulas[f], &a, grid, grid);
        done += compare_all(&formulas[f], &a, graph, graph);
        assert_true(done >= (formulas[f].input == centrality_input ? 4 : 6)); /* graphs alone */
    }
    arena_close(&a);
}

static int open_kernels(void **state)
{
    struct err e = {0};
    return kernel_open(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
    };
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

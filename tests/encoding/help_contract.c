/* What every encoding must meet, whatever its formula:
 *   gradients   backward hooks are the derivatives of the forward hooks (double only)
 *   blocks      the result does not depend on how query rows are cut into blocks
 *   shorter     a state that was prepared for a longer sequence serves a shorter sample
 *   causality   under a causal mask no visible entry depends on later keys
 *   relation    pairs of one class are treated alike; pairs of two classes are told apart (double
 *               and shift-invariant encodings only: a class for each pair (i,j) may be finer than
 *               need be, which costs no soundness) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"

struct scene {
    struct arena *arena;
    const struct encoding *entry;
    const char *options;
    struct layout trained, layout;
    struct rig_shape shape;
};

static bool scene_open(const struct scene *s, struct rig *g)
{
    return rig_open(g, s->arena, s->entry, s->options, &s->trained, &s->layout, s->shape, 7);
}

/* ---- gradients --------------------------------------------------------------------------------*/
#ifdef REAL_DOUBLE
/* Central differences with step h = 1e-6: truncation ~ h^2 |f'''| = 1e-12 |f'''|, rounding ~
 * 1e-16 |f| / h = 1e-10 |f|; losses here are below 100, so 1e-6 leaves a wide margin, and a term
 * that is missing from a gradient is off by its own size, ~ .1. */
static void assert_derivative(struct rig *g, const char *what, real *x, real analytic)
{
    const double h = 1e-6, x0 = *x;
    *x = x0 + h;
    double high = rig_forward(g);
    *x = x0 - h;
    double low = rig_forward(g);
    *x = x0;
    double numeric = (high - low) / (2 * h);
    if (!(fabs(numeric - analytic) <= 1e-6 * (1 + fabs(numeric))))
        fail_msg("%s: d loss / d %s is %.10g, backward says %.10g (n = %d, causal %d)",
                 g->entry->name, what, numeric, analytic, g->layout.n, g->shape.past);
}

static void check_gradients(const struct scene *s)
{
    struct rig g;
    assert_true(scene_open(s, &g));
    rig_forward(&g);
    rig_backward(&g);
    for (int t = 0; t < g.tensors; t++)
        for (size_t i = 0; i < g.count[t]; i++)
            assert_derivative(&g, g.tensor[t].tensor.name, &g.parameter[t][i], g.gradient[t][i]);
    for (int i = 0; i < g.layout.n * g.stride; i++) {
        assert_derivative(&g, "q", &g.q[i], g.dq[i]);
        assert_derivative(&g, "k", &g.k[i], g.dk[i]);
    }
    int n = g.layout.n;
    for (int i = 0; i < n * g.shape.width; i++)
        assert_derivative(&g, "x", &g.x[i], g.dx[i]);
    for (int i = 0; i < n * n * g.shape.heads; i++)
        if (rig_visible(&g, i / n % n, i % n))
            assert_derivative(&g, "p", &g.p[i], g.dp[i]);
}
#endif

/* ---- blocks -----------------------------------------------------------------------------------*/
static bool near(double a, double b)
{
    /* Sums of a few dozen products of numbers of size 1, in another order. */
    return fabs(a - b) <= 200 * REAL_EPSILON * (1 + fabs(a));
}

static void assert_same_logits(const struct rig *a, const struct rig *b)
{
    int n = a->layout.n;
    for (int i = 0; i < n * n * a->shape.heads; i++)
        if (rig_visible(a, i / n % n, i % n))
            assert_true(near((double)a->s[i], (double)b->s[i]));
}

static void check_blocks(const struct scene *s)
{
    struct rig whole, cut;
    struct scene one = *s;
    one.shape.rows = s->layout.n;
    assert_true(scene_open(s, &cut));
    assert_true(scene_open(&one, &whole));
    rig_forward(&cut);
    rig_forward(&whole);
    assert_same_logits(&whole, &cut);
    for (int i = 0; i < whole.layout.n * whole.shape.width; i++)
        assert_true(near((double)whole.o[i], (double)cut.o[i]));
}

/* ---- shorter samples --------------------------------------------------------------------------*/
/* Tables over relations are left out: the model itself looks those up. */
static void check_shorter(const struct scene *s)
{
    struct rig own, longest, borrowed;
    struct scene long_scene = *s;
    long_scene.layout = s->trained;
    assert_true(scene_open(s, &own));
    assert_true(scene_open(s, &borrowed));
    assert_true(scene_open(&long_scene, &longest));
    if (own.facts.relation_bias)
        return;
    rig_forward(&own);
    rig_forward(&longest);
    borrowed.prepared = true;
    borrowed.state = longest.state;
    borrowed.state_size = longest.state_size;
    rig_forward(&borrowed);
    assert_same_logits(&own, &borrowed);
    for (int i = 0; i < own.layout.n * own.shape.width; i++)
        assert_true(near((double)own.y[i], (double)borrowed.y[i]));
}

/* ---- causality --------------------------------------------------------------------------------*/
static void check_causality(const struct scene *s)
{
    struct rig before, after;
    assert_true(scene_open(s, &before));
    assert_true(scene_open(s, &after));
    int n = before.layout.n, last = (n - 1) * before.stride;
    for (int t = 0; t < before.shape.width; t++) {
        after.k[last + t] += 3;
        after.q[last + t] -= 3;
        after.x[(n - 1) * before.shape.width + t] += 3;
    }
    rig_forward(&before);
    rig_forward(&after);
    for (int h = 0; h < before.shape.heads; h++)
        for (int i = 0; i < n - 1; i++)
            for (int j = 0; j <= i; j++) {
                int at = (h * n + i) * n + j;
                assert_true(near((double)before.s[at], (double)after.s[at]));
            }
}

/* ---- relation ---------------------------------------------------------------------------------*/
/* With one q_i and one k_j for all positions, what is left in s_ij is the encoding's own. */
static void make_tokens_equal(struct rig *g)
{
    size_t row = (size_t)g->shape.width * sizeof(real);
    for (int i = 1; i < g->layout.n; i++) {
        memcpy(g->q + i * g->stride, g->q, row);
        memcpy(g->k + i * g->stride, g->k, row);
    }
}

static bool alike(const struct rig *g, int a, int b)
{
    int square = g->layout.n * g->layout.n;
    for (int h = 0; h < g->shape.heads; h++)
        if (!near((double)g->s[h * square + a], (double)g->s[h * square + b]))
            return false;
    return true;
}

static void check_pair(const struct rig *g, int a, int b)
{
    int n = g->layout.n;
    bool same_class = rig_relation(g, a / n, a % n) == rig_relation(g, b / n, b % n);
    bool same_relation = layout_relation(&g->layout, a / n, a % n) ==
                         layout_relation(&g->layout, b / n, b % n);
    bool told_apart = g->facts.shift_invariant && sizeof(real) == sizeof(double);
    if (same_class ? !alike(g, a, b) : told_apart && alike(g, a, b))
        fail_msg("%s: (%d,%d) and (%d,%d) are of %s, but treated %s", g->entry->name, a / n, a % n,
                 b / n, b % n, same_class ? "one class" : "two classes",
                 same_class ? "differently" : "alike");
    if (same_relation && g->facts.shift_invariant)
        assert_true(alike(g, a, b));
}

static void check_relation(const struct scene *s)
{
    struct rig g;
    assert_true(scene_open(s, &g));
    if (g.facts.per_sample)
        return;
    make_tokens_equal(&g);
    rig_forward(&g);
    int n = g.layout.n;
    for (int a = 0; a < n * n; a++)
        for (int b = 0; b < a; b++)
            if (rig_visible(&g, a / n, a % n) && rig_visible(&g, b / n, b % n))
                check_pair(&g, a, b);
}

/* ---- all of it, over layouts, sizes and masks -------------------------------------------------*/
static bool check_scene(const struct scene *s)
{
    struct rig g;
    if (!scene_open(s, &g))
        return false;
#ifdef REAL_DOUBLE
    check_gradients(s);
#endif
    check_blocks(s);
    check_relation(s);
    if (s->layout.n < s->trained.n)
        check_shorter(s);
    if (s->shape.causal)
        check_causality(s);
    return true;
}

static int check_masks(struct scene s)
{
    int done = 0;
    for (int causal = 0; causal < 2; causal++)
        for (int odd = 0; odd < 2; odd++) {
            s.shape = (struct rig_shape){.heads = odd ? 2 : 3, .head_width = odd ? 5 : 4,
                                         .rows = 2, .causal = causal};
            done += check_scene(&s);
        }
    return done;
}

bool contract_check(const struct encoding *entry, const char *options)
{
    static const struct {
        int trained, here;
    } sequences[] = {{1, 1}, {5, 5}, {5, 3}, {4, 7}};
    struct err e = {0};
    struct arena arena;
    assert_int_equal(arena_open(&arena, 0, &e), 0);
    struct scene s = {.arena = &arena, .entry = entry, .options = options};
    int done = 0;
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        s.trained = rig_sequence(&arena, sequences[i].trained);
        s.layout = rig_sequence(&arena, sequences[i].here);
        done += check_masks(s);
    }
    s.trained = s.layout = rig_grid(&arena, 2, 3);
    done += check_masks(s);
    s.trained = s.layout = rig_graph(&arena, 5);
    done += check_masks(s);
    arena_close(&arena);
    return done > 0;
}

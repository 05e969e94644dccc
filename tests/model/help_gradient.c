/* Gradients against central differences, for double alone. */
#include "model/help_model.h"

#include <math.h>
#include <string.h>

#ifdef REAL_DOUBLE
/* Central differences with h = 1e-5 err by about h^2 |f'''| / 6 ~ 1e-10 x f''' and by rounding
 * eps |f| / h ~ 1e-11 x |f|; losses and gradients here are of order 1, third derivatives below
 * 1e2 after the perturbation, so 1e-6 (1 + |g|) has a margin of 100 and a missing term, of order
 * 1e-2 or more, does not pass. */
static const double step = 1e-5, tolerance = 1e-6;

/* The loss on both sides of a value. */
struct sides {
    double here, up, down;
};

static struct sides sides_of(struct rig *r, double here, real *at)
{
    struct sides s = {.here = here};
    real old = *at;
    *at = old + step;
    s.up = rig_loss(r);
    *at = old - step;
    s.down = rig_loss(r);
    *at = old;
    return s;
}

static double difference(const struct sides *s)
{
    return (s->up - s->down) / (2 * step);
}

/* Where the loss has a kink (relu, the edge of entmax's support) its two sides differ, and the
 * gradient lies between them. */
static bool has_kink(const struct sides *s)
{
    return fabs(s->up - 2 * s->here + s->down) > 1e-2 * step;
}

static bool agrees(double gradient, const struct sides *s)
{
    double want = difference(s), up = (s->up - s->here) / step, down = (s->here - s->down) / step;
    if (has_kink(s))
        return gradient > fmin(up, down) - 1e-3 && gradient < fmax(up, down) + 1e-3;
    return fabs(gradient - want) <= tolerance * (1 + fabs(want));
}

static void check_tensor(struct rig *r, double here, const struct tensor *t, const char *what)
{
    size_t stride = t->count / 5 + 1;
    for (size_t i = 0; i < t->count; i += stride) {
        double have = r->g[t->offset + i];
        struct sides want = sides_of(r, here, &r->p[t->offset + i]);
        if (!agrees(have, &want))
            fail_msg("%s, %s[%zu]: gradient %.10g, difference %.10g", what, t->name, i, have,
                     difference(&want));
        if (!has_kink(&want) && agrees(have + 1e-2, &want)) /* the comparison can fail */
            fail_msg("%s: tolerance is blind", t->name);
    }
}

bool rig_check_gradient(const struct rig_config *c, const char *what)
{
    struct rig r;
    if (!rig_open(&r, c, 7))
        return false;
    rig_perturb(&r, 11, 0.3);
    double here = rig_loss(&r);
    rig_backward(&r);
    for (int k = 0; k < r.model.tensors.count; k++)
        check_tensor(&r, here, &r.model.tensors.item[k], what);
    for (int i = 0; i < r.rows * c->channels; i += r.rows * c->channels / 10 + 1) {
        struct sides want = sides_of(&r, here, &r.x[i]);
        if (!agrees(r.dx[i], &want))
            fail_msg("%s, x[%d]: gradient %.10g, difference %.10g", what, i, r.dx[i],
                     difference(&want));
    }
    rig_close(&r);
    return true;
}

/* ---- along a direction ------------------------------------------------------------------------*/
struct line {
    struct rig *r;
    real *p, *x, *by_p, *by_x; /* where it starts, and the direction */
    size_t parameters, inputs;
};

static double loss_at(const struct line *l, double distance)
{
    for (size_t i = 0; i < l->parameters; i++)
        l->r->p[i] = l->p[i] + distance * l->by_p[i];
    for (size_t i = 0; i < l->inputs; i++)
        l->r->x[i] = l->x[i] + distance * l->by_x[i];
    return rig_loss(l->r);
}

/* The directions of all are of length 1 together, or about: errors of differences grow with its cube. */
static real *drawn(struct rig *r, size_t count, size_t all, struct stream *s)
{
    real *x = arena_alloc(&r->arena, count, sizeof *x, NULL);
    assert_non_null(x);
    for (size_t i = 0; i < count && s; i++)
        x[i] = (2 * stream_uniform24(s) - 1) * sqrt(3.0 / (double)all);
    return x;
}

static double slope_along(const struct line *l)
{
    double sum = 0;
    loss_at(l, 0);
    rig_backward(l->r);
    for (size_t i = 0; i < l->parameters; i++)
        sum += l->r->g[i] * l->by_p[i];
    for (size_t i = 0; i < l->inputs; i++)
        sum += l->r->dx[i] * l->by_x[i];
    return sum;
}

bool rig_check_direction(const struct rig_config *c, const char *what)
{
    struct rig r;
    struct stream s;
    if (!rig_open(&r, c, 7))
        return false;
    rig_perturb(&r, 11, 0.3);
    stream_open(&s, 5, "direction", 0);
    struct line l = {.r = &r, .parameters = r.model.tensors.elements,
                     .inputs = (size_t)(r.rows * c->channels)};
    size_t all = l.parameters + l.inputs;
    l.p = drawn(&r, l.parameters, all, NULL);
    l.x = drawn(&r, l.inputs, all, NULL);
    l.by_p = drawn(&r, l.parameters, all, &s);
    l.by_x = drawn(&r, l.inputs, all, &s);
    memcpy(l.p, r.p, l.parameters * sizeof *l.p);
    memcpy(l.x, r.x, l.inputs * sizeof *l.x);
    double have = slope_along(&l);
    struct sides want = {.here = loss_at(&l, 0), .up = loss_at(&l, step), .down = loss_at(&l, -step)};
    if (!agrees(have, &want))
        fail_msg("%s: gradient %.10g, difference %.10g along a direction", what, have,
                 difference(&want));
    rig_close(&r);
    return true;
}
#endif

/* Gradients against central differences, for double alone. */
#include "model/help_model.h"

#include <math.h>

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

static struct sides sides_of(struct rig *r, real *at)
{
    struct sides s = {.here = rig_loss(r)};
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

static void check_tensor(struct rig *r, const struct tensor *t, const char *what)
{
    size_t stride = t->count / 5 + 1;
    for (size_t i = 0; i < t->count; i += stride) {
        double have = r->g[t->offset + i];
        struct sides want = sides_of(r, &r->p[t->offset + i]);
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
    rig_loss(&r);
    rig_backward(&r);
    for (int k = 0; k < r.model.tensors.count; k++)
        check_tensor(&r, &r.model.tensors.item[k], what);
    for (int i = 0; i < r.rows * c->channels; i += r.rows * c->channels / 10 + 1) {
        struct sides want = sides_of(&r, &r.x[i]);
        if (!agrees(r.dx[i], &want))
            fail_msg("%s, x[%d]: gradient %.10g, difference %.10g", what, i, r.dx[i],
                     difference(&want));
    }
    rig_close(&r);
    return true;
}
#endif

/* Whether a normaliser can be plain softmax (conditions.h).
 *
 * Its own tensors are 0 or as at the start, and some of them hold one value throughout; a number is
 * added to all logits, by a channel in which queries and keys are constants.  Attention that is plain
 * at values of size about 1 is a special case.  If it gets nearer e-fold for each step of a value, it
 * is a limit. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "witness/conditions.h"
#include "witness/trial.h"

/* Two far values, and how much nearer the further one must come: e^-8 is 3e-4.  Nothing is so near that
 * the rounding of floats shows. */
#define FAR 4.0
#define FURTHER 12.0
#define NEARER 1e-2
#define NEAR 1e-4
#define NEARBY 0.1 /* one step of a scan from a zero */
enum { SCAN = 40, GOLDEN_STEPS = 80 };

struct plain {
    struct trial trial;
    double *a, *other; /* (heads,n,n) each */
    real *start;       /* parameters */
    uint64_t seed;
    double tolerance;
};

/* The setting of a search: tensors in `set` hold the value, the others are as at the start or 0. */
struct setting {
    bool started, level; /* level: the value is added to the logits instead */
    int set;
};

/* The last channel of head 0 has query `level` / scale and key 1. */
static void set_level(struct trial *t, double level)
{
    const struct model_layer *l = &t->model.layer[0];
    const int weight[] = {l->q, l->k}, bias[] = {l->q_bias, l->k_bias};
    size_t count, width = (size_t)t->model.width;
    size_t slot = (size_t)t->model.head_width - 1;
    for (int k = 0; k < 2; k++) {
        memset(trial_tensor(t, weight[k], &count) + slot * width, 0, width * sizeof(real));
        trial_tensor(t, bias[k], &count)[slot] = k ? 1 : (real)(level / t->model.kind->facts.scale);
    }
}

/* How far attention is from plain at a value; the same queries and keys each time. */
static double distance(struct plain *p, const struct setting *s, double value)
{
    struct trial *t = &p->trial;
    struct stream random;
    memcpy(t->p, p->start, t->model.tensors.elements * sizeof *t->p);
    for (int k = 0; k < t->model.kind->normaliser_tensors; k++) {
        size_t count;
        real *x = trial_tensor(t, t->model.layer[0].normaliser[k], &count);
        bool set = s->set >> k & 1;
        for (size_t i = 0; i < count; i++)
            x[i] = set ? (real)value : s->started ? x[i] : 0;
    }
    set_level(t, s->level ? value : 0);
    stream_open(&random, p->seed, "plain", 1);
    return trial_distance(t, &random, 1, p->a, p->other);
}

/* Golden-section search around the best of a scan of [0,2]. */
static double nearest(struct plain *p, const struct setting *s)
{
    const double ratio = 0.6180339887498949;
    double best = INFINITY, at = 0, step = 2.0 / SCAN;
    for (int k = 0; k <= SCAN; k++) {
        double here = distance(p, s, k * step);
        at = here < best ? k * step : at;
        best = fmin(best, here);
    }
    double low = at - step, high = at + step;
    for (int k = 0; k < GOLDEN_STEPS && best < NEARBY && best > p->tolerance; k++) {
        double left = high - ratio * (high - low), right = low + ratio * (high - low);
        double of_left = distance(p, s, left), of_right = distance(p, s, right);
        best = fmin(best, fmin(of_left, of_right));
        if (of_left < of_right)
            high = right;
        else
            low = left;
    }
    return best;
}

static void try_setting(struct plain *p, const struct setting *s, enum condition_answer *answer,
                        double *least)
{
    double near = s->set || s->level ? nearest(p, s) : distance(p, s, 0);
    *least = fmin(*least, near);
    if (near <= p->tolerance)
        *answer = CONDITION_YES;
    for (int side = -1; side <= 1 && (s->set || s->level) && *answer == CONDITION_NO; side += 2) {
        double far = distance(p, s, side * FAR), further = distance(p, s, side * FURTHER);
        if (further > NEAR || further > NEARER * far)
            continue;
        *answer = CONDITION_LIMIT;
        *least = fmin(*least, further);
    }
}

static int open_plain(struct plain *p, const struct model_config *m, const struct layout *trained,
                      struct err *e)
{
    struct model_config config = *m;
    struct stream random;
    config.attention = MODEL_URPE;
    option_set_kind(&urpe_kinds, "toeplitz", &config.c);
    option_set_kind(&encoding_kinds, "none", &config.encoding);
    int code = trial_open(&p->trial, &config, trained, e);
    if (code)
        return code;
    struct trial *t = &p->trial;
    size_t n = (size_t)t->n, entries = (size_t)t->heads * n * n;
    p->a = arena_alloc(&t->arena, entries, sizeof *p->a, e);
    p->other = arena_alloc(&t->arena, entries, sizeof *p->other, e);
    p->start = arena_alloc(&t->arena, t->model.tensors.elements, sizeof *p->start, e);
    if (!p->a || !p->other || !p->start)
        return ERR_MEMORY;
    p->tolerance = 64 * t->n * (double)REAL_EPSILON;
    stream_open(&random, p->seed, "plain", 0);
    trial_draw_parameters(t, &random);
    memcpy(p->start, t->p, t->model.tensors.elements * sizeof *t->p);
    model_initialise(&t->model, p->seed, t->p);
    for (int k = 0; k < t->model.kind->normaliser_tensors; k++) {
        const struct tensor *x = &t->model.tensors.item[t->model.layer[0].normaliser[k]];
        memcpy(p->start + x->offset, t->p + x->offset, x->count * sizeof *t->p);
    }
    return 0;
}

int conditions_rows(const struct model_config *m, const struct layout *trained, uint64_t seed,
                    enum condition_answer *attentive, double *least, struct err *e)
{
    struct plain p = {.seed = seed};
    int code = open_plain(&p, m, trained, e);
    *attentive = CONDITION_NO;
    *least = INFINITY;
    for (int started = 0; started < 2 && !code; started++)
        for (int set = 0; set < 1 << p.trial.model.kind->normaliser_tensors; set++)
            for (int level = 0; level < (set ? 1 : 2) && *attentive < CONDITION_YES; level++)
                try_setting(&p, &(struct setting){started, level, set}, attentive, least);
    trial_close(&p.trial);
    return code;
}

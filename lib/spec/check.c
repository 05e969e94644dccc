/* Checks of whole cells; what they check is the lower layers' business. */
#include "spec/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

int checker_open(struct checker *c, struct err *e)
{
    *c = (struct checker){0};
    return arena_open(&c->arena, 0, e);
}

void checker_close(struct checker *c)
{
    arena_close(&c->arena);
}

int lengths_complete(struct evaluate_config *c, int64_t n, struct err *e)
{
    struct option_ints given = c->lengths, *all = &c->lengths;
    *all = (struct option_ints){.count = 1, .value = {n}};
    for (int k = 0; k < given.count; k++) {
        int at = 0;
        while (at < all->count && all->value[at] < given.value[k])
            at++;
        if (at < all->count && all->value[at] == given.value[k])
            continue;
        if (all->count == OPTION_INTS_MAX)
            return err_set(e, ERR_USAGE, "evaluate.lengths",
                           "too many, with the training length; expected at most %d",
                           OPTION_INTS_MAX);
        memmove(all->value + at + 1, all->value + at, (size_t)(all->count++ - at) * sizeof n);
        all->value[at] = given.value[k];
    }
    return 0;
}

static int lay_out(struct checker *c, const struct task *t, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    int n = (int)space_positions(&t->space), longest = (int)lengths->value[lengths->count - 1];
    if (c->ready && c->longest == longest && !memcmp(&c->space, &t->space, sizeof c->space))
        return 0;
    c->ready = false;
    arena_reset(&c->arena);
    const struct space *space = space_of(&t->space);
    int code = space->layout(&t->space, n, &c->arena, &c->trained, e);
    if (code == 0)
        code = space->layout(&t->space, longest, &c->arena, &c->evaluated, e);
    if (code)
        return code;
    memcpy(&c->space, &t->space, sizeof c->space);
    c->longest = longest;
    c->ready = true;
    return 0;
}

int check_task(struct checker *c, const struct task *t, struct err *e)
{
    int code = space_check_orbit(&t->space, t->evaluate.orbit, e);
    if (code == 0)
        code = target_check(&t->target, &t->space, e);
    if (code == 0)
        code = task_check(t, e);
    if (code == 0)
        code = lay_out(c, t, e);
    if (code)
        return code;
    struct model_io io = task_io(t);
    return model_check(&t->model, &io, &c->trained, &c->evaluated, e);
}

/* ---- the user's code --------------------------------------------------------------------------*/

/* One sample of each pattern of a length, from the evaluation set's stream. */
static int try_samples(const struct task *t, const char *key, int length, struct err *e)
{
    struct task few = *t;
    struct samples s;
    struct err cause = {0};
    double most = 0;
    few.evaluate.samples = 1;
    few.evaluate.orbit = 0;
    if (samples_evaluation(&s, &few, length, &cause)) {
        bool own = cause.code == ERR_EVALUATION;
        return err_set(e, own ? ERR_USAGE : cause.code, own ? key : cause.where, "%s", cause.msg);
    }
    for (size_t k = 0; k < (size_t)s.rows * (size_t)s.outputs; k++)
        most = fabs(s.y[k]) > most ? fabs(s.y[k]) : most;
    samples_close(&s);
    if (t->model.precision == MODEL_DOUBLE || most <= FLT_MAX)
        return 0;
    return err_set(e, ERR_USAGE, key, "gives %g, which float does not hold; expected smaller "
                   "numbers, or model.precision: double", most);
}

int check_code(struct checker *c, const struct task *t, struct err *e)
{
    const struct target *target = target_of(&t->target);
    const char *key = target->code_key ? target->code_key(&t->target) : NULL;
    const struct option_ints *lengths = &t->evaluate.lengths;
    struct tried_code now;
    int code = 0;
    memset(&now, 0, sizeof now); /* padding too: compared byte by byte */
    now.target = t->target;
    now.space = t->space;
    now.lengths = *lengths;
    now.precision = t->model.precision;
    if (!key || !memcmp(&c->tried, &now, sizeof now))
        return 0;
    for (int k = 0; k < lengths->count && !code; k++)
        code = try_samples(t, key, (int)lengths->value[k], e);
    if (!code)
        c->tried = now;
    return code;
}

int check_polish(const struct checker *c, const struct task *t, struct err *e)
{
    struct model m;
    struct model_io io = task_io(t);
    if (t->train.polish == TRAIN_POLISH_NONE)
        return 0;
    int code = model_open(&m, &t->model, &io, &c->trained, e);
    if (code)
        return code;
    size_t count = m.tensors.elements;
    model_close(&m);
    if (count <= TRAIN_POLISH_PARAMETERS)
        return 0;
    return err_set(e, ERR_USAGE, "train.polish.method",
                   "%zu parameters are too many to polish; expected at most %d", count,
                   TRAIN_POLISH_PARAMETERS);
}

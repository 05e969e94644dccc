/* Checks of whole cells; what they check is the lower layers' business. */
#include "spec/check.h"

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
    struct option_ints sorted = {.count = 1, .value = {n}};
    for (int k = 0; k < c->lengths.count; k++) {
        int64_t length = c->lengths.value[k];
        int at = 0;
        while (at < sorted.count && sorted.value[at] < length)
            at++;
        if (at < sorted.count && sorted.value[at] == length)
            continue;
        if (sorted.count == OPTION_INTS_MAX)
            return err_set(e, ERR_USAGE, "evaluate.lengths",
                           "too many, with the training length; expected at most %d",
                           OPTION_INTS_MAX);
        memmove(sorted.value + at + 1, sorted.value + at,
                (size_t)(sorted.count - at) * sizeof sorted.value[0]);
        sorted.value[at] = length;
        sorted.count++;
    }
    c->lengths = sorted;
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

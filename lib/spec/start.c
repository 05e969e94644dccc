/* Witnesses as starting points (start.h). */
#include "spec/start.h"

int start_open(struct start *s, const struct task *t, struct err *e)
{
    *s = (struct start){0};
    int code = arena_open(&s->arena, 0, e);
    if (!code)
        code = space_of(&t->space)->layout(&t->space, (int)t->space.length, &s->arena,
                                           &s->layout, e);
    if (code)
        return code;
    return witness_open(&s->witness, &t->target, &t->space, &t->model, &s->layout, e);
}

void start_close(struct start *s)
{
    witness_close(s->witness);
    arena_close(&s->arena);
}

int start_resize(struct task *t, struct err *e)
{
    struct start s;
    if (t->model.init != MODEL_INIT_WITNESS)
        return 0;
    int code = start_open(&s, t, e);
    if (!code && !s.witness)
        code = err_set(e, ERR_USAGE, "model.init",
                       "no witness known for %s under encoding %s and attention %s; expected "
                       "'default'", target_of(&t->target)->name,
                       encoding_of(&t->model.encoding)->name,
                       t->model.attention == MODEL_URPE ? "urpe" : "rpe");
    if (!code)
        t->model = s.witness->config;
    start_close(&s);
    return code;
}

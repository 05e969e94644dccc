#include "train/help_task.h"

#include "kernel/kernel.h"

struct task task_default(const char *target, const char *encoding, int attention)
{
    struct task t = {0};
    struct err e = {0};
    option_defaults(space_options, &t.space);
    option_defaults(target_options, &t.target);
    option_defaults(model_options, &t.model);
    option_defaults(train_options, &t.train);
    option_defaults(evaluate_options, &t.evaluate);
    assert_true(option_set_kind(&target_kinds, target, &t.target.kind));
    assert_true(option_set_kind(&encoding_kinds, encoding, &t.model.encoding));
    t.model.attention = attention;
    t.space.share[PATTERN_IDENTICAL] = 0.5;
    assert_int_equal(space_finish(&t.space, &e), 0);
    return t;
}

struct trainer *open_trainer(const struct task *task, struct pool *pool)
{
    struct trainer *t;
    struct err e = {0};
    assert_int_equal(kernel_open(&e), 0);
    assert_int_equal(trainer_open(&t, task, pool, &e), 0);
    return t;
}

struct pool *open_pool(int threads)
{
    struct pool *p;
    struct err e = {0};
    assert_int_equal(pool_open(&p, threads, &e), 0);
    return p;
}

double train(struct trainer *t, int64_t until)
{
    struct train_report r = {0};
    struct err e = {0};
    while (trainer_step_number(t) < until) {
        assert_int_equal(trainer_step(t, &r, &e), 0);
        assert_false(r.diverged);
    }
    return r.loss;
}

void learns_with_any_threads(const struct task *task)
{
    struct pool *one = open_pool(1), *three = open_pool(3);
    struct trainer *a = open_trainer(task, one), *b = open_trainer(task, three);
    double first = train(a, 1), last = train(a, 60);
    assert_true(last < 0.5 * first);
    assert_true(train(b, 60) == last);
    assert_memory_equal(trainer_parameters(a), trainer_parameters(b),
                        trainer_model(a)->tensors.elements * sizeof(real));
    trainer_close(a);
    trainer_close(b);
    pool_close(one);
    pool_close(three);
}

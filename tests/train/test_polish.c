/* Polishing: its gradient against finite differences, how far it gets beyond Adam, and that threads
 * change nothing. */
#include "train/help_task.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "base/memory.h"
#include "kernel/kernel.h"
#include "train/trainer.h"

static struct task tiny_task(void)
{
    struct task t = task_default("gain", "toeplitz", MODEL_URPE);
    t.space.length = 4;
    t.space.channels = 1;
    t.model.layers = 1;
    t.model.heads = 2;
    t.model.width = t.model.ffn = 8;
    t.train.steps = 300;
    t.train.batch = 16;
    t.train.warmup = 10;
    t.train.polish = TRAIN_POLISH_BFGS;
    t.train.polish_steps = 400;
    t.train.polish_samples = 40; /* three batches */
    return t;
}

/* A trainer after `steps` steps. */
static struct trainer *trained(const struct task *task, struct pool *pool, int64_t steps)
{
    struct trainer *t;
    struct train_report r;
    struct err e = {0};
    assert_int_equal(kernel_open(&e), 0);
    assert_int_equal(trainer_open(&t, task, pool, &e), 0);
    while (trainer_step_number(t) < steps)
        assert_int_equal(trainer_step(t, &r, &e), 0);
    return t;
}

static void polish(struct trainer *t, struct polish_report *r)
{
    struct err e = {0};
    if (trainer_polish(t, r, &e))
        fail_msg("%s", e.msg);
}

#ifdef REAL_DOUBLE
#define BEYOND_ADAM 1e-2 /* of the loss */
#define DIFFERENCE 1e-6
#define TOLERANCE 1e-7
#else
#define BEYOND_ADAM 0.5 /* float's rounding ends the descent */
#define DIFFERENCE 1e-3
#define TOLERANCE 2e-3
#endif

static void test_gradient_is_that_of_the_loss(void **state)
{
    struct task task = tiny_task();
    struct pool *pool;
    struct sampler *sampler;
    struct samples set = {0};
    struct err e = {0};
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    struct trainer *t = trained(&task, pool, 5);
    size_t count = trainer_model(t)->tensors.elements;
    double *gradient = memory_alloc(count, sizeof *gradient, &e);
    double *scrap = memory_alloc(count, sizeof *scrap, &e), largest = 0;
    assert_int_equal(sampler_open_stream(&sampler, &task, "polish", 4, &e), 0);
    assert_int_equal(arena_open(&set.arena, 0, &e), 0);
    assert_int_equal(sampler_draw(sampler, 0, 2 * 16, &set, &e), 0);
    trainer_loss_gradient(t, &set, gradient);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(gradient[i]));
    assert_true(largest > 1e-3);
    real *p = trainer_parameters(t);
    for (size_t i = 0; i < count; i += 7) {
        real kept = p[i];
        p[i] = kept + (real)DIFFERENCE;
        double above = trainer_loss_gradient(t, &set, scrap), high = (double)p[i];
        p[i] = kept - (real)DIFFERENCE;
        double below = trainer_loss_gradient(t, &set, scrap), low = (double)p[i];
        p[i] = kept;
        double difference = (above - below) / (high - low);
        if (!(fabs(difference - gradient[i]) <= TOLERANCE * fmax(1, largest)))
            fail_msg("parameter %zu: %g by differences, %g", i, difference, gradient[i]);
    }
    samples_close(&set);
    sampler_close(sampler);
    memory_free(gradient);
    memory_free(scrap);
    trainer_close(t);
    pool_close(pool);
}

static void test_gets_beyond_adam(void **state)
{
    struct task task = tiny_task();
    struct pool *pool;
    struct err e = {0};
    struct polish_report long_way, none;
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    struct trainer *t = trained(&task, pool, task.train.steps);
    task.train.polish_steps = 1; /* the loss on the same samples, after a single step */
    struct trainer *other = trained(&task, pool, task.train.steps);
    polish(t, &long_way);
    polish(other, &none);
    print_message("loss %g after %lld steps of descent; %g after one\n", long_way.loss,
                  (long long)long_way.steps, none.loss);
    assert_int_equal(none.steps, 1);
    assert_true(long_way.loss < BEYOND_ADAM * none.loss);
    trainer_close(t);
    trainer_close(other);
    pool_close(pool);
}

static void test_threads_change_nothing(void **state)
{
    struct task task = tiny_task();
    struct pool *one, *three;
    struct err e = {0};
    struct polish_report a, b;
    task.space.length = 64; /* several microbatches */
    task.train.polish_steps = 5;
    assert_int_equal(pool_open(&one, 1, &e), 0);
    assert_int_equal(pool_open(&three, 3, &e), 0);
    struct trainer *t = trained(&task, one, 3), *u = trained(&task, three, 3);
    assert_true(t->pass.microbatches > 1);
    polish(t, &a);
    polish(u, &b);
    assert_true(a.loss == b.loss);
    assert_memory_equal(trainer_parameters(t), trainer_parameters(u),
                        trainer_model(t)->tensors.elements * sizeof(real));
    trainer_close(t);
    trainer_close(u);
    pool_close(one);
    pool_close(three);
}

static volatile int stop;

static void stop_now(int signal)
{
    stop = signal;
}

/* The first look at its samples takes longer than drawing them, which is over at the timer sooner or later. */
static void test_stops_when_asked(void **state)
{
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    struct task task = tiny_task();
    task.model.width = task.model.ffn = 32;
    task.train.polish_samples = 4000;
    task.stop = &stop;
    struct pool *pool;
    struct err e = {0};
    struct polish_report r;
    assert_int_equal(pool_open(&pool, 1, &e), 0);
    struct trainer *t = trained(&task, pool, 3);
    assert_true(signal(SIGPROF, stop_now) != SIG_ERR);
    do {
        stop = 0;
        e = (struct err){0};
        assert_int_equal(setitimer(ITIMER_PROF, &soon, NULL), 0);
        assert_int_equal(trainer_polish(t, &r, &e), ERR_INTERRUPTED);
        soon.it_value.tv_usec *= 2;
    } while (strstr(e.msg, "drawing") && soon.it_value.tv_usec < 1000000);
    assert_non_null(strstr(e.msg, "polishing"));
    assert_true(r.steps <= 1);
    trainer_close(t);
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradient_is_that_of_the_loss),
                                       cmocka_unit_test(test_gets_beyond_adam),
                                       cmocka_unit_test(test_threads_change_nothing),
                                       cmocka_unit_test(test_stops_when_asked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

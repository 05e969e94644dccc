/* The loop over steps: it learns, it is the same for any number of threads and across a checkpoint,
 * and a damaged checkpoint is refused. */
#include "train/help_task.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "kernel/kernel.h"

static struct task small_task(int attention)
{
    struct task t = task_default("gain", "toeplitz", attention);
    t.space.length = 16;
    t.model.width = 32;
    t.model.ffn = 64;
    t.model.heads = 4;
    t.train.steps = 60;
    t.train.warmup = 10;
    t.evaluate.samples = 64;
    return t;
}

static size_t parameter_bytes(const struct trainer *t)
{
    return trainer_model(t)->tensors.elements * sizeof(real);
}

static void test_learns(void **state)
{
    struct task task = small_task(MODEL_URPE);
    struct pool *pool = open_pool(1);
    struct trainer *t = open_trainer(&task, pool);
    double first = train(t, 1), last = train(t, 60);
    assert_true(last < 0.5 * first);
    trainer_close(t);
    pool_close(pool);
}

static void test_threads_change_nothing(void **state)
{
    struct task task = small_task(MODEL_URPE);
    struct pool *one = open_pool(1), *three = open_pool(3);
    struct trainer *a = open_trainer(&task, one), *b = open_trainer(&task, three);
    assert_true(train(a, 20) == train(b, 20));
    assert_memory_equal(trainer_parameters(a), trainer_parameters(b), parameter_bytes(a));
    task.seed = 1;
    struct trainer *c = open_trainer(&task, one);
    train(c, 20);
    assert_memory_not_equal(trainer_parameters(a), trainer_parameters(c), parameter_bytes(a));
    trainer_close(a);
    trainer_close(b);
    trainer_close(c);
    pool_close(one);
    pool_close(three);
}

static void test_checkpoint(void **state)
{
    struct task task = small_task(MODEL_URPE);
    struct pool *pool = open_pool(1);
    struct trainer *a = open_trainer(&task, pool), *b = open_trainer(&task, pool);
    struct err e = {0};
    char *bytes, extra[8];
    size_t count, extra_size;
    train(a, 7);
    assert_int_equal(trainer_save(a, "stamp", "abc", 3, &bytes, &count, &e), 0);
    train(a, 15);
    assert_int_equal(trainer_load(b, "stamp", bytes, count, extra, sizeof extra, &extra_size, &e),
                     0);
    assert_int_equal(extra_size, 3);
    assert_memory_equal(extra, "abc", 3);
    assert_int_equal(trainer_step_number(b), 7);
    train(b, 15);
    assert_memory_equal(trainer_parameters(a), trainer_parameters(b), parameter_bytes(a));

    const real *now = trainer_parameters(b);
    real before = now[0];
    assert_int_equal(trainer_load(b, "other", bytes, count, extra, sizeof extra, &extra_size, &e),
                     ERR_FORMAT);
    for (size_t cut = 0; cut < count; cut += count / 37 + 1) {
        struct err fresh = {0};
        assert_int_equal(trainer_load(b, "stamp", bytes, cut, extra, sizeof extra, &extra_size,
                                      &fresh), ERR_FORMAT);
        fresh = (struct err){0};
        bytes[cut] ^= 4;
        assert_int_equal(trainer_load(b, "stamp", bytes, count, extra, sizeof extra, &extra_size,
                                      &fresh), ERR_FORMAT);
        bytes[cut] ^= 4;
    }
    /* Steps that the task has not, under a checksum that is right. */
    const int64_t outside[] = {-1, task.train.steps + 1, INT64_MIN, INT64_MAX};
    for (size_t k = 0; k < sizeof outside / sizeof *outside; k++) {
        struct err fresh = {0};
        memcpy(bytes + 16, &outside[k], sizeof outside[k]); /* behind magic, version and size of real */
        hash_bytes((unsigned char *)bytes + count - 32, bytes, count - 32);
        assert_int_equal(trainer_load(b, "stamp", bytes, count, extra, sizeof extra, &extra_size,
                                      &fresh), ERR_FORMAT);
        assert_non_null(strstr(fresh.msg, "of step"));
    }
    assert_true(now[0] == before);
    assert_int_equal(trainer_step_number(b), 15);
    memory_free(bytes);
    trainer_close(a);
    trainer_close(b);
    pool_close(pool);
}

/* RPE and URPE cells of one seed: same data, same order, same start of what they share. */
static void test_paired(void **state)
{
    struct task rpe = small_task(MODEL_RPE), urpe = small_task(MODEL_URPE);
    struct pool *pool = open_pool(1);
    struct trainer *a = open_trainer(&rpe, pool), *b = open_trainer(&urpe, pool);
    assert_true(train(a, 1) == train(b, 1)); /* C = 1: the first loss is the same to the bit */
    assert_true(train(a, 30) != train(b, 30));
    trainer_close(a);
    trainer_close(b);
    pool_close(pool);
}

static void test_outputs_do_not_depend_on_the_set(void **state)
{
    struct task task = small_task(MODEL_URPE);
    struct pool *pool = open_pool(2);
    struct trainer *t = open_trainer(&task, pool);
    struct samples s;
    struct err e = {0};
    train(t, 5);
    assert_int_equal(samples_evaluation(&s, &task, 16, &e), 0);
    assert_int_equal(s.count, 64);
    double *y = memory_alloc((size_t)s.rows * 4, sizeof *y, &e);
    assert_int_equal(trainer_outputs(t, &s, y, NULL, NULL, &e), 0);
    double sum = 0;
    for (int i = 0; i < s.rows * 4; i++) {
        assert_true(isfinite(y[i]));
        sum += fabs(y[i]);
    }
    assert_true(sum > 0);
    memory_free(y);
    samples_close(&s);
    trainer_close(t);
    pool_close(pool);
}

/* Input gradients against central differences of the outputs, which a wrong entry fails. */
static void check_input_gradient(const char *encoding, int attention, int norm)
{
    struct task task = small_task(attention);
    struct pool *pool = open_pool(2);
    struct samples s;
    struct err e = {0};
    assert_true(option_set_kind(&encoding_kinds, encoding, &task.model.encoding));
    task.space.length = 7;
    task.evaluate.samples = 5;
    task.model.norm = norm;
    struct trainer *t = open_trainer(&task, pool);
    train(t, 5);
    assert_int_equal(samples_evaluation(&s, &task, 7, &e), 0);
    size_t count = (size_t)s.rows * 4;
    double *block = memory_alloc(4 * count, sizeof *block, &e);
    double *cotangent = block, *dx = block + count, *up = dx + count, *down = up + count;
    for (size_t i = 0; i < count; i++)
        cotangent[i] = sin(1 + (double)i);
    assert_int_equal(trainer_input_gradient(t, &s, cotangent, dx, &e), 0);
    /* Central differences err by h^2 f''' / 6 and by an epsilon of the sum / h. */
    double h = sizeof(real) == 8 ? 1e-5 : 1.0 / 64, bound = sizeof(real) == 8 ? 1e-7 : 3e-2;
    for (size_t k = 0; k < count; k += 3) {
        double x = s.x[k], slope = 0;
        s.x[k] = x + h;
        assert_int_equal(trainer_outputs(t, &s, up, NULL, NULL, &e), 0);
        s.x[k] = x - h;
        assert_int_equal(trainer_outputs(t, &s, down, NULL, NULL, &e), 0);
        s.x[k] = x;
        for (size_t i = 0; i < count; i++)
            slope += cotangent[i] * (up[i] - down[i]) / (2 * h);
        assert_true(fabs(slope - dx[k]) <= bound * (1 + fabs(slope)));
        assert_false(fabs(slope + 0.5 - dx[k]) <= bound * (1 + fabs(slope)));
    }
    memory_free(block);
    samples_close(&s);
    trainer_close(t);
    pool_close(pool);
}

static void test_stop_ends_drawing_and_passes_over_a_set(void **state)
{
    volatile int stop = 0;
    struct task task = small_task(MODEL_URPE);
    task.stop = &stop;
    struct pool *pool = open_pool(2);
    struct trainer *t = open_trainer(&task, pool);
    struct train_report r;
    struct samples s;
    struct err e = {0};
    assert_int_equal(samples_evaluation(&s, &task, 16, &e), 0);
    double *y = memory_alloc((size_t)s.rows * 4, sizeof *y, &e);
    assert_int_equal(trainer_outputs(t, &s, y, NULL, NULL, &e), 0);
    stop = 2;
    assert_int_equal(trainer_outputs(t, &s, y, NULL, NULL, &e), ERR_INTERRUPTED);
    assert_int_equal(trainer_input_gradient(t, &s, y, y, NULL), ERR_INTERRUPTED);
    assert_int_equal(trainer_step(t, &r, NULL), ERR_INTERRUPTED); /* where it draws */
    assert_int_equal(trainer_step_number(t), 0);
    stop = 0;
    assert_int_equal(trainer_outputs(t, &s, y, NULL, NULL, NULL), 0);
    memory_free(y);
    samples_close(&s);
    trainer_close(t);
    pool_close(pool);
}

static void test_input_gradient(void **state)
{
    check_input_gradient("toeplitz", MODEL_URPE, MODEL_NORM_PRE);
    check_input_gradient("shaw", MODEL_RPE, MODEL_NORM_POST);
    check_input_gradient("deberta", MODEL_RPE, MODEL_NORM_NONE);
}

static void test_rate(void **state)
{
    struct task task = small_task(MODEL_RPE);
    struct pool *pool = open_pool(1);
    task.train.warmup = 4;
    task.train.steps = 8;
    struct trainer *t = open_trainer(&task, pool);
    struct train_report r;
    struct err e = {0};
    /* lr (k/4) while k < 4, then lr (8 - k + 1) / (8 - 4 + 1) */
    const double want[] = {0.25, 0.5, 0.75, 1, 0.8, 0.6, 0.4, 0.2};
    for (int k = 0; k < 8; k++) {
        assert_int_equal(trainer_step(t, &r, &e), 0);
        assert_true(fabs(r.rate / task.train.lr - want[k]) < 1e-12);
    }
    trainer_close(t);
    pool_close(pool);
}

/* The largest batches are priced as what they are, and larger ones refused at their key. */
static void test_large_batches(void **state)
{
    struct task task = small_task(MODEL_RPE);
    struct err e = {0};
    struct train_price price;
    task.space.length = 65536;
    task.train.batch = 32767;
    task.train.lengths = (struct option_ints){.count = 2, .value = {1, 65536}};
    assert_int_equal(task_check(&task, &e), 0);
    assert_int_equal(trainer_price(&task, &price, &e), 0);
    assert_true((double)price.bytes > 32767.0 * 65536 * sizeof(real) * 4);
    task.train.batch = 32768;
    assert_int_equal(task_check(&task, &e), ERR_USAGE);
    assert_string_equal(e.where, "train.batch");
    assert_non_null(strstr(e.msg, "at most 32767"));
}

/* A curriculum: lengths in turn, tokens a step constant, the same across a checkpoint. */
static void test_curriculum(void **state)
{
    struct task task = small_task(MODEL_URPE);
    struct pool *pool = open_pool(1);
    struct train_report r;
    struct err e = {0};
    char *bytes, extra[1];
    size_t count, extra_size;
    struct train_price price, whole;
    task.train.steps = 20;
    assert_int_equal(trainer_price(&task, &whole, &e), 0);
    task.train.lengths = (struct option_ints){.count = 3, .value = {4, 8, 16}};
    task.train.length_shares = (struct option_ints){.count = 3, .value = {1, 2, 1}};
    assert_int_equal(task_check(&task, &e), 0);
    assert_int_equal(trainer_price(&task, &price, &e), 0);
    assert_true(price.bytes >= whole.bytes); /* the dearest stage counts */
    struct trainer *a = open_trainer(&task, pool), *b = open_trainer(&task, pool);
    train(a, 12); /* into the second stage: steps 5 to 14 */
    assert_int_equal(trainer_save(a, "stamp", "", 0, &bytes, &count, &e), 0);
    train(a, 20);
    assert_int_equal(trainer_load(b, "stamp", bytes, count, extra, 1, &extra_size, &e), 0);
    train(b, 20);
    assert_memory_equal(trainer_parameters(a), trainer_parameters(b), parameter_bytes(a));

    task.train.length_shares.count = 2;
    assert_int_equal(task_check(&task, &e), ERR_USAGE);
    assert_string_equal(e.where, "train.length_shares");
    e = (struct err){0};
    task.train.length_shares.count = 0;
    struct trainer *c = open_trainer(&task, pool);
    assert_int_equal(trainer_step(c, &r, &e), 0);
    train(a, 20);
    assert_memory_not_equal(trainer_parameters(a), trainer_parameters(c), parameter_bytes(a));
    memory_free(bytes);
    trainer_close(a);
    trainer_close(b);
    trainer_close(c);
    pool_close(pool);
}

/* A curriculum made for other lengths: what is too long is left out with its share, and the last
 * length is space.length, be it larger or smaller than that. */
static void test_curriculum_of_other_lengths(void **state)
{
    struct task task = small_task(MODEL_URPE), longer = task, all = task, shorter = task;
    struct pool *pool = open_pool(1);
    struct err e = {0};
    task.train.lengths = (struct option_ints){.count = 3, .value = {4, 8, 16}};
    task.train.length_shares = (struct option_ints){.count = 3, .value = {1, 2, 3}};
    longer.train.lengths = (struct option_ints){.count = 5, .value = {4, 8, 17, 24, 32}};
    longer.train.length_shares = (struct option_ints){.count = 5, .value = {1, 2, 9, 9, 3}};
    all.train.lengths = (struct option_ints){.count = 2, .value = {24, 32}};
    shorter.train.lengths = (struct option_ints){.count = 3, .value = {4, 8, 9}};
    shorter.train.length_shares = task.train.length_shares;
    struct task *every[] = {&task, &longer, &all, &shorter};
    struct trainer *t[5];
    for (int k = 0; k < 4; k++) {
        every[k]->train.steps = 12;
        assert_int_equal(task_check(every[k], &e), 0);
        t[k] = open_trainer(every[k], pool);
        train(t[k], 12);
    }
    assert_memory_equal(trainer_parameters(t[0]), trainer_parameters(t[1]), parameter_bytes(t[0]));
    assert_memory_not_equal(trainer_parameters(t[0]), trainer_parameters(t[2]),
                            parameter_bytes(t[0]));
    assert_memory_equal(trainer_parameters(t[0]), trainer_parameters(t[3]), parameter_bytes(t[0]));
    all.train.lengths.count = 0; /* a curriculum that is all too long is none */
    t[4] = open_trainer(&all, pool);
    train(t[4], 12);
    assert_memory_equal(trainer_parameters(t[2]), trainer_parameters(t[4]), parameter_bytes(t[2]));
    for (int k = 0; k < 5; k++)
        trainer_close(t[k]);
    pool_close(pool);
}

/* `pi` at 32 positions has 32 labels; a model trained at 16 has 16. */
static void test_labels_of_longer_inputs(void **state)
{
    struct task task = task_default("pi", "toeplitz", MODEL_URPE);
    struct err e = {0};
    task.space.length = 16;
    task.evaluate.lengths = (struct option_ints){.count = 2, .value = {8, 16}};
    assert_int_equal(task_check(&task, &e), 0);
    task.evaluate.lengths.value[1] = 32;
    assert_int_equal(task_check(&task, &e), ERR_USAGE);
    assert_string_equal(e.where, "evaluate.lengths");
}

static void test_divergence_is_seen(void **state)
{
    struct task task = small_task(MODEL_RPE);
    struct pool *pool = open_pool(1);
    struct trainer *t = open_trainer(&task, pool);
    struct train_report r;
    struct err e = {0};
    train(t, 2);
    real *p = trainer_parameters(t), other = p[40];
    p[3] = (real)NAN;
    assert_int_equal(trainer_step(t, &r, &e), 0);
    assert_true(r.diverged);
    assert_int_equal(trainer_step_number(t), 2);
    assert_true(p[40] == other);
    trainer_close(t);
    pool_close(pool);
}

/* Adam's first step moves each parameter by rate x |g| / (|g| + epsilon): by its rate, but where the
 * gradient is within reach of epsilon.  So the largest move in a tensor is its rate. */
static double largest_move(struct trainer *t, const real *before, const char *name)
{
    const struct tensor *x = tensor_list_find(&trainer_model(t)->tensors, name);
    const real *now = trainer_parameters(t);
    double largest = 0;
    assert_non_null(x);
    for (size_t i = x->offset; i < x->offset + x->count; i++)
        largest = fmax(largest, fabs((double)(now[i] - before[i])));
    return largest;
}

static void check_rates(double table_lr, double c_lr, double b, double c)
{
    struct task task = small_task(MODEL_URPE);
    struct pool *pool = open_pool(1);
    struct err e = {0};
    task.train.lr = 0.001;
    task.train.warmup = 0;
    task.train.decay = TRAIN_DECAY_NONE;
    task.train.table_lr = table_lr;
    task.train.c_lr = c_lr;
    struct trainer *t = open_trainer(&task, pool);
    real *before = memory_alloc(1, parameter_bytes(t), &e);
    assert_non_null(before);
    memcpy(before, trainer_parameters(t), parameter_bytes(t));
    train(t, 1);
    /* Rounding: parameters of size 1 have a spacing of REAL_EPSILON. */
    double tolerance = 4 * (double)REAL_EPSILON + 1e-6;
    assert_true(fabs(largest_move(t, before, "encoding.bias") - 0.001 * b) <= tolerance * b);
    assert_true(fabs(largest_move(t, before, "urpe.c") - 0.001 * c) <= tolerance * c);
    assert_true(fabs(largest_move(t, before, "head.weight") - 0.001) <= tolerance);
    memory_free(before);
    trainer_close(t);
    pool_close(pool);
}

static void test_rates_of_tables(void **state)
{
    check_rates(1, 0, 1, 1);
    check_rates(3, 0, 3, 3);
    check_rates(3, 20, 3, 20);
    check_rates(3, 0.5, 3, 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_paired),
        cmocka_unit_test(test_outputs_do_not_depend_on_the_set),
        cmocka_unit_test(test_stop_ends_drawing_and_passes_over_a_set),
        cmocka_unit_test(test_input_gradient),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_rates_of_tables),
        cmocka_unit_test(test_large_batches),
        cmocka_unit_test(test_curriculum),
        cmocka_unit_test(test_curriculum_of_other_lengths),
        cmocka_unit_test(test_labels_of_longer_inputs),
        cmocka_unit_test(test_divergence_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

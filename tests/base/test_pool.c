/* Every item once, whatever the number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "base/pool.h"

enum { ITEMS = 1000 };

struct work {
    atomic_int calls[ITEMS];
    atomic_int busy[8], shared; /* by thread; how often a thread's number was another's, too */
    double result[ITEMS];
};

static void work_item(void *context, int item, int thread)
{
    struct work *w = context;
    atomic_fetch_add(&w->calls[item], 1);
    atomic_fetch_add(&w->shared, atomic_exchange(&w->busy[thread], 1));
    double x = item;
    for (int i = 0; i < 100; i++)
        x = x * 0.999 + 1;
    w->result[item] = x;
    atomic_store(&w->busy[thread], 0);
}

static void every_item_once(void **state)
{
    static struct work alone;
    for (int item = 0; item < ITEMS; item++)
        work_item(&alone, item, 0);
    for (int threads = 1; threads <= 8; threads++) {
        struct pool *p;
        assert_int_equal(pool_open(&p, threads, NULL), 0);
        assert_int_equal(pool_threads(p), threads);
        for (int round = 0; round < 20; round++) {
            static struct work w;
            w = (struct work){0};
            for (int k = threads; k < 8; k++)
                w.busy[k] = 1; /* no thread has that number */
            int items = round == 0 ? 0 : round == 1 ? 1 : ITEMS - round;
            pool_run(p, items, work_item, &w);
            assert_int_equal(atomic_load(&w.shared), 0);
            for (int item = 0; item < ITEMS; item++) {
                assert_int_equal(atomic_load(&w.calls[item]), item < items);
                assert_true(item >= items || w.result[item] == alone.result[item]);
            }
        }
        pool_close(p);
    }
    pool_close(NULL);
}

/* With as many items as threads that wait for one another, all must be in the air at once. */
static void meet(void *context, int item, int thread)
{
    pthread_barrier_wait(context);
}

static void threads_work_at_the_same_time(void **state)
{
    struct pool *p;
    pthread_barrier_t barrier;
    assert_int_equal(pool_open(&p, 4, NULL), 0);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 4), 0);
    for (int round = 0; round < 50; round++)
        pool_run(p, 8, meet, &barrier);
    pthread_barrier_destroy(&barrier);
    pool_close(p);
}

struct mask_seen {
    pthread_barrier_t barrier;
    pthread_t caller;
    atomic_int blocked_in_caller, open_elsewhere;
};

static void look_at_mask(void *context, int item, int thread)
{
    struct mask_seen *seen = context;
    sigset_t mask;
    pthread_barrier_wait(&seen->barrier);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    int blocked = sigismember(&mask, SIGINT);
    if (pthread_equal(pthread_self(), seen->caller))
        atomic_fetch_add(&seen->blocked_in_caller, blocked);
    else
        atomic_fetch_add(&seen->open_elsewhere, !blocked);
}

static void signals_stay_with_the_caller(void **state)
{
    struct pool *p;
    struct mask_seen seen = {.caller = pthread_self()};
    assert_int_equal(pthread_barrier_init(&seen.barrier, NULL, 3), 0);
    assert_int_equal(pool_open(&p, 3, NULL), 0);
    pool_run(p, 3, look_at_mask, &seen);
    pool_close(p);
    pthread_barrier_destroy(&seen.barrier);
    assert_int_equal(atomic_load(&seen.blocked_in_caller), 0);
    assert_int_equal(atomic_load(&seen.open_elsewhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),
        cmocka_unit_test(threads_work_at_the_same_time),
        cmocka_unit_test(signals_stay_with_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A pool of threads.  Invariant: under the mutex, items below `next` have been handed out once each
 * and `left` of them and of those to come are not done; pool_run returns when left is 0. */
#include "base/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "base/memory.h"

struct thread {
    struct pool *pool;
    pthread_t id;
    int number;
};

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    struct thread *thread; /* threads - 1 of them: the caller of pool_run works too, as number 0 */
    int threads, started;
    bool closing;
    void (*task)(void *context, int item, int thread);
    void *context;
    int items, next, left;
};

/* Works until no item is left to hand out.  Called and returns with the mutex held. */
static void work_off(struct pool *p, int thread)
{
    while (p->next < p->items) {
        int item = p->next++;
        pthread_mutex_unlock(&p->mutex);
        p->task(p->context, item, thread);
        pthread_mutex_lock(&p->mutex);
        if (--p->left == 0)
            pthread_cond_signal(&p->done);
    }
}

static void *thread_main(void *argument)
{
    const struct thread *t = argument;
    struct pool *p = t->pool;
    pthread_mutex_lock(&p->mutex);
    while (!p->closing) {
        work_off(p, t->number);
        if (!p->closing)
            pthread_cond_wait(&p->work, &p->mutex);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* Signals are for the thread that opened the pool, so the others start with all of them blocked. */
static int start_threads(struct pool *p, struct err *e)
{
    sigset_t all, before;
    int number = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (number == 0 && p->started < p->threads - 1) {
        struct thread *t = &p->thread[p->started];
        *t = (struct thread){.pool = p, .number = p->started + 1};
        number = pthread_create(&t->id, NULL, thread_main, t);
        p->started += number == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (number != 0)
        return err_set(e, ERR_MEMORY, NULL, "thread %d of %d cannot be started: %s", p->started + 2,
                       p->threads, err_system(number));
    return 0;
}

int pool_open(struct pool **out, int threads, struct err *e)
{
    assert(threads >= 1);
    *out = NULL;
    struct pool *p = memory_alloc(1, sizeof *p, e);
    if (p == NULL)
        return ERR_MEMORY;
    p->threads = threads;
    pthread_mutex_init(&p->mutex, NULL); /* these three cannot fail with default attributes */
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    p->thread = memory_alloc((size_t)threads, sizeof *p->thread, e);
    int rc = p->thread == NULL ? ERR_MEMORY : start_threads(p, e);
    if (rc != 0) {
        pool_close(p);
        return rc;
    }
    *out = p;
    return 0;
}

void pool_run(struct pool *p, int items, void (*task)(void *context, int item, int thread), void *context)
{
    assert(items >= 0);
    if (p->threads == 1) {
        for (int item = 0; item < items; item++)
            task(context, item, 0);
        return;
    }
    pthread_mutex_lock(&p->mutex);
    assert(p->left == 0 && "a task must not call pool_run on its own pool");
    p->task = task;
    p->context = context;
    p->items = p->left = items;
    p->next = 0;
    pthread_cond_broadcast(&p->work);
    work_off(p, 0);
    while (p->left > 0)
        pthread_cond_wait(&p->done, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
}

int pool_threads(const struct pool *p)
{
    return p->threads;
}

void pool_close(struct pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->thread[i].id, NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    memory_free(p->thread);
    memory_free(p);
}

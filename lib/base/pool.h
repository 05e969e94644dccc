/* Threads for the microbatches of one cell.  The work is numbered; which thread does which number
 * never changes a result, because each number writes only what belongs to it, or what its thread has
 * to itself. */
#ifndef BASE_POOL_H
#define BASE_POOL_H
#include "base/err.h"

struct pool;
/* threads >= 1; with 1 no thread is started and pool_run is a plain loop. */
int pool_open(struct pool **out, int threads, struct err *e);
/* Calls task(context, item, thread) for item = 0..items-1 and returns when all are done; thread, below
 * pool_threads, is that of no other call meanwhile. */
void pool_run(struct pool *p, int items, void (*task)(void *context, int item, int thread), void *context);
int pool_threads(const struct pool *p);
void pool_close(struct pool *p); /* NULL is fine */

#endif

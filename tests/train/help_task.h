/* Tasks for tests, from the option tables' defaults. */
#ifndef TESTS_HELP_TASK_H
#define TESTS_HELP_TASK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/train.h"

/* Defaults of every section, and this target, encoding and attention. */
struct task task_default(const char *target, const char *encoding, int attention);

/* The kernels, and what trains a task; the caller closes them. */
struct trainer *open_trainer(const struct task *task, struct pool *pool);
struct pool *open_pool(int threads);
/* Trains to step `until`, without diverging; returns the last loss. */
double train(struct trainer *t, int64_t until);
/* Asserts that 60 steps halve the loss, and that one thread and three give the same bytes. */
void learns_with_any_threads(const struct task *task);

#endif

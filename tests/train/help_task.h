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

#endif

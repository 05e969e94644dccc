/* A layout of a named space for tests of the space layer. */
#ifndef TESTS_SPACE_HELP_H
#define TESTS_SPACE_HELP_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "space/space.h"

struct fixture {
    struct space_config config;
    struct arena arena;
    struct layout layout;
};

/* Fails the test when the space does not exist or gives no layout. */
void fixture_open(struct fixture *f, const char *space, int length);
void fixture_open_grid(struct fixture *f, int height, int width);
void fixture_close(struct fixture *f);

#endif

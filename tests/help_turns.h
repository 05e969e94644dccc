/* What `make test` sweeps by turns; with URPE_FULL in the environment (make test-slow, .ci/run) all of it. */
#ifndef HELP_TURNS_H
#define HELP_TURNS_H
#include <stdbool.h>
#include <stdlib.h>

#include "base/real.h"

static inline bool help_full(void)
{
    return getenv("URPE_FULL") != NULL;
}

/* Whether it is the turn of what has this number, one of so many. */
static inline bool help_turn(int number, int of)
{
    return help_full() || number % of == 0;
}

/* The same, where each precision takes others. */
static inline bool help_turn_here(int number, int of)
{
    return help_turn(number + (sizeof(real) == sizeof(double)), of);
}

#endif

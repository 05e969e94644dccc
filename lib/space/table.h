/* The lists that the tables are made of: a new space, pattern or orbit is its own definition and
 * one line here.  Invariant: PATTERN_LIST has the order of enum pattern_id. */
#ifndef SPACE_TABLE_H
#define SPACE_TABLE_H
#include "space/space.h"

#define SPACE_LIST(X) \
    X(sequence)       \
    X(grid)           \
    X(graph)

#define PATTERN_LIST(X) \
    X(generic)          \
    X(identical)        \
    X(prefix)           \
    X(periodic)         \
    X(palindrome)       \
    X(blocks)           \
    X(mirror)           \
    X(checkerboard)     \
    X(constant)         \
    X(first)            \
    X(near)             \
    X(lua)

#define ORBIT_LIST(X) \
    X(none)           \
    X(reversal)       \
    X(shifts)         \
    X(dihedral)       \
    X(mirrors)

#define SPACE_DECLARE(name) extern const struct space space_##name;
#define PATTERN_DECLARE(name) extern const struct pattern pattern_##name;
#define ORBIT_DECLARE(name) extern const struct orbit orbit_##name;
SPACE_LIST(SPACE_DECLARE)
PATTERN_LIST(PATTERN_DECLARE)
ORBIT_LIST(ORBIT_DECLARE)

#endif

/* The list that the table of targets is made of: a new target is its own definition and one line
 * here. */
#ifndef TARGET_TABLE_H
#define TARGET_TABLE_H
#include "target/target.h"

#define TARGET_LIST(X)      \
    /* differ by position */ \
    X(position)             \
    X(gain)                 \
    X(affine)               \
    X(piecewise)            \
    X(random_field)         \
    /* mix positions */     \
    X(prefix_sum)           \
    X(shift)                \
    X(reverse)              \
    X(even)                 \
    X(filter)               \
    X(difference)           \
    X(sort)                 \
    /* controls */          \
    X(identity)             \
    X(mean)                 \
    X(prefix_mean)          \
    X(local_mean)           \
    X(moving_max)           \
    /* grids */             \
    X(grid_position)        \
    X(grid_gain)            \
    X(summed_area)          \
    X(grid_shift)           \
    X(reflect)              \
    X(border_distance)      \
    X(blur)                 \
    X(periodic_blur)        \
    /* graphs */            \
    X(degree)               \
    X(nodes_at_distance)    \
    X(eccentricity)         \
    X(closeness)            \
    X(cycles)               \
    X(source_distance)      \
    X(neighbour_sum)        \
    X(neighbour_mean)       \
    /* tokens */            \
    X(pi)                   \
    X(etp)                  \
    X(token_reverse)        \
    X(odds_first)           \
    X(token_shift)          \
    X(bucket_sort)          \
    X(prefix_parity)        \
    X(prefix_majority)      \
    X(histogram)            \
    X(majority)             \
    X(recall)               \
    X(induction)            \
    /* the user's own */    \
    X(lua)                  \
    X(text)                 \
    X(data)

#define TARGET_DECLARE(name) extern const struct target target_##name;
TARGET_LIST(TARGET_DECLARE)

#endif

/* The list that the table of targets is made of: a new target is its own definition and one line
 * here, with the family that cards and listings show it in. */
#ifndef TARGET_TABLE_H
#define TARGET_TABLE_H
#include "target/target.h"

#define TARGET_LIST(X)                  \
    /* differ by position */            \
    X(position, "position")             \
    X(gain, "position")                 \
    X(affine, "position")               \
    X(piecewise, "position")            \
    X(random_field, "position")         \
    /* mix positions */                 \
    X(prefix_sum, "mixing")             \
    X(shift, "look-behind")             \
    X(reverse, "selection")             \
    X(even, "selection")                \
    X(filter, "mixing")                 \
    X(difference, "look-behind")        \
    X(sort, "selection")                \
    /* controls */                      \
    X(identity, "control")              \
    X(mean, "control")                  \
    X(prefix_mean, "mixing")            \
    X(local_mean, "control")            \
    X(moving_max, "look-behind")        \
    /* grids */                         \
    X(grid_position, "grid")            \
    X(grid_gain, "grid")                \
    X(summed_area, "grid")              \
    X(grid_shift, "grid")               \
    X(reflect, "grid")                  \
    X(border_distance, "grid")          \
    X(blur, "grid")                     \
    X(periodic_blur, "grid")            \
    /* graphs */                        \
    X(degree, "graph")                  \
    X(nodes_at_distance, "graph")       \
    X(eccentricity, "graph")            \
    X(closeness, "graph")               \
    X(cycles, "graph")                  \
    X(source_distance, "graph")         \
    X(neighbour_sum, "graph")           \
    X(neighbour_mean, "graph")          \
    /* tokens */                        \
    X(pi, "position")                   \
    X(etp, "selection")                 \
    X(token_reverse, "selection")       \
    X(odds_first, "selection")          \
    X(token_shift, "look-behind")       \
    X(bucket_sort, "selection")         \
    X(prefix_parity, "counting")        \
    X(prefix_majority, "counting")      \
    X(histogram, "counting")            \
    X(majority, "counting")             \
    X(recall, "selection")              \
    X(induction, "selection")           \
    /* the user's own */                \
    X(lua, "own")                       \
    X(text, "own")                      \
    X(data, "own")

#define TARGET_DECLARE(name, family) extern const struct target target_##name;
TARGET_LIST(TARGET_DECLARE)

#endif

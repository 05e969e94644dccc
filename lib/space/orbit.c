/* Orbits: groups of permutations under which the evaluation set is closed.
 * Invariant: image 0 is the identity, and the permutations of an orbit are distinct and closed
 * under composition (so on one or two positions, where a reversal is the identity or a shift, an
 * orbit has fewer images). */
#include <stdlib.h>

#include "space/space.h"

static int none_images(const struct layout *l)
{
    return 1;
}

static void none_image(const struct layout *l, int k, int *perm)
{
    for (int i = 0; i < l->n; i++)
        perm[i] = i;
}

static int reversal_images(const struct layout *l)
{
    return l->n > 1 ? 2 : 1;
}

static void reversal_image(const struct layout *l, int k, int *perm)
{
    for (int i = 0; i < l->n; i++)
        perm[i] = k ? l->n - 1 - i : i;
}

static int shifts_images(const struct layout *l)
{
    return l->n;
}

/* Image k moves by k / width rows and k % width columns, each around its own end; a sequence is a
 * grid of one row. */
static void shifts_image(const struct layout *l, int k, int *perm)
{
    int width = layout_extent(l, l->axes - 1), height = l->n / width;
    for (int i = 0; i < l->n; i++)
        perm[i] = (i / width + k / width) % height * width + (i % width + k) % width;
}

static int dihedral_images(const struct layout *l)
{
    return l->n > 2 ? 2 * l->n : l->n;
}

/* Images 0..n-1 are the shifts, n..2n-1 the reversals of the shifts. */
static void dihedral_image(const struct layout *l, int k, int *perm)
{
    for (int i = 0; i < l->n; i++)
        perm[i] = ((k < l->n ? i : l->n - 1 - i) + k) % l->n;
}

static int mirrors_images(const struct layout *l)
{
    int width = layout_extent(l, l->axes - 1), height = l->n / width;
    return (width > 1 ? 2 : 1) * (height > 1 ? 2 : 1);
}

/* Bit 0 of k mirrors the columns, bit 1 the rows; on a single column bit 0 stands for the rows. */
static void mirrors_image(const struct layout *l, int k, int *perm)
{
    int width = layout_extent(l, l->axes - 1), height = l->n / width;
    bool left_right = width > 1 && (k & 1), up_down = width > 1 ? k & 2 : k & 1;
    for (int i = 0; i < l->n; i++) {
        int row = i / width, column = i % width;
        perm[i] = (up_down ? height - 1 - row : row) * width +
                  (left_right ? width - 1 - column : column);
    }
}

#define ORBITS(X)                                                      \
    X(none, "each sample alone")                                       \
    X(reversal, "each sample and its reversal")                        \
    X(shifts, "the n cyclic shifts of each sample, along every axis")  \
    X(dihedral, "the n cyclic shifts of each sample and their reversals") \
    X(mirrors, "each sample mirrored left-right, up-down and both")
#define ORBIT(name, help) &(const struct orbit){#name, help, name##_images, name##_image},
#define NAME(name, help) #name,

const struct orbit *const orbit_table[] = {ORBITS(ORBIT) NULL};
const char *const orbit_names[] = {ORBITS(NAME) NULL};

/* sinusoidal: x_i += PE(i), PE(i,2k) = sin(i / 10000^(2k/d)), PE(i,2k+1) = cos(same).
 * Source: Vaswani et al. 2017, section 3.5.  On a grid the first half of the channels holds the row
 * coordinate and the second half the column, each with d/2 in place of d.
 *
 *   PE, n = 4, d = 4:   i=0:  0.000  1.000  0.000  1.000
 *                       i=1:  0.841  0.540  0.010  1.000
 *                       i=2:  0.909 -0.416  0.020  1.000
 *                       i=3:  0.141 -0.990  0.030  1.000 */
#include <math.h>

#include "encoding/parts.h"

/* Channels of axis `axis` are [first_channel(axis), first_channel(axis + 1)). */
static int first_channel(const struct encoding_context *c, int axis)
{
    return c->shape->width * axis / c->layout->axes;
}

/* state (positions, width): row p is what a coordinate p adds. */
static size_t state_size(const struct encoding_context *c)
{
    return (size_t)encoding_positions(c->layout) * (size_t)c->shape->width;
}

static void prepare(const struct encoding_context *c, real *state)
{
    int width = c->shape->width, positions = encoding_positions(c->layout);
    for (int axis = 0; axis < c->layout->axes; axis++) {
        int first = first_channel(c, axis), end = first_channel(c, axis + 1);
        for (int t = first; t < end; t++) {
            double frequency = encoding_frequency(10000, (t - first) / 2, end - first);
            for (int p = 0; p < positions; p++)
                state[(size_t)p * (size_t)width + (size_t)t] =
                    (real)((t - first) % 2 ? cos(p * frequency) : sin(p * frequency));
        }
    }
}

static void input(const struct encoding_context *c, real *x)
{
    int width = c->shape->width;
    for (int i = 0; i < c->layout->n; i++)
        for (int axis = 0; axis < c->layout->axes; axis++) {
            size_t p = (size_t)layout_coordinate(c->layout, i, axis);
            real *row = x + (size_t)i * (size_t)width;
            for (int t = first_channel(c, axis); t < first_channel(c, axis + 1); t++)
                row[t] += c->state[p * (size_t)width + (size_t)t];
        }
}

const struct encoding encoding_sinusoidal = {
    .name = "sinusoidal",
    .formula = "x_i += PE(i), PE(i,2k) = sin(i / 10000^(2k/d)), PE(i,2k+1) = cos(same), i from 0",
    .summary = "fixed absolute positions, added to the input",
    .citation = "Vaswani et al. 2017, section 3.5",
    .relation_text = "absolute: nothing merges",
    .longer = "any length",
    .axes_min = 1, .axes_max = 2,
    .scattered = true,
    .facts = encoding_facts_absolute,
    .relation = encoding_relation_one,
    .state_size = state_size,
    .prepare = prepare,
    .input = input,
};

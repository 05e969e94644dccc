/* Targets on grids of H rows and W columns, n = H W; r and c count from 1.
 * Invariant: positions enter through their rows and columns only. */
#include <math.h>

#include "target/target.h"

static const double TWO_PI = 6.283185307179586476925286766559;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int grid_position_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] =
                (double)(layout_coordinate(t->layout, i, k % 2) + 1) / layout_extent(t->layout, k % 2);
    return 0;
}

static int grid_gain_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++) {
        double turn = 0;
        for (int axis = 0; axis < 2; axis++)
            turn += (double)(layout_coordinate(t->layout, i, axis) + 1) / layout_extent(t->layout, axis);
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = sin(TWO_PI * turn) * x[(size_t)i * d + k];
    }
    return 0;
}

/* Two passes: running sums along the rows, then down the columns. */
static int summed_area_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    size_t row = (size_t)layout_extent(t->layout, 1) * d, count = (size_t)t->n * d;
    for (size_t k = 0; k < count; k++)
        y[k] = x[k] + (k % row >= (size_t)d ? y[k - d] : 0);
    for (size_t k = row; k < count; k++)
        y[k] += y[k - row];
    for (size_t k = 0; k < count; k++)
        y[k] /= sqrt(t->n);
    return 0;
}

/* Token (row, column) of x, or 0 outside of the grid. */
static double pixel(const struct layout *l, int d, const double *x, int row, int column, int k)
{
    int height = layout_extent(l, 0), width = layout_extent(l, 1);
    if (row < 0 || row >= height || column < 0 || column >= width)
        return 0;
    return x[((size_t)row * width + column) * d + k];
}

enum { GRID_SHIFT_ROWS, GRID_SHIFT_COLUMNS };
static const struct option grid_shift_options[] = {
    {.key = "rows", .type = OPTION_INT, .min = -4095, .max = 4095, .fallback = "1",
     .unit = "rows", .help = "how far down tokens move; negative: up"},
    {.key = "columns", .type = OPTION_INT, .min = -4095, .max = 4095, .fallback = "1",
     .unit = "columns", .help = "how far to the right tokens move; negative: to the left"},
    {.key = NULL},
};

static int grid_shift_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int down = (int)t->config->kind.number[GRID_SHIFT_ROWS];
    int right = (int)t->config->kind.number[GRID_SHIFT_COLUMNS];
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = pixel(t->layout, d, x, layout_coordinate(t->layout, i, 0) - down,
                                         layout_coordinate(t->layout, i, 1) - right, k);
    return 0;
}

static int reflect_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int width = layout_extent(t->layout, 1);
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = pixel(t->layout, d, x, layout_coordinate(t->layout, i, 0),
                                         width - 1 - layout_coordinate(t->layout, i, 1), k);
    return 0;
}

static int border_distance_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int height = layout_extent(t->layout, 0), width = layout_extent(t->layout, 1);
    int deepest = (smaller(height, width) + 1) / 2;
    for (int i = 0; i < t->n; i++) {
        int row = layout_coordinate(t->layout, i, 0) + 1, column = layout_coordinate(t->layout, i, 1) + 1;
        int steps = smaller(smaller(row, height + 1 - row), smaller(column, width + 1 - column));
        for (int k = 0; k < d; k++)
            y[(size_t)i * d + k] = (double)steps / deepest;
    }
    return 0;
}

static int blur_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++) {
            double sum = 0;
            for (int m = 0; m < 9; m++)
                sum += pixel(t->layout, d, x, layout_coordinate(t->layout, i, 0) + m / 3 - 1,
                             layout_coordinate(t->layout, i, 1) + m % 3 - 1, k);
            y[(size_t)i * d + k] = sum / 9;
        }
    return 0;
}

static int periodic_blur_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int height = layout_extent(t->layout, 0), width = layout_extent(t->layout, 1);
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++) {
            double sum = 0;
            for (int m = 0; m < 9; m++)
                sum += pixel(t->layout, d, x, (layout_coordinate(t->layout, i, 0) + m / 3 - 1 + height) % height,
                             (layout_coordinate(t->layout, i, 1) + m % 3 - 1 + width) % width, k);
            y[(size_t)i * d + k] = sum / 9;
        }
    return 0;
}

const struct target target_grid_position = {
    .name = "grid_position",
    .formula = "y_{r,c} = r/H in channels 1, 3, ..., c/W in channels 2, 4, ...",
    .summary = "row and column, in turn over the channels",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = grid_position_evaluate,
};

const struct target target_grid_gain = {
    .name = "grid_gain",
    .formula = "y_{r,c} = sin(2 pi (r/H + c/W)) x_{r,c}",
    .summary = "each token times a number that depends on its row and column",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = grid_gain_evaluate,
};

const struct target target_summed_area = {
    .name = "summed_area",
    .formula = "y_{r,c} = sum_{r'<=r, c'<=c} x_{r',c'} / sqrt(n)",
    .summary = "summed-area table",
    .citation = "Crow 1984",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = summed_area_evaluate,
};

const struct target target_grid_shift = {
    .name = "grid_shift",
    .formula = "y_{r,c} = x_{r-rows,c-columns}, 0 outside",
    .summary = "tokens moved by rows and columns",
    .options = grid_shift_options,
    .needs = TARGET_NEEDS_GRID,
    .evaluate = grid_shift_evaluate,
};

const struct target target_reflect = {
    .name = "reflect",
    .formula = "y_{r,c} = x_{r,W+1-c}",
    .summary = "left and right exchanged",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = reflect_evaluate,
};

const struct target target_border_distance = {
    .name = "border_distance",
    .formula = "y_{r,c} = min(r, H+1-r, c, W+1-c) / ceil(min(H,W)/2)",
    .summary = "steps to the nearest outside position, 1 at the deepest",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = border_distance_evaluate,
};

const struct target target_blur = {
    .name = "blur",
    .formula = "y_{r,c} = sum_{|r'-r|<=1, |c'-c|<=1} x_{r',c'} / 9, 0 outside",
    .summary = "3 x 3 average with zero padding",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = blur_evaluate,
};

const struct target target_periodic_blur = {
    .name = "periodic_blur",
    .formula = "y_{r,c} = sum_{|dr|<=1, |dc|<=1} x_{r+dr mod H, c+dc mod W} / 9",
    .summary = "control without floor on identical inputs: 3 x 3 average around the ends",
    .needs = TARGET_NEEDS_GRID,
    .evaluate = periodic_blur_evaluate,
};

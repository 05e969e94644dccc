/* Grids: positions in rows and columns, in row-major order, related by their offset (dy, dx).
 * Invariant: relation (dy + H-1) (2W-1) + dx + W-1, so every offset has exactly one relation. */
#include <math.h>

#include "space/space.h"

enum { GRID_HEIGHT, GRID_WIDTH };
/* The relation table has n^2 entries: 64 MiB at 4096 positions. */
enum { GRID_POSITIONS_MAX = 4096 };

static const struct option options[] = {
    {.key = "height", .type = OPTION_INT, .min = 1, .max = GRID_POSITIONS_MAX, .fallback = "6",
     .unit = "rows", .help = "H, rows of the grid"},
    {.key = "width", .type = OPTION_INT, .min = 1, .max = GRID_POSITIONS_MAX, .fallback = "6",
     .unit = "columns", .help = "W, columns of the grid"},
    {.key = NULL},
};

static int64_t grid_positions(const struct space_config *c)
{
    return (int64_t)c->kind.number[GRID_HEIGHT] * (int64_t)c->kind.number[GRID_WIDTH];
}

static int grid_check(const struct space_config *c, struct err *e)
{
    if (grid_positions(c) <= GRID_POSITIONS_MAX)
        return 0;
    return err_set(e, ERR_USAGE, "space.height",
                   "a grid of %.0f x %.0f has %lld positions; expected at most %d",
                   c->kind.number[GRID_HEIGHT], c->kind.number[GRID_WIDTH],
                   (long long)grid_positions(c), GRID_POSITIONS_MAX);
}

static int clip(int offset, int size)
{
    return offset < -size ? -size : offset > size ? size : offset;
}

static void grid_fold(const struct layout *trained, const struct layout *here, int32_t *map)
{
    int height = layout_extent(trained, 0), width = layout_extent(trained, 1);
    for (int r = 0; r < here->relations; r++) {
        int dy = clip(here->offset[2 * r], height - 1);
        int dx = clip(here->offset[2 * r + 1], width - 1);
        map[r] = (dy + height - 1) * (2 * width - 1) + dx + width - 1;
    }
}

static void fill(int height, int width, int32_t *relation, int32_t *coordinate, int32_t *offset,
                 double *distance)
{
    int n = height * width, columns = 2 * width - 1;
    for (int i = 0; i < n; i++) {
        coordinate[2 * i] = i / width;
        coordinate[2 * i + 1] = i % width;
        for (int j = 0; j < n; j++) {
            int dy = j / width - i / width, dx = j % width - i % width;
            relation[(size_t)i * (size_t)n + (size_t)j] =
                (dy + height - 1) * columns + dx + width - 1;
        }
    }
    for (int r = 0; r < (2 * height - 1) * columns; r++) {
        offset[2 * r] = r / columns - (height - 1);
        offset[2 * r + 1] = r % columns - (width - 1);
        distance[r] = hypot(offset[2 * r], offset[2 * r + 1]);
    }
}

static int grid_layout(const struct space_config *c, int length, struct arena *arena,
                       struct layout *out, struct err *e)
{
    int height = (int)c->kind.number[GRID_HEIGHT], width = (int)c->kind.number[GRID_WIDTH];
    int n = height * width, relations = (2 * height - 1) * (2 * width - 1);
    if (length != n)
        return err_set(e, ERR_USAGE, "evaluate.lengths",
                       "a grid of %d x %d has %d positions, not %d; expected no other length",
                       height, width, n, length);
    int32_t *relation = arena_alloc(arena, (size_t)n * (size_t)n, sizeof *relation, e);
    int32_t *coordinate = arena_alloc(arena, (size_t)n * 2, sizeof *coordinate, e);
    int32_t *offset = arena_alloc(arena, (size_t)relations * 2, sizeof *offset, e);
    double *distance = arena_alloc(arena, (size_t)relations, sizeof *distance, e);
    if (relation && coordinate && offset && distance)
        fill(height, width, relation, coordinate, offset, distance);
    else if (!arena->measuring)
        return ERR_MEMORY;
    *out = (struct layout){.n = n, .relations = relations, .relation = relation, .axes = 2,
                           .coordinate = coordinate, .offset = offset, .distance = distance,
                           .fold = grid_fold};
    return 0;
}

static const char *const patterns[] = {"generic",      "identical", "mirror",
                                       "checkerboard", "constant",  "near", "lua", NULL};
static const char *const orbits[] = {"none", "reversal", "shifts", "mirrors", NULL};

const struct space space_grid = {
    .name = "grid",
    .summary = "positions in rows and columns; relation(i,j) is the offset (dy, dx)",
    .citation = "Luo et al. 2022, arXiv 2205.13401 (images as an extension)",
    .options = options,
    .patterns = patterns,
    .orbits = orbits,
    .axes = 2,
    .positions = grid_positions,
    .sized_by = "space.height and space.width",
    .check = grid_check,
    .layout = grid_layout,
};

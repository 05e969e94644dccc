/* Sequences: positions 0..n-1 on a line, related by their offset j - i.
 * Invariant: relation r is offset r - (n-1), so a layout needs no (n,n) table. */
#include <assert.h>
#include <stdlib.h>

#include "space/table.h"

static void sequence_fold(const struct layout *trained, const struct layout *here, int32_t *map)
{
    for (int r = 0; r < here->relations; r++) {
        int offset = here->offset[r];
        if (offset > trained->origin)
            offset = trained->origin;
        if (offset < -trained->origin)
            offset = -trained->origin;
        map[r] = offset + trained->origin;
    }
}

int layout_line(int length, struct arena *arena, struct layout *out, struct err *e)
{
    assert(length >= 1);
    int relations = 2 * length - 1;
    int32_t *offset = arena_alloc(arena, (size_t)relations, sizeof *offset, e);
    double *distance = arena_alloc(arena, (size_t)relations, sizeof *distance, e);
    if ((!offset || !distance) && !arena->measuring)
        return ERR_MEMORY;
    for (int r = 0; r < relations && offset; r++) {
        offset[r] = r - (length - 1);
        distance[r] = abs(offset[r]);
    }
    *out = (struct layout){.n = length, .relations = relations, .origin = length - 1, .axes = 1,
                           .offset = offset, .distance = distance, .fold = sequence_fold};
    return 0;
}

struct layout layout_shorter(const struct layout *line, int n)
{
    struct layout out = *line;
    out.n = n;
    out.relations = 2 * n - 1;
    out.origin = n - 1;
    out.offset += line->n - n;
    out.distance += line->n - n;
    return out;
}

static int sequence_layout(const struct space_config *c, int length, struct arena *arena,
                           struct layout *out, struct err *e)
{
    (void)c;
    return layout_line(length, arena, out, e);
}

static const char *const patterns[] = {"generic",    "identical", "prefix", "periodic",
                                       "palindrome", "blocks",    "constant", "first",
                                       "near",      NULL};
static const char *const orbits[] = {"none", "reversal", "shifts", "dihedral", NULL};

const struct space space_sequence = {
    .name = "sequence",
    .summary = "positions on a line; relation(i,j) is the offset j - i",
    .citation = "Luo et al. 2022, arXiv 2205.13401",
    .patterns = patterns,
    .orbits = orbits,
    .axes = 1,
    .layout = sequence_layout,
};

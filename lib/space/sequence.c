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

static int sequence_layout(const struct space_config *c, int length, struct arena *arena,
                           struct layout *out, struct err *e)
{
    (void)c;
    return layout_line(length, arena, out, e);
}

/* ---- samples of unequal length ----------------------------------------------------------------*/
enum { LENGTH_MIN };
static const struct option options[] = {
    [LENGTH_MIN] = {.key = "length_min", .type = OPTION_INT, .min = 0, .max = 65536, .fallback = "0",
                    .unit = "tokens", .quiet = true,
                    .help = "samples have this many tokens to `length`, uniformly; 0: all have `length`"},
    {.key = NULL},
};

static int sequence_check(const struct space_config *c, struct err *e)
{
    int least = (int)c->kind.number[LENGTH_MIN];
    if (least <= c->length)
        return 0;
    return err_set(e, ERR_USAGE, "space.length_min", "the shortest sequence has %d tokens and the longest "
                   "%lld; expected at most that", least, (long long)c->length);
}

static bool sequence_resizes(const struct space_config *c)
{
    return c->kind.number[LENGTH_MIN] > 0 && c->kind.number[LENGTH_MIN] < (double)c->length;
}

static int sequence_least(const struct space_config *c)
{
    return (int)c->kind.number[LENGTH_MIN];
}

static int sequence_size(const struct space_config *c, int length, struct stream *random)
{
    int least = sequence_least(c);
    return least < length ? least + (int)stream_below(random, (uint64_t)(length - least) + 1) : length;
}

static const char *const patterns[] = {"generic",    "identical", "prefix", "periodic",
                                       "palindrome", "blocks",    "constant", "first",
                                       "near",      "lua", NULL};
static const char *const orbits[] = {"none", "reversal", "shifts", "dihedral", NULL};

const struct space space_sequence = {
    .name = "sequence",
    .summary = "positions on a line; relation(i,j) is the offset j - i",
    .citation = "Luo et al. 2022, arXiv 2205.13401",
    .patterns = patterns,
    .orbits = orbits,
    .axes = 1,
    .options = options,
    .check = sequence_check,
    .layout = sequence_layout,
    .resizes = sequence_resizes,
    .least = sequence_least,
    .size = sequence_size,
};

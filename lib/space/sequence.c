/* Sequences: positions 0..n-1 on a line, related by their offset j - i.
 * Invariant: relation r is offset r - (n-1), so a layout needs no (n,n) table.
 *
 * With random positions (Ruoss et al. 2023) the positions of a sample stand at n of the places 0..M-1,
 * drawn without repetition and in order; relation r is offset r - (M-1) there.
 *
 *   n = 3, M = 6, drawn 1 2 5:     j - i by place    0  1  4
 *                                                   -1  0  3
 *                                                   -4 -3  0 */
#include <assert.h>
#include <stdlib.h>

#include "space/space.h"

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

/* Offsets and sizes of the relations of a line of that many places. */
static int open_offsets(int places, struct arena *arena, struct layout *out, struct err *e)
{
    int relations = 2 * places - 1;
    int32_t *offset = arena_alloc(arena, (size_t)relations, sizeof *offset, e);
    double *distance = arena_alloc(arena, (size_t)relations, sizeof *distance, e);
    if ((!offset || !distance) && !arena->measuring)
        return ERR_MEMORY;
    for (int r = 0; r < relations && offset; r++) {
        offset[r] = r - (places - 1);
        distance[r] = abs(offset[r]);
    }
    *out = (struct layout){.relations = relations, .origin = places - 1, .axes = 1, .offset = offset,
                           .distance = distance, .fold = sequence_fold};
    return 0;
}

int layout_line(int length, struct arena *arena, struct layout *out, struct err *e)
{
    assert(length >= 1);
    int code = open_offsets(length, arena, out, e);
    out->n = length;
    return code;
}

int layout_scattered(int n, const int32_t *place, int places, struct arena *arena, struct layout *out,
                     struct err *e)
{
    size_t each = (size_t)n;
    int32_t *relation = arena_alloc(arena, each * each, sizeof *relation, e);
    int code = open_offsets(places, arena, out, e);
    if (code || (!relation && !arena->measuring))
        return ERR_MEMORY;
    for (size_t k = 0; k < each * each && relation; k++)
        relation[k] = place[k % each] - place[k / each] + places - 1;
    out->n = n;
    out->relation = relation;
    out->coordinate = place;
    return 0;
}

/* ---- options ----------------------------------------------------------------------------------*/
enum { PLACES_MAX = 4096 };
enum { LENGTH_MIN, RANDOM };
static const struct option options[] = {
    [LENGTH_MIN] = {.key = "length_min", .type = OPTION_INT, .min = 0, .max = 65536, .fallback = "0",
                    .unit = "tokens", .quiet = true,
                    .help = "samples have this many tokens to `length`, uniformly; 0: all have `length`"},
    [RANDOM] = {.key = "positions.random", .type = OPTION_INT, .min = 0, .max = PLACES_MAX,
                .fallback = "0", .unit = "places", .quiet = true,
                .help = "M: each sample's positions are drawn from 0 to M-1, in order; 0: they are 0 to n-1"},
    {.key = NULL},
};

static int places(const struct space_config *c)
{
    return (int)c->kind.number[RANDOM];
}

/* Room for the places of a sample, and a layout of them. */
static int32_t *open_places(int n, struct arena *arena, struct err *e)
{
    return arena_alloc(arena, (size_t)n, sizeof(int32_t), e);
}

/* The first places, and the last: n positions, with all relations. */
static int sequence_layout(const struct space_config *c, int length, struct arena *arena,
                           struct layout *out, struct err *e)
{
    if (!places(c))
        return layout_line(length, arena, out, e);
    if (length > places(c))
        return err_set(e, ERR_USAGE, "space.positions.random", "%d places are too few for %d positions; "
                       "expected at least as many", places(c), length);
    int32_t *place = open_places(length, arena, e);
    if (!place && !arena->measuring)
        return ERR_MEMORY;
    for (int i = 0; i < length && place; i++)
        place[i] = i < length - 1 ? i : places(c) - 1;
    return layout_scattered(length, place, places(c), arena, out, e);
}

/* ---- samples of unequal length ----------------------------------------------------------------*/
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

/* ---- random positions -------------------------------------------------------------------------*/
static bool sequence_draws(const struct space_config *c)
{
    return places(c) > 0;
}

/* n of all places, each choice as likely as any other: Knuth, The Art of Computer Programming 2,
 * section 3.4.2, algorithm S. */
static int sequence_draw(const struct space_config *c, const void *state, int n, struct stream *random,
                         struct arena *arena, struct layout *out, struct err *e)
{
    int32_t *place = open_places(n, arena, e);
    if (!place)
        return ERR_MEMORY;
    for (int p = 0, taken = 0; taken < n; p++)
        if ((int)stream_below(random, (uint64_t)(places(c) - p)) < n - taken)
            place[taken++] = p;
    return layout_scattered(n, place, places(c), arena, out, e);
}

static int sequence_placed(const struct space_config *c, int n, const int32_t *place, int line,
                           struct arena *arena, struct layout *out, struct err *e)
{
    int have = places(c) ? places(c) : line < PLACES_MAX ? line : PLACES_MAX;
    for (int i = 0; i < n; i++)
        if (place[i] <= (i ? place[i - 1] : -1) || place[i] >= have)
            return err_set(e, ERR_FORMAT, NULL, "element %d is %d; expected ascending ones from 0 to %d", i,
                           place[i], (places(c) ? places(c) : PLACES_MAX) - 1);
    return layout_scattered(n, place, have, arena, out, e);
}

static const char *const patterns[] = {"generic",    "identical", "prefix", "periodic",
                                       "palindrome", "blocks",    "constant", "first",
                                       "near",      "lua", NULL};
static const char *const orbits[] = {"none", "reversal", "shifts", "dihedral", NULL};

const struct space space_sequence = {
    .name = "sequence",
    .summary = "positions on a line; relation(i,j) is the offset j - i",
    .citation = "Luo et al. 2022, arXiv 2205.13401; random positions: Ruoss et al. 2023",
    .patterns = patterns,
    .orbits = orbits,
    .axes = 1,
    .options = options,
    .check = sequence_check,
    .layout = sequence_layout,
    .resizes = sequence_resizes,
    .least = sequence_least,
    .size = sequence_size,
    .draws = sequence_draws,
    .draw = sequence_draw,
    .placed = sequence_placed,
};

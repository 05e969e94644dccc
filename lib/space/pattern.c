/* Patterns: which tokens of an input are copies of which.
 * Invariant: source[source[i]] == source[i], so a fresh token is never itself a copy. */
#include <stdlib.h>

#include "space/space.h"

/* Uniform on first..last. */
static int draw_between(struct stream *random, int first, int last)
{
    return first + (int)stream_below(random, (uint64_t)(last - first) + 1);
}

/* "Short" for periods and runs: at most a quarter of the sequence, and more than one token where
 * the sequence has more than one. */
static int short_length(int n)
{
    if (n < 2)
        return 1;
    return n / 4 > 2 ? n / 4 : 2;
}

static void draw_generic(const struct layout *l, struct stream *random, int *source)
{
    for (int i = 0; i < l->n; i++)
        source[i] = i;
}

static void draw_identical(const struct layout *l, struct stream *random, int *source)
{
    for (int i = 0; i < l->n; i++)
        source[i] = 0;
}

/* Length uniform on 2..n; the whole sequence is one of them. */
static void draw_prefix(const struct layout *l, struct stream *random, int *source)
{
    int length = l->n < 2 ? 1 : draw_between(random, 2, l->n);
    for (int i = 0; i < l->n; i++)
        source[i] = i < length ? 0 : i;
}

/* Period uniform on 2..max(2, n/4); a period of 1 is the pattern `identical`. */
static void draw_periodic(const struct layout *l, struct stream *random, int *source)
{
    int period = l->n < 2 ? 1 : draw_between(random, 2, short_length(l->n));
    for (int i = 0; i < l->n; i++)
        source[i] = i % period;
}

static void draw_palindrome(const struct layout *l, struct stream *random, int *source)
{
    for (int i = 0; i < l->n; i++)
        source[i] = i < l->n - 1 - i ? i : l->n - 1 - i;
}

/* Run lengths independent and uniform on 1..max(2, n/4); the last run is cut at the end. */
static void draw_blocks(const struct layout *l, struct stream *random, int *source)
{
    int start = 0, end = 0;
    for (int i = 0; i < l->n; i++) {
        if (i == end) {
            start = i;
            end = i + draw_between(random, 1, short_length(l->n));
        }
        source[i] = start;
    }
}

/* Row by row; a sequence is a grid of one row. */
static void draw_mirror(const struct layout *l, struct stream *random, int *source)
{
    int width = layout_extent(l, l->axes - 1);
    for (int i = 0; i < l->n; i++) {
        int column = i % width;
        source[i] = column < width - 1 - column ? i : i - column + (width - 1 - column);
    }
}

/* The two tokens are those of positions 0 and 1, which differ in colour whatever the shape. */
static void draw_checkerboard(const struct layout *l, struct stream *random, int *source)
{
    int width = layout_extent(l, l->axes - 1);
    for (int i = 0; i < l->n; i++)
        source[i] = (i / width + i % width) % 2;
}

/* What a model with a token of its own in front sees of equal tokens, as inputs. */
static void draw_first(const struct layout *l, struct stream *random, int *source)
{
    for (int i = 0; i < l->n; i++)
        source[i] = i > 0;
}

/* ---- the table --------------------------------------------------------------------------------*/
#define PATTERN(id, key, function, ...) \
    [PATTERN_##id] = &(const struct pattern){.name = key, .draw = function, .help = __VA_ARGS__}

const struct pattern *const pattern_table[] = {
    PATTERN(GENERIC, "generic", draw_generic, "independent uniform tokens"),
    PATTERN(IDENTICAL, "identical", draw_identical, "all tokens equal"),
    PATTERN(PREFIX, "prefix", draw_prefix, "a random prefix of equal tokens"),
    PATTERN(PERIODIC, "periodic", draw_periodic, "a short random period"),
    PATTERN(PALINDROME, "palindrome", draw_palindrome, "x_i = x_{n+1-i}"),
    PATTERN(BLOCKS, "blocks", draw_blocks, "runs of equal tokens"),
    PATTERN(MIRROR, "mirror", draw_mirror, "left and right halves are mirror images"),
    PATTERN(CHECKERBOARD, "checkerboard", draw_checkerboard, "two alternating tokens"),
    PATTERN(CONSTANT, "constant", draw_identical, "1/2 (symbol 0) everywhere, in every input",
            .fixed = true), /* what remains is the layout */
    PATTERN(FIRST, "first", draw_first, "all tokens equal but the first"),
    PATTERN(NEAR, "near", draw_identical, "tokens within a radius of one token", .near = true),
    PATTERN(LUA, "lua", draw_generic, "what a line of Lua makes of them", .own = true),
    NULL};

int pattern_count(void)
{
    return (int)(sizeof pattern_table / sizeof pattern_table[0]) - 1;
}

/* Patterns: which tokens of an input are copies of which.
 * Invariant: source[source[i]] == source[i], so a fresh token is never itself a copy. */
#include <stdlib.h>

#include "space/table.h"

#define PATTERN_LINE(name) &pattern_##name,
const struct pattern *const pattern_table[] = {PATTERN_LIST(PATTERN_LINE) NULL};

int pattern_count(void)
{
    return (int)(sizeof pattern_table / sizeof pattern_table[0]) - 1;
}

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
    (void)random;
    for (int i = 0; i < l->n; i++)
        source[i] = i;
}

static void draw_identical(const struct layout *l, struct stream *random, int *source)
{
    (void)random;
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
    (void)random;
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
    (void)random;
    int width = layout_extent(l, l->axes - 1);
    for (int i = 0; i < l->n; i++) {
        int column = i % width;
        source[i] = column < width - 1 - column ? i : i - column + (width - 1 - column);
    }
}

/* The two tokens are those of positions 0 and 1, which differ in colour whatever the shape. */
static void draw_checkerboard(const struct layout *l, struct stream *random, int *source)
{
    (void)random;
    int width = layout_extent(l, l->axes - 1);
    for (int i = 0; i < l->n; i++)
        source[i] = (i / width + i % width) % 2;
}

/* What a model with a token of its own in front sees of equal tokens, as inputs. */
static void draw_first(const struct layout *l, struct stream *random, int *source)
{
    (void)random;
    for (int i = 0; i < l->n; i++)
        source[i] = i > 0;
}

#define PATTERN(key, text, function) {.name = key, .help = text, .draw = function}

const struct pattern pattern_generic = PATTERN("generic", "independent uniform tokens",
                                               draw_generic);
const struct pattern pattern_identical = PATTERN("identical", "all tokens equal", draw_identical);
const struct pattern pattern_prefix = PATTERN("prefix", "a random prefix of equal tokens",
                                              draw_prefix);
const struct pattern pattern_periodic = PATTERN("periodic", "a short random period", draw_periodic);
const struct pattern pattern_palindrome = PATTERN("palindrome", "x_i = x_{n+1-i}", draw_palindrome);
const struct pattern pattern_blocks = PATTERN("blocks", "runs of equal tokens", draw_blocks);
const struct pattern pattern_mirror = PATTERN("mirror", "left and right halves are mirror images",
                                              draw_mirror);
const struct pattern pattern_checkerboard = PATTERN("checkerboard", "two alternating tokens",
                                                    draw_checkerboard);
const struct pattern pattern_first = PATTERN("first", "all tokens equal but the first", draw_first);
const struct pattern pattern_lua = {.name = "lua",
                                    .help = "what a line of Lua makes of them",
                                    .draw = draw_generic,
                                    .own = true};
/* What remains is the layout. */
const struct pattern pattern_constant = {.name = "constant",
                                         .help = "1/2 (symbol 0) everywhere, in every input",
                                         .draw = draw_identical,
                                         .fixed = true};
const struct pattern pattern_near = {.name = "near",
                                     .help = "tokens within a radius of one token",
                                     .draw = draw_identical,
                                     .near = true};

/* The table of spaces, the option rows of section `space`, and what is checked across rows. */
#include "space/space.h"

#include <string.h>

extern const struct space space_sequence, space_grid, space_graph;
const struct space *const space_table[] = {&space_sequence, &space_grid, &space_graph, NULL};
KIND_TABLE(space_kinds, "space", space_table);

const struct space *space_of(const struct space_config *c)
{
    return space_table[c->kind.kind];
}

static bool uses_length(const void *owner)
{
    return !space_of(owner)->positions;
}

#define INPUTS_ROW(id, name, text)                                                               \
    .key = "inputs." name, .type = OPTION_REAL,                                                  \
    .offset = offsetof(struct space_config, share) + (id) * sizeof(double), .min = 0, .max = 1,  \
    .fallback = "0", .help = text
#define INPUTS(id, name, text) {INPUTS_ROW(id, name, text)}

const struct option space_options[] = {
    {.key = "kind", .type = OPTION_KIND, .offset = offsetof(struct space_config, kind),
     .fallback = "sequence", .kinds = &space_kinds, .help = "what positions are to each other"},
    {.key = "length", .type = OPTION_INT, .offset = offsetof(struct space_config, length), .min = 1,
     .max = 65536, .fallback = "32", .unit = "tokens", .help = "n, positions of a training sample",
     .applies = uses_length},
    {.key = "channels", .type = OPTION_INT, .offset = offsetof(struct space_config, channels),
     .min = 1, .max = 4096, .fallback = "4",
     .help = "d, channels of continuous inputs and outputs"},
    INPUTS(PATTERN_IDENTICAL, "identical", "share of inputs whose tokens are all equal"),
    INPUTS(PATTERN_PREFIX, "prefix", "share of inputs that begin with 2 to n equal tokens"),
    INPUTS(PATTERN_PERIODIC, "periodic", "share of inputs with a period of 2 to n/4 tokens"),
    INPUTS(PATTERN_PALINDROME, "palindrome", "share of inputs that read the same backwards"),
    INPUTS(PATTERN_BLOCKS, "blocks", "share of inputs made of runs of 1 to n/4 equal tokens"),
    INPUTS(PATTERN_MIRROR, "mirror", "share of inputs that are their own mirror image"),
    INPUTS(PATTERN_CHECKERBOARD, "checkerboard", "share of inputs made of two alternating tokens"),
    {INPUTS_ROW(PATTERN_CONSTANT, "constant", "share of inputs that are 1/2 (symbol 0) everywhere"),
     .quiet = true},
    {INPUTS_ROW(PATTERN_FIRST, "first", "share of inputs whose tokens are all equal but the first"),
     .quiet = true},
    {.key = "inputs.near.share", .type = OPTION_REAL,
     .offset = offsetof(struct space_config, share) + PATTERN_NEAR * sizeof(double), .min = 0, .max = 1,
     .fallback = "0", .quiet = true, .help = "share of inputs whose tokens are nearly equal"},
    {.key = "inputs.near.radius", .type = OPTION_REAL, .offset = offsetof(struct space_config, radius),
     .min = 1e-9, .max = 0.5, .fallback = "0.1", .needs = "inputs.near.share",
     .help = "Euclidean distance of their tokens from one token, at most"},
    {.key = "inputs.lua.share", .type = OPTION_REAL,
     .offset = offsetof(struct space_config, share) + PATTERN_LUA * sizeof(double), .min = 0, .max = 1,
     .fallback = "0", .quiet = true, .help = "share of inputs of your own"},
    {.key = "inputs.lua.x", .type = OPTION_TEXT, .offset = offsetof(struct space_config, own),
     .fallback = "x[i][c]", .needs = "inputs.lua.share",
     .help = "Lua: token i, channel c (both from 1), of x[i][c], which are uniform (x[i], of symbols), n, d, "
             "k, the sample's number, and uniform numbers of the sample, r.NAME"},
    {.key = NULL},
};

int64_t space_positions(const struct space_config *c)
{
    const struct space *s = space_of(c);
    return s->positions ? s->positions(c) : c->length;
}

bool space_draws(const struct space_config *c)
{
    const struct space *s = space_of(c);
    return s->draw && (!s->draws || s->draws(c));
}

bool space_resizes(const struct space_config *c)
{
    const struct space *s = space_of(c);
    return s->resizes && s->resizes(c);
}

static bool has_name(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Shares are typed in decimal: 0.1 + 0.2 + 0.7 may be a few units of rounding above 1. */
static const double SHARE_SLACK = 1e-12;

int space_finish(struct space_config *c, struct err *e)
{
    const struct space *s = space_of(c);
    double sum = 0;
    for (int k = 1; pattern_table[k]; k++) {
        if (c->share[k] > 0 && !has_name(s->patterns, pattern_table[k]->name))
            return err_set(e, ERR_USAGE, "space.inputs",
                           "pattern '%s' is not defined on space '%s'; leave its share at 0",
                           pattern_table[k]->name, s->name);
        sum += c->share[k];
    }
    if (!(sum <= 1 + SHARE_SLACK))
        return err_set(e, ERR_USAGE, "space.inputs",
                       "the shares sum to %.9g; expected at most 1, the rest being generic inputs",
                       sum);
    c->share[PATTERN_GENERIC] = sum < 1 - SHARE_SLACK ? 1 - sum : 0;
    int rc = s->check ? s->check(c, e) : 0;
    if (!rc)
        c->length = space_positions(c);
    return rc;
}

int space_check_orbit(const struct space_config *c, int orbit, struct err *e)
{
    const struct space *s = space_of(c);
    if (orbit == 0 || has_name(s->orbits, orbit_table[orbit]->name))
        return 0;
    return err_set(e, ERR_USAGE, "evaluate.orbit", "orbit '%s' is not defined on space '%s'",
                   orbit_table[orbit]->name, s->name);
}

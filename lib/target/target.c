/* The table of targets, the option rows of section `target`, and the checks common to all. */
#include "target/target.h"

#include <assert.h>

/* A new target is its own definition and one line here, with the family that cards and listings show it in. */
#define TARGETS(X)                  \
    /* differ by position */            \
    X(position, "position")             \
    X(gain, "position")                 \
    X(affine, "position")               \
    X(piecewise, "position")            \
    X(random_field, "position")         \
    /* mix positions */                 \
    X(prefix_sum, "mixing")             \
    X(shift, "look-behind")             \
    X(reverse, "selection")             \
    X(even, "selection")                \
    X(filter, "mixing")                 \
    X(difference, "look-behind")        \
    X(sort, "selection")                \
    /* controls */                      \
    X(identity, "control")              \
    X(mean, "control")                  \
    X(prefix_mean, "mixing")            \
    X(local_mean, "control")            \
    X(moving_max, "look-behind")        \
    /* grids */                         \
    X(grid_position, "grid")            \
    X(grid_gain, "grid")                \
    X(summed_area, "grid")              \
    X(grid_shift, "grid")               \
    X(reflect, "grid")                  \
    X(border_distance, "grid")          \
    X(blur, "grid")                     \
    X(periodic_blur, "grid")            \
    /* graphs */                        \
    X(degree, "graph")                  \
    X(nodes_at_distance, "graph")       \
    X(eccentricity, "graph")            \
    X(closeness, "graph")               \
    X(cycles, "graph")                  \
    X(source_distance, "graph")         \
    X(neighbour_sum, "graph")           \
    X(neighbour_mean, "graph")          \
    /* tokens */                        \
    X(pi, "position")                   \
    X(etp, "selection")                 \
    X(token_reverse, "selection")       \
    X(odds_first, "selection")          \
    X(token_shift, "look-behind")       \
    X(bucket_sort, "selection")         \
    X(prefix_parity, "counting")        \
    X(prefix_majority, "counting")      \
    X(histogram, "counting")            \
    X(majority, "counting")             \
    X(recall, "selection")              \
    X(induction, "selection")           \
    /* the user's own */                \
    X(lua, "own")                       \
    X(text, "own")                      \
    X(data, "own")

#define DECLARE(name, family) extern const struct target target_##name;
#define ADDRESS(name, family) &target_##name,
#define FAMILY(name, family) family,

TARGETS(DECLARE)
const struct target *const target_table[] = {TARGETS(ADDRESS) NULL};
static const char *const families[] = {TARGETS(FAMILY)};
KIND_TABLE(target_kinds, "target", target_table);

const char *target_family(int kind)
{
    return families[kind];
}

const struct target *target_of(const struct target_config *c)
{
    return target_table[c->kind.kind];
}

struct target_form target_form(const struct target_config *c)
{
    const struct target *t = target_of(c);
    struct target_form out = {.tokens = t->tokens, .labels = t->tokens};
    if (t->form)
        t->form(c, &out);
    return out;
}

bool target_brings_inputs(const struct target_config *c)
{
    return target_of(c)->draw || target_of(c)->take;
}

int target_finish(struct target_config *c, struct err *e)
{
    c->found = (struct target_form){0};
    return target_of(c)->finish ? target_of(c)->finish(c, e) : 0;
}

static bool uses_vocab(const void *owner)
{
    const struct target *t = target_of(owner);
    return target_form(owner).tokens && !t->bytes && !t->take;
}

const struct option target_options[] = {
    {.key = "kind", .type = OPTION_KIND, .offset = offsetof(struct target_config, kind),
     .kinds = &target_kinds, .help = "the function that models are asked to express"},
    {.key = "vocab", .type = OPTION_INT, .offset = offsetof(struct target_config, vocab), .min = 2,
     .max = 1000000, .fallback = "10", .unit = "symbols", .help = "V, symbols of token targets",
     .applies = uses_vocab},
    {.key = NULL},
};

/* Patterns make tokens equal, which is for those that drew them. */
static int check_patterns(const struct target *t, const struct space_config *s, struct err *e)
{
    bool own = t->draw || t->take;
    for (int k = PATTERN_GENERIC + 1; own && pattern_table[k]; k++)
        if (s->share[k] > 0)
            return err_set(e, ERR_USAGE, "space.inputs",
                           "target '%s' has inputs of its own; expected no share of '%s' ones",
                           t->name, pattern_table[k]->name);
    return 0;
}

int target_check(const struct target_config *c, const struct space_config *s, struct err *e)
{
    const struct target *t = target_of(c);
    const struct space *space = space_of(s);
    if ((t->needs & TARGET_NEEDS_ORDER) && space->axes != 1)
        return err_set(e, ERR_USAGE, "target.kind",
                       "target '%s' needs positions on a line, which space '%s' does not have; "
                       "expected space 'sequence' or another target",
                       t->name, space->name);
    if ((t->needs & TARGET_NEEDS_GRID) && space->axes != 2)
        return err_set(e, ERR_USAGE, "target.kind",
                       "target '%s' needs rows and columns, which space '%s' does not have; "
                       "expected space 'grid' or another target",
                       t->name, space->name);
    if ((t->needs & TARGET_NEEDS_GRAPH) && !space->graph)
        return err_set(e, ERR_USAGE, "target.kind",
                       "target '%s' needs edges between positions, which space '%s' does not have; "
                       "expected space 'graph' or another target",
                       t->name, space->name);
    if ((t->needs & TARGET_NEEDS_AXES) && space->axes < 1)
        return err_set(e, ERR_USAGE, "target.kind",
                       "target '%s' numbers the positions, which space '%s' leaves without order; "
                       "expected another space or another target",
                       t->name, space->name);
    int code = check_patterns(t, s, e);
    return !code && t->check ? t->check(c, s, e) : code;
}

int target_vocab(const struct target_config *c)
{
    return target_of(c)->bytes ? 256 : (int)c->vocab;
}

int target_symbols(const struct target_config *c)
{
    const struct target *t = target_of(c);
    assert(target_form(c).tokens);
    return t->symbols ? t->symbols(c) : target_vocab(c);
}

int target_labels(const struct target_config *c, int n)
{
    const struct target *t = target_of(c);
    assert(target_form(c).labels);
    return t->labels(c, n);
}

/* The table of encodings and what holds for all of them.
 * Invariant: a new encoding is one file that defines `const struct encoding encoding_<name>`, and
 * one line of ENTRIES; nothing else in the program knows a name. */
#include "encoding/encoding.h"

#include <math.h>
#include <stdio.h>

#include "encoding/parts.h"

#define ENTRIES(ENTRY)                                                                             \
    ENTRY(none)                                                                                    \
    ENTRY(sinusoidal)                                                                              \
    ENTRY(learned)                                                                                 \
    ENTRY(centrality)                                                                              \
    ENTRY(toeplitz)                                                                                \
    ENTRY(t5)                                                                                      \
    ENTRY(alibi)                                                                                   \
    ENTRY(shaw)                                                                                    \
    ENTRY(transformer_xl)                                                                          \
    ENTRY(deberta)                                                                                 \
    ENTRY(rope)                                                                                    \
    ENTRY(kerple_log)                                                                              \
    ENTRY(kerple_power)                                                                            \
    ENTRY(sandwich)                                                                                \
    ENTRY(fire)                                                                                    \
    ENTRY(xpos)                                                                                    \
    ENTRY(tupe)                                                                                    \
    ENTRY(cope)                                                                                    \
    ENTRY(fox)                                                                                     \
    ENTRY(formula)

#define DECLARE(name) extern const struct encoding encoding_##name;
#define ADDRESS(name) &encoding_##name,

ENTRIES(DECLARE)
const struct encoding *const encoding_table[] = {ENTRIES(ADDRESS) NULL};

KIND_TABLE(encoding_kinds, "encoding", encoding_table);

const struct encoding *encoding_of(const struct kind_config *c)
{
    return encoding_table[c->kind];
}

void axes_explain(int have, int min, int max, char *out, size_t size)
{
    const struct space *const *space = space_table;
    char range[32];
    while (*space && (*space)->axes != have)
        space++;
    snprintf(range, sizeof range, min == max ? "%d" : "%d to %d", min, max);
    snprintf(out, size, "not defined on space.kind: %s, which has %d coordinate %s (it needs %s)",
             *space ? (*space)->name : "?", have, have == 1 ? "axis" : "axes", range);
}

static bool suits(const struct encoding *entry, const struct encoding_shape *s)
{
    int axes = s->trained->axes;
    return axes >= entry->axes_min && axes <= entry->axes_max && (s->past || !entry->past_only);
}

static int check_axes(const struct encoding *entry, const struct encoding_shape *s, struct err *e)
{
    int axes = s->trained->axes;
    char why[160], others[320] = "";
    size_t used = 0;
    if (axes >= entry->axes_min && axes <= entry->axes_max)
        return 0;
    axes_explain(axes, entry->axes_min, entry->axes_max, why, sizeof why);
    for (int k = 0; encoding_table[k] && used < sizeof others; k++)
        if (suits(encoding_table[k], s))
            used += (size_t)snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "",
                                     encoding_table[k]->name);
    return err_set(e, ERR_USAGE, "model.encoding", "%s is %s; expected one of %s", entry->name, why,
                   others);
}

/* What is opened only to run is tried where it trains and where it is evaluated. */
static int try_code(const struct kind_config *c, const struct encoding_shape *s,
                    const struct layout *evaluated, struct err *e)
{
    struct encoding_context context = {.config = c, .shape = s, .layout = s->trained};
    struct arena nowhere;
    arena_open_measure(&nowhere);
    int code = encoding_open(&context, &nowhere, e);
    context.layout = evaluated;
    return code || evaluated->n == s->trained->n ? code : encoding_open(&context, &nowhere, e);
}

int encoding_open(struct encoding_context *c, struct arena *arena, struct err *e)
{
    const struct encoding *entry = encoding_of(c->config);
    c->code = NULL;
    return entry->open ? entry->open(c, arena, &c->code, e) : 0;
}

int encoding_check(const struct kind_config *c, const struct encoding_shape *s,
                   const struct layout *evaluated, struct err *e)
{
    const struct encoding *entry = encoding_of(c);
    int code = check_axes(entry, s, e);
    if (code)
        return code;
    if (entry->past_only && !s->past)
        return err_set(e, ERR_USAGE, "model.encoding",
                       "%s is defined under a causal mask only; set model.mask: causal, or choose "
                       "another encoding",
                       entry->name);
    if (!entry->scattered && (layout_is_scattered(s->trained) || layout_is_scattered(evaluated)))
        return err_set(e, ERR_USAGE, "model.encoding", "%s goes by neighbouring positions, which random ones "
                       "are not; expected one of none, toeplitz, alibi, rope, t5, learned, and others by offset",
                       entry->name);
    int have = layout_places(s->trained), want = layout_places(evaluated);
    if (entry->fixed_length && want > have)
        return err_set(e, ERR_USAGE, "evaluate.lengths",
                       "%s is undefined beyond the training length: %d positions are evaluated, "
                       "%d are trained; evaluate up to %d, or train at the longest length",
                       entry->name, want, have, have);
    code = entry->check ? entry->check(c, s, e) : 0;
    return code || !entry->open ? code : try_code(c, s, evaluated, e);
}

int64_t encoding_relation(const struct encoding_context *c, int i, int j)
{
    const struct encoding *entry = encoding_of(c->config);
    if (entry->relation)
        return entry->relation(c, i, j);
    return c->fold[layout_relation(c->layout, i, j)];
}

int encoding_bucket(int offset, bool past, int buckets, int max_distance)
{
    int side = past ? buckets : buckets / 2;
    int base = !past && offset > 0 ? side : 0;
    int m = past ? (offset < 0 ? -offset : 0) : (offset < 0 ? -offset : offset);
    int exact = side / 2;
    if (m < exact)
        return base + m;
    /* The guard keeps distances whose logarithm is a whole number of steps (64 of 8..128, say) on
     * the step, whatever the last bit of the quotient. */
    double share = log((double)m / exact) / log((double)max_distance / exact);
    double step = share * (side - exact) + 1e-9;
    return base + (step < side - 1 - exact ? exact + (int)step : side - 1);
}

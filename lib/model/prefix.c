/* Learned vectors in front of the sequence: kept in all layers, seen by whoever the mask lets see
 * them, and part of no output.
 *
 *   rows outside   | x_1 .. x_n | x_1 .. x_m |              of a batch of two samples
 *   rows inside    | p_1 x_1 .. x_n | p_1 x_1 .. x_m |      of a model with one token before them
 *
 * Invariant: what comes in and what goes out is in rows outside; all between is in rows inside. */
#include <assert.h>
#include <string.h>

#include "model/workspace.h"

static const struct option none_options[] = {{.key = NULL}};
static const struct option bos_options[] = {
    [PREFIX_OPTION_TOKENS] = {.key = "tokens", .type = OPTION_INT, .min = 1, .max = 1024,
                              .fallback = "1", .unit = "tokens",
                              .help = "how many vectors stand in front"},
    [PREFIX_OPTION_STD] = {.key = "std", .type = OPTION_REAL, .min = 0, .max = 1000,
                           .fallback = "0.02", .help = "standard deviation of their start"},
    {.key = NULL}};

struct prefix {
    const char *name;
    const struct option *options;
};
static const struct prefix prefix_none = {"none", none_options};
static const struct prefix prefix_bos = {"bos", bos_options};
static const struct prefix *const prefix_table[] = {&prefix_none, &prefix_bos, NULL};
KIND_TABLE(prefix_kinds, "prefix", prefix_table);

int model_before(const struct model_config *c)
{
    return c->prefix.kind ? (int)c->prefix.number[PREFIX_OPTION_TOKENS] : 0;
}

int prefix_check(const struct model_config *c, const struct layout *l, struct err *e)
{
    if (!model_before(c) || layout_is_line(l))
        return 0;
    return err_set(e, ERR_USAGE, "model.prefix",
                   "bos stands on the line before position 1, which this space has not; expected "
                   "'none', or space: sequence");
}

int prefix_layout(const struct model_config *c, const struct layout *l, struct arena *arena,
                  struct layout *out, struct err *e)
{
    *out = *l;
    return model_before(c) ? layout_line(l->n + model_before(c), arena, out, e) : 0;
}

struct batch prefix_batch(const struct model *m, const struct model_state *s, const struct batch *b,
                          struct workspace *w)
{
    struct batch out = *b;
    if (!m->before)
        return out;
    assert(b->samples <= w->samples_max);
    for (int k = 0; k < b->samples; k++) {
        int n = b->first[k + 1] - b->first[k] + m->before;
        bool again = k && w->layout[k - 1]->n == n;
        w->first[k + 1] = w->first[k] + n;
        w->line[k] = layout_shorter(&s->longest, n);
        w->layout[k] = again ? w->layout[k - 1] : &w->line[k];
    }
    out.first = w->first;
    out.layout = w->layout;
    out.rows = w->first[b->samples];
    return out;
}

/* From the last sample to the first, since rows only move back. */
void prefix_spread(const struct batch *outside, const struct batch *inside, int width,
                   const real *front, real *x)
{
    size_t row = (size_t)width * sizeof *x;
    for (int k = outside->samples - 1; k >= 0 && outside->first != inside->first; k--) {
        int n = outside->first[k + 1] - outside->first[k];
        int before = inside->first[k + 1] - inside->first[k] - n;
        real *to = x + (size_t)inside->first[k] * (size_t)width;
        memmove(to + (size_t)before * (size_t)width,
                x + (size_t)outside->first[k] * (size_t)width, (size_t)n * row);
        if (front)
            memcpy(to, front, (size_t)before * row);
        else
            memset(to, 0, (size_t)before * row);
    }
}

void prefix_gather(const struct batch *outside, const struct batch *inside, int width, real *dfront,
                   real *x)
{
    size_t row = (size_t)width * sizeof *x;
    for (int k = 0; k < outside->samples && outside->first != inside->first; k++) {
        int n = outside->first[k + 1] - outside->first[k];
        int before = inside->first[k + 1] - inside->first[k] - n;
        const real *from = x + (size_t)inside->first[k] * (size_t)width;
        for (int i = 0; i < before * width && dfront; i++)
            dfront[i] += from[i];
        memmove(x + (size_t)outside->first[k] * (size_t)width,
                from + (size_t)before * (size_t)width, (size_t)n * row);
    }
}

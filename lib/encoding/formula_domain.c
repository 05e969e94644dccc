/* What formulas are of (formula.h).  Places, heads and channels count from 1, as in the user's other
 * Lua, with what stands before a sample. */
#include "encoding/formula.h"
#include "encoding/parts.h"

#define PUT(...) out[count++] = (struct formula_variable){__VA_ARGS__}

/* ---- heads x relations ------------------------------------------------------------------------*/
static int heads(const struct encoding_context *c)
{
    return c->shape->heads;
}

static int64_t relations(const struct encoding_context *c)
{
    return c->layout->relations;
}

static int relation_names(const struct layout *l, struct formula_variable *out)
{
    int count = 0;
    PUT("d", .shown = l->axes != 2);
    if (l->axes > 0)
        PUT("n", .shown = false);
    if (l->axes == 2) {
        PUT("dy", .shown = true);
        PUT("dx", .shown = true);
    }
    PUT("h", .shown = true, .of_head = true);
    PUT("H", .of_head = true);
    return count;
}

/* Returns how many: those that pairs have too. */
static int relation_values(const struct encoding_context *c, int item, double *out)
{
    const struct layout *l = c->layout;
    int count = 0;
    out[count++] = l->axes == 1 ? l->offset[item] : encoding_distance(c, item);
    if (l->axes > 0)
        out[count++] = l->n;
    if (l->axes == 2) {
        out[count++] = l->offset[2 * item];
        out[count++] = l->offset[2 * item + 1];
    }
    return count;
}

static void values(const struct encoding_context *c, int group, int item, double *out)
{
    int count = relation_values(c, item, out);
    out[count++] = group + 1;
    out[count] = c->shape->heads;
}

/* Where the mask hides what is behind the query. */
static bool is_hidden(const struct encoding_context *c, int item)
{
    const struct layout *l = c->layout;
    const int32_t *offset = l->axes ? l->offset + (ptrdiff_t)item * l->axes : NULL;
    int axis = 0;
    while (axis + 1 < l->axes && offset[axis] == 0)
        axis++;
    return c->shape->past && offset && offset[axis] > 0;
}

/* 0 -1 1 -2 2 .. */
static int64_t relation_number(const struct encoding_context *c, int item)
{
    int64_t d = c->layout->offset[item];
    return d < 0 ? -2 * d - 1 : 2 * d;
}

const struct formula_domain formula_of_relations = {
    .variables = "d, h, H, n (dy, dx on a grid; i, j but on graphs, where there is no n either)",
    .groups = heads, .items = relations, .names = relation_names, .values = values,
    .hidden = is_hidden, .number = relation_number};

/* ---- heads x pairs of places ------------------------------------------------------------------*/
static int64_t pairs(const struct encoding_context *c)
{
    return (int64_t)c->layout->n * c->layout->n;
}

static int pair_names(const struct layout *l, struct formula_variable *out)
{
    int count = 0;
    PUT("i", .shown = true);
    PUT("j", .shown = true);
    return count + relation_names(l, out + count);
}

static void pair_values(const struct encoding_context *c, int group, int item, double *out)
{
    int i = item / c->layout->n, j = item % c->layout->n;
    out[0] = i + 1;
    out[1] = j + 1;
    values(c, group, layout_relation(c->layout, i, j), out + 2);
}

static bool is_pair_hidden(const struct encoding_context *c, int item)
{
    return c->shape->past && item % c->layout->n > item / c->layout->n;
}

/* All pairs of the first m places come before others. */
static int64_t pair_number(const struct encoding_context *c, int item)
{
    int64_t i = item / c->layout->n, j = item % c->layout->n;
    return i < j ? j * j + i : i * i + i + j;
}

const struct formula_domain formula_of_pairs = {
    .variables = "i, j, d, h, H, n (dy, dx on a grid)",
    .groups = heads, .items = pairs, .names = pair_names, .values = pair_values,
    .hidden = is_pair_hidden, .number = pair_number};

const struct formula_domain *formula_domain_of(const char *text, const struct encoding_shape *s)
{
    static const char *const places[] = {"i", "j"};
    bool known = s->trained && s->trained->axes > 0;
    return known && formula_reads(text, places, 2) ? &formula_of_pairs : &formula_of_relations;
}

/* ---- places x channels ------------------------------------------------------------------------*/
static int one(const struct encoding_context *c)
{
    return 1;
}

static int64_t places(const struct encoding_context *c)
{
    return (int64_t)c->layout->n * c->shape->width;
}

static int place_names(const struct layout *l, struct formula_variable *out)
{
    int count = 0;
    PUT("i", .shown = true);
    PUT("c", .shown = true);
    PUT("C", .shown = false);
    PUT("n", .shown = false);
    return count;
}

static void place_values(const struct encoding_context *c, int group, int item, double *out)
{
    out[0] = item / c->shape->width + 1;
    out[1] = item % c->shape->width + 1;
    out[2] = c->shape->width;
    out[3] = c->layout->n;
}

const struct formula_domain formula_of_places = {
    .variables = "i, c, C (how many channels), n",
    .groups = one, .items = places, .names = place_names, .values = place_values};

/* Whether a recorded formula keeps what it promises (formula_make.h). */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "encoding/formula_make.h"

enum { DRAWS = 3, PLAIN_DRAWS = 4, DECLARED_DRAWS = 8 };

static double draw_one(const struct formula_parameter *p, struct stream *s)
{
    if (p->low < p->high)
        return p->low + (p->high - p->low) * stream_uniform24(s);
    return p->start + p->std * (2 * stream_uniform24(s) - 1) * 1.7320508075688772;
}

static void draw_all(const struct maker *m, int draw, double *p, double *direction)
{
    struct stream s;
    stream_open(&s, 0, "formula", (uint64_t)draw);
    for (int k = 0; k < m->parameters; k++)
        for (int x = 0; x < m->parameter[k].count; x++)
            p[m->parameter[k].first + x] = draw_one(&m->parameter[k], &s);
    for (int k = 0; k < m->out.numbers; k++)
        direction[k] = (stream_uniform24(&s) < 0.5 ? -1 : 1) * (0.5 + stream_uniform24(&s));
}

struct trial {
    struct maker *m;
    double *p, *direction, *moved, *value, *slope;
};

static double value_at(const struct trial *t, const struct formula_program *x, int number,
                       double distance)
{
    for (int k = 0; k < x->parameters; k++) {
        int at = x->parameter[number * x->parameters + k];
        t->moved[at] = t->p[at] + distance * t->direction[at];
    }
    formula_run(x, number, 1, t->moved, t->value);
    return t->value[(size_t)(x->steps - 1) * FORMULA_BLOCK];
}

/* The derivative along the direction; NaN where any of the gradients is not finite. */
static double slope_along(const struct trial *t, const struct formula_program *x, int number)
{
    size_t last = (size_t)(x->steps - 1) * FORMULA_BLOCK;
    double sum = 0;
    value_at(t, x, number, 0);
    t->slope[last] = 1;
    formula_run_back(x, number, 1, t->value, t->slope);
    for (int s = 0; s < x->steps; s++) {
        double slope = t->slope[(size_t)s * FORMULA_BLOCK];
        if (x->step[s].op == FORMULA_PARAMETER)
            sum += slope * t->direction[x->parameter[number * x->parameters + x->step[s].a]];
    }
    return isfinite(sum) ? sum : NAN;
}

/* Whether the differences to both sides agree with the gradient.  Steps of 1e-6 are off by about
 * 1e-6 f'' from curvature and 1e-10 f from rounding. */
static bool agrees(const struct trial *t, const struct formula_program *x, int number, double slope)
{
    const double step = 1e-6;
    double here = value_at(t, x, number, 0), up = (value_at(t, x, number, step) - here) / step,
           down = (here - value_at(t, x, number, -step)) / step;
    double slack = 1e-4 * (1 + fabs(slope) + fabs(here));
    return fabs(up - slope) <= slack && fabs(down - slope) <= slack;
}

static bool try_element(lua_State *L, const struct trial *t, const struct formula_program *x,
                        int number)
{
    char place[96], shown[64];
    double here = value_at(t, x, number, 0), slope = slope_along(t, x, number);
    maker_show(t->m, x->element[number], place, sizeof place);
    if (!isfinite(here)) {
        snprintf(shown, sizeof shown, "%g", isnan(here) ? fabs(here) : here);
        luaL_error(L, "%s:1: is %s at %s; expected finite numbers", t->m->chunk + 1, shown, place);
    }
    if (isnan(slope))
        luaL_error(L, "%s:1: its gradient is undefined at %s; expected other starts, or a formula "
                   "that is smooth there", t->m->chunk + 1, place);
    return agrees(t, x, number, slope);
}

static void try_tape(lua_State *L, struct trial *t)
{
    struct maker *m = t->m;
    char place[96];
    for (int k = 0; k < m->out.programs; k++)
        for (int e = 0; e < m->out.program[k].elements; e++) {
            int agreed = 0; /* a draw may stand at a kink by accident, a start does not */
            for (int draw = 0; draw < DRAWS; draw++) {
                if (m->out.program[k].parameters)
                    draw_all(m, draw, t->p, t->direction);
                agreed += try_element(L, t, &m->out.program[k], e);
            }
            maker_show(m, m->out.program[k].element[e], place, sizeof place);
            if (!agreed)
                luaL_error(L, "%s:1: its gradient and its differences disagree at %s: it has a kink "
                           "at the start; expected other starts", m->chunk + 1, place);
        }
}

/* At the start, and with every other number or so a little off it: a formula that asks whether a == 0
 * is another one there. */
static void draw_nearby(const struct trial *t, int draw)
{
    struct stream s;
    stream_open(&s, 1, "formula", (uint64_t)draw);
    draw_all(t->m, draw, t->p, t->direction);
    for (int k = 0; k < t->m->out.numbers && draw > 0; k++)
        t->p[k] += stream_uniform24(&s) < 0.5 ? 1e-3 * t->direction[k] : 0;
}

/* The tape against Lua that knows nothing of it. */
static void try_plain(lua_State *L, struct trial *t)
{
    struct maker *m = t->m;
    int items = m->out.items, elements = m->out.groups * items;
    char place[96];
    m->recording->plain = t->p;
    for (int draw = 0; draw < PLAIN_DRAWS; draw++) {
        draw_nearby(t, draw);
        maker_set_parameters(L, m);
        for (int e = 0; e < elements; e++) {
            if (m->place[e].program < 0)
                continue;
            maker_call(L, m, e / items, e % items);
            double want = lua_tonumber(L, -1);
            double got = value_at(t, &m->out.program[m->place[e].program], m->place[e].number, 0);
            lua_pop(L, 1);
            maker_show(m, e, place, sizeof place);
            if (isfinite(want) && !(fabs(want - got) <= 1e-9 * (1 + fabs(want))))
                luaL_error(L, "%s:1: at %s it is another function for other parameters; expected no "
                           "== on parameters", m->chunk + 1, place);
        }
    }
    m->recording->plain = NULL;
}

static int longest_of(const struct formula *f)
{
    int longest = 1;
    for (int k = 0; k < f->programs; k++)
        longest = f->program[k].steps > longest ? f->program[k].steps : longest;
    return longest;
}

static struct trial open_trial(lua_State *L, struct maker *m)
{
    size_t block = (size_t)longest_of(&m->out) * FORMULA_BLOCK;
    size_t numbers = (size_t)m->out.numbers + 1;
    struct trial t = {.m = m,
                      .p = memory_alloc(numbers, sizeof(double), &m->err),
                      .direction = memory_alloc(numbers, sizeof(double), &m->err),
                      .moved = memory_alloc(numbers, sizeof(double), &m->err),
                      .value = memory_alloc(block, sizeof(double), &m->err),
                      .slope = memory_alloc(block, sizeof(double), &m->err)};
    maker_need(L, m, m->err.code);
    return t;
}

void maker_try(lua_State *L, struct maker *m)
{
    struct trial t = open_trial(L, m);
    try_tape(L, &t);
    try_plain(L, &t);
}

/* ---- a declared relation ----------------------------------------------------------------------*/

/* Values of the relation (items); NaN where nobody looks. */
static double *declared_values(lua_State *L, struct maker *m)
{
    double *out = memory_alloc((size_t)m->out.items, sizeof *out, &m->err);
    char place[96];
    maker_need(L, m, m->err.code);
    maker_push_function(L, m, m->declared, true);
    m->function = lua_gettop(L);
    for (int k = 0; k < m->out.items; k++) {
        out[k] = NAN;
        if (m->place[k].program < 0)
            continue;
        maker_call(L, m, 0, k);
        out[k] = lua_tonumber(L, -1) + 0.0;
        lua_pop(L, 1);
        maker_show(m, k, place, sizeof place);
        if (!isfinite(out[k]))
            luaL_error(L, "%s:1: is no finite number at %s", m->chunk + 1, place);
    }
    return out;
}

/* Around the starts, and far from them. */
static void draw_anywhere(const struct trial *t, int draw)
{
    struct stream s;
    stream_open(&s, 2, "formula", (uint64_t)draw);
    draw_all(t->m, draw, t->p, t->direction);
    for (int k = 0; k < t->m->out.numbers && draw > 0; k++)
        t->p[k] += (draw > 4 ? 4 : 1) * (stream_uniform24(&s) - 0.5);
}

static double element_at(const struct trial *t, int element)
{
    struct place p = t->m->place[element];
    return value_at(t, &t->m->out.program[p.program], p.number, 0);
}

static void try_same(lua_State *L, const struct trial *t, const double *declared, int a, int b)
{
    const struct maker *m = t->m;
    char here[96], there[96], text[512];
    for (int g = 0; g < m->out.groups; g++) {
        int e = g * m->out.items;
        double x = element_at(t, e + a), y = element_at(t, e + b);
        if (!isfinite(x) || !isfinite(y) || fabs(x - y) <= 1e-9 * (1 + fabs(x)))
            continue;
        maker_show(m, e + a, here, sizeof here);
        maker_show(m, e + b, there, sizeof there);
        snprintf(text, sizeof text, "%s:1: is %g at %s and at %s, but the formula is %.9g and %.9g there "
                 "for some parameters; expected one value, or another relation", m->chunk + 1,
                 declared[a], here, there, x, y);
        luaL_error(L, "%s", text);
    }
}

static int32_t root_of(int32_t *class, int32_t k)
{
    while (class[k] != k)
        k = class[k] = class[class[k]];
    return k;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits * 0x9e3779b97f4a7c15u >> 16;
}

/* first (items): the first item of the same value. */
static int32_t *first_of_value(lua_State *L, struct maker *m, const double *value)
{
    size_t items = (size_t)m->out.items, size = 1;
    while (size < 2 * items)
        size *= 2;
    int32_t *slot = memory_alloc(size, sizeof *slot, &m->err); /* item + 1 */
    int32_t *first = memory_alloc(items, sizeof *first, &m->err);
    maker_need(L, m, m->err.code);
    for (int k = 0; k < (int)items; k++) {
        size_t at = (size_t)bits_of(value[k]) & (size - 1);
        while (slot[at] && value[slot[at] - 1] != value[k])
            at = (at + 1) & (size - 1);
        slot[at] = slot[at] ? slot[at] : k + 1;
        first[k] = isnan(value[k]) ? k : slot[at] - 1;
    }
    memory_free(slot);
    return first;
}

void maker_declare(lua_State *L, struct maker *m)
{
    struct trial t = open_trial(L, m);
    m->key = m->declared_key;
    formula_chunk(m->key, m->chunk);
    double *value = declared_values(L, m);
    int32_t *first = first_of_value(L, m, value), *class = m->out.class;
    for (int draw = 0; draw < DECLARED_DRAWS; draw++) {
        draw_anywhere(&t, draw);
        for (int k = 0; k < m->out.items; k++)
            if (first[k] != k)
                try_same(L, &t, value, first[k], k);
    }
    for (int k = 0; k < m->out.items; k++) {
        int32_t a = root_of(class, k), b = root_of(class, first[k]);
        class[a > b ? a : b] = a > b ? b : a;
    }
    for (int k = 0; k < m->out.items; k++)
        class[k] = root_of(class, k);
}

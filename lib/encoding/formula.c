/* formula_open: a formula is recorded in a process of its own (lua/process.h), which sends
 *
 *   how it went, programs | each program: sizes, steps, elements, constants, parameters | classes
 *
 * and ends.  Before it sends, the tape is tried: finite, the same as plain Lua, and with gradients
 * that agree with differences, at starts that are drawn three times. */
#include "encoding/formula.h"

#include <lauxlib.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "encoding/formula_record.h"
#include "encoding/parts.h"
#include "lua/process.h"

enum { SOURCE_MAX = 1024, DRAWS = 3, PLAIN_DRAWS = 4, CHUNK_MAX = 64 };

static const struct sandbox_limits limits = {.instructions = 400000000,
                                             .bytes = (size_t)64 << 20,
                                             .seconds = 10,
                                             .slack = 1,
                                             .kill_seconds = 120,
                                             .hook = 100,
                                             .of = "a formula"};

struct place { /* of an element: its program, and its number there; none where nobody looks */
    int32_t program, number;
};
struct maker {
    struct recording *recording; /* first: recording_open finds it here */
    const struct encoding_context *context;
    const char *key, *text;
    const char *chunk; /* as Lua names it in messages: "=bias" */
    const struct formula_parameter *parameter;
    int parameters, function; /* function: its place on Lua's stack */
    struct formula out;       /* arrays that grow */
    struct place *place;      /* (heads, relations) */
    struct err err;           /* of memory */
    bool *used;               /* (numbers) the tape reads it somewhere */
};

/* "=bias" of "model.encoding.bias". */
static void name_chunk(const char *key, char out[CHUNK_MAX])
{
    const char *dot = strrchr(key, '.');
    snprintf(out, CHUNK_MAX, "=%s", dot ? dot + 1 : key);
}

/* ---- the function -----------------------------------------------------------------------------*/

static int variables_of(const struct layout *l, const char *out[FORMULA_VARIABLES_MAX])
{
    int count = 0;
    out[count++] = "d";
    out[count++] = "h";
    out[count++] = "H";
    if (l->axes > 0)
        out[count++] = "n";
    if (l->axes == 2) {
        out[count++] = "dy";
        out[count++] = "dx";
    }
    return count;
}

/* Leaves "return TEXT", or TEXT where that is Lua and the former is not, compiled. */
static bool compile_alone(lua_State *L, const char *name, const char *text)
{
    char source[SOURCE_MAX];
    int length = snprintf(source, sizeof source, "return %s", text);
    if (luaL_loadbufferx(L, source, (size_t)length, name, "t") == LUA_OK)
        return true;
    if (luaL_loadbufferx(L, text, strlen(text), name, "t") == LUA_OK)
        return false;
    lua_pop(L, !strstr(text, "return") && !strstr(text, "local")); /* which one was meant */
    lua_error(L);
    return false;
}

/* The function on the stack: its variables are upvalues, which each call finds set.  The text alone is
 * a chunk, so it cannot end the function early. */
static void push_function(lua_State *L, const struct maker *m)
{
    const char *variable[FORMULA_VARIABLES_MAX];
    char source[2 * SOURCE_MAX];
    int count = variables_of(m->context->layout, variable), used;
    bool expression = compile_alone(L, m->chunk, m->text);
    used = snprintf(source, sizeof source, "local d");
    for (int k = 1; k < count; k++)
        used += snprintf(source + used, sizeof source - (size_t)used, ",%s", variable[k]);
    for (int k = 0; k < m->parameters; k++)
        used += snprintf(source + used, sizeof source - (size_t)used, ",%s", m->parameter[k].name);
    snprintf(source + used, sizeof source - (size_t)used, " return function() %s%s\nend",
             expression ? "return " : "", m->text);
    sandbox_compile(L, m->chunk, "", source, strlen(source));
    lua_call(L, 0, 1);
}

/* What is on top of the stack becomes variable `name`, if the function reads it. */
static void set_variable(lua_State *L, const struct maker *m, const char *name)
{
    const char *have;
    for (int k = 1; (have = lua_getupvalue(L, m->function, k)); k++) {
        lua_pop(L, 1);
        if (!strcmp(have, name)) {
            lua_setupvalue(L, m->function, k);
            return;
        }
    }
    lua_pop(L, 1);
}

static void set_number(lua_State *L, const struct maker *m, const char *name, double value)
{
    if (value == floor(value))
        lua_pushinteger(L, (lua_Integer)value);
    else
        lua_pushnumber(L, value);
    set_variable(L, m, name);
}

static void set_parameters(lua_State *L, struct maker *m)
{
    for (int k = 0; k < m->parameters; k++) {
        recording_push_parameter(L, m->recording, k);
        set_variable(L, m, m->parameter[k].name);
    }
}

/* Calls it for head and relation; its one value stays on the stack. */
static void call(lua_State *L, struct maker *m, int head, int relation)
{
    const struct encoding_context *c = m->context;
    const struct layout *l = c->layout;
    bool line = l->axes == 1;
    set_number(L, m, "d", line ? l->offset[relation] : encoding_distance(c, relation));
    set_number(L, m, "h", head + 1);
    set_number(L, m, "H", c->shape->heads);
    set_number(L, m, "n", l->n);
    if (l->axes == 2) {
        set_number(L, m, "dy", l->offset[2 * relation]);
        set_number(L, m, "dx", l->offset[2 * relation + 1]);
    }
    int top = lua_gettop(L);
    lua_pushvalue(L, m->function);
    lua_call(L, 0, LUA_MULTRET);
    if (lua_gettop(L) != top + 1)
        luaL_error(L, "%s:1: gives %d values; expected one", m->chunk + 1, lua_gettop(L) - top);
    if (lua_type(L, -1) != LUA_TNUMBER && lua_type(L, -1) != LUA_TUSERDATA)
        luaL_error(L, "%s:1: gives %s; expected a number", m->chunk + 1, luaL_typename(L, -1));
}

/* ---- programs ---------------------------------------------------------------------------------*/

static void need(lua_State *L, struct maker *m, int code)
{
    if (code)
        luaL_error(L, "%s", m->err.msg);
}

static int find_program(lua_State *L, struct maker *m)
{
    const struct recording *r = m->recording;
    struct formula *f = &m->out;
    size_t bytes = (size_t)r->steps * sizeof *r->step;
    for (int k = f->programs - 1; k >= 0; k--)
        if (f->program[k].steps == r->steps && !memcmp(f->program[k].step, r->step, bytes))
            return k;
    need(L, m, memory_grow(f->program, (size_t)f->programs + 1, &m->err));
    struct formula_program *x = &f->program[f->programs];
    *x = (struct formula_program){.steps = r->steps, .constants = r->constants,
                                  .parameters = r->indices};
    need(L, m, memory_grow(x->step, (size_t)r->steps, &m->err));
    memcpy(x->step, r->step, bytes);
    return f->programs++;
}

static void keep_element(lua_State *L, struct maker *m, int element)
{
    const struct recording *r = m->recording;
    int number = find_program(L, m);
    struct formula_program *x = &m->out.program[number];
    size_t at = (size_t)x->elements, constants = (size_t)x->constants,
           parameters = (size_t)x->parameters;
    need(L, m, memory_grow(x->element, at + 1, &m->err));
    need(L, m, memory_grow(x->constant, (at + 1) * constants + 1, &m->err));
    need(L, m, memory_grow(x->parameter, (at + 1) * parameters + 1, &m->err));
    x->element[at] = element;
    memcpy(x->constant + at * constants, r->constant, constants * sizeof *x->constant);
    memcpy(x->parameter + at * parameters, r->index, parameters * sizeof *x->parameter);
    for (size_t k = 0; k < parameters; k++)
        m->used[r->index[k]] = true;
    m->place[element] = (struct place){number, x->elements++};
}

/* Where the mask hides what is behind the query, nobody looks there, and a formula need not be
 * defined. */
static bool is_hidden(const struct encoding_context *c, int relation)
{
    const struct layout *l = c->layout;
    const int32_t *offset = l->axes ? l->offset + (ptrdiff_t)relation * l->axes : NULL;
    int axis = 0;
    while (axis + 1 < l->axes && offset[axis] == 0)
        axis++;
    return c->shape->past && offset && offset[axis] > 0;
}

static void record_all(lua_State *L, struct maker *m)
{
    int relations = m->context->layout->relations, heads = m->context->shape->heads;
    struct recording *r = m->recording;
    need(L, m, memory_grow(m->place, (size_t)relations * (size_t)heads, &m->err));
    need(L, m, memory_grow(m->used, (size_t)m->out.numbers + 1, &m->err));
    for (int h = 0; h < heads; h++)
        for (int d = 0; d < relations; d++) {
            m->place[h * relations + d].program = -1;
            if (is_hidden(m->context, d))
                continue;
            r->steps = r->constants = r->indices = 0;
            set_parameters(L, m);
            call(L, m, h, d);
            recording_finish(L, r);
            keep_element(L, m, h * relations + d);
        }
    for (int k = 0; k < m->parameters; k++) {
        const struct formula_parameter *p = &m->parameter[k];
        int read = 0;
        for (int x = 0; x < p->count; x++)
            read += m->used[p->first + x];
        if (!read)
            luaL_error(L, "%s:1: parameter %s has no effect", m->chunk + 1, p->name);
    }
}

/* ---- trying it --------------------------------------------------------------------------------*/

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

/* "d = 3, h = 1" of an element. */
static void show_place(const struct maker *m, int element, char *out, size_t size)
{
    const struct layout *l = m->context->layout;
    int r = element % l->relations, h = element / l->relations + 1;
    if (l->axes == 2)
        snprintf(out, size, "dy = %d, dx = %d, h = %d", l->offset[2 * r], l->offset[2 * r + 1], h);
    else
        snprintf(out, size, "d = %g, h = %d",
                 l->axes == 1 ? (double)l->offset[r] : encoding_distance(m->context, r), h);
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
    show_place(t->m, x->element[number], place, sizeof place);
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
            show_place(m, m->out.program[k].element[e], place, sizeof place);
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
    int heads = m->context->shape->heads, relations = m->context->layout->relations;
    char place[96];
    m->recording->plain = t->p;
    for (int draw = 0; draw < PLAIN_DRAWS; draw++) {
        draw_nearby(t, draw);
        set_parameters(L, m);
        for (int e = 0; e < heads * relations; e++) {
            if (m->place[e].program < 0)
                continue;
            call(L, m, e / relations, e % relations);
            double want = lua_tonumber(L, -1);
            double got = value_at(t, &m->out.program[m->place[e].program], m->place[e].number, 0);
            lua_pop(L, 1);
            show_place(m, e, place, sizeof place);
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

static void try_all(lua_State *L, struct maker *m)
{
    size_t block = (size_t)longest_of(&m->out) * FORMULA_BLOCK;
    size_t numbers = (size_t)m->out.numbers + 1;
    struct trial t = {.m = m,
                      .p = memory_alloc(numbers, sizeof(double), &m->err),
                      .direction = memory_alloc(numbers, sizeof(double), &m->err),
                      .moved = memory_alloc(numbers, sizeof(double), &m->err),
                      .value = memory_alloc(block, sizeof(double), &m->err),
                      .slope = memory_alloc(block, sizeof(double), &m->err)};
    need(L, m, m->err.code);
    try_tape(L, &t);
    try_plain(L, &t);
}

/* ---- classes ----------------------------------------------------------------------------------*/

static bool same_element(const struct formula *f, struct place a, struct place b)
{
    if (a.program != b.program || a.program < 0)
        return a.program == b.program;
    const struct formula_program *x = &f->program[a.program];
    size_t c = (size_t)x->constants, p = (size_t)x->parameters;
    return !memcmp(x->constant + (size_t)a.number * c, x->constant + (size_t)b.number * c,
                   c * sizeof *x->constant) &&
           !memcmp(x->parameter + (size_t)a.number * p, x->parameter + (size_t)b.number * p,
                   p * sizeof *x->parameter);
}

static bool same_relation(const struct maker *m, int a, int b)
{
    int relations = m->context->layout->relations;
    for (int h = 0; h < m->context->shape->heads; h++)
        if (!same_element(&m->out, m->place[h * relations + a], m->place[h * relations + b]))
            return false;
    return true;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    for (const unsigned char *b = bytes; count--; b++)
        hash = (hash ^ *b) * 1099511628211u;
    return hash;
}

static uint64_t hash_relation(const struct maker *m, int relation)
{
    int relations = m->context->layout->relations;
    uint64_t hash = 14695981039346656037u;
    for (int h = 0; h < m->context->shape->heads; h++) {
        struct place p = m->place[h * relations + relation];
        const struct formula_program *x = p.program < 0 ? NULL : &m->out.program[p.program];
        hash = hash_bytes(hash, &p.program, sizeof p.program);
        if (x)
            hash = hash_bytes(hash, x->constant + (size_t)p.number * (size_t)x->constants,
                              (size_t)x->constants * sizeof *x->constant);
        if (x)
            hash = hash_bytes(hash, x->parameter + (size_t)p.number * (size_t)x->parameters,
                              (size_t)x->parameters * sizeof *x->parameter);
    }
    return hash;
}

/* Relations of one class have the same tape in every head: they are the same function of the
 * parameters, whatever these are.  The class is the first such relation. */
static void find_classes(lua_State *L, struct maker *m)
{
    size_t relations = (size_t)m->context->layout->relations, size = 1;
    while (size < 2 * relations)
        size *= 2;
    int32_t *slot = memory_alloc(size, sizeof *slot, &m->err); /* relation + 1 */
    need(L, m, m->err.code);
    need(L, m, memory_grow(m->out.class, relations, &m->err));
    for (int r = 0; r < (int)relations; r++) {
        size_t at = (size_t)hash_relation(m, r) & (size - 1);
        while (slot[at] && !same_relation(m, slot[at] - 1, r))
            at = (at + 1) & (size - 1);
        slot[at] = slot[at] ? slot[at] : r + 1;
        m->out.class[r] = slot[at] - 1;
    }
}

/* ---- the process ------------------------------------------------------------------------------*/

static int make(lua_State *L)
{
    struct maker *m = sandbox_argument(L);
    recording_open(L, m->recording);
    push_function(L, m);
    m->function = lua_gettop(L);
    record_all(L, m);
    try_all(L, m);
    find_classes(L, m);
    return 0;
}

struct answer {
    struct err err;
    int programs;
};

static bool send_program(int fd, const struct formula_program *x)
{
    size_t elements = (size_t)x->elements;
    return child_send(fd, x, sizeof *x) &&
           child_send(fd, x->step, (size_t)x->steps * sizeof *x->step) &&
           child_send(fd, x->element, elements * sizeof *x->element) &&
           child_send(fd, x->constant, elements * (size_t)x->constants * sizeof *x->constant) &&
           child_send(fd, x->parameter, elements * (size_t)x->parameters * sizeof *x->parameter);
}

/* What it allocates ends with it. */
static void work(void *context, int fd)
{
    struct maker *m = context;
    struct answer a = {.programs = 0};
    struct err cause = {0};
    process_enter();
    process_limit(&limits);
    m->recording = memory_alloc(1, sizeof *m->recording, &a.err);
    if (m->recording) {
        m->recording->parameter = m->parameter;
        m->recording->parameters = m->parameters;
        if (sandbox_run(&limits, make, m, &cause))
            err_set(&a.err, cause.code == ERR_MEMORY || m->err.code ? ERR_MEMORY : ERR_USAGE, m->key,
                    "%s", cause.msg);
    }
    process_limit(NULL);
    a.programs = m->out.programs;
    bool sent = child_send(fd, &a, sizeof a);
    for (int k = 0; k < a.programs && sent && !a.err.code; k++)
        sent = send_program(fd, &m->out.program[k]);
    if (sent && !a.err.code)
        child_send(fd, m->out.class,
                   (size_t)m->context->layout->relations * sizeof *m->out.class);
}

/* ---- this side --------------------------------------------------------------------------------*/

struct reader {
    int fd;
    struct arena *arena;
    struct err *e;
    int code;
};

/* An array of the arena; where that only measures, it is read and forgotten. */
static void *receive(struct reader *r, size_t count, size_t size)
{
    void *kept = r->code ? NULL : arena_alloc(r->arena, count, size, r->e);
    void *read = kept || r->code || !r->arena->measuring ? NULL : memory_alloc(count, size, r->e);
    if (!kept && !read)
        r->code = r->code ? r->code : ERR_MEMORY;
    else if (!child_receive(r->fd, kept ? kept : read, count * size))
        r->code = err_set(r->e, ERR_EVALUATION, NULL, "the process that records a formula ended");
    memory_free(read);
    return kept;
}

static int receive_program(struct reader *r, struct formula_program *x)
{
    if (!child_receive(r->fd, x, sizeof *x))
        return err_set(r->e, ERR_EVALUATION, NULL, "the process that records a formula ended");
    size_t elements = (size_t)x->elements;
    x->step = receive(r, (size_t)x->steps, sizeof *x->step);
    x->element = receive(r, elements, sizeof *x->element);
    x->constant = receive(r, elements * (size_t)x->constants, sizeof *x->constant);
    x->parameter = receive(r, elements * (size_t)x->parameters, sizeof *x->parameter);
    return r->code;
}

static int receive_all(struct reader *r, const struct maker *m, int programs, struct formula **out)
{
    struct formula *f = arena_alloc(r->arena, 1, sizeof *f, r->e), own = {0};
    struct formula_program *kept =
        arena_alloc(r->arena, (size_t)programs, sizeof *own.program, r->e);
    int steps = 1;
    if (!r->arena->measuring && (!f || !kept))
        return ERR_MEMORY;
    for (int k = 0; k < programs && !r->code; k++) {
        struct formula_program x;
        r->code = receive_program(r, &x);
        steps = !r->code && x.steps > steps ? x.steps : steps;
        if (kept)
            kept[k] = x;
    }
    own.class = receive(r, (size_t)m->context->layout->relations, sizeof *own.class);
    own.programs = programs;
    own.program = kept;
    own.numbers = m->out.numbers;
    own.value = arena_alloc(r->arena, (size_t)steps * FORMULA_BLOCK, sizeof *own.value, r->e);
    own.slope = arena_alloc(r->arena, (size_t)steps * FORMULA_BLOCK, sizeof *own.slope, r->e);
    own.p = arena_alloc(r->arena, (size_t)own.numbers + 1, sizeof *own.p, r->e);
    own.dp = arena_alloc(r->arena, (size_t)own.numbers + 1, sizeof *own.dp, r->e);
    if (f)
        *f = own;
    *out = f;
    return r->code ? r->code : arena_check(r->arena);
}

int formula_open(const struct encoding_context *c, const char *key, const char *text,
                 const struct formula_parameter *parameter, int parameters, struct arena *arena,
                 struct formula **out, struct err *e)
{
    struct maker m = {.context = c, .key = key, .text = text, .parameter = parameter,
                      .parameters = parameters};
    struct child child;
    struct answer a;
    char chunk[CHUNK_MAX];
    name_chunk(key, chunk);
    m.chunk = chunk;
    for (int k = 0; k < parameters; k++)
        m.out.numbers += parameter[k].count;
    *out = NULL;
    int code = child_start(&child, SIGKILL, work, &m, e);
    if (code)
        return code;
    if (!child_receive(child.fd, &a, sizeof a)) {
        struct err cause = {0};
        code = process_say_end(&child, chunk + 1, &limits, &cause);
        return err_set(e, code == ERR_EVALUATION ? ERR_USAGE : code, key, "%s", cause.msg);
    }
    struct reader r = {.fd = child.fd, .arena = arena, .e = e};
    code = a.err.code ? err_pass(e, &a.err) : receive_all(&r, &m, a.programs, out);
    child_end(&child);
    return code;
}

/* ---- a look at the text alone -----------------------------------------------------------------*/

struct look {
    struct recording *none;
    const char *key, *text;
};

static int compile_body(lua_State *L)
{
    const struct look *x = sandbox_argument(L);
    char chunk[CHUNK_MAX];
    name_chunk(x->key, chunk);
    compile_alone(L, chunk, x->text);
    return 0;
}

int formula_check(const char *key, const char *text, struct err *e)
{
    struct look x = {.key = key, .text = text};
    struct err cause = {0};
    if (!sandbox_run(&limits, compile_body, &x, &cause))
        return 0;
    return err_set(e, cause.code == ERR_MEMORY ? ERR_MEMORY : ERR_USAGE, key, "%s; expected Lua 5.4",
                   cause.msg);
}

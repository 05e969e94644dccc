/* Marked values: userdata that hold the number of a step, and record what is done with them.  A
 * parameter with an index is a userdata too, until the index makes it a step (formula_record.h). */
#include "encoding/formula_record.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/sandbox.h"

#define MARKED "formula.marked"
#define INDEXED "formula.indexed"

struct indexed {
    int parameter, at, level; /* at: into all parameters; level: indices that are still due */
};

static struct recording *recording_of(lua_State *L)
{
    return *(struct recording **)sandbox_argument(L);
}

/* ---- steps ------------------------------------------------------------------------------------*/

static int add_step(lua_State *L, int op, int a, int b)
{
    struct recording *r = recording_of(L);
    if (r->steps == FORMULA_OPS_MAX)
        luaL_error(L, "takes more than %d operations with parameters", FORMULA_OPS_MAX);
    r->step[r->steps] = (struct formula_step){op, a, b};
    return r->steps++;
}

static int push_step(lua_State *L, int step)
{
    int *mark = lua_newuserdatauv(L, sizeof *mark, 0);
    *mark = step;
    luaL_setmetatable(L, MARKED);
    return 1;
}

static bool is_marked(lua_State *L, int at)
{
    return luaL_testudata(L, at, MARKED) != NULL;
}

static void refuse_indexed(lua_State *L, const struct indexed *x)
{
    const struct formula_parameter *p = &recording_of(L)->parameter[x->parameter];
    bool head = p->per == FORMULA_HEAD;
    luaL_error(L, "%s is several numbers; expected %s%s%s%s", p->name, p->name, head ? "[h]" : "",
               p->size ? "[k]" : "", head ? ", or per: model" : "");
}

static int operand(lua_State *L, int at)
{
    struct recording *r = recording_of(L);
    struct indexed *x = luaL_testudata(L, at, INDEXED);
    if (is_marked(L, at))
        return *(int *)lua_touserdata(L, at);
    if (x)
        refuse_indexed(L, x);
    if (lua_type(L, at) != LUA_TNUMBER)
        luaL_error(L, "computes with a %s; expected numbers", luaL_typename(L, at));
    int step = add_step(L, FORMULA_CONSTANT, r->constants, 0);
    r->constant[r->constants++] = lua_tonumber(L, at);
    return step;
}

static int operate(lua_State *L)
{
    int op = (int)lua_tointeger(L, lua_upvalueindex(1));
    int a = operand(L, 1), b = op < FORMULA_NEG ? operand(L, 2) : 0;
    return push_step(L, add_step(L, op, a, b));
}

static int refuse_branch(lua_State *L)
{
    return luaL_error(L, "compares a parameter, and a branch has no gradient; expected math.max, "
                         "math.min or math.abs, or a comparison of d, h and numbers alone");
}

static int refuse_step(lua_State *L)
{
    return luaL_error(L, "%s of a parameter has no gradient; expected + - * / ^ or abs, acos, asin, "
                         "atan, cos, exp, log, max, min, sin, sqrt, tan of math",
                      lua_tostring(L, lua_upvalueindex(1)));
}

/* ---- parameters -------------------------------------------------------------------------------*/

static int push_number(lua_State *L, struct recording *r, int at)
{
    if (r->plain) {
        lua_pushnumber(L, r->plain[at]);
        return 1;
    }
    int step = add_step(L, FORMULA_PARAMETER, r->indices, 0);
    r->index[r->indices++] = at;
    return push_step(L, step);
}

static int push_indexed(lua_State *L, struct recording *r, struct indexed x)
{
    if (x.level == 0)
        return push_number(L, r, x.at);
    struct indexed *own = lua_newuserdatauv(L, sizeof *own, 0);
    *own = x;
    luaL_setmetatable(L, INDEXED);
    return 1;
}

static int index_parameter(lua_State *L)
{
    struct recording *r = recording_of(L);
    struct indexed *x = luaL_checkudata(L, 1, INDEXED);
    const struct formula_parameter *p = &r->parameter[x->parameter];
    bool last = x->level == 1, by_head = !last || !p->size;
    int size = p->size ? p->size : 1, count = by_head ? p->count / size : p->size, whole = 0;
    lua_Integer k = lua_tointegerx(L, 2, &whole);
    if (!whole || k < 1 || k > count)
        luaL_error(L, "%s has no entry %s; expected a whole number from 1 to %d", p->name,
                   luaL_tolstring(L, 2, NULL), count);
    int stride = by_head ? size : 1;
    return push_indexed(L, r, (struct indexed){x->parameter, x->at + (int)(k - 1) * stride,
                                               x->level - 1});
}

static int operate_indexed(lua_State *L)
{
    struct indexed *x = luaL_testudata(L, 1, INDEXED);
    refuse_indexed(L, x ? x : luaL_checkudata(L, 2, INDEXED));
    return 0;
}

void recording_push_parameter(lua_State *L, struct recording *r, int number)
{
    const struct formula_parameter *p = &r->parameter[number];
    push_indexed(L, r, (struct indexed){number, p->first,
                                        (p->per == FORMULA_HEAD) + (p->size > 0)});
}

/* ---- math -------------------------------------------------------------------------------------*/

static bool any_marked(lua_State *L)
{
    int count = lua_gettop(L);
    while (count && lua_type(L, count) != LUA_TUSERDATA)
        count--;
    return count > 0;
}

enum { SIGN_DEPTH = 8 };

/* A step of the same size, and maybe of another sign: |p c| is exactly |p |c||, and cos knows no sign.
 * So recorded, offsets of both signs have one tape. */
static int without_sign(lua_State *L, int step, int depth)
{
    struct recording *r = recording_of(L);
    const struct formula_step s = r->step[step];
    if (s.op == FORMULA_CONSTANT && signbit(r->constant[s.a])) {
        step = add_step(L, FORMULA_CONSTANT, r->constants, 0);
        r->constant[r->constants++] = -r->constant[s.a];
        return step;
    }
    if (depth == SIGN_DEPTH || (s.op != FORMULA_NEG && s.op != FORMULA_MUL && s.op != FORMULA_DIV))
        return step;
    int a = without_sign(L, s.a, depth + 1);
    if (s.op == FORMULA_NEG)
        return a;
    int b = without_sign(L, s.b, depth + 1);
    return a == s.a && b == s.b ? step : add_step(L, s.op, a, b);
}

/* Upvalues: the operation, Lua's own function. */
static int call_math(lua_State *L)
{
    int op = (int)lua_tointeger(L, lua_upvalueindex(1)), count = lua_gettop(L);
    if (!any_marked(L)) {
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_insert(L, 1);
        lua_call(L, count, LUA_MULTRET);
        return lua_gettop(L);
    }
    int a = operand(L, 1);
    if (op == FORMULA_MAX || op == FORMULA_MIN) {
        for (int k = 2; k <= count; k++)
            a = add_step(L, op, a, operand(L, k));
        return push_step(L, a);
    }
    if (op == FORMULA_ATAN2) {
        lua_settop(L, count > 1 ? 2 : 1);
        if (count < 2)
            lua_pushnumber(L, 1);
        return push_step(L, add_step(L, op, a, operand(L, 2)));
    }
    if (op == FORMULA_ABS || op == FORMULA_COS)
        a = without_sign(L, a, 0);
    a = add_step(L, op, a, 0);
    if (op == FORMULA_LOG && count > 1) {
        int base = add_step(L, op, operand(L, 2), 0);
        a = add_step(L, FORMULA_DIV, a, base);
    }
    return push_step(L, a);
}

/* Upvalues: the name, Lua's own function. */
static int call_without_gradient(lua_State *L)
{
    int count = lua_gettop(L);
    if (any_marked(L))
        return refuse_step(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

static int user_type(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushstring(L, is_marked(L, 1) ? "number" : luaL_typename(L, 1));
    return 1;
}

static void wrap_math(lua_State *L)
{
    static const struct {
        const char *name;
        int op;
    } known[] = {{"abs", FORMULA_ABS}, {"sqrt", FORMULA_SQRT}, {"exp", FORMULA_EXP},
                 {"log", FORMULA_LOG}, {"sin", FORMULA_SIN},   {"cos", FORMULA_COS},
                 {"tan", FORMULA_TAN}, {"asin", FORMULA_ASIN}, {"acos", FORMULA_ACOS},
                 {"max", FORMULA_MAX}, {"min", FORMULA_MIN},   {"atan", FORMULA_ATAN2}};
    static const char *const others[] = {"floor", "ceil", "fmod", "modf", "tointeger",
                                         "ult",   "deg",  "rad",  "type", NULL};
    lua_getglobal(L, "math");
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        lua_pushinteger(L, known[k].op);
        lua_getfield(L, -2, known[k].name);
        lua_pushcclosure(L, call_math, 2);
        lua_setfield(L, -2, known[k].name);
    }
    for (int k = 0; others[k]; k++) {
        lua_pushfstring(L, "math.%s", others[k]);
        lua_getfield(L, -2, others[k]);
        lua_pushcclosure(L, call_without_gradient, 2);
        lua_setfield(L, -2, others[k]);
    }
    lua_pop(L, 1);
}

/* ---- metatables -------------------------------------------------------------------------------*/

static const char *const arithmetic[] = {"__add", "__sub", "__mul", "__div", "__pow", "__unm"};
static const int arithmetic_op[] = {FORMULA_ADD, FORMULA_SUB, FORMULA_MUL,
                                    FORMULA_DIV, FORMULA_POW, FORMULA_NEG};
static const char *const comparing[] = {"__eq", "__lt", "__le"};
static const char *const undefined[][2] = {{"__mod", "%"}, {"__idiv", "//"}, {"__concat", ".."},
                                           {"__band", "&"}, {"__bor", "|"}, {"__bxor", "~"},
                                           {"__shl", "<<"}, {"__shr", ">>"}, {"__bnot", "~"},
                                           {"__tostring", "tostring"}};

static void make_metatables(lua_State *L)
{
    luaL_newmetatable(L, MARKED);
    lua_pushstring(L, "parameter"); /* as Lua calls it: "attempt to index a parameter value" */
    lua_setfield(L, -2, "__name");
    for (size_t k = 0; k < sizeof arithmetic / sizeof *arithmetic; k++) {
        lua_pushinteger(L, arithmetic_op[k]);
        lua_pushcclosure(L, operate, 1);
        lua_setfield(L, -2, arithmetic[k]);
    }
    for (size_t k = 0; k < sizeof undefined / sizeof *undefined; k++) {
        lua_pushstring(L, undefined[k][1]);
        lua_pushcclosure(L, refuse_step, 1);
        lua_setfield(L, -2, undefined[k][0]);
    }
    for (size_t k = 0; k < sizeof comparing / sizeof *comparing; k++) {
        lua_pushcfunction(L, refuse_branch);
        lua_setfield(L, -2, comparing[k]);
    }
    luaL_newmetatable(L, INDEXED);
    lua_pushstring(L, "parameter");
    lua_setfield(L, -2, "__name");
    for (size_t k = 0; k < sizeof arithmetic / sizeof *arithmetic; k++) {
        lua_pushcfunction(L, operate_indexed);
        lua_setfield(L, -2, arithmetic[k]);
    }
    lua_pushcfunction(L, index_parameter);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

/* Upvalue: the sandbox's own answer, which raises what Lua has and the sandbox has not. */
static int refuse_name(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 0);
    lua_getglobal(L, "math");
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    bool known = !lua_isnil(L, -1);
    const char *name = luaL_tolstring(L, 2, NULL);
    return known ? luaL_error(L, "unknown name %s; expected math.%s", name, name)
                 : luaL_error(L, "unknown name %s; expected a parameter, math, or a variable: %s", name,
                              recording_of(L)->variables);
}

static int refuse_global(lua_State *L)
{
    return luaL_error(L, "sets the global %s; expected local %s", luaL_tolstring(L, 2, NULL),
                      lua_tostring(L, 2));
}

void recording_open(lua_State *L, struct recording *r)
{
    (void)r;
    make_metatables(L);
    wrap_math(L);
    lua_pushcfunction(L, user_type);
    lua_setglobal(L, "type");
    lua_pushglobaltable(L);
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__index");
    lua_pushcclosure(L, refuse_name, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_global);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 2);
}

/* ---- the end of a recording -------------------------------------------------------------------*/

/* The steps that the last one needs, each behind its operands, as they are met from the last: what the
 * formula computes besides, and in which order, leaves no trace. */
struct ordering {
    const struct recording *r;
    struct formula_step step[FORMULA_OPS_MAX];
    double constant[FORMULA_OPS_MAX];
    int32_t index[FORMULA_OPS_MAX], place[FORMULA_OPS_MAX]; /* place: where it went, or -1 */
    int steps, constants, indices;
};

static int32_t put(struct ordering *x, int number)
{
    struct formula_step s = x->r->step[number];
    if (x->place[number] >= 0)
        return x->place[number];
    if (s.op == FORMULA_CONSTANT) {
        x->constant[x->constants] = x->r->constant[s.a];
        s.a = x->constants++;
    } else if (s.op == FORMULA_PARAMETER) {
        x->index[x->indices] = x->r->index[s.a];
        s.a = x->indices++;
    } else {
        s.a = put(x, s.a);
        s.b = s.op < FORMULA_NEG ? put(x, s.b) : 0;
    }
    x->step[x->steps] = s;
    return x->place[number] = x->steps++;
}

static void put_in_order(struct recording *r)
{
    struct ordering x;
    x.r = r;
    x.steps = x.constants = x.indices = 0;
    for (int k = 0; k < r->steps; k++)
        x.place[k] = -1;
    put(&x, r->steps - 1);
    memcpy(r->step, x.step, (size_t)x.steps * sizeof *x.step);
    memcpy(r->constant, x.constant, (size_t)x.constants * sizeof *x.constant);
    memcpy(r->index, x.index, (size_t)x.indices * sizeof *x.index);
    r->steps = x.steps;
    r->constants = x.constants;
    r->indices = x.indices;
}

void recording_finish(lua_State *L, struct recording *r)
{
    int last = operand(L, lua_gettop(L));
    r->steps = last + 1;
    put_in_order(r);
    lua_pop(L, 1);
}

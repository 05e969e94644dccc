/* lua: the user's own target, as an expression or as a file, in Lua 5.4.
 *
 *   target: {kind: lua, y: "math.sin(2*math.pi*i/n) * x[i][c]"}
 *
 * y is an expression in x (a table of n tables of d numbers), the position i and the channel c
 * (both from 1), n and d.  It is evaluated for every i and c.
 *
 *   target: {kind: lua, file: target.lua}
 *
 * The file either returns a function or defines a global function y; it gets the whole sequence and
 * returns a table of n tables of d numbers:
 *
 *   return function(x, n, d)          -- running maximum
 *       local y = {}
 *       for i = 1, n do
 *           y[i] = {}
 *           for c = 1, d do y[i][c] = math.max(x[i][c], i > 1 and y[i-1][c] or 0) end
 *       end
 *       return y
 *   end
 *
 * sandbox.h says what the language has and what it has not.  Positions are numbered as the space
 * numbers them (row by row on a grid).
 * Invariant: y is a function of (x, n, d) alone, since each sample has a state of its own and
 * nothing in it is random, knows the time or sees an address. */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/named_file.h"
#include "target/sandbox.h"
#include "target/table.h"

/* As numbers and as texts; y comes first among both. */
enum { LUA_Y, LUA_FILE };
enum { LUA_FILE_BYTES_MAX = 1 << 16 };

static bool uses_y(const void *owner)
{
    const struct kind_config *c = owner;
    return !c->text[LUA_FILE].text[0];
}

static const struct option options[] = {
    {.key = "y", .type = OPTION_TEXT, .fallback = "x[i][c]",
     .help = "an expression in x[i][c], i, c, n, d (i and c from 1); unused where file is given",
     .applies = uses_y},
    {.key = "file", .type = OPTION_TEXT, .fallback = "", .file = true,
     .help = "a Lua file whose function(x, n, d) returns y[i][c] for the whole sequence"},
    {.key = NULL},
};

static const char *code_key(const struct target_config *c)
{
    return uses_y(&c->kind) ? "target.y" : "target.file";
}

/* ---- source -----------------------------------------------------------------------------------*/

struct user_code {
    const char *name, *before; /* as sandbox_compile wants them */
    const char *text;
    size_t count;
    bool file;
};

static const char *const expression_before = "local x, i, c, n, d = ... return ";

/* Copies the text into the arena; the size alone where that only measures. */
static int source_read(const struct target_config *c, struct arena *arena, struct user_code *s,
                       struct err *e)
{
    const char *value = c->kind.text[LUA_FILE].text, *y = c->kind.text[LUA_Y].text;
    char *bytes = NULL, *name = NULL, *copy;
    *s = (struct user_code){.file = *value, .count = strlen(y), .before = expression_before};
    int code = s->file ? named_file_read(value, &bytes, &s->count, e) : 0;
    if (code)
        return code;
    size_t room = s->file ? strlen(named_file_path(value)) + 2 : sizeof "=target.y";
    copy = arena_alloc(arena, s->count + 1, 1, e);
    name = arena_alloc(arena, room, 1, e);
    if (copy && name) {
        memcpy(copy, s->file ? bytes : y, s->count);
        snprintf(name, room, "%s%s", s->file ? "@" : "=target.y",
                 s->file ? named_file_path(value) : "");
    }
    memory_free(bytes);
    s->text = copy;
    s->name = name;
    s->before = s->file ? "" : expression_before;
    return (copy && name) || arena->measuring ? 0 : ERR_MEMORY;
}

/* Leaves the user's function on the stack. */
static void push_function(lua_State *L, const struct user_code *s)
{
    sandbox_compile(L, s->name, s->before, s->text, s->count);
    if (!s->file)
        return;
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_getglobal(L, "y");
    }
    if (!lua_isfunction(L, -1))
        luaL_error(L, "%s: gives no function; expected `return function(x, n, d) ...` or a global "
                   "function y", s->name + 1);
}

/* ---- one sample -------------------------------------------------------------------------------*/

struct call {
    const struct user_code *code;
    int n, d;
    const double *x;
    double *y;
};

static void push_inputs(lua_State *L, const struct call *call)
{
    const double *x = call->x;
    lua_createtable(L, call->n, 0);
    for (int i = 1; i <= call->n; i++) {
        lua_createtable(L, call->d, 0);
        for (int c = 1; c <= call->d; c++) {
            lua_pushnumber(L, *x++);
            lua_rawseti(L, -2, c);
        }
        lua_rawseti(L, -2, i);
    }
}

/* "file:line: " of the function at `index`, which is where it begins. */
static void push_place(lua_State *L, int index)
{
    lua_Debug where;
    lua_pushvalue(L, index);
    lua_getinfo(L, ">S", &where);
    lua_pushfstring(L, "%s:%d: ", where.short_src,
                    where.linedefined > 0 ? where.linedefined : 1);
}

/* The number on top of the stack, popped; raises what else it is.  i 0: no place to name. */
static double pop_number(lua_State *L, int function, int i, int c)
{
    double value = lua_tonumber(L, -1);
    if (lua_type(L, -1) == LUA_TNUMBER && isfinite(value)) {
        lua_pop(L, 1);
        return value;
    }
    const char *what = lua_type(L, -1) != LUA_TNUMBER ? luaL_typename(L, -1)
                       : isnan(value)                 ? "nan"
                                                      : "infinite";
    push_place(L, function);
    lua_pushfstring(L, "y[%d][%d] is %s; expected a finite number", i, c, what);
    lua_concat(L, 2);
    lua_error(L);
    return 0;
}

static void evaluate_expression(lua_State *L, struct call *call)
{
    double *y = call->y;
    for (int i = 1; i <= call->n; i++)
        for (int c = 1; c <= call->d; c++) {
            lua_pushvalue(L, 1);
            lua_pushvalue(L, 2);
            lua_pushinteger(L, i);
            lua_pushinteger(L, c);
            lua_pushinteger(L, call->n);
            lua_pushinteger(L, call->d);
            lua_call(L, 5, LUA_MULTRET);
            if (lua_gettop(L) != 3)
                luaL_error(L, "target.y:1: gives %d values; expected one", lua_gettop(L) - 2);
            *y++ = pop_number(L, 1, i, c);
        }
}

static void check_table(lua_State *L, const char *what, int size, const char *unit)
{
    if (lua_istable(L, -1) && lua_rawlen(L, -1) == (size_t)size)
        return;
    push_place(L, 1);
    if (!lua_istable(L, -2))
        lua_pushfstring(L, "%s is %s; expected a table of %d %s", what, luaL_typename(L, -2), size,
                        unit);
    else
        lua_pushfstring(L, "%s has %d entries; expected %d %s", what, (int)lua_rawlen(L, -2), size,
                        unit);
    lua_concat(L, 2);
    lua_error(L);
}

static void evaluate_function(lua_State *L, struct call *call)
{
    double *y = call->y;
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, call->n);
    lua_pushinteger(L, call->d);
    lua_call(L, 3, 1);
    check_table(L, "y", call->n, "positions");
    for (int i = 1; i <= call->n; i++) {
        char row[32];
        snprintf(row, sizeof row, "y[%d]", i);
        lua_rawgeti(L, -1, i);
        check_table(L, row, call->d, "channels");
        for (int c = 1; c <= call->d; c++) {
            lua_rawgeti(L, -1, c);
            *y++ = pop_number(L, 1, i, c);
        }
        lua_pop(L, 1);
    }
}

static int evaluate_body(lua_State *L)
{
    struct call *call = sandbox_argument(L);
    push_function(L, call->code);
    push_inputs(L, call);
    if (call->code->file)
        evaluate_function(L, call);
    else
        evaluate_expression(L, call);
    return 0;
}

/* ---- the target -------------------------------------------------------------------------------*/

static int compile_body(lua_State *L)
{
    const struct user_code *s = sandbox_argument(L);
    sandbox_compile(L, s->name, s->before, s->text, s->count);
    return 0;
}

static int check_size(const char *file, struct err *e)
{
    size_t size = 0;
    int code = *file ? named_file_size(file, &size, e) : 0;
    if (code || size <= LUA_FILE_BYTES_MAX)
        return code;
    return err_set(e, ERR_USAGE, "target.file", "%s is larger than %d bytes; expected Lua 5.4",
                   named_file_path(file), LUA_FILE_BYTES_MAX);
}

/* Compiles and runs nothing, so that a typing error is found before anything is trained. */
static int lua_check(const struct target_config *c, const struct space_config *s, struct err *e)
{
    struct arena arena;
    struct user_code source;
    struct err cause = {0};
    (void)s;
    int code = check_size(c->kind.text[LUA_FILE].text, e);
    if (!code)
        code = arena_open(&arena, 0, e);
    if (code)
        return code;
    code = source_read(c, &arena, &source, e);
    if (!code && sandbox_run(&sandbox_limits, compile_body, &source, &cause)) {
        code = cause.code == ERR_MEMORY
                   ? err_pass(e, &cause)
                   : err_set(e, ERR_USAGE, code_key(c), "%s; expected Lua 5.4", cause.msg);
    }
    arena_close(&arena);
    return code;
}

static int lua_prepare(const struct target_config *c, const struct space_config *s, int n,
                       struct arena *arena, void **state, struct err *e)
{
    struct user_code *code = arena_alloc(arena, 1, sizeof *code, e), measured;
    (void)s, (void)n;
    *state = code;
    if (!code && !arena->measuring)
        return ERR_MEMORY;
    return source_read(c, arena, code ? code : &measured, e);
}

static int lua_evaluate(const void *state, const struct target_config *c, const struct layout *l,
                        int d, const double *x, double *y, struct err *e)
{
    struct call call = {.code = state, .n = l->n, .d = d, .x = x, .y = y};
    (void)c;
    return sandbox_run(&sandbox_limits, evaluate_body, &call, e);
}

const struct target target_lua = {
    .name = "lua",
    .formula = "y_i[c] = the value of an expression, or of a file's function(x, n, d), in Lua 5.4",
    .summary = "the user's own: y, an expression, or file, whose function gets the whole sequence; "
               "math (without random), assert, error, ipairs, select, tonumber, tostring, type",
    .options = options,
    .check = lua_check,
    .open = lua_prepare,
    .evaluate = lua_evaluate,
    .code_key = code_key,
};

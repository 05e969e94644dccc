/* A formula's text as a Lua function (formula_make.h). */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "encoding/formula_make.h"

enum { SOURCE_MAX = 1024 };

void formula_chunk(const char *key, char out[FORMULA_CHUNK_MAX])
{
    const char *dot = strrchr(key, '.');
    snprintf(out, FORMULA_CHUNK_MAX, "=%s", dot ? dot + 1 : key);
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

/* A function of no arguments whose variables are upvalues.  The text alone is a chunk, so it cannot end
 * the function early. */
static void push_function(lua_State *L, const char *chunk, const char *text,
                          const char *const *variable, int count)
{
    char source[2 * SOURCE_MAX];
    int used = snprintf(source, sizeof source, "local _");
    bool expression = compile_alone(L, chunk, text);
    for (int k = 0; k < count; k++)
        used += snprintf(source + used, sizeof source - (size_t)used, ",%s", variable[k]);
    snprintf(source + used, sizeof source - (size_t)used, " return function() %s%s\nend",
             expression ? "return " : "", text);
    sandbox_compile(L, chunk, "", source, strlen(source));
    lua_call(L, 0, 1);
}

void maker_push_function(lua_State *L, const struct maker *m, const char *text, bool declared)
{
    const char *variable[FORMULA_VARIABLES_MAX + ENCODING_TENSORS_MAX];
    int count = 0;
    for (int k = 0; k < m->names; k++)
        if (!declared || !m->name[k].of_head)
            variable[count++] = m->name[k].name;
    for (int k = 0; k < m->parameters && !declared; k++)
        variable[count++] = m->parameter[k].name;
    push_function(L, m->chunk, text, variable, count);
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

void maker_set_parameters(lua_State *L, struct maker *m)
{
    for (int k = 0; k < m->parameters; k++) {
        recording_push_parameter(L, m->recording, k);
        set_variable(L, m, m->parameter[k].name);
    }
}

void maker_call(lua_State *L, struct maker *m, int group, int item)
{
    double value[FORMULA_VARIABLES_MAX];
    m->domain->values(m->context, group, item, value);
    for (int k = 0; k < m->names; k++)
        set_number(L, m, m->name[k].name, value[k]);
    int top = lua_gettop(L);
    lua_pushvalue(L, m->function);
    lua_call(L, 0, LUA_MULTRET);
    if (lua_gettop(L) != top + 1)
        luaL_error(L, "%s:1: gives %d values; expected one", m->chunk + 1, lua_gettop(L) - top);
    if (lua_type(L, -1) != LUA_TNUMBER && lua_type(L, -1) != LUA_TUSERDATA)
        luaL_error(L, "%s:1: gives %s; expected a number", m->chunk + 1, luaL_typename(L, -1));
}

void maker_need(lua_State *L, struct maker *m, int code)
{
    if (code)
        luaL_error(L, "%s", m->err.msg);
}

void maker_show(const struct maker *m, int element, char *out, size_t size)
{
    double value[FORMULA_VARIABLES_MAX];
    size_t used = 0;
    m->domain->values(m->context, element / m->out.items, element % m->out.items, value);
    for (int k = 0; k < m->names && used < size; k++)
        if (m->name[k].shown)
            used += (size_t)snprintf(out + used, size - used, "%s%s = %g", used ? ", " : "",
                                     m->name[k].name, value[k]);
}

/* ---- a look at the text alone -----------------------------------------------------------------*/

/* Begins as recordings do, for sandbox_argument. */
struct look {
    struct recording *none;
    const char *chunk, *text;
    const char *const *name;
    int names;
    bool reads;
};

static int compile_body(lua_State *L)
{
    const struct look *x = sandbox_argument(L);
    compile_alone(L, x->chunk, x->text);
    return 0;
}

int formula_check(const char *key, const char *text, struct err *e)
{
    char chunk[FORMULA_CHUNK_MAX];
    struct look x = {.chunk = chunk, .text = text};
    struct err cause = {0};
    formula_chunk(key, chunk);
    if (!sandbox_run(&formula_limits, compile_body, &x, &cause))
        return 0;
    return err_set(e, cause.code == ERR_MEMORY ? ERR_MEMORY : ERR_USAGE, key, "%s; expected Lua 5.4",
                   cause.msg);
}

static int reads_body(lua_State *L)
{
    struct look *x = sandbox_argument(L);
    const char *have;
    push_function(L, x->chunk, x->text, x->name, x->names);
    for (int k = 1; (have = lua_getupvalue(L, -1, k)); k++, lua_pop(L, 1))
        for (int name = 0; name < x->names; name++)
            x->reads = x->reads || !strcmp(have, x->name[name]);
    return 0;
}

bool formula_reads(const char *text, const char *const *names, int count)
{
    struct look x = {.chunk = "=formula", .text = text, .name = names, .names = count};
    struct err ignored = {0};
    bool maybe = false;
    for (int k = 0; k < count; k++)
        maybe = maybe || strstr(text, names[k]);
    return maybe && !sandbox_run(&formula_limits, reads_body, &x, &ignored) && x.reads;
}

/* The sandbox.  Invariants: everything that Lua may raise happens below the one lua_pcall in
 * sandbox_run; the arena never holds more than limits->bytes.
 *
 * Lua's allocator says how large a block was, so blocks need no headers: sizes are rounded up to
 * powers of two, and a freed block goes to the list of its size.
 *
 *   free[k] -> block -> block -> NULL         blocks of 64 * 2^k bytes */
#include "lua/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { BLOCK_MIN = 64, CLASSES = 26, FIRST_CHUNK = 48 << 10 };

const struct sandbox_limits sandbox_limits = {.instructions = 100000000,
                                              .bytes = (size_t)64 << 20,
                                              .seconds = 10,
                                              .slack = 1,
                                              .kill_seconds = 120,
                                              .hook = 100,
                                              .of = "a sample"};

struct freed {
    struct freed *next;
};
struct sandbox {
    const struct sandbox_limits *limits;
    lua_CFunction body;
    void *argument;
    struct arena heap;
    struct freed *free[CLASSES];
    struct err memory; /* the machine had none left, whatever the limit */
    long instructions;
    double deadline, look_again; /* by processor time; by the cheap clock */
};

/* ---- memory -----------------------------------------------------------------------------------*/

static int class_of(size_t size)
{
    int class = 0;
    while (class < CLASSES && (size_t)BLOCK_MIN << class < size)
        class++;
    return class;
}

static void *take_block(struct sandbox *s, size_t size)
{
    int class = class_of(size);
    if (class == CLASSES)
        return NULL;
    struct freed *block = s->free[class];
    size_t bytes = (size_t)BLOCK_MIN << class;
    if (block) {
        s->free[class] = block->next;
        return block;
    }
    if (s->heap.used > s->limits->bytes || bytes > s->limits->bytes - s->heap.used)
        return NULL;
    return arena_alloc(&s->heap, bytes, 1, &s->memory);
}

static void give_block(struct sandbox *s, void *data, size_t size)
{
    struct freed *block = data;
    int class = class_of(size);
    block->next = s->free[class];
    s->free[class] = block;
}

/* lua_Alloc: old NULL allocates (old_size is then a type), size 0 frees. */
static void *allocate(void *context, void *old, size_t old_size, size_t size)
{
    struct sandbox *s = context;
    if (old && size && class_of(old_size) == class_of(size))
        return old;
    void *block = size ? take_block(s, size) : NULL;
    if (size && !block)
        return NULL;
    if (old && block)
        memcpy(block, old, old_size < size ? old_size : size);
    if (old)
        give_block(s, old, old_size);
    return block;
}

/* ---- time -------------------------------------------------------------------------------------*/

static double clock_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Processor time, so that a busy machine fails nothing; but that takes a system call, and so it is
 * only asked for once the cheap clock says that it may be time. */
static bool out_of_time(struct sandbox *s)
{
    double now = clock_seconds(CLOCK_MONOTONIC);
    if (now < s->look_again)
        return false;
    double left = s->deadline - clock_seconds(CLOCK_THREAD_CPUTIME_ID);
    s->look_again = now + left;
    return left <= 0;
}

static struct sandbox *sandbox_of(lua_State *L)
{
    void *s;
    lua_getallocf(L, &s);
    return s;
}

/* Raises "file:line: <text with the limit and whose>"; luaL_error would name the caller's line. */
static void stop(lua_State *L, const char *format, double limit)
{
    luaL_where(L, 0);
    lua_pushfstring(L, format, (lua_Integer)limit, sandbox_of(L)->limits->of);
    lua_concat(L, 2);
    lua_error(L);
}

static void look(lua_State *L, lua_Debug *unused)
{
    struct sandbox *s = sandbox_of(L);
    s->instructions += s->limits->hook;
    if (s->instructions >= s->limits->instructions)
        stop(L, "took more than the %I instructions that %s may take",
             (double)s->limits->instructions);
    if (out_of_time(s))
        stop(L, "ran longer than the %I seconds that %s may take", s->limits->seconds);
}

/* ---- globals ----------------------------------------------------------------------------------*/

/* As Lua's, but for tables and functions, whose address would differ from run to run. */
static int user_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TTABLE || lua_type(L, 1) == LUA_TFUNCTION)
        lua_pushstring(L, luaL_typename(L, 1));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

static const char *const kept_math[] = {
    "abs", "acos", "asin", "atan",       "ceil",       "cos",  "deg", "exp",  "floor", "fmod", "huge",
    "log", "max",  "maxinteger", "min",  "mininteger", "modf", "pi",  "rad",  "sin",   "sqrt", "tan",
    "tointeger", "type", "ult", NULL};
static const char *const kept_string[] = {"byte", "char",  "find", "gmatch",  "gsub", "len", "lower",
                                          "match", "rep",  "reverse", "sub",  "upper", NULL};
static const char *const kept_table[] = {"concat", "insert", "move", "pack", "remove", "sort",
                                         "unpack", NULL};
static const char *const kept_base[] = {"assert", "error", "ipairs", "select", "tonumber", "type",
                                        NULL};
static const char *const never_opened[] = {"coroutine", "debug",   "io",   "os",
                                           "package",   "require", "utf8", NULL};

/* __index of what is shown: its upvalues are the library as Lua has it, and its name with a dot. */
static int say_missing(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    bool missing = lua_type(L, 2) == LUA_TSTRING && !lua_isnil(L, -1);
    lua_pushnil(L);
    if (!missing)
        return 1;
    luaL_where(L, 1);
    if (!*lua_tostring(L, -1))
        luaL_where(L, 2); /* another function asked on behalf of the user's */
    lua_pushfstring(L, "%s%s is not in the sandbox, which has math, string and table without what "
                    "knows chance or addresses, and assert, error, ipairs, select, tonumber, "
                    "tostring, type", lua_tostring(L, lua_upvalueindex(2)), lua_tostring(L, 2));
    lua_concat(L, 2);
    return lua_error(L);
}

/* The library on top of the stack gives way to a table of what is kept of it. */
static void show_kept(lua_State *L, const char *prefix, const char *const *kept)
{
    lua_newtable(L);
    for (; *kept; kept++) {
        lua_getfield(L, -2, *kept);
        lua_setfield(L, -2, *kept);
    }
    lua_newtable(L);
    lua_pushvalue(L, -3);
    lua_pushstring(L, prefix);
    lua_pushcclosure(L, say_missing, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

/* A table of what is allowed takes the place of the globals; the rest cannot be reached any more,
 * since no allowed function gives a way to it. */
static void allow(lua_State *L)
{
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
    for (int k = 0; never_opened[k]; k++) {
        lua_pushboolean(L, true);
        lua_setfield(L, -2, never_opened[k]);
    }
    show_kept(L, "", kept_base);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 0);
    show_kept(L, "math.", kept_math);
    lua_setfield(L, -2, LUA_MATHLIBNAME);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 0);
    show_kept(L, "table.", kept_table);
    lua_setfield(L, -2, LUA_TABLIBNAME);
    lua_pushliteral(L, ""); /* for its methods */
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 0);
    show_kept(L, "string.", kept_string);
    lua_getmetatable(L, -2);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_setfield(L, -3, LUA_STRLIBNAME);
    lua_pop(L, 1);
    lua_pushcfunction(L, user_tostring);
    lua_setfield(L, -2, "tostring");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

/* ---- running ----------------------------------------------------------------------------------*/

void *sandbox_argument(lua_State *L)
{
    return sandbox_of(L)->argument;
}

struct source {
    const char *part[2];
    size_t size[2];
    int next;
};

static const char *read_part(lua_State *L, void *context, size_t *size)
{
    struct source *s = context;
    *size = s->next < 2 ? s->size[s->next] : 0;
    return s->next < 2 ? s->part[s->next++] : NULL;
}

void sandbox_compile(lua_State *L, const char *name, const char *before, const char *text,
                     size_t count)
{
    struct source s = {{before, text}, {strlen(before), count}, before[0] ? 0 : 1};
    if (lua_load(L, read_part, &s, name, "t") != LUA_OK)
        lua_error(L);
}

static int protected_body(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    allow(L);
    lua_settop(L, 0);
    lua_sethook(L, look, LUA_MASKCOUNT, s->limits->hook);
    return s->body(L);
}

/* The function of math that the message of a call calls by its bare name; NULL: none. */
static const char *meant_math(const char *text)
{
    const char *at = text ? strstr(text, "(global '") : NULL;
    for (int k = 0; at && kept_math[k]; k++) {
        size_t length = strlen(kept_math[k]);
        const char *name = at + strlen("(global '");
        if (strncmp(name, kept_math[k], length) == 0 && name[length] == '\'')
            return kept_math[k];
    }
    return NULL;
}

static int report(struct sandbox *s, lua_State *L, int status, struct err *e)
{
    struct err own = {0};
    if (status == LUA_OK)
        return 0;
    if (s->memory.code)
        return err_pass(e, &s->memory);
    if (status == LUA_ERRMEM)
        return err_set(e, ERR_EVALUATION, NULL,
                       "needs more than the %zu MiB of memory that %s may take",
                       s->limits->bytes >> 20, s->limits->of);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    const char *meant = meant_math(text);
    if (text)
        err_set(&own, ERR_EVALUATION, NULL, "%s%s%s%s", text, meant ? "; did you mean math." : "",
                meant ? meant : "", meant ? "?" : "");
    else
        err_set(&own, ERR_EVALUATION, NULL, "an error that is a %s", luaL_typename(L, -1));
    return err_pass(e, &own);
}

int sandbox_run(const struct sandbox_limits *limits, lua_CFunction body, void *argument,
                struct err *e)
{
    struct sandbox s = {.limits = limits, .body = body, .argument = argument,
                        .deadline = clock_seconds(CLOCK_THREAD_CPUTIME_ID) + limits->seconds,
                        .look_again = clock_seconds(CLOCK_MONOTONIC) + limits->seconds};
    int code = arena_open(&s.heap, FIRST_CHUNK, e);
    if (code)
        return code;
    lua_State *L = lua_newstate(allocate, &s);
    if (!L) {
        code = err_set(e, ERR_MEMORY, s.memory.where, "%s",
                       s.memory.code ? s.memory.msg : "no memory for a Lua state");
        goto out;
    }
    lua_pushcfunction(L, protected_body);
    int status = lua_pcall(L, 0, 0, 0);
    code = report(&s, L, status, e);
out:
    arena_close(&s.heap);
    return code;
}

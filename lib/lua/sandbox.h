/* Lua for strangers: a state that can compute, fail, and nothing else.
 *
 * What it has: the language; math, string and table but for what knows chance, addresses or bytecode
 * (math.random, string.format, string.dump); assert, error, ipairs, select, tonumber, tostring,
 * type.  What it has not: any other library, pairs (whose order differs from run to run), pcall,
 * metatables, coroutines, binary chunks, addresses in the text of tables and functions.  Reading a
 * name that Lua has and the sandbox has not is an error that says so.
 *
 * Every state is new and lasts for one call.  Its memory is one arena that is dropped as a whole,
 * so a state is never closed by Lua: nothing in it can have a finalizer.
 *
 * Time is limited by instructions, which is the same on every machine, and by processor time, looked
 * at every `hook` instructions.  One instruction can take longer than that (a table that grows, with
 * keys that collide), so user code runs in a process that timers end (process.h). */
#ifndef LUA_SANDBOX_H
#define LUA_SANDBOX_H
#include <lua.h>
#include <stddef.h>

#include "base/err.h"

struct sandbox_limits {
    long instructions;   /* of one call */
    size_t bytes;        /* of the state, all told */
    double seconds;      /* of processor time */
    double slack;        /* more of it, then the process is ended */
    double kill_seconds; /* likewise, of the wall clock */
    int hook;            /* instructions between two looks */
    const char *of;      /* whose limits they are, in messages: "a sample" */
};
extern const struct sandbox_limits sandbox_limits;

/* Runs `body` in a new state whose globals are the ones above.  body may raise any Lua error.
 * ERR_EVALUATION with Lua's message (file:line: what), raw as the chunk
 * may have made it;
 * ERR_MEMORY when the limit is not the reason that memory ran out. */
int sandbox_run(const struct sandbox_limits *limits, lua_CFunction body, void *argument,
                struct err *e);

/* For `body`: its argument. */
void *sandbox_argument(lua_State *L);
/* Compiles text and leaves the function on the stack; raises what is wrong.  `name` as Lua's chunk
 * names: "=target.y" or "@target.lua".  `before` goes in front, on the same line. */
void sandbox_compile(lua_State *L, const char *name, const char *before, const char *text,
                     size_t count);

#endif

/* Lua for strangers: a state that can compute, fail, and nothing else.  Private to lib/target.
 *
 * What it has: the language; math without random and randomseed; assert, error, ipairs, select,
 * tonumber, tostring, type.  What it has not: any other library, pcall, metatables, coroutines,
 * methods on strings, binary chunks, addresses in the text of tables and functions.
 *
 * Every state is new and lasts for one call.  Its memory is one arena that is dropped as a whole,
 * so a state is never closed by Lua: nothing in it can have a finalizer.
 *
 * Time is limited three times over: by instructions, which is the same on every machine; by
 * processor time, looked at every `hook` instructions; and, since neither is looked at inside a C
 * function, by a timer on the wall clock whose SIGALRM ends the process.  The memory limit keeps
 * each C function short, so the last one is not expected to be needed. */
#ifndef TARGET_SANDBOX_H
#define TARGET_SANDBOX_H
#include <lua.h>
#include <stddef.h>

#include "base/err.h"

struct sandbox_limits {
    long instructions;   /* of one call */
    size_t bytes;        /* of the state, all told */
    double seconds;      /* of processor time */
    double kill_seconds; /* of the wall clock, then SIGALRM */
    int hook;            /* instructions between two looks */
};
extern const struct sandbox_limits sandbox_limits;

/* Runs `body` in a new state whose globals are the ones above.  body may raise any Lua error.
 * ERR_EVALUATION with Lua's message (file:line: what), control characters replaced by '?';
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

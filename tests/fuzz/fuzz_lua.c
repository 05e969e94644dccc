/* The sandbox for the user's Lua under libFuzzer: whatever a chunk is, compiling and calling it ends,
 * within its limits, with a value or
 * a message.
 *
 * Inputs with the functions that match patterns are passed over: one instruction may take for ever
 * there, and what ends it is a signal to the process (tests/lua/). */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/sandbox.h"
#include "help_fuzz.h"

struct chunk {
    const char *text;
    size_t size;
};

/* As a file and as an expression, with x, n and d as the program gives them. */
static int body(lua_State *L)
{
    const struct chunk *c = sandbox_argument(L);
    sandbox_compile(L, "@fuzz.lua", "", c->text, c->size);
    lua_call(L, 0, 1);
    if (!lua_isfunction(L, -1))
        lua_getglobal(L, "y");
    lua_createtable(L, 1, 0);
    lua_createtable(L, 1, 0);
    lua_pushnumber(L, 0.5);
    lua_rawseti(L, -2, 1);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, 1);
    lua_pushinteger(L, 1);
    lua_call(L, 3, 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const slow[] = {"find", "match", "gsub"};
    static const struct sandbox_limits limits = {
        .instructions = 100000, .bytes = 1 << 22, .seconds = 1, .slack = 1, .kill_seconds = 5, .hook = 100};
    struct chunk c = {(const char *)data, size};
    struct err e = {0};
    for (size_t k = 0; k < sizeof slow / sizeof *slow; k++)
        if (memmem(data, size, slow[k], strlen(slow[k])))
            return 0;
    int code = sandbox_run(&limits, body, &c, &e);
    if (code && ((code != ERR_EVALUATION && code != ERR_MEMORY) || code != e.code || !e.msg[0]))
        abort();
    return 0;
}

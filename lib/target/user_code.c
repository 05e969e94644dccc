/* The user's own function, evaluated in a process of its own (user_code.h).
 *
 *   here --  count, d, n of each sample, all x  --> process
 *        <-- -1 or the sample that failed, why  --  then, if none did, all y
 *
 * Invariant: each sample has a Lua state of its own, so its y is a function of its x alone. */
#include "target/user_code.h"

#include <lauxlib.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"

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
    for (int i = 1; i <= call->n && call->code->labels; i++) {
        lua_pushinteger(L, (lua_Integer)*x++);
        lua_rawseti(L, -2, i);
    }
    if (call->code->labels)
        return;
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

static const char *value_name(lua_State *L)
{
    const struct call *call = sandbox_argument(L);
    return call->code->value ? call->code->value : "y";
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
    lua_pushfstring(L, "%s[%d][%d] is %s; expected a finite number", value_name(L), i, c, what);
    lua_concat(L, 2);
    lua_error(L);
    return 0;
}

/* The label on top of the stack, popped; -1 of nil and false, which say that i does not count. */
static double pop_label(lua_State *L, int function, int i, int labels)
{
    int whole;
    lua_Integer value = lua_tointegerx(L, -1, &whole);
    bool number = lua_type(L, -1) == LUA_TNUMBER;
    bool own = ((const struct call *)sandbox_argument(L))->code->purpose; /* inputs have no place left out */
    if (!own && !lua_toboolean(L, -1))
        value = -1;
    else if (!number || !whole || value < 0 || value >= labels) {
        push_place(L, function);
        if (number)
            lua_pushfstring(L, "%s[%d] is %f", value_name(L), i, lua_tonumber(L, -2));
        else
            lua_pushfstring(L, "%s[%d] is %s", value_name(L), i, luaL_typename(L, -2));
        lua_pushfstring(L, own ? "; expected a symbol, a whole number from 0 to %d"
                               : "; expected a label, a whole number from 0 to %d, or nil where the position "
                                 "does not count", labels - 1);
        lua_concat(L, 3);
        lua_error(L);
    }
    lua_pop(L, 1);
    return (double)value;
}

/* Upvalue: the code.  A number of the sample's own for each name, the same wherever it is asked for. */
static int named_number(lua_State *L)
{
    const struct user_code *s = lua_touserdata(L, lua_upvalueindex(1));
    struct stream random;
    char purpose[160];
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "r has no entry %s; expected r.NAME", luaL_tolstring(L, 2, NULL));
    snprintf(purpose, sizeof purpose, "%s.%s", s->purpose, lua_tostring(L, 2));
    stream_open(&random, s->seed, purpose, s->number);
    lua_pushnumber(L, stream_uniform24(&random));
    return 1;
}

/* k and r of inputs, at places 3 and 4; nothing of targets.  Returns how many. */
static int push_numbers(lua_State *L, const struct call *call)
{
    if (!call->code->purpose)
        return 0;
    lua_pushinteger(L, (lua_Integer)call->code->number);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushlightuserdata(L, (void *)(uintptr_t)call->code);
    lua_pushcclosure(L, named_number, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 2;
}

/* Calls the expression for the arguments on the stack, from `base` on, and for k and r. */
static void call_expression(lua_State *L, const struct call *call, int base)
{
    int numbers = call->code->purpose ? 2 : 0;
    for (int k = 0; k < numbers; k++)
        lua_pushvalue(L, 3 + k);
    lua_call(L, lua_gettop(L) - base, LUA_MULTRET);
    if (lua_gettop(L) != base)
        luaL_error(L, "%s:1: gives %d values; expected one", call->code->name + 1,
                   lua_gettop(L) - base + 1);
}

static void evaluate_label_expression(lua_State *L, struct call *call)
{
    int base = 3 + push_numbers(L, call);
    for (int i = 1; i <= call->n; i++) {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_pushinteger(L, i);
        lua_pushinteger(L, call->n);
        call_expression(L, call, base);
        call->y[i - 1] = pop_label(L, 1, i, call->code->labels);
    }
}

static void evaluate_label_function(lua_State *L, struct call *call)
{
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, call->n);
    lua_call(L, 2, 1);
    if (!lua_istable(L, -1)) {
        push_place(L, 1);
        lua_pushfstring(L, "y is %s; expected a table of labels", luaL_typename(L, -2));
        lua_concat(L, 2);
        lua_error(L);
    }
    for (int i = 1; i <= call->n; i++) {
        lua_rawgeti(L, -1, i);
        call->y[i - 1] = pop_label(L, 1, i, call->code->labels);
    }
}

static void evaluate_expression(lua_State *L, struct call *call)
{
    double *y = call->y;
    int base = 3 + push_numbers(L, call);
    for (int i = 1; i <= call->n; i++)
        for (int c = 1; c <= call->d; c++) {
            lua_pushvalue(L, 1);
            lua_pushvalue(L, 2);
            lua_pushinteger(L, i);
            lua_pushinteger(L, c);
            lua_pushinteger(L, call->n);
            lua_pushinteger(L, call->d);
            call_expression(L, call, base);
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
    static void (*const evaluate[2][2])(lua_State *L, struct call *call) = {
        {evaluate_expression, evaluate_function},
        {evaluate_label_expression, evaluate_label_function}};
    evaluate[call->code->labels > 0][call->code->file](L, call);
    return 0;
}

/* ---- the process ------------------------------------------------------------------------------*/

struct request {
    int count, d;
    uint64_t number;
    size_t numbers; /* of all x, and of all y */
};
struct answer {
    int failed;
    struct err err;
};

static void answer_one(struct user_code *s, const struct request *r, const int *n, const double *x,
                       double *y, struct answer *a)
{
    a->failed = -1;
    for (int k = 0; k < r->count && a->failed < 0; k++) {
        struct call call = {.code = s, .n = n[k], .d = r->d, .x = x, .y = y};
        *s->at = k;
        s->number = r->number + (uint64_t)k;
        process_limit(s->limits);
        if (sandbox_run(s->limits, evaluate_body, &call, &a->err))
            a->failed = k;
        x += (size_t)n[k] * (size_t)r->d;
        y += (size_t)n[k] * (size_t)r->d;
    }
    process_limit(NULL); /* it may now wait for long */
}

/* Until the other side has ended. */
static void serve(void *context, int fd)
{
    struct user_code *s = context;
    struct request r;
    process_enter();
    while (child_receive(fd, &r, sizeof r)) {
        struct answer a = {.failed = 0};
        int *n = memory_alloc((size_t)r.count, sizeof *n, &a.err);
        double *x = memory_alloc(r.numbers, sizeof *x, &a.err);
        double *y = memory_alloc(r.numbers, sizeof *y, &a.err);
        if (!n || !x || !y || !child_receive(fd, n, (size_t)r.count * sizeof *n) ||
            !child_receive(fd, x, r.numbers * sizeof *x))
            _exit(1);
        answer_one(s, &r, n, x, y, &a);
        if (!child_send(fd, &a, sizeof a) ||
            (a.failed < 0 && !child_send(fd, y, r.numbers * sizeof *y)))
            _exit(1);
        memory_free(n);
        memory_free(x);
        memory_free(y);
    }
}

static int start(struct user_code *s, struct err *e)
{
    if (!s->at) {
        void *page = mmap(NULL, sizeof *s->at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                          -1, 0);
        if (page == MAP_FAILED)
            return err_set(e, ERR_MEMORY, NULL, "no memory to share with a process");
        s->at = page;
    }
    return child_start(&s->child, SIGKILL, serve, s, e);
}

int user_code_evaluate(struct user_code *s, int count, const int *n, int d, const double *x,
                       double *y, int *failed, struct err *e)
{
    struct request r = {.count = count, .d = d, .number = s->number};
    struct answer a;
    for (int k = 0; k < count; k++)
        r.numbers += (size_t)n[k] * (size_t)d;
    *failed = 0;
    int code = s->child.pid ? 0 : start(s, e), fd = s->child.fd;
    if (code)
        return code;
    *s->at = 0;
    if (!child_send(fd, &r, sizeof r) || !child_send(fd, n, (size_t)count * sizeof *n) ||
        !child_send(fd, x, r.numbers * sizeof *x) || !child_receive(fd, &a, sizeof a) ||
        (a.failed < 0 && !child_receive(fd, y, r.numbers * sizeof *y))) {
        *failed = *s->at;
        return process_say_end(&s->child, s->name + 1, s->limits, e);
    }
    *failed = a.failed;
    return err_pass(e, &a.err);
}

void user_code_close(struct user_code *s)
{
    child_end(&s->child);
    if (s->at)
        munmap(s->at, sizeof *s->at);
    s->at = NULL;
}

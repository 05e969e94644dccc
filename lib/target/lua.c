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
 * With `labels: K` it is a target of tokens: x[i] is a symbol, and y a label from 0 to K-1, nil where the
 * position does not count; an expression knows x, i and n, and a file's function gets (x, n).
 *
 *   target: {kind: lua, vocab: 4, labels: 2, y: "i > 1 and (x[i] == x[1] and 1 or 0) or nil"}
 *
 * sandbox.h says what the language has and what it has not.  Positions are numbered as the space
 * numbers them (row by row on a grid).
 * Invariant: y is a function of (x, n, d) alone, since each sample has a state of its own and
 * nothing in it is random, knows the time or sees an address. */
#include <stdio.h>
#include <string.h>

#include "base/named_file.h"
#include "target/target.h"
#include "target/user_code.h"

/* As numbers and as texts; y comes first among both. */
enum { LUA_Y, LUA_FILE, LUA_LABELS };
enum { LUA_FILE_BYTES_MAX = 1 << 16 };

static bool uses_y(const void *owner)
{
    const struct kind_config *c = owner;
    return !c->text[LUA_FILE].text[0];
}

/* A key that came later is left out of ids where it says nothing. */
static bool has_labels(const void *owner)
{
    return ((const struct kind_config *)owner)->number[LUA_LABELS] > 0;
}

static const struct option options[] = {
    {.key = "y", .type = OPTION_TEXT, .fallback = "x[i][c]",
     .help = "an expression in x[i][c], i, c, n, d (i and c from 1); unused where file is given",
     .applies = uses_y},
    {.key = "file", .type = OPTION_TEXT, .fallback = "", .file = true,
     .help = "a Lua file whose function(x, n, d) returns y[i][c] for the whole sequence: `return function(x, n, d) "
             "return x end`, or a global function y"},
    {.key = "labels", .type = OPTION_INT, .min = 0, .max = 1000000, .fallback = "0", .unit = "labels",
     .applies = has_labels,
     .help = "more than 0: x[i] is a symbol from 0 to vocab - 1 and y a label below this, nil where i "
             "does not count; y is an expression in x[i], i, n, file a function(x, n)"},
    {.key = NULL},
};

static const char *code_key(const struct target_config *c)
{
    return uses_y(&c->kind) ? "target.y" : "target.file";
}

/* ---- source -----------------------------------------------------------------------------------*/

static const char *const expression_before = "local x, i, c, n, d = ... return ";
static const char *const label_before = "local x, i, n = ... return ";

/* Copies the text into the arena; the size alone where that only measures. */
static int source_read(const struct target_config *c, struct arena *arena, struct user_code *s,
                       struct err *e)
{
    const char *value = c->kind.text[LUA_FILE].text, *y = c->kind.text[LUA_Y].text;
    char *bytes = NULL, *name = NULL, *copy;
    *s = (struct user_code){.limits = &sandbox_limits, .file = *value, .count = strlen(y)};
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
    s->labels = (int)c->kind.number[LUA_LABELS];
    s->before = s->file ? "" : s->labels ? label_before : expression_before;
    return (copy && name) || arena->measuring ? 0 : ERR_MEMORY;
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

/* The state does not change, what it points to does: a process is started at the first call. */
struct lua_state {
    struct user_code *code;
};

static int lua_prepare(const struct target_config *c, const struct space_config *s, int n,
                       struct arena *arena, void **state, struct err *e)
{
    struct lua_state *own = arena_alloc(arena, 1, sizeof *own, e);
    struct user_code *code = arena_alloc(arena, 1, sizeof *code, e), measured;
    if (!arena->measuring && (!own || !code))
        return ERR_MEMORY;
    int failed = source_read(c, arena, code ? code : &measured, e);
    if (!failed && own)
        own->code = code;
    *state = failed ? NULL : own;
    return failed;
}

static int lua_evaluate_all(const void *state, int count, const int *n, int d, const double *x,
                            double *y, int *failed, struct err *e)
{
    const struct lua_state *own = state;
    return user_code_evaluate(own->code, count, n, d, x, y, failed, e);
}

static int lua_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    int failed;
    return lua_evaluate_all(t->state, 1, &t->n, d, x, y, &failed, e);
}

static int lua_label(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e)
{
    size_t n = (size_t)t->n;
    double *numbers = memory_alloc(2 * n, sizeof *numbers, e);
    if (!numbers)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        numbers[i] = x[i];
    int code = lua_evaluate(t, 1, numbers, numbers + n, e);
    for (size_t i = 0; i < n && !code; i++)
        label[i] = (int32_t)numbers[n + i];
    memory_free(numbers);
    return code;
}

static void lua_form(const struct target_config *c, struct target_form *out)
{
    bool labels = has_labels(&c->kind);
    *out = (struct target_form){.tokens = labels, .labels = labels, .partial = labels};
}

static int lua_labels(const struct target_config *c, int n)
{
    return (int)c->kind.number[LUA_LABELS];
}

static void lua_leave(const void *state)
{
    const struct lua_state *own = state;
    user_code_close(own->code);
}

const struct target target_lua = {
    .name = "lua",
    .formula = "y_i[c] = the value of an expression, or of a file's function(x, n, d), in Lua 5.4",
    .summary = "the user's own: y, an expression, or file, whose function gets the whole sequence; "
               "math, string and table without what knows chance or addresses, assert, error, "
               "ipairs, select, tonumber, tostring, type",
    .options = options,
    .check = lua_check,
    .open = lua_prepare,
    .evaluate = lua_evaluate,
    .evaluate_all = lua_evaluate_all,
    .form = lua_form,
    .label = lua_label,
    .labels = lua_labels,
    .close = lua_leave,
    .code_key = code_key,
};

/* Inputs of the user's own (own_inputs.h).
 *
 *   space: {inputs: {lua: {share: 0.3, x: "i == 1 and 1 or 0.5"}}}
 *   x: "x[1][c] * r.slope * i / n"         of uniform tokens, and of a number of each sample's own
 *   x: "k % 2 == 0 and x[i] or x[n + 1 - i]"    every other sample, symbols
 *
 * x, i, c, n, d are what a target's y knows (lua.c); k counts samples of a stream from 0, and r.NAME is
 * uniform on [0,1), one number for each sample and name. */
#include "target/own_inputs.h"

#include <string.h>

#include "target/user_code.h"

static const char *const numbers_before = "local x, i, c, n, d, k, r = ... return ";
static const char *const symbols_before = "local x, i, n, k, r = ... return ";
static const char key[] = "space.inputs.lua.x";

struct own_inputs {
    struct user_code code;
};

static struct user_code code_of(const struct space_config *s, bool tokens)
{
    return (struct user_code){.name = "=x", .before = tokens ? symbols_before : numbers_before,
                              .text = s->own.text, .count = strlen(s->own.text), .value = "x",
                              .limits = &sandbox_limits};
}

static int compile_body(lua_State *L)
{
    const struct user_code *s = sandbox_argument(L);
    sandbox_compile(L, s->name, s->before, s->text, s->count);
    return 0;
}

int own_inputs_check(const struct space_config *s, bool tokens, struct err *e)
{
    struct user_code code = code_of(s, tokens);
    struct err cause = {0};
    if (!(s->share[PATTERN_LUA] > 0) || !sandbox_run(&sandbox_limits, compile_body, &code, &cause))
        return 0;
    return cause.code == ERR_MEMORY ? err_pass(e, &cause)
                                    : err_set(e, ERR_USAGE, key, "%s; expected Lua 5.4", cause.msg);
}

int own_inputs_open(struct own_inputs **out, const struct space_config *s, int symbols,
                    const char *purpose, uint64_t seed, struct err *e)
{
    struct own_inputs *o = memory_alloc(1, sizeof *o, e);
    *out = o;
    if (!o)
        return ERR_MEMORY;
    o->code = code_of(s, symbols > 0);
    o->code.labels = symbols;
    o->code.purpose = purpose;
    o->code.seed = seed;
    return 0;
}

int own_inputs_fill(struct own_inputs *o, uint64_t number, int n, int d, double *x, int32_t *token,
                    struct err *e)
{
    int channels = token ? 1 : d, failed;
    size_t count = (size_t)n * (size_t)channels;
    double *numbers = memory_alloc(2 * count, sizeof *numbers, e);
    if (!numbers)
        return ERR_MEMORY;
    for (size_t k = 0; k < count; k++)
        numbers[k] = token ? token[k] : x[k];
    o->code.number = number;
    int code = user_code_evaluate(&o->code, 1, &n, channels, numbers, numbers + count, &failed, e);
    for (size_t k = 0; k < count && !code; k++)
        if (token)
            token[k] = (int32_t)numbers[count + k];
        else
            x[k] = numbers[count + k];
    memory_free(numbers);
    return code ? err_context(e, "%s of sample %llu", key, (unsigned long long)number) : 0;
}

void own_inputs_close(struct own_inputs *o)
{
    if (!o)
        return;
    user_code_close(&o->code);
    memory_free(o);
}

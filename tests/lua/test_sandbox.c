/* What the sandbox has, what it has not and says so, and that it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lua/sandbox.h"

struct chunk {
    const char *text;
    double value;
};

static int run_chunk(lua_State *L)
{
    struct chunk *c = sandbox_argument(L);
    sandbox_compile(L, "=code", "", c->text, strlen(c->text));
    lua_call(L, 0, 1);
    c->value = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : lua_tonumber(L, -1);
    return 0;
}

static double value_of(const char *text)
{
    struct chunk c = {.text = text};
    struct err e = {0};
    if (sandbox_run(&sandbox_limits, run_chunk, &c, &e))
        fail_msg("%s: %s", text, e.msg);
    return c.value;
}

static void check_fails(const char *text, const char *says)
{
    struct chunk c = {.text = text};
    struct err e = {0};
    assert_int_equal(sandbox_run(&sandbox_limits, run_chunk, &c, &e), ERR_EVALUATION);
    if (!strstr(e.msg, says))
        fail_msg("%s: '%s'; expected '%s'", text, e.msg, says);
}

/* ---- what there is not ------------------------------------------------------------------------*/

static void test_what_it_lacks_it_names(void **state)
{
    static const char *const lacking[] = {
        "io",        "os",       "package",        "debug",    "coroutine",     "utf8",
        "require",   "load",     "loadfile",       "dofile",   "pcall",         "xpcall",
        "print",     "next",     "pairs",          "rawget",   "rawset",        "rawequal",
        "rawlen",    "_G",       "getmetatable",   "warn",     "setmetatable",  "collectgarbage",
        "_VERSION",  "math.random", "math.randomseed", "string.format", "string.dump",
        "string.pack", NULL};
    for (int k = 0; lacking[k]; k++) {
        char text[64], says[64];
        snprintf(text, sizeof text, "return %s", lacking[k]);
        snprintf(says, sizeof says, "code:1: %s is not in the sandbox", lacking[k]);
        check_fails(text, says);
    }
    check_fails("return ('x'):format()", "string.format is not in the sandbox");
    check_fails("return sin(1)", "(global 'sin'); did you mean math.sin?");
    check_fails("return math.sin(pi)", "bad argument #1 to 'sin'");
    check_fails("local t = {} t.sort() ", "nil value (field 'sort')"); /* one's own table is one's own */
}

static void test_only_what_is_listed(void **state)
{
    static const char *const present[] = {"math.pi", "assert", "error", "ipairs", "select",
                                          "tonumber", "tostring", "type", "table.sort",
                                          "table.concat", "string.sub", "('x').rep"};
    for (size_t k = 0; k < sizeof present / sizeof present[0]; k++) {
        char text[64];
        snprintf(text, sizeof text, "return %s ~= nil", present[k]);
        assert_true(value_of(text) == 1);
    }
    assert_true(value_of("return nonesuch == nil") == 1);
    assert_true(value_of("return #('ab'):rep(3)") == 6);
    assert_true(value_of("local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) "
                         "return t[1] * 10 + t[3]") == 31);
    /* an address would differ from run to run */
    assert_true(value_of("return tostring({}) == 'table'") == 1);
    assert_true(value_of("return tostring(type) == 'function'") == 1);
    /* nothing reaches the libraries as Lua has them */
    assert_true(value_of("return ('').__index == nil") == 1);
}

/* ---- time -------------------------------------------------------------------------------------*/

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_deadline(void **state)
{
    struct sandbox_limits limits = sandbox_limits;
    struct err e = {0}, second = {0};
    limits.instructions = (long)1 << 60;
    limits.seconds = .1;
    limits.kill_seconds = 60;
    limits.of = "a formula";
    double start = seconds();
    struct chunk spin = {.text = "local s = 0\nwhile true do s = s + 1 end"};
    assert_int_equal(sandbox_run(&limits, run_chunk, &spin, &e), ERR_EVALUATION);
    assert_non_null(strstr(e.msg, "code:2: ran longer than the 0 seconds that a formula may take"));
    /* ever longer instructions */
    struct chunk wide = {.text = "local function f(...) return f(1, ...) end f()"};
    assert_int_equal(sandbox_run(&limits, run_chunk, &wide, &second), ERR_EVALUATION);
    assert_true(seconds() - start < 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_lacks_it_names),
        cmocka_unit_test(test_only_what_is_listed),
        cmocka_unit_test(test_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Formulas of one's own: the same numbers and gradients as built-in encodings, the same classes, and
 * wrong ones refused in place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "help_rig.h"
#include "help_turns.h"
#include "kernel/kernel.h"

enum { HEADS = 3 };

/* One encoding on one layout. */
struct side {
    struct kind_config config;
    struct encoding_shape shape;
    struct encoding_context context;
    struct encoding_tensor tensor[ENCODING_TENSORS_MAX];
    int tensors;
    size_t count;
    int32_t *fold;
    real *state, *dstate, *parameter, *gradient; /* of all tensors, one after another */
};

static void *take(struct arena *a, size_t count, size_t size)
{
    void *out = arena_alloc(a, count, size, NULL);
    assert_non_null(out);
    return out;
}

static struct kind_config formula(const char *bias, const char *parameters)
{
    struct kind_config c;
    assert_true(option_set_kind(&encoding_kinds, "formula", &c));
    snprintf(c.text[0].text, OPTION_TEXT_MAX, "%s", bias);
    snprintf(c.text[1].text, OPTION_TEXT_MAX, "%s", parameters);
    return c;
}

static void open_side(struct side *s, struct arena *a, struct kind_config config, const struct layout *l,
                      bool past)
{
    struct err e = {0};
    *s = (struct side){.config = config, .shape = {HEADS * 8, HEADS, 8, past, l}};
    const struct encoding *entry = encoding_of(&s->config);
    if (encoding_check(&s->config, &s->shape, l, &e))
        fail_msg("%s: %s", config.text[0].text, e.msg);
    s->fold = take(a, (size_t)l->relations, sizeof *s->fold);
    l->fold(l, l, s->fold);
    s->context = (struct encoding_context){
        .config = &s->config, .shape = &s->shape, .layout = l, .fold = s->fold};
    assert_int_equal(encoding_open(&s->context, a, &e), 0);
    s->tensors = entry->tensors ? entry->tensors(&s->config, &s->shape, s->tensor) : 0;
    size_t size[ENCODING_TENSORS_MAX];
    for (int k = 0; k < s->tensors; k++) {
        const struct tensor *t = &s->tensor[k].tensor;
        size[k] = (size_t)t->shape[0] * (t->rank > 1 ? (size_t)t->shape[1] : 1);
        s->count += size[k];
    }
    s->parameter = take(a, s->count + 1, sizeof(real));
    s->gradient = take(a, s->count + 1, sizeof(real));
    size_t state = entry->state_size(&s->context);
    s->state = take(a, state, sizeof(real));
    s->dstate = take(a, state, sizeof(real));
    uint64_t seed = 5;
    for (size_t k = 0; k < s->count; k++)
        s->parameter[k] = (real)(0.8 + 0.5 * rig_uniform(&seed));
    for (size_t k = 0; k < state; k++)
        s->dstate[k] = (real)rig_uniform(&seed);
    for (size_t k = 0, at = 0; k < (size_t)s->tensors; at += size[k++]) {
        s->context.parameter[k] = s->parameter + at;
        s->context.gradient[k] = s->gradient + at;
    }
    s->context.state = s->state;
    s->context.dstate = s->dstate;
    entry->prepare(&s->context, s->state);
    if (s->count)
        entry->prepare_backward(&s->context);
}

static bool behind(const struct layout *l, int r)
{
    return l->axes == 1 && l->offset[r] > 0;
}

static void assert_near(const char *what, double want, double got)
{
    if (!(fabs(want - got) <= 100 * REAL_EPSILON * (1 + fabs(want))))
        fail_msg("%s: %.17g, the formula gives %.17g", what, want, got);
}

static void check_equal(const char *name, const char *bias, const char *parameters,
                        const struct layout *l, struct arena *a, bool past)
{
    struct side built_in, own;
    struct kind_config config;
    assert_true(option_set_kind(&encoding_kinds, name, &config));
    open_side(&built_in, a, config, l, past);
    open_side(&own, a, formula(bias, parameters), l, past);
    assert_int_equal(built_in.count, own.count);
    for (int k = 0; k < built_in.tensors; k++) {
        const struct tensor *x = &built_in.tensor[k].tensor, *y = &own.tensor[k].tensor;
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->rank, y->rank);
        assert_int_equal(x->init, y->init);
        assert_true(x->mean == y->mean && x->deviation == y->deviation && x->table == y->table);
    }
    for (int k = 0; k < HEADS * l->relations; k++)
        if (!past || !behind(l, k % l->relations))
            assert_near(name, (double)built_in.state[k], (double)own.state[k]);
    for (size_t k = 0; k < own.count && !past; k++) /* the hidden half has a dstate here */
        assert_near(name, (double)built_in.gradient[k], (double)own.gradient[k]);
    for (int p = 0; p < l->n * l->n; p++)
        for (int q = 0; q < p; q++) {
            int i = p / l->n, j = p % l->n, k = q / l->n, m = q % l->n;
            if (past && (j > i || m > k))
                continue;
            bool want = encoding_relation(&built_in.context, i, j) ==
                        encoding_relation(&built_in.context, k, m);
            if (want != (encoding_relation(&own.context, i, j) ==
                         encoding_relation(&own.context, k, m)))
                fail_msg("%s: the classes of (%d,%d) and (%d,%d) differ", name, i, j, k, m);
        }
}

static const char *const t5_bias =
    "local b, m = d > 0 and 17 or 1, math.abs(d) if m < 8 then return bias[h][b + m] end "
    "return bias[h][b + math.min(15, 8 + math.floor(math.log(m/8) / math.log(16) * 8 + 1e-9))]";

static const struct {
    const char *name, *bias, *parameters;
} pairs[] = {
    {"alibi", "-(h <= 2 and 2^(-4*h) or 2^-2) * math.abs(d)", "{}"},
    {"kerple-log", "-math.max(p[h], .01) * math.log(1 + math.max(a[h], .01) * math.abs(d))",
     "{a: {low: 0, high: 1}, p: {low: 0, high: 2}}"},
    {"kerple-power", "-math.max(a[h], .01) * math.abs(d) ^ math.min(math.max(p[h], .01), 2)",
     "{a: {low: 0, high: 1}, p: {low: 0, high: 2}}"},
    {"sandwich", "local s = -4 for k = 1, 4 do s = s + math.cos(d / 10000^(2*k/8)) end "
                 "return s / (8*h/H)", "{}"},
};

static void test_equals_built_in(void **state)
{
    (void)state;
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 37), graph = rig_graph(&a, 7), grid = rig_grid(&a, 3, 4);
    for (int past = 0; past < 2; past++)
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
            check_equal(pairs[k].name, pairs[k].bias, pairs[k].parameters, &line, &a, past);
    check_equal("t5", t5_bias, "{bias: {size: 32, std: 0.20412414523193154, table: true}}", &line, &a,
                false);
    check_equal("toeplitz", "bias[h][d + n]", "{bias: {size: 73, std: 0.02, table: true}}", &line, &a,
                false);
    check_equal("toeplitz", "bias[h][(dy + 2) * 7 + dx + 4]",
                "{bias: {size: 35, std: 0.02, table: true}}", &grid, &a, false);
    char graphormer[96]; /* the distance, and one number for what nothing reaches */
    snprintf(graphormer, sizeof graphormer, "{bias: {size: %d, std: 0.02, table: true}}",
             graph.relations);
    check_equal("toeplitz", "bias[h][d + 1]", graphormer, &graph, &a, false);
    arena_close(&a);
}

/* What is added to the input, and the marks of its places. */
static void test_equals_sinusoidal(void **state)
{
    (void)state;
    struct arena a;
    struct side built_in, own;
    struct kind_config config, input = formula("", "{}");
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 37);
    assert_true(option_set_kind(&encoding_kinds, "sinusoidal", &config));
    strcpy(input.text[2].text, "local a = (i - 1) / 10000^(2 * ((c - 1) // 2) / C) "
                               "return c % 2 == 1 and math.sin(a) or math.cos(a)");
    open_side(&built_in, &a, config, &line, false);
    open_side(&own, &a, input, &line, false);
    size_t count = (size_t)line.n * (size_t)own.shape.width;
    real *x = take(&a, 2 * count, sizeof *x);
    encoding_of(&config)->input(&built_in.context, x);
    encoding_of(&input)->input(&own.context, x + count);
    for (size_t k = 0; k < count; k++)
        assert_near("sinusoidal", (double)x[k], (double)x[count + k]);
    const struct encoding *entry = encoding_of(&input);
    for (int i = 0; i < line.n; i++)
        for (int j = 0; j < i; j++) {
            assert_true(entry->mark(&own.context, i) != entry->mark(&own.context, j));
            assert_true(encoding_relation(&own.context, i, j) == encoding_relation(&own.context, j, i));
        }
    arena_close(&a);
}

/* ---- what is refused --------------------------------------------------------------------------*/

/* Signs that a formula itself takes away do not keep relations apart. */
static void test_classes(void **state)
{
    (void)state;
    static const struct {
        const char *bias;
        int classes; /* of 11 offsets */
    } cases[] = {{"a[h] * d", 11}, {"a[h] * math.abs(d)", 6}, {"math.abs(a[h] * d)", 6},
                 {"math.cos(-a[h] * d / 7)", 6}, {"(a[h] * d)^3", 11}, {"a[h]", 1},
                 {"a[h] * math.min(math.abs(d), 2)", 3}};
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct side s;
        int classes = 0;
        open_side(&s, &a, formula(cases[k].bias, "{a: 1}"), &line, false);
        for (int x = 0; x < 11; x++) {
            int before = 0;
            for (int y = 0; y < x; y++)
                before += encoding_relation(&s.context, x < 6 ? 0 : x - 5, x < 6 ? x : 0) ==
                          encoding_relation(&s.context, y < 6 ? 0 : y - 5, y < 6 ? y : 0);
            classes += before == 0;
        }
        if (classes != cases[k].classes)
            fail_msg("%s has %d classes; expected %d", cases[k].bias, classes, cases[k].classes);
    }
    arena_close(&a);
}

#ifndef REAL_DOUBLE /* what is refused, and recorded, knows no precision */
static const struct {
    const char *bias, *parameters, *says;
} wrong[] = {
    /* no Lua */
    {"a[h", "{a: 1}", "bias:1: ']' expected near <eof>"},
    {"a[h] * * d", "{a: 1}", "bias:1: unexpected symbol"},
    {"a[h]) * (d", "{a: 1}", "bias:1:"},
    {"a[h] end, function() return 1", "{a: 1}", "bias:1:"},
    {"return a[h] +", "{a: 1}", "bias:1: unexpected symbol"},
    {"\nlocal x = 1\nx +", "{a: 1}", "bias:3:"},
    {"goto x", "{a: 1}", "bias:1:"},
    /* names */
    {"a[h] * x", "{a: 1}", "bias:1: unknown name x"},
    {"a[h] * D", "{a: 1}", "bias:1: unknown name D"},
    {"a[h] * abs(d)", "{a: 1}", "bias:1: unknown name abs; expected math.abs"},
    {"a[h] * huge", "{a: 1}", "bias:1: unknown name huge; expected math.huge"},
    {"a[h] * dy", "{a: 1}", "bias:1: unknown name dy"},
    {"a[h] * c", "{a: 1}", "bias:1: unknown name c"},
    {"a[h] * os.time()", "{a: 1}", "bias:1: os is not in the sandbox"},
    {"a[h] * math.random()", "{a: 1}", "bias:1: math.random is not in the sandbox"},
    {"a[h] * math.tanh(d)", "{a: 1}", "bias:1: math.tanh is not in the sandbox"},
    {"y = d return a[h] * y", "{a: 1}", "bias:1: sets the global y; expected local y"},
    /* values */
    {"a[h] / d", "{a: 1}", "bias:1: is inf at d = 0, h = 1"},
    {"a[h] * math.log(d)", "{a: 1}", "bias:1: is nan at d = -5, h = 1"},
    {"a[h] * (0/0)", "{a: 1}", "bias:1: is"},
    {"'x' .. d", "{}", "bias:1: gives string; expected a number"},
    {"nil", "{}", "bias:1: gives nil; expected a number"},
    {"d > 3", "{}", "bias:1: gives boolean; expected a number"},
    {"d, h", "{}", "bias:1: gives 2 values; expected one"},
    {"local x = d", "{}", "bias:1: gives 0 values; expected one"},
    {"error('no')", "{}", "bias:1: no"},
    {"({})[1][2]", "{}", "bias:1: attempt to index a nil value"},
    /* time and memory */
    {"(function() while true do end end)()", "{}", "instructions that a formula may take"},
    {"(function() local t = {} for k = 1, 1e9 do t[k] = {} end end)()", "{}",
     "64 MiB of memory that a formula may take"},
    {"(function() local s = a[h] for k = 1, 5000 do s = s + a[h] end return s end)()", "{a: 1}",
     "more than 4096 operations"},
    /* gradients */
    {"a[h] > 0 and d or -d", "{a: 1}", "bias:1: compares a parameter"},
    {"a[h] == b[h] and d or -d", "{a: 1, b: 1}", "bias:1: compares a parameter"},
    {"a[h] == 1 and d*b[h] or -d*b[h]", "{a: 1, b: 1}", "bias:1: parameter a has no effect"},
    {"a[h] == 1 and 2*d*a[h] or d*a[h]", "{a: 1}", "bias:1: at d = "},
    {"math.floor(a[h]) * d", "{a: 1}", "bias:1: math.floor of a parameter has no gradient"},
    {"a[h] % 2 * d", "{a: 1}", "bias:1: % of a parameter has no gradient"},
    {"math.sqrt(a[h] * d * d)", "{a: 1}", "bias:1: its gradient is undefined at d = 0, h = 1"},
    {"math.abs(a[h]) * d", "{a: 0}", "bias:1: its gradient and its differences disagree at d = "},
    {"math.max(a[h], 1) * d", "{a: 1}", "it has a kink at the start"},
    /* parameters */
    {"a * d", "{a: 1}", "bias:1: a is several numbers; expected a[h], or per: model"},
    {"a[h] * d", "{a: {size: 2}}", "bias:1: a is several numbers; expected a[h][k], or per: model"},
    {"a[9] * d", "{a: 1}", "bias:1: a has no entry 9; expected a whole number from 1 to 3"},
    {"a[d] * 2", "{a: 1}", "bias:1: a has no entry -5"},
    {"a[h]", "{a: 1, b: 1}", "bias:1: parameter b has no effect"},
    {"a[h]", "{d: 1}", "d: is no name for a parameter"},
    {"a[h]", "{end: 1}", "end: is no name for a parameter"},
    {"a[h]", "{a: one}", "a: one; expected a finite number"},
    {"a[h]", "{a: {begin: 1}}", "a: begin; expected start, std"},
    {"a[h]", "{a: {per: word}}", "a: word; expected per head, model or layer"},
    {"a[h]", "{a: {size: 0}}", "a: 0; expected a size from 1"},
    {"a[h]", "{a: {std: -1}}", "a: a negative std; expected 0 or more"},
    /* pairs */
    {"a[h] / (i - 3)", "{a: 1}", "bias:1: is inf at i = 3, j = 1, d = -2, h = 1"},
    {"a[i] * j", "{a: {size: 5, per: model}}", "bias:1: a has no entry 6; expected a whole number from 1 to 5"},
    {"a[h] * (i + k)", "{a: 1}", "bias:1: unknown name k; expected a parameter, math, or a variable: i, j, d"},
    {"a[h][j]", "{a: {size: 5}}", "bias:1: a has no entry 6; expected a whole number from 1 to 5"},
    {"i", "{i: 1}", "i: is no name for a parameter"},
    {"i(j)", "{}", "bias:1: attempt to call a number value (upvalue 'i')"},
    /* vectors */
    {"a[h][0]", "{a: {size: 4}}", "bias:1: a has no entry 0; expected a whole number from 1 to 4"},
    {"a[h][1.5]", "{a: {size: 4}}", "bias:1: a has no entry 1.5"},
    {"a[h].x", "{a: {size: 4}}", "bias:1: a has no entry x"},
    {"a[h][1][1]", "{a: {size: 4}}", "bias:1: attempt to index a parameter value"},
    {"#a[h]", "{a: {size: 4}}", "bias:1: attempt to get length of a parameter value"},
    {"a[h][d]", "{a: {size: 4}}", "bias:1: a has no entry -5"},
    {"a[1]", "{a: {per: model}}", "bias:1: attempt to index a parameter value"},
    {"a[h]", "{a: {size: 65537}}", "a: 65537; expected a size from 1 to 65536"},
    {"a[h] + b", "{a: 1, b: {size: 2, per: model}}", "bias:1: b is several numbers; expected b[k]"},
    {"a[h]", "{a: {low: 1, high: 0}}", "a: low is above high"},
    /* gradients at the start */
    {"math.sqrt(math.abs(a[h])) * d", "{a: 0}", "bias:1: its gradient is undefined at d = "},
    {"math.abs(d) ^ a[h] * (a[h] - 1) ^ 0.5", "{a: 1}", "bias:1: its gradient is undefined at d = "},
    {"math.acos(a[h]) * d", "{a: 1}", "bias:1: its gradient is undefined at d = "},
    {"math.max(a[h], b[h], 0) * d", "{a: 0, b: 0}", "it has a kink at the start"},
    {"a[h] * 10^(400 * math.abs(d))", "{a: 1}", "bias:1: is inf at d = -5, h = 1"},
    {"1 / (a[h] - h)", "{a: 2}", "bias:1: is inf at d = -5, h = 2"},
    {"math.tointeger(a[h])", "{a: 1}", "bias:1: math.tointeger of a parameter has no gradient"},
    {"tonumber(tostring(a[h]))", "{a: 1}", "tostring of a parameter has no gradient"},
    {"a[h] .. '' + d", "{a: 1}", "bias:1: attempt to add"},
    {"a[h] // 1 * d", "{a: 1}", "bias:1: // of a parameter has no gradient"},
    {"(function() if a[h] <= 0 then return d end return -d end)()", "{a: 1}", "bias:1: compares a parameter"},
    /* out of the sandbox, by what strings, metatables and functions can */
    {"('x'):rep(1e9)", "{}", "64 MiB of memory that a formula may take"},
    {"('x'):rep(100, ('y'):rep(1e7)):len()", "{}", "64 MiB of memory that a formula may take"},
    {"('%99999999d'):format(d)", "{}", "bias:1: string.format is not in the sandbox"},
    {"('').gmatch.x", "{}", "bias:1: attempt to index a function value"},
    {"string.dump(function() end)", "{}", "bias:1: string.dump is not in the sandbox"},
    {"getmetatable('').__index.rep", "{}", "bias:1: getmetatable is not in the sandbox"},
    {"setmetatable({}, {__gc = print})", "{}", "bias:1: setmetatable is not in the sandbox"},
    {"rawset(math, 'pi', 3)", "{}", "bias:1: rawset is not in the sandbox"},
    {"load('return 1')()", "{}", "bias:1: load is not in the sandbox"},
    {"require('io')", "{}", "bias:1: require is not in the sandbox"},
    {"debug.sethook()", "{}", "bias:1: debug is not in the sandbox"},
    {"io.open('/etc/passwd')", "{}", "bias:1: io is not in the sandbox"},
    {"coroutine.wrap(function() end)()", "{}", "bias:1: coroutine is not in the sandbox"},
    {"_G.x", "{}", "bias:1: _G is not in the sandbox"},
    {"_ENV.os", "{}", "bias:1: os is not in the sandbox"},
    {"select('#', pcall(error))", "{}", "bias:1: pcall is not in the sandbox"},
    {"(function() math.pi = 3 return 'x' end)()", "{}", "bias:1: gives string"},
    {"(function() math.k = (math.k or 0) + 1 return math.k end)()", "{}", "bias:1: at d = "},
    {"(function() local function f(k) return f(k + 1) + 1 end return f(1) end)()", "{}",
     "64 MiB of memory that a formula may take"},
    {"(function() local function f(k) return (f(k .. k)) end return f('xx') end)()", "{}",
     "64 MiB of memory that a formula may take"},
    {"(function() local t = {} for k = 1, 3e7 do t[k] = k end return #t end)()", "{}",
     "64 MiB of memory that a formula may take"},
    {"table.concat({('x'):rep(3e7), ('y'):rep(3e7)}):len()", "{}", "64 MiB of memory that a formula may take"},
    {"(function() ::top:: goto top end)()", "{}", "instructions that a formula may take"},
    {"(function() repeat until false end)()", "{}", "instructions that a formula may take"},
};
static const struct {
    const char *bias, *parameters, *says, *relation, *input;
} wrong_others[] = {
    /* a declared relation */
    {"a[h] * d", "{a: 1}", "relation:1: is 1 at d = -1, h = 1 and at d = 1, h = 1, but the formula is -1 and 1",
     "math.abs(d)", ""},
    {"a[1] * math.abs(d) + a[h] * d * (h - 1)", "{a: 1}", "at d = -1, h = 2 and at d = 1, h = 2", "math.abs(d)", ""},
    {"b[h] * math.abs(d) + (a[h] - 1) * d", "{a: 1, b: 1}", "relation:1: is 1 at d = -1, h = 1", "math.abs(d)", ""},
    {"a[h] * i", "{a: 1}", "relation:1: is 0 at i = 1, j = 1", "i - j", ""},
    {"a[h] * d", "{a: 1}", "relation:1: unknown name a", "a[h]", ""},
    {"a[h] * d", "{a: 1}", "relation:1: unknown name h", "h", ""},
    {"a[h] * d", "{a: 1}", "relation:1: is no finite number at d = 0", "1 / d", ""},
    {"a[h] * d", "{a: 1}", "relation:1: gives boolean; expected a number", "d > 0", ""},
    {"a[h] * d", "{a: 1}", "relation:1: unexpected symbol", "* d", ""},
    /* what is added to the input */
    {"", "{w: 1}", "input:1: unknown name d; expected a parameter, math, or a variable: i, c, C", "", "w * d"},
    {"", "{w: 1}", "input:1: unknown name h", "", "w * h"},
    {"", "{w: {size: 4}}", "input:1: w has no entry 5; expected a whole number from 1 to 4", "", "w[c]"},
    {"", "{w: {per: head}}", "w: per head or layer; expected per: model", "", "w * i"},
    {"", "{w: {per: layer}}", "w: per head or layer; expected per: model", "", "w * i"},
    {"", "{w: 1}", "input:1: is inf at i = 2, c = 1", "", "w / (i - 2)"},
    {"", "{C: 1}", "C: is no name for a parameter", "", "C * i"},
    {"", "{w: 1}", "is about a bias", "i", "w * i"},
    {"", "{w: 1}", "input:1: unknown name j", "", "w * j"},
    {"", "{w: 1}", "input:1: unknown name dx", "", "w * dx"},
    {"", "{w: 1}", "input:1: unknown name H", "", "w * H"},
    {"", "{w: 1}", "input:1: is nan at i = 1, c = 1", "", "w * math.log(-i)"},
    {"", "{w: 0}", "input:1: its gradient is undefined at i = 1, c = 1", "", "math.sqrt(w * i)"},
    {"", "{w: 1}", "input:1: gives string; expected a number", "", "'x'"},
    {"", "{w: 1}", "input:1: parameter w has no effect", "", "i * c"},
    {"", "{w: 1}", "input:1: compares a parameter", "", "w > 0 and i or c"},
    {"", "{w: {size: 7}}", "input:1: w has no entry 8; expected a whole number from 1 to 7", "", "w[i + c]"},
    {"", "{w: 1}", "input:1: unexpected symbol", "", "w *"},
};

static int refused_otherwise(const struct kind_config *c, const struct layout *line, const char *says)
{
    struct encoding_shape shape = {HEADS * 8, HEADS, 8, false, line};
    struct err e = {0};
    int code = encoding_check(c, &shape, line, &e);
    if (code == ERR_USAGE && strstr(e.msg, says) && strncmp(e.where, "model.encoding.", 15) == 0)
        return 0;
    print_error("%s: %d '%s' at '%s'; expected '%s'\n", c->text[0].text, code, e.msg, e.where, says);
    return 1;
}

static void test_wrong_ones(void **state)
{
    (void)state;
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6);
    int failed = 0;
    assert_true(sizeof wrong / sizeof *wrong >= 40);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        /* A loop takes a second: those without while, with URPE_FULL. */
        if (strstr(wrong[k].says, "instructions") && !strstr(wrong[k].bias, "while") && !help_full())
            continue;
        struct kind_config c = formula(wrong[k].bias, wrong[k].parameters);
        failed += refused_otherwise(&c, &line, wrong[k].says);
    }
    for (size_t k = 0; k < sizeof wrong_others / sizeof *wrong_others; k++) {
        struct kind_config c = formula(wrong_others[k].bias, wrong_others[k].parameters);
        snprintf(c.text[2].text, OPTION_TEXT_MAX, "%s", wrong_others[k].input);
        snprintf(c.text[3].text, OPTION_TEXT_MAX, "%s", wrong_others[k].relation);
        failed += refused_otherwise(&c, &line, wrong_others[k].says);
    }
    assert_int_equal(failed, 0);
    arena_close(&a);
}

/* Formulas of C. */
static const struct {
    const char *factor, *parameters, *relation, *says, *key;
} wrong_c[] = {
    {"1 +", "{a: 0}", "", "factor:1: unexpected symbol", "factor"},
    {"1 + x", "{a: 0}", "", "factor:1: unknown name x", "factor"},
    {"1 + a[h] * c", "{a: 0}", "", "factor:1: unknown name c", "factor"},
    {"1 / (i - j)", "{}", "", "factor:1: is inf at i = 1, j = 1, d = 0, h = 1", "factor"},
    {"1 + a[j]", "{a: 0}", "", "factor:1: a has no entry 4; expected a whole number from 1 to 3", "factor"},
    {"1 + a[h][i + j]", "{a: {size: 9}}", "", "factor:1: a has no entry 10", "factor"},
    {"a[h] < 1 and i or j", "{a: 0}", "", "factor:1: compares a parameter", "factor"},
    {"math.sqrt(a[h])", "{a: 0}", "", "factor:1: its gradient is undefined at d = ", "factor"},
    {"true", "{}", "", "factor:1: gives boolean; expected a number", "factor"},
    {"1 + os.time()", "{}", "", "factor:1: os is not in the sandbox", "factor"},
    {"1", "{a: 0}", "", "factor:1: parameter a has no effect", "factor"},
    {"1 + a[h]", "{a: nan}", "", "a: nan; expected a finite number", "parameters"},
    {"1 + a[h] * i", "{a: 0}", "j", "relation:1: is 1 at i = 1, j = 1", "relation"},
    {"1 + a[h] * d", "{a: 0}", "math.abs(d)", "relation:1: is 1 at d = -1", "relation"},
    {"(function() while true do end end)()", "{}", "", "instructions that a formula may take", "factor"},
};

/* Declarations that are false on grids and on graphs, for B and for C. */
static const struct {
    const char *text, *relation, *says;
    bool graph;
} wrong_spaces[] = {
    {"a[h] * dy * dx", "dx", "relation:1: is -3 at dy = -2, dx = -3", false},
    {"a[h] * (dy + 2 * dx)", "d", "relation:1: is 2.23607 at dy = -2, dx = -1, h = 1 and at dy = -2, dx = 1", false},
    {"a[h] * d", "1", "relation:1: is 1 at d = 0", true},
    {"a[h] * math.sin(d)", "d % 2", "relation:1: is 0 at d = 0", true},
    {"a[h] / (dy * dx - 6)", "", "is inf at dy = -2, dx = -3", false},
    {"a[h] * i", "d", "relation:1: is 1 at i = 1, j = 2, dy = 0, dx = 1, h = 1 and at i = 2, j = 1", false},
    {"a[h] * dx", "", "unknown name dx", true},
    {"a[h] / n", "", "unknown name n", true},
    {"a[h] / (d - 1)", "", "is inf at d = 1", true},
};

static void set_c(struct kind_config *c, const char *factor, const char *parameters, const char *relation)
{
    assert_true(option_set_kind(&urpe_kinds, "formula", c));
    strcpy(c->text[0].text, factor);
    strcpy(c->text[1].text, parameters);
    strcpy(c->text[2].text, relation);
}

static int refused_c(const struct kind_config *c, const struct layout *l, const char *says, const char *key)
{
    struct encoding_shape shape = {HEADS * 8, HEADS, 8, false, l};
    struct err e = {0};
    char where[64];
    snprintf(where, sizeof where, "model.c.%s", key);
    int code = urpe_check(c, &shape, &e);
    code = code ? code : urpe_try(c, &shape, l, &e);
    if (code == ERR_USAGE && strstr(e.msg, says) && !strcmp(e.where, where))
        return 0;
    print_error("C %s: %d '%s' at '%s'; expected '%s'\n", c->text[0].text, code, e.msg, e.where, says);
    return 1;
}

static void test_wrong_c_and_spaces(void **state)
{
    (void)state;
    struct arena a;
    struct kind_config c;
    int failed = 0;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6), grid = rig_grid(&a, 3, 4), graph = rig_graph(&a, 6);
    for (size_t k = 0; k < sizeof wrong_c / sizeof *wrong_c; k++) {
        set_c(&c, wrong_c[k].factor, wrong_c[k].parameters, wrong_c[k].relation);
        failed += refused_c(&c, &line, wrong_c[k].says, wrong_c[k].key);
    }
    for (size_t k = 0; k < sizeof wrong_spaces / sizeof *wrong_spaces; k++) {
        const struct layout *l = wrong_spaces[k].graph ? &graph : &grid;
        struct kind_config bias = formula(wrong_spaces[k].text, "{a: 1}");
        strcpy(bias.text[3].text, wrong_spaces[k].relation);
        failed += refused_otherwise(&bias, l, wrong_spaces[k].says);
        set_c(&c, wrong_spaces[k].text, "{a: 1}", wrong_spaces[k].relation);
        failed += refused_c(&c, l, wrong_spaces[k].says, *wrong_spaces[k].relation ? "relation" : "factor");
    }
    assert_int_equal(failed, 0);
    arena_close(&a);
}

/* What C and nodes do not know. */
static void test_wrong_elsewhere(void **state)
{
    (void)state;
    struct arena a;
    struct err e = {0};
    struct kind_config c, placed = formula("a[h] * i", "{a: 1}"), input = formula("", "{w: 1}");
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6), graph = rig_graph(&a, 6);
    struct encoding_shape shape = {HEADS * 8, HEADS, 8, false, &line};
    assert_true(option_set_kind(&urpe_kinds, "formula", &c));
    assert_int_equal(urpe_check(&c, &shape, &e), 0);
    assert_int_equal(urpe_try(&c, &shape, &line, &e), 0);
    strcpy(c.text[0].text, "1 + a[h] * i");
    assert_int_equal(urpe_try(&c, &shape, &line, &e), 0);
    shape.trained = &graph;
    assert_int_equal(urpe_try(&c, &shape, &graph, &e), ERR_USAGE);
    assert_string_equal(e.where, "model.c.factor");
    assert_non_null(strstr(e.msg, "factor:1: unknown name i"));
    shape.trained = &line;
    strcpy(c.text[0].text, "1 + a[h] * d");
    strcpy(c.text[2].text, "math.abs(d)");
    e = (struct err){0};
    assert_int_equal(urpe_try(&c, &shape, &line, &e), ERR_USAGE);
    assert_string_equal(e.where, "model.c.relation");
    shape.trained = &graph;
    e = (struct err){0};
    assert_int_equal(encoding_check(&placed, &shape, &graph, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "unknown name i"));
    strcpy(input.text[2].text, "w * i");
    e = (struct err){0};
    assert_int_equal(encoding_check(&input, &shape, &graph, &e), ERR_USAGE);
    assert_string_equal(e.where, "model.encoding.input");
    arena_close(&a);
}

/* A child that was waited for leaves its page faults behind. */
static long faults_of_children(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_minflt;
}

static void test_recorded_once(void **state)
{
    (void)state;
    struct arena a;
    struct side s;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6), other = rig_sequence(&a, 6), longer = rig_sequence(&a, 7);
    open_side(&s, &a, formula("a[h] * d + 0.125", "{a: 1}"), &line, false);
    long before = faults_of_children();
    open_side(&s, &a, formula("a[h] * d + 0.125", "{a: 1}"), &other, false);
    assert_int_equal(faults_of_children(), before);
    open_side(&s, &a, formula("a[h] * d + 0.125", "{a: 2}"), &other, false);
    assert_true(faults_of_children() > before);
    before = faults_of_children();
    open_side(&s, &a, formula("a[h] * d + 0.125", "{a: 1}"), &longer, false);
    assert_true(faults_of_children() > before);
    before = faults_of_children();
    open_side(&s, &a, formula("a[h] * d + 0.125", "{a: 1}"), &line, true);
    assert_true(faults_of_children() > before);
    arena_close(&a);
}
#endif

/* A declared relation is a class, where tapes alone tell more apart. */
static void test_declared(void **state)
{
    (void)state;
    struct arena a;
    struct side s;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6);
    struct kind_config c = formula("d > 0 and a[h] * d or -(a[h] * d)", "{a: 1}");
    for (int declared = 0; declared < 2; declared++) {
        strcpy(c.text[3].text, declared ? "math.abs(d)" : "");
        open_side(&s, &a, c, &line, false);
        bool same = encoding_relation(&s.context, 0, 3) == encoding_relation(&s.context, 3, 0);
        assert_int_equal(same, declared);
    }
    arena_close(&a);
}

/* Under a mask that hides what is behind, the formula need not be defined there; a longer evaluated
 * layout is tried as well. */
static void test_where_it_is_tried(void **state)
{
    (void)state;
    struct arena a;
    struct err e = {0};
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout line = rig_sequence(&a, 6), longer = rig_sequence(&a, 9);
    struct encoding_shape causal = {HEADS * 8, HEADS, 8, true, &line}, open = causal;
    struct kind_config root = formula("a[h] * math.sqrt(-d)", "{a: 1}"),
                       limited = formula("a[h] * math.sqrt(8 - math.abs(d) - 1)", "{a: 1}");
    open.past = false;
    assert_int_equal(encoding_check(&root, &causal, &line, &e), 0);
    assert_int_equal(encoding_check(&root, &open, &line, &e), ERR_USAGE);
    e = (struct err){0};
    assert_int_equal(encoding_check(&limited, &open, &line, &e), 0);
    assert_int_equal(encoding_check(&limited, &open, &longer, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "at d = -8"));
    arena_close(&a);
}

static int open_kernels(void **state)
{
    (void)state;
    struct err e = {0};
    return kernel_open(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_built_in),
        cmocka_unit_test(test_equals_sinusoidal),
        cmocka_unit_test(test_classes),
#ifndef REAL_DOUBLE
        cmocka_unit_test(test_wrong_ones),
        cmocka_unit_test(test_wrong_c_and_spaces),
        cmocka_unit_test(test_wrong_elsewhere),
        cmocka_unit_test(test_recorded_once),
#endif
        cmocka_unit_test(test_declared),
        cmocka_unit_test(test_where_it_is_tried),
    };
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

/* The user's own target: the same numbers as built-in ones, and nothing beyond the sandbox. */
#include "target/help_target.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/named_file.h"
#include "target/user_code.h"
#include "help_temporary.h"

enum { N = 6, D = 2, TEXT = 256 };

/* A lua target with expression y, or with a file that holds `chunk`. */
static void configure(struct fixture *f, const char *y, const char *chunk)
{
    fixture_configure(f, NULL, fixture_kind("lua"), N, D);
    struct option_text *text = f->config.kind.text;
    if (y)
        snprintf(text[0].text, TEXT, "%s", y);
    if (!chunk)
        return;
    struct err e = {0};
    char path[256];
    help_temporary(path, sizeof path, "target.lua");
    assert_int_equal(file_write(path, chunk, strlen(chunk), &e), 0);
    assert_int_equal(named_file_resolve(text[1].text, TEXT, "", path, &e), 0);
}

static int run(const char *y, const char *chunk, double *out, struct err *e)
{
    struct fixture f;
    double x[N * D];
    configure(&f, y, chunk);
    fill_uniform(x, N * D, 3);
    int code = target_check(&f.config, &f.space, e);
    if (!code) {
        fixture_open(&f);
        struct target_sample t = target_sample(f.state, &f.config, &f.layout);
        code = f.target->evaluate(&t, D, x, out, e);
        fixture_close(&f);
    }
    if (chunk)
        file_remove(named_file_path(f.config.kind.text[1].text), NULL);
    return code;
}

static void check_fails(const char *y, const char *chunk, int code, const char *says)
{
    struct err e = {0};
    double out[N * D];
    int got = run(y, chunk, out, &e);
    if (got != code || !strstr(e.msg, says))
        fail_msg("%s gives %d '%s' at '%s'; expected %d '%s'", y ? y : chunk, got, e.msg, e.where,
                 code, says);
}

/* The value of an expression, the same at all places. */
static double value_of(const char *y)
{
    struct err e = {0};
    double out[N * D];
    if (run(y, NULL, out, &e))
        fail_msg("%s: %s", y, e.msg);
    return out[0];
}

/* ---- numbers ----------------------------------------------------------------------------------*/

static void check_equals(const char *name, const char *y, const char *chunk)
{
    struct err e = {0};
    double x[N * D], want[N * D], got[N * D];
    fill_uniform(x, N * D, 3);
    evaluate(name, N, D, x, want);
    if (run(y, chunk, got, &e))
        fail_msg("%s: %s", name, e.msg);
    assert_memory_equal(got, want, sizeof want);
}

static void test_equals_built_in(void **state)
{
    check_equals("gain", "math.sin(2*math.pi*i/n) * x[i][c]", NULL);
    check_equals("identity", NULL, NULL);
    check_equals("position", "i / n", NULL);
    check_equals("reverse", "x[n+1-i][c]", NULL);
    check_equals("gain", NULL, "return function(x, n, d)\n local y = {}\n for i = 1, n do\n"
                               "  y[i] = {}\n  for c = 1, d do\n"
                               "   y[i][c] = math.sin(2*math.pi*i/n) * x[i][c]\n  end\n end\n"
                               " return y\nend");
    check_equals("moving_max", NULL,
                 "function y(x, n, d)\n for i = 2, n do for c = 1, d do\n"
                 "  x[i][c] = math.max(x[i][c], x[i-1][c])\n end end\n return x\nend");
}

static void test_sees_its_names(void **state)
{
    assert_true(value_of("n") == N);
    assert_true(value_of("d") == D);
    assert_true(value_of("i") == 1);
    assert_true(value_of("c") == 1);
    assert_true(value_of("tonumber(tostring(1.5)) + select('#', 1, 2)") == 3.5);
    assert_true(value_of("type(x) == 'table' and 1 or 0") == 1);
    assert_true(value_of("(function() local t = {3, 1, 2} table.sort(t) return t[1] end)()") == 1);
    check_fails("os.time()", NULL, ERR_EVALUATION, "target.y:1: os is not in the sandbox");
    assert_true(value_of("(function() local s = 0 for _, v in ipairs({1, 2}) do s = s + v end "
                         "return s end)()") == 3);
}

/* What a sample leaves behind, the next one does not find; within one, c = 2 sees what c = 1
 * left. */
static void test_globals_are_fresh(void **state)
{
    struct fixture f;
    struct err e = {0};
    double x[N * D] = {0}, first[N * D], second[N * D];
    configure(&f, "(function() k = (k or 0) + 1 math.sin = nil return k end)()", NULL);
    fixture_open(&f);
    struct target_sample t = target_sample(f.state, &f.config, &f.layout);
    assert_int_equal(f.target->evaluate(&t, D, x, first, &e), 0);
    assert_int_equal(f.target->evaluate(&t, D, x, second, &e), 0);
    assert_true(first[0] == 1 && first[1] == 2);
    assert_memory_equal(first, second, sizeof first);
    fixture_close(&f);
}

static void test_text_chunks_only(void **state)
{
    check_fails("1", "\033Lua", ERR_USAGE, "binary chunk");
    check_fails("1 end while true do", NULL, ERR_USAGE, "expected near");
}

/* ---- limits -----------------------------------------------------------------------------------*/

static void test_bombs(void **state)
{
    check_fails("(function() while true do end end)()", NULL, ERR_EVALUATION, "instructions");
    check_fails("(function() for _ in ipairs(x) do x[#x+1] = 1 end end)()", NULL, ERR_EVALUATION,
                "than");
    check_fails("(function() local s = 'aaaaaaaa' while true do s = s .. s end end)()", NULL,
                ERR_EVALUATION, "64 MiB");
    check_fails("(function() local t = {} for k = 1, 1e9 do t[k] = {} end end)()", NULL,
                ERR_EVALUATION, "64 MiB");
    check_fails("(function() local function f() return 1 + f() end return f() end)()", NULL,
                ERR_EVALUATION, "64 MiB");
    char deep[TEXT] = "";
    memset(deep, '(', TEXT - 1);
    check_fails(deep, NULL, ERR_USAGE, "overflow");
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Code that runs for ever under limits that no look between instructions enforces. */
static struct user_code endless(struct sandbox_limits *limits, char *text)
{
    *limits = sandbox_limits;
    limits->hook = 1 << 30;
    limits->instructions = (long)1 << 60;
    limits->seconds = .1;
    limits->slack = .1;
    limits->kill_seconds = 60;
    return (struct user_code){.name = "=target.y", .before = "local x, i, c, n, d = ... return ",
                              .text = text, .count = strlen(text), .limits = limits};
}

/* Where nothing looks at the time, as inside one instruction, a signal ends the process, which costs
 * the sample and nothing else. */
static void test_one_long_instruction(void **state)
{
    static char spins[] = "(function() while x[1][1] == 1 do end return x[1][1] end)()";
    struct sandbox_limits limits;
    struct user_code code = endless(&limits, spins);
    int n[4] = {1, 2, 1, 3}, failed;
    double x[7] = {0, 2, 3, 1, 0, 0, 0}, y[7];
    for (int k = 0; k < 3; k++) {
        struct err e = {0};
        double start = seconds();
        if (k == 2) {
            user_code_close(&code);
            limits.seconds = 60;
            limits.kill_seconds = .2;
        }
        assert_int_equal(user_code_evaluate(&code, 4, n, 1, x, y, &failed, &e), ERR_EVALUATION);
        assert_int_equal(failed, 2);
        assert_non_null(strstr(e.msg, k < 2 ? "ran longer than the 0.1 seconds that a sample may "
                                              "take, in one instruction"
                                            : "ran longer than the 0.2 seconds"));
        assert_true(seconds() - start < 30);
        assert_int_equal(user_code_evaluate(&code, 2, n, 1, x, y, &failed, &e), 0);
        assert_true(y[0] == 0 && y[1] == 2 && y[2] == 2);
    }
    user_code_close(&code);
}

/* A timer that outlived its call would end the process while it waits. */
static void test_timers_end_with_the_call(void **state)
{
    static char little[] = "n";
    struct sandbox_limits limits;
    struct user_code code = endless(&limits, little);
    struct err e = {0};
    int n = 1, failed;
    double x = 0, y = 0;
    limits.kill_seconds = .2;
    assert_int_equal(user_code_evaluate(&code, 1, &n, 1, &x, &y, &failed, &e), 0);
    pid_t pid = code.child.pid;
    usleep(500000);
    assert_int_equal(user_code_evaluate(&code, 1, &n, 1, &x, &y, &failed, &e), 0);
    assert_int_equal(code.child.pid, pid);
    user_code_close(&code);
    assert_int_equal(kill(pid, 0), -1); /* reaped */
}

/* It dies with the process that asks, in the middle of what it does. */
static void test_no_orphans(void **state)
{
    static char spins[] = "(function() while true do end end)()";
    struct sandbox_limits limits;
    int n = 1, failed;
    double x = 0, y;
    char path[64];
    struct user_code *code = mmap(NULL, sizeof *code, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(code != MAP_FAILED);
    *code = endless(&limits, spins);
    limits.seconds = 60;
    pid_t parent = fork();
    if (parent == 0) {
        alarm(1); /* its end */
        user_code_evaluate(code, 1, &n, 1, &x, &y, &failed, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_true(code->child.pid > 0);
    /* Gone, or a zombie that nobody reaps here: a zombie has no files. */
    snprintf(path, sizeof path, "/proc/%d/fd/0", (int)code->child.pid);
    double start = seconds();
    while (file_exists(path) && seconds() - start < 30)
        usleep(10000);
    assert_false(file_exists(path));
    munmap(code, sizeof *code);
}

/* ---- errors -----------------------------------------------------------------------------------*/

static void test_errors_name_their_line(void **state)
{
    check_fails("x[i][c", NULL, ERR_USAGE, "target.y:1: ']' expected");
    check_fails("nothing[1]", NULL, ERR_EVALUATION, "target.y:1: attempt to index a nil value");
    check_fails("0/0", NULL, ERR_EVALUATION, "y[1][1] is nan; expected a finite number");
    check_fails("i == 2 and 1/0 or 1", NULL, ERR_EVALUATION, "y[2][1] is infinite");
    check_fails("nil", NULL, ERR_EVALUATION, "y[1][1] is nil");
    check_fails("'1'", NULL, ERR_EVALUATION, "y[1][1] is string");
    check_fails("1, 2", NULL, ERR_EVALUATION, "gives 2 values");
    check_fails("error('\\27[31m')", NULL, ERR_EVALUATION, "\033[31m"); /* cleaned at the output */
    check_fails("error({})", NULL, ERR_EVALUATION, "an error that is a table");
    check_fails(NULL, "\n\nreturn function(x, n, d)\n local z = x.y.z\nend", ERR_EVALUATION,
                ".lua:4: attempt to index");
    check_fails(NULL, "\n\nreturn func", ERR_EVALUATION, "gives no function");
    check_fails(NULL, "\n\nreturn function() return 1 end", ERR_EVALUATION,
                ".lua:3: y is number; expected a table of 6 positions");
    check_fails(NULL, "\nfunction y(x) x[6] = nil return x end", ERR_EVALUATION,
                ".lua:2: y has 5 entries; expected 6 positions");
    check_fails(NULL, "function y(x) x[3] = {1} return x end", ERR_EVALUATION,
                ".lua:1: y[3] has 1 entries; expected 2 channels");
    check_fails(NULL, "function y(x) x[2][2] = 0/0 return x end", ERR_EVALUATION,
                ".lua:1: y[2][2] is nan");
    check_fails(NULL, "function y(x) return x\n\n)", ERR_USAGE, ".lua:3: 'end' expected");
}

/* A file that is no longer what its hash says is never evaluated. */
static void test_changed_file(void **state)
{
    struct fixture f;
    struct err e = {0};
    configure(&f, NULL, "function y(x) return x end");
    const char *path = named_file_path(f.config.kind.text[1].text);
    assert_int_equal(target_check(&f.config, &f.space, &e), 0);
    assert_int_equal(file_write(path, "function y(x) return 1 end", 26, &e), 0);
    assert_int_equal(target_check(&f.config, &f.space, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "has changed"));
    file_remove(path, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_built_in),
        cmocka_unit_test(test_sees_its_names),
        cmocka_unit_test(test_globals_are_fresh),
        cmocka_unit_test(test_text_chunks_only),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_one_long_instruction),
        cmocka_unit_test(test_timers_end_with_the_call),
        cmocka_unit_test(test_no_orphans),
        cmocka_unit_test(test_errors_name_their_line),
        cmocka_unit_test(test_changed_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The debug allocator, in every configuration: this program brings its own copy of the allocator,
 * so the library's is not linked. */
#ifndef MEMORY_DEBUG
#define MEMORY_DEBUG
#endif
#include "base/memory.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

/* Whether `act` ends its process with SIGABRT, or by the address sanitizer, which exits with 1. */
static bool aborts(void (*act)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) ||
           (WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void write_inside(void)
{
    volatile char *block = memory_alloc(100, 1, NULL);
    block[0] = block[99] = 1;
    memory_free((void *)(uintptr_t)block);
}

static void write_behind(void)
{
    volatile char *block = memory_alloc(100, 1, NULL);
    block[100] = 1;
    memory_free((void *)(uintptr_t)block);
}

static void write_before(void)
{
    volatile char *block = memory_alloc(100, 1, NULL);
    block[-1] = 1;
    memory_free((void *)(uintptr_t)block);
}

static void guards_of_blocks(void **state)
{
    assert_false(aborts(write_inside));
    assert_true(aborts(write_behind));
    assert_true(aborts(write_before));
}

static void arena_write_at(size_t offset)
{
    struct arena a;
    arena_open(&a, 4096, NULL);
    arena_alloc(&a, 10, 1, NULL);
    volatile char *piece = arena_alloc(&a, 100, 1, NULL);
    arena_alloc(&a, 10, 1, NULL);
    piece[offset] = 1;
    arena_reset(&a);
}

static void arena_inside(void)
{
    arena_write_at(99);
}

static void arena_behind(void)
{
    arena_write_at(100);
}

static void arena_at_record(void)
{
    arena_write_at(128 + sizeof(size_t)); /* `start` of the record */
}

static void arena_far_behind(void)
{
    arena_write_at(128 + 63);
}

static void guards_of_pieces(void **state)
{
    assert_false(aborts(arena_inside));
    assert_true(aborts(arena_behind));
    assert_true(aborts(arena_at_record));
    assert_true(aborts(arena_far_behind));
}

static void released_pieces_are_poisoned(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 4096, NULL), 0);
    double *kept = arena_alloc(&a, 4, sizeof *kept, NULL);
    struct arena_mark mark = arena_mark(&a);
    double *released = arena_alloc(&a, 4, sizeof *released, NULL);
    assert_true(released[3] == 0);
    arena_release(&a, mark);
    assert_true(isnan(released[0]) && isnan(released[3]));
    assert_true(kept[3] == 0);
    arena_close(&a);
}

static void nth_request_fails(void **state)
{
    long before = memory_requests(), live_before = memory_live();
    struct err e = {0};
    memory_fail_at(2);
    void *first = memory_alloc(1, 1, &e);
    assert_non_null(first);
    assert_null(memory_alloc(1, 1, &e));
    assert_int_equal(e.code, ERR_MEMORY);
    void *third = memory_alloc(1, 1, NULL);
    assert_non_null(third);
    assert_int_equal(memory_requests() - before, 3);
    assert_int_equal(memory_live() - live_before, 2);

    memory_fail_at(1);
    assert_null(memory_resize(first, 100, 1, NULL)); /* the old block is still good */
    memory_free(first);
    memory_free(third);

    struct arena a;
    arena_open(&a, 4096, NULL);
    memory_fail_at(1);
    e = (struct err){0};
    assert_null(arena_alloc(&a, 8, 1, &e));
    assert_int_equal(e.code, ERR_MEMORY);
    assert_int_equal(a.used, 0);
    memory_fail_at(1);
    memory_fail_at(0);
    assert_non_null(arena_alloc(&a, 8, 1, NULL));
    arena_close(&a);
    assert_int_equal(memory_live(), live_before);
}

/* A text whose growth fails keeps what it had and says so, wherever the failure falls. */
static void text_survives_failures(void **state)
{
    for (long nth = 1; nth <= 3; nth++) {
        struct text t = {0};
        struct err e = {0};
        memory_fail_at(nth);
        for (int i = 0; i < 100; i++)
            text_append(&t, "0123456789");
        memory_fail_at(0);
        assert_int_equal(text_check(&t, &e), ERR_MEMORY);
        assert_true(t.length % 10 == 0 && t.length < 1000);
        assert_true(t.data == NULL || strlen(t.data) == t.length);
        text_close(&t);
    }
    assert_int_equal(memory_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_of_blocks),
        cmocka_unit_test(guards_of_pieces),
        cmocka_unit_test(released_pieces_are_poisoned),
        cmocka_unit_test(nth_request_fails),
        cmocka_unit_test(text_survives_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The allocator and the arenas as every build has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static void sums_are_checked(void **state)
{
    size_t out = 7;
    assert_false(memory_multiply(SIZE_MAX / 2 + 1, 2, &out));
    assert_false(memory_add(SIZE_MAX, 1, &out));
    assert_int_equal(out, 7);
    assert_true(memory_multiply(SIZE_MAX / 2, 2, &out));
    assert_true(out == SIZE_MAX - 1);
    assert_true(memory_multiply(SIZE_MAX, 0, &out) && out == 0);
    assert_true(memory_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
}

static bool all_zero(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void blocks_are_aligned_and_zeroed(void **state)
{
    for (size_t size = 0; size < 300; size += 7) {
        char *block = memory_alloc(size, 1, NULL);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        assert_true(all_zero(block, size));
        memset(block, 1, size);
        memory_free(block);
    }
    memory_free(NULL);
}

static void too_much_is_an_error(void **state)
{
    struct err e = {0};
    assert_null(memory_alloc(SIZE_MAX / 2, 3, &e));
    assert_int_equal(e.code, ERR_MEMORY);
    e = (struct err){0};
    assert_null(memory_alloc(SIZE_MAX - 8, 1, &e)); /* no room for the header */
    assert_int_equal(e.code, ERR_MEMORY);
}

static void resize_keeps_and_zeroes(void **state)
{
    struct err e = {0};
    char *block = memory_resize(NULL, 10, 1, NULL);
    memset(block, 'a', 10);
    block = memory_resize(block, 1000, 1, NULL);
    assert_memory_equal(block, "aaaaaaaaaa", 10);
    assert_true(all_zero(block + 10, 990));
    assert_null(memory_resize(block, SIZE_MAX, 2, &e));
    assert_int_equal(e.code, ERR_MEMORY);
    assert_memory_equal(block, "aaaaaaaaaa", 10);
    memset(block, 'a', 1000);
    block = memory_resize(block, 3, 1, NULL);
    block = memory_resize(block, 100, 1, NULL);
    assert_memory_equal(block, "aaa", 3);
    assert_true(all_zero(block + 3, 97));
    memory_free(block);
    char *text = memory_text("abc", NULL);
    assert_string_equal(text, "abc");
    memory_free(text);
}

/* One at a time: what is there stays, what is gained is zero, and a request too large changes
 * nothing. */
static void grow_keeps_and_zeroes(void **state)
{
    struct err e = {0};
    int *list = NULL, *before;
    int moves = 0;
    for (int k = 0; k < 1000; k++) {
        before = list;
        assert_int_equal(memory_grow(list, (size_t)k + 1, &e), 0);
        assert_int_equal(list[k], 0);
        list[k] = k + 1;
        moves += list != before;
    }
    for (int k = 0; k < 1000; k++)
        assert_int_equal(list[k], k + 1);
    assert_true(moves < 10); /* 16 doubled 6 times */
    before = list;
    assert_int_equal(memory_grow(list, 10, &e), 0);
    assert_int_equal(memory_grow(list, SIZE_MAX / 2, &e), ERR_MEMORY);
    assert_int_equal(e.code, ERR_MEMORY);
    assert_ptr_equal(list, before);
    assert_int_equal(memory_grow(list, 5000, NULL), 0);
    assert_int_equal(list[999], 1000);
    assert_true(all_zero((const char *)(list + 1024), (5000 - 1024) * sizeof *list));
    memory_free(list);
}

/* Carves the same pieces from a real and from a measuring arena. */
static void carve(struct arena *a)
{
    struct err e = {0};
    static const size_t sizes[] = {1, 64, 65, 0, 1000, 100000, 3};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *piece = arena_alloc(a, sizes[i], 1, &e);
        assert_int_equal(e.code, 0);
        assert_true(a->measuring == (piece == NULL));
        if (piece == NULL)
            continue;
        assert_int_equal((uintptr_t)piece % 64, 0);
        assert_true(all_zero(piece, sizes[i]));
        memset(piece, 1, sizes[i]);
    }
    struct arena_mark mark = arena_mark(a);
    assert_int_equal(arena_check(a), 0);
    arena_alloc(a, SIZE_MAX / 2, 4, NULL);
    arena_alloc(a, 1, 1, &e);
    assert_int_equal(arena_check(a), ERR_MEMORY); /* still */
    arena_alloc(a, 500000, 2, &e);
    arena_release(a, mark);
    arena_text(a, "twelve bytes", &e);
    assert_int_equal(e.code, 0);
}

static void measuring_counts_what_a_real_one_hands_out(void **state)
{
    struct arena measure, real, grown;
    arena_open_measure(&measure);
    carve(&measure);

    assert_int_equal(arena_open(&real, measure.peak, NULL), 0);
    const void *first = arena_mark(&real).chunk;
    carve(&real);
    assert_true(real.used == measure.used && real.peak == measure.peak);
    assert_true(real.peak >= 1000000 && real.peak > real.used);
    assert_ptr_equal(arena_mark(&real).chunk, first); /* no second chunk was needed */

    assert_int_equal(arena_open(&grown, 0, NULL), 0);
    carve(&grown);
    assert_true(grown.used == measure.used && grown.peak == measure.peak);
    arena_close(&grown);
    arena_close(&real);
    arena_close(&measure);
}

static void one_byte_less_needs_a_second_chunk(void **state)
{
    struct arena measure, real;
    arena_open_measure(&measure);
    carve(&measure);
    assert_int_equal(arena_open(&real, measure.peak - 64, NULL), 0);
    const void *first = arena_mark(&real).chunk;
    arena_alloc(&real, measure.peak - 64, 1, NULL);
    arena_alloc(&real, 1, 1, NULL);
    assert_ptr_not_equal(arena_mark(&real).chunk, first);
    arena_close(&real);
    arena_close(&measure);
}

static void release_returns_to_the_mark(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct arena_mark empty = arena_mark(&a);
    char *kept = arena_alloc(&a, 100, 1, NULL);
    memset(kept, 'k', 100);
    struct arena_mark mark = arena_mark(&a);
    size_t used = a.used;
    char *first = arena_alloc(&a, 40, 1, NULL);
    for (int i = 0; i < 20; i++)
        memset(arena_alloc(&a, 50000, 1, NULL), 'x', 50000);
    size_t peak = a.peak;
    arena_release(&a, mark);
    assert_true(a.used == used && a.peak == peak);
    char *again = arena_alloc(&a, 40, 1, NULL);
    assert_ptr_equal(again, first);
    assert_true(all_zero(again, 40));
    for (int i = 0; i < 20; i++)
        assert_true(all_zero(arena_alloc(&a, 50000, 1, NULL), 50000));
    assert_true(a.peak == peak);
    for (int i = 0; i < 100; i++)
        assert_int_equal(kept[i], 'k');
    arena_release(&a, empty);
    assert_int_equal(a.used, 0);
    assert_ptr_equal(arena_alloc(&a, 100, 1, NULL), kept);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    arena_close(&a);
    assert_null(a.first);
}

static void arena_overflow_is_an_error(void **state)
{
    struct arena a, measure;
    arena_open(&a, 64, NULL);
    arena_open_measure(&measure);
    struct err e = {0};
    assert_null(arena_alloc(&a, SIZE_MAX / 4, 8, &e));
    assert_int_equal(e.code, ERR_MEMORY);
    e = (struct err){0};
    assert_null(arena_alloc(&a, SIZE_MAX - 10, 1, &e)); /* does not survive rounding */
    assert_int_equal(e.code, ERR_MEMORY);
    e = (struct err){0};
    assert_null(arena_alloc(&measure, SIZE_MAX / 2, 1, &e));
    assert_int_equal(e.code, 0);
    assert_null(arena_alloc(&measure, SIZE_MAX / 2, 1, &e)); /* the sum does not fit */
    assert_int_equal(e.code, ERR_MEMORY);
    assert_int_equal(a.used, 0);
    arena_close(&measure);
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(blocks_are_aligned_and_zeroed),
        cmocka_unit_test(too_much_is_an_error),
        cmocka_unit_test(resize_keeps_and_zeroes),
        cmocka_unit_test(grow_keeps_and_zeroes),
        cmocka_unit_test(measuring_counts_what_a_real_one_hands_out),
        cmocka_unit_test(one_byte_less_needs_a_second_chunk),
        cmocka_unit_test(release_returns_to_the_mark),
        cmocka_unit_test(arena_overflow_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

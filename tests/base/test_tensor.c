/* The list of tensors: offsets without gaps, overflow refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/tensor.h"

static void offsets_have_no_gaps(void **state)
{
    struct tensor_list list = {0};
    size_t expected = 0;
    for (int k = 0; k < 100; k++) {
        struct tensor t = {.rank = k % 4, .shape = {k, 3, 2}, .mean = k, .decay = k % 2};
        int index = -1;
        snprintf(t.name, sizeof t.name, "layers.%d.weight", k);
        assert_int_equal(tensor_list_add(&list, &t, &index, NULL), 0);
        assert_int_equal(index, k);
        const size_t counts[] = {1, (size_t)k, (size_t)k * 3, (size_t)k * 6};
        assert_true(list.item[k].count == counts[k % 4] && list.item[k].offset == expected);
        expected += counts[k % 4];
    }
    assert_true(list.elements == expected && list.count == 100);
    const struct tensor *found = tensor_list_find(&list, "layers.37.weight");
    assert_ptr_equal(found, &list.item[37]);
    assert_true(found->mean == 37 && found->decay);
    assert_null(tensor_list_find(&list, "layers.37"));
    tensor_list_close(&list);
    assert_true(list.item == NULL && list.elements == 0);
}

static void overflow_is_refused(void **state)
{
    struct tensor_list list = {0};
    struct tensor large = {.name = "large", .rank = 4, .shape = {INT_MAX, INT_MAX, 8, 1}};
    struct tensor half = {.name = "half", .rank = 3, .shape = {INT_MAX, INT_MAX, 3}};
    struct err e = {0};
    int index = -1;
    assert_int_equal(tensor_list_add(&list, &large, &index, &e), ERR_MEMORY);
    assert_string_equal(e.where, "large");
    assert_int_equal(tensor_list_add(&list, &half, &index, NULL), 0);
    snprintf(half.name, sizeof half.name, "other half");
    assert_int_equal(tensor_list_add(&list, &half, &index, NULL), ERR_MEMORY);
    assert_int_equal(list.count, 1);
    assert_true(list.elements == list.item[0].count);
    tensor_list_close(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_have_no_gaps),
        cmocka_unit_test(overflow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

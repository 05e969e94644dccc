/* PCG64 without 128-bit integers, as other compilers build it: this program brings its own copy,
 * so the library's is not linked. */
#define RANDOM_PORTABLE
#include "base/random.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/help_pcg.h"

/* Against sums of shifts: the schoolbook product, one bit at a time. */
static void products(void **state)
{
    struct pcg64 g;
    pcg64_seed(&g, 0, 5, 0, 0);
    for (int i = 0; i < 10000; i++) {
        uint64_t a = pcg64_next(&g), b = pcg64_next(&g);
        if (i % 4 == 1)
            a |= 0xffffffff00000000u; /* carries out of the middle */
        if (i % 4 == 2)
            a = b = UINT64_MAX - (uint64_t)i;
        struct wide sum = {0, 0}, shifted = {0, a};
        for (uint64_t bits = b; bits > 0; bits >>= 1) {
            if (bits & 1)
                sum = wide_add(sum, shifted);
            shifted = (struct wide){shifted.high << 1 | shifted.low >> 63, shifted.low << 1};
        }
        struct wide product = multiply_64(a, b);
        assert_true(product.high == sum.high && product.low == sum.low);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(help_pcg_published),
        cmocka_unit_test(help_pcg_fixture),
        cmocka_unit_test(help_pcg_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

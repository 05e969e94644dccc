#include "base/help_pcg.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

/* Source: pcg-c, test-high/expected/check-pcg64.out, first round. */
void help_pcg_published(void **state)
{
    static const uint64_t expected[] = {0x86b1da1d72062b68, 0x1304aa46c9853d39, 0xa3670e9e0dd50358,
                                        0xf9090e529a7dae00, 0xc85b9fd837996f2c, 0x606121f8e3919196};
    struct pcg64 g;
    pcg64_seed(&g, 0, 42, 0, 54);
    for (int i = 0; i < 6; i++)
        assert_true(pcg64_next(&g) == expected[i]);
}

void help_pcg_fixture(void **state)
{
    FILE *file = fopen("tests/base/pcg64.txt", "r");
    if (file == NULL)
        fail_msg("tests/base/pcg64.txt is missing; run the test from the top folder");
    int rows = 0;
    uint64_t in[5], expected;
    while (fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &in[0], &in[1],
                  &in[2], &in[3], &in[4]) == 5) {
        struct pcg64 g;
        pcg64_seed(&g, in[0], in[1], in[2], in[3]);
        pcg64_advance(&g, in[4]);
        for (int i = 0; i < 10; i++) {
            assert_int_equal(fscanf(file, "%" SCNx64, &expected), 1);
            if (pcg64_next(&g) != expected)
                fail_msg("row %d, number %d differs", rows + 1, i + 1);
        }
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, 100);
}

void help_pcg_jump(void **state)
{
    struct pcg64 stepped, jumped, start;
    pcg64_seed(&start, 1, 2, 3, 4);
    stepped = start;
    for (uint64_t steps = 0; steps < 300; steps++) {
        jumped = start;
        pcg64_advance(&jumped, steps);
        assert_memory_equal(&jumped, &stepped, sizeof jumped);
        pcg64_next(&stepped);
    }
    /* Two jumps make one, also where stepping would take too long. */
    jumped = stepped = start;
    pcg64_advance(&jumped, UINT64_MAX);
    pcg64_advance(&stepped, UINT64_MAX / 3);
    pcg64_advance(&stepped, UINT64_MAX - UINT64_MAX / 3);
    assert_memory_equal(&jumped, &stepped, sizeof jumped);
}

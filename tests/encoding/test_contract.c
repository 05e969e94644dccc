/* Every entry of encoding_table meets the contract, at its defaults and with other options; a new
 * entry is tested as soon as it is listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"
#include "kernel/kernel.h"

static void test_defaults(void **state)
{
    (void)state;
    int count = 0;
    for (; encoding_table[count]; count++)
        contract_check(encoding_table[count], "");
    assert_int_equal(count, encoding_kinds.count);
    assert_true(count >= 18);
}

static void test_options(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"t5", "buckets=8,max_distance=5"},
        {"alibi", "slopes=learned"},
        {"shaw", "k=2"},
        {"shaw", "k=1,value=false"},
        {"deberta", "k=2"},
        {"deberta", "k=1,gather=released"},
        {"deberta", "k=3,gather=released"},
        {"rope", "pairing=half"},
        {"rope", "fraction=0.5,base=100"},
        {"rope", "fraction=0.5,base=100,pairing=half"},
        {"xpos", "scale_base=3,base=100"},
        {"sandwich", "dimension=6"},
        {"tupe", "t5=true"},
        {"centrality", "bias=false"},
        {"cope", "positions=3"},
        {"cope", "positions=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        contract_check(rig_entry(cases[i][0]), cases[i][1]);
}

/* The texts that `list encodings` prints, and names that can be keys of files. */
static void test_texts(void **state)
{
    (void)state;
    for (int i = 0; encoding_table[i]; i++) {
        const struct encoding *entry = encoding_table[i];
        const char *texts[] = {entry->name,     entry->formula,       entry->summary,
                               entry->citation, entry->relation_text, entry->longer};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            assert_true(texts[t] && *texts[t]);
        assert_string_equal(encoding_kinds.name(i), entry->name);
        assert_ptr_equal(encoding_kinds.options(i), entry->options);
        assert_int_equal(strspn(entry->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(entry->name));
        for (int other = 0; other < i; other++)
            assert_string_not_equal(entry->name, encoding_table[other]->name);
    }
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
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, open_kernels, NULL);
}

/* Every entry of encoding_table meets the contract, at its defaults and with other options; a new
 * entry is tested as soon as it is listed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_rig.h"
#include "kernel/kernel.h"

static void test_defaults(void **state)
{
    int count = 0;
    for (; encoding_table[count]; count++)
        assert_true(contract_check(encoding_table[count], ""));
    assert_int_equal(count, encoding_kinds.count);
    assert_true(count >= 18);
}

/* ---- every option of every entry, in every combination ----------------------------------------*/
enum { VALUES_MAX = 8, OPTIONS_MAX = 8, VALUE_SIZE = 32 };

/* What an option is set to: its default, then every other choice; numbers so small that they matter
 * on the short sequences of the contract, or half and the root of the default (1 of 0). */
static int values_of(const struct option *o, char value[VALUES_MAX][VALUE_SIZE])
{
    static const int small[] = {1, 2, 3, 6};
    int count = 1;
    snprintf(value[0], VALUE_SIZE, "%s", o->fallback);
    if (o->type == OPTION_BOOL)
        snprintf(value[count++], VALUE_SIZE, "%s", strcmp(o->fallback, "true") ? "true" : "false");
    for (int k = 0; o->type == OPTION_CHOICE && o->names[k]; k++)
        if (strcmp(o->names[k], o->fallback) != 0)
            snprintf(value[count++], VALUE_SIZE, "%s", o->names[k]);
    for (int k = 0; o->type == OPTION_INT && k < 4; k++)
        if (small[k] >= o->min && small[k] <= o->max)
            snprintf(value[count++], VALUE_SIZE, "%d", small[k]);
    double number = strtod(o->fallback, NULL), other[] = {number / 2, number != 0 ? sqrt(number) : 1};
    for (int k = 0; o->type == OPTION_REAL && k < 2; k++)
        if (other[k] >= o->min && other[k] != number)
            snprintf(value[count++], VALUE_SIZE, "%g", other[k]);
    assert_in_range(count, o->type == OPTION_TEXT ? 1 : 2, VALUES_MAX);
    return count;
}

/* Combination number `index` as "key=value,key=value", and which value each option has in it; false
 * behind the last. */
static bool combination(const struct option *o, int index, char *text, size_t size, int *chosen)
{
    char value[VALUES_MAX][VALUE_SIZE];
    *text = '\0';
    for (int k = 0; o[k].key; k++) {
        int count = values_of(&o[k], value);
        chosen[k] = index % count;
        index /= count;
        if (o[k].type != OPTION_TEXT)
            snprintf(text + strlen(text), size - strlen(text), "%s%s=%s", *text ? "," : "",
                     o[k].key, value[chosen[k]]);
    }
    return index == 0;
}

/* A combination may be refused; every choice, and some number beside the default, must have been part
 * of another. */
static void test_options(void **state)
{
    for (int i = 0; encoding_table[i]; i++) {
        const struct option *o = encoding_table[i]->options;
        bool seen[OPTIONS_MAX][VALUES_MAX] = {{false}};
        int chosen[OPTIONS_MAX] = {0};
        char text[256], value[VALUES_MAX][VALUE_SIZE];
        for (int c = 0; o && combination(o, c, text, sizeof text, chosen); c++)
            if (contract_check(encoding_table[i], text))
                for (int k = 0; o[k].key; k++)
                    seen[k][chosen[k]] = true;
        for (int k = 0; o && o[k].key; k++) {
            int count = values_of(&o[k], value), accepted = 0;
            for (int v = 0; v < count; v++)
                accepted += seen[k][v];
            if (accepted < (o[k].type == OPTION_INT ? 2 : count))
                fail_msg("%s: %d of %d values of %s are accepted", encoding_table[i]->name,
                         accepted, count, o[k].key);
        }
    }
}

/* The texts that `list encodings` prints, and names that can be keys of files. */
static void test_texts(void **state)
{
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

#include "spec/help_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 8 };

static int open_with(struct spec **out, const char *yaml, va_list args, struct err *e)
{
    const char *set[SETS_MAX];
    int sets = 0;
    while ((set[sets] = va_arg(args, const char *)))
        assert_true(++sets < SETS_MAX);
    return spec_parse(out, "spec.yaml", yaml, strlen(yaml), set, sets, e);
}

struct spec *spec_of(const char *yaml, ...)
{
    struct spec *s = NULL;
    struct err e = {0};
    va_list args;
    va_start(args, yaml);
    if (open_with(&s, yaml, args, &e))
        fail_msg("%s: %s, for\n%s", e.where, e.msg, yaml);
    va_end(args);
    return s;
}

void refused(const char *place, const char *phrase, const char *yaml, ...)
{
    struct spec *s = NULL;
    struct err e = {0};
    va_list args;
    va_start(args, yaml);
    int code = open_with(&s, yaml, args, &e);
    va_end(args);
    assert_int_equal(code, ERR_USAGE);
    assert_null(s);
    assert_string_equal(e.where, place);
    if (!strstr(e.msg, phrase))
        fail_msg("'%s' does not hold '%s'", e.msg, phrase);
}

void value_is(const struct spec *s, int cell, const char *key, const char *value)
{
    char got[256];
    bool found = spec_value(spec_cell(s, cell), key, got, sizeof got);
    assert_int_equal(found, value != NULL);
    if (value)
        assert_string_equal(got, value);
}

void cells_are(int cells, const char *yaml, const char *sets, ...)
{
    char set[256], key[64], value[64];
    snprintf(set, sizeof set, "%s", sets);
    const char *one = strtok(set, "|"), *two = strtok(NULL, "|"), *three = strtok(NULL, "|");
    struct spec *s = spec_of(yaml, one, two, three, NULL);
    va_list args;
    va_start(args, sets);
    assert_int_equal(spec_cells(s), cells);
    for (const char *says; (says = va_arg(args, const char *));) {
        assert_int_equal(sscanf(says, "%*d %63s %63[^\n]", key, value), 2);
        value_is(s, atoi(says), key, value);
    }
    va_end(args);
    spec_close(s);
}

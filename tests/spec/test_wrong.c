/* The corpus of wrong specs: each is refused at the place and with the words that
 * tests/spec/wrong/expected.tsv names, and every file of the folder is in that table. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

static const char folder[] = "tests/spec/wrong";

static void check_line(char *line)
{
    char path[256], place[320];
    char *tab = strchr(line, '\t'), *second = tab ? strchr(tab + 1, '\t') : NULL;
    struct spec *s = NULL;
    struct err e = {0};
    assert_non_null(second);
    *tab = *second = 0;
    snprintf(path, sizeof path, "%s/%s", folder, line);
    snprintf(place, sizeof place, "%s:%s", path, tab + 1);
    if (spec_open(&s, path, NULL, 0, &e) != ERR_USAGE)
        fail_msg("%s is not refused: %s", path, e.msg);
    if (strcmp(e.where, place) != 0 || !strstr(e.msg, second + 1))
        fail_msg("%s: '%s: %s', not '%s: ... %s'", path, e.where, e.msg, place, second + 1);
}

static void every_wrong_spec_is_refused_at_its_place(void **state)
{
    char *table;
    size_t count, files = 0;
    char **names;
    int lines = 0;
    assert_int_equal(file_read("tests/spec/wrong/expected.tsv", 1 << 20, &table, &count, NULL), 0);
    for (char *save, *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (*line != '#') {
            check_line(line);
            lines++;
        }
    memory_free(table);
    assert_int_equal(file_list(folder, &names, &files, NULL), 0);
    assert_int_equal(lines + 1, files);
    assert_true(lines >= 100);
    file_free_names(names, files);
}

static void sizes_are_bounded(void **state)
{
    size_t size = (1 << 20) + 1;
    char *bytes = memory_alloc(size, 1, NULL);
    struct spec *s;
    struct err e = {0};
    memset(bytes, '#', size);
    assert_int_equal(spec_parse(&s, "large", bytes, size, NULL, 0, &e), ERR_USAGE);
    assert_string_equal(e.where, "large:1:1");
    assert_non_null(strstr(e.msg, "expected at most 1048576"));
    memory_free(bytes);
}

static void a_missing_file_is_no_wrong_spec(void **state)
{
    struct spec *s;
    struct err e = {0};
    assert_int_equal(spec_open(&s, "tests/spec/no-such-file.yaml", NULL, 0, &e), ERR_IO);
    assert_string_equal(e.where, "tests/spec/no-such-file.yaml");
}

static void wrong_sets_are_refused(void **state)
{
    static const char gain[] = "target: gain\n";
    refused("--set train.lr:1:1", "train.lr: 5 is out of range; expected a number from 0 to 1",
            gain, "train.lr=5", NULL);
    refused("--set evaluate.lengths:1:6", "evaluate.lengths: x is not a whole number", gain,
            "evaluate.lengths=[32, x]", NULL);
    refused("--set model.encoding.bukets:1:1", "did you mean model.encoding.buckets?", gain,
            "model.encoding.bukets=3", NULL);
    refused("--set modle.width:1:1", "unknown key; did you mean model.width?", gain,
            "modle.width=3", NULL);
    refused("--set sedes:1:1", "sedes: unknown key; did you mean seeds?", gain, "sedes=3", NULL);
    refused("--set nmae:1:1", "nmae: unknown key; did you mean name?", gain, "nmae=foo", NULL);
    refused("--set tragte:1:1", "did you mean target?", gain, "tragte=pi", NULL);
    refused("--set colour:1:1",
            "unknown key; expected one of name, seeds, space, target, model, train, evaluate, grid, "
            "cases, except, claims, figures", gain, "colour=red", NULL);
    refused("--set lr:1:1", "lr: unknown key; did you mean train.lr?", gain, "lr=1", NULL);
    refused("--set train.lr:1:1", "expected KEY=VALUE", gain, "train.lr", NULL);
    refused("--set :1:1", "expected KEY=VALUE", gain, "=3", NULL);
    refused("--set train.lr:1:1", "is empty", gain, "train.lr=", NULL);
    refused("--set train.lr:1:1", "is no value", gain, "train.lr=~", NULL);
    refused("--set train.lr:1:4", "not valid YAML", gain, "train.lr=[1,", NULL);
    refused("--set model.encoding:1:5", "expected KEY=VALUE with a value such as 8, t5, [t5, alibi]",
            gain, "model.encoding=[t5,", NULL);
    refused("--set train.lr:1:2", "train.lr: 7 is out of range", gain, "train.lr=[7, 8]", NULL);
    refused("--set train.lr:1:1", "a list of 0 values", gain, "train.lr=[]", NULL);
    refused("--set seeds:1:1", "seeds: 0; expected how many", gain, "seeds=0", NULL);
    refused("--set name:1:1", "is no name", gain, "name=a/b", NULL);
    refused("--set model.encoding:1:24", "'alibi' has no such option", gain,
            "model.encoding={kind: alibi, buckets: 32}", NULL);
    refused("--set space.length:1:1", "space 'grid' has a size of its own; expected space.height "
            "and space.width", "target: mean\nspace: grid\n", "space.length=8", NULL);
    refused("--set model.heads:1:1", "3 heads do not divide width 64", gain, "model.heads=3", NULL);
}

/* What only shows when the code runs; the place is that of the key. */
static void code_that_cannot_run_is_refused(void **state)
{
    static const struct {
        const char *y, *says;
    } wrong[] = {{"os.execute()", "target.y:1: os is not in the sandbox"},
                 {"0/0", "y[1][1] is nan; expected a finite number"},
                 {"nil", "y[1][1] is nil"},
                 {"", "gives 0 values; expected one"},
                 {"x[i+1][c]", "target.y:1: attempt to index a nil value"},
                 {"(function() while true do end end)()", "instructions that a sample may take"},
                 {"1e300", "gives 1e+300, which float does not hold"}};
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "space: {length: 3, channels: 1}\n"
                 "grid: {train.lr: [0.1, 0.2]}\ntarget:\n  kind: lua\n  y: \"%s\"\n", wrong[k].y);
        refused("spec.yaml:5:6", wrong[k].says, yaml, NULL);
    }
    refused("spec.yaml:3:24", "y[1][1] is ", "space: {length: 3, channels: 1}\n"
            "evaluate: {lengths: [5]}\ntarget: {kind: lua, y: \"n < 4 and 1\"}\n", NULL);
    refused("spec.yaml:3:24", "not five", "space: {length: 3, channels: 1}\n" /* in the middle */
            "evaluate: {lengths: [5, 8]}\n"
            "target: {kind: lua, y: \"n == 5 and error('not five') or 1\"}\n", NULL);
    spec_close(spec_of("target: {kind: lua, y: \"1e300\"}\nmodel: {precision: double}\n", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrong_spec_is_refused_at_its_place),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(a_missing_file_is_no_wrong_spec),
        cmocka_unit_test(wrong_sets_are_refused),
        cmocka_unit_test(code_that_cannot_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

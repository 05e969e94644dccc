/* Claims against rows: every operator, pairs, who broke it, and by how much. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/help_report.h"

/* One cell of rpe and one of urpe; errors as help_figures invents them: identical, rpe: error_rel 1,
 * floor_rel 1, impossible; all else: 0.01, 0, reached. */
#define SPEC(claim) \
    "name: claim\nspace: {length: 4, channels: 2, inputs: {identical: 0.5}}\n" \
    "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4}\n" \
    "grid: {model.attention: [rpe, urpe]}\nclaims:\n  - " claim "\n"

static struct claim_verdict judge(const char *text, help_value value)
{
    struct help_report h;
    struct err e = {0};
    struct claim_verdict verdict;
    help_report_open(&h, text, value);
    assert_int_equal(spec_claims(h.spec), 1);
    if (claim_judge(h.spec, spec_claim(h.spec, 0), &h.results, &verdict, &e))
        fail_msg("%s", e.msg);
    help_report_close(&h);
    return verdict;
}

static void each_operator(void **state)
{
    static const struct {
        const char *test;
        bool held;
    } table[] = {{"\"< 1.1\"", true},  {"\"< 1\"", false},    {"\"<= 1\"", true},
                 {"\"<= 0.9\"", false}, {"\"> 0.9\"", true},   {"\"> 1\"", false},
                 {"\">= 1\"", true},   {"\">= 1.1\"", false}, {"\"= 1\"", true},
                 {"\"= 0.9\"", false}, {"1", true},           {"0.5", false},
                 {"[\">= 0.9\", \"<= 1.1\"]", true},          {"[\">= 0.9\", \"< 1\"]", false}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        char text[1024];
        snprintf(text, sizeof text,
                 SPEC("{where: {model.attention: rpe, subset: identical}, expect: {error_rel: %s}}"),
                 table[k].test);
        struct claim_verdict v = judge(text, help_figures);
        assert_int_equal(v.matched, 1);
        if (v.held != table[k].held)
            fail_msg("%s: %s", table[k].test, v.why);
    }
}

static void texts_are_compared(void **state)
{
    assert_true(judge(SPEC("{where: {model.attention: rpe, subset: identical}, "
                           "expect: {verdict: impossible}}"),
                      help_figures)
                    .held);
    struct claim_verdict v = judge(SPEC("{expect: {verdict: reached}}"), help_figures);
    assert_false(v.held);
    assert_int_equal(v.matched, 6);
    assert_non_null(strstr(v.why, "verdict is impossible, claimed reached"));
    assert_non_null(strstr(v.why, "floor_rel is 1"));
}

static void any_of_a_list_matches(void **state)
{
    struct claim_verdict v = judge(
        SPEC("{where: {subset: [generic, all]}, expect: {floor_rel: \"= 0\"}}"), help_figures);
    assert_true(v.held);
    assert_int_equal(v.matched, 4);
}

static void a_claim_that_matches_nothing_has_failed(void **state)
{
    struct claim_verdict v =
        judge(SPEC("{where: {subset: palindrome}, expect: {floor_rel: \"= 0\"}}"), help_figures);
    assert_false(v.held);
    assert_int_equal(v.matched, 0);
    assert_non_null(strstr(v.why, "no row"));
}

static const char *no_error(const struct cell *c, int64_t length, const char *subset,
                            const char *column, char *buffer)
{
    if (strcmp(column, "error_rel") == 0)
        return "";
    return help_figures(c, length, subset, column, buffer);
}

static void an_empty_field_holds_nothing(void **state)
{
    struct claim_verdict v = judge(SPEC("{expect: {error_rel: \"<= 100\"}}"), no_error);
    assert_false(v.held);
    assert_non_null(strstr(v.why, "error_rel is empty"));
}

/* The worst of the broken rows is named, with its cell, the axes, the value and the distance. */
static void the_worst_row_is_named(void **state)
{
    static const char text[] = SPEC("{where: {subset: identical}, expect: {error_rel: \"< 0.005\"}}");
    struct spec *s = help_spec(text);
    char cell[32];
    struct claim_verdict v = judge(text, help_figures);
    snprintf(cell, sizeof cell, "cell %.8s", spec_cell(s, 0)->id);
    assert_false(v.held);
    assert_non_null(strstr(v.why, cell));
    assert_non_null(strstr(v.why, "model.attention=rpe"));
    assert_non_null(strstr(v.why, "seed=0"));
    assert_non_null(strstr(v.why, "error_rel is 1, claimed < 0.005: missed by 0.995"));
    assert_non_null(strstr(v.why, "worst of 2 among 2 rows"));
    spec_close(s);
}

/* rpe - urpe on identical inputs is 0.99 + 0.09 seed, elsewhere 0. */
static void pairs_are_judged_seed_by_seed(void **state)
{
    static const char pair[] = SPEC("{pair: {model.attention: [%s]}, where: {subset: %s}, "
                                    "expect: {error_rel: %s}}\nseeds: 2");
    char text[1024];
    snprintf(text, sizeof text, pair, "rpe, urpe", "identical", "[\"> 0.98\", \"< 1.09\"]");
    struct claim_verdict v = judge(text, help_figures);
    assert_true(v.held);
    assert_int_equal(v.matched, 2);
    snprintf(text, sizeof text, pair, "rpe, urpe", "[generic, all]", "\"= 0\"");
    v = judge(text, help_figures);
    assert_true(v.held);
    assert_int_equal(v.matched, 4);
    snprintf(text, sizeof text, pair, "urpe, rpe", "identical", "\"> -1\"");
    v = judge(text, help_figures);
    assert_false(v.held);
    assert_int_equal(v.matched, 2);
    struct spec *s = help_spec(text);
    char cell[128];
    snprintf(cell, sizeof cell, "cells %.8s and %.8s (gain, toeplitz; model.attention=rpe seed=1)",
             spec_cell(s, 3)->id, spec_cell(s, 1)->id);
    if (!strstr(v.why, cell))
        fail_msg("%s does not name %s", v.why, cell);
    assert_non_null(strstr(v.why, "error_rel of urpe - rpe is -1.08, claimed > -1: missed by 0.08"));
    spec_close(s);
    v = judge(text, no_error);
    assert_false(v.held);
    assert_non_null(strstr(v.why, "error_rel of urpe - rpe is empty"));
}

/* What only one of the two has may be asked of it: bucketed C, beside the RPE of its seed. */
static void conditions_hold_for_both_of_a_pair(void **state)
{
    static const char pair[] =
        "name: claim\nspace: {length: 4, channels: 2, inputs: {identical: 0.5}}\ntarget: gain\n"
        "model: {layers: 1, heads: 1, width: 4, ffn: 4}\ncases: [{model.attention: rpe}, "
        "{model.attention: urpe, model.c: toeplitz}, {model.attention: urpe, model.c: bucketed}]\n"
        "claims: [{pair: {model.attention: [rpe, urpe]}, where: {%s}, expect: {floor_rel: '>= 0'}}]\n";
    static const struct {
        const char *where;
        int matched;
    } table[] = {{"subset: all", 2}, {"subset: all, model.c: bucketed", 1},
                 {"subset: all, model.layers: 1", 2}, {"verdict: reached", 4}, {"length: 9", 0}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        char text[1024];
        snprintf(text, sizeof text, pair, table[k].where);
        struct claim_verdict v = judge(text, help_figures);
        assert_int_equal(v.matched, table[k].matched);
        assert_int_equal(v.held, v.matched > 0);
    }
}

/* Rows of an earlier version of the spec lie in the same folder; its other cells do not count. */
static void only_this_specs_cells_count(void **state)
{
    struct spec *s = help_spec(SPEC("{expect: {floor_rel: \"= 0\"}}")), *narrow;
    struct results r;
    struct err e = {0};
    struct claim_verdict v;
    char folder[HELP_PATH];
    narrow = help_spec("name: claim\nspace: {length: 4, channels: 2, inputs: {identical: 0.5}}\n"
                       "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4, "
                       "attention: urpe}\nclaims: [{expect: {floor_rel: \"= 0\"}}]\n");
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    help_write_spec(folder, narrow);
    help_open(&r, folder);
    assert_int_equal(claim_judge(narrow, spec_claim(narrow, 0), &r, &v, &e), 0);
    assert_true(v.held);
    assert_int_equal(v.matched, 3);
    assert_int_equal(claim_judge(s, spec_claim(s, 0), &r, &v, &e), 0);
    assert_false(v.held);
    assert_int_equal(v.matched, 6);
    results_close(&r);
    help_remove(folder);
    spec_close(s);
    spec_close(narrow);
}

/* How many lines start like a claim that is held, and like one that is not; none passes 80 columns. */
static void print_two(const struct report_screen *screen, const char *good, const char *bad)
{
    struct help_report h;
    struct err e = {0};
    char line[256];
    int broken, held = 0, not_held = 0;
    FILE *f = tmpfile();
    help_report_open(&h, SPEC("{expect: {floor_rel: \"<= 1\"}}\n"
                              "  - {expect: {floor_rel: \"<= 0.5\"}}\n"
                              "  - {on: bound, expect: {floor_rel: \"<= 0.5\"}}"), help_figures);
    assert_int_equal(report_claims(f, h.spec, CLAIM_ON_RUN, &h.results, screen, false, &broken, &e), 0);
    assert_int_equal(broken, 1);
    for (rewind(f); fgets(line, sizeof line, f);) {
        assert_true(screen->colour || strlen(line) <= 81);
        held += strncmp(line, good, strlen(good)) == 0;
        not_held += strncmp(line, bad, strlen(bad)) == 0;
    }
    assert_int_equal(held, 1);
    assert_int_equal(not_held, 1);
    fclose(f);
    help_report_close(&h);
}

static void printed_and_counted(void **state)
{
    print_two(&(struct report_screen){.width = 80}, "held ", "NOT HELD ");
}

/* Colours change nothing but themselves: without them the text is the same. */
static void colours_are_around_the_word(void **state)
{
    print_two(&(struct report_screen){.width = 80, .colour = true},
              "\x1b[36mheld      \x1b[0mexpect", "\x1b[1;31mNOT HELD  \x1b[0mexpect");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operator),
        cmocka_unit_test(texts_are_compared),
        cmocka_unit_test(any_of_a_list_matches),
        cmocka_unit_test(a_claim_that_matches_nothing_has_failed),
        cmocka_unit_test(an_empty_field_holds_nothing),
        cmocka_unit_test(the_worst_row_is_named),
        cmocka_unit_test(pairs_are_judged_seed_by_seed),
        cmocka_unit_test(conditions_hold_for_both_of_a_pair),
        cmocka_unit_test(only_this_specs_cells_count),
        cmocka_unit_test(printed_and_counted),
        cmocka_unit_test(colours_are_around_the_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What people read: the table, listings, JSON, figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "report/gnuplot.h"
#include "report/help_report.h"
#include "report/json.h"
#include "report/listing.h"
#include "report/stats.h"

static const char wide[] =
    "name: wide\nseeds: 3\n"
    "space: {length: 16, channels: 2, inputs: {identical: 0.5}}\n"
    "model: {heads: 1, width: 16, ffn: 16}\n"
    "grid:\n  target.kind: [prefix_sum, mean]\n  model.encoding: [transformer-xl, none]\n"
    "  model.attention: [rpe, urpe]\n  model.layers: [1, 2]\n  train.lr: [0.001, 0.01]\n"
    "target: mean\n";

static void open_wide(struct spec **s, struct results *r, const char *text) {
    char folder[HELP_PATH];
    *s = help_spec(text);
    help_folder(folder);
    help_write_all(folder, *s, help_figures);
    help_open(r, folder);
    help_remove(folder);
}

static int longest_line(const char *text, int *lines) {
    int longest = 0;
    *lines = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        int columns = text_columns(line);
        if (columns > longest) longest = columns;
        ++*lines;
    }
    return longest;
}

/* Every width that it is given, the table keeps; a line per group of seeds. */
static void table_fits(void **state) {
    struct spec *s;
    struct results r;
    int lines, last = 0;
    (void)state;
    open_wide(&s, &r, wide);
    for (int width = 60; width <= 160; width += 20) {
        char *text = help_table(s, &r, width);
        int longest = longest_line(text, &lines);
        if (longest > width) fail_msg("%d columns asked for, %d used:\n%s", width, longest, text);
        if (longest < last) fail_msg("a wider terminal gives a narrower table");
        assert_true(lines >= 32 + 3 && lines <= 32 + 6); /* title, blanks, header */
        last = longest;
        memory_free(text);
    }
    results_close(&r);
    spec_close(s);
}

/* One line, figure by figure: mean 1.1 of 1, 1.1, 1.2; half width 4.303 * 0.1 / sqrt(3). */
static void table_says_what_it_should(void **state) {
    struct spec *s;
    struct results r;
    (void)state;
    open_wide(&s, &r,
              "name: small\nseeds: 3\nspace: {length: 16, channels: 2, inputs: {identical: 0.5}}\n"
              "target: gain\nmodel: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n"
              "grid: {model.attention: [rpe, urpe]}\n");
    char *text = help_table(s, &r, 100);
    assert_non_null(strstr(text, "target  encoding  attn  params     identical  floor       generic"
                                 "  floor  witness  verdict\n"));
    assert_non_null(strstr(text, "gain    t5        rpe     1234  1.100 ±0.248  1.000  0.020 ±0.025"
                                 "      0     none  reached\n"));
    assert_non_null(strstr(text, "gain    t5        urpe    1234  0.020 ±0.025      0  0.020 ±0.025"
                                 "      0     1e-7  reached\n"));
    memory_free(text);
    results_close(&r);
    spec_close(s);
}

static void intervals_need_two(void **state) {
    double value[2] = {3, 5};
    struct interval none = stats_interval(value, 0), one = stats_interval(value, 1),
                    two = stats_interval(value, 2);
    (void)state;
    assert_true(isnan(none.mean));
    assert_true(one.mean == 3 && isnan(one.sd) && isnan(one.low));
    /* sd sqrt(2), t(0.975, 1) = 12.7062047362: half width 12.706... */
    assert_true(fabs(two.high - (4 + 12.7062047362)) < 1e-9);
    assert_true(fabs(two.low - (4 - 12.7062047362)) < 1e-9);
}

/* 8 of 10 and 0 of 10, as textbooks have them. */
static void wilson_is_known(void **state) {
    double low, high;
    (void)state;
    stats_wilson(0.8, 10, &low, &high);
    assert_true(fabs(low - 0.4901624715) < 1e-9 && fabs(high - 0.9433178485) < 1e-9);
    stats_wilson(0, 10, &low, &high);
    assert_true(low >= 0 && low < 1e-12 && fabs(high - 0.2775327999) < 1e-9);
    stats_wilson(0.5, 0, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

static void json_is_escaped(void **state) {
    struct text t = {0};
    (void)state;
    json_string(&t, "a\"b\\c\n\x01é");
    text_append(&t, " ");
    json_number(&t, NAN);
    text_append(&t, " ");
    json_number(&t, 0.1);
    text_append(&t, " ");
    json_field(&t, "", true);
    text_append(&t, " ");
    json_field(&t, "1e-05", true);
    text_append(&t, " ");
    json_field(&t, "x", true);
    assert_string_equal(t.data, "\"a\\\"b\\\\c\\u000a\\u0001é\" null 0.1 null 1e-05 \"x\"");
    text_close(&t);
}

static void listing_keeps_every_column(void **state) {
    static const struct listing_column column[] = {{"name", false}, {"n", true}, {"help", false}};
    const char *one[] = {"alpha", "12", "some words, and more of them than would fit one line"};
    const char *two[] = {"b", "3", NULL};
    struct listing l;
    struct text t = {0};
    struct err e = {0};
    (void)state;
    listing_open(&l, column, 3);
    assert_int_equal(listing_add(&l, one, &e), 0);
    assert_int_equal(listing_add(&l, two, &e), 0);
    assert_int_equal(listing_append(&t, &l, LISTING_TABLE, 40, &e), 0);
    assert_string_equal(t.data, "name    n  help\n"
                                "alpha  12  some words, and more of them\n"
                                "           than would fit one line\n"
                                "b       3\n");
    text_clear(&t);
    assert_int_equal(listing_append(&t, &l, LISTING_CSV, 40, &e), 0);
    assert_string_equal(t.data, "name,n,help\nalpha,12,\"some words, and more of them than would "
                                "fit one line\"\nb,3,\n");
    text_clear(&t);
    assert_int_equal(listing_append(&t, &l, LISTING_JSON, 40, &e), 0);
    assert_string_equal(t.data, "[\n {\"name\": \"alpha\", \"n\": 12, \"help\": \"some words, and "
                                "more of them than would fit one line\"},\n"
                                " {\"name\": \"b\", \"n\": 3, \"help\": null}\n]\n");
    text_close(&t);
    listing_close(&l);
}

static void gnuplot_strings_are_inert(void **state) {
    struct text t = {0};
    (void)state;
    gnuplot_string(&t, "a'b`date`\n\"$x");
    assert_string_equal(t.data, "'a''b`date` \"$x'");
    text_close(&t);
}

/* A script per experiment, and a figure from it; without gnuplot the scripts and one line. */
static void figures_are_drawn(void **state) {
    struct spec *s;
    struct results r;
    struct err e = {0};
    struct figures f = {.scripts = true};
    char folder[HELP_PATH], path[4096];
    (void)state;
    open_wide(&s, &r, wide);
    help_folder(folder);
    assert_int_equal(report_figures(folder, &r, &f, &e), 0);
    char *script = help_read(folder, "figures/floor-wide.gp");
    assert_non_null(strstr(script, "n = 16, 3 seeds (0, 1, 2)"));
    assert_non_null(strstr(script, "95 % t interval"));
    assert_non_null(strstr(script, "'prefix_sum transformer-xl rpe layers=1 lr=0.001' 1"));
    memory_free(script);
    if (f.drawn) {
        char *image = help_read(folder, "figures/floor-wide.svg");
        assert_non_null(strstr(image, "</svg>"));
        memory_free(image);
    } else {
        assert_non_null(strstr(f.why, "gnuplot"));
    }
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    assert_int_equal(setenv("PATH", folder, 1), 0); /* nothing to run there */
    assert_int_equal(report_figures(folder, &r, &f, &e), 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_false(f.drawn);
    assert_non_null(strstr(f.why, "gnuplot is not installed"));
    assert_null(strchr(f.why, '\n'));
    report_figures_close(&f);
    help_remove(folder);
    results_close(&r);
    spec_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_fits),
        cmocka_unit_test(table_says_what_it_should),
        cmocka_unit_test(intervals_need_two),
        cmocka_unit_test(wilson_is_known),
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(listing_keeps_every_column),
        cmocka_unit_test(gnuplot_strings_are_inert),
        cmocka_unit_test(figures_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What people read: the table, listings, JSON, figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "report/gnuplot.h"
#include "report/help_report.h"
#include "report/lines.h"
#include "report/listing.h"
#include "report/stats.h"

static const char wide[] =
    "name: wide\nseeds: 3\n"
    "space: {length: 16, channels: 2, inputs: {identical: 0.5}}\n"
    "model: {heads: 1, width: 16, ffn: 16}\n"
    "grid:\n  target.kind: [prefix_sum, mean]\n  model.encoding: [transformer-xl, none]\n"
    "  model.attention: [rpe, urpe]\n  model.layers: [1, 2]\n  train.lr: [0.001, 0.01]\n"
    "target: mean\n";

static int longest_line(const char *text, int *lines)
{
    int longest = 0;
    *lines = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        int columns = text_columns(line);
        if (columns > longest)
            longest = columns;
        ++*lines;
    }
    return longest;
}

/* Every width that it is given, the table keeps; a line per group of seeds, or two where it is narrow. */
static void table_fits(void **state)
{
    struct help_report h;
    int lines, last = 0;
    help_report_open(&h, wide, help_figures);
    for (int width = 80; width <= 160; width += 20) {
        char *text = help_table(h.spec, &h.results, width);
        int longest = longest_line(text, &lines);
        if (longest > width)
            fail_msg("%d columns asked for, %d used:\n%s", width, longest, text);
        if (longest < last)
            fail_msg("a wider terminal gives a narrower table");
        int rows = width == 80 ? 64 : 32; /* and title, blanks, header */
        assert_true(lines >= rows + 3 && lines <= rows + 6);
        last = longest;
        memory_free(text);
    }
    help_report_close(&h);
}

/* Lines that differ in the last letters of a name, and in more axes than 80 columns hold. */
static const char alike[] =
    "name: alike\nseeds: 1\n"
    "space: {length: 16, channels: 2, inputs: {identical: 0.5}}\n"
    "model: {heads: 1, width: 16, ffn: 16, layers: 1}\n"
    "grid:\n  target.kind: [prefix_sum, prefix_mean]\n"
    "  model.encoding: [kerple-log, kerple-power]\n  model.attention: [rpe, urpe]\n"
    "  train.decay: [none, linear]\n  evaluate.samples: [16, 32]\n  train.lr: [0.01, 0.1]\n"
    "target: mean\n";

/* What each of a table's lines is about, with its figures where these are in the same line. */
static int table_rows(const char *text, char row[][256], int rows_max)
{
    int rows = 0;
    bool more = false; /* of a name that is broken into lines */
    const char *at = strstr(text, "\n\n"), *end = at ? strstr(at + 2, "\n\n") : NULL;
    assert_non_null(end);
    at += 2;
    bool above = strncmp(at, "    ", 4) == 0;
    for (at += strcspn(at, "\n") + 1; at <= end && *at != '['; at += strcspn(at, "\n") + 1) {
        bool figures = strncmp(at, "    ", 4) == 0;
        assert_true(rows < rows_max);
        if (!figures)
            snprintf(row[rows] + (more ? strlen(row[rows]) : 0), 128, "%.*s|",
                     (int)strcspn(at, "\n"), at);
        rows += figures || !above;
        more = above && !figures;
    }
    return rows;
}

static void rows_differ(const struct spec *s, const struct results *r, int width, int expected)
{
    char row[64][256];
    int lines;
    char *text = help_table(s, r, width);
    if (longest_line(text, &lines) > width)
        fail_msg("%d columns asked for:\n%s", width, text);
    assert_int_equal(table_rows(text, row, 64), expected);
    for (int k = 0; k < expected; k++)
        for (int m = 0; m < k; m++)
            if (strcmp(row[k], row[m]) == 0)
                fail_msg("twice:\n%s\nin\n%s", row[k], text);
    memory_free(text);
}

static void no_two_lines_read_alike(void **state)
{
    struct help_report h;
    int lines;
    help_report_open(&h, alike, help_figures);
    rows_differ(h.spec, &h.results, 110, 64);
    rows_differ(h.spec, &h.results, 80, 64);
    rows_differ(h.spec, &h.results, 60, 64);
    /* Where columns of names do not fit, these stand above figures. */
    char *text = help_table(h.spec, &h.results, 60);
    assert_non_null(strstr(text, "\n\n    identical floor generic floor    witness verdict\n"));
    assert_non_null(strstr(text, "prefix_sum kerple-power urpe decay=linear samples=32 lr=0.1\n"
                                 "        0.010     0   0.010     0 "));
    memory_free(text);
    /* And at last a block per line. */
    text = help_table(h.spec, &h.results, 40);
    assert_true(longest_line(text, &lines) <= 60); /* the title's and names' longest words */
    assert_non_null(strstr(text, "    encoding: kerple-power\n"));
    memory_free(text);
    help_report_close(&h);
}

/* Options that few lines have take one column together. */
static void names_share_a_column(void **state)
{
    struct help_report h;
    help_report_open(&h,
              "name: few\nspace: {length: 4, channels: 1}\ntarget: gain\n"
              "model: {heads: 1, width: 8, ffn: 8}\ncases:\n"
              "  - {model.encoding: {kind: t5, max_distance: 64}}\n"
              "  - {model.encoding: {kind: t5, buckets: 16}, space.inputs.palindrome: 0.5}\n"
              "  - {model.mask: causal, evaluate.orbit: reversal}\n", help_figures);
    rows_differ(h.spec, &h.results, 120, 3);
    char *text = help_table(h.spec, &h.results, 120);
    assert_non_null(strstr(text, "\n\ncells "));
    assert_non_null(strstr(text, "\ngain t5 buckets=16 max_distance=128 urpe "));
    memory_free(text);
    help_report_close(&h);
}

/* Keys of one name in two sections keep their sections; others do without. */
static void names_of_columns_are_told_apart(void **state)
{
    struct help_report h;
    help_report_open(&h,
              "name: grid\nspace: {kind: grid, height: 2, channels: 1}\ntarget: mean\n"
              "model: {heads: 1, ffn: 4}\n"
              "grid: {model.width: [4, 8], space.width: [2, 3], train.lr: [0.1, 0.2]}\n", help_figures);
    char *text = help_table(h.spec, &h.results, 120);
    assert_non_null(strstr(text, "  model.width  space.width   lr  "));
    memory_free(text);
    help_report_close(&h);
}

/* What is the same in all lines is named once, when room is short; not before. */
static void constant_columns_move_to_the_title(void **state)
{
    struct help_report h;
    help_report_open(&h,
              "name: constant\nseeds: 3\n"
              "space: {length: 16, channels: 2, inputs: {identical: 0.5}}\ntarget: prefix_sum\n"
              "model: {encoding: transformer-xl, heads: 1, width: 4, ffn: 4}\n"
              "grid: {model.attention: [rpe, urpe], model.layers: [1, 2]}\n", help_figures);
    char *narrow = help_table(h.spec, &h.results, 80), *broad = help_table(h.spec, &h.results, 130);
    assert_non_null(strstr(narrow, "prefix_sum, encoding")); /* "in all lines ...", wrapped */
    assert_null(strstr(strstr(narrow, "\n\n"), "transformer-xl"));
    assert_non_null(strstr(narrow, "1.000..1.200 1.000"));
    assert_null(strstr(broad, "in all lines"));
    assert_non_null(strstr(broad, "prefix_sum  transformer-xl  rpe "));
    memory_free(narrow);
    memory_free(broad);
    help_report_close(&h);
}

/* Eight of nine points from 1 down to 1e-7 on one scale: each a block lower; RPE stays on top. */
static void curves_are_blocks(void **state)
{
    char folder[HELP_PATH];
    struct results r;
    struct spec *s = help_spec(
        "name: falls\nseeds: 2\nspace: {length: 16, channels: 2, inputs: {identical: 0.5}}\n"
        "target: gain\nmodel: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n"
        "grid: {model.attention: [rpe, urpe]}\n");
    const struct report_screen screen = {.width = 120, .unicode = true};
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    for (int k = 0; k < spec_cells(s); k++) {
        struct text curve = {0};
        bool falls = spec_cell(s, k)->task.model.attention == MODEL_URPE;
        for (int p = 0; p < 8; p++)
            text_append_format(&curve, "%d,,%s%d,,\n", p, falls ? "1e-" : "1e", falls ? p : 0);
        help_write_part(folder, spec_cell(s, k), FILE_CURVES, curve.data);
        text_close(&curve);
    }
    help_open(&r, folder);
    char *text = help_table_on(s, &r, &screen);
    assert_non_null(strstr(text, "  ████████  "));
    assert_non_null(strstr(text, "  █▇▆▅▄▃▂▁  "));
    assert_non_null(strstr(text, "\ncurve: error_rel while training, first seed, logarithmic from "
                                 "1e-07 to 1\n"));
    memory_free(text);
    text = help_table(s, &r, 120); /* a screen without such signs */
    assert_null(strstr(text, "curve"));
    memory_free(text);
    results_close(&r);
    help_remove(folder);
    spec_close(s);
}

/* One line, figure by figure: seeds 1, 1.1, 1.2. */
static void table_says_what_it_should(void **state)
{
    struct help_report h;
    help_report_open(&h,
              "name: small\nseeds: 3\nspace: {length: 16, channels: 2, inputs: {identical: 0.5}}\n"
              "target: gain\nmodel: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n"
              "grid: {model.attention: [rpe, urpe]}\n", help_figures);
    char *text = help_table(h.spec, &h.results, 110);
    assert_non_null(strstr(text, "target  encoding  attn  params     identical  floor       generic"
                                 "  floor     witness  verdict\n"));
    assert_non_null(strstr(text, "gain    t5        rpe     1234  1.000..1.200  1.000  0.010..0.030"
                                 "      0  none known  impossible on identical\n"));
    assert_non_null(strstr(text, "gain    t5        urpe    1234  0.010..0.030      0  0.010..0.030"
                                 "      0        1e-7  reached\n"));
    memory_free(text);
    help_report_close(&h);
}

static const char *first_fails(const struct cell *c, int64_t length, const char *subset,
                               const char *column, char *buffer)
{
    bool failed = c->task.seed == 0;
    if (strcmp(column, "status") == 0 && failed)
        return "failed";
    if (strcmp(column, "params") == 0 && failed)
        return "";
    return help_figures(c, length, subset, column, buffer);
}

/* A failed cell has one row, at the training length; the group stays one line, and says so. */
static void a_failed_seed_shares_its_line(void **state)
{
    struct spec *s = help_spec("name: some\nseeds: 2\nspace: {length: 16, channels: 1}\n"
                               "target: gain\nevaluate: {lengths: [8]}\n"
                               "model: {layers: 1, heads: 1, width: 4, ffn: 4}\n");
    struct results r;
    struct text rows = {0};
    char folder[HELP_PATH], name[64];
    help_folder(folder);
    help_write_all(folder, s, first_fails);
    help_rows(&rows, spec_cell(s, 0), first_fails);
    char *end = strchr(strchr(rows.data, '\n') + 1, '\n'); /* header, row of `all` at 16 */
    end[1] = '\0';
    snprintf(name, sizeof name, "cells/%s/row.csv", spec_cell(s, 0)->id);
    help_write(folder, name, rows.data);
    help_open(&r, folder);
    char *text = help_table(s, &r, 100), *at = strstr(text, "failed in 1 of 2");
    assert_non_null(at);
    assert_null(strstr(at + 1, "failed"));
    assert_non_null(strstr(text, "      8    1234 "));
    assert_non_null(strstr(text, "     16    1234 "));
    assert_int_equal(at[strlen("failed in 1 of 2")], '\n');
    int lines = 0;
    for (const char *line = text; (line = strstr(line, "\ngain ")); line++)
        lines++;
    assert_int_equal(lines, 2);
    memory_free(text);
    text_close(&rows);
    results_close(&r);
    help_remove(folder);
    spec_close(s);
}

/* Seed 1 reaches it on generic inputs alone. */
static const char *one_of_two(const struct cell *c, int64_t length, const char *subset,
                              const char *column, char *buffer)
{
    if (strcmp(column, "verdict") == 0)
        return c->task.seed && strcmp(subset, "generic") == 0 ? "reached" : "not-reached";
    return help_figures(c, length, subset, column, buffer);
}

/* The same words on terminal and page, and of which inputs. */
static void seeds_that_differ_are_counted(void **state)
{
    struct help_report h;
    struct err e = {0};
    help_report_open(&h, "name: small\nseeds: 2\ntarget: gain\n"
                         "space: {length: 16, channels: 2, inputs: {identical: 0.2, periodic: 0.2}}\n"
                         "model: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n", one_of_two);
    char *text = help_table(h.spec, &h.results, 120);
    assert_non_null(strstr(text, " not-reached on periodic\n"));
    assert_int_equal(report_page(h.folder, &h.results, &(struct figures){0}, &e), 0);
    char *page = help_read(h.folder, "report.html");
    assert_non_null(strstr(page, "<td class=\"mixed\" data-of="));
    assert_non_null(strstr(page, ">\u2713 reached in 1 of 2<small>error_rel 0.010..0.020</small>"));
    memory_free(page);
    memory_free(text);
    help_report_close(&h);
}

/* Seed 0 misses it on generic inputs; all else is reached. */
static const char *one_missed(const struct cell *c, int64_t length, const char *subset,
                              const char *column, char *buffer)
{
    if (strcmp(column, "verdict") == 0)
        return !c->task.seed && strcmp(subset, "generic") == 0 ? "not-reached" : "reached";
    return help_figures(c, length, subset, column, buffer);
}

static void a_verdict_is_about_the_worst_inputs(void **state)
{
    struct help_report h;
    help_report_open(&h, "name: small\nseeds: 2\ntarget: gain\n"
                         "space: {length: 16, channels: 2, inputs: {identical: 0.2, periodic: 0.2}}\n"
                         "model: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n", one_missed);
    char *text = help_table(h.spec, &h.results, 120);
    assert_non_null(strstr(text, " reached in 1 of 2 on generic\n"));
    memory_free(text);
    help_report_close(&h);
}

/* A target that is constant, one that varies, tokens. */
static const char *of_three_units(const struct cell *c, int64_t length, const char *subset,
                                  const char *column, char *buffer)
{
    const char *target = target_of(&c->task.target)->name;
    bool constant = strcmp(target, "pi") != 0 && strcmp(target, "gain") != 0;
    if (strcmp(column, "status") == 0)
        return "ok";
    if (strcmp(column, "accuracy") == 0)
        return strcmp(target, "pi") == 0 ? "0.75" : "";
    if (strcmp(column, "error_rel") == 0)
        return strcmp(target, "gain") == 0 ? "0.5" : "";
    if (strcmp(column, "error_rms") == 0)
        return constant ? "0.125" : "";
    return NULL;
}

static void errors_have_their_unit(void **state)
{
    struct help_report h;
    struct err e = {0};
    help_report_open(&h, "name: units\nseeds: 1\nspace: {length: 16}\n"
                         "model: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n"
                         "cases: [{target: pi}, {target: gain}, {target: mean}]\n", of_three_units);
    char *text = help_table(h.spec, &h.results, 160);
    assert_non_null(strstr(text, "units: error (error_rel, w: share of wrong answers, r: error_rms) "));
    assert_non_null(strstr(text, " 0.250w"));
    assert_non_null(strstr(text, " 0.500\n"));
    assert_non_null(strstr(text, " 0.125r"));
    memory_free(text);
    assert_int_equal(report_page(h.folder, &h.results, &(struct figures){0}, &e), 0);
    char *page = help_read(h.folder, "report.html");
    assert_non_null(strstr(page, "<small>share of wrong answers 0.250</small>"));
    assert_non_null(strstr(page, "<small>error_rms 0.125</small>"));
    memory_free(page);
    help_report_close(&h);
}

/* Two columns of figures there are; what else was measured is named. */
static void kinds_of_input_without_a_column_are_named(void **state)
{
    struct help_report h;
    help_report_open(&h,
              "name: small\nseeds: 1\ntarget: gain\nspace: {length: 16, channels: 2, "
              "inputs: {identical: 0.2, palindrome: 0.2, blocks: 0.2}}\n"
              "model: {encoding: t5, layers: 1, heads: 1, width: 4, ffn: 4}\n", help_figures);
    char *text = help_table(h.spec, &h.results, 100);
    assert_non_null(strstr(text, "\npalindrome, blocks inputs, and all kinds together: in "
                                 "results.csv\n"));
    memory_free(text);
    help_report_close(&h);
}

/* Fewer than four numbers have a range; of four the interval, t(0.975, 3) = 3.18244630528: of 2, 4, 6,
 * 8 the sd is sqrt(20/3), the half width t sqrt(5/3); of e, e^2, e^3, e^4 that of the logarithms is t
 * sqrt(5/3)/2 about 2.5. */
static void intervals_need_four(void **state)
{
    double value[4] = {2, 4, 6, 8}, power[4] = {exp(1), exp(2), exp(3), exp(4)}, half[4] = {3, 0, 4, 1};
    const double t = 3.18244630528 * sqrt(5.0 / 3);
    assert_true(isnan(stats_interval(value, 0, false).mean));
    struct interval i = stats_interval(value, 1, true);
    assert_true(i.mean == 2 && isnan(i.sd) && isnan(i.low) && i.spread == SPREAD_NONE);
    i = stats_interval(value, 3, true);
    assert_true(i.spread == SPREAD_RANGE && i.low == 2 && i.high == 6 && i.centre == 4);
    i = stats_interval(value, 4, false);
    assert_true(i.spread == SPREAD_T && fabs(i.high - 5 - t) < 1e-9 && fabs(i.low - 5 + t) < 1e-9);
    i = stats_interval(power, 4, true);
    assert_true(i.spread == SPREAD_LOG && fabs(log(i.centre) - 2.5) < 1e-12);
    assert_true(fabs(log(i.high) - 2.5 - t / 2) < 1e-9 && fabs(log(i.low) - 2.5 + t / 2) < 1e-9);
    i = stats_interval(half, 4, true); /* 0 has no logarithm */
    assert_true(i.spread == SPREAD_RANGE && i.low == 0 && i.high == 4);
    i = stats_complement(i);
    assert_true(i.low == -3 && i.high == 1 && i.mean == -1);
}

static void intervals_are_written(void **state)
{
    static const struct {
        double value[4];
        int n;
        bool error, spread;
        const char *text;
    } table[] = {{{0.5}, 1, true, true, "0.500"},
                 {{0.5, 0.25}, 2, true, true, "0.250..0.500"},
                 {{0.5, 0.25}, 2, true, false, "0.375"},
                 {{0.5, 0.50001}, 2, true, true, "0.500"},
                 {{1, 2, 4, 8}, 4, true, true, "2.828×÷4.15"},
                 {{2, 4, 6, 8}, 4, false, true, "5.000±4.109"}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        struct text t = {0};
        struct interval i = stats_interval(table[k].value, table[k].n, table[k].error);
        report_append_interval(&t, &i, table[k].spread, true);
        assert_string_equal(t.data, table[k].text);
        text_close(&t);
    }
}

/* 8 of 10 and 0 of 10, as textbooks have them. */
static void wilson_is_known(void **state)
{
    double low, high;
    stats_wilson(0.8, 10, &low, &high);
    assert_true(fabs(low - 0.4901624715) < 1e-9 && fabs(high - 0.9433178485) < 1e-9);
    stats_wilson(0, 10, &low, &high);
    assert_true(low >= 0 && low < 1e-12 && fabs(high - 0.2775327999) < 1e-9);
    stats_wilson(0.5, 0, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

static void json_is_escaped(void **state)
{
    static const struct listing_column column[] = {{"a\"b\\c\n\x01é", true}};
    static const char *const value[] = {"nan", "0.1", "", "1e-05", "x\"y"};
    struct listing l;
    struct text t = {0};
    struct err e = {0};
    listing_open(&l, column, 1);
    for (int k = 0; k < 5; k++)
        assert_int_equal(listing_add(&l, &value[k], &e), 0);
    assert_int_equal(listing_append(&t, &l, LISTING_JSON, 40, &e), 0);
#define NAME "{\"a\\\"b\\\\c\\u000a\\u0001é\": "
    assert_string_equal(t.data, "[\n " NAME "null},\n " NAME "0.1},\n " NAME "null},\n " NAME
                                "1e-05},\n " NAME "\"x\\\"y\"}\n]\n");
    text_close(&t);
    listing_close(&l);
}

static void listing_keeps_every_column(void **state)
{
    static const struct listing_column column[] = {{"name", false}, {"n", true}, {"help", false}};
    const char *one[] = {"alpha", "12", "some words, and more of them than would fit one line"};
    const char *two[] = {"b", "3", NULL};
    struct listing l;
    struct text t = {0};
    struct err e = {0};
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

static void gnuplot_strings_are_inert(void **state)
{
    struct text t = {0};
    gnuplot_string(&t, "a'b`date`\n\"$x, cut", 13);
    assert_string_equal(t.data, "'a''b`date` \"$x'");
    text_close(&t);
}

/* A script per experiment, and a figure from it; without gnuplot the scripts and one line. */
static void figures_are_drawn(void **state)
{
    struct help_report h;
    struct err e = {0};
    struct figures f = {.scripts = true};
    char folder[HELP_PATH], path[4096];
    help_report_open(&h, wide, help_figures);
    help_folder(folder);
    assert_int_equal(report_figures(folder, &h.results, &f, &e), 0);
    char *script = help_read(folder, "figures/floor-wide.gp");
    assert_non_null(strstr(script, "n = 16, 3 seeds (0, 1, 2)"));
    assert_non_null(strstr(script, "bars: their range"));
    assert_non_null(strstr(script, "'prefix_sum transformer-xl rpe layers=1 lr=0.001' at "));
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
    assert_int_equal(report_figures(folder, &h.results, &f, &e), 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_false(f.drawn);
    assert_non_null(strstr(f.why, "gnuplot is not installed"));
    assert_null(strchr(f.why, '\n'));
    report_figures_close(&f);
    help_remove(folder);
    help_report_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_fits),
        cmocka_unit_test(table_says_what_it_should),
        cmocka_unit_test(no_two_lines_read_alike),
        cmocka_unit_test(names_share_a_column),
        cmocka_unit_test(names_of_columns_are_told_apart),
        cmocka_unit_test(constant_columns_move_to_the_title),
        cmocka_unit_test(curves_are_blocks),
        cmocka_unit_test(a_failed_seed_shares_its_line),
        cmocka_unit_test(kinds_of_input_without_a_column_are_named),
        cmocka_unit_test(intervals_need_four),     cmocka_unit_test(intervals_are_written),
        cmocka_unit_test(seeds_that_differ_are_counted),
        cmocka_unit_test(a_verdict_is_about_the_worst_inputs), cmocka_unit_test(errors_have_their_unit),
        cmocka_unit_test(wilson_is_known),
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(listing_keeps_every_column),
        cmocka_unit_test(gnuplot_strings_are_inert),
        cmocka_unit_test(figures_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

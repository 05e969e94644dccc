/* Reading folders: order, sharing, and what is skipped. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/help_report.h"

static const char toy[] = "name: toy\nseeds: 2\n"
                          "space: {length: 4, channels: 2, inputs: {identical: 0.5}}\n"
                          "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4}\n"
                          "grid: {model.attention: [urpe, rpe]}\n";

static int folder_open(void **state)
{
    char *folder = malloc(HELP_PATH);
    help_folder(folder);
    *state = folder;
    return 0;
}

static int folder_close(void **state)
{
    help_remove(*state);
    free(*state);
    return 0;
}

/* In the order of the grid (not of the ids), then subsets: all, generic, patterns. */
static void rows_are_sorted(void **state)
{
    struct spec *s = help_spec(toy);
    struct results r;
    static const char *const subset[] = {"all", "generic", "identical"};
    help_write_all(*state, s, help_figures);
    help_open(&r, *state);
    assert_int_equal(r.skips, 0);
    assert_int_equal(r.rows, 12);
    for (int k = 0; k < r.rows; k++) {
        assert_string_equal(result_text(&r.row[k], "cell"), spec_cell(s, k / 3)->id);
        assert_string_equal(result_text(&r.row[k], "subset"), subset[k % 3]);
        assert_string_equal(result_text(&r.row[k], "experiment"), "toy");
        assert_string_equal(result_text(&r.row[k], "spec_hash"), spec_hash(s));
        assert_int_equal(result_cell(&r, &r.row[k])->task.seed, spec_cell(s, k / 3)->task.seed);
    }
    results_close(&r);
    spec_close(s);
}

static void lengths_are_numbers(void **state)
{
    struct spec *s = help_spec("name: long\ntarget: gain\n"
                               "space: {length: 16, channels: 1}\n"
                               "model: {layers: 1, heads: 1, width: 4, ffn: 4}\n"
                               "evaluate: {lengths: [128, 9]}\n");
    static const char *const length[] = {"9", "16", "128"};
    struct results r;
    help_write_all(*state, s, help_figures);
    help_open(&r, *state);
    assert_int_equal(r.rows, 6); /* all and generic */
    for (int k = 0; k < r.rows; k++)
        assert_string_equal(result_text(&r.row[k], "length"), length[k / 2]);
    results_close(&r);
    spec_close(s);
}

/* Two versions of one experiment share cells: each cell once, at its lowest index. */
static void versions_share_cells(void **state)
{
    struct spec *s = help_spec(toy), *turned, *other;
    char text[sizeof toy + 32];
    struct results r;
    int index[2] = {0, 0};
    snprintf(text, sizeof text, "%s", toy);
    memcpy(strstr(text, "[urpe, rpe]"), "[rpe, urpe]", 11);
    turned = help_spec(text);
    memcpy(strstr(text, "toy"), "own", 3);
    other = help_spec(text);
    help_write_all(*state, s, help_figures);
    help_write_spec(*state, turned);
    help_write_spec(*state, other);
    help_open(&r, *state);
    assert_int_equal(r.specs, 3);
    assert_int_equal(r.rows, 24); /* 12 of toy, 12 of own */
    for (int k = 0; k < r.rows; k++) {
        bool own = strcmp(result_text(&r.row[k], "experiment"), "own") == 0;
        assert_true(own == (k < 12)); /* sorted by experiment */
        if (!own) {
            assert_true(r.row[k].cell <= 1);
            index[r.row[k].cell]++;
        }
    }
    assert_int_equal(index[0], 6); /* seed 0 of either attention stands first in one version */
    assert_int_equal(index[1], 6);
    results_close(&r);
    spec_close(s);
    spec_close(turned);
    spec_close(other);
}

static void expect_skip(const char *folder, const char *file, const char *why)
{
    struct results r;
    bool found = false;
    help_open(&r, folder);
    for (int k = 0; k < r.skips; k++)
        found |= strstr(r.skipped[k], file) && strstr(r.skipped[k], why);
    if (!found)
        fail_msg("%s is not named with \"%s\"", file, why);
    results_close(&r);
}

/* Whatever the length at which a row.csv is cut, it is named and skipped, never half believed. */
static void torn_rows_are_skipped(void **state)
{
    struct spec *s = help_spec(toy);
    const struct cell *c = spec_cell(s, 0);
    struct text rows = {0};
    char name[64];
    help_write_spec(*state, s);
    help_rows(&rows, c, help_figures);
    snprintf(name, sizeof name, "cells/%s/row.csv", c->id);
    for (size_t cut = 0; cut <= rows.length; cut += cut + 7 < rows.length ? 7 : 1) {
        struct results r;
        char *part = malloc(cut + 1);
        memcpy(part, rows.data, cut);
        part[cut] = '\0';
        help_write(*state, name, part);
        help_open(&r, *state);
        bool whole = cut == rows.length;
        assert_int_equal(r.rows, whole ? 3 : 0);
        assert_int_equal(r.skips, whole ? 0 : 1);
        if (!whole)
            assert_non_null(strstr(r.skipped[0], c->id));
        results_close(&r);
        free(part);
    }
    /* Cuts between lines are the ones that look whole: all of them, not every seventh byte. */
    for (char *end = strchr(rows.data, '\n'); end[1]; end = strchr(end + 1, '\n')) {
        struct results r;
        char kept = end[1];
        end[1] = '\0';
        help_write(*state, name, rows.data);
        end[1] = kept;
        help_open(&r, *state);
        assert_int_equal(r.rows, 0);
        assert_int_equal(r.skips, 1);
        results_close(&r);
    }
    char *last = strstr(rows.data, ",identical,");
    while (last[-1] != '\n')
        last--;
    struct text twice = {0};
    text_append_format(&twice, "%s%s", rows.data, last);
    help_write(*state, name, twice.data);
    expect_skip(*state, c->id, "there twice");
    text_close(&twice);
    text_close(&rows);
    spec_close(s);
}

/* A program that had fewer columns: what a report says of its experiment is there all the same. */
static void older_rows_are_read(void **state)
{
    struct spec *s = help_spec(toy);
    struct results r;
    struct text rows = {0};
    char name[64];
    help_write_spec(*state, s);
    help_rows(&rows, spec_cell(s, 0), help_figures);
    help_drop_columns(rows.data, 3); /* informative_ceiling, settings, axes */
    snprintf(name, sizeof name, "cells/%s/row.csv", spec_cell(s, 0)->id);
    help_write(*state, name, rows.data);
    help_open(&r, *state);
    assert_int_equal(r.rows, 3);
    assert_string_equal(result_text(&r.row[0], "informative_ceiling"), "");
    assert_string_equal(result_text(&r.row[0], "axes"), "model.attention=urpe");
    assert_string_equal(result_text(&r.row[0], "settings"),
                        "space.length=4; space.inputs.identical=0.5");
    results_close(&r);
    text_close(&rows);
    spec_close(s);
}

static void foreign_files_are_skipped(void **state)
{
    struct spec *s = help_spec(toy);
    const struct cell *c = spec_cell(s, 0), *d = spec_cell(s, 1);
    char name[128];
    struct text rows = {0};
    help_write_all(*state, s, help_figures);
    help_write(*state, "specs/notes.txt", "mine");
    expect_skip(*state, "notes.txt", "not that of a spec");
    snprintf(name, sizeof name, "specs/%064d.yaml", 7);
    help_write(*state, name, toy);
    expect_skip(*state, "0007.yaml", "does not hash");
    snprintf(name, sizeof name, "specs/%064d.yaml", 8);
    help_write(*state, name, "name: [");
    expect_skip(*state, "0008.yaml", ":");
    help_write(*state, "cells/readme/a", "");
    expect_skip(*state, "readme", "not that of a cell");
    help_write(*state, "cells/0123456789abcdef/row.csv", "x\n");
    expect_skip(*state, "0123456789abcdef", "no spec");
    snprintf(name, sizeof name, "cells/%s/row.csv", c->id);
    help_write(*state, name, "\x89PNG\r\n\x1a");
    expect_skip(*state, c->id, "row.csv");
    help_rows(&rows, d, help_figures); /* another cell's rows */
    help_write(*state, name, rows.data);
    expect_skip(*state, c->id, "another cell");
    struct results r;
    help_open(&r, *state);
    assert_int_equal(r.rows, 9); /* the other three cells are still there */
    results_close(&r);
    text_close(&rows);
    spec_close(s);
}

static void unfinished_cells_are_named(void **state)
{
    struct spec *s = help_spec(toy);
    char name[128];
    help_write_spec(*state, s);
    snprintf(name, sizeof name, "cells/%s/checkpoint", spec_cell(s, 0)->id);
    help_write(*state, name, "half");
    expect_skip(*state, spec_cell(s, 0)->id, "unfinished");
    spec_close(s);
}

static void a_missing_folder_is_an_error(void **state)
{
    struct results r;
    struct err e = {0};
    const char *folder = "/nonexistent/urpe";
    assert_int_equal(results_open(&r, &folder, 1, &e), ERR_IO);
    assert_string_equal(e.where, folder);
}

/* The second folder adds what the first lacks. */
static void folders_merge(void **state)
{
    struct spec *s = help_spec(toy);
    struct results r;
    struct err e = {0};
    char second[HELP_PATH];
    help_folder(second);
    help_write_spec(*state, s);
    help_write_spec(second, s);
    for (int k = 0; k < 3; k++)
        help_write_cell(*state, spec_cell(s, k), help_figures);
    for (int k = 2; k < 4; k++)
        help_write_cell(second, spec_cell(s, k), help_figures);
    const char *both[] = {*state, second};
    assert_int_equal(results_open(&r, both, 2, &e), 0);
    assert_int_equal(r.rows, 12);
    assert_int_equal(results_finished(&r, s), 4);
    results_close(&r);
    help_open(&r, *state);
    assert_int_equal(results_finished(&r, s), 3);
    results_close(&r);
    help_remove(second);
    spec_close(s);
}

static const char *failing(const struct cell *c, int64_t length, const char *subset,
                           const char *column, char *buffer)
{
    if (strcmp(column, "status") == 0)
        return "failed";
    return help_figures(c, length, subset, column, buffer);
}

/* A cell that failed in one folder and is finished in another is finished, in whatever order. */
static void what_failed_elsewhere_gives_way(void **state)
{
    struct spec *s = help_spec(toy);
    struct results r;
    struct err e = {0};
    char second[HELP_PATH];
    help_folder(second);
    help_write_spec(*state, s);
    help_write_spec(second, s);
    help_write_cell(*state, spec_cell(s, 0), failing);
    help_write_cell(*state, spec_cell(s, 1), failing);
    help_write_cell(second, spec_cell(s, 0), help_figures);
    const char *both[] = {*state, second}, *back[] = {second, *state};
    for (int order = 0; order < 2; order++) {
        assert_int_equal(results_open(&r, order ? back : both, 2, &e), 0);
        assert_int_equal(r.rows, 6);
        for (int k = 0; k < r.rows; k++)
            assert_string_equal(result_text(&r.row[k], "status"), k < 3 ? "ok" : "failed");
        results_close(&r);
    }
    help_remove(second);
    spec_close(s);
}

/* Specs of one name: what one varies, and in what their bases differ, are axes of both. */
static void specs_of_one_name_share_axes(void **state)
{
    struct spec *s = help_spec(toy), *longer = NULL, *other = help_spec("name: zoo\ntarget: gain\n");
    const char *set[] = {"train.steps=7", "model.encoding=alibi", "seeds=1"};
    static const char *const want[] = {"seed", "model.attention", "model.encoding.kind",
                                       "train.steps"};
    struct results r;
    struct err e = {0};
    assert_int_equal(spec_parse(&longer, "toy", toy, strlen(toy), set, 3, &e), 0);
    help_write_all(*state, s, help_figures);
    help_write_all(*state, longer, help_figures);
    help_write_all(*state, other, help_figures);
    help_open(&r, *state);
    assert_int_equal(r.specs, 3);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(r.axes[k].count, 4);
        for (int a = 0; a < 4; a++) {
            bool found = false;
            for (int w = 0; w < 4; w++)
                found |= strcmp(r.axes[k].key[a], want[w]) == 0;
            assert_true(found);
        }
    }
    assert_int_equal(r.axes[2].count, 0);
    results_close(&r);
    spec_close(s);
    spec_close(longer);
    spec_close(other);
}

int main(void)
{
#define ON_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_open, folder_close)
    const struct CMUnitTest tests[] = {
        ON_FOLDER(rows_are_sorted),          ON_FOLDER(lengths_are_numbers),
        ON_FOLDER(versions_share_cells),     ON_FOLDER(torn_rows_are_skipped),
        ON_FOLDER(older_rows_are_read),
        ON_FOLDER(foreign_files_are_skipped), ON_FOLDER(unfinished_cells_are_named),
        ON_FOLDER(folders_merge),            ON_FOLDER(what_failed_elsewhere_gives_way),
        ON_FOLDER(specs_of_one_name_share_axes),
        cmocka_unit_test(a_missing_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

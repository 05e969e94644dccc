/* --csv FILE: one file for many calls. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/memory.h"
#include "report/help_report.h"

enum { WRITERS = 16 };

static const char *const encodings[] = {"toeplitz", "t5", "alibi", "none"};

static struct spec *spec_of(const char *encoding)
{
    char text[512];
    snprintf(text, sizeof text,
             "name: shared\nseeds: 3\nspace: {length: 4, channels: 2, inputs: {identical: 0.5}}\n"
             "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4, encoding: %s}\n"
             "grid: {model.attention: [rpe, urpe]}\n",
             encoding);
    return help_spec(text);
}

static void results_of(char folder[HELP_PATH], const struct spec *s, help_value value)
{
    help_folder(folder);
    help_write_all(folder, s, value);
}

/* How often each (cell, length, subset) of the file is there: once, or the test fails.  Returns the
 * number of rows. */
static int rows_once(const char *path)
{
    struct csv c;
    struct err e = {0};
    if (csv_read(path, &c, &e))
        fail_msg("%s: %s", e.where, e.msg);
    int cell = csv_column(&c, "cell"), length = csv_column(&c, "length"),
        subset = csv_column(&c, "subset"), rows = c.rows - 1;
    for (int i = 1; i < c.rows; i++)
        for (int k = i + 1; k < c.rows; k++)
            if (strcmp(c.row[i][cell], c.row[k][cell]) == 0 &&
                strcmp(c.row[i][length], c.row[k][length]) == 0 &&
                strcmp(c.row[i][subset], c.row[k][subset]) == 0)
                fail_msg("rows %d and %d are the same", i, k);
    csv_close(&c);
    return rows;
}

/* Sixteen processes add at the same time, four of them the same rows each. */
static void many_writers(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    struct spec *s[4];
    char r[4][HELP_PATH];
    help_folder(folder);
    snprintf(path, sizeof path, "%s/all.csv", folder);
    for (int k = 0; k < 4; k++) {
        s[k] = spec_of(encodings[k]);
        results_of(r[k], s[k], help_figures);
    }
    for (int k = 0; k < WRITERS; k++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(report_shared_add(path, r[k % 4], s[k % 4], k >= 12, NULL) ? 1 : 0);
    }
    for (int k = 0; k < WRITERS; k++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(rows_once(path), 4 * 6 * 3);
    for (int k = 0; k < 4; k++) {
        help_remove(r[k]);
        spec_close(s[k]);
    }
    help_remove(folder);
}

static const char *other_error(const struct cell *c, int64_t length, const char *subset,
                               const char *column, char *buffer)
{
    if (strcmp(column, "error_rel") == 0)
        return "0.5";
    return help_figures(c, length, subset, column, buffer);
}

static int count_of(const char *folder, const char *text)
{
    char *bytes = help_read(folder, "all.csv"), *at = bytes;
    int count = 0;
    for (; (at = strstr(at, text)); at += strlen(text))
        count++;
    memory_free(bytes);
    return count;
}

/* Without force the row that is there stays; with it the new one takes its place. */
static void force_replaces(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    struct spec *s = spec_of("t5"), *first = spec_of("alibi");
    char r[HELP_PATH], again[HELP_PATH], before[HELP_PATH];
    struct err e = {0};
    help_folder(folder);
    snprintf(path, sizeof path, "%s/all.csv", folder);
    results_of(before, first, help_figures);
    results_of(r, s, help_figures);
    results_of(again, s, other_error);
    assert_int_equal(report_shared_add(path, before, first, false, &e), 0);
    assert_int_equal(report_shared_add(path, r, s, false, &e), 0);
    assert_int_equal(report_shared_add(path, again, s, false, &e), 0);
    assert_int_equal(count_of(folder, ",0.5,"), 0);
    assert_int_equal(report_shared_add(path, again, s, true, &e), 0);
    assert_int_equal(count_of(folder, ",0.5,"), 18);
    assert_int_equal(rows_once(path), 36); /* and alibi's are untouched */
    help_remove(before);
    help_remove(r);
    help_remove(again);
    spec_close(s);
    spec_close(first);
    help_remove(folder);
}

static const char *all_failed(const struct cell *c, int64_t length, const char *subset,
                              const char *column, char *buffer)
{
    if (strcmp(column, "status") == 0)
        return "failed";
    return strcmp(column, "error_rel") == 0 ? "" : help_figures(c, length, subset, column, buffer);
}

/* A cell that failed in one call and succeeds in the next leaves no trace of the first. */
static void failed_rows_give_way(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    struct spec *s = spec_of("t5");
    char failed[HELP_PATH], ok[HELP_PATH];
    struct err e = {0};
    help_folder(folder);
    snprintf(path, sizeof path, "%s/all.csv", folder);
    results_of(failed, s, all_failed);
    results_of(ok, s, help_figures);
    assert_int_equal(report_shared_add(path, failed, s, false, &e), 0);
    assert_int_equal(count_of(folder, ",failed,"), 18);
    assert_int_equal(report_shared_add(path, ok, s, false, &e), 0);
    assert_int_equal(count_of(folder, ",failed,"), 0);
    assert_int_equal(report_shared_add(path, failed, s, false, &e), 0); /* what is good stays */
    assert_int_equal(count_of(folder, ",failed,"), 0);
    assert_int_equal(rows_once(path), 18);
    help_remove(failed);
    help_remove(ok);
    spec_close(s);
    help_remove(folder);
}

static void only_this_specs_rows(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    struct spec *s = spec_of("t5"), *other = spec_of("alibi");
    struct err e = {0};
    help_folder(folder);
    help_write_all(folder, s, help_figures);
    help_write_all(folder, other, help_figures);
    snprintf(path, sizeof path, "%s/all.csv", folder);
    assert_int_equal(report_shared_add(path, folder, s, false, &e), 0);
    assert_int_equal(rows_once(path), 18);
    assert_int_equal(count_of(folder, ",alibi,"), 0);
    spec_close(s);
    spec_close(other);
    help_remove(folder);
}

/* A file of a program that had fewer columns keeps its rows, and gets the new columns. */
static void older_files_gain_columns(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    struct spec *s = spec_of("t5"), *first = spec_of("alibi");
    char r[HELP_PATH], before[HELP_PATH];
    struct results old;
    struct text rows = {0};
    struct csv c;
    struct err e = {0};
    help_folder(folder);
    snprintf(path, sizeof path, "%s/all.csv", folder);
    results_of(r, s, help_figures);
    results_of(before, first, help_figures);
    help_open(&old, before);
    assert_int_equal(results_csv(&rows, &old, &e), 0);
    results_close(&old);
    help_drop_columns(rows.data, RESULT_COUNT - RESULT_settings); /* settings, axes, and later ones */
    help_write(folder, "all.csv", rows.data);
    assert_int_equal(report_shared_check(path, &e), 0);
    assert_int_equal(report_shared_add(path, r, s, false, &e), 0);
    assert_int_equal(rows_once(path), 36);
    assert_int_equal(csv_read(path, &c, &e), 0);
    assert_int_equal(c.columns, RESULT_COUNT);
    assert_string_equal(c.row[1][RESULT_encoding], "alibi");
    assert_string_equal(c.row[1][RESULT_axes], "");
    assert_string_equal(c.row[36][RESULT_axes], "model.attention=urpe");
    csv_close(&c);
    text_close(&rows);
    help_remove(r);
    help_remove(before);
    spec_close(s);
    spec_close(first);
    help_remove(folder);
}

static void other_headers_are_refused(void **state)
{
    char folder[HELP_PATH], path[HELP_PATH + 16];
    struct err e = {0};
    help_folder(folder);
    snprintf(path, sizeof path, "%s/all.csv", folder);
    assert_int_equal(report_shared_check(path, &e), 0); /* missing */
    help_write(folder, "all.csv", "");
    assert_int_equal(report_shared_check(path, &e), 0);
    help_write(folder, "all.csv", "a,b\n1,2\n");
    assert_int_equal(report_shared_check(path, &e), ERR_USAGE);
    assert_string_equal(e.where, path);
    e = (struct err){0};
    help_write(folder, "all.csv", "a,b\n1\n");
    assert_int_equal(report_shared_check(path, &e), ERR_USAGE);
    e = (struct err){0};
    snprintf(path, sizeof path, "%s/no/all.csv", folder);
    assert_int_equal(report_shared_check(path, &e), ERR_IO);
    e = (struct err){0};
    assert_int_equal(report_shared_check("/dev/null", &e), ERR_USAGE); /* nor what is no file */
    help_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_writers),
        cmocka_unit_test(force_replaces),
        cmocka_unit_test(failed_rows_give_way),
        cmocka_unit_test(only_this_specs_rows),
        cmocka_unit_test(older_files_gain_columns),
        cmocka_unit_test(other_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

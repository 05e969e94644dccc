/* The files that are rebuilt from cells. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/help_report.h"

#define PAIR(seeds) "name: pair\nseeds: " seeds "\n" \
                    "space: {length: 4, channels: 2, inputs: {identical: 0.5}}\n" \
                    "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4}\n" \
                    "grid: {model.attention: [rpe, urpe]}\n"
static const char pair[] = PAIR("3");

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

static void rebuild(const char *folder)
{
    struct err e = {0};
    if (report_rebuild(folder, &e))
        fail_msg("%s: %s", e.where, e.msg);
}

/* Written out by hand, but for the three hashes. */
static void results_csv_is_golden(void **state)
{
    struct spec *s = help_spec("name: one\ntarget: gain\nspace: {length: 4, channels: 2}\n"
                               "model: {attention: rpe, encoding: alibi, layers: 1, heads: 1, "
                               "width: 4, ffn: 8}\n");
    char golden[4096];
    const char *id = spec_cell(s, 0)->id, *hash = spec_hash(s);
    help_write_all(*state, s, help_figures);
    rebuild(*state);
    snprintf(golden, sizeof golden,
             "one,%s,0,gain,alibi,rpe,sequence,4,all,2,,none,1,1,4,8,pre,float,1234,,ok,reached,,"
             "0.01,,,,,,,0,,,,,,,,,,%s," URPE_VERSION ",,,,,,,,,none,,space.length=4,,,,,,,,,,,,,,\n"
             "one,%s,0,gain,alibi,rpe,sequence,4,generic,2,,none,1,1,4,8,pre,float,1234,,ok,"
             "reached,,0.01,,,,,,,0,,,,,,,,,,%s," URPE_VERSION ",,,,,,,,,none,,space.length=4,,,,,,,,,,,,,,\n",
             id, hash, id, hash);
    char *found = help_read(*state, "results.csv");
    assert_string_equal(strchr(found, '\n') + 1, golden);
    memory_free(found);
    spec_close(s);
}

/* The line of summary.csv that has all these fields. */
static double summary_field(const struct csv *c, const char *attention, const char *subset,
                            const char *figure, const char *column)
{
    double value = 0;
    int found = 0;
    for (int k = 1; k < c->rows; k++) {
        if (strcmp(c->row[k][csv_column(c, "attention")], attention) != 0)
            continue;
        if (strcmp(c->row[k][csv_column(c, "subset")], subset) != 0)
            continue;
        if (strcmp(c->row[k][csv_column(c, "figure")], figure) != 0)
            continue;
        found++;
        const char *text = c->row[k][csv_column(c, column)];
        value = NAN; /* of an empty field */
        assert_true(!*text || text_to_double(text, &value));
    }
    if (found != 1)
        fail_msg("%d lines for %s %s %s", found, attention, subset, figure);
    return value;
}

static void expect_near(double found, double expected)
{
    if (!(found - expected < 1e-8 && expected - found < 1e-8))
        fail_msg("%.12g, expected %.12g", found, expected);
}

/* Seeds 0 to 3: rpe on identical inputs 1, 1.1, 1.2, 1.3; everything else 0.01, ... 0.04. */
static void summary_is_what_the_hand_computes(void **state)
{
    struct spec *s = help_spec(PAIR("4"));
    struct csv c;
    struct err e = {0};
    char path[HELP_PATH];
    /* t(0.975, 3) sd / sqrt(4); of logarithms, and of the differences 0.99, 1.08, 1.17, 1.26 */
    const double t = 3.18244630528, step = sqrt(5.0 / 3);
    double value[4] = {1, 1.1, 1.2, 1.3}, mean = 0, square = 0;
    for (int k = 0; k < 4; k++)
        mean += log(value[k]) / 4;
    for (int k = 0; k < 4; k++)
        square += pow(log(value[k]) - mean, 2) / 3;
    help_write_all(*state, s, help_figures);
    rebuild(*state);
    snprintf(path, sizeof path, "%s/summary.csv", (char *)*state);
    assert_int_equal(csv_read(path, &c, &e), 0);
    expect_near(summary_field(&c, "rpe", "identical", "error_rel", "seeds"), 4);
    expect_near(summary_field(&c, "rpe", "identical", "error_rel", "mean"), 1.15);
    expect_near(summary_field(&c, "rpe", "identical", "error_rel", "sd"), 0.1 * step);
    expect_near(summary_field(&c, "rpe", "identical", "error_rel", "least"), 1);
    expect_near(summary_field(&c, "rpe", "identical", "error_rel", "greatest"), 1.3);
    expect_near(log(summary_field(&c, "rpe", "identical", "error_rel", "ci95_low")),
                mean - t * sqrt(square) / 2);
    expect_near(log(summary_field(&c, "rpe", "identical", "error_rel", "ci95_high")),
                mean + t * sqrt(square) / 2);
    expect_near(summary_field(&c, "urpe", "all", "error_rel", "mean"), 0.025);
    /* Paired: the spread of the differences, not of the two groups. */
    expect_near(summary_field(&c, "rpe-urpe", "identical", "error_rel", "mean"), 1.125);
    expect_near(summary_field(&c, "rpe-urpe", "identical", "error_rel", "sd"), 0.09 * step);
    expect_near(summary_field(&c, "rpe-urpe", "identical", "error_rel", "ci95_low"),
                1.125 - t * 0.09 * step / 2);
    expect_near(summary_field(&c, "rpe-urpe", "generic", "error_rel", "mean"), 0);
    csv_close(&c);
    spec_close(s);
}

/* Of three seeds there is a range, and no interval. */
static void summary_of_few_seeds_has_no_interval(void **state)
{
    struct spec *s = help_spec(pair);
    struct csv c;
    struct err e = {0};
    char path[HELP_PATH];
    help_write_all(*state, s, help_figures);
    rebuild(*state);
    snprintf(path, sizeof path, "%s/summary.csv", (char *)*state);
    assert_int_equal(csv_read(path, &c, &e), 0);
    expect_near(summary_field(&c, "rpe", "identical", "error_rel", "greatest"), 1.2);
    assert_true(isnan(summary_field(&c, "rpe", "identical", "error_rel", "ci95_low")));
    assert_true(isnan(summary_field(&c, "rpe-urpe", "identical", "error_rel", "ci95_high")));
    csv_close(&c);
    spec_close(s);
}

/* A diverged cell has no error: it is left out of the mean, and n says so. */
static const char *seed_one_diverged(const struct cell *c, int64_t length, const char *subset,
                                     const char *column, char *buffer)
{
    if (c->task.seed == 1 && strcmp(column, "status") == 0)
        return "diverged";
    if (c->task.seed == 1 && strcmp(column, "error_rel") == 0)
        return "";
    return help_figures(c, length, subset, column, buffer);
}

static void diverged_cells_are_left_out(void **state)
{
    struct spec *s = help_spec(pair);
    struct csv c;
    struct err e = {0};
    char path[HELP_PATH];
    help_write_all(*state, s, seed_one_diverged);
    rebuild(*state);
    snprintf(path, sizeof path, "%s/summary.csv", (char *)*state);
    assert_int_equal(csv_read(path, &c, &e), 0);
    expect_near(summary_field(&c, "urpe", "all", "error_rel", "seeds"), 2);
    expect_near(summary_field(&c, "urpe", "all", "error_rel", "mean"), 0.02); /* 0.01, 0.03 */
    expect_near(summary_field(&c, "rpe-urpe", "all", "error_rel", "seeds"), 2);
    csv_close(&c);
    spec_close(s);
}

static const char *with_accuracy(const struct cell *c, int64_t length, const char *subset,
                                 const char *column, char *buffer)
{
    if (strcmp(column, "accuracy") == 0)
        return c->task.seed == 0 ? "0.9" : "0.75";
    if (strcmp(column, "accuracy_informative") == 0)
        return "0.8";
    return help_figures(c, length, subset, column, buffer);
}

/* Mean 0.8 over three seeds; half of the samples are identical.  With z = 1.959963985,
 * n samples: (0.8 + z^2/2n -+ z sqrt(0.16/n + z^2/4n^2)) / (1 + z^2/n). */
static void accuracies_have_wilson_intervals(void **state)
{
    struct spec *s = help_spec(pair);
    struct csv c;
    struct err e = {0};
    char path[HELP_PATH];
    double n = 3.0 * (double)spec_cell(s, 0)->task.evaluate.samples, z = 1.9599639845400545;
    double middle = (0.8 + z * z / (2 * n)) / (1 + z * z / n);
    double half = z * sqrt(0.16 / n + z * z / (4 * n * n)) / (1 + z * z / n);
    help_write_all(*state, s, with_accuracy);
    rebuild(*state);
    snprintf(path, sizeof path, "%s/summary.csv", (char *)*state);
    assert_int_equal(csv_read(path, &c, &e), 0);
    expect_near(summary_field(&c, "rpe", "all", "accuracy", "samples"), n);
    expect_near(summary_field(&c, "rpe", "all", "accuracy", "wilson95_low"), middle - half);
    expect_near(summary_field(&c, "rpe", "all", "accuracy", "wilson95_high"), middle + half);
    expect_near(summary_field(&c, "rpe", "identical", "accuracy", "samples"), n / 2);
    expect_near(summary_field(&c, "rpe", "all", "accuracy_informative", "samples"), n);
    expect_near(summary_field(&c, "rpe", "all", "accuracy_informative", "wilson95_low"),
                middle - half);
    /* Others have none, and no difference has. */
    assert_true(isnan(summary_field(&c, "rpe", "all", "error_rel", "samples")));
    assert_true(isnan(summary_field(&c, "rpe-urpe", "all", "accuracy", "wilson95_low")));
    csv_close(&c);
    spec_close(s);
}

static void parts_are_gathered(void **state)
{
    struct spec *s = help_spec(pair);
    char name[128];
    struct text golden = {0};
    const char *a = spec_cell(s, 0)->id, *b = spec_cell(s, 1)->id;
    help_write_all(*state, s, help_figures);
    help_write_part(*state, spec_cell(s, 0), FILE_CURVES, "0,,1.5,,\n10,2,0.5,1e-3,3\n");
    help_write_part(*state, spec_cell(s, 1), FILE_CURVES, "0,,1.5,,\n10,2,0."); /* torn */
    snprintf(name, sizeof name, "cells/%s/table.csv", b);
    help_write(*state, name, "layer,head,relation,b,c\n\"\",0,3,0.5,1\n"); /* an older one */
    rebuild(*state);
    char *curves = help_read(*state, "curves.csv"), *tables = help_read(*state, "tables.csv"),
         *positions = help_read(*state, "positions.csv");
    columns_append_header(&golden, column_files[FILE_CURVES].column);
    text_append_format(&golden, "%s,0,,1.5,,\n%s,10,2,0.5,1e-3,3\n", a, a);
    assert_string_equal(curves, golden.data);
    text_clear(&golden);
    columns_append_header(&golden, column_files[FILE_TABLES].column);
    text_append_format(&golden, "%s,,0,3,0.5,1,\n", b);
    assert_string_equal(tables, golden.data);
    text_clear(&golden);
    columns_append_header(&golden, column_files[FILE_POSITIONS].column);
    assert_string_equal(positions, golden.data);
    text_close(&golden);
    memory_free(curves);
    memory_free(tables);
    memory_free(positions);
    spec_close(s);
}

/* The torn curve above is also named. */
static void torn_parts_are_named(void **state)
{
    struct spec *s = help_spec(pair);
    struct results r;
    struct err e = {0};
    help_write_all(*state, s, help_figures);
    help_write_part(*state, spec_cell(s, 0), FILE_CURVES, "0,,1.5,,\n10,2,0.");
    const char *folder = *state;
    help_open(&r, folder);
    assert_int_equal(r.skips, 0);
    results_close(&r);
    assert_int_equal(report_merge(folder, &folder, 1, &r, &e), 0);
    assert_int_equal(r.skips, 1);
    assert_non_null(strstr(r.skipped[0], "cut off"));
    results_close(&r);
    spec_close(s);
}

/* Nothing new: no file is touched, and nothing is left behind. */
static void unchanged_files_stay(void **state)
{
    struct spec *s = help_spec(pair);
    struct stat before, after;
    char path[HELP_PATH], **names;
    size_t count;
    struct err e = {0};
    help_write_all(*state, s, help_figures);
    rebuild(*state);
    snprintf(path, sizeof path, "%s/results.csv", (char *)*state);
    assert_int_equal(stat(path, &before), 0);
    rebuild(*state);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(unlink(path), 0);
    help_write(*state, "results.csv", "changed by hand\n");
    rebuild(*state);
    char *found = help_read(*state, "results.csv");
    assert_null(strstr(found, "changed"));
    memory_free(found);
    assert_int_equal(file_list(*state, &names, &count, &e), 0);
    for (size_t k = 0; k < count; k++)
        assert_null(strstr(names[k], ".new"));
    file_free_names(names, count);
    spec_close(s);
}

/* 2,000 cells with three rows each and tables of 31 lines: seconds, not minutes. */
static void many_cells_are_quick(void **state)
{
    struct spec *s = help_spec("name: many\nseeds: 1000\n"
                               "space: {length: 4, channels: 1, inputs: {identical: 0.5}}\n"
                               "target: gain\nmodel: {layers: 1, heads: 1, width: 4, ffn: 4}\n"
                               "grid: {model.attention: [rpe, urpe]}\n");
    struct timespec start, end;
    help_write_spec(*state, s);
    for (int k = 0; k < spec_cells(s); k++) {
        char path[HELP_PATH];
        struct text rows = {0};
        /* Not through help_write, whose fsync would be most of the test. */
        snprintf(path, sizeof path, "%s/cells/%s", (char *)*state, spec_cell(s, k)->id);
        if (k == 0)
            help_write_cell(*state, spec_cell(s, 0), help_figures);
        else
            assert_int_equal(mkdir(path, 0777), 0);
        help_rows(&rows, spec_cell(s, k), help_figures);
        strcat(path, "/row.csv");
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(rows.data, 1, rows.length, f), rows.length);
        fclose(f);
        text_close(&rows);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start); /* no busy machine makes it longer */
    rebuild(*state);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) +
                     (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
    if (seconds > 10)
        fail_msg("2,000 cells took %.1f s of a processor", seconds);
    struct results r;
    help_open(&r, *state);
    assert_int_equal(r.rows, 6000);
    assert_int_equal(r.skips, 0);
    results_close(&r);
    spec_close(s);
}

int main(void)
{
#define ON_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_open, folder_close)
    const struct CMUnitTest tests[] = {
        ON_FOLDER(results_csv_is_golden),       ON_FOLDER(summary_is_what_the_hand_computes),
        ON_FOLDER(summary_of_few_seeds_has_no_interval),
        ON_FOLDER(diverged_cells_are_left_out),
        ON_FOLDER(accuracies_have_wilson_intervals), ON_FOLDER(parts_are_gathered),
        ON_FOLDER(torn_parts_are_named),        ON_FOLDER(unchanged_files_stay),
        ON_FOLDER(many_cells_are_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

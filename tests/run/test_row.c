/* The rows of a trained cell: no network is below its floor, and a diverged one keeps its row. */
#include <math.h>
#include <stdio.h>

#include "base/csv.h"
#include "base/file.h"
#include "run/help_run.h"

static int execute(const struct cell *c, const char *folder)
{
    struct err e = {0};
    bool diverged;
    struct cell_run r = {.cell = c, .folder = folder, .experiment = "test", .threads = 1,
                         .checkpoint_seconds = 1e9};
    return cell_execute(&r, &diverged, &e);
}

static double number(const struct csv *c, int row, const char *column)
{
    double value = NAN;
    const char *text = c->row[row][csv_column(c, column)];
    if (text[0])
        assert_true(text_to_double(text, &value));
    return value;
}

/* Returns how many rows there are. */
static int check_rows(const char *folder, const char *status)
{
    char path[HELP_PATH];
    struct csv csv;
    assert_int_equal(file_join(path, sizeof path, folder, "row.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    assert_int_equal(csv.columns, RESULT_COUNT);
    for (int r = 1; r < csv.rows; r++) {
        assert_string_equal(csv.row[r][csv_column(&csv, "status")], status);
        assert_string_equal(csv.row[r][csv_column(&csv, "experiment")], "");
        double error = number(&csv, r, "error_rel"), floor = number(&csv, r, "floor_rel");
        assert_true(error >= floor * (1 - 1e-5));
        assert_true(error >= number(&csv, r, "depth_floor_rel") * (1 - 1e-5));
        assert_true(number(&csv, r, "error_sup") >= number(&csv, r, "floor_sup") * (1 - 1e-5));
        assert_true(number(&csv, r, "params") > 0);
    }
    int rows = csv.rows - 1;
    csv_close(&csv);
    return rows;
}

static void errors_stay_above_floors(void **unused)
{
    static const char *const target[] = {"position", "gain", "prefix_sum"};
    static const char *const encoding[] = {"none", "alibi", "toeplitz"};
    for (int k = 0; k < 9; k++) {
        char text[512], root[HELP_PATH];
        snprintf(text, sizeof text,
                 "space: {length: 5, channels: 2, inputs: {identical: 0.3, palindrome: 0.3}}\n"
                 "target: %s\nmodel: {encoding: %s, attention: rpe, layers: 1, heads: 1, width: 8, "
                 "ffn: 8}\ntrain: {steps: 60, batch: 8, lr: 0.01}\n"
                 "evaluate: {samples: 30, orbit: reversal, lengths: [5, 7]}\nseeds: [0]\n",
                 target[k % 3], encoding[k / 3]);
        struct spec *s = help_spec(text);
        help_folder(root);
        assert_int_equal(execute(spec_cell(s, 0), root), 0);
        assert_int_equal(check_rows(root, "ok"), 12); /* (2 lengths and both) x 4 subsets */
        help_remove(root);
        spec_close(s);
    }
}

static void diverged_cell_keeps_its_row(void **unused)
{
    struct csv csv;
    char root[HELP_PATH], path[HELP_PATH];
    struct spec *s = help_spec(
        "space: {length: 4, channels: 1}\ntarget: gain\n"
        "model: {layers: 16, heads: 1, width: 8, ffn: 8, norm: none, activation: relu}\n"
        "train: {steps: 500, batch: 4, lr: 1, warmup: 0, decay: none}\n"
        "evaluate: {samples: 8, every: 100}\nseeds: [0]\n");
    help_folder(root);
    assert_int_equal(execute(spec_cell(s, 0), root), 0);
    assert_true(cell_finished(spec_cell(s, 0), root));
    assert_int_equal(file_join(path, sizeof path, root, "row.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    assert_string_equal(csv.row[1][csv_column(&csv, "status")], "diverged");
    double steps = number(&csv, 1, "steps");
    assert_true(steps >= 1 && steps < 500);
    csv_close(&csv);
    help_remove(root);
    spec_close(s);
}

/* One step that throws the weights away: no further step tells, but the outputs do. */
static void last_step_that_diverges_is_seen(void **unused)
{
    static const char *const polish[] = {"", ", polish: {method: bfgs, steps: 5, samples: 4}"};
    for (int k = 0; k < 2; k++) {
        struct csv csv;
        char root[HELP_PATH], path[HELP_PATH], text[512];
        snprintf(text, sizeof text,
                 "space: {length: 4, channels: 1}\ntarget: gain\n"
                 "model: {layers: 16, heads: 1, width: 8, ffn: 8, norm: none, activation: relu}\n"
                 "train: {steps: 1, batch: 4, lr: 1, table_lr: 10000, warmup: 0%s}\n"
                 "evaluate: {samples: 8}\nseeds: [0]\n", polish[k]);
        struct spec *s = help_spec(text);
        help_folder(root);
        assert_int_equal(execute(spec_cell(s, 0), root), 0);
        assert_int_equal(file_join(path, sizeof path, root, "row.csv", NULL), 0);
        assert_int_equal(csv_read(path, &csv, NULL), 0);
        assert_string_equal(csv.row[1][csv_column(&csv, "status")], "diverged");
        assert_true(number(&csv, 1, "steps") == 1);
        csv_close(&csv);
        help_remove(root);
        spec_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_stay_above_floors),
        cmocka_unit_test(diverged_cell_keeps_its_row),
        cmocka_unit_test(last_step_that_diverges_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

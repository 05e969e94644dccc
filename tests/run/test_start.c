/* Cells that start from a witness or are polished: sizes, errors, training that goes on, and the
 * same bytes after a stop. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "run/help_run.h"

#define CELL                                                                                       \
    "space: {length: 6, channels: 2, inputs: {identical: 0.4}}\n"                                  \
    "target: gain\n"                                                                               \
    "seeds: [1]\n"                                                                                 \
    "evaluate: {samples: 40, every: 5}\n"
#define START "model: {width: 64, init: witness, precision: double}\n"

struct watch {
    int64_t stop_at;
    volatile int stop;
    char note[1024];
};

static void hear_progress(void *context, const struct cell_progress *p)
{
    struct watch *w = context;
    if (w->stop_at >= 0 && p->step >= w->stop_at)
        w->stop = 2;
}

static void hear_note(void *context, const char *text)
{
    struct watch *w = context;
    snprintf(w->note, sizeof w->note, "%s", text);
}

static int execute(const struct cell *c, const char *folder, int64_t stop_at, struct watch *w)
{
    struct err e = {0};
    bool diverged;
    *w = (struct watch){.stop_at = stop_at};
    struct cell_run r = {.cell = c, .folder = folder, .experiment = "test", .threads = 1,
                         .checkpoint_seconds = 1e9, .stop = &w->stop, .progress = hear_progress,
                         .note = hear_note, .context = w};
    int code = cell_execute(&r, &diverged, &e);
    if (code && code != ERR_INTERRUPTED)
        fail_msg("%s: %s", e.where, e.msg);
    return code;
}

static double column(const char *folder, const char *name)
{
    struct csv csv;
    char path[HELP_PATH];
    double value;
    assert_int_equal(file_join(path, sizeof path, folder, "row.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    assert_true(text_to_double(csv.row[1][csv_column(&csv, name)], &value));
    csv_close(&csv);
    return value;
}

/* Runs the only cell of a spec and returns the row's error_sup. */
static double error_of(const char *text, const char *note)
{
    struct watch w;
    char folder[HELP_PATH];
    struct spec *s = help_spec(text);
    help_folder(folder);
    assert_int_equal(execute(spec_cell(s, 0), folder, -1, &w), 0);
    if (!strstr(w.note, note))
        fail_msg("note: %s", w.note);
    double error = column(folder, "error_sup");
    help_remove(folder);
    spec_close(s);
    return error;
}

static void test_no_step_gives_the_witness(void **state)
{
    double with = error_of(CELL START "train: {steps: 0}\n", "starts from the witness: layers 2");
    double without = error_of(CELL "model: {precision: double}\ntrain: {steps: 0}\n", "");
    assert_true(with < 1e-12);
    assert_true(without > 0.1);
}

static void test_small_steps_stay_near(void **state)
{
    double error = error_of(CELL START "train: {steps: 10, batch: 8, lr: 1e-6, warmup: 1}\n",
                            "starts from the witness");
    assert_true(error > 1e-12); /* Adam has moved the weights */
    assert_true(error < 1e-3);
}

static void test_resumed_cell_writes_the_same_bytes(void **state)
{
    struct watch w;
    char root[HELP_PATH], whole[HELP_PATH], parts[HELP_PATH];
    struct spec *s = help_spec(CELL START "train: {steps: 20, batch: 8, lr: 1e-5}\n");
    help_folder(root);
    snprintf(whole, sizeof whole, "%.900s/whole", root);
    snprintf(parts, sizeof parts, "%.900s/parts", root);
    assert_int_equal(file_make_folder(whole, NULL), 0);
    assert_int_equal(file_make_folder(parts, NULL), 0);
    assert_int_equal(execute(spec_cell(s, 0), whole, -1, &w), 0);
    assert_int_equal(execute(spec_cell(s, 0), parts, 10, &w), ERR_INTERRUPTED);
    assert_int_equal(execute(spec_cell(s, 0), parts, -1, &w), 0);
    help_same_cell(whole, parts);
    help_remove(root);
    spec_close(s);
}

/* Stopped while training, then at the last step and so within polishing, which begins again. */
static void test_polished_cell_resumes(void **state)
{
    struct watch w;
    char root[HELP_PATH], whole[HELP_PATH], parts[HELP_PATH];
    struct spec *s = help_spec(CELL "model: {layers: 1, heads: 2, width: 8, ffn: 8}\n"
                               "train: {steps: 20, batch: 8, polish: {method: bfgs, steps: 30, "
                               "samples: 64}}\n");
    struct spec *plain = help_spec(CELL "model: {layers: 1, heads: 2, width: 8, ffn: 8}\n"
                                   "train: {steps: 20, batch: 8}\n");
    help_folder(root);
    snprintf(whole, sizeof whole, "%.900s/whole", root);
    snprintf(parts, sizeof parts, "%.900s/parts", root);
    assert_int_equal(file_make_folder(whole, NULL), 0);
    assert_int_equal(file_make_folder(parts, NULL), 0);
    assert_int_equal(execute(spec_cell(plain, 0), whole, -1, &w), 0);
    double before = column(whole, "train_loss"), error = column(whole, "error_rms");
    assert_int_equal(cell_forget(whole, NULL), 0);
    assert_int_equal(execute(spec_cell(s, 0), whole, -1, &w), 0);
    assert_true(column(whole, "train_loss") < 0.5 * before);
    assert_true(column(whole, "error_rms") < 0.8 * error);
    assert_int_equal(execute(spec_cell(s, 0), parts, 10, &w), ERR_INTERRUPTED);
    assert_int_equal(execute(spec_cell(s, 0), parts, 20, &w), ERR_INTERRUPTED);
    assert_int_equal(execute(spec_cell(s, 0), parts, 20, &w), ERR_INTERRUPTED);
    assert_int_equal(execute(spec_cell(s, 0), parts, -1, &w), 0);
    help_same_cell(whole, parts);
    help_remove(root);
    spec_close(s);
    spec_close(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_polished_cell_resumes),
                                       
        cmocka_unit_test(test_no_step_gives_the_witness),
        cmocka_unit_test(test_small_steps_stay_near),
        cmocka_unit_test(test_resumed_cell_writes_the_same_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

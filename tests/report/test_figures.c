/* Which figures are drawn, of what; scripts only, so that gnuplot need not be there. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "help_report.h"

#define CURVE "step,train_loss,error_rel,lr,grad_norm\n"
#define SPEC(more) \
    "name: f\nseeds: 2\nspace: {length: 2, channels: 1, inputs: {identical: 0.5}}\n" \
    "target: position\nmodel: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8}\n" \
    "train: {steps: 3, batch: 4}\ngrid:\n  model.attention: [rpe, urpe]\n" more

/* Draws all that the spec wants, with no gnuplot on the PATH, and returns what is in `figures`. */
static void draw(const char *folder, struct text *names) {
    struct results r;
    struct err e = {0};
    struct figures f = {.scripts = true};
    char path[4096], place[HELP_PATH + 16], **name;
    size_t count;
    help_open(&r, folder);
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    assert_int_equal(setenv("PATH", folder, 1), 0);
    assert_int_equal(report_figures(folder, &r, &f, &e), 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(f.count, 0);
    report_figures_close(&f);
    snprintf(place, sizeof place, "%s/figures", folder);
    assert_int_equal(file_list(place, &name, &count, &e), 0);
    text_clear(names);
    for (size_t k = 0; k < count; k++) text_append_format(names, "%s ", name[k]);
    file_free_names(name, count);
    results_close(&r);
}

/* The invented figures, and a size that follows the depth. */
static const char *with_params(const struct cell *c, int64_t length, const char *subset,
                               const char *column, char *buffer) {
    if (strcmp(column, "params") != 0) return help_figures(c, length, subset, column, buffer);
    return c->task.model.layers == 1 ? "100" : "200";
}

static void write_cells(const char *folder, const struct spec *s, bool parts) {
    char file[64];
    help_write_all(folder, s, with_params);
    for (int k = 0; parts && k < spec_cells(s); k++) {
        const char *id = spec_cell(s, k)->id;
        snprintf(file, sizeof file, "cells/%s/curve.csv", id);
        help_write(folder, file, k % 2 ? CURVE "0,,4,,\n9,,2,,\n" : CURVE "0,,2,,\n9,,1,,\n");
        snprintf(file, sizeof file, "cells/%s/position.csv", id);
        help_write(folder, file, "position,error_rms,floor_rms\n1,0.5,0.25\n2,0.125,\n");
        snprintf(file, sizeof file, "cells/%s/table.csv", id);
        help_write(folder, file,
                   "layer,head,relation,b,c\n\"\",0,0,7,\n\"\",0,1,8,\n\"\",0,2,9,\n");
    }
}

/* Without curves, positions, tables, and with one size only, there is the floor alone. */
static void absent_data_are_left_out(void **state) {
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(SPEC(""));
    (void)state;
    help_folder(folder);
    write_cells(folder, s, false);
    draw(folder, &names);
    assert_string_equal(names.data, "floor-f.gp ");
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

static void all_that_have_data_are_drawn(void **state) {
    char folder[HELP_PATH];
    struct text names = {0};
    struct spec *s = help_spec(SPEC("  model.layers: [1, 2]\n"));
    (void)state;
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    assert_string_equal(names.data,
                        "curves-f.gp floor-f.gp params-f.gp positions-f.gp tables-f.gp ");
    char *curves = help_read(folder, "figures/curves-f.gp");
    /* Two seeds, 2 and 4 at the start, 1 and 2 at the end: mean, smallest, largest. */
    assert_non_null(strstr(curves, "EOD\n 0 3 2 4\n 9 1.5 1 2\nEOD"));
    assert_non_null(strstr(curves, "n = 2, 2 seeds (0, 1)"));
    assert_non_null(strstr(curves, "band: smallest to largest seed"));
    char *positions = help_read(folder, "figures/positions-f.gp");
    assert_non_null(strstr(positions, "$floor_0 << EOD\n 1 0.25\nEOD"));
    char *tables = help_read(folder, "figures/tables-f.gp");
    assert_non_null(strstr(tables, "<< EOD\n-1 7\n0 8\n1 9\nEOD")); /* j - i; no C was there */
    assert_non_null(strstr(tables, "'B: "));
    assert_null(strstr(tables, "'C: "));
    /* Floor 1 at both sizes, for RPE on identical inputs alone. */
    char *params = help_read(folder, "figures/params-f.gp");
    assert_non_null(strstr(params, "$floor_0 << EOD\n 100 1\n 200 1\nEOD"));
    assert_non_null(strstr(params, "95 % t interval"));
    memory_free(params);
    memory_free(curves);
    memory_free(positions);
    memory_free(tables);
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

static void a_spec_chooses(void **state) {
    char folder[HELP_PATH];
    struct text names = {0};
    struct err e = {0};
    struct spec *s = help_spec(SPEC("figures: [curves]\n"));
    (void)state;
    assert_int_equal(report_figures_check(s, &e), 0);
    help_folder(folder);
    write_cells(folder, s, true);
    draw(folder, &names);
    assert_string_equal(names.data, "curves-f.gp ");
    text_close(&names);
    spec_close(s);
    help_remove(folder);
}

static void names_are_checked(void **state) {
    struct err e = {0};
    struct spec *s = help_spec(SPEC("figures: [floor, curvs]\n"));
    (void)state;
    assert_int_equal(report_figures_check(s, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "did you mean curves?"));
    assert_non_null(strstr(e.msg, "positions"));
    spec_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_data_are_left_out),
        cmocka_unit_test(all_that_have_data_are_drawn),
        cmocka_unit_test(a_spec_chooses),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

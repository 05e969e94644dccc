/* gnuplot and what is said to it: results of strangers run nothing, and one failed figure costs no
 * other. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/help_report.h"

#define SPEC(more) \
    "name: f\nseeds: 2\nspace: {length: 2, channels: 1, inputs: {identical: 0.5}}\n" \
    "target: position\nmodel: {encoding: toeplitz, layers: 1, heads: 1, width: 8, ffn: 8}\n" \
    "train: {steps: 3, batch: 4}\ngrid:\n  model.attention: [rpe, urpe]\n" more
#define ONE_CELL \
    "name: f\nseeds: 1\nspace: {length: 1, channels: 1}\ntarget: position\n" \
    "model: {encoding: toeplitz, layers: 1, heads: 2, width: 8, ffn: 8}\n" \
    "train: {steps: 3, batch: 4}\n"

/* The invented figures, and a size that follows the depth. */
static const char *with_params(const struct cell *c, int64_t length, const char *subset,
                               const char *column, char *buffer)
{
    if (strcmp(column, "params") != 0)
        return help_figures(c, length, subset, column, buffer);
    return c->task.model.layers == 1 ? "100" : "200";
}

/* Draws with the gnuplot that is installed, or with a program of that name in `program`. */
static void draw_pictures(const char *folder, const char *program, struct figures *f)
{
    struct results r;
    struct err e = {0};
    char path[4096], first[4096 + HELP_PATH];
    *f = (struct figures){.png = !program};
    help_open(&r, folder);
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    snprintf(first, sizeof first, "%s%s%s", program ? program : "", program ? ":" : "", path);
    assert_int_equal(setenv("PATH", first, 1), 0);
    assert_int_equal(report_figures(folder, &r, f, &e), 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    results_close(&r);
}

static void need_gnuplot(void)
{
    if (system("gnuplot --version >/dev/null 2>&1") != 0)
        skip();
}

/* Fields of a table that gnuplot would run, or that are no relation: refused, with the field. */
static void tables_are_numbers(void **state)
{
    static const struct {
        const char *row, *said;
    } bad[] = {{"\"\",\"0' . system(\"\"touch PWNED\"\") . '\",0,1,,\n", "row 2: head \"0' . system("},
               {"\"0`touch PWNED`\",0,0,1,,\n", "row 2: layer"},
               {"1,0,0,1,,\n", "row 2: layer \"1\""}, /* the model has one */
               {"\"\",-1,0,1,,\n", "row 2: head \"-1\""},
               {"\"\",0,1e300,1,,\n", "row 2: relation \"1e300\""},
               {"\"\",0,99999999999999999999,1,,\n", "row 2: relation"},
               {"\"\",0,7,1,,\n", "row 2: relation \"7\""},
               {"\"\",0,2,1,,\n", "row 2: relation \"2\""}, /* behind 0 comes 1 */
               {"\"\",0,,1,,\n", "row 2: relation \"\""},
               {"\"\",0,1,1,,\n", NULL}};
    need_gnuplot();
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        char folder[HELP_PATH], rows[256];
        struct figures f;
        struct spec *s = help_spec(ONE_CELL "figures: [tables, matrices]\n");
        help_folder(folder);
        help_write_all(folder, s, help_figures);
        snprintf(rows, sizeof rows, "\"\",0,0,1,,\n%s", bad[k].row);
        help_write_part(folder, spec_cell(s, 0), FILE_TABLES, rows);
        assert_int_equal(chdir(folder), 0);
        draw_pictures(folder, NULL, &f);
        assert_false(file_exists("PWNED"));
        if (bad[k].said) {
            assert_int_equal(f.count, 0);
            assert_int_equal(f.failed, 2);
            assert_non_null(strstr(f.failures.data, bad[k].said));
        } else {
            assert_int_equal(f.count, 1); /* two relations are no matrix of one position */
            assert_non_null(strstr(f.failures.data, "table.csv has 2 relations; 1 were expected"));
        }
        report_figures_close(&f);
        spec_close(s);
        assert_int_equal(chdir("/"), 0);
        help_remove(folder);
    }
}

/* Names that gnuplot would run or expand, had it seen them. */
static void names_of_folders_are_inert(void **state)
{
    static const char *const name[] = {"|touch PWNED;#", "<touch PWNED;#", "~", "-", "'`touch PWNED`",
                                       "%d\n\"$(touch PWNED)\""};
    need_gnuplot();
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        char folder[HELP_PATH], picture[HELP_PATH];
        struct figures f;
        struct err e = {0};
        struct spec *s = help_spec(SPEC("figures: [floor, pairs]\n"));
        help_folder(folder);
        assert_int_equal(chdir(folder), 0);
        assert_int_equal(file_make_folder(name[k], &e), 0);
        help_write_all(name[k], s, with_params);
        draw_pictures(name[k], NULL, &f);
        assert_int_equal(f.failed, 0);
        assert_int_equal(f.count, 2);
        assert_false(file_exists("PWNED"));
        snprintf(picture, sizeof picture, "%s/figures/pairs-f.png", name[k]);
        assert_true(file_exists(picture));
        report_figures_close(&f);
        spec_close(s);
        assert_int_equal(chdir("/"), 0);
        help_remove(folder);
    }
}

/* A Lua expression is in the labels as it was written, in full, if in lines. */
static void expressions_are_drawn(void **state)
{
    static const char expression[] = "x[i][c] % 2 + (\"%d\" == '`touch PWNED`' and 1 or 0) + #\"{/Bold @ARG1 $0}\"";
    char folder[HELP_PATH], yaml[1024];
    struct figures f;
    need_gnuplot();
    help_folder(folder);
    snprintf(yaml, sizeof yaml,
             "name: f\nspace: {length: 2, channels: 1}\nfigures: [floor, params, pairs]\n"
             "model: {encoding: toeplitz, heads: 1, width: 8, ffn: 8}\ngrid:\n"
             "  target:\n    - position\n    - kind: lua\n      y: |-\n        %s\n"
             "  model.layers: [1, 2]\n  model.attention: [rpe, urpe]\n",
             expression);
    struct spec *s = help_spec(yaml);
    assert_int_equal(chdir(folder), 0);
    help_write_all(folder, s, with_params);
    draw_pictures(folder, NULL, &f);
    assert_int_equal(f.failed, 0);
    assert_int_equal(f.count, 3);
    assert_false(file_exists("PWNED"));
    char *floor = help_read(folder, "figures/floor-f.svg");
    for (const char *word = expression; *word; word += strcspn(word, " ") + (strchr(word, ' ') != NULL)) {
        char part[64];
        snprintf(part, sizeof part, "%.*s", (int)strcspn(word, " "), word);
        assert_non_null(strstr(floor, part));
    }
    memory_free(floor);
    report_figures_close(&f);
    spec_close(s);
    assert_int_equal(chdir("/"), 0);
    help_remove(folder);
}

/* A program that plays gnuplot: `body` sees the script on its standard input. */
static void write_gnuplot(const char *folder, const char *body)
{
    char path[HELP_PATH + 16], script[512];
    snprintf(script, sizeof script, "#!/bin/sh\n%s\n", body);
    help_write(folder, "gnuplot", script);
    snprintf(path, sizeof path, "%s/gnuplot", folder);
    assert_int_equal(chmod(path, 0755), 0);
}

/* A torn picture, as of a full disk, and a script that fails: the old one stays, the others are
 * drawn, and both are said. */
static void a_failed_figure_stops_no_other(void **state)
{
    char folder[HELP_PATH];
    struct figures f;
    struct spec *s = help_spec(SPEC("  model.layers: [1, 2]\nfigures: [floor, pairs, depth, params]\n"));
    help_folder(folder);
    help_write_all(folder, s, with_params);
    write_gnuplot(folder, "echo '<svg>old</svg>'");
    draw_pictures(folder, folder, &f);
    assert_int_equal(f.count, 4);
    report_figures_close(&f);
    write_gnuplot(folder, "script=$(cat)\ncase $script in\n*floor-f*) echo '<svg>torn';;\n"
                          "*depth-f*) printf '\\nplot 1\\n     ^\\nline 1: no such plot\\n\\n' >&2; exit 1;;\n"
                          "*) echo '<svg>new</svg>';;\nesac");
    draw_pictures(folder, folder, &f);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.failed, 2);
    assert_non_null(strstr(f.failures.data, "figure floor-f: gnuplot: it wrote no whole picture"));
    assert_non_null(strstr(f.failures.data, "figure depth-f: gnuplot: failed: line 1: no such plot"));
    static const char *const drawn[][2] = {
        {"floor", "old"}, {"pairs", "new"}, {"depth", "old"}, {"params", "new"}};
    for (int k = 0; k < 4; k++) {
        char file[64];
        snprintf(file, sizeof file, "figures/%s-f.svg", drawn[k][0]);
        char *picture = help_read(folder, file);
        assert_non_null(strstr(picture, drawn[k][1]));
        memory_free(picture);
    }
    report_figures_close(&f);
    spec_close(s);
    help_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_numbers),
        cmocka_unit_test(names_of_folders_are_inert),
        cmocka_unit_test(expressions_are_drawn),
        cmocka_unit_test(a_failed_figure_stops_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

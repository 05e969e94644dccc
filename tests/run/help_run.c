#define _XOPEN_SOURCE 700 /* nftw */
#include "run/help_run.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "help_temporary.h"

struct task help_task(const char *target, const char *encoding, int attention, int n, int d)
{
    struct task t = {0};
    option_defaults(space_options, &t.space);
    option_defaults(target_options, &t.target);
    option_defaults(model_options, &t.model);
    option_defaults(train_options, &t.train);
    option_defaults(evaluate_options, &t.evaluate);
    assert_true(option_set_kind(&target_kinds, target, &t.target.kind));
    assert_true(option_set_kind(&encoding_kinds, encoding, &t.model.encoding));
    t.model.attention = attention;
    t.space.length = n;
    t.space.channels = d;
    assert_int_equal(space_finish(&t.space, NULL), 0);
    return t;
}

struct evaluation *help_evaluation(const struct task *t)
{
    struct evaluation *ev;
    struct err e = {0};
    if (evaluation_open(&ev, t, (int)t->space.length, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return ev;
}

struct spec *help_spec(const char *text)
{
    struct spec *s = NULL;
    struct err e = {0};
    if (spec_parse(&s, "test", text, strlen(text), NULL, 0, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return s;
}

void help_folder(char out[HELP_PATH])
{
    help_temporary(out, HELP_PATH, "run-XXXXXX");
    assert_non_null(mkdtemp(out));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    return remove(path);
}

void help_remove(const char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void help_cell_folder(const char *folder, const struct cell *c, char out[HELP_PATH])
{
    snprintf(out, HELP_PATH, "%s/cells/%s", folder, c->id);
    assert_int_equal(file_make_folder(out, NULL), 0);
}

char *help_read(const char *folder, const char *name, size_t *count)
{
    char path[HELP_PATH], *bytes = NULL;
    struct err e = {0};
    assert_int_equal(file_join(path, sizeof path, folder, name, &e), 0);
    if (file_read(path, (size_t)1 << 30, &bytes, count, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return bytes;
}

void help_write(const char *folder, const char *name, const char *bytes, size_t count)
{
    char path[HELP_PATH];
    assert_int_equal(file_join(path, sizeof path, folder, name, NULL), 0);
    assert_int_equal(file_write(path, bytes, count, NULL), 0);
}

char *help_read_rows(const char *folder, const char *name)
{
    char path[HELP_PATH];
    struct csv csv;
    struct text t = {0};
    struct err e = {0};
    assert_int_equal(file_join(path, sizeof path, folder, name, &e), 0);
    if (csv_read(path, &csv, &e))
        fail_msg("%s: %s", e.where, e.msg);
    for (int r = 0; r < csv.rows; r++) {
        for (int c = 0; c < csv.columns; c++) {
            int known = column_index(csv.row[0][c]);
            assert_true(known >= 0);
            csv_field(&t, r && column_table[known].over == OVER_RUNS ? "" : csv.row[r][c]);
        }
        csv_end_row(&t);
    }
    csv_close(&csv);
    assert_int_equal(text_check(&t, NULL), 0);
    return t.data; /* text_append's memory is memory_alloc's */
}

static void same_bytes(const char *a, const char *b, const char *name)
{
    size_t count[2];
    char *x = help_read(a, name, &count[0]), *y = help_read(b, name, &count[1]);
    if (count[0] != count[1] || memcmp(x, y, count[0]))
        fail_msg("%s differs between %s and %s", name, a, b);
    memory_free(x);
    memory_free(y);
}

static void same_rows(const char *a, const char *b, const char *name)
{
    char *x = help_read_rows(a, name), *y = help_read_rows(b, name);
    assert_string_equal(x, y);
    memory_free(x);
    memory_free(y);
}

void help_same_cell(const char *a, const char *b)
{
    static const char *const name[] = {"spec.yaml", "curve.csv", "position.csv", "table.csv",
                                       "weights.safetensors"};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++)
        same_bytes(a, b, name[k]);
    same_rows(a, b, "row.csv");
}

void help_same_results(const struct spec *s, const char *a, const char *b)
{
    char in_a[HELP_PATH], in_b[HELP_PATH];
    for (int k = 0; k < spec_cells(s); k++) {
        help_cell_folder(a, spec_cell(s, k), in_a);
        help_cell_folder(b, spec_cell(s, k), in_b);
        help_same_cell(in_a, in_b);
    }
    same_rows(a, b, "results.csv");
    same_bytes(a, b, "curves.csv");
    same_bytes(a, b, "positions.csv");
    same_bytes(a, b, "tables.csv");
}

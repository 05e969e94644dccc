/* Results folders made by tests. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "report/help_report.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "help_temporary.h"

void help_folder(char out[HELP_PATH])
{
    help_temporary(out, HELP_PATH, "report-XXXXXX");
    assert_non_null(mkdtemp(out));
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *at)
{
    return remove(path);
}

void help_remove(const char *folder)
{
    assert_int_equal(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void must(int code, const struct err *e)
{
    if (code)
        fail_msg("%s: %s", e->where, e->msg);
}

struct spec *help_spec(const char *text)
{
    struct err e = {0};
    struct spec *s = NULL;
    must(spec_parse(&s, "test.yaml", text, strlen(text), NULL, 0, &e), &e);
    return s;
}

void help_write_part(const char *folder, const struct cell *c, int file, const char *rows)
{
    char name[128];
    struct text bytes = {0};
    columns_append_header(&bytes, column_files[file].own);
    text_append(&bytes, rows);
    snprintf(name, sizeof name, "cells/%s/%s", c->id, column_files[file].part);
    help_write(folder, name, bytes.data);
    text_close(&bytes);
}

void help_write(const char *folder, const char *name, const char *bytes)
{
    struct err e = {0};
    char path[HELP_PATH];
    must(file_join(path, sizeof path, folder, name, &e), &e);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    must(file_make_folder(path, &e), &e);
    *slash = '/';
    must(file_write(path, bytes, strlen(bytes), &e), &e);
}

char *help_read(const char *folder, const char *name)
{
    struct err e = {0};
    char path[HELP_PATH], *bytes = NULL;
    size_t count;
    must(file_join(path, sizeof path, folder, name, &e), &e);
    must(file_read(path, 1 << 28, &bytes, &count, &e), &e);
    return bytes;
}

void help_write_spec(const char *folder, const struct spec *s)
{
    struct err e = {0};
    struct text t = {0};
    char name[128];
    must(spec_text(s, &t, &e), &e);
    snprintf(name, sizeof name, "specs/%s.yaml", spec_hash(s));
    help_write(folder, name, t.data);
    text_close(&t);
}

static void append_row(struct text *out, const struct cell *c, int64_t length, const char *subset,
                       help_value value)
{
    struct text own = {0};
    for (const struct column *k = column_table; k->name; k++) {
        char buffer[64];
        const char *text = value(c, length, subset, k->name, buffer);
        text_clear(&own);
        if (k == &column_table[RESULT_length])
            text_append_format(&own, "%lld", (long long)length);
        else if (k == &column_table[RESULT_subset])
            text_append(&own, subset);
        else
            column_of_cell(k, c, &own);
        csv_field(out, text ? text : own.data ? own.data : "");
    }
    csv_end_row(out);
    text_close(&own);
}

static void append_length(struct text *out, const struct cell *c, int64_t length,
                          help_value value)
{
    append_row(out, c, length, "all", value);
    for (int k = 0; pattern_table[k]; k++)
        if (c->task.space.share[k] > 0)
            append_row(out, c, length, pattern_table[k]->name, value);
}

void help_rows(struct text *out, const struct cell *c, help_value value)
{
    columns_append_header(out, column_table);
    append_length(out, c, c->task.space.length, value);
    for (int k = 0; k < c->task.evaluate.lengths.count; k++)
        if (c->task.evaluate.lengths.value[k] != c->task.space.length)
            append_length(out, c, c->task.evaluate.lengths.value[k], value);
    assert_false(out->failed);
}

void help_drop_columns(char *rows, int columns)
{
    char *to = rows;
    for (const char *from = rows; *from;) {
        const char *end = strchr(from, '\n'), *last = end;
        for (int left = columns; left > 0; left -= *last == ',')
            last--;
        memmove(to, from, (size_t)(last - from));
        to += last - from;
        *to++ = '\n';
        from = end + 1;
    }
    *to = '\0';
}

void help_write_cell(const char *folder, const struct cell *c, help_value value)
{
    struct text t = {0};
    char name[128];
    help_rows(&t, c, value);
    snprintf(name, sizeof name, "cells/%s/row.csv", c->id);
    help_write(folder, name, t.data);
    text_close(&t);
}

void help_write_all(const char *folder, const struct spec *s, help_value value)
{
    help_write_spec(folder, s);
    for (int k = 0; k < spec_cells(s); k++)
        help_write_cell(folder, spec_cell(s, k), value);
}

void help_open(struct results *r, const char *folder)
{
    struct err e = {0};
    must(results_open(r, &folder, 1, &e), &e);
}

void help_report_open(struct help_report *h, const char *yaml, help_value value)
{
    help_report_open_behind(h, yaml, value, 0);
}

void help_report_open_behind(struct help_report *h, const char *yaml, help_value value, int first)
{
    struct err e = {0};
    h->spec = help_spec(yaml);
    help_folder(h->folder);
    help_write_spec(h->folder, h->spec);
    for (int k = first; k < spec_cells(h->spec); k++)
        help_write_cell(h->folder, spec_cell(h->spec, k), value);
    must(report_rebuild(h->folder, &e), &e);
    help_open(&h->results, h->folder);
}

void help_report_close(struct help_report *h)
{
    results_close(&h->results);
    help_remove(h->folder);
    spec_close(h->spec);
}

char *help_table(const struct spec *s, const struct results *r, int width)
{
    return help_table_on(s, r, &(struct report_screen){.width = width});
}

char *help_table_on(const struct spec *s, const struct results *r,
                    const struct report_screen *screen)
{
    struct err e = {0};
    FILE *f = tmpfile();
    assert_non_null(f);
    must(report_table(f, s, r, screen, &e), &e);
    size_t size = (size_t)ftell(f);
    char *text = memory_alloc(size + 1, 1, &e);
    rewind(f);
    assert_int_equal(fread(text, 1, size, f), size);
    fclose(f);
    return text;
}

const char *help_figures(const struct cell *c, int64_t length, const char *subset,
                         const char *column, char *buffer)
{
    bool bound = c->task.model.attention == MODEL_RPE && strcmp(subset, "identical") == 0;
    double seed = (double)c->task.seed;
    if (strcmp(column, "status") == 0)
        return "ok";
    if (strcmp(column, "verdict") == 0)
        return bound ? "impossible" : "reached";
    if (strcmp(column, "params") == 0)
        return "1234";
    if (strcmp(column, "floor_rel") == 0)
        return bound ? "1" : "0";
    if (strcmp(column, "witness") == 0)
        return c->task.model.attention == MODEL_URPE ? "known" : "none";
    if (strcmp(column, "witness_rel") == 0 && c->task.model.attention == MODEL_URPE)
        return "1e-7";
    if (strcmp(column, "error_rel") != 0)
        return NULL;
    return text_from_double(buffer, bound ? 1 + seed / 10 : (seed + 1) / 100, 9);
}

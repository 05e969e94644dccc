/* What a cell's folder says without opening the cell: which it is, finished, failed, to be done
 * again. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "report/results.h"
#include "run/evaluate.h"
#include "run/run.h"

int cell_folder(const char *results, const struct cell *c, char out[RUN_PATH], struct err *e)
{
    char cells[RUN_PATH];
    int code = file_join(cells, sizeof cells, results, "cells", e);
    return code ? code : file_join(out, RUN_PATH, cells, c->id, e);
}

int cell_try_lock(const char *folder, struct file_lock *lock, bool *held, struct err *e)
{
    char path[RUN_PATH];
    int code = file_join(path, sizeof path, folder, "lock", e);
    return code ? code : file_try_lock(lock, path, held, e);
}

/* A header of fewer columns is an older program's: the cell is trained again, which fills the new
 * ones, unless they are a report's to fill. */
static bool has_own_columns(const struct csv *c)
{
    int k = c->columns;
    while (k < RESULT_COUNT && column_table[k].from == FROM_REPORT)
        k++;
    return k == RESULT_COUNT;
}

bool cell_finished(const struct cell *c, const char *folder)
{
    struct csv rows;
    bool failed;
    if (cell_rows_read(folder, c, &rows, &failed, NULL))
        return false;
    bool finished = !failed && has_own_columns(&rows);
    csv_close(&rows);
    return finished;
}

/* RESULTS/specs of RESULTS/cells/ID; false: it is no such folder. */
static bool specs_beside(const char *folder, char out[RUN_PATH])
{
    static const char cells[] = "/cells";
    const char *id = strrchr(folder, '/');
    size_t length = id ? (size_t)(id - folder) : 0;
    if (length < strlen(cells) || strncmp(id - strlen(cells), cells, strlen(cells)) != 0)
        return false;
    return snprintf(out, RUN_PATH, "%.*s/specs", (int)(length - strlen(cells)), folder) < RUN_PATH;
}

int cell_write_spec(const struct cell *c, const char *folder, const char *experiment,
                    struct err *e)
{
    struct text t = {0};
    char specs[RUN_PATH];
    int code = spec_cell_copy_files(c, folder, specs_beside(folder, specs) ? specs : NULL, e);
    if (!code)
        code = spec_cell_text(c, experiment, &t, e);
    if (!code)
        code = file_write_text(folder, "spec.yaml", &t, e);
    text_close(&t);
    return code;
}

int cell_write_failed(const struct cell *c, const char *folder, struct err *e)
{
    struct text t = {0};
    row_append_header(&t);
    row_append_failed(&t, c);
    int code = file_write_text(folder, "row.csv", &t, e);
    text_close(&t);
    return code;
}

int cell_forget(const char *folder, struct err *e)
{
    static const char *const name[] = {"row.csv", "checkpoint"};
    for (int k = 0; k < 2; k++) {
        char path[RUN_PATH];
        int code = file_join(path, sizeof path, folder, name[k], e);
        if (!code)
            code = file_remove(path, e);
        if (code)
            return code;
    }
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------*/
void row_clear(struct record *r) { columns_clear(column_table, r); }

void row_append_header(struct text *t) { columns_append_header(t, column_table); }

void row_append(struct text *t, const struct cell *c, const struct record *r)
{
    columns_append(t, column_table, r, c, trainer_api_of(c->task.model.precision)->digits);
}

void row_append_failed(struct text *t, const struct cell *c)
{
    struct record r;
    row_clear(&r);
    r.status = "failed";
    r.length = c->task.space.length;
    r.subset = "all";
    row_append(t, c, &r);
}

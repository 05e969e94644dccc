/* What a cell's folder says without opening the cell: finished, failed, to be done again. */
#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "run/evaluate.h"

enum { PATH_SIZE = 4096 };

/* Every row must be of this cell and not `failed`. */
static bool rows_finished(const struct csv *c, const char *id)
{
    int cell = csv_column(c, "cell"), status = csv_column(c, "status");
    if (cell < 0 || status < 0 || c->columns != column_count() || c->rows < 2)
        return false;
    for (int r = 1; r < c->rows; r++)
        if (strcmp(c->row[r][cell], id) || !strcmp(c->row[r][status], "failed"))
            return false;
    return true;
}

bool cell_finished(const struct cell *c, const char *folder)
{
    char path[PATH_SIZE];
    struct csv csv;
    if (file_join(path, sizeof path, folder, "row.csv", NULL) || !file_exists(path))
        return false;
    if (csv_read(path, &csv, NULL))
        return false;
    bool finished = rows_finished(&csv, c->id);
    csv_close(&csv);
    return finished;
}

int cell_write_failed(const struct cell *c, const char *folder, struct err *e)
{
    struct text t = {0};
    char path[PATH_SIZE];
    struct row_facts facts = {.status = "failed", .steps = -1, .train_loss = NAN, .seconds = NAN,
                              .tokens_per_second = NAN, .peak_mib = NAN};
    row_append_header(&t);
    row_append(&t, c, (int)c->task.space.length, "all", NULL, &facts);
    int code = text_check(&t, e);
    if (!code)
        code = file_join(path, sizeof path, folder, "row.csv", e);
    if (!code)
        code = file_write(path, t.data, t.length, e);
    text_close(&t);
    return code;
}

int cell_forget(const char *folder, struct err *e)
{
    static const char *const name[] = {"row.csv", "checkpoint"};
    for (int k = 0; k < 2; k++) {
        char path[PATH_SIZE];
        int code = file_join(path, sizeof path, folder, name[k], e);
        if (!code)
            code = file_remove(path, e);
        if (code)
            return code;
    }
    return 0;
}

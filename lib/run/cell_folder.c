/* What a cell's folder says without opening the cell: finished, failed, to be done again. */
#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/rows.h"
#include "run/evaluate.h"

enum { PATH_SIZE = 4096, ROWS_BYTES_MAX = 64 << 20 };

/* All that a report asks of a result, and no row `failed`.  A header of fewer columns is an older
 * program's: the cell is trained again, which fills the new ones. */
static bool rows_finished(struct csv *c, const struct cell *cell, bool whole)
{
    int status = csv_column(c, "status");
    if (c->columns != column_count() || cell_rows_check(c, cell, whole))
        return false;
    for (int r = 1; r < c->rows; r++)
        if (!strcmp(c->row[r][status], "failed"))
            return false;
    return true;
}

bool cell_finished(const struct cell *c, const char *folder)
{
    char path[PATH_SIZE], *bytes = NULL;
    size_t count = 0;
    struct csv csv = {0};
    if (file_join(path, sizeof path, folder, "row.csv", NULL) || !file_exists(path))
        return false;
    if (file_read(path, ROWS_BYTES_MAX, &bytes, &count, NULL))
        return false;
    bool whole = count > 0 && bytes[count - 1] == '\n';
    bool finished = !csv_parse(path, bytes, count, &csv, NULL) && rows_finished(&csv, c, whole);
    csv_close(&csv);
    memory_free(bytes);
    return finished;
}

int cell_write_failed(const struct cell *c, const char *folder, struct err *e)
{
    struct text t = {0};
    struct row_facts facts = {.status = "failed", .steps = -1, .train_loss = NAN, .seconds = NAN,
                              .tokens_per_second = NAN, .peak_mib = NAN};
    row_append_header(&t);
    row_append(&t, c, (int)c->task.space.length, "all", NULL, &facts);
    int code = file_write_text(folder, "row.csv", &t, e);
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

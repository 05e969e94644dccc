/* Files of cells.  Invariant: a file that is there but not whole counts as absent. */
#include "report/trace.h"

#include <math.h>

#include "base/file.h"

int trace_open(struct trace_file *t, const struct result_row *row, const char *file,
               const char *x, const char *y, const char *floor, bool *found, struct err *e)
{
    struct err ignored = {0}; /* report_merge has named files that are not whole */
    *t = (struct trace_file){0};
    *found = false;
    if (!row->folder)
        return 0;
    int code = file_join(t->path, sizeof t->path, row->folder, file, e);
    if (code || !file_exists(t->path))
        return code;
    code = csv_read(t->path, &t->csv, &ignored);
    if (code == ERR_MEMORY)
        return err_set(e, code, t->path, "%s", ignored.msg);
    if (code)
        return 0;
    t->x = csv_column(&t->csv, x);
    t->y = csv_column(&t->csv, y);
    t->floor = floor ? csv_column(&t->csv, floor) : -1;
    *found = t->x >= 0 && t->y >= 0 && t->csv.rows > 1;
    if (!*found)
        trace_close(t);
    return 0;
}

void trace_close(struct trace_file *t)
{
    csv_close(&t->csv);
    *t = (struct trace_file){0};
}

double trace_number(const struct trace_file *t, int row, int column)
{
    double value;
    return column >= 0 && text_to_double(t->csv.row[row][column], &value) ? value : NAN;
}

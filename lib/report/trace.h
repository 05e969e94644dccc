/* What a cell keeps in a file of its own (curve.csv, position.csv, table.csv), as numbers. */
#ifndef REPORT_TRACE_H
#define REPORT_TRACE_H
#include "base/csv.h"
#include "base/file.h"
#include "report/report.h"

struct trace_file {
    char path[FILE_PATH_MAX];
    struct csv csv;
    int x, y, floor; /* columns; floor -1: none */
};
/* *found is false when the cell has no such file, or one that is not whole. */
int trace_open(struct trace_file *t, const struct result_row *row, const char *file,
               const char *x, const char *y, const char *floor, bool *found, struct err *e);
void trace_close(struct trace_file *t);
/* NaN when empty; row from 1. */
double trace_number(const struct trace_file *t, int row, int column);

#endif

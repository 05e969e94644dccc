/* Shared by the tests of lib/report: results folders made of a spec and rows that a test invents. */
#ifndef HELP_REPORT_H
#define HELP_REPORT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/report.h"

enum { HELP_PATH = 1024 };

/* A new empty folder below $TMPDIR or /tmp; help_remove deletes it with all that is in it. */
void help_folder(char out[HELP_PATH]);
void help_remove(const char *folder);

/* A spec that must parse. */
struct spec *help_spec(const char *text);
/* Writes folder/specs/<hash>.yaml. */
void help_write_spec(const char *folder, const struct spec *s);

/* The value of a column in a row that the test invents; NULL: what the cell's configuration says,
 * and empty for figures.  buffer (64) may hold the answer. */
typedef const char *(*help_value)(const struct cell *c, int64_t length, const char *subset,
                                  const char *column, char *buffer);
/* row.csv of a cell: all, generic where some inputs are, and each pattern, at each length. */
void help_rows(struct text *out, const struct cell *c, help_value value);
/* Takes the last columns off rows, as a program wrote them that had not heard of these yet; no field
 * in them may hold a comma. */
void help_drop_columns(char *rows, int columns);
void help_write_cell(const char *folder, const struct cell *c, help_value value);
/* All cells of a spec, and the spec. */
void help_write_all(const char *folder, const struct spec *s, help_value value);

/* What a cell's folder has of curves.csv, positions.csv or tables.csv (FILE_CURVES ...): the header and
 * these rows. */
void help_write_part(const char *folder, const struct cell *c, int file, const char *rows);
void help_write(const char *folder, const char *name, const char *bytes);
/* A file's content, NUL-terminated; memory_free. */
char *help_read(const char *folder, const char *name);
/* What a function prints to a stream, as text; memory_free. */
char *help_table(const struct spec *s, const struct results *r, int width);
char *help_table_on(const struct spec *s, const struct results *r,
                    const struct report_screen *screen);
/* A folder that must be readable. */
void help_open(struct results *r, const char *folder);
/* Cells of a spec in a folder of their own, its files rebuilt, and its rows. */
struct help_report {
    struct spec *spec;
    struct results results;
    char folder[HELP_PATH];
};
void help_report_open(struct help_report *h, const char *yaml, help_value value);
/* Without its first cells. */
void help_report_open_behind(struct help_report *h, const char *yaml, help_value value, int first);
void help_report_close(struct help_report *h);

/* Small invented figures: error_rel of rpe on identical inputs 1 + seed / 10 with floor 1, all
 * others (seed + 1) / 100 with floor 0; status ok, verdicts to match. */
const char *help_figures(const struct cell *c, int64_t length, const char *subset,
                         const char *column, char *buffer);

#endif

/* Shared by the tests of lib/run: tasks and specs, folders that go away, and files compared without
 * the columns that vary between two runs. */
#ifndef HELP_RUN_H
#define HELP_RUN_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/evaluate.h"
#include "run/run.h"

enum { HELP_PATH = 1024 };

/* Defaults of every section, with this target, encoding and attention, length n, d channels. */
struct task help_task(const char *target, const char *encoding, int attention, int n, int d);
/* At the training length; must open. */
struct evaluation *help_evaluation(const struct task *t);
/* A spec that must parse. */
struct spec *help_spec(const char *text);

/* A new empty folder below $TMPDIR or /tmp; help_remove deletes it with all that is in it. */
void help_folder(char out[HELP_PATH]);
void help_remove(const char *folder);
/* folder/cells/<id>, made. */
void help_cell_folder(const char *folder, const struct cell *c, char out[HELP_PATH]);

/* The file's bytes, which must be there; memory_free. */
char *help_read(const char *folder, const char *name, size_t *count);
void help_write(const char *folder, const char *name, const char *bytes, size_t count);
/* A table with the columns of results.csv, emptied where two runs may differ; memory_free. */
char *help_read_rows(const char *folder, const char *name);
/* Everything that a finished cell's folder holds is the same, timing aside; fails the test else. */
void help_same_cell(const char *a, const char *b);
/* help_same_cell for every cell, and the folder's own tables. */
void help_same_results(const struct spec *s, const char *a, const char *b);

#endif

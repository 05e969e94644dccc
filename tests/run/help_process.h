/* Runs in processes of their own, for tests that kill them. */
#ifndef HELP_PROCESS_H
#define HELP_PROCESS_H
#include <sys/types.h>

#include "run/help_run.h"

/* Six small cells that take a few hundredths of a second each. */
extern const char help_grid[];
/* Four cells that take long enough to be caught at work. */
extern const char help_slow[];

struct run_options help_options(const char *folder, int jobs);
/* A run that must succeed. */
void help_run(const struct spec *s, const struct run_options *o, struct run_counts *counts);
void help_rest(double seconds);

struct help_outcome { /* in memory that both processes see */
    int code;
    struct run_counts counts;
    struct err err;
    char messages[4096];
};
struct help_outcome *help_outcome_open(void);
void help_outcome_close(struct help_outcome *o);
/* Runs the spec in a process of its own that handles SIGINT and SIGTERM as the program does. */
pid_t help_run_apart(const struct spec *s, struct run_options o, struct help_outcome *out);
/* A process whose parent is `parent`; waits until there is one. */
pid_t help_child(pid_t parent);
/* waitpid that must succeed; the status. */
int help_wait(pid_t pid);
/* How many rows of folder/results.csv have this value in this column. */
int help_rows_with(const char *folder, const char *column, const char *value);

#endif

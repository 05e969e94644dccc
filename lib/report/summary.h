/* Cells that differ in the seed alone, taken together. */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H
#include "report/report.h"
#include "report/stats.h"

/* Rows of one experiment, group of cells, length and subset: one per seed, in the order of rows. */
struct summary_group {
    const struct result_row *const *row; /* (count) */
    int count;
    const struct cell *cell; /* of the first row */
    const struct spec *spec; /* likewise */
    const struct axes *axes; /* of the spec's experiment */
    int64_t length;
    int subset;              /* subset_rank */
};

struct summary {
    struct summary_group *group; /* (groups), in the order of their first rows */
    int groups;
    const struct result_row **row; /* all rows, by group */
};
/* only: rows of this spec's cells; NULL: all. */
int summary_open(struct summary *s, const struct results *r, const struct spec *only,
                 struct err *e);
void summary_close(struct summary *s);
/* How many groups from `first` on are of its experiment; they are neighbours. */
int summary_experiment(const struct summary *s, int first);

/* What a column says that is the same for all seeds: of the first row that has it, else "". */
const char *summary_text(const struct summary_group *g, const char *column);
/* Mean and spread over the seeds of a column, or of 1 - it; rows that are empty there (diverged cells)
 * are left out.  error: as in stats_interval. */
int summary_interval(const struct summary_group *g, const char *column, bool complement, bool error,
                     struct interval *out, struct err *e);

/* Evaluation samples of one seed in the group's subset, images not counted: as the evaluation set
 * is made (train/train.h, samples_evaluation). */
double summary_samples(const struct summary_group *g);

/* summary.csv: a line per group and figure, and behind those of a group whose rows are compared with
 * another's (report/pair.h), lines of the differences within each seed. */
int summary_csv(struct text *out, const struct results *r, struct err *e);

#endif

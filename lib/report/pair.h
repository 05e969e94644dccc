/* Pairs of groups: what is compared in an experiment, and the difference within each seed.
 *
 *   seed              0      1      2
 *   rpe            1.00   1.10   1.20
 *   urpe           0.01   0.02   0.03
 *   rpe - urpe     0.99   1.08   1.17     1.08 -+ t sd / sqrt(3) of these, not of the two lines
 */
#ifndef REPORT_PAIR_H
#define REPORT_PAIR_H
#include "report/summary.h"

/* Two groups of one length and subset that differ in the pair's key alone. */
struct group_pair {
    const struct pair *pair;
    const struct summary_group *side[2]; /* of value[0], of value[1] */
};

struct group_pairs {
    struct pair *pair; /* (pairs) what is compared */
    int pairs;
    struct group_pair *match; /* (count), in the order of side[1], then pair, then side[0] */
    int count;
};
/* What is compared in the experiment that the groups (groups) are of, found from its specs: rpe and
 * urpe; the two values of any other key of the model that has a column for names, where it has two;
 * what claims are about.  Both values are there, if not side by side. */
int group_pairs_open(struct group_pairs *p, const struct summary_group *group, int groups,
                     struct err *e);
/* The same about one pair alone, which must outlive p. */
int group_pairs_find(struct group_pairs *p, const struct pair *pair,
                     const struct summary_group *group, int groups, struct err *e);
void group_pairs_close(struct group_pairs *p);

/* The row of side[0] that has the seed of row k of side[1]; NULL: none has. */
const struct result_row *pair_row(const struct group_pair *p, int k);
/* side[0] - side[1] of a column, over the seeds that have it in both; column NULL: of the error that
 * lines show (line_error_of). */
int pair_difference(const struct group_pair *p, const char *column, struct interval *out,
                    struct err *e);

#endif

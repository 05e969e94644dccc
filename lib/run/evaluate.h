/* Figures of one cell at one evaluated length: errors of what predicts and floors of the class, on
 * the same samples, for the whole set and for each pattern of input.
 * A depth floor is that of networks of exactly the cell's layers.
 *
 * Invariant: an error and its floor share samples, rows and denominator, so error >= floor holds row
 * by row in exact arithmetic, whatever the network of the class.  Floats tell merged rows apart by
 * rounding, and weights can make that large; error >= floor - leak holds for them too: of rms and
 * sup, and for labels cross_entropy >= cross_entropy_floor - 2 leak_sup. */
#ifndef RUN_EVALUATE_H
#define RUN_EVALUATE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "run/network.h"
#include "spec/spec.h"
#include "train/train.h"

struct evaluation;
struct memo;
struct memo_entry;
/* Draws the evaluation set of `length`, merges its rows and computes the floors: everything that
 * does not depend on weights.  `t` must outlive it.  ERR_MEMORY, or what target and space
 * report. */
int evaluation_open(struct evaluation **out, const struct task *t, int length, struct err *e);
/* What a cell is evaluated on: each evaluated length, and where there are several, last of all of them
 * together, which has no shared sets.  Number k of so many. */
int evaluation_count(const struct task *t);
int evaluation_open_number(struct evaluation **out, const struct task *t, int k, struct err *e);
/* The same for floors alone: images under an orbit that are more than `most` rows are not kept
 * (run/orbits.h), and of samples and groups there are only those without them: it is not whole.  memo: what
 * is known of cells of its class, which must outlive it; NULL: nothing. */
int evaluation_open_floors(struct evaluation **out, const struct task *t, int k, int64_t most,
                           struct memo *memo, struct err *e);
struct memo_entry *evaluation_memo(const struct evaluation *ev); /* NULL: there is none */
bool evaluation_is_whole(const struct evaluation *ev);
void evaluation_close(struct evaluation *ev); /* NULL is fine */

const struct task *evaluation_task(const struct evaluation *ev);
int64_t evaluation_length(const struct evaluation *ev); /* or LENGTH_ALL */
/* Subsets: 0 is all, then generic and each pattern that has samples, in the order of
 * pattern_table; last those of shared_table, each of a set of its own, that the task has. */
enum { SUBSETS_MAX = PATTERN_MAX + 1 + SHARED_KINDS };
int evaluation_subsets(const struct evaluation *ev);
/* Those of evaluation_samples; and the evaluation of those behind them, NULL where there are none. */
int evaluation_own_subsets(const struct evaluation *ev);
struct evaluation *evaluation_further(const struct evaluation *ev);
/* Index into pattern_table of the pattern that all its samples have; -1: they have several. */
int evaluation_pattern(const struct evaluation *ev, int subset);
const struct samples *evaluation_samples(const struct evaluation *ev); /* shared ones apart */
/* The merged rows: (rows) ids 0..*groups-1, as in floor_merge. */
const int32_t *evaluation_groups(const struct evaluation *ev, int *groups);

/* What the floors of a subset are computed from. */
struct evaluation_part {
    const struct samples *set;
    const int32_t *group; /* (rows) of that set, 0 .. groups-1 */
    int groups;
    const unsigned char *mask;        /* (rows) not 0 in the subset; NULL: everywhere */
    const unsigned char *informative; /* (rows) likewise; NULL: targets are numbers */
    double deviation; /* root mean square of these about their mean in each channel; 0: they count as
                         constant, and floor_rel is empty */
};
struct evaluation_part evaluation_part(const struct evaluation *ev, int subset);

/* Whether the floor of a subset, or what was shown, settles what can be: it is not 0, or a network is
 * known that does it. */
bool evaluation_proved(const struct evaluation *ev, int subset);
/* Where the floor is 0: some network of the class, or nothing less than one, takes the error on these
 * samples to 0 or as good as that. */
void evaluation_show_possible(struct evaluation *ev, int subset);

/* Length, subset, floors and `proof`; all else is empty, the verdict is "impossible", "too-shallow" or
 * "open".  Cannot fail. */
void evaluation_floors(const struct evaluation *ev, int subset, struct record *out);

/* Floors, and errors of what p predicts; figures (evaluation_subsets) overwritten.  p is taken to be
 * of the task's class: the leak is how far its outputs for merged rows are apart, and
 * accuracy_grouped decides them as one, by their mean logits. */
int evaluation_measure(struct evaluation *ev, struct predictor p, struct record *figures,
                       struct err *e);
/* What a row shows of a witness that was measured on the same subset. */
void evaluation_set_witness(struct record *out, const struct record *witness);
/* Continuous targets: (rows,channels) as last predicted. */
const double *evaluation_outputs(const struct evaluation *ev);

/* What curves show: error_rel of subset all (error_rms where the target is constant there), exactly as
 * evaluation_measure has it; 1 - accuracy for token targets; INFINITY where outputs are not numbers. */
int evaluation_error(struct evaluation *ev, struct predictor p, double *error, struct err *e);

/* Root mean squares at each position over all samples (subset all): of the error as the last
 * evaluation_measure found it, and of the certified bound's part there (no lower bound for that
 * position alone).  Returns the number of positions, 0 for token targets. */
int evaluation_positions(const struct evaluation *ev);
void evaluation_position(const struct evaluation *ev, int position, double *error_rms,
                         double *floor_rms);

/* Merges the rows of a set of inputs for the task's class of models: group (rows) as in floor_merge.
 * ERR_MEMORY, or what the space reports. */
int evaluation_merge(const struct task *t, const struct samples *s, int32_t *group, int *groups,
                     struct err *e);

/* The same at the cell's depth too, as model_merge_depth. */
int evaluation_merge_depth(const struct task *t, const struct samples *s, struct model_groups *g,
                           struct err *e);

/* ---- rows of results.csv ----------------------------------------------------------------------*/
/* All fields empty. */
void row_clear(struct record *r);
/* The header line of results.csv; a line. */
void row_append_header(struct text *t);
void row_append(struct text *t, const struct cell *c, const struct record *r);
/* The only line of a cell that could not be worked on. */
void row_append_failed(struct text *t, const struct cell *c);

#endif

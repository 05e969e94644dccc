/* The columns of the CSV files.  One line of a list is one column: the record that a line of the file
 * is written from, the header, `list columns`, the tables of columns.md, claims and the summary over seeds all
 * come from it.
 *
 *   X(kind, name, of, scope, over, "meaning")
 *
 *   kind    where the value is, and what `of` says
 *     NAME, SIZE          in the cell, a text or a number; of: the dotted key that it shows
 *     MADE, COUNT         made of the cell by write_NAME (column.c), likewise; of: that key, or NULL
 *     TEXT                in the record; of: all values that it can have, or NULL
 *     WHOLE, REAL         in the record; of: NULL
 *     REPORT              in no cell's own file, since it depends on the experiment; of: NULL
 *   scope   the rows that have it: COLUMN_CONTINUOUS ...
 *   over    what becomes of it over the seeds of a group: OVER_MEAN ...
 *
 * Invariant: the order is the file's and never changes; new columns come last. */
#ifndef SPEC_COLUMN_H
#define SPEC_COLUMN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "train/train.h"

/* What the cells of all seeds of a group share: summary.csv has it, too. */
#define GROUP_COLUMNS(X) \
    X(NAME, target, "target.kind", ALL, SAME, "function to express") \
    X(NAME, encoding, "model.encoding.kind", ALL, SAME, "positional encoding (B)") \
    X(NAME, attention, "model.attention", ALL, SAME, "rpe or urpe") \
    X(NAME, space, "space.kind", ALL, SAME, "what positions are to each other") \
    X(WHOLE, length, NULL, ALL, SAME, "evaluated length, tokens; all: all evaluated lengths together") \
    X(TEXT, subset, NULL, ALL, SAME, "all, generic, a pattern of space.inputs, lookahead or beyond") \
    X(SIZE, channels, "space.channels", CONTINUOUS, SAME, \
      "channels of continuous inputs and outputs") \
    X(COUNT, vocab, "target.vocab", TOKENS, SAME, "symbols of token targets") \
    X(NAME, mask, "model.mask.kind", ALL, SAME, "which keys a query sees") \
    X(SIZE, layers, "model.layers", ALL, SAME, "depth") \
    X(SIZE, heads, "model.heads", ALL, SAME, "attention heads of a layer") \
    X(SIZE, width, "model.width", ALL, SAME, "size of the hidden states") \
    X(SIZE, ffn, "model.ffn", ALL, SAME, "hidden size of the feed-forward network") \
    X(NAME, norm, "model.norm", ALL, SAME, "none, pre, post, both or branch") \
    X(NAME, precision, "model.precision", ALL, SAME, "float or double") \
    X(WHOLE, params, NULL, ALL, SAME, "number of parameters")

#define RESULT_COLUMNS(X) \
    X(TEXT, experiment, NULL, ALL, NONE, "name of the spec") \
    X(MADE, cell, NULL, ALL, NONE, "id of the cell: hash of what can change its numbers") \
    X(SIZE, seed, "seed", ALL, NONE, "seed of the cell") \
    GROUP_COLUMNS(X) \
    X(WHOLE, steps, NULL, ALL, NONE, "training steps done") \
    X(TEXT, status, status_names, ALL, NONE, "ok, diverged or failed; scored: predictions from elsewhere") \
    X(TEXT, verdict, verdict_names, ALL, NONE, \
      "impossible: floor above tolerance; too-shallow: depth floor above tolerance; by-rounding: so " \
      "it is in exact arithmetic, but this network's error is below that floor; reached: error within " \
      "tolerance; not-reached; not-of-class: predictions that no network of the class makes, of which the " \
      "floors say nothing") \
    X(REAL, error_rms, NULL, CONTINUOUS, PAIRED, "root mean square error") \
    X(REAL, error_rel, NULL, CONTINUOUS, PAIRED, \
      "error_rms over the target's rms about its mean; 1: as bad as a constant") \
    X(REAL, error_sup, NULL, CONTINUOUS, PAIRED, "largest absolute error on the samples") \
    X(REAL, error_worst, NULL, SEARCHED, PAIRED, \
      "largest absolute error that a search over inputs found") \
    X(REAL, accuracy, NULL, TOKENS, SHARE, "share of positions with the right label") \
    X(REAL, accuracy_informative, NULL, TOKENS, SHARE, \
      "the same over positions whose label carries information") \
    X(REAL, cross_entropy, NULL, TOKENS, PAIRED, "mean cross-entropy, nats") \
    X(REAL, floor_rms, NULL, CONTINUOUS, MEAN, \
      "certified lower bound of error_rms on the same samples, in exact arithmetic") \
    X(REAL, floor_rel, NULL, CONTINUOUS, MEAN, "certified lower bound of error_rel") \
    X(REAL, floor_sup, NULL, CONTINUOUS, MEAN, "certified lower bound of error_sup") \
    X(REAL, floor_worst, NULL, SEARCHED, MEAN, "certified lower bound of error_worst") \
    X(REAL, accuracy_ceiling, NULL, TOKENS, MEAN, "certified upper bound of accuracy") \
    X(REAL, cross_entropy_floor, NULL, TOKENS, MEAN, \
      "certified lower bound of cross_entropy, nats") \
    X(REAL, gap_rel, NULL, CONTINUOUS, MEAN, "error_rel - floor_rel") \
    X(REAL, train_loss, NULL, ALL, PAIRED, "loss of the last step") \
    X(REAL, seconds, NULL, ALL, RUNS, "training time, s") \
    X(REAL, tokens_per_second, NULL, ALL, RUNS, "training speed") \
    X(REAL, peak_mib, NULL, ALL, RUNS, "peak memory of the worker, MiB") \
    X(TEXT, spec_hash, NULL, ALL, NONE, "hash of the resolved spec") \
    X(MADE, version, NULL, ALL, NONE, "version of the program") \
    X(TEXT, cpu, NULL, ALL, RUNS, "processor") \
    X(TEXT, blas, NULL, ALL, RUNS, "BLAS library") \
    X(WHOLE, threads, NULL, ALL, RUNS, "threads of the worker") \
    X(REAL, witness_rms, NULL, CONTINUOUS, NONE, \
      "error_rms of explicit weights on the same samples") \
    X(REAL, witness_rel, NULL, CONTINUOUS, NONE, "error_rel of explicit weights") \
    X(REAL, witness_sup, NULL, CONTINUOUS, NONE, "error_sup of explicit weights") \
    X(REAL, witness_accuracy, NULL, TOKENS, NONE, "accuracy of explicit weights") \
    X(REAL, bits_per_byte, NULL, BYTES, PAIRED, "cross_entropy in bits, of target text") \
    X(TEXT, witness, witness_names, ALL, NONE, \
      "explicit weights: known, none, or left-out (more work than the training)") \
    X(REAL, informative_ceiling, NULL, TOKENS, MEAN, \
      "certified upper bound of accuracy_informative") \
    X(MADE, settings, NULL, ALL, NONE, \
      "key=value; ...: what is set otherwise than the defaults, or varies within the experiment, and " \
      "has no column") \
    X(REPORT, axes, NULL, ALL, NONE, \
      "key=value ...: what varies within the experiment, defaults included, but the seed; a value " \
      "with blanks is quoted as in a shell") \
    X(REAL, leak_rms, NULL, CONTINUOUS, MEAN, \
      "outputs about their mean over pairs that are equal in exact arithmetic, root mean square; " \
      "error_rms >= floor_rms - leak_rms for every network") \
    X(REAL, leak_sup, NULL, ALL, MEAN, \
      "half the largest spread of an output, or logit, over such pairs; error_sup >= floor_sup - " \
      "leak_sup, cross_entropy >= cross_entropy_floor - 2 leak_sup") \
    X(REAL, accuracy_grouped, NULL, TOKENS, SHARE, \
      "accuracy where such pairs are decided as one, by their mean logits; never above " \
      "accuracy_ceiling") \
    X(TEXT, proof, proof_names, ALL, NONE, \
      "what the class can: impossible: floor above tolerance; bounded: a smaller floor, not 0; " \
      "possible: floor 0, and a network of the class is known that does it (explicit weights, random " \
      "ones that tell all groups apart, or the trained ones); open: floor 0, and nothing is shown") \
    X(REAL, depth_floor_rms, NULL, CONTINUOUS, MEAN, \
      "floor_rms of networks of exactly so many layers") \
    X(REAL, depth_floor_rel, NULL, CONTINUOUS, MEAN, "floor_rel of such networks") \
    X(REAL, depth_floor_sup, NULL, CONTINUOUS, MEAN, "floor_sup of such networks") \
    X(REAL, depth_accuracy_ceiling, NULL, TOKENS, MEAN, "accuracy_ceiling of such networks") \
    X(REAL, depth_cross_entropy_floor, NULL, TOKENS, MEAN, \
      "cross_entropy_floor of such networks, nats") \
    X(REAL, lipschitz_floor, NULL, CONTINUOUS, MEAN, \
      "near inputs: certified lower bound of the steepness of any network with this error_sup: change " \
      "of an output per largest change of a token") \
    X(REAL, lipschitz_found, NULL, CONTINUOUS, MEAN, \
      "near inputs: the steepness of this network between them and the inputs of equal tokens in their " \
      "middle; its Lipschitz constant is at least that") \
    X(MADE, declared, NULL, ALL, NONE, \
      "key=value: what floors rest on that the spec declares and that was tried, not proved; mostly empty") \
    X(REAL, lipschitz_weights, NULL, CONTINUOUS, MEAN, \
      "near inputs: upper bound of this network's Lipschitz constant from norms of its weights; with " \
      "model.norm: none, and softmax of q.k and a bias by relation")

/* summary.csv has these before and behind GROUP_COLUMNS. */
#define SUMMARY_HEAD(X) \
    X(TEXT, experiment, NULL, ALL, NONE, "name of the spec") \
    X(TEXT, group, NULL, ALL, NONE, "hash of what the cells of all seeds share")
#define SUMMARY_TAIL(X) \
    X(TEXT, axes, NULL, ALL, NONE, "as in results.csv") \
    X(TEXT, figure, NULL, ALL, NONE, "the column of results.csv that the line is about") \
    X(WHOLE, seeds, NULL, ALL, NONE, "how many have the figure") \
    X(REAL, mean, NULL, ALL, NONE, "mean over them") \
    X(REAL, sd, NULL, ALL, NONE, "standard deviation over them") \
    X(REAL, ci95_low, NULL, ALL, NONE, \
      "95 % Student-t interval over them, from four seeds on: its lower end") \
    X(REAL, ci95_high, NULL, ALL, NONE, "its upper end") \
    X(REAL, samples, NULL, TOKENS, NONE, "evaluation samples of all seeds, of accuracies") \
    X(REAL, wilson95_low, NULL, TOKENS, NONE, \
      "95 % Wilson interval of an accuracy, the sampling error alone: its lower end") \
    X(REAL, wilson95_high, NULL, TOKENS, NONE, "its upper end") \
    X(TEXT, pair, NULL, ALL, NONE, \
      "KEY=A-B on a line about differences: the figure of A minus that of B within each seed") \
    X(REAL, least, NULL, ALL, NONE, "the least of the seeds' figures") \
    X(REAL, greatest, NULL, ALL, NONE, "the greatest of them") \
    X(TEXT, interval, summary_intervals, ALL, NONE, \
      "what ci95 is about: log, the logarithm of errors, or of 1 - accuracy; t, the figure itself")

#define CURVE_COLUMNS(X) \
    X(REPORT, cell, NULL, ALL, NONE, "as in results.csv") \
    X(WHOLE, step, NULL, ALL, NONE, "training step") \
    X(REAL, train_loss, NULL, ALL, NONE, "loss of that step") \
    X(REAL, error_rel, NULL, ALL, NONE, \
      "error_rel of all inputs at the training length; of token targets 1 - accuracy; of constant " \
      "ones error_rms") \
    X(REAL, lr, NULL, ALL, NONE, "learning rate of that step") \
    X(REAL, grad_norm, NULL, ALL, NONE, "norm of its gradient")

#define POSITION_COLUMNS(X) \
    X(REPORT, cell, NULL, CONTINUOUS, NONE, "as in results.csv") \
    X(WHOLE, position, NULL, CONTINUOUS, NONE, "from 1") \
    X(REAL, error_rms, NULL, CONTINUOUS, NONE, \
      "root mean square error there, of all inputs at the training length") \
    X(REAL, floor_rms, NULL, CONTINUOUS, NONE, \
      "the certified bound's part there; it bounds all positions together, not each")

#define TABLE_COLUMNS(X) \
    X(REPORT, cell, NULL, ALL, NONE, "as in results.csv") \
    X(WHOLE, layer, NULL, ALL, NONE, "from 0; empty where layers share the table") \
    X(WHOLE, head, NULL, ALL, NONE, "from 0") \
    X(WHOLE, relation, NULL, ALL, NONE, \
      "of query i and key j: j - i + n - 1 on a sequence, (dy + height - 1)(2 width - 1) + dx + " \
      "width - 1 on a grid, steps from i to j on a graph (last: no path)") \
    X(REAL, b, NULL, ALL, NONE, "learned B, added to the logits") \
    X(REAL, c, NULL, ALL, NONE, "learned C, multiplied into the attention") \
    X(WHOLE, offset, NULL, ALL, NONE, "j - i, on a sequence")

/* ---- records ----------------------------------------------------------------------------------*/
#define FIELD_NAME(name)
#define FIELD_SIZE(name)
#define FIELD_MADE(name)
#define FIELD_COUNT(name)
#define FIELD_REPORT(name)
#define FIELD_TEXT(name) const char *name;
#define FIELD_WHOLE(name) int64_t name;
#define FIELD_REAL(name) double name;
#define COLUMN_FIELD(kind, name, of, scope, over, help) FIELD_##kind(name)
#define TEXT_FIELD(kind, name, of, scope, over, help) const char *name;

/* What a line is written from.  NULL, COLUMN_EMPTY and NaN are empty fields; columns_clear makes
 * all of a record so. */
struct record { /* of results.csv: errors and floors of a cell at one length, on one subset */
    RESULT_COLUMNS(COLUMN_FIELD)
};
struct summary_record {
    SUMMARY_HEAD(COLUMN_FIELD) GROUP_COLUMNS(TEXT_FIELD) SUMMARY_TAIL(COLUMN_FIELD)
};
struct curve_record {
    CURVE_COLUMNS(COLUMN_FIELD)
};
struct position_record {
    POSITION_COLUMNS(COLUMN_FIELD)
};
struct table_record {
    TABLE_COLUMNS(COLUMN_FIELD)
};
#define COLUMN_EMPTY INT64_MIN
#define LENGTH_ALL INT64_MAX /* of rows about all evaluated lengths together, "all" */
/* A length as files and people have it; 0: it is none. */
const char *length_text(char out[TEXT_NUMBER_MAX], int64_t length);
int64_t length_of_text(const char *text);

/* ---- tables -----------------------------------------------------------------------------------*/
/* Rows that have a value there; it is empty in all others. */
enum column_scope {
    COLUMN_ALL,
    COLUMN_CONTINUOUS, /* targets of numbers */
    COLUMN_SEARCHED,   /* of these, with a search for the worst case */
    COLUMN_TOKENS,
    COLUMN_BYTES       /* tokens that are the bytes of a text */
};
extern const char *const column_scope_names[]; /* for people, by enum column_scope */

/* What becomes of it over the seeds of a group, in summary.csv. */
enum column_over {
    OVER_NONE,
    OVER_SAME,   /* the same in all of them: the column is there, too */
    OVER_MEAN,   /* mean, deviation, range, interval */
    OVER_PAIRED, /* these, and those of differences within a seed (report/pair.h) */
    OVER_SHARE,  /* these, and a sampling error: it is a share of samples */
    OVER_RUNS    /* nothing: it differs even between two runs of one cell */
};
extern const char *const column_over_names[]; /* for people, by enum column_over */

struct cell;
enum column_from { FROM_CELL, FROM_MADE, FROM_REPORT, FROM_TEXT, FROM_WHOLE, FROM_REAL };
struct column {
    const char *name, *help;
    enum column_scope scope;
    enum column_over over;
    enum column_from from;
    bool number;
    const char *key;          /* the spec key whose value it shows, or NULL */
    const char *const *names; /* all values that it can have, NULL-terminated, or NULL */
    size_t offset;            /* in the record */
    void (*write)(struct text *out, const struct cell *c);
};

#define COLUMN_ID(kind, name, of, scope, over, help) RESULT_##name,
enum { RESULT_COLUMNS(COLUMN_ID) RESULT_COUNT }; /* places in column_table */
extern const struct column column_table[];       /* of results.csv; ended by a NULL name */
int column_index(const char *name);              /* in column_table; -1: no such column */

enum { FILE_RESULTS, FILE_SUMMARY, FILE_CURVES, FILE_POSITIONS, FILE_TABLES, FILE_COUNT };
struct column_file {
    const char *name, *help;
    const struct column *column; /* ended by a NULL name */
    const char *part;            /* what a cell's folder has of it, or NULL */
    const struct column *own;    /* the columns of that */
};
extern const struct column_file column_files[]; /* by FILE_RESULTS ... */

/* Appends what the column says of a cell whatever comes of it; false: who knows before. */
bool column_of_cell(const struct column *c, const struct cell *cell, struct text *out);
/* All fields of a record empty. */
void columns_clear(const struct column *column, void *record);
/* A line of a file: the names, or the values.  cell: NULL where no column is of a cell.  digits:
 * significant ones of real numbers. */
void columns_append_header(struct text *out, const struct column *column);
void columns_append(struct text *out, const struct column *column, const void *record,
                    const struct cell *cell, int digits);

#endif

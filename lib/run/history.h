/* What a cell remembers beside its network: the curve so far, the last step's figures and the time
 * spent.  It travels in the checkpoint's extra bytes.
 *
 * Invariant: points are in the order of their steps, each step once, so that a cell which was
 * killed and resumed writes the same curve as one that was not. */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "run/network.h"
#include "spec/column.h"

struct history {
    double seconds;       /* spent on the cell before this process */
    double train_seconds; /* spent in steps, this process included */
    double loss, rate, gradient_norm; /* of the last step; NaN before the first */
    struct curve_record *point; /* (points); NaN: not known, before the first step */
    int64_t points;
};

void history_open(struct history *h);
void history_close(struct history *h);
/* Adds a point with the last step's figures, unless the last point is of the same step. */
int history_add(struct history *h, int64_t step, double error, struct err *e);
/* Whether the curve already has this step. */
bool history_has(const struct history *h, int64_t step);
/* curve.csv. */
void history_csv(const struct history *h, int digits, struct text *out);

/* Writes the trainer's state and h, atomically; `seconds` replaces h->seconds in the file. */
int checkpoint_write(const char *path, const struct network *x, const char *stamp,
                     const struct history *h, double seconds, struct err *e);
/* Reads both.  On failure *x and *h are in no defined state: the caller opens them again.
 * ERR_FORMAT for a file that is damaged, of another cell, program or machine. */
int checkpoint_read(const char *path, size_t limit, struct network *x, const char *stamp,
                    struct history *h, struct err *e);

#endif

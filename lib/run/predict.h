/* A trained cell on the user's own inputs. */
#ifndef RUN_PREDICT_H
#define RUN_PREDICT_H
#include "base/err.h"

/* folder: a cell's (spec.yaml and weights.safetensors).  input: safetensors with tensor `x`,
 * [batch,n,channels] in the model's precision, or I32 or I64 [batch,n] of symbol ids for token
 * targets.  `lengths`, I32 or I64 [batch], on sequences: how many of its n positions each sample has;
 * what is behind them is padding, which nothing looks at, and zero in `y` and `weights`.
 * `position_ids`, I32 or I64 [n] or [batch,n], on sequences: at which places of a line they stand, ascending;
 * cells of random positions want them.  Spaces whose samples have layouts of their own also want theirs, on graphs as `edges`,
 * I32 or I64 [edges,2] for all samples or [batch,edges,2], filled up with -1.
 * attention: NULL, or safetensors with `weights` [batch,layers,heads,n,n], what the values are weighted
 * by, C included, and `row_sums` [batch,layers,heads,n]; n counts what model.prefix puts in front.
 * output: safetensors with tensor `y`, [batch,n,channels] or logits [batch,n,labels], without n under model.pool, in the model's
 * precision, written atomically.  Call after kernel_open's fork rule is met: not before a fork. */
int predict_cell(const char *folder, const char *input, const char *output, const char *attention,
                 struct err *e);

#endif

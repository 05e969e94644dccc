/* Predictions that were made elsewhere, judged as a cell of a spec is. */
#ifndef RUN_SCORE_H
#define RUN_SCORE_H
#include "base/err.h"
#include "base/pool.h"
#include "base/text.h"
#include "spec/spec.h"

/* What tells that a model is not of the cell's class: rows that every network of the class maps to
 * one output, and the predictions do not.  A pair is a row and the first of its group; outputs differ
 * where a number or logit of theirs does by more than `tolerance`, which rounding stays below: 1e-4 of
 * the largest number of F32 predictions, 1e-8 of F64. */
struct score_finding {
    int64_t length;           /* of the set that it was found in, or LENGTH_ALL */
    int64_t pairs, apart;     /* that the class merges; that the predictions tell apart */
    int sample[2], position[2]; /* of the pair that is furthest apart, from 0 */
    double difference, tolerance;
    struct text tokens;       /* of the two positions: symbols, or numbers in brackets */
};
void score_finding_close(struct score_finding *f);

/* path: safetensors with `y`, F32 or F64 [N,n,d'] or logits [N,n,labels], without n where a sample has
 * one output, in the order of samples_write's inputs of the training length; for other evaluated
 * lengths `y.LENGTH`.  Appends to rows the lines of results.csv of each length that has predictions,
 * and of all together where each has, but not of sets of images, status "scored", verdict "not-of-class"
 * where pairs are told apart at any of these lengths; finding: the worst over them, to be closed by the
 * caller.  ERR_FORMAT says which tensor is wrong, or which number is not finite. */
int score_cell(const struct spec *s, const struct cell *c, struct pool *pool, const char *path,
               struct text *rows, struct score_finding *finding, struct err *e);

#endif

/* What a target is, found out by evaluating it on the trained layout, never by its name.
 *
 * Each question answers with a description that has then been compared with the target on fresh
 * inputs (random ones, identical tokens, corners of the cube), so what merely looks alike on the
 * inputs that the description came from is refused. */
#ifndef WITNESS_PROBE_H
#define WITNESS_PROBE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "mask/mask.h"
#include "target/target.h"

enum { PROBE_KNOTS_MAX = 8 };

struct probe {
    const struct target_config *config;
    const struct target *target;
    const struct layout *layout;
    int n, d; /* d channels; 0: tokens */
    void *state;
    struct arena arena;
    struct err *err;
    int code; /* the first failure of an evaluation */
};
/* Everything pointed to must outlive p, and e too: evaluations that fail report there. */
int probe_open(struct probe *p, const struct target_config *c, const struct space_config *s,
               const struct layout *l, struct err *e);
void probe_close(struct probe *p);

/* Answers live in p's arena.  Each returns whether the target is of that form; false too when
 * p->code is set.  Continuous targets: */

/* y_i = w_i x_i + b_i: w (n,d,d), b (n,d). */
struct probe_affine {
    double *w, *b;
    bool constant; /* all w_i are 0 */
    bool uniform;  /* w_i and b_i are the same at every position */
};
bool probe_affine(struct probe *p, struct probe_affine *out);

/* y_i = f_i(x_i) channel by channel, f_i continuous and piecewise linear on [0,1]:
 * f(t) = start + slope t + sum_m bend_m relu(t - knot_m), for each of (n,d). */
struct probe_piece {
    double start, slope, knot[PROBE_KNOTS_MAX], bend[PROBE_KNOTS_MAX];
    double low, high; /* of f */
    int knots;
};
bool probe_pieces(struct probe *p, struct probe_piece **out);

/* y_i = sum_j k_ij x_j, the same in every channel: k (n,n). */
bool probe_linear(struct probe *p, double **k);
/* k_ij = row[i] * kernel[relation(i,j)] for the pairs that the mask lets be seen, and 0 for the
 * others: row (n), kernel (relations). */
bool probe_factors(struct probe *p, const double *k, const struct kind_config *mask, double **row,
                   double **kernel);
/* Rows of k are unit vectors or zero: source (n), -1 where zero. */
bool probe_sources(struct probe *p, const double *k, int **source);

/* y_i = max of x_j over i - window < j <= i, j >= 0, on a line. */
bool probe_window(struct probe *p, int *window);

/* Token targets: the label at i is the symbol at source[i]; where source[i] is -1 it is label[i],
 * whatever the input. */
bool probe_labels(struct probe *p, int **source, int32_t **label);

#endif

/* How steep a network must be, and is, near inputs on which the class cannot tell positions apart.
 *
 * d(X, Z) = max_j |x_j - z_j|, Euclidean.  Let each output of a network change by at most K d(X, Z).  Where
 * positions i and j of Z merge, f_i(Z) = f_j(Z), and so
 *     |y_i - y_j| - 2 error_sup <= |f_i(X) - f_j(X)| <= 2 K d(X, Z).
 * Derived here; Z is the input all of whose tokens are the middle of the box around X's.  It is what the
 * pattern `near` was made from, or nearer, and any Z is as sound. */
#ifndef RUN_STEEP_H
#define RUN_STEEP_H
#include "run/network.h"

struct steep;
/* For the samples of pattern `near`, which `set` has (else *out is NULL); set must outlive it. */
int steep_open(struct steep **out, const struct task *t, const struct samples *set, struct err *e);
void steep_close(struct steep *s); /* NULL is fine */
/* The least K of a network with this error_sup; 0 where any does. */
double steep_floor(const struct steep *s, double error_sup);
/* The largest |f(X) - f(Z)| / d(X, Z) of p, whose outputs (rows,channels) for the whole set are y: K is at
 * least that. */
int steep_found(const struct steep *s, struct predictor p, const double *y, double *found,
                struct err *e);

#endif

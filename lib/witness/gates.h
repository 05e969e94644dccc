/* Positions inside a construction: a signal, gates that are 0 at one position each, and what can be
 * switched with them.
 *
 *   signal   v_i, a number that differs between positions and is the same for every input
 *   gate k   u_k = relu(a (v - v_k) - 1/2) + relu(a (v_k - v) - 1/2), a = 1 / smallest gap, or 2 where
 *            gaps are hardly more than v's rounding:
 *            exactly 0 at position k whatever v's rounding, at least 1/2 at every other
 *   switch   relu(z - 2 M u_k) with M >= z: z at position k, 0 elsewhere (z >= 0) */
#ifndef WITNESS_GATES_H
#define WITNESS_GATES_H
#include "witness/construct.h"

struct gates {
    int signal;      /* register of v */
    double *v;       /* (n) its values */
    bool close;      /* gaps may be hardly more than their rounding */
    int u;           /* first of n registers */
};

/* Where v comes from: the current layer's attention through C, or the encoding's own vectors.
 * CONSTRUCT_UNKNOWN where neither tells positions apart. */
int gates_signal(struct construct *c, struct gates *g);
/* Units of the current layer that fill u from the signal. */
void gates_fill(struct construct *c, struct gates *g);
/* Both. */
int gates_open(struct construct *c, struct gates *g);
/* A unit of the current layer that is 1 at position k and 0 elsewhere. */
int gates_indicator(struct construct *c, const struct gates *g, int k);
/* A unit relu(... - 2 bound u_k), to be given its inputs z, 0 <= z at k, z <= bound anywhere. */
int gates_switch(struct construct *c, const struct gates *g, int k, double bound);

/* Position by position an affine map: to_m = sum_k w[i][m][k] from_k + b[i][m], in the current
 * layer; from (in) registers, to (out).  w (n,out,in), b (n,out); low, high (n,in) bound what the
 * registers hold.  offset (out): what to add to `to` afterwards (at the head). */
struct gates_map {
    int from, to, in, out;
    const double *w, *b, *low, *high;
};
void gates_affine(struct construct *c, const struct gates *g, const struct gates_map *m,
                  double *offset);

#endif

/* One attention layer under the microscope: a model of one layer whose parameters are set by hand
 * and whose attention matrix is read off through the model's own code.
 * Invariant: nothing of the forward pass is written again here; attention entries are row sums
 * under a C that is 1 at one relation and 0 elsewhere. */
#ifndef WITNESS_TRIAL_H
#define WITNESS_TRIAL_H
#include "base/random.h"
#include "model/model.h"

struct trial {
    struct arena arena;
    struct model model;
    struct model_state state;
    struct workspace *workspace;
    struct batch batch; /* one sample of the trained layout */
    int first[2];
    const struct layout *layout;
    int n, heads;
    real *p, *x;    /* parameters; input (n, TRIAL_CHANNELS) */
    double *sums;   /* (heads,n) scratch */
    double *stream; /* (3,n,width) scratch, width at least TRIAL_CHANNELS: hidden, queries, keys */
    real *unit;     /* (2,n,width) scratch: queries, keys */
};

enum { TRIAL_CHANNELS = 3 };

/* A layer as m has them, without norms.  To read attention off, the layout must have each relation at
 * most once in a row, as sequences and grids do.  Released with trial_close, also after a failure. */
int trial_open(struct trial *pr, const struct model_config *m, const struct layout *trained,
               struct err *e);
void trial_close(struct trial *pr);

/* Parameters: all as initialised, then moved by normal noise: tables by deviation 1, matrices by
 * 1 / sqrt(columns), vectors by 0.3, so that nothing stays at its special first value. */
void trial_draw_parameters(struct trial *pr, struct stream *random);
/* Input uniform on [0,1], or one such token at every position. */
void trial_draw_input(struct trial *pr, struct stream *random, bool identical);

/* The block of tensor `index` of model.tensors; *count: its elements. */
real *trial_tensor(struct trial *pr, int index, size_t *count);
/* Sets all of the encoding's own tensors to 0. */
void trial_clear_encoding(struct trial *pr);
/* Sets the query and key maps to 0 but for channel `only` of every head (-1: all of them). */
void trial_clear_query_key(struct trial *pr, int only);

/* Sets the query and key weights to 0 and leaves the biases: every position has the same query, and the
 * same key. */
void trial_clear_query_key_weights(struct trial *pr);

/* How much the encoding changes channel c of queries and keys in place: the largest change of any
 * entry, over all positions, of the unit vector of that channel. */
double trial_channel_change(struct trial *pr, int c);

/* sums (heads,n): A_U 1, for the parameters and input as they are. */
void trial_sums(struct trial *pr, double *sums);
/* attention (heads,n,n): softmax(...) without C, 0 where the mask hides.  The trial must be of a
 * class with toeplitz C, which is left at 1. */
void trial_attention(struct trial *pr, double *attention);

/* Largest |A - plain| of the first `heads` heads for a random input, infinite where A is no number;
 * a, plain (heads,n,n) are scratch for all heads. */
double trial_distance(struct trial *pr, struct stream *random, int heads, double *a,
                      double *plain);

#endif

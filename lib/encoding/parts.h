/* Pieces that several encodings are made of; private to this folder.  Each is a hook as struct
 * encoding wants it, or what a hook needs, so an entry can name it in its initialiser. */
#ifndef ENCODING_PARTS_H
#define ENCODING_PARTS_H
#include "encoding/encoding.h"

/* ---- facts ------------------------------------------------------------------------------------*/
/* Plain attention: right-stochastic, shift-invariant, scale 1/sqrt(d_h). */
void encoding_facts_plain(const struct kind_config *c, const struct encoding_shape *s,
                          struct encoding_facts *out);
/* The same, with a state (heads, relations of the layout) that is added to the logits. */
void encoding_facts_bias(const struct kind_config *c, const struct encoding_shape *s,
                         struct encoding_facts *out);
/* Plain, but a vector of the position is added to the input. */
void encoding_facts_absolute(const struct kind_config *c, const struct encoding_shape *s,
                             struct encoding_facts *out);
/* A tensor (rows,columns), or (rows) where columns is 0, that starts as normal noise of that
 * deviation, or at 0 where it is 0. */
struct encoding_tensor encoding_normal(const char *name, enum encoding_scope scope, int rows,
                                       int columns, double deviation);
/* Elements of a state (heads, relations of the layout). */
size_t encoding_state_bias(const struct encoding_context *c);
/* Fills it from a table (heads, relations of the trained layout), and back: accumulates. */
void encoding_fill_table(const struct encoding_context *c, const real *table, real *state);
void encoding_fill_table_backward(const struct encoding_context *c, real *dtable);

/* ---- relations for the floor ------------------------------------------------------------------*/
int64_t encoding_relation_one(const struct encoding_context *c, int i, int j);    /* all alike */
int64_t encoding_relation_pair(const struct encoding_context *c, int i, int j);   /* one each */
int64_t encoding_relation_offset(const struct encoding_context *c, int i, int j); /* not folded;
                                              on a grid, of one size, the relation */
/* Equal where the layout's distance is equal; unreachable is a class of its own. */
int64_t encoding_relation_distance(const struct encoding_context *c, int i, int j);

/* ---- geometry ---------------------------------------------------------------------------------*/
/* Distance of relation r of c->layout; for unreachable ones 1 + the largest distance of the trained
 * layout, which no batch can change. */
double encoding_distance(const struct encoding_context *c, int r);
/* 1 + the largest coordinate on any axis. */
int encoding_positions(const struct layout *l);
/* Keys that row i may see: i + 1 where the mask hides what is behind it, else all. */
static inline int encoding_visible(const struct encoding_context *c, int i)
{
    return c->shape->past ? i + 1 : c->layout->n;
}
static inline int encoding_clip(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}
/* Frequency of channel pair `pair` of `channels` channels: base^(-2 pair / channels). */
double encoding_frequency(double base, int pair, int channels);

/* ---- rotations of channel pairs (RoPE, XPos) --------------------------------------------------*/
/* A head's first 2 * pairs channels, in `axes` groups of equal size, one for each coordinate.  In a
 * group of P pairs, pair k is channels (2k, 2k+1), or (k, k+P) where half is set. */
struct rotation {
    int pairs, axes;
    bool half;
    int row; /* elements of state for one position; the cosines of a position come first, */
    int at;  /* at row offset `at`, its sines `pairs` later */
};
/* x (n, heads * head_width; row stride `stride`) turned in place by the angles in c->state;
 * direction -1 applies the transpose, which is the backward pass. */
void encoding_rotate(const struct encoding_context *c, const struct rotation *r, int direction,
                     real *x, int stride);
/* One position's cosines (pairs) and sines (pairs) of position * frequency. */
void encoding_rotation_row(const struct rotation *r, double base, int position, real *row);
/* What is wrong with a space of `have` coordinate axes for a part that is defined on min to max:
 * "not defined on space.kind: graph, which has 0 coordinate axes (it needs 1 to 2)". */
void axes_explain(int have, int min, int max, char *out, size_t size);

#endif

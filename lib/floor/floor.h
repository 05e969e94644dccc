/* Floors: what no network of a class can beat on a set of samples.
 *
 * Colour refinement (theory as in the README's section "The floor"): pairs (sample, position) start
 * with the colour of their token and are split for as long as some network of the class could tell
 * them apart.  Invariant: pairs that end with equal colour have equal outputs in EVERY network of
 * the class, of any depth and width.  Only exact comparisons are made, so a hash collision cannot
 * make a false certificate. */
#ifndef FLOOR_FLOOR_H
#define FLOOR_FLOOR_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "space/space.h"

/* ---- a class of layers --------------------------------------------------------------------------
 * A layer takes the state of pair p, and for each pair q that p sees q's state and what q is to p,
 * to p's next state.  What all layers of a class promise of that function decides which pairs may
 * merge; nothing else is known here of attention, masks or encodings. */

/* The view of a pair: what two pairs of equal colour must share to stay together.  M counts what a
 * pair sees, by colour and relation class. */
enum floor_view {
    FLOOR_NORMALISED, /* M / |M|: neither order nor a common factor of all counts matters */
    FLOOR_COUNTED,    /* M: order does not matter */
    FLOOR_ORDERED     /* the list of (colour, class), by position */
};

/* What more is known of the weights of a normalised view, by which an average of what each pair seen
 * holds is taken: colour and key[1] say what that is, a pair's *thing*.  l_t, of thing t, is the sum
 * of the weights under which it is seen; rows that have the same l_t up to a factor of the row have
 * equal averages. */
enum floor_weights {
    FLOOR_ANY,      /* nothing */
    FLOOR_PRODUCTS, /* each is a factor of the colour times one of key[0] and key[2], any positive
                       number: equal also where each row sees all its things under the same keys,
                       in the same proportions, and both see the same shares of things */
    FLOOR_POWERS    /* each is a factor of the colour times t^key[0], t > 0: l_t are polynomials in
                       t, which are compared up to a common rational factor */
};

enum { FLOOR_KEY = 3 };
typedef uint64_t floor_key[FLOOR_KEY];

/* The first member of a struct of the caller's, which the functions may cast it to. */
struct floor_class {
    enum floor_view view;
    enum floor_weights weights; /* not FLOOR_ANY: of a normalised, stochastic view */
    bool stochastic; /* where all that is seen has one state and one key[1], the next one depends on
                        these two alone */
    bool relative;   /* `see` reads i and j through layout_relation(l,i,j) alone */
    /* Once for each layout, before `see` is asked about it: *state, in arena a.  NULL: none. */
    int (*open)(const struct floor_class *c, const struct layout *l, struct arena *a, void **state,
                struct err *e);
    /* Whether i sees j.  If so key is what j is to i: two pairs of equal key are treated alike by
     * every layer of the class.  It means the same in all layouts; key[1] does so by itself, and with
     * FLOOR_POWERS key[0] is an exponent, less than the longest layout.  Too fine a key only lowers floors,
     * too coarse a one makes them wrong. */
    bool (*see)(const struct floor_class *c, const struct layout *l, const void *state, int i,
                int j, floor_key key);
    /* What position i has in its first state besides its token.  NULL: nothing. */
    void (*mark)(const struct floor_class *c, const struct layout *l, int i, floor_key key);
};

/* The inputs: count samples packed as in struct batch. */
struct floor_set {
    int count;
    const int *first;                   /* (count+1) */
    const struct layout *const *layout; /* (count) */
    int channels;
    const double *x;                    /* (rows,channels), or */
    const int32_t *token;               /* (rows) */
};

/* group (rows): ids 0..*groups-1 of the merged pairs, in the order of first appearance.  Tokens are
 * equal when all their numbers are (0 and -0 are one).  The cost is about linear in the pairs whose
 * token occurs more than once, times their positions.  ERR_MEMORY. */
int floor_merge(const struct floor_class *c, const struct floor_set *s, int32_t *group,
                int *groups, struct err *e);
/* The same for networks whose layers are each of one of several classes, in any order. */
int floor_merge_classes(const struct floor_class *const *c, int classes, const struct floor_set *s,
                        int32_t *group, int *groups, struct err *e);
/* The same for networks of `layers` layers (at least 1), layer[k] the class of each in its order,
 * often one pointer throughout.  after (layers,rows), after_groups (layers): for every k, the pairs
 * that all networks which are the first k+1 of these layers map to equal outputs; each partition is
 * as fine as the one before or finer.  group, groups: whatever the depth, as floor_merge_classes
 * over the same classes gives it; as fine as the last of `after` or finer. */
int floor_merge_layers(const struct floor_class *const *layer, int layers,
                       const struct floor_set *s, int32_t *after, int *after_groups,
                       int32_t *group, int *groups, struct err *e);
/* floor_merge_classes, and beside it the last partition of floor_merge_layers, at (rows) and
 * *at_groups, of a network whose layer k is of class c[of[k]]. */
int floor_merge_depth(const struct floor_class *const *c, int classes, const int *of, int layers,
                      const struct floor_set *s, int32_t *at, int *at_groups, int32_t *group,
                      int *groups, struct err *e);

/* ---- from groups to floors ----------------------------------------------------------------------
 * Which rows a figure is about: mask (rows) non-zero, or NULL for all; groups are restricted to
 * them.  A figure about no rows is NaN.  Everything is in double and computed about a group's first
 * member, so a group of one, or of equal values, adds exactly 0.  ERR_MEMORY. */
struct floor_errors {
    double mse;      /* sum_G sum_g |y_g - mean_G|^2 / (pairs x channels) */
    double rms, sup; /* sqrt(mse); max over G and channels of (max - min) / 2 */
};
int floor_continuous(const int32_t *group, int groups, int rows, int channels, const double *y,
                     const unsigned char *mask, struct floor_errors *out, struct err *e);
/* share (rows): each row's own part of the mse, |y - mean|^2 / channels, for positions.csv; 0 where
 * the mask is 0.  mse is the mean of share over the rows of the mask. */
int floor_shares(const int32_t *group, int groups, int rows, int channels, const double *y,
                 const unsigned char *mask, double *share, struct err *e);

struct floor_labels {
    double accuracy_ceiling;    /* sum_G (largest number of equal labels) / pairs */
    double informative_ceiling; /* the same over the mask's rows with informative != 0; NULL: all */
    double crossentropy;        /* sum_G |G| x entropy of its labels / pairs, in nats */
};
/* label (rows), not negative. */
int floor_tokens(const int32_t *group, int groups, int rows, const int32_t *label,
                 const unsigned char *mask, const unsigned char *informative,
                 struct floor_labels *out, struct err *e);

#endif

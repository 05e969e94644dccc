/* Positional encodings.  One file each, one line in encoding_table.
 *
 * Invariant: the model knows an encoding only through the hooks and facts below, and an encoding
 * knows the space only through struct layout.  A NULL hook does nothing.
 *
 *   once a step      prepare    tables, projections -> state, for the longest layout of the batch
 *   per sample       input      x_i += ...
 *                    query_key  q, k changed in place (rotations)
 *                    content    numbers of each position, from the layer's input
 *   per block        logits     s_ij += ... for R whole query rows of one sample and head
 *                    value      o_i += sum_j p_ij ..., p = A or A * C
 *
 * The backward hooks run in the opposite order.  Lanes of one step run at the same time: each has
 * its own `gradient` and `dstate`; `parameter` and `state` are shared and read only. */
#ifndef ENCODING_ENCODING_H
#define ENCODING_ENCODING_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/real.h"
#include "base/tensor.h"
#include "space/space.h"

enum { ENCODING_TENSORS_MAX = 8 };

/* What an encoding is built for. */
struct encoding_shape {
    int width, heads, head_width; /* width = heads * head_width */
    bool past;                    /* the mask hides every key behind the query (mask/mask.h) */
    const struct layout *trained; /* tables are sized by it */
};

enum encoding_scope {
    ENCODING_MODEL, /* one for the whole model, always */
    ENCODING_TABLE, /* one for all layers, or one per layer, as model.share says */
    ENCODING_LAYER  /* one per layer, always */
};

struct encoding_tensor {
    struct tensor tensor; /* name without the "encoding." prefix */
    enum encoding_scope scope;
};

/* What theory and model need to know beside the hooks. */
struct encoding_facts {
    bool right_stochastic; /* acts before the softmax only, so attention rows sum to 1 */
    bool absolute;         /* adds a vector of the position to the input (see mark) */
    bool per_sample;       /* the floor's relation is a class of its own in each sample (CoPE) */
    bool relation_bias;    /* logits get state[h * relations + relation(i,j)] and nothing else: the
                              model reads it there and accumulates dstate; logits hooks are NULL */
    bool silent;           /* the logits hooks do nothing */
    bool powers;           /* with relation_bias: on a line the bias is a multiple of |i - j| */
    bool shift_invariant;  /* logits depend on positions through relation(i,j) alone */
    double scale;          /* of q.k in the logits, 1/sqrt(d_h) for most */
};

/* The tensors, state and layout that a hook works on. */
struct encoding_context {
    const struct kind_config *config;
    const struct encoding_shape *shape;
    const struct layout *layout; /* prepare: the batch's longest; other hooks: the sample's */
    const int32_t *fold;         /* (relations of the longest layout) row of a trained table */
    int layer;
    void *code;                  /* what open made; NULL: nothing */
    const real *parameter[ENCODING_TENSORS_MAX]; /* in the order of `tensors` */
    real *gradient[ENCODING_TENSORS_MAX];        /* accumulated; NULL in a forward pass */
    const real *state;                           /* what prepare wrote */
    real *dstate;                                /* accumulated; NULL in a forward pass */
};

/* Query rows first .. first+rows-1 of one head of one sample against its n keys. */
struct encoding_block {
    int head, first, rows;
    const real *q, *k; /* this head's columns of row 0, after query_key; row stride `stride` */
    real *dq, *dk;     /* likewise, accumulated; NULL in a forward pass */
    int stride;
    const real *content; /* of the sample (n,content_size); NULL: there is none */
    real *dcontent;      /* likewise, accumulated; NULL in a forward pass */
    double scale;      /* facts.scale: s already holds scale * q.k */
    int ld;            /* row stride of s, ds, p, dp (>= n) */
    real *scratch;     /* `scratch` elements; what logits leaves there logits_backward finds */
};

struct encoding {
    const char *name, *formula, *summary, *citation;
    const char *relation_text; /* "offset", "bucket of the offset", ... for `list` */
    const char *longer;        /* what happens beyond the training length, for `list` */
    const struct option *options; /* ended by a NULL key; NULL: none */
    bool past_only;            /* needs a mask that hides every key behind the query */
    bool fixed_length;         /* undefined beyond the training length */
    bool of_logits;            /* what it adds depends on the logits that it finds */
    int axes_min, axes_max;    /* layouts it is defined on, by layout.axes (0: graphs) */
    bool scattered; /* and where positions are no neighbours: it goes by relations and coordinates alone */
    /* What options or widths it refuses besides that; ERR_USAGE.  NULL: nothing. */
    int (*check)(const struct kind_config *c, const struct encoding_shape *s, struct err *e);

    void (*facts)(const struct kind_config *c, const struct encoding_shape *s,
                  struct encoding_facts *out);
    /* Fills out[0..ENCODING_TENSORS_MAX) and returns how many.  NULL: none. */
    int (*tensors)(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out);
    /* Overwrites the initial values of tensor number `tensor` that its descriptor drew, where they
     * are no draw (learned ALiBi slopes).  NULL: the descriptors say it all. */
    void (*initial)(const struct kind_config *c, const struct encoding_shape *s, int tensor,
                    real *value);
    /* What the logits depend on besides q_i and k_j: two pairs (i,j) of equal class, of whatever layouts,
     * are treated alike by every choice of parameters.  NULL: layout_relation folded into the table. */
    int64_t (*relation)(const struct encoding_context *c, int i, int j);

    /* Absolute encodings: positions of equal mark get the same vector whatever the parameters.
     * NULL: every position has one of its own, so nothing merges within a sample. */
    int64_t (*mark)(const struct encoding_context *c, int i);

    /* What the user says of it that floors rest on, unproved; NULL, or "": nothing. */
    const char *(*declared)(const struct kind_config *c);
    /* Whether relations are of one length: then a batch has samples of one.  NULL: they are of any. */
    bool (*reads_length)(const struct kind_config *c);

    /* What prepare needs besides parameters, for c->layout, in arena (a measuring one gives the price,
     * and tries it all the same); *code is c->code from then on.  Two threads may not prepare with one
     * code.  ERR_USAGE where the user's own formula is wrong; e->where names its key.  NULL: nothing. */
    int (*open)(const struct encoding_context *c, struct arena *arena, void **code, struct err *e);

    /* Elements of state for c->layout.  NULL: 0. */
    size_t (*state_size)(const struct encoding_context *c);
    void (*prepare)(const struct encoding_context *c, real *state);
    /* From c->dstate (summed over microbatches) to c->gradient. */
    void (*prepare_backward)(const struct encoding_context *c);

    void (*input)(const struct encoding_context *c, real *x);               /* x (n,width) += */
    void (*input_backward)(const struct encoding_context *c, const real *dx); /* to gradient */

    /* q, k (n,width), row stride `stride`, all heads, in place. */
    void (*query_key)(const struct encoding_context *c, real *q, real *k, int stride);
    /* dq, dk from gradients of the changed to gradients of the original. */
    void (*query_key_backward)(const struct encoding_context *c, real *dq, real *dk, int stride);

    /* Numbers that logits need of each position's content: how many, out (n,content_size) from the
     * layer's input x (n,width), and back: accumulates to gradient and dx.  NULL: none. */
    int (*content_size)(const struct encoding_context *c);
    void (*content)(const struct encoding_context *c, const real *x, real *out);
    void (*content_backward)(const struct encoding_context *c, const real *x, const real *out,
                             const real *dout, real *dx);

    /* Elements of block scratch for R rows.  NULL: 0. */
    size_t (*scratch)(const struct encoding_context *c, int rows);
    /* s (rows,n) += ...; entries that the mask hides may be touched or not, nobody reads them.
     * Hidden ones before the last that a row sees are -inf. */
    void (*logits)(const struct encoding_context *c, const struct encoding_block *b, real *s);
    /* ds (rows,n): gradient of the final logits, 0 at masked entries; accumulates b->dq, b->dk,
     * gradient, dstate.  An encoding whose term depends on the logits themselves (CoPE) also turns
     * ds, in place, into the gradient of scale * q.k. */
    void (*logits_backward)(const struct encoding_context *c, const struct encoding_block *b,
                            real *ds);

    /* o (rows,d_h), row stride ostride, += sum_j p_ij (...). */
    void (*value)(const struct encoding_context *c, const struct encoding_block *b, const real *p,
                  real *o, int ostride);
    /* dp (rows,n) += ..., and gradient, dstate. */
    void (*value_backward)(const struct encoding_context *c, const struct encoding_block *b,
                           const real *p, const real *dout, int ostride, real *dp);
};

extern const struct encoding *const encoding_table[]; /* NULL-terminated */
extern const struct kind_table encoding_kinds;
const struct encoding *encoding_of(const struct kind_config *c);

/* Whether the encoding is defined for this mask, layout and head width; ERR_USAGE with what to do
 * instead.  `evaluated`: the longest evaluated layout. */
int encoding_check(const struct kind_config *c, const struct encoding_shape *s,
                   const struct layout *evaluated, struct err *e);
/* Sets c->code by the entry's open, for c->layout. */
int encoding_open(struct encoding_context *c, struct arena *arena, struct err *e);
/* The class of (i,j) for the floor: `relation` or its default. */
int64_t encoding_relation(const struct encoding_context *c, int i, int j);

/* ---- C, the matrix that multiplies the softmax (URPE) -------------------------------------------
 * Source: Luo et al. 2022, eq. 5: A_U = softmax(...) * C, C_ij = c[relation(i,j)], per head. */
enum urpe_init { URPE_ONES, URPE_NORMAL };
enum { URPE_OPTION_INIT, URPE_OPTION_MEAN, URPE_OPTION_SHARE, URPE_OPTION_STD };
enum urpe_share { URPE_SHARE_MODEL, URPE_SHARE_YES, URPE_SHARE_NO };

/* C is a table, of which each relation reads a row, or what the last hooks make of tensors. */
struct urpe {
    const char *name, *summary, *citation, *longer;
    const struct option *options; /* share is number URPE_OPTION_SHARE; tables have init, mean, std too */
    int axes_min, axes_max;
    /* Rows of the table.  NULL: it is none. */
    int (*rows)(const struct encoding_shape *s);
    /* map (relations of here): the table's row for each relation of layout here. */
    void (*map)(const struct encoding_shape *s, const struct layout *here, int32_t *map);

    /* Whether C goes by (i,j), and its state below is (heads,n,n).  NULL: it goes by relations. */
    bool (*of_pairs)(const struct kind_config *c, const struct encoding_shape *s);
    /* As in struct encoding, with state and dstate (heads, relations of the layout): C itself.  NULL
     * where C is a table. */
    int (*check)(const struct kind_config *c, const struct encoding_shape *s, struct err *e);
    int (*tensors)(const struct kind_config *c, const struct encoding_shape *s,
                   struct encoding_tensor *out);
    int (*open)(const struct encoding_context *c, struct arena *arena, void **code, struct err *e);
    void (*prepare)(const struct encoding_context *c, real *state);
    void (*prepare_backward)(const struct encoding_context *c);
    int64_t (*relation)(const struct encoding_context *c, int i, int j);
    const char *(*declared)(const struct kind_config *c);
    bool (*reads_length)(const struct kind_config *c);
};
extern const struct urpe *const urpe_table[]; /* NULL-terminated: toeplitz, bucketed, formula */
extern const struct kind_table urpe_kinds;
const struct urpe *urpe_of(const struct kind_config *c);
/* The tensors of "urpe.", named without it; returns how many.  A table's is one, "c" [heads, rows]; init
 * ones, or N(mean, std^2). */
int urpe_tensors(const struct kind_config *c, const struct encoding_shape *s,
                 struct encoding_tensor out[ENCODING_TENSORS_MAX]);
int urpe_check(const struct kind_config *c, const struct encoding_shape *s, struct err *e);
/* Tries what is opened only to run where it trains and where it is evaluated. */
int urpe_try(const struct kind_config *c, const struct encoding_shape *s,
             const struct layout *evaluated, struct err *e);
/* Sets c->code by the entry's open, for c->layout. */
int urpe_open(struct encoding_context *c, struct arena *arena, struct err *e);

/* T5's bucket of an offset (Raffel et al. 2020), for t5, tupe and bucketed C. */
int encoding_bucket(int offset, bool past, int buckets, int max_distance);

#endif

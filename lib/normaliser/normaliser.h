/* Normalisers: from a row of logits to the weights of the values.  One file each, one line in
 * ENTRIES of normaliser.c.
 *
 *   s_ij, logits of what query i sees  -->  a_ij, weights        o_i = sum_j a_ij C_ij v_j + rest
 *
 * Invariant: the model knows a normaliser only through the hooks and facts below.  C multiplies the
 * weights whatever gave them, and nothing is renormalised afterwards (Luo et al. 2022, eq. 5).
 *
 * A normaliser has one of three shapes.
 *   fused    softmax or an elementwise form that the fused kernel knows (kernel/kernel.h), with an
 *            offset and a factor for each row (`rows`), and what stands beside the keys in the
 *            denominator (`beside`): a sink, say.  No array of n x n.
 *   by row   any function of one row's visible logits, in order: `row`, `row_backward`.
 *   mixed    one of these, and matrices that mix the logits or the weights of several heads.
 *
 * What a layer of each can tell about what it sees, and with it the floor, is in `facts`. */
#ifndef NORMALISER_NORMALISER_H
#define NORMALISER_NORMALISER_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/option.h"
#include "base/real.h"
#include "base/tensor.h"

enum { NORMALISER_TENSORS_MAX = 5 };

struct normaliser_shape {
    int heads, head_width;
    bool past; /* the mask hides all that comes after the query */
    bool own;  /* and shows the query itself */
};

/* What a layer's weights depend on besides (logit, value) of the pairs that a query sees. */
enum view_order {
    VIEW_COUNTED, /* not on their order */
    VIEW_ORDERED  /* on their order, from the query backwards */
};
enum view_measure {
    VIEW_RATIO,     /* on the numbers of equal pairs up to a common factor */
    VIEW_PER_LENGTH, /* on these numbers over the length of the sample */
    VIEW_NUMBER,    /* on the numbers themselves */
    VIEW_NUMBER_AND_LENGTH /* and on the length of the sample */
};
struct normaliser_facts {
    enum view_order order;
    enum view_measure measure; /* of a counted view */
    bool constant_sums; /* every row of weights has the same sum, whatever the logits: a query that
                           sees one state only gets an output that depends on that state alone */
    bool exponential; /* weights are e^logit over the row's sum, or sums of such rows over heads: factors
                         of all logits' exponentials cancel */
};

struct normaliser_context {
    const struct kind_config *config;
    const struct normaliser_shape *shape;
    int layer; /* from 0 */
    int n;     /* positions of the sample */
    const real *parameter[NORMALISER_TENSORS_MAX]; /* in the order of `tensors` */
    real *gradient[NORMALISER_TENSORS_MAX];        /* accumulated; NULL in a forward pass */
};

/* One head's queries first .. first+rows-1 of a sample, for what stands beside the keys. */
struct normaliser_beside {
    int head, rows;
    const real *q;  /* (rows, head_width), row stride `stride` */
    int stride;
    double scale;   /* of q.k in the logits */
    real *lse;      /* (rows) log sum exp of the keys' logits, and then of all */
    real *o;        /* (rows, head_width), row stride `output_stride` */
    int output_stride;
    /* Backward. */
    const real *dout; /* like o */
    real *dq;         /* like q, accumulated */
};

/* One row for `row`: the logits of what the query sees, from the first position to the last. */
struct normaliser_row {
    int head, seen; /* seen: how many */
    int own;        /* index of the query's own position among them, -1: hidden */
    real *scratch;  /* (3 seen) */
    /* Where the entry is of products (seen each): scale q.k, and the same of q and k that nothing has
     * rotated; NULL: not asked for.  Backward: row_backward fills their gradients. */
    const real *product, *plain;
    real *dproduct, *dplain;
};

/* What becomes of the products q.k. */
enum normaliser_products {
    PRODUCTS_LOGITS, /* they are the logits, to which the encoding adds */
    PRODUCTS_APART,  /* `row` gets them beside its logits, which are what the encoding adds */
    PRODUCTS_PLAIN   /* and those of q and k before the encoding rotates them */
};

struct normaliser {
    const char *name, *formula, *summary, *citation;
    const struct option *options; /* ended by a NULL key; NULL: none */
    bool past_only;               /* needs a mask that hides all that comes after the query */
    bool of_query; /* weights depend on q_i by itself: where an encoding rotates it, on the position */
    /* Options or sizes that it refuses besides; ERR_USAGE.  NULL: none. */
    int (*check)(const struct kind_config *c, const struct normaliser_shape *s, struct err *e);
    void (*facts)(const struct kind_config *c, const struct normaliser_shape *s,
                  struct normaliser_facts *out);
    /* Own tensors, one set for each layer; fills out[0..NORMALISER_TENSORS_MAX) and returns how
     * many.  NULL: none. */
    int (*tensors)(const struct kind_config *c, const struct normaliser_shape *s,
                   struct tensor *out);
    /* Overwrites the initial values of tensor number `tensor` of a layer, where they are no draw.
     * NULL: the descriptors say it all. */
    void (*initial)(const struct normaliser_shape *s, int tensor, int layer, real *value);

    /* ---- fused ---- */
    int (*form)(const struct kind_config *c); /* enum attention_form; NULL: softmax */
    /* offset, factor (n) of the rows, from how many keys each sees (n).  NULL: none. */
    void (*rows)(const struct normaliser_context *c, const int *seen, real *offset, real *factor);
    /* Softmax only: makes room for what stands beside the keys, by scaling o and raising lse, and
     * adds its value.  The backward pass of the keys comes first and needs to know nothing of it. */
    void (*beside)(const struct normaliser_context *c, const struct normaliser_beside *b);
    void (*beside_backward)(const struct normaliser_context *c, const struct normaliser_beside *b);

    /* ---- by row ---- */
    /* s (seen) becomes the weights. */
    void (*row)(const struct normaliser_context *c, const struct normaliser_row *r, real *s);
    /* From logits s, weights a and their gradient da (seen): da becomes the gradient of the logits. */
    void (*row_backward)(const struct normaliser_context *c, const struct normaliser_row *r,
                         const real *s, const real *a, real *da);
    /* The vector (head_width) that gets the weight 1 - sum of a row's weights, as the number of a
     * tensor [heads, head_width]; -1: none.  NULL: none. */
    int (*rest)(const struct kind_config *c);
    int (*products)(const struct kind_config *c); /* enum normaliser_products; NULL: logits */
    /* A map of the channels x (count) of q and k, in place, before the encoding rotates them: behind it
     * products would no longer depend on offsets alone.  And dx in place, from y = map(x).  NULL:
     * none. */
    void (*feature)(const struct kind_config *c, int count, real *x);
    void (*feature_backward)(const struct kind_config *c, int count, const real *y, real *dx);

    /* ---- mixed ---- */
    /* How many neighbouring heads are mixed; NULL: 1. */
    int (*group)(const struct kind_config *c, const struct normaliser_shape *s);
    /* matrix (group,group): row m gives mixed head m.  `before`: of products q.k before anything is
     * added; else of the weights.  False: that stage is not mixed. */
    bool (*mix)(const struct normaliser_context *c, int first_head, bool before, real *matrix);
    void (*mix_backward)(const struct normaliser_context *c, int first_head, bool before,
                         const real *dmatrix);

    /* ---- behind the values ---- */
    /* A map of what a group's heads give, o (group head_width) side by side, in place; and of do, in
     * place, from what o was.  NULL: none.  has_output: whether the options ask for it. */
    bool (*has_output)(const struct kind_config *c);
    void (*output)(const struct normaliser_context *c, real *o);
    void (*output_backward)(const struct normaliser_context *c, const real *o, real *dout);
};

extern const struct normaliser *const normaliser_table[]; /* NULL-terminated */
extern const struct kind_table normaliser_kinds;
const struct normaliser *normaliser_of(const struct kind_config *c);
/* ERR_USAGE with what to do instead; e->where is "model.normaliser". */
int normaliser_check(const struct kind_config *c, const struct normaliser_shape *s, struct err *e);
int normaliser_form(const struct kind_config *c); /* enum attention_form */
/* Whether the fused kernel serves it. */
bool normaliser_is_fused(const struct normaliser *n);
/* Whether the weights are plain softmax: the entry has no hook. */
bool normaliser_is_softmax(const struct kind_config *c);
int normaliser_group(const struct kind_config *c, const struct normaliser_shape *s);
enum normaliser_products normaliser_products(const struct kind_config *c);
bool normaliser_has_output(const struct kind_config *c);

#endif

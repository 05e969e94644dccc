/* The Transformer: its configuration, its descriptor table, forward and backward passes.
 *
 *   x ----> [embed] --> block 1 --> ... --> block L --> [norm] --> hidden --> [head] --> y
 *                         |                                          rows x width
 *                         '- x += Attn(norm1 x);  x += FFN(norm2 x)         (norm: pre)
 *                            x = norm1(x + Attn x);  x = norm2(x + FFN x)   (norm: post)
 *                            x += norm1'(Attn(norm1 x));  ... likewise       (norm: both)
 *                            x += norm1(Attn x);  x += norm2(FFN x)         (norm: branch)
 *                            x += Attn x;  x += FFN x                       (norm: none)
 *
 * FFN x = out(act(in x)), or out(act(in x) * up x) where it is gated (Shazeer 2020).  Keys and values
 * of kv_heads heads serve groups of query heads (Ainslie et al. 2023).
 *
 * Invariant: parameters, gradients and optimiser moments are flat blocks laid out by
 * model->tensors; nothing here allocates after workspace_open. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/real.h"
#include "base/tensor.h"
#include "encoding/encoding.h"
#include "floor/floor.h"
#include "mask/mask.h"
#include "normaliser/normaliser.h"
#include "space/space.h"

enum model_attention { MODEL_RPE, MODEL_URPE };
enum model_norm {
    MODEL_NORM_NONE,
    MODEL_NORM_PRE,
    MODEL_NORM_POST,
    MODEL_NORM_BOTH,
    MODEL_NORM_BRANCH
};
enum model_norm_kind { MODEL_NORM_LAYER, MODEL_NORM_RMS };
enum model_values { MODEL_VALUES_OWN, MODEL_VALUES_MEAN, MODEL_VALUES_FIRST };
enum model_precision { MODEL_FLOAT, MODEL_DOUBLE };
enum model_head { MODEL_HEAD_LINEAR, MODEL_HEAD_MLM };
/* Of a sample with one output, which stands at its first position: what the head sees there. */
enum model_pool { MODEL_POOL_NONE, MODEL_POOL_MEAN, MODEL_POOL_FIRST };
enum model_init { MODEL_INIT_DEFAULT, MODEL_INIT_WITNESS };

/* What layers of one model may differ in: the rows of model_options that are `layered`. */
#define LAYER_FIELDS                                                                               \
    struct kind_config encoding, c, normaliser, mask, convolution, logits;                         \
    int attention; /* enum above */                                                                \
    bool share;    /* one B table for all layers, or for all that are of one kind */
struct layer_config {
    LAYER_FIELDS
};

/* Layers that take their kinds in turn: layer k is of kind[of[k % turn]].
 * Invariant (plan_settle): kinds are all different, and numbered in the order of their first layers;
 * a turn has at least two kinds and is no repetition of a shorter one. */
enum { PLAN_KINDS_MAX = 6, PLAN_TURN_MAX = 64, PLAN_NAME_MAX = 48 };
struct model_plan {
    int turn; /* layers of one turn; 0: all layers are alike */
    int kinds;
    unsigned char of[PLAN_TURN_MAX];
    struct layer_config kind[PLAN_KINDS_MAX];
    char name[PLAN_NAME_MAX]; /* in tables; "": made of what differs */
};

struct model_config {
    union { /* of all layers; with a plan, of its first kind */
        struct layer_config layer;
        struct {
            LAYER_FIELDS
        };
    };
    int norm, norm_kind, activation, precision, head; /* enums above, kernel's for activation */
    int64_t layers, heads, width, ffn;
    int64_t kv_heads; /* 0: as many as heads */
    bool gated;
    int values;       /* enum above: a layer's own, mixed with the first layer's, or those */
    bool output_gate; /* heads' outputs times sigmoid(gate x), x attention's input */
    bool tie;        /* tokens: output weights are the embedding's */
    bool embed_norm; /* tokens: LayerNorm after the embedding */
    double embed_std; /* tokens: standard deviation of the embedding's start */
    int init;        /* enum above: what training starts from, and with witness whose sizes */
    double witness_beta; /* sharpness of a witness's selections; 0: exact (theory/witness.h) */
    double witness_eps;  /* least difference of neighbours for a witness of generic inputs; 0: none */
    int preset;      /* index into preset_table (presets.h): where keys that are not said come from */
    struct model_plan plan;
    struct kind_config prefix; /* what stands in front of the sequence */
    int pool;                  /* enum above */
};
extern const struct kind_table prefix_kinds; /* none, bos, registers */
enum { PREFIX_OPTION_TOKENS, PREFIX_OPTION_STD };
/* What mixes each position with those before it, beside attention (convolution.c). */
extern const struct kind_table convolution_kinds; /* none, canon, shift */
enum convolved_place { CONVOLVED_INPUT, CONVOLVED_QKV, CONVOLVED_FFN, CONVOLVED_HIDDEN, CONVOLVED_PLACES };
/* Whether it is applied there, anywhere; over how many positions, its own too; with weights? */
bool convolution_at(const struct kind_config *c, enum convolved_place place);
bool convolution_any(const struct kind_config *c);
int convolution_size(const struct kind_config *c);
bool convolution_learned(const struct kind_config *c);
/* Whether layers of some kind have one. */
bool model_convolves(const struct model_config *c);
/* ---- maps of the products q.k (logits.c) ----*/
enum { LOGITS_TENSORS_MAX = 2 };
extern const struct kind_table logits_kinds;
/* What products stay within; 0: no bound. */
double logits_cap(const struct kind_config *c);
/* Whether q and k are mapped; own tensors of each layer, returns how many. */
bool logits_map_vectors(const struct kind_config *c);
int logits_tensors(const struct kind_config *c, int heads, int head_width,
                   struct tensor out[LOGITS_TENSORS_MAX]);
/* Whether layers of some kind have one. */
bool model_maps_logits(const struct model_config *c);
/* How many positions a model puts before a sample's own. */
int model_before(const struct model_config *c);
/* Whether samples of several lengths may stand behind it. */
bool prefix_takes_lengths(const struct model_config *c);
/* Where the relations of the sample's own layout begin among those with what stands before it. */
int model_own_relations(const struct model_config *c);
extern const struct option model_options[];

/* Whether a part's input, or its output, has a norm before it is added to the residual stream. */
static inline bool model_norm_before(const struct model_config *c)
{
    return c->norm == MODEL_NORM_PRE || c->norm == MODEL_NORM_BOTH;
}
static inline bool model_norm_after(const struct model_config *c)
{
    return c->norm == MODEL_NORM_BOTH || c->norm == MODEL_NORM_BRANCH;
}
/* How many kinds of layers there are, and the configuration of a model all of whose layers are of
 * kind k. */
int model_kinds(const struct model_config *c);
void model_kind_config(const struct model_config *c, int k, struct model_config *out);
int model_kind_of(const struct model_config *c, int64_t layer);
/* Whether every layer hides what comes after the query. */
bool model_past(const struct model_config *c);
/* Appends a layer to the plan's turn, as the spec says it; false: there are too many, or too many
 * kinds.  Every byte of the config counts, padding too. */
bool plan_append(struct model_plan *p, const struct layer_config *layer);
/* Brings a plan whose layers have been appended into its one form, with the fields of c that layers
 * may differ in; a plan of layers that are all alike is none. */
void plan_settle(struct model_config *c);

/* What goes in and out: channels > 0 for continuous inputs and outputs, else symbols and labels. */
struct model_io {
    int channels;        /* of inputs; 0: these are symbols */
    int symbols, labels; /* labels 0: outputs are numbers */
    int outputs;         /* their channels; 0: as many as inputs have */
};
/* Columns of what the head puts out: numbers, or logits of labels. */
static inline int model_io_outputs(const struct model_io *io)
{
    return io->labels ? io->labels : io->outputs ? io->outputs : io->channels;
}

/* What layers of one kind share: all layers of a model whose layers are alike. */
struct layer_kind {
    struct model_config config; /* that of a model all of whose layers are of this kind */
    struct encoding_shape shape;
    const struct encoding *encoding;
    struct encoding_facts facts;
    const struct normaliser *normaliser;
    struct normaliser_shape normaliser_shape;
    int encoding_tensors, normaliser_tensors, c_tensors;
    bool c_pairs; /* C goes by (i,j), not by relations */
    int first;  /* layer */
    bool input; /* its encoding adds to the input, and no kind's before it is the same */
};

struct model_layer { /* indices into tensors; -1: none */
    const struct layer_kind *kind;
    int state, table; /* which encoding state and which table of C; table -1: rpe */
    int q, k, v, o, q_bias, k_bias, v_bias, o_bias;
    int norm1, norm1_bias, norm2, norm2_bias; /* bias -1: RMSNorm */
    int after1, after1_bias, after2, after2_bias; /* norm: both */
    int in, in_bias, up, up_bias, out, out_bias, gate, gate_bias;
    int encoding[ENCODING_TENSORS_MAX], normaliser[NORMALISER_TENSORS_MAX];
    int convolution[CONVOLVED_PLACES]; /* (channels,size) */
    int logits[LOGITS_TENSORS_MAX];
    int c[ENCODING_TENSORS_MAX];
};

struct model {
    struct model_config config;
    struct model_io io;
    struct layout trained; /* with what stands before */
    struct arena arena;    /* of its arrays, where something does */
    int before;            /* positions */
    int width, heads, head_width; /* of every layer */
    int kv_heads, qkv_width;      /* columns of q, k and v together, before k and v are repeated */
    struct tensor_list tensors;
    int prefix; /* (before,width) */
    int embed, embed_bias, embed_norm, embed_norm_bias;
    int norm, norm_bias;
    int dense, dense_bias, head_norm, head_norm_bias; /* mlm head */
    int head, head_bias;                              /* head: the embedding's index when tied */
    int kinds;
    struct layer_kind *kind;   /* (kinds) */
    struct model_layer *layer; /* (layers) */
    /* Distinct encoding states and tables of C, numbered in the order of the first layers that use
     * them. */
    int states, tables;
};

/* What the encoding and C are built for, with tables sized by `trained`. */
struct encoding_shape model_shape(const struct model_config *c, const struct layout *trained);
/* What the normaliser is built for. */
struct normaliser_shape model_normaliser_shape(const struct model_config *c,
                                               const struct encoding_shape *s);

/* Whether the configuration makes sense at all (heads divide width, the encoding's and C's own
 * checks, tie needs tokens and labels <= symbols ...): ERR_USAGE; e->where names the key concerned
 * ("model.heads"). */
int model_check(const struct model_config *c, const struct model_io *io,
                const struct layout *trained, const struct layout *evaluated, struct err *e);

/* What floors of the configuration rest on that the user says, unproved, and the first key of it
 * ("model.encoding.relation"); NULL: nothing. */
const char *model_declared(const struct model_config *c, const char **key);
/* Whether some layer's relations are of one length, so that samples of a batch must have one. */
bool model_reads_length(const struct model_config *c);

/* The class of layers that the configuration's are of, for floors (floor/floor.h), where all are
 * alike. */
struct model_class {
    struct floor_class floor;
    struct model_config config;
    struct encoding_shape shape;
    bool length; /* layers know how long the sample is */
};
void model_class_of(const struct model_config *c, const struct layout *trained,
                    struct model_class *out);
/* floor_merge for networks of the configuration's layers, whatever their depth; where hidden states
 * are averaged, a sample's first row merges as its mean does. */
int model_merge(const struct model_config *c, const struct layout *trained,
                const struct floor_set *s, int32_t *group, int *groups, struct err *e);
/* The same, and beside it for networks of exactly its depth: groups as in floor.h. */
struct model_groups {
    int32_t *any, *deep; /* (rows); deep NULL: not wanted */
    int any_groups, deep_groups;
    int32_t *front, *deep_front; /* (samples, model_before) groups of what stands before each, from
                                    any_groups or deep_groups on; NULL: not wanted */
};
int model_merge_depth(const struct model_config *c, const struct layout *trained,
                      const struct floor_set *s, struct model_groups *g, struct err *e);

/* Builds the descriptor table.  `trained` must outlive the model. */
int model_open(struct model *m, const struct model_config *c, const struct model_io *io,
               const struct layout *trained, struct err *e);
void model_close(struct model *m);

/* Fills block p (tensors.elements).  Every tensor draws from a stream named by its own name, so a
 * tensor that two models share starts equal in both, whatever else they have. */
void model_initialise(const struct model *m, uint64_t seed, real *p);

/* No output changes by more than *out times the largest change of a token, inputs in [0,1]: an upper bound
 * of the Lipschitz constant, from the weights p alone (theory: steepness.c).  NAN where there is none: with
 * norms, or other attention than softmax of q.k and a bias by relation.  ERR_MEMORY. */
int model_steepness(const struct model *m, const real *p, double *out, struct err *e);

/* FLOPs (multiply and add counted apart) of one forward pass over one sample of n positions; a
 * training step costs three times that for matrix products. */
double model_flops(const struct model *m, int n);

/* ---- a batch ------------------------------------------------------------------------------------
 * Samples are packed without padding: sample b's positions are rows first[b] .. first[b+1]-1. */
struct batch {
    int samples, rows;
    const int *first;                    /* (samples+1) */
    const struct layout *const *layout;  /* (samples) */
    const real *x;                       /* (rows,channels), or */
    const int32_t *token;                /* (rows) */
};

/* What depends on parameters and on the longest layout, but not on the sample: encoding states and
 * C expanded over relations.  One for all microbatches, made anew after each update. */
struct model_state {
    int n;                      /* a sample's own positions, at most */
    struct layout longest;      /* with what stands before them */
    struct mask_reach *reach;   /* (kinds) of all samples' layouts */
    void **code, **c_code;      /* (kinds) what the encoding's open made, and C's */
    int32_t *fold;              /* (relations) */
    int32_t *c_row;             /* (kinds,relations) */
    size_t *state_at;           /* (states+tables) where each encoding state starts, and each C */
    size_t elements;            /* of the block below, and of each microbatch's dstate */
    real *block;                /* the states, then C of each table (state.c) */
    real *turned;               /* weights of linear layers, transposed; see linear_is_turned */
    size_t *turned_at;          /* (tensors) where in `turned` */
};
int model_state_open(struct model_state *s, const struct model *m, const struct layout *longest,
                     struct arena *arena, struct err *e);
void model_prepare(const struct model *m, const real *p, struct model_state *s);
/* C (relations) of a layer and head in a prepared state; NULL under rpe, or where it goes by pairs. */
const real *model_c(const struct model *m, const struct model_state *s, int layer, int head);
/* From dstate (summed over microbatches) to gradient. */
void model_prepare_backward(const struct model *m, const real *p, const struct model_state *s,
                            real *dstate, real *gradient);

/* One microbatch's activations and scratch. */
struct workspace;
/* rows: upper limit of a batch, which with a prefix has at most rows / longest n samples; the state's
 * longest layout is that of its samples.  backward: keep what the backward pass needs.  Memory comes
 * from arena (a measuring one gives the price). */
int workspace_open(struct workspace **out, const struct model *m, const struct model_state *s,
                   int rows, bool backward, struct arena *arena, struct err *e);

/* Up to the hidden states (rows,width), which stay in w. */
void model_forward(const struct model *m, const real *p, const struct model_state *s,
                   const struct batch *b, struct workspace *w);
/* out (rows, channels or labels) of rows first .. first+rows-1. */
void model_output(const struct model *m, const real *p, struct workspace *w, int first, int rows,
                  real *out);
/* Accumulates the head's gradient and the hidden states' (kept in w). */
void model_output_backward(const struct model *m, const real *p, struct workspace *w, int first,
                           int rows, const real *dout, real *gradient);
/* After all of model_output_backward: accumulates gradient and dstate (elements of the state
 * block).  dx (rows,channels) receives the gradient of the input; NULL: not wanted. */
void model_backward(const struct model *m, const real *p, const struct model_state *s,
                    const struct batch *b, struct workspace *w, real *gradient, real *dstate,
                    real *dx);
/* The attention row sums A_U 1 of the last forward pass are what `conditions` looks at: sums
 * (heads,n) of the last layer for the first sample of the batch. */
/* Of a layer and the first sample of the batch of the last forward pass (a workspace with `backward`
 * keeps all layers; without, the last): weights (heads,n,n), NULL: not wanted, of the values, C and what
 * stands beside the keys included, and sums (heads,n) of their rows.  n counts what stands before too.
 * Outputs of the pass may be overwritten. */
void model_attention(const struct model *m, const real *p, const struct model_state *s,
                     const struct batch *b, struct workspace *w, int layer, double *weights,
                     double *sums);
void model_row_sums(const struct model *m, const real *p, const struct model_state *s,
                    const struct batch *b, struct workspace *w, double *sums);

#endif

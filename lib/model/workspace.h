/* Private to lib/model: one microbatch's activations.
 *
 * What a block keeps for its backward pass (rows R, width w, ffn f, heads H):
 *   x (R,w) -> a_in (R,w) -> qkv (R,3w) -> o (R,w) -> s1 -> mid (R,w) -> f_in -> h, act (R,f) -> s2
 * with a_in = x and f_in = mid unless norm is pre or both, and s1 = mid, s2 = next x unless norm is
 * post.  Where a part's output has a norm it is b1 (R,w) before that, and b2 likewise; a gated
 * network's up (R,f) and product (R,f) stand beside act.
 * Without a backward pass all blocks share one set. */
#ifndef MODEL_WORKSPACE_H
#define MODEL_WORKSPACE_H
#include "kernel/kernel.h"
#include "model/model.h"

struct block_cache {
    real *x, *a_in, *qkv, *lse, *o, *s1, *mid, *f_in, *h, *act, *s2;
    real *raw;   /* (R,2w) q and k before logits.c maps them; only where it does */
    real *plain; /* (R,2w) features of q and k, before the encoding rotates them */
    real *given; /* (R,w) o before the normaliser maps it; only where it does */
    real *mean1, *rstd1, *mean2, *rstd2;
    real *b1, *b2, *after_mean1, *after_rstd1, *after_mean2, *after_rstd2;
    real *a_mixed, *projected, *f_mixed; /* convolved a_in; q, k, v before; convolved f_in */
    real *gate, *gated; /* (R,w) sigmoid(gate x), and o times that; gated is o without a gate */
    real *up, *product; /* product is act where the network is not gated */
    real *h_plain, *up_plain; /* (R,f) before they are convolved; only where they are */
};

struct workspace {
    int rows_max, rows; /* with what stands before the samples */
    int samples_max;    /* of the next three, with a prefix only */
    int *first;
    struct layout *line;
    const struct layout **layout;
    bool backward;
    const struct model_state *state;
    struct block_cache *cache; /* (layers); without backward all are the same */
    real *embedded;            /* (R,w) before embed_norm; tokens with embed_norm only */
    real *embed_mean, *embed_rstd;
    real *last;                /* (R,w) output of the last block */
    real *normed, *norm_mean, *norm_rstd;
    real *dense_h, *dense_act, *dense_mean, *dense_rstd, *dense_out; /* mlm head */
    real *hidden;              /* what the head reads: last, normed or dense_out */
    real *first_values;        /* (R,w) of the first layer; where values are not each layer's own */
    real *narrow;              /* (R,qkv_width) q, k, v before k and v are repeated; grouped only */
    real *zeros, *unread;      /* (f) a bias that is none, and its gradient; hidden layers convolved only */
    /* Backward only. */
    real *dhidden, *dstream, *dwide, *dqkv, *do_, *dtmp, *dup, *dgate, *dfirst, *dmixed, *dprojected;
    real *dhidden_plain; /* (R,f) */
    /* Attention scratch: of one head where the fused kernel serves, else of a group of G heads that
     * are mixed (G = 1 for most): blocks (G,R,n) of logits, weights, weights times C and gradients. */
    real *fused, *s, *a, *p, *dp, *hook, *row, *mix;
    real *product, *plain; /* (G,R,n) q.k that is no logit; of `plain` features */
    real *dplain;          /* (R,2w) of the batch; backward */
    real *content, *dcontent; /* (R,content_size) of one layer */
    real *dot, *left;      /* (R) do.o, and 1 - the sum of the weights */
    real *offset, *factor; /* (n) of the rows of an elementwise normaliser */
    int *count, *seen;     /* (R) and (n) */
    int block_rows;        /* the most rows of a block */
    size_t hook_size;      /* of each head's part of `hook` */
    struct head *head;     /* (G) */
};

/* ---- what stands before a sample (prefix.c) ----------------------------------------------------*/
int prefix_check(const struct model_config *c, const struct layout *l, struct err *e);
/* l with it; equal to l without a prefix. */
int prefix_layout(const struct model_config *c, const struct layout *l, struct arena *arena,
                  struct layout *out, struct err *e);
/* The batch with rows inside; equal to b without a prefix.  It points into w; x and token stay. */
struct batch prefix_batch(const struct model *m, const struct model_state *s, const struct batch *b,
                          struct workspace *w);
/* x (rows,width) from rows outside to rows inside, in place, with front (before,width), NULL: zeros,
 * before each sample; and back, with what was there added to dfront (NULL: not wanted). */
void prefix_spread(const struct batch *outside, const struct batch *inside, int width,
                   const real *front, real *x);
void prefix_gather(const struct batch *outside, const struct batch *inside, int width, real *dfront,
                   real *x);

/* What layer k's attention makes q, k, v and gates of, (R,w). */
static inline const real *attention_input(const struct model *m, const struct workspace *w, int k)
{
    bool mixed = convolution_at(&m->layer[k].kind->config.convolution, CONVOLVED_INPUT);
    return mixed ? w->cache[k].a_mixed : w->cache[k].a_in;
}

/* ---- convolutions (convolution.c) --------------------------------------------------------------*/
struct convolved {
    const struct batch *batch;
    int channels, size, shifted; /* shifted: channels from the position before, where weight is NULL */
    bool residual;
    const real *weight; /* (channels,size), or NULL */
    real *gradient;
};
/* Of layer at place; part 1: of `up`, behind the hidden layer's own.  gradient NULL in a forward pass. */
struct convolved convolved_of(const struct model *m, int layer, enum convolved_place place, int part,
                              const struct batch *b, const real *p, real *gradient);
/* Both of all rows of the batch, (rows,channels).  dx is overwritten, the weight's gradient accumulates. */
void convolved_forward(const struct convolved *c, const real *x, real *y);
void convolved_backward(const struct convolved *c, const real *x, const real *dy, real *dx);

/* The context of layer k's encoding for a sample of layout l (NULL: the longest). */
struct encoding_context model_context(const struct model *m, const real *p,
                                      const struct model_state *s, int layer,
                                      const struct layout *l, real *gradient, real *dstate);
/* Where C of a layer and head lies in a block laid out like the state's (or a dstate); NULL under
 * rpe. */
real *state_c(const struct model *m, const struct model_state *s, real *block, int layer, int head);

/* Concatenated heads o (rows,w) from qkv for every sample of the batch, and back. */
void attention_layer_forward(const struct model *m, const real *p, const struct model_state *s,
                             const struct batch *b, struct workspace *w, int layer);
/* dqkv from do. */
void attention_layer_backward(const struct model *m, const real *p, const struct model_state *s,
                              const struct batch *b, struct workspace *w, int layer,
                              real *gradient, real *dstate);
/* Vectors q and k of a position, (heads, head_width) each, in place; and back, from what they were. */
struct logits_row {
    const struct kind_config *config;
    int heads, head_width;
    double scale; /* of q.k */
    const real *parameter[LOGITS_TENSORS_MAX];
    real *gradient[LOGITS_TENSORS_MAX];
};
void logits_map(const struct logits_row *r, real *q, real *k);
void logits_map_backward(const struct logits_row *r, const real *q, const real *k, real *dq, real *dk);
/* Behind it: what the layer's input gave besides q, k and v; dx (rows,width) is accumulated. */
void attention_content_backward(const struct model *m, const real *p, const struct model_state *s,
                                const struct batch *b, struct workspace *w, int layer,
                                real *gradient, real *dx);
/* Columns of what the head puts out. */
static inline int model_outputs(const struct model *m)
{
    return model_io_outputs(&m->io);
}

/* Whether the fused kernel serves layers of this kind. */
bool attention_is_fused(const struct layer_kind *k);

/* ---- one sample's heads, for attention.c and heads.c ------------------------------------------*/
/* A head of a sample: pointers to its columns of row 0. */
struct head {
    int index;
    const real *q, *k, *v, *bias, *table; /* bias, table (relations; C may be by pairs) or NULL */
    real *dq, *dk, *dv, *dbias, *dtable;
    const real *plain_q, *plain_k; /* row stride 2 w; NULL: none */
    const real *content; /* of the sample's row 0; NULL: none */
    real *dcontent;
    real *dplain_q, *dplain_k;
    const real *dout;
    real *o, *lse;
};
/* What the heads of one sample and layer share. */
struct sample_attention {
    const struct model *m;
    const struct layer_kind *kind;
    struct encoding_context encoding;
    struct normaliser_context normaliser;
    const struct mask_reach *reach;
    struct workspace *w;
    int n, width, stride, output_stride; /* width: d_h */
    int c_row;                           /* C is (heads, rows of so many); 0: by relations */
    struct attention_shape shape;        /* of a sample laid out like this, for the fused kernel */
};
struct normaliser_beside beside_of(const struct sample_attention *a, const struct head *h, int first,
                                   int rows);
/* A group of heads in blocks of whole query rows, with the encoding's and the normaliser's hooks. */
void heads_forward(const struct sample_attention *a, const struct head *head, int group);
void heads_backward(const struct sample_attention *a, const struct head *head, int group);
/* Weights times C (group,n,n), NULL: not wanted, and their row sums (group,n). */
void heads_weights(const struct sample_attention *a, const struct head *head, int group,
                   double *weights, double *sums);

#endif

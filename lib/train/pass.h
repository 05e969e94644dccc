/* Private to lib/train: forward and backward passes over batches of one layout size.
 *
 * Invariant: a batch is cut into microbatches by its size alone; the pool only decides who does
 * which.  What a microbatch leaves behind is its own; activations are its thread's, so that they are still
 * in a cache when the next one writes them. */
#ifndef TRAIN_PASS_H
#define TRAIN_PASS_H
#include "train/train.h"

enum { MICROBATCHES_MAX = 4 };

/* A part of a batch: real copies of samples first .. first+count-1 of a set. */
struct microbatch {
    struct workspace *w; /* its thread's, or its own */
    struct batch batch;
    int *first;
    const struct layout **layout;
    real *x, *target;          /* (rows,channels), (rows, the larger of channels and outputs) */
    const unsigned char *counts; /* (rows), or NULL: all */
    const int32_t *label;
    real *out;                 /* (chunk,outputs) */
    real *gradient, *dstate;   /* with a backward pass only */
    double *logits;            /* (chunk,labels): evaluation of tokens only */
    int chunk;
    double loss;
};

struct pass {
    const struct model *model;
    int samples, microbatches; /* of a batch, at most */
    int workspaces; /* one for each thread; or for each microbatch, as over sets */
    int relations; /* of a trainer's list: of the layout that it was opened for */
    bool backward;
    struct model_state state;
    struct microbatch micro[MICROBATCHES_MAX];
    struct workspace *w[MICROBATCHES_MAX];
    struct arena arena;
    struct pass *next;         /* in a trainer's list */
};

/* Opens a pass of which model, samples, microbatches, workspaces and backward are set, for samples of at most
 * the size of `longest`.  The caller closes the arena, whatever is returned. */
int pass_open(struct pass *p, const struct layout *longest, struct err *e);
/* Bytes that pass_open takes. */
int pass_bytes(struct pass *p, const struct layout *longest, size_t *bytes, struct err *e);
/* The first sample of microbatch k, of a batch of `samples`. */
int pass_first(const struct pass *p, int samples, int k);
/* Points microbatch k at samples first .. first+count-1 of the set and copies them to real. */
void pass_fill(struct pass *p, int k, const struct samples *s, int first, int count);

#endif

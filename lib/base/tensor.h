/* The descriptor table of a model's parameters: name, shape, initialisation and decay of each
 * tensor, in one list that drives allocation, initialisation, gradient checks, checkpoints and
 * safetensors.  Offsets count elements into one flat block; parameters, gradients and moments are
 * parallel blocks of the same layout.  There is no padding, so that neighbours of one kind (q, k, v
 * weights) are one matrix. */
#ifndef BASE_TENSOR_H
#define BASE_TENSOR_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { TENSOR_NAME_MAX = 64, TENSOR_RANK_MAX = 4 };

enum tensor_init {
    TENSOR_CONSTANT, /* all equal to mean */
    TENSOR_NORMAL,   /* N(mean, deviation) */
    TENSOR_UNIFORM   /* on [mean - deviation, mean + deviation] */
};

struct tensor {
    char name[TENSOR_NAME_MAX]; /* as in safetensors, e.g. "layers.0.attn.q.weight" */
    int rank;
    int shape[TENSOR_RANK_MAX]; /* row-major */
    enum tensor_init init;
    double mean, deviation;
    bool decay; /* weight decay applies (matrices, not biases, norms or tables) */
    bool table; /* train.table_lr applies (B and C tables) */
    bool c;     /* train.c_lr applies, where it is given (C) */
    size_t count, offset; /* elements; filled by tensor_list_add */
};

struct tensor_list {
    struct tensor *item;
    int count;
    size_t elements; /* of the whole block; tensors follow one another without gaps */
};

/* Appends a copy of *t with count and offset filled and sets *index.  ERR_MEMORY on overflow. */
int tensor_list_add(struct tensor_list *list, const struct tensor *t, int *index, struct err *e);
const struct tensor *tensor_list_find(const struct tensor_list *list, const char *name);
void tensor_list_close(struct tensor_list *list);

#endif

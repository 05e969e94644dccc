/* A network: weights, and the functions of their precision. */
#ifndef RUN_NETWORK_H
#define RUN_NETWORK_H
#include "train/train.h"

/* The trainer of a precision, MODEL_FLOAT or MODEL_DOUBLE. */
const struct trainer_api *trainer_api_of(int precision);

struct network {
    const struct trainer_api *api; /* set by network_open; NULL: there is none */
    struct trainer *trainer;
};
/* With its initial weights.  Close it whatever is returned. */
int network_open(struct network *x, const struct task *t, struct pool *pool, struct err *e);
void network_close(struct network *x);
/* Its number of parameters. */
size_t network_size(const struct network *x);
/* To and from weights.safetensors in a folder. */
int network_export(const struct network *x, const char *folder, struct err *e);
int network_import(struct network *x, const char *folder, struct err *e);

/* What gives outputs for samples: a network, or predictions that were made elsewhere. */
struct predictor {
    void *self;
    /* As trainer_outputs. */
    int (*outputs)(void *self, const struct samples *s, double *y, trainer_logits each,
                   void *context, struct err *e);
    /* As trainer_steepness; NULL: its weights are not known. */
    int (*steepness)(void *self, double *out, struct err *e);
};
struct predictor network_predictor(struct network *x);

#endif

/* A witness as an ordinary model: opened, written, run on inputs, compared with its target. */
#ifndef HELP_WITNESS_H
#define HELP_WITNESS_H
#include "floor/help_floor.h"
#include "witness/witness.h"

struct help_case {
    const char *target, *encoding, *c; /* c NULL: rpe */
    const char *mask;                  /* NULL: none */
    const struct kind_config *masked;  /* instead: a mask with its options; NULL: none */
    const char *normaliser;            /* NULL: softmax */
    const struct kind_config *rows;    /* instead: a normaliser with its options; NULL: none */
    const struct kind_config *own, *own_c; /* instead: an encoding and C with options; NULL: none */
    int n, channels, vocab;
    double beta, eps;
    bool grid; /* of n = height * width positions, height the larger divisor below sqrt */
};

struct help_witness {
    struct help_case of;
    struct space_config space;
    struct target_config target;
    struct model_config model;
    struct layout layout;
    struct witness *w;     /* NULL: none known */
    struct model built;    /* opened when there is one */
    struct model_state state;
    struct workspace *work;
    real *p;
    void *target_state;
    struct arena arena;
};

/* False where target or encoding are not defined for the case at all. */
bool help_witness_open(struct help_witness *h, const struct help_case *c);
void help_witness_close(struct help_witness *h);

/* Largest absolute error on `samples` random samples; continuous targets.  identical: all tokens of
 * a sample are equal. */
double help_witness_error(struct help_witness *h, int samples, bool identical, uint64_t seed);
/* Share of right labels on random samples; token targets. */
double help_witness_accuracy(struct help_witness *h, int samples, uint64_t seed);
/* The same on one given sample. */
int help_witness_hits(struct help_witness *h, const int32_t *token);

#endif

/* A small model with everything around it, for tests: layout, parameters, one batch, one workspace. */
#ifndef TESTS_HELP_MODEL_H
#define TESTS_HELP_MODEL_H
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "floor/help_floor.h"
#include "model/model.h"

struct rig_option { /* of a kind; CHOICE by index, BOOL as 0 or 1 */
    const char *key; /* NULL: none */
    double value;
};

struct rig_config {
    const char *encoding;
    const char *c;       /* NULL: rpe; else the kind of C */
    int norm, activation, mask, head; /* mask: index into mask_table */
    bool share, tie, embed_norm;
    int layers, heads, width, ffn, n, samples, channels; /* channels 0: tokens */
    int symbols, labels;
    int numbers; /* channels of outputs; 0: as inputs have, or labels; -1: labels of numbers */
    struct rig_option option[2]; /* of the encoding */
    const char *normaliser;      /* NULL: softmax */
    struct rig_option weights[2]; /* of the normaliser */
    struct rig_option seen[2];    /* of the mask; others are small beside a rig */
    int shortest;        /* sequences have from this many positions to n; 0: n */
    int places;          /* random positions among so many; 0: 0 to n-1 */
    const char *space;   /* NULL: sequence.  Spaces of a size of their own have their default one */
    void (*change)(struct model_config *m); /* what else is set before the model is opened */
};

/* gelu, pre-norm, two layers, odd sizes. */
struct rig_config rig_default(const char *encoding, const char *c, int mask);

struct rig {
    struct rig_config config;
    struct model_config model_config;
    struct model model;
    struct space_config space;
    struct layout layout; /* the longest */
    struct model_state state;
    struct workspace *w;
    struct batch batch;
    struct arena arena;
    real *p, *g, *dstate, *x, *dx, *y, *cotangent;
    int32_t *token;
    int rows, outputs;
};
/* False when the encoding is not defined for this mask and space (the rig is then not open). */
bool rig_open(struct rig *r, const struct rig_config *c, uint64_t seed);
void rig_close(struct rig *r);
/* Replaces every parameter by its initial value plus N(0, deviation): tables far from their start. */
void rig_perturb(struct rig *r, uint64_t seed, double deviation);
void rig_forward(struct rig *r);                 /* fills y */
double rig_loss(struct rig *r);                  /* sum of cotangent * y after a forward pass */
void rig_backward(struct rig *r);                /* fills g, dx; after a forward pass */

/* Parameters drawn far from their start. */
void help_random_parameters(const struct model *m, struct stream *s, real *p);
/* y (rows,channels of the set) of a network whose parameters are drawn far from their start; longest:
 * the layout that has all relations of samples of as many positions.  Those of other lengths are in passes
 * of their own. */
void help_random_network(const struct model_config *config, const struct layout *trained,
                         const struct floor_set *set, const struct layout *longest,
                         struct stream *s, double *y);

/* EQUAL as in test_soundness.c, for up to 6 layers: outputs that are no further apart, relative to the
 * largest one, are equal. */
#define HELP_EQUAL (0x1p16 * REAL_EPSILON)
enum { HELP_NETWORK_ROWS = 1024, HELP_NETWORK_CHANNELS = 2 };
/* Adds the set's pairs of rows to *out: merged and of these broken by one of five random networks of
 * the configuration, of 2 to 6 layers; apart and of these told apart by none.  Stream `purpose`. */
struct help_pairs {
    long merged, broken, apart, unseen;
};
void help_count_pairs(const char *purpose, uint64_t seed, const struct model_config *m,
                      struct help_set *set, const int32_t *group, struct help_pairs *out);
/* A model with this change is refused on grids and graphs. */
void help_lines_only(void (*change)(struct model_config *m));

#ifdef REAL_DOUBLE
/* The gradient of every tensor and of the input of a perturbed rig against central differences; fails
 * the test where they differ.  False: the model is not defined there. */
bool rig_check_gradient(const struct rig_config *c, const char *what);
/* The same along one direction in which all parameters and inputs move at once: cheap. */
bool rig_check_direction(const struct rig_config *c, const char *what);
#endif

#endif

/* From a construction to the weights of an ordinary model: norm none, relu, linear head.
 *
 * A construction speaks of registers (channels of the residual stream), tables (a B and a C by
 * relation, each a head of its own, because tables may be shared by all layers), layers, and in a
 * layer of value and score channels of heads and of ReLU units:
 *
 *   head  to += weight * sum_j M_ij from_j       M_ij = kernel[relation(i,j)] * row[i]
 *         or, with scores, the softmax of sum weight * query_i key_j in the place of M
 *   unit  relu(sum weight * from + bias), then to += weight * unit
 *
 * Sizes follow from what was said: layers, heads = tables, head width = the most channels of a
 * head, ffn = the most units of a layer.  A fixed bias (ALiBi's) depends on the number of heads, so
 * a construction is made for given heads and head width and made again until they agree.
 *
 * Invariant: an entry names its place by register, head, channel and unit, never by an offset;
 * offsets come from the model's descriptor table when the weights are written. */
#ifndef WITNESS_CONSTRUCT_H
#define WITNESS_CONSTRUCT_H
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "witness/rest.h"

/* Stands for a register whose value is 1, wherever a form reads one. */
enum { CONSTRUCT_ONE = -1 };
/* Results of what may not be expressible, beside 0 and negative error codes. */
enum { CONSTRUCT_UNKNOWN = 1 };
enum { CONSTRUCT_TABLES_MAX = 64 };

/* B that hides a pair: below it the exponential is 0 in either precision. */
#define CONSTRUCT_HIDDEN (-1000.0)

struct construct_table {
    int head;
    const double *b; /* (relations) asked for, or NULL: what the encoding has at rest */
    const double *c; /* (relations), or NULL: as at rest */
    double scale;    /* on every value channel: what C at rest lacks */
    double *row;     /* (n) M_ij = kernel * row[i]; 0 where row i sees no key or is not softmax's */
    double range;    /* of the bias: what a score must beat */
    int values, scores; /* channels used in the current layer */
};

struct construct_entry;

struct construct {
    const struct model_config *model;
    struct model_io io;
    const struct layout *layout;
    struct encoding_shape shape; /* that the construction is made for */
    struct rest rest;
    bool *seen;                  /* (relations) some pair that is seen has it */
    bool *blind;                 /* (n) the position sees none */
    bool softmax;                /* rows are those of softmax: the only ones that are written again here */
    bool whole;                  /* every position sees every other */
    int *step;                   /* (relations) j - i; NULL on a layout without axes */
    struct arena arena;

    int registers, layers, units;
    int slots_max, units_max;
    struct construct_table table[CONSTRUCT_TABLES_MAX];
    int tables;
    int *order;                  /* (heads) least biased first */
    struct construct_entry *entry;
    size_t entries;
    int code;                    /* the first failure of a call that returns nothing */
    struct err err;
};

/* For heads x head_width.  ERR_USAGE where model_check refuses that.  Nothing can be constructed
 * unless c->rest.known. */
int construct_open(struct construct *c, const struct model_config *m, const struct model_io *io,
                   const struct layout *trained, int heads, int head_width, struct err *e);
void construct_close(struct construct *c);
bool construct_sees(const struct construct *c, int i, int j);
/* sum over the j that i sees of kernel[relation(i,j)] * factor. */
double construct_row_sum(const struct construct *c, int i, const double *kernel, double factor);
/* Whether x (n) is the same but for rounding at all positions that see a key; *value: that number, 0
 * where none sees any. */
bool construct_same(const struct construct *c, const double *x, double *value);

/* `count` new registers, 0 at the start of the stream; returns the first. */
int construct_registers(struct construct *c, int count);
/* Start of the stream: register += weight * input channel, or += weight where the token is symbol
 * `input`.  CONSTRUCT_ONE: at every position (continuous inputs only). */
void construct_embed(struct construct *c, int input, int reg, double weight);
/* Start of the stream: register of position i += value; only where rest.places. */
void construct_place(struct construct *c, int position, int reg, double value);
/* Output channel or label += weight * register. */
void construct_output(struct construct *c, int output, int reg, double weight);

/* A head whose M is kernel (relations) times a factor of the row: through C, which also undoes the
 * bias that the encoding has at rest.  Or one whose logits are b (relations): then the kernel is
 * e^b, rows sum to 1 and no C is needed.  Or neither: the softmax of the bias at rest.  *table is
 * set, or CONSTRUCT_UNKNOWN returned where encoding, C or normaliser cannot do it.  Arrays are
 * copied. */
int construct_table(struct construct *c, const double *b, const double *kernel, int *table);
/* A head with the weights that the normaliser, whichever it is, makes of logits b, or of those at
 * rest (NULL). */
int construct_weights(struct construct *c, const double *b, int *table);

/* Whether the encoding's table has a row for each different value of b (relations). */
bool construct_can_bias(const struct construct *c, const double *b);
/* The head that the next table gets. */
int construct_next_head(const struct construct *c);
/* Whether C at rest is a number for the next table's head; *factor: one over it. */
bool construct_level(const struct construct *c, double *factor);
/* Logits at rest (relations) of the head that the next table gets. */
const double *construct_rest(const struct construct *c);
/* Forgets the last table, which nothing may have used. */
void construct_drop(struct construct *c);

/* Layers follow one another: heads act first, then units. */
void construct_layer(struct construct *c);
void construct_value(struct construct *c, int table, int from, int to, double weight);
void construct_score(struct construct *c, int table, int query, int key, double weight);
int construct_unit(struct construct *c);
void construct_unit_in(struct construct *c, int unit, int from, double weight);
void construct_unit_out(struct construct *c, int unit, int to, double weight);

/* Sizes that the construction needs; equal to those it was made for when it is done. */
void construct_sizes(const struct construct *c, int *heads, int *head_width);
/* The configuration of the model that the weights fit. */
void construct_config(const struct construct *c, struct model_config *out);
/* Overwrites the parameter block p, of the model's precision, of a model of that configuration. */
void construct_write(const struct construct *c, const struct model *m, void *p);

#endif

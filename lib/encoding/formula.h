/* A user's formula in Lua as a tape: recorded once, with marked values in place of parameters, then
 * evaluated here, with gradients, as often as training likes.  Private to this folder.
 *
 *   Lua, in a process that can be ended       here
 *   -a[h] * math.log(1 + math.abs(d))  -->    c0 = 1 + |d|, p0 = a[h]:  neg p0; mul . log c0
 *
 * Values are recorded for each head and relation, or what else a formula is of.  Those with the same operations share a program, in
 * which only the constants and which parameters are meant differ.
 *
 * Invariant: a formula cannot branch on a parameter (comparing one is an error), so its tape is the
 * formula for all values of the parameters, and a step needs no Lua.  What a comparison cannot catch
 * (a == 0 is false without a question) is tried: the tape must give what Lua gives with plain numbers
 * for the parameters. */
#ifndef ENCODING_FORMULA_H
#define ENCODING_FORMULA_H
#include "encoding/encoding.h"
#include "lua/sandbox.h"

enum { FORMULA_NAME_MAX = 16, FORMULA_OPS_MAX = 4096, FORMULA_BLOCK = 64 };

/* ---- parameters -------------------------------------------------------------------------------*/
enum formula_per { FORMULA_HEAD, FORMULA_MODEL, FORMULA_LAYER };
struct formula_parameter {
    char name[FORMULA_NAME_MAX];
    enum formula_per per; /* head: name[h]; model, layer: name */
    int size;             /* numbers in each, name[h][k]; 0: one, without an index */
    double start, std;    /* N(start, std^2), or */
    double low, high;     /* uniform, where low < high */
    bool table;           /* train.table_lr applies */
    int first, count;     /* in the vector of all parameters */
};
/* Reads `map` ("{a: 1, b: {start: 0.1, std: 0.02}}") and returns how many; -1 with e filled, e->where
 * `key`.  heads 0: the formula knows no heads, and parameters are per model. */
int formula_parameters(const char *key, const char *map, int heads,
                       struct formula_parameter out[ENCODING_TENSORS_MAX], struct err *e);
/* Their tensors, one each; returns `count`. */
int formula_tensors(const struct formula_parameter *p, int count, int heads,
                    struct encoding_tensor out[ENCODING_TENSORS_MAX]);

/* ---- the tape ---------------------------------------------------------------------------------*/
enum formula_op {
    FORMULA_CONSTANT, /* a: which of the element's constants */
    FORMULA_PARAMETER, /* a: which of the element's parameters */
    FORMULA_ADD, FORMULA_SUB, FORMULA_MUL, FORMULA_DIV, FORMULA_POW, FORMULA_MAX, FORMULA_MIN,
    FORMULA_ATAN2, /* a, b: operations before */
    FORMULA_NEG, FORMULA_ABS, FORMULA_SQRT, FORMULA_EXP, FORMULA_LOG, FORMULA_SIN, FORMULA_COS,
    FORMULA_TAN, FORMULA_ASIN, FORMULA_ACOS
};
struct formula_step {
    int32_t op, a, b;
};
struct formula_program {
    int32_t steps, constants, parameters, elements;
    struct formula_step *step; /* (steps); the last is the value */
    int32_t *element;          /* (elements) where the value goes: group * items + item */
    double *constant;          /* (elements, constants) */
    int32_t *parameter;        /* (elements, parameters) index into the vector of all */
};
struct formula_domain;
struct formula {
    const struct formula_domain *domain;
    int programs, numbers; /* numbers: of all parameters */
    int groups, items, n;  /* of the domain, and positions, that it was recorded for */
    int size[ENCODING_TENSORS_MAX]; /* of each parameter's tensor */
    struct formula_program *program;
    int32_t *class;        /* (items) equal: one function of the parameters in every group; the least item of these */
    bool of_length;        /* what an item is at one length it is not at others */
    double *value, *slope; /* (longest program, FORMULA_BLOCK) scratch */
    double *p, *dp;        /* (numbers) scratch */
};
/* Values of elements first .. first+count-1 (at most FORMULA_BLOCK) to value (steps, FORMULA_BLOCK);
 * and back, from slope of the last step to that of all, which it overwrites. */
void formula_run(const struct formula_program *x, int first, int count, const double *p,
                 double *value);
void formula_run_back(const struct formula_program *x, int first, int count, const double *value,
                      double *slope);
/* All values, state (groups,items), from c->parameter; and c->gradient from c->dstate.  Both as the
 * hooks of struct encoding, with c->code a struct formula. */
void formula_prepare(const struct encoding_context *c, real *state);
void formula_prepare_backward(const struct encoding_context *c);
/* The class of a pair, of all lengths, where the formula does not read n; else n keeps them apart.  Without
 * a tape the layout's own relation, as fine as d itself (graphs). */
int64_t formula_relation(const struct encoding_context *c, int i, int j);

/* ---- what a formula is of ---------------------------------------------------------------------*/
enum { FORMULA_VARIABLES_MAX = 10 };
struct formula_variable {
    const char *name;
    bool shown;     /* in messages about a place */
    bool of_head;   /* a declared relation does not know it */
};
/* One value for each group and item. */
struct formula_domain {
    const char *variables; /* for messages */
    int (*groups)(const struct encoding_context *c);
    int64_t (*items)(const struct encoding_context *c);
    int (*names)(const struct layout *l, struct formula_variable out[FORMULA_VARIABLES_MAX]);
    /* Values of these variables. */
    void (*values)(const struct encoding_context *c, int group, int item,
                   double out[FORMULA_VARIABLES_MAX]);
    /* Nobody looks there, and a formula need not be defined.  NULL: everywhere somebody does. */
    bool (*hidden)(const struct encoding_context *c, int item);
    /* Of a sequence: one number for the item at every length, smaller where shorter ones have it too.
     * NULL: formulas of this say nothing of pairs. */
    int64_t (*number)(const struct encoding_context *c, int item);
};
/* heads x relations; heads x (i,j); places x channels. */
extern const struct formula_domain formula_of_relations, formula_of_pairs, formula_of_places;
/* Of pairs where the text reads i or j, which nodes of graphs have not; else of relations. */
const struct formula_domain *formula_domain_of(const char *text, const struct encoding_shape *s);
/* Whether the text reads any of the variables; false where it is not Lua. */
bool formula_reads(const char *text, const char *const *names, int count);

/* ---- recording --------------------------------------------------------------------------------*/
struct formula_source {
    const struct formula_domain *domain;
    const struct encoding_context *context; /* for context->layout */
    const char *key, *text;
    /* Items where this has one value have one value of the formula, the user says; "": nothing is said. */
    const char *relation_key, *relation;
    const struct formula_parameter *parameter;
    int parameters;
};
/* Records the formula; ERR_USAGE with what is wrong with it and where, e->where one of the keys.  What
 * has been recorded in this process before is not recorded again. */
int formula_open(const struct formula_source *s, struct arena *arena, struct formula **out,
                 struct err *e);
/* In a process of its own: records the source and sends a struct formula_answer, and where that says
 * no error its bytes (formula_open.c reads them). */
void formula_record(void *source, int fd);
struct formula_answer {
    struct err err;
    int programs;
    size_t bytes;
};
extern const struct sandbox_limits formula_limits;
enum { FORMULA_CHUNK_MAX = 64 };
/* As Lua names the text of `key` in messages: "=bias" of "model.encoding.bias". */
void formula_chunk(const char *key, char out[FORMULA_CHUNK_MAX]);
/* Whether it is Lua at all; runs none of it. */
int formula_check(const char *key, const char *text, struct err *e);

#endif

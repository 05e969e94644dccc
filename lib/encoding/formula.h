/* A user's formula in Lua as a tape: recorded once, with marked values in place of parameters, then
 * evaluated here, with gradients, as often as training likes.  Private to this folder.
 *
 *   Lua, in a process that can be ended       here
 *   -a[h] * math.log(1 + math.abs(d))  -->    c0 = 1 + |d|, p0 = a[h]:  neg p0; mul . log c0
 *
 * Values are recorded for each head and relation.  Those with the same operations share a program, in
 * which only the constants and which parameters are meant differ.
 *
 * Invariant: a formula cannot branch on a parameter (comparing one is an error), so its tape is the
 * formula for all values of the parameters, and a step needs no Lua.  What a comparison cannot catch
 * (a == 0 is false without a question) is tried: the tape must give what Lua gives with plain numbers
 * for the parameters. */
#ifndef ENCODING_FORMULA_H
#define ENCODING_FORMULA_H
#include "encoding/encoding.h"

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
/* Reads `map` ("{a: 1, b: {start: 0.1, std: 0.02}}") and returns how many; -1 with e filled. */
int formula_parameters(const char *map, int heads,
                       struct formula_parameter out[ENCODING_TENSORS_MAX], struct err *e);

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
    int32_t *element;          /* (elements) where the value goes: head * relations + relation */
    double *constant;          /* (elements, constants) */
    int32_t *parameter;        /* (elements, parameters) index into the vector of all */
};
struct formula {
    int programs, numbers; /* numbers: of all parameters */
    struct formula_program *program;
    int32_t *class;        /* (relations) equal: the same tape in every head */
    double *value, *slope; /* (longest program, FORMULA_BLOCK) scratch */
    double *p, *dp;        /* (numbers) scratch */
};
/* Values of elements first .. first+count-1 (at most FORMULA_BLOCK) to value (steps, FORMULA_BLOCK);
 * and back, from slope of the last step to that of all, which it overwrites. */
void formula_run(const struct formula_program *x, int first, int count, const double *p,
                 double *value);
void formula_run_back(const struct formula_program *x, int first, int count, const double *value,
                      double *slope);

/* Records the formula for c->layout; ERR_USAGE with what is wrong with it and where, e->where
 * `key`. */
int formula_open(const struct encoding_context *c, const char *key, const char *text,
                 const struct formula_parameter *parameter, int parameters, struct arena *arena,
                 struct formula **out, struct err *e);
/* Whether it is Lua at all; runs none of it. */
int formula_check(const char *key, const char *text, struct err *e);

#endif

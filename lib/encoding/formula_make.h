/* What records a formula, in a process of its own (formula.c).  Private to the formula's files. */
#ifndef ENCODING_FORMULA_MAKE_H
#define ENCODING_FORMULA_MAKE_H
#include "encoding/formula_record.h"

struct place { /* of an element: its program, and its number there; -1 where nobody looks */
    int32_t program, number;
};
struct maker {
    struct recording *recording; /* first: recording_open finds it here */
    const struct encoding_context *context;
    const struct formula_domain *domain;
    struct formula_variable name[FORMULA_VARIABLES_MAX];
    int names;
    const char *key, *text, *declared_key, *declared; /* key: what errors are about */
    char chunk[FORMULA_CHUNK_MAX];
    const struct formula_parameter *parameter;
    int parameters, function; /* function: its place on Lua's stack */
    struct formula out;       /* arrays that grow */
    struct place *place;      /* (groups, items) */
    struct err err;           /* of memory */
    bool *used;               /* (numbers) the tape reads it somewhere */
};

/* Leaves a function of the text on the stack, whose variables are upvalues; a declared relation knows
 * neither parameters nor heads. */
void maker_push_function(lua_State *L, const struct maker *m, const char *text, bool declared);
void maker_set_parameters(lua_State *L, struct maker *m);
/* Calls m->function there; its one value, a number or a recorded one, stays on the stack. */
void maker_call(lua_State *L, struct maker *m, int group, int item);
/* Raises m->err where code says so. */
void maker_need(lua_State *L, struct maker *m, int code);
/* "d = 3, h = 1" of an element. */
void maker_show(const struct maker *m, int element, char *out, size_t size);
/* Raises what is wrong with the tape: not finite, another function than plain Lua, or gradients that
 * disagree with differences, at starts that are drawn three times. */
void maker_try(lua_State *L, struct maker *m);
/* Joins classes of items where the declared relation has one value; raises a counterexample. */
void maker_declare(lua_State *L, struct maker *m);

#endif

/* Recording one value of a formula: Lua with marked values in place of parameters.  Private to the
 * formula's own files. */
#ifndef ENCODING_FORMULA_RECORD_H
#define ENCODING_FORMULA_RECORD_H
#include <lua.h>

#include "encoding/formula.h"

struct recording {
    const struct formula_parameter *parameter;
    int parameters;
    const char *variables; /* for messages: what it may know */
    const double *plain; /* numbers in place of marked values; NULL: marked */
    struct formula_step step[FORMULA_OPS_MAX];
    double constant[FORMULA_OPS_MAX];
    int32_t index[FORMULA_OPS_MAX]; /* of the parameters that are read */
    int steps, constants, indices;
};
/* Readies the globals of a state whose sandbox_argument begins with a struct recording *: operators
 * and math that record, and unknown names that are errors. */
void recording_open(lua_State *L, struct recording *r);
/* The global that the code sees as a parameter, as r->plain says. */
void recording_push_parameter(lua_State *L, struct recording *r, int number);
/* The value on top of the stack as the last step, popped.  The steps that it
 * does not depend on are removed. */
void recording_finish(lua_State *L, struct recording *r);

#endif

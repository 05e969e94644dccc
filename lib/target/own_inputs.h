/* Inputs of the user's own, space.inputs.lua: tokens that a line of Lua makes of uniform ones, of the
 * sample's number, and of named random numbers. */
#ifndef TARGET_OWN_INPUTS_H
#define TARGET_OWN_INPUTS_H
#include "target/target.h"

/* Compiles the line and runs nothing; ERR_USAGE. */
int own_inputs_check(const struct space_config *s, bool tokens, struct err *e);

/* symbols 0: tokens are numbers.  purpose and seed as those of the stream whose samples they are; purpose
 * must outlive it, and so must s. */
struct own_inputs;
int own_inputs_open(struct own_inputs **out, const struct space_config *s, int symbols,
                    const char *purpose, uint64_t seed, struct err *e);
/* Replaces x (n,d), or token (n), of sample `number`; ERR_EVALUATION. */
int own_inputs_fill(struct own_inputs *o, uint64_t number, int n, int d, double *x, int32_t *token,
                    struct err *e);
void own_inputs_close(struct own_inputs *o); /* NULL is fine */

#endif

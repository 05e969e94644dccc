/* The user's own function in Lua, in a process that can be ended whatever it does.  Private to
 * lib/target. */
#ifndef TARGET_USER_CODE_H
#define TARGET_USER_CODE_H
#include <stdint.h>

#include "lua/process.h"

struct user_code {
    int labels; /* more than 0: x are symbols, and y labels below this, -1 where there is none */
    const char *name, *before; /* as sandbox_compile wants them */
    const char *text;
    size_t count;
    bool file; /* it gives a function of the whole sequence; otherwise an expression in x, i, c */
    const struct sandbox_limits *limits;
    const char *value;  /* what it gives, in messages; NULL: "y" */
    const char *purpose; /* of its named random numbers, of stream `number`; NULL: it has none, nor k */
    uint64_t seed, number;
    struct child child; /* runs from the first call to user_code_close */
    int *at;            /* shared with it: the sample that it evaluates */
};
/* y of `count` samples, sample k of n[k] positions, from x, both [positions of all samples, d]; a
 * batch costs one round trip.  ERR_EVALUATION with what is wrong with sample *failed. */
int user_code_evaluate(struct user_code *s, int count, const int *n, int d, const double *x,
                       double *y, int *failed, struct err *e);
void user_code_close(struct user_code *s);

#endif

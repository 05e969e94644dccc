/* What no single key can be blamed for before a whole cell is known. */
#ifndef SPEC_CHECK_H
#define SPEC_CHECK_H
#include "base/memory.h"
#include "train/train.h"

/* Remembers the layouts of the last cell, since most neighbours share their space. */
struct checker {
    struct arena arena;
    bool ready;
    struct space_config space;
    int longest;
    struct layout trained, evaluated;
    struct tried_code { /* what the user's code was last tried on; zeros before */
        struct target_config target;
        struct space_config space;
        struct option_ints lengths;
        int precision;
    } tried;
};
int checker_open(struct checker *c, struct err *e);
void checker_close(struct checker *c);

/* Sorts evaluate.lengths, adds the training length n, drops what is there twice. */
int lengths_complete(struct evaluate_config *c, int64_t n, struct err *e);
/* Checks orbit, target and model of a task whose sections are resolved.  ERR_USAGE; e->where names
 * the key concerned. */
int check_task(struct checker *c, const struct task *t, struct err *e);
/* Runs a target that is the user's code on a few samples of a checked task, so that what is wrong
 * with it is found before anything is trained: ERR_USAGE. */
int check_code(struct checker *c, const struct task *t, struct err *e);
/* Whether a checked task has few enough parameters for train.polish: ERR_USAGE. */
int check_polish(const struct checker *c, const struct task *t, struct err *e);

#endif

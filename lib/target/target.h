/* Targets: the functions that models are asked to express.  One file each (small relatives may
 * share one), one line in target_table.  Positions i count from 1 in formulas and from 0 in code.
 * A target is evaluated in double from inputs that are exact in float. */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/option.h"
#include "space/space.h"

/* What goes in and out, where it depends on the configuration. */
struct target_form {
    bool tokens;  /* inputs are symbol ids, else numbers */
    bool labels;  /* outputs are labels, else numbers */
    bool partial; /* some positions do not count: struct samples says which */
    bool pooled;  /* a sample has one output */
    bool edges, lengths; /* of a file: it has them */
    int outputs;  /* channels of y; 0: as many as x has */
    /* Of a file: positions, channels of x (0: symbols), how many symbols and labels there are. */
    int n, channels, symbols, classes;
    int64_t samples; /* in the part that is evaluated */
};

struct target_config {
    struct kind_config kind;
    int64_t vocab; /* V: symbols of token targets; ignored by continuous ones and by bytes */
    struct target_form found; /* what target_finish found in a file; zeros for most */
};

/* Where a sample goes: n rows of x or token, and of y or label; counts (n), zero, becomes 1 where a
 * position counts (NULL: all do). */
struct target_rows {
    int n;
    double *x, *y;
    int32_t *token, *label;
    unsigned char *counts;
};
enum { TARGET_NO_LABEL = -1 }; /* of a position that does not count */

/* What is known of a sample beside its inputs. */
struct target_sample {
    const void *state; /* of `open` */
    const struct target_config *config;
    const struct layout *layout;
    int n; /* the layout's */
};
static inline struct target_sample target_sample(const void *state, const struct target_config *c,
                                                 const struct layout *l)
{
    return (struct target_sample){state, c, l, l->n};
}

struct target {
    const char *name, *formula, *summary, *citation;
    const struct option *options; /* ended by a NULL key; NULL: none */
    bool tokens;                  /* inputs are symbol ids and outputs labels */
    bool bytes;                   /* the symbols are the 256 bytes, whatever vocab says */
    /* Where it is not `tokens` alone that says what goes in and out; NULL: it is. */
    void (*form)(const struct target_config *c, struct target_form *out);
    /* Reads what the form depends on into c->found, which is zero.  NULL: nothing. */
    int (*finish)(struct target_config *c, struct err *e);
    unsigned needs;               /* TARGET_NEEDS_..., what the layout must have */
    int (*check)(const struct target_config *c, const struct space_config *s, struct err *e);
    /* Steps of about a nanosecond that a sample takes, about; NULL: too few to be priced. */
    double (*work)(const struct target_config *c, const struct space_config *s);
    /* Precomputes what does not depend on the sample (random matrices, filters) for layouts of up
     * to `n` positions; NULL: nothing.  *state lives in arena. */
    int (*open)(const struct target_config *c, const struct space_config *s, int n,
                struct arena *arena, void **state, struct err *e);
    /* Gives up what the state holds besides memory; NULL: nothing. */
    void (*close)(const void *state);
    /* Continuous: y (n,d) from x (n,d); overwrites y, which may not alias x. */
    int (*evaluate)(const struct target_sample *t, int d, const double *x, double *y, struct err *e);
    /* The same for `count` samples one after another, n[k] positions each, where a call costs much;
     * *failed is the first that went wrong.  NULL: a call for each. */
    int (*evaluate_all)(const void *state, int count, const int *n, int d, const double *x,
                        double *y, int *failed, struct err *e);
    /* Tokens: label (n) from symbol ids x (n) in 0..V-1; overwrites, no aliasing.  With a form that is
     * partial TARGET_NO_LABEL where a position does not count. */
    int (*label)(const struct target_sample *t, const int32_t *x, int32_t *label, struct err *e);
    /* Tokens, instead of `label`: for targets that bring inputs of their own.  Fills x (n) and label
     * (n) of sample `number` of the `count` that an evaluation set has; count 0: of a training
     * sample, drawn from `random`.  The two never share a token. */
    int (*draw)(const struct target_sample *t, struct stream *random, uint64_t number, uint64_t count,
                int32_t *x, int32_t *label, struct err *e);
    /* Instead of all of these: samples that lie ready.  Which of them is sample `number` of the
     * `count` that an evaluation set has; count 0: one to train on, drawn from `random`. */
    int64_t (*pick)(const void *state, struct stream *random, uint64_t number, uint64_t count);
    int64_t (*available)(const void *state); /* how many an evaluation set has at most */
    /* Sample `index`, as it lies there, and its pairs of positions where the space is given by them
     * (space.h): *pairs of them; NULL: there are none. */
    void (*take)(const void *state, int64_t index, const struct target_rows *out);
    const int32_t *(*pairs)(const void *state, int64_t index, int64_t *pairs);
    int (*length)(const void *state, int64_t index); /* positions of it, on a line */
    /* Tokens: sizes for layouts of n positions. */
    int (*labels)(const struct target_config *c, int n);
    int (*symbols)(const struct target_config *c); /* embedding rows; NULL: V */
    /* The key that holds the user's own code ("target.y"), which can fail on any sample: it is tried
     * before anything is trained.  NULL: there is none. */
    const char *(*code_key)(const struct target_config *c);
    /* Tokens: whether the label at position i carries information; NULL: all do. */
    bool (*informative)(const struct target_config *c, const struct layout *l, int i);
};

enum {
    TARGET_NEEDS_ORDER = 1,  /* one axis: left and right */
    TARGET_NEEDS_AXES = 2,   /* coordinates on one axis or more, so that positions have numbers */
    TARGET_NEEDS_GRID = 4,   /* two axes */
    TARGET_NEEDS_GRAPH = 8,  /* steps and degree */
    TARGET_NEEDS_CAUSAL = 16 /* a model that does not look ahead, for the labels stand there */
};

extern const struct target *const target_table[]; /* NULL-terminated */
extern const struct kind_table target_kinds;
extern const struct option target_options[]; /* rows of section `target`, kind included */
const struct target *target_of(const struct target_config *c);
/* What a target of target_table is akin to: "position", "mixing", ... */
const char *target_family(int kind);
struct target_form target_form(const struct target_config *c);
/* Whether it brings its inputs. */
bool target_brings_inputs(const struct target_config *c);
/* Fills c->found from the files that c names.  ERR_USAGE; e->where names the key concerned. */
int target_finish(struct target_config *c, struct err *e);
/* Whether the target makes sense on the space at its training size: needs, vocab, the target's own
 * check.  ERR_USAGE; e->where names the key concerned ("target.kind"). */
int target_check(const struct target_config *c, const struct space_config *s, struct err *e);
int target_vocab(const struct target_config *c);   /* V; tokens only */
int target_symbols(const struct target_config *c); /* embedding rows; tokens only */
int target_labels(const struct target_config *c, int n); /* tokens only */

#endif

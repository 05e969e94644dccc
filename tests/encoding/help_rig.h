/* A bench for one encoding's hooks: layouts, random inputs, and a forward and a backward pass that
 * call the hooks as encoding.h says, in blocks of a few rows, with everything a hook must overwrite
 * poisoned before and guards behind what it may write. */
#ifndef TESTS_ENCODING_RIG_H
#define TESTS_ENCODING_RIG_H
#include "base/memory.h"
#include "encoding/encoding.h"

struct layout rig_sequence(struct arena *a, int n);
struct layout rig_grid(struct arena *a, int height, int width);
/* A path 0-1-..-(n-2) and a node n-1 that nothing reaches; relation: distance, or unreachable. */
struct layout rig_graph(struct arena *a, int n);

struct rig_shape {
    int heads, head_width, rows; /* rows: of a block */
    bool causal;
};

struct rig {
    struct arena *arena;
    const struct encoding *entry;
    struct kind_config config;
    struct encoding_shape shape;
    struct layout trained, layout;
    int32_t *fold;
    void *code;
    struct encoding_facts facts;
    int rows, tensors;
    struct encoding_tensor tensor[ENCODING_TENSORS_MAX];
    size_t count[ENCODING_TENSORS_MAX];
    real *parameter[ENCODING_TENSORS_MAX], *gradient[ENCODING_TENSORS_MAX];
    size_t state_size, scratch_size, content_size;
    real *state, *dstate, *scratch;
    bool prepared;              /* state is another bench's and stays as it is */
    int stride;                 /* of q, k, dq, dk: more than width */
    real *q, *k, *p, *x;        /* p (heads,n,n), 0 where the mask hides */
    real *turned_q, *turned_k;  /* after query_key */
    real *s, *o, *y;            /* logits (heads,n,n), value sums and inputs (n,width) */
    real *gs, *go, *gy;         /* the loss is gs.s + go.o + gy.y, gs 0 where the mask hides */
    real *dq, *dk, *dp;
    real *content, *dcontent, *dx; /* content (n,content_size) is of x */
};

/* The default configuration of an entry changed by "key=value,key=value". */
void rig_configure(const struct encoding *entry, const char *options, struct kind_config *out);
/* False when encoding_check's generic rules or the entry's own check refuse. */
bool rig_open(struct rig *g, struct arena *a, const struct encoding *entry, const char *options,
              const struct layout *trained, const struct layout *layout, struct rig_shape shape,
              uint64_t seed);
double rig_forward(struct rig *g); /* the loss */
void rig_backward(struct rig *g);  /* after rig_forward */
bool rig_visible(const struct rig *g, int i, int j);
double rig_option(const struct rig *g, const char *key);
const real *rig_parameter(const struct rig *g, const char *name);
struct encoding_context rig_context(const struct rig *g);
int64_t rig_relation(const struct rig *g, int i, int j);
double rig_uniform(uint64_t *seed); /* on [-1,1) */
/* The entry of the table; fails the test when there is none. */
const struct encoding *rig_entry(const char *name);

/* The contract that every entry must meet (see help_contract.c); false when the entry refuses these
 * options on every layout, size and mask. */
bool contract_check(const struct encoding *entry, const char *options);
#endif

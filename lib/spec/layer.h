/* What a part of a spec says, as assignments of nodes to slots: the sections, one case, one value
 * of a grid axis, one --set.
 *
 * Invariant: a layer is a run of neighbours in one pool, applied in order; NULL as a value means
 * "back to the default".  A key below the sections is replaced as a whole (model.encoding: alibi
 * forgets t5's buckets), a section is not (target: pi keeps target.vocab). */
#ifndef SPEC_LAYER_H
#define SPEC_LAYER_H
#include "spec/keys.h"
#include "spec/node.h"

struct assignment {
    int slot;
    const struct node *value;
};
struct layers {
    const struct keys *keys;
    struct assignment *item; /* owned */
    int count;
};
struct layer {
    int first, count;
};

/* Appends to the pool what `key: value` assigns; `at` is where the key stands.  Checks keys, not
 * yet values: ERR_USAGE for an unknown key or a map that is none. */
int layer_assign(struct layers *l, const char *key, const struct node *at,
                 const struct node *value, struct err *e);
/* Checks every value by its row; for an option of kinds, it must suit one of them. */
int layer_check(const struct layers *l, struct layer layer, struct err *e);
void layer_apply(const struct layers *l, struct layer layer, const struct node **state);
/* What the layer leaves in a slot; NULL when it clears it or says nothing of it. */
const struct node *layer_final(const struct layers *l, struct layer layer, int slot);
/* Whether two layers assign the same values to the same slots. */
bool layer_same(const struct layers *l, struct layer a, struct layer b);
/* A map of the user's own names becomes its text in flow style, made in the arena; any other value
 * stays. */
int layer_flatten(const struct keys *k, struct assignment *a, struct arena *arena, struct err *e);
void layers_close(struct layers *l);

#endif

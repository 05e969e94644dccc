/* From slots to configuration structs, and from those to text. */
#ifndef SPEC_RESOLVE_H
#define SPEC_RESOLVE_H
#include "spec/keys.h"
#include "spec/value.h"

/* Fills section `id` of a cell (section_table[id].size bytes, overwritten) from a state: a node or
 * NULL per slot.  absent: the place of a key that is required and missing. */
int section_resolve(const struct keys *k, enum section_id id, const struct node *const *state,
                    const struct node *absent, void *owner, struct err *e);
/* Whether a section's row has a meaning in its owner. */
bool row_applies(const struct option *rows, const struct option *row, const void *owner);

/* One value of a resolved section, in the order of the tables. */
struct leaf {
    char key[KEY_TEXT];       /* "model.encoding.kind", "model.encoding.buckets", "model.heads" */
    const struct option *row; /* of the value itself */
    struct option_value value;
    bool unsaid; /* quiet and at its default: no part of the id, nor of a resolved spec */
};
/* Calls visit for every leaf that has a meaning; stops at the first non-zero return and returns it. */
typedef int (*leaf_visit)(void *context, const struct leaf *leaf);
int section_leaves(enum section_id id, const struct task *t, leaf_visit visit, void *context);
int task_leaves(const struct task *t, leaf_visit visit, void *context); /* of all sections */

#endif

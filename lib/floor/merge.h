/* Colour refinement for attention, behind floor_merge. */
#ifndef FLOOR_MERGE_H
#define FLOOR_MERGE_H
#include <stdint.h>

#include "floor/floor.h"

/* floor_merge_classes with hashes cut down to the bits of hash_mask.  The result is the same for every
 * mask, because equal hashes are only a reason to compare; tests use few bits to see that. */
int merge_pairs(const struct floor_class *const *c, int classes, const struct floor_set *s,
                uint64_t hash_mask, int32_t *group, int *groups, struct err *e);

#endif

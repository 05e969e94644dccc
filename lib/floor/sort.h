/* Sorting rows by a 64-bit key, in time linear in their number. */
#ifndef FLOOR_SORT_H
#define FLOOR_SORT_H
#include <stddef.h>
#include <stdint.h>

struct sort_item {
    uint64_t key;
    int32_t row;
};

/* Sorts item (count) by key; equal keys keep their order.  scratch (count) is overwritten. */
void sort_items(struct sort_item *item, struct sort_item *scratch, size_t count);

#endif

/* Rows by a 64-bit key. */
#ifndef FLOOR_SORT_H
#define FLOOR_SORT_H
#include <stddef.h>
#include <stdint.h>

struct sort_item {
    uint64_t key;
    int32_t row;
};

/* Sorts item (count) by key, and by row where keys are equal. */
void sort_items(struct sort_item *item, size_t count);

#endif

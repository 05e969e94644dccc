/* Sorting (sort.h). */
#include "floor/sort.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct sort_item *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key ? 1 : -1) : (x->row > y->row) - (x->row < y->row);
}

void sort_items(struct sort_item *item, size_t count)
{
    qsort(item, count, sizeof *item, compare);
}

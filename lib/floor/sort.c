/* Least-significant-digit radix sort (sort.h). */
#include "floor/sort.h"

#include <string.h>

enum { DIGIT_BITS = 11, DIGIT_VALUES = 1 << DIGIT_BITS, KEY_BITS = 64 };

static size_t digit_of(uint64_t key, int shift)
{
    return (size_t)(key >> shift) & (DIGIT_VALUES - 1);
}

/* A stable pass over one digit. */
static void sort_digit(const struct sort_item *from, struct sort_item *to, size_t count,
                       int shift)
{
    size_t start[DIGIT_VALUES] = {0};
    for (size_t k = 0; k < count; k++)
        start[digit_of(from[k].key, shift)]++;
    size_t sum = 0;
    for (size_t v = 0; v < DIGIT_VALUES; v++) {
        size_t here = start[v];
        start[v] = sum;
        sum += here;
    }
    for (size_t k = 0; k < count; k++)
        to[start[digit_of(from[k].key, shift)]++] = from[k];
}

void sort_items(struct sort_item *item, struct sort_item *scratch, size_t count)
{
    uint64_t differ = 0;
    for (size_t k = 1; k < count; k++)
        differ |= item[k].key ^ item[0].key;
    struct sort_item *from = item, *to = scratch;
    for (int shift = 0; shift < KEY_BITS; shift += DIGIT_BITS) {
        if (!digit_of(differ, shift))
            continue;
        sort_digit(from, to, count, shift);
        struct sort_item *other = from;
        from = to;
        to = other;
    }
    if (from != item && count)
        memcpy(item, from, count * sizeof *item);
}

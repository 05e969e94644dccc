/* Sorting (sort.h): bytes from the first that counts, in place, and few items by insertion.
 * McIlroy, Bostic and McIlroy 1993, American flag sort. */
#include "floor/sort.h"

#include <stdbool.h>

enum { FEW = 48, BYTES = 12 }; /* of a key, then of the row */

static unsigned digit(const struct sort_item *x, int byte)
{
    return byte < 8 ? x->key >> (56 - 8 * byte) & 255
                    : (uint32_t)x->row >> (24 - 8 * (byte - 8)) & 255;
}

static bool before(const struct sort_item *x, const struct sort_item *y)
{
    return x->key != y->key ? x->key < y->key : x->row < y->row;
}

static void insert_few(struct sort_item *item, size_t count)
{
    for (size_t k = 1; k < count; k++) {
        struct sort_item x = item[k];
        size_t to = k;
        for (; to > 0 && before(&x, &item[to - 1]); to--)
            item[to] = item[to - 1];
        item[to] = x;
    }
}

/* Items that agree in all bytes before this one. */
static void sort_byte(struct sort_item *item, size_t count, int byte)
{
    size_t size[256] = {0}, next[256], end[256];
    if (count <= FEW || byte == BYTES) {
        insert_few(item, count);
        return;
    }
    for (size_t k = 0; k < count; k++)
        size[digit(&item[k], byte)]++;
    for (size_t d = 0, at = 0; d < 256; d++) {
        next[d] = at;
        end[d] = at += size[d];
    }
    for (unsigned d = 0; d < 256; d++)
        while (next[d] < end[d]) {
            unsigned own = digit(&item[next[d]], byte);
            struct sort_item x = item[next[d]];
            item[next[d]] = item[next[own]];
            item[next[own]++] = x;
        }
    for (size_t d = 0, at = 0; d < 256; at = end[d++])
        if (size[d] > 1)
            sort_byte(item + at, size[d], byte + 1);
}

void sort_items(struct sort_item *item, size_t count)
{
    sort_byte(item, count, 0);
}

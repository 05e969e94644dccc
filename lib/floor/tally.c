/* Counts of what a row sees (tally.h): open addressing, at most half full. */
#include "floor/tally.h"

#include "floor/intern.h"

#define TALLY_EMPTY UINT64_MAX

int tally_open(struct tally *t, int longest, struct arena *a, struct err *e)
{
    *t = (struct tally){.slots = 2};
    while (t->slots < 2 * (size_t)longest)
        t->slots *= 2;
    t->key = arena_alloc(a, t->slots, sizeof *t->key, e);
    t->count = arena_alloc(a, t->slots, sizeof *t->count, e);
    t->seen = arena_alloc(a, t->slots, sizeof *t->seen, e);
    t->used = arena_alloc(a, (size_t)longest, sizeof *t->used, e);
    if (!t->key || !t->count || !t->seen || !t->used)
        return ERR_MEMORY;
    for (size_t k = 0; k < t->slots; k++)
        t->key[k] = TALLY_EMPTY;
    return 0;
}

/* Ids are not negative, so no key is TALLY_EMPTY. */
static size_t find_slot(const struct tally *t, int32_t class, int32_t colour, uint64_t *key)
{
    *key = (uint64_t)class << 32 | (uint32_t)colour;
    size_t at = intern_mix(*key) & (t->slots - 1);
    while (t->key[at] != *key && t->key[at] != TALLY_EMPTY)
        at = (at + 1) & (t->slots - 1);
    return at;
}

void tally_set(struct tally *t, const int32_t *class, const int32_t *colour, int count)
{
    for (int k = 0; k < t->keys; k++) {
        t->key[t->used[k]] = TALLY_EMPTY;
        t->count[t->used[k]] = 0;
    }
    t->keys = t->total = 0;
    for (int j = 0; j < count; j++) {
        uint64_t key;
        if (class[j] < 0)
            continue;
        size_t at = find_slot(t, class[j], colour[j], &key);
        if (t->key[at] == TALLY_EMPTY) {
            t->key[at] = key;
            t->used[t->keys++] = at;
        }
        t->count[at]++;
        t->total++;
    }
}

bool tally_matches(struct tally *t, const int32_t *class, const int32_t *colour, int count,
                   bool multiples)
{
    bool match = true;
    int total = 0;
    for (int j = 0; j < count && match; j++) {
        uint64_t key;
        if (class[j] < 0)
            continue;
        size_t at = find_slot(t, class[j], colour[j], &key);
        match = t->key[at] == key;
        if (match)
            t->seen[at]++;
        total++;
    }
    match = match && (total == t->total || (multiples && total && t->total));
    /* Multiples of each other: count / their sum == seen / their sum, without division. */
    for (int k = 0; k < t->keys; k++) {
        size_t at = t->used[k];
        match = match && (int64_t)t->seen[at] * t->total == (int64_t)t->count[at] * total;
        t->seen[at] = 0;
    }
    return match;
}

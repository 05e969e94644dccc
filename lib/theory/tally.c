/* Counts of what a row sees (tally.h): open addressing, at most half full. */
#include "theory/tally.h"

#include "base/memory.h"
#include "theory/intern.h"

#define TALLY_EMPTY UINT64_MAX

int tally_open(struct tally *t, int longest, struct err *e)
{
    *t = (struct tally){.slots = 2};
    while (t->slots < 2 * (size_t)longest)
        t->slots *= 2;
    t->key = memory_alloc(t->slots, sizeof *t->key, e);
    t->count = memory_alloc(t->slots, sizeof *t->count, e);
    t->seen = memory_alloc(t->slots, sizeof *t->seen, e);
    t->used = memory_alloc((size_t)longest, sizeof *t->used, e);
    if (!t->key || !t->count || !t->seen || !t->used)
        return ERR_MEMORY;
    for (size_t k = 0; k < t->slots; k++)
        t->key[k] = TALLY_EMPTY;
    return 0;
}

void tally_close(struct tally *t)
{
    memory_free(t->key);
    memory_free(t->count);
    memory_free(t->seen);
    memory_free(t->used);
    *t = (struct tally){0};
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

void tally_set(struct tally *t, const int32_t *class, const int32_t *colour, int visible)
{
    for (int k = 0; k < t->keys; k++) {
        t->key[t->used[k]] = TALLY_EMPTY;
        t->count[t->used[k]] = 0;
    }
    t->keys = 0;
    t->visible = visible;
    for (int j = 0; j < visible; j++) {
        uint64_t key;
        size_t at = find_slot(t, class[j], colour[j], &key);
        if (t->key[at] == TALLY_EMPTY) {
            t->key[at] = key;
            t->used[t->keys++] = at;
        }
        t->count[at]++;
    }
}

bool tally_matches(struct tally *t, const int32_t *class, const int32_t *colour, int visible)
{
    bool match = true;
    for (int j = 0; j < visible && match; j++) {
        uint64_t key;
        size_t at = find_slot(t, class[j], colour[j], &key);
        match = t->key[at] == key;
        if (match)
            t->seen[at]++;
    }
    /* Multiples of each other: count / visible == seen / their visible, without division. */
    for (int k = 0; k < t->keys; k++) {
        size_t at = t->used[k];
        match = match && (int64_t)t->seen[at] * t->visible == (int64_t)t->count[at] * visible;
        t->seen[at] = 0;
    }
    return match;
}

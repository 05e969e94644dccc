/* Dense ids for keys (intern.h): open addressing with linear probing, at most half full. */
#include "floor/intern.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_SLOTS = 64 };

static uint64_t hash_words(const uint64_t *key, size_t width)
{
    uint64_t h = 0;
    for (size_t k = 0; k < width; k++)
        h = intern_mix(h + key[k] + 0x9e3779b97f4a7c15u);
    return h;
}

int intern_open(struct intern *t, size_t width, struct err *e)
{
    *t = (struct intern){.width = width, .slots = FIRST_SLOTS};
    t->slot = memory_alloc(t->slots, sizeof *t->slot, e);
    return t->slot ? 0 : ERR_MEMORY;
}

void intern_close(struct intern *t)
{
    memory_free(t->slot);
    memory_free(t->key);
    *t = (struct intern){0};
}

/* The slot of key, or the empty one where it belongs. */
static size_t find_slot(const struct intern *t, const uint64_t *key)
{
    size_t at = hash_words(key, t->width) & (t->slots - 1);
    while (t->slot[at] &&
           memcmp(t->key + (size_t)(t->slot[at] - 1) * t->width, key, t->width * sizeof *key) != 0)
        at = (at + 1) & (t->slots - 1);
    return at;
}

static int double_slots(struct intern *t, struct err *e)
{
    int32_t *slot = memory_alloc(t->slots * 2, sizeof *slot, e);
    if (!slot)
        return ERR_MEMORY;
    memory_free(t->slot);
    t->slot = slot;
    t->slots *= 2;
    for (int32_t id = 0; id < t->count; id++)
        t->slot[find_slot(t, t->key + (size_t)id * t->width)] = id + 1;
    return 0;
}

int intern_id(struct intern *t, const uint64_t *key, int32_t *id, struct err *e)
{
    size_t at = find_slot(t, key);
    if (t->slot[at]) {
        *id = t->slot[at] - 1;
        return 0;
    }
    if (2 * (size_t)t->count == t->slots) {
        if (double_slots(t, e))
            return ERR_MEMORY;
        at = find_slot(t, key);
    }
    if (memory_grow_at(&t->key, (size_t)t->count + 1, t->width * sizeof *t->key, e))
        return ERR_MEMORY;
    memcpy(t->key + (size_t)t->count * t->width, key, t->width * sizeof *key);
    *id = t->count++;
    t->slot[at] = t->count;
    return 0;
}

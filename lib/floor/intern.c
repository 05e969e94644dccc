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
    *t = (struct intern){.width = width, .slots = FIRST_SLOTS, .capacity = FIRST_SLOTS / 2};
    t->slot = memory_alloc(t->slots, sizeof *t->slot, e);
    t->key = memory_alloc(t->capacity, width * sizeof *t->key, e);
    return t->slot && t->key ? 0 : ERR_MEMORY;
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

static int grow(struct intern *t, struct err *e)
{
    uint64_t *key = memory_resize(t->key, t->slots, t->width * sizeof *key, e);
    if (!key)
        return ERR_MEMORY;
    t->key = key;
    int32_t *slot = memory_alloc(t->slots * 2, sizeof *slot, e);
    if (!slot)
        return ERR_MEMORY;
    memory_free(t->slot);
    t->slot = slot;
    t->capacity = t->slots;
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
    if ((size_t)t->count == t->capacity) {
        int code = grow(t, e);
        if (code)
            return code;
        at = find_slot(t, key);
    }
    memcpy(t->key + (size_t)t->count * t->width, key, t->width * sizeof *key);
    *id = t->count++;
    t->slot[at] = t->count;
    return 0;
}

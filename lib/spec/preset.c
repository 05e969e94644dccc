/* See preset.h.  Presets are read once, when the first cell names one. */
#include "spec/preset.h"

#include <stdio.h>
#include <string.h>

#include "model/presets.h"
#include "spec/value.h"

static int read_preset(struct spec *s, int k, struct layer *out, struct err *e)
{
    const struct preset *p = &preset_table[k];
    char source[64];
    struct node *keys = NULL;
    snprintf(source, sizeof source, "preset %s", p->name);
    const char *kept = arena_text(&s->arena, source, e);
    int code = kept ? node_parse(&keys, kept, p->keys, strlen(p->keys), &s->arena, e) : ERR_MEMORY;
    out->first = s->layers.count;
    code = code ? code : layer_assign(&s->layers, "model", keys, keys, e);
    out->count = s->layers.count - out->first;
    return code ? code : layer_check(&s->layers, *out, e);
}

static int read_presets(struct spec *s, struct err *e)
{
    if (s->preset)
        return 0;
    struct layer *list = arena_alloc(&s->arena, (size_t)preset_count(), sizeof *list, e);
    int code = list ? 0 : ERR_MEMORY;
    for (int k = 0; k < preset_count() && !code; k++)
        code = read_preset(s, k, &list[k], e);
    s->preset = code ? NULL : list;
    return code;
}

int preset_apply(struct spec *s, const struct node **state, struct err *e)
{
    int slot;
    struct option_value v;
    const struct node *said[SLOTS_MAX];
    keys_find(&s->keys, "model.preset", &slot);
    if (!state[slot])
        return 0;
    int code = value_read(s->keys.slot[slot].row, "model.preset", state[slot], &s->start, &v, e);
    code = code ? code : read_presets(s, e);
    if (code)
        return code;
    memcpy(said, state, (size_t)s->keys.count * sizeof *said);
    struct layer layer = s->preset[(int)v.number];
    for (int k = layer.first; k < layer.first + layer.count; k++) {
        const struct assignment *one = &s->layers.item[k];
        const struct slot *here = &s->keys.slot[one->slot];
        if (!said[one->slot] && !(here->type == SLOT_OWN && said[here->kind_slot]))
            state[one->slot] = one->value;
    }
    return 0;
}

bool preset_gives(const struct spec *s, int slot)
{
    bool gives = false;
    for (int p = 0; s->preset && p < preset_count() && !gives; p++)
        for (int k = s->preset[p].first; k < s->preset[p].first + s->preset[p].count; k++)
            gives = gives || s->layers.item[k].slot == slot;
    return gives;
}

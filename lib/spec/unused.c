/* Keys that no cell of a spec has a use for, whatever each cell leaves out of its own. */
#include <stdio.h>
#include <string.h>

#include "spec/document.h"

static bool uses_channels(const struct task *t)
{
    return !target_form(&t->target).tokens;
}

static bool uses_vocab(const struct task *t)
{
    const struct option *row = target_options;
    while (strcmp(row->key, "vocab") != 0)
        row++;
    return row->applies(&t->target);
}

/* beside: a key of which resolved specs, which say every key, say something, and hardly anyone else;
 * NULL: they leave the key out. */
static const struct use {
    const char *key, *beside, *what;
    bool (*used)(const struct task *t);
} uses[] = {{"space.channels", "space.inputs.checkerboard", "inputs of numbers", uses_channels},
            {"target.vocab", NULL, "symbols of a vocabulary of that size", uses_vocab}};

bool spec_gives(const struct spec *s, const char *key)
{
    struct node *map = s->root;
    const struct node *other;
    bool whole = false;
    int at = node_walk(&map, key, &whole);
    for (int k = 0; (other = document_given(s, k)); k++)
        if (strcmp(other->text, key) == 0)
            return true;
    bool found = at >= 0 && whole;
    for (int k = 0; k < s->set->count && !found; k++) {
        size_t length = strlen(s->set->key[k]->text);
        if (strncmp(s->set->key[k]->text, key, length) != 0)
            continue;
        map = s->set->item[k];
        found = !key[length] || (key[length] == '.' && node_walk(&map, key + length + 1, &whole) >= 0 && whole);
    }
    return found;
}

static bool used(const struct spec *s, const struct use *u)
{
    bool found = false;
    for (int k = 0; k < spec_cells(s) && !found; k++) {
        found = u->used(&spec_cell(s, k)->task);
        spec_drop_cell(s, k);
    }
    return found;
}

int spec_check_unused(const struct spec *s, struct err *e)
{
    for (size_t k = 0; k < sizeof uses / sizeof *uses; k++) {
        const struct use *u = &uses[k];
        struct err cause = {.code = ERR_USAGE};
        if (!spec_gives(s, u->key) || (u->beside && spec_gives(s, u->beside)) || used(s, u))
            continue;
        snprintf(cause.where, sizeof cause.where, "%s", u->key);
        snprintf(cause.msg, sizeof cause.msg, "no cell of the spec has %s; leave it out, or choose "
                 "another target", u->what);
        return cell_error(s, NULL, &cause, u->key, e);
    }
    return exceptions_check(s, e);
}

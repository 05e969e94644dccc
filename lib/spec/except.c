/* Combinations of grid and cases that are no cells: those that mean nothing (an encoding that needs a
 * mask, without one) would be errors, and make a grid impossible to write. */
#include <stdio.h>

#include "spec/document.h"

enum { VALUE_TEXT = 256 };

static int read_key(struct spec *s, const struct node *key, const struct node *value,
                    struct claim_where *w, struct err *e)
{
    static const struct pair none;
    int slot;
    if (keys_find(&s->keys, key->text, &slot) == KEY_UNKNOWN)
        return keys_unknown(&s->keys, key, key->text, false, e);
    return where_read(s, key, value, &none, w, e);
}

static int read_one(struct spec *s, const struct node *n, struct exception *x, struct err *e)
{
    char shown[NODE_SHOWN];
    int code = 0;
    x->node = n;
    if (n->type != NODE_MAP || n->count == 0)
        return node_error(n, e, "except: %s; expected a map from dotted keys to values",
                          n->type == NODE_MAP ? "an empty map" : node_show(n, shown));
    x->where = arena_alloc(&s->arena, (size_t)n->count, sizeof *x->where, e);
    if (!x->where)
        return ERR_MEMORY;
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_key(s, n->key[k], n->item[k], &x->where[x->wheres++], e);
    return code;
}

int exceptions_read(struct spec *s, struct err *e)
{
    const struct node *n = document_find(s, "except");
    char shown[NODE_SHOWN];
    int code = 0;
    if (!n)
        return 0;
    if (n->type != NODE_LIST)
        return node_error(n, e, "except: %s; expected a list of maps", node_show(n, shown));
    if (n->count > CLAIMS_MAX)
        return node_error(n, e, "except: %d are too many; expected at most %d", n->count, CLAIMS_MAX);
    s->exception = arena_alloc(&s->arena, (size_t)n->count, sizeof *s->exception, e);
    if (!s->exception)
        return ERR_MEMORY;
    for (int k = 0; k < n->count && code == 0; k++)
        code = read_one(s, n->item[k], &s->exception[s->exceptions++], e);
    return code;
}

static bool has_value(const struct cell *c, const struct claim_where *w)
{
    char value[VALUE_TEXT];
    bool found = false;
    if (!spec_value(c, w->key, value, sizeof value))
        return false;
    for (int k = 0; k < w->count && !found; k++)
        found = claim_same(value, w->value[k]);
    return found;
}

bool exceptions_meet(struct spec *s, const struct cell *c)
{
    bool left_out = false;
    for (int x = 0; x < s->exceptions; x++) {
        bool all = true;
        for (int k = 0; k < s->exception[x].wheres && all; k++)
            all = has_value(c, &s->exception[x].where[k]);
        s->exception[x].met |= all;
        left_out |= all;
    }
    return left_out;
}

int exceptions_check(const struct spec *s, struct err *e)
{
    for (int x = 0; x < s->exceptions; x++)
        if (!s->exception[x].met)
            return node_error(s->exception[x].node, e, "except: meets no combination of grid and cases; "
                              "expected values that some have at once");
    return 0;
}

/* Files that a spec names: found, hashed, and copied to where its resolved form lies.
 *
 * Invariant: after files_resolve every node that a layer assigns to a file's slot holds a value of
 * base/named_file.h; before, the name as written. */
#include <string.h>

#include "base/named_file.h"
#include "spec/document.h"
#include "spec/resolve.h"

/* --set too is relative to the spec: it only edits it; of a class, to where the class is. */
static int resolve_one(struct spec *s, struct assignment *a, struct err *e)
{
    char value[OPTION_TEXT_MAX];
    struct err cause = {0};
    const char *beside = s->beside && a->value->source != s->source ? s->beside : s->source;
    if (named_file_resolve(value, sizeof value, beside, a->value->text, &cause)) {
        if (cause.code != ERR_USAGE)
            return err_pass(e, &cause);
        return node_error(a->value, e, "%s: %s", s->keys.slot[a->slot].key, cause.msg);
    }
    struct node *n = arena_alloc(&s->arena, 1, sizeof *n, e);
    char *text = arena_text(&s->arena, value, e);
    if (!n || !text)
        return ERR_MEMORY;
    *n = *a->value;
    n->text = text;
    a->value = n;
    return 0;
}

int files_resolve(struct spec *s, struct err *e)
{
    int code = 0;
    for (int k = 0; k < s->layers.count && code == 0; k++) {
        struct assignment *a = &s->layers.item[k];
        if (a->value && s->keys.slot[a->slot].row->file)
            code = resolve_one(s, a, e);
        else if (a->value)
            code = layer_flatten(&s->keys, a, &s->arena, e);
    }
    return code;
}

/* ---- copies -----------------------------------------------------------------------------------*/

struct copying {
    const char *folder, *beside;
    struct err *e;
};

static int copy_leaf(void *context, const struct leaf *leaf)
{
    const struct copying *c = context;
    return leaf->row->file ? named_file_copy(leaf->value.text, c->folder, c->beside, c->e) : 0;
}

int spec_cell_copy_files(const struct cell *c, const char *folder, const char *beside, struct err *e)
{
    struct copying copying = {folder, beside, e};
    return task_leaves(&c->task, copy_leaf, &copying);
}

int spec_copy_files(const struct spec *s, const char *folder, struct err *e)
{
    int code = 0;
    for (int k = 0; k < s->layers.count && code == 0; k++) {
        const struct assignment *a = &s->layers.item[k];
        if (a->value && s->keys.slot[a->slot].row->file)
            code = named_file_copy(a->value->text, folder, NULL, e);
    }
    return code;
}

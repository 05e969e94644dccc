/* Resolving sections.  Invariant: unused fields of a resolved section are zero, so sections that
 * resolve from equal values are equal byte by byte. */
#include "spec/resolve.h"

#include <stdio.h>
#include <string.h>

#include "spec/plan.h"

/* ---- slots -> struct --------------------------------------------------------------------------*/

/* Where kinds vary, options that some of them have belong beside the kind. */
static int foreign_option(const struct slot *s, const struct slot *of, const struct node *n,
                          int kind, struct err *e)
{
    char owners[320], advice[256] = "";
    const char *name = s->kinds->name(kind);
    kind_owners(s->kinds, s->row->key, owners, sizeof owners);
    if (of->varies)
        snprintf(advice, sizeof advice, "; where kinds vary, give an option beside its kind: in cases, "
                 "or as %.48s: [{kind: %.*s, %.48s: ...}, %.32s]", of->key,
                 (int)strcspn(owners, ","), owners, s->row->key, name);
    return node_error(n, e, "%s: %s '%s' has no such option; expected it only with %s%s", s->key,
                      s->kinds->what, name, owners, advice);
}

static int resolve_own(const struct slot *s, const struct slot *of, const struct node *n,
                       const struct node *absent, void *owner, struct err *e)
{
    struct option_value v;
    struct kind_config *c = (void *)((char *)owner + of->row->offset);
    const struct option *row = kind_row(s->kinds, c->kind, s->row->key);
    if (!row)
        return n ? foreign_option(s, of, n, c->kind, e) : 0;
    int code = value_read(row, s->key, n, absent, &v, e);
    if (code == 0)
        option_store_own(s->kinds->options(c->kind), row, &v, c);
    return code;
}

int section_resolve(const struct keys *k, enum section_id id, const struct node *const *state,
                    const struct node *absent, void *owner, struct err *e)
{
    memset(owner, 0, section_table[id].size);
    int code = 0, plan = -1;
    for (int i = k->first[id]; i < k->first[id + 1] && code == 0; i++) {
        const struct slot *s = &k->slot[i];
        struct option_value v;
        if (s->type == SLOT_OWN) {
            code = resolve_own(s, &k->slot[s->kind_slot], state[i], absent, owner, e);
            continue;
        }
        code = value_read(s->row, s->key, state[i], absent, &v, e);
        if (code == 0)
            option_store(s->row, &v, owner);
        if (s->row->type == OPTION_PLAN && v.given)
            plan = i;
    }
    return code || plan < 0 ? code : plan_resolve(k, plan, state, absent, owner, e);
}

/* ---- struct -> leaves -------------------------------------------------------------------------*/

bool row_applies(const struct option *rows, const struct option *row, const void *owner)
{
    struct option_value v;
    if (row->applies && !row->applies(owner))
        return false;
    if (!row->needs)
        return true;
    while (strcmp(rows->key, row->needs) != 0)
        rows++;
    option_load(rows, owner, &v);
    return !option_is_default(rows, &v);
}

static int visit_leaf(struct leaf *leaf, leaf_visit visit, void *context)
{
    leaf->unsaid = leaf->row->quiet && option_is_default(leaf->row, &leaf->value);
    return visit(context, leaf);
}

static int own_leaves(const char *prefix, const struct option *rows, const struct kind_config *c,
                      leaf_visit visit, void *context)
{
    int code = 0;
    for (const struct option *row = rows; row && row->key && code == 0; row++) {
        struct leaf leaf = {.row = row};
        if (row->applies && !row->applies(c))
            continue;
        key_join(leaf.key, prefix, ".", row->key);
        option_load_own(rows, row, c, &leaf.value);
        code = visit_leaf(&leaf, visit, context);
    }
    return code;
}

int section_leaves(enum section_id id, const struct task *t, leaf_visit visit, void *context)
{
    const struct section *section = &section_table[id];
    const char *owner = (const char *)t + section->offset;
    int code = 0;
    for (const struct option *row = section->options; row->key && code == 0; row++) {
        struct leaf leaf = {.row = row};
        char prefix[KEY_TEXT];
        bool kind = row->type == OPTION_KIND;
        if (!row_applies(section->options, row, owner))
            continue;
        section_key(id, row, prefix);
        key_join(leaf.key, prefix, kind ? ".kind" : "", "");
        option_load(row, owner, &leaf.value);
        code = visit_leaf(&leaf, visit, context);
        if (kind && code == 0) {
            const struct kind_config *c = (const void *)(owner + row->offset);
            code = own_leaves(prefix, row->kinds->options(c->kind), c, visit, context);
        }
    }
    return code;
}

int task_leaves(const struct task *t, leaf_visit visit, void *context)
{
    int code = 0;
    for (int id = 0; id < SECTION_COUNT && code == 0; id++)
        code = section_leaves((enum section_id)id, t, visit, context);
    return code;
}

/* The table of normalisers and what holds for all of them.
 * Invariant: a new normaliser is one file that defines `const struct normaliser normaliser_<name>`,
 * and one line of ENTRIES; nothing else in the program knows a name. */
#include "normaliser/normaliser.h"

#include "kernel/kernel.h"

#define ENTRIES(ENTRY)                                                                             \
    ENTRY(softmax)                                                                                 \
    ENTRY(sink)                                                                                    \
    ENTRY(softmax_one)                                                                             \
    ENTRY(bias_kv)                                                                                 \
    ENTRY(sigmoid)                                                                                 \
    ENTRY(relu)                                                                                    \
    ENTRY(linear)                                                                                  \
    ENTRY(entmax)                                                                                  \
    ENTRY(sparsemax)                                                                               \
    ENTRY(ssmax)                                                                                   \
    ENTRY(stick_breaking)                                                                          \
    ENTRY(softpick)                                                                                \
    ENTRY(elastic)                                                                                 \
    ENTRY(average_hard)                                                                            \
    ENTRY(differential)                                                                            \
    ENTRY(talking_heads)

#define DECLARE(name) extern const struct normaliser normaliser_##name;
#define ADDRESS(name) &normaliser_##name,

ENTRIES(DECLARE)
const struct normaliser *const normaliser_table[] = {ENTRIES(ADDRESS) NULL};

KIND_TABLE(normaliser_kinds, "normaliser", normaliser_table);

const struct normaliser *normaliser_of(const struct kind_config *c)
{
    return normaliser_table[c->kind];
}

int normaliser_check(const struct kind_config *c, const struct normaliser_shape *s, struct err *e)
{
    const struct normaliser *entry = normaliser_of(c);
    if (entry->past_only && !s->past)
        return err_set(e, ERR_USAGE, "model.normaliser",
                       "%s needs a mask that hides what comes after the query; set model.mask: "
                       "causal, or choose another normaliser",
                       entry->name);
    return entry->check ? entry->check(c, s, e) : 0;
}

int normaliser_form(const struct kind_config *c)
{
    const struct normaliser *entry = normaliser_of(c);
    return entry->form ? entry->form(c) : ATTENTION_SOFTMAX;
}

bool normaliser_is_fused(const struct normaliser *n)
{
    return !n->row && !n->group;
}

bool normaliser_is_softmax(const struct kind_config *c)
{
    const struct normaliser *entry = normaliser_of(c);
    return !entry->form && !entry->beside && !entry->row && !entry->group;
}

int normaliser_group(const struct kind_config *c, const struct normaliser_shape *s)
{
    const struct normaliser *entry = normaliser_of(c);
    return entry->group ? entry->group(c, s) : 1;
}

bool normaliser_has_output(const struct kind_config *c)
{
    const struct normaliser *entry = normaliser_of(c);
    return entry->has_output && entry->has_output(c);
}

enum normaliser_products normaliser_products(const struct kind_config *c)
{
    const struct normaliser *entry = normaliser_of(c);
    return entry->products ? (enum normaliser_products)entry->products(c) : PRODUCTS_LOGITS;
}

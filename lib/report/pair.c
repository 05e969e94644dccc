/* Pairs of groups.  Invariant: a difference is taken within a seed. */
#include "report/pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/label.h"
#include "report/lines.h"

enum { VALUE_TEXT = 512 };

/* ---- what is compared -------------------------------------------------------------------------*/
/* Wherever both values are there. */
static const struct pair usual[] = {{"model.attention", {"rpe", "urpe"}}};
enum { USUAL = sizeof usual / sizeof *usual };

static bool has_value(const struct summary_group *group, int groups, const char *key,
                      const char *wanted)
{
    char value[VALUE_TEXT];
    for (int k = 0; k < groups; k++)
        if (spec_value(group[k].cell, key, value, sizeof value) && !strcmp(value, wanted))
            return true;
    return false;
}

static int add_pair(struct group_pairs *p, const struct pair *pair,
                    const struct summary_group *group, int groups, struct err *e)
{
    for (int k = 0; k < p->pairs; k++)
        if (memcmp(&p->pair[k], pair, sizeof *pair) == 0)
            return 0;
    if (!has_value(group, groups, pair->key, pair->value[0]) ||
        !has_value(group, groups, pair->key, pair->value[1]))
        return 0;
    if (memory_grow(p->pair, (size_t)p->pairs + 1, e))
        return ERR_MEMORY;
    p->pair[p->pairs++] = *pair;
    return 0;
}

/* Whether the axis is a key of the model whose column says names: there a line about the difference
 * says "A-B", so that none is taken for the other. */
static bool is_compared(const char *axis)
{
    for (int k = 0; k < USUAL; k++)
        if (is_key(axis, usual[k].key))
            return false; /* by its usual values alone */
    for (const struct column *c = column_table; c->name; c++)
        if (c->key && !c->number && key_covers("model", axis) && is_key(c->key, axis))
            return true;
    return false;
}

/* How many values the pair's key has among the groups; the pair gets the first two. */
static int find_values(struct pair *p, const struct summary_group *group, int groups)
{
    char value[VALUE_TEXT];
    int count = 0;
    for (int k = 0; k < groups && count <= 2; k++) {
        bool new = spec_value(group[k].cell, p->key, value, sizeof value);
        for (int m = 0; m < count; m++)
            new &= strcmp(value, p->value[m]) != 0;
        if (new && count < 2)
            snprintf(p->value[count], PAIR_TEXT, "%.*s", PAIR_TEXT - 1, value);
        count += new;
    }
    return count;
}

static int find_pairs(struct group_pairs *p, const struct summary_group *group, int groups,
                      struct err *e)
{
    const struct spec *last = NULL;
    int code = 0;
    for (int k = 0; !code && k < USUAL; k++)
        code = add_pair(p, &usual[k], group, groups, e);
    for (int k = 0; !code && k < group->axes->count; k++) {
        const char *axis = group->axes->key[k], *kind = strstr(axis, ".kind");
        struct pair pair = {0};
        snprintf(pair.key, sizeof pair.key, "%.*s",
                 (int)(kind ? (size_t)(kind - axis) : strlen(axis)), axis);
        if (is_compared(pair.key) && find_values(&pair, group, groups) == 2)
            code = add_pair(p, &pair, group, groups, e);
    }
    for (int k = 0; !code && k < groups; last = group[k++].spec)
        for (int c = 0; !code && group[k].spec != last && c < spec_claims(group[k].spec); c++)
            if (*spec_claim(group[k].spec, c)->pair.key)
                code = add_pair(p, &spec_claim(group[k].spec, c)->pair, group, groups, e);
    return code;
}

/* ---- which groups -----------------------------------------------------------------------------*/
static int compare_pairs(const void *a, const void *b)
{
    const struct group_pair *left = a, *right = b;
    int order = (left->side[1] > right->side[1]) - (left->side[1] < right->side[1]);
    if (!order)
        order = (left->pair > right->pair) - (left->pair < right->pair);
    return order ? order : (left->side[0] > right->side[0]) - (left->side[0] < right->side[0]);
}

static int add_matches(struct group_pairs *p, const struct pair *pair,
                       const struct summary_group *group, const struct pair_item *item,
                       int groups, struct err *e)
{
    struct pair_match *match;
    int count, code = pair_find(pair, group->axes->key, group->axes->count, item, groups, &match,
                                &count, e);
    if (!code)
        code = memory_grow(p->match, (size_t)p->count + (size_t)count, e);
    for (int k = 0; !code && k < count; k++)
        p->match[p->count++] = (struct group_pair){
            pair, {&group[match[k].side[0]], &group[match[k].side[1]]}};
    memory_free(match);
    return code;
}

static int match_pairs(struct group_pairs *p, const struct pair *pair, int pairs,
                       const struct summary_group *group, int groups, struct err *e)
{
    struct pair_item *item = memory_alloc((size_t)groups, sizeof *item, e);
    int code = item ? 0 : ERR_MEMORY;
    for (int k = 0; !code && k < groups; k++)
        item[k] = (struct pair_item){group[k].cell, {group[k].length, group[k].subset}};
    for (int k = 0; !code && k < pairs; k++)
        code = add_matches(p, &pair[k], group, item, groups, e);
    if (!code && p->count)
        qsort(p->match, (size_t)p->count, sizeof *p->match, compare_pairs);
    memory_free(item);
    if (code)
        group_pairs_close(p);
    return code;
}

int group_pairs_open(struct group_pairs *p, const struct summary_group *group, int groups,
                     struct err *e)
{
    *p = (struct group_pairs){0};
    int code = find_pairs(p, group, groups, e);
    if (!code)
        return match_pairs(p, p->pair, p->pairs, group, groups, e);
    group_pairs_close(p);
    return code;
}

int group_pairs_find(struct group_pairs *p, const struct pair *pair,
                     const struct summary_group *group, int groups, struct err *e)
{
    *p = (struct group_pairs){0};
    return groups ? match_pairs(p, pair, 1, group, groups, e) : 0;
}

void group_pairs_close(struct group_pairs *p)
{
    memory_free(p->match);
    memory_free(p->pair);
    *p = (struct group_pairs){0};
}

/* ---- differences ------------------------------------------------------------------------------*/
const struct result_row *pair_row(const struct group_pair *p, int k)
{
    const struct summary_group *a = p->side[0];
    const char *seed = result_text(p->side[1]->row[k], "seed");
    for (int m = 0; m < a->count; m++) { /* nearly always in the same place */
        const struct result_row *row = a->row[(k + m) % a->count];
        if (strcmp(result_text(row, "seed"), seed) == 0)
            return row;
    }
    return NULL;
}

int pair_difference(const struct group_pair *p, const char *column, struct interval *out,
                    struct err *e)
{
    const struct summary_group *b = p->side[1];
    double *value = memory_alloc((size_t)b->count, sizeof *value, e);
    int n = 0;
    if (!value)
        return ERR_MEMORY;
    for (int k = 0; k < b->count; k++) {
        const struct result_row *one = pair_row(p, k), *other = b->row[k];
        if (!one)
            continue;
        value[n] = column ? result_number(one, column) - result_number(other, column)
                          : line_error_of(one) - line_error_of(other);
        n += isfinite(value[n]) != 0;
    }
    *out = stats_interval(value, n, false);
    memory_free(value);
    return 0;
}

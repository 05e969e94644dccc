/* Colour refinement for attention: which (sample, position) pairs every network of a class maps to
 * equal outputs.  Luo et al. 2022 have the case of identical tokens; the general one is ours:
 *
 *   colour of a pair = its token, with its position or mark under an absolute encoding
 *   M[c][r]          = how many visible pairs of its sample have colour c and relation class r
 *   repeat: a pair's new colour = (old colour, view), until no colour splits any more, where
 *   view = ONE     if attention is right-stochastic and all that is visible has one colour
 *        = M / |M| otherwise
 *
 * The theory keeps two pairs of equal colour together when their M are positive multiples of each
 * other, or when attention is right-stochastic and both see a single colour, the same one.  That is
 * equality of views: every pair sees itself, so the single colour of ONE is the pair's own and
 * needs no mention; and a pair of view ONE is never confused with one of the other kind, because M shows
 * which colours are seen, so proportional M are both of one colour or both not.  Being equality of
 * a value, the relation is transitive.
 *
 * Invariant: two pairs share a colour only after an exact comparison.  Hashes sort pairs into runs,
 * and every run is then taken apart by comparing views in full.  A colour that one pair has alone
 * cannot split: such pairs are not looked at again, which makes generic samples free. */
#include "theory/merge.h"

#include <string.h>

#include "base/memory.h"
#include "theory/classes.h"
#include "theory/intern.h"
#include "theory/sort.h"
#include "theory/tally.h"

struct merge {
    const struct floor_set *set;
    struct classes classes;
    struct tally tally;
    bool causal, stochastic;
    uint64_t hash_mask;
    int rows, colours;
    int32_t *sample;         /* (rows) */
    int32_t *colour, *next;  /* (rows) now, and after this round */
    int32_t *size;           /* (rows) pairs of each colour */
    bool *taken;             /* (rows) whether a part of an old colour has kept it, this round */
    struct sort_item *item, *scratch; /* (items) pairs whose colour can split */
    size_t items;
    uint64_t *class_weight;  /* (classes) */
    uint64_t *scale;         /* (longest + 1) takes the length of a row out of its hash */
    uint64_t *value, *prefix; /* (longest + 1) of one sample: weights of colours and their sums */
    int32_t *left, *right;   /* (longest) scratch rows of classes */
};

/* ---- first colours ----------------------------------------------------------------------------*/
/* Bits of a number, the same for 0 and -0, which no network tells apart. */
static uint64_t number_bits(double x)
{
    uint64_t bits;
    x = x == 0 ? 0 : x;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* What an absolute encoding adds to the colour: its mark, or the position.  Positions of different
 * layouts are the same thing on a line only. */
static void colour_position(const struct merge *m, const struct floor_class *c, int row,
                            uint64_t key[2])
{
    int sample = m->sample[row], i = row - m->set->first[sample];
    const struct layout *l = m->set->layout[sample];
    const struct encoding *entry = encoding_of(&c->encoding);
    struct encoding_context context = {.config = &c->encoding, .shape = &c->shape, .layout = l};
    bool line = l->axes == 1 && !l->coordinate;
    key[0] = entry->mark ? (uint64_t)entry->mark(&context, i) : (uint64_t)i;
    key[1] = entry->mark || line ? 0 : 1 + (uint64_t)m->classes.of_sample[sample];
}

static int colour_tokens(struct merge *m, const struct floor_class *c, bool absolute,
                         struct err *e)
{
    const struct floor_set *s = m->set;
    size_t words = s->token ? 1 : (size_t)s->channels;
    struct intern seen = {0};
    uint64_t *key = memory_alloc(words + 2, sizeof *key, e);
    int code = key ? intern_open(&seen, words + 2, e) : ERR_MEMORY;
    for (int row = 0; row < m->rows && !code; row++) {
        for (size_t k = 0; k < words; k++)
            key[k] = s->token ? (uint64_t)s->token[row]
                              : number_bits(s->x[(size_t)row * words + k]);
        if (absolute)
            colour_position(m, c, row, key + words);
        code = intern_id(&seen, key, &m->colour[row], e);
    }
    m->colours = seen.count;
    intern_close(&seen);
    memory_free(key);
    return code;
}

/* ---- views ------------------------------------------------------------------------------------*/
struct view {
    int visible;
    bool one;              /* the single-colour clause applies */
    const int32_t *colour; /* (visible) */
    const int32_t *class;  /* (visible) */
};

static struct view view_of(const struct merge *m, int row, int32_t *scratch)
{
    int sample = m->sample[row], first = m->set->first[sample];
    const struct layout_classes *l = &m->classes.item[m->classes.of_sample[sample]];
    int i = row - first;
    struct view v = {.visible = m->causal ? i + 1 : l->layout->n, .colour = m->colour + first};
    v.class = classes_row(l, i, v.visible, scratch);
    v.one = m->stochastic;
    for (int j = 1; j < v.visible && v.one; j++)
        v.one = v.colour[j] == v.colour[0];
    return v;
}

/* Whether pair `row` gives the same view as the pair whose view is `reference`, which m->tally was
 * set to. */
static bool same_view(struct merge *m, const struct view *reference, int row)
{
    struct view v = view_of(m, row, m->right);
    if (reference->one || v.one)
        return reference->one && v.one;
    return tally_matches(&m->tally, v.class, v.colour, v.visible);
}

/* Whether two pairs of one sample see the same pairs in the same classes. */
static bool same_row(const struct merge *m, int a, int b)
{
    int sample = m->sample[a];
    return sample == m->sample[b] && !m->causal &&
           m->classes.item[m->classes.of_sample[sample]].uniform;
}

/* ---- hashes -----------------------------------------------------------------------------------
 * A row's hash is scale[visible] * sum over (c,r) of M[c][r] value(c) weight(r), modulo 2^64.
 * With visible = odd * 2^k, scale = odd^-1 * 2^(top - k): multiplying M by a factor f, and visible
 * with it, leaves the hash as it is, so proportional M hash alike without any division. */
static void fill_scale(uint64_t *scale, int longest)
{
    int top = 0;
    while (longest >> (top + 1))
        top++;
    for (int n = 1; n <= longest; n++) {
        int twos = 0;
        while (!(n >> twos & 1))
            twos++;
        uint64_t odd = (uint64_t)(n >> twos), inverse = odd; /* right in 3 bits, then 6, 12 ... */
        for (int step = 0; step < 5; step++)
            inverse *= 2 - odd * inverse;
        scale[n] = inverse << (top - twos);
    }
}

static uint64_t hash_row(const struct merge *m, const struct layout_classes *l, int i,
                         int visible)
{
    const int32_t *class = classes_row(l, i, l->uniform ? 1 : visible, m->left);
    if (l->uniform)
        return m->prefix[visible] * m->class_weight[class[0]];
    uint64_t sum = 0;
    for (int j = 0; j < visible; j++)
        sum += m->value[j] * m->class_weight[class[j]];
    return sum;
}

/* Keys of the items of one sample: equal for pairs of equal colour and view. */
static void hash_sample(struct merge *m, int sample, struct sort_item *item, size_t items)
{
    int first = m->set->first[sample];
    const struct layout_classes *l = &m->classes.item[m->classes.of_sample[sample]];
    const int32_t *colour = m->colour + first;
    int n = l->layout->n, run = 1;
    while (run < n && colour[run] == colour[0])
        run++;
    for (int j = 0; j < n; j++) {
        m->value[j] = intern_mix((uint64_t)colour[j] + 1);
        m->prefix[j + 1] = m->prefix[j] + m->value[j];
    }
    for (size_t k = 0; k < items; k++) {
        int i = item[k].row - first, visible = m->causal ? i + 1 : n;
        bool one = m->stochastic && visible <= run;
        uint64_t view = one ? 0 : intern_mix(hash_row(m, l, i, visible) * m->scale[visible]);
        item[k].key = intern_mix(view + m->value[i]) & m->hash_mask;
    }
}

static void hash_items(struct merge *m)
{
    for (size_t at = 0, next; at < m->items; at = next) {
        int sample = m->sample[m->item[at].row];
        for (next = at; next < m->items && m->sample[m->item[next].row] == sample;)
            next++;
        hash_sample(m, sample, m->item + at, next - at);
    }
}

/* ---- rounds -----------------------------------------------------------------------------------*/
/* The first part of an old colour keeps it, the others get new ones. */
static int32_t part_colour(struct merge *m, int32_t old)
{
    if (m->taken[old])
        return m->colours++;
    m->taken[old] = true;
    return old;
}

/* Gives the pairs of item (count, at least 1; equal hashes) that go with the first of them their
 * colour and returns how many are left, moved to the front in their order. */
static size_t split_first(struct merge *m, struct sort_item *item, size_t count)
{
    int head = item[0].row, before = head;
    int32_t colour = part_colour(m, m->colour[head]);
    m->next[head] = colour;
    if (count == 1)
        return 0;
    struct view reference = view_of(m, head, m->left);
    if (!reference.one)
        tally_set(&m->tally, reference.class, reference.colour, reference.visible);
    bool match = true; /* of row `before` */
    size_t left = 0;
    for (size_t k = 1; k < count; k++) {
        int row = item[k].row;
        bool comparable = m->colour[row] == m->colour[head];
        if (comparable && !same_row(m, before, row))
            match = same_view(m, &reference, row);
        if (comparable)
            before = row;
        if (comparable && match)
            m->next[row] = colour;
        else
            item[left++] = item[k];
    }
    return left;
}

static void count_colours(struct merge *m)
{
    memset(m->size, 0, (size_t)m->colours * sizeof *m->size);
    for (int row = 0; row < m->rows; row++)
        m->size[m->colour[row]]++;
}

/* Lists the pairs whose colour is not theirs alone, in the order of rows. */
static void list_items(struct merge *m)
{
    count_colours(m);
    m->items = 0;
    for (int row = 0; row < m->rows; row++)
        if (m->size[m->colour[row]] > 1)
            m->item[m->items++].row = row;
}

static void refine(struct merge *m)
{
    int before;
    do {
        before = m->colours;
        list_items(m);
        hash_items(m);
        sort_items(m->item, m->scratch, m->items);
        memset(m->taken, 0, (size_t)m->colours * sizeof *m->taken);
        for (size_t at = 0, next; at < m->items; at = next) {
            for (next = at; next < m->items && m->item[next].key == m->item[at].key;)
                next++;
            size_t left = next - at;
            while (left)
                left = split_first(m, m->item + at, left);
        }
        memcpy(m->colour, m->next, (size_t)m->rows * sizeof *m->colour);
    } while (m->colours > before);
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int alloc_rows(struct merge *m, struct err *e)
{
    size_t rows = (size_t)m->rows;
    m->sample = memory_alloc(rows, sizeof *m->sample, e);
    m->colour = memory_alloc(rows, sizeof *m->colour, e);
    m->next = memory_alloc(rows, sizeof *m->next, e);
    m->size = memory_alloc(rows, sizeof *m->size, e);
    m->taken = memory_alloc(rows, sizeof *m->taken, e);
    return m->sample && m->colour && m->next && m->size && m->taken ? 0 : ERR_MEMORY;
}

static int alloc_entries(struct merge *m, size_t entries, struct err *e)
{
    m->class_weight = memory_alloc((size_t)m->classes.ids.count, sizeof *m->class_weight, e);
    m->scale = memory_alloc(entries, sizeof *m->scale, e);
    m->value = memory_alloc(entries, sizeof *m->value, e);
    m->prefix = memory_alloc(entries, sizeof *m->prefix, e);
    m->left = memory_alloc(entries, sizeof *m->left, e);
    m->right = memory_alloc(entries, sizeof *m->right, e);
    return m->class_weight && m->scale && m->value && m->prefix && m->left && m->right
               ? 0
               : ERR_MEMORY;
}

/* Room for as many items as there are now: there will never be more. */
static int alloc_items(struct merge *m, struct err *e)
{
    size_t items = 0;
    count_colours(m);
    for (int row = 0; row < m->rows; row++)
        items += m->size[m->colour[row]] > 1;
    m->item = memory_alloc(items, sizeof *m->item, e);
    m->scratch = memory_alloc(items, sizeof *m->scratch, e);
    return m->item && m->scratch ? 0 : ERR_MEMORY;
}

static int merge_open(struct merge *m, const struct floor_class *c, const struct floor_set *s,
                      uint64_t hash_mask, struct err *e)
{
    struct encoding_facts facts;
    encoding_of(&c->encoding)->facts(&c->encoding, &c->shape, &facts);
    *m = (struct merge){.set = s,
                        .causal = c->causal,
                        .stochastic = facts.right_stochastic && !c->urpe,
                        .hash_mask = hash_mask,
                        .rows = s->first[s->count]};
    int longest = 1;
    for (int k = 0; k < s->count; k++)
        longest = s->layout[k]->n > longest ? s->layout[k]->n : longest;
    int code = classes_open(&m->classes, c, s, e);
    if (code || (code = tally_open(&m->tally, longest, e)) || (code = alloc_rows(m, e)) ||
        (code = alloc_entries(m, (size_t)longest + 1, e)))
        return code;
    for (int k = 0; k < s->count; k++)
        for (int row = s->first[k]; row < s->first[k + 1]; row++)
            m->sample[row] = k;
    for (int32_t k = 0; k < m->classes.ids.count; k++)
        m->class_weight[k] = intern_mix(~(uint64_t)k);
    fill_scale(m->scale, longest);
    if ((code = colour_tokens(m, c, facts.absolute, e)))
        return code;
    memcpy(m->next, m->colour, (size_t)m->rows * sizeof *m->next);
    return alloc_items(m, e);
}

static void merge_close(struct merge *m)
{
    classes_close(&m->classes);
    tally_close(&m->tally);
    memory_free(m->sample);
    memory_free(m->colour);
    memory_free(m->next);
    memory_free(m->size);
    memory_free(m->taken);
    memory_free(m->item);
    memory_free(m->scratch);
    memory_free(m->class_weight);
    memory_free(m->scale);
    memory_free(m->value);
    memory_free(m->prefix);
    memory_free(m->left);
    memory_free(m->right);
}

int merge_pairs(const struct floor_class *c, const struct floor_set *s, uint64_t hash_mask,
                int32_t *group, int *groups, struct err *e)
{
    struct merge m;
    int code = merge_open(&m, c, s, hash_mask, e);
    if (!code) {
        refine(&m);
        /* Ids in the order of first appearance, so that they depend on the partition alone. */
        memset(m.size, 0xff, (size_t)m.colours * sizeof *m.size);
        *groups = 0;
        for (int row = 0; row < m.rows; row++) {
            int32_t *id = &m.size[m.colour[row]];
            if (*id < 0)
                *id = (*groups)++;
            group[row] = *id;
        }
    }
    merge_close(&m);
    return code;
}

int floor_merge(const struct floor_class *c, const struct floor_set *s, int32_t *group,
                int *groups, struct err *e)
{
    return merge_pairs(c, s, UINT64_MAX, group, groups, e);
}

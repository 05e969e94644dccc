/* Colour refinement: which (sample, position) pairs every network of a class maps to equal outputs.
 * Luo et al. 2022 have the case of identical tokens; the general one is ours:
 *
 *   colour of a pair = its token, with what the class marks its position by
 *   M[c][r]          = how many of the pairs that it sees have colour c and relation class r
 *   repeat: a pair's new colour = (old colour, view), until no colour splits any more, where
 *   view = ONE(t)    if the class is stochastic and all that is seen is one thing t (colour, key[1])
 *        = SHARES(M') if its weights are products, and M is one: of M', counts of things, and of
 *                    counts of factors (one thing under any factors is the smallest case)
 *        = M / |M|, M, or the list of (c, r) otherwise, as the class says; where weights are powers,
 *          the polynomials l_t of things up to a common rational factor (powers.h)
 *
 * That is equality of a value, so it is transitive, and a pair of view ONE or SHARES is never taken
 * for one of another kind: what agrees in M / |M| has one thing, or is a product, on both sides or on
 * neither.  For products nothing else is equal in all networks: l_t are linear forms in the factors,
 * l_t l'_s = l'_t l_s for all t and s, and linear forms factor uniquely.
 *
 * Invariant: two pairs share a colour only after an exact comparison.  Hashes sort pairs into runs,
 * and every run is then taken apart by comparing views in full.  A colour that one pair has alone
 * cannot split: such pairs are not looked at again, which makes generic samples free. */
#include "floor/merge.h"

#include <string.h>

#include "floor/classes.h"
#include "floor/intern.h"
#include "floor/sort.h"
#include "floor/tally.h"
#include "floor/weights.h"

struct merge {
    const struct floor_class *const *every; /* (turn) */
    int turn;
    const struct floor_class *class; /* of every, and its relation classes: those of this round */
    struct classes *classes;
    const struct floor_set *set;
    struct arena arena;      /* of all that follows */
    struct classes *table;   /* (turn) */
    struct tally tally;
    struct weights weights;
    uint64_t hash_mask;
    int rows, colours;
    int32_t *sample;         /* (rows) */
    int32_t *colour, *next;  /* (rows) now, and after this round */
    int32_t *size;           /* (rows) pairs of each colour */
    bool *taken;             /* (rows) whether a part of an old colour has kept it, this round */
    bool *quiet;             /* (turn) whether a round of this class splits nothing as things are */
    struct sort_item *item;  /* (items) pairs whose colour can split */
    size_t items;
    uint32_t *class_weight;  /* (classes) */
    uint32_t *value_weight;  /* (classes) of their values, of the class of this round */
    uint64_t *scale;         /* (longest + 1) takes the length of a row out of its hash */
    uint32_t *value;         /* (longest + 1) of one sample: weights of colours */
    uint64_t *prefix;        /* (longest + 1) and their sums */
    int32_t *run;            /* (longest) of one sample: where the run of equal colours starts */
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

static int colour_tokens(struct merge *m, struct err *e)
{
    const struct floor_set *s = m->set;
    size_t words = s->token ? 1 : (size_t)s->channels, marks = (size_t)m->turn * FLOOR_KEY;
    struct intern seen = {0};
    uint64_t *key = arena_alloc(&m->arena, words + marks, sizeof *key, e);
    int code = key ? intern_open(&seen, words + marks, e) : ERR_MEMORY;
    for (int row = 0; row < m->rows && !code; row++) {
        int sample = m->sample[row];
        for (size_t k = 0; k < words; k++)
            key[k] = s->token ? (uint64_t)s->token[row]
                              : number_bits(s->x[(size_t)row * words + k]);
        for (int k = 0; k < m->turn; k++)
            if (m->every[k]->mark)
                m->every[k]->mark(m->every[k], s->layout[sample], row - s->first[sample],
                                  key + words + (size_t)k * FLOOR_KEY);
        code = intern_id(&seen, key, &m->colour[row], e);
    }
    m->colours = seen.count;
    intern_close(&seen);
    return code;
}

/* ---- views ------------------------------------------------------------------------------------*/
struct view {
    struct class_row row;
    const int32_t *colour; /* (row.count) */
    int64_t one;           /* the single thing seen, where that is all that matters; else -1 */
    bool product;          /* row.class are values, and their shares are all that matters */
};

static const struct layout_classes *classes_of(const struct merge *m, int row)
{
    return &m->classes->item[m->classes->of_sample[m->sample[row]]];
}

/* The thing that everything seen is; -1: there are several, or nothing is seen. */
static int64_t single_thing(const struct merge *m, const struct class_row *row,
                            const int32_t *colour)
{
    int64_t one = -1;
    for (int j = 0; j < row->count; j++) {
        if (row->class[j] < 0)
            continue;
        int64_t thing = (int64_t)m->classes->value[row->class[j]] << 32 | colour[j];
        if (one >= 0 && thing != one)
            return -1;
        one = thing;
    }
    return one;
}

/* Replaces the classes of a row that is a product by their values, in scratch (longest): nothing else
 * of it matters. */
static void take_values(const struct merge *m, struct view *v, int32_t *scratch)
{
    for (int j = 0; j < v->row.count; j++) {
        int32_t class = v->row.class[j];
        scratch[j] = class < 0 ? class : m->classes->value[class];
    }
    v->row.class = scratch;
}

static bool is_product(struct merge *m, const struct layout_classes *l, struct weights_row row)
{
    if (m->class->weights != FLOOR_PRODUCTS || !row.row->count || l->lone)
        return false;
    return l->uniform || weights_product(&m->weights, m->classes, row);
}

static struct view view_of(struct merge *m, int row, int32_t *scratch)
{
    int first = m->set->first[m->sample[row]];
    const struct layout_classes *l = classes_of(m, row);
    struct view v = {.row = classes_row(l, row - first, scratch)};
    v.colour = m->colour + first + v.row.first;
    v.one = m->class->stochastic ? single_thing(m, &v.row, v.colour) : -1;
    v.product = v.one < 0 && is_product(m, l, (struct weights_row){&v.row, v.colour});
    if (v.product)
        take_values(m, &v, scratch);
    return v;
}

/* The next entry that is seen, from j on. */
static int next_seen(const struct view *v, int j)
{
    while (j < v->row.count && v->row.class[j] < 0)
        j++;
    return j;
}

static bool same_list(const struct view *a, const struct view *b)
{
    int i = next_seen(a, 0), j = next_seen(b, 0);
    while (i < a->row.count && j < b->row.count && a->colour[i] == b->colour[j] &&
           a->row.class[i] == b->row.class[j]) {
        i = next_seen(a, i + 1);
        j = next_seen(b, j + 1);
    }
    return i == a->row.count && j == b->row.count;
}

static struct weights_row row_of(const struct view *v)
{
    return (struct weights_row){&v->row, v->colour};
}

/* Whether pair `row` gives the same view as the pair whose view is `reference`, which m->tally was
 * set to. */
static bool same_view(struct merge *m, const struct view *reference, int row)
{
    struct view v = view_of(m, row, m->right);
    if (reference->one >= 0 || v.one >= 0)
        return reference->one == v.one;
    if (m->class->view == FLOOR_ORDERED)
        return same_list(reference, &v);
    if (reference->product != v.product)
        return false;
    if (m->class->weights == FLOOR_POWERS)
        return weights_powers_match(&m->weights, m->classes, row_of(reference), row_of(&v));
    return tally_matches(&m->tally, v.row.class, v.colour, v.row.count,
                         m->class->view == FLOOR_NORMALISED);
}

/* Whether two pairs of one sample see the same pairs in the same classes, for a quick yes. */
static bool same_row(const struct merge *m, int a, int b)
{
    const struct layout_classes *l = classes_of(m, a);
    int n = l->layout->n;
    return m->sample[a] == m->sample[b] && l->uniform && l->low == 1 - n && l->high == n - 1;
}

/* ---- hashes -----------------------------------------------------------------------------------
 * A row's hash is scale[seen] * sum over (c,r) of M[c][r] value(c) weight(r), modulo 2^64.  With
 * seen = odd * 2^k, scale = odd^-1 * 2^(top - k): multiplying M by a factor f, and seen with it,
 * leaves the hash as it is, so proportional M hash alike without any division.  Values and weights have
 * 32 bits, whose products compilers make several of at once.  Where a factor
 * matters the scale is left out, and where the order does the sum is mixed after each term. */
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

/* Of a row that is a product: of the shares of things alone. */
static uint64_t hash_product(const struct merge *m, const struct class_row *row)
{
    const uint32_t *value = m->value + row->first;
    uint64_t sum = 0;
    int seen = 0;
    for (int j = 0; j < row->count; j++)
        if (row->class[j] >= 0) {
            sum += (uint64_t)value[j] * m->value_weight[row->class[j]];
            seen++;
        }
    return intern_mix(~(sum * m->scale[seen]));
}

static uint64_t hash_row(struct merge *m, const struct layout_classes *l,
                         const struct class_row *row, const int32_t *colour)
{
    struct weights_row seen_row = {row, colour};
    if (m->class->weights == FLOOR_POWERS && row->count)
        return weights_powers_hash(&m->weights, m->classes, seen_row, m->value_weight);
    if (is_product(m, l, seen_row))
        return hash_product(m, row);
    const uint32_t *value = m->value + row->first;
    bool ordered = m->class->view == FLOOR_ORDERED;
    uint64_t sum = 0;
    int seen = 0;
    if (l->uniform && !ordered && row->count) {
        seen = row->count;
        sum = (m->prefix[row->first + seen] - m->prefix[row->first]) *
              m->class_weight[row->class[0]];
    }
    bool whole = l->weight && !l->uniform && !ordered && row->count;
    const uint32_t *weight = whole ? l->weight + (row->class - l->class) : NULL;
    for (int j = 0; j < row->count && whole; j++)
        sum += (uint64_t)value[j] * weight[j];
    seen = whole ? row->count : seen;
    for (int j = 0; j < row->count && !whole && (!l->uniform || ordered); j++)
        if (row->class[j] >= 0) {
            sum += (uint64_t)value[j] * m->class_weight[row->class[j]];
            sum = ordered ? intern_mix(sum) : sum;
            seen++;
        }
    return intern_mix(m->class->view == FLOOR_NORMALISED ? sum * m->scale[seen] : sum);
}

/* The single thing of a row of the sample whose runs are in m->run, or -1. */
static int64_t quick_single(const struct merge *m, const struct layout_classes *l,
                            const struct class_row *row, const int32_t *colour)
{
    bool several = !l->holes && row->count && m->run[row->first + row->count - 1] > row->first;
    return several ? -1 : single_thing(m, row, colour + row->first);
}

/* Keys of the items of one sample: equal for pairs of equal colour and view. */
static void hash_sample(struct merge *m, int sample, struct sort_item *item, size_t items)
{
    int first = m->set->first[sample], n = m->set->layout[sample]->n;
    const struct layout_classes *l = classes_of(m, first);
    const int32_t *colour = m->colour + first;
    for (int j = 0; j < n; j++) {
        m->value[j] = intern_mix((uint64_t)colour[j] + 1) >> 32;
        m->prefix[j + 1] = m->prefix[j] + m->value[j];
        m->run[j] = j && colour[j] == colour[j - 1] ? m->run[j - 1] : j;
    }
    for (size_t k = 0; k < items; k++) {
        int i = item[k].row - first;
        struct class_row row = classes_row(l, i, m->left);
        int64_t one = m->class->stochastic ? quick_single(m, l, &row, colour) : -1;
        uint64_t view = one >= 0 ? intern_mix((uint64_t)one + 1)
                                 : hash_row(m, l, &row, colour + row.first);
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
    if (reference.one < 0 && m->class->view != FLOOR_ORDERED && m->class->weights != FLOOR_POWERS)
        tally_set(&m->tally, reference.row.class, reference.colour, reference.row.count);
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

/* One round of the class at hand. */
static void refine_once(struct merge *m)
{
    list_items(m);
    hash_items(m);
    sort_items(m->item, m->items);
    memset(m->taken, 0, (size_t)m->colours * sizeof *m->taken);
    for (size_t at = 0, next; at < m->items; at = next) {
        for (next = at; next < m->items && m->item[next].key == m->item[at].key;)
            next++;
        size_t left = next - at;
        while (left)
            left = split_first(m, m->item + at, left);
    }
    memcpy(m->colour, m->next, (size_t)m->rows * sizeof *m->colour);
}

/* A round of class k; nothing is done where it is known to split nothing. */
static void refine_by(struct merge *m, int k)
{
    int before = m->colours;
    if (m->quiet[k])
        return;
    m->class = m->every[k];
    m->classes = &m->table[k];
    for (int32_t c = 0; c < m->classes->ids.count; c++)
        m->value_weight[c] = intern_mix(~(uint64_t)m->classes->value[c]) >> 32;
    refine_once(m);
    if (m->colours > before)
        memset(m->quiet, 0, (size_t)m->turn * sizeof *m->quiet);
    else
        m->quiet[k] = true;
}

/* Until no class of the turn splits a colour: the partition is then stable under each of them. */
static void refine(struct merge *m)
{
    int before;
    do {
        before = m->colours;
        for (int k = 0; k < m->turn; k++)
            refine_by(m, k);
    } while (m->colours > before);
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int alloc_rows(struct merge *m, struct err *e)
{
    size_t rows = (size_t)m->rows;
    m->sample = arena_alloc(&m->arena, rows, sizeof *m->sample, e);
    m->colour = arena_alloc(&m->arena, rows, sizeof *m->colour, e);
    m->next = arena_alloc(&m->arena, rows, sizeof *m->next, e);
    m->size = arena_alloc(&m->arena, rows, sizeof *m->size, e);
    m->taken = arena_alloc(&m->arena, rows, sizeof *m->taken, e);
    m->quiet = arena_alloc(&m->arena, (size_t)m->turn, sizeof *m->quiet, e);
    if (!m->sample || !m->colour || !m->next || !m->size || !m->taken || !m->quiet)
        return ERR_MEMORY;
    memset(m->quiet, 0, (size_t)m->turn * sizeof *m->quiet);
    return 0;
}

static int alloc_entries(struct merge *m, size_t entries, struct err *e)
{
    size_t classes = 0;
    for (int k = 0; k < m->turn; k++)
        classes = (size_t)m->table[k].ids.count > classes ? (size_t)m->table[k].ids.count : classes;
    m->class_weight = arena_alloc(&m->arena, classes, sizeof *m->class_weight, e);
    m->value_weight = arena_alloc(&m->arena, classes, sizeof *m->value_weight, e);
    m->scale = arena_alloc(&m->arena, entries, sizeof *m->scale, e);
    m->value = arena_alloc(&m->arena, entries, sizeof *m->value, e);
    m->prefix = arena_alloc(&m->arena, entries, sizeof *m->prefix, e);
    m->run = arena_alloc(&m->arena, entries, sizeof *m->run, e);
    m->left = arena_alloc(&m->arena, entries, sizeof *m->left, e);
    m->right = arena_alloc(&m->arena, entries, sizeof *m->right, e);
    return m->class_weight && m->value_weight && m->scale && m->value && m->prefix && m->run && m->left && m->right
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
    m->item = arena_alloc(&m->arena, items, sizeof *m->item, e);
    return m->item ? 0 : ERR_MEMORY;
}

static int open_tables(struct merge *m, struct err *e)
{
    m->table = arena_alloc(&m->arena, (size_t)m->turn, sizeof *m->table, e);
    int code = m->table ? 0 : ERR_MEMORY;
    for (int k = 0; k < m->turn && !code; k++)
        code = classes_open(&m->table[k], m->every[k], m->set, &m->arena, e);
    return code;
}

static int merge_open(struct merge *m, struct err *e)
{
    const struct floor_set *s = m->set;
    int longest = 1;
    for (int k = 0; k < s->count; k++)
        longest = s->layout[k]->n > longest ? s->layout[k]->n : longest;
    int code = arena_open(&m->arena, 0, e);
    if (code || (code = open_tables(m, e)) ||
        (code = tally_open(&m->tally, longest, &m->arena, e)) ||
        (code = weights_open(&m->weights, longest, &m->arena, e)) || (code = alloc_rows(m, e)) ||
        (code = alloc_entries(m, (size_t)longest + 1, e)))
        return code;
    for (int k = 0; k < s->count; k++)
        for (int row = s->first[k]; row < s->first[k + 1]; row++)
            m->sample[row] = k;
    for (int t = 0; t < m->turn; t++)
        for (int32_t k = 0; k < m->table[t].ids.count; k++)
            m->class_weight[k] = intern_mix(~(uint64_t)k) >> 32;
    for (int t = 0; t < m->turn && !code; t++)
        code = classes_weigh(&m->table[t], m->class_weight, &m->arena, e);
    if (code)
        return code;
    fill_scale(m->scale, longest);
    if ((code = colour_tokens(m, e)))
        return code;
    memcpy(m->next, m->colour, (size_t)m->rows * sizeof *m->next);
    return alloc_items(m, e);
}

/* Ids in the order of first appearance, so that they depend on the partition alone. */
static void number_groups(struct merge *m, int32_t *group, int *groups)
{
    memset(m->size, 0xff, (size_t)m->colours * sizeof *m->size);
    *groups = 0;
    for (int row = 0; row < m->rows; row++) {
        int32_t *id = &m->size[m->colour[row]];
        if (*id < 0)
            *id = (*groups)++;
        group[row] = *id;
    }
}

/* The layers of a network, as classes of a turn. */
struct layers {
    int count, kept;  /* the last so many of their partitions */
    const int *turn;  /* (count) index into the turn */
    int32_t *group;   /* (kept,rows) the partition after each layer */
    int *groups;      /* (kept) */
};

static int merge_run(struct merge *m, const struct layers *layers, int32_t *group, int *groups,
                     struct err *e)
{
    int code = merge_open(m, e);
    for (int k = 0; k < layers->count && !code; k++) {
        int kept = k - (layers->count - layers->kept);
        refine_by(m, layers->turn[k]);
        if (kept >= 0)
            number_groups(m, layers->group + (size_t)kept * (size_t)m->rows, &layers->groups[kept]);
    }
    if (!code) {
        refine(m);
        number_groups(m, group, groups);
    }
    for (int k = 0; k < m->turn && m->table; k++)
        intern_close(&m->table[k].ids);
    arena_close(&m->arena);
    return code;
}

int merge_pairs(const struct floor_class *const *c, int classes, const struct floor_set *s,
                uint64_t hash_mask, int32_t *group, int *groups, struct err *e)
{
    struct merge m = {.every = c, .turn = classes, .set = s, .hash_mask = hash_mask,
                      .rows = s->first[s->count]};
    return merge_run(&m, &(struct layers){0}, group, groups, e);
}

int floor_merge_classes(const struct floor_class *const *c, int classes, const struct floor_set *s,
                        int32_t *group, int *groups, struct err *e)
{
    return merge_pairs(c, classes, s, UINT64_MAX, group, groups, e);
}

int floor_merge(const struct floor_class *c, const struct floor_set *s, int32_t *group,
                int *groups, struct err *e)
{
    return floor_merge_classes(&c, 1, s, group, groups, e);
}

/* every (layers): the distinct classes of layer, in the order of first appearance; turn (layers):
 * which of them each layer is.  Returns how many there are. */
static int find_turn(const struct floor_class *const *layer, int layers,
                     const struct floor_class **every, int *turn)
{
    int count = 0;
    for (int k = 0; k < layers; k++) {
        for (turn[k] = 0; turn[k] < count && every[turn[k]] != layer[k];)
            turn[k]++;
        if (turn[k] == count)
            every[count++] = layer[k];
    }
    return count;
}

int floor_merge_layers(const struct floor_class *const *layer, int layers,
                       const struct floor_set *s, int32_t *after, int *after_groups,
                       int32_t *group, int *groups, struct err *e)
{
    const struct floor_class **every = memory_alloc((size_t)layers, sizeof *every, e);
    int *turn = memory_alloc((size_t)layers, sizeof *turn, e);
    int code = ERR_MEMORY;
    if (every && turn) {
        struct merge m = {.every = every, .turn = find_turn(layer, layers, every, turn), .set = s,
                          .hash_mask = UINT64_MAX, .rows = s->first[s->count]};
        struct layers l = {.count = layers, .kept = layers, .turn = turn, .group = after,
                           .groups = after_groups};
        code = merge_run(&m, &l, group, groups, e);
    }
    memory_free(every);
    memory_free(turn);
    return code;
}

int floor_merge_depth(const struct floor_class *const *c, int classes, const int *of, int layers,
                      const struct floor_set *s, int32_t *at, int *at_groups, int32_t *group,
                      int *groups, struct err *e)
{
    struct merge m = {.every = c, .turn = classes, .set = s, .hash_mask = UINT64_MAX,
                      .rows = s->first[s->count]};
    struct layers last = {.count = layers, .kept = 1, .turn = of, .group = at, .groups = at_groups};
    return merge_run(&m, &last, group, groups, e);
}

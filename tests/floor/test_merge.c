/* The merging algorithm against the closed form for single sequences, against a naive version
 * written from the theory, and against itself with bad hashes. */
#include <stdio.h>
#include <string.h>

#include "floor/help_floor.h"
#include "floor/intern.h"
#include "floor/merge.h"
#include "floor/rounds.h"
#include "floor/sort.h"
#include "help_turns.h"

/* ---- what a class is called in the closed form ------------------------------------------------*/
enum family { FAMILY_ONE, FAMILY_SYMMETRIC, FAMILY_ABSOLUTE, FAMILY_OTHER };

/* From what pairs are to the encoding, which tests/encoding compares with the logits of the formulas,
 * and from its hooks; not from its facts. */
static enum family family_of(const struct model_class *c, const struct layout *l)
{
    int32_t fold[64];
    struct arena arena;
    bool one = true, symmetric = true;
    struct encoding_context context = {
        .config = &c->config.encoding, .shape = &c->shape, .layout = l, .fold = fold};
    assert_true(l->relations <= 64);
    l->fold(c->shape.trained, l, fold);
    assert_int_equal(arena_open(&arena, 0, NULL), 0);
    assert_int_equal(encoding_open(&context, &arena, NULL), 0);
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < l->n; j++) {
            int64_t here = encoding_relation(&context, i, j);
            one = one && here == encoding_relation(&context, 0, 0);
            symmetric = symmetric &&
                        here == encoding_relation(&context, l->n - 1 - i, l->n - 1 - j);
        }
    arena_close(&arena);
    struct encoding_facts facts;
    encoding_of(&c->config.encoding)->facts(&c->config.encoding, &c->shape, &facts);
    return facts.absolute ? FAMILY_ABSOLUTE
           : one          ? FAMILY_ONE
           : symmetric    ? FAMILY_SYMMETRIC
                          : FAMILY_OTHER;
}

/* Values get something of their own, unless the option of that name says no. */
static bool has_value_term(const struct kind_config *c)
{
    const struct option *o = encoding_of(c)->options;
    for (int k = 0; o && o[k].key; k++)
        if (strcmp(o[k].key, "value") == 0)
            return c->number[k] != 0;
    return encoding_of(c)->value != NULL;
}

/* The group of each position of one sequence, by the paragraph "in closed form" of the theory. */
static void closed_form(const struct model_class *c, enum family family, const int32_t *token, int n,
                        int32_t *group)
{
    bool constant = true, palindrome = true;
    int run = 1;
    while (run < n && token[run] == token[0])
        run++;
    for (int i = 0; i < n; i++) {
        constant = constant && token[i] == token[0];
        palindrome = palindrome && token[i] == token[n - 1 - i];
        group[i] = i;
    }
    if (family == FAMILY_ABSOLUTE || has_value_term(&c->config.encoding) ||
        (c->config.attention == MODEL_URPE && n > 1 && c->shape.trained->n > 1))
        return;
    for (int i = 0; i < n; i++) {
        if (constant || (c->shape.past && i < run))
            group[i] = 0;
        else if (!c->shape.past && family == FAMILY_ONE)
            group[i] = token[i];
        else if (!c->shape.past && family == FAMILY_SYMMETRIC && palindrome)
            group[i] = i < n - 1 - i ? i : n - 1 - i;
    }
    /* abaaba, the only such word: what the first a sees and what the third does have a common factor. */
    bool one_slope = strcmp(encoding_of(&c->config.encoding)->name, "alibi") == 0;
    if (n == 6 && one_slope && !c->shape.past && palindrome && token[0] == token[2] && !constant)
        group[2] = group[3] = 0;
}

static void check_words(const struct model_class *c, const char *label, const struct layout *l,
                        int symbols)
{
    int32_t token[16], expected[16], group[16];
    int first[2] = {0, l->n}, words = 1;
    struct floor_set set = {.count = 1, .first = first, .layout = &l, .token = token};
    enum family family = family_of(c, l);
    if (c->config.attention == MODEL_URPE && !urpe_of(&c->config.c)->map)
        return; /* a C that may know distances alone has no closed form */
    for (int i = 0; i < l->n; i++)
        words *= symbols;
    for (int w = 0; w < words; w++) {
        for (int i = 0, rest = w; i < l->n; i++, rest /= symbols)
            token[i] = rest % symbols;
        closed_form(c, family, token, l->n, expected);
        int groups;
        assert_int_equal(floor_merge(&c->floor, &set, group, &groups, NULL), 0);
        if (!help_same_partition(expected, group, l->n))
            fail_msg("%s attention %d causal %d, n = %d trained %d, word %d of %d symbols", label,
                     c->config.attention, c->shape.past, l->n, c->shape.trained->n, w, symbols);
    }
}

/* Calls check for every encoding, mask, and kind of C (or none) that is defined. */
typedef void (*class_check)(const struct model_class *c, const char *label,
                            const struct layout *here);
static int for_each_class(const struct layout *trained, const struct layout *here,
                          class_check check)
{
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    int encodings = help_encodings(encoding), checked = 0;
    for (int k = 0; k < encodings; k++)
        for (int causal = 0; causal < 2; causal++)
            for (int c = -1; c <= urpe_kinds.count; c++) {
                struct model_class class = help_class(&encoding[k].config, c, causal, 8, trained);
                if (!help_defined(&class, here))
                    continue;
                check(&class, encoding[k].label, here);
                checked++;
            }
    return checked;
}

static void check_binary(const struct model_class *c, const char *label, const struct layout *l)
{
    check_words(c, label, l, 2);
}

static void check_ternary(const struct model_class *c, const char *label, const struct layout *l)
{
    check_words(c, label, l, 3);
}

static void test_closed_form(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int n = 1; n <= 6; n++) {
        struct layout *l = help_layout(&a, n);
        assert_true(for_each_class(l, l, check_binary) > encoding_kinds.count);
        if (n <= 5)
            for_each_class(l, l, check_ternary);
    }
    arena_close(&a);
}

/* Tables trained on fewer positions clip, and what is clipped still tells left from right. */
static void test_closed_form_longer(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int trained = 2; trained <= 4; trained++)
        assert_true(for_each_class(help_layout(&a, trained), help_layout(&a, 6), check_binary) > 8);
    arena_close(&a);
}

/* ---- a naive version --------------------------------------------------------------------------*/
/* What pair (row of sample s, position i) sees at j besides the colour. */
struct relation {
    bool seen;
    int64_t encoding;
    int64_t c;
};

struct naive {
    const struct floor_set *set;
    enum floor_view view;
    enum floor_weights weights;
    bool stochastic, absolute;
    int rows;
    int32_t colour[HELP_ROWS_MAX], next[HELP_ROWS_MAX];
    int sample[HELP_ROWS_MAX];
    struct relation *relation; /* (rows, longest) */
    int longest;
};

static const struct relation *relation_at(const struct naive *v, int row, int j)
{
    return v->relation + (size_t)row * (size_t)v->longest + j;
}

static int32_t colour_at(const struct naive *v, int row, int j)
{
    return v->colour[v->set->first[v->sample[row]] + j];
}

static bool same_entry(const struct naive *v, int p, int j, int q, int k)
{
    const struct relation *a = relation_at(v, p, j), *b = relation_at(v, q, k);
    return a->seen && b->seen && a->encoding == b->encoding && a->c == b->c &&
           colour_at(v, p, j) == colour_at(v, q, k);
}

static int64_t count_seen(const struct naive *v, int row)
{
    int64_t count = 0;
    for (int j = 0; j < v->longest; j++)
        count += relation_at(v, row, j)->seen;
    return count;
}

/* Entries of row q that have the relation and the colour of entry j of row p. */
static int64_t count_like(const struct naive *v, int p, int j, int q)
{
    int64_t count = 0;
    for (int k = 0; k < v->longest; k++)
        count += same_entry(v, p, j, q, k);
    return count;
}

/* Whether M of row q is factor times that of row p, with one factor for all entries; of_1: 1. */
static bool proportional(const struct naive *v, int p, int q, bool of_1)
{
    int64_t in_p = count_seen(v, p), in_q = count_seen(v, q);
    if ((of_1 || !in_p || !in_q) && in_p != in_q)
        return false;
    for (int j = 0; j < v->longest; j++)
        if (relation_at(v, p, j)->seen &&
            count_like(v, p, j, p) * in_q != count_like(v, p, j, q) * in_p)
            return false;
    return true;
}

static bool same_order(const struct naive *v, int p, int q)
{
    int k = 0;
    for (int j = 0; j < v->longest; j++) {
        if (!relation_at(v, p, j)->seen)
            continue;
        while (k < v->longest && !relation_at(v, q, k)->seen)
            k++;
        if (k == v->longest || !same_entry(v, p, j, q, k++))
            return false;
    }
    return count_seen(v, p) == count_seen(v, q);
}

static int64_t thing_at(const struct naive *v, int row, int j)
{
    return (int64_t)((uint64_t)relation_at(v, row, j)->c << 32 | (uint32_t)colour_at(v, row, j));
}

/* The one thing, colour and row of C, that a row sees; -1: several; -2: none. */
static int64_t single_thing(const struct naive *v, int row)
{
    int64_t found = -2;
    for (int j = 0; j < v->longest; j++)
        if (relation_at(v, row, j)->seen)
            found = found == -2 || found == thing_at(v, row, j) ? thing_at(v, row, j) : -1;
    return found;
}

/* ---- weights with factors in common, not as polynomials but by their values at random points ---*/
static const uint64_t prime = (UINT64_C(1) << 31) - 1;
enum { POINTS = 4 };

static uint64_t weight_at(const struct naive *v, int row, int j, uint64_t point)
{
    int64_t relation = relation_at(v, row, j)->encoding;
    uint64_t weight = 1;
    if (v->weights == FLOOR_PRODUCTS)
        return intern_mix(point + intern_mix((uint64_t)relation)) % prime;
    while (relation-- > 0)
        weight = weight * (intern_mix(point) % prime) % prime;
    return weight;
}

/* The sum of the weights of a thing; of a negative one, of all things. */
static uint64_t form_at(const struct naive *v, int row, int64_t thing, uint64_t point)
{
    uint64_t sum = 0;
    for (int j = 0; j < v->longest; j++)
        if (relation_at(v, row, j)->seen && (thing < 0 || thing_at(v, row, j) == thing))
            sum = (sum + weight_at(v, row, j, point)) % prime;
    return sum;
}

/* Whether the sums of all things that p sees are those of q, times one number. */
static bool same_sums(const struct naive *v, int p, int q, uint64_t point)
{
    uint64_t all_p = form_at(v, p, -1, point), all_q = form_at(v, q, -1, point);
    for (int j = 0; j < v->longest; j++)
        if (relation_at(v, p, j)->seen &&
            form_at(v, p, thing_at(v, p, j), point) * all_q % prime !=
                form_at(v, q, thing_at(v, p, j), point) * all_p % prime)
            return false;
    return all_p && all_q;
}

static bool stay_together(const struct naive *v, int p, int q)
{
    if (v->colour[p] != v->colour[q])
        return false;
    int64_t seen = single_thing(v, p);
    if (v->stochastic && seen >= 0 && seen == single_thing(v, q))
        return true;
    uint64_t point = v->weights == FLOOR_ANY ? 0 : POINTS;
    while (point && same_sums(v, p, q, point) && same_sums(v, q, p, point))
        if (--point == 0)
            return true;
    return v->view == FLOOR_ORDERED ? same_order(v, p, q)
                                    : proportional(v, p, q, v->view == FLOOR_COUNTED);
}

static bool same_token(const struct naive *v, int p, int q)
{
    const struct floor_set *s = v->set;
    if (v->absolute && p - s->first[v->sample[p]] != q - s->first[v->sample[q]])
        return false;
    if (s->token)
        return s->token[p] == s->token[q];
    for (int c = 0; c < s->channels; c++)
        if (s->x[p * s->channels + c] != s->x[q * s->channels + c])
            return false;
    return true;
}

/* next: a colour for each class of the relation `together`; returns how many. */
static int naive_round(struct naive *v, bool (*together)(const struct naive *, int, int))
{
    int colours = 0;
    for (int p = 0; p < v->rows; p++) {
        v->next[p] = -1;
        for (int q = 0; q < p && v->next[p] < 0; q++)
            if (together(v, p, q))
                v->next[p] = v->next[q];
        if (v->next[p] < 0)
            v->next[p] = colours++;
    }
    memcpy(v->colour, v->next, (size_t)v->rows * sizeof *v->colour);
    return colours;
}

static struct naive *naive_open(const struct floor_set *set)
{
    struct naive *v = memory_alloc(1, sizeof *v, NULL);
    assert_non_null(v);
    v->set = set;
    v->rows = set->first[set->count];
    for (int s = 0; s < set->count; s++) {
        v->longest = set->layout[s]->n > v->longest ? set->layout[s]->n : v->longest;
        for (int row = set->first[s]; row < set->first[s + 1]; row++)
            v->sample[row] = s;
    }
    v->relation = memory_alloc((size_t)v->rows * (size_t)v->longest, sizeof *v->relation, NULL);
    assert_non_null(v->relation);
    return v;
}

/* The refinement that people are shown, round by round. */
static void rounds_check(const struct floor_set *set, const struct floor_class *c,
                         const int32_t *group, int groups, const char *label)
{
    struct arena a;
    struct floor_rounds r;
    struct err e = {0};
    assert_int_equal(arena_open(&a, 0, &e), 0);
    if (floor_rounds(c, set, 0, &a, &r, &e))
        fail_msg("%s: %s", label, e.msg);
    const int32_t *last = r.colour + (size_t)r.rounds * (size_t)r.rows;
    if (r.colours != groups || memcmp(last, group, (size_t)r.rows * sizeof *group) != 0)
        fail_msg("%s: the rounds end in another partition", label);
    for (int row = 0, mates; row < r.rows; row++) {
        mates = 0;
        for (int other = 0; other < r.rows; other++)
            mates += group[other] == group[row];
        assert_int_equal(r.rule[row] == FLOOR_ALONE, mates == 1);
    }
    arena_close(&a);
}

enum { LAYERS = 3 };

/* What merging finds after each of the first layers: after (LAYERS,rows). */
static void merge_layers(const struct naive *v, const struct floor_class *c, int32_t *after)
{
    const struct floor_class *layer[LAYERS] = {c, c, c};
    int32_t group[HELP_ROWS_MAX], stable[HELP_ROWS_MAX];
    int each[LAYERS], groups, expected;
    assert_int_equal(
        floor_merge_layers(layer, LAYERS, v->set, after, each, group, &groups, NULL), 0);
    assert_int_equal(floor_merge(c, v->set, stable, &expected, NULL), 0);
    assert_int_equal(groups, expected);
    assert_memory_equal(group, stable, (size_t)v->rows * sizeof *stable);
}

/* Refines, compares with the groups that merging finds after each layer and, under three kinds of
 * hashes, at any depth, and closes. */
static void naive_check(struct naive *v, const struct floor_class *c, const char *label)
{
    static const uint64_t mask[] = {UINT64_MAX, 3, 0};
    int32_t group[HELP_ROWS_MAX], after[LAYERS * HELP_ROWS_MAX];
    int before, colours = naive_round(v, same_token);
    merge_layers(v, c, after);
    for (int k = 0; k < LAYERS; k++) {
        colours = naive_round(v, stay_together);
        if (!help_same_partition(v->colour, after + k * v->rows, v->rows))
            fail_msg("%s: not the naive result after %d layers", label, k + 1);
    }
    do {
        before = colours;
        colours = naive_round(v, stay_together);
    } while (colours > before);
    for (size_t m = 0; m < sizeof mask / sizeof *mask; m++) {
        int groups = -1, largest = -1;
        assert_int_equal(merge_pairs(&c, 1, v->set, mask[m], group, &groups, NULL), 0);
        for (int row = 0; row < v->rows; row++) {
            assert_in_range(group[row], 0, largest + 1);
            largest = group[row] > largest ? group[row] : largest;
        }
        assert_int_equal(groups, largest + 1);
        if (!help_same_partition(v->colour, group, v->rows))
            fail_msg("%s: not the naive result (hash mask %d)", label, (int)m);
        if (m == 0)
            rounds_check(v->set, c, group, groups, label);
    }
    memory_free(v->relation);
    memory_free(v);
}

/* ---- classes of models ------------------------------------------------------------------------*/
static void naive_relations(struct naive *v, const struct model_class *c, int s)
{
    const struct layout *l = v->set->layout[s];
    bool urpe = c->config.attention == MODEL_URPE;
    int32_t fold[64], c_row[64];
    assert_true(l->relations <= 64);
    l->fold(c->shape.trained, l, fold);
    const struct urpe *of_c = urpe_of(&c->config.c);
    if (urpe && of_c->map)
        of_c->map(&c->shape, l, c_row);
    struct encoding_context context = {
        .config = &c->config.encoding, .shape = &c->shape, .layout = l, .fold = fold}, formed = context;
    struct arena arena;
    formed.config = &c->config.c;
    assert_int_equal(arena_open(&arena, 0, NULL), 0);
    assert_int_equal(encoding_open(&context, &arena, NULL), 0);
    assert_int_equal(urpe ? urpe_open(&formed, &arena, NULL) : 0, 0);
    for (int i = 0; i < l->n; i++)
        for (int j = 0; j < (c->shape.past ? i + 1 : l->n); j++)
            v->relation[(size_t)(v->set->first[s] + i) * (size_t)v->longest + (size_t)j] =
                (struct relation){.seen = true,
                                  .encoding = v->weights == FLOOR_POWERS ? abs(j - i)
                                                                         : encoding_relation(&context, i, j),
                                  .c = !urpe      ? 0
                                       : of_c->map ? c_row[layout_relation(l, i, j)]
                                                   : of_c->relation(&formed, i, j)};
    arena_close(&arena);
}

static void check_naive(const struct model_class *c, const char *label, const struct layout *l)
{
    static int turn;
    turn++;
    struct encoding_facts facts;
    char text[128];
    snprintf(text, sizeof text, "%s attention %d causal %d n %d", label, c->config.attention, c->shape.past, l->n);
    encoding_of(&c->config.encoding)->facts(&c->config.encoding, &c->shape, &facts);
    for (int vectors = 0; vectors < 2; vectors++) {
        if (!help_turn(turn + l->n / 2 + vectors, 4))
            continue;
        struct help_set *set = memory_alloc(1, sizeof *set, NULL);
        assert_non_null(set);
        help_set_open(set, vectors ? 2 : 0, (uint64_t)l->n);
        help_set_plant(set, l, 2, 0);
        help_set_plant(set, l, 3, vectors ? 2 : 0);
        struct floor_set view = help_set_view(set);
        struct naive *v = naive_open(&view);
        v->stochastic = facts.right_stochastic;
        v->weights = c->floor.weights;
        v->absolute = facts.absolute;
        for (int s = 0; s < view.count; s++)
            naive_relations(v, c, s);
        naive_check(v, &c->floor, text);
        help_set_close(set);
        memory_free(set);
    }
}

static void test_naive(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int n = 1; n <= 5; n += 2) {
        struct layout *l = help_layout(&a, n);
        for_each_class(l, l, check_naive);
    }
    for_each_class(help_layout(&a, 3), help_layout(&a, 6), check_naive);
    arena_close(&a);
}

/* ---- every view, whatever is seen -------------------------------------------------------------*/
/* A class whose pairs are told apart, and hidden, at random: by relation or by pair. */
enum { PLACES = 6, SIZES = 3 };
struct random_class {
    struct floor_class floor;
    int key[SIZES][PLACES * PLACES]; /* by layout, then by relation or pair; negative: not seen */
};

static bool random_see(const struct floor_class *c, const struct layout *l, const void *state, int i,
                       int j, floor_key key)
{
    const struct random_class *r = (const struct random_class *)c;
    int at = c->relative ? layout_relation(l, i, j) : i * l->n + j;
    assert_null(state);
    if (r->key[PLACES - l->n][at] < 0)
        return false;
    key[0] = (uint64_t)r->key[PLACES - l->n][at] % 3;
    key[1] = (uint64_t)r->key[PLACES - l->n][at] / 3;
    return true;
}

static void draw_class(struct random_class *r, int k, struct stream *random)
{
    static const enum floor_view views[] = {FLOOR_NORMALISED, FLOOR_COUNTED, FLOOR_ORDERED};
    /* One class or several, everything seen or holes, down to rows that see nothing. */
    int classes = 1 + (int)stream_below(random, 6), hidden = (int)stream_below(random, 4);
    r->floor = (struct floor_class){.view = views[k % 3], .stochastic = k / 3 % 2,
                                    .relative = k / 6 % 2, .see = random_see};
    if (k % 3 == 0 && r->floor.stochastic)
        r->floor.weights = (enum floor_weights)(k / 12 % 3);
    for (int s = 0; s < SIZES; s++)
        for (int at = 0; at < PLACES * PLACES; at++)
            r->key[s][at] = (int)stream_below(random, 4) < hidden
                                ? -1
                                : (int)stream_below(random, (uint64_t)classes);
}

static void test_views(void **state)
{
    struct stream random;
    stream_open(&random, 8, "test", 0);
    for (int k = 0; k < 12 * (help_full() ? 36 : 24); k++) {
        struct help_set *set = memory_alloc(1, sizeof *set, NULL);
        struct random_class r;
        char text[64];
        assert_non_null(set);
        help_set_open(set, 0, (uint64_t)k);
        draw_class(&r, k, &random);
        for (int s = 0; s < SIZES; s++)
            help_set_plant(set, help_layout(&set->arena, PLACES - s), 1 + s % 2, 0);
        struct floor_set view = help_set_view(set);
        struct naive *v = naive_open(&view);
        v->view = r.floor.view;
        v->stochastic = r.floor.stochastic;
        v->weights = r.floor.weights;
        for (int row = 0; row < v->rows; row++) {
            const struct layout *l = view.layout[v->sample[row]];
            int i = row - view.first[v->sample[row]];
            for (int j = 0; j < l->n; j++) {
                int at = r.floor.relative ? layout_relation(l, i, j) : i * l->n + j;
                int key = r.key[PLACES - l->n][at];
                v->relation[(size_t)row * (size_t)v->longest + (size_t)j] =
                    (struct relation){.seen = key >= 0, .encoding = key % 3, .c = key / 3};
            }
        }
        snprintf(text, sizeof text, "view %d, stochastic %d, weights %d, relative %d, draw %d",
                 r.floor.view, r.floor.stochastic, r.floor.weights, r.floor.relative, k);
        naive_check(v, &r.floor, text);
        help_set_close(set);
        memory_free(set);
    }
}

/* ---- layouts other than one sequence ----------------------------------------------------------*/
static void fold_same(const struct layout *trained, const struct layout *here, int32_t *map)
{
    for (int r = 0; r < here->relations; r++)
        map[r] = r;
}

/* Relation tables of two graphs on 4 nodes, by distance: a path and a star. */
static const int32_t path[16] = {0, 1, 2, 3, 1, 0, 1, 2, 2, 1, 0, 1, 3, 2, 1, 0};
static const int32_t star[16] = {0, 1, 1, 1, 1, 0, 2, 2, 1, 2, 0, 2, 1, 2, 2, 0};
static const double distances[4] = {0, 1, 2, 3};

/* Equal tokens on a path and a star: with C, distances tell ends from middles; without it all
 * merge. */
static void test_tables(void **state)
{
    struct layout p = {.n = 4, .relations = 4, .relation = path, .distance = distances,
                       .fold = fold_same};
    struct layout s = p, again = p;
    s.relation = star;
    const struct layout *layout[] = {&p, &s, &again};
    int first[] = {0, 4, 8, 12};
    int32_t token[12] = {0}, group[12];
    struct floor_set set = {.count = 3, .first = first, .layout = layout, .token = token};
    struct kind_config toeplitz = help_kind(&encoding_kinds, "toeplitz");
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct model_class c = help_class(&toeplitz, -1, false, 8, &p);
    int groups;
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    assert_int_equal(groups, 1);
    c = help_class(&toeplitz, 0, false, 8, &p);
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    static const int32_t expected[12] = {0, 1, 1, 0, 2, 3, 3, 3, 0, 1, 1, 0};
    assert_true(help_same_partition(group, expected, 12));
    assert_int_equal(groups, 4);
    c = help_class(&none, -1, false, 8, &p);
    token[0] = 1; /* one graph with another token: two groups there, and one elsewhere */
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    static const int32_t marked[12] = {0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2};
    assert_true(help_same_partition(group, marked, 12));
}

/* Proportions across sizes: abab sees twice what ab sees.  On a line the classes of different
 * lengths are kept apart, because an encoding's offsets count from the length; where there is one for
 * all that is seen, it cancels. */
static void test_sizes(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    static const int32_t zero[16];
    struct layout two = {.n = 2, .relations = 1, .relation = zero, .distance = distances,
                         .fold = fold_same};
    struct layout four = two, three = two;
    four.n = 4;
    three.n = 3;
    const struct layout *layout[] = {&two, &four, &three};
    int first[] = {0, 2, 6, 9};
    int32_t token[] = {0, 1, 0, 1, 0, 1, 0, 1, 0}, group[9];
    int groups;
    struct floor_set set = {.count = 3, .first = first, .layout = layout, .token = token};
    struct kind_config toeplitz = help_kind(&encoding_kinds, "toeplitz");
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct model_class c = help_class(&toeplitz, -1, false, 8, &four);
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    static const int32_t expected[] = {0, 1, 0, 1, 0, 1, 2, 3, 2};
    assert_memory_equal(group, expected, sizeof expected);
    layout[0] = help_layout(&a, 2);
    layout[1] = help_layout(&a, 4);
    layout[2] = help_layout(&a, 3);
    c = help_class(&none, -1, false, 8, layout[1]);
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    assert_memory_equal(group, expected, sizeof expected);
    c = help_class(&toeplitz, -1, false, 8, layout[1]);
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    static const int32_t apart[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_memory_equal(group, apart, sizeof apart);
    arena_close(&a);
}

static bool see_neighbours(const struct floor_class *c, const struct layout *l, const void *state,
                           int i, int j, floor_key key)
{
    return j - i >= -1 && j - i <= 1;
}

static bool see_itself(const struct floor_class *c, const struct layout *l, const void *state,
                       int i, int j, floor_key key)
{
    return i == j;
}

/* One token that differs stands at the start, and a layer sees one step to each side: k layers tell
 * k + 2 places apart.  A layer that sees only itself takes its turn and tells nothing. */
static void test_layers(void **state)
{
    enum { N = 9, DEPTH = 5 };
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, N);
    int32_t token[N] = {1}, after[DEPTH * N], group[N];
    int first[] = {0, N}, each[DEPTH], groups;
    struct floor_set set = {.count = 1, .first = first, .layout = &l, .token = token};
    struct floor_class near = {.stochastic = true, .see = see_neighbours};
    struct floor_class self = {.stochastic = true, .see = see_itself};
    const struct floor_class *layer[][DEPTH] = {{&near, &near, &near, &near, &near},
                                                {&self, &near, &self, &near, &near},
                                                {&near, &self, &self, &self, &near}};
    static const int expected[][DEPTH] = {{3, 4, 5, 6, 7}, {2, 3, 3, 4, 5}, {3, 3, 3, 3, 4}};
    for (size_t k = 0; k < sizeof layer / sizeof *layer; k++) {
        assert_int_equal(
            floor_merge_layers(layer[k], DEPTH, &set, after, each, group, &groups, NULL), 0);
        assert_memory_equal(each, expected[k], sizeof each);
        assert_int_equal(groups, N);
        for (int row = 0; row < DEPTH * N; row++)
            assert_int_equal(after[row], row % N < each[row / N] ? row % N : each[row / N] - 1);
    }
    arena_close(&a);
}

static bool see_before(const struct floor_class *c, const struct layout *l, const void *state,
                       int i, int j, floor_key key)
{
    return j == i || j == i - 1;
}

/* Equal tokens: an average over what is near tells nothing until a layer that counts has told the
 * two ends apart from the rest. */
static void test_layers_wake(void **state)
{
    enum { N = 9, DEPTH = 3 };
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, N);
    int32_t token[N] = {0}, after[DEPTH * N], group[N];
    int first[] = {0, N}, each[DEPTH], groups;
    struct floor_set set = {.count = 1, .first = first, .layout = &l, .token = token};
    struct floor_class average = {.stochastic = true, .see = see_before};
    struct floor_class count = {.view = FLOOR_COUNTED, .see = see_neighbours};
    const struct floor_class *layer[DEPTH] = {&average, &count, &average};
    static const int32_t last[N] = {0, 1, 2, 2, 2, 2, 2, 2, 3};
    assert_int_equal(floor_merge_layers(layer, DEPTH, &set, after, each, group, &groups, NULL), 0);
    assert_int_equal(each[0], 1);
    assert_int_equal(each[1], 2);
    assert_memory_equal(after + 2 * N, last, sizeof last);
    assert_int_equal(groups, N);
    arena_close(&a);
}

/* Tokens are compared exactly: one bit apart is apart, and 0 is -0. */
static void test_tokens(void **state)
{
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, 6);
    double up = 1 + 0x1p-52;
    double x[] = {1, 0, up, 0, 1, -0.0, 0, 1, -0.0, 1, up, 0};
    int first[] = {0, 6}, groups;
    int32_t group[6];
    struct floor_set set = {.count = 1, .first = first, .layout = &l, .channels = 2, .x = x};
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct model_class c = help_class(&none, -1, false, 8, l);
    assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
    static const int32_t expected[] = {0, 1, 0, 2, 2, 1};
    assert_memory_equal(group, expected, sizeof expected);
    assert_int_equal(groups, 3);
    arena_close(&a);
}

/* ---- pieces -----------------------------------------------------------------------------------*/
static void test_intern(void **state)
{
    struct intern t;
    int32_t id;
    assert_int_equal(intern_open(&t, 2, NULL), 0);
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < 5000; k++) {
            uint64_t key[2] = {(uint64_t)k % 50, (uint64_t)k / 50 << 40};
            assert_int_equal(intern_id(&t, key, &id, NULL), 0);
            assert_int_equal(id, k);
        }
    assert_int_equal(t.count, 5000);
    intern_close(&t);
}

/* By key, whichever bits it has, then by row. */
static void test_sort(void **state)
{
    enum { COUNT = 3000 };
    static struct sort_item item[COUNT];
    static const uint64_t mask[] = {UINT64_MAX, 0, 7, UINT64_C(0xff00000000000000), 0x800};
    struct stream random;
    stream_open(&random, 3, "test", 0);
    for (size_t m = 0; m < sizeof mask / sizeof *mask; m++) {
        bool seen[COUNT] = {false};
        for (int k = 0; k < COUNT; k++)
            item[k] = (struct sort_item){pcg64_next(&random.state) & mask[m], COUNT - 1 - k};
        sort_items(item, COUNT);
        for (int k = 0; k < COUNT; k++) {
            assert_true(k == 0 || item[k - 1].key < item[k].key ||
                        (item[k - 1].key == item[k].key && item[k - 1].row < item[k].row));
            assert_false(seen[item[k].row]);
            seen[item[k].row] = true;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intern),      cmocka_unit_test(test_sort),
        cmocka_unit_test(test_closed_form), cmocka_unit_test(test_closed_form_longer),
        cmocka_unit_test(test_naive),       cmocka_unit_test(test_tables),
        cmocka_unit_test(test_views),       cmocka_unit_test(test_layers),
        cmocka_unit_test(test_layers_wake),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

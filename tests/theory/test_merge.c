/* The merging algorithm against the closed form for single sequences, against a naive version
 * written from the theory, and against itself with bad hashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "theory/help_theory.h"
#include "theory/intern.h"
#include "theory/merge.h"
#include "theory/sort.h"

/* ---- what a class is called in the closed form ------------------------------------------------*/
enum family { FAMILY_ONE, FAMILY_SYMMETRIC, FAMILY_ABSOLUTE, FAMILY_OTHER };

/* From the published formulas, not from the encodings' own facts. */
static enum family family_of(const char *name)
{
    static const char *const symmetric[] = {"alibi", "kerple-log", "kerple-power", "sandwich",
                                            "fire", NULL};
    static const char *const absolute[] = {"sinusoidal", "learned", NULL};
    if (strcmp(name, "none") == 0)
        return FAMILY_ONE;
    for (int k = 0; symmetric[k]; k++)
        if (strcmp(name, symmetric[k]) == 0)
            return FAMILY_SYMMETRIC;
    for (int k = 0; absolute[k]; k++)
        if (strcmp(name, absolute[k]) == 0)
            return FAMILY_ABSOLUTE;
    return FAMILY_OTHER;
}

static bool has_value_term(const struct kind_config *c)
{
    const struct option *o = encoding_of(c)->options;
    for (int k = 0; o && o[k].key; k++)
        if (strcmp(encoding_of(c)->name, "shaw") == 0 && strcmp(o[k].key, "value") == 0)
            return c->number[k] != 0;
    return false;
}

/* The group of each position of one sequence, by the paragraph "in closed form" of the theory. */
static void closed_form(const struct floor_class *c, const int32_t *token, int n, int32_t *group)
{
    enum family family = family_of(encoding_of(&c->encoding)->name);
    bool constant = true, palindrome = true;
    int run = 1;
    while (run < n && token[run] == token[0])
        run++;
    for (int i = 0; i < n; i++) {
        constant = constant && token[i] == token[0];
        palindrome = palindrome && token[i] == token[n - 1 - i];
        group[i] = i;
    }
    if (family == FAMILY_ABSOLUTE || c->urpe || has_value_term(&c->encoding))
        return;
    for (int i = 0; i < n; i++) {
        if (constant || (c->causal && i < run))
            group[i] = 0;
        else if (!c->causal && family == FAMILY_ONE)
            group[i] = token[i];
        else if (!c->causal && family == FAMILY_SYMMETRIC && palindrome)
            group[i] = i < n - 1 - i ? i : n - 1 - i;
    }
}

static void check_words(const struct floor_class *c, const char *label, const struct layout *l,
                        int symbols)
{
    int32_t token[16], expected[16], group[16];
    int first[2] = {0, l->n}, words = 1;
    struct floor_set set = {.count = 1, .first = first, .layout = &l, .token = token};
    for (int i = 0; i < l->n; i++)
        words *= symbols;
    for (int w = 0; w < words; w++) {
        for (int i = 0, rest = w; i < l->n; i++, rest /= symbols)
            token[i] = rest % symbols;
        closed_form(c, token, l->n, expected);
        int groups;
        assert_int_equal(floor_merge(c, &set, group, &groups, NULL), 0);
        if (!help_same_partition(expected, group, l->n))
            fail_msg("%s urpe %d causal %d, n = %d trained %d, word %d of %d symbols", label,
                     c->urpe, c->causal, l->n, c->shape.trained->n, w, symbols);
    }
}

/* Calls check for every encoding, mask, and kind of C (or none) that is defined. */
typedef void (*class_check)(const struct floor_class *c, const char *label,
                            const struct layout *here);
static int for_each_class(const struct layout *trained, const struct layout *here,
                          class_check check)
{
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    int encodings = help_encodings(encoding), checked = 0;
    for (int k = 0; k < encodings; k++)
        for (int causal = 0; causal < 2; causal++)
            for (int c = -1; c < urpe_kinds.count; c++) {
                struct floor_class class = {
                    .encoding = encoding[k].config, .urpe = c >= 0, .causal = causal,
                    .shape = {.width = 8, .heads = 2, .head_width = 4, .causal = causal,
                              .trained = trained}};
                if (c >= 0)
                    class.c = help_kind(&urpe_kinds, urpe_kinds.name(c));
                if (!help_defined(&class, here))
                    continue;
                check(&class, encoding[k].label, here);
                checked++;
            }
    return checked;
}

static void check_binary(const struct floor_class *c, const char *label, const struct layout *l)
{
    check_words(c, label, l, 2);
}

static void check_ternary(const struct floor_class *c, const char *label, const struct layout *l)
{
    check_words(c, label, l, 3);
}

static void test_closed_form(void **state)
{
    (void)state;
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
    (void)state;
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int trained = 2; trained <= 4; trained++)
        assert_true(for_each_class(help_layout(&a, trained), help_layout(&a, 6), check_binary) > 8);
    arena_close(&a);
}

/* ---- a naive version --------------------------------------------------------------------------*/
/* What pair (row of sample s, position i) sees at j besides the colour. */
struct relation {
    int64_t encoding;
    int32_t c;
};

struct naive {
    const struct floor_class *class;
    const struct floor_set *set;
    struct encoding_facts facts;
    int rows;
    int32_t colour[HELP_ROWS_MAX], next[HELP_ROWS_MAX];
    int sample[HELP_ROWS_MAX];
    struct relation *relation; /* (rows, longest) */
    int longest;
};

static int naive_visible(const struct naive *v, int row)
{
    int s = v->sample[row];
    return v->class->causal ? row - v->set->first[s] + 1 : v->set->layout[s]->n;
}

static bool same_relation(const struct relation *a, const struct relation *b)
{
    return a->encoding == b->encoding && a->c == b->c;
}

/* Entries of row q that have the relation and the colour of entry j of row p. */
static int64_t count_like(const struct naive *v, int p, int j, int q)
{
    const struct relation *like = v->relation + (size_t)p * (size_t)v->longest + j;
    int32_t colour = v->colour[v->set->first[v->sample[p]] + j];
    int64_t count = 0;
    for (int k = 0; k < naive_visible(v, q); k++)
        count += v->colour[v->set->first[v->sample[q]] + k] == colour &&
                 same_relation(v->relation + (size_t)q * (size_t)v->longest + k, like);
    return count;
}

static bool proportional(const struct naive *v, int p, int q)
{
    for (int j = 0; j < naive_visible(v, p); j++)
        if (count_like(v, p, j, p) * naive_visible(v, q) !=
            count_like(v, p, j, q) * naive_visible(v, p))
            return false;
    return true;
}

/* The one colour that a row sees, or -1. */
static int32_t single_colour(const struct naive *v, int row)
{
    int first = v->set->first[v->sample[row]];
    for (int j = 1; j < naive_visible(v, row); j++)
        if (v->colour[first + j] != v->colour[first])
            return -1;
    return v->colour[first];
}

static bool stay_together(const struct naive *v, int p, int q)
{
    if (v->colour[p] != v->colour[q])
        return false;
    int32_t seen = single_colour(v, p);
    if (v->facts.right_stochastic && !v->class->urpe && seen >= 0 && seen == single_colour(v, q))
        return true;
    return proportional(v, p, q);
}

static bool same_token(const struct naive *v, int p, int q)
{
    const struct floor_set *s = v->set;
    if (v->facts.absolute && p - s->first[v->sample[p]] != q - s->first[v->sample[q]])
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

static void naive_relations(struct naive *v, int s)
{
    const struct layout *l = v->set->layout[s];
    int32_t fold[64], c_row[64];
    assert_true(l->relations <= 64);
    l->fold(v->class->shape.trained, l, fold);
    if (v->class->urpe)
        urpe_of(&v->class->c)->map(&v->class->shape, l, fold, c_row);
    struct encoding_context context = {
        .config = &v->class->encoding, .shape = &v->class->shape, .layout = l, .fold = fold};
    for (int i = 0; i < l->n; i++) {
        int row = v->set->first[s] + i;
        v->sample[row] = s;
        for (int j = 0; j < naive_visible(v, row); j++)
            v->relation[(size_t)row * (size_t)v->longest + j] = (struct relation){
                .encoding = encoding_relation(&context, i, j),
                .c = v->class->urpe ? c_row[layout_relation(l, i, j)] : 0};
    }
}

static void naive_merge(const struct floor_class *c, const struct floor_set *set, int32_t *group)
{
    struct naive *v = memory_alloc(1, sizeof *v, NULL);
    assert_non_null(v);
    v->class = c;
    v->set = set;
    v->rows = set->first[set->count];
    for (int s = 0; s < set->count; s++)
        v->longest = set->layout[s]->n > v->longest ? set->layout[s]->n : v->longest;
    v->relation = memory_alloc((size_t)v->rows * (size_t)v->longest, sizeof *v->relation, NULL);
    encoding_of(&c->encoding)->facts(&c->encoding, &c->shape, &v->facts);
    for (int s = 0; s < set->count; s++)
        naive_relations(v, s);
    int before, colours = naive_round(v, same_token);
    do {
        before = colours;
        colours = naive_round(v, stay_together);
    } while (colours > before);
    memcpy(group, v->colour, (size_t)v->rows * sizeof *group);
    memory_free(v->relation);
    memory_free(v);
}

static void check_naive(const struct floor_class *c, const char *label, const struct layout *l)
{
    for (int round = 0; round < 2; round++) {
        struct help_set *set = memory_alloc(1, sizeof *set, NULL);
        assert_non_null(set);
        help_set_open(set, round ? 2 : 0, (uint64_t)l->n);
        help_set_plant(set, l, 2, 0);
        help_set_plant(set, l, 3, round ? 2 : 0);
        struct floor_set view = help_set_view(set);
        int32_t expected[HELP_ROWS_MAX], group[HELP_ROWS_MAX];
        int rows = view.first[view.count];
        naive_merge(c, &view, expected);
        static const uint64_t mask[] = {UINT64_MAX, 3, 0};
        for (size_t m = 0; m < sizeof mask / sizeof *mask; m++) {
            int groups = -1, largest = -1;
            assert_int_equal(merge_pairs(c, &view, mask[m], group, &groups, NULL), 0);
            for (int row = 0; row < rows; row++) {
                assert_in_range(group[row], 0, largest + 1);
                largest = group[row] > largest ? group[row] : largest;
            }
            assert_int_equal(groups, largest + 1);
            if (!help_same_partition(expected, group, rows))
                fail_msg("%s urpe %d causal %d n %d: not the naive result (hash mask %d)", label,
                         c->urpe, c->causal, l->n, (int)m);
        }
        help_set_close(set);
        memory_free(set);
    }
}

static void test_naive(void **state)
{
    (void)state;
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    for (int n = 1; n <= 5; n += 2) {
        struct layout *l = help_layout(&a, n);
        for_each_class(l, l, check_naive);
    }
    for_each_class(help_layout(&a, 3), help_layout(&a, 6), check_naive);
    arena_close(&a);
}

/* ---- layouts other than one sequence ----------------------------------------------------------*/
static void fold_same(const struct layout *trained, const struct layout *here, int32_t *map)
{
    (void)trained;
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
    (void)state;
    struct layout p = {.n = 4, .relations = 4, .relation = path, .distance = distances,
                       .fold = fold_same};
    struct layout s = p, again = p;
    s.relation = star;
    const struct layout *layout[] = {&p, &s, &again};
    int first[] = {0, 4, 8, 12};
    int32_t token[12] = {0}, group[12];
    struct floor_set set = {.count = 3, .first = first, .layout = layout, .token = token};
    struct floor_class c = {.encoding = help_kind(&encoding_kinds, "toeplitz"),
                            .c = help_kind(&urpe_kinds, "toeplitz"),
                            .shape = {.width = 8, .heads = 2, .head_width = 4, .trained = &p}};
    int groups;
    assert_int_equal(floor_merge(&c, &set, group, &groups, NULL), 0);
    assert_int_equal(groups, 1);
    c.urpe = true;
    assert_int_equal(floor_merge(&c, &set, group, &groups, NULL), 0);
    static const int32_t expected[12] = {0, 1, 1, 0, 2, 3, 3, 3, 0, 1, 1, 0};
    assert_true(help_same_partition(group, expected, 12));
    assert_int_equal(groups, 4);
    c.urpe = false;
    c.encoding = help_kind(&encoding_kinds, "none");
    token[0] = 1; /* one graph with another token: two groups there, and one elsewhere */
    assert_int_equal(floor_merge(&c, &set, group, &groups, NULL), 0);
    static const int32_t marked[12] = {0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2};
    assert_true(help_same_partition(group, marked, 12));
}

/* Proportions across sizes: abab sees twice what ab sees.  On a line the classes of different
 * lengths are kept apart, because an encoding's offsets count from the length. */
static void test_sizes(void **state)
{
    (void)state;
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
    struct floor_class c = {.encoding = help_kind(&encoding_kinds, "toeplitz"),
                            .shape = {.width = 8, .heads = 2, .head_width = 4, .trained = &four}};
    assert_int_equal(floor_merge(&c, &set, group, &groups, NULL), 0);
    static const int32_t expected[] = {0, 1, 0, 1, 0, 1, 2, 3, 2};
    assert_memory_equal(group, expected, sizeof expected);
    c.encoding = help_kind(&encoding_kinds, "none");
    layout[0] = help_layout(&a, 2);
    layout[1] = c.shape.trained = help_layout(&a, 4);
    layout[2] = help_layout(&a, 3);
    assert_int_equal(floor_merge(&c, &set, group, &groups, NULL), 0);
    static const int32_t apart[] = {0, 1, 2, 3, 2, 3, 4, 5, 4};
    assert_memory_equal(group, apart, sizeof apart);
    arena_close(&a);
}

/* Tokens are compared exactly: one bit apart is apart, and 0 is -0. */
static void test_tokens(void **state)
{
    (void)state;
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *l = help_layout(&a, 6);
    double up = 1 + 0x1p-52;
    double x[] = {1, 0, up, 0, 1, -0.0, 0, 1, -0.0, 1, up, 0};
    int first[] = {0, 6}, groups;
    int32_t group[6];
    struct floor_set set = {.count = 1, .first = first, .layout = &l, .channels = 2, .x = x};
    struct floor_class c = {.encoding = help_kind(&encoding_kinds, "none"),
                            .shape = {.width = 8, .heads = 2, .head_width = 4, .trained = l}};
    assert_int_equal(floor_merge(&c, &set, group, &groups, NULL), 0);
    static const int32_t expected[] = {0, 1, 0, 2, 2, 1};
    assert_memory_equal(group, expected, sizeof expected);
    assert_int_equal(groups, 3);
    arena_close(&a);
}

/* ---- pieces -----------------------------------------------------------------------------------*/
static void test_intern(void **state)
{
    (void)state;
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

static int compare_items(const void *a, const void *b)
{
    const struct sort_item *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

static void test_sort(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static struct sort_item item[COUNT], expected[COUNT], scratch[COUNT];
    static const uint64_t mask[] = {UINT64_MAX, 0, 7, UINT64_C(0xff00000000000000), 0x800};
    struct stream random;
    stream_open(&random, 3, "test", 0);
    for (size_t m = 0; m < sizeof mask / sizeof *mask; m++)
        for (size_t count = 0; count <= COUNT; count = count * 3 + 1) {
            for (size_t k = 0; k < count; k++)
                item[k] = (struct sort_item){pcg64_next(&random.state) & mask[m], (int32_t)k};
            memcpy(expected, item, count * sizeof *item);
            qsort(expected, count, sizeof *item, compare_items);
            sort_items(item, scratch, count);
            for (size_t k = 0; k < count; k++) {
                assert_true(item[k].key == expected[k].key);
                assert_int_equal(item[k].row, expected[k].row);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intern),      cmocka_unit_test(test_sort),
        cmocka_unit_test(test_closed_form), cmocka_unit_test(test_closed_form_longer),
        cmocka_unit_test(test_naive),       cmocka_unit_test(test_tables),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

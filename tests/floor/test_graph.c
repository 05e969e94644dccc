/* Merging on graphs against the distance-WL test (Zhang et al. 2023, "Rethinking the
 * Expressive Power of GNNs via Graph Biconnectivity", SPD-WL), written here from its definition:
 *
 *   colour of a node <- (colour, multiset of (distance, colour) over all nodes)
 *
 * With C the partitions are equal, since a node is the only one at distance 0 from itself: counts
 * that are multiples of each other are then equal.  Without C, nodes that see one colour only stay
 * together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "floor/help_floor.h"

enum { NODES_MAX = 24, GRAPHS_MAX = 64, ALL_MAX = 1024 };

/* ---- graphs and their distances, apart from lib/space -----------------------------------------*/
struct graph {
    int n, pairs;
    int32_t pair[2 * NODES_MAX * NODES_MAX];
};

static void join(struct graph *g, int i, int j)
{
    g->pair[2 * g->pairs] = i;
    g->pair[2 * g->pairs + 1] = j;
    g->pairs++;
}

/* The generalised Petersen graph GP(m,k): (10,2) is the dodecahedron, (10,3) Desargues' graph. */
static struct graph petersen(int m, int k)
{
    struct graph g = {.n = 2 * m};
    for (int i = 0; i < m; i++) {
        join(&g, i, (i + 1) % m);
        join(&g, i, m + i);
        join(&g, m + i, m + (i + k) % m);
    }
    return g;
}

/* Strongly regular, 16 nodes, 6 neighbours, 2 and 2 common ones (Shrikhande 1959). */
static struct graph rook(void)
{
    struct graph g = {.n = 16};
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < i; j++)
            if (i / 4 == j / 4 || i % 4 == j % 4)
                join(&g, i, j);
    return g;
}

static struct graph shrikhande(void)
{
    struct graph g = {.n = 16};
    for (int i = 0; i < 16; i++) {
        int row = i / 4, column = i % 4;
        join(&g, i, (row + 1) % 4 * 4 + column);
        join(&g, i, row * 4 + (column + 1) % 4);
        join(&g, i, (row + 1) % 4 * 4 + (column + 1) % 4);
    }
    return g;
}

static struct graph rings(int count, int size)
{
    struct graph g = {.n = count * size};
    for (int r = 0; r < count; r++)
        for (int i = 0; i < size; i++)
            join(&g, r * size + i, r * size + (i + 1) % size);
    return g;
}

/* Decalin, two rings of six that share an edge, and bicyclopentyl, two of five that an edge joins
 * (Sato 2020, section 3.1). */
static struct graph decalin(void)
{
    struct graph g = rings(1, 10);
    join(&g, 0, 5);
    return g;
}

static struct graph bicyclopentyl(void)
{
    struct graph g = rings(2, 5);
    join(&g, 0, 5);
    return g;
}

/* ---- refinement from its definition -----------------------------------------------------------*/
struct set {
    struct help_set samples;
    struct space_config space;
    int count, nodes;
    struct graph graph[GRAPHS_MAX];
    int first[GRAPHS_MAX + 1];
    int distance[GRAPHS_MAX][NODES_MAX][NODES_MAX]; /* -1: no path */
    int32_t colour[ALL_MAX], next[ALL_MAX];
    int of[ALL_MAX]; /* graph of a node */
    bool degrees;    /* refinement starts from token and degree */
};

static void fill_distances(struct set *s, int k)
{
    enum { FAR = 1000 };
    const struct graph *g = &s->graph[k];
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->n; j++)
            s->distance[k][i][j] = i == j ? 0 : FAR;
    for (int p = 0; p < g->pairs; p++) {
        int i = g->pair[2 * p], j = g->pair[2 * p + 1];
        s->distance[k][i][j] = s->distance[k][j][i] = 1;
    }
    for (int m = 0; m < g->n; m++)
        for (int i = 0; i < g->n; i++)
            for (int j = 0; j < g->n; j++)
                if (s->distance[k][i][m] + s->distance[k][m][j] < s->distance[k][i][j])
                    s->distance[k][i][j] = s->distance[k][i][m] + s->distance[k][m][j];
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->n; j++)
            if (s->distance[k][i][j] >= FAR)
                s->distance[k][i][j] = -1;
}

/* What refinement tells apart: all distances, or neighbours alone (the ordinary WL test). */
enum rule { DISTANCE_WL, NEIGHBOUR_WL };

static int kind_of(const struct set *s, enum rule rule, int cap, int k, int i, int j)
{
    int d = s->distance[k][i][j];
    if (rule == NEIGHBOUR_WL)
        return d == 0 ? 0 : d == 1 ? 1 : 2;
    return d > cap ? cap : d;
}

/* How many nodes of p's graph have the kind and colour of node j of it, seen from p; and of q's. */
static int count_like(const struct set *s, enum rule rule, int cap, int p, int kind,
                      int32_t colour)
{
    int k = s->of[p], i = p - s->first[k], count = 0;
    for (int j = 0; j < s->graph[k].n; j++)
        count += s->colour[s->first[k] + j] == colour && kind_of(s, rule, cap, k, i, j) == kind;
    return count;
}

static bool same_views(const struct set *s, enum rule rule, int cap, int p, int q)
{
    int k = s->of[p], i = p - s->first[k];
    if (rule == DISTANCE_WL && s->graph[k].n != s->graph[s->of[q]].n)
        return false;
    for (int j = 0; j < s->graph[k].n; j++) {
        int kind = kind_of(s, rule, cap, k, i, j);
        int32_t colour = s->colour[s->first[k] + j];
        if (rule == NEIGHBOUR_WL && kind == 2)
            continue;
        if (count_like(s, rule, cap, p, kind, colour) != count_like(s, rule, cap, q, kind, colour))
            return false;
    }
    return rule == DISTANCE_WL || s->graph[k].n == s->graph[s->of[q]].n;
}

static bool one_colour(const struct set *s, int p)
{
    int k = s->of[p];
    for (int j = s->first[k]; j < s->first[k + 1]; j++)
        if (s->colour[j] != s->colour[p])
            return false;
    return true;
}

static int degree_of(const struct set *s, int p)
{
    int k = s->of[p], i = p - s->first[k], count = 0;
    for (int j = 0; j < s->graph[k].n; j++)
        count += s->distance[k][i][j] == 1;
    return count;
}

/* From the tokens' colours to the stable ones. */
static void refine(struct set *s, enum rule rule, int cap, bool stochastic)
{
    int colours = 0, before;
    for (int p = 0; p < s->nodes; p++)
        s->colour[p] = s->samples.token[p] + (s->degrees ? 64 * degree_of(s, p) : 0);
    do {
        before = colours;
        colours = 0;
        for (int p = 0; p < s->nodes; p++) {
            int q = 0;
            for (; q < p; q++)
                if (s->colour[p] == s->colour[q] &&
                    (same_views(s, rule, cap, p, q) ||
                     (stochastic && one_colour(s, p) && one_colour(s, q))))
                    break;
            s->next[p] = q < p ? s->next[q] : colours++;
        }
        memcpy(s->colour, s->next, (size_t)s->nodes * sizeof *s->colour);
    } while (colours > before);
}

/* ---- sets -------------------------------------------------------------------------------------*/
static void set_open(struct set *s, int nodes, int cap)
{
    memset(s, 0, sizeof *s);
    help_set_open(&s->samples, 0, 3);
    assert_true(option_set_kind(&space_kinds, "graph", &s->space.kind));
    s->space.channels = 1;
    s->space.kind.number[1] = nodes; /* nodes, max_distance */
    s->space.kind.number[5] = cap;
    assert_int_equal(space_finish(&s->space, NULL), 0);
}

/* Adds g; its tokens are uniform over `symbols`. */
static void set_add(struct set *s, const struct graph *g, int symbols)
{
    struct layout *l = arena_alloc(&s->samples.arena, 1, sizeof *l, NULL);
    int32_t token[NODES_MAX];
    assert_non_null(l);
    assert_true(s->count < GRAPHS_MAX && s->nodes + g->n <= ALL_MAX);
    assert_int_equal(space_of(&s->space)->given(&s->space, g->n, g->pair, g->pairs,
                                                &s->samples.arena, l, NULL),
                     0);
    for (int i = 0; i < g->n; i++) {
        token[i] = (int32_t)stream_below(&s->samples.random, (uint64_t)symbols);
        s->of[s->nodes + i] = s->count;
    }
    help_set_add(&s->samples, l, token);
    s->graph[s->count] = *g;
    fill_distances(s, s->count);
    s->nodes += g->n;
    s->first[++s->count] = s->nodes;
}

/* A random graph, drawn by the space and taken over as edges. */
static void set_draw(struct set *s, const char *model, int n, double p, int symbols)
{
    struct space_config c = s->space;
    struct layout l;
    struct arena a;
    struct graph g = {.n = n};
    c.kind.number[0] = strcmp(model, "regular") == 0;
    c.kind.number[1] = n;
    c.kind.number[3] = p;
    c.kind.number[4] = 3;
    assert_int_equal(space_finish(&c, NULL), 0);
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(space_of(&c)->draw(&c, NULL, (int)c.length, &s->samples.random, &a, &l, NULL), 0);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (l.steps[i * n + j] == 1)
                join(&g, i, j);
    arena_close(&a);
    set_add(s, &g, symbols);
}

static void merge(struct set *s, const char *encoding, bool urpe, int32_t *group, int *groups)
{
    struct layout trained;
    struct floor_set view = help_set_view(&s->samples);
    assert_int_equal(space_of(&s->space)->layout(&s->space, (int)s->space.length, &s->samples.arena,
                                                 &trained, NULL),
                     0);
    struct kind_config kind = help_kind(&encoding_kinds, encoding);
    struct model_class class = help_class(&kind, urpe ? 0 : -1, false, 8, &trained);
    assert_true(help_defined(&class, &trained));
    assert_int_equal(floor_merge(&class.floor, &view, group, groups, NULL), 0);
}

/* Encodings that are functions of the distance. */
static const char *const of_distance[] = {"toeplitz", "alibi", "kerple-log", "kerple-power"};

static void check_partitions(struct set *s, int cap)
{
    int32_t group[ALL_MAX];
    int groups;
    refine(s, DISTANCE_WL, cap, false);
    merge(s, "none", true, group, &groups);
    assert_true(help_same_partition(s->colour, group, s->nodes));
    assert_in_range(groups, 2, s->nodes - 10); /* something merges, and something does not */
    for (int k = 0; k < 4; k++) {
        merge(s, of_distance[k], true, group, &groups);
        assert_true(help_same_partition(s->colour, group, s->nodes));
    }
    refine(s, DISTANCE_WL, cap, true);
    for (int k = 0; k < 4; k++) {
        merge(s, of_distance[k], false, group, &groups);
        assert_true(help_same_partition(s->colour, group, s->nodes));
    }
    assert_true(groups < s->nodes);
    s->degrees = true; /* what centrality adds to the input */
    refine(s, DISTANCE_WL, cap, true);
    merge(s, "centrality", false, group, &groups);
    assert_true(help_same_partition(s->colour, group, s->nodes));
    assert_in_range(groups, 2, s->nodes - 10);
    refine(s, DISTANCE_WL, cap, false);
    merge(s, "centrality", true, group, &groups);
    assert_true(help_same_partition(s->colour, group, s->nodes));
    s->degrees = false;
}

/* Random graphs of several sizes, sparse enough to fall apart, and regular ones, whose nodes only
 * distances tell apart; one symbol, and two. */
static void test_random_graphs(void **state)
{
    static struct set s;
    for (int symbols = 1; symbols <= 2; symbols++)
        for (int cap = 0; cap <= 2; cap += 2) {
            set_open(&s, 12, cap);
            for (int k = 0; k < 24; k++) {
                set_draw(&s, "erdos-renyi", 4 + k % 5, k % 2 ? 0.2 : 0.4, symbols);
                set_draw(&s, "regular", 6 + k % 4 * 2, 0, symbols);
            }
            check_partitions(&s, cap ? cap : 11);
            help_set_close(&s.samples);
        }
}

/* Without C no encoding tells any two nodes apart whose graphs have equal tokens. */
static void test_equal_tokens_without_c(void **state)
{
    static struct set s;
    int32_t group[ALL_MAX];
    set_open(&s, 12, 0);
    for (int k = 0; k < 20; k++)
        set_draw(&s, k % 2 ? "erdos-renyi" : "regular", 6 + k % 4 * 2, 0.3, 1);
    int checked = 0;
    for (int kind = 0; encoding_table[kind]; kind++) {
        struct encoding_facts facts;
        struct encoding_shape shape = {.width = 8, .heads = 2, .head_width = 4};
        struct kind_config c = help_kind(&encoding_kinds, encoding_table[kind]->name);
        int groups;
        encoding_table[kind]->facts(&c, &shape, &facts);
        if (encoding_table[kind]->axes_min > 0 || facts.absolute)
            continue;
        merge(&s, encoding_table[kind]->name, false, group, &groups);
        assert_int_equal(groups, 1);
        checked++;
    }
    assert_true(checked >= 5);
    help_set_close(&s.samples);
}

/* ---- known pairs ------------------------------------------------------------------------------*/
/* Whether the two graphs have as many nodes of each colour. */
static bool alike(const struct set *s, const int32_t *colour)
{
    int balance[ALL_MAX] = {0};
    for (int p = 0; p < s->nodes; p++)
        balance[colour[p]] += s->of[p] ? -1 : 1;
    for (int c = 0; c < ALL_MAX; c++)
        if (balance[c])
            return false;
    return true;
}

/* The certified ceiling on telling which of the two graphs a node belongs to. */
static double ceiling(const struct set *s, const int32_t *group, int groups)
{
    struct floor_labels out;
    int32_t label[ALL_MAX];
    for (int p = 0; p < s->nodes; p++)
        label[p] = s->of[p];
    assert_int_equal(floor_tokens(group, groups, s->nodes, label, NULL, NULL, &out, NULL), 0);
    return out.accuracy_ceiling;
}

static void check_pair(struct graph a, struct graph b, bool wl, bool distance_wl)
{
    static struct set s;
    int32_t group[ALL_MAX];
    int groups;
    set_open(&s, a.n, 0);
    set_add(&s, &a, 1);
    set_add(&s, &b, 1);
    refine(&s, NEIGHBOUR_WL, 0, false);
    assert_true(alike(&s, s.colour) == !wl);
    refine(&s, DISTANCE_WL, a.n, false);
    assert_true(alike(&s, s.colour) == !distance_wl);
    merge(&s, "toeplitz", true, group, &groups);
    assert_true(alike(&s, group) == !distance_wl);
    assert_true(help_same_partition(s.colour, group, s.nodes));
    if (distance_wl)
        assert_true(ceiling(&s, group, groups) > 0.5);
    else
        assert_true(ceiling(&s, group, groups) == 0.5);
    merge(&s, "toeplitz", false, group, &groups);
    assert_int_equal(groups, 1);
    assert_true(ceiling(&s, group, groups) == 0.5);
    help_set_close(&s.samples);
}

/* The dodecahedron and Desargues' graph (Zhang et al. 2023), and two strongly regular graphs of
 * equal parameters: distances are the same everywhere. */
static void test_pairs_that_distances_do_not_tell_apart(void **state)
{
    check_pair(petersen(10, 2), petersen(10, 3), false, false);
    check_pair(rook(), shrikhande(), false, false);
}

/* A ring of six and two of three; decalin and bicyclopentyl: the ordinary test sees no difference. */
static void test_pairs_that_distances_tell_apart(void **state)
{
    check_pair(rings(1, 6), rings(2, 3), false, true);
    check_pair(decalin(), bicyclopentyl(), false, true);
    check_pair(rings(1, 5), rings(1, 5), false, false);
    struct graph tail = rings(1, 5);
    tail.pairs--; /* a path */
    check_pair(rings(1, 5), tail, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_equal_tokens_without_c),
        cmocka_unit_test(test_pairs_that_distances_do_not_tell_apart),
        cmocka_unit_test(test_pairs_that_distances_tell_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

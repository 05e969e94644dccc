/* Random graphs, by the names that NetworkX has for them.  Invariant: a graph is simple, and a
 * function of the stream. */
#include <gsl/gsl_randist.h>
#include <string.h>

#include "space/graph.h"

int graph_open(struct graph *g, int n, size_t edges_max, struct arena *arena, struct err *e)
{
    *g = (struct graph){.n = n};
    g->pair = arena_alloc(arena, edges_max, 2 * sizeof *g->pair, e);
    g->joined = arena_alloc(arena, (size_t)n, (size_t)n, e);
    return arena_check(arena);
}

bool graph_has(const struct graph *g, int i, int j)
{
    return g->joined[(size_t)i * (size_t)g->n + (size_t)j];
}

void graph_add(struct graph *g, int i, int j)
{
    if (graph_has(g, i, j))
        return;
    g->joined[(size_t)i * (size_t)g->n + (size_t)j] = 1;
    g->joined[(size_t)j * (size_t)g->n + (size_t)i] = 1;
    g->pair[2 * g->edges] = i;
    g->pair[2 * g->edges + 1] = j;
    g->edges++;
}

static int degree_of(const struct kind_config *c)
{
    return (int)c->number[GRAPH_DEGREE];
}

static double given_neighbours(const struct kind_config *c) { return degree_of(c); }

static int check_nothing(const struct kind_config *c, int n, struct err *e)
{
    return 0;
}

/* ---- erdos-renyi ------------------------------------------------------------------------------
 * Every pair of nodes is joined with probability p, independently (Gilbert 1959; G(n,p)). */
static double erdos_renyi_neighbours(const struct kind_config *c)
{
    return c->number[GRAPH_P] * (c->number[GRAPH_NODES] - 1);
}

static size_t erdos_renyi_edges(const struct kind_config *c, int n)
{
    return (size_t)n * (size_t)(n - 1) / 2;
}

static int erdos_renyi_draw(const struct kind_config *c, struct stream *random, struct graph *g,
                            struct arena *arena, struct err *e)
{
    for (int i = 0; i < g->n; i++)
        for (int j = i + 1; j < g->n; j++)
            if (gsl_ran_bernoulli(stream_rng(random), c->number[GRAPH_P]))
                graph_add(g, i, j);
    return 0;
}

/* ---- regular ------------------------------------------------------------------------------------
 * Nodes have `degree` ends each; ends are paired at random, and pairs that would make a loop or an
 * edge twice are paired anew (Steger and Wormald 1999; uniform in the limit).  Where nearly all nodes
 * are joined hardly any attempt succeeds: then the pairs that are not joined are drawn so. */
enum { REGULAR_ATTEMPTS = 1000, REGULAR_ENDS = 1 << 22 };

static int regular_check(const struct kind_config *c, int n, struct err *e)
{
    int degree = degree_of(c);
    if (degree >= n)
        return err_set(e, ERR_USAGE, "space.degree",
                       "%d neighbours in a graph of %d nodes; expected less than the nodes", degree,
                       n);
    if (degree % 2 && n % 2)
        return err_set(e, ERR_USAGE, "space.degree",
                       "no graph of %d nodes has %d edges at each; expected an even degree, or even "
                       "nodes and nodes_min", n, degree);
    return 0;
}

static size_t regular_edges(const struct kind_config *c, int n)
{
    return (size_t)n * (size_t)degree_of(c) / 2;
}

static bool any_pair(const struct graph *g, const int *end, size_t ends)
{
    for (size_t a = 0; a < ends; a++)
        for (size_t b = 0; b < a; b++)
            if (end[a] != end[b] && !graph_has(g, end[a], end[b]))
                return true;
    return false;
}

/* One attempt; false: the last ends cannot be paired. */
static bool pair_ends(struct stream *random, struct graph *g, int *end, size_t ends)
{
    while (ends) {
        size_t left = 0;
        gsl_ran_shuffle(stream_rng(random), end, ends, sizeof *end);
        for (size_t k = 0; k < ends; k += 2) {
            int a = end[k], b = end[k + 1];
            if (a != b && !graph_has(g, a, b)) {
                graph_add(g, a, b);
                continue;
            }
            end[left++] = a;
            end[left++] = b;
        }
        if (left == ends && !any_pair(g, end, ends))
            return false;
        ends = left;
    }
    return true;
}

/* A graph of that degree, in a number of attempts that bounds the ends shuffled; false: none. */
static bool draw_degree(struct stream *random, struct graph *g, int *end, int degree)
{
    size_t n = (size_t)g->n, ends = n * (size_t)degree;
    size_t attempts = 1 + REGULAR_ENDS / (ends + 1);
    for (size_t k = 0; k < attempts && k < REGULAR_ATTEMPTS; k++) {
        g->edges = 0;
        memset(g->joined, 0, n * n);
        for (size_t m = 0; m < ends; m++)
            end[m] = (int)(m % n);
        if (pair_ends(random, g, end, ends))
            return true;
    }
    return false;
}

/* Joins what is not joined and the other way round; g has room for the edges. */
static void complement(struct graph *g)
{
    size_t n = (size_t)g->n;
    g->edges = 0;
    for (int i = 0; i < g->n; i++)
        for (int j = i + 1; j < g->n; j++) {
            unsigned char *at = &g->joined[(size_t)i * n + (size_t)j];
            unsigned char *back = &g->joined[(size_t)j * n + (size_t)i];
            bool join = !*at;
            *at = *back = 0;
            if (join)
                graph_add(g, i, j);
        }
}

static int regular_draw(const struct kind_config *c, struct stream *random, struct graph *g,
                        struct arena *arena, struct err *e)
{
    int degree = degree_of(c);
    int *end = arena_alloc(arena, (size_t)g->n * (size_t)degree, sizeof *end, e);
    if (!end)
        return ERR_MEMORY;
    if (draw_degree(random, g, end, degree))
        return 0;
    if (2 * degree >= g->n && draw_degree(random, g, end, g->n - 1 - degree)) {
        complement(g);
        return 0;
    }
    return err_set(e, ERR_NUMERIC, "space.degree", "no graph of %d nodes with %d neighbours each "
                   "was found in %d attempts", g->n, degree, REGULAR_ATTEMPTS);
}

/* ---- tree ---------------------------------------------------------------------------------------
 * Uniform over labelled trees: n - 2 random labels are a tree's Pruefer sequence (Pruefer 1918),
 * in which a node comes once less often than it has neighbours. */
static double tree_neighbours(const struct kind_config *c)
{
    return 2;
}

static size_t tree_edges(const struct kind_config *c, int n)
{
    return (size_t)n;
}

static int tree_draw(const struct kind_config *c, struct stream *random, struct graph *g,
                     struct arena *arena, struct err *e)
{
    int n = g->n, length = n > 2 ? n - 2 : 0, at = 0;
    int *sequence = arena_alloc(arena, (size_t)length, sizeof *sequence, e);
    int *left = arena_alloc(arena, (size_t)n, sizeof *left, e); /* neighbours still to come */
    if (!sequence || !left)
        return ERR_MEMORY;
    for (int i = 0; i < n; i++)
        left[i] = 1;
    for (int k = 0; k < length; k++) {
        sequence[k] = (int)gsl_rng_uniform_int(stream_rng(random), (unsigned long)n);
        left[sequence[k]]++;
    }
    /* The smallest leaf goes with the next label; that one may then be a still smaller leaf. */
    int leaf = -1;
    for (int k = 0; k < length; k++) {
        if (leaf < 0) {
            while (left[at] != 1)
                at++;
            leaf = at++;
        }
        int other = sequence[k];
        graph_add(g, leaf, other);
        left[leaf] = 0;
        leaf = --left[other] == 1 && other < at ? other : -1;
    }
    int first = -1;
    for (int i = 0; i < n; i++) /* two leaves are left */
        if (left[i] == 1) {
            if (first >= 0)
                graph_add(g, first, i);
            first = i;
        }
    return 0;
}

/* ---- small-world --------------------------------------------------------------------------------
 * A ring whose nodes are joined with their `degree` nearest ones; then each edge, in turn, keeps
 * one end and with probability p gets another at random (Watts and Strogatz 1998). */
static int small_world_check(const struct kind_config *c, int n, struct err *e)
{
    int degree = degree_of(c);
    if (degree >= n || degree % 2)
        return err_set(e, ERR_USAGE, "space.degree",
                       "%d nearest neighbours on a ring of %d nodes; expected an even number, less "
                       "than the nodes", degree, n);
    return 0;
}

/* Takes edge number `edge` from node i to j and gives it to i and k. */
static void rewire(struct graph *g, int edge, int k)
{
    int i = g->pair[2 * edge], j = g->pair[2 * edge + 1];
    size_t n = (size_t)g->n;
    g->joined[(size_t)i * n + (size_t)j] = g->joined[(size_t)j * n + (size_t)i] = 0;
    g->joined[(size_t)i * n + (size_t)k] = g->joined[(size_t)k * n + (size_t)i] = 1;
    g->pair[2 * edge + 1] = k;
}

static int free_ends(const struct graph *g, int i)
{
    int count = 0;
    for (int k = 0; k < g->n; k++)
        count += k != i && !graph_has(g, i, k);
    return count;
}

static int small_world_draw(const struct kind_config *c, struct stream *random, struct graph *g,
                            struct arena *arena, struct err *e)
{
    gsl_rng *rng = stream_rng(random);
    for (int far = 1; far <= degree_of(c) / 2; far++)
        for (int i = 0; i < g->n; i++)
            graph_add(g, i, (i + far) % g->n);
    for (int edge = 0; edge < g->edges; edge++) {
        int i = g->pair[2 * edge], k = i;
        if (!gsl_ran_bernoulli(rng, c->number[GRAPH_P]) || !free_ends(g, i))
            continue;
        while (k == i || graph_has(g, i, k))
            k = (int)gsl_rng_uniform_int(rng, (unsigned long)g->n);
        rewire(g, edge, k);
    }
    return 0;
}

#define MODELS(X)                                                                   \
    X("erdos-renyi", erdos_renyi_neighbours, check_nothing, erdos_renyi_edges, erdos_renyi_draw) \
    X("regular", given_neighbours, regular_check, regular_edges, regular_draw)      \
    X("tree", tree_neighbours, check_nothing, tree_edges, tree_draw)                \
    X("small-world", given_neighbours, small_world_check, regular_edges, small_world_draw)
#define MODEL_LINE(name, ...) {name, __VA_ARGS__},
#define MODEL_NAME(name, ...) name,

const struct graph_model graph_model_table[] = {MODELS(MODEL_LINE)};
const char *const graph_model_names[] = {MODELS(MODEL_NAME) NULL};

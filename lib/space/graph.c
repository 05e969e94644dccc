/* Graphs: nodes related by the length of the shortest path between them; each sample has a graph
 * of its own, drawn at random or picked from a file.
 *
 *   0 - 1 - 2   3      relation(i,j) = 0 1 2 U     U: there is no path
 *                                      1 0 1 U
 *                                      2 1 0 U
 *                                      U U U 0
 *
 * Invariant: relations depend on edges alone, so nodes that are renamed keep theirs, and mean the
 * same in all layouts of one cap, whatever their graphs.  A graph is simple and undirected: no edge
 * joins a node with itself, and each edge is held once.  A random one is a function of the stream. */
#include <ctype.h>
#include <gsl/gsl_randist.h>
#include <stdlib.h>
#include <string.h>

#include "base/named_file.h"
#include "space/space.h"
#include "space/table.h"

/* The relation table has n^2 entries.  A file is read again for every cell. */
enum { GRAPH_NODES_MAX = 1024, GRAPH_FILE_BYTES_MAX = 1 << 23 };

/* Own options of the space, by row; the file is their only text. */
enum {
    GRAPH_MODEL,
    GRAPH_NODES,
    GRAPH_NODES_MIN,
    GRAPH_P,
    GRAPH_DEGREE,
    GRAPH_MAX_DISTANCE,
    GRAPH_FILE
};

struct graph {
    int n, edges;
    int32_t *pair;         /* (edges,2) room for what graph_open was told */
    unsigned char *joined; /* (n,n) whether two nodes are neighbours */
};

/* A graph of n nodes without edges, with room for edges_max of them. */
static int graph_open(struct graph *g, int n, size_t edges_max, struct arena *arena, struct err *e)
{
    *g = (struct graph){.n = n};
    g->pair = arena_alloc(arena, edges_max, 2 * sizeof *g->pair, e);
    g->joined = arena_alloc(arena, (size_t)n, (size_t)n, e);
    return arena_check(arena);
}

static bool graph_has(const struct graph *g, int i, int j)
{
    return g->joined[(size_t)i * (size_t)g->n + (size_t)j];
}

/* Adds the edge i - j, i != j, unless it is there. */
static void graph_add(struct graph *g, int i, int j)
{
    if (graph_has(g, i, j))
        return;
    g->joined[(size_t)i * (size_t)g->n + (size_t)j] = 1;
    g->joined[(size_t)j * (size_t)g->n + (size_t)i] = 1;
    g->pair[2 * g->edges] = i;
    g->pair[2 * g->edges + 1] = j;
    g->edges++;
}

/* ---- from edges to layouts: breadth-first search from every node ------------------------------*/
/* Tables that were made for other graphs: distances beyond their cap count as the cap. */
static void graph_fold(const struct layout *trained, const struct layout *here, int32_t *map)
{
    int cap = trained->relations - 2;
    for (int r = 0; r < here->relations; r++)
        map[r] = r == here->relations - 1 ? cap + 1 : r < cap ? r : cap;
}

/* What a layout of n nodes shows to its readers as const. */
struct graph_tables {
    int n, cap;
    int32_t *relation, *steps, *degree;
};

/* The layout's tables in `arena`, still empty.  Relation r is the distance r, for r = cap that or
 * more, and cap + 1 says that there is no path (Ying et al. 2021, Graphormer, section 3.1.2). */
static int open_tables(struct graph_tables *t, int n, int cap, struct arena *arena,
                       struct layout *out, struct err *e)
{
    size_t nodes = (size_t)n, relations = (size_t)cap + 2;
    *t = (struct graph_tables){.n = n, .cap = cap};
    t->relation = arena_alloc(arena, nodes * nodes, sizeof *t->relation, e);
    t->steps = arena_alloc(arena, nodes * nodes, sizeof *t->steps, e);
    t->degree = arena_alloc(arena, nodes, sizeof *t->degree, e);
    double *distance = arena_alloc(arena, relations, sizeof *distance, e);
    if (arena_check(arena))
        return ERR_MEMORY;
    for (int r = 0; r <= cap + 1 && distance; r++)
        distance[r] = r <= cap ? r : -1;
    *out = (struct layout){.n = n, .relations = cap + 2, .relation = t->relation,
                           .distance = distance, .steps = t->steps, .degree = t->degree,
                           .fold = graph_fold};
    return 0;
}

/* Neighbours of node i: next[start[i]] .. next[start[i+1]-1]. */
struct neighbours {
    int *start, *next, *queue;
};

static int neighbours_open(struct neighbours *v, const struct graph *g, struct arena *arena,
                           struct err *e)
{
    size_t n = (size_t)g->n;
    v->start = arena_alloc(arena, n + 2, sizeof *v->start, e);
    v->next = arena_alloc(arena, 2 * (size_t)g->edges, sizeof *v->next, e);
    v->queue = arena_alloc(arena, n, sizeof *v->queue, e);
    if (arena_check(arena))
        return ERR_MEMORY;
    for (int k = 0; k < 2 * g->edges; k++) /* counts, two places ahead */
        v->start[g->pair[k] + 2]++;
    for (int i = 1; i < g->n; i++)
        v->start[i + 1] += v->start[i];
    for (int k = 0; k < 2 * g->edges; k++) /* start[i+1] moves from i's first place to its end */
        v->next[v->start[g->pair[k] + 1]++] = g->pair[k ^ 1];
    return 0;
}

/* steps (n) from node `from`. */
static void search(const struct neighbours *v, int n, int from, int32_t *steps)
{
    int head = 0, tail = 0;
    for (int i = 0; i < n; i++)
        steps[i] = -1;
    steps[from] = 0;
    v->queue[tail++] = from;
    while (head < tail) {
        int i = v->queue[head++];
        for (int k = v->start[i]; k < v->start[i + 1]; k++)
            if (steps[v->next[k]] < 0) {
                steps[v->next[k]] = steps[i] + 1;
                v->queue[tail++] = v->next[k];
            }
    }
}

/* What the tables say of g, which may lie behind them in `arena`. */
static int fill_tables(const struct graph_tables *t, const struct graph *g, struct arena *arena,
                       struct err *e)
{
    size_t n = (size_t)t->n;
    struct arena_mark mark = arena_mark(arena);
    struct neighbours v;
    if (arena->measuring)
        return 0;
    int code = neighbours_open(&v, g, arena, e);
    for (int i = 0; i < t->n && !code; i++) {
        search(&v, t->n, i, t->steps + (size_t)i * n);
        t->degree[i] = v.start[i + 1] - v.start[i];
    }
    arena_release(arena, mark);
    for (size_t k = 0; k < n * n && !code; k++) {
        int32_t steps = t->steps[k];
        t->relation[k] = steps < 0 ? t->cap + 1 : steps < t->cap ? steps : t->cap;
    }
    return code;
}

/* ---- random graphs, by the names that NetworkX has for them -----------------------------------*/
static int degree_of(const struct kind_config *c)
{
    return (int)c->number[GRAPH_DEGREE];
}

static double given_neighbours(const struct kind_config *c) { return degree_of(c); }

static int check_nothing(const struct kind_config *c, int n, struct err *e)
{
    (void)c, (void)n, (void)e;
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
    (void)c;
    return (size_t)n * (size_t)(n - 1) / 2;
}

static int erdos_renyi_draw(const struct kind_config *c, struct stream *random, struct graph *g,
                            struct arena *arena, struct err *e)
{
    (void)arena, (void)e;
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
    (void)c;
    return 2;
}

static size_t tree_edges(const struct kind_config *c, int n)
{
    (void)c;
    return (size_t)n;
}

static int tree_draw(const struct kind_config *c, struct stream *random, struct graph *g,
                     struct arena *arena, struct err *e)
{
    (void)c;
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
    (void)arena, (void)e;
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

/* A model of random graphs, and what it needs to be defined on n nodes.  Draws with GSL's
 * distributions from the stream. */
struct graph_model {
    const char *name;
    double (*neighbours)(const struct kind_config *c); /* of a node, in the mean */
    /* ERR_USAGE; e->where names the option. */
    int (*check)(const struct kind_config *c, int n, struct err *e);
    size_t (*edges_max)(const struct kind_config *c, int n);
    /* g is open and has no edges; scratch from arena. */
    int (*draw)(const struct kind_config *c, struct stream *random, struct graph *g,
                struct arena *arena, struct err *e);
};

#define MODELS(X)                                                                   \
    X("erdos-renyi", erdos_renyi_neighbours, check_nothing, erdos_renyi_edges, erdos_renyi_draw) \
    X("regular", given_neighbours, regular_check, regular_edges, regular_draw)      \
    X("tree", tree_neighbours, check_nothing, tree_edges, tree_draw)                \
    X("small-world", given_neighbours, small_world_check, regular_edges, small_world_draw)
#define MODEL_LINE(name, ...) {name, __VA_ARGS__},
#define MODEL_NAME(name, ...) name,

static const struct graph_model graph_model_table[] = {MODELS(MODEL_LINE)};
static const char *const graph_model_names[] = {MODELS(MODEL_NAME) NULL};

/* ---- graphs of a file ---------------------------------------------------------------------------
 * Text, a line for each edge: two node numbers from 0, as NetworkX writes with data=False.  What
 * follows # is a comment; empty lines are nothing.  A line "graph N" begins another graph, of N
 * nodes; before the first such line stands a graph of as many nodes as its numbers need. */
struct graph_of_file {
    int n, edges;
    const int32_t *pair; /* (edges,2), an edge maybe more than once */
};
struct graph_file {
    int graphs, largest; /* largest n */
    struct graph_of_file *graph;
};

struct reader {
    const char *path;
    int line;
    struct graph_file *file;
    int32_t *pair; /* of all graphs, one after the other */
    int pairs;
    bool sized; /* the graph at hand has a line of its own */
    struct err *e;
};

static int wrong(const struct reader *r, const char *what, const char *expected)
{
    return err_set(r->e, ERR_USAGE, "space.file", "%s:%d: %s; expected %s", r->path, r->line, what,
                   expected);
}

/* The next word of the line, NUL-terminated; NULL: there is none. */
static char *next_word(char **rest)
{
    char *s = *rest;
    while (isspace((unsigned char)*s))
        s++;
    char *word = s;
    while (*s && !isspace((unsigned char)*s))
        s++;
    *rest = *s ? s + 1 : s;
    *s = '\0';
    return *word ? word : NULL;
}

/* A number from low to high without a sign; -1: it is none. */
static int number_of(const char *word, int low, int high)
{
    char *end;
    if (!word || !isdigit((unsigned char)*word) || strlen(word) > 9)
        return -1;
    long value = strtol(word, &end, 10);
    return *end || value < low || value > high ? -1 : (int)value;
}

static int begin_graph(struct reader *r, const char *size)
{
    int n = number_of(size, 1, GRAPH_NODES_MAX);
    if (n < 0)
        return wrong(r, "no number of nodes", "`graph N`, N from 1 to 1024");
    r->file->graph[r->file->graphs++] =
        (struct graph_of_file){.n = n, .pair = r->pair + 2 * (size_t)r->pairs};
    r->sized = true;
    return 0;
}

static int take_edge(struct reader *r, const char *a, const char *b)
{
    struct graph_file *f = r->file;
    if (!f->graphs)
        f->graph[f->graphs++].pair = r->pair;
    struct graph_of_file *g = &f->graph[f->graphs - 1];
    int high = r->sized ? g->n - 1 : GRAPH_NODES_MAX - 1;
    int i = number_of(a, 0, high), j = number_of(b, 0, high);
    if (i < 0 || j < 0)
        return wrong(r, "no edge", r->sized ? "two nodes, from 0 and below the graph's N"
                                            : "`graph N`, or two nodes from 0 to 1023");
    if (i == j)
        return wrong(r, "an edge that joins a node with itself", "two nodes");
    r->pair[2 * r->pairs] = i;
    r->pair[2 * r->pairs + 1] = j;
    r->pairs++;
    g->edges++;
    if (!r->sized)
        g->n = i >= g->n ? i + 1 : g->n;
    if (!r->sized)
        g->n = j >= g->n ? j + 1 : g->n;
    return 0;
}

static int read_line(struct reader *r, char *line)
{
    line[strcspn(line, "#")] = '\0';
    char *first = next_word(&line), *second = first ? next_word(&line) : NULL;
    if (!first)
        return 0;
    if (second && next_word(&line))
        return wrong(r, "more than two words", "an edge, two nodes from 0, or `graph N`");
    return strcmp(first, "graph") ? take_edge(r, first, second) : begin_graph(r, second);
}

static int read_lines(struct reader *r, char *text, size_t count)
{
    int code = 0;
    if (memchr(text, '\0', count)) {
        r->line = 1;
        return wrong(r, "a NUL byte", "text");
    }
    for (char *end; text && !code; text = end) {
        end = strchr(text, '\n');
        if (end)
            *end++ = '\0';
        r->line++;
        code = read_line(r, text);
    }
    if (!code && !r->file->graphs)
        code = wrong(r, "the file has no graph", "lines of two nodes, or `graph N`");
    return code;
}

/* value: as in base/named_file.h.  ERR_USAGE, e->where "space.file" and the message begins with
 * FILE:LINE, when the content is wrong. */
static int open_file(struct graph_file *f, const char *value, struct arena *arena, struct err *e)
{
    char *text = NULL;
    size_t count, lines = 1;
    *f = (struct graph_file){0};
    struct err cause = {0};
    if (named_file_read(value, &text, &count, &cause))
        return err_set(e, cause.code == ERR_MEMORY ? ERR_MEMORY : ERR_USAGE, "space.file",
                       "%s: %s; expected the file that the spec names", cause.where, cause.msg);
    if (count > GRAPH_FILE_BYTES_MAX) {
        memory_free(text);
        return err_set(e, ERR_USAGE, "space.file", "%s has %zu bytes; expected at most %d",
                       named_file_path(value), count, GRAPH_FILE_BYTES_MAX);
    }
    for (size_t k = 0; k < count; k++)
        lines += text[k] == '\n';
    struct reader r = {.path = named_file_path(value), .file = f, .e = e};
    f->graph = arena_alloc(arena, lines, sizeof *f->graph, e);
    r.pair = arena_alloc(arena, lines, 2 * sizeof *r.pair, e);
    int code = ERR_MEMORY;
    if (f->graph && r.pair)
        code = read_lines(&r, text, count);
    memory_free(text);
    for (int k = 0; k < f->graphs && !code; k++)
        f->largest = f->graph[k].n > f->largest ? f->graph[k].n : f->largest;
    return code;
}

static bool from_file(const struct kind_config *c)
{
    return c->text[0].text[0] != '\0';
}

static bool is_model(const void *owner, int model)
{
    const struct kind_config *c = owner;
    return !from_file(c) && (int)c->number[GRAPH_MODEL] == model;
}

/* ---- options ----------------------------------------------------------------------------------*/
enum { ERDOS_RENYI, REGULAR, TREE, SMALL_WORLD };

static bool with_model(const void *owner)
{
    return !from_file(owner);
}
static bool with_p(const void *owner)
{
    return is_model(owner, ERDOS_RENYI) || is_model(owner, SMALL_WORLD);
}
static bool with_degree(const void *owner)
{
    return is_model(owner, REGULAR) || is_model(owner, SMALL_WORLD);
}

static const struct option options[] = {
    [GRAPH_MODEL] = {.key = "model", .type = OPTION_CHOICE, .fallback = "erdos-renyi",
                     .names = graph_model_names, .applies = with_model,
                     .help = "what graphs are drawn from, a fresh one for each sample"},
    [GRAPH_NODES] = {.key = "nodes", .type = OPTION_INT, .min = 1, .max = GRAPH_NODES_MAX,
                     .fallback = "16", .unit = "nodes", .applies = with_model,
                     .help = "nodes of the largest graph"},
    [GRAPH_NODES_MIN] = {.key = "nodes_min", .type = OPTION_INT, .min = 0, .max = GRAPH_NODES_MAX,
                         .fallback = "0", .unit = "nodes", .applies = with_model,
                         .help = "sizes are uniform from here to nodes; 0: all have `nodes`"},
    [GRAPH_P] = {.key = "p", .type = OPTION_REAL, .min = 0, .max = 1, .fallback = "0.2",
                 .applies = with_p,
                 .help = "erdos-renyi: probability of an edge; small-world: of its rewiring"},
    [GRAPH_DEGREE] = {.key = "degree", .type = OPTION_INT, .min = 0, .max = GRAPH_NODES_MAX - 1,
                      .fallback = "4", .unit = "edges", .applies = with_degree,
                      .help = "regular: neighbours of every node; small-world: of a node of the "
                              "ring, before rewiring"},
    [GRAPH_MAX_DISTANCE] = {.key = "max_distance", .type = OPTION_INT, .min = 0,
                            .max = GRAPH_NODES_MAX - 1, .fallback = "0", .unit = "edges",
                            .help = "distances from here on are one relation; 0: none is so far"},
    [GRAPH_FILE] = {.key = "file", .type = OPTION_TEXT, .fallback = "", .file = true,
                    .help = "graphs to pick from instead: a line for each edge, two nodes from 0; "
                            "`graph N` begins another, of N nodes; # a comment"},
    {.key = NULL},
};

/* ---- sizes ------------------------------------------------------------------------------------*/
/* The largest and the densest graph of a file; one that cannot be read is the check's business. */
static void file_sizes(const struct space_config *c, int64_t *nodes, double *neighbours)
{
    struct arena arena;
    struct graph_file file = {0};
    *nodes = 1;
    *neighbours = 0;
    if (arena_open(&arena, 0, NULL) || open_file(&file, c->kind.text[0].text, &arena, NULL))
        file.graphs = 0;
    for (int k = 0; k < file.graphs; k++) {
        const struct graph_of_file *g = &file.graph[k];
        double here = 2.0 * g->edges / g->n;
        *neighbours = here > *neighbours ? here : *neighbours;
        *nodes = g->n > *nodes ? g->n : *nodes;
    }
    arena_close(&arena);
}

static int64_t graph_positions(const struct space_config *c)
{
    int64_t nodes = (int64_t)c->kind.number[GRAPH_NODES];
    double neighbours;
    if (from_file(&c->kind))
        file_sizes(c, &nodes, &neighbours);
    return nodes;
}

static double graph_neighbours(const struct space_config *c)
{
    int64_t nodes;
    double neighbours;
    if (!from_file(&c->kind))
        return graph_model_table[(int)c->kind.number[GRAPH_MODEL]].neighbours(&c->kind);
    file_sizes(c, &nodes, &neighbours);
    return neighbours;
}

static int smallest(const struct kind_config *c)
{
    int least = (int)c->number[GRAPH_NODES_MIN];
    return least ? least : (int)c->number[GRAPH_NODES];
}

static int check_file(const struct space_config *c, struct err *e)
{
    struct arena arena;
    struct graph_file file;
    int code = arena_open(&arena, 0, e);
    if (code)
        return code;
    code = open_file(&file, c->kind.text[0].text, &arena, e);
    arena_close(&arena);
    return code;
}

static int graph_check(const struct space_config *c, struct err *e)
{
    const struct kind_config *k = &c->kind;
    if (from_file(k))
        return check_file(c, e);
    const struct graph_model *m = &graph_model_table[(int)k->number[GRAPH_MODEL]];
    if (smallest(k) > k->number[GRAPH_NODES])
        return err_set(e, ERR_USAGE, "space.nodes_min",
                       "the smallest graph has %d nodes and the largest %.0f; expected at most that",
                       smallest(k), k->number[GRAPH_NODES]);
    int code = m->check(k, smallest(k), e);
    return code ? code : m->check(k, (int)k->number[GRAPH_NODES], e);
}

/* Relations 0..cap are distances. */
static int cap_of(const struct space_config *c)
{
    int most = (int)c->length - 1, cap = (int)c->kind.number[GRAPH_MAX_DISTANCE];
    return cap && cap < most ? cap : most;
}

/* ---- layouts ----------------------------------------------------------------------------------*/
/* A layout and the graph that it is made from, which lies behind it in the arena until the end. */
struct making {
    struct graph_tables tables;
    struct graph graph;
    struct arena *arena;
    struct arena_mark mark;
};

static int begin(struct making *m, const struct space_config *c, int n, size_t edges_max,
                 struct arena *arena, struct layout *out, struct err *e)
{
    int code = open_tables(&m->tables, n, cap_of(c), arena, out, e);
    m->arena = arena;
    m->mark = arena_mark(arena);
    return code ? code : graph_open(&m->graph, n, edges_max, arena, e);
}

static int end(struct making *m, int code, struct err *e)
{
    if (!code)
        code = fill_tables(&m->tables, &m->graph, m->arena, e);
    arena_release(m->arena, m->mark);
    return code;
}

/* The path of n nodes, which has every distance. */
static int graph_layout(const struct space_config *c, int length, struct arena *arena,
                        struct layout *out, struct err *e)
{
    struct making m;
    if (length != c->length)
        return err_set(e, ERR_USAGE, "evaluate.lengths",
                       "the largest graph has %lld nodes, not %d; expected no other length",
                       (long long)c->length, length);
    int code = begin(&m, c, length, (size_t)length, arena, out, e);
    for (int i = 1; i < length && !code && !arena->measuring; i++)
        graph_add(&m.graph, i - 1, i);
    return end(&m, code, e);
}

static int graph_open_file(const struct space_config *c, struct arena *arena, void **state,
                           struct err *e)
{
    struct graph_file *file;
    *state = NULL;
    if (!from_file(&c->kind))
        return 0;
    *state = file = arena_alloc(arena, 1, sizeof *file, e);
    return file ? open_file(file, c->kind.text[0].text, arena, e) : ERR_MEMORY;
}

static int of_pairs(const struct space_config *c, int n, const int32_t *pair, int64_t pairs,
                    struct arena *arena, struct layout *out, struct err *e)
{
    struct making m;
    int code = begin(&m, c, n, (size_t)pairs, arena, out, e);
    for (int64_t k = 0; k < pairs && !code; k++)
        graph_add(&m.graph, pair[2 * k], pair[2 * k + 1]);
    return end(&m, code, e);
}

/* Sizes between the smallest and the largest; an odd degree goes with even ones only. */
static int draw_size(const struct kind_config *c, struct stream *random)
{
    int low = smallest(c), high = (int)c->number[GRAPH_NODES];
    bool odd = is_model(c, REGULAR) && (int)c->number[GRAPH_DEGREE] % 2;
    int step = odd ? 2 : 1;
    if (low == high)
        return low;
    return low + step * (int)stream_below(random, (uint64_t)((high - low) / step) + 1);
}

static int graph_draw(const struct space_config *c, const void *state, struct stream *random,
                      struct arena *arena, struct layout *out, struct err *e)
{
    const struct graph_file *file = state;
    const struct kind_config *k = &c->kind;
    struct making m;
    if (file) {
        const struct graph_of_file *one =
            &file->graph[stream_below(random, (uint64_t)file->graphs)];
        return of_pairs(c, one->n, one->pair, one->edges, arena, out, e);
    }
    const struct graph_model *model = &graph_model_table[(int)k->number[GRAPH_MODEL]];
    int n = draw_size(k, random);
    int code = begin(&m, c, n, model->edges_max(k, n), arena, out, e);
    if (!code)
        code = model->draw(k, random, &m.graph, arena, e);
    return end(&m, code, e);
}

static int graph_given(const struct space_config *c, int n, const int32_t *pair, int64_t pairs,
                       struct arena *arena, struct layout *out, struct err *e)
{
    if (n > GRAPH_NODES_MAX)
        return err_set(e, ERR_FORMAT, NULL, "a graph of %d nodes; expected at most %d", n,
                       GRAPH_NODES_MAX);
    for (int64_t k = 0; k < pairs; k++) {
        int32_t i = pair[2 * k], j = pair[2 * k + 1];
        if (i < 0 || i >= n || j < 0 || j >= n || i == j)
            return err_set(e, ERR_FORMAT, NULL, "edge %lld joins nodes %d and %d; expected two "
                           "different ones from 0 to %d", (long long)k, i, j, n - 1);
    }
    return of_pairs(c, n, pair, pairs, arena, out, e);
}

static const char *const patterns[] = {"generic", "identical", "constant", NULL};
static const char *const orbits[] = {"none", NULL};

const struct space space_graph = {
    .name = "graph",
    .summary = "nodes of random graphs, or of graphs from a file, a graph for each sample; "
               "relation(i,j) is the length of the shortest path, with one relation for none",
    .citation = "Ying et al. 2021 (Graphormer); Erdos-Renyi: Gilbert 1959; regular: Steger and "
                "Wormald 1999; tree: Pruefer 1918; small-world: Watts and Strogatz 1998",
    .options = options,
    .patterns = patterns,
    .orbits = orbits,
    .graph = true,
    .neighbours = graph_neighbours,
    .positions = graph_positions,
    .sized_by = "space.nodes or space.file",
    .check = graph_check,
    .layout = graph_layout,
    .open = graph_open_file,
    .draw = graph_draw,
    .pair_name = "edges",
    .given = graph_given,
};

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
 * joins a node with itself, and each edge is held once. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/named_file.h"
#include "space/graph.h"

/* The relation table has n^2 entries.  A file is read again for every cell. */
enum { GRAPH_NODES_MAX = 1024, GRAPH_FILE_BYTES_MAX = 1 << 23 };

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

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* of UTF-8, as Windows' editors write it */

/* ---- graphs of a file ---------------------------------------------------------------------------
 * Text, a line for each edge: two node numbers from 0, as NetworkX writes with data=False.  What
 * follows # is a comment; empty lines are nothing, nor is a byte order mark at the start.  A line "graph N" begins another graph, of N
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
    if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        text += strlen(BYTE_ORDER_MARK);
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

/* A file that counts from 1 has, read as from 0, a node 0 without an edge in each of its graphs. */
static const char *graph_doubt(const struct space_config *c, struct text *out)
{
    struct arena arena;
    struct graph_file file = {0};
    int edges = 0;
    bool zero = !from_file(&c->kind) || arena_open(&arena, 0, NULL);
    if (zero)
        return NULL;
    zero = open_file(&file, c->kind.text[0].text, &arena, NULL) != 0;
    for (int g = 0; g < file.graphs && !zero; g++) {
        edges += file.graph[g].edges;
        for (int k = 0; k < 2 * file.graph[g].edges; k++)
            zero |= file.graph[g].pair[k] == 0;
    }
    arena_close(&arena);
    if (zero || !edges)
        return NULL;
    text_append_format(out, "%s: node 0 has no edge in any graph; nodes count from 0, so where the "
                       "file counts from 1 each graph has a node more",
                       named_file_path(c->kind.text[0].text));
    return "space.file";
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

static int graph_draw(const struct space_config *c, const void *state, int most, struct stream *random,
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

static const char *const patterns[] = {"generic", "identical", "constant", "lua", NULL};
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
    .doubt = graph_doubt,
    .layout = graph_layout,
    .open = graph_open_file,
    .draw = graph_draw,
    .pair_name = "edges",
    .given = graph_given,
};

/* Graphs: nodes related by the length of the shortest path between them; each sample has a graph
 * of its own, drawn at random or picked from a file.
 *
 *   0 - 1 - 2   3      relation(i,j) = 0 1 2 U     U: there is no path
 *                                      1 0 1 U
 *                                      2 1 0 U
 *                                      U U U 0
 *
 * Invariant: relations depend on edges alone, so nodes that are renamed keep theirs. */
#include "space/graph.h"

#include "space/table.h"

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
/* A file that cannot be read is the check's business. */
static int64_t graph_positions(const struct space_config *c)
{
    struct arena arena;
    struct graph_file file = {0};
    if (!from_file(&c->kind))
        return (int64_t)c->kind.number[GRAPH_NODES];
    if (arena_open(&arena, 0, NULL))
        return 1;
    graph_file_open(&file, c->kind.text[0].text, &arena, NULL);
    arena_close(&arena);
    return file.largest > 0 ? file.largest : 1;
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
    code = graph_file_open(&file, c->kind.text[0].text, &arena, e);
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
/* The path of n nodes, which has every distance. */
static int graph_layout(const struct space_config *c, int length, struct arena *arena,
                        struct layout *out, struct err *e)
{
    struct graph_tables t;
    struct graph g;
    if (length != c->length)
        return err_set(e, ERR_USAGE, "evaluate.lengths",
                       "the largest graph has %lld nodes, not %d; expected no other length",
                       (long long)c->length, length);
    int code = graph_tables_open(&t, length, cap_of(c), arena, out, e);
    struct arena_mark mark = arena_mark(arena);
    if (!code)
        code = graph_open(&g, length, (size_t)length, arena, e);
    for (int i = 1; i < length && !code && !arena->measuring; i++)
        graph_add(&g, i - 1, i);
    if (!code)
        code = graph_tables_fill(&t, &g, arena, e);
    arena_release(arena, mark);
    return code;
}

static int graph_open_file(const struct space_config *c, struct arena *arena, void **state,
                           struct err *e)
{
    struct graph_file *file;
    *state = NULL;
    if (!from_file(&c->kind))
        return 0;
    *state = file = arena_alloc(arena, 1, sizeof *file, e);
    return file ? graph_file_open(file, c->kind.text[0].text, arena, e) : ERR_MEMORY;
}

static int of_pairs(const struct space_config *c, int n, const int32_t *pair, int64_t pairs,
                    struct arena *arena, struct layout *out, struct err *e)
{
    struct graph_tables t;
    struct graph g;
    int code = graph_tables_open(&t, n, cap_of(c), arena, out, e);
    struct arena_mark mark = arena_mark(arena);
    if (!code)
        code = graph_open(&g, n, (size_t)pairs, arena, e);
    for (int64_t k = 0; k < pairs && !code; k++)
        graph_add(&g, pair[2 * k], pair[2 * k + 1]);
    if (!code)
        code = graph_tables_fill(&t, &g, arena, e);
    arena_release(arena, mark);
    return code;
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
    struct graph_tables t;
    struct graph g;
    if (file) {
        const struct graph_of_file *one =
            &file->graph[stream_below(random, (uint64_t)file->graphs)];
        return of_pairs(c, one->n, one->pair, one->edges, arena, out, e);
    }
    const struct graph_model *m = &graph_model_table[(int)k->number[GRAPH_MODEL]];
    int n = draw_size(k, random);
    int code = graph_tables_open(&t, n, cap_of(c), arena, out, e);
    struct arena_mark mark = arena_mark(arena);
    if (!code)
        code = graph_open(&g, n, m->edges_max(k, n), arena, e);
    if (!code)
        code = m->draw(k, random, &g, arena, e);
    if (!code)
        code = graph_tables_fill(&t, &g, arena, e);
    arena_release(arena, mark);
    return code;
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
    .positions = graph_positions,
    .sized_by = "space.nodes or space.file",
    .check = graph_check,
    .layout = graph_layout,
    .open = graph_open_file,
    .draw = graph_draw,
    .pair_name = "edges",
    .given = graph_given,
};

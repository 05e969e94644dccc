/* From edges to layouts: breadth-first search from every node.
 * Invariant: relation ids mean the same in all layouts of one cap, whatever their graphs. */
#include <string.h>

#include "space/graph.h"

int graph_open(struct graph *g, int n, size_t edges_max, struct arena *arena, struct err *e)
{
    *g = (struct graph){.n = n};
    g->pair = arena_alloc(arena, edges_max, 2 * sizeof *g->pair, e);
    g->joined = arena_alloc(arena, (size_t)n, (size_t)n, e);
    return (g->pair && g->joined) || arena->measuring ? 0 : ERR_MEMORY;
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

/* Tables that were made for other graphs: distances beyond their cap count as the cap. */
static void graph_fold(const struct layout *trained, const struct layout *here, int32_t *map)
{
    int cap = trained->relations - 2;
    for (int r = 0; r < here->relations; r++)
        map[r] = r == here->relations - 1 ? cap + 1 : r < cap ? r : cap;
}

int graph_tables_open(struct graph_tables *t, int n, int cap, struct arena *arena,
                      struct layout *out, struct err *e)
{
    size_t nodes = (size_t)n, relations = (size_t)cap + 2;
    *t = (struct graph_tables){.n = n, .cap = cap};
    t->relation = arena_alloc(arena, nodes * nodes, sizeof *t->relation, e);
    t->steps = arena_alloc(arena, nodes * nodes, sizeof *t->steps, e);
    t->degree = arena_alloc(arena, nodes, sizeof *t->degree, e);
    double *distance = arena_alloc(arena, relations, sizeof *distance, e);
    if ((!t->relation || !t->steps || !t->degree || !distance) && !arena->measuring)
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
    if (!v->start || !v->next || !v->queue)
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

int graph_tables_fill(const struct graph_tables *t, const struct graph *g, struct arena *arena,
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

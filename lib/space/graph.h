/* Private to lib/space: graphs, from where they are drawn, read or given to their layouts.
 *
 * Invariant: a graph is simple and undirected: no edge joins a node with itself, and each edge is
 * held once. */
#ifndef SPACE_GRAPH_H
#define SPACE_GRAPH_H
#include "space/space.h"

/* The relation table has n^2 entries. */
enum { GRAPH_NODES_MAX = 1024 };

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
int graph_open(struct graph *g, int n, size_t edges_max, struct arena *arena, struct err *e);
/* Adds the edge i - j, i != j, unless it is there. */
void graph_add(struct graph *g, int i, int j);
static inline bool graph_has(const struct graph *g, int i, int j)
{
    return g->joined[(size_t)i * (size_t)g->n + (size_t)j];
}

/* ---- random graphs ----------------------------------------------------------------------------*/
/* A model of random graphs, and what it needs to be defined on n nodes.  Draws with GSL's
 * distributions from the stream. */
struct graph_model {
    const char *name;
    /* ERR_USAGE; e->where names the option. */
    int (*check)(const struct kind_config *c, int n, struct err *e);
    size_t (*edges_max)(const struct kind_config *c, int n);
    /* g is open and has no edges; scratch from arena. */
    int (*draw)(const struct kind_config *c, struct stream *random, struct graph *g,
                struct arena *arena, struct err *e);
};
extern const struct graph_model graph_model_table[]; /* ended by a NULL name */
extern const char *const graph_model_names[];        /* the same order, NULL-terminated */

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
/* value: as in base/named_file.h.  ERR_USAGE, e->where "space.file" and the message begins with
 * FILE:LINE, when the content is wrong. */
int graph_file_open(struct graph_file *f, const char *value, struct arena *arena, struct err *e);

/* ---- layouts ----------------------------------------------------------------------------------*/
/* What a layout of n nodes shows to its readers as const. */
struct graph_tables {
    int n, cap;
    int32_t *relation, *steps, *degree;
};
/* The layout's tables in `arena`, still empty; then what they say of g, which may lie behind them
 * there.  Relation r is the distance r, for r = cap that or more, and cap + 1 says that there is no
 * path (Ying et al. 2021, Graphormer, section 3.1.2). */
int graph_tables_open(struct graph_tables *t, int n, int cap, struct arena *arena,
                      struct layout *out, struct err *e);
int graph_tables_fill(const struct graph_tables *t, const struct graph *g, struct arena *arena,
                      struct err *e);

#endif

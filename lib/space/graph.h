/* Graphs in the making, and the models that draw them at random.  Private to lib/space. */
#ifndef SPACE_GRAPH_H
#define SPACE_GRAPH_H
#include "space/space.h"

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
bool graph_has(const struct graph *g, int i, int j);
/* Adds the edge i - j, i != j, unless it is there. */
void graph_add(struct graph *g, int i, int j);

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
extern const struct graph_model graph_model_table[]; /* in the order of graph_model_names */
extern const char *const graph_model_names[];        /* ended by NULL */

#endif

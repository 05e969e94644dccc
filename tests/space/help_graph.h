/* Graphs for tests: drawn, and compared with distances found in another way. */
#ifndef TESTS_SPACE_HELP_GRAPH_H
#define TESTS_SPACE_HELP_GRAPH_H
#include "space/help_space.h"

/* Sets one of the space's own options; space_finish may be called again. */
void graph_set(struct space_config *c, const char *key, double value);
/* The value of option `model` with this name. */
double graph_model(const char *name);
/* Finished, n nodes, degree 2. */
struct space_config graph_config(const char *model, int n);
/* Graph number `number`; from: what the space's open gave, or NULL. */
void graph_draw(const struct space_config *c, const void *from, uint64_t number, struct arena *a,
                struct layout *l);
int graph_edges(const struct layout *l);
bool graph_joined(const struct layout *l, int i, int j);
/* Everything in the layout follows from which nodes are joined: shortest paths by Floyd and
 * Warshall's algorithm, relations up to `cap`. */
void graph_check(const struct layout *l, int cap);

#endif

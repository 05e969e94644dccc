/* See help_graph.h. */
#include "space/help_graph.h"

#include <stdlib.h>
#include <string.h>

void graph_set(struct space_config *c, const char *key, double value)
{
    const struct option *o = space_of(c)->options;
    int k = 0;
    while (o[k].key && strcmp(o[k].key, key) != 0)
        k++;
    assert_non_null(o[k].key);
    c->kind.number[k] = value;
}

double graph_model(const char *name)
{
    const struct option *o = space_kinds.options(2);
    for (; o->key; o++)
        for (int k = 0; strcmp(o->key, "model") == 0 && o->names[k]; k++)
            if (strcmp(o->names[k], name) == 0)
                return k;
    fail_msg("no model %s", name);
    return 0;
}

/* Finished, n nodes; further options by set and space_finish again. */
struct space_config graph_config(const char *model, int n)
{
    struct space_config c = {.channels = 1};
    struct err e = {0};
    assert_true(option_set_kind(&space_kinds, "graph", &c.kind));
    graph_set(&c, "model", graph_model(model));
    graph_set(&c, "nodes", n);
    graph_set(&c, "degree", 2);
    if (space_finish(&c, &e))
        fail_msg("%s", e.msg);
    return c;
}

void graph_draw(const struct space_config *c, const void *from, uint64_t number, struct arena *a,
                 struct layout *l)
{
    struct stream random;
    struct err e = {0};
    stream_open(&random, 5, "test", number);
    if (space_of(c)->draw(c, from, (int)c->length, &random, a, l, &e))
        fail_msg("%s", e.msg);
}

int graph_edges(const struct layout *l)
{
    int sum = 0;
    for (int i = 0; i < l->n; i++)
        sum += l->degree[i];
    return sum / 2;
}

bool graph_joined(const struct layout *l, int i, int j)
{
    return l->steps[i * l->n + j] == 1;
}

/* Shortest paths from the neighbours alone, by Floyd and Warshall's algorithm. */
void graph_check(const struct layout *l, int cap)
{
    enum { FAR = 1000 };
    int n = l->n, *d = calloc((size_t)(n * n), sizeof *d);
    assert_non_null(d);
    for (int i = 0; i < n; i++) {
        int degree = 0;
        for (int j = 0; j < n; j++) {
            assert_int_equal(graph_joined(l, i, j), graph_joined(l, j, i));
            d[i * n + j] = i == j ? 0 : graph_joined(l, i, j) ? 1 : FAR;
            degree += graph_joined(l, i, j);
        }
        assert_int_equal(l->degree[i], degree);
    }
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                if (d[i * n + k] + d[k * n + j] < d[i * n + j])
                    d[i * n + j] = d[i * n + k] + d[k * n + j];
    assert_int_equal(l->relations, cap + 2);
    for (int p = 0; p < n * n; p++) {
        int relation = layout_relation(l, p / n, p % n);
        assert_int_equal(l->steps[p], d[p] < FAR ? d[p] : -1);
        assert_int_equal(relation, d[p] >= FAR ? cap + 1 : d[p] < cap ? d[p] : cap);
        assert_true(l->distance[relation] == (d[p] >= FAR ? -1 : d[p] < cap ? d[p] : cap));
    }
    free(d);
}

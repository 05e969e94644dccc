/* Targets on graphs: functions of shortest paths, and of the neighbours' tokens.
 * Invariant: nodes that are renamed keep their outputs; what a model's relations cap is not capped
 * here. */
#include "target/target.h"

static const int32_t *steps_of(const struct layout *l, int i)
{
    return l->steps + (size_t)i * (size_t)l->n;
}

static void fill_channels(double *y, int i, int d, double value)
{
    for (int k = 0; k < d; k++)
        y[(size_t)i * d + k] = value;
}

static int degree_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++)
        fill_channels(y, i, d, t->layout->degree[i]);
    return 0;
}

enum { NODES_AT_DISTANCE_K };
static const struct option nodes_at_distance_options[] = {
    {.key = "k", .type = OPTION_INT, .min = 1, .max = 1023, .fallback = "2", .unit = "edges",
     .help = "distance at which nodes are counted"},
    {.key = NULL},
};

static int nodes_at_distance_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++) {
        int count = 0;
        for (int j = 0; j < t->n; j++)
            count += steps_of(t->layout, i)[j] == (int)t->config->kind.number[NODES_AT_DISTANCE_K];
        fill_channels(y, i, d, count);
    }
    return 0;
}

static int eccentricity_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++) {
        int largest = 0;
        for (int j = 0; j < t->n; j++)
            largest = steps_of(t->layout, i)[j] > largest ? steps_of(t->layout, i)[j] : largest;
        fill_channels(y, i, d, largest);
    }
    return 0;
}

static int closeness_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    for (int i = 0; i < t->n; i++) {
        double reached = 0, sum = 0;
        for (int j = 0; j < t->n; j++)
            if (steps_of(t->layout, i)[j] > 0) {
                reached++;
                sum += steps_of(t->layout, i)[j];
            }
        fill_channels(y, i, d, sum > 0 ? reached / (t->n - 1) * reached / sum : 0);
    }
    return 0;
}

static int source_distance_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    double largest = x[0];
    for (int j = 1; j < t->n; j++)
        largest = x[(size_t)j * d] > largest ? x[(size_t)j * d] : largest;
    for (int i = 0; i < t->n; i++) {
        int nearest = t->n;
        for (int j = 0; j < t->n; j++) {
            int steps = steps_of(t->layout, i)[j];
            if (x[(size_t)j * d] == largest && steps >= 0 && steps < nearest)
                nearest = steps;
        }
        fill_channels(y, i, d, nearest);
    }
    return 0;
}

/* y_i = sum of the neighbours' tokens. */
static void add_neighbours(const struct layout *l, int d, const double *x, double *y)
{
    for (int i = 0; i < l->n; i++) {
        fill_channels(y, i, d, 0);
        for (int j = 0; j < l->n; j++)
            for (int k = 0; k < d && steps_of(l, i)[j] == 1; k++)
                y[(size_t)i * d + k] += x[(size_t)j * d + k];
    }
}

static int neighbour_sum_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    add_neighbours(t->layout, d, x, y);
    return 0;
}

static int neighbour_mean_evaluate(const struct target_sample *t, int d, const double *x, double *y, struct err *e)
{
    add_neighbours(t->layout, d, x, y);
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < d; k++) {
            size_t at = (size_t)i * d + k;
            y[at] = t->layout->degree[i] ? y[at] / t->layout->degree[i] : x[at];
        }
    return 0;
}

const struct target target_degree = {
    .name = "degree",
    .formula = "y_i = number of neighbours of i",
    .summary = "degree of the node",
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = degree_evaluate,
};

const struct target target_nodes_at_distance = {
    .name = "nodes_at_distance",
    .formula = "y_i = number of nodes j with dist(i,j) = k",
    .summary = "how many nodes are k edges away",
    .options = nodes_at_distance_options,
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = nodes_at_distance_evaluate,
};

const struct target target_eccentricity = {
    .name = "eccentricity",
    .formula = "y_i = max_j dist(i,j), over the nodes j that i reaches",
    .summary = "distance to the farthest node within reach",
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = eccentricity_evaluate,
};

const struct target target_closeness = {
    .name = "closeness",
    .formula = "y_i = r/(n-1) r/sum_j dist(i,j), over the r other nodes that i reaches; 0 if r = 0",
    .summary = "closeness centrality, as NetworkX has it",
    .citation = "Freeman 1979; Wasserman and Faust 1994 for several components",
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = closeness_evaluate,
};

const struct target target_source_distance = {
    .name = "source_distance",
    .formula = "y_i = dist(i, nearest node whose first channel is the largest of all); n: no path",
    .summary = "distance to the marked node; equal largest ones are all marked",
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = source_distance_evaluate,
};

const struct target target_neighbour_sum = {
    .name = "neighbour_sum",
    .formula = "y_i = sum of x_j over the neighbours j of i",
    .summary = "sum over neighbours",
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = neighbour_sum_evaluate,
};

const struct target target_neighbour_mean = {
    .name = "neighbour_mean",
    .formula = "y_i = mean of x_j over the neighbours j of i; x_i where there are none",
    .summary = "control without floor on identical inputs: mean over neighbours",
    .needs = TARGET_NEEDS_GRAPH,
    .evaluate = neighbour_mean_evaluate,
};

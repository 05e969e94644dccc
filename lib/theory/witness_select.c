/* Witnesses of selections, by attention scores: continuous targets and what token targets share. */
#include <math.h>

#include "theory/witness_build.h"

/* exp of less than this is 0 in the precision at hand. */
#ifdef REAL_DOUBLE
#define UNDERFLOW_MARGIN 750.0
#else
#define UNDERFLOW_MARGIN 110.0
#endif

double witness_margin(const struct witness_task *t, int table)
{
    double n = t->c->layout->n;
    double margin = t->beta > 0 ? t->beta / (n * n) : UNDERFLOW_MARGIN;
    return margin + t->c->table[table].range;
}

/* Registers of the second layer of a selection: key t_j and t_j^2, query t_{source(i)}. */
struct address {
    int key, square, query;
};

static void write_addresses(struct construct *c, const struct gates *g, const int *source,
                            const struct address *a, int off)
{
    int n = c->layout->n;
    double centre = (n - 1) / 2.0; /* small numbers, and exact: whole or half */
    for (int i = 0; i < n; i++) {
        int unit = gates_indicator(c, g, i);
        double here = i - centre, there = (source[i] < 0 ? i : source[i]) - centre;
        construct_unit_out(c, unit, a->key, here);
        construct_unit_out(c, unit, a->square, here * here);
        construct_unit_out(c, unit, a->query, there);
        if (off >= 0)
            construct_unit_out(c, unit, off, source[i] < 0);
    }
}

int witness_select(struct witness_task *t, const int *source, int from, int count, int to,
                   int *off)
{
    struct construct *c = t->c;
    int n = c->layout->n, table;
    bool complete = true;
    struct gates g;
    if (!c->rest.scores)
        return CONSTRUCT_UNKNOWN;
    for (int i = 0; i < n; i++) {
        complete = complete && source[i] >= 0;
        if (source[i] >= construct_visible(c, i))
            return CONSTRUCT_UNKNOWN;
    }
    construct_layer(c);
    int code = gates_open(c, &g);
    if (!code)
        code = construct_table(c, NULL, NULL, &table);
    if (code)
        return code;
    struct address a = {construct_registers(c, 1), construct_registers(c, 1),
                        construct_registers(c, 1)};
    *off = complete ? -1 : construct_registers(c, 1);
    construct_layer(c);
    write_addresses(c, &g, source, &a, *off);
    /* -(t_j - t_source)^2 up to a term that is the same for all j: the runner-up is 1 away. */
    double margin = witness_margin(t, table);
    construct_layer(c);
    construct_score(c, table, a.query, a.key, 2 * margin);
    construct_score(c, table, CONSTRUCT_ONE, a.square, -margin);
    for (int k = 0; k < count; k++)
        construct_value(c, table, from + k, to + k, 1);
    return 0;
}

int witness_build_selection(struct witness_task *t)
{
    struct construct *c = t->c;
    int d = t->probe->d, off, *source;
    double *k;
    if (!probe_linear(t->probe, &k) || !probe_sources(t->probe, k, &source))
        return CONSTRUCT_UNKNOWN;
    int picked = construct_registers(c, d), y = construct_registers(c, d);
    int code = witness_select(t, source, t->x, d, picked, &off);
    for (int m = 0; m < d && !code; m++) {
        construct_output(c, m, off < 0 ? picked + m : y + m, 1);
        if (off < 0)
            continue;
        int unit = construct_unit(c); /* inputs lie in [0,1] */
        construct_unit_in(c, unit, picked + m, 1);
        construct_unit_in(c, unit, off, -2);
        construct_unit_out(c, unit, y + m, 1);
    }
    return code;
}

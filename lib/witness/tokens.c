/* Witnesses of selections, by attention scores, and of token targets: labels that depend on the
 * position alone, and labels that are the symbol of another position. */
#include <math.h>

#include "witness/build.h"

/* By how much the right logit leads: e^-40 is nothing beside 1 in float. */
#define LEAD 40.0

/* ---- selection --------------------------------------------------------------------------------*/
/* How far a score must lead for the others to vanish: their exponentials underflow, or are about
 * e^(-beta / n^2). */
static double margin_of(const struct witness_task *t, int table)
{
    double n = t->c->layout->n, underflow = t->c->model->precision == MODEL_DOUBLE ? 750 : 110;
    double margin = t->beta > 0 ? t->beta / (n * n) : underflow;
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

/* What the selections of both kinds share: registers `to` .. to+count-1 receive from .. of the
 * source's position; source[i] -1 leaves them at some position's values and sets `off` (a register,
 * 1 there and 0 elsewhere; -1: every position has a source).  Two layers of gates come first. */
static int select_sources(struct witness_task *t, const int *source, int from, int count,
                          int to, int *off)
{
    struct construct *c = t->c;
    int n = c->layout->n, table;
    bool complete = true;
    struct gates g;
    if (!c->rest.scores)
        return CONSTRUCT_UNKNOWN;
    for (int i = 0; i < n; i++) {
        complete = complete && source[i] >= 0;
        if (source[i] >= 0 && !construct_sees(c, i, source[i]))
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
    double margin = margin_of(t, table);
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
    int code = select_sources(t, source, t->x, d, picked, &off);
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

/* ---- symbols as points --------------------------------------------------------------------------
 * Points of the unit sphere, as far apart as a spiral puts them: about 3.1 / sqrt(count).  The logit
 * of a label is the inner product with its point: the largest is the symbol itself.
 * Source: the Fibonacci lattice, e.g. Gonzalez 2010, Mathematical Geosciences 42, 49-64. */
enum { CODES_DIMENSION = 3 };
#define GOLDEN_ANGLE 2.39996322972865332223 /* pi (3 - sqrt 5) */

static void fill_codes(int count, double (*point)[CODES_DIMENSION])
{
    for (int k = 0; k < count; k++) {
        double z = 1 - (2.0 * k + 1) / count, r = sqrt(1 - z * z), turn = k * GOLDEN_ANGLE;
        point[k][0] = r * cos(turn);
        point[k][1] = r * sin(turn);
        point[k][2] = z;
    }
}

/* The smallest distance between two of them; 2 where there is one.  Points descend in their last
 * coordinate: those further apart there than the best pair so far need not be compared. */
static double least_distance(int count, double (*point)[CODES_DIMENSION])
{
    double best = 2;
    for (int a = 0; a < count; a++)
        for (int b = a + 1; b < count && fabs(point[b][2] - point[a][2]) < best; b++) {
            double square = 0;
            for (int c = 0; c < CODES_DIMENSION; c++)
                square += (point[a][c] - point[b][c]) * (point[a][c] - point[b][c]);
            best = fmin(best, sqrt(square));
        }
    return best;
}

/* Embeds the symbols' points and reads labels from `picked`, with points scaled by at least
 * `least`. */
static int write_codes(struct witness_task *t, int picked, double least, double *gain)
{
    struct construct *c = t->c;
    int symbols = (int)t->probe->config->vocab;
    double (*point)[CODES_DIMENSION] = witness_array(c, (size_t)symbols, sizeof *point);
    if (!point)
        return c->code;
    fill_codes(symbols, point);
    double distance = least_distance(symbols, point); /* 1 - cosine is half its square */
    *gain = LEAD / (least * distance * distance / 2);
    t->x = construct_registers(c, CODES_DIMENSION);
    for (int v = 0; v < symbols; v++)
        for (int k = 0; k < CODES_DIMENSION; k++) {
            construct_embed(c, v, t->x + k, point[v][k]);
            construct_output(c, v, picked + k, *gain * point[v][k]);
        }
    return c->code;
}

/* The one label of the positions without source; -1: all have one; -2: there are several. */
static int filler(const int *source, const int32_t *label, int n)
{
    int out = -1;
    for (int i = 0; i < n; i++)
        if (source[i] < 0) {
            if (out >= 0 && out != label[i])
                return -2;
            out = label[i];
        }
    return out;
}

/* Whether the filler is a label of its own, so that its logit is free. */
static bool filler_free(const struct witness_task *t, int label)
{
    return label == -1 || label >= (int)t->probe->config->vocab;
}

/* The relation of every position to its source; -1: not one relation, or a position without source
 * sees a pair of it. */
static int common_relation(const struct construct *c, const int *source)
{
    int found = -1, n = c->layout->n;
    for (int i = 0; i < n; i++) {
        int r = source[i] < 0 ? found : layout_relation(c->layout, i, source[i]);
        if ((source[i] >= 0 && !construct_sees(c, i, source[i])) || (found >= 0 && r != found))
            return -1;
        found = r;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n && source[i] < 0; j++)
            if (construct_sees(c, i, j) && layout_relation(c->layout, i, j) == found)
                return -1;
    return found;
}

/* One head whose C is one relation.  Without a source it gives 0, and so do all logits but the
 * filler's, which is small. */
int witness_build_offset(struct witness_task *t)
{
    struct construct *c = t->c;
    int n = c->layout->n, table, *source;
    int32_t *label;
    if (!probe_labels(t->probe, &source, &label))
        return CONSTRUCT_UNKNOWN;
    int relation = common_relation(c, source), fill = filler(source, label, n);
    if (relation < 0 || !filler_free(t, fill))
        return CONSTRUCT_UNKNOWN;
    double *kernel = witness_array(c, (size_t)c->layout->relations, sizeof *kernel);
    if (!kernel)
        return c->code;
    kernel[relation] = 1;
    int code = construct_table(c, NULL, kernel, &table);
    if (code)
        return code;
    double least = INFINITY, most = 0, gain;
    for (int i = 0; i < n; i++)
        if (source[i] >= 0) {
            least = fmin(least, c->table[table].row[i]);
            most = fmax(most, c->table[table].row[i]);
        }
    int picked = construct_registers(c, CODES_DIMENSION);
    code = write_codes(t, picked, least / most, &gain);
    construct_layer(c);
    for (int k = 0; k < CODES_DIMENSION; k++)
        construct_value(c, table, t->x + k, picked + k, 1 / most);
    if (fill >= 0)
        construct_output(c, fill, CONSTRUCT_ONE, gain * least / most / 2);
    return code;
}

int witness_build_pick(struct witness_task *t)
{
    struct construct *c = t->c;
    int off = -1, *source;
    int32_t *label;
    double gain;
    if (!probe_labels(t->probe, &source, &label))
        return CONSTRUCT_UNKNOWN;
    int fill = filler(source, label, c->layout->n);
    if (!filler_free(t, fill))
        return CONSTRUCT_UNKNOWN;
    int picked = construct_registers(c, CODES_DIMENSION);
    int code = write_codes(t, picked, 1, &gain);
    if (!code)
        code = select_sources(t, source, t->x, CODES_DIMENSION, picked, &off);
    if (!code && off >= 0)
        construct_output(c, fill, off, 2 * gain);
    return code;
}

/* ---- labels by position -----------------------------------------------------------------------*/
int witness_build_places(struct witness_task *t)
{
    struct construct *c = t->c;
    int n = c->layout->n, *source;
    int32_t *label;
    struct gates g;
    if (!probe_labels(t->probe, &source, &label))
        return CONSTRUCT_UNKNOWN;
    for (int i = 0; i < n; i++)
        if (source[i] >= 0)
            return CONSTRUCT_UNKNOWN;
    construct_layer(c);
    int code = gates_open(c, &g), w = construct_registers(c, n);
    if (code)
        return code;
    construct_layer(c);
    for (int i = 0; i < n; i++) {
        construct_unit_out(c, gates_indicator(c, &g, i), w + i, 1);
        construct_output(c, label[i], w + i, LEAD);
    }
    return 0;
}

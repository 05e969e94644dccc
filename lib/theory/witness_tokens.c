/* Witnesses of token targets: labels that depend on the position alone, and labels that are the
 * symbol of another position.
 *
 * Symbols are points of a sphere, and the logit of a label is the inner product with its point: the
 * largest is the symbol itself. */
#include <math.h>

#include "theory/codes.h"
#include "theory/witness_build.h"

/* By how much the right logit leads: e^-40 is nothing beside 1 in float. */
#define LEAD 40.0

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

/* Embeds the symbols' points and reads labels from `picked`, with points scaled by at least
 * `least`. */
static int write_codes(struct witness_task *t, int picked, double least, double *gain)
{
    struct construct *c = t->c;
    int symbols = (int)t->probe->config->vocab;
    double (*point)[CODES_DIMENSION] = witness_array(c, (size_t)symbols, sizeof *point);
    if (!point)
        return c->code;
    codes_fill(symbols, point);
    double distance = codes_distance(symbols, point); /* 1 - cosine is half its square */
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
        if (source[i] >= construct_visible(c, i) || (found >= 0 && r != found))
            return -1;
        found = r;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < construct_visible(c, i); j++)
            if (source[i] < 0 && layout_relation(c->layout, i, j) == found)
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
        code = witness_select(t, source, t->x, CODES_DIMENSION, picked, &off);
    if (!code && off >= 0)
        construct_output(c, fill, off, 2 * gain);
    return code;
}

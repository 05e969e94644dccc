/* Witnesses of maps of one position, and of linear maps whose kernel depends on the relation. */
#include <math.h>
#include <string.h>

#include "witness/build.h"

/* Two factors that differ by rounding alone. */
#define SAME 1e-12

void *witness_array(struct construct *c, size_t count, size_t size)
{
    void *out = c->code ? NULL : arena_alloc(&c->arena, count, size, &c->err);
    if (!out && !c->code)
        c->code = ERR_MEMORY;
    return out;
}

static void read_out(struct construct *c, int from, int d, const double *offset)
{
    for (int k = 0; k < d; k++) {
        construct_output(c, k, from + k, 1);
        if (offset)
            construct_output(c, k, CONSTRUCT_ONE, offset[k]);
    }
}

/* ---- affine -----------------------------------------------------------------------------------*/
/* y_i = b_i: from the signal where b is affine in it, else from indicators. */
static bool affine_in(const struct gates *g, const double *b, int n, int d, int channel,
                      double *slope, double *start)
{
    int last = n - 1;
    *slope = n > 1 ? (b[last * d + channel] - b[channel]) / (g->v[last] - g->v[0]) : 0;
    *start = b[channel] - *slope * g->v[0];
    for (int i = 0; i < n; i++)
        if (fabs(*start + *slope * g->v[i] - b[i * d + channel]) > SAME * (1 + fabs(*start)))
            return false;
    return true;
}

static bool from_signal(struct construct *c, const struct gates *g, const double *b, int d)
{
    double slope, start;
    for (int k = 0; k < d; k++)
        if (!affine_in(g, b, c->layout->n, d, k, &slope, &start))
            return false;
    for (int k = 0; k < d; k++) {
        affine_in(g, b, c->layout->n, d, k, &slope, &start);
        construct_output(c, k, g->signal, slope);
        construct_output(c, k, CONSTRUCT_ONE, start);
    }
    return true;
}

static int build_constants(struct witness_task *t, const double *b)
{
    struct construct *c = t->c;
    int d = t->probe->d, n = c->layout->n;
    struct gates g;
    construct_layer(c);
    int code = gates_signal(c, &g);
    if (code)
        return code;
    if (from_signal(c, &g, b, d))
        return 0;
    gates_fill(c, &g);
    int y = construct_registers(c, d);
    construct_layer(c);
    for (int i = 0; i < n; i++) {
        int unit = gates_indicator(c, &g, i);
        for (int k = 0; k < d; k++)
            construct_unit_out(c, unit, y + k, b[i * d + k]);
    }
    read_out(c, y, d, NULL);
    return 0;
}

static int build_uniform(struct witness_task *t, const struct probe_affine *a)
{
    int d = t->probe->d;
    construct_layer(t->c);
    for (int m = 0; m < d; m++) {
        for (int k = 0; k < d; k++)
            construct_output(t->c, m, t->x + k, a->w[m * d + k]);
        construct_output(t->c, m, CONSTRUCT_ONE, a->b[m]);
    }
    return 0;
}

int witness_build_affine(struct witness_task *t)
{
    struct construct *c = t->c;
    struct probe_affine a;
    if (!probe_affine(t->probe, &a))
        return CONSTRUCT_UNKNOWN;
    if (a.uniform)
        return build_uniform(t, &a);
    if (a.constant)
        return build_constants(t, a.b);
    int d = t->probe->d;
    size_t count = (size_t)c->layout->n * (size_t)d;
    struct gates g;
    construct_layer(c);
    int code = gates_open(c, &g), y = construct_registers(c, d);
    double *low = witness_array(c, count, sizeof *low);
    double *high = witness_array(c, count, sizeof *high);
    double *offset = witness_array(c, (size_t)d, sizeof *offset);
    if (code || c->code)
        return code;
    for (size_t k = 0; k < count; k++)
        high[k] = 1;
    construct_layer(c);
    gates_affine(c, &g, &(struct gates_map){t->x, y, d, d, a.w, a.b, low, high}, offset);
    read_out(c, y, d, offset);
    return 0;
}

/* ---- piecewise linear -------------------------------------------------------------------------*/
static void add_piece(struct construct *c, const struct gates *g, const struct probe_piece *f,
                      int i, int from, int to, double shift, double bound)
{
    int unit = gates_switch(c, g, i, bound);
    construct_unit_in(c, unit, from, f->slope);
    construct_unit_in(c, unit, CONSTRUCT_ONE, f->start + shift);
    construct_unit_out(c, unit, to, 1);
    for (int m = 0; m < f->knots; m++) {
        unit = gates_switch(c, g, i, 1);
        construct_unit_in(c, unit, from, 1);
        construct_unit_in(c, unit, CONSTRUCT_ONE, -f->knot[m]);
        construct_unit_out(c, unit, to, f->bend[m]);
    }
}

int witness_build_pieces(struct witness_task *t)
{
    struct construct *c = t->c;
    struct probe_piece *f;
    if (!probe_pieces(t->probe, &f))
        return CONSTRUCT_UNKNOWN;
    int d = t->probe->d, n = c->layout->n;
    struct gates g;
    construct_layer(c);
    int code = gates_open(c, &g), y = construct_registers(c, d);
    if (code)
        return code;
    /* The line before the first knot, on all of [0,1]. */
    double shift = 0, most = 0;
    for (int k = 0; k < n * d; k++) {
        double end = f[k].start + f[k].slope;
        shift = fmax(shift, -fmin(f[k].start, end));
        most = fmax(most, fmax(f[k].start, end));
    }
    construct_layer(c);
    for (int k = 0; k < n * d; k++)
        add_piece(c, &g, &f[k], k / d, t->x + k % d, y + k % d, shift, most + shift);
    for (int k = 0; k < d; k++) {
        construct_output(c, k, y + k, 1);
        construct_output(c, k, CONSTRUCT_ONE, -shift);
    }
    return 0;
}

/* ---- linear maps by relation ------------------------------------------------------------------*/
static double largest(const double *x, int count)
{
    double out = 0;
    for (int k = 0; k < count; k++)
        out = fmax(out, fabs(x[k]));
    return out;
}

/* Sums of a row of M over its negative and its positive entries, times scale: what the head's
 * output ranges over, as inputs lie in [0,1]. */
static void mixed_range(const struct construct *c, int table, const double *kernel, double scale,
                        int d, double *low, double *high)
{
    for (int i = 0; i < c->layout->n; i++) {
        double least = 0, most = 0;
        for (int j = 0; j < c->layout->n; j++) {
            if (!construct_sees(c, i, j))
                continue;
            double m = scale * c->table[table].row[i] *
                       kernel[layout_relation(c->layout, i, j)];
            least += fmin(m, 0);
            most += fmax(m, 0);
        }
        for (int k = 0; k < d; k++) {
            low[i * d + k] = least;
            high[i * d + k] = most;
        }
    }
}

/* y_i = factor_i * (M x)_i, with a factor that differs between positions. */
static int scale_rows(struct witness_task *t, int table, const double *kernel,
                      const double *factor)
{
    struct construct *c = t->c;
    int d = t->probe->d, n = c->layout->n;
    size_t count = (size_t)n * (size_t)d;
    struct gates g;
    int mixed = construct_registers(c, d), y = construct_registers(c, d);
    double *w = witness_array(c, count * (size_t)d, sizeof *w);
    double *b = witness_array(c, count, sizeof *b);
    double *low = witness_array(c, count, sizeof *low);
    double *high = witness_array(c, count, sizeof *high);
    double *offset = witness_array(c, (size_t)d, sizeof *offset);
    if (c->code)
        return c->code;
    mixed_range(c, table, kernel, 1, 1, low, high);
    double scale = 1 / fmax(largest(low, n), largest(high, n));
    mixed_range(c, table, kernel, scale, d, low, high);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < d; k++)
            w[((size_t)i * (size_t)d + (size_t)k) * (size_t)d + (size_t)k] = factor[i] / scale;
    construct_layer(c);
    for (int k = 0; k < d; k++)
        construct_value(c, table, t->x + k, mixed + k, scale);
    int code = gates_open(c, &g);
    construct_layer(c);
    if (!code)
        gates_affine(c, &g, &(struct gates_map){mixed, y, d, d, w, b, low, high}, offset);
    read_out(c, y, d, offset);
    return code;
}

static int mix(struct witness_task *t, int table, double factor)
{
    struct construct *c = t->c;
    int d = t->probe->d, y = construct_registers(c, d);
    construct_layer(c);
    for (int k = 0; k < d; k++)
        construct_value(c, table, t->x + k, y + k, factor);
    read_out(c, y, d, NULL);
    return 0;
}

static bool linear_form(struct witness_task *t, double **row, double **kernel)
{
    double *k;
    return probe_linear(t->probe, &k) &&
           probe_factors(t->probe, k, &t->c->model->mask, row, kernel);
}

int witness_build_linear(struct witness_task *t)
{
    struct construct *c = t->c;
    int n = c->layout->n, table;
    double *row, *kernel, same;
    if (!linear_form(t, &row, &kernel))
        return CONSTRUCT_UNKNOWN;
    int code = construct_table(c, NULL, kernel, &table);
    double *factor = witness_array(c, (size_t)n, sizeof *factor);
    if (code || c->code)
        return code ? code : c->code;
    for (int i = 0; i < n; i++)
        factor[i] = c->blind[i] ? 0 : row[i] / c->table[table].row[i];
    return construct_same(c, factor, &same) ? mix(t, table, same)
                                            : scale_rows(t, table, kernel, factor);
}

/* Rows of the map that are all positive and sum to one number are a softmax of ln kernel. */
int witness_build_normalised(struct witness_task *t)
{
    struct construct *c = t->c;
    int n = c->layout->n, relations = c->layout->relations, table;
    double *row, *kernel, total;
    if (!linear_form(t, &row, &kernel))
        return CONSTRUCT_UNKNOWN;
    double *sum = witness_array(c, (size_t)n, sizeof *sum);
    double *b = witness_array(c, (size_t)relations, sizeof *b);
    if (c->code)
        return c->code;
    for (int i = 0; i < n; i++)
        sum[i] = construct_row_sum(c, i, kernel, row[i]);
    for (int r = 0; r < relations; r++) {
        if (kernel[r] < 0)
            return CONSTRUCT_UNKNOWN;
        b[r] = kernel[r] > 0 ? log(kernel[r]) : CONSTRUCT_HIDDEN;
    }
    if (!construct_same(c, sum, &total) || total <= 0)
        return CONSTRUCT_UNKNOWN;
    int code = construct_table(c, b, NULL, &table);
    return code ? code : mix(t, table, total);
}

/* ---- largest of a window ----------------------------------------------------------------------*/
/* Whether every position sees the one `shift` before it; where there is none, one that is not behind
 * it, or nothing at all. */
static bool sees_back(const struct construct *c, int shift)
{
    for (int i = 0; i < c->layout->n; i++) {
        bool any = c->blind[i] && i < shift;
        for (int j = i < shift ? 0 : i - shift; j <= (i < shift ? i : i - shift); j++)
            any = any || construct_sees(c, i, j);
        if (!any)
            return false;
    }
    return true;
}

/* A table that brings x_{i-shift}: 0 where there is none, or, through B, the earliest token there
 * is, which the window holds too. */
static int shift_table(struct witness_task *t, int shift, int *table, double *weight)
{
    struct construct *c = t->c;
    int relations = c->layout->relations;
    double *kernel = witness_array(c, (size_t)relations, sizeof *kernel);
    double *b = witness_array(c, (size_t)relations, sizeof *b), row;
    if (c->code)
        return c->code;
    for (int r = 0; r < relations; r++) {
        int step = c->step[r];
        kernel[r] = step == -shift;
        b[r] = CONSTRUCT_HIDDEN * (step < -shift || step > 0 ? shift + 1 : step + shift);
    }
    int code = construct_table(c, b, NULL, table);
    *weight = 1;
    if (code != CONSTRUCT_UNKNOWN)
        return code;
    code = construct_table(c, NULL, kernel, table);
    if (!code && (!construct_same(c, c->table[*table].row, &row) || row == 0))
        return CONSTRUCT_UNKNOWN;
    *weight = code ? 0 : 1 / row;
    return code;
}

/* max(a, b) = a + relu(b - a); a window of w + s is the larger of two of w, s <= w apart. */
int witness_build_window(struct witness_task *t)
{
    struct construct *c = t->c;
    int window, d = t->probe->d;
    if (!c->step || !probe_window(t->probe, &window))
        return CONSTRUCT_UNKNOWN;
    for (int covered = 1, shift; covered < window; covered += shift) {
        int table = 0, shifted = construct_registers(c, d);
        double weight = 0;
        shift = covered < window - covered ? covered : window - covered;
        if (!sees_back(c, shift))
            return CONSTRUCT_UNKNOWN;
        int code = shift_table(t, shift, &table, &weight);
        if (code)
            return code;
        construct_layer(c);
        for (int k = 0; k < d; k++) {
            construct_value(c, table, t->x + k, shifted + k, weight);
            int unit = construct_unit(c);
            construct_unit_in(c, unit, shifted + k, 1);
            construct_unit_in(c, unit, t->x + k, -1);
            construct_unit_out(c, unit, t->x + k, 1);
        }
    }
    read_out(c, t->x, d, NULL);
    return 0;
}

/* Positions inside a construction (gates.h). */
#include "witness/gates.h"

#include <float.h>
#include <math.h>

#include "witness/signal.h"

/* A gate's argument a v is about v / gap; its rounding must stay well below 1/2. */
static double least_gap(const struct construct *c)
{
    return 16 * (c->model->precision == MODEL_DOUBLE ? DBL_EPSILON : (double)FLT_EPSILON);
}

/* ---- signal -----------------------------------------------------------------------------------*/
/* Kernels by step = j - i whose row sums may differ between positions.  With `as_is` the bias at
 * rest is left in, so that C itself takes the kernel's few values: coarse tables can hold them. */
enum shape { UP_TO_HERE, ODD_NUMBERS, HERE }; /* 1 + 3 + ... + (2i - 1) = i^2 */
static const struct candidate {
    enum shape shape;
    bool as_is;
} candidates[] = {{UP_TO_HERE, false}, {ODD_NUMBERS, false}, {HERE, false}, {UP_TO_HERE, true},
                  {HERE, true}};
enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };

static double kernel_at(enum shape shape, int step, int n)
{
    if (step > 0)
        return 0;
    return shape == ODD_NUMBERS ? (1 - 2.0 * step) / n : shape == UP_TO_HERE || step == 0;
}

/* Smallest distance between two of v, over the largest of v. */
static double relative_gap(const double *v, int n, double *gap)
{
    double largest = 0;
    *gap = INFINITY;
    for (int i = 0; i < n; i++) {
        largest = fmax(largest, fabs(v[i]));
        for (int k = 0; k < i; k++)
            *gap = fmin(*gap, fabs(v[i] - v[k]));
    }
    return n > 1 ? *gap / largest : 1;
}

static void row_sums(const struct construct *c, int table, const double *kernel, double *v)
{
    for (int i = 0; i < c->layout->n; i++)
        v[i] = construct_row_sum(c, i, kernel, c->table[table].row[i]);
}

/* Tries candidate k: 0 with the table added, *quality its relative gap. */
static int try_candidate(struct construct *c, struct gates *g, int k, double *kernel, int *table,
                         double *quality)
{
    const double *bias = construct_rest(c);
    double gap;
    for (int r = 0; r < c->layout->relations; r++)
        kernel[r] = kernel_at(candidates[k].shape, c->step[r], c->layout->n) *
                    (candidates[k].as_is ? exp(bias[r]) : 1);
    int code = construct_table(c, NULL, kernel, table);
    if (code)
        return code;
    row_sums(c, *table, kernel, g->v);
    *quality = relative_gap(g->v, c->layout->n, &gap);
    return 0;
}

static int signal_by_c(struct construct *c, struct gates *g)
{
    int relations = c->layout->relations, table, best = -1;
    double *kernel = arena_alloc(&c->arena, (size_t)relations, sizeof *kernel, &c->err);
    double quality, most = least_gap(c);
    if (!kernel)
        return ERR_MEMORY;
    for (int k = 0; k < CANDIDATES && c->step; k++) {
        int code = try_candidate(c, g, k, kernel, &table, &quality);
        if (code < 0)
            return code;
        if (code)
            continue;
        construct_drop(c);
        if (quality > most) {
            most = quality;
            best = k;
        }
    }
    if (best < 0)
        return CONSTRUCT_UNKNOWN;
    int code = try_candidate(c, g, best, kernel, &table, &quality);
    if (!code)
        construct_value(c, table, CONSTRUCT_ONE, g->signal, 1);
    return code ? code : c->code;
}

/* ---- signal without C -------------------------------------------------------------------------*/
/* Heads whose row sums, or those of a few layers, may differ between positions: B is HIGH where the
 * key is up to the query, or at it, and LOW elsewhere; or as at rest, with q.k at a level. */
#define HIGH 1.0
#define LOW (-1.0)
/* Two forward passes that add up in another order differ by more than a rounding. */
#define SUMS_ROUNDING 4
enum level { LEVEL_NONE, LEVEL_ONE, LEVEL_MINUS_LOG }; /* -log n: n keys weigh as much as one of 0 */
static const struct source {
    bool bias;
    enum shape shape;
    enum level level;
} sources[] = {{.level = LEVEL_NONE},
               {.level = LEVEL_ONE},
               {.level = LEVEL_MINUS_LOG},
               {.bias = true, .shape = UP_TO_HERE},
               {.bias = true, .shape = HERE}};
enum { SOURCES = sizeof sources / sizeof sources[0], DEPTH_MAX = 4 };

struct sums {
    struct model_config config;
    double *b, *power; /* (relations), (DEPTH_MAX,n) */
    struct signal_head head;
};

/* Fills s->head; false where the encoding cannot do it. */
static bool set_source(const struct construct *c, const struct source *from, struct sums *s)
{
    int n = c->layout->n;
    s->head = (struct signal_head){.head = construct_next_head(c), .seen = c->seen,
                                   .b = from->bias ? s->b : NULL};
    if (!construct_level(c, &s->head.scale))
        return false;
    if (from->level != LEVEL_NONE)
        s->head.level = from->level == LEVEL_ONE ? 1 : -log(n);
    if (!from->bias)
        return from->level == LEVEL_NONE || c->rest.scores;
    for (int r = 0; c->step && r < c->layout->relations; r++)
        s->b[r] = kernel_at(from->shape, c->step[r], n) > 0 ? HIGH : LOW;
    return c->step && construct_can_bias(c, s->b);
}

/* v = sum of the first `depth` powers; *quality its relative gap, 0 where it cannot be had. */
static int try_source(struct construct *c, struct gates *g, const struct source *from,
                      struct sums *s, int depth, double *quality)
{
    int n = c->layout->n;
    double gap;
    *quality = 0;
    if (!set_source(c, from, s))
        return 0;
    int code = (c->model->precision == MODEL_DOUBLE ? signal_powers_double : signal_powers)(
        &s->config, c->layout, &c->rest, &s->head, depth, s->power, &c->err);
    if (code)
        return code;
    for (int i = 0; i < n; i++) {
        g->v[i] = 0;
        for (int k = 0; k < depth; k++)
            g->v[i] += s->power[k * n + i];
    }
    *quality = relative_gap(g->v, n, &gap);
    return 0;
}

/* Layers of the current one and depth - 1 more. */
static int write_powers(struct construct *c, struct gates *g, const struct sums *s, int depth)
{
    int table, from = CONSTRUCT_ONE, code = construct_weights(c, s->head.b, &table);
    for (int k = 0; k < depth && !code; k++) {
        if (k > 0)
            construct_layer(c);
        if (s->head.level != 0)
            construct_score(c, table, CONSTRUCT_ONE, CONSTRUCT_ONE, s->head.level);
        construct_value(c, table, from, g->signal, 1);
        int next = k + 1 < depth ? construct_registers(c, 1) : 0;
        if (k + 1 < depth)
            construct_value(c, table, from, next, 1);
        from = next;
    }
    return code ? code : c->code;
}

/* The clearest source at that depth; *best -1: none. */
static int best_source(struct construct *c, struct gates *g, struct sums *s, int depth, int *best)
{
    double quality, most = SUMS_ROUNDING * least_gap(c);
    *best = -1;
    for (int k = 0; k < SOURCES; k++) {
        int code = try_source(c, g, &sources[k], s, depth, &quality);
        if (code)
            return code;
        if (quality > most) {
            most = quality;
            *best = k;
        }
    }
    return 0;
}

/* As few layers as are enough. */
static int signal_by_sums(struct construct *c, struct gates *g)
{
    struct sums s;
    int best;
    double quality;
    g->close = true;
    construct_config(c, &s.config);
    s.b = arena_alloc(&c->arena, (size_t)c->layout->relations, sizeof *s.b, &c->err);
    s.power = arena_alloc(&c->arena, DEPTH_MAX * (size_t)c->layout->n, sizeof *s.power, &c->err);
    if (!s.b || !s.power)
        return ERR_MEMORY;
    for (int depth = 1; depth <= DEPTH_MAX; depth++) {
        int code = best_source(c, g, &s, depth, &best);
        if (!code && best >= 0)
            code = try_source(c, g, &sources[best], &s, depth, &quality);
        if (code || best >= 0)
            return code ? code : write_powers(c, g, &s, depth);
    }
    return CONSTRUCT_UNKNOWN;
}

int gates_signal(struct construct *c, struct gates *g)
{
    int n = c->layout->n;
    g->signal = construct_registers(c, 1);
    g->close = false;
    g->v = arena_alloc(&c->arena, (size_t)n, sizeof *g->v, &c->err);
    if (!g->v)
        return ERR_MEMORY;
    if (!c->rest.places) {
        int code = signal_by_c(c, g);
        return code == CONSTRUCT_UNKNOWN ? signal_by_sums(c, g) : code;
    }
    for (int i = 0; i < n; i++) {
        g->v[i] = (i + 1.0) / n;
        construct_place(c, i, g->signal, g->v[i]);
    }
    return c->code;
}

/* ---- gates ------------------------------------------------------------------------------------*/
void gates_fill(struct construct *c, struct gates *g)
{
    int n = c->layout->n;
    double gap;
    g->u = construct_registers(c, n);
    relative_gap(g->v, n, &gap);
    gap /= g->close ? 2 : 1;
    for (int k = 0; k < n && n > 1; k++)
        for (int side = -1; side <= 1; side += 2) {
            int unit = construct_unit(c);
            construct_unit_in(c, unit, g->signal, side / gap);
            construct_unit_in(c, unit, CONSTRUCT_ONE, -side * g->v[k] / gap - 0.5);
            construct_unit_out(c, unit, g->u + k, 1);
        }
}

int gates_open(struct construct *c, struct gates *g)
{
    int code = gates_signal(c, g);
    if (!code)
        gates_fill(c, g);
    return code ? code : c->code;
}

int gates_switch(struct construct *c, const struct gates *g, int k, double bound)
{
    int unit = construct_unit(c);
    construct_unit_in(c, unit, g->u + k, -2 * bound);
    return unit;
}

int gates_indicator(struct construct *c, const struct gates *g, int k)
{
    int unit = gates_switch(c, g, k, 1);
    construct_unit_in(c, unit, CONSTRUCT_ONE, 1);
    return unit;
}

/* ---- affine maps ------------------------------------------------------------------------------*/
/* Least and largest value of w x + b over a box (columns `in` of low and high at one position). */
static void box_range(int in, const double *w, double b, const double *low, const double *high,
                      double *least, double *largest)
{
    *least = *largest = b;
    for (int k = 0; k < in; k++) {
        *least += fmin(w[k] * low[k], w[k] * high[k]);
        *largest += fmax(w[k] * low[k], w[k] * high[k]);
    }
}

/* What output m needs: an offset that makes every position's value positive, and a bound on every
 * unit at every position. */
static void output_range(const struct construct *c, const struct gates_map *p, int m,
                         double *offset, double *bound)
{
    int n = c->layout->n;
    double least, largest, most = 0;
    *offset = 0;
    for (int i = 0; i < n; i++) {
        const double *w = p->w + ((size_t)i * (size_t)p->out + (size_t)m) * (size_t)p->in;
        box_range(p->in, w, p->b[i * p->out + m], p->low + i * p->in, p->high + i * p->in, &least,
                  &largest);
        *offset = fmax(*offset, -least);
        for (int k = 0; k < n; k++) {
            box_range(p->in, w, p->b[i * p->out + m], p->low + k * p->in, p->high + k * p->in,
                      &least, &largest);
            most = fmax(most, largest);
        }
    }
    *bound = most + *offset;
}

void gates_affine(struct construct *c, const struct gates *g, const struct gates_map *p,
                  double *offset)
{
    for (int m = 0; m < p->out; m++) {
        double shift, bound;
        output_range(c, p, m, &shift, &bound);
        for (int i = 0; i < c->layout->n; i++) {
            const double *w = p->w + ((size_t)i * (size_t)p->out + (size_t)m) * (size_t)p->in;
            int unit = gates_switch(c, g, i, bound);
            for (int k = 0; k < p->in; k++)
                construct_unit_in(c, unit, p->from + k, w[k]);
            construct_unit_in(c, unit, CONSTRUCT_ONE, p->b[i * p->out + m] + shift);
            construct_unit_out(c, unit, p->to + m, 1);
        }
        offset[m] = -shift;
    }
}

/* Witnesses without C, from a B that can hide pairs: what attention whose rows sum to 1 can do on
 * all inputs but those that the floor is about.
 *
 * The first run of equal tokens has length l.  A position is in it when the tokens on its left all
 * equal its own (flag 1, else 0; position 1 looks at itself), and averages of the flag are
 *
 *   over j <= i   a_i = 1 for i <= l,   l / i beyond
 *   over j >= i   b_i = (l - i + 1) / (n - i + 1) for i <= l,   0 beyond
 *   over all j    l / n
 *
 * a_i + b_i falls strictly with i for each l < n, so l and it determine i.  For l = n, all tokens
 * equal, it is 2 everywhere, as the theorem says. */

#include "witness/build.h"

/* By how much the right logit leads. */
#define LEAD 40.0

static bool can_hide(const struct construct *c)
{
    return c->rest.row && c->step && c->whole;
}

/* Logits by the sign of the step: 0 where wanted, hidden elsewhere; with `fallback` the position
 * itself is taken where nothing wanted is seen. */
static int sign_table(struct construct *c, bool left, bool here, bool right, bool fallback,
                      int *table)
{
    int relations = c->layout->relations;
    double *b = witness_array(c, (size_t)relations, sizeof *b);
    if (!b)
        return c->code;
    for (int r = 0; r < relations; r++) {
        int step = c->step[r];
        bool wanted = step < 0 ? left : step > 0 ? right : here;
        b[r] = wanted ? 0 : (fallback && step != 0 ? 2 : 1) * CONSTRUCT_HIDDEN;
    }
    return construct_table(c, b, NULL, table);
}

/* Units of the current layer: `to` += sum over `count` channels of |a - b|. */
static void add_distance(struct construct *c, int a, int b, int count, int to)
{
    for (int k = 0; k < count; k++)
        for (int side = -1; side <= 1; side += 2) {
            int unit = construct_unit(c);
            construct_unit_in(c, unit, a + k, side);
            construct_unit_in(c, unit, b + k, -side);
            construct_unit_out(c, unit, to, 1);
        }
}

/* Units of the current layer: `to` = start + slope * from, cut at 0 and at `top`. */
static void add_clamp(struct construct *c, int from, double start, double slope, double top,
                      int to)
{
    for (int high = 0; high < 2; high++) {
        int unit = construct_unit(c);
        construct_unit_in(c, unit, from, slope);
        construct_unit_in(c, unit, CONSTRUCT_ONE, start - (high ? top : 0));
        construct_unit_out(c, unit, to, high ? -1 : 1);
    }
}

/* ---- labels that are a function of the position -----------------------------------------------*/
/* Symbols as corners of a cube: a mean of n that is not all one corner is 2/n away from it. */
static int embed_corners(struct witness_task *t, int *bits)
{
    int symbols = (int)t->probe->config->vocab;
    for (*bits = 1; ((symbols - 1) >> *bits) > 0;)
        ++*bits;
    int code = construct_registers(t->c, *bits);
    for (int v = 0; v < symbols; v++)
        for (int k = 0; k < *bits; k++)
            construct_embed(t->c, v, code + k, (v >> k & 1) ? 1 : -1);
    return code;
}

/* Two layers: flag register, 1 in the first run and 0 beyond it. */
static int add_flags(struct witness_task *t, int *flag)
{
    struct construct *c = t->c;
    int table, bits, code = sign_table(c, true, false, false, true, &table);
    if (code)
        return code;
    int own = embed_corners(t, &bits), mean = construct_registers(c, bits);
    int distance = construct_registers(c, 1);
    *flag = construct_registers(c, 1);
    construct_layer(c);
    for (int k = 0; k < bits; k++)
        construct_value(c, table, own + k, mean + k, 1);
    add_distance(c, mean, own, bits, distance);
    construct_layer(c);
    /* 1 up to a quarter of the smallest distance, 0 from three quarters on. */
    add_clamp(c, distance, 1.5, -1.0 * c->layout->n, 1, *flag);
    return 0;
}

/* a_i + b_i, both counted from 1. */
static double run_signature(int n, int l, int i)
{
    return i > l ? (double)l / i : 1 + (double)(l - i + 1) / (n - i + 1);
}

/* Logit i falls with the distance of the signature from its value at i; gates pick the length. */
static void decode_runs(struct construct *c, const struct gates *length, int signature,
                        int logit)
{
    int n = c->layout->n;
    double gain = LEAD * n * n; /* signatures are at least 1/n^2 apart */
    for (int l = 1; l < n; l++)
        for (int i = 1; i <= n; i++)
            for (int side = -1; side <= 1; side += 2) {
                int unit = gates_switch(c, length, l - 1, 2);
                construct_unit_in(c, unit, signature, side);
                construct_unit_in(c, unit, CONSTRUCT_ONE, -side * run_signature(n, l, i));
                construct_unit_out(c, unit, logit + i - 1, -gain);
            }
}

/* Every position has a label of its own. */
static bool labels_differ(const int *source, const int32_t *label, int n)
{
    for (int i = 0; i < n; i++) {
        if (source[i] >= 0)
            return false;
        for (int k = 0; k < i; k++)
            if (label[i] == label[k])
                return false;
    }
    return true;
}

int witness_build_runs(struct witness_task *t)
{
    struct construct *c = t->c;
    int n = c->layout->n, flag, left, right, all, *source;
    int32_t *label;
    struct gates length = {.close = false};
    if (!can_hide(c) || !probe_labels(t->probe, &source, &label) ||
        !labels_differ(source, label, n))
        return CONSTRUCT_UNKNOWN;
    int code = add_flags(t, &flag);
    if (!code)
        code = sign_table(c, true, true, false, false, &left);
    if (!code)
        code = sign_table(c, false, true, true, false, &right);
    if (!code)
        code = sign_table(c, true, true, true, false, &all);
    length.v = witness_array(c, (size_t)n, sizeof *length.v);
    if (code || c->code)
        return code ? code : c->code;
    int signature = construct_registers(c, 1), logit = construct_registers(c, n);
    length.signal = construct_registers(c, 1);
    for (int l = 1; l <= n; l++)
        length.v[l - 1] = (double)l / n;
    construct_layer(c);
    construct_value(c, left, flag, signature, 1);
    construct_value(c, right, flag, signature, 1);
    construct_value(c, all, flag, length.signal, 1);
    gates_fill(c, &length);
    construct_layer(c);
    decode_runs(c, &length, signature, logit);
    for (int i = 0; i < n; i++)
        construct_output(c, label[i], logit + i, 1);
    return 0;
}

/* ---- constants by position, on inputs whose neighbours differ ---------------------------------*/
/* y = b_i at r = 1/i, straight lines between. */
static void decode_places(struct construct *c, int r, const double *b, int d, int y)
{
    int n = c->layout->n;
    for (int k = 0; k < d; k++) {
        double slope = 0;
        construct_output(c, k, CONSTRUCT_ONE, b[(n - 1) * d + k]);
        for (int i = n; i > 1; i--) {
            double next = (b[(i - 2) * d + k] - b[(i - 1) * d + k]) * i * (i - 1.0);
            int unit = construct_unit(c);
            construct_unit_in(c, unit, r, 1);
            construct_unit_in(c, unit, CONSTRUCT_ONE, -1.0 / i);
            construct_unit_out(c, unit, y + k, next - slope);
            slope = next;
        }
        construct_output(c, k, y + k, 1);
    }
}

/* A position is flagged by how little its token differs from the one before; the first, which has
 * none, looks at itself.  Where no other is flagged, the average flag over j <= i is 1/i.  As eps
 * falls fewer inputs spoil that; identical tokens always do. */
int witness_build_neighbours(struct witness_task *t)
{
    struct construct *c = t->c;
    int d = t->probe->d, relations = c->layout->relations, before, left;
    struct probe_affine a;
    if (t->eps <= 0 || !can_hide(c) || !probe_affine(t->probe, &a) || !a.constant)
        return CONSTRUCT_UNKNOWN;
    double *b = witness_array(c, (size_t)relations, sizeof *b);
    if (!b)
        return c->code;
    for (int r = 0; r < relations; r++)
        b[r] = CONSTRUCT_HIDDEN * (c->step[r] == -1 ? 0 : c->step[r] == 0 ? 1 : 2);
    int code = construct_table(c, b, NULL, &before);
    if (!code)
        code = sign_table(c, true, true, false, false, &left);
    if (code)
        return code;
    int last = construct_registers(c, d), distance = construct_registers(c, 1);
    int flag = construct_registers(c, 1), share = construct_registers(c, 1);
    int y = construct_registers(c, d);
    construct_layer(c);
    for (int k = 0; k < d; k++)
        construct_value(c, before, t->x + k, last + k, 1);
    add_distance(c, last, t->x, d, distance);
    construct_layer(c);
    add_clamp(c, distance, 1, -1 / t->eps, 1, flag);
    construct_layer(c);
    construct_value(c, left, flag, share, 1);
    decode_places(c, share, a.b, d, y);
    return 0;
}

/* Forms of targets (probe.h). */
#include "witness/probe.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* Two evaluations that differ by rounding alone; sums over a few hundred tokens stay far below. */
#define TOLERANCE 1e-9

static bool close_to(double a, double b)
{
    return fabs(a - b) <= TOLERANCE * (1 + fabs(a) + fabs(b));
}

int probe_open(struct probe *p, const struct target_config *c, const struct space_config *s,
               const struct layout *l, struct err *e)
{
    *p = (struct probe){.config = c, .target = target_of(c), .layout = l, .n = l->n, .err = e};
    p->d = target_form(c).tokens ? 0 : (int)s->channels;
    int code = arena_open(&p->arena, 0, e);
    if (!code && p->target->open)
        code = p->target->open(c, s, l->n, &p->arena, &p->state, e);
    return code;
}

void probe_close(struct probe *p)
{
    if (p->state && p->target->close)
        p->target->close(p->state);
    arena_close(&p->arena);
    *p = (struct probe){0};
}

/* A zeroed array in p's arena; NULL with p->code set on failure. */
static void *array(struct probe *p, size_t count, size_t size)
{
    void *out = p->code ? NULL : arena_alloc(&p->arena, count, size, p->err);
    if (!out && !p->code)
        p->code = ERR_MEMORY;
    return out;
}

static size_t numbers(const struct probe *p)
{
    return (size_t)p->n * (size_t)p->d;
}

static void evaluate(struct probe *p, const double *x, double *y)
{
    struct target_sample t = target_sample(p->state, p->config, p->layout);
    if (!p->code)
        p->code = p->target->evaluate(&t, p->d, x, y, p->err);
}

/* Fresh input number k: uniform, then identical tokens, then corners. */
static void draw(const struct probe *p, int k, double *x)
{
    struct stream random;
    stream_open(&random, (uint64_t)k, "probe", 0);
    for (int i = 0; i < p->n; i++)
        for (int c = 0; c < p->d; c++) {
            double *at = &x[i * p->d + c];
            *at = k % 3 == 1 && i > 0 ? x[c] : stream_uniform24(&random);
            if (k % 3 == 2)
                *at = *at < 0.5 ? 0 : 1;
        }
}

/* Whether `form` gives the target's outputs on inputs that it was not made from. */
typedef void (*form)(const struct probe *p, const void *of, const double *x, double *y);
static bool verify(struct probe *p, form f, const void *of)
{
    enum { ROUNDS = 9 };
    struct arena_mark mark = arena_mark(&p->arena);
    double *x = array(p, numbers(p), sizeof *x), *y = array(p, numbers(p), sizeof *y);
    double *z = array(p, numbers(p), sizeof *z);
    bool same = x && y && z;
    for (int k = 0; k < ROUNDS && same && !p->code; k++) {
        draw(p, k, x);
        evaluate(p, x, y);
        if (p->code)
            break;
        f(p, of, x, z);
        for (size_t i = 0; i < numbers(p) && same; i++)
            same = close_to(y[i], z[i]);
    }
    arena_release(&p->arena, mark);
    return same && !p->code;
}

/* ---- affine at each position ------------------------------------------------------------------*/
static void affine_form(const struct probe *p, const void *of, const double *x, double *y)
{
    const struct probe_affine *a = of;
    const double *w = a->w;
    for (int i = 0; i < p->n; i++)
        for (int c = 0; c < p->d; c++) {
            y[i * p->d + c] = a->b[i * p->d + c];
            for (int k = 0; k < p->d; k++)
                y[i * p->d + c] += *w++ * x[i * p->d + k];
        }
}

static void classify(const struct probe *p, struct probe_affine *a)
{
    size_t d = (size_t)p->d, square = d * d;
    a->constant = a->uniform = true;
    for (size_t i = 0; i < (size_t)p->n; i++) {
        for (size_t k = 0; k < square; k++) {
            a->constant = a->constant && a->w[i * square + k] == 0;
            a->uniform = a->uniform && close_to(a->w[i * square + k], a->w[k]);
        }
        for (size_t c = 0; c < d; c++)
            a->uniform = a->uniform && close_to(a->b[i * d + c], a->b[c]);
    }
}

bool probe_affine(struct probe *p, struct probe_affine *out)
{
    int d = p->d;
    double *x = array(p, numbers(p), sizeof *x), *y = array(p, numbers(p), sizeof *y);
    out->w = array(p, numbers(p) * (size_t)d, sizeof *out->w);
    out->b = array(p, numbers(p), sizeof *out->b);
    if (!x || !y || !out->w || !out->b)
        return false;
    evaluate(p, x, out->b);
    for (int k = 0; k < d && !p->code; k++) {
        for (int i = 0; i < p->n * d; i++)
            x[i] = i % d == k;
        evaluate(p, x, y);
        for (int i = 0; i < p->n; i++)
            for (int c = 0; c < d; c++)
                out->w[((size_t)i * (size_t)d + (size_t)c) * (size_t)d + (size_t)k] = y[i * d + c] - out->b[i * d + c];
    }
    if (p->code || !verify(p, affine_form, out))
        return false;
    classify(p, out);
    return true;
}

/* ---- piecewise linear at each position and channel --------------------------------------------*/
enum { GRID = 64 };

static double piece_at(const struct probe_piece *f, double t)
{
    double y = f->start + f->slope * t;
    for (int m = 0; m < f->knots; m++)
        y += f->bend[m] * fmax(t - f->knot[m], 0);
    return y;
}

static void pieces_form(const struct probe *p, const void *of, const double *x, double *y)
{
    const struct probe_piece *f = of;
    for (size_t k = 0; k < numbers(p); k++)
        y[k] = piece_at(&f[k], x[k]);
}

/* From values at t = m / GRID: slopes that change at a grid point put the knot there; a cell whose
 * slope belongs to neither side has its knot where the two neighbours' lines meet. */
static bool fit_piece(const double value[GRID + 1], struct probe_piece *f)
{
    double slope[GRID];
    for (int m = 0; m < GRID; m++)
        slope[m] = (value[m + 1] - value[m]) * GRID;
    *f = (struct probe_piece){.start = value[0], .slope = slope[0]};
    for (int m = 0; m + 1 < GRID; m++) {
        if (fabs(slope[m + 1] - slope[m]) <= TOLERANCE * GRID)
            continue;
        bool inside = m + 2 < GRID && fabs(slope[m + 2] - slope[m + 1]) > TOLERANCE * GRID;
        double left = slope[m], right = inside ? slope[m + 2] : slope[m + 1];
        double t = (m + 1.0) / GRID;
        if (inside)
            t += (value[m + 2] - value[m + 1] - right / GRID) / (left - right);
        if (f->knots == PROBE_KNOTS_MAX || left == right)
            return false;
        f->knot[f->knots] = t;
        f->bend[f->knots++] = right - left;
        m += inside;
    }
    f->low = fmin(f->start, piece_at(f, 1));
    f->high = fmax(f->start, piece_at(f, 1));
    for (int m = 0; m < f->knots; m++) {
        f->low = fmin(f->low, piece_at(f, f->knot[m]));
        f->high = fmax(f->high, piece_at(f, f->knot[m]));
    }
    return true;
}

bool probe_pieces(struct probe *p, struct probe_piece **out)
{
    size_t count = numbers(p);
    double *x = array(p, count, sizeof *x);
    double *y = array(p, count * (GRID + 1), sizeof *y);
    struct probe_piece *f = array(p, count, sizeof *f);
    double value[GRID + 1];
    if (!x || !y || !f)
        return false;
    for (int m = 0; m <= GRID; m++) {
        for (size_t k = 0; k < count; k++)
            x[k] = (double)m / GRID;
        evaluate(p, x, y + (size_t)m * count);
    }
    for (size_t k = 0; k < count && !p->code; k++) {
        for (int m = 0; m <= GRID; m++)
            value[m] = y[(size_t)m * count + k];
        if (!fit_piece(value, &f[k]))
            return false;
    }
    *out = f;
    return !p->code && verify(p, pieces_form, f);
}

/* ---- linear maps over positions ---------------------------------------------------------------*/
static void linear_form(const struct probe *p, const void *of, const double *x, double *y)
{
    const double *k = of;
    memset(y, 0, numbers(p) * sizeof *y);
    for (int i = 0; i < p->n; i++)
        for (int j = 0; j < p->n; j++, k++)
            for (int c = 0; c < p->d && *k != 0; c++)
                y[i * p->d + c] += *k * x[j * p->d + c];
}

bool probe_linear(struct probe *p, double **out)
{
    size_t n = (size_t)p->n;
    double *x = array(p, numbers(p), sizeof *x), *y = array(p, numbers(p), sizeof *y);
    double *k = array(p, n * n, sizeof *k);
    if (!x || !y || !k)
        return false;
    for (int j = 0; j < p->n && !p->code; j++) {
        x[j * p->d] = 1;
        evaluate(p, x, y);
        x[j * p->d] = 0;
        for (int i = 0; i < p->n; i++)
            k[(size_t)i * n + (size_t)j] = y[i * p->d];
    }
    *out = k;
    return !p->code && verify(p, linear_form, k);
}

/* An entry of the matrix that is not 0. */
struct entry {
    int row, relation;
    double value;
};

/* One sweep over `count` entries: a known row gives its relations' kernel, a known relation its rows.
 * Entries of which both are known drop out; returns how many are left. */
static size_t spread(struct entry *entry, size_t count, double *row, double *kernel, bool *changed)
{
    size_t left = 0;
    *changed = false;
    for (size_t k = 0; k < count; k++) {
        const struct entry *one = &entry[k];
        double *r = &row[one->row], *c = &kernel[one->relation];
        if (isnan(*r) && isnan(*c)) {
            entry[left++] = *one;
            continue;
        }
        *changed |= isnan(*r) || isnan(*c);
        if (isnan(*r))
            *r = one->value / *c;
        else if (isnan(*c))
            *c = one->value / *r;
    }
    return left;
}

/* All entries that are not 0, row by row; *count of them. */
static struct entry *entries_of(struct probe *p, const double *k, size_t *count)
{
    size_t pairs = (size_t)p->n * (size_t)p->n, at = 0;
    *count = 0;
    for (size_t m = 0; m < pairs; m++)
        *count += k[m] != 0;
    struct entry *entry = array(p, *count, sizeof *entry);
    for (int i = 0; i < p->n && entry; i++)
        for (int j = 0; j < p->n; j++, k++)
            if (*k != 0)
                entry[at++] = (struct entry){i, layout_relation(p->layout, i, j), *k};
    return entry;
}

/* row (n) and kernel (relations) from k; NaN is what no entry says. */
static bool solve_factors(struct probe *p, const double *k, double *row, double *kernel)
{
    size_t left;
    struct arena_mark mark = arena_mark(&p->arena);
    struct entry *entry = entries_of(p, k, &left);
    for (int i = 0; i < p->n; i++)
        row[i] = NAN;
    for (int r = 0; r < p->layout->relations; r++)
        kernel[r] = NAN;
    for (int i = 0; i < p->n && entry; i++)
        if (isnan(row[i])) {
            bool changed = true;
            row[i] = 1;
            while (changed)
                left = spread(entry, left, row, kernel, &changed);
        }
    arena_release(&p->arena, mark);
    return entry != NULL;
}

bool probe_factors(struct probe *p, const double *k, const struct kind_config *mask,
                   double **row_out, double **kernel_out)
{
    int n = p->n, relations = p->layout->relations;
    double *row = array(p, (size_t)n, sizeof *row);
    double *kernel = array(p, (size_t)relations, sizeof *kernel);
    if (!row || !kernel || !solve_factors(p, k, row, kernel))
        return false;
    for (int r = 0; r < relations; r++)
        kernel[r] = isnan(kernel[r]) ? 0 : kernel[r];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++, k++) {
            double value = row[i] * kernel[layout_relation(p->layout, i, j)];
            if (!close_to(mask_sees(mask, p->layout, i, j) ? value : 0, *k))
                return false;
        }
    *row_out = row;
    *kernel_out = kernel;
    return true;
}

bool probe_sources(struct probe *p, const double *k, int **out)
{
    int *source = array(p, (size_t)p->n, sizeof *source);
    if (!source)
        return false;
    for (int i = 0; i < p->n; i++) {
        source[i] = -1;
        for (int j = 0; j < p->n; j++) {
            double value = *k++;
            if (value != 0 && (value != 1 || source[i] >= 0))
                return false;
            if (value != 0)
                source[i] = j;
        }
    }
    *out = source;
    return true;
}

/* ---- largest of a window ----------------------------------------------------------------------*/
static void window_form(const struct probe *p, const void *of, const double *x, double *y)
{
    int window = *(const int *)of;
    for (int i = 0; i < p->n; i++)
        for (int c = 0; c < p->d; c++) {
            y[i * p->d + c] = x[i * p->d + c];
            for (int j = i < window ? 0 : i - window + 1; j < i; j++)
                y[i * p->d + c] = fmax(y[i * p->d + c], x[j * p->d + c]);
        }
}

/* A first token of 1 among zeros is seen by the first `window` positions. */
bool probe_window(struct probe *p, int *window)
{
    double *x = array(p, numbers(p), sizeof *x), *y = array(p, numbers(p), sizeof *y);
    if (!x || !y || p->layout->axes != 1)
        return false;
    x[0] = 1;
    evaluate(p, x, y);
    for (*window = 0; !p->code && *window < p->n && y[*window * p->d] == 1;)
        ++*window;
    return !p->code && *window > 0 && verify(p, window_form, window);
}

/* ---- token targets ----------------------------------------------------------------------------*/
/* Chance agreement of a wrong source survives a round with probability 1/V at most 1/2. */
enum { TOKEN_ROUNDS = 96, TOKEN_FRESH = 32 };

static void draw_tokens(struct probe *p, int k, int32_t *x)
{
    struct stream random;
    stream_open(&random, (uint64_t)k, "probe", 1);
    for (int i = 0; i < p->n; i++)
        x[i] = (int32_t)stream_below(&random, (uint64_t)p->config->vocab);
    for (int i = 1; i < p->n && k % 8 == 7; i++)
        x[i] = x[0];
}

static void evaluate_tokens(struct probe *p, int k, int32_t *x, int32_t *label)
{
    struct target_sample t = target_sample(p->state, p->config, p->layout);
    draw_tokens(p, k, x);
    if (!p->code)
        p->code = p->target->label(&t, x, label, p->err);
}

/* What is left of the guesses at each position. */
struct guesses {
    bool *source;   /* (n,n) */
    bool *constant; /* (n) */
    int32_t *label; /* (n) the first one seen */
};

static void narrow(const struct probe *p, struct guesses *g, int round, const int32_t *x,
                   const int32_t *label)
{
    for (int i = 0; i < p->n; i++) {
        if (round == 0)
            g->label[i] = label[i];
        g->constant[i] = (round == 0 || g->constant[i]) && label[i] == g->label[i];
        for (int j = 0; j < p->n; j++) {
            bool *left = &g->source[(size_t)i * (size_t)p->n + (size_t)j];
            *left = (round == 0 || *left) && label[i] == x[j];
        }
    }
}

static bool decide(const struct probe *p, const struct guesses *g, int *source)
{
    for (int i = 0; i < p->n; i++) {
        source[i] = -1;
        for (int j = 0; j < p->n && !g->constant[i] && source[i] < 0; j++)
            if (g->source[(size_t)i * (size_t)p->n + (size_t)j])
                source[i] = j;
        if (!g->constant[i] && source[i] < 0)
            return false;
    }
    return true;
}

bool probe_labels(struct probe *p, int **source_out, int32_t **label_out)
{
    size_t n = (size_t)p->n;
    int32_t *x = array(p, n, sizeof *x), *label = array(p, n, sizeof *label);
    struct guesses g = {array(p, n * n, sizeof *g.source),
                        array(p, n, sizeof *g.constant),
                        array(p, n, sizeof *g.label)};
    int *source = array(p, n, sizeof *source);
    if (!source || !p->target->label) /* labels that are no function of the inputs */
        return false;
    for (int k = 0; k < TOKEN_ROUNDS && !p->code; k++) {
        evaluate_tokens(p, k, x, label);
        if (!p->code)
            narrow(p, &g, k, x, label);
    }
    if (p->code || !decide(p, &g, source))
        return false;
    for (int k = TOKEN_ROUNDS; k < TOKEN_ROUNDS + TOKEN_FRESH && !p->code; k++) {
        evaluate_tokens(p, k, x, label);
        for (int i = 0; i < p->n && !p->code; i++)
            if (label[i] != (source[i] < 0 ? g.label[i] : x[source[i]]))
                return false;
    }
    *source_out = source;
    *label_out = g.label;
    return !p->code;
}

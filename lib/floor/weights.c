/* Rows whose weights have factors in common (weights.h). */
#include "floor/weights.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;
static const uint64_t prime = (UINT64_C(1) << 61) - 1;

static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    uint64_t sum = (uint64_t)(product & prime) + (uint64_t)(product >> 61);
    return sum >= prime ? sum - prime : sum;
}

/* a^(prime - 2). */
static uint64_t inverse(uint64_t a)
{
    uint64_t out = 1;
    for (uint64_t rest = prime - 2; rest; rest >>= 1) {
        out = rest & 1 ? multiply(out, a) : out;
        a = multiply(a, a);
    }
    return out;
}

int weights_open(struct weights *w, int longest, struct arena *a, struct err *e)
{
    size_t n = (size_t)longest;
    w->left = arena_alloc(a, n, sizeof *w->left, e);
    w->right = arena_alloc(a, n, sizeof *w->right, e);
    w->sum = arena_alloc(a, 2 * n, sizeof *w->sum, e);
    w->power = arena_alloc(a, n, sizeof *w->power, e);
    if (!w->left || !w->right || !w->sum || !w->power)
        return ERR_MEMORY;
    w->power[0] = 1;
    for (size_t k = 1; k < n; k++)
        w->power[k] = multiply(w->power[k - 1], intern_mix(1) & prime);
    return 0;
}

uint64_t weights_powers_hash(const struct weights *w, const struct classes *t, struct weights_row a,
                             const uint32_t *value)
{
    uint64_t above = 0, below = 0;
    for (int j = 0; j < a.row->count; j++) {
        int32_t class = a.row->class[j];
        if (class < 0)
            continue;
        uint64_t weight = w->power[t->exponent[class]];
        uint64_t thing = intern_mix(((uint64_t)a.colour[j] << 32) + value[class]) & prime;
        above += multiply(weight, thing);
        above = above >= prime ? above - prime : above;
        below += weight;
        below = below >= prime ? below - prime : below;
    }
    return intern_mix(multiply(above, inverse(below)));
}

static int compare_terms(const void *a, const void *b)
{
    const struct weight_term *x = a, *y = b;
    if (x->thing != y->thing)
        return x->thing < y->thing ? -1 : 1;
    return (x->factor > y->factor) - (x->factor < y->factor);
}

/* factor (classes).  Fills out, sorted; returns how many. */
static int list_terms(const struct classes *t, const int32_t *factor, struct weights_row a,
                      struct weight_term *out)
{
    int count = 0;
    for (int j = 0; j < a.row->count; j++) {
        int32_t class = a.row->class[j];
        if (class >= 0)
            out[count++] = (struct weight_term){(int64_t)t->value[class] << 32 | a.colour[j],
                                               factor[class]};
    }
    qsort(out, (size_t)count, sizeof *out, compare_terms);
    return count;
}

/* The terms of one thing. */
struct form {
    const struct weight_term *term;
    int count;
};

static struct form first_form(const struct weight_term *term, int count)
{
    struct form f = {.term = term};
    while (f.count < count && term[f.count].thing == term[0].thing)
        f.count++;
    return f;
}

/* How often the form has the factor of its term k, which is the first with it. */
static int run_of(struct form f, int k)
{
    int end = k;
    while (end < f.count && f.term[end].factor == f.term[k].factor)
        end++;
    return end - k;
}

static bool multiples(struct form a, struct form b)
{
    int i = 0, j = 0;
    while (i < a.count && j < b.count) {
        int64_t left = run_of(a, i), right = run_of(b, j);
        if (a.term[i].factor != b.term[j].factor || left * b.count != right * a.count)
            return false;
        i += (int)left;
        j += (int)right;
    }
    return i == a.count && j == b.count;
}

bool weights_product(struct weights *w, const struct classes *t, struct weights_row a)
{
    int count = list_terms(t, t->factor, a, w->left);
    struct form one = first_form(w->left, count);
    bool product = count > 0;
    for (int at = one.count; at < count && product;) {
        struct form here = first_form(w->left + at, count - at);
        product = multiples(one, here);
        at += here.count;
    }
    return product;
}

/* ---- powers -----------------------------------------------------------------------------------*/
static void add_product(int64_t *sum, struct form a, struct form b, int sign)
{
    for (int i = 0; i < a.count; i++)
        for (int j = 0; j < b.count; j++)
            sum[a.term[i].factor + b.term[j].factor] += sign;
}

/* Whether all that add_product added to is 0; it is, afterwards. */
static bool clear_product(int64_t *sum, struct form a, struct form b)
{
    bool zero = true;
    for (int i = 0; i < a.count; i++)
        for (int j = 0; j < b.count; j++) {
            int64_t *here = &sum[a.term[i].factor + b.term[j].factor];
            zero = zero && *here == 0;
            *here = 0;
        }
    return zero;
}

/* Whether a d' = a' d. */
static bool same_ratio(int64_t *sum, struct form a, struct form d, struct form a2, struct form d2)
{
    add_product(sum, a, d2, 1);
    add_product(sum, a2, d, -1);
    bool left = clear_product(sum, a, d2);
    return clear_product(sum, a2, d) && left;
}

/* The thing of which a row has fewest terms. */
static struct form shortest_form(const struct weight_term *term, int count)
{
    struct form best = first_form(term, count);
    for (int at = best.count; at < count;) {
        struct form here = first_form(term + at, count - at);
        best = here.count < best.count ? here : best;
        at += here.count;
    }
    return best;
}

static struct form form_of(int64_t thing, const struct weight_term *term, int count)
{
    int at = 0;
    while (at < count && term[at].thing != thing)
        at++;
    return first_form(term + at, count - at);
}

bool weights_powers_match(struct weights *w, const struct classes *t, struct weights_row a,
                          struct weights_row b)
{
    int left = list_terms(t, t->exponent, a, w->left), i = 0, j = 0;
    int right = list_terms(t, t->exponent, b, w->right);
    if (!left || !right)
        return left == right;
    struct form d = shortest_form(w->left, left);
    struct form d2 = form_of(d.term->thing, w->right, right);
    bool same = d2.count > 0;
    while (same && i < left && j < right) {
        struct form x = first_form(w->left + i, left - i);
        struct form y = first_form(w->right + j, right - j);
        same = x.term->thing == y.term->thing && same_ratio(w->sum, x, d, y, d2);
        i += x.count;
        j += y.count;
    }
    return same && i == left && j == right;
}

/* Floors over orbits (orbits.h): chains of samples, merged one after another, and their sums. */
#include "run/orbits.h"

#include <math.h>
#include <string.h>

#include "floor/intern.h"
#include "floor/sort.h"
#include "run/evaluate.h"

/* Sums over the rows of a subset. */
struct sums {
    double square[2], sup[2], commonest[2], informed[2], entropy[2]; /* of both depths */
    double rows, informative;
    double *mean, off; /* of the target: (outputs), and squares about it */
};

struct work {
    const struct task *task;
    const struct samples *base;
    struct sampler *sampler;
    struct arena arena;
    int *parent;       /* (samples) of the tree that a chain is */
    int *which, *kept; /* (samples) a chain, and its images */
    struct samples images;
    struct arena scratch; /* of one chain */
    struct sums *sums;    /* (subsets) */
};

/* ---- chains -----------------------------------------------------------------------------------*/
static int root_of(const struct work *w, int k)
{
    while (w->parent[k] != k)
        k = w->parent[k] = w->parent[w->parent[k]];
    return k;
}

/* Equal tokens have equal keys; others nearly never, and then two chains are one, no harm done. */
static uint64_t key_of(const struct samples *s, int row)
{
    uint64_t key = s->channels ? 0 : (uint64_t)s->token[row];
    for (int c = 0; c < s->channels; c++) {
        double x = s->x[(size_t)row * (size_t)s->channels + (size_t)c];
        uint64_t bits;
        x = x == 0 ? 0 : x; /* 0 and -0 are one */
        memcpy(&bits, &x, sizeof bits);
        key = intern_mix(key ^ bits) + 1;
    }
    return key;
}

/* The first sample of a chain is its root. */
static int find_chains(struct work *w, struct err *e)
{
    const struct samples *s = w->base;
    struct sort_item *item = memory_alloc((size_t)s->rows, sizeof *item, e);
    int *of = memory_alloc((size_t)s->rows, sizeof *of, e);
    for (int k = 0; k < s->count && item && of; k++) {
        w->parent[k] = k;
        for (int row = s->first[k]; row < s->first[k + 1]; row++) {
            item[row] = (struct sort_item){.key = key_of(s, row), .row = row};
            of[row] = k;
        }
    }
    if (item && of)
        sort_items(item, (size_t)s->rows);
    for (int r = 1; r < s->rows && item && of; r++) {
        if (item[r].key != item[r - 1].key)
            continue;
        int a = root_of(w, of[item[r].row]), b = root_of(w, of[item[r - 1].row]);
        w->parent[a > b ? a : b] = a < b ? a : b;
    }
    int code = item && of ? 0 : ERR_MEMORY;
    memory_free(item);
    memory_free(of);
    return code;
}

/* ---- sums -------------------------------------------------------------------------------------*/
/* The figures of some rows of the images at hand. */
struct part {
    double rows, informative;
    double *mean, off; /* of the target: (outputs), and squares about it */
    struct floor_errors error[2];
    struct floor_labels label[2];
};

static bool in_mask(const unsigned char *mask, int row)
{
    return !mask || mask[row];
}

static void measure_deviation(struct part *p, const struct samples *s, const unsigned char *mask)
{
    p->off = 0;
    for (int c = 0; c < s->outputs; c++) {
        const double *y = s->y + c;
        double sum = 0;
        for (int r = 0; r < s->rows; r++)
            sum += in_mask(mask, r) ? y[(size_t)r * (size_t)s->outputs] : 0;
        double mean = p->mean[c] = sum / p->rows;
        for (int r = 0; r < s->rows; r++) {
            double off = in_mask(mask, r) ? y[(size_t)r * (size_t)s->outputs] - mean : 0;
            p->off += off * off;
        }
    }
}

static int measure_part(struct part *p, const struct samples *s, const struct model_groups *g,
                        const unsigned char *mask, const unsigned char *informative, struct err *e)
{
    bool same = g->deep_groups == g->any_groups;
    int code = 0;
    for (int k = 0; k < 2 && !code; k++) {
        const int32_t *group = k && !same ? g->deep : g->any;
        int groups = k ? g->deep_groups : g->any_groups;
        p->error[k] = (struct floor_errors){0};
        if (!s->outputs)
            code = floor_tokens(group, groups, s->rows, s->label, mask, informative, &p->label[k], e);
        else if (groups < s->rows) /* else all are alone, which leaves nothing */
            code = floor_continuous(group, groups, s->rows, s->outputs, s->y, mask, &p->error[k], e);
    }
    measure_deviation(p, s, mask);
    return code;
}

/* Squares about the mean of two sets from those of each: Chan, Golub and LeVeque 1983. */
static void add_part(struct sums *u, const struct part *p, int outputs, double weight)
{
    double before = u->rows, more = p->rows * weight, known = p->informative * weight;
    u->rows += more;
    u->informative += known;
    u->off += p->off * weight;
    for (int c = 0; c < outputs; c++) {
        double apart = p->mean[c] - u->mean[c];
        u->off += apart * apart * before * more / u->rows;
        u->mean[c] += apart * more / u->rows;
    }
    for (int k = 0; k < 2; k++) {
        if (outputs) {
            u->square[k] += p->error[k].mse * more;
            u->sup[k] = fmax(u->sup[k], p->error[k].sup);
            continue;
        }
        u->commonest[k] += p->label[k].accuracy_ceiling * more;
        u->entropy[k] += p->label[k].crossentropy * more;
        u->informed[k] += known > 0 ? p->label[k].informative_ceiling * known : 0;
    }
}

/* Fills mask (rows); whether it is of all rows, and p->rows. */
static bool fill_mask(struct part *p, const struct samples *s, int pattern, unsigned char *mask,
                      const unsigned char *informative)
{
    p->rows = p->informative = 0;
    for (int b = 0; b < s->count; b++) {
        bool of = pattern < 0 || s->pattern[b] == pattern;
        for (int r = s->first[b]; r < s->first[b + 1]; r++) {
            bool in = of && (!s->counts || s->counts[r]);
            mask[r] = in;
            p->rows += in;
            p->informative += in && informative[r];
        }
    }
    return p->rows == s->rows;
}

/* Adds what the groups give to all subsets. */
static int add_groups(struct work *w, const struct model_groups *g, unsigned char *mask,
                      const unsigned char *informative, const struct orbit_floors *subset,
                      int subsets, double weight, struct err *e)
{
    const struct samples *s = &w->images;
    struct part part = {.mean = arena_alloc(&w->scratch, (size_t)s->outputs, sizeof(double), e)};
    bool whole = false; /* `part` is of all rows */
    int code = part.mean ? 0 : ERR_MEMORY;
    for (int k = 0; k < subsets && !code; k++) {
        bool again = whole;
        whole = fill_mask(&part, s, subset[k].pattern, mask, informative);
        if (part.rows > 0 && !(again && whole))
            code = measure_part(&part, s, g, whole ? NULL : mask, informative, e);
        if (part.rows > 0 && !code)
            add_part(&w->sums[k], &part, s->outputs, weight);
    }
    return code;
}

/* The images at hand, each of which stands for `weight`. */
static int add_images(struct work *w, const struct orbit_floors *subset, int subsets, double weight,
                      struct err *e)
{
    const struct samples *s = &w->images;
    const struct target *target = target_of(&w->task->target);
    size_t rows = (size_t)s->rows;
    arena_reset(&w->scratch);
    struct model_groups g = {.any = arena_alloc(&w->scratch, rows, sizeof *g.any, e),
                             .deep = arena_alloc(&w->scratch, rows, sizeof *g.deep, e)};
    unsigned char *mask = arena_alloc(&w->scratch, rows, 1, e);
    unsigned char *informative = arena_alloc(&w->scratch, rows, 1, e);
    if (arena_check(&w->scratch))
        return ERR_MEMORY;
    for (int b = 0; b < s->count; b++)
        for (int r = s->first[b]; r < s->first[b + 1]; r++)
            informative[r] = !target->informative ||
                             target->informative(&w->task->target, s->layout[b], r - s->first[b]);
    int code = evaluation_merge_depth(w->task, s, &g, e);
    return code ? code : add_groups(w, &g, mask, informative, subset, subsets, weight, e);
}

static int add_chain(struct work *w, int root, const struct orbit_floors *subset, int subsets,
                     struct err *e)
{
    const struct orbit *orbit = orbit_table[w->task->evaluate.orbit];
    int count = 0;
    for (int k = root; k < w->base->count; k++)
        if (root_of(w, k) == root)
            w->which[count++] = k;
    int code = sampler_images(w->sampler, w->base, w->which, count, true, w->kept, &w->images, e);
    if (code)
        return code;
    double weight = (double)orbit->images(w->images.layout[0]) / w->kept[0];
    bool even = weight == floor(weight);
    for (int k = 1; k < count; k++)
        even = even && w->kept[k] == w->kept[0];
    if (!even) {
        weight = 1;
        code = sampler_images(w->sampler, w->base, w->which, count, false, w->kept, &w->images, e);
    }
    return code ? code : add_images(w, subset, subsets, weight, e);
}

static void finish(const struct sums *u, int outputs, struct orbit_floors *out)
{
    double d = outputs ? outputs : 1;
    out->rows = u->rows;
    out->deviation = sqrt(u->off / (u->rows * d));
    for (int k = 0; k < 2; k++) {
        double mse = u->square[k] / u->rows;
        out->error[k] = (struct floor_errors){.mse = mse, .rms = sqrt(mse), .sup = u->sup[k]};
        out->label[k] = (struct floor_labels){
            .accuracy_ceiling = u->commonest[k] / u->rows,
            .informative_ceiling = u->informative > 0 ? u->informed[k] / u->informative : NAN,
            .crossentropy = u->entropy[k] / u->rows};
    }
}

/* ---- the whole --------------------------------------------------------------------------------*/
static int open_work(struct work *w, int length, int subsets, struct err *e)
{
    size_t count = (size_t)w->base->count, d = (size_t)w->base->outputs;
    int code = arena_open(&w->arena, 0, e);
    code = code ? code : arena_open(&w->scratch, 0, e);
    code = code ? code : arena_open(&w->images.arena, 0, e);
    if (code)
        return code;
    w->parent = arena_alloc(&w->arena, count, sizeof *w->parent, e);
    w->which = arena_alloc(&w->arena, count, sizeof *w->which, e);
    w->kept = arena_alloc(&w->arena, count, sizeof *w->kept, e);
    w->sums = arena_alloc(&w->arena, (size_t)subsets, sizeof *w->sums, e);
    double *mean = arena_alloc(&w->arena, (size_t)subsets * d, sizeof *mean, e);
    if (arena_check(&w->arena))
        return ERR_MEMORY;
    for (int k = 0; k < subsets; k++)
        w->sums[k].mean = mean + (size_t)k * d;
    code = sampler_open_stream(&w->sampler, w->task, "evaluation", length, e);
    return code ? code : find_chains(w, e);
}

int orbit_floors(const struct task *t, int length, const struct samples *base,
                 struct orbit_floors *out, int subsets, struct err *e)
{
    struct work w = {.task = t, .base = base};
    int code = open_work(&w, length, subsets, e);
    for (int k = 0; k < base->count && !code; k++)
        if (root_of(&w, k) == k)
            code = add_chain(&w, k, out, subsets, e);
    for (int k = 0; k < subsets && !code; k++)
        finish(&w.sums[k], base->outputs, &out[k]);
    sampler_close(w.sampler);
    samples_close(&w.images);
    arena_close(&w.scratch);
    arena_close(&w.arena);
    return code;
}

/* Samples: training batches and evaluation sets.
 * Invariant: sample k of a stream is a function of (seed, k) alone, and training and evaluation draw
 * from different streams, so the two never overlap and every cell of a seed sees the same data.
 * A target with inputs of its own keeps the two apart itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "target/own_inputs.h"
#include "train/train.h"

enum { BATCH = 32 }; /* samples that a target evaluates in one call, where it can */

struct sampler {
    const struct task *task;
    const struct space *space;
    const struct target *target;
    const char *purpose;
    const struct shared_kind *shared; /* of the sets drawn; NULL: none */
    const struct option_ints *mixed;  /* a sample's lengths; none: as the space draws them */
    int n;               /* of the largest sample */
    struct layout fixed; /* of spaces whose samples share a layout */
    void *layouts;       /* what the others draw from */
    void *state;         /* the target's */
    struct own_inputs *own; /* NULL: none are the user's */
    uint64_t count;      /* samples of the set; 0: a stream without end, to train on */
    int *source;         /* (n) */
    struct layout **shorter; /* (n+1) of the set drawn last, by its positions; NULL: not yet */
    double cumulative[PATTERN_MAX]; /* of the shares, for one uniform draw */
    struct arena arena;
};

/* ---- sets -------------------------------------------------------------------------------------*/

int samples_reserve(struct samples *s, int count, int n, const struct model_io *io, bool partial,
                    struct err *e)
{
    int channels = io->channels, outputs = io->labels ? 0 : model_io_outputs(io);
    int most = channels > outputs ? channels : outputs;
    size_t samples = (size_t)count, rows, cells;
    if (!memory_multiply(samples, (size_t)n, &rows) || rows > INT32_MAX ||
        !memory_multiply(rows, (size_t)(most ? most : 1), &cells))
        return err_set(e, ERR_MEMORY, "", "%d samples of %d positions are too many", count, n);
    s->count = 0;
    s->rows = 0;
    s->channels = channels;
    s->outputs = outputs;
    s->first = arena_alloc(&s->arena, samples + 1, sizeof *s->first, e);
    s->layout = arena_alloc(&s->arena, samples, sizeof *s->layout, e);
    s->pattern = arena_alloc(&s->arena, samples, sizeof *s->pattern, e);
    s->x = s->y = NULL;
    s->token = s->label = NULL;
    s->counts = NULL;
    s->scored = NULL;
    if (channels)
        s->x = arena_alloc(&s->arena, rows * (size_t)channels, sizeof *s->x, e);
    else
        s->token = arena_alloc(&s->arena, rows, sizeof *s->token, e);
    if (outputs)
        s->y = arena_alloc(&s->arena, rows * (size_t)outputs, sizeof *s->y, e);
    else
        s->label = arena_alloc(&s->arena, rows, sizeof *s->label, e);
    if (partial)
        s->counts = arena_alloc(&s->arena, rows, sizeof *s->counts, e);
    return arena_check(&s->arena);
}

int samples_add(struct samples *s, struct layout *l, int pattern)
{
    int first = s->rows;
    s->layout[s->count] = l;
    s->pattern[s->count] = pattern;
    s->first[++s->count] = s->rows = first + l->n;
    return first;
}

void samples_close(struct samples *s)
{
    arena_close(&s->arena);
    *s = (struct samples){0};
}

struct samples samples_part(const struct samples *s, int from, int count, int *first)
{
    size_t at = (size_t)s->first[from], in = (size_t)s->channels, out = (size_t)s->outputs;
    for (int k = 0; k <= count; k++)
        first[k] = s->first[from + k] - (int)at;
    return (struct samples){.count = count, .rows = first[count], .channels = s->channels,
                            .outputs = s->outputs, .first = first, .layout = s->layout + from,
                            .pattern = s->pattern + from,
                            .x = in ? s->x + at * in : NULL, .y = out ? s->y + at * out : NULL,
                            .token = in ? NULL : s->token + at,
                            .label = out ? NULL : s->label + at,
                            .counts = s->counts ? s->counts + at : NULL};
}

/* Row `to` becomes a copy of row `from`. */
static void copy_token(struct samples *s, int to, int from)
{
    size_t channels = (size_t)s->channels;
    if (to == from)
        return;
    if (channels)
        memcpy(s->x + (size_t)to * channels, s->x + (size_t)from * channels,
               channels * sizeof *s->x);
    else
        s->token[to] = s->token[from];
}

/* ---- one sample -------------------------------------------------------------------------------*/

/* What is wrong with sample k of the set: its number counts from `number`, images apart. */
static int blame(const struct sampler *d, uint64_t number, int k, int images, struct err *e)
{
    return err_context(e, "sample %llu of stream '%s'",
                       (unsigned long long)(number + (uint64_t)(k / images)), d->purpose);
}

static int stop_drawing(struct err *e)
{
    return err_set(e, ERR_INTERRUPTED, "", "interrupted while drawing samples");
}

/* Outputs of samples [from, from + count), whose inputs lie one after another. */
static int evaluate_batch(const struct sampler *d, struct samples *s, int from, int count,
                          int *failed, struct err *e)
{
    int n[BATCH];
    size_t at = (size_t)s->first[from] * (size_t)s->channels;
    for (int k = 0; k < count; k++)
        n[k] = s->layout[from + k]->n;
    int code = d->target->evaluate_all(d->state, count, n, s->channels, s->x + at, s->y + at,
                                       failed, e);
    *failed += from;
    return code;
}

/* Labels or outputs of sample k. */
static int evaluate_one(const struct sampler *d, struct samples *s, int k, struct err *e)
{
    struct target_sample t = target_sample(d->state, &d->task->target, s->layout[k]);
    int first = s->first[k];
    size_t at = (size_t)first * (size_t)s->channels;
    return s->outputs ? d->target->evaluate(&t, s->channels, s->x + at, s->y + at, e)
                      : d->target->label(&t, s->token + first, s->label + first, e);
}

/* Labels that there are none of become marks of rows that do not count. */
static void mark_rows(const struct sampler *d, struct samples *s)
{
    for (int r = 0; r < s->rows && s->counts && !d->target->take; r++) {
        s->counts[r] = s->label[r] >= 0;
        s->label[r] = s->counts[r] ? s->label[r] : 0;
    }
}

/* Labels or outputs of all samples, of which each has so many images, and the first that number. */
static int evaluate_samples(const struct sampler *d, struct samples *s, uint64_t number, int images,
                            struct err *e)
{
    bool batches = d->target->evaluate_all && s->outputs;
    bool ready = target_brings_inputs(&d->task->target);
    for (int k = 0, failed; k < s->count && !ready; k += batches ? BATCH : 1) {
        int count = s->count - k < BATCH ? s->count - k : BATCH;
        failed = k;
        if (task_stopped(d->task))
            return stop_drawing(e);
        if (batches ? evaluate_batch(d, s, k, count, &failed, e) : evaluate_one(d, s, k, e))
            return blame(d, number, failed, images, e);
    }
    mark_rows(d, s);
    return 0;
}

/* Uniform tokens in the sample in rows first.. */
static void fill_uniform(const struct sampler *d, struct samples *s, int first, int n,
                         struct stream *random)
{
    size_t at = (size_t)first * (size_t)s->channels;
    int symbols = s->channels ? 0 : target_vocab(&d->task->target);
    for (int i = 0; i < n * s->channels; i++)
        s->x[at + (size_t)i] = stream_uniform24(random);
    for (int i = 0; i < n && !s->channels; i++)
        s->token[first + i] = (int32_t)stream_below(random, (uint64_t)symbols);
}

/* The token of patterns that draw none. */
static void fill_fixed(struct samples *s, int first, int n)
{
    for (int i = 0; i < n * s->channels; i++)
        s->x[(size_t)first * (size_t)s->channels + (size_t)i] = 0.5;
    for (int i = 0; i < n && !s->channels; i++)
        s->token[first + i] = 0;
}

/* Moves the tokens about that of the first position, each by its own uniform one: all stay in the unit
 * cube, and no nearer to its faces than they move. */
static void spread(const struct sampler *d, struct samples *s, int first, int n)
{
    size_t channels = (size_t)s->channels;
    double *x = s->x + (size_t)first * channels;
    double most = d->task->space.radius / sqrt((double)channels);
    for (size_t c = 0; c < channels; c++) {
        double middle = most + (1 - 2 * most) * x[c];
        x[c] = middle;
        for (size_t i = 1; i < (size_t)n; i++)
            x[i * channels + c] = middle + most * (2 * x[i * channels + c] - 1);
    }
}

/* The first n positions of the sampler's layout, in the set, whose samples of one length share them. */
static struct layout *shorter(struct sampler *d, int n, struct arena *arena, struct err *e)
{
    if (n == d->fixed.n)
        return &d->fixed;
    if (!d->shorter[n])
        d->shorter[n] = arena_alloc(arena, 1, sizeof *d->shorter[n], e);
    if (d->shorter[n])
        *d->shorter[n] = layout_shorter(&d->fixed, n);
    return d->shorter[n];
}

/* Appends a sample that lies ready. */
static int take_sample(struct sampler *d, struct samples *s, int64_t index, struct err *e)
{
    struct layout *l = &d->fixed;
    if (d->space->given) {
        int64_t pairs;
        const int32_t *pair = d->target->pairs(d->state, index, &pairs);
        l = arena_alloc(&s->arena, 1, sizeof *l, e);
        if (!l || d->space->given(&d->task->space, d->n, pair, pairs, &s->arena, l, e))
            return err_context(e, "sample %lld of the file", (long long)index);
    } else {
        l = shorter(d, d->target->length(d->state, index), &s->arena, e);
        if (!l)
            return ERR_MEMORY;
    }
    size_t first = (size_t)samples_add(s, l, PATTERN_GENERIC);
    struct target_rows rows = {.n = l->n,
                               .x = s->x ? s->x + first * (size_t)s->channels : NULL,
                               .y = s->y ? s->y + first * (size_t)s->outputs : NULL,
                               .token = s->token ? s->token + first : NULL,
                               .label = s->label ? s->label + first : NULL,
                               .counts = s->counts ? s->counts + first : NULL};
    d->target->take(d->state, index, &rows);
    return 0;
}

static int draw_size(const struct sampler *d, struct stream *random)
{
    const struct option_ints *mixed = d->mixed;
    return mixed->count ? (int)mixed->value[stream_below(random, (uint64_t)mixed->count)]
                        : d->space->size(&d->task->space, d->n, random);
}

/* Appends the inputs of sample number `number` with the given pattern (negative: drawn too); a target
 * that draws gives its labels with them. */
static int draw_sample(struct sampler *d, struct samples *s, uint64_t number, int pattern,
                       struct err *e)
{
    struct stream random;
    stream_open(&random, d->task->seed, d->purpose, number);
    struct layout *l = &d->fixed;
    if (task_stopped(d->task))
        return stop_drawing(e);
    if (d->target->take)
        return take_sample(d, s, d->target->pick(d->state, &random, number, d->count), e);
    bool resizes = d->mixed->count || space_resizes(&d->task->space);
    int size = resizes ? draw_size(d, &random) : d->n;
    if (space_draws(&d->task->space)) {
        l = arena_alloc(&s->arena, 1, sizeof *l, e);
        if (!l || d->space->draw(&d->task->space, d->layouts, size, &random, &s->arena, l, e))
            return e->code;
    } else if (resizes) {
        l = shorter(d, size, &s->arena, e);
        if (!l)
            return ERR_MEMORY;
    }
    double u = stream_uniform24(&random); /* drawn always, so that shares do not shift the stream */
    for (int k = 0; pattern < 0; k++)
        if (u < d->cumulative[k])
            pattern = k;
    int first = samples_add(s, l, pattern), n = l->n;
    if (!d->target->draw)
        fill_uniform(d, s, first, n, &random);
    if (pattern_table[pattern]->fixed)
        fill_fixed(s, first, n);
    if (pattern_table[pattern]->own)
        return own_inputs_fill(d->own, number, n, s->channels,
                               s->x ? s->x + (size_t)first * (size_t)s->channels : NULL,
                               s->token ? s->token + first : NULL, e);
    if (pattern_table[pattern]->near) {
        spread(d, s, first, n);
    } else if (pattern != PATTERN_GENERIC) {
        pattern_table[pattern]->draw(l, &random, d->source); /* source[source[i]] == source[i] */
        for (int i = 0; i < n; i++)
            copy_token(s, first + i, first + d->source[i]);
    }
    struct target_sample t = target_sample(d->state, &d->task->target, l);
    return d->target->draw ? d->target->draw(&t, &random, number, d->count, s->token + first, s->label + first, e) : 0;
}

/* Appends the inputs of images 1.. of the last sample. */
static void add_images(struct sampler *d, struct samples *s, const struct orbit *orbit)
{
    int base = s->count - 1, from = s->first[base];
    struct layout *l = s->layout[base];
    for (int k = 1; k < orbit->images(l); k++) {
        int first = samples_add(s, l, s->pattern[base]);
        orbit->image(l, k, d->source);
        for (int i = 0; i < l->n; i++)
            copy_token(s, first + i, from + d->source[i]);
    }
}

/* ---- streams ----------------------------------------------------------------------------------*/

static int open_sampler(struct sampler *d, const struct task *t, int length, struct err *e)
{
    double sum = 0;
    int last = PATTERN_GENERIC, code = arena_open(&d->arena, 0, e);
    for (int k = 0; pattern_table[k]; k++) {
        d->cumulative[k] = sum += t->space.share[k];
        last = t->space.share[k] > 0 ? k : last;
    }
    d->cumulative[last] = 2; /* rounding in the sum must not reach a pattern without a share */
    bool drawn = space_draws(&t->space);
    if (!drawn && !code)
        code = d->space->layout(&t->space, length, &d->arena, &d->fixed, e);
    else if (d->space->open && !code)
        code = d->space->open(&t->space, &d->arena, &d->layouts, e);
    if (code)
        return code;
    d->n = drawn ? length : d->fixed.n;
    d->source = arena_alloc(&d->arena, (size_t)d->n, sizeof *d->source, e);
    d->shorter = arena_alloc(&d->arena, (size_t)d->n + 1, sizeof *d->shorter, e);
    if (!d->source || !d->shorter)
        return ERR_MEMORY;
    if (t->space.share[PATTERN_LUA] > 0) {
        int symbols = target_form(&t->target).tokens ? target_vocab(&t->target) : 0;
        code = own_inputs_open(&d->own, &t->space, symbols, d->purpose, t->seed, e);
    }
    return code       ? code
           : d->target->open ? d->target->open(&t->target, &t->space, d->n, &d->arena, &d->state, e)
                           : 0;
}

int sampler_open_stream(struct sampler **out, const struct task *t, const char *purpose, int length,
                        struct err *e)
{
    struct sampler *d = memory_alloc(1, sizeof *d, e);
    *out = NULL;
    if (!d)
        return ERR_MEMORY;
    *d = (struct sampler){.task = t, .space = space_of(&t->space), .target = target_of(&t->target),
                          .purpose = purpose, .mixed = &t->train.mixed};
    int code = open_sampler(d, t, length, e);
    if (code)
        sampler_close(d);
    else
        *out = d;
    return code;
}

int sampler_open(struct sampler **out, const struct task *t, int length, struct err *e)
{
    return sampler_open_stream(out, t, "data", length, e);
}

static int reserve(const struct sampler *d, struct samples *s, int count, struct err *e)
{
    memset(d->shorter, 0, ((size_t)d->n + 1) * sizeof *d->shorter);
    struct model_io io = task_io(d->task);
    return samples_reserve(s, count, d->n, &io, target_form(&d->task->target).partial, e);
}

int sampler_draw(struct sampler *d, uint64_t number, int count, struct samples *into,
                 struct err *e)
{
    arena_reset(&into->arena);
    int code = reserve(d, into, count, e);
    for (int k = 0; k < count && !code; k++)
        code = draw_sample(d, into, number + (uint64_t)k, -1, e);
    return code ? code : evaluate_samples(d, into, number, 1, e);
}

static bool same_token(const struct samples *s, int a, int b)
{
    size_t d = (size_t)s->channels;
    return d ? memcmp(s->x + (size_t)a * d, s->x + (size_t)b * d, d * sizeof *s->x) == 0
             : s->token[a] == s->token[b];
}

static bool same_sample(const struct samples *s, int a, int b)
{
    int n = s->first[a + 1] - s->first[a], i = 0;
    while (i < n && same_token(s, s->first[a] + i, s->first[b] + i))
        i++;
    return i == n;
}

static void drop_last(struct samples *s)
{
    s->rows = s->first[--s->count];
}

/* Appends the images of sample k of base, or the distinct ones, and returns how many. */
static int copy_images(struct sampler *d, struct samples *s, const struct samples *base, int k,
                       bool distinct)
{
    const struct orbit *orbit = orbit_table[d->task->evaluate.orbit];
    int own = s->count;
    size_t channels = (size_t)s->channels;
    for (int image = 0; image < orbit->images(&d->fixed); image++) {
        int first = samples_add(s, &d->fixed, base->pattern[k]), last = s->count - 1;
        orbit->image(&d->fixed, image, d->source);
        for (int i = 0; i < d->n; i++) {
            size_t to = (size_t)(first + i), from = (size_t)(base->first[k] + d->source[i]);
            if (channels)
                memcpy(s->x + to * channels, base->x + from * channels, channels * sizeof *s->x);
            else
                s->token[to] = base->token[from];
        }
        for (int before = own; before < last && distinct; before++)
            if (same_sample(s, before, last)) {
                drop_last(s);
                break;
            }
    }
    return s->count - own;
}

int sampler_images(struct sampler *d, const struct samples *base, const int *which, int count,
                   bool distinct, int *kept, struct samples *into, struct err *e)
{
    int images = orbit_table[d->task->evaluate.orbit]->images(&d->fixed);
    arena_reset(&into->arena);
    if (count > INT32_MAX / images)
        return err_set(e, ERR_MEMORY, "evaluate.samples", "%d samples with %d images each are too "
                       "many", count, images);
    int code = reserve(d, into, count * images, e);
    for (int k = 0; k < count && !code; k++)
        kept[k] = copy_images(d, into, base, which[k], distinct);
    return code ? code : evaluate_samples(d, into, (uint64_t)which[0], into->count, e);
}

void sampler_close(struct sampler *d)
{
    if (!d)
        return;
    if (d->state && d->target->close)
        d->target->close(d->state);
    own_inputs_close(d->own);
    arena_close(&d->arena);
    memory_free(d);
}

/* ---- the evaluation set -----------------------------------------------------------------------*/

/* How many samples each pattern has; returns their sum. */
static int64_t count_patterns(const struct task *t, int64_t counts[PATTERN_MAX])
{
    int64_t total = 0;
    for (int k = 0; pattern_table[k]; k++) {
        counts[k] = llround(t->space.share[k] * (double)t->evaluate.samples);
        total += counts[k];
    }
    return total;
}

/* The layout that all samples share, or have first positions of, moves into the set, which outlives the
 * sampler; those shorter ones are there already. */
static int keep_layout(struct samples *s, const struct sampler *d, int length, struct err *e)
{
    struct layout *own = arena_alloc(&s->arena, 1, sizeof *own, e);
    int code = own ? d->space->layout(&d->task->space, length, &s->arena, own, e) : ERR_MEMORY;
    for (int i = 0; i < s->count && !code; i++) {
        int n = s->first[i + 1] - s->first[i];
        if (n == own->n)
            s->layout[i] = own;
        else
            *s->layout[i] = layout_shorter(own, n);
    }
    return code;
}

static int draw_evaluation(struct samples *s, struct sampler *d, struct err *e)
{
    const struct orbit *orbit = orbit_table[d->task->evaluate.orbit];
    int64_t counts[PATTERN_MAX], total = count_patterns(d->task, counts);
    int64_t images = space_draws(&d->task->space) ? 1 : orbit->images(&d->fixed);
    if (total > INT32_MAX / images)
        return err_set(e, ERR_MEMORY, "evaluate.samples", "%lld samples with %lld images each are "
                       "too many", (long long)total, (long long)images);
    if (d->target->available && d->target->available(d->state) < total)
        counts[PATTERN_GENERIC] = total = d->target->available(d->state);
    int code = reserve(d, s, (int)(total * images), e);
    uint64_t number = 0;
    d->count = (uint64_t)total;
    for (int k = 0; pattern_table[k]; k++)
        for (int64_t i = 0; i < counts[k] && !code; i++, number++) {
            code = draw_sample(d, s, number, k, e);
            if (!code && images > 1)
                add_images(d, s, orbit);
        }
    return code ? code : evaluate_samples(d, s, 0, (int)images, e);
}

/* The position that set k is scored at. */
static int draw_scored(const struct sampler *d, int64_t k, int64_t sets)
{
    char purpose[64];
    struct stream random;
    snprintf(purpose, sizeof purpose, "%s position", d->purpose);
    stream_open(&random, d->task->seed, purpose, (uint64_t)k);
    return (int)(((double)k + stream_uniform24(&random)) * d->n / (double)sets);
}

/* One set, scored at a position; view (n) is scratch. */
static int draw_sharing(struct samples *s, struct sampler *d, int scored, bool *view, struct err *e)
{
    int base = s->count, code = 0;
    d->shared->view(d->task, &d->fixed, scored, view);
    for (int64_t k = 0; k < d->task->evaluate.images && !code; k++) {
        int at = s->count;
        s->scored[at] = scored;
        code = draw_sample(d, s, (uint64_t)at, PATTERN_GENERIC, e);
        for (int i = 0; i < d->n && !code; i++)
            if (view[i])
                copy_token(s, s->first[at] + i, s->first[base] + i);
    }
    return code;
}

static int draw_shared(struct samples *s, struct sampler *d, struct err *e)
{
    int64_t images = d->task->evaluate.images, sets = task_image_sets(d->task);
    int code = reserve(d, s, (int)(sets * images), e);
    bool *view = arena_alloc(&d->arena, (size_t)d->n, sizeof *view, e);
    s->scored = arena_alloc(&s->arena, (size_t)(sets * images), sizeof *s->scored, e);
    if (!s->scored || !view)
        code = ERR_MEMORY;
    for (int64_t k = 0; k < sets && !code; k++)
        code = draw_sharing(s, d, draw_scored(d, k, sets), view, e);
    return code ? code : evaluate_samples(d, s, 0, 1, e);
}

static int draw_set(struct samples *s, const struct task *t, const char *purpose, int length,
                    const struct shared_kind *shared,
                    int (*draw)(struct samples *s, struct sampler *d, struct err *e),
                    struct err *e)
{
    struct sampler *d = NULL;
    *s = (struct samples){0};
    int code = arena_open(&s->arena, 0, e);
    if (!code)
        code = sampler_open_stream(&d, t, purpose, length, e);
    if (!code) {
        static const struct option_ints none;
        d->shared = shared;
        d->mixed = &none;
        code = draw(s, d, e);
    }
    if (!code && !space_draws(&t->space))
        code = keep_layout(s, d, length, e);
    sampler_close(d);
    if (code)
        samples_close(s);
    return code;
}

int samples_evaluation(struct samples *s, const struct task *t, int length, struct err *e)
{
    return draw_set(s, t, "evaluation", length, NULL, draw_evaluation, e);
}

int samples_shared(struct samples *s, const struct task *t, int kind, int length, struct err *e)
{
    const struct shared_kind *shared = shared_table[kind];
    return draw_set(s, t, shared->name, length, shared, draw_shared, e);
}

/* A copy of a drawn layout, with the offsets of one that is kept. */
static int copy_layout(const struct layout *from, const struct layout *kept, struct arena *a,
                       struct layout *out, struct err *e)
{
    size_t n = (size_t)from->n;
    int32_t *relation = arena_alloc(a, n * n, sizeof *relation, e);
    int32_t *coordinate = arena_alloc(a, n, sizeof *coordinate, e);
    if (!relation || !coordinate)
        return ERR_MEMORY;
    memcpy(relation, from->relation, n * n * sizeof *relation);
    memcpy(coordinate, from->coordinate, n * sizeof *coordinate);
    *out = *kept;
    out->n = from->n;
    out->relation = relation;
    out->coordinate = coordinate;
    return 0;
}

/* Appends samples; their layouts become this one, or of its first positions, or like it where they are
 * drawn. */
static int append_samples(struct samples *s, const struct samples *from, struct layout *l, struct err *e)
{
    size_t at = (size_t)s->rows, rows = (size_t)from->rows;
    size_t in = (size_t)s->channels, out = (size_t)s->outputs;
    for (int k = 0, base = s->count; k < from->count; k++) {
        int like = k - 1, n = from->layout[k]->n;
        while (like >= 0 && from->layout[like] != from->layout[k])
            like--;
        bool drawn = l->relation, first = like < 0;
        struct layout *own = !first                ? s->layout[base + like]
                             : n == l->n && !drawn ? l
                                                   : arena_alloc(&s->arena, 1, sizeof *own, e);
        if (!own || (first && drawn && copy_layout(from->layout[k], l, &s->arena, own, e)))
            return ERR_MEMORY;
        if (first && !drawn)
            *own = layout_shorter(l, n);
        samples_add(s, own, from->pattern[k]);
    }
    if (in)
        memcpy(s->x + at * in, from->x, rows * in * sizeof *s->x);
    else
        memcpy(s->token + at, from->token, rows * sizeof *s->token);
    if (out)
        memcpy(s->y + at * out, from->y, rows * out * sizeof *s->y);
    else
        memcpy(s->label + at, from->label, rows * sizeof *s->label);
    if (s->counts)
        memcpy(s->counts + at, from->counts, rows * sizeof *s->counts);
    return 0;
}

/* The sets one after another; they are of the task's lengths. */
static int join(struct samples *s, const struct task *t, const struct samples *set, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    const struct model_io io = task_io(t);
    int count = 0, n = 1, code;
    for (int k = 0; k < lengths->count; k++) {
        count += set[k].count;
        n = lengths->value[k] > n ? (int)lengths->value[k] : n;
    }
    code = samples_reserve(s, count, n, &io, set[0].counts != NULL, e);
    for (int k = 0; k < lengths->count && !code; k++) {
        struct layout *own = arena_alloc(&s->arena, 1, sizeof *own, e);
        code = own ? space_of(&t->space)->layout(&t->space, (int)lengths->value[k], &s->arena, own, e)
                   : ERR_MEMORY;
        code = code ? code : append_samples(s, &set[k], own, e);
    }
    return code;
}

int samples_of_lengths(struct samples *s, const struct task *t, struct err *e)
{
    const struct option_ints *lengths = &t->evaluate.lengths;
    *s = (struct samples){0};
    struct samples *set = memory_alloc((size_t)lengths->count, sizeof *set, e);
    int sets = 0, code = set ? arena_open(&s->arena, 0, e) : ERR_MEMORY;
    for (; sets < lengths->count && !code; sets++)
        code = samples_evaluation(&set[sets], t, (int)lengths->value[sets], e);
    code = code ? code : join(s, t, set, e);
    for (int k = 0; k < sets; k++)
        samples_close(&set[k]);
    memory_free(set);
    if (code)
        samples_close(s);
    return code;
}

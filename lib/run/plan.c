/* Choosing cells and prices.  Longest first, so that the last worker does not start the longest
 * cell when the others are done. */
#include "run/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/evaluate.h"
#include "run/worker.h"
#include "space/space.h"
#include "train/train.h"

/* The part of free memory that workers may plan with. */
#define PLAN_MEMORY_SHARE 0.9
#define GIB (1024.0 * 1024.0 * 1024.0)

static bool in_shard(const struct cell *c, const struct run_options *o)
{
    return o->shards <= 1 || c->index % o->shards == o->shard;
}

/* *bytes: of a sample's own layout, at most; 0 where samples share one.  *images: of each sample
 * that the evaluation set holds. */
static int layout_price(const struct task *t, int length, double *bytes, double *images,
                        struct err *e)
{
    const struct space *space = space_of(&t->space);
    const struct orbit *orbit = orbit_table[t->evaluate.orbit];
    struct arena arena;
    struct layout l;
    int code = 0;
    *bytes = 0;
    *images = 1;
    if (!space->draw && orbit == orbit_table[0])
        return 0;
    arena_open_measure(&arena);
    if (!space->draw)
        code = arena_open(&arena, 0, e);
    if (!code)
        code = space->layout(&t->space, length, &arena, &l, e);
    if (space->draw)
        *bytes = (double)arena.used;
    else if (!code)
        *images = orbit->images(&l);
    arena_close(&arena);
    return code;
}

/* Samples with their images, layouts and groups, the network's outputs at one evaluated length, and
 * logits summed over groups.  How many groups there will be is not known before the merging: one for
 * each patterned sample, or, where images put equal tokens side by side, one for each position. */
static int evaluation_price(const struct task *t, int length, double *bytes, struct err *e)
{
    double samples = (double)t->evaluate.samples, positions = samples * length;
    double layout, images, row = 32, groups = samples * (1 - t->space.share[PATTERN_GENERIC]);
    int code = layout_price(t, length, &layout, &images, e);
    bool tokens = target_of(&t->target)->tokens;
    if (images > 1)
        groups = positions;
    if (!tokens)
        row += 4 * sizeof(double) * (double)t->space.channels;
    *bytes = images * (positions * row + samples * layout) +
             (tokens ? groups * task_io(t).labels * (double)sizeof(double) : 0);
    return code;
}

static int64_t samples_of(const struct task *t, double images)
{
    return (int64_t)(images * (double)t->evaluate.samples);
}

/* At lengths other than the training's: passes, which are all kept, and the largest evaluation. */
static int lengths_price(const struct task *t, double *bytes, struct err *e)
{
    const struct trainer_api *api = trainer_api_of(t->model.precision);
    double most = 0, passes = 0, evaluation = 0, layout, images = 1;
    int code = 0;
    for (int k = 0; k < t->evaluate.lengths.count && !code; k++) {
        int length = (int)t->evaluate.lengths.value[k];
        size_t pass = 0;
        if (length == t->space.length)
            continue;
        code = layout_price(t, length, &layout, &images, e);
        if (!code)
            code = api->price_pass(t, length, samples_of(t, images), false, &pass, e);
        if (!code)
            code = evaluation_price(t, length, &evaluation, e);
        passes += (double)pass;
        most = evaluation > most ? evaluation : most;
    }
    *bytes = passes + most;
    return code;
}

/* Points, targets, slopes and outputs of all starts; of a pair of positions, whether one depends on
 * the other; and passes back to the inputs. */
static int search_price(const struct task *t, double *bytes, struct err *e)
{
    double n = (double)t->space.length;
    size_t pass = 0;
    *bytes = 0;
    if (!t->evaluate.adversary_starts || target_of(&t->target)->tokens ||
        space_of(&t->space)->draw)
        return 0;
    int code = trainer_api_of(t->model.precision)
                   ->price_pass(t, (int)t->space.length, t->evaluate.adversary_starts, true, &pass,
                                e);
    double numbers = (double)t->evaluate.adversary_starts * n * (double)t->space.channels;
    *bytes = 8 * sizeof(double) * numbers + n * n + (double)pass;
    return code;
}

static void add_up(struct plan_price *p)
{
    for (int k = 0; k < PLAN_PARTS; k++) {
        p->bytes += p->bytes_of[k];
        if (p->bytes_of[k] > p->bytes_of[p->part])
            p->part = (enum plan_part)k;
    }
}

int plan_price(const struct task *t, struct plan_price *out, struct err *e)
{
    const struct trainer_api *api = trainer_api_of(t->model.precision);
    int n = (int)t->space.length;
    size_t training, pass = 0, drawing = 0;
    double layout = 0, images, *part = out->bytes_of;
    *out = (struct plan_price){.part = PLAN_TRAINING};
    int code = api->price(t, &training, &out->parameters, &out->flops, e);
    if (!code) /* by the evaluation; training has it in its price */
        code = samples_price(t, &drawing, e);
    if (!code)
        code = layout_price(t, n, &layout, &images, e);
    if (!code)
        code = api->price_pass(t, n, samples_of(t, images), false, &pass, e);
    if (!code)
        code = evaluation_price(t, n, &part[PLAN_SAMPLES], e);
    if (!code)
        code = lengths_price(t, &part[PLAN_LENGTHS], e);
    if (!code)
        code = search_price(t, &part[PLAN_SEARCH], e);
    if (code)
        return code;
    part[PLAN_TRAINING] = (double)training + (double)pass + (double)drawing +
                          (double)t->train.batch * layout;
    add_up(out);
    return 0;
}

static int price(struct plan_cell *c, const struct spec *s, struct err *e)
{
    const struct task *t = &c->cell->task;
    struct plan_price price;
    struct err why = {0};
    char where[256];
    int code = plan_price(t, &price, &why);
    if (code)
        return err_set(e, code, why.where, "cell %s cannot be sized: %s", c->cell->id, why.msg);
    if (!(price.bytes < (double)SIZE_MAX)) {
        spec_where(s, "evaluate.samples", where, sizeof where);
        return err_set(e, ERR_USAGE, where, "evaluate.samples: no memory holds so many");
    }
    c->bytes = (size_t)price.bytes;
    c->part = price.part;
    c->work = price.flops * (double)t->train.steps + 1;
    return 0;
}

static int compare_work(const void *a, const void *b)
{
    const struct plan_cell *p = a, *q = b;
    if (p->work != q->work)
        return p->work < q->work ? 1 : -1;
    return (p->cell->index > q->cell->index) - (p->cell->index < q->cell->index);
}

static int compare_bytes(const void *a, const void *b)
{
    const size_t *p = a, *q = b;
    return (*p < *q) - (*p > *q);
}

static int collect(struct plan *p, const struct spec *s, const struct run_options *o,
                   struct err *e)
{
    char cells[RUN_PATH], folder[RUN_PATH];
    int code = file_join(cells, sizeof cells, o->folder, "cells", e);
    for (int k = 0; !code && k < spec_cells(s); k++) {
        const struct cell *c = spec_cell(s, k);
        if (!in_shard(c, o))
            continue;
        p->shard_cells++;
        code = file_join(folder, sizeof folder, cells, c->id, e);
        if (!code && !o->force && cell_finished(c, folder)) {
            p->finished++;
            continue;
        }
        const struct plan_cell *last = p->cells ? &p->cell[p->cells - 1] : NULL;
        struct plan_cell *next = &p->cell[p->cells++];
        bool seed = last && strcmp(last->cell->group, c->group) == 0; /* another one: same price */
        if (seed)
            *next = *last;
        next->cell = c;
        if (!code && !seed)
            code = price(next, s, e);
        p->work += next->work;
    }
    return code;
}

/* More memory than there is: the key that is likeliest to help. */
static int too_large(const struct plan_cell *c, const struct spec *s, double free_bytes,
                     struct err *e)
{
    static const struct {
        const char *key, *advice;
    } of_part[] = {
        [PLAN_TRAINING] = {"model.width", "make width, layers, ffn or train.batch smaller"},
        [PLAN_SAMPLES] = {"evaluate.samples", "evaluate fewer samples or shorter lengths"},
        [PLAN_LENGTHS] = {"evaluate.lengths", "evaluate shorter lengths"},
        [PLAN_SEARCH] = {"evaluate.adversary.starts", "search from fewer starts"}};
    char where[256];
    const char *key = of_part[c->part].key;
    spec_where(s, key, where, sizeof where);
    return err_set(e, ERR_USAGE, where,
                   "%s: cell %s needs about %.2f GiB of memory and %.2f GiB are free; %s", key,
                   c->cell->id, (double)c->bytes / GIB, free_bytes / GIB, of_part[c->part].advice);
}

/* As many workers as cores and memory allow. */
static int choose_jobs(struct plan *p, const struct spec *s, const struct run_options *o,
                       struct err *e)
{
    int wanted = o->jobs > 0 ? o->jobs : p->cores;
    double room = (double)p->memory * PLAN_MEMORY_SHARE, sum = 0;
    p->jobs = 0;
    if (wanted > p->cells)
        wanted = p->cells;
    size_t *bytes = memory_alloc((size_t)p->cells, sizeof *bytes, e);
    if (!bytes)
        return ERR_MEMORY;
    for (int k = 0; k < p->cells; k++) {
        bytes[k] = p->cell[k].bytes;
        if (p->memory && (double)bytes[k] > room) {
            memory_free(bytes);
            return too_large(&p->cell[k], s, room, e);
        }
    }
    qsort(bytes, (size_t)p->cells, sizeof *bytes, compare_bytes);
    while (p->jobs < wanted && (p->jobs == 0 || !p->memory || sum + (double)bytes[p->jobs] <= room))
        sum += (double)bytes[p->jobs++];
    p->jobs_lowered = p->jobs < wanted;
    memory_free(bytes);
    return 0;
}

int plan_open(struct plan *p, const struct spec *s, const struct run_options *o, struct err *e)
{
    *p = (struct plan){.cores = machine_cores(), .memory = machine_memory()};
    p->cell = memory_alloc((size_t)spec_cells(s), sizeof *p->cell, e);
    if (!p->cell)
        return ERR_MEMORY;
    int code = collect(p, s, o, e);
    if (!code)
        code = choose_jobs(p, s, o, e);
    if (code)
        plan_close(p);
    else
        qsort(p->cell, (size_t)p->cells, sizeof *p->cell, compare_work);
    return code;
}

void plan_close(struct plan *p)
{
    memory_free(p->cell);
    p->cell = NULL;
    p->cells = 0;
}

int plan_threads(const struct plan *p, const struct run_options *o, int slot)
{
    if (o->threads > 0)
        return o->threads;
    int each = p->cores / p->jobs;
    if (each < 1)
        return 1;
    return each + (slot < p->cores % p->jobs);
}

/* The last word of a dotted key that says something: "encoding" of "model.encoding.kind". */
static const char *short_key(const char *key, char *name, size_t size)
{
    snprintf(name, size, "%s", key);
    char *dot = strrchr(name, '.');
    if (dot && !strcmp(dot, ".kind")) {
        *dot = '\0';
        dot = strrchr(name, '.');
    }
    return dot ? dot + 1 : name;
}

void plan_label(const struct spec *s, const struct cell *c, char out[PLAN_LABEL])
{
    size_t used = 0;
    char name[96], value[96];
    out[0] = '\0';
    for (int k = 0; k < spec_axes(s) && used < PLAN_LABEL; k++) {
        if (!spec_value(c, spec_axis(s, k), value, sizeof value))
            continue;
        int wrote = snprintf(out + used, PLAN_LABEL - used, "%s%s %s", used ? ", " : "",
                             short_key(spec_axis(s, k), name, sizeof name), value);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    if (!out[0])
        snprintf(out, PLAN_LABEL, "cell %s", c->id);
}

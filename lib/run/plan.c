/* Choosing cells and prices.  Longest first, so that the last worker does not start the longest
 * cell when the others are done. */
#include "run/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/system.h"
#include "kernel/kernel.h"

/* The part of free memory that workers may plan with. */
#define PLAN_MEMORY_SHARE 0.9
#define GIB (1024.0 * 1024.0 * 1024.0)

static bool in_shard(int cell, const struct run_options *o)
{
    return o->shards <= 1 || cell % o->shards == o->shard;
}

static int price(struct plan_cell *c, const struct spec *s, struct err *e)
{
    const struct cell *cell = spec_cell(s, c->cell);
    const struct task *t = &cell->task;
    struct price price;
    struct err why = {0};
    char where[256];
    int code = price_task(t, &price, &why);
    if (code)
        return err_set(e, code, why.where, "cell %s cannot be sized: %s", cell->id, why.msg);
    if (!(price.bytes < (double)SIZE_MAX)) {
        spec_where(s, "evaluate.samples", where, sizeof where);
        return err_set(e, ERR_USAGE, where, "evaluate.samples: no memory holds so many");
    }
    c->bytes = (size_t)price.bytes;
    c->part = price.part;
    c->work = price.flops_of[PRICE_TRAINING] + 1;
    return 0;
}

static int compare_work(const void *a, const void *b)
{
    const struct plan_cell *p = a, *q = b;
    if (p->work != q->work)
        return p->work < q->work ? 1 : -1;
    return (p->cell > q->cell) - (p->cell < q->cell);
}

static int compare_bytes(const void *a, const void *b)
{
    const size_t *p = a, *q = b;
    return (*p < *q) - (*p > *q);
}

static int collect(struct plan *p, const struct spec *s, const struct run_options *o,
                   struct err *e)
{
    char folder[RUN_PATH];
    int code = 0;
    for (int k = 0; !code && k < spec_cells(s); k++) {
        if (!in_shard(k, o))
            continue;
        const struct cell *c = spec_cell(s, k);
        p->shard_cells++;
        code = cell_folder(o->folder, c, folder, e);
        if (!code && !o->force && cell_finished(c, folder)) {
            p->finished++;
            spec_drop_cell(s, k);
            continue;
        }
        const struct plan_cell *last = p->cells ? &p->cell[p->cells - 1] : NULL;
        struct plan_cell *next = &p->cell[p->cells++];
        bool seed = last && strcmp(spec_cell(s, last->cell)->group, c->group) == 0; /* same price */
        if (seed)
            *next = *last;
        next->cell = k;
        if (!code && !seed)
            code = price(next, s, e);
        p->work += next->work;
        if (last)
            spec_drop_cell(s, last->cell);
    }
    return code;
}

/* More memory than there is: the key that is likeliest to help. */
static int too_large(const struct plan_cell *c, const struct spec *s, double free_bytes,
                     struct err *e)
{
    const struct price_words *words = &price_words[c->part];
    char where[256];
    spec_where(s, words->key, where, sizeof where);
    return err_set(e, ERR_USAGE, where,
                   "%s: cell %s needs about %.2f GiB of memory and %.2f GiB are free; %s",
                   words->key, spec_cell(s, c->cell)->id, (double)c->bytes / GIB, free_bytes / GIB,
                   words->advice);
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
    *p = (struct plan){.cores = system_cores(), .memory = machine_memory()};
    p->cell = memory_alloc((size_t)spec_cells(s), sizeof *p->cell, e);
    if (!p->cell)
        return ERR_MEMORY;
    int code = collect(p, s, o, e);
    if (!code)
        code = choose_jobs(p, s, o, e);
    if (!code && p->jobs > 0) /* something is left to train */
        code = kernel_room(plan_threads(p, o, 0), e);
    if (!code)
        kernel_share();
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

void plan_failure(const struct spec *s, const struct cell *c, const struct err *why, char out[PLAN_FAILURE])
{
    char name[PLAN_LABEL];
    plan_label(s, c, name);
    bool named = strncmp(name, "cell ", 5) != 0; /* where nothing varies the id is the label */
    snprintf(out, PLAN_FAILURE, "cell %s%s%s%s failed: %s%s%s", c->id, named ? " (" : "", named ? name : "",
             named ? ")" : "", why->where, why->where[0] ? ": " : "", why->msg);
}

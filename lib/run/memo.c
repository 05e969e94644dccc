/* What cells have in common (memo.h).  Inputs on a line alone are remembered: there a sample's length and
 * origin say what its positions are to each other. */
#include "run/memo.h"

#include <string.h>

#include "base/memory.h"
#include "run/evaluate.h"

enum { NETWORKS = 8, ROWS_MOST = 1 << 18, ENTRIES_MOST = 64 };

struct memo_entry {
    struct memo_entry *next;
    struct arena arena; /* of everything below */
    uint64_t seed;
    struct model_io io;
    int count, rows;
    const int *first;     /* (count+1) */
    const int *origin;    /* (count) */
    const double *x;      /* (rows,channels), or */
    const int32_t *token; /* (rows) */
    const int32_t *any, *deep; /* (rows) */
    int any_groups, deep_groups;
    const unsigned char *near[NETWORKS]; /* (any_groups) */
};

struct memo {
    struct model_config model;
    struct space_config space;
    struct memo_entry *entry;
    int entries;
};

int memo_open(struct memo **out, struct err *e)
{
    *out = memory_alloc(1, sizeof **out, e);
    return *out ? 0 : ERR_MEMORY;
}

static void forget(struct memo *m)
{
    for (struct memo_entry *x = m->entry, *next; x; x = next) {
        next = x->next;
        arena_close(&x->arena);
        memory_free(x);
    }
    m->entry = NULL;
    m->entries = 0;
}

void memo_close(struct memo *m)
{
    if (m)
        forget(m);
    memory_free(m);
}

static bool is_kept(const struct samples *s)
{
    for (int k = 0; k < s->count; k++)
        if (!layout_is_line(s->layout[k]))
            return false;
    return s->rows <= ROWS_MOST;
}

static bool same_inputs(const struct memo_entry *x, const struct task *t, const struct samples *s)
{
    struct model_io io = task_io(t);
    size_t rows = (size_t)s->rows;
    if (x->count != s->count || x->rows != s->rows || x->seed != t->seed || memcmp(&x->io, &io, sizeof io) ||
        memcmp(x->first, s->first, ((size_t)s->count + 1) * sizeof *s->first))
        return false;
    for (int k = 0; k < s->count; k++)
        if (x->origin[k] != s->layout[k]->origin)
            return false;
    return s->channels ? memcmp(x->x, s->x, rows * (size_t)s->channels * sizeof *s->x) == 0
                       : memcmp(x->token, s->token, rows * sizeof *s->token) == 0;
}

static void *copy(struct arena *a, const void *from, size_t count, size_t size)
{
    void *to = from ? arena_alloc(a, count, size, NULL) : NULL;
    return to ? memcpy(to, from, count * size) : NULL;
}

/* What cannot be kept for want of memory is not. */
static struct memo_entry *keep(struct memo *m, const struct task *t, const struct samples *s,
                               const struct model_groups *g)
{
    struct memo_entry *x = memory_alloc(1, sizeof *x, NULL);
    size_t rows = (size_t)s->rows, count = (size_t)s->count;
    if (!x || arena_open(&x->arena, 0, NULL)) {
        memory_free(x);
        return NULL;
    }
    int *origin = arena_alloc(&x->arena, count, sizeof *origin, NULL);
    for (int k = 0; k < s->count && origin; k++)
        origin[k] = s->layout[k]->origin;
    x->seed = t->seed;
    x->io = task_io(t);
    x->count = s->count;
    x->rows = s->rows;
    x->first = copy(&x->arena, s->first, count + 1, sizeof *s->first);
    x->origin = origin;
    x->x = s->channels ? copy(&x->arena, s->x, rows, (size_t)s->channels * sizeof *s->x) : NULL;
    x->token = s->channels ? NULL : copy(&x->arena, s->token, rows, sizeof *s->token);
    x->any = copy(&x->arena, g->any, rows, sizeof *g->any);
    x->deep = copy(&x->arena, g->deep, rows, sizeof *g->deep);
    x->any_groups = g->any_groups;
    x->deep_groups = g->deep_groups;
    if (arena_check(&x->arena)) {
        arena_close(&x->arena);
        memory_free(x);
        return NULL;
    }
    x->next = m->entry;
    m->entries++;
    return m->entry = x;
}

int memo_merge(struct memo *m, const struct task *t, const struct samples *s, struct model_groups *g,
               struct memo_entry **entry, struct err *e)
{
    bool kept = m && is_kept(s);
    *entry = NULL;
    if (kept && (memcmp(&m->model, &t->model, sizeof m->model) || memcmp(&m->space, &t->space, sizeof m->space))) {
        forget(m);
        m->model = t->model;
        m->space = t->space;
    }
    for (struct memo_entry *x = kept ? m->entry : NULL; x && !*entry; x = x->next)
        *entry = same_inputs(x, t, s) ? x : NULL;
    if (*entry) {
        const struct memo_entry *x = *entry;
        memcpy(g->any, x->any, (size_t)s->rows * sizeof *g->any);
        memcpy(g->deep, x->deep, (size_t)s->rows * sizeof *g->deep);
        g->any_groups = x->any_groups;
        g->deep_groups = x->deep_groups;
        return 0;
    }
    int code = evaluation_merge_depth(t, s, g, e);
    if (!code && kept && m->entries < ENTRIES_MOST)
        *entry = keep(m, t, s, g);
    return code;
}

const unsigned char *memo_near(const struct memo_entry *x, int number)
{
    return x && number < NETWORKS ? x->near[number] : NULL;
}

void memo_keep_near(struct memo_entry *x, int number, const unsigned char *near)
{
    if (x && number < NETWORKS)
        x->near[number] = copy(&x->arena, near, (size_t)x->any_groups, 1);
}

/* Samples as files (samples_file.h). */
#include "run/samples_file.h"

#include <string.h>

#include "base/file.h"
#include "base/safetensors.h"
#include "train/train.h"

enum { TENSORS_MAX = 8, NOT_COUNTED = -100 };

/* The tensors of one file, in the arena. */
struct writing {
    const struct task *task;
    const struct samples *set;
    int n; /* of the largest sample */
    struct arena arena;
    struct safetensor item[TENSORS_MAX];
    int items;
    struct err *e;
};

static void *add(struct writing *w, const char *name, enum safetensors_type type, int rank, int64_t a,
                 int64_t b, int64_t c)
{
    size_t count = (size_t)a * (size_t)(rank > 1 ? b : 1) * (size_t)(rank > 2 ? c : 1);
    void *data = arena_alloc(&w->arena, count, safetensors_type_size(type), w->e);
    struct safetensor *t = &w->item[w->items++];
    *t = (struct safetensor){.type = type, .rank = rank, .count = count, .data = data,
                             .shape = {a, b, c}};
    snprintf(t->name, sizeof t->name, "%s", name);
    return data;
}

/* Numbers (rows,columns) of all samples, or of their first positions, in the cell's precision. */
static void add_numbers(struct writing *w, const char *name, const double *value, int columns,
                        bool pooled)
{
    const struct samples *s = w->set;
    bool wide = w->task->model.precision == MODEL_DOUBLE;
    int n = pooled ? 1 : w->n;
    void *to = add(w, name, wide ? SAFETENSORS_F64 : SAFETENSORS_F32, pooled ? 2 : 3, s->count,
                   pooled ? columns : n, columns);
    for (int k = 0; k < s->count && to; k++) {
        int rows = pooled ? 1 : s->first[k + 1] - s->first[k];
        size_t at = (size_t)k * (size_t)n * (size_t)columns;
        size_t from = (size_t)s->first[k] * (size_t)columns;
        for (size_t i = 0; i < (size_t)rows * (size_t)columns; i++)
            if (wide)
                ((double *)to)[at + i] = value[from + i];
            else
                ((float *)to)[at + i] = (float)value[from + i];
    }
}

static bool row_counts(const struct samples *s, int row)
{
    return !s->counts || s->counts[row];
}

/* Symbols, or labels, with NOT_COUNTED where there is none. */
static void add_symbols(struct writing *w, const char *name, const int32_t *value, bool labels,
                        bool pooled)
{
    const struct samples *s = w->set;
    int n = pooled ? 1 : w->n;
    int32_t *to = add(w, name, SAFETENSORS_I32, pooled ? 1 : 2, s->count, n, 1);
    for (int k = 0; k < s->count && to; k++)
        for (int i = 0; i < n; i++) {
            int row = s->first[k] + i;
            bool there = row < s->first[k + 1] && (!labels || row_counts(s, row));
            to[(size_t)k * (size_t)n + (size_t)i] = there ? value[row] : labels ? NOT_COUNTED : 0;
        }
}

static void add_scored(struct writing *w)
{
    const struct samples *s = w->set;
    unsigned char *to = add(w, "scored", SAFETENSORS_U8, 2, s->count, w->n, 1);
    for (int k = 0; k < s->count && to; k++)
        for (int row = s->first[k]; row < s->first[k + 1]; row++)
            to[(size_t)k * (size_t)w->n + (size_t)(row - s->first[k])] = row_counts(s, row);
}

/* Fills edge (room,2) and returns how many there are. */
static int list_edges(const struct layout *l, int32_t *edge)
{
    int count = 0;
    for (int i = 0; i < l->n; i++)
        for (int j = i + 1; j < l->n; j++)
            if (l->steps[(size_t)i * (size_t)l->n + (size_t)j] == 1) {
                if (edge) {
                    edge[2 * count] = i;
                    edge[2 * count + 1] = j;
                }
                count++;
            }
    return count;
}

static void add_edges(struct writing *w)
{
    const struct samples *s = w->set;
    int most = 1;
    for (int k = 0; k < s->count; k++) {
        int here = list_edges(s->layout[k], NULL);
        most = here > most ? here : most;
    }
    int32_t *to = add(w, space_of(&w->task->space)->pair_name, SAFETENSORS_I32, 3, s->count, most, 2);
    for (int k = 0; k < s->count && to; k++) {
        int32_t *edge = to + 2 * (size_t)k * (size_t)most;
        for (int i = 2 * list_edges(s->layout[k], edge); i < 2 * most; i++)
            edge[i] = -1;
    }
}

static void add_lengths(struct writing *w, const char *name)
{
    const struct samples *s = w->set;
    int32_t *to = add(w, name, SAFETENSORS_I32, 1, s->count, 1, 1);
    for (int k = 0; k < s->count && to; k++)
        to[k] = s->first[k + 1] - s->first[k];
}

static void add_places(struct writing *w)
{
    const struct samples *s = w->set;
    int32_t *to = add(w, "position_ids", SAFETENSORS_I32, 2, s->count, w->n, 1);
    for (int k = 0; k < s->count && to; k++)
        for (int i = 0; i < s->layout[k]->n; i++)
            to[(size_t)k * (size_t)w->n + (size_t)i] = layout_coordinate(s->layout[k], i, 0);
}

static void add_inputs(struct writing *w)
{
    const struct samples *s = w->set;
    if (s->channels)
        add_numbers(w, "x", s->x, s->channels, false);
    else
        add_symbols(w, "x", s->token, false, false);
    const struct space *space = space_of(&w->task->space);
    if (space->given)
        add_edges(w);
    if (s->rows < s->count * w->n && space->axes == 1)
        add_lengths(w, "lengths");
}

static void add_targets(struct writing *w)
{
    const struct samples *s = w->set;
    bool pooled = w->task->model.pool != MODEL_POOL_NONE;
    if (s->outputs)
        add_numbers(w, "y", s->y, s->outputs, pooled);
    else
        add_symbols(w, "y", s->label, true, pooled);
}

/* What each sample is, besides its numbers. */
static void add_facts(struct writing *w, int images)
{
    const struct samples *s = w->set;
    int32_t *subset = add(w, "subset", SAFETENSORS_I32, 1, s->count, 1, 1);
    int32_t *orbit = add(w, "orbit", SAFETENSORS_I32, 1, s->count, 1, 1);
    add_lengths(w, "length");
    for (int k = 0; k < s->count && subset && orbit; k++) {
        subset[k] = s->pattern[k];
        orbit[k] = k / images;
    }
}

static int write_file(struct writing *w, const char *folder, const char *name,
                      const char *const *metadata, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = arena_check(&w->arena);
    if (!code)
        code = file_join(path, sizeof path, folder, name, e);
    if (!code)
        code = safetensors_write(path, w->item, w->items, metadata, e);
    arena_reset(&w->arena);
    w->items = 0;
    return code;
}

static int open_writing(struct writing *w, const struct task *t, const struct samples *s,
                        struct err *e)
{
    *w = (struct writing){.task = t, .set = s, .n = 1, .e = e};
    for (int k = 0; k < s->count; k++)
        w->n = s->layout[k]->n > w->n ? s->layout[k]->n : w->n;
    return arena_open(&w->arena, 0, e);
}

static int write_evaluation(const struct cell *c, int length, const char *folder, struct err *e)
{
    enum { NAMES = 2 * PATTERN_MAX + 3 };
    const char *metadata[NAMES] = {"cell", c->id};
    char name[64], number[PATTERN_MAX][8];
    struct samples s;
    struct writing w;
    int code = samples_evaluation(&s, &c->task, length, e);
    if (code)
        return code;
    code = open_writing(&w, &c->task, &s, e);
    for (int k = 0; pattern_table[k]; k++) {
        snprintf(number[k], sizeof number[k], "%d", k);
        metadata[2 + 2 * k] = number[k];
        metadata[3 + 2 * k] = pattern_table[k]->name;
    }
    snprintf(name, sizeof name, "inputs-%d.safetensors", length);
    if (!code) {
        add_inputs(&w);
        if (space_of(&c->task.space)->placed && space_draws(&c->task.space))
            add_places(&w);
        code = write_file(&w, folder, name, NULL, e);
    }
    snprintf(name, sizeof name, "targets-%d.safetensors", length);
    if (!code) {
        add_targets(&w);
        if (s.counts && c->task.model.pool == MODEL_POOL_NONE)
            add_scored(&w);
        add_facts(&w, orbit_table[c->task.evaluate.orbit]->images(s.layout[0]));
        code = write_file(&w, folder, name, metadata, e);
    }
    arena_close(&w.arena);
    samples_close(&s);
    return code;
}

static int write_training(const struct cell *c, const char *folder, int64_t train, struct err *e)
{
    struct sampler *d = NULL;
    struct samples s = {0};
    struct writing w = {0};
    int code = sampler_open(&d, &c->task, (int)c->task.space.length, e);
    if (!code)
        code = arena_open(&s.arena, 0, e);
    if (!code)
        code = sampler_draw(d, 0, (int)train, &s, e);
    if (!code)
        code = open_writing(&w, &c->task, &s, e);
    if (!code) {
        add_inputs(&w);
        add_targets(&w);
        if (s.counts && s.outputs && c->task.model.pool == MODEL_POOL_NONE)
            add_scored(&w);
        code = write_file(&w, folder, "training.safetensors", NULL, e);
        arena_close(&w.arena);
    }
    sampler_close(d);
    samples_close(&s);
    return code;
}

int samples_write(const struct cell *c, const char *folder, int64_t train, struct err *e)
{
    const struct option_ints *lengths = &c->task.evaluate.lengths;
    int code = 0;
    for (int k = 0; k < lengths->count && !code; k++)
        code = write_evaluation(c, (int)lengths->value[k], folder, e);
    return code || !train ? code : write_training(c, folder, train, e);
}
